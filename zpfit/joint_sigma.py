"""How many standard errors it takes to meet every anomaly at once."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from zpfit.errors import NoAllowedPoint, NoAnomalies
from zpfit.likelihood import wall_residual
from zpfit.optimize import best_points, descend, kick
from zpfit.physics.compiled import FloatArray
from zpfit.posterior import Posterior

OTHERS = 2.0
"""Standard errors within which measurements that are no anomalies must lie."""
_FIRST_LEVELS = (0.0, 1.0, 2.0, 4.0)
"""Largest pulls of anomalies that descents aim at."""
_LATER_LEVELS = (0.9, 0.97, 1.03, 0.9, 0.97, 1.03)
"""The same, as a share of what has been reached: other ways lead to a level than below it."""
_MET = 1e-3
"""Level that is as good as zero."""
_STARTS, _STARTS_WITH_STEPS = 1500, 6000
"""Of descents for each level."""
_POLISHED = 20
"""Best points of each level from which the constrained search goes on."""
_WALL = 30.0
"""Steepness of exclusions beside pulls."""
_MARGIN = 1e-6
"""By which the constrained search keeps inside, as it ends on edges to rounding."""
_STEP = 1e-7
_LOWEST_LOG_RATIO = -20.0
"""Of an exclusion that is far away, or of one whose signal is zero."""


@dataclass(frozen=True)
class JointSigma:
    """The smallest level at which every anomaly is met, and where."""

    sigma: float
    u: FloatArray
    """On the unit cube, shape (d,)."""


def joint_sigma(
    posterior: Posterior, rng: np.random.Generator, others: float = OTHERS
) -> JointSigma:
    """The smallest n with every anomaly within n standard errors and nothing violated.

    A min-max fit: anomalies are the magnetic moments, every other measurement must lie
    within ``others`` standard errors, every exclusion, hard or soft, must not be exceeded.
    The paper's no-go theorem (arXiv:2102.07781) says n > 1 for its classes of models. The
    result is what a global search finds, so strictly an upper bound.

    Raises:
        NoAnomalies: the likelihood has no magnetic moment.
        NoAllowedPoint: nothing satisfies the other measurements and exclusions.
    """
    if not posterior.likelihood.anomalies:
        raise NoAnomalies(posterior.likelihood.name)
    reached = JointSigma(np.inf, np.full(posterior.dimension, 0.5))
    for level in _FIRST_LEVELS:
        if reached.sigma > _MET:
            reached = _search(posterior, level, others, rng, reached)
    if not np.isfinite(reached.sigma):
        raise NoAllowedPoint(_STARTS * len(_FIRST_LEVELS))
    for share in _LATER_LEVELS:
        if reached.sigma > _MET:
            reached = _search(posterior, share * reached.sigma, others, rng, reached)
    return reached


def joint_sigma_or_none(
    posterior: Posterior, rng: np.random.Generator
) -> tuple[float | None, tuple[str, ...]]:
    """The joint sigma, None where it does not exist, and why if that is not by choice of data."""
    try:
        return joint_sigma(posterior, rng).sigma, ()
    except NoAnomalies:
        return None, ()
    except NoAllowedPoint:
        return None, ("no joint sigma: the other data are not met within 2 sigma anywhere",)


def _search(
    posterior: Posterior,
    level: float,
    others: float,
    rng: np.random.Generator,
    reached: JointSigma,
) -> JointSigma:
    """The better of ``reached`` and what descents towards a level lead to."""
    grain = posterior.priors.grain
    starts = rng.random((_STARTS_WITH_STEPS if grain.any() else _STARTS, posterior.dimension))
    excess = _excess(posterior, level, others)
    points, costs = descend(excess, starts, _WALL)
    kept = points[best_points(points, costs, grain)]
    kicked, kicked_costs = descend(excess, kick(kept, grain, rng), _WALL)
    points, costs = np.concatenate([points, kicked]), np.concatenate([costs, kicked_costs])
    best = best_points(points, costs, grain)[:_POLISHED]
    candidates = np.array([_polished(posterior, points[i], others) for i in best])
    worst = _worst(posterior, candidates, others)
    index = int(np.argmin(worst))
    found = JointSigma(float(worst[index]), candidates[index])
    return min(reached, found, key=lambda result: result.sigma)


def _excess(
    posterior: Posterior, level: float, others: float
) -> Callable[[FloatArray, float], FloatArray]:
    """Residuals that vanish where everything is met."""

    def residuals(u: FloatArray, wall: float) -> FloatArray:
        anomalies, rest, ratios = _demands(posterior, u)
        columns = [np.maximum(pull - level, 0) for pull in anomalies]
        columns += [np.maximum(pull - others, 0) for pull in rest]
        columns += [wall_residual(ratio, wall) for ratio in ratios]
        return np.stack(columns, axis=1)

    return residuals


def _polished(posterior: Posterior, start: FloatArray, others: float) -> FloatArray:
    """Sequential quadratic programming: the least n with every demand as a constraint."""
    free = posterior.priors.grain == 0

    def slack(u: FloatArray) -> FloatArray:
        """What each demand leaves at points (m, d), less n for the anomalies; shape (m, k)."""
        anomalies, rest, ratios = _demands(posterior, u)
        logs = [np.log(np.maximum(ratio, np.exp(_LOWEST_LOG_RATIO))) for ratio in ratios]
        columns = [-pull for pull in anomalies] + [others - pull for pull in rest]
        return np.stack([*columns, *(-log for log in logs)], axis=1) - _MARGIN

    n_anomalies = len(posterior.likelihood.anomalies)

    def at(x: FloatArray) -> FloatArray:
        u = start.copy()
        u[free] = np.clip(x[:-1], 0, 1)
        return u

    def constraints(x: FloatArray) -> FloatArray:
        values: FloatArray = slack(at(x)[None])[0]
        values[:n_anomalies] += x[-1]
        return values

    def gradients(x: FloatArray) -> FloatArray:
        u = at(x)
        steps = np.where(u > 0.5, -_STEP, _STEP)[free]
        points = np.repeat(u[None], len(steps) + 1, axis=0)
        points[np.arange(len(steps)), np.flatnonzero(free)] += steps
        values = slack(points)
        by_u = ((values[:-1] - values[-1]) / steps[:, None]).T
        by_n = np.zeros((len(by_u), 1))
        by_n[:n_anomalies] = 1
        result: FloatArray = np.hstack([by_u, by_n])
        return result

    first = float(-slack(start[None])[0, :n_anomalies].min())
    result = minimize(
        lambda x: x[-1],
        np.append(start[free], first),
        jac=lambda x: np.append(np.zeros(len(x) - 1), 1.0),
        method="SLSQP",
        bounds=[(0, 1)] * int(free.sum()) + [(0, None)],
        constraints={"type": "ineq", "fun": constraints, "jac": gradients},
        options={"maxiter": 200, "ftol": 1e-9},
    )
    return at(result.x)


def _worst(posterior: Posterior, points: FloatArray, others: float) -> FloatArray:
    """The largest pull of an anomaly, infinite where the rest is not met; shape (n,)."""
    anomalies, rest, ratios = _demands(posterior, points)
    worst: FloatArray = np.max(anomalies, axis=0)
    for pull in rest:
        worst = np.where(pull <= others, worst, np.inf)
    for ratio in ratios:
        worst = np.where(ratio <= 1, worst, np.inf)
    return worst


def _demands(
    posterior: Posterior, u: FloatArray
) -> tuple[list[FloatArray], list[FloatArray], list[FloatArray]]:
    """Sizes of the anomalies' pulls, of the other pulls, and ratios of all that excludes."""
    parameters = posterior.parameters(u)
    likelihood = posterior.likelihood
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        c = posterior.model.couplings(parameters)
        pulls = {term: np.abs(term.pull(c)) for term in likelihood.measurements}
        ratios = [exclusion.ratio(c) for exclusion in likelihood.exclusions]
    ratios += posterior.model.conditions(parameters).values()
    anomalies = [pull for term, pull in pulls.items() if term in likelihood.anomalies]
    rest = [pull for term, pull in pulls.items() if term not in likelihood.anomalies]
    return anomalies, rest, ratios
