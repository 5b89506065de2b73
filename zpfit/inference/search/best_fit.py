"""The best fit: a global search for the least chi2 on the unit cube.

Levenberg-Marquardt descents start from thousands of points at once. The best end points are
kicked and descend again until nothing improves. A simplex search polishes the winner.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from zpfit.errors import NoAllowedPoint
from zpfit.inference.checkpoint import NO_CHECKPOINT, Checkpoint, State
from zpfit.inference.posterior import Posterior
from zpfit.inference.problem import Problem
from zpfit.inference.search.descent import (
    DESCENT_STEPS,
    TRUST,
    Residuals,
    descend,
    sum_of_squares,
)
from zpfit.inference.search.kicks import KICKS, kick, reflect
from zpfit.inference.search.selection import KEPT, Space, Stratum
from zpfit.inference.search.strata import search_space
from zpfit.io.arrays import FloatArray

Chi2 = Callable[[FloatArray], FloatArray]
"""Points (n, d) to chi2 (n,), infinite where excluded."""
Mirror = Callable[[FloatArray, np.random.Generator], FloatArray]
"""Points (n, d) to points where a similar chi2 is expected, such as those with other signs."""

_STARTS, _STARTS_WITH_STEPS = 2000, 20_000
"""Random starts; more with discrete parameters, as a descent does not cross their steps."""
_SOFT_WALL, _STEEP_WALL, _MAX_WALL = 3.0, 30.0, 3e6
"""Steepness of walls: of the first descents, of the next ones, and the largest."""
_PROGRESS = 1e-4
"""Decrease of chi2 that counts as progress."""
_FEW_STEPS, _FOLLOWED = 12, 4
"""Steps of all first descents; one in so many is followed to its end."""
_ARRIVED = 1e-5
"""Decrease of chi2 in one step below which a descent ends; the winner is polished."""
_MARGIN = 1.0
"""Distance of chi2 from the best descent within which others are followed to their ends."""
_POLISHED, _FRUITLESS = 1e-6, 2
"""Decrease of chi2 below which a simplex was fruitless; so many of them end the polish."""


@dataclass(frozen=True)
class Minimum:
    """Result of a search."""

    u: FloatArray
    """Point of the unit cube, shape (d,)."""
    chi2: float
    ends: tuple[FloatArray, FloatArray] | None = None
    """Allowed points of the last round, shape (n, d), and their chi2, shape (n,)."""


@dataclass(frozen=True)
class SearchOptions:
    """Tuning of :func:`find_minimum`."""

    descent_steps: int = DESCENT_STEPS
    """Largest number of steps of a descent."""
    kept: int = KEPT
    """Best points of each round."""
    kicks: int = KICKS
    """New starts around each of these."""
    reflections: int = 12
    """New starts of each round at the best point with some signs reversed.

    Without them, 3 of 16 seeds of ``effective_complete_closed_cs`` ended 0.02 above the minimum.
    """
    max_rounds: int = 20
    """Largest number of rounds."""
    quiet_rounds: int = 8
    """Successive rounds without progress that end the search.

    With 4 rounds, 4 of 42 seeds of ``nhdm_u1_today_cs`` ended in a local minimum; with 8, none.
    """


_DEFAULTS = SearchOptions()


def starting_points(
    run: Problem,
    u: FloatArray,
    log_likelihood: FloatArray,
    rng: np.random.Generator,
    likeliest: int = 200,
) -> FloatArray:
    """Return starts for :func:`best_fit`: random points, good samples, points of the run file.

    Parameters
    ----------
    run
        Problem whose settings give the number of random points and further points.
    u
        Posterior samples on the unit cube, shape (n, d).
    log_likelihood
        ln L of the samples, shape (n,).
    rng
        Generator of the random points.
    likeliest
        Number of samples with the largest ln L that become starts.

    Returns
    -------
    FloatArray
        Points of the unit cube, shape (m, d).
    """
    posterior, options = run.posterior, run.settings.best_fit
    default = _STARTS_WITH_STEPS if posterior.priors.step_width.any() else _STARTS
    best = np.argsort(log_likelihood)[-likeliest:]
    own = [posterior.priors.to_unit_cube(point) for point in options.points]
    random = rng.random((options.starts or default, posterior.dimension))
    return np.vstack([random, u[best], *own])


def best_fit(
    posterior: Posterior,
    starts: FloatArray,
    rng: np.random.Generator,
    checkpoint: Checkpoint = NO_CHECKPOINT,
    options: SearchOptions = _DEFAULTS,
) -> Minimum:
    """Search the least chi2 that hard exclusions and the model's conditions allow.

    Parameters
    ----------
    posterior
        Model, priors and likelihood; of the priors only the supports matter.
    starts
        Points of the unit cube, shape (n, d).
    rng
        Generator of the kicks.
    checkpoint
        Store of the search's state.
    options
        Tuning of the search.

    Raises
    ------
    NoAllowedPoint
        Every descent ends outside the walls.
    """
    return find_minimum(
        posterior.residuals,
        lambda u: -2 * posterior.log_likelihood(u),
        starts,
        rng,
        posterior.priors.step_width,
        checkpoint,
        options,
        search_space(posterior).stratum,
        lambda points, rng: reflect(points, posterior.priors, rng, options.reflections),
    )


def find_minimum(
    residuals: Residuals,
    chi2: Chi2,
    starts: FloatArray,
    rng: np.random.Generator,
    step_width: FloatArray | None = None,
    checkpoint: Checkpoint = NO_CHECKPOINT,
    options: SearchOptions = _DEFAULTS,
    stratum: Stratum | None = None,
    mirror: Mirror | None = None,
) -> Minimum:
    """Search the unit cube for the least allowed chi2.

    Descents move smooth coordinates only. Discrete ones move by whole steps between descents;
    of each combination of steps only the best point is kept.

    Parameters
    ----------
    residuals
        Points (n, d) and the wall steepness to residuals (n, k).
    chi2
        Points (n, d) to chi2 (n,), infinite where excluded.
    starts
        Points of the unit cube, shape (n, d).
    rng
        Generator of the kicks.
    step_width
        Width of the steps of discrete coordinates on the unit cube, 0 for smooth ones; shape
        (d,). By default all are smooth.
    checkpoint
        Store of the search's state.
    options
        Tuning of the search.
    stratum
        Labels of points; of each label some points are kept.
    mirror
        New starts of each round besides kicks, from the best point.

    Returns
    -------
    Minimum
        Best point. A search finds local minima, so chi2 is an upper bound of the least one.

    Raises
    ------
    NoAllowedPoint
        Every descent ends outside the walls.

    Examples
    --------
    >>> def residuals(u, wall):
    ...     return 10 * (u - 0.3)
    >>> def chi2(u):
    ...     return np.sum(residuals(u, 0) ** 2, axis=1)
    >>> rng = np.random.default_rng(1)
    >>> find_minimum(residuals, chi2, rng.random((5, 2)), rng).u.round(6).tolist()
    [0.3, 0.3]
    """
    step_width = np.zeros(starts.shape[1]) if step_width is None else step_width
    space = Space(step_width, stratum)
    kept, steps = options.kept, options.descent_steps
    kept_state = checkpoint.load()
    if kept_state is None:
        points, costs = _first_descents(residuals, starts, space, steps)
        wall, best_cost, quiet, rounds = _STEEP_WALL, np.inf, 0, 0
    else:
        points, costs = kept_state["points"], kept_state["costs"]
        wall, best_cost = kept_state["wall"], kept_state["best_cost"]
        quiet, rounds = kept_state["quiet"], kept_state["rounds"]
        rng.bit_generator.state = kept_state["rng"]

    def state() -> State:
        return {
            "u": points[:kept],
            "log_likelihood": -0.5 * chi2(points[:kept]),
            "points": points,
            "costs": costs,
            "wall": wall,
            "best_cost": best_cost,
            "quiet": quiet,
            "rounds": rounds,
            "rng": rng.bit_generator.state,
        }

    while rounds < options.max_rounds and quiet < options.quiet_rounds:
        checkpoint.save(state)
        rounds += 1
        best = points[space.best(points, costs, kept)]
        kicked = kick(best, step_width, rng, options.kicks)
        if mirror is not None:
            kicked = np.concatenate([kicked, mirror(best[:1], rng)])
        kicked, kicked_costs = descend(
            residuals, kicked, wall, steps, tolerance=_ARRIVED, margin=_MARGIN, trust=TRUST
        )
        points = np.concatenate([best, kicked])
        costs = np.concatenate([sum_of_squares(residuals(best, wall)), kicked_costs])
        quiet = quiet + 1 if costs.min() > best_cost - _PROGRESS else 0
        best_cost = min(best_cost, costs.min())
        if wall < _MAX_WALL and not np.isfinite(chi2(points[[np.argmin(costs)]])[0]):
            # chi2 pushes the minimum through the wall; a steeper wall stops it nearer to the edge.
            wall, best_cost, quiet = 10 * wall, np.inf, 0
    checkpoint.finish(state)
    values = chi2(points)
    if not np.isfinite(values).any():
        raise NoAllowedPoint(len(starts) + rounds * kept * options.kicks)
    index = int(np.argmin(values))
    u, value = _polish(chi2, points[index], float(values[index]))
    allowed = np.isfinite(values)
    return Minimum(u, value, (points[allowed], values[allowed]))


def _first_descents(
    residuals: Residuals, starts: FloatArray, space: Space, steps: int
) -> tuple[FloatArray, FloatArray]:
    """Descend from all starts for some steps, and from the best of each stratum to the end."""
    few = min(_FEW_STEPS, steps)
    points, costs = descend(residuals, starts, _SOFT_WALL, few, tolerance=_ARRIVED, trust=TRUST)
    chosen = space.best(points, costs, -(-len(starts) // _FOLLOWED))
    points[chosen], costs[chosen] = descend(
        residuals,
        points[chosen],
        _SOFT_WALL,
        steps - few,
        tolerance=_ARRIVED,
        margin=_MARGIN,
        trust=TRUST,
    )
    return points, costs


def _polish(chi2: Chi2, u: FloatArray, value: float) -> tuple[FloatArray, float]:
    """Improve a minimum with Nelder-Mead on the true chi2.

    Descents stop short of exclusions, whose walls are residuals. Simplices of several sizes
    reach the edges themselves.
    """

    def inside(point: FloatArray) -> float:
        if np.any((point < 0) | (point > 1)):
            return float("inf")
        return float(chi2(point[None])[0])

    d, fruitless = len(u), 0
    for size in (1e-2, 1e-3, 1e-4, 1e-5):
        inwards = np.where(u > 0.5, -size, size)
        simplex = u + np.vstack([np.zeros(d), np.diag(inwards)])
        result = minimize(
            inside,
            u,
            method="Nelder-Mead",
            options={
                "adaptive": d > 1,
                "initial_simplex": simplex,
                "xatol": np.inf,  # chi2 may not depend on some coordinates
                "fatol": 1e-9,
                "maxfev": 300 * d,
            },
        )
        fruitless = 0 if result.fun < value - _POLISHED else fruitless + 1
        if result.fun < value:
            u, value = result.x, float(result.fun)
        if fruitless == _FRUITLESS:
            break
    return u, value
