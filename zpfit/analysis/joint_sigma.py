"""The joint sigma: standard errors within which every anomaly is met at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle

import numpy as np

from zpfit.errors import NoAllowedPoint, NoAnomalies
from zpfit.inference.posterior import Posterior
from zpfit.inference.search.descent import TRUST, descend, sum_of_squares
from zpfit.inference.search.kicks import kick
from zpfit.inference.search.minmax import (
    Constraints,
    MinMax,
    Objective,
    best_of_points,
    hopeful_leaders,
    improve_near,
    polished_best,
    scattered,
    starts_for,
)
from zpfit.inference.search.selection import Space
from zpfit.inference.search.strata import search_space
from zpfit.inference.settings import JointSigmaSpec
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.likelihood import Likelihood

_FIRST_LEVELS = (0.0, 1.0, 2.0, 4.0)
"""Levels, in standard errors, at which the first descents aim."""
_LATER_LEVELS = (0.9, 0.97, 1.03, 0.9, 0.97, 1.03)
"""Later levels as fractions of the best one; descents towards different levels end differently."""
_LEADERS_AT = 0.97
"""Level, as a fraction of the best one, that ranks the points of a stratum in the end."""
_LEADERS_BELOW = 0.5
"""Another such level, for descents alone."""
_KICKS_OF_LEADERS = 16
"""New starts around each of these points."""
_WORTH_AIMING = 1.2
"""Largest ratio of a first level to the best one for which a search is useful."""
_SHORT_AIM, _SHORT_STARTS = 0.9, 0.5
"""Short searches, which begin with a known result: the level at which their random starts aim, as a
fraction of that result, and their number, as a fraction of that of a search from nothing."""
_QUIET = 3
"""Successive searches without progress after which the search ends."""
_MET = 1e-3
"""Level that counts as zero, and smallest progress, in standard errors."""
_CLOSER = (0.95, 0.99, 0.998, 0.9995)
"""Levels, as fractions of the best one, at which descents around given points aim in turn."""
_KICKS = 128
"""New starts around each given point."""
_PROMISING = 3
"""Known points around which descents start; others are far from what the data allow."""
_CLOSER_PROGRESS = 2e-4
"""Smallest progress of these descents, in standard errors."""
_ARRIVED = 1e-8
"""Decrease of the sum of squares in one step below which such a descent ends."""
_WALL, _INSIDE = 30.0, 1e-4
"""Steepness of exclusions for these descents, and their margin inside, as they end on edges."""


@dataclass(frozen=True)
class JointSigma:
    """The smallest level within which every anomaly is met, and its point."""

    sigma: float
    """Largest pull of an anomaly, in standard errors."""
    u: FloatArray
    """Point of the unit cube, shape (d,)."""


class PullConstraints:
    """The pulls of the anomalies as objectives, and all other data as constraints.

    Parameters
    ----------
    likelihood
        Likelihood that names the anomalies; by default the magnetic moments.
    limits
        Largest pulls of the other measurements, in standard errors.
    """

    def __init__(self, likelihood: Likelihood, limits: JointSigmaSpec) -> None:
        anomalies = {term.name for term in likelihood.anomalies}
        names = [term.name for term in likelihood.measurements]
        self._anomalies = np.flatnonzero([name in anomalies for name in names])
        self._others = np.flatnonzero([name not in anomalies for name in names])
        self._within = np.array([limits.limit(names[i]) for i in self._others])[:, None]

    def __call__(self, pulls: FloatArray, ratios: FloatArray) -> Constraints:
        """Return objectives and constraints at n points.

        Parameters
        ----------
        pulls
            Pull of each measurement, shape (m, n).
        ratios
            Signal over limit of each exclusion, shape (k, n).
        """
        sizes = np.abs(pulls)
        return Constraints(sizes[self._anomalies], sizes[self._others] - self._within, ratios)


class AnomalyConstraints:
    """The :class:`PullConstraints` of a posterior, at points of the unit cube."""

    def __init__(self, posterior: Posterior, limits: JointSigmaSpec) -> None:
        self._posterior = posterior
        self._of_pulls = PullConstraints(posterior.likelihood, limits)

    def __call__(self, u: FloatArray, data: FloatArray | None = None) -> Constraints:
        """Return objectives and constraints at points (n, d), by default for the observed data."""
        found = self._posterior.pulls_and_ratios(u, data)
        return self._of_pulls(found.pulls, found.ratios)


def joint_sigma(
    posterior: Posterior, rng: np.random.Generator, limits: JointSigmaSpec | None = None
) -> JointSigma:
    """Return the smallest n such that every anomaly is within n standard errors.

    A min-max fit: by default the anomalies are the magnetic moments. Every other measurement must
    lie within its limit, and no exclusion, hard or soft, may be exceeded. A global search finds the
    result, so it is an upper bound.

    Parameters
    ----------
    posterior
        Model, priors and likelihood; of the priors only the supports matter.
    rng
        Generator of starts and kicks.
    limits
        Largest pulls of the other measurements, in standard errors; default 2.

    Raises
    ------
    NoAnomalies
        The likelihood has no anomaly.
    NoAllowedPoint
        No point meets the other measurements and the exclusions.

    References
    ----------
    arXiv:2102.07781: its no-go theorem states n > 1 for several classes of models.
    """
    if not posterior.likelihood.anomalies:
        raise NoAnomalies(posterior.likelihood.name)
    limits = limits or JointSigmaSpec()
    space, objective = search_space(posterior), AnomalyConstraints(posterior, limits)
    reached = MinMax(np.inf, np.full(posterior.dimension, 0.5))
    known = np.empty((0, posterior.dimension))
    for level in _FIRST_LEVELS:
        if reached.level < _MET or level > _WORTH_AIMING * reached.level:
            continue
        known = np.vstack([known, scattered(objective, level, space, rng)])
        found, known = improve_near(objective, level, known, space, rng)
        reached = reached.or_lower(found)
    if not np.isfinite(reached.level):
        raise NoAllowedPoint(starts_for(space) * len(_FIRST_LEVELS))
    reached = _later(objective, reached, known, space, rng)
    # At a jump of a published curve the constrained search misses narrow basins.
    return improve_joint_sigma(posterior, reached.u[None], rng, limits)


def _later(
    objective: Objective, reached: MinMax, known: FloatArray, space: Space, rng: np.random.Generator
) -> MinMax:
    """Return the best result of searches around known points at levels close to the best one."""
    quiet = 0
    for share in _LATER_LEVELS:
        if reached.level < _MET or quiet == _QUIET:
            break
        found, known = improve_near(objective, share * reached.level, known, space, rng)
        quiet = 0 if found.level < reached.level - _MET else quiet + 1
        reached = reached.or_lower(found)
    if reached.level >= _MET:
        reached = reached.or_lower(_from_leaders(objective, reached.level, known, space, rng))
    return reached


def _from_leaders(
    objective: Objective,
    reached: float,
    known: FloatArray,
    space: Space,
    rng: np.random.Generator,
) -> MinMax:
    """Return the best result of searches from the best points of the strata."""
    level = _LEADERS_AT * reached
    leaders = hopeful_leaders(objective, level, reached, known, space)
    # In a valley with edges the constrained search fails, and descents from around succeed. Its
    # points are best at low levels: at others, cheaper points of the stratum lie beside it.
    lower = hopeful_leaders(objective, _LEADERS_BELOW * reached, reached, known, space)
    near = kick(np.vstack([leaders, lower]), space.step_width, rng, _KICKS_OF_LEADERS)
    ends = _descended(objective, level, near)
    return polished_best(objective, leaders, space).or_lower(best_of_points(objective, ends))


def improve_joint_sigma(
    posterior: Posterior,
    points: FloatArray,
    rng: np.random.Generator,
    limits: JointSigmaSpec | None = None,
) -> JointSigma:
    """Return the best of given points and of descents that start around them.

    Parameters
    ----------
    posterior
        Model, priors and likelihood.
    points
        Points of the unit cube, shape (n, d).
    rng
        Generator of the kicks.
    limits
        Largest pulls of the other measurements, in standard errors; default 2.

    Returns
    -------
    JointSigma
        Its ``sigma`` is infinite if no point meets the other measurements and the exclusions.
    """
    objective, step_width = (
        AnomalyConstraints(posterior, limits or JointSigmaSpec()),
        posterior.priors.step_width,
    )
    reached = best_of_points(objective, points)
    quiet = 0
    for share in cycle(_CLOSER):
        if quiet == len(_CLOSER) or not _MET < reached.level < np.inf:
            break
        near = kick(np.vstack([points, reached.u]), step_width, rng, _KICKS)
        found = best_of_points(objective, _descended(objective, share * reached.level, near))
        quiet = 0 if found.level < reached.level - _CLOSER_PROGRESS else quiet + 1
        reached = reached.or_lower(found)
    return JointSigma(reached.level, reached.u)


def best_joint_sigma_of(
    posterior: Posterior, points: FloatArray, limits: JointSigmaSpec | None = None
) -> JointSigma:
    """Return the best of given points, shape (n, d); infinite if none meets the constraints."""
    best = best_of_points(AnomalyConstraints(posterior, limits or JointSigmaSpec()), points)
    return JointSigma(best.level, best.u)


def _descended(objective: Objective, level: float, starts: FloatArray) -> FloatArray:
    """Return the end points of descents below a level and inside every constraint, shape (n, d)."""

    def residuals(u: FloatArray, wall: float) -> FloatArray:
        heights = objective(u)
        return Constraints(
            heights.objectives, heights.excesses + _INSIDE, heights.ratios * (1 + _INSIDE)
        ).residuals(level, wall)

    return descend(residuals, starts, _WALL, tolerance=_ARRIVED, trust=TRUST)[0]


def joint_sigma_or_none(
    posterior: Posterior,
    rng: np.random.Generator,
    limits: JointSigmaSpec | None = None,
    proved: Callable[[float], bool] = lambda _: False,
    searches: int = 3,
    known: FloatArray | None = None,
    *,
    nearby: bool = False,
) -> tuple[JointSigma | None, tuple[str, ...]]:
    """Return the best of several searches, or None with the reason.

    A result of 0, or one with a proof, cannot be improved and ends the searches. Where known points
    are allowed, short searches begin with them, until one does not improve the result. Where they
    are excluded the best basin may be another, and searches begin with nothing.

    Parameters
    ----------
    posterior, rng, limits
        See :func:`joint_sigma`.
    proved
        Whether a proof says that no other search finds less than a result.
    searches
        Largest number of searches; one may miss narrow basins of models with cancelling charges.
    known
        Points at which similar problems reach their joint sigmas, shape (n, d).
    nearby
        Whether one of them differs so little that short searches suffice in either case.

    Returns
    -------
    JointSigma or None
        Best result.
    tuple of str
        Reason why there is none; empty if the likelihood has no anomalies.
    """
    best = None if known is None else _from_known(posterior, known, rng, limits)
    if best is not None and known is not None:
        if best.sigma < _MET or proved(best.sigma):
            return best, ()
        if nearby or np.isfinite(best_joint_sigma_of(posterior, known, limits).sigma):
            return _confirmed(posterior, best, known, rng.spawn(searches), limits), ()
    try:
        for number, own in enumerate(rng.spawn(searches)):
            found, before = joint_sigma(posterior, own, limits), best
            best = found if before is None or found.sigma < before.sigma else before
            if best.sigma < _MET or (not number and proved(best.sigma)):
                break
            previous = np.inf if before is None else before.sigma
            if number and known is not None and best.sigma > previous - _MET:
                break
    except NoAnomalies:
        return None, ()
    except NoAllowedPoint:
        if best is None:
            return None, ("no joint sigma: no point meets the other data within their limits",)
    return best, ()


def _from_known(
    posterior: Posterior,
    known: FloatArray,
    rng: np.random.Generator,
    limits: JointSigmaSpec | None,
) -> JointSigma | None:
    """Return what the most promising known points lead to, or None if nothing is allowed there."""
    if not len(known) or not posterior.likelihood.anomalies:
        return None
    objective = AnomalyConstraints(posterior, limits or JointSigmaSpec())
    values = objective(known)
    promising = np.argsort(sum_of_squares(values.residuals(0.0, _WALL)))[:_PROMISING]
    points = known[promising]
    if not np.isfinite(values.largest()[promising]).any():
        # They lie on edges that other data have moved.
        level = float(values.objectives.max(axis=0)[promising].min())
        found, _ = improve_near(objective, level, points, search_space(posterior), rng)
        points = np.vstack([points, found.u])
    result = improve_joint_sigma(posterior, points, rng, limits)
    return result if np.isfinite(result.sigma) else None


def _confirmed(
    posterior: Posterior,
    best: JointSigma,
    known: FloatArray,
    rngs: Sequence[np.random.Generator],
    limits: JointSigmaSpec | None,
) -> JointSigma:
    """Return a result to which known points lead once a search does not improve it."""
    for rng in rngs:
        before, best = best, _short_search(posterior, best, known, rng, limits)
        if best.sigma < _MET or best.sigma > before.sigma - _MET:
            break
    return best


def _short_search(
    posterior: Posterior,
    best: JointSigma,
    known: FloatArray,
    rng: np.random.Generator,
    limits: JointSigmaSpec | None,
) -> JointSigma:
    """Return the result of a short search, or the known one if that is lower.

    Levels far from the known one need no random starts.
    """
    space = search_space(posterior)
    objective = AnomalyConstraints(posterior, limits or JointSigmaSpec())
    level = _SHORT_AIM * best.sigma
    random = scattered(objective, level, space, rng, _SHORT_STARTS)
    found, known = improve_near(objective, level, np.vstack([best.u, known, random]), space, rng)
    reached = _later(objective, MinMax(best.sigma, best.u).or_lower(found), known, space, rng)
    return improve_joint_sigma(posterior, reached.u[None], rng, limits)
