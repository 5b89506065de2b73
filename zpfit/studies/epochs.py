"""What new data did to the no-go theorem: one page from a comparison of every epoch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np

from zpfit.analysis.bayes_factors import verbal
from zpfit.analysis.compare import NO_ZPRIME
from zpfit.analysis.extremes import Sought, extremes
from zpfit.errors import NoAllowedPoint, StaleConclusions
from zpfit.inference.problem import resolve
from zpfit.inference.progress import Progress
from zpfit.inference.settings import JointSigmaSpec
from zpfit.io.arrays import FloatArray
from zpfit.io.document import Document
from zpfit.io.library import Library
from zpfit.io.writing import make_room, write_whole
from zpfit.physics.couplings import Couplings
from zpfit.runs.comparison import compare_all
from zpfit.runs.run_file import find_run_file, load_run
from zpfit.runs.run_folder import RunFolder

PAGE = "what-changed.md"
_SEED = 1
_MET, _REACHED = 1.0, 0.005
"""Joint sigma up to which the no-go theorem does not hold, and below which tables print 0.00."""
_EDGE = 1.02
"""Times the lower end of a prior, up to which an extreme is that end and no bound."""


@dataclass(frozen=True)
class Epoch:
    """A data set of the page."""

    likelihood: str
    words: str


EPOCHS = (
    Epoch("paper_2021_cs", "2021, the paper, Caesium"),
    Epoch("closed_2021_cs", "2021, with invisible searches, Caesium"),
    Epoch("today_cs_wp2020", "2026, muon prediction of 2020, Caesium"),
    Epoch("today_cs", "2026, Caesium"),
    Epoch("paper_2021_rb", "2021, the paper, Rubidium"),
    Epoch("closed_2021_rb", "2021, with invisible searches, Rubidium"),
    Epoch("today_rb", "2026, Rubidium"),
    Epoch("forecast", "2026 and projections, Caesium"),
)
MODELS = ("effective", "sm_u1", "nhdm_u1", "froggatt_nielsen")
WHOLE_NUMBERS = {
    "today_cs": "froggatt_nielsen_integers_today_cs",
    "today_rb": "froggatt_nielsen_integers_today_rb",
}
"""Runs of Froggatt-Nielsen with charges that are whole numbers, by likelihood."""
_SHORT = {"paper_2021_cs": "cs", "paper_2021_rb": "rb"}
QUANTITIES = (
    ("m_Zp", False), ("m_Zp", True), ("C_Ae", False), ("C_Ae", True), ("C_Ve", False),
    ("C_Ve", True), ("C_nue", True), ("C_Vmu", False), ("C_Vmu", True), ("C_numu", True),
)  # fmt: skip
"""Extremes of the allowed region: a coupling's size or the mass, and whether the largest."""


def run_names() -> list[str]:
    """Runs of every model with every epoch, and more, for :command:`zpfit compare`."""
    every = [_run_name(model, epoch.likelihood) for epoch in EPOCHS for model in MODELS]
    return [*every, *WHOLE_NUMBERS.values()]


def _run_name(model: str, likelihood: str) -> str:
    short = _SHORT.get(likelihood, likelihood.replace("closed_2021", "closed"))
    name = f"{model}_{short}"
    return "quickstart" if name == "effective_cs" else name


def write_epochs(folder: Path, progress: Progress, *, force: bool) -> list[str]:
    """Fit every model to every epoch, and write comparison and page to a folder; minutes.

    Returns
    -------
    What went wrong in plots, in words.

    Raises
    ------
    FilesExist
        The folder holds an earlier result and ``force`` is not given.
    UnwritablePath
        The folder or a file cannot be written.
    StaleConclusions
        The numbers do not bear out all that the page concludes; it is written
        without that.
    """
    make_room(folder, (PAGE,), force=force)
    result, problems = compare_all(run_names(), folder, None, _SEED, progress, force=force)
    rows = list(result.rows)
    regions = {}
    for epoch in EPOCHS:
        progress.stage(f"Allowed region of {epoch.likelihood}")
        regions[epoch.likelihood] = allowed_region(epoch.likelihood)
    found = Numbers(rows, regions, spots(rows), hidden(folder))
    write_whole(folder / PAGE, partial(Path.write_text, data=page(found), encoding="utf-8"))
    stale = [claim.title for claim in conclusions(found) if not claim.holds]
    if stale:
        raise StaleConclusions(folder / PAGE, stale)
    return problems


