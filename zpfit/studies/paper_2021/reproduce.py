"""The reproduction of arXiv:2102.07781 on all cores: figures, numbers and page."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from zpfit.analysis.records import ProfileRecord
from zpfit.inference.progress import Progress, Silent
from zpfit.io.writing import as_json as as_json_text
from zpfit.io.writing import make_folder, make_room, write_text, write_whole
from zpfit.runs.run_file import find_run_file, load_run
from zpfit.runs.side_by_side import Workers
from zpfit.studies.paper_2021.claims import (
    JOINT_SIGMAS,
    Checked,
    as_json,
    closed_claims,
    form_claims,
    joint_sigma_claims,
    projection_claims,
    region_claims,
    rubidium_window,
    window_claims,
)
from zpfit.studies.paper_2021.figures import FIGURES, draw
from zpfit.studies.paper_2021.forecast import forecast
from zpfit.studies.paper_2021.page import page
from zpfit.studies.paper_2021.target_regions import FORMS, joint_sigma_of

CLAIMS, FORECAST, PAGE = "claims.json", "forecast.json", "paper.md"
FIGURE_FOLDER = "figures"
_EFFECTIVE = 25_000
"""Number of posterior samples; a few per cent of them meet both anomalies."""
_STARTS = "200"
"""Random starts of the search for the best fit, which uses posterior samples as well."""
_MARKER = ".zpfit-paper"
"""Marks a folder of this study, whose results may be replaced because they repeat themselves."""


@dataclass(frozen=True)
class Reproduction:
    """Numbers of the reproduction."""

    claims: list[dict[str, Any]]
    """JSON objects of all claims with their computed numbers."""
    forecast: list[dict[str, Any]]
    """Fractions of the posterior that projected searches would leave."""


def reproduce(folder: Path, progress: Progress, workers: Workers, *, force: bool) -> Reproduction:
    """Draw every figure, compute every number, and write page and JSON to a folder.

    Parameters
    ----------
    folder
        Output folder.
    progress
        Gets the stages and the finished jobs.
    workers
        Processes that share the jobs.
    force
        Replace files of other programs in the folder.

    Raises
    ------
    FilesExist
        The folder holds files of something else and ``force`` is not given.
    UnwritablePath
        The folder or a file cannot be written.
    """
    _make_room(folder, force=force)
    pictures = folder / FIGURE_FOLDER
    make_folder(pictures)
    progress.stage("Tracing figures and computing numbers")
    jobs: dict[str, Callable[[], Any]] = {"posterior": partial(_posterior, pictures)}
    jobs |= {f"claims {form}": partial(form_claims, form) for form in FORMS}
    panels = {figure.panel for figure in FIGURES}
    jobs |= {f"panel {panel}": partial(_drawn, panel, pictures) for panel in sorted(panels)}
    slow_first = reversed(JOINT_SIGMAS)
    jobs |= {"joint " + "_".join(case): partial(joint_sigma_of, *case) for case in slow_first}
    jobs["window"] = rubidium_window
    results = workers.results_of(jobs, progress)
    checked: list[Checked] = [
        *closed_claims(),
        *region_claims({form: results[f"claims {form}"] for form in FORMS}),
        *window_claims(results["window"]),
        *projection_claims(),
        *joint_sigma_claims({case: results["joint " + "_".join(case)] for case in JOINT_SIGMAS}),
    ]
    mass, forecasts = results["posterior"]
    result = Reproduction(as_json(checked), forecasts)
    progress.stage("Writing the page")
    figures = {stem: drawn for panel in panels for stem, drawn in results[f"panel {panel}"].items()}
    text = page(result.claims, result.forecast, figures, mass)
    write_text(folder / PAGE, text)
    write_json(folder / CLAIMS, result.claims)
    write_json(folder / FORECAST, result.forecast)
    return result


def write_json(path: Path, data: Any) -> None:
    """Write a JSON file whole.

    Raises
    ------
    UnwritablePath
        The file cannot be written.
    """
    write_text(path, as_json_text(data))


def _make_room(folder: Path, *, force: bool) -> None:
    own = (folder / _MARKER).exists()
    make_room(folder, (CLAIMS, FORECAST, PAGE, FIGURE_FOLDER), force=force or own)
    write_whole(folder / _MARKER, Path.touch)


def _drawn(panel: str, folder: Path) -> dict[str, dict[str, Any]]:
    """Draw the figures of a panel in one process, as matplotlib caches their common formulas."""
    return draw([figure for figure in FIGURES if figure.panel == panel], folder)


def _posterior(folder: Path) -> tuple[ProfileRecord, list[dict[str, Any]]]:
    """Fit the paper's data; return profile and posterior of the mass, and the forecasts."""
    from zpfit.analysis.profile.axis import AxisRequest, choose_axes
    from zpfit.analysis.profile.profile import profile, profile_record
    from zpfit.inference.sampling import evidence_of
    from zpfit.runs.records import write_profile

    run = load_run(find_run_file("quickstart"), {"best_fit.starts": _STARTS})
    rng = np.random.default_rng(run.settings.seed)
    integral = evidence_of(run.posterior, run.settings, rng, Silent(), _EFFECTIVE)
    axes = choose_axes(run.posterior.priors, [AxisRequest("m_Zp")])
    mass = profile_record(run, profile(run, axes, None, Silent(), integral))
    write_profile(mass, folder)
    return mass, forecast(run.posterior, integral.samples)
