"""Profile likelihood and posterior of one or two parameters on the same axes."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from scipy.interpolate import PchipInterpolator

from zpfit.analysis.levels import in_percent
from zpfit.analysis.profile.contours import roots
from zpfit.analysis.records import ProfileCurve, ProfileDensity, ProfileRecord
from zpfit.errors import InvalidInput
from zpfit.io.arrays import FloatArray
from zpfit.io.figure_spec import FigureSpec, described_by
from zpfit.plots.labels import text_width
from zpfit.plots.pulls import add_title
from zpfit.plots.scales import Linear, Room, Scale, axis_label, described, ranged, scale_of
from zpfit.plots.style import (
    BEST_FIT_COLOUR,
    COLUMN,
    ENSEMBLE_COLOURS,
    MUTED,
    StyledFigure,
    finished,
    points,
)

_WITH_ZERO = -1e-3
"""Fraction of an axis at its ends without labels: these have labels too."""
_HEADROOM = 1.35
"""Top of the axis of Delta chi2 over the largest level."""
_SAME = 5e-4
"""Distance up to which two levels are the same."""
_FEWEST_NODES, _FINE = 3, 400
"""Nodes of a stretch that is interpolated, and points of its curve."""
_SHADES = (0.65, 0.25)
"""Opacity of the innermost and outermost region."""
_LINES: tuple[Any, ...] = ("-", (0, (4, 2)), (0, (1, 1.5)), (0, (4, 1.5, 1, 1.5)))
"""Line styles of the profile's contours, the inner one first; later ones repeat."""
_BARS = (4.0, 1.5)
"""Widths of the intervals of the innermost and outermost level."""
_PANEL = (2.6, 1.2)
"""Width and height of the panel of Delta chi2 in inches, about."""
_STEP = 0.02
"""Distance of places that are tried for the label of a level, in parts of the axis."""
_SEEN = 0.003
"""Smallest height of a curve that is shown, relative to its maximum."""
_MARGIN = 0.04


def profile_figure(result: ProfileRecord, spec: FigureSpec | None = None) -> Figure:
    """Draw profile likelihood and posterior as curves (one axis) or contours (two axes).

    Parameters
    ----------
    result
        Profile likelihood and posterior density.
    spec
        Description of the figure; its levels must be among those of the result.
    """
    spec = described_by(result, spec)
    result = _at_levels(result, spec.levels)
    draw = _curves if len(result["axes"]) == 1 else _contours
    return finished(draw(result, spec))


def _at_levels(result: ProfileRecord, levels: Sequence[float]) -> ProfileRecord:
    """Return a result with some of its levels only; without any asked for, with all."""
    if not levels:
        return result
    known = [level["probability"] for level in result["profile"]["levels"]]
    kept = [i for i, one in enumerate(known) if any(abs(one - asked) < _SAME for asked in levels)]
    if len(kept) < len(levels):
        shown = ", ".join(in_percent(level) for level in known)
        raise InvalidInput(
            [f"figure.levels: the result has the levels {shown}; compute it with the others"]
        )
    profile, posterior = (
        {**result[part], "levels": [result[part]["levels"][index] for index in kept]}
        for part in ("profile", "posterior")
    )
    changed: Any = {**result, "profile": profile, "posterior": posterior}
    return cast(ProfileRecord, changed)


