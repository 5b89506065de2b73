"""An emcee move along the degeneracies that products and ratios of parameters make."""

import numpy as np
from emcee.moves import MHMove

from zpfit.io.arrays import FloatArray

_SMALLEST, _LARGEST = 1e-5, 0.5
"""Sizes of a shift on the unit cube."""


class PairMove(MHMove):  # type: ignore[misc]
    """Shifts one coordinate, or two by the same amount in equal or opposite directions.

    Under priors that are flat in the logarithm a shift of the cube multiplies a
    coupling by a factor, and data often fix a product or ratio of two couplings
    only: a walker then slides along the thin ridge. The size is log-uniform over
    almost five decades. The proposal is symmetric.
    """

    def __init__(self) -> None:
        super().__init__(_shift)


def _shift(old: FloatArray, random: np.random.RandomState) -> tuple[FloatArray, FloatArray]:
    n, dimension = old.shape
    row = np.arange(n)
    first = random.randint(dimension, size=n)
    second = random.randint(dimension, size=n)
    size = 10 ** random.uniform(np.log10(_SMALLEST), np.log10(_LARGEST), n)
    size *= random.choice([-1, 1], n)
    shift = np.zeros_like(old)
    # Where both coordinates are the same one, the second shift replaces the first.
    shift[row, first] = size
    shift[row, second] = size * random.choice([-1, 1], n)
    return old + shift, np.zeros(n)
