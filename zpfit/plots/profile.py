"""Profile likelihood and posterior of one or two parameters on the same axes."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from zpfit.analysis.levels import in_percent
from zpfit.analysis.profile.contours import roots
from zpfit.analysis.records import ProfileCurve, ProfileRecord
from zpfit.io.arrays import FloatArray
from zpfit.plots.labels import wrapped
from zpfit.plots.scales import Scale, axis_label, scale_of
from zpfit.plots.style import BEST_FIT_COLOUR, ENSEMBLE_COLOURS

_WIDTH = 3.4
"""Inches, one column of a journal."""
_FONT = 8
_POSTERIOR, _PROFILE = ENSEMBLE_COLOURS[0], BEST_FIT_COLOUR
_SHADES = (0.65, 0.25)
"""Opacity of the innermost and outermost region."""
_LINES: tuple[Any, ...] = ("-", (0, (4, 2)), (0, (1, 1.5)), (0, (4, 1.5, 1, 1.5)))
"""Line styles of the profile's contours, the inner one first; later ones repeat."""
_BARS = (4.0, 1.5)
"""Widths of the intervals of the innermost and outermost level."""
_SEEN = 0.003
"""Smallest height of a curve that is shown, relative to its maximum."""
_MARGIN = 0.04


def profile_figure(result: ProfileRecord) -> Figure:
    """Draw profile likelihood and posterior as curves (one axis) or contours (two axes)."""
    draw = _curves if len(result["axes"]) == 1 else _contours
    return draw(result)


def _curves(result: ProfileRecord) -> Figure:
    [axis] = result["axes"]
    scale = scale_of(axis)
    profile, posterior = result["profile"], result["posterior"]
    x = _forward(scale, profile["values"][0])
    likelihood = np.exp(-0.5 * _numbers(profile["delta_chi2"]))
    # Constant to the edges of the bins, zero outside.
    edges = _forward(scale, posterior["edges"][0])
    density = np.array(posterior["density"], dtype=float)
    z = np.concatenate(
        [edges[:1], edges[:1], _forward(scale, posterior["values"][0]), [edges[-1]] * 2]
    )
    height = np.concatenate([[0], density[:1], density, density[-1:], [0]])
    figure = Figure(figsize=(_WIDTH, 2.9), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(6, 1))
    upper.fill_between(z, height, color=_POSTERIOR, alpha=_SHADES[1], linewidth=0)
    upper.plot(z, height, color=_POSTERIOR, linewidth=1, linestyle=_LINES[1])
    upper.plot(x, likelihood, color=_PROFILE, linewidth=1.3)
    upper.set_ylim(0, 1.12)
    upper.set_yticks([0, 0.5, 1])
    upper.set_ylabel("relative to maximum", fontsize=_FONT)
    _bars(lower, scale, profile["levels"], 1.0, _PROFILE)
    _bars(lower, scale, posterior["levels"], 0.0, _POSTERIOR)
    lower.set_ylim(-0.7, 1.7)
    lower.set_yticks([])
    shown = np.concatenate([x[likelihood > _SEEN], z[height > _SEEN]])
    ends = (float(shown.min()), float(shown.max()))
    _frame(lower, axis, scale, "x", _widened(ends, (float(x[0]), float(x[-1]))))
    upper.tick_params(labelsize=_FONT, labelbottom=False)
    best, mode = result["best_fit"]["parameters"], posterior["mode"]
    tops = [(_one(scale, point[axis["name"]]), 1.0) for point in (best, mode)]
    _mark(upper, *tops)
    handles = [
        _line(_PROFILE, "profile likelihood"),
        Patch(
            facecolor=(_POSTERIOR, _SHADES[1]),
            edgecolor=_POSTERIOR,
            linestyle=_LINES[1],
            label="posterior density",
        ),
        _star("best fit"),
        _dot("posterior mode"),
        *(
            Line2D([], [], color="k", linewidth=width, label=name, solid_capstyle="butt")
            for name, width in zip(_names(profile), _between(_BARS, profile), strict=True)
        ),
    ]
    _explain(figure, result["title"], handles)
    return figure


