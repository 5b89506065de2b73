"""Boundaries of regions in a unit square, traced to a tolerance instead of read off a mesh.

A mesh only says which regions there are. The corners on its lines are then moved to the boundary,
and every stretch between two corners is divided until the boundary is straight, so that jumps
and kinks of published curves are followed as closely as smooth formulas.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from contourpy import FillType, contour_generator
from numpy.typing import NDArray
from scipy.optimize.elementwise import find_root
from shapely import MultiPolygon, Polygon, box, line_merge, unary_union
from shapely.geometry.base import BaseGeometry

from zpfit.io.arrays import FloatArray

Indices = NDArray[np.intp]
Depth = Callable[[FloatArray, Indices], FloatArray]
"""How deep inside a region points are, positive inside: coordinates (n, 2) and which of several
regions is meant at each, (n,), to (n,). All regions share each call, which may be dear to start."""

MESH = 200
"""Cells along each side; a region narrower than one of them may be missed."""
SQUARE = box(0, 0, 1, 1)


@dataclass(frozen=True)
class Tolerance:
    """How closely boundaries are followed, in units of the side as everything here."""

    corner: float
    """Precision of corners."""
    sag: float
    """Distance of the boundary from the line between two corners at which it is straight."""


_FINE = Tolerance(corner=1e-6, sag=2e-5)
_DIVISION = (1 / 3, 2 / 3)
"""Where a stretch is compared with the boundary and divided; halves miss what is symmetric."""
_MAX_DIVISIONS = 5
_REACHES = (0.05, 0.5, 2.0)
"""How far to either side of a straight line to look for the boundary, in lengths of the line.

