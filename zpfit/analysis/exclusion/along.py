"""Excluded intervals of the vertical parameter of a slice at given values of the horizontal one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from zpfit.analysis.exclusion.exclusion import Term, defined, terms_of
from zpfit.analysis.exclusion.feasible import Demand
from zpfit.analysis.exclusion.plane import Plane
from zpfit.analysis.exclusion.slice import Slice
from zpfit.io.arrays import FloatArray

_NODES = 701
"""Nodes along the vertical axis. Narrower intervals can be missed."""
_FINE = 65
"""Nodes between two of these, where an edge lies; the edge is interpolated between them."""


@dataclass(frozen=True)
class Interval:
    """Values that a term excludes; an end at the end of the axis is that of the plane."""

    name: str
    """Name of the entry or condition."""
    lower: float
    upper: float
    reaches_bottom: bool
    """True if the lower end is that of the axis."""
    reaches_top: bool
    """True if the upper end is that of the axis: an upper limit at ``lower``."""


def excluded_intervals(chosen: Slice, x: Sequence[float]) -> list[list[Interval]]:
    """Return the excluded intervals of y of each term, for each value of x.

    Edges are accurate to about 1e-5 of the axis. An interval narrower than 1/700 of the axis can
    be missed.

    Parameters
    ----------
    chosen
        A slice without profiled parameters.
    x
        Values of the horizontal parameter, within its range.

    Returns
    -------
    list of list of Interval
        For each value of x, the intervals in the order of the terms and of y.
    """
    if chosen.plane.profiled:
        raise ValueError("the slice must not profile parameters")
    across = _coordinates(chosen.plane, x)
    up = np.linspace(0, 1, _NODES)
    nodes = np.stack([np.repeat(across, _NODES), np.tile(up, len(across))], axis=1)
    points = chosen.plane.points(nodes)
    found: list[list[Interval]] = [[] for _ in across]
    for term in terms_of(chosen, chosen.assembled.likelihood):
        demands = [partial(defined, term.name, demand) for demand in term.demands]
        depths = np.max([demand(points) for demand in demands], axis=0)
        for known, place, own in zip(found, across, depths.reshape(-1, _NODES), strict=True):
            known.extend(_intervals(chosen.plane, term, demands, place, up, own))
    return found


def _coordinates(plane: Plane, x: Sequence[float]) -> FloatArray:
    values = np.asarray(x, dtype=float)
    lower, upper = plane.x.lower, plane.x.upper
    if plane.x.scale == "log":
        return np.asarray(np.log(values / lower) / np.log(upper / lower))
    return (values - lower) / (upper - lower)


def _intervals(
    plane: Plane,
    term: Term,
    demands: Sequence[Demand],
    place: float,
    up: FloatArray,
    depth: FloatArray,
) -> Iterator[Interval]:
    """Yield the intervals of a term at one value of x; ``depth`` is positive where it excludes."""
    out = depth > 0
    edges = [_edge(plane, demands, place, up[i], up[i + 1]) for i in np.flatnonzero(np.diff(out))]
    bounds = [*([0.0] if out[0] else []), *edges, *([1.0] if out[-1] else [])]
    values = plane.y.values(np.array(bounds))
    for low, high, start, end in zip(
        values[::2], values[1::2], bounds[::2], bounds[1::2], strict=True
    ):
        yield Interval(term.name, float(low), float(high), start == 0.0, end == 1.0)


def _edge(plane: Plane, demands: Sequence[Demand], place: float, low: float, high: float) -> float:
    """Return the coordinate between two nodes at which the depth changes its sign."""
    fine = np.linspace(low, high, _FINE)
    points = plane.points(np.stack([np.full(_FINE, place), fine], axis=1))
    depth = np.max([demand(points) for demand in demands], axis=0)
    first = int(np.flatnonzero(np.diff(depth > 0))[0])
    before, after = depth[first], depth[first + 1]
    share = before / (before - after)
    return float(fine[first] + share * (fine[first + 1] - fine[first]))
