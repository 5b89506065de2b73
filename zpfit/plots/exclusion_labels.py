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
    AXES_SIZE,
    FONT,
    SMALL,
    as_path,
    path_in_axes,
    region_shape,
    unit_points,
)
from zpfit.plots.labels import LabelBoard, text_size
from zpfit.plots.style import BEST_FIT_COLOUR

_PLACES, _LABEL_ROOM = 41, 0.2
"""Fractions of a contour where its label can be, and the free space around it in inches."""
_OUTLINE = 1.1
"""Width of the outline of the allowed region, in points."""
_HALO = withStroke(linewidth=1.8, foreground="w", alpha=0.85)
"""Outline of labels, which makes them legible on any colour."""


def label_contours(
    axes: Axes,
    board: LabelBoard,
    record: ExclusionMapRecord,
    drawn: Sequence[Mapping[str, Any]],
) -> None:
    """Write each level on its longest line, away from other lines and edges."""

    def inches(ring: Sequence[Sequence[float]]) -> FloatArray:
        return unit_points(record, ring) * AXES_SIZE

    lines = [[inches(line) for line in contour["lines"]] for contour in record["contours"]]
    edges = [inches(ring) for region in drawn for rings in region["polygons"] for ring in rings]
    for index, contour in enumerate(record["contours"]):
        if not lines[index]:
            continue
        longest = max(lines[index], key=lambda line: LineString(line).length)
        others = [line for each in lines[:index] + lines[index + 1 :] for line in each]
        x, y = _clearest(longest, [*others, *edges]) / AXES_SIZE
        text = _level(contour["level"])
        board.take_box(x, y, text_size(text, SMALL, AXES_SIZE))
        axes.text(
            x,
            y,
            text,
            transform=axes.transAxes,
            fontsize=SMALL,
            ha="center",
            va="center",
            bbox={"facecolor": "w", "edgecolor": "none", "pad": 0.8, "alpha": 0.9},
        )


def _clearest(line: FloatArray, others: Sequence[FloatArray]) -> FloatArray:
    """Return the point of a line, in inches, that is nearest to its middle and clear of others."""
    shares, frame = np.linspace(0, 1, _PLACES), box(0, 0, *AXES_SIZE).exterior
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
        size = text_size(region["label"], FONT, AXES_SIZE)
        # Where few others lie on top, so that it is clear what is meant.
        depths = range(1, int(layers.max()) + 1)
        places = (board.place(mask & (layers <= depth), size) for depth in depths)
        place = next((place for place in places if place is not None), None)
        if place is None:
            unnamed.append(region)
            continue
        axes.text(
            place.x, place.y, region["label"], transform=axes.transAxes, rotation=place.rotation,
            ha="center", va="center", fontsize=FONT, path_effects=[_HALO],
        )  # fmt: skip
    return unnamed


def mark_allowed(axes: Axes, board: LabelBoard, record: ExclusionMapRecord) -> None:
    """Fill and outline the allowed region, and write its label inside or beside it."""
    [allowed] = [region for region in record["regions"] if region["kind"] == "allowed"]
    if not allowed["polygons"]:
        return
    shape = region_shape(record, allowed)
    axes.add_artist(PathPatch(as_path(allowed["polygons"]), facecolor="w", linewidth=0))
    axes.add_artist(
        PathPatch(
            path_in_axes(_closed(shape, 1.5 * _OUTLINE)), facecolor="none",
            edgecolor=BEST_FIT_COLOUR, linewidth=_OUTLINE, transform=axes.transAxes,
        )
    )  # fmt: skip
    parts = getattr(shape, "geoms", [shape])
    widest = max(parts, key=lambda part: part.area)
    target = widest.representative_point()
    text = "allowed"
    size = text_size(text, FONT, AXES_SIZE)
    inside = board.place(board.mask(widest), size)
    board.take(board.mask(shape.buffer(_points(3 * _OUTLINE))))  # no label may cover it
    if inside is not None:
        axes.text(
            inside.x, inside.y, text, transform=axes.transAxes, rotation=inside.rotation,
            ha="center", va="center", fontsize=FONT, color=BEST_FIT_COLOUR,
        )  # fmt: skip
        return
    place = board.place_near((target.x, target.y), size)
    if place is not None:
        axes.annotate(
            text, (target.x, target.y), (place.x, place.y), xycoords="axes fraction",
            ha="center", va="center", fontsize=FONT, color=BEST_FIT_COLOUR,
            arrowprops={"arrowstyle": "->", "color": BEST_FIT_COLOUR, "linewidth": 1.2},
            bbox={"facecolor": "w", "edgecolor": "none", "pad": 1.0},
        )  # fmt: skip


def _points(length: float) -> float:
    """Return a length in points as a fraction of the axes."""
    return length / 72 / min(AXES_SIZE)


def _closed(shape: BaseGeometry, gap: float) -> BaseGeometry:
    """Return a shape without gaps that an outline would cover."""
    half = _points(gap) / 2
    closed: BaseGeometry = shape.buffer(half, join_style="mitre").buffer(-half, join_style="mitre")
    return closed