def _contours(result: ProfileRecord) -> Figure:
    axes = result["axes"]
    scales = [scale_of(axis) for axis in axes]
    profile, posterior = result["profile"], result["posterior"]
    figure = Figure(figsize=(_WIDTH, 3.6), layout="constrained")
    panel = figure.subplots()
    x, y, density = _to_edges(scales, posterior)
    thresholds = [level["density"] for level in posterior["levels"]]
    shades = _between(_SHADES, profile)
    for low, high, shade in zip(thresholds, [np.inf, *thresholds[:-1]], shades, strict=True):
        panel.contourf(x, y, density.T, [low, min(high, 2.0)], colors=[_POSTERIOR], alpha=shade)
    u, v = (_forward(s, values) for s, values in zip(scales, profile["values"], strict=True))
    delta = _numbers(profile["delta_chi2"])
    cuts = [level["delta_chi2"] for level in profile["levels"]]
    for cut, style in zip(cuts, cycle(_LINES), strict=False):
        table = roots(delta, cut).T
        panel.contour(u, v, table, [1], colors=[_PROFILE], linestyles=[style], linewidths=1.2)
    inside, within = delta <= cuts[-1], density >= thresholds[-1]
    reach = [(float(own.min()), float(own.max())) for own in (u, v)]
    for index, (direction, own, other) in enumerate((("x", u, x), ("y", v, y))):
        shown = np.concatenate([own[inside.any(axis=1 - index)], other[within.any(axis=1 - index)]])
        limits = _widened((float(shown.min()), float(shown.max())), reach[index])
        _frame(panel, axes[index], scales[index], direction, limits)
    best, mode = result["best_fit"]["parameters"], posterior["mode"]
    at_best, at_mode = (
        [_one(scale, point[axis["name"]]) for scale, axis in zip(scales, axes, strict=True)]
        for point in (best, mode)
    )
    _mark(panel, at_best, at_mode)
    handles = [
        *(
            Patch(facecolor=(_POSTERIOR, shade), label=f"posterior {name}")
            for name, shade in zip(_names(profile), shades, strict=True)
        ),
        _dot("posterior mode"),
        *(
            _line(_PROFILE, f"profile {name}", style)
            for name, style in zip(_names(profile), cycle(_LINES), strict=False)
        ),
        _star("best fit"),
    ]
    _explain(figure, result["title"], handles)
    return figure


def _to_edges(
    scales: Sequence[Scale], posterior: Mapping[str, Any]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return coordinates of the centres of bins and the outer edges, and the density there."""
    columns = []
    for scale, centres, edges in zip(scales, posterior["values"], posterior["edges"], strict=True):
        columns.append(_forward(scale, [edges[0], *centres, edges[-1]]))
    density = np.pad(np.array(posterior["density"], dtype=float), 1, mode="edge")
    return columns[0], columns[1], density


def _bars(
    panel: Axes, scale: Scale, levels: Sequence[Mapping[str, Any]], y: float, colour: str
) -> None:
    for level, width in zip(levels, np.linspace(*_BARS, len(levels)), strict=True):
        for ends in level["intervals"]:
            x = _forward(scale, ends)
            panel.plot(x, [y, y], color=colour, linewidth=width, solid_capstyle="butt")


def _mark(panel: Axes, best: Sequence[float], mode: Sequence[float]) -> None:
    """Mark the best fit and the mode if they are inside the panel."""
    (left, right), (bottom, top) = panel.get_xlim(), panel.get_ylim()
    for (x, y), marker, size, colour in (
        (mode, "o", 5.5, _POSTERIOR),
        (best, "*", 9.0, _PROFILE),
    ):
        if left <= x <= right and bottom <= y <= top:
            panel.plot(
                x,
                y,
                marker,
                color=colour,
                markersize=size,
                markeredgecolor="w",
                markeredgewidth=0.6,
                zorder=5,
                clip_on=False,  # whole on an edge of the panel, too
            )


def _frame(
    panel: Axes,
    axis: Mapping[str, Any],
    scale: Scale,
    direction: str,
    limits: tuple[float, float],
) -> None:
    horizontal = direction == "x"
    (panel.set_xlim if horizontal else panel.set_ylim)(*limits)
    scale.set_ticks(panel.xaxis if horizontal else panel.yaxis, limits)
    set_label = panel.set_xlabel if horizontal else panel.set_ylabel
    set_label(axis_label(axis), fontsize=_FONT + 1)
    panel.tick_params(axis="x" if horizontal else "y", labelsize=_FONT)


def _widened(ends: tuple[float, float], reach: tuple[float, float]) -> tuple[float, float]:
    """Return limits with a small margin, but inside the axis."""
    margin = _MARGIN * max(ends[1] - ends[0], 1e-9)
    low, high = max(ends[0] - margin, reach[0]), min(ends[1] + margin, reach[1])
    return (low, high) if low < high else reach


def _explain(figure: Figure, title: str, handles: Sequence[Any]) -> None:
    figure.suptitle(wrapped(title, _FONT + 1, _WIDTH), fontsize=_FONT + 1)
    figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=_FONT - 0.5)


def _names(profile: ProfileCurve) -> list[str]:
    """Return the names of levels, the inner one first."""
    return [in_percent(level["probability"]) for level in profile["levels"]]


def _between(ends: tuple[float, float], profile: ProfileCurve) -> list[float]:
    """Return a number for each level, from that of the innermost to that of the outermost."""
    return [float(value) for value in np.linspace(*ends, len(profile["levels"]))]


def _line(colour: str, label: str, style: Any = "-") -> Line2D:
    return Line2D([], [], color=colour, linewidth=1.3, label=label, linestyle=style)


def _star(label: str) -> Line2D:
    return Line2D([], [], color=_PROFILE, marker="*", linewidth=0, markersize=9, label=label)


def _dot(label: str) -> Line2D:
    return Line2D([], [], color=_POSTERIOR, marker="o", linewidth=0, markersize=5.5, label=label)


def _numbers(values: Any) -> FloatArray:
    """Return the numbers of a table, with infinity for None."""
    table = np.array(values, dtype=float)  # None becomes NaN
    return np.where(np.isnan(table), np.inf, table)


def _forward(scale: Scale, values: Sequence[float]) -> FloatArray:
    return scale.forward(np.array(values, dtype=float))


def _one(scale: Scale, value: float) -> float:
    return float(_forward(scale, [value])[0])
