"""Which anomaly-free theories survive the data? Screens, fits, figures and a page."""

from dataclasses import asdict
from pathlib import Path
from typing import Final

from zpfit.analysis.atlas.enumeration import enumerate_sets
from zpfit.analysis.atlas.signatures import HiggsPolicy, signatures
from zpfit.inference.progress import Progress
from zpfit.io.writing import make_folder, make_room, write_json, write_text
from zpfit.runs.executor_choice import ExecutorChoice
from zpfit.studies.atlas.accuracy import measure_accuracy
from zpfit.studies.atlas.figures import write_figures
from zpfit.studies.atlas.lists import make_lists
from zpfit.studies.atlas.numbers import (
    Numbers,
    Screens,
    Survey,
    best_charged,
    epoch_results,
    experiment_results,
    find_survivors,
    rubidium,
    screen_epochs,
)
from zpfit.studies.atlas.page import render_page
from zpfit.studies.atlas.quarks import quark_result
from zpfit.studies.atlas.screens import Screener, Signed

PAGE: Final = "atlas-survivors.md"
"""Name of the file with the page."""
FOLDER: Final = "atlas-survivors"
"""Folder of the figures and of ``numbers.json``, beside the page."""
NUMBERS: Final = "numbers.json"
"""Name of the file with all numbers."""
SCREENS: Final = "screens"
"""Folder of the screens and fits, which are read when the study is repeated."""


def write_survey(
    folder: Path,
    survey: Survey,
    choice: ExecutorChoice,
    progress: Progress,
    *,
    force: bool,
) -> None:
    """Screen all signatures on the data of all epochs; write numbers, figures and page.

    Screens and fits that the folder holds are not repeated.

    Parameters
    ----------
    folder
        Folder of the page, of its figures and of the screens.
    survey
        Extent of the survey.
    choice
        Executor of screens and fits.
    progress
        Gets the stages.
    force
        Replace an earlier page; delete the screens to repeat them.

    Raises
    ------
    FilesExist
        The folder holds an earlier page and ``force`` is not given.
    UnwritablePath
        The folder or a file cannot be written.
    Stopped
        On SIGINT or SIGTERM; the study can be resumed.
    """
    make_room(folder, (PAGE,), force=force)
    make_folder(folder / FOLDER)
    make_folder(folder / SCREENS)
    screener = Screener(folder / SCREENS, choice, progress)
    found, screens = compute(survey, screener)
    write_json(folder / FOLDER / NUMBERS, asdict(found))
    progress.stage("Drawing figures")
    write_figures(found, screens, folder / FOLDER)
    write_text(folder / PAGE, render_page(found))


def compute(survey: Survey, screener: Screener) -> tuple[Numbers, Screens]:
    """Return all numbers of the page, and the screens for its figures.

    Parameters
    ----------
    survey
        Extent of the survey.
    screener
        Makes or reads the screens.
    """
    lists = make_lists(survey.qmax, survey.qmax_today, survey.qmax_renormalisable)
    screens = screen_epochs(lists, screener)
    few = enumerate_sets(survey.qmax_experiments)
    small = Signed(few, signatures(few, HiggsPolicy.ZERO))
    anomaly, experiments, complete = experiment_results(small, screener)
    today = screens.by_epoch["today", HiggsPolicy.ZERO]
    survivors = find_survivors(today, survey.fits, screener)
    accuracy = measure_accuracy(screens, survey.sample, screener)
    found = Numbers(
        survey,
        epoch_results(screens),
        rubidium(),
        anomaly,
        experiments,
        complete,
        survivors,
        best_charged(today),
        accuracy,
        quark_result(lists.neutral, survivors, survey, screener),
    )
    return found, screens
