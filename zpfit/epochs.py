"""What new data did to the no-go theorem: one page from a comparison of every epoch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from zpfit.compare import NO_ZPRIME
from zpfit.comparison import compare_all
from zpfit.config import JointSigmaSpec, resolve
from zpfit.errors import NoAllowedPoint
from zpfit.extremes import extreme
from zpfit.library import Library
from zpfit.physics.compiled import FloatArray
from zpfit.physics.couplings import COUPLING_NAMES, Couplings
from zpfit.progress import Progress
from zpfit.run_folder import make_room, write_whole
from zpfit.yaml_file import Document

PAGE = "what-changed.md"
_SEED = 1


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
)
MODELS = ("effective", "sm_u1", "nhdm_u1", "froggatt_nielsen")
_SHORT = {"paper_2021_cs": "cs", "paper_2021_rb": "rb"}
QUANTITIES = (
    ("m_Zp", False), ("m_Zp", True), ("C_Ae", False), ("C_Ae", True), ("C_Ve", True),
    ("C_nue", True), ("C_Vmu", False), ("C_Vmu", True), ("C_numu", True),
)  # fmt: skip
"""Extremes of the allowed region: a coupling's size or the mass, and whether the largest."""


def run_names() -> list[str]:
    """Runs of every model with every epoch, for :command:`zpfit compare`."""
    return [_run_name(model, epoch.likelihood) for epoch in EPOCHS for model in MODELS]


def _run_name(model: str, likelihood: str) -> str:
    short = _SHORT.get(likelihood, likelihood.replace("closed_2021", "closed"))
    name = f"{model}_{short}"
    return "quickstart" if name == "effective_cs" else name


def write_epochs(folder: Path, progress: Progress, *, force: bool) -> list[str]:
    """Fit every model to every epoch, and write comparison and page to a folder; minutes.

    Returns:
        What went wrong in plots, in words.

    Raises:
        FilesExist: the folder holds an earlier result and ``force`` is not given.
        UnwritablePath: the folder or a file cannot be written.
    """
    make_room(folder, (PAGE,), force=force)
    rows, problems = compare_all(run_names(), folder, None, _SEED, progress, force=force)
    regions = {}
    for epoch in EPOCHS:
        progress.stage(f"Allowed region of {epoch.likelihood}")
        regions[epoch.likelihood] = allowed_region(epoch.likelihood)
    text = page(rows, regions)
    write_whole(folder / PAGE, partial(Path.write_text, data=text, encoding="utf-8"))
    return problems


def allowed_region(likelihood: str) -> dict[str, float | None]:
    """Extremes of effective couplings that meet both moments within 1 sigma and the rest within 2.

    Keys are ``m_Zp_min`` and so on; None where nothing is allowed.
    """
    data = {"model": "effective", "likelihood": likelihood}
    posterior = resolve(Document(Path("epochs"), data, {}), Library.beside()).posterior
    moments = [term.name for term in posterior.likelihood.anomalies]
    limits = JointSigmaSpec(within=dict.fromkeys(moments, 1.0))
    result: dict[str, float | None] = {}
    for name, largest in QUANTITIES:
        rng = np.random.default_rng(_SEED)
        try:
            found = extreme(posterior, partial(_size, name), limits, rng, largest=largest)
            value = found.value
        except NoAllowedPoint:
            value = None
        result[f"{name}_{'max' if largest else 'min'}"] = value
    return result


def _size(name: str, c: Couplings) -> FloatArray:
    result: FloatArray = np.abs(c.rows()[COUPLING_NAMES.index(name)])
    return result


def page(
    rows: Sequence[Mapping[str, Any]], regions: Mapping[str, Mapping[str, float | None]]
) -> str:
    """The page in Markdown, from the rows of a comparison and the allowed regions by data set."""
    by_case = {(row["likelihood"], row["model"]): row for row in rows}
    models = (NO_ZPRIME, *MODELS)
    parts = [
        _INTRO,
        "## ln Bayes factor against no Z'\n",
        _table(by_case, MODELS, _bayes_factor),
        _BAYES,
        "## Joint sigma\n",
        _table(by_case, models, partial(_number, key="joint_sigma", form=".2f")),
        _JOINT,
        "## chi2 of the best fit\n",
        _table(by_case, models, partial(_number, key="best_fit_chi2", form=".2f")),
        "## Evidence\n",
        _table(by_case, models, _evidence),
        "## The allowed region of the effective couplings\n",
        _REGION,
        _regions_table(regions),
        _result(by_case),
    ]
    return "\n".join(parts)


def _table(by_case: Mapping[tuple[str, str], Any], models: Sequence[str], cell: Any) -> str:
    lines = [["data", *models], ["---"] * (len(models) + 1)]
    for epoch in EPOCHS:
        cells = [cell(by_case[epoch.likelihood, model]) for model in models]
        lines.append([f"{epoch.words} (`{epoch.likelihood}`)", *cells])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _number(row: Mapping[str, Any], key: str, form: str) -> str:
    return "none" if row[key] is None else format(row[key], form)