The nearest first, as thin strips have another boundary close by; the farthest for spikes.
"""
_NEARLY_ZERO, _HUGE = 1e-300, 1e300
"""What zero and infinite depths are taken for."""
_SAME_SIGN = -1
"""Status of a bracket at both ends of which a function has the same sign."""
_BORDER = 1e-12
_SLIVER = 5e-5
"""Half the width below which a strip is what two tracings of one line leave between them."""
_SHARPEST = 20.0
"""Length over width of the tips of regions that are kept."""

Ring = FloatArray
"""Corners of a closed line, the first one again as the last, shape (n, 2)."""


def mesh_nodes(mesh: int = MESH) -> FloatArray:
    """Nodes of a mesh row by row, shape ((mesh + 1)^2, 2)."""
    side = np.linspace(0, 1, mesh + 1)
    return np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)


def trace(depth: Depth, on_mesh: FloatArray, tolerance: Tolerance = _FINE) -> list[BaseGeometry]:
    """The regions of the unit square where ``depth`` is positive.

    ``on_mesh`` is the depth of each of k regions at :func:`mesh_nodes`, shape (k, nodes).
    """
    outlines = [_outlines(values > 0) for values in on_mesh]
    rings = [ring for polygons in outlines for polygon in polygons for ring in polygon]
    which = np.repeat(np.arange(len(outlines)), [sum(map(len, o)) for o in outlines])
    cell = 1 / (_side(on_mesh[0]) - 1)
    refined = iter(_refine(depth, rings, which, cell, tolerance) if rings else ())
    return [
        unary_union([_polygon([next(refined) for _ in polygon]) for polygon in polygons])
        for polygons in outlines
    ]


def _side(nodes: FloatArray | NDArray[np.bool_]) -> int:
    return math.isqrt(len(nodes))


def _outlines(inside: NDArray[np.bool_]) -> list[list[Ring]]:
    """Polygons with corners half-way between nodes, each an outer ring and its holes."""
    side = _side(inside)
    nodes = np.linspace(0, 1, side)
    signs = np.where(inside, 1.0, -1.0).reshape(side, side)
    generator = contour_generator(nodes, nodes, signs, fill_type=FillType.OuterOffset)
    return [
        np.split(np.asarray(points, dtype=float), starts[1:-1].astype(int))
        for points, starts in zip(*generator.filled(0, 2), strict=True)
    ]


def _polygon(rings: Sequence[Ring]) -> BaseGeometry:
    # Neighbouring corners may have moved past each other, which a buffer of zero mends.
    return Polygon(rings[0], rings[1:]).buffer(0)


def without_slivers(region: BaseGeometry, half_width: float = _SLIVER) -> MultiPolygon:
    """A region without strips that are narrower than the precision of their boundaries."""
    core = _grown(_grown(region, -half_width), 1.01 * half_width)
    opened = core.intersection(region)
    parts = getattr(opened, "geoms", [opened])
    return MultiPolygon([p for p in parts if isinstance(p, Polygon) and not p.is_empty])


def _grown(region: BaseGeometry, distance: float) -> BaseGeometry:
    return region.buffer(distance, join_style="mitre", mitre_limit=_SHARPEST)


def inner_lines(region: BaseGeometry) -> list[FloatArray]:
    """The boundary of a region without what lies on the border of the square, each (n, 2)."""
    if region.is_empty:
        return []
    lines = line_merge(region.boundary.difference(SQUARE.boundary.buffer(_FINE.corner)))
    parts = getattr(lines, "geoms", [lines])
    return [np.asarray(part.coords) for part in parts if not part.is_empty]


def _refine(
    depth: Depth, rings: Sequence[Ring], which: Indices, cell: float, tolerance: Tolerance
) -> list[Ring]:
    """Every ring with its corners moved to the boundary, and more of them where it bends."""
    points = np.concatenate(rings)
    ring = np.repeat(np.arange(len(rings)), [len(r) for r in rings])
    points = _onto_boundary(depth, points, which[ring], cell, tolerance.corner)
    follow: NDArray[np.bool_] = ~_along_border(points)
    follow &= np.roll(ring, -1) == ring
    follow[-1] = False
    for _ in range(_MAX_DIVISIONS):
        found = np.flatnonzero(follow)
        if not len(found):
            break
        ends = points[found], points[found + 1]
        inner, off = _between(depth, *ends, which[ring[found]], tolerance)
        follow[found] = off.any(axis=1)
        new = np.repeat(found, len(_DIVISION))[off.ravel()]
        points = np.insert(points, new + 1, inner[off], axis=0)
        ring = np.insert(ring, new + 1, ring[new])
        follow = np.insert(follow, new + 1, True)
    return [points[ring == index] for index in range(len(rings))]


def _onto_boundary(
    depth: Depth, points: FloatArray, which: Indices, cell: float, precision: float
) -> FloatArray:
    """Move corners along the mesh line on which they lie to where the depth changes sign."""
    scaled = points / cell
    nearest = np.round(scaled)
    off_line = np.abs(scaled - nearest) > 1e-9
    # Nodes, which lie on two lines, are corners of the square.
    moving = off_line.any(axis=1)
    low = np.where(off_line, np.floor(scaled), nearest)[moving] * cell
    high = np.where(off_line, np.ceil(scaled), nearest)[moving] * cell
    result = points.copy()
    result[moving] = _crossing(depth, low, high, which[moving], precision)
    return result


def _crossing(
    depth: Depth, low: FloatArray, high: FloatArray, which: Indices, precision: float
) -> FloatArray:
    """Where the depth changes sign between pairs of points, shape (n, 2).

    Chandrupatla's method takes few steps where the depth is smooth, and hardly more than bisection
    where it jumps.
    """
    if not len(low):
        return low
    along = high - low
    length = np.hypot(*along.T)
    direction = along / length[:, None]

    def at(distance: FloatArray, index: Indices) -> FloatArray:
        values = depth(low[index] + distance[:, None] * direction[index], which[index])
        # A whole area may have depth zero, so that no zero may pass for the crossing.
        return np.clip(np.where(values == 0, -_NEARLY_ZERO, values), -_HUGE, _HUGE)

    result = find_root(
        at,
        (np.zeros(len(low)), length),
        args=(np.arange(len(low)),),
        tolerances={"xatol": precision, "xrtol": 0.0, "fatol": 0.0, "frtol": 0.0},
    )
    # A profile may have met since what it did not meet before, and the sign changes no more.
    distance = np.where(result.status == _SAME_SIGN, length / 2, result.x)
    crossing: FloatArray = low + distance[:, None] * direction
    return crossing


def _along_border(points: FloatArray) -> NDArray[np.bool_]:
    """Whether the line from each point to the next lies on the border of the square."""
    first, second = points, np.roll(points, -1, axis=0)
    on_low = (first < _BORDER) & (second < _BORDER)
    on_high = (first > 1 - _BORDER) & (second > 1 - _BORDER)
    return np.asarray((on_low | on_high).any(axis=1))


def _between(
    depth: Depth,
    first: FloatArray,
    second: FloatArray,
    which: Indices,
    tolerance: Tolerance,
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """The boundary at the division of each stretch, (n, 2, 2), and where that is off it, (n, 2)."""
    along = second - first
    straight = np.stack([first + share * along for share in _DIVISION], axis=1)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    times = len(_DIVISION)
    traced = _nearest_crossing(
        depth,
        straight.reshape(-1, 2),
        np.repeat(across, times, axis=0),
        np.repeat(which, times),
        tolerance.corner,
    )
    traced = traced.reshape(straight.shape)
    off: NDArray[np.bool_] = np.hypot(*np.moveaxis(traced - straight, 2, 0)) > tolerance.sag
    return traced, off


def _nearest_crossing(
    depth: Depth, points: FloatArray, across: FloatArray, which: Indices, precision: float
) -> FloatArray:
    """The points, moved along ``across`` to the boundary where it is in reach; shape (n, 2)."""
    ends = np.empty((2, len(points), 2))
    left = np.arange(len(points))
    for reach in _REACHES:
        steps = reach * across[left] * np.array([-1, 1])[:, None, None]
        ends[:, left] = np.clip(points[left] + steps, 0, 1)
        inside = depth(ends[:, left].reshape(-1, 2), np.tile(which[left], 2)) > 0
        left = left[inside[: len(left)] == inside[len(left) :]]
        if not len(left):
            break
    result = points.copy()
    found = np.setdiff1d(np.arange(len(points)), left)
    result[found] = _crossing(depth, ends[0, found], ends[1, found], which[found], precision)
    return result
