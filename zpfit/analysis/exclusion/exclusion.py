"""Regions of a plane that each experiment excludes, and the allowed region."""

from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon, unary_union
from shapely.geometry.base import BaseGeometry

from zpfit.analysis.exclusion.feasible import STARTS, Demand, Solutions
from zpfit.analysis.exclusion.plane import Plane, PlanePoints
from zpfit.analysis.exclusion.reference import tolerance
from zpfit.analysis.exclusion.slice import Slice
from zpfit.analysis.exclusion.tracing import (
    MESH,
    SQUARE,
    Indices,
    Tolerance,
    inner_lines,
    mesh_nodes,
    trace,
    without_slivers,
)
from zpfit.errors import UndefinedValue
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.exclusions import Exclusion
from zpfit.likelihood.likelihood import Likelihood
from zpfit.likelihood.measurements import Measurement
from zpfit.models.base import in_words

Kind = Literal["excluded", "band", "unreachable", "impossible", "joint", "allowed"]
"""Kind of a region.

excluded: a term excludes it. band: a measurement prefers it. unreachable: a solved parameter has
no solution. impossible: the model does not exist. joint: profiled parameters can meet each term
but not all at once. allowed: no term excludes it and it lies in every band.
"""

_Key = tuple[Kind, str]
"""Key of a term: a condition of a model and an entry may have the same name."""
_SMALLEST = 1e-300
"""Ratios are raised to this before their logarithm is taken."""
_OFF_LEVEL = 1e-3
"""Largest distance in ln between a contour and its level.

Farther points lie on the edge of the region that is traced, not on the contour.
"""


_PROFILE_TOLERANCE = Tolerance(corner=5e-5, sag=2e-4)


@dataclass(frozen=True)
class ProfileOptions:
    """Options of planes with profiled parameters.

    They are coarser than those of other planes, because each point takes many descents.
    """

    mesh: int = 50
    """Cells along each side of the plane."""
    tolerance: Tolerance = _PROFILE_TOLERANCE
    """Precision of boundaries."""
    starts: int = STARTS
    """Starts of descents at every node of the mesh."""


_PROFILE = ProfileOptions()


@dataclass(frozen=True)
class NamedRegion:
    """A region of the plane, its kind and its origin."""

    name: str
    """Name of an entry, a condition or a solved parameter, or the kind."""
    kind: Kind
    region: MultiPolygon
    sigma: float | None = None
    """Largest root of chi2 that a measurement allows; for a band its half-width."""


@dataclass(frozen=True)
class Contour:
    """Lines on which the size of a parameter or coupling has a certain value."""

    name: str
    level: float
    lines: tuple[FloatArray, ...]


@dataclass(frozen=True)
class ExclusionMap:
    """Regions and contours of a plane, in coordinates from 0 to 1."""

    regions: tuple[NamedRegion, ...]
    contours: tuple[Contour, ...]

    @property
    def allowed(self) -> MultiPolygon:
        """Region that no term excludes."""
        return next(r.region for r in self.regions if r.kind == "allowed")


def exclusion_map(chosen: Slice, profile: ProfileOptions = _PROFILE) -> ExclusionMap:
    """Trace every region of a slice.

    With profiled parameters, a term excludes a point if no values of them meet the term. A point
    is allowed if some values meet all terms at once. Descents search these values from several
    starts and from solutions of neighbouring points, so that the true allowed region can be
    larger than the traced one.

    Parameters
    ----------
    chosen
        Plane, likelihood and levels.
    profile
        Options of planes with profiled parameters.

    Returns
    -------
    ExclusionMap
        Regions of all terms, and the allowed region.

    Raises
    ------
    UndefinedValue
        The model or a term gives NaN at a point that exists.
    """
    [result] = exclusion_maps(chosen, [chosen.assembled.likelihood], profile)
    return result


def exclusion_maps(
    chosen: Slice, likelihoods: Sequence[Likelihood], profile: ProfileOptions = _PROFILE
) -> list[ExclusionMap]:
    """Trace a slice for several likelihoods in place of its own; each term is traced once.

    Terms with the same name must be the same in all likelihoods.

    Raises
    ------
    UndefinedValue
        As :func:`exclusion_map`.
    """
    plane = chosen.plane
    terms = [{term.key: term for term in terms_of(chosen, own)} for own in likelihoods]
    demands = {
        key: [partial(defined, term.name, demand) for demand in term.demands]
        for key, term in ChainMap(*terms).items()
    }
    wanted = [list(own) for own in terms]
    if plane.profiled:
        traced = _profiled(plane, demands, wanted, profile)
    else:
        traced = _sliced(plane, demands, wanted)
    contours = tuple(_contours(plane, chosen.settings.contours))
    return [
        ExclusionMap(tuple(_regions(plane, own, traced, together, profile.tolerance.sag)), contours)
        for own, together in zip(terms, traced.together, strict=True)
    ]


