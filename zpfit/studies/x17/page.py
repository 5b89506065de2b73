"""The page "Does one boson explain the X17 anomalies?" in Markdown, from records and a template."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import inf
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from zpfit.studies.x17.cases import (
    CHOSEN,
    CLASSES,
    COUPLINGS,
    ISOTOPES,
    NUCLEI,
    SUBSETS,
    VARIED,
    fixed,
    subset,
    today,
)
from zpfit.studies.x17.fits import Record
from zpfit.studies.x17.points import MASS, Verdict, Wanted, ratio_of_lines

_TEMPLATE = Path(__file__).with_name("page.md.jinja")
_MODELS = {**COUPLINGS, **CLASSES}
_BEST = ("x17", CHOSEN)
"""Model and data whose best fits the page shows in detail."""
_ANOMALIES = ("be8_1815_2018", "he4_2021", "c12_2022")


def render_page(
    records: Mapping[str, Record], couplings: Sequence[Wanted], verdicts: Iterable[Verdict]
) -> str:
    """Return the page.

    Parameters
    ----------
    records
        Results of all fits by name.
    couplings
        Couplings that each datum wants.
    verdicts
        What single entries say about some points.
    """
    # Nothing is escaped: the page is Markdown.
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True)  # noqa: S701
    best = {isotope: records[today(*_BEST, isotope)] for isotope in ISOTOPES}
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        mass=f"{MASS:g}",
        answer=_answer(records),
        chi2=_gains(records),
        shares=_shares(records),
        evidence=_cells(records, today, _MODELS, _bayes),
        joint=_cells(records, today, _MODELS, _sigma) + "\n" + _joint_without(records),
        subsets=_subsets(records),
        fixed_chi2=_cells(records, fixed, COUPLINGS, _gain),
        fixed_evidence=_cells(records, fixed, COUPLINGS, _bayes),
        fixed_joint=_cells(records, fixed, COUPLINGS, _sigma),
        varied=_varied(records),
        points=_points(best),
        wanted=_wanted(couplings),
        ratios=", ".join(f"{ratio_of_lines(m):.2f} at {m:g} MeV" for m in (16.7, 17.0)),
        verdicts=_verdicts(verdicts),
    )


def _answer(records: Mapping[str, Record]) -> dict[str, str]:
    """Return the numbers of the summary."""
    found = {}
    for isotope in ISOTOPES:
        for nuclei in NUCLEI:
            record = records[today("x17", nuclei, isotope)]
            key = f"{nuclei.removeprefix('x17_')}_{isotope}"
            found[f"chi2_{key}"] = f"{_nuclear(record, record.terms):.1f}"
            found[f"none_{key}"] = f"{_nuclear(record, record.terms_none):.1f}"
        best = records[today(*_BEST, isotope)]
        found[f"joint_{isotope}"] = _sigma(best)
        found[f"joint_2026_{isotope}"] = _sigma(records[today("x17", "x17_2026", isotope)])
        bayes = best.ln_bayes_factor
        found[f"bayes_{isotope}"] = "not computed" if bayes is None else f"{bayes:+.1f}"
        found[f"kaon_{isotope}"] = f"{best.predictions['k_pi_ee']:.1e}"
        for strange in ("zero", "down", "free"):
            cost = best.gain - records[f"varied/kaon_{strange}_{isotope}"].gain
            found[f"kaon_{strange}_{isotope}"] = f"{max(cost, 0.0):.1f}"
    vector = records[today("x17_vector", "x17_be8", "rb")]
    found["vector_be8"] = f"{vector.terms['be8_1815_2018']:.1f}"
    return found


def _nuclear(record: Record, terms: Mapping[str, float]) -> float:
    """Return the chi2 of the nuclei, of MEG II and of the electron's moment."""
    return sum(value for name, value in terms.items() if _tells(name) and name in record.terms)


def _tells(name: str) -> bool:
    return name.startswith(("be8", "he4", "c12", "meg2", "a_e"))


