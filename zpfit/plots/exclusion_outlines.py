"""Exclusion plots of many regions: one grey area, and outlines where a limit is the strongest."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, pairwise
from typing import Any

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import PathPatch
from shapely import LineString, MultiLineString, MultiPolygon, Point, Polygon, box, unary_union
from shapely.geometry.base import BaseGeometry

from zpfit.analysis.records import ExclusionMapRecord
from zpfit.io.arrays import FloatArray
from zpfit.plots.exclusion_layout import Layout, path_in_axes, region_shape
from zpfit.plots.labels import LabelBoard, Mask, text_size
from zpfit.plots.style import SMALLEST_TEXT

_SQUARE = box(0, 0, 1, 1)
_INNER = box(0.008, 0.008, 0.992, 0.992)
"""Part of the plane in which lines are drawn, clear of the frame."""
_EXCLUDED_COLOUR, _WALL_COLOUR = "#C6C6C6", "#DEDEDE"
"""Grey of the excluded area, and of stretches that one region excludes from bottom to top."""
_COLOURS = (
    "#332288", "#CC3311", "#117733", "#AA4499", "#0077BB", "#8A6D00", "#882255", "#009988",
    "#EE7733", "#555555", "#4477AA", "#AA3377", "#000000", "#994F00", "#5D8AA8",
)  # fmt: skip
"""Dark colours of lines and their labels, legible on white and on grey."""
_THIN, _THICK = 0.5, 1.3
"""Widths in points of an outline, and of its part where the limit is the strongest."""
_SHORTEST, _SHORTEST_WALL = 0.03, 0.3
"""Lengths of an edge, in sides of the plane, below which it is not drawn as a leading limit."""
_SAME = 2e-3
"""Distance up to which two edges count as one."""
_FLAT = 1e-3
"""Height of slivers between a region and the frame that are rounding errors."""
_FAR = 0.07
"""Distance in inches from which a line joins label and edge."""
_TRIES, _STEP = 12, 0.04
"""Tries for a label whose line does not cross others, and the distance between them."""
_PLACES = 60
"""Points along an edge beside which its label may lie."""


@dataclass(frozen=True)
class Leader:
    """A limit that is the strongest one somewhere."""

    label: str
    shape: BaseGeometry
    """Its region."""
    edges: tuple[BaseGeometry, ...]
    """Parts of its outline where no other limit reaches beyond it; they may overlap."""

    @property
    def length(self) -> float:
        """Length of the longest line of the edges."""
        return float(self.longest.length)

    @property
    def longest(self) -> LineString:
        """Longest line of the edges."""
        return max(
            (line for edge in self.edges for line in _merged_lines(edge)),
            key=lambda line: line.length,
        )


def split_at_walls(shape: BaseGeometry) -> tuple[BaseGeometry, BaseGeometry]:
    """Return the columns of the unit square that a shape covers entirely, and the rest of it.

    Examples
    --------
    >>> wall, rest = split_at_walls(unary_union([box(0, 0, 0.3, 1), box(0, 0.8, 1, 1)]))
    >>> wall.bounds, rest.bounds
    ((0.0, 0.0, 0.3, 1.0), (0.3, 0.8, 1.0, 1.0))
    """
    left = [part for part in _polygons(_SQUARE.difference(shape)) if _height(part) > _FLAT]
    shadow = unary_union([box(part.bounds[0], 0, part.bounds[2], 1) for part in left])
    return _union([_SQUARE.difference(shadow)]), _union([shape.intersection(shadow)])


def ceiling(shape: BaseGeometry) -> BaseGeometry:
    """Return the part of a shape in the unit square from which it reaches straight up to the top.

    Examples
    --------
    >>> ceiling(box(0, 0.5, 1, 1).difference(box(0.2, 0.6, 0.4, 0.7))).area
    0.46
    """
    rings = [
        ring for part in _polygons(_SQUARE.difference(shape)) for ring in _rings(part)
    ]  # all that lies below what the shape leaves out does not reach the top
    below = [
        Polygon([(a, 0), (a, top), (b, next_top), (b, 0)])
        for ring in rings
        for (a, top), (b, next_top) in pairwise(ring.simplify(_SAME / 10).coords)
        if a != b
    ]
    return _union([_SQUARE.difference(unary_union(below))])


def leaders(shapes: Mapping[str, BaseGeometry]) -> list[Leader]:
    """Return the limits that are the strongest ones along some stretch.

    Upper limits, which exclude all larger values, compete with each other, and the rest of all
    regions with all others. A region that excludes whole columns of the plane hides no limit.

    Parameters
    ----------
    shapes
        Excluded regions in the unit square, by label.

    Examples
    --------
    >>> shapes = {"A": box(0, 0.5, 0.6, 1), "B": box(0.4, 0.6, 1, 1), "C": box(0, 0.9, 1, 1)}
    >>> [one.label for one in leaders({**shapes, "D": box(0.2, 0.2, 0.5, 0.5)})]
    ['A', 'B', 'D']
    """
    split = {label: split_at_walls(shape) for label, shape in shapes.items()}
    walls = {label: wall.boundary.intersection(_INNER) for label, (wall, _) in split.items()}
    barred = unary_union(list(walls.values())).buffer(2 * _SAME)
    rests = {label: rest for label, (_, rest) in split.items() if not rest.is_empty}
    edges = {label: [wall] for label, wall in walls.items() if wall.length > _SHORTEST_WALL}
    for competing in ({label: ceiling(rest) for label, rest in rests.items()}, rests):
        for label, edge in _strongest(competing, barred):
            edges.setdefault(label, []).append(edge)
    return [Leader(label, shapes[label], tuple(own)) for label, own in edges.items()]


def _strongest(
    shapes: Mapping[str, BaseGeometry], barred: BaseGeometry
) -> Iterator[tuple[str, BaseGeometry]]:
    """Yield shapes with their parts of the outline of the union, the longest part first."""
    front = _union(shapes.values()).boundary.intersection(_INNER).difference(barred)
    near = {label: shape.boundary.buffer(_SAME) for label, shape in shapes.items()}
    while near:
        edges = {label: front.intersection(own) for label, own in near.items()}
        label = max(edges, key=lambda name: edges[name].length)
        if edges[label].length < _SHORTEST:
            return
        front = front.difference(near.pop(label))
        yield label, edges[label]


def draw_outlines(
    axes: Axes,
    board: LabelBoard,
    layout: Layout,
    record: ExclusionMapRecord,
    regions: Sequence[Mapping[str, Any]],
    colours: Mapping[str, str],
    taken: Sequence[str] = (),
) -> list[tuple[Leader, str]]:
    """Draw excluded regions as one grey area with the outlines of the leading limits.

    Parameters
    ----------
    axes
        Axes with limits and scales.
    board
        Gets the places of outlines.
    layout
        Sizes of the figure.
    record
        The map.
    regions
        The excluded regions of the map.
    colours
        Colours of some labels; the other lines get colours of their own.
    taken
        Colours that no other line may have.

    Returns
    -------
    list of (Leader, str)
        Leading limits and the colours of their lines, the longest first.
    """
    shapes = _by_label(record, regions)
    split = [split_at_walls(shape) for shape in shapes.values()]
    _fill(axes, _union(wall for wall, _ in split), _WALL_COLOUR)
    _fill(axes, _union(rest for _, rest in split), _EXCLUDED_COLOUR)
    board.take_frame(0.02)
    found = leaders(shapes)
    own = {one.label: colours[one.label] for one in found if one.label in colours}
    avoided = {*taken, *own.values()}
    free = cycle([colour for colour in _COLOURS if colour not in avoided] or _COLOURS)
    pairs = [(one, own[one.label] if one.label in own else next(free)) for one in found]
    for leader, colour in pairs:
        _draw_lines(axes, leader.shape.boundary, colour, _THIN)
        for edge in leader.edges:
            _draw_lines(axes, edge, colour, _THICK)
            board.take(board.mask(edge.buffer(layout.fraction(2 * _THICK))))
    return sorted(pairs, key=lambda pair: -pair[0].length)


def line_colours(figures: Iterable[Sequence[str]]) -> dict[str, str]:
    """Return a colour for each label, the same in all figures.

    Labels of one figure have different colours as long as there are enough.

    Parameters
    ----------
    figures
        Labels of the leading limits of each figure.

    Examples
    --------
    >>> found = line_colours([["A", "B"], ["C", "B"]])
    >>> len(set(found.values())), found["B"] in (found["A"], found["C"])
    (2, False)
    """
    together: dict[str, set[str]] = {}
    for labels in figures:
        for label in labels:
            together.setdefault(label, set()).update(labels)
    found: dict[str, str] = {}
    for label in sorted(together, key=lambda label: -len(together[label])):
        used = Counter(found[other] for other in together[label] if other in found)
        found[label] = min(_COLOURS, key=lambda colour: used[colour])
    return found


def outlined_labels(record: ExclusionMapRecord, regions: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the labels of the leading limits of a map, which :func:`draw_outlines` draws."""
    return [one.label for one in leaders(_by_label(record, regions))]