@dataclass(frozen=True)
class _Traced:
    forbidden: Mapping[_Key, BaseGeometry]
    """Region that each term excludes."""
    unreachable: BaseGeometry
    """Region where a solved parameter has no solution."""
    together: Sequence[BaseGeometry]
    """Region for each likelihood in which its terms are not all met at once."""


def _regions(
    plane: Plane,
    terms: Mapping[_Key, "Term"],
    traced: _Traced,
    together: BaseGeometry,
    sag: float,
) -> Iterator[NamedRegion]:
    """Yield the regions of one likelihood."""
    for key, term in terms.items():
        region = traced.forbidden[key]
        shown = SQUARE.difference(region) if term.kind == "band" else region
        shown = without_slivers(shown.difference(traced.unreachable))
        yield NamedRegion(term.name, term.kind, shown, term.sigma)
    if plane.solved:
        name = ", ".join(search.name for search in plane.solved)
        yield NamedRegion(name, "unreachable", without_slivers(traced.unreachable))
    if plane.profiled:
        joint = together.difference(unary_union([traced.forbidden[key] for key in terms]))
        joint = without_slivers(joint, sag)
        yield NamedRegion("all at once", "joint", joint)
    left = SQUARE.difference(unary_union([together, traced.unreachable]))
    yield NamedRegion("allowed", "allowed", without_slivers(left))


@dataclass(frozen=True)
class Term:
    """A term of a likelihood or a condition of a model, and its demands on a point."""

    name: str
    kind: Kind
    demands: tuple[Demand, ...]
    """Demands on a point. The two sides of a measurement are separate: a band can be narrow."""
    sigma: float | None = None

    @property
    def key(self) -> _Key:
        """Return kind and name."""
        return self.kind, self.name


def terms_of(chosen: Slice, likelihood: Likelihood) -> Iterator[Term]:
    """Yield the conditions of the model and the terms of a likelihood with their demands."""
    for name in chosen.plane.conditions():
        yield Term(name, "impossible", (partial(_broken, name),))
    for exclusion in likelihood.exclusions:
        at = chosen.ratio_at(exclusion)
        yield Term(exclusion.name, "excluded", (partial(_over_limit, exclusion, at),))
    for term in likelihood.measurements:
        sigma = tolerance(chosen, term)
        kind: Kind = "band" if term.name in chosen.settings.bands else "excluded"
        if chosen.plane.profiled:  # the band between the two sides is not traced
            demands: tuple[Demand, ...] = (partial(_off_either_side, term, sigma),)
        else:
            demands = tuple(partial(_off_measurement, term, sigma, side) for side in (-1, 1))
        yield Term(term.name, kind, demands, sigma)


def defined(name: str, demand: Demand, points: PlanePoints) -> FloatArray:
    """Return the demand of a term; points that do not exist meet it."""
    with np.errstate(all="ignore"):  # NaN is reported here
        values = demand(points)
    undefined = np.isnan(values)
    broken = undefined & points.exist
    if broken.any():
        raise UndefinedValue(f"term {name!r}", in_words(points.parameters, int(np.argmax(broken))))
    return np.where(undefined, -1.0, values)


def _broken(name: str, points: PlanePoints) -> FloatArray:
    return _log(points.conditions[name])


def _over_limit(exclusion: Exclusion, at: float, points: PlanePoints) -> FloatArray:
    return _log(exclusion.ratio(points.couplings) / at)


def _off_measurement(term: Measurement, sigma: float, side: int, points: PlanePoints) -> FloatArray:
    return side * term.pull(points.couplings) - sigma


def _off_either_side(term: Measurement, sigma: float, points: PlanePoints) -> FloatArray:
    return np.abs(term.pull(points.couplings)) - sigma


def _log(ratio: FloatArray) -> FloatArray:
    result: FloatArray = np.log(np.maximum(ratio, _SMALLEST))
    return result


