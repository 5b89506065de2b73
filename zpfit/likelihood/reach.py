"""Fraction of a posterior at masses that limit curves do not cover."""

from dataclasses import dataclass

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.likelihood.likelihood import Likelihood


@dataclass(frozen=True)
class CurveReach:
    """Posterior and best fit relative to the masses that one curve covers."""

    mass_range: tuple[float, float]
    """Smallest and largest mass of the curve, in MeV."""
    posterior_outside: float
    """Fraction of the posterior at other masses, where the curve sets no limit."""
    best_fit_outside: bool
    """True if the curve does not cover the mass of the best fit."""


def curve_reach(
    likelihood: Likelihood, masses: FloatArray, best_fit_mass: float
) -> dict[str, CurveReach]:
    """Return the coverage of every limit curve, by entry.

    Parameters
    ----------
    likelihood : Likelihood
    masses : array, shape (n,)
        Masses (MeV) of posterior samples of equal weight.
    best_fit_mass : float
        Mass (MeV) of the best fit.
    """
    return {
        exclusion.name: CurveReach(
            (low, high),
            float(np.mean((masses < low) | (masses > high))),
            not low <= best_fit_mass <= high,
        )
        for exclusion in likelihood.exclusions
        if exclusion.mass_range is not None
        for low, high in [exclusion.mass_range]
    }
