"""Figures of the study of X17: measured and fitted masses, and two planes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zpfit.analysis.exclusion.exclusion import exclusion_map
from zpfit.analysis.exclusion.record import exclusion_record
from zpfit.io.figure_spec import FigureSpec
from zpfit.io.library import Library
from zpfit.io.writing import write_whole
from zpfit.likelihood.library import read_entry
from zpfit.runs.slice_file import load_slice

SLICES = ("x17_electron", "x17_nucleons")
"""Packaged slices of the page."""
_DPI = 220
_MEASURED = {
    "be8_mass_2018": "Be-8, ATOMKI",
    "he4_mass_2021": "He-4, ATOMKI",
    "c12_mass_2022": "C-12, ATOMKI",
}
_PADME = (16.90, 0.02)
"""Mass of PADME's largest deviation and half the step of its scan, MeV; drawn, not fitted."""


@dataclass(frozen=True)
class Mass:
    """A mass with its error."""

    label: str
    value: float
    error: float
    """MeV; zero for a best fit."""


def measured_masses() -> list[Mass]:
    """Return the masses of the entries, and their weighted mean.

    Examples
    --------
    >>> mean = measured_masses()[-1]
    >>> print(mean.label, round(mean.value, 2), round(mean.error, 2))
    mean of nuclei 17.0 0.12
    """
    library = Library.beside()
    found = [_measured(library, name, label) for name, label in _MEASURED.items()]
    weights = np.array([mass.error**-2 for mass in found])
    mean = float(np.average([mass.value for mass in found], weights=weights))
    return [*found, Mass("mean of nuclei", mean, float(weights.sum() ** -0.5))]


def _measured(library: Library, name: str, label: str) -> Mass:
    term = read_entry(library, name).entry
    return Mass(label, float(term.value), float(term.error))  # type: ignore[union-attr, arg-type]


def write_masses(fitted: Mapping[str, float], target: Path) -> None:
    """Draw measured masses with their errors, and the masses of best fits.

    Parameters
    ----------
    fitted
        Masses of best fits in MeV, by their words.
    target
        File of the figure.
    """
    from zpfit.plots.style import (
        BEST_FIT_COLOUR,
        COLUMN,
        ENSEMBLE_COLOURS,
        MUTED,
        StyledFigure,
        finished,
        house_style,
        png,
        set_words,
    )

    measured = [*measured_masses(), Mass("PADME, excess", *_PADME)]
    rows = [*measured, *(Mass(words, value, 0.0) for words, value in fitted.items())]
    with house_style():
        figure = StyledFigure(figsize=(COLUMN, 0.5 + 0.2 * len(rows)), layout="constrained")
        axes = figure.subplots()
        mean = measured[-2]
        axes.axvspan(mean.value - mean.error, mean.value + mean.error, color=MUTED, alpha=0.2, lw=0)
        for row, mass in enumerate(rows):
            colour = ENSEMBLE_COLOURS[0] if row < len(measured) else BEST_FIT_COLOUR
            marker = "o" if row < len(measured) else "D"
            axes.errorbar(
                mass.value,
                row,
                xerr=mass.error or None,
                fmt=marker,
                ms=3.5,
                color=colour,
                capsize=2,
            )
        set_words(axes.yaxis, range(len(rows)), [mass.label for mass in rows])
        axes.invert_yaxis()
        axes.set_xlabel(r"$m_{Z'}$ [MeV]")
        write_whole(target, png(finished(figure), _DPI))


def write_planes(folder: Path, names: Sequence[str] = SLICES) -> None:
    """Trace the planes of packaged slices and draw them."""
    from zpfit.plots.exclusion import exclusion_figure, settled_colours
    from zpfit.plots.style import house_style, png

    slices = {name: load_slice(name) for name in names}
    records = {name: exclusion_record(own, exclusion_map(own)) for name, own in slices.items()}
    colours = settled_colours(list(records.values()))
    with house_style():
        for name, record in records.items():
            figure = exclusion_figure(record, FigureSpec(), colours)
            write_whole(folder / f"{name}.png", png(figure, _DPI))
