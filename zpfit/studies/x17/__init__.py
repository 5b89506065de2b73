"""Does one boson explain the anomalies of excited nuclei? Fits, figures and a page."""

from dataclasses import asdict
from pathlib import Path

from zpfit.inference.progress import Progress
from zpfit.io.writing import make_folder, make_room, write_json, write_text
from zpfit.studies.x17.cases import (
    COUPLINGS,
    ISOTOPES,
    NUCLEI,
    all_cases,
    best_fits_alone,
    today,
)
from zpfit.studies.x17.figures import write_masses, write_planes
from zpfit.studies.x17.fits import Record, fit_all
from zpfit.studies.x17.page import render_page
from zpfit.studies.x17.points import benchmarks, verdicts, wanted

PAGE = "x17.md"
"""Name of the file with the page."""
FOLDER = "x17"
"""Folder of the figures and of ``numbers.json``, beside the page."""
NUMBERS = "numbers.json"
"""Name of the file with the records of all fits."""
_RECORDS, _BEST_FITS = "records", "best_fits"
"""Folders of the records while the study runs, and of those without evidences."""
_SET = "x17_be8_he4_rb"
"""Set whose entries judge single points."""


def write_x17(
    folder: Path, progress: Progress, *, force: bool, only_best_fits: bool = False
) -> None:
    """Fit every case, and write records, figures and page.

    This takes about half an hour. Fits whose record the folder holds are not repeated.

    Parameters
    ----------
    folder
        Folder of the page, of its figures and of the records.
    progress
        Gets the stages.
    force
        Replace an earlier page; delete the records to repeat the fits.
    only_best_fits
        Leave out evidences and joint sigmas, which take four fifths of the time.

    Raises
    ------
    FilesExist
        The folder holds an earlier page and ``force`` is not given.
    UnwritablePath
        The folder or a file cannot be written.
    """
    make_room(folder, (PAGE,), force=force)
    make_folder(folder / FOLDER)
    cases, kept = all_cases(), folder / _RECORDS
    if only_best_fits:
        cases, kept = best_fits_alone(cases), folder / _BEST_FITS
    records = fit_all(cases, kept, progress)
    write_json(folder / FOLDER / NUMBERS, {name: asdict(one) for name, one in records.items()})
    progress.stage("Drawing figures")
    write_masses(_masses(records), folder / FOLDER / "masses.png")
    write_planes(folder / FOLDER)
    write_text(folder / PAGE, page_of(records))


def page_of(records: dict[str, Record]) -> str:
    """Return the page for the records of all fits."""
    best = {
        f"best fit of Be-8 and He-4, {words}": records[today("x17", "x17_be8_he4", isotope)]
        for isotope, words in ISOTOPES.items()
    }
    return render_page(records, wanted(), verdicts(benchmarks(best), _SET))


def _masses(records: dict[str, Record]) -> dict[str, float]:
    """Return the masses of best fits with both kinds of couplings."""
    run = list(COUPLINGS)[2]
    return {
        f"fit, {words}, {isotope.capitalize()}": records[today(run, n, isotope)].couplings["m_Zp"]
        for n, words in NUCLEI.items()
        for isotope in ISOTOPES
    }
