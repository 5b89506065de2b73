"""Convergence diagnostics of an ensemble sampler.

ArviZ's ``arviz-stats`` computes the statistics. This module decides which samples form a chain.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.io.lean_imports import import_without

RHAT_LIMIT = 1.01
"""Largest split R-hat of a converged run, as recommended by Vehtari et al., arXiv:1903.08008."""
MIN_AUTOCORRELATION_TIMES = 10
"""Smallest length of a converged run, in autocorrelation times.

A shorter run does not determine its autocorrelation time. emcee's rule for a single ensemble with
a burn-in is 50. Here the walkers start from the posterior, and the estimate of the time includes
the variance between walkers, so that slow modes are visible from the first steps.
"""


@dataclass(frozen=True)
class Diagnostics:
    """Convergence diagnostics, one value for each of d parameters."""

    ess: FloatArray
    """Effective sample size of all walkers of all ensembles together, shape (d,)."""
    rhat: FloatArray
    """Split R-hat between the ensembles, shape (d,)."""
    autocorrelation_time: FloatArray
    """Number of samples per effective sample, in steps, shape (d,)."""
    steps: int
    """Steps of each ensemble, those removed by thinning included."""

    def shortcomings(self, target_ess: int) -> list[str]:
        """Return why the run is not converged and what to do, an empty list if it is.

        Examples
        --------
        >>> good = Diagnostics(np.array([400.0]), np.array([1.001]), np.array([20.0]), 1000)
        >>> good.shortcomings(300)
        []
        >>> good.shortcomings(500)
        ['400 effective samples of 500 wanted: raise sampler.max_steps or sampler.walkers']
        """
        found = []
        # "not >=" and "not <=" are true for NaN, the statistic of a parameter that never moved.
        if not self.ess.min() >= target_ess:
            found.append(
                f"{self.ess.min():.0f} effective samples of {target_ess} wanted: "
                "raise sampler.max_steps or sampler.walkers"
            )
        if not self.rhat.max() <= RHAT_LIMIT:
            found.append(
                f"R-hat is {self.rhat.max():.3f}, above {RHAT_LIMIT}: the ensembles disagree; "
                "raise sampler.max_steps, or sampler.walkers if there are separate modes"
            )
        needed = MIN_AUTOCORRELATION_TIMES * self.autocorrelation_time.max()
        if not self.steps >= needed:
            found.append(
                f"{self.steps} steps are fewer than {MIN_AUTOCORRELATION_TIMES} autocorrelation "
                f"times ({needed:.0f}): raise sampler.max_steps"
            )
        return found


def diagnose(samples: FloatArray, thin: int) -> Diagnostics:
    """Return the convergence diagnostics of some ensembles of walkers.

    For the effective sample size each walker is a chain, so that walkers in different modes count
    as the few independent samples that they are. For R-hat each ensemble is a chain, because the
    walkers of an ensemble depend on each other.

    Parameters
    ----------
    samples : array, shape (ensembles, steps, walkers, d)
        Points of the unit cube. No coordinate has heavy tails there, so the statistics of the
        values suffice; those of their ranks take five times as long.
    thin : int
        Number of steps between two samples of a walker.

    References
    ----------
    Vehtari et al., Bayesian Analysis 16, 667 (2021), arXiv:1903.08008.

    Examples
    --------
    >>> u = np.random.default_rng(1).random((2, 200, 8, 3))
    >>> result = diagnose(u, thin=1)
    >>> bool((result.rhat < 1.01).all()), bool((result.ess > 1000).all())
    (True, True)
    """
    # Imported here because it takes time, and by name because it has no type hints.
    unused = "scipy.signal", "scipy.signal.windows"
    array_stats: Any = import_without("arviz_stats.base", "xarray", *unused).array_stats
    ensembles, steps, walkers, dimension = samples.shape
    by_walker = samples.transpose(3, 0, 2, 1).reshape(dimension, ensembles * walkers, steps)
    by_ensemble = samples.transpose(3, 0, 1, 2).reshape(dimension, ensembles, steps * walkers)
    # A parameter that never moved has variance zero: its R-hat is 0 / 0.
    with np.errstate(divide="ignore", invalid="ignore"):
        ess = np.array([float(array_stats.ess(c, method="mean")) for c in by_walker])
        rhat = np.array([float(array_stats.rhat(c, method="split")) for c in by_ensemble])
    total = ensembles * walkers * steps * thin
    return Diagnostics(ess, rhat, total / ess, steps * thin)
