"""The posterior of a single parameter: moments, limits on its size, and what the data add.

A parameter that can have either sign, and whose sign the data leave open, has a limit on its size.
The median of such a parameter only tells where its prior has the least sizes.

The *information gain* is the relative entropy of the posterior and the prior of the parameter, in
bits. One bit halves the range. Below :data:`PRIOR_DOMINATED` the posterior is that of the prior.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from zpfit.analysis.levels import delta_chi2
from zpfit.analysis.records import ParameterRecord, SizeLimit
from zpfit.inference.posterior import Posterior
from zpfit.inference.priors import Fractions, FreePrior, Normal, Tied
from zpfit.inference.samplers.result import Samples, weighted_quantile
from zpfit.inference.search.best_fit import Minimum
from zpfit.io.arrays import FloatArray

PRIOR_DOMINATED = 0.1
"""Information gain in bits below which the posterior counts as that of the prior.

Data that exclude 7 % of the prior's range add this much.
"""
LEVEL = 0.95
"""Confidence level of the limits on sizes."""
AT_END = 1e-3
"""Probability between a value and the end of its prior that counts as the end."""
_SIGN_KNOWN = 0.025
"""Posterior probability of a sign below which the data exclude it."""
_BINS = (10, 1000)
"""Smallest and largest number of bins of equal prior probability."""
_PER_BIN = 10
"""Effective samples for each bin."""


@dataclass(frozen=True, eq=False)
class Marginals:
    """The posterior of each parameter that varies, from the results of one run.

    Values at samples are computed once for all parameters.
    """

    posterior: Posterior
    """Model, priors and likelihood."""
    samples: Samples
    """Samples of the run."""
    best: Minimum
    """Best fit of the run."""

    @cached_property
    def _equal(self) -> dict[str, FloatArray]:
        return self._values(self.samples.u.reshape(-1, self.posterior.dimension))

    @cached_property
    def _weighted(self) -> dict[str, FloatArray]:
        return self._values(self.samples.weighted.u)

    @cached_property
    def _allowed(self) -> tuple[FloatArray, dict[str, FloatArray]]:
        """Points of the run with a small enough chi2, and their values."""
        best, weighted = self.best, self.samples.weighted
        ends, chi2_of_ends = best.ends or (np.empty((0, self.posterior.dimension)), np.empty(0))
        u = np.vstack([weighted.u, ends, best.u])
        chi2 = np.concatenate([-2 * weighted.log_likelihood, chi2_of_ends, [best.chi2]])
        allowed = u[chi2 <= best.chi2 + delta_chi2(LEVEL, one_sided=True)]
        return allowed, self._values(allowed)

    def _values(self, u: FloatArray) -> dict[str, FloatArray]:
        """Return the parameters that vary at points u of shape (n, d), each of shape (n,)."""
        parameters = self.posterior.parameters(u)
        return {name: parameters[name] for name in self.posterior.priors.varying}

    def of(self, name: str) -> ParameterRecord:
        """Return moments, limits and diagnostics of a parameter.

        ESS, R-hat and the information gain of a tied parameter are those of the one it is tied to.

        Parameters
        ----------
        name
            A parameter that is sampled, or tied to a sampled one.
        """
        prior, values = self.posterior.priors.by_name[name], self._equal[name]
        axis = self.posterior.names.index(prior.to if isinstance(prior, Tied) else name)
        free = self.posterior.priors.free[self.posterior.names[axis]]
        diagnostics, weighted = self.samples.diagnostics, self.samples.weighted
        gain = information_gain(weighted.u[:, axis], weighted.weight, free)
        q05, q16, median, q84, q95 = np.quantile(values, [0.05, 0.16, 0.5, 0.84, 0.95]).tolist()
        record: ParameterRecord = {
            "median": median,
            "mean": float(np.mean(values)),
            "sd": float(np.std(values)),
            "q05": q05,
            "q16": q16,
            "q84": q84,
            "q95": q95,
            "ess": finite(diagnostics.ess[axis]),
            "rhat": finite(diagnostics.rhat[axis]),
            "information_gain": gain,
            "prior_dominated": gain < PRIOR_DOMINATED,
            "best_fit_at_end_of_prior": bool(at_end(self.best.u[axis], free)),
        }
        if has_open_sign(self.posterior.priors.support(name), values):
            record["size_limit"] = self._size_limit(name, axis, free)
        return record

    def _size_limit(self, name: str, axis: int, free: FreePrior) -> SizeLimit:
        """Return the limits on the size of a parameter of either sign.

        Points of the run with a small enough chi2 are allowed, so that the limit of the profile
        likelihood is at least the largest size among them.
        """
        allowed, values = self._allowed
        sizes, weight = np.abs(self._weighted[name]), self.samples.weighted.weight
        positions = allowed[:, axis]
        return {
            "probability": LEVEL,
            "delta_chi2": delta_chi2(LEVEL, one_sided=True),
            "posterior": weighted_quantile(sizes, weight, LEVEL),
            "profile_at_least": float(np.abs(values[name]).max()),
            "reaches_end_of_prior": any(
                at_end(end, free) for end in (positions.min(), positions.max())
            ),
        }


def has_open_sign(support: tuple[float, float], values: FloatArray) -> bool:
    """Return True if prior and posterior of a parameter leave its sign open.

    Examples
    --------
    >>> has_open_sign((-1, 1), np.array([-0.2, 0.3])), has_open_sign((-1, 1), np.array([0.2, 0.3]))
    (True, False)
    """
    low, high = support
    least = min(float(np.mean(values < 0)), float(np.mean(values > 0)))
    return low < 0 < high and least > _SIGN_KNOWN


def information_gain(u: FloatArray, weight: FloatArray, prior: FreePrior) -> float:
    """Return the relative entropy of posterior and prior of one parameter, in bits.

    Parameters
    ----------
    u
        Positions of samples on the axis of the unit cube, where the prior is uniform, shape (n,).
    weight
        Weights of the samples, which add up to 1, shape (n,).
    prior
        Prior of the parameter; a bin never divides a step of a discrete one.

    Returns
    -------
    float
        Estimate from a histogram, corrected for its bias (Miller 1955), zero or above.

    References
    ----------
    S. Kullback and R. A. Leibler, Ann. Math. Statist. 22, 79 (1951).

    Examples
    --------
    >>> from zpfit.inference.priors import Uniform
    >>> u, weight = np.linspace(0, 0.5, 10_000), np.full(10_000, 1e-4)
    >>> round(information_gain(u, weight, Uniform(lower=0, upper=1)), 1)
    1.0
    """
    effective = 1 / float(np.sum(weight**2))
    bins = int(np.clip(effective / _PER_BIN, *_BINS))
    if isinstance(prior, Fractions):
        bins = round(1 / prior.step_width)
    share = np.histogram(u, bins, (0.0, 1.0), weights=weight)[0]
    share = share[share > 0]
    entropy = -float(np.sum(share * np.log2(share)))
    bias = (len(share) - 1) / (2 * effective * np.log(2))
    return max(0.0, float(np.log2(bins) - entropy - bias))


def at_end(u: float, prior: FreePrior) -> bool:
    """Return True if a position on the unit cube lies at an end of the prior's range.

    A Gaussian prior has no end.

    Examples
    --------
    >>> from zpfit.inference.priors import LogUniform, Normal
    >>> at_end(0.0, LogUniform(lower=1, upper=9)), at_end(0.0, Normal(mean=0, sd=1))
    (True, False)
    """
    if isinstance(prior, Normal):
        return False
    margin = prior.step_width if isinstance(prior, Fractions) else AT_END
    return not margin <= u <= 1 - margin


def finite(value: float) -> float | None:
    """Return a number, or None for NaN and infinity, which JSON lacks."""
    return float(value) if np.isfinite(value) else None
