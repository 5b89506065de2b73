"""Check profiled scales by the conditions of a minimum of a convex function on positive numbers."""

import numpy as np
import pytest

from zpfit.io.arrays import FloatArray
from zpfit.physics.poisson_profile import LinearStart, profiled_scales


def profiled(
    signal: FloatArray,
    counts: FloatArray,
    backgrounds: FloatArray,
    weights: FloatArray,
    usual: FloatArray,
    centre: float = 1.0,
) -> FloatArray:
    """Return the scales, searched as a measurement does that was set up with a usual signal."""
    start = LinearStart.around(usual, counts, backgrounds, weights, np.ones(len(weights)))
    centres = np.array([[centre, *np.ones(len(backgrounds))]])
    scales, _ = profiled_scales(
        signal[None],
        counts[None],
        backgrounds,
        centres,
        weights,
        start.scales(signal[None], centres),
        start.inverse_hessian,
    )
    return scales[0]


def possible_gain(
    scales: FloatArray,
    signal: FloatArray,
    counts: FloatArray,
    backgrounds: FloatArray,
    weights: FloatArray,
    centre: float,
) -> float:
    """Return how much chi2 may still fall: along scales that rise, and along those that fall."""
    templates = np.vstack([signal, backgrounds])
    mu = scales @ templates
    filled = counts > 0
    ratio = np.divide(counts, mu, out=np.zeros_like(mu), where=filled)
    away = scales - np.array([centre, *np.ones(len(backgrounds))])
    gradient = templates @ (1 - ratio) + weights * away
    some = templates[:, filled] * (ratio[filled] ** 2 / counts[filled])
    curvature = np.einsum("kb,kb->k", some, templates[:, filled]) + weights
    falls = gradient >= 0
    rise = gradient[~falls] ** 2 / curvature[~falls]
    newton = np.divide(
        gradient**2, curvature, out=np.full(len(scales), np.inf), where=curvature > 0
    )
    fall = np.minimum(gradient * scales, newton)[falls]
    return float(2 * (rise.sum() + fall.sum()))


def test_no_scale_can_lower_chi2():
    """Few counts, none at all, huge or no signals, free scales: some scales end at zero."""
    rng = np.random.default_rng(3)
    at_zero = 0
    for _ in range(400):
        bins, others = rng.integers(1, 8), rng.integers(1, 7)
        usual, backgrounds = rng.gamma(1, 3, bins), rng.gamma(1, 10, (others, bins))
        weights = rng.uniform(0.02, 0.6, others + 1) ** -2.0
        weights[0] *= rng.random() < 0.7
        counts = rng.poisson((usual + backgrounds.sum(axis=0)) * rng.choice([0.0, 0.3, 1.0, 2.0]))
        signal = usual * rng.choice([0.0, 1.0, 10.0 ** rng.uniform(-3, 6)])
        problem = signal, counts.astype(float), backgrounds, weights
        centre = rng.choice([0.1, 1.0, 1.4]) if weights[0] else 1.0
        scales = profiled(*problem, usual, centre)
        assert np.all(scales > 0)
        at_zero += int(scales.min() < 1e-6)
        assert possible_gain(scales, *problem, centre) < 1e-4
    assert at_zero > 50


@pytest.mark.parametrize("usual", [0.0, 1.0])
def test_empty_bins_leave_a_free_signal_nothing(usual: float):
    """The least chi2 without any count is that without any event."""
    bins = np.array([2.0, 0.0, 3.0])
    scales = profiled(bins, np.zeros(3), np.empty((0, 3)), np.zeros(1), usual * bins)
    assert 2 * scales[0] * bins.sum() < 1e-7


def test_a_bin_without_events_does_not_stop_the_search():
    """Two templates fill one bin each; minima of s T - n ln(s T) + (s - 1)^2 w/2 are known."""
    signal, background = np.array([10.0, 0.0, 0.0]), np.array([[0.0, 20.0, 0.0]])
    counts, weights = np.array([14.0, 12.0, 0.0]), np.array([0.0, 25.0])
    scales = profiled(signal, counts, background, weights, signal)
    # 20 - 12/s + 25 (s - 1) = 0
    assert scales.tolist() == pytest.approx([1.4, (5 + np.sqrt(25 + 1200)) / 50], abs=1e-6)