def _gains(records: Mapping[str, Record]) -> str:
    """Return a table of best chi2, less that without a Z'."""
    without = [records[today("x17", n, i)].chi2_none for n in NUCLEI for i in ISOTOPES]
    last = ["χ² without a Z'", *(f"{value:.1f}" for value in without)]
    return "\n".join([_cells(records, today, _MODELS, _gain), _joined([last])])


def _cells(
    records: Mapping[str, Record],
    name: Callable[[str, str, str], str],
    models: Mapping[str, str],
    cell: Callable[[Record], str],
) -> str:
    """Return a table with a row for each model, and a column for each set and isotope."""
    heads = ["model", *_columns()]
    lines = [heads, _rule(heads)]
    for run, words in models.items():
        found = [records[name(run, n, i)] for n in NUCLEI for i in ISOTOPES]
        lines.append([f"{words} (`{run}`)", *(cell(record) for record in found)])
    return _joined(lines)


def _gain(record: Record) -> str:
    return f"{-record.gain:+.1f}"


def _sigma(record: Record) -> str:
    if record.joint_sigma_none is None:
        return "not computed"
    return "none found" if record.joint_sigma is None else f"{record.joint_sigma:.2f}"


def _sigma_without(record: Record) -> str:
    none = record.joint_sigma_none
    return "not computed" if none is None else f"{none:.2f}"


def _bayes(record: Record) -> str:
    if record.ln_bayes_factor is None:
        return "not converged" if record.remarks else "not computed"
    mark = " *" if record.remarks else ""
    return f"{record.ln_bayes_factor:+.2f} ± {record.ln_bayes_factor_err or 0:.2f}{mark}"


def _columns() -> list[str]:
    return [f"{words}, {isotope.capitalize()}" for words in NUCLEI.values() for isotope in ISOTOPES]


def _shares(records: Mapping[str, Record]) -> str:
    """Return a table of the chi2 of the anomalies at best fits."""
    heads = [
        "fit",
        "m [MeV]",
        "Be-8",
        "He-4",
        "C-12",
        "MEG II",
        "a_e",
        "masses",
        "others, less no Z'",
    ]
    lines = [heads, _rule(heads)]
    for run, words in COUPLINGS.items():
        for nuclei, kinds in NUCLEI.items():
            for isotope in ISOTOPES:
                record = records[today(run, nuclei, isotope)]
                lines.append([f"{words}: {kinds}, {isotope.capitalize()}", *_parts(record)])
    return _joined(lines)


def _parts(record: Record) -> list[str]:
    terms, without = record.terms, record.terms_none
    anomalies = [f"{terms[n]:.1f}" if n in terms else "" for n in _ANOMALIES]
    groups = (("meg2",), ("a_e",), ("be8_mass", "he4_mass", "c12_mass"))
    sums = [sum(v for n, v in terms.items() if n.startswith(group)) for group in groups]
    others = sum(value - without[name] for name, value in terms.items() if not _tells(name))
    return [
        f"{record.couplings['m_Zp']:.2f}",
        *anomalies,
        *(f"{value:.1f}" for value in sums),
        f"{others:+.1f}",
    ]


def _joint_without(records: Mapping[str, Record]) -> str:
    """Return the last row of the joint sigmas, that of no Z'."""
    found = [records[today("x17", n, i)] for n in NUCLEI for i in ISOTOPES]
    return _joined([["without a Z'", *map(_sigma_without, found)]])


def _subsets(records: Mapping[str, Record]) -> str:
    """Return a table of joint sigmas for subsets of the anomalies of nuclei.

    A point that meets more anomalies meets fewer, so that the least result of all sets that hold a
    subset is one of the subset too.
    """
    heads = ["anomalies of nuclei", *(isotope.capitalize() for isotope in ISOTOPES)]
    lines = [heads, _rule(heads)]
    for nuclei, words in SUBSETS.items():
        larger = [n for n in SUBSETS if set(nuclei.split("+")) <= set(n.split("+"))]
        found = ([records[subset(n, i)] for n in larger] for i in ISOTOPES)
        least = (min(fits, key=_joint_or_infinite) for fits in found)
        lines.append([words, *(_sigma(fit) for fit in least)])
    return _joined(lines)


