"""Limits on a parameter along a scan of another one."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from zpfit.analysis.levels import in_percent
from zpfit.analysis.records import LimitLevel, LimitPoint, LimitRecord
from zpfit.io.arrays import FloatArray
from zpfit.io.figure_spec import AxisLook, FigureSpec, described_by
from zpfit.plots.pulls import add_title
from zpfit.plots.scales import Linear, Log, Scale, axis_label, described, ranged
from zpfit.plots.style import (
    BEST_FIT_COLOUR,
    COLUMN,
    ENSEMBLE_COLOURS,
    StyledFigure,
    finished,
    points,
)

_LOOKS: Mapping[str, Mapping[str, Any]] = {
    "profile": {"color": BEST_FIT_COLOUR, "linestyle": "-"},
    "posterior": {"color": ENSEMBLE_COLOURS[0], "linestyle": "--"},
}
_NAMES = {"profile": "profile likelihood", "posterior": "posterior"}
_WIDTHS = (1.4, 0.7)
"""Widths of the lines of the lowest and highest level."""
_NOTHING = "0.85"
"""Colour where the data exclude everything."""
_WIDE = 10.0
"""Ratio of the ends of an axis from which it is logarithmic."""
_MARGIN = 0.06
"""Margin above and below the lines, as a fraction of their range."""


def limit_figure(record: LimitRecord, spec: FigureSpec | None = None) -> Figure:
    """Draw limits of the profile likelihood (solid) and of the posterior (dashed) along a scan.

    Parameters
    ----------
    record
        Limits at the points of a scan.
    spec
        Description of the figure.

    Raises
    ------
    ValueError
        The limits belong to a single point, without a scan.
    """
    spec = described_by(record, spec)
    scan = record["scan"]
    if scan is None:
        raise ValueError("limits at one point have no plot; give a scan")
    rows_of_scan = sorted(record["points"], key=lambda point: point["fixed"][scan["name"]])
    values = np.array([point["fixed"][scan["name"]] for point in rows_of_scan])
    across = _scale(values, spec.axes.get(scan["name"]))
    x = across.forward(values)
    levels = sorted({level["probability"] for point in rows_of_scan for level in point["levels"]})
    columns = {
        (level, kind): limit_ends(rows_of_scan, level, kind)
        for level in levels
        for kind in ("profile", "posterior")
    }
    seen = np.concatenate([np.ravel(own) for own in columns.values()] or [np.ones(1)])
    up = _scale(seen, spec.axes.get(record["parameter"]["name"]))
    figure = StyledFigure(figsize=spec.size(COLUMN, 3.0), layout="constrained")
    panel = figure.subplots()
    widths = dict(zip(levels, np.linspace(*_WIDTHS, max(len(levels), 1)), strict=False))
    handles: list[Artist] = []
    for (level, kind), ends in columns.items():
        look = {**_LOOKS[kind], "linewidth": widths[level]}
        look["color"] = spec.colours.get(kind, look["color"])
        panel.plot(x, up.forward(ends), marker="o", markersize=2 * widths[level], **look)
        handles.append(Line2D([], [], **look, label=f"{_NAMES[kind]}, {in_percent(level)}"))
    if _shade(panel, x, rows_of_scan):
        handles.append(Patch(facecolor=_NOTHING, label="nothing allowed"))
    looks = spec.axes.get(scan["name"]), spec.axes.get(record["parameter"]["name"])
    _frame(panel, (across, up), x, looks)
    label_x, label_y = described(scan, looks[0], values), _limited(record)
    if looks[1] is not None and looks[1].label:
        label_y = looks[1].label
    panel.set_xlabel(axis_label(label_x), fontsize=points("axes.labelsize"))
    panel.set_ylabel(label_y, fontsize=points("axes.labelsize"))
    add_title(figure, spec.titled(record["title"]))
    size = points("legend.fontsize")
    figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=size)
    return finished(figure)


def _scale(values: FloatArray, look: AxisLook | None = None) -> Scale:
    """Return the scale that a figure gives; else a logarithmic one for a wide positive range."""
    if look is not None and look.scale is not None:
        return Log() if look.scale == "log" else Linear()
    seen = values[np.isfinite(values)]
    wide = len(seen) > 0 and seen.min() > 0 and seen.max() > _WIDE * seen.min()
    return Log() if wide else Linear()


def limit_ends(scanned: Sequence[LimitPoint], level: float, kind: str) -> FloatArray:
    """Return a limit, or lower and upper end, at each point; NaN where there is none.

    Parameters
    ----------
    scanned
        Points of a scan, n in number.
    level
        Confidence level.
    kind
        ``"profile"`` or ``"posterior"``.

    Returns
    -------
    array
        Shape (n, 1) for limits and (n, 2) for intervals.
    """
    found = [next((v for v in p["levels"] if v["probability"] == level), None) for p in scanned]
    rows = [_of_level(own, kind) for own in found]
    longest = max(len(row) for row in rows)
    return np.array([row or [np.nan] * longest for row in rows])


def _of_level(level: LimitLevel | None, kind: str) -> list[float]:
    if level is None:
        return []
    if kind == "profile" and level.get("at_end_of_prior"):
        return [np.nan]
    own: Mapping[str, Any] = {**level}
    if kind in own:
        return [own[kind]]
    ends = np.ravel(own[f"{kind}_intervals"])
    return [float(ends.min()), float(ends.max())] if len(ends) else []


def _shade(panel: Axes, x: FloatArray, points: Sequence[LimitPoint]) -> bool:
    """Shade the neighbourhood of points where nothing is allowed; return whether there is one."""
    edges = np.concatenate([x[:1], (x[1:] + x[:-1]) / 2, x[-1:]])
    excluded = [number for number, point in enumerate(points) if not point["allowed"]]
    for number in excluded:
        panel.axvspan(edges[number], edges[number + 1], color=_NOTHING, linewidth=0)
    return bool(excluded)


def _frame(
    panel: Axes,
    scales: tuple[Scale, Scale],
    x: FloatArray,
    looks: tuple[AxisLook | None, AxisLook | None],
) -> None:
    size = points("xtick.labelsize")
    panel.tick_params(which="both", labelsize=size, top=True, right=True)
    margin = _MARGIN * (np.ptp(x) or abs(x[0]) or 1.0)
    alone = len(x) == 1
    ends = (float(x.min() - margin * alone), float(x.max() + margin * alone))
    panel.set_xlim(*ranged(ends, scales[0], looks[0]))
    drawn = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in panel.lines])
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn):
        margin = _MARGIN * (np.ptp(drawn) or abs(drawn[0]) or 1.0)
        ends = (float(drawn.min() - margin), float(drawn.max() + margin))
        panel.set_ylim(*ranged(ends, scales[1], looks[1]))
    scales[0].set_ticks(panel.xaxis, panel.get_xlim())
    scales[1].set_ticks(panel.yaxis, panel.get_ylim())


def _limited(record: LimitRecord) -> str:
    """Return the label of the limited quantity."""
    parameter = record["parameter"]
    if not record["one_sided"]:
        return axis_label(parameter)
    size = {**parameter, "symbol": f"|{parameter['symbol']}|"}
    return f"upper limit on {axis_label(size)}"
