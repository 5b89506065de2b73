"""Best fits of many pseudo-experiments at once, about fifty times faster than global searches.

Pseudo-experiments of one hypothesis differ by their noise alone, so a solution of one is a good
start for another. A pool of solutions is searched once, for a few hundred training experiments
that do not enter the result. Every other experiment starts from the best points of the pool, a
few descents from its end. A global search would need thousands of random starts. All descents
share each call of the likelihood.
"""

from dataclasses import dataclass

import numpy as np

from zpfit.inference.posterior import Posterior
from zpfit.inference.search.descent import BLOCK, TRUST, descend_rows
from zpfit.inference.search.kicks import kick_and_reflect, repeated_like
from zpfit.inference.search.selection import Index, apart_of_each, best_of_each, cheapest_apart
from zpfit.inference.search.walls import descend_inside, walls
from zpfit.io.arrays import FloatArray

_SOFT_WALL, _WALL = 3.0, 10.0
"""Steepness of walls while the pool is searched, and of all later descents."""
_STEEPER = walls(100.0, 5)
"""Steepness of the walls that take solutions inside the exclusions."""
_STEPS = 40
"""Largest number of steps of a descent."""
_TOLERANCE = 1e-5
"""Decrease of chi2 in one step below which a descent ends; valleys are long and flat."""
_MARGIN = 1.0
"""Distance in chi2 from the best descent of an experiment within which others are followed."""


@dataclass(frozen=True)
class RefitOptions:
    """Tuning of the fast refit; the defaults are unbiased for the models of zpfit."""

    training: int = 300
    """Training experiments, whose solutions make up the pool."""
    random_starts: int = 12_000
    """Random starts of the pool."""
    random_starts_with_steps: int = 20_000
    """Random starts if some parameters are discrete; descents do not cross their steps."""
    training_rounds: int = 8
    """Rounds of kicks of the training experiments."""
    training_starts: int = 8
    """Starts of each training experiment in a round."""
    pool_of_each: int = 16
    """Solutions of each training experiment that stay in the pool."""
    starts: int = 40
    """Starts of each experiment from the pool."""
    rounds: int = 6
    """Largest number of rounds of kicks."""
    rounds_with_steps: int = 8
    """Largest number of rounds of kicks if some parameters are discrete."""
    quiet_rounds: int = 2
    """Successive rounds without progress after which an experiment gets no more."""
    progress: float = 1e-3
    """Smallest progress of chi2 in a round."""
    kicked: int = 6
    """Points of each experiment that are kicked in a round."""
    kicks: int = 4
    """Kicks of each point."""
    reflections: int = 4
    """Copies of each point with some signs reversed."""
    starts_apart: float = 0.05
    """Smallest distance of two starts, along any axis of the unit cube."""
    solutions_apart: float = 0.02
    """Smallest distance of two solutions in the pool."""
    finished: int = 3
    """Best points of each experiment that descend behind steep walls."""
    finished_apart: float = 1e-3
    """Smallest distance of two of these: a point on a cliff of a wall may not get inside."""


_DEFAULTS = RefitOptions()


@dataclass(frozen=True)
class Fits:
    """Best fits of several experiments."""

    chi2: FloatArray
    """Least chi2, shape (toys,); infinite where no allowed point was found."""
    u: FloatArray
    """Points of the unit cube, shape (toys, d)."""


@dataclass(frozen=True)
class Experiments:
    """A posterior with the data of many experiments; experiment i has row i of ``data``."""

    posterior: Posterior
    data: FloatArray
    """Shape (toys, k), as :func:`zpfit.analysis.toys.pseudo_data.pseudo_data` draws them."""

    def costs(self, u: FloatArray, toy: Index, wall: float) -> FloatArray:
        """Return chi2 plus walls at points (n, d), each for the data of its toy; shape (n,)."""
        result = np.empty(len(u))
        for first in range(0, len(u), BLOCK):
            block = slice(first, first + BLOCK)
            residuals = self.posterior.residuals(u[block], wall, self.data[toy[block]])
            result[block] = np.einsum("nk,nk->n", residuals, residuals)
        return np.where(np.isnan(result), np.inf, result)

    def chi2(self, u: FloatArray, toy: Index) -> FloatArray:
        """Return chi2 alone, infinite where points are forbidden; shape (n,)."""
        result = np.full(len(u), np.inf)
        allowed = np.flatnonzero(np.isfinite(self.posterior.log_likelihood(u)))
        result[allowed] = self.costs(u[allowed], toy[allowed], 0.0)
        return result

    def descended(self, u: FloatArray, toy: Index, wall: float) -> tuple[FloatArray, FloatArray]:
        """Return end points of descents, shape (n, d), and their costs, shape (n,)."""

        def residuals(u: FloatArray, wall: float, rows: Index) -> FloatArray:
            return self.posterior.residuals(u, wall, self.data[toy[rows]])

        return descend_rows(
            residuals,
            u,
            wall,
            _STEPS,
            tolerance=_TOLERANCE,
            block=BLOCK,
            margin=_MARGIN,
            label=toy,
            trust=TRUST,
        )