def label_outlines(
    axes: Axes, board: LabelBoard, layout: Layout, pairs: Sequence[tuple[Leader, str]]
) -> None:
    """Write the label of each leading limit beside its edge, in the colour of its line."""
    thin = board.empty()
    for leader, _ in pairs:
        thin |= board.mask(leader.shape.boundary.buffer(layout.fraction(2 * _THIN)))
    labels = _Labels(axes, board, layout, thin)
    for leader, colour in pairs:
        labels.add(leader, colour)


def anchor_on(leader: Leader) -> tuple[float, float]:
    """Return the place on the longest edge of a limit where a line to its label begins."""
    line = leader.longest
    ends = np.asarray(line.coords)
    place = line.interpolate(0.7 if ends[-1, 0] >= ends[0, 0] else 0.3, normalized=True)
    return float(place.x), float(place.y)


def _by_label(
    record: ExclusionMapRecord, regions: Sequence[Mapping[str, Any]]
) -> dict[str, BaseGeometry]:
    """Return shapes by label; regions of one label, such as two runs of one search, are joined."""
    shapes: dict[str, BaseGeometry] = {}
    for region in regions:
        shape = _union([region_shape(record, region)])
        known = shapes.get(region["label"])
        shapes[region["label"]] = shape if known is None else _union([known, shape])
    return shapes


