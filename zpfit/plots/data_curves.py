"""Limit curves as small multiples: one panel each, with the others of its kind behind."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from zpfit.io.arrays import FloatArray
from zpfit.plots.labels import wrapped
from zpfit.plots.style import (
    BEST_FIT_COLOUR,
    ENSEMBLE_COLOURS,
    PAGE,
    StyledFigure,
    finished,
    points,
)

_COLUMNS = 4
_HEIGHT = 1.4
"""Height of a panel in inches."""
_FRAME = 0.3
"""Part of the width of a panel that labels of ticks take."""
_FAINT = "#cccccc"
_NARROW = 200.0
"""Ratio of the ends of a mass axis up to which it has ticks between decades."""
_MINOR_DECADES = 20
"""Number of decades up to which there are ticks within each."""
_ABOVE_BEST = 30.0
"""Ratio to the best limit of a curve up to which the axis extends: ends and gaps rise steeply."""


@dataclass(frozen=True)
class NamedCurve:
    """A curve and its label."""

    label: str
    table: FloatArray
    """Mass in MeV, and one or two edges of the mixing, shape (n, 2 or 3)."""
    unverified: bool = False
    projection: bool = False


def curves_figure(title: str, curves: Sequence[NamedCurve], coupling: str) -> Figure:
    """Draw all curves of a kind.

    Parameters
    ----------
    title
        Title of the figure.
    curves
        Curves, one panel each.
    coupling
        Label of the vertical axes, in LaTeX.
    """
    columns = min(_COLUMNS, len(curves))
    rows = -(-len(curves) // columns)
    width = PAGE / _COLUMNS
    size = (max(columns, 2) * width, rows * _HEIGHT + 0.6)
    figure = StyledFigure(figsize=size, layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    panels = grid.ravel()
    small = points("xtick.labelsize")
    for axes, curve in zip(panels, curves, strict=False):
        for other in curves:
            _outline(axes, other, _FAINT, 0.6)
        colour = BEST_FIT_COLOUR if curve.unverified else ENSEMBLE_COLOURS[0]
        if not curve.projection:
            _fill(axes, curve.table, colour)
        _outline(axes, curve, colour, 1.1)
        label = wrapped(curve.label, small, width * (1 - _FRAME))
        axes.set_title(label, fontsize=small, color=colour if curve.unverified else "black")
    panels[0].set_xscale("log")
    panels[0].set_yscale("log")
    _set_limits(panels[0], curves)
    _set_ticks(panels[0])
    for axes in panels:
        axes.tick_params(which="both", labelsize=small, top=True, right=True)
    for axes in panels[len(curves) :]:
        axes.remove()
    for axes in panels[max(len(curves) - columns, 0) : len(curves)]:
        axes.tick_params(labelbottom=True)
    size_of_words = points("axes.labelsize")
    figure.supxlabel("mass [MeV]", fontsize=size_of_words)
    figure.supylabel(f"${coupling}$", fontsize=size_of_words)
    figure.suptitle(title)
    return finished(figure)


def _set_limits(axes: Axes, curves: Sequence[NamedCurve]) -> None:
    masses = np.concatenate([curve.table[:, 0] for curve in curves])
    best = [float(curve.table[:, 1].min()) for curve in curves]
    tops = [
        curve.table[:, 2].max() if curve.table.shape[1] == 3 else _ABOVE_BEST * least
        for curve, least in zip(curves, best, strict=True)
    ]
    axes.set_xlim(masses.min() / 1.3, masses.max() * 1.3)
    axes.set_ylim(min(best) / 2, max(tops) * 2)


def _set_ticks(axes: Axes) -> None:
    low, high = axes.get_xlim()
    digits = (1.0, 2.0, 5.0) if high < _NARROW * low else (1.0,)
    axes.xaxis.set_major_locator(LogLocator(subs=digits))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.xaxis.set_minor_locator(LogLocator(subs=range(1, 10), numticks=_MINOR_DECADES))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _outline(axes: Axes, curve: NamedCurve, colour: str, width: float) -> None:
    table = curve.table
    if table.shape[1] == 3:
        table = np.concatenate([table[:, :2], table[::-1, ::2], table[:1, :2]])
    style = "--" if curve.projection else "-"
    axes.plot(table[:, 0], table[:, 1], style, color=colour, linewidth=width)


def _fill(axes: Axes, table: FloatArray, colour: str) -> None:
    upper = table[:, 2] if table.shape[1] == 3 else np.full(len(table), 1e3)
    axes.fill_between(table[:, 0], table[:, 1], upper, color=colour, alpha=0.2, linewidth=0)