@dataclass(frozen=True)
class Spot:
    """Where a joint sigma is reached."""

    mass: float
    """MeV."""
    electron: float
    """sqrt(C_Ve^2 + C_Ae^2)."""
    invisible: float
    """Branching ratio to neutrinos."""


def spots(rows: Sequence[Mapping[str, Any]]) -> dict[str, Spot]:
    """By run, where the joint sigma of each row of a comparison is reached."""
    found = {}
    for row in rows:
        if row["joint_sigma_at"] is not None:
            values = {name: np.array([value]) for name, value in row["joint_sigma_at"].items()}
            c = load_run(find_run_file(row["run"])).posterior.model.couplings(values)
            electron = float(np.hypot(c.C_Ve, c.C_Ae)[0])
            found[row["run"]] = Spot(float(c.m_Zp[0]), electron, float(c.br_inv[0]))
    return found


def hidden(folder: Path) -> dict[str, float]:
    """By run, how far below NA64's missing energy of 2019 the best fits with that data are."""
    found = {}
    for likelihood in ("closed_2021_cs", "closed_2021_rb"):
        for model in CLASSES:
            name = _run_name(model, likelihood)
            summary = RunFolder(folder / "runs" / name).summary()
            found[name] = 1 / summary["best_fit"]["exclusions"][_MISSING_ENERGY]["ratio"]
    return found


def allowed_region(likelihood: str) -> dict[str, float | None]:
    """Extremes of effective couplings that meet both moments within 1 sigma and the rest within 2.

    Keys are ``m_Zp_min`` and so on; None where nothing is allowed.
    """
    data = {"model": "effective", "likelihood": likelihood}
    posterior = resolve(Document(Path("epochs"), data, {}), Library.beside()).posterior
    moments = [term.name for term in posterior.likelihood.anomalies]
    limits = JointSigmaSpec(within=dict.fromkeys(moments, 1.0))
    sought = [Sought(partial(_size, name), largest) for name, largest in QUANTITIES]
    values: list[float | None]
    try:
        found = extremes(posterior, sought, limits, np.random.default_rng(_SEED))
        values = [each.value for each in found]
    except NoAllowedPoint:
        values = [None] * len(sought)
    keys = [f"{name}_{'max' if largest else 'min'}" for name, largest in QUANTITIES]
    result = dict(zip(keys, values, strict=True))
    return without_edges(result, {name: posterior.priors.by_name[name] for name, _ in QUANTITIES})


def without_edges(
    region: Mapping[str, float | None], priors: Mapping[str, Any]
) -> dict[str, float | None]:
    """The extremes of a region, None in place of a least size that is the prior's lower end."""
    return {
        key: None
        if value is not None
        and key.endswith("_min")
        and value <= _EDGE * priors[key.removesuffix("_min")].lower
        else value
        for key, value in region.items()
    }


def _size(name: str, c: Couplings) -> FloatArray:
    result: FloatArray = np.abs(c[name])
    return result


@dataclass(frozen=True)
class Numbers:
    """What the page is written from."""

    rows: Sequence[Mapping[str, Any]]
    """Of the comparison."""
    regions: Mapping[str, Mapping[str, float | None]]
    """Allowed regions of the effective couplings, by data set."""
    spots: Mapping[str, Spot]
    hidden: Mapping[str, float]

    def row(self, likelihood: str, model: str) -> Mapping[str, Any]:
        """Of a model with a data set, charges continuous."""
        whole = WHOLE_NUMBERS.values()
        return next(
            row
            for row in self.rows
            if (row["likelihood"], row["model"]) == (likelihood, model) and row["run"] not in whole
        )

    def whole(self, likelihood: str) -> Mapping[str, Any]:
        """Of Froggatt-Nielsen with whole-number charges."""
        return next(row for row in self.rows if row["run"] == WHOLE_NUMBERS[likelihood])

    def joint(self, likelihood: str, models: Sequence[str] | None = None) -> list[float]:
        """Joint sigmas of the classes, infinite where the other data are not met."""
        rows = [self.row(likelihood, model) for model in models or CLASSES]
        return [np.inf if row["joint_sigma"] is None else row["joint_sigma"] for row in rows]

    def bayes(self, likelihood: str, models: Sequence[str] | None = None) -> list[float]:
        """ln Bayes factors of the classes against no Z'."""
        return [self.row(likelihood, m)["ln_bayes_factor"] for m in models or CLASSES]