def _curves(result: ProfileRecord, spec: FigureSpec) -> Figure:
    profile, posterior = result["profile"], result["posterior"]
    axis, scale = _axis_of(result, 0, spec)
    x = _forward(scale, profile["values"][0])
    delta = _numbers(profile["delta_chi2"])
    z, height = _steps(scale, posterior)
    cuts = [level["delta_chi2"] for level in profile["levels"]]
    top = _HEADROOM * max(cuts)
    figure = StyledFigure(figsize=spec.size(COLUMN, 3.3), layout="constrained")
    upper, middle, lower = figure.subplots(3, 1, sharex=True, height_ratios=(6, 4, 1))
    for cut, style in zip(cuts, cycle(_LINES[1:]), strict=False):
        upper.axhline(cut, color=MUTED, linewidth=0.8, linestyle=style)
    colours = _colours(spec)
    curves = list(_smooth(x, delta))
    for smooth_x, smooth in curves:
        upper.plot(smooth_x, smooth, color=colours["profile"], linewidth=1.3)
    upper.set_ylim(0, top)
    upper.set_ylabel(r"$\Delta\chi^2$", fontsize=points("axes.labelsize"))
    middle.fill_between(z, height, color=colours["posterior"], alpha=_SHADES[1], linewidth=0)
    middle.plot(z, height, color=colours["posterior"], linewidth=1)
    middle.set_ylim(0, 1.12)
    middle.set_ylabel("posterior", fontsize=points("axes.labelsize"))
    _bars(lower, scale, profile["levels"], 1.0, colours["profile"])
    _bars(lower, scale, posterior["levels"], 0.0, colours["posterior"])
    lower.set_ylim(-0.7, 1.7)
    lower.set_yticks([])
    shown = np.concatenate([x[delta < top], z[height > _SEEN]])
    ends = _widened((float(shown.min()), float(shown.max())), (float(x[0]), float(x[-1])))
    _frame(lower, axis, scale, "x", ranged(ends, scale, spec.axes.get(axis["name"])))
    for cut, name in zip(cuts, _names(profile), strict=True):
        place = _beside(curves, name, cut / top, upper.get_xlim(), top)
        upper.annotate(
            name, (place, cut), (-3, 1), xycoords=("axes fraction", "data"), color=MUTED,
            ha="right", va="bottom", textcoords="offset points", fontsize=points("legend.fontsize"),
        )  # fmt: skip
    for panel, room in ((upper, Room(5, _WITH_ZERO)), (middle, Room(3, _WITH_ZERO))):
        Linear().set_ticks(panel.yaxis, panel.get_ylim(), room)
        panel.tick_params(
            which="both", labelsize=points("ytick.labelsize"), labelbottom=False, right=True
        )
    best, mode = result["best_fit"]["parameters"], posterior["mode"]
    _mark(upper, [_one(scale, best[axis["name"]]), 0.0], None, colours)
    _mark(middle, None, [_one(scale, mode[axis["name"]]), 1.0], colours)
    handles = [
        _line(colours["profile"], "profile likelihood"),
        Patch(facecolor=(colours["posterior"], _SHADES[1]), edgecolor=colours["posterior"],
              label="posterior density"),
        _star("best fit", colours["profile"]),
        _dot("posterior mode", colours["posterior"]),
        *(
            Line2D([], [], color="k", linewidth=width, label=name, solid_capstyle="butt")
            for name, width in zip(_names(profile), _between(_BARS, profile), strict=True)
        ),
    ]  # fmt: skip
    _explain(figure, spec.titled(result["title"]), handles)
    return figure


def _beside(
    curves: Sequence[tuple[FloatArray, FloatArray]],
    name: str,
    height: float,
    ends: tuple[float, float],
    top: float,
) -> float:
    """Return the right end of a label on a level, in parts of the axis, away from the curves.

    It lies as far right as possible, and at the right end if the curves leave no space.

    Parameters
    ----------
    curves
        Places along the axis and Delta chi2 of each curve.
    name
        The label.
    height
        The level, in parts of the vertical axis.
    ends
        Ends of the horizontal axis.
    top
        Upper end of the vertical axis, which begins at zero.
    """
    size = points("legend.fontsize")
    width = (text_width(name, size) + size / 72) / _PANEL[0]
    high = height + 1.3 * size / 72 / _PANEL[1]
    scaled = [((x - ends[0]) / (ends[1] - ends[0]), delta / top) for x, delta in curves]
    for right in np.arange(1.0, width, -_STEP):
        box = (right - width, float(right)), (height, high)
        if not any(_crosses(x, y, *box) for x, y in scaled):
            return float(right)
    return 1.0


