"""How many standard errors it takes to meet every anomaly at once."""

from dataclasses import dataclass

import numpy as np

from zpfit.config import JointSigmaSpec
from zpfit.errors import NoAllowedPoint, NoAnomalies
from zpfit.minmax import Heights, Lowest, lowest_from_level, starts_for
from zpfit.physics.compiled import FloatArray
from zpfit.posterior import Posterior, Standing

_FIRST_LEVELS = (0.0, 1.0, 2.0, 4.0)
"""Largest pulls of anomalies that descents aim at."""
_LATER_LEVELS = (0.9, 0.97, 1.03, 0.9, 0.97, 1.03)
"""The same, as a share of what has been reached: other ways lead to a level than below it."""
_WORTH_AIMING = 1.5
"""Times what has been reached, up to which a first level is still worth a search."""
_QUIET = 3
"""Searches without progress after which the result stands."""
_REPEATS = 3
"""Independent searches, as one may miss the narrow basins of models with cancelling charges."""
_MET = 1e-3
"""Level that is as good as zero, and progress that counts."""


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

    Raises:
        NoAnomalies: the likelihood has no magnetic moment.
        NoAllowedPoint: nothing satisfies the other measurements and exclusions.
    """
    if not posterior.likelihood.anomalies:
        raise NoAnomalies(posterior.likelihood.name)
    limits = limits or JointSigmaSpec()
    grain = posterior.priors.grain

    def judge(u: FloatArray) -> Heights:
        return heights_of_anomalies(posterior, posterior.standing(u), limits)

    reached = Lowest(np.inf, np.full(posterior.dimension, 0.5))
    for level in _FIRST_LEVELS:
        if level < _WORTH_AIMING * reached.level and reached.level > _MET:
            reached = reached.or_lower(lowest_from_level(judge, level, grain, rng))
    if not np.isfinite(reached.level):
        raise NoAllowedPoint(starts_for(grain) * len(_FIRST_LEVELS))
    quiet = 0
    for share in _LATER_LEVELS:
        if reached.level < _MET or quiet == _QUIET:
            break
        found = lowest_from_level(judge, share * reached.level, grain, rng)
        quiet = 0 if found.level < reached.level - _MET else quiet + 1
        reached = reached.or_lower(found)
    return JointSigma(reached.level, reached.u)


def joint_sigma_or_none(
    posterior: Posterior, rng: np.random.Generator, limits: JointSigmaSpec | None = None
) -> tuple[float | None, tuple[str, ...]]:
    """The best of several searches, None where there is none, and why if not by choice of data."""
    try:
        found = [joint_sigma(posterior, own, limits).sigma for own in rng.spawn(_REPEATS)]
    except NoAnomalies:
        return None, ()
    except NoAllowedPoint:
        return None, ("no joint sigma: the other data are not met within their limits anywhere",)
    return min(found), ()
