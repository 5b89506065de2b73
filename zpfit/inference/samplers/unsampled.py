"""Weight that samples lack: a check of the best fit, which a search finds independently."""

from dataclasses import dataclass

import numpy as np

from zpfit.inference.samplers.engine import SamplingTask, inside
from zpfit.inference.samplers.peak_search import Peak, fitted, peak_at
from zpfit.inference.samplers.result import Evidence, WeightedSamples
from zpfit.inference.search.ascent import ascend
from zpfit.io.arrays import FloatArray

_FITTED_FRACTION = 0.25
"""Draws to which the shape is fitted, over those that are compared."""
_NEAR = 3.0
"""Distance from the summit, in standard deviations, of the draws that are compared."""
_MATTERS = np.exp(-4.0)
"""Missing part of Z that matters."""
_CERTAIN = 5.0
"""Standard errors by which the weight must be missing."""


@dataclass(frozen=True)
class Missing:
    """Weight near a maximum of the likelihood that weighted samples lack."""

    rise: float
    """Increase of ln Z with the missing weight."""

    @property
    def shortcoming(self) -> str:
        """Why the samples are not converged, with a remedy."""
        return (
            "a region around the best fit has a weight that the samples lack; with it ln Z is "
            f"{self.rise:.2f} higher: give the best fit under best_fit.points, from which vegas "
            "then searches too, or raise vegas.max_evaluations"
        )


def missing_weight(
    task: SamplingTask,
    best: FloatArray,
    samples: WeightedSamples,
    evidence: Evidence,
    rng: np.random.Generator,
    draws: int = 20_000,
) -> Missing | None:
    """Return the weight around a point that weighted samples lack, None if they lack none.

    The integral of the likelihood within three standard deviations of the summit, from draws
    around it, must be what the samples there say. Without it a mode that no sample has met leaves
    no trace, and another engine that misses it too agrees.

    Parameters
    ----------
    task
        Likelihood on the unit cube.
    best
        Point with a finite ln L, shape (d,).
    samples, evidence
        Weighted samples and ln Z to check.
    rng
        Generator of the draws.
    draws
        Number of draws around the point.

    Examples
    --------
    A spike as heavy as the plateau around it, which the samples know alone:

    >>> def log_likelihood(u):
    ...     return np.logaddexp(0, -0.5 * ((u[:, 0] - 0.5) / 1e-4) ** 2 - np.log(1e-4 * 2.5066))
    >>> u = np.linspace(0.6, 1, 1000)[:, None]
    >>> samples = WeightedSamples.normalised(u, np.zeros(1000), np.zeros(1000))
    >>> task = SamplingTask(log_likelihood, 1, 1000)
    >>> rng, evidence = np.random.default_rng(1), Evidence(0.0, 0.001, 1000)
    >>> missing = missing_weight(task, np.array([0.5]), samples, evidence, rng)
    >>> bool(abs(missing.rise - np.log(2)) < 0.02)
    True
    """
    if not np.any(task.steps == 0):
        return None  # without smooth axes nothing has a width
    peak = _peak_at(task, best)
    peak = fitted(task.log_likelihood, peak, rng, int(_FITTED_FRACTION * draws)).peak
    u = peak.map.draw(rng, draws)
    near = peak.map.distance(u) < _NEAR**2
    log_l = inside(task.log_likelihood, u[near]) if near.any() else np.empty(0)
    # Parts of Z, whose logarithm may be far from zero.
    part = np.zeros(draws)
    part[near] = np.exp(np.minimum(log_l - peak.map.log_density(u[near]) - evidence.log_z, 300.0))
    known = samples.weight[peak.map.distance(samples.u) < _NEAR**2]
    missing = float(part.mean() - known.sum())
    error = np.hypot(part.std() / np.sqrt(draws), np.sqrt(np.sum(known**2)))
    error = np.hypot(error, evidence.error * known.sum())
    if missing < max(_MATTERS, _CERTAIN * error):
        return None
    return Missing(float(np.log1p(missing)))


def _peak_at(task: SamplingTask, best: FloatArray) -> Peak:
    free = np.flatnonzero(task.steps == 0)
    points, values, curvature = ascend(task.log_likelihood, best[None], free)
    return peak_at(points[0], float(values[0]), curvature[0], task.steps)
