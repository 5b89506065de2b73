"""Compare the logarithm of kernels with that of the C library."""

import numpy as np
import pytest

from zpfit.physics.compiled import loop
from zpfit.physics.logarithm import logarithm


@loop("(n)", "(n)")
def _fill(x, out):
    for i in range(x.shape[0]):
        out[i] = logarithm(x[i])


@pytest.mark.parametrize("width", [1e-9, 1e-3, 1.0, 100.0])
def test_logarithms_are_right_to_rounding(width: float):
    x = np.exp(width * np.random.default_rng(3).uniform(-1, 1, 10_000))
    found = np.empty_like(x)
    _fill(x, found)
    # 1 + x is rounded to 1e-16, and so is its logarithm at best.
    np.testing.assert_allclose(found, np.log(x), rtol=4e-16, atol=2e-16)


def test_logarithms_at_the_edges_of_a_mantissa():
    edges = np.array([0.5, np.sqrt(0.5), 1.0, np.sqrt(2), 2.0, 1e-300, 1e300])
    x = np.concatenate([np.nextafter(edges, 0), edges, np.nextafter(edges, np.inf)])
    found = np.empty_like(x)
    _fill(x, found)
    np.testing.assert_allclose(found, np.log(x), rtol=4e-16, atol=2e-16)
