"""Quintic splines on a uniform grid, for functions of the Z' mass alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.interpolate import make_interp_spline

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import inline

_DEGREE = 5
_STEP = 0.08
"""Step in ln of the argument: keeps the loop integrals accurate to 1e-10, which tests check."""


@dataclass(frozen=True)
class UniformSpline:
    """Several functions of one variable, tabulated on a common uniform grid.

    ``coefficients[i, f]`` are the polynomial coefficients, highest power first,
    of function ``f`` in interval ``i``, in powers of the distance to the left knot.
    """

    start: float
    inverse_step: float
    coefficients: FloatArray

    def arguments(self) -> tuple[float, float, FloatArray]:
        """Return the arguments of the compiled :func:`locate` and :func:`polynomial`."""
        return self.start, self.inverse_step, self.coefficients


def tabulate(functions: Callable[[FloatArray], Any], lower: float, upper: float) -> UniformSpline:
    """Return splines of ``functions(x)``, shape (f, len(x)), over ``lower <= x <= upper``.

    Examples
    --------
    >>> spline = tabulate(lambda x: np.stack([np.exp(x)]), 0.0, 1.0)
    >>> interval, offset = locate(0.5, spline.start, spline.inverse_step, spline.coefficients)
    >>> print(f"{polynomial(spline.coefficients, interval, 0, offset):.8f}")  # sqrt(e)
    1.64872127
    """
    knots = np.linspace(lower, upper, 1 + int(np.ceil((upper - lower) / _STEP)))
    values = np.asarray(functions(knots))
    spline = make_interp_spline(knots, values, k=_DEGREE, axis=1)
    coefficients = np.empty((len(knots) - 1, len(values), _DEGREE + 1))
    factorial = 1.0
    for power in range(_DEGREE + 1):
        factorial *= max(power, 1)
        coefficients[:, :, _DEGREE - power] = spline(knots[:-1], nu=power).T / factorial
    step = float(knots[1] - knots[0])
    return UniformSpline(float(lower), 1 / step, coefficients)


@inline
def locate(x: float, start: float, inverse_step: float, table: FloatArray) -> tuple[int, float]:
    """Return the interval of ``x`` and the distance to its left knot, clamped to the grid."""
    position = min((x - start) * inverse_step, float(table.shape[0]))
    if not position > 0.0:  # also NaN, which must not become an index
        position = 0.0
    interval = min(int(position), table.shape[0] - 1)
    return interval, (position - interval) / inverse_step


@inline
def polynomial(table: FloatArray, interval: int, function: int, offset: float) -> float:
    """Return the value of one tabulated function, by Horner's scheme."""
    value = table[interval, function, 0]
    for power in range(1, table.shape[2]):
        value = value * offset + table[interval, function, power]
    return float(value)