CLASSES = ("sm_u1", "nhdm_u1", "froggatt_nielsen")
"""Of models that the no-go theorem is about."""
_NAMES = {"sm_u1": "SM+U(1)'", "nhdm_u1": "NHDM", "froggatt_nielsen": "Froggatt-Nielsen"}
_MISSING_ENERGY = "na64_invisible_2019"


def page(found: Numbers) -> str:
    """The page in Markdown."""
    models = (NO_ZPRIME, *MODELS)
    parts = [
        _INTRO,
        "## ln Bayes factor against no Z'\n",
        _table(found, MODELS, _bayes_factor),
        _BAYES,
        "## Tension: joint sigma\n",
        _table(found, models, partial(_number, key="joint_sigma", form=".2f")),
        _JOINT,
        _table(found, CLASSES, partial(_spot, spots=found.spots)),
        _SPOTS,
        "## chi2 of the best fit\n",
        _table(found, models, partial(_number, key="best_fit_chi2", form=".2f")),
        "## Evidence: ln Z\n",
        _table(found, models, _evidence),
        "## The allowed region of the effective couplings\n",
        _REGION,
        _regions_table(found.regions),
        "## The result, November 2026\n",
        *(_wrapped(f"- **{c.title}.** {c.text}") for c in conclusions(found) if c.holds),
    ]
    return "\n".join(parts) + "\n"


def _wrapped(item: str) -> str:
    """A list item, whatever the lines of its source."""
    text = " ".join(item.split())
    return fill(text, 99, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)


def _table(found: Numbers, models: Sequence[str], cell: Any) -> str:
    lines = [["data", *models], ["---"] * (len(models) + 1)]
    for epoch in EPOCHS:
        cells = [cell(found.row(epoch.likelihood, model)) for model in models]
        lines.append([f"{epoch.words} (`{epoch.likelihood}`)", *cells])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _number(row: Mapping[str, Any], key: str, form: str) -> str:
    return "none" if row[key] is None else format(row[key], form)


def _bayes_factor(row: Mapping[str, Any]) -> str:
    return f"{row['ln_bayes_factor']:+.2f} ± {row['ln_bayes_factor_err']:.2f}"


def _evidence(row: Mapping[str, Any]) -> str:
    return f"{row['lnZ']:.2f} ± {row['lnZ_err']:.2f}"


def _spot(row: Mapping[str, Any], spots: Mapping[str, Spot]) -> str:
    if row["joint_sigma"] is None:
        return "none"
    if row["joint_sigma"] < _REACHED:
        return "many"
    spot = spots[row["run"]]
    return f"{spot.mass:.1f} MeV, {spot.electron:.1e}, {100 * spot.invisible:.2f} %"


