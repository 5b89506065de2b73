"""The corner plot: one- and two-dimensional marginal posteriors with the best fit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import NullLocator

from zpfit.analysis.levels import in_percent
from zpfit.errors import InvalidInput, suggestion
from zpfit.inference.samplers.result import StoredSamples
from zpfit.io.arrays import FloatArray
from zpfit.io.figure_spec import FigureSpec
from zpfit.io.lean_imports import import_without
from zpfit.plots.labels import wrapped
from zpfit.plots.scales import (
    Room,
    Scale,
    axis_label,
    described,
    longest_label,
    ranged,
    room_for,
    scale_of,
)
from zpfit.plots.style import (
    BEST_FIT_COLOUR,
    COLUMN,
    ENSEMBLE_COLOURS,
    PAGE,
    SMALLEST_TEXT,
    StyledFigure,
    finished,
    points,
)

LEVELS = (0.68, 0.95)
"""Probability inside the contours."""
_SHOWN = 0.999
"""Probability inside the range of each axis; the best fit is always inside."""
_MARGIN = 0.04
_BINS, _MAX_STEPS = 30, 40
"""Number of bins of a smooth axis, and largest number for a discrete one."""
_RESOLUTION = 1e-12
"""Spread, relative to the value, below which a column counts as constant."""
_NARROW = 1.0
"""Width of a panel in inches below which the labels of its x axis are turned."""
_PANEL = 1.35
"""Width of a panel in inches, as long as the figure fits on a page."""
_MANY = 4
"""Parameters above which narrow panels get the smallest text."""
_RIGHT = 0.08
"""Right margin in inches."""
_GAP = 0.05
"""Distance between panels, in panels."""


@dataclass(frozen=True)
class Side:
    """Axis of one parameter in every panel."""

    attributes: Mapping[str, Any]
    limits: tuple[float, float]
    """Ends in coordinates of the scale."""

    @property
    def scale(self) -> Scale:
        """Scale of the axis."""
        return scale_of(self.attributes)


def corner_figure(
    samples: StoredSamples,
    best_fit: Mapping[str, float],
    title: str,
    spec: FigureSpec | None = None,
) -> Figure | None:
    """Draw the corner plot; None if no parameter varies.

    Parameters
    ----------
    samples
        Samples of equal weight.
    best_fit
        Value of each parameter.
    title
        Title of the result.
    spec
        Description of the figure.

    Raises
    ------
    InvalidInput
        The description names a parameter that is not sampled, or a logarithmic axis for values of
        either sign.
    """
    spec = spec or FigureSpec()
    names = _chosen(samples, spec)
    if not names:
        return None
    values = {name: samples.values[name].ravel() for name in names}
    attributes = [described(samples.attributes[n], spec.axes.get(n), values[n]) for n in names]
    scales = [scale_of(own) for own in attributes]
    columns = [scale.forward(values[name]) for scale, name in zip(scales, names, strict=True)]
    best = [
        float(scale.forward(np.array([best_fit[name]]))[0])
        for scale, name in zip(scales, names, strict=True)
    ]
    steps = [float(own.get("step", 0.0)) for own in attributes]
    axes_given = zip(columns, best, steps, strict=True)
    limits, bins = zip(*(_limits_and_bins(*given) for given in axes_given), strict=True)
    shown = [
        ranged(own, scale, spec.axes.get(name))
        for own, scale, name in zip(limits, scales, names, strict=True)
    ]
    sides = [Side(own, ends) for own, ends in zip(attributes, shown, strict=True)]
    levels = spec.levels or LEVELS
    colour = spec.colours.get("posterior", ENSEMBLE_COLOURS[0])
    grid = Grid(sides, spec, title)
    binned = [Binned(*each) for each in zip(columns, shown, bins, strict=True)]
    draw_marginals(
        grid, binned, colour, levels=levels, fill_contours=True, contour_kwargs={"linewidths": 0.7}
    )
    _mark(grid.panels, best)
    grid.finish(_handles(levels, spec))
    return finished(grid.figure)


def _chosen(samples: StoredSamples, spec: FigureSpec) -> list[str]:
    """Return the names of the parameters to draw: those asked for, else all that vary."""
    known = list(samples.values)
    for name in (*spec.parameters, *spec.axes):
        if name not in known and (name in spec.parameters):
            hint = suggestion(name, known)
            raise InvalidInput([f"figure.parameters: {name!r} is not sampled; {hint}"])
    chosen = spec.parameters or known
    return [name for name in chosen if _varies(samples.values[name])]


def _varies(values: FloatArray) -> bool:
    """Return whether a column varies; corner cannot draw a constant one."""
    return bool(np.ptp(values) > _RESOLUTION * np.abs(values).max())


def _limits_and_bins(
    column: FloatArray, best: float, step: float
) -> tuple[tuple[float, float], int]:
    low, high = np.quantile(column, [0.5 * (1 - _SHOWN), 0.5 * (1 + _SHOWN)])
    low, high = min(float(low), best), max(float(high), best)
    if step == 0:
        margin = _MARGIN * (high - low) or _MARGIN * float(np.ptp(column))
        return (low - margin, high + margin), _BINS
    # The same number of values in every bin, so that equal probability has equal height.
    values = round((high - low) / step) + 1
    each = -(-values // _MAX_STEPS)
    bins = -(-values // each)
    return (low - step / 2, low - step / 2 + bins * each * step), bins


@dataclass(frozen=True)
class Binned:
    """Samples of one parameter with the bins of its axis, in coordinates of the scale."""

    values: FloatArray
    limits: tuple[float, float]
    bins: int


def draw_marginals(grid: "Grid", samples: Sequence[Binned], colour: str, **look: Any) -> None:
    """Draw the posterior of each parameter and of each pair into the panels of a corner plot.

    ``corner.corner`` would make the panels above the diagonal as well, and ticks and labels that
    :class:`Grid` replaces, which takes longer than all the rest. All histograms have the same
    height, so that several posteriors fit into one panel, however narrow one of them is.

    Parameters
    ----------
    grid
        The panels.
    samples
        Samples of each parameter, all of the same length.
    colour
        Colour of the posterior.
    **look
        Further arguments of ``corner.hist2d``.
    """
    hist2d = import_without("corner", "arviz").hist2d
    for row, up in enumerate(samples):
        panel, edges = grid.panels[row, row], np.linspace(*up.limits, up.bins + 1).tolist()
        heights, _ = np.histogram(up.values, edges)
        part = heights / max(heights.max(), 1)
        panel.hist(edges[:-1], edges, weights=part, histtype="step", color=colour, linewidth=1.0)
        panel.set_xlim(up.limits)
        panel.set_ylim(0, 1.1)
        panel.yaxis.set_major_locator(NullLocator())
        for column, across in enumerate(samples[:row]):
            hist2d(
                across.values,
                up.values,
                ax=grid.panels[row, column],
                bins=[across.bins, up.bins],
                range=[across.limits, up.limits],
                color=colour,
                smooth=1.0,
                plot_datapoints=False,
                force_range=True,
                **look,
            )


def _mark(panels: Mapping[tuple[int, int], Axes], best: list[float]) -> None:
    for row, y in enumerate(best):
        panels[row, row].axvline(y, color=BEST_FIT_COLOUR, linewidth=1)
        for column, x in enumerate(best[:row]):
            panels[row, column].plot(
                x, y, "*", color=BEST_FIT_COLOUR, markersize=6, markeredgecolor="w",
                markeredgewidth=0.4,
            )  # fmt: skip


class Grid:
    """The panels of a corner plot: their size, ticks, labels and legend.

    Parameters
    ----------
    sides
        Axis of each parameter.
    spec
        Description of the figure.
    title
        Title of the result.
    """

    def __init__(self, sides: Sequence[Side], spec: FigureSpec, title: str) -> None:
        n = self._n = len(sides)
        self._sides = sides
        width = spec.width or min(max(COLUMN, _PANEL * n + 0.7), PAGE)
        self._turned = (width - 0.7) / n < _NARROW
        narrow = self._turned and n > _MANY
        self._tick = SMALLEST_TEXT if narrow else points("xtick.labelsize")
        self._label = min(points("axes.labelsize"), 7.5) if narrow else points("axes.labelsize")
        guess = (width - 0.7) / n
        longest = [
            longest_label(side.scale, side.limits, self._room(side, guess), self._tick)
            for side in sides
        ]
        lines = 2 if self._turned and any(side.attributes["unit"] for side in sides) else 1
        line = 1.3 * self._label / 72
        self._left = (max(longest[1:]) if n > 1 else 0.05) + line + 0.12
        self._bottom = (max(longest) if self._turned else 1.2 * self._tick / 72) + 0.1
        self._below = self._bottom
        self._bottom += lines * line + (0.06 if lines > 1 else 0.0)
        self._title = wrapped(spec.titled(title), points("figure.titlesize"), width - 0.2)
        rows = self._title.count("\n") + 1 if self._title else 0
        self._head = 1.3 * points("figure.titlesize") * rows / 72 + 0.06
        # One panel has no free corner for the legend.
        self._legend = 1.7 * points("legend.fontsize") / 72 if n == 1 else 0.0
        panels = (width - self._left - _RIGHT) * (0.7 if n == 1 else 1.0)
        height = panels + self._bottom + self._head + self._legend
        self.figure = StyledFigure(figsize=spec.size(width, height))
        self.panels = {
            (row, column): self.figure.add_subplot(n, n, row * n + column + 1)
            for row in range(n)
            for column in range(row + 1)
        }
        """Panels by row and column, on and below the diagonal."""
        self._place()

    def _place(self) -> None:
        width, height = self.figure.get_size_inches()
        self._adjustment = {
            "left": self._left / width,
            "right": 1 - _RIGHT / width,
            "bottom": (self._bottom + self._legend) / height,
            "top": 1 - self._head / height,
            "wspace": _GAP,
            "hspace": _GAP,
        }
        gaps = self._n + _GAP * (self._n - 1)
        self._wide = (width - self._left - _RIGHT) / gaps
        self._high = (height - self._bottom - self._legend - self._head) / gaps

    def _room(self, side: Side, inches: float) -> Room:
        """Return the room for the labels of an x axis, which the longest of them limits."""
        room = room_for(inches, r"$-10^{-3}$", self._tick, across=not self._turned)
        if self._turned:
            return room
        longest = longest_label(side.scale, side.limits, room, self._tick)
        return replace(room, most=max(2, min(room.most, int(inches / (1.15 * longest)))))

    def finish(self, handles: Sequence[Any]) -> None:
        """Set ticks and labels, and write the title and the legend."""
        self.figure.subplots_adjust(**self._adjustment)
        for row in range(self._n):
            for column in range(row + 1):
                self._set_ticks(self.panels[row, column], row, column)
        width, height = self.figure.get_size_inches()
        alone, right = self._n == 1, 1 - _RIGHT / width
        if self._title:
            self.figure.text(
                0.5 if alone else right, 1 - 0.03 / height, self._title, va="top",
                ha="center" if alone else "right", fontsize=points("figure.titlesize"),
                multialignment="center" if alone else "right",
            )  # fmt: skip
        place: dict[str, Any] = (
            {"loc": "lower center", "ncols": len(handles)}
            if alone
            else {"loc": "upper right", "bbox_to_anchor": (right, 1 - self._head / height)}
        )
        self.figure.legend(
            handles=handles, fontsize=points("legend.fontsize"), borderaxespad=0.2,
            columnspacing=1.0, handlelength=1.5, **place,
        )  # fmt: skip

    def _set_ticks(self, panel: Axes, row: int, column: int) -> None:
        across, up = self._sides[column], self._sides[row]
        inner, last = row != column, row == self._n - 1
        across.scale.set_ticks(panel.xaxis, across.limits, self._room(across, self._wide))
        panel.tick_params(which="both", labelsize=self._tick, top=inner, right=inner)
        panel.tick_params(which="major", length=2.5)
        panel.tick_params(which="minor", length=1.5)
        panel.tick_params(axis="x", labelbottom=last, rotation=90 if self._turned else 0)
        if last:
            label = axis_label(across.attributes)
            label = label.replace(" [", "\n[") if self._turned else label
            panel.set_xlabel(label, fontsize=self._label)
            panel.xaxis.set_label_coords(0.5, -self._below / self._high)
        if not inner:
            return
        room = room_for(self._high, "0", self._tick, across=False)
        up.scale.set_ticks(panel.yaxis, up.limits, room)
        panel.tick_params(axis="y", labelleft=column == 0, rotation=0)
        if column == 0:
            panel.set_ylabel(axis_label(up.attributes), fontsize=self._label)
            at = self._left - 1.2 * self._label / 72 - 0.02
            panel.yaxis.set_label_coords(-at / self._wide, 0.5)


def _handles(levels: Sequence[float], spec: FigureSpec) -> list[Any]:
    colour = spec.colours.get("posterior", ENSEMBLE_COLOURS[0])
    shown = " and ".join(in_percent(level) for level in levels)
    return [
        Patch(facecolor=colour, alpha=0.8, label=f"posterior, {shown}"),
        Line2D(
            [], [], color=BEST_FIT_COLOUR, marker="*", linewidth=1, markersize=6, label="best fit"
        ),
    ]
