"""How far a set of ensembles can be trusted.

ArviZ computes the statistics; this module decides what counts as a chain.
"""

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from zpfit.io.arrays import FloatArray

RHAT_LIMIT = 1.01
"""Vehtari et al., arXiv:1903.08008."""
MIN_AUTOCORRELATION_TIMES = 10
"""Steps, in autocorrelation times, below which the time itself is not known.

emcee's rule for a single ensemble with a burn-in is 50. Here walkers start
distributed like the posterior, and the variance between them enters the time, so
that what moves slowly is seen from the first steps on.
"""


@dataclass(frozen=True)
class Diagnostics:
    """Per parameter, each of shape (d,)."""

    ess: FloatArray
    """Effective sample size over all walkers of all ensembles."""
    rhat: FloatArray
    """Split R-hat between ensembles."""
    autocorrelation_time: FloatArray
    """In steps: samples over effective samples."""
    steps: int
    """Of each ensemble."""

    def shortcomings(self, target_ess: int) -> list[str]:
        """Why the run is not converged and what to do; empty if it is."""
        found = []
        # "not >=" and "not <=" catch NaN too, which a parameter stuck at one value gives.
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
    """Diagnostics of samples of shape (ensembles, steps, walkers, d), every ``thin``-th step kept.

    The samples are on the unit cube, where nothing has heavy tails: the plain
    statistics do, and ranks, which cost five times as much, are not needed.

    For the effective sample size every walker is a chain, so that walkers stuck
    in different modes count as the few samples they are. For R-hat an ensemble
    is a chain, as the walkers of one ensemble depend on each other.
    """
    arviz: Any = importlib.import_module("arviz")  # late: over a second
    ensembles, steps, walkers, dimension = samples.shape
    by_walker = samples.transpose(3, 0, 2, 1).reshape(dimension, ensembles * walkers, steps)
    by_ensemble = samples.transpose(3, 0, 1, 2).reshape(dimension, ensembles, steps * walkers)
    ess = np.array([float(arviz.ess(chains, method="mean")) for chains in by_walker])
    rhat = np.array([float(arviz.rhat(chains, method="split")) for chains in by_ensemble])
    total = ensembles * walkers * steps * thin
    return Diagnostics(ess, rhat, total / ess, steps * thin)