def _regions_table(regions: Mapping[str, Mapping[str, float | None]]) -> str:
    def reach(region: Mapping[str, float | None], name: str) -> str:
        low, high = region.get(f"{name}_min"), region[f"{name}_max"]
        if high is None:
            return "nothing"
        return f"up to {high:.3g}" if low is None else f"{low:.3g} to {high:.3g}"

    names = list(dict.fromkeys(name for name, _ in QUANTITIES))
    titles = ["m_Zp [MeV]" if name == "m_Zp" else rf"\|{name}\|" for name in names]
    lines = [["data", *titles], ["---"] * (len(names) + 1)]
    for epoch in EPOCHS:
        region = regions[epoch.likelihood]
        lines.append([epoch.words, *(reach(region, name) for name in names)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


_INTRO = """# What changed since the paper

arXiv:2102.07781 argued in 2021 that no U(1)' model explains the magnetic moments of electron and
muon. Since then the muon's prediction has moved to its measurement (White Paper of 2025), and the
electron's moment has been measured twice as well; searches for missing energy, which the paper's
data leave out, are a step of their own here. `make epochs` fits every class of models to the data
of every epoch (runs `effective_today_cs` and so on), and writes this page. The last row adds
projections (set `forecast`), which are no measurements.
"""
_BAYES = """Positive favours the model, with the default priors; a wider prior costs every model
evidence (`zpfit compare` shows how much). Without a Z' nothing is free, and ln Z is -chi2/2.
"""
_JOINT = """The tension statistic of this page: the smallest n at which both moments are met within
n standard errors, the other measurements within 2 and no exclusion violated. The no-go theorem says
that it exceeds 1 for every class. It is what a global search finds, so strictly an upper bound; the
searches of a model with all data sets start from each other's results, so that more exclusions
never lower it. (`zpfit tension` has other statistics.) Where it is reached (mass, the electron's
coupling sqrt(C_Ve² + C_Ae²), decays to neutrinos):
"""
_SPOTS = """One point of those that reach it, "many" where it is zero. Froggatt-Nielsen has
continuous charges n_e and n_mu in the tables; whole numbers are under the result.
"""
_REGION = """Both moments within one standard error, the other measurements within two, no exclusion
violated; each number is the extreme over all other couplings. The prior ends at couplings of 0.1
and at 100 MeV; "up to" where nothing keeps a coupling from being as small as the prior allows.
"""


@dataclass(frozen=True)
class Conclusion:
    """A paragraph, and whether the numbers bear out what it says beside them."""

    title: str
    text: str
    holds: bool


def conclusions(found: Numbers) -> list[Conclusion]:
    """What the page concludes, with its numbers."""
    parts = (_paper, _missing_energy, _today, _evidence_today, _old_prediction, _projections)
    return [part(found) for part in parts]


def _joints(found: Numbers, likelihood: str) -> str:
    return ", ".join("none" if np.isinf(n) else f"{n:.2f}" for n in found.joint(likelihood))


def _factors(found: Numbers, likelihood: str, models: Sequence[str] | None = None) -> str:
    return ", ".join(f"{b:+.2f}" for b in found.bayes(likelihood, models))


def _paper(found: Numbers) -> Conclusion:
    sets = ("paper_2021_cs", "paper_2021_rb")
    text = f"""The theorem holds: joint sigmas of {_joints(found, sets[0])} (SM+U(1)', NHDM,
  Froggatt-Nielsen) for Caesium and {_joints(found, sets[1])} for Rubidium, the latter with the
  envelope of BaBar's limit, while the effective couplings meet everything."""
    holds = min(n for name in sets for n in found.joint(name)) > _MET
    met = max(n for name in sets for n in found.joint(name, ["effective"])) < _REACHED
    return Conclusion("The paper's data", text, holds and met)


def _missing_energy(found: Numbers) -> Conclusion:
    pairs = [(f"closed_2021_{x}", f"paper_2021_{x}") for x in ("cs", "rb")]
    changes = [
        new - old
        for closed, paper in pairs
        for new, old in zip(found.joint(closed), found.joint(paper), strict=True)
    ]
    shifts = [
        abs(new - old)
        for closed, paper in pairs
        for new, old in zip(found.bayes(closed, MODELS), found.bayes(paper, MODELS), strict=True)
    ]
    factors = [
        f"{found.hidden[_run_name(model, closed)]:.0f}" for closed, _ in pairs for model in CLASSES
    ]
    seen = [
        f"{_NAMES[model]} with {name}"
        for (closed, _), name in zip(pairs, ("Caesium", "Rubidium"), strict=True)
        for model in CLASSES
        if found.spots[_run_name(model, closed)].invisible < 0.01
    ]
    text = f"""A Z' that decays to neutrinos hides from visible searches, and the paper's data
  hold no others. Searches for missing energy hardly change its result: they raise no joint sigma by
  more than {_rounded_up(max(changes))}
  ({_joints(found, pairs[0][0])} and {_joints(found, pairs[1][0])}) and
  move no ln B by more than {_rounded_up(max(shifts))}.
  At the best fits the electron's coupling, as missing energy sees it, is
  {", ".join(factors[:3])} (Caesium) and {", ".join(factors[3:])} (Rubidium)
  times below the limit of NA64 of that time. Joint sigmas may lie elsewhere: fewer than 1 % of the
  decays are to neutrinos where those of {", ".join(seen)} are reached."""
    small = min(changes) > -1e-9 and max(changes) < 0.05 and max(shifts) < 0.05
    return Conclusion(
        "Missing energy", text, small and min(found.hidden.values()) > 10 and bool(seen)
    )


def _rounded_up(value: float) -> str:
    """A bound must not be rounded below what it bounds."""
    return f"{ceil(100 * value - 1e-9) / 100:.2f}"


def _today(found: Numbers) -> Conclusion:
    without = found.row("today_cs", NO_ZPRIME)
    muon = np.sqrt(without["chi2_by_term"]["a_mu_2025_wp2025"])
    caesium, rubidium = found.joint("today_cs"), found.joint("today_rb")
    whole = found.whole("today_cs"), found.whole("today_rb")
    text = f"""Against its prediction of 2025 the muon's moment is no anomaly, {muon:.1f} standard
  errors. What is left is the electron's: {without["joint_sigma"]:.2f} without a Z' for Caesium and
  {found.row("today_rb", NO_ZPRIME)["joint_sigma"]:.2f} for Rubidium. Joint sigmas are
  {_joints(found, "today_cs")} for Caesium, as SM+U(1)' and NHDM hardly lower a_e while a
  Froggatt-Nielsen model now can, and {_joints(found, "today_rb")} for Rubidium, which every class
  meets. With whole-number charges Froggatt-Nielsen meets both isotopes as well
  ({whole[0]["joint_sigma"]:.2f} and
  {whole[1]["joint_sigma"]:.2f}, best chi2 {whole[0]["best_fit_chi2"]:.2f} and
  {whole[1]["best_fit_chi2"]:.2f}). **The no-go theorem of three classes and two isotopes has become
  one of two classes, for Caesium alone.**"""
    hardly = min(caesium[:2]) > 0.95 * without["joint_sigma"] > _MET
    met = max(caesium[2], *rubidium, *(row["joint_sigma"] for row in whole)) < _MET
    return Conclusion("Today", text, bool(muon < _MET and hardly and met))


def _evidence_today(found: Numbers) -> Conclusion:
    sets = ("today_cs", "today_rb")
    factors = [b for name in sets for b in found.bayes(name, MODELS)]
    whole = [found.whole(name)["ln_bayes_factor"] for name in sets]
    words = [verbal(b) for b in sorted([*factors, *whole], reverse=True)]
    strength = " to ".join(dict.fromkeys(word.split()[0] for word in words))
    text = f"""With no anomaly of the muon there is less to gain: ln B against no Z' of the
  effective couplings and the three classes is {_factors(found, sets[0], MODELS)} for Caesium and
  {_factors(found, sets[1], MODELS)} for Rubidium ({whole[0]:+.2f} and {whole[1]:+.2f} for
  Froggatt-Nielsen with whole-number charges), {strength} evidence against a Z' on the scale of
  arXiv:0803.4089, under the default priors."""
    against = all(word.endswith("against") for word in words)
    return Conclusion("But nobody wins", text, against)


def _old_prediction(found: Numbers) -> Conclusion:
    name = "today_cs_wp2020"
    without = found.row(name, NO_ZPRIME)["joint_sigma"]
    text = f"""With Caesium it makes all of this sharper: {without:.1f} standard errors without
  a Z', ln B of {_factors(found, name, MODELS)} for one (effective couplings and the three classes),
  and joint sigmas of {_joints(found, name)}. There is no such set for Rubidium."""
    sharper = min(found.bayes(name, MODELS)) > max(found.bayes("paper_2021_cs", MODELS))
    higher = min(np.subtract(found.joint(name), found.joint("paper_2021_cs"))) > 0
    sharp = sharper and higher and without > found.row("paper_2021_cs", NO_ZPRIME)["joint_sigma"]
    return Conclusion("The old prediction of the muon", text, bool(sharp))


def _projections(found: Numbers) -> Conclusion:
    [effective] = found.joint("forecast", ["effective"])
    able = [_NAMES[m] for m in CLASSES if found.joint("forecast", [m])[0] < _MET]
    text = f"""If Belle II, MESA, NA64 and MOLLER see nothing (their projections, of which NA64's
  is a sketch) and all else stays as it is, with Caesium, the joint sigma of the effective
  couplings becomes {effective:.2f} and those of the classes {_joints(found, "forecast")}:
  {", ".join(able) or "no class"} would meet both moments. ln B would be
  {_factors(found, "forecast", MODELS)}."""
    return Conclusion("Projections", text, True)  # noqa: FBT003 - says nothing beside numbers
