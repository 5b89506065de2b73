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
from zpfit.plots.labels import wrapped
from zpfit.plots.scales import Linear, Log, Scale, axis_label
from zpfit.plots.style import BEST_FIT_COLOUR, ENSEMBLE_COLOURS

_WIDTH, _HEIGHT = 3.4, 3.2
"""Inches; the width of one column of a journal."""
_FONT = 8
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


def limit_figure(record: LimitRecord) -> Figure:
    """Draw limits of the profile likelihood (solid) and of the posterior (dashed) along a scan.

    Raises
    ------
    ValueError
        The limits belong to a single point, without a scan.
    """
    scan = record["scan"]
    if scan is None:
        raise ValueError("limits at one point have no plot; give a scan")
    points = sorted(record["points"], key=lambda point: point["fixed"][scan["name"]])
    values = np.array([point["fixed"][scan["name"]] for point in points])
    across = _scale(values)
    x = across.forward(values)
    levels = sorted({level["probability"] for point in points for level in point["levels"]})
    columns = {
        (level, kind): _ends(points, level, kind)
        for level in levels
        for kind in ("profile", "posterior")
    }
    up = _scale(np.concatenate([np.ravel(own) for own in columns.values()] or [np.ones(1)]))
    figure = Figure(figsize=(_WIDTH, _HEIGHT), layout="constrained")
    panel = figure.subplots()
    widths = dict(zip(levels, np.linspace(*_WIDTHS, max(len(levels), 1)), strict=False))
    handles: list[Artist] = []
    for (level, kind), ends in columns.items():
        look = {**_LOOKS[kind], "linewidth": widths[level]}
        panel.plot(x, up.forward(ends), marker="o", markersize=2 * widths[level], **look)
        handles.append(Line2D([], [], **look, label=f"{_NAMES[kind]}, {in_percent(level)}"))
    if _shade(panel, x, points):
        handles.append(Patch(facecolor=_NOTHING, label="nothing allowed"))
    _frame(panel, (across, up), x)
    panel.set_xlabel(axis_label(scan), fontsize=_FONT + 1)
    panel.set_ylabel(_limited(record), fontsize=_FONT + 1)
    figure.suptitle(wrapped(record["title"], _FONT + 1, _WIDTH), fontsize=_FONT + 1)
    figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=_FONT - 0.5)
    return figure


def _scale(values: FloatArray) -> Scale:
    """Return a logarithmic scale for positive values that span a wide range."""
    seen = values[np.isfinite(values)]
    wide = len(seen) > 0 and seen.min() > 0 and seen.max() > _WIDE * seen.min()
    return Log() if wide else Linear()


def _ends(points: Sequence[LimitPoint], level: float, kind: str) -> FloatArray:
    """Return a limit, or lower and upper end, at each point; NaN where there is none."""
    found = [next((v for v in p["levels"] if v["probability"] == level), None) for p in points]
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


def _frame(panel: Axes, scales: tuple[Scale, Scale], x: FloatArray) -> None:
    panel.tick_params(which="both", labelsize=_FONT)
    if len(x) > 1:
        panel.set_xlim(x.min(), x.max())
    drawn = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in panel.lines])
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn):
        margin = _MARGIN * (np.ptp(drawn) or abs(drawn[0]) or 1.0)
        panel.set_ylim(drawn.min() - margin, drawn.max() + margin)
    scales[0].set_ticks(panel.xaxis, panel.get_xlim())
    scales[1].set_ticks(panel.yaxis, panel.get_ylim())


def _limited(record: LimitRecord) -> str:
    """Return the label of the limited quantity."""
    parameter = record["parameter"]
    if not record["one_sided"]:
        return axis_label(parameter)
    size = {**parameter, "symbol": f"|{parameter['symbol']}|"}
    return f"upper limit on {axis_label(size)}"
