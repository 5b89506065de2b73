"""Several exclusion planes, and limits along a scan, in one figure."""

from collections.abc import Mapping
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch

from zpfit.analysis.levels import in_percent
from zpfit.analysis.records import ExclusionMapRecord, LimitRecord
from zpfit.errors import InvalidInput
from zpfit.io.figure_spec import FigureSpec, described_by
from zpfit.plots.exclusion import Plane
from zpfit.plots.exclusion_choice import joined
from zpfit.plots.exclusion_layout import as_path
from zpfit.plots.limits import limit_ends
from zpfit.plots.run_labels import distinct_titles
from zpfit.plots.style import SERIES_COLOURS, finished

_EXCLUDED = ("excluded", "impossible", "joint", "unreachable")
"""Kinds of regions that are not allowed."""
_ALPHA, _WIDTH, _BOLD = 0.25, 1.2, 2.0
"""Opacity of the areas, and widths of their outlines and of limits, in points."""
_LINES: tuple[Any, ...] = ("-", "--", ":")
_ALONE = "limit of all data"
"""Label of a single limit."""
_LIMIT_COLOURS = ("#CC3311", "#0077BB", "#000000", "#009988")


def overlay_figure(
    planes: Mapping[str, ExclusionMapRecord],
    limits: Mapping[str, LimitRecord],
    spec: FigureSpec | None = None,
) -> Figure:
    """Draw planes of the same axes and limits in one figure.

    A single plane is drawn in full, with the limits over it. Of several planes, what each excludes
    is one area with its outline.

    Parameters
    ----------
    planes
        Maps by the names of their folders. The legend shows what tells their titles apart.
    limits
        Scans of the parameter along x, with limits on that along y, by name.
    spec
        Description of the figure; ``colours`` and ``names`` take these names.

    Raises
    ------
    InvalidInput
        There is no plane, or the axes differ.
    """
    _check_axes(planes, limits)
    first = next(iter(planes.values()))
    spec = described_by(first, spec)
    alone = len(planes) == 1
    base: ExclusionMapRecord = first
    if not alone:
        title = spec.title if spec.title is not None else ""
        spec = spec.changed(FigureSpec(title=title, union=False, hide=(), highlight=()))
        # Without a share they are not drawn, but give entries their labels in the statement.
        measured = [region for region in first["regions"] if region["kind"] != "allowed"]
        regions = [{**region, "share": 0.0} for region in measured]
        base = {**first, "regions": regions, "contours": [], "allowed": {"share": 1.0}}

    def further(axes: Axes) -> list[Artist]:
        areas = [] if alone else _draw_areas(axes, planes, spec)
        return [*areas, *_draw_limits(axes, limits, spec)]

    return finished(Plane(base, spec, None, _LIMIT_COLOURS[: len(limits)]).draw(further))


def _check_axes(
    planes: Mapping[str, ExclusionMapRecord], limits: Mapping[str, LimitRecord]
) -> None:
    if not planes:
        raise InvalidInput(["nothing to draw limits on; give a folder with an exclusion plane"])
    first, record = next(iter(planes.items()))
    own = (record["x"]["name"], record["y"]["name"])
    problems = [
        f"{name}: its plane has the axes {other['x']['name']} and {other['y']['name']}, that of "
        f"{first} has {own[0]} and {own[1]}; give planes of the same parameters"
        for name, other in planes.items()
        if (other["x"]["name"], other["y"]["name"]) != own
    ]
    for name, limit in limits.items():
        scan = limit["scan"]
        axes = (None if scan is None else scan["name"], limit["parameter"]["name"])
        if axes != own:
            problems.append(
                f"{name}: is a limit on {axes[1]}"
                + (f" along {axes[0]}" if axes[0] else "")
                + f"; the plane needs one on {own[1]} along {own[0]}"
            )
    if problems:
        raise InvalidInput(problems)


def _draw_areas(
    axes: Axes, planes: Mapping[str, ExclusionMapRecord], spec: FigureSpec
) -> list[Artist]:
    """Draw what each plane excludes, and return the legend."""
    handles: list[Artist] = []
    labels = _labels(planes, spec)
    for index, ((name, record), label) in enumerate(zip(planes.items(), labels, strict=True)):
        colour = spec.colours.get(name, SERIES_COLOURS[index % len(SERIES_COLOURS)])
        path = as_path(joined(record, _EXCLUDED))
        fill = to_rgba(colour, _ALPHA)
        axes.add_artist(PathPatch(path, facecolor=fill, edgecolor=colour, linewidth=_WIDTH))
        handles.append(
            Patch(facecolor=fill, edgecolor=colour, linewidth=_WIDTH, label=f"{label}: excluded")
        )
    return handles


def _labels(records: Mapping[str, Mapping[str, Any]], spec: FigureSpec) -> list[str]:
    """Return what the legend calls each folder."""
    titles = distinct_titles(list(records), [record["title"] for record in records.values()])
    own = [_ALONE] if len(records) == 1 else titles
    return [spec.names.get(name, label) for name, label in zip(records, own, strict=True)]


def _draw_limits(axes: Axes, limits: Mapping[str, LimitRecord], spec: FigureSpec) -> list[Artist]:
    """Draw the limits of the profile likelihood as bold lines, and return the legend."""
    handles: list[Artist] = []
    named = _labels(limits, spec)
    for index, ((name, record), words) in enumerate(zip(limits.items(), named, strict=True)):
        scan = record["scan"]
        if scan is None:
            continue
        colour = spec.colours.get(name, _LIMIT_COLOURS[index % len(_LIMIT_COLOURS)])
        scanned = sorted(record["points"], key=lambda point: point["fixed"][scan["name"]])
        x = np.array([point["fixed"][scan["name"]] for point in scanned])
        levels = sorted({level["probability"] for point in scanned for level in point["levels"]})
        for level, style in zip(levels, cycle(_LINES), strict=False):
            ends = limit_ends(scanned, level, "profile")
            axes.plot(x, ends, style, color=colour, linewidth=_BOLD, scalex=False, scaley=False)
            label = f"{words}, {in_percent(level)}"
            handles.append(
                Line2D([], [], color=colour, linestyle=style, linewidth=_BOLD, label=label)
            )
    return handles
