"""Pulls of measurements at the best fit and against the posterior prediction."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from zpfit.inference.posterior import Posterior
from zpfit.inference.samplers.result import WeightedSamples
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.measurements import Measurement


@dataclass(frozen=True)
class Pulls:
    """Pulls of one measurement."""

    best_fit: float
    """(measured - predicted)/error at the best fit."""
    predictive: float
    """(measured - mean prediction)/sqrt(error^2 + variance of the prediction)."""
    p_value: float
    """Posterior predictive p-value, two-sided."""


def predictive_pulls(
    posterior: Posterior, best: FloatArray, samples: WeightedSamples
) -> dict[str, Pulls]:
    """Compute the pulls of every measurement.

    Notation: with y the measured value, e its error, f the prediction, and < > the mean
    over the posterior of *all* data:

    - pull at the best fit, (y - f)/e there;
    - predictive pull, (y - <f>)/sqrt(e^2 + <f^2> - <f>^2): the distance to the posterior
      predictive distribution of a repetition of the measurement, in its standard deviations;
    - p-value, 2 min(q, 1 - q) with q = <Phi((y - f)/e)> the probability that the repetition comes
      out below y (Gelman, Meng & Stern, Statistica Sinica 6, 733 (1996)).

    Of two unequal errors, that on the side of the prediction is used. Counts and tables have the
    approximate standard errors of :class:`zpfit.likelihood.measurements.Measurement`.

    The measurement is part of the posterior that predicts it, which moves the prediction towards
    the measurement. The p-values are therefore larger than uniform ones, and a small one is
    stronger evidence than its value.

    Parameters
    ----------
    posterior
        Posterior of all data.
    best
        Best fit on the unit cube, shape (d,).
    samples
        Samples of the posterior.

    Returns
    -------
    dict
        Pulls by entry.
    """
    c = posterior.couplings(samples.u)
    at_best = posterior.couplings(best[None])
    weight = samples.weight
    return {
        term.name: _pulls(term, float(term.pull(at_best)[0]), term.prediction(c), weight)
        for term in posterior.likelihood.measurements
    }


def _pulls(term: Measurement, best_fit: float, prediction: FloatArray, weight: FloatArray) -> Pulls:
    mean = np.sum(weight * prediction)
    variance = np.sum(weight * (prediction - mean) ** 2)
    up, down = term.errors
    error = up if mean > term.value else down
    each = np.where(prediction > term.value, up, down)
    below = float(np.sum(weight * ndtr((term.value - prediction) / each)))
    return Pulls(
        best_fit=best_fit,
        predictive=float((term.value - mean) / np.sqrt(error**2 + variance)),
        p_value=min(2 * min(below, 1 - below), 1.0),
    )
