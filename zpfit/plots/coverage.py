"""Figure of the coverage of intervals of each parameter."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from zpfit.analysis.records import CoverageRecord
from zpfit.io.figure_spec import FigureSpec, described_by
from zpfit.plots.pulls import add_title
from zpfit.plots.scales import Linear
from zpfit.plots.style import (
    BEST_FIT_COLOUR,
    COLUMN,
    ENSEMBLE_COLOURS,
    StyledFigure,
    finished,
    points,
)

_KINDS = {
    "profile": ("profile likelihood", BEST_FIT_COLOUR, "o", 0.12),
    "credible": ("credible interval", ENSEMBLE_COLOURS[0], "s", -0.12),
}
"""Name, colour, marker and offset in its row of each kind of interval."""
_NOMINAL = {"68": 0.6827, "95": 0.9545}
_ROW = 0.3
"""Height of a row in inches."""


def coverage_figure(record: CoverageRecord, spec: FigureSpec | None = None) -> Figure:
    """Draw the fraction of pseudo-experiments whose intervals contain the truth.

    Parameters
    ----------
    record
        Coverage of each parameter. Error bars are intervals of Clopper and Pearson, 68.27 %.
    spec
        Description of the figure.
    """
    spec = described_by(record, spec)
    names = [n for n in record["parameters"] if n in (spec.parameters or record["parameters"])]
    rows = [(name, level) for name in names for level in _NOMINAL]
    height = 1.2 + _ROW * len(rows)
    figure = StyledFigure(figsize=spec.size(COLUMN, height), layout="constrained")
    axes = figure.subplots()
    lowest, drawn = 0.6, dict[str, Line2D]()
    for y, (name, level) in enumerate(rows):
        axes.plot([_NOMINAL[level]] * 2, [y - 0.4, y + 0.4], color="0.4", linewidth=1)
        for kind, (label, colour, marker, offset) in _KINDS.items():
            found = record["parameters"][name].get(kind, {}).get(level)  # type: ignore[attr-defined]
            if found is None or found["fraction"] is None:
                continue
            ends = np.array([found["interval"]]).T
            error = np.abs(ends - found["fraction"])
            axes.errorbar(
                found["fraction"], y - offset, xerr=error, fmt=marker, color=colour, markersize=4
            )
            drawn[label] = Line2D([], [], color=colour, marker=marker, markersize=4, label=label)
            lowest = min(lowest, float(ends.min()))
    axes.set_xlim(max(lowest - 0.05, 0), 1.02)
    Linear().set_ticks(axes.xaxis, axes.get_xlim())
    axes.set_yticks(range(len(rows)), [f"{name}, {level} %" for name, level in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(which="both", labelsize=points("ytick.labelsize"))
    axes.set_xlabel("fraction that contains the truth", fontsize=points("axes.labelsize"))
    handles = [*drawn.values(), Line2D([], [], color="0.4", label="nominal")]
    size = points("legend.fontsize")
    figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=size)
    add_title(figure, spec.titled(record["title"]), f"{record['toys']} toys")
    return finished(figure)
