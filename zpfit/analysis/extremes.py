"""Largest and smallest values of quantities that the data allow."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from zpfit.errors import NoAllowedPoint
from zpfit.inference.posterior import Posterior
from zpfit.inference.search.kicks import reflect
from zpfit.inference.search.minmax import (
    Constraints,
    MinMax,
    Objective,
    best_of_points,
    followed,
    improve_near,
    scattered,
    starts_for,
)
from zpfit.inference.search.selection import Space
from zpfit.inference.search.strata import search_space
from zpfit.inference.settings import JointSigmaSpec
from zpfit.io.arrays import FloatArray
from zpfit.physics.couplings import Couplings

_STEPS = (0.1, 0.03, 0.01, 0.1, 0.03, 0.01)
"""Decrease of the logarithm at which each further search aims."""
_QUIET, _PROGRESS = 2, 1e-4
"""Successive searches without so much progress, in the logarithm, that end the search."""
_STARTS = 0.4
"""Random starts for each quantity, over those for the allowed points, which all share."""
_REFLECTIONS = 100
"""New starts for each quantity, at its extreme with the signs of some couplings reversed."""
_ROUGH = 2
"""Constrained searches of the first descents, which start far from the extreme."""
_TRIES = 3
"""Searches for allowed points from random starts before zpfit reports that there are none."""
_SMALLEST = 1e-300
"""Lower limit of a quantity, so that its logarithm exists."""
_ANYWHERE = -float(np.log(_SMALLEST))
"""A level that no logarithm exceeds: the first descents only search allowed points."""


@dataclass(frozen=True)
class Sought:
    """A positive quantity and the extreme of it that is wanted."""

    quantity: Callable[[Couplings], FloatArray]
    """Couplings at n points to values of shape (n,)."""
    largest: bool
    """True for the largest value, False for the smallest."""

    @property
    def sign(self) -> float:
        """Sign that turns the search into a minimisation of the logarithm."""
        return -1.0 if self.largest else 1.0


@dataclass(frozen=True)
class Extreme:
    """The largest or smallest value of a quantity and its point."""

    value: float
    u: FloatArray
    """Point of the unit cube, shape (d,)."""


def extremes(
    posterior: Posterior,
    sought: Sequence[Sought],
    limits: JointSigmaSpec,
    rng: np.random.Generator,
) -> list[Extreme]:
    """Return extremes of positive quantities where the data are met.

    Every measurement, anomalies included, must lie within its limit, and no exclusion may be
    exceeded. A global search finds the results, so true extremes may lie further out.

    Parameters
    ----------
    posterior
        Model, priors and likelihood; of the priors only the supports matter.
    sought
        Quantities and the extremes that are wanted.
    limits
        Largest pulls of measurements, in standard errors.
    rng
        Generator of starts and kicks.

    Returns
    -------
    list of Extreme
        One for each of ``sought``.

    Raises
    ------
    NoAllowedPoint
        No point meets the data.
    """
    if not sought:
        return []
    objective_functions = [_objective(posterior, each, limits) for each in sought]
    space = search_space(posterior)
    known = _allowed(objective_functions[0], space, rng)
    pairs = list(zip(objective_functions, sought, strict=True))
    found = []
    for objective, each in pairs:
        extreme, known = _extreme(objective, each.sign, known, space, rng)
        found.append(extreme)
    # The extreme of one quantity may lie where the search for another one has ended, or where some
    # couplings have other signs.
    ends = np.array([one.u for one in found])
    result = []
    for (objective, each), own in zip(pairs, ends, strict=True):
        mirrored = reflect(own[None], posterior.priors, rng, _REFLECTIONS)
        aim = best_of_points(objective, own[None]).level - _STEPS[0]
        known = np.vstack([ends, followed(objective, aim, mirrored)])
        reached = best_of_points(objective, known)
        result.append(_stepped(objective, each.sign, reached, known, space, rng))
    return result


def _objective(posterior: Posterior, sought: Sought, limits: JointSigmaSpec) -> Objective:
    names = [term.name for term in posterior.likelihood.measurements]
    within = np.array([limits.limit(name) for name in names])[:, None]

    def objective(u: FloatArray) -> Constraints:
        found = posterior.pulls_and_ratios(u)
        size = np.log(np.maximum(sought.quantity(found.couplings()), _SMALLEST))
        return Constraints(sought.sign * size[None], np.abs(found.pulls) - within, found.ratios)

    return objective


def _allowed(objective: Objective, space: Space, rng: np.random.Generator) -> FloatArray:
    """Return points, some of them allowed, shape (n, d)."""
    known = np.empty((0, len(space.step_width)))
    for _ in range(_TRIES):
        known = np.vstack([known, scattered(objective, _ANYWHERE, space, rng)])
        found, known = improve_near(objective, _ANYWHERE, known, space, rng, _ROUGH)
        if np.isfinite(found.level):
            return known
    raise NoAllowedPoint(_TRIES * starts_for(space))


def _extreme(
    objective: Objective,
    sign: float,
    known: FloatArray,
    space: Space,
    rng: np.random.Generator,
) -> tuple[Extreme, FloatArray]:
    """Return the extreme of one quantity, searched from known points, and all points known now."""
    reached = best_of_points(objective, known)
    # Random starts that aim beyond it find regions that earlier searches have missed.
    aim = reached.level - _STEPS[0]
    known = np.vstack([known, scattered(objective, aim, space, rng, _STARTS)])
    found = _stepped(objective, sign, reached, known, space, rng, 1)
    return found, np.vstack([known, found.u])


def _stepped(
    objective: Objective,
    sign: float,
    reached: MinMax,
    known: FloatArray,
    space: Space,
    rng: np.random.Generator,
    most_quiet: int = _QUIET,
) -> Extreme:
    """Return the extreme that searches from known points reach; each aims a step further."""
    quiet = 0
    for step in _STEPS:
        if quiet == most_quiet:
            break
        found, known = improve_near(objective, reached.level - step, known, space, rng)
        quiet = 0 if found.level < reached.level - _PROGRESS else quiet + 1
        reached = reached.or_lower(found)
    return Extreme(float(np.exp(sign * reached.level)), reached.u)
