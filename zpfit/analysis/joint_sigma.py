"""How many standard errors it takes to meet every anomaly at once."""

from dataclasses import dataclass
from itertools import cycle

import numpy as np

from zpfit.errors import NoAllowedPoint, NoAnomalies
from zpfit.inference.posterior import Posterior, Standing
from zpfit.inference.search.descent import descend, kick
from zpfit.inference.search.minmax import (
    Heights,
    Judge,
    Lowest,
    lowest_near,
    lowest_of_points,
    scattered,
    starts_for,
)
from zpfit.inference.settings import JointSigmaSpec
from zpfit.io.arrays import FloatArray

_FIRST_LEVELS = (0.0, 1.0, 2.0, 4.0)
"""Largest pulls of anomalies that descents aim at."""
_LATER_LEVELS = (0.9, 0.97, 1.03, 0.9, 0.97, 1.03)
"""The same, as a share of what has been reached: other ways lead to a level than below it."""
_WORTH_AIMING = 1.2
"""Times what has been reached, up to which a first level is still worth a search."""
_QUIET = 3
"""Searches without progress after which the result stands."""
_REPEATS = 3
"""Independent searches, as one may miss the narrow basins of models with cancelling charges."""
_MET = 1e-3
"""Level that is as good as zero, and progress that counts."""
_CLOSER = (0.95, 0.99, 0.998, 0.9995)
"""Shares of what has been reached that descents from around given points aim at in turn."""
_KICKS = 128
"""Around each given point."""
_CLOSER_PROGRESS = 2e-4
_WALL, _INSIDE = 30.0, 1e-4
"""Steepness of exclusions for these, and how far inside they aim, as they end on edges."""


@dataclass(frozen=True)
class JointSigma:
    """The smallest level at which every anomaly is met, and where."""

    sigma: float
    u: FloatArray
    """On the unit cube, shape (d,)."""


def heights_of_anomalies(
    posterior: Posterior, standing: Standing, limits: JointSigmaSpec
) -> Heights:
    """Pulls of the anomalies, which are to be lowered, while all else stays within its limits."""
    anomalies = [term.name for term in posterior.likelihood.anomalies]
    sizes = {name: np.abs(pull) for name, pull in standing.pulls.items()}
    to_lower = [sizes.pop(name) for name in anomalies]
    limited = [size - limits.limit(name) for name, size in sizes.items()]
    return Heights(to_lower, limited, standing.ratios)


def joint_sigma(
    posterior: Posterior, rng: np.random.Generator, limits: JointSigmaSpec | None = None
) -> JointSigma:
    """The smallest n with every anomaly within n standard errors and nothing violated.

    A min-max fit: anomalies are the magnetic moments, every other measurement must lie
    within its limit, every exclusion, hard or soft, must not be exceeded.
    The paper's no-go theorem (arXiv:2102.07781) says n > 1 for its classes of models. The
    result is what a global search finds, so strictly an upper bound.

    Raises
    ------
    NoAnomalies
        The likelihood has no magnetic moment.
    NoAllowedPoint
        Nothing satisfies the other measurements and exclusions.
    """
    if not posterior.likelihood.anomalies:
        raise NoAnomalies(posterior.likelihood.name)
    limits = limits or JointSigmaSpec()
    grain, judge = posterior.priors.grain, _judge(posterior, limits)
    reached = Lowest(np.inf, np.full(posterior.dimension, 0.5))
    known = np.empty((0, posterior.dimension))
    for level in _FIRST_LEVELS:
        if reached.level < _MET or level > _WORTH_AIMING * reached.level:
            continue
        known = np.vstack([known, scattered(judge, level, grain, rng)])
        found, known = lowest_near(judge, level, known, grain, rng)
        reached = reached.or_lower(found)
    if not np.isfinite(reached.level):
        raise NoAllowedPoint(starts_for(grain) * len(_FIRST_LEVELS))
    quiet = 0
    for share in _LATER_LEVELS:
        if reached.level < _MET or quiet == _QUIET:
            break
        found, known = lowest_near(judge, share * reached.level, known, grain, rng)
        quiet = 0 if found.level < reached.level - _MET else quiet + 1
        reached = reached.or_lower(found)
    # Where a published curve jumps, the constrained search leaps over its narrow basins.
    return lowered(posterior, reached.u[None], rng, limits)


def _judge(posterior: Posterior, limits: JointSigmaSpec) -> Judge:
    return lambda u: heights_of_anomalies(posterior, posterior.standing(u), limits)


def lowered(
    posterior: Posterior,
    points: FloatArray,
    rng: np.random.Generator,
    limits: JointSigmaSpec | None = None,
) -> JointSigma:
    """The best of given points, shape (n, d), and of where descents from around them lead.

    Infinite where neither meets the other measurements and the exclusions.
    """
    judge, grain = _judge(posterior, limits or JointSigmaSpec()), posterior.priors.grain
    reached = lowest_of_points(judge, points)
    quiet = 0
    for share in cycle(_CLOSER):
        if quiet == len(_CLOSER) or not _MET < reached.level < np.inf:
            break
        near = kick(np.vstack([points, reached.u]), grain, rng, _KICKS)
        found = lowest_of_points(judge, _descended(judge, share * reached.level, near))
        quiet = 0 if found.level < reached.level - _CLOSER_PROGRESS else quiet + 1
        reached = reached.or_lower(found)
    return JointSigma(reached.level, reached.u)


def lowest_of(
    posterior: Posterior, points: FloatArray, limits: JointSigmaSpec | None = None
) -> JointSigma:
    """The best of given points, shape (n, d); infinite if the demands are met at none."""
    best = lowest_of_points(_judge(posterior, limits or JointSigmaSpec()), points)
    return JointSigma(best.level, best.u)


def _descended(judge: Judge, level: float, starts: FloatArray) -> FloatArray:
    """Ends of descents to below a level and to inside of every demand."""

    def residuals(u: FloatArray, wall: float) -> FloatArray:
        heights = judge(u)
        limited = [excess + _INSIDE for excess in heights.limited]
        ratios = [ratio * (1 + _INSIDE) for ratio in heights.ratios]
        return Heights(heights.to_lower, limited, ratios).residuals(level, wall)

    return descend(residuals, starts, _WALL)[0]


def joint_sigma_or_none(
    posterior: Posterior, rng: np.random.Generator, limits: JointSigmaSpec | None = None
) -> tuple[JointSigma | None, tuple[str, ...]]:
    """The best of several searches, None where there is none, and why if not by choice of data."""
    try:
        found = [joint_sigma(posterior, own, limits) for own in rng.spawn(_REPEATS)]
    except NoAnomalies:
        return None, ()
    except NoAllowedPoint:
        return None, ("no joint sigma: the other data are not met within their limits anywhere",)
    return min(found, key=lambda one: one.sigma), ()
