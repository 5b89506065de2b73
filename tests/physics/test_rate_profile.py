"""Compare profiled inputs of rates with independent minimisers from many starts."""

import numpy as np
import pytest
from scipy.optimize import minimize

from zpfit.physics.rate_profile import (
    energy_and_amplitude,
    log_normal_amplitude,
    shared_amplitudes,
)

N = 12
CLOSE = {"xatol": 1e-9, "fatol": 1e-13, "maxiter": 4000}


def least(chi2, starts):
    """Return the least chi2 that the simplex method finds from some starts."""
    ends = (minimize(chi2, z, method="Nelder-Mead", options=CLOSE) for z in starts)
    return min(end.fun for end in ends)


def decades(rng, low, high):
    return 10.0 ** rng.uniform(low, high, N)


@pytest.mark.parametrize("seed", [1, 2])
def test_shared_amplitudes(seed):
    """Rates from far below to far above the data, and one that no datum tests."""
    rng = np.random.default_rng(seed)
    d, weights, error = (1.0, 0.2), (36.0, 10.0), 0.2
    v, e = ([decades(rng, -6, 2), decades(rng, -6, 2)], [decades(rng, -3, 1), decades(rng, -3, 1)])
    f = [one * rng.uniform(0.1, 1, N) for one in e]
    z = shared_amplitudes(d, weights, tuple(v), tuple(e), tuple(f), error)

    def chi2(at, i):
        squares = (v[r][i] * (1 + error * at[0]) ** 2 for r in range(2))
        rates = [s + (e[r][i] + f[r][i] * at[1 + r]) ** 2 for r, s in enumerate(squares)]
        return sum(w * (x - r) ** 2 for w, x, r in zip(weights, d, rates, strict=True)) + at @ at

    for i in range(N):
        best = least(lambda at: chi2(at, i), [np.zeros(3), np.full(3, -2.0), z[:, i] + 0.1])  # noqa: B023
        assert chi2(z[:, i], i) <= best + 1e-8 * (1 + best)


def test_a_sign_flipped_amplitude_is_no_better():
    """Amplitudes e + f z of either sign have the same rate; the nearer one costs less."""
    z = shared_amplitudes((1.0, 0.0), (100.0, 0.0), (0.0, 0.0), (0.3, 0.0), (0.2, 0.0), 0.2)

    def chi2(y):
        return 100 * (1 - y**2) ** 2 + ((y - 0.3) / 0.2) ** 2

    grid = np.linspace(-3, 3, 600001)
    assert chi2(0.3 + 0.2 * z[1]) <= chi2(grid).min() * (1 + 1e-8)
    assert z[0] == z[2] == 0


def test_errors_of_zero_fix_inputs():
    z = shared_amplitudes((1.0, 1.0), (9.0, 9.0), (0.3, 0.2), (0.1, 0.0), (0.0, 0.0), 0.0)
    assert not z.any()
    assert log_normal_amplitude(1.0, 9.0, 0.1, 0.3, 0.0) == 0
    assert not energy_and_amplitude(1.0, 9.0, (0.4, 1e-3), 16.0, (17.23, 0.0), 0.0).any()


@pytest.mark.parametrize("excess", [-0.5, 0.9])
@pytest.mark.parametrize("weight", [9.0, 900.0])
def test_log_normal_amplitude(excess, weight):
    """The slope of chi2 has up to three zeros; a fine grid brackets the best minimum."""
    rates = 10.0 ** np.linspace(-8, 4, 200)
    z = log_normal_amplitude(1.0, weight, 1 - excess, rates, 1.0)
    grid = np.linspace(-14, 14, 28001)
    with np.errstate(over="ignore"):
        table = weight * (excess - rates[:, None] * 4.0**grid) ** 2 + grid**2
    found = weight * (excess - rates * 4.0**z) ** 2 + z**2
    best = table.min(axis=1)
    assert (found <= best * (1 + 1e-8)).all()
    # Between two nodes chi2 hardly changes.
    assert (found >= best - 0.01 * (1 + best)).all()


@pytest.mark.parametrize("weight", [144.0, 900.0])
def test_energy_and_amplitude(weight):
    """Below and above threshold, with rates of either kind alone and of both."""
    rng = np.random.default_rng(3)
    m, width = rng.uniform(10, 20, N), 0.57
    s, t = (
        decades(rng, -6, 5) * (np.arange(N) % 3 > 0),
        decades(rng, -9, 2) * (np.arange(N) % 3 < 2),
    )
    z = energy_and_amplitude(1.0, weight, (s, t), m, (17.23, width), 1.0)

    def chi2(shift, scale, i):
        energy = 17.23 + width * shift
        k = np.sqrt(np.maximum(energy**2 - m[i] ** 2, 0))
        rate = s[i] * k / energy * (1 + 0.5 * (m[i] / energy) ** 2) + t[i] * k**3 * 4.0**scale
        return weight * (1 - rate) ** 2 + shift**2 + scale**2

    axes = np.meshgrid(np.linspace(-13, 13, 521), np.linspace(-13, 13, 261), indexing="ij")
    for i in range(N):
        table = chi2(*axes, i)
        node = np.unravel_index(table.argmin(), table.shape)
        best = least(lambda at: chi2(*at, i), [(axes[0][node], axes[1][node])])  # noqa: B023
        best = min(best, table[node])
        assert chi2(*z[:, i], i) <= best + 1e-8 * (1 + best)


def test_negative_data_want_no_rate():
    """The energy falls to threshold where that costs less than the signal."""
    z = energy_and_amplitude(-0.1, 900.0, (50.0, 0.0), 17.0, (17.23, 0.57), 1.0)
    assert z[0] == pytest.approx((17.0 - 17.23) / 0.57, rel=1e-6)
