"""Compare the penalties of hard exclusions and both soft forms with their definitions."""

import numpy as np
import pytest
from scipy.stats import norm, poisson

from zpfit.likelihood.exclusions import HalfGaussian, ZeroBackground, wall_residual


@pytest.mark.parametrize("wall", [1.0, 50.0])
def test_a_wall_starts_just_inside_the_allowed_region(wall: float) -> None:
    """A minimiser stops within 1e-4 of the edge in ln(ratio), on the allowed side."""
    depth = np.array([-np.inf, -1.0, -1.01e-4, -0.4e-4, 0.0, 1.0])
    expected = wall * np.array([0.0, 0.0, 0.0, 0.6e-4, 1e-4, 1.0001])
    np.testing.assert_allclose(wall_residual(np.exp(depth), wall), expected, rtol=1e-9)


@pytest.mark.parametrize("level", [0.9, 0.95])
@pytest.mark.parametrize("power", [1.0, 2.0, 4.0])
def test_half_a_gaussian_is_at_its_quantile_on_the_edge(level: float, power: float) -> None:
    """The limit excludes a strength of 1 at z one-sided standard errors."""
    form = HalfGaussian(power=power, confidence_level=level)
    ratio = np.array([0.0, 0.3, 1.0, 2.0])
    strength = ratio**power
    np.testing.assert_allclose(form.chi2(ratio), (norm.isf(1 - level) * strength) ** 2, rtol=1e-9)


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_no_background_is_the_likelihood_ratio_of_poisson(level: float) -> None:
    """At the edge, no event is seen with the probability 1 - level."""
    at_edge = -np.log(1 - level)
    assert poisson.pmf(0, at_edge) == pytest.approx(1 - level)
    ratio = np.array([0.0, 0.3, 1.0, 2.0])
    log_likelihood = poisson.logpmf(0, ratio * at_edge)
    found = ZeroBackground(confidence_level=level).chi2(ratio)
    np.testing.assert_allclose(found, -2 * log_likelihood, rtol=1e-9, atol=1e-12)
