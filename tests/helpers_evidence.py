"""Likelihoods with known evidence and moments, and runs of the engines on them."""

from math import log, pi, sqrt

import numpy as np
from scipy.stats import truncnorm

from zpfit.inference.samplers.dynesty import nested_sampling
from zpfit.inference.samplers.importance import Target, integrate
from zpfit.inference.samplers.vegas_map import MapOptions, adapt_maps

LIMIT = 4.5
"""Tolerance in standard errors, rarely exceeded by chance in some two hundred comparisons."""
SEEDS = range(20)


class Problem:
    """A likelihood on the unit cube with known ln Z and posterior moments."""

    def __init__(self, dimension, log_likelihood, log_z, moments=()):
        self.dimension = dimension
        self.log_likelihood = log_likelihood
        self.log_z = log_z
        self.moments = moments
        """Pairs (function of u, mean)."""


def normal(mean, sd, dimension):
    """Return a Gaussian with its ln Z and its first and second moments."""
    moments = []
    for axis in range(dimension):
        moments.append(((lambda u, a=axis: u[:, a]), mean))
        moments.append(((lambda u, a=axis: (u[:, a] - mean) ** 2), sd**2))
    return Problem(
        dimension,
        lambda u: -0.5 * np.sum(((u - mean) / sd) ** 2, axis=1),
        dimension * log(sd * sqrt(2 * pi)),
        moments,
    )


def correlated(correlation, sd=0.05, mean=0.5):
    """Return a Gaussian of two parameters, each of standard deviation ``sd``."""
    precision = np.linalg.inv(sd**2 * np.array([[1, correlation], [correlation, 1]]))

    def log_likelihood(u):
        return -0.5 * np.einsum("ni,ij,nj->n", u - mean, precision, u - mean)

    moments = (
        (lambda u: u[:, 0], mean),
        (lambda u: (u[:, 1] - mean) ** 2, sd**2),
        (lambda u: (u[:, 0] - mean) * (u[:, 1] - mean), correlation * sd**2),
    )
    return Problem(2, log_likelihood, -0.5 * log(np.linalg.det(precision / (2 * pi))), moments)


def two_modes(dimension=2, sd=0.02, shares=(0.25, 0.75)):
    """Return two Gaussians thirty standard deviations apart, one three times as heavy."""
    modes = [normal(centre, sd, dimension) for centre in (0.2, 0.8)]

    def log_likelihood(u):
        parts = [log(s) + m.log_likelihood(u) for s, m in zip(shares, modes, strict=True)]
        return np.logaddexp(*parts)

    moments = ((lambda u: (u[:, 0] > 0.5) * 1.0, shares[1]),)
    return Problem(dimension, log_likelihood, modes[0].log_z, moments)


def ridge(c=0.001):
    """Return a likelihood that is constant where |xy| < c on the square from -1 to 1, else zero."""

    def log_likelihood(u):
        x, y = 2 * u.T - 1
        return np.where(np.abs(x * y) < c, 0.0, -np.inf)

    share = c * (1 - log(c))
    variance = (c**3 / 3 + c * (1 - c**2) / 2) / share
    moments = (
        (lambda u: 2 * u[:, 0] - 1, 0.0),
        (lambda u: (2 * u[:, 0] - 1) ** 2, variance),
        (lambda u: (2 * u[:, 1] - 1) ** 2, variance),
    )
    return Problem(2, log_likelihood, log(share), moments)


def wall(mean=0.5, sd=0.1):
    """Return a Gaussian cut off at its own centre, which is half-normal."""
    whole = normal(mean, sd, 2)

    def log_likelihood(u):
        return np.where(u[:, 0] > mean, whole.log_likelihood(u), -np.inf)

    half = truncnorm(0, np.inf, loc=mean, scale=sd)
    tail = 2 * np.exp(-0.5 * ((1 - mean) / sd) ** 2)  # 1e-6 of it is beyond the cube
    moments = (
        (lambda u: u[:, 0], half.mean()),
        (lambda u: (u[:, 0] - half.mean()) ** 2, half.var()),
        (lambda u: u[:, 1], mean),
    )
    return Problem(2, log_likelihood, whole.log_z - log(2) - tail / 10, moments)


def plateau(width, dimension=5):
    """Return a likelihood that is constant inside a box and zero elsewhere."""
    low = 0.4

    def log_likelihood(u):
        return np.where(np.all((u > low) & (u < low + width), axis=1), 0.0, -np.inf)

    moments = [((lambda u, a=a: u[:, a]), low + width / 2) for a in range(dimension)]
    moments.append((lambda u: (u[:, 0] - low - width / 2) ** 2, width**2 / 12))
    return Problem(dimension, log_likelihood, dimension * log(width), moments)


def constant(dimension=3):
    moments = [((lambda u, a=a: u[:, a]), 0.5) for a in range(dimension)]
    return Problem(dimension, lambda u: np.zeros(len(u)), 0.0, moments)


PROBLEMS = {
    "gaussian 1d": normal(0.4, 0.02, 1),
    "gaussian 2d": normal(0.4, 0.02, 2),
    "gaussian 5d": normal(0.4, 0.02, 5),
    "gaussian 10d": normal(0.5, 0.08, 10),
    "correlated": correlated(0.98),
    "two modes": two_modes(),
    "ridge": ridge(),
    "wall": wall(),
    "plateau": plateau(0.25),
    "constant": constant(),
}


NESTED = {
    "gaussian 1d": normal(0.4, 0.05, 1),
    "gaussian 2d": normal(0.4, 0.05, 2),
    "gaussian 5d": normal(0.4, 0.1, 5),
    "two modes": two_modes(sd=0.04),
    "wall": wall(),
    "plateau": plateau(0.5),
    "constant": constant(),
}
"""Problems with wider peaks, because the cost grows with the information."""


def vegas(problem, seed, *, batch=10_000, error=0.01, effective=2000, max_evaluations=500_000):
    """Integrate with small batches, so that many seeds take seconds."""
    rng = np.random.default_rng(seed)
    target = Target(error, effective, max_evaluations)
    options = MapOptions(batch=batch)
    maps = adapt_maps(problem.log_likelihood, problem.dimension, 2, rng, options=options)
    return integrate(problem.log_likelihood, maps, rng, target, batch=batch)


def pull(problem, evidence):
    """Return (found - true)/error of ln Z; the error of a constant may be zero up to rounding."""
    return (evidence.log_z - problem.log_z) / max(evidence.error, 1e-9)


def moment_pulls(problem, samples):
    """Return the pulls of posterior means, with the error of a ratio of weighted sums."""
    pulls = []
    for function, mean in problem.moments:
        values = function(samples.u)
        error = sqrt(np.sum((samples.weight * (values - mean)) ** 2))
        pulls.append((samples.mean(values) - mean) / error)
    return np.array(pulls)


def nested(problem, seed, live_points=100, tolerance=0.05):
    rng = np.random.default_rng(seed)
    return nested_sampling(problem.log_likelihood, problem.dimension, live_points, tolerance, rng)
