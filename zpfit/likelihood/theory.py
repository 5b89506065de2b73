"""Measurements whose predictions have uncertain inputs that enter them non-linearly.

Each input has a Gaussian prior around its published value. Its deviation from it, in standard
errors, is a nuisance parameter, which is profiled: chi2 is the smallest sum of squared pulls and
squared deviations. Measurements with a common input share its deviation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.likelihood.measurements import Datum, Measurement
from zpfit.physics.couplings import Couplings
from zpfit.physics.observables import Observable, Profile, Targets


@dataclass(frozen=True)
class TheoryTerm(Measurement):
    """A measurement with a Gaussian error and uncertain inputs of its prediction.

    Examples
    --------
    The prediction is four errors off. A factor of 2^z takes up nearly all of it.

    >>> from zpfit.physics.observables import find_observable
    >>> c = Couplings.of(m_Zp=17.0, C_Ve=2e-4, C_Au=6e-5, C_Ad=6e-5)
    >>> helium = find_observable("he4_pairs")
    >>> print(helium.function(c).round(2))
    [0.2]
    >>> term = TheoryTerm("mine", helium, 1.0, 0.2, (("he4_axial", 1.0),))
    >>> print(term.chi2(c).round(2))
    [1.34]
    """

    name: str
    observable: Observable
    value: float
    error: float
    widths: tuple[tuple[str, float], ...]
    """Inputs with their standard errors in units of the published ones."""

    @cached_property
    def profile(self) -> Profile:
        """The function that minimises chi2 over the inputs."""
        if self.observable.profile is None:
            raise ValueError(f"{self.observable.name} cannot be profiled")
        return self.observable.profile

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
    groups: dict[Profile, list[int]] = {}
    for index, term in enumerate(terms):
        if isinstance(term, TheoryTerm):
            groups.setdefault(term.profile, []).append(index)
    return list(groups.values())


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
    z = terms[0].profile(c, _targets(terms, data), widths)
    deviations = {name: width * z[name] for name, width in widths.items()}
    seen: set[str] = set()
    columns = []
    for term, datum in zip(terms, data, strict=True):
        new = [name for name, _ in term.widths if name not in seen]
        seen.update(new)
        pull = term.pull_of(datum, term.observable.function(c, deviations))
        columns.append([pull, *(z[name] for name in new)])
    return columns


def _targets(terms: Sequence[TheoryTerm], data: Sequence[Datum]) -> Targets:
    """Return the mean of the data of each observable, which has the same minimum as they have."""
    found: dict[str, tuple[Datum, float]] = {}
    for term, datum in zip(terms, data, strict=True):
        mean, weight = found.get(term.observable.name, (0.0, 0.0))
        total = weight + term.error**-2
        share = weight / total
        found[term.observable.name] = share * mean + (1 - share) * datum, total
    return found


def sum_of_squares(columns: Sequence[FloatArray]) -> FloatArray:
    """Return the sum of the squares of columns, shape (n,)."""
    result: FloatArray = np.sum(np.square(columns), axis=0)
    return result


def widths_of(observable: Observable, widths: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    """Return the inputs of an observable that are uncertain; a width of zero fixes one."""
    chosen = ((name, widths.get(name, 1.0)) for name in observable.theory)
    return tuple((name, width) for name, width in chosen if width > 0)
