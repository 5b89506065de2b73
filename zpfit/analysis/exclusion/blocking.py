"""Regions that exclude a whole plane: each that does so alone, or the smallest set."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from scipy.optimize import Bounds, LinearConstraint, milp
from shapely import MultiPolygon
from shapely.geometry.base import BaseGeometry

from zpfit.analysis.exclusion.exclusion import NamedRegion
from zpfit.analysis.exclusion.tracing import SQUARE
from zpfit.io.arrays import FloatArray

_SMALL = 1e-9
"""Areas below this are rounding errors of boundaries."""


@dataclass(frozen=True)
class Blocking:
    """Regions that leave nothing of a plane."""

    regions: tuple[NamedRegion, ...]
    alone: bool
    """True if each excludes the whole plane; else they do so together, and no fewer."""


def blocking(regions: Sequence[NamedRegion]) -> Blocking | None:
    """Return the regions that exclude a whole plane, or None if something is allowed.

    Parameters
    ----------
    regions
        All regions of a plane.
    """
    forbidding = [one for one in regions if _forbidden(one).area > _SMALL]
    shapes = [_forbidden(one) for one in forbidding]
    alone = [one for one, shape in zip(forbidding, shapes, strict=True) if _is_all(shape)]
    if alone:
        return Blocking(tuple(alone), alone=True)
    if not _is_all(shapely.unary_union(shapes)):
        return None
    return Blocking(tuple(forbidding[i] for i in _smallest_cover(shapes)), alone=False)


def _forbidden(one: NamedRegion) -> BaseGeometry:
    """Return what a region forbids: nothing where it is the allowed one, all beside a band."""
    if one.kind == "allowed":
        return MultiPolygon()
    return SQUARE.difference(one.region) if one.kind == "band" else one.region


def _is_all(shape: BaseGeometry) -> bool:
    return bool(SQUARE.difference(shape).area < _SMALL)


def _smallest_cover(shapes: Sequence[BaseGeometry]) -> list[int]:
    """Return the indices of the fewest shapes that cover the plane.

    Points demand a cover; those that a choice misses are added until it misses none.
    """
    demands = np.empty((0, len(shapes)))
    while True:
        chosen = _fewest(demands)
        rest = SQUARE.difference(shapely.unary_union([shapes[index] for index in chosen]))
        parts = [part for part in getattr(rest, "geoms", [rest]) if part.area > _SMALL]
        missed = [shapely.covers(shapes, part.representative_point()) for part in parts]
        missed = [row for row in missed if row.any()]  # others lie between two boundaries
        if not missed:
            return chosen
        demands = np.vstack([demands, np.array(missed, dtype=float)])


def _fewest(demands: FloatArray) -> list[int]:
    """Return the smallest choice of columns with a 1 in each row."""
    if not len(demands):
        return []
    number = demands.shape[1]
    found = milp(
        np.ones(number),
        integrality=np.ones(number),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(demands, lb=1),
    )
    return [int(index) for index in np.flatnonzero(found.x > 0.5)]
