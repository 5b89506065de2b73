"""Measurements whose predictions have uncertain inputs that enter them non-linearly.

Each input has a Gaussian prior around its published value. Its deviation from it, in standard
errors, is a nuisance parameter, which is profiled: chi2 is the smallest sum of squared pulls and
squared deviations. Measurements with a common input share its deviation.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy.sparse.csgraph import connected_components

from zpfit.io.arrays import FloatArray
from zpfit.likelihood.measurements import Datum, Measurement
from zpfit.physics.couplings import Couplings
from zpfit.physics.observables import Observable

_STARTS = (0.5, -0.5)
"""Starts of all deviations. A prediction that is even in an amplitude has a saddle where that is
zero, and a minimum on either side."""
_STEPS = 60
"""Largest number of steps; each halves the excess of a prediction that is quadratic."""
_DIFFERENCE = 1e-7
"""Step of finite differences, about the root of the rounding error."""
_CONVERGED = 1e-12
"""Relative decrease of chi2 in one step at which all points have converged."""
_FIRST_DAMPING, _DECREASE, _INCREASE = 1e-3, 0.2, 8.0


@dataclass(frozen=True)
class TheoryTerm(Measurement):
    """A measurement with a Gaussian error and uncertain inputs of its prediction.

    Examples
    --------
    The prediction is four errors off. A factor of 2^z takes up nearly all of it.

    >>> from zpfit.physics.observables import Group
    >>> def rate(c, deviations=None):
    ...     z = 0.0 if deviations is None else deviations["factor"]
    ...     return 1e4 * c.C_Ve * 2.0**z
    >>> uncertain = Observable("rate", rate, Group.OTHER, theory=("factor",))
    >>> term = TheoryTerm("mine", uncertain, 1.4, 0.1, (("factor", 1.0),))
    >>> print(term.chi2(Couplings.of(m_Zp=17.0, C_Ve=1e-4)).round(2).tolist())
    [0.23]
    """

    name: str
    observable: Observable
    value: float
    error: float
    widths: tuple[tuple[str, float], ...]
    """Inputs with their standard errors in units of the published ones."""

    def pull(self, c: Couplings) -> FloatArray:
        """Return the signed root of the chi2 of this measurement alone, inputs profiled."""
        return self.pull_at(c, self.value)

    def pull_at(self, c: Couplings, datum: Datum) -> FloatArray:
        """Return the pull of any datum, shape (n,); inputs are profiled."""
        [columns] = profiled([self], c, [datum])
        result: FloatArray = np.copysign(np.sqrt(sum_of_squares(columns)), columns[0])
        return result

    def pull_of(self, datum: Datum, predicted: FloatArray) -> FloatArray:
        """Return (datum - prediction)/error with given inputs; shapes broadcast."""
        result: FloatArray = (datum - predicted) / self.error
        return result

    def sample(self, predicted: Datum, z: FloatArray) -> FloatArray:
        """Return values around the prediction, shape (n,); inputs do not scatter."""
        return predicted + self.error * z

    def with_datum(self, datum: Datum) -> Self:
        """Return the measurement with another value."""
        return replace(self, value=float(datum))


def theory_groups(terms: Sequence[Measurement]) -> list[list[int]]:
    """Return positions of the measurements with uncertain inputs; those of a group share some.

    Examples
    --------
    >>> theory_groups([])
    []
    """
    inputs = {
        index: {name for name, _ in term.widths}
        for index, term in enumerate(terms)
        if isinstance(term, TheoryTerm)
    }
    shared = np.array([[bool(one & two) for two in inputs.values()] for one in inputs.values()])
    if not shared.size:
        return []
    count, group = connected_components(shared, directed=False)
    places = np.array(list(inputs))
    return [places[group == label].tolist() for label in range(count)]


def profiled(
    terms: Sequence[TheoryTerm], c: Couplings, data: Sequence[Datum]
) -> list[list[FloatArray]]:
    """Return columns whose squares add up to the least chi2 of measurements that share inputs.

    Parameters
    ----------
    terms
        The measurements.
    c
        n points.
    data
        Datum of each measurement: a number, or shape (n,).

    Returns
    -------
    list of list of array, shape (n,)
        For each measurement its pull at the minimum, then the deviations of the inputs that none
        before it has.
    """
    widths = {name: width for term in terms for name, width in term.widths}
    place = {name: j for j, name in enumerate(widths)}

    def pulls(z: FloatArray) -> list[FloatArray]:
        deviations = {name: width * z[:, place[name]] for name, width in widths.items()}
        return [
            term.pull_of(datum, term.observable.function(c, deviations))
            for term, datum in zip(terms, data, strict=True)
        ]

    z = _minimum(lambda z: np.stack([*pulls(z), *z.T], axis=1), len(c), len(widths))
    seen: set[str] = set()
    columns = []
    for term, pull in zip(terms, pulls(z), strict=True):
        new = [name for name, _ in term.widths if name not in seen]
        seen.update(new)
        columns.append([pull, *(z[:, place[name]] for name in new)])
    return columns


def _minimum(residuals: Callable[[FloatArray], FloatArray], n: int, k: int) -> FloatArray:
    """Return the deviations, shape (n, k), that minimise the sum of squared residuals."""
    ends = [_descended(residuals, np.full((n, k), start)) for start in _STARTS]
    chi2 = [np.einsum("nr,nr->n", r, r) for r in map(residuals, ends)]
    return np.where((chi2[1] < chi2[0])[:, None], ends[1], ends[0])


def _descended(residuals: Callable[[FloatArray], FloatArray], starts: FloatArray) -> FloatArray:
    """Return end points of Levenberg-Marquardt steps of all points at once, shape (n, k).

    The residuals hold the deviations themselves, so that the matrix is regular.
    """
    z, n = starts, len(starts)
    damping = np.full(n, _FIRST_DAMPING)
    current = residuals(z)
    chi2 = np.einsum("nr,nr->n", current, current)
    for _ in range(_STEPS):
        trial = z + _step(residuals, z, current, damping)
        found = residuals(trial)
        lower = np.einsum("nr,nr->n", found, found)
        better = lower <= chi2
        arrived = np.abs(chi2 - lower) <= _CONVERGED * (1 + chi2)
        z[better], current[better], chi2[better] = trial[better], found[better], lower[better]
        damping *= np.where(better, _DECREASE, _INCREASE)
        if arrived.all():
            break
    return z


def _step(
    residuals: Callable[[FloatArray], FloatArray],
    z: FloatArray,
    current: FloatArray,
    damping: FloatArray,
) -> FloatArray:
    n, k = z.shape
    jacobian = np.empty((n, k, current.shape[1]))
    for j in range(k):
        moved = z.copy()
        moved[:, j] += _DIFFERENCE
        jacobian[:, j] = (residuals(moved) - current) / _DIFFERENCE
    gradient = np.einsum("nkr,nr->nk", jacobian, current)
    hessian = jacobian @ jacobian.transpose(0, 2, 1)
    axis = np.arange(k)
    hessian[:, axis, axis] *= 1 + damping[:, None]
    step: FloatArray = -np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
    return step


def sum_of_squares(columns: Sequence[FloatArray]) -> FloatArray:
    """Return the sum of the squares of columns, shape (n,)."""
    result: FloatArray = np.sum(np.square(columns), axis=0)
    return result


def widths_of(observable: Observable, widths: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    """Return the inputs of an observable that are uncertain; a width of zero fixes one."""
    chosen = ((name, widths.get(name, 1.0)) for name in observable.theory)
    return tuple((name, width) for name, width in chosen if width > 0)
