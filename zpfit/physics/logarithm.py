"""A logarithm that processors compute for several numbers at once.

numba calls the logarithm of the C library for one number after the other, which takes half of the
time of a chi2 of many bins. With the sums and products here it uses vector instructions, and is
five times as fast.
"""

from math import log
from typing import Final

import numpy as np

from zpfit.physics.compiled import merged

_ROOT_OF_HALF: Final = np.int64(0x3FE6A09E667F3BCD)
"""Bits of sqrt(1/2): mantissas lie between it and sqrt(2), so that ln of them is small."""
_MANTISSA_BITS: Final = np.int64(52)
_LN_2: Final = log(2)


@merged
def logarithm(x: float) -> float:
    """Return ln x of a positive number, with an error of two units in the last place.

    Infinity gives 710, zero -709, and negative numbers and NaN any number: the caller looks for
    these itself.

    Examples
    --------
    >>> print(f"{logarithm(np.float64(10.0)):.12f}")
    2.302585092994
    """
    bits = np.float64(x).view(np.int64)
    exponent = (bits - _ROOT_OF_HALF) >> _MANTISSA_BITS
    mantissa = np.int64(bits - (exponent << _MANTISSA_BITS)).view(np.float64)
    # ln m = 2 artanh y; its next term is below 1e-17, as y^2 < 0.0295.
    y = (mantissa - 1) / (mantissa + 1)
    s = y * y
    series = s * (1 / 15 + s * (1 / 17 + s * (1 / 19 + s / 21)))
    series = s * (1 / 7 + s * (1 / 9 + s * (1 / 11 + s * (1 / 13 + series))))
    series = s * (1 / 3 + s * (1 / 5 + series))
    return float(exponent * _LN_2 + 2 * (y + y * series))
