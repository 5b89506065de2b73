"""How large or small a quantity can be where data are met."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from zpfit.config import JointSigmaSpec
from zpfit.errors import NoAllowedPoint
from zpfit.minmax import Heights, lowest_from_level, starts_for
from zpfit.physics.compiled import FloatArray
from zpfit.physics.couplings import Couplings
from zpfit.posterior import Posterior

_STEPS = (0.1, 0.03, 0.01, 0.1, 0.03, 0.01)
"""How much lower, in the logarithm, each further search aims."""
_QUIET, _PROGRESS = 2, 1e-4
"""Searches without progress, in the logarithm, after which the result stands."""
_ROUGH = 2
"""Constrained searches of the first, which start far from the extreme."""
_TRIES = 3
"""Searches for an allowed point before it is given up."""
_SMALLEST = 1e-300


@dataclass(frozen=True)
class Extreme:
    """The largest or smallest value of a quantity, and where it is taken."""

    value: float
    u: FloatArray
    """On the unit cube, shape (d,)."""


def extreme(
    posterior: Posterior,
    quantity: Callable[[Couplings], FloatArray],
    limits: JointSigmaSpec,
    rng: np.random.Generator,
    *,
    largest: bool,
) -> Extreme:
    """The extreme of a positive quantity where all measurements and exclusions are met.

    Every measurement, anomalies included, must lie within its limit, no exclusion may be
    exceeded. The result is what a global search finds: the largest may be larger.

    Raises:
        NoAllowedPoint: nothing is allowed.
    """
    sign = -1.0 if largest else 1.0

    def judge(u: FloatArray) -> Heights:
        found = posterior.standing(u)
        size = np.log(np.maximum(quantity(found.couplings), _SMALLEST))
        excess = [np.abs(pull) - limits.limit(name) for name, pull in found.pulls.items()]
        return Heights([sign * size], excess, found.ratios)

    grain = posterior.priors.grain
    # Nowhere is the logarithm that large: the first descents only look for what is allowed.
    anywhere = -np.log(_SMALLEST)
    searches = (lowest_from_level(judge, anywhere, grain, rng, _ROUGH) for _ in range(_TRIES))
    reached = next((found for found in searches if np.isfinite(found.level)), None)
    if reached is None:
        raise NoAllowedPoint(_TRIES * starts_for(grain))
    quiet = 0
    for step in _STEPS:
        if quiet == _QUIET:
            break
        found = lowest_from_level(judge, reached.level - step, grain, rng)
        quiet = 0 if found.level < reached.level - _PROGRESS else quiet + 1
        reached = reached.or_lower(found)
    return Extreme(float(np.exp(sign * reached.level)), reached.u)
