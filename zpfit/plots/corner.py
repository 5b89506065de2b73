"""The corner plot: one- and two-dimensional marginal posteriors with the best fit."""

from collections.abc import Mapping, Sequence
from typing import Any

import corner
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from zpfit.inference.samplers.result import StoredSamples
from zpfit.io.arrays import FloatArray
from zpfit.plots.scales import axis_label, scale_of
from zpfit.plots.style import BEST_FIT_COLOUR, ENSEMBLE_COLOURS

_LEVELS = (0.393, 0.865)
"""Probability inside 1 and 2 sigma of a two-dimensional Gaussian."""
_SHOWN = 0.999
"""Probability inside the range of each axis; the best fit is always inside."""
_MARGIN = 0.04
_BINS, _MAX_STEPS = 30, 40
"""Number of bins of a smooth axis, and largest number for a discrete one."""
_RESOLUTION = 1e-9
"""Spread, relative to the value, below which a column counts as constant."""


def corner_figure(
    samples: StoredSamples, best_fit: Mapping[str, float], title: str
) -> Figure | None:
    """Draw the corner plot; None if no parameter varies."""
    columns, names = [], []
    for name, values in samples.values.items():
        column = scale_of(samples.attributes[name]).forward(values.ravel())
        # corner cannot draw a constant column.
        if np.ptp(column) > _RESOLUTION * max(1.0, float(np.abs(column).max())):
            columns.append(column)
            names.append(name)
    if not names:
        return None
    attributes = [samples.attributes[name] for name in names]
    best = [
        float(scale_of(a).forward(np.array([best_fit[name]]))[0])
        for name, a in zip(names, attributes, strict=True)
    ]
    steps = [float(a.get("step", 0.0)) for a in attributes]
    axes_given = zip(columns, best, steps, strict=True)
    limits, bins = zip(*(_limits_and_bins(*given) for given in axes_given), strict=True)
    size = 1.9 * len(names) + 1.2
    figure = Figure(figsize=(size, size))
    corner.corner(
        np.column_stack(columns),
        fig=figure,
        bins=bins,
        range=limits,
        labels=[axis_label(a) for a in attributes],
        levels=_LEVELS,
        smooth=1.0,
        plot_datapoints=False,
        fill_contours=True,
        color=ENSEMBLE_COLOURS[0],
        hist_kwargs={"linewidth": 1.2},
        label_kwargs={"fontsize": 14},
    )
    axes = np.array(figure.axes).reshape(len(names), len(names))
    _mark(axes, best)
    _set_ticks(axes, attributes, limits)
    left, right = 1.0 / size, 1 - 0.25 / size
    figure.subplots_adjust(left=left, right=right, bottom=left, top=right, wspace=0.05, hspace=0.05)
    _explain(figure, title, len(names))
    return figure


def _limits_and_bins(
    column: FloatArray, best: float, step: float
) -> tuple[tuple[float, float], int]:
    low, high = np.quantile(column, [0.5 * (1 - _SHOWN), 0.5 * (1 + _SHOWN)])
    low, high = min(float(low), best), max(float(high), best)
    if step == 0:
        margin = _MARGIN * (high - low)
        return (low - margin, high + margin), _BINS
    # The same number of values in every bin, so that equal probability has equal height.
    values = round((high - low) / step) + 1
    each = -(-values // _MAX_STEPS)
    bins = -(-values // each)
    return (low - step / 2, low - step / 2 + bins * each * step), bins


def _mark(axes: Any, best: list[float]) -> None:
    for row, y in enumerate(best):
        axes[row, row].axvline(y, color=BEST_FIT_COLOUR, linewidth=1)
        for column, x in enumerate(best[:row]):
            axes[row, column].plot(
                x, y, "*", color=BEST_FIT_COLOUR, markersize=9, markeredgecolor="w"
            )


def _set_ticks(axes: Any, attributes: list[Mapping[str, Any]], limits: Sequence[Any]) -> None:
    last = len(attributes) - 1
    for row in range(last + 1):
        for column in range(row + 1):
            panel = axes[row, column]
            scale_of(attributes[column]).set_ticks(panel.xaxis, limits[column])
            panel.tick_params(axis="both", labelsize=10)
            if row < last:
                panel.set_xticklabels([])
            if column < row:
                scale_of(attributes[row]).set_ticks(panel.yaxis, limits[row])
                if column > 0:
                    panel.set_yticklabels([])


def _explain(figure: Figure, title: str, n: int) -> None:
    handles = [
        Line2D(
            [],
            [],
            color=ENSEMBLE_COLOURS[0],
            linewidth=6,
            alpha=0.8,
            label="posterior, 39.3 % and 86.5 %",
        ),
        Line2D(
            [], [], color=BEST_FIT_COLOUR, marker="*", linewidth=1, markersize=9, label="best fit"
        ),
    ]
    if n > 1:
        figure.legend(handles=handles, loc="upper right", bbox_to_anchor=(0.97, 0.93), fontsize=14)
    figure.suptitle(title, x=0.97, y=0.97, ha="right", fontsize=16)
