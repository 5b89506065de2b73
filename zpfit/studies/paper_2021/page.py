"""The page that describes the reproduction of the paper, in Markdown."""

from collections.abc import Mapping, Sequence
from math import isclose
from typing import Any

from zpfit.analysis.levels import in_percent
from zpfit.io.numbers import apart, with_error
from zpfit.studies.paper_2021.figures import TODAY

Row = Mapping[str, Any]

_INTRO = """# The paper, reproduced

arXiv:2102.07781 (Bodas, Coy, King) asks whether one Z' can explain the anomalous magnetic
moments of electron and muon, finds a narrow window of couplings, and argues that no U(1)' model
reaches it. `zpfit paper` writes this page. It traces the figures from the entries of the
likelihood, recomputes the numbers, and shows where they differ. Boundaries are traced curves, not
contours of a grid.

BaBar's limit has two forms. The paper takes the *envelope*, the hull of the strongest points of
the published curve. The *curve* itself fluctuates and is weaker in between. Every figure and
number is given with both.

The paper's data are on leptons. What it left out, the charged current that a Z' of leptons alone
breaks (SINDRUM) and the weak charge of Caesium, decides about the window: `zpfit epochs` has the
consequences. This page keeps to the paper's data.
"""

_ELECTRON = """## Electrons: Fig. 2 (Sec. III A)

(a, b) Couplings to electrons alone, with C_Ve such that a_e is one sigma below and above its
Caesium value. (c, d) The coupling to electron neutrinos, with C_Ve = 0. Red outlines enclose the
allowed region. TEXONO excludes at 2 sigma, Borexino beyond its 10 %, CHARM-II beyond its 6 %.
"""

_MUON = """## Muons: Fig. 3 (Sec. III B)

(a) C_Vmu with C_numu = 1e-5 and C_Amu such that a_mu is met. Below |C_Vmu| = 5e-4 it cannot be
met, and C_Amu minimises the difference. CCFR excludes at 2 sigma. (b) The |C_Amu| that meets a_mu.
(c, d) The coupling to muon neutrinos, with C_Ae such that a_e is one sigma below and above its
value.
"""

_RUBIDIUM = """## Rubidium: Fig. 4 (Sec. V)

In each band one moment is met within one sigma. With C_Ae = -1e-8/C_Ve, which saturates the
Moller limit, Eq. (33) gives C_Vmu = C_Ve + 1e-8/C_Ve. With the envelope of BaBar's limit no point
of both bands is allowed, as the paper says.
"""

_MINIMAL = "The minimal case is C_Ve = C_Vmu. The published curve allows it at {:.1f}-{:.1f} MeV.\n"

_CLASSES = """## The no-go theorem (Sec. IV and V)

The joint sigma is the smallest n at which both anomalies are met within n standard errors while
TEXONO and CCFR are within 2, Borexino within its 10 %, CHARM-II within its 6 %, no exclusion is
violated, |C_nue| and |C_numu| are at most 2e-5 and the mass is 9.8-60 MeV. The classes differ by
the relations between their couplings: no axial couplings in SM+U(1)', a universal axial coupling in
NHDM+U(1)', and Eq. (33) in all. The paper says that n = 1 cannot be reached. A search finds the
joint sigma, which is an upper bound. The notes give lower bounds that are proved in this domain.
"""

_CURVE = """The paper uses the envelope. Where the joint sigma with the published curve is below 1,
the no-go theorem depends on the envelope.
"""

_FORECAST = """## What projected searches would leave (Sec. III C)

The table has fractions of the posterior of the effective model with the paper's Caesium data and
default priors: of the whole posterior, of the part that meets a_e within one standard error, and of
the part that meets both anomalies. NA64 after LS2 is a sketch ("masses up to around 20 MeV"), see
its entry. Belle II is the projected curve or the one number of Eq. (17). The curve and NA64
together leave a part that meets a_e in the gap between 20 MeV, where the sketch ends, and 20.2 MeV,
where the curve begins.
"""

_TODAY = """## The same with today's data

The sets `today_leptons_cs` and `today_leptons_rb`: the electron's moment of 2023, the muon's of
2025 with the prediction of 2025 (no anomaly any more), first-principles scattering, exact tridents,
E158 as a measurement, beam dumps, missing energy of electrons and muons. In Fig. 2 (a, b) C_Ve is
the axis: E158 allows so little of it that the allowed region would be a line in the paper's plane.
Measurements exclude at 2 sigma. In Fig. 3 (a) the Z' has no coupling to electrons and decays to
neutrinos alone, so that NA64mu ends |C_Vmu| above 5e-4. Rubidium leaves C_Ve = C_Vmu open.
"""

_MASS = """## The mass: profile likelihood and posterior

The table has the effective couplings with both anomalies and all data of the paper, Caesium. The
profile likelihood uses the best couplings at each mass. The posterior weights each mass by the
fraction of the prior that fits the data.
"""