def _union(shapes: Iterable[BaseGeometry]) -> MultiPolygon:
    """Return the union of the polygons in shapes; lines and points are dropped."""
    joined = unary_union([part for shape in shapes for part in _polygons(shape)])
    return MultiPolygon(list(_polygons(joined)))


def _fill(axes: Axes, shape: BaseGeometry, colour: str) -> None:
    if not shape.is_empty:
        path = path_in_axes(shape)
        axes.add_artist(PathPatch(path, facecolor=colour, linewidth=0, transform=axes.transAxes))


def _draw_lines(axes: Axes, lines: BaseGeometry, colour: str, width: float) -> None:
    inside = lines.intersection(_INNER)
    corners = [np.asarray(line.coords) for line in _lines(inside)]
    axes.add_artist(
        LineCollection(corners, colors=colour, linewidths=width, transform=axes.transAxes)
    )


class _Labels:
    """Labels beside edges, placed one after the other.

    Parameters
    ----------
    axes
        Axes to write on.
    board
        Occupied parts of the axes.
    layout
        Sizes of the figure.
    thin
        Pixels of thin lines, which labels avoid if they can.
    """

    def __init__(self, axes: Axes, board: LabelBoard, layout: Layout, thin: Mask) -> None:
        self._axes, self._board, self._layout, self._thin = axes, board, layout, thin
        self._size = max(layout.small - 0.5, SMALLEST_TEXT)
        self._boxes: list[BaseGeometry] = []

    def add(self, leader: Leader, colour: str) -> None:
        """Write a label beside its edge, and join it to the edge if it is far away."""
        size = np.array(text_size(leader.label, self._size, self._layout.axes))
        points = _points_along(leader.longest)
        barred = self._board.empty()
        for _ in range(_TRIES):
            place = self._board.place_beside(points, (size[0], size[1]), self._thin, barred)
            if place is None:
                return
            centre = np.array([place.x, place.y])
            target, gap = _nearest(points, centre, size, self._layout.axes)
            line = LineString([np.clip(target, centre - size / 2, centre + size / 2), target])
            if gap <= _FAR or not any(line.intersects(box) for box in self._boxes):
                break
            barred |= self._board.mask(Point(centre).buffer(_STEP))
        self._write(leader.label, colour, centre, size)
        if gap > _FAR:
            _draw_lines(self._axes, line, colour, _THIN)
            self._board.take(self._board.mask(line.buffer(self._layout.fraction(2 * _THIN))))

    def _write(self, text: str, colour: str, centre: FloatArray, size: FloatArray) -> None:
        self._board.take_box(centre[0], centre[1], (size[0], size[1]))
        self._boxes.append(box(*(centre - size / 2), *(centre + size / 2)))
        self._axes.text(
            centre[0], centre[1], text, transform=self._axes.transAxes, ha="center", va="center",
            fontsize=self._size, color=colour,
        )  # fmt: skip


def _points_along(line: LineString) -> FloatArray:
    """Return points along a line, shape (n, 2)."""
    shares = np.linspace(0.05, 0.95, _PLACES)
    places = shapely.line_interpolate_point(line, shares, normalized=True)
    return np.asarray(shapely.get_coordinates(places))


def _nearest(
    points: FloatArray, centre: FloatArray, size: FloatArray, axes: tuple[float, float]
) -> tuple[FloatArray, float]:
    """Return the point nearest to a box, and the gap between them in inches."""
    away = np.maximum(np.abs(points - centre) - size / 2, 0) * np.array(axes)
    gaps = np.hypot(away[:, 0], away[:, 1])
    best = int(np.argmin(gaps))
    return points[best], float(gaps[best])


def _polygons(shape: BaseGeometry) -> Iterator[Polygon]:
    """Yield the polygons of a shape, also those of multipolygons inside a collection."""
    if isinstance(shape, Polygon):
        if not shape.is_empty:
            yield shape
        return
    for part in getattr(shape, "geoms", ()):
        yield from _polygons(part)


def _lines(shape: BaseGeometry) -> list[LineString]:
    parts = getattr(shape, "geoms", [shape])
    return [part for part in parts if isinstance(part, LineString) and not part.is_empty]


def _merged_lines(shape: BaseGeometry) -> list[LineString]:
    lines = _lines(shape)
    return _lines(shapely.line_merge(MultiLineString(lines))) if len(lines) > 1 else lines


def _rings(part: Polygon) -> Iterator[LineString]:
    yield part.exterior
    yield from part.interiors


def _height(part: Polygon) -> float:
    return float(part.bounds[3] - part.bounds[1])
