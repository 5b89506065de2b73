"""Which experiment forbids which part of a plane, and what is left."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon, unary_union
from shapely.geometry.base import BaseGeometry

from zpfit.errors import NotANumber
from zpfit.likelihood import Exclusion
from zpfit.measurement_terms import Measurement
from zpfit.models.base import in_words
from zpfit.physics.compiled import FloatArray
from zpfit.physics.couplings import COUPLING_NAMES
from zpfit.plane import Plane, PlanePoints
from zpfit.profiled_demands import Demand, Solutions
from zpfit.slice_file import Slice
from zpfit.tracing import (
    MESH,
    SQUARE,
    Indices,
    Tolerance,
    inner_lines,
    mesh_nodes,
    trace,
    without_slivers,
)

Kind = Literal["excluded", "band", "unreachable", "impossible", "joint", "allowed"]
"""Of a region: forbidden by a term, favoured by a measurement, without a solution for a solved
parameter, without a model, where profiled parameters meet each term but not all at once, and what
none of these forbids and every band favours."""

_SMALLEST = 1e-300
_OFF_LEVEL = 1e-3
"""Distance in ln from its level at which a contour has run into the edge of a region."""
_PROFILE_MESH = 50
_PROFILE_TOLERANCE = Tolerance(corner=5e-5, sag=2e-4)
"""As each point takes many descents."""


@dataclass(frozen=True)
class NamedRegion:
    """A region of the plane and why it is one."""

    name: str
    """Of an entry, a condition or a solved parameter, or what the kind says."""
    kind: Kind
    region: MultiPolygon
    sigma: float | None = None
    """Standard errors within which a measurement must lie."""


@dataclass(frozen=True)
class Contour:
    """Where a parameter or coupling has a certain size."""

    name: str
    level: float
    lines: tuple[FloatArray, ...]


@dataclass(frozen=True)
class ExclusionMap:
    """Everything on a plane, in coordinates from 0 to 1."""

    regions: tuple[NamedRegion, ...]
    contours: tuple[Contour, ...]

    @property
    def allowed(self) -> MultiPolygon:
        """What no term forbids."""
        return next(r.region for r in self.regions if r.kind == "allowed")


def exclusion_map(chosen: Slice) -> ExclusionMap:
    """Trace every region of a slice.

    With profiled parameters, a region is where no value of them meets the term that it stands
    for, and the allowed region where some values meet all terms at once. That is what descents
    find, from several starts and from each other's solutions: strictly the allowed region may be
    larger.

    Raises:
        NotANumber: the model or a term gives NaN at a point that exists.
    """
    terms = list(_terms(chosen))
    forbidden, unreachable, together = (_profiled if chosen.plane.profiled else _sliced)(
        chosen.plane, [[partial(_defined, term.name, d) for d in term.demands] for term in terms]
    )
    regions = []
    for term, region in zip(terms, forbidden, strict=True):
        shown = SQUARE.difference(region) if term.kind == "band" else region
        shown = without_slivers(shown.difference(unreachable))
        regions.append(NamedRegion(term.name, term.kind, shown, term.sigma))
    if chosen.plane.solved:
        name = ", ".join(search.name for search in chosen.plane.solved)
        regions.append(NamedRegion(name, "unreachable", without_slivers(unreachable)))
    allowed = without_slivers(SQUARE.difference(unary_union([together, unreachable])))
    if chosen.plane.profiled:
        joint = together.difference(unary_union(forbidden))
        joint = without_slivers(joint, _PROFILE_TOLERANCE.sag)
        regions.append(NamedRegion("all at once", "joint", joint))
    regions.append(NamedRegion("allowed", "allowed", allowed))
    contours = [
        Contour(name, level, tuple(_contour_lines(chosen.plane, name, level)))
        for name, levels in chosen.settings.contours.items()
        for level in levels
    ]
    return ExclusionMap(tuple(regions), tuple(contours))


@dataclass(frozen=True)
class _Term:
    name: str
    kind: Kind
    demands: tuple[Demand, ...]
    """A measurement's two sides are two demands, between which a band may be narrow."""
    sigma: float | None = None


def _terms(chosen: Slice) -> Iterator[_Term]:
    likelihood = chosen.assembled.likelihood
    for name in chosen.plane.conditions():
        yield _Term(name, "impossible", (partial(_broken, name),))
    for exclusion in likelihood.exclusions:
        yield _Term(exclusion.name, "excluded", (partial(_over_limit, exclusion),))
    for term in likelihood.measurements:
        sigma = chosen.sigma(term.name)
        kind: Kind = "band" if term.name in chosen.settings.bands else "excluded"
        if chosen.plane.profiled:  # nothing is traced between the two sides
            demands: tuple[Demand, ...] = (partial(_off_either_side, term, sigma),)
        else:
            demands = tuple(partial(_off_measurement, term, sigma, side) for side in (-1, 1))
        yield _Term(term.name, kind, demands, sigma)


