"""Array types that every package shares; imports nothing heavier than NumPy."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
"""An array of 64-bit floats of any shape."""
Index = slice | NDArray[np.intp]
"""A choice of points of a batch: a slice, or their positions."""