def _sliced(
    plane: Plane, terms: Mapping[_Key, Sequence[Demand]], wanted: Sequence[Sequence[_Key]]
) -> _Traced:
    """Trace a plane without profiled parameters."""
    demands = [demand for own in terms.values() for demand in own]

    def depths(points: PlanePoints, which: Indices) -> FloatArray:
        """Return the excess over the demand of each region; the last one has no solutions."""
        result = np.where(points.solved, -1.0, 1.0)
        for index in np.unique(which[which < len(demands)]):
            rows = np.flatnonzero(which == index)
            result[rows] = demands[index](points.take(rows))
        return result

    *found, unreachable = _trace_on(plane, depths, len(demands) + 1)
    sides = iter(found)
    forbidden = {key: unary_union([next(sides) for _ in own]) for key, own in terms.items()}
    together = [unary_union([forbidden[key] for key in keys]) for keys in wanted]
    return _Traced(forbidden, unreachable, together)


def _trace_on(
    plane: Plane, depths: Callable[[PlanePoints, Indices], FloatArray], number: int
) -> list[BaseGeometry]:
    """Trace regions; ``depths`` takes points and the region that is asked about at each."""
    nodes = plane.points(mesh_nodes(MESH))
    every_node = np.ones(len(nodes.solved), dtype=np.intp)
    on_mesh = np.stack([depths(nodes, index * every_node) for index in range(number)])
    return trace(lambda u, which: depths(plane.points(u), which), on_mesh)


def _profiled(
    plane: Plane,
    terms: Mapping[_Key, Sequence[Demand]],
    wanted: Sequence[Sequence[_Key]],
    options: ProfileOptions,
) -> _Traced:
    """Trace a plane with profiled parameters, which take values that meet the demands."""
    all_at_once = [[demand for key in keys for demand in terms[key]] for keys in wanted]
    groups = [*terms.values(), *all_at_once]
    solutions = [Solutions(plane, group, 1 / options.mesh, options.starts) for group in groups]

    def depths(u: FloatArray, which: Indices) -> FloatArray:
        result = np.empty(len(u))
        for index in np.unique(which):
            rows = which == index
            result[rows] = _depth(solutions[index].nearby(u[rows]))
        return result

    nodes = mesh_nodes(options.mesh)
    on_mesh = np.stack([_depth(known.on_mesh(nodes)) for known in solutions])
    found = trace(depths, on_mesh, options.tolerance)
    return _Traced(
        dict(zip(terms, found[: len(terms)], strict=True)), Polygon(), found[len(terms) :]
    )


def _depth(met: NDArray[np.bool_]) -> FloatArray:
    return np.where(met, -1.0, 1.0)


def _contours(plane: Plane, levels_of: Mapping[str, Sequence[float]]) -> Iterator[Contour]:
    """Yield lines on which the sizes of parameters or couplings have certain values."""
    wanted = [(name, level) for name, levels in levels_of.items() for level in levels]
    if not wanted:
        return

    def depths(points: PlanePoints, which: Indices) -> FloatArray:
        result = np.empty(len(which))
        for index in np.unique(which):
            rows = np.flatnonzero(which == index)
            result[rows] = _log_excess(points.take(rows), *wanted[index])
        return result

    for (name, level), region in zip(wanted, _trace_on(plane, depths, len(wanted)), strict=True):
        lines = [
            piece
            for line in inner_lines(region)
            for piece in _on_level(line, _log_excess(plane.points(line), name, level))
        ]
        yield Contour(name, level, tuple(lines))


def _log_excess(points: PlanePoints, name: str, level: float) -> FloatArray:
    """Return ln(size/level) of a parameter or coupling; -1 where it does not exist."""
    values = points.parameters.get(name)
    if values is None:
        values = points.couplings[name]
    return np.where(points.solved & points.exist, _log(np.abs(values) / level), -1.0)


def _on_level(line: FloatArray, excess: FloatArray) -> Iterator[FloatArray]:
    """Yield the pieces of a boundary that lie on the level of a contour."""
    on_level = np.abs(excess) < _OFF_LEVEL
    edges = np.flatnonzero(np.diff(on_level)) + 1
    pieces = zip(np.split(line, edges), np.split(on_level, edges), strict=True)
    return (piece for piece, on in pieces if on[0] and len(piece) > 1)