def _defined(name: str, demand: Demand, points: PlanePoints) -> FloatArray:
    """The demand of a term, which points that do not exist meet."""
    with np.errstate(all="ignore"):  # NaN is reported here
        values = demand(points)
    undefined = np.isnan(values)
    broken = undefined & points.exist
    if broken.any():
        raise NotANumber(f"term {name!r}", in_words(points.parameters, int(np.argmax(broken))))
    return np.where(undefined, -1.0, values)


def _broken(name: str, points: PlanePoints) -> FloatArray:
    return _log(points.conditions[name])


def _over_limit(exclusion: Exclusion, points: PlanePoints) -> FloatArray:
    return _log(exclusion.ratio(points.couplings))


def _off_measurement(term: Measurement, sigma: float, side: int, points: PlanePoints) -> FloatArray:
    return side * term.pull(points.couplings) - sigma


def _off_either_side(term: Measurement, sigma: float, points: PlanePoints) -> FloatArray:
    return np.abs(term.pull(points.couplings)) - sigma


def _log(ratio: FloatArray) -> FloatArray:
    result: FloatArray = np.log(np.maximum(ratio, _SMALLEST))
    return result


Traced = tuple[list[BaseGeometry], BaseGeometry, BaseGeometry]
"""Where each term is not met, where there is no solution, and where not all terms are met."""


def _sliced(plane: Plane, terms: Sequence[Sequence[Demand]]) -> Traced:
    """Every parameter but x and y has its value."""
    demands = [demand for term in terms for demand in term]

    def depths(points: PlanePoints, which: Indices) -> FloatArray:
        """Excess over the demand that is meant; the last region is where nothing is solved."""
        result = np.where(points.solved, -1.0, 1.0)
        for index, demand in enumerate(demands):
            rows = np.flatnonzero(which == index)
            if len(rows):
                result[rows] = demand(points.take(rows))
        return result

    nodes = plane.points(mesh_nodes(MESH))
    every_node = np.ones(len(nodes.solved), dtype=np.intp)
    on_mesh = np.stack([depths(nodes, k * every_node) for k in range(len(demands) + 1)])
    *found, unreachable = trace(lambda u, which: depths(plane.points(u), which), on_mesh)
    sides = iter(found)
    forbidden = [unary_union([next(sides) for _ in term]) for term in terms]
    return forbidden, unreachable, unary_union(forbidden)


def _profiled(plane: Plane, terms: Sequence[Sequence[Demand]]) -> Traced:
    """Some parameters take what value suits best, if any meets the demands."""
    groups = [*terms, [demand for term in terms for demand in term]]
    solutions = [Solutions(plane, group, 1 / _PROFILE_MESH) for group in groups]

    def depths(u: FloatArray, which: Indices) -> FloatArray:
        result = np.empty(len(u))
        for index in np.unique(which):
            rows = which == index
            result[rows] = _depth(solutions[index].nearby(u[rows]))
        return result

    nodes = mesh_nodes(_PROFILE_MESH)
    on_mesh = np.stack([_depth(known.on_mesh(nodes)) for known in solutions])
    *forbidden, together = trace(depths, on_mesh, _PROFILE_TOLERANCE)
    return forbidden, Polygon(), together


def _depth(met: NDArray[np.bool_]) -> FloatArray:
    return np.where(met, -1.0, 1.0)


def _contour_lines(plane: Plane, name: str, level: float) -> Iterator[FloatArray]:
    """Lines of a slice on which a parameter or coupling has a size."""

    def depth(points: PlanePoints) -> FloatArray:
        values = points.parameters.get(name)
        if values is None:
            values = dict(zip(COUPLING_NAMES, points.couplings.rows(), strict=True))[name]
        return np.where(points.solved & points.exist, _log(np.abs(values) / level), -1.0)

    on_mesh = depth(plane.points(mesh_nodes(MESH)))[None]
    [region] = trace(lambda u, _: depth(plane.points(u)), on_mesh)
    for line in inner_lines(region):
        on_level = np.abs(depth(plane.points(line))) < _OFF_LEVEL
        edges = np.flatnonzero(np.diff(on_level)) + 1
        pieces = zip(np.split(line, edges), np.split(on_level, edges), strict=True)
        yield from (piece for piece, on in pieces if on[0] and len(piece) > 1)