def solution_pool(
    posterior: Posterior,
    truth: FloatArray,
    rng: np.random.Generator,
    options: RefitOptions = _DEFAULTS,
) -> FloatArray:
    """Return points of the unit cube that contain good starts for any experiment.

    The observed data are fitted as well, since they may be unlike every experiment's.

    Parameters
    ----------
    posterior
        Model, priors and likelihood.
    truth
        Expectation of each datum under the hypothesis, shape (k,).
    rng
        Generator of training experiments and starts.
    options
        Tuning of the search.

    Returns
    -------
    FloatArray
        Points of the unit cube, shape (n, d).

    Raises
    ------
    NoSamplingDistribution
        A measurement is a table of chi2.
    """
    likelihood = posterior.likelihood
    z = rng.standard_normal((options.training, likelihood.noise))
    drawn = likelihood.sample_data(truth, z)
    experiments = Experiments(posterior, np.vstack([drawn, likelihood.data]))
    discrete = posterior.priors.step_width.any()
    starts = options.random_starts_with_steps if discrete else options.random_starts
    toy = rng.integers(len(experiments.data), size=starts)
    pool, _ = experiments.descended(rng.random((starts, posterior.dimension)), toy, _SOFT_WALL)
    for _ in range(options.training_rounds):
        toy, u = _from_pool(experiments, pool, options.training_starts, options)
        new = kick_and_reflect(u, posterior.priors, rng, 1, 1)
        toy = np.concatenate([toy, repeated_like(toy, 1, 1)])
        u, costs = experiments.descended(np.vstack([u, new]), toy, _WALL)
        kept = apart_of_each(toy, u, costs, options.pool_of_each, options.solutions_apart)
        pool = np.unique(u[kept], axis=0)
    return pool


def refit(
    posterior: Posterior,
    pool: FloatArray,
    data: FloatArray,
    rng: np.random.Generator,
    options: RefitOptions = _DEFAULTS,
    known: FloatArray | None = None,
) -> Fits:
    """Return the best fit to the data of each experiment.

    A search finds the results, so they are upper bounds of the least chi2.

    Parameters
    ----------
    posterior
        Model, priors and likelihood.
    pool
        Starts on the unit cube, shape (n, d); see :func:`solution_pool`.
    data
        Data of the experiments, shape (toys, k).
    rng
        Generator of the kicks.
    options
        Tuning of the search.
    known
        Points of the unit cube, shape (m, d), that every experiment tries besides the pool, such
        as the best fit of the data. No result is worse than the best of them.

    Returns
    -------
    Fits
        Points and chi2 of the experiments, in their order.
    """
    experiments = Experiments(posterior, data)
    known = pool[:0] if known is None else known
    toy, u = _from_pool(experiments, pool, options.starts, options)
    toy, u = _with_known(toy, u, known, len(data))
    u, costs = experiments.descended(u, toy, _WALL)
    discrete = posterior.priors.step_width.any()
    quiet = np.zeros(len(data), dtype=np.intp)
    reached = _least(toy, costs, len(data))
    for _ in range(options.rounds_with_steps if discrete else options.rounds):
        kept = apart_of_each(toy, u, costs, options.kicked, options.starts_apart)
        toy, u, costs = toy[kept], u[kept], costs[kept]
        again = quiet[toy] < options.quiet_rounds
        new_toy = repeated_like(toy[again], options.kicks, options.reflections)
        if not len(new_toy):
            break
        new = kick_and_reflect(u[again], posterior.priors, rng, options.kicks, options.reflections)
        new, new_costs = experiments.descended(new, new_toy, _WALL)
        toy, u = np.concatenate([toy, new_toy]), np.vstack([u, new])
        costs = np.concatenate([costs, new_costs])
        least = _least(toy, costs, len(data))
        quiet = np.where(least < reached - options.progress, 0, quiet + 1)
        reached = least
    # Solutions of other experiments may suit one that has not found its own minimum.
    kept = best_of_each(toy, costs, options.finished)
    new_toy, new = _from_pool(experiments, u[kept], options.kicked, options)
    new, new_costs = experiments.descended(new, new_toy, _WALL)
    toy, u = np.concatenate([toy[kept], new_toy]), np.vstack([u[kept], new])
    costs = np.concatenate([costs[kept], new_costs])
    kept = apart_of_each(toy, u, costs, options.finished, options.finished_apart)
    toy, u = _with_known(toy[kept], u[kept], known, len(data))
    u, chi2 = _inside(experiments, u, toy)
    best = best_of_each(toy, chi2, 1)
    return Fits(chi2[best], u[best])


def _least(toy: Index, costs: FloatArray, toys: int) -> FloatArray:
    """Return the least cost of each experiment, shape (toys,)."""
    least = np.full(toys, np.inf)
    np.minimum.at(least, toy, costs)
    return least


def _with_known(
    toy: Index, u: FloatArray, known: FloatArray, toys: int
) -> tuple[Index, FloatArray]:
    """Return toys and their points with the known points added to each toy."""
    return (
        np.concatenate([toy, np.repeat(np.arange(toys), len(known))]),
        np.vstack([u, np.tile(known, (toys, 1))]),
    )


def _from_pool(
    experiments: Experiments, pool: FloatArray, n: int, options: RefitOptions
) -> tuple[Index, FloatArray]:
    """Return toys, and for each the ``n`` points of a pool that fit best and are apart."""
    toys, size = len(experiments.data), len(pool)
    costs = np.empty((toys, size))
    for row in range(toys):
        costs[row] = experiments.costs(pool, np.full(size, row), _WALL)
    toy, index = cheapest_apart(costs, np.arange(size)[None], pool, n, options.starts_apart)
    return toy, pool[index]


def _inside(experiments: Experiments, u: FloatArray, toy: Index) -> tuple[FloatArray, FloatArray]:
    """Return points behind walls as steep as each needs, and their true chi2."""
    return descend_inside(
        u,
        _STEEPER,
        lambda points, rows, wall: experiments.descended(points, toy[rows], wall),
        lambda points, rows: experiments.chi2(points, toy[rows]),
        chi2=experiments.chi2(u, toy),
    )
