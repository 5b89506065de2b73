"""Figure of the coverage of intervals of each parameter."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from zpfit.analysis.records import CoverageRecord
from zpfit.io.figure_spec import FigureSpec, described_by
from zpfit.plots.labels import text_width
from zpfit.plots.pulls import add_title, set_rows
from zpfit.plots.scales import Linear, room_for
from zpfit.plots.style import (
    BEST_FIT_COLOUR,
    COLUMN,
    ENSEMBLE_COLOURS,
    MUTED,
    StyledFigure,
    finished,
    points,
)

if TYPE_CHECKING:
    from zpfit.analysis.records import CoveredRecord

_KINDS = {
    "profile": ("profile likelihood", BEST_FIT_COLOUR, "o", 0.15),
    "credible": ("credible interval", ENSEMBLE_COLOURS[0], "s", -0.15),
}
"""Name, colour, marker and height in its row of each kind of interval."""
_NOMINAL = {"68": 0.6827, "95": 0.9545}
_ROW = 0.3
"""Height of a row in inches."""
_LEAST_RANGE = 0.1
"""Fractions that an axis shows at least on either side of the nominal one."""


def coverage_figure(record: CoverageRecord, spec: FigureSpec | None = None) -> Figure:
    """Draw the fraction of pseudo-experiments whose intervals contain the truth.

    Parameters
    ----------
    record
        Coverage of each parameter. Error bars are binomial intervals of Clopper and Pearson,
        68.27 %.
    spec
        Description of the figure: ``parameters``, labels of ``axes``, and ``colours`` of
        ``profile`` and ``credible``.
    """
    spec = described_by(record, spec)
    names = [n for n in record["parameters"] if n in (spec.parameters or record["parameters"])]
    size = spec.size(COLUMN, 1.25 + _ROW * len(names))
    figure = StyledFigure(figsize=size, layout="constrained")
    panels = figure.subplots(1, len(_NOMINAL), sharey=True)
    labels = [_label(name, record, spec) for name in names]
    width = (size[0] - max(text_width(text, points("ytick.labelsize")) for text in labels)) / 2
    for axes, level in zip(panels, _NOMINAL, strict=True):
        _draw_panel(axes, record, names, level, spec)
        set_rows(axes, labels)
        axes.tick_params(axis="y", which="both", labelsize=points("ytick.labelsize"))
        _set_scale(axes, _NOMINAL[level], 0.8 * width)
    found = [kind for kind in _KINDS if any(kind in record["parameters"][name] for name in names)]
    handles = [_handle(kind, spec) for kind in found]
    handles.append(Line2D([], [], color=MUTED, linestyle="--", linewidth=1, label="nominal"))
    size_of_text = points("legend.fontsize")
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=size_of_text,
                  columnspacing=1.0, handletextpad=0.4)  # fmt: skip
    add_title(figure, spec.titled(record["title"]), f"{record['toys']} pseudo-experiments")
    return finished(figure)


def _label(name: str, record: CoverageRecord, spec: FigureSpec) -> str:
    """Return the label of a parameter."""
    if name in spec.axes and spec.axes[name].label:
        return str(spec.axes[name].label)
    symbol = record.get("symbols", {}).get(name)
    return f"${symbol}$" if symbol else name


def _draw_panel(
    axes: Axes, record: CoverageRecord, names: Sequence[str], level: str, spec: FigureSpec
) -> None:
    """Draw the fractions of one level, a row for each parameter from the top."""
    axes.axvline(_NOMINAL[level], color=MUTED, linewidth=1, linestyle="--", zorder=0)
    axes.set_xlabel(f"coverage of {level} % intervals", fontsize=points("axes.labelsize"))
    for row, name in enumerate(reversed(names)):
        kinds = cast("Mapping[str, Mapping[str, CoveredRecord]]", record["parameters"][name])
        for kind, (_, colour, marker, height) in _KINDS.items():
            y = row + height if len(kinds) > 1 else row
            found = kinds.get(kind, {}).get(level)
            if found is None or found["fraction"] is None:
                continue
            error = np.abs(np.array([found["interval"]]).T - found["fraction"])
            axes.errorbar(
                found["fraction"], y, xerr=error, fmt=marker, markersize=4,
                color=spec.colours.get(kind, colour), elinewidth=1,
            )  # fmt: skip


def _set_scale(axes: Axes, nominal: float, inches: float) -> None:
    """Show all fractions and some of the scale on either side of the nominal one."""
    low, high = axes.dataLim.intervalx
    ends = (min(low, nominal - _LEAST_RANGE), max(high, min(nominal + _LEAST_RANGE, 1.0)))
    margin = 0.06 * (ends[1] - ends[0])
    axes.set_xlim(max(ends[0] - margin, -0.02), min(ends[1] + margin, 1.02))
    size = points("xtick.labelsize")
    Linear().set_ticks(axes.xaxis, axes.get_xlim(), room_for(inches, "0.95", size, across=True))
    axes.tick_params(axis="x", which="both", top=True, labelsize=size)


def _handle(kind: str, spec: FigureSpec) -> Line2D:
    label, colour, marker, _ = _KINDS[kind]
    own = spec.colours.get(kind, colour)
    return Line2D([], [], color=own, marker=marker, markersize=4, linewidth=1, label=label)
