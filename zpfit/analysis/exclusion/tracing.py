"""Boundaries of regions in a unit square, traced to a tolerance.

A mesh finds the regions. The corners on its lines are then moved to the boundary, and every
segment between two corners is divided until the boundary between them is straight. Jumps and
kinks of published curves are thus followed as closely as smooth formulas.
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
"""Function that is positive inside a region.

Takes coordinates, shape (n, 2), and the index of a region at each, shape (n,); returns shape (n,).
All regions share each call, because starting a call can be expensive.
"""

MESH = 200
"""Cells along each side. A region narrower than a cell can be missed."""
SQUARE = box(0, 0, 1, 1)


@dataclass(frozen=True)
class Tolerance:
    """Precision of boundaries, in units of the side of the square."""

    corner: float
    """Precision of corners."""
    sag: float
    """Largest distance between the boundary and the straight line between two corners."""
    max_divisions: int = 5
    """Largest number of times that a segment is divided; each adds two corners."""


_FINE = Tolerance(corner=1e-6, sag=2e-5)
_DIVISION = (1 / 3, 2 / 3)
"""Fractions of a segment at which it is compared with the boundary and divided.

The middle alone would miss symmetric deviations.
"""
_REACHES = (0.05, 0.5, 2.0)
"""Distances on either side of a segment at which the boundary is searched, in its lengths.

The smallest comes first, because thin strips have a second boundary close by. The largest finds
spikes.
"""
_NEARLY_ZERO, _HUGE = 1e-300, 1e300
"""Replacements of zero and infinite depths."""
_SAME_SIGN = -1
"""Status of ``find_root`` if the function has the same sign at both ends of a bracket."""
_BORDER = 1e-12
"""Distance from the border of the square at which a point lies on it."""
_SLIVER = 5e-5
"""Half the width below which a strip is an artefact: two tracings of the same line differ."""
_SHARPEST = 20.0
"""Largest length over width of tips of regions that are kept."""

Ring = FloatArray
"""Corners of a closed line, shape (n, 2); the last one equals the first."""


def mesh_nodes(mesh: int = MESH) -> FloatArray:
    """Return the nodes of a mesh row by row, shape ((mesh + 1)^2, 2)."""
    side = np.linspace(0, 1, mesh + 1)
    return np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)


def trace(depth: Depth, on_mesh: FloatArray, tolerance: Tolerance = _FINE) -> list[BaseGeometry]:
    """Trace the regions of the unit square where ``depth`` is positive.

    Parameters
    ----------
    depth
        See :data:`Depth`.
    on_mesh
        Depth of each of k regions at :func:`mesh_nodes`, shape (k, nodes).
    tolerance
        Precision of the boundaries.

    Returns
    -------
    list of shapely geometries
        One for each region.
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
    """Return polygons with corners half-way between nodes: an outer ring and its holes each."""
    side = _side(inside)
    nodes = np.linspace(0, 1, side)
    signs = np.where(inside, 1.0, -1.0).reshape(side, side)
    generator = contour_generator(nodes, nodes, signs, fill_type=FillType.OuterOffset)
    return [
        np.split(np.asarray(points, dtype=float), starts[1:-1].astype(int))
        for points, starts in zip(*generator.filled(0, 2), strict=True)
    ]


def _polygon(rings: Sequence[Ring]) -> BaseGeometry:
    # Neighbouring corners may have moved past each other; a buffer of zero repairs that.
    return Polygon(rings[0], rings[1:]).buffer(0)


def without_slivers(region: BaseGeometry, half_width: float = _SLIVER) -> MultiPolygon:
    """Return a region without strips that are narrower than the precision of boundaries."""
    core = _grown(_grown(region, -half_width), 1.01 * half_width)
    opened = core.intersection(region)
    parts = getattr(opened, "geoms", [opened])
    return MultiPolygon([p for p in parts if isinstance(p, Polygon) and not p.is_empty])


def _grown(region: BaseGeometry, distance: float) -> BaseGeometry:
    return region.buffer(distance, join_style="mitre", mitre_limit=_SHARPEST)


def inner_lines(region: BaseGeometry) -> list[FloatArray]:
    """Return the lines of a boundary that lie inside the square, each of shape (n, 2)."""
    if region.is_empty:
        return []
    lines = line_merge(region.boundary.difference(SQUARE.boundary.buffer(_FINE.corner)))
    parts = getattr(lines, "geoms", [lines])
    return [np.asarray(part.coords) for part in parts if not part.is_empty]


def _refine(
    depth: Depth, rings: Sequence[Ring], which: Indices, cell: float, tolerance: Tolerance
) -> list[Ring]:
    """Return rings with their corners on the boundary, and more corners where it bends."""
    points = np.concatenate(rings)
    ring = np.repeat(np.arange(len(rings)), [len(r) for r in rings])
    points = _onto_boundary(depth, points, which[ring], cell, tolerance.corner)
    follow: NDArray[np.bool_] = ~_along_border(points)
    follow &= np.roll(ring, -1) == ring
    follow[-1] = False
    for _ in range(tolerance.max_divisions):
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
    """Move corners along their mesh line to the point where the depth changes sign."""
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
    """Return points between pairs of points where the depth changes sign, shape (n, 2).

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
        # A whole area may have depth zero, so that a zero must not count as the crossing.
        return np.clip(np.where(values == 0, -_NEARLY_ZERO, values), -_HUGE, _HUGE)

    result = find_root(
        at,
        (np.zeros(len(low)), length),
        args=(np.arange(len(low)),),
        tolerances={"xatol": precision, "xrtol": 0.0, "fatol": 0.0, "frtol": 0.0},
    )
    # A profile can have found a solution since, so that the sign no longer changes.
    distance = np.where(result.status == _SAME_SIGN, length / 2, result.x)
    crossing: FloatArray = low + distance[:, None] * direction
    return crossing


def _along_border(points: FloatArray) -> NDArray[np.bool_]:
    """Return whether the line from each point to the next lies on the border of the square."""
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
    """Return the boundary at the division of each segment, (n, 2, 2), and its deviation.

    The second result is True where the boundary is farther away than the tolerance, (n, 2).
    """
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
    """Return points moved along ``across`` to the boundary if it is near; shape (n, 2)."""
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