def _crosses(
    x: FloatArray, y: FloatArray, sides: tuple[float, float], heights: tuple[float, float]
) -> bool:
    """Return whether a line through points meets a box."""
    beside = (x[1:] > sides[0]) & (x[:-1] < sides[1])
    lower, upper = np.minimum(y[1:], y[:-1]), np.maximum(y[1:], y[:-1])
    return bool((beside & (lower < heights[1]) & (upper > heights[0])).any())


def _steps(scale: Scale, posterior: ProfileDensity) -> tuple[FloatArray, FloatArray]:
    """Return a density that is constant to the edges of the outer bins, and zero outside."""
    edges = _forward(scale, posterior["edges"][0])
    density = np.array(posterior["density"], dtype=float)
    centres = _forward(scale, posterior["values"][0])
    z = np.concatenate([edges[:1], edges[:1], centres, [edges[-1]] * 2])
    return z, np.concatenate([[0], density[:1], density, density[-1:], [0]])


def _smooth(x: FloatArray, delta: FloatArray) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield smooth curves through the allowed nodes, one for each stretch between walls.

    A monotone interpolation passes through every node and never beyond its neighbours.
    """
    allowed = np.isfinite(delta)
    starts = np.flatnonzero(allowed & ~np.append(False, allowed[:-1]))
    for start in starts:
        walls = np.flatnonzero(~allowed[start:])
        stop = start + walls[0] if len(walls) else len(x)
        own_x, own = x[start:stop], delta[start:stop]
        if len(own_x) < _FEWEST_NODES:
            yield own_x, own
            continue
        fine = np.unique(np.concatenate([own_x, np.linspace(own_x[0], own_x[-1], _FINE)]))
        yield fine, PchipInterpolator(own_x, own)(fine)


def _contours(result: ProfileRecord, spec: FigureSpec) -> Figure:
    profile, posterior = result["profile"], result["posterior"]
    axes, scales = zip(*(_axis_of(result, index, spec) for index in range(2)), strict=True)
    colours = _colours(spec)
    figure = StyledFigure(figsize=spec.size(COLUMN, 3.6), layout="constrained")
    panel = figure.subplots()
    x, y, density = _to_edges(scales, posterior)
    thresholds = [level["density"] for level in posterior["levels"]]
    shades = _between(_SHADES, profile)
    for low, high, shade in zip(thresholds, [np.inf, *thresholds[:-1]], shades, strict=True):
        own = [colours["posterior"]]
        panel.contourf(x, y, density.T, [low, min(high, 2.0)], colors=own, alpha=shade)
    u, v = (_forward(s, values) for s, values in zip(scales, profile["values"], strict=True))
    delta = _numbers(profile["delta_chi2"])
    cuts = [level["delta_chi2"] for level in profile["levels"]]
    for cut, style in zip(cuts, cycle(_LINES), strict=False):
        table, own = roots(delta, cut).T, [colours["profile"]]
        panel.contour(u, v, table, [1], colors=own, linestyles=[style], linewidths=1.2)
    inside, within = delta <= cuts[-1], density >= thresholds[-1]
    reach = [(float(own.min()), float(own.max())) for own in (u, v)]
    for index, (direction, along, other) in enumerate((("x", u, x), ("y", v, y))):
        rows = [along[inside.any(axis=1 - index)], other[within.any(axis=1 - index)]]
        shown = np.concatenate(rows)
        limits = _widened((float(shown.min()), float(shown.max())), reach[index])
        look = spec.axes.get(axes[index]["name"])
        limits = ranged(limits, scales[index], look)
        _frame(panel, axes[index], scales[index], direction, limits)
    panel.tick_params(which="both", top=True, right=True)
    best, mode = result["best_fit"]["parameters"], posterior["mode"]
    at_best, at_mode = (
        [_one(scale, point[axis["name"]]) for scale, axis in zip(scales, axes, strict=True)]
        for point in (best, mode)
    )
    _mark(panel, at_best, at_mode, colours)
    handles = [
        *(
            Patch(facecolor=(colours["posterior"], shade), label=f"posterior {name}")
            for name, shade in zip(_names(profile), shades, strict=True)
        ),
        _dot("posterior mode", colours["posterior"]),
        *(
            _line(colours["profile"], f"profile {name}", style)
            for name, style in zip(_names(profile), cycle(_LINES), strict=False)
        ),
        _star("best fit", colours["profile"]),
    ]
    _explain(figure, spec.titled(result["title"]), handles)
    return figure


def _axis_of(
    result: ProfileRecord, index: int, spec: FigureSpec
) -> tuple[Mapping[str, Any], Scale]:
    axis = result["axes"][index]
    values = np.array(result["profile"]["values"][index], dtype=float)
    attributes = described(axis, spec.axes.get(axis["name"]), values)
    return attributes, scale_of(attributes)


def _colours(spec: FigureSpec) -> dict[str, str]:
    return {"profile": BEST_FIT_COLOUR, "posterior": ENSEMBLE_COLOURS[0], **spec.colours}


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


def _mark(
    panel: Axes,
    best: Sequence[float] | None,
    mode: Sequence[float] | None,
    colours: Mapping[str, str],
) -> None:
    """Mark the best fit and the mode if they are inside the panel."""
    (left, right), (bottom, top) = panel.get_xlim(), panel.get_ylim()
    for point, marker, size, kind in (
        (mode, "o", 5.0, "posterior"),
        (best, "*", 8.0, "profile"),
    ):
        if point is None or not (left <= point[0] <= right and bottom <= point[1] <= top):
            continue
        panel.plot(
            *point, marker, color=colours[kind], markersize=size, markeredgecolor="w",
            markeredgewidth=0.6, zorder=5, clip_on=False,  # whole on an edge of the panel, too
        )  # fmt: skip


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
    set_label(axis_label(axis), fontsize=points("axes.labelsize"))
    panel.tick_params(axis="x" if horizontal else "y", labelsize=points("xtick.labelsize"))


def _widened(ends: tuple[float, float], reach: tuple[float, float]) -> tuple[float, float]:
    """Return limits with a small margin, but inside the axis."""
    margin = _MARGIN * max(ends[1] - ends[0], 1e-9)
    low, high = max(ends[0] - margin, reach[0]), min(ends[1] + margin, reach[1])
    return (low, high) if low < high else reach


def _explain(figure: Figure, title: str, handles: Sequence[Any]) -> None:
    add_title(figure, title)
    size = points("legend.fontsize")
    figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=size)


def _names(profile: ProfileCurve) -> list[str]:
    """Return the names of levels, the inner one first."""
    return [in_percent(level["probability"]) for level in profile["levels"]]


def _between(ends: tuple[float, float], profile: ProfileCurve) -> list[float]:
    """Return a number for each level, from that of the innermost to that of the outermost."""
    return [float(value) for value in np.linspace(*ends, len(profile["levels"]))]


def _line(colour: str, label: str, style: Any = "-") -> Line2D:
    return Line2D([], [], color=colour, linewidth=1.3, label=label, linestyle=style)


def _star(label: str, colour: str) -> Line2D:
    return Line2D([], [], color=colour, marker="*", linewidth=0, markersize=8, label=label)


def _dot(label: str, colour: str) -> Line2D:
    return Line2D([], [], color=colour, marker="o", linewidth=0, markersize=5, label=label)


def _numbers(values: Any) -> FloatArray:
    """Return the numbers of a table, with infinity for None."""
    table = np.array(values, dtype=float)  # None becomes NaN
    return np.where(np.isnan(table), np.inf, table)


def _forward(scale: Scale, values: Sequence[float]) -> FloatArray:
    return scale.forward(np.array(values, dtype=float))


def _one(scale: Scale, value: float) -> float:
    return float(_forward(scale, [value])[0])
