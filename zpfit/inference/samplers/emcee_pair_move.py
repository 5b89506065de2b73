"""An emcee move along degeneracies of products and ratios of parameters."""

import numpy as np
from emcee.moves import MHMove

from zpfit.io.arrays import FloatArray

_SMALLEST, _LARGEST = 1e-5, 0.5
"""Smallest and largest shift on the unit cube."""


class PairMove(MHMove):  # type: ignore[misc]
    """Shift of one coordinate, or of two by the same amount in equal or opposite directions.

    Under priors that are flat in the logarithm, a shift on the unit cube multiplies a
    coupling by a factor. Data often fix only a product or ratio of two couplings; a
    walker then slides along the thin ridge. The size is log-uniform over almost five
    decades. The proposal is symmetric.
    """

    def __init__(self) -> None:
        super().__init__(_shift)


def _shift(old: FloatArray, random: np.random.RandomState) -> tuple[FloatArray, FloatArray]:
    """Return shifted points, shape (walkers, d), and ln of the Hastings factors, which is 0."""
    n, dimension = old.shape
    row = np.arange(n)
    first = random.randint(dimension, size=n)
    second = random.randint(dimension, size=n)
    size = 10 ** random.uniform(np.log10(_SMALLEST), np.log10(_LARGEST), n)
    size *= random.choice([-1, 1], n)
    shift = np.zeros_like(old)
    # If both coordinates are the same one, the second shift replaces the first.
    shift[row, first] = size
    shift[row, second] = size * random.choice([-1, 1], n)
    return old + shift, np.zeros(n)