def _bayes_factor(row: Mapping[str, Any]) -> str:
    return f"{row['ln_bayes_factor']:+.2f} ± {row['ln_bayes_factor_err']:.2f}"


def _evidence(row: Mapping[str, Any]) -> str:
    return f"{row['lnZ']:.2f} ± {row['lnZ_err']:.2f}"


def _regions_table(regions: Mapping[str, Mapping[str, float | None]]) -> str:
    def reach(region: Mapping[str, float | None], name: str) -> str:
        low, high = region.get(f"{name}_min"), region[f"{name}_max"]
        if high is None:
            return "nothing"
        return f"up to {high:.3g}" if low is None else f"{low:.3g}-{high:.3g}"

    names = list(dict.fromkeys(name for name, _ in QUANTITIES))
    headings = {"m_Zp": "m_Zp [MeV]"} | {
        name: f"\\|{name}\\|"
        if f"{name}_min" in next(iter(regions.values()))
        else f"\\|{name}\\| up to"
        for name in names[1:]
    }
    lines = [["data", *(headings[name] for name in names)], ["---"] * (len(names) + 1)]
    for epoch in EPOCHS:
        region = regions[epoch.likelihood]
        lines.append([epoch.words, *(reach(region, name) for name in names)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


_INTRO = """# What changed since the paper

arXiv:2102.07781 argued in 2021 that no U(1)' model explains the magnetic moments of electron and
muon. Since then the muon's prediction has moved to its measurement (White Paper of 2025), the
electron's moment has been measured twice as well, and searches for missing energy have closed a
loophole in the paper's data. `make epochs` fits every class of models to the data of every epoch
(runs `effective_today_cs` and so on), and writes this page.
"""
_BAYES = """Positive favours the model, with the default priors; a wider prior costs every model
evidence (`zpfit compare` shows how much). Without a Z' nothing is free, and ln Z is -chi2/2.
"""
_JOINT = """The smallest n at which both moments are met within n standard errors, the other
measurements within 2 and no exclusion violated. The no-go theorem says that it exceeds 1 for every
class. It is what a global search finds, so strictly an upper bound: of Froggatt-Nielsen with the
Caesium data of 2021 it meets two optima, 2.33 and 2.38, about equally often.
"""
_REGION = """Both moments within one standard error, the other measurements within two, no exclusion
violated; each number is the extreme over all other couplings. The prior ends at couplings of 0.1
and at 100 MeV.
"""
_RESULT = """## The result, November 2026

- **The paper's data.** The theorem holds: joint sigmas of {paper_2021_cs} (SM+U(1)', NHDM,
  Froggatt-Nielsen) for Caesium and {paper_2021_rb} for Rubidium, the latter with the envelope of
  BaBar's limit, while the effective couplings meet everything.
- **The loophole.** Searches for missing energy were said to close the corner where the Z' decays
  to neutrinos and hides from visible searches. They change next to nothing ({closed_2021_cs} and
  {closed_2021_rb}): at the best fits of the classes the electron's coupling is two hundred times
  below what electron beams see.
- **Today.** Against its prediction of 2025 the muon's moment is no anomaly. What is left is the
  electron's, measured twice as well: joint sigmas of {today_cs} for Caesium, as SM+U(1)' and NHDM
  cannot lower a_e while a Froggatt-Nielsen model now can, and {today_rb} for Rubidium, which every
  class meets. **The no-go theorem of three classes and two isotopes has become one of two classes,
  for Caesium alone.**
- **But nobody wins.** With no anomaly of the muon there is less to gain: ln B against no Z' is
  {today_cs_evidence} for Caesium and {today_rb_evidence} for Rubidium, moderate evidence for no Z'
  under the default priors.
- **The old prediction of the muon** would sharpen all of it: {without:.1f} standard errors without
  a Z', ln B of {today_cs_wp2020_evidence} for one, and joint sigmas of {today_cs_wp2020}.
"""
_CLASSES = ("sm_u1", "nhdm_u1", "froggatt_nielsen")


def _result(by_case: Mapping[tuple[str, str], Any]) -> str:
    """The conclusions, with the numbers of the tables; to be read again when data change."""
    numbers: dict[str, Any] = {"without": by_case["today_cs_wp2020", NO_ZPRIME]["joint_sigma"]}
    for epoch in EPOCHS:
        rows = [by_case[epoch.likelihood, model] for model in _CLASSES]
        joint = ", ".join(_number(row, "joint_sigma", ".2f") for row in rows)
        evidence = ", ".join(f"{row['ln_bayes_factor']:+.1f}" for row in rows)
        numbers |= {epoch.likelihood: joint, f"{epoch.likelihood}_evidence": evidence}
    return _RESULT.format(**numbers)
