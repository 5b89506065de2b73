"""How each measurement stands to the best fit, and to what the whole posterior predicts."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from zpfit.inference.posterior import Posterior
from zpfit.inference.samplers.result import WeightedSamples
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.measurements import Measurement


@dataclass(frozen=True)
class Pulls:
    """Of one measurement."""

    best_fit: float
    """(measured - predicted)/error at the best fit."""
    predictive: float
    """(measured - mean prediction)/sqrt(error^2 + variance of the prediction)."""
    p_value: float
    """Posterior predictive p-value, two-sided."""


def predictive_pulls(
    posterior: Posterior, best: FloatArray, samples: WeightedSamples
) -> dict[str, Pulls]:
    """Pulls of every measurement, by entry; ``best`` is the best fit, shape (d,).

    With y the measured value, e its error, f the prediction, and < > the mean
    over the posterior of *all* data:

    - pull at the best fit, (y - f)/e there;
    - predictive pull, (y - <f>)/sqrt(e^2 + <f^2> - <f>^2): the distance to the posterior
      predictive distribution of a repetition of the measurement, in its standard deviations;
    - p-value, 2 min(q, 1 - q) with q = <Phi((y - f)/e)> the probability that the repetition comes
      out below y (Gelman, Meng & Stern, Statistica Sinica 6, 733 (1996)).

    Unequal errors count on the side of the prediction; counts and tables have the standard
    errors of :class:`zpfit.likelihood.measurements.Measurement`, which are about right.

    The measurement is in the posterior that predicts it, which draws the
    prediction towards it: p-values are larger than uniform ones would be, so that
    a small one means more than it says.
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
