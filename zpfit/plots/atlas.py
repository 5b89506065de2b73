"""Figure of a screen of the atlas: the least chi2 of all signatures."""

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zpfit.analysis.records import AtlasScreenRecord
from zpfit.io.arrays import FloatArray
from zpfit.io.figure_spec import FigureSpec, described_by
from zpfit.plots.pulls import add_title
from zpfit.plots.scales import Linear
from zpfit.plots.style import (
    BEST_FIT_COLOUR,
    ENSEMBLE_COLOURS,
    MUTED,
    PAGE,
    StyledFigure,
    finished,
    points,
)

_HEIGHT, _NARROW = 2.9, 5.0
"""Height of a row of panels, and the width below which panels stand in two rows, in inches."""
_BINS: Final = 50
_SAME: Final = 0.05
"""Distance in chi2 below which the lines of both references are one."""
_SHOWN: Final = 20
"""Signatures that are drawn as points at each Qmax."""
_CHI2: Final = r"$\chi^2_\mathrm{min}$ of a signature"


def atlas_figure(
    record: AtlasScreenRecord, chi2: FloatArray, qmax: FloatArray, spec: FigureSpec | None = None
) -> Figure:
    """Draw the distribution of the least chi2 over signatures, and the least chi2 up to each Qmax.

    Parameters
    ----------
    record
        Record of the screen.
    chi2
        Least chi2 of each signature, shape (n,).
    qmax
        Smallest Qmax whose list has the signature, shape (n,).
    spec
        Description of the figure.
    """
    spec = described_by(record, spec)
    width = spec.width or PAGE
    across = 2 if width > _NARROW else 1
    size = spec.size(width, 0.6 + _HEIGHT * (2 // across))
    figure = StyledFigure(figsize=size, layout="constrained")
    left, right = np.asarray(figure.subplots(2 // across, across)).ravel()
    _distribution(left, record, chi2)
    _by_charge(right, record, chi2, qmax)
    handles = {
        label: line
        for axes in (left, right)
        for line, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        list(handles.values()), list(handles), loc="outside lower center",
        ncols=3 if across == 2 else 2, fontsize=points("legend.fontsize"),
    )  # fmt: skip
    add_title(figure, spec.titled(record["title"]), f"{record['signatures']:,} signatures")
    return finished(figure)


def _distribution(axes: Axes, record: AtlasScreenRecord, chi2: FloatArray) -> None:
    """Draw the number of signatures in bins of their least chi2."""
    right = 1.05 * max(record["chi2_without"], float(chi2.max()))
    edges = np.linspace(0, right, _BINS + 1)
    counts, _ = np.histogram(chi2, edges)
    axes.stairs(counts, edges, fill=True, color=ENSEMBLE_COLOURS[4], alpha=0.7, label="signatures")
    for value, style, colour, label in _lines(record):
        axes.axvline(value, linestyle=style, color=colour, linewidth=1.2, label=label)
    top = 3.0 * max(int(counts.max()), 2)
    axes.set_yscale("log")
    axes.set_xlim(0, right)
    axes.set_ylim(0.6, top)
    axes.set_xlabel(_CHI2, fontsize=points("axes.labelsize"))
    axes.set_ylabel("signatures per bin", fontsize=points("axes.labelsize"))
    Linear().set_ticks(axes.xaxis, axes.get_xlim())
    axes.tick_params(which="both", labelsize=points("xtick.labelsize"), top=True, right=True)


def _by_charge(axes: Axes, record: AtlasScreenRecord, chi2: FloatArray, qmax: FloatArray) -> None:
    """Draw the least chi2 of all signatures up to each Qmax, and their median."""
    reached = np.arange(1, int(qmax.max(initial=1)) + 1)
    rows = [chi2[qmax <= charge] for charge in reached]
    best = [float(row.min()) for row in rows]
    median = [float(np.median(row)) for row in rows]
    shown = [np.sort(chi2[qmax == charge])[:_SHOWN] for charge in reached]
    axes.plot(
        np.repeat(reached, [len(row) for row in shown]), np.concatenate(shown), ".",
        color=ENSEMBLE_COLOURS[4], markersize=4, label=f"{_SHOWN} best of each charge",
    )  # fmt: skip
    axes.plot(reached, best, "*-", color="black", markersize=7, linewidth=1, label="best signature")
    axes.plot(reached, median, "--", color=MUTED, linewidth=1, zorder=1.5, label="median signature")
    for value, style, colour, label in _lines(record):
        axes.axhline(value, linestyle=style, color=colour, linewidth=1.2, label=label)
    axes.set_xlim(reached[0] - 0.5, reached[-1] + 0.5)
    axes.set_ylim(0, 1.1 * max(record["chi2_without"], *median))
    axes.set_xticks(reached)
    Linear().set_ticks(axes.yaxis, axes.get_ylim())
    axes.set_xlabel(r"largest charge $Q_\mathrm{max}$", fontsize=points("axes.labelsize"))
    axes.set_ylabel(r"$\chi^2_\mathrm{min}$", fontsize=points("axes.labelsize"))
    axes.tick_params(which="both", labelsize=points("ytick.labelsize"), right=True)


def _lines(record: AtlasScreenRecord) -> list[tuple[float, str, str, str]]:
    """Return value, line style, colour and label of each reference."""
    without, dark = record["chi2_without"], record["chi2_dark_photon"]
    same = without - dark < _SAME
    found = [(without, "-", ENSEMBLE_COLOURS[0], "no $Z'$, dark photon" if same else "no $Z'$")]
    if not same:
        found.append((dark, "-.", ENSEMBLE_COLOURS[2], "dark photon"))
    bar = without - record["gain_of_3_sigma"]
    if bar > 0:
        label = r"local 3$\sigma$ against no $Z'$"
        found.append((bar, "--", BEST_FIT_COLOUR, label))
    return found
