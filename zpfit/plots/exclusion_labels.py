"""Labels of regions and contours of an exclusion plot, and the mark of the allowed region."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.patheffects import withStroke
from shapely import LineString, MultiLineString, box
from shapely.geometry.base import BaseGeometry

from zpfit.analysis.records import ExclusionMapRecord
from zpfit.io.arrays import FloatArray
from zpfit.plots.exclusion_layout import (
    Layout,
    as_path,
    path_in_axes,
    region_shape,
    unit_points,
)
from zpfit.plots.labels import LabelBoard, text_size
from zpfit.plots.style import BEST_FIT_COLOUR, SMALLEST_TEXT

_PLACES, _LABEL_ROOM = 41, 0.2
"""Fractions of a contour where its label can be, and the free space around it in inches."""
_OUTLINE = 1.1
"""Width of the outline of the allowed region, in points."""
_PLAIN = 0.1
"""Fraction of the plane from which the allowed region is obvious without an outline."""
_STUB, _INSIDE = 0.07, 0.05
"""Length of the line before a label beside the plane, in inches, and distance of its other end
from the right end of the region, in sides of the plane."""
_HALO = withStroke(linewidth=1.8, foreground="w", alpha=0.85)
"""Outline of labels, which makes them legible on any colour."""


def label_contours(
    axes: Axes,
    board: LabelBoard,
    layout: Layout,
    record: ExclusionMapRecord,
    drawn: Sequence[Mapping[str, Any]],
) -> None:
    """Write each level on its longest line, away from other lines and edges."""

    def inches(ring: Sequence[Sequence[float]]) -> FloatArray:
        return unit_points(record, ring) * layout.axes

    lines = [[inches(line) for line in contour["lines"]] for contour in record["contours"]]
    edges = [inches(ring) for region in drawn for rings in region["polygons"] for ring in rings]
    for index, contour in enumerate(record["contours"]):
        if not lines[index]:
            continue
        longest = max(lines[index], key=lambda line: LineString(line).length)
        others = [line for each in lines[:index] + lines[index + 1 :] for line in each]
        x, y = _clearest(longest, [*others, *edges], layout) / layout.axes
        text = _level(contour["level"])
        board.take_box(x, y, text_size(text, layout.small, layout.axes))
        axes.text(
            x,
            y,
            text,
            transform=axes.transAxes,
            fontsize=layout.small,
            ha="center",
            va="center",
            bbox={"facecolor": "w", "edgecolor": "none", "pad": 0.8, "alpha": 0.9},
        )


def _clearest(line: FloatArray, others: Sequence[FloatArray], layout: Layout) -> FloatArray:
    """Return the point of a line, in inches, that is nearest to its middle and clear of others."""
    shares, frame = np.linspace(0, 1, _PLACES), box(0, 0, *layout.axes).exterior
    places = shapely.line_interpolate_point(LineString(line), shares, normalized=True)
    room = shapely.distance(places, MultiLineString([*others, frame.coords]))
    merit = np.minimum(room, _LABEL_ROOM) - 1e-3 * np.abs(shares - 0.5)
    [best] = shapely.get_coordinates(places[np.argmax(merit)])
    return np.asarray(best)


def _level(value: float) -> str:
    mantissa, exponent = f"{value:.1e}".split("e")
    digits = mantissa.removesuffix(".0")
    power = f"10^{{{int(exponent)}}}"
    return f"${power}$" if digits == "1" else rf"${digits}\times {power}$"


def label_regions(
    axes: Axes,
    board: LabelBoard,
    layout: Layout,
    record: ExclusionMapRecord,
    drawn: Sequence[Mapping[str, Any]],
) -> list[Mapping[str, Any]]:
    """Write labels into regions; return the regions that are too small."""
    shapes = [region_shape(record, region) for region in drawn]
    masks = [board.mask(shape) for shape in shapes]
    layers = np.sum(masks, axis=0) if masks else np.empty(0)
    unnamed = []
    for index in np.argsort([shape.area for shape in shapes]):
        region, mask = drawn[index], masks[index]
        bold = {"weight": "bold", "color": region["colour"]} if region.get("bold") else {}
        size = text_size(region["label"], layout.font, layout.axes)
        # Where few others lie on top, so that it is clear what is meant.
        depths = range(1, int(layers.max()) + 1)
        places = (board.place(mask & (layers <= depth), size) for depth in depths)
        place = next((place for place in places if place is not None), None)
        if place is None:
            unnamed.append(region)
            continue
        axes.text(
            place.x, place.y, region["label"], transform=axes.transAxes, rotation=place.rotation,
            ha="center", va="center", fontsize=layout.font, path_effects=[_HALO], **bold,
        )  # fmt: skip
    return unnamed


def mark_allowed(axes: Axes, board: LabelBoard, layout: Layout, record: ExclusionMapRecord) -> None:
    """Fill the allowed region white, outline it if it is small, and label it or point at it."""
    found = [region for region in record["regions"] if region["kind"] == "allowed"]
    if not found or not found[0]["polygons"]:
        return
    allowed = found[0]
    shape = region_shape(record, allowed)
    axes.add_artist(PathPatch(as_path(allowed["polygons"]), facecolor="w", linewidth=0))
    if shape.area < _PLAIN:
        axes.add_artist(
            PathPatch(
                path_in_axes(_closed(shape, layout.fraction(1.5 * _OUTLINE))), facecolor="none",
                edgecolor=BEST_FIT_COLOUR, linewidth=_OUTLINE, transform=axes.transAxes,
            )
        )  # fmt: skip
    parts = getattr(shape, "geoms", [shape])
    widest = max(parts, key=lambda part: part.area)
    target = widest.representative_point()
    text = "allowed"
    size = text_size(text, layout.font, layout.axes)
    inside = board.place(board.mask(widest), size)
    if shape.area < _PLAIN:  # no label may cover it
        board.take(board.mask(shape.buffer(layout.fraction(3 * _OUTLINE))))
    if inside is not None:
        axes.text(
            inside.x, inside.y, text, transform=axes.transAxes, rotation=inside.rotation,
            ha="center", va="center", fontsize=layout.font, color=BEST_FIT_COLOUR,
        )  # fmt: skip
        return
    place = board.place_near((target.x, target.y), size)
    if place is not None:
        axes.annotate(
            text, (target.x, target.y), (place.x, place.y), xycoords="axes fraction",
            ha="center", va="center", fontsize=layout.font, color=BEST_FIT_COLOUR,
            arrowprops={"arrowstyle": "->", "color": BEST_FIT_COLOUR, "linewidth": 1.2},
            bbox={"facecolor": "w", "edgecolor": "none", "pad": 1.0},
        )  # fmt: skip


def label_beside(
    axes: Axes,
    layout: Layout,
    anchors: Sequence[tuple[str, str, tuple[float, float]]],
    *,
    dark: bool,
) -> None:
    """Write labels beside the plane, each joined to its place by a line.

    Parameters
    ----------
    axes
        Axes of the plane.
    layout
        Sizes of the figure.
    anchors
        Label, colour, and place in fractions of the axes, of each region.
    dark
        True if the colours are dark enough for text.
    """
    size = max(layout.small - 0.5, SMALLEST_TEXT)
    step = 1.25 * size / 72 / layout.axes[1]
    ordered = sorted(anchors, key=lambda anchor: anchor[2][1])
    heights = _spread([place[1] for _, _, place in ordered], step)
    start = 1 + _STUB / layout.axes[0]
    for (label, colour, (x, y)), height in zip(ordered, heights, strict=True):
        axes.plot(
            [x, 1.0, start], [y, height, height], color=colour, linewidth=0.5, clip_on=False,
            transform=axes.transAxes,
        )  # fmt: skip
        axes.plot(x, y, ".", color=colour, markersize=2.5, transform=axes.transAxes)
        axes.text(
            start + 0.01, height, label, transform=axes.transAxes, ha="left", va="center",
            fontsize=size, color=colour if dark else "k",
        )  # fmt: skip


def _spread(heights: Sequence[float], step: float) -> list[float]:
    """Return ordered heights moved apart by at least a step, inside 0 to 1 if they fit.

    Examples
    --------
    >>> [round(height, 2) for height in _spread([0.5, 0.5, 0.95, 0.99], 0.1)]
    [0.5, 0.6, 0.9, 1.0]
    """
    found = list(heights)
    for index in range(1, len(found)):
        found[index] = max(found[index], found[index - 1] + step)
    ceiling = 1.0
    for index in reversed(range(len(found))):
        found[index] = min(found[index], ceiling)
        ceiling = found[index] - step
    return found


def anchor_of(shape: BaseGeometry) -> tuple[float, float]:
    """Return a place inside a region of the unit square, near its right end.

    Examples
    --------
    >>> anchor_of(box(0.2, 0.4, 0.6, 0.6))
    (0.55, 0.5)
    """
    parts = [part for part in getattr(shape, "geoms", [shape]) if part.area > 0]
    part = max(parts, key=lambda own: own.area)
    left, bottom, right, top = part.bounds
    x = max(min(right - _INSIDE, 1 - _INSIDE), 0.5 * (left + right))
    column = part.intersection(LineString([(x, bottom - 1), (x, top + 1)]))
    longest = max(getattr(column, "geoms", [column]), key=lambda own: own.length)
    middle = longest.interpolate(0.5, normalized=True)
    return round(float(middle.x), 9), round(float(middle.y), 9)


def _closed(shape: BaseGeometry, gap: float) -> BaseGeometry:
    """Return a shape without gaps that an outline would cover, up to a fraction of the axes."""
    half = gap / 2
    closed: BaseGeometry = shape.buffer(half, join_style="mitre").buffer(-half, join_style="mitre")
    return closed
