"""The best fit of a run: where to start, and the search."""

import numpy as np

from zpfit.inference.checkpoint import NO_CHECKPOINT, Checkpoint
from zpfit.inference.posterior import Posterior
from zpfit.inference.problem import Problem
from zpfit.inference.search.descent import Minimum, find_minimum
from zpfit.io.arrays import FloatArray

_STARTS, _STARTS_WITH_STEPS = 2000, 20_000
"""Random starts; a descent does not cross steps of a prior."""
_POSTERIOR_STARTS = 200
"""Likeliest posterior samples from which the search starts as well."""


def starting_points(
    run: Problem, u: FloatArray, log_likelihood: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Random points, the likeliest samples of ``u``, shape (n, d), and the run file's points."""
    posterior, options = run.posterior, run.settings.best_fit
    default = _STARTS_WITH_STEPS if posterior.priors.grain.any() else _STARTS
    likeliest = np.argsort(log_likelihood)[-_POSTERIOR_STARTS:]
    own = [posterior.priors.to_unit_cube(point) for point in options.points]
    random = rng.random((options.starts or default, posterior.dimension))
    return np.vstack([random, u[likeliest], *own])


def best_fit(
    posterior: Posterior,
    starts: FloatArray,
    rng: np.random.Generator,
    checkpoint: Checkpoint = NO_CHECKPOINT,
) -> Minimum:
    """The least chi2 that hard exclusions and the model allow.

    Raises
    ------
    NoAllowedPoint
        None was found.
    """
    return find_minimum(
        posterior.residuals,
        lambda u: -2 * posterior.log_likelihood(u),
        starts,
        rng,
        posterior.priors.grain,
        checkpoint,
    )
