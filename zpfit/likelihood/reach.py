"""How far a posterior leaves the masses at which limit curves say something."""

from dataclasses import dataclass

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.likelihood.likelihood import Likelihood


@dataclass(frozen=True)
class CurveReach:
    """Of one curve."""

    mass_range: tuple[float, float]
    """MeV."""
    posterior_outside: float
    """Share of the posterior at other masses, where the curve is silent."""
    best_fit_outside: bool


def curve_reach(
    likelihood: Likelihood, masses: FloatArray, best_fit_mass: float
) -> dict[str, CurveReach]:
    """By entry; ``masses`` (MeV) are those of posterior samples of equal weight, shape (n,)."""
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
