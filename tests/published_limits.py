"""Published limits on g of B-L, and the coupling at which a deviation reaches a limit."""

import numpy as np
from scipy.optimize import brentq

TWO_SIDED_90, TWO_SIDED_95 = 1.6449, 1.96
"""Standard errors of two-sided intervals."""
BAUER = "Bauer, Foldenauer and Jaeckel, arXiv:1803.05466, Fig. 13: limits on g of B-L"
B_MINUS_L = {
    "texono": (
        (1.1077, 3.4753e-6),
        (2.6853, 4.5695e-6),
        (4.7012, 6.9916e-6),
        (11.402, 1.5614e-5),
        (34.253, 4.9013e-5),
        (110.50, 1.5240e-4),
        (265.29, 3.6023e-4),
    ),
    "charm2": (
        (0.99563, 6.3126e-5),
        (3.006, 6.3552e-5),
        (4.6704, 6.3225e-5),
        (11.351, 6.4040e-5),
        (34.273, 6.8118e-5),
        (98.054, 9.2780e-5),
        (280.68, 1.9530e-4),
    ),
    "borexino": (
        (1.0343, 2.4627e-6),
        (1.1878, 2.8669e-6),
        (4.8227, 1.1752e-5),
        (10.935, 2.6943e-5),
        (32.573, 8.1733e-5),
        (97.026, 2.4696e-4),
        (309.42, 7.9958e-4),
    ),
}
"""Mass in MeV and g by experiment, read from the figure of :data:`BAUER`."""


def limit(deviation, target):
    """Return the coupling at which the deviation reaches the target."""
    return np.exp(brentq(lambda log_g: deviation(np.exp(log_g)) - target, -16.0, -2.0))
