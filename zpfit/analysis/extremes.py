"""How large or small a quantity can be where data are met."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from zpfit.errors import NoAllowedPoint
from zpfit.inference.posterior import Posterior
from zpfit.inference.search.minmax import (
    Heights,
    Judge,
    lowest_near,
    lowest_of_points,
    scattered,
    starts_for,
)
from zpfit.inference.settings import JointSigmaSpec
from zpfit.io.arrays import FloatArray
from zpfit.physics.couplings import Couplings

_STEPS = (0.1, 0.03, 0.01, 0.1, 0.03, 0.01)
"""How much lower, in the logarithm, each further search aims."""
_QUIET, _PROGRESS = 2, 1e-4
"""Searches without progress, in the logarithm, after which the result stands."""
_ROUGH = 2
"""Constrained searches of the first, which start far from the extreme."""
_TRIES = 3
"""Times that points from all over the prior look for what is allowed before it is given up."""
_SMALLEST = 1e-300
_ANYWHERE = -float(np.log(_SMALLEST))
"""A level that no logarithm exceeds: the first descents only look for what is allowed."""


@dataclass(frozen=True)
class Sought:
    """A positive quantity, and which of its ends."""

    quantity: Callable[[Couplings], FloatArray]
    largest: bool

    @property
    def sign(self) -> float:
        """What makes the extreme of the logarithm the lowest."""
        return -1.0 if self.largest else 1.0


@dataclass(frozen=True)
class Extreme:
    """The largest or smallest value of a quantity, and where it is taken."""

    value: float
    u: FloatArray
    """On the unit cube, shape (d,)."""


def extremes(
    posterior: Posterior,
    sought: Sequence[Sought],
    limits: JointSigmaSpec,
    rng: np.random.Generator,
) -> list[Extreme]:
    """Extremes of positive quantities where all measurements and exclusions are met.

    Every measurement, anomalies included, must lie within its limit, no exclusion may be
    exceeded. The results are what a global search finds: the largest may be larger.

    Raises
    ------
    NoAllowedPoint
        Nothing is allowed.
    """
    if not sought:
        return []
    judges = [_judge(posterior, each, limits) for each in sought]
    known = _allowed(judges[0], posterior.priors.grain, rng)
    return [
        _extreme(judge, each.sign, known, posterior.priors.grain, rng)
        for judge, each in zip(judges, sought, strict=True)
    ]


def _judge(posterior: Posterior, sought: Sought, limits: JointSigmaSpec) -> Judge:
    def judge(u: FloatArray) -> Heights:
        found = posterior.standing(u)
        size = np.log(np.maximum(sought.quantity(found.couplings), _SMALLEST))
        excess = [np.abs(pull) - limits.limit(name) for name, pull in found.pulls.items()]
        return Heights([sought.sign * size], excess, found.ratios)

    return judge


def _allowed(judge: Judge, grain: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Points of which some are allowed, shape (n, d)."""
    known = np.empty((0, len(grain)))
    for _ in range(_TRIES):
        known = np.vstack([known, scattered(judge, _ANYWHERE, grain, rng)])
        found, known = lowest_near(judge, _ANYWHERE, known, grain, rng, _ROUGH)
        if np.isfinite(found.level):
            return known
    raise NoAllowedPoint(_TRIES * starts_for(grain))


def _extreme(
    judge: Judge, sign: float, known: FloatArray, grain: FloatArray, rng: np.random.Generator
) -> Extreme:
    """Of one quantity, going on from points that are known."""
    found, known = lowest_near(judge, _ANYWHERE, known, grain, rng, _ROUGH)
    # What is allowed but close to an edge is not among the best for a search.
    reached = found.or_lower(lowest_of_points(judge, known))
    # Aiming beyond it from all over the prior finds pieces that the search for anything has missed.
    aim = reached.level - _STEPS[0]
    known = np.vstack([known, scattered(judge, aim, grain, rng)])
    quiet = 0
    for step in _STEPS:
        if quiet == _QUIET:
            break
        found, known = lowest_near(judge, reached.level - step, known, grain, rng)
        quiet = 0 if found.level < reached.level - _PROGRESS else quiet + 1
        reached = reached.or_lower(found)
    return Extreme(float(np.exp(sign * reached.level)), reached.u)