def page(
    claims: Sequence[Row], forecast: Sequence[Row], figures: Mapping[str, Row], mass: Row
) -> str:
    """Return the page.

    Parameters
    ----------
    claims
        JSON objects of :func:`zpfit.studies.paper_2021.claims.as_json`.
    forecast
        JSON objects of :func:`zpfit.studies.paper_2021.forecast.forecast`.
    figures
        Results of :func:`zpfit.studies.paper_2021.figures.draw`, by stems of files.
    mass
        JSON object of the profile and posterior of the mass.
    """
    allowed = {stem: figure["allowed"] for stem, figure in figures.items()}
    caveats = dict.fromkeys(n for panel in TODAY for n in figures[f"today_fig{panel}"]["notes"])
    joint = [row for row in claims if row["id"].startswith("joint_sigma")]
    rest = [row for row in claims if row not in joint]
    window = [row["computed_curve"] for row in claims if row["id"].startswith("rb_window")]
    parts = [
        _INTRO,
        "## The numbers\n",
        _summary(rest, joint),
        _claims_table(rest),
        _notes(rest),
        _ELECTRON,
        _panels([f"fig2{panel}" for panel in "abcd"], allowed),
        _MUON,
        _panels([f"fig3{panel}" for panel in "abcd"], allowed),
        _RUBIDIUM,
        _panels(["fig4"], allowed),
        _MINIMAL.format(*window),
        _panels(["rb_vector"], allowed),
        _CLASSES,
        _joint_table(joint),
        _notes(joint),
        _CURVE,
        _FORECAST,
        _forecast_table(forecast),
        _images([f"fig2{panel}_projection" for panel in "ab"]),
        _images([f"fig2{panel}_projection_paper" for panel in "ab"]),
        _TODAY,
        "".join(f"- {caveat}\n" for caveat in caveats),
        _images([f"today_fig{panel}" for panel in TODAY]),
        _MASS,
        _mass_table(mass),
        "![profile and posterior of the mass](figures/profile_m_Zp.png)\n",
    ]
    return "\n".join(parts)


def number(value: float | None) -> str:
    """Return a number with three digits, or "none"."""
    return "none" if value is None else f"{value:.3g}"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _summary(rest: Sequence[Row], joint: Sequence[Row]) -> str:
    agreeing = [sum(row[key] for row in rest) for key in ("agrees", "agrees_curve")]
    broken = [row["id"].removeprefix("joint_sigma_") for row in joint if not row["agrees"]]
    where = f"; it fails in `{'`, `'.join(broken)}`" if broken else ""
    return (
        f"Within their stated tolerance {agreeing[0]} of {len(rest)} numbers agree with BaBar's "
        f"envelope, which the paper uses, and {agreeing[1]} with the published curve. The no-go "
        f"holds in {len(joint) - len(broken)} of {len(joint)} cases{where}.\n"
    )


def _claims_table(rows: Sequence[Row]) -> str:
    def cells(row: Row) -> list[str]:
        unit = f" {row['unit']}" if row["unit"] else ""
        relation = "" if row["relation"] == "=" else f"{row['relation']} "
        statement = row["statement"].replace("|", "\\|")
        return [
            row["place"],
            f"{statement} (`{row['id']}`)",
            f"{relation}{number(row['paper'])}{unit if row['paper'] is not None else ''}",
            number(row["computed"]),
            _yes(row["agrees"]),
            number(row["computed_curve"]),
            _yes(row["agrees_curve"]),
        ]

    headings = ("where", "what", "paper", "envelope", "agrees", "curve", "agrees")
    return _table(headings, [cells(row) for row in rows])


def _yes(agrees: bool) -> str:  # noqa: FBT001 - the verdict itself
    return "yes" if agrees else "no"


def _notes(rows: Sequence[Row]) -> str:
    noted = [row for row in rows if row["note"]]
    return "".join(f"- `{row['id']}`: {row['note']}\n" for row in noted)


def _joint_table(rows: Sequence[Row]) -> str:
    def cells(row: Row) -> list[str]:
        verdicts = [_yes(row["agrees"]), number(row["computed_curve"]), _yes(row["agrees_curve"])]
        return [row["place"], row["statement"], "> 1", number(row["computed"]), *verdicts]

    headings = ("where", "class and data", "paper", "envelope", "agrees", "curve", "agrees")
    return _table(headings, [cells(row) for row in rows if row["id"].endswith("_envelope")])


def _forecast_table(rows: Sequence[Row]) -> str:
    def share(row: Row, part: str) -> str:
        value, error = 100 * row[part], 100 * row[f"{part}_err"]
        return f"({with_error(value, error)}) %" if error else f"{value:g} %"

    parts = ("all", "electron", "both")
    lines = [[row["projection"], *(share(row, part) for part in parts)] for row in rows]
    return _table(("projection", "of all", "of a_e met", "of both met"), lines)


def _panels(stems: Sequence[str], allowed: Mapping[str, Row | None]) -> str:
    """Return each figure with both forms side by side, and the reach of the allowed region."""
    blocks = []
    for stem in stems:
        names = [f"{stem}_{form}" for form in ("envelope", "curve")]
        reaches = [_reach(allowed[name]) for name in names]
        words = f"Allowed: {reaches[0]} (envelope), {reaches[1]} (curve).\n"
        blocks.append(_images(names) + ("" if stem == "fig3b" else f"\n{words}"))
    return "\n".join(blocks)


def _reach(allowed: Row | None) -> str:
    if allowed is None:
        return "nothing"
    pieces = ", ".join("-".join(apart(*ends)) for ends in allowed["stretches"])
    return f"{pieces} MeV"


def _images(names: Sequence[str]) -> str:
    pictures = " ".join(f'<img src="figures/{name}.png" width="380">' for name in names)
    return f"{pictures}\n"


def _mass_table(mass: Row) -> str:
    [(_, end)] = mass["posterior"]["reach"]

    def pieces(level: Row) -> str:
        words = ["-".join(apart(*ends)) for ends in level["intervals"]]
        ends_there = level["intervals"] and isclose(level["intervals"][-1][1], end, rel_tol=1e-3)
        return ", ".join(words) + (" (where the prior ends)" if ends_there else "")

    lines = [
        [in_percent(profile["probability"]), pieces(profile), pieces(posterior)]
        for profile, posterior in zip(
            mass["profile"]["levels"], mass["posterior"]["levels"], strict=True
        )
    ]
    return _table(("level", "profile [MeV]", "posterior [MeV]"), lines)
