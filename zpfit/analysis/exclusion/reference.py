"""Largest deviation of a measurement that a plane allows, for each reference of its chi2."""

from functools import partial
from math import sqrt

import numpy as np

from zpfit.analysis.exclusion.plane import Plane
from zpfit.analysis.exclusion.slice import Slice
from zpfit.inference.search.descent import descend
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.measurements import Measurement
from zpfit.physics.couplings import Couplings

_NODES = 41
"""Nodes along each axis from which the best fit of a measurement is searched."""
_RANDOM = 4000
"""Random points besides, where parameters are profiled."""
_DESCENTS = 40
"""Best of these points, from which descents start."""
_NOWHERE = 1e6
"""Residual where a model does not exist or a solved parameter has no solution."""


def tolerance(chosen: Slice, term: Measurement) -> float:
    """Return the largest root of the chi2 of a measurement that is allowed.

    A measurement excludes where its chi2 exceeds that of the reference by more than Delta chi2 of
    the level. That is where the size of its pull exceeds one number.

    Parameters
    ----------
    chosen
        Plane, reference and level.
    term
        The measurement. The reference ``best_fit`` takes its own least chi2 in the plane, whatever
        other terms say there.

    Returns
    -------
    float
        For the reference ``pull`` and for bands, the standard errors of the slice.
    """
    allowed = chosen.delta_chi2
    if allowed is None or term.name in chosen.settings.bands:
        return chosen.sigma(term.name)
    if chosen.settings.reference == "no_zprime":
        least = float(term.pull(Couplings.none())[0] ** 2)
    else:
        least = least_chi2(chosen.plane, term)
    return sqrt(least + allowed)


def least_chi2(plane: Plane, term: Measurement) -> float:
    """Return the least chi2 of a measurement in a plane, or infinity if no point exists there.

    Descents start from the best nodes of a mesh, and from random points if parameters are profiled.
    """
    residuals = partial(_residuals, plane, term)
    starts = _starts(plane)
    costs = np.sum(residuals(starts, 1.0) ** 2, axis=1)
    best = starts[np.argsort(costs)[:_DESCENTS]]
    _, ends = descend(residuals, best, wall=1.0)
    least = float(min(costs.min(), ends.min()))
    return least if least < _NOWHERE else np.inf


def _starts(plane: Plane) -> FloatArray:
    rng, k = np.random.default_rng(0), len(plane.profiled)
    line = np.linspace(0, 1, _NODES)
    nodes = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    if not k:
        return nodes
    middle = np.hstack([nodes, np.full((len(nodes), k), 0.5)])
    return np.concatenate([middle, rng.random((_RANDOM, 2 + k))])


def _residuals(
    plane: Plane,
    term: Measurement,
    u: FloatArray,
    wall: float,  # noqa: ARG001 - the model's conditions are a wall of fixed height
) -> FloatArray:
    """Return the pull at points of the plane, shape (n, 1)."""
    points = plane.points(u)
    with np.errstate(all="ignore"):  # points that do not exist may have no prediction
        pulls = term.pull(points.couplings)
    usable = points.exist & points.solved & np.isfinite(pulls)
    return np.where(usable, pulls, _NOWHERE)[:, None]