def _joint_or_infinite(record: Record) -> float:
    return inf if record.joint_sigma is None else record.joint_sigma


def _varied(records: Mapping[str, Record]) -> str:
    """Return a table of fits with one thing changed."""
    heads = ["changed", "isotope", "χ² less no Z'", "Be-8", "He-4", "C-12", "m [MeV]", "Δ_π"]
    heads.append("BR(K → π e e)")
    lines = [heads, _rule(heads)]
    for isotope in ISOTOPES:
        rows = {today(*_BEST, isotope): "nothing"}
        rows[fixed(*_BEST, isotope)] = "nuclear inputs at their published values"
        rows |= {name: w for name, (_, w) in VARIED.items() if name.endswith(f"_{isotope}")}
        for name, words in rows.items():
            record = records[name]
            anomalies = [
                next((f"{v:.1f}" for n, v in record.terms.items() if n.startswith(start)), "")
                for start in ("be8_1815", "he4_2021", "c12_2022")
            ]
            ends = [f"{record.couplings['m_Zp']:.2f}", f"{record.predictions['D_pi']:.1e}"]
            ends.append(f"{record.predictions['k_pi_ee']:.1e}")
            lines.append([words, isotope.capitalize(), f"{-record.gain:+.1f}", *anomalies, *ends])
    return _joined(lines)


def _points(best: Mapping[str, Record]) -> str:
    """Return a table of the couplings and rates of best fits."""
    names = list(dict.fromkeys(name for record in best.values() for name in record.couplings))
    heads = ["", *(isotope.capitalize() for isotope in best)]
    lines = [heads, _rule(heads)]
    for name in names:
        digits = ".2f" if name == "m_Zp" else ".2e"
        cells = [f"{record.couplings.get(name, 0.0):{digits}}" for record in best.values()]
        lines.append([f"`{name}`", *cells])
    rates = {
        "R_1815": "rate, Be-8 18.15 MeV",
        "R_1764": "rate, Be-8 17.64 MeV",
        "he4": "rate, He-4, over ATOMKI's",
        "R_c12": "rate, C-12",
        "D_pi": "Δ_π",
        "k_pi_ee": "BR(K → π e e)",
    }
    for key, words in rates.items():
        lines.append([words, *(f"{record.predictions[key]:.2e}" for record in best.values())])
    return _joined(lines)


def _wanted(couplings: Sequence[Wanted]) -> str:
    heads = ["datum", "kind", "coupling", "value"]
    rows = ([one.datum, one.kind, one.symbol, f"{one.value:.1e}"] for one in couplings)
    return _joined([heads, _rule(heads), *rows])


def _verdicts(verdicts: Iterable[Verdict]) -> str:
    heads = [
        "point",
        "searches that exclude it (signal over limit)",
        "measurements (rise of χ²)",
        "measurements that gain",
    ]
    lines = [heads, _rule(heads)]
    for one in verdicts:
        excluded = _listed(one.excluded)
        lines.append([one.title, excluded, _listed(one.worse), _listed(one.better)])
    return _joined(lines)


def _listed(values: Mapping[str, float]) -> str:
    return ", ".join(f"`{name}` {value:.2g}" for name, value in values.items()) or "none"


def _rule(heads: Sequence[str]) -> list[str]:
    return ["---"] * len(heads)


def _joined(lines: Iterable[Sequence[str]]) -> str:
    # A vertical bar would end a cell.
    return "\n".join(
        f"| {' | '.join(c.replace('|', chr(92) + '|') for c in cells)} |" for cells in lines
    )
