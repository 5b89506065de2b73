"""Measurements of one observable: the data, and the deviation of a prediction from them."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.special import ndtr, xlogy

from zpfit.errors import NoSamplingDistribution
from zpfit.io.arrays import FloatArray
from zpfit.physics.couplings import Couplings
from zpfit.physics.observables import Observable

Datum = FloatArray | float
"""A number, or the counts of a measurement in bins."""

_LEAST_EVENTS = 1e-300
"""Smallest expected count; a positive one keeps the logarithm of chi2 finite."""
_FINER = 100
"""Points between two rows of a table at which its chi2 is evaluated to find the errors."""


class Measurement(ABC):
    """A measured value of one observable; chi2 is the square of the pull.

    Binned counts (:class:`zpfit.likelihood.binned.BinnedTerm`) are many data of one observable.
    """

    name: str
    """Name of the entry, or of one component of it."""
    observable: Observable

    if TYPE_CHECKING:  # a real property would become the default of the dataclass fields below

        @property
        def value(self) -> float:
            """Measured value of the observable."""

        @property
        def error(self) -> float:
            """Standard error; an approximate one where the likelihood is not Gaussian."""

    @property
    def errors(self) -> tuple[float, float]:
        """Standard errors towards larger and smaller predictions."""
        return self.error, self.error

    @property
    def datum(self) -> Datum:
        """Observed datum: the value, the number of events, or the counts in bins."""
        return self.value

    @property
    def size(self) -> int:
        """Number of data."""
        return 1

    @property
    def noise(self) -> int:
        """Number of standard normal numbers that a pseudo-experiment needs."""
        return 1

    def prediction(self, c: Couplings) -> FloatArray:
        """Return the predicted value, shape (n,)."""
        return self.observable.function(c)

    def expectation(self, c: Couplings) -> FloatArray:
        """Return what the datum is compared with: the predicted value, shape (n,)."""
        return self.prediction(c)

    def pull(self, c: Couplings) -> FloatArray:
        """Return the signed root of chi2, positive where the datum exceeds the prediction."""
        return self.pull_of(self.datum, self.prediction(c))

    def chi2(self, c: Couplings) -> FloatArray:
        """Return the pull squared, shape (n,)."""
        return self.pull(c) ** 2

    def pull_at(self, c: Couplings, datum: Datum) -> FloatArray:
        """Return the pull of any datum at n points, shape (n,)."""
        return self.pull_of(datum, self.expectation(c))

    @abstractmethod
    def pull_of(self, datum: Datum, predicted: FloatArray) -> FloatArray:
        """Return the pull of any datum at a prediction; shapes broadcast."""

    @abstractmethod
    def with_datum(self, datum: Datum) -> Self:
        """Return the measurement with another datum."""

    @abstractmethod
    def sample(self, predicted: Datum, z: FloatArray) -> FloatArray:
        """Return pseudo-data at a prediction.

        Parameters
        ----------
        predicted : float
            Predicted value of the observable; an array for binned counts.
        z : array, shape (n,)
            Standard normal numbers; data are a monotone function of them.

        Raises
        ------
        NoSamplingDistribution
            The entry does not define how data scatter.
        """


@dataclass(frozen=True)
class GaussianTerm(Measurement):
    """A measurement with a symmetric Gaussian error.

    Examples
    --------
    >>> from zpfit.physics.observables import find_observable
    >>> term = GaussianTerm("a_e", find_observable("delta_a_e"), value=-8.7e-13, error=3.6e-13)
    >>> float(term.pull_of(term.datum, np.zeros(1)).round(3)[0])
    -2.417
    """

    name: str
    observable: Observable
    value: float
    error: float

    def pull_of(self, datum: Datum, predicted: FloatArray) -> FloatArray:
        """Return (datum - prediction)/error; shapes broadcast."""
        deviation: FloatArray = datum - predicted
        deviation /= self.error
        return deviation

    def sample(self, predicted: Datum, z: FloatArray) -> FloatArray:
        """Return values around the prediction, shape (n,)."""
        return predicted + self.error * z

    def with_datum(self, datum: Datum) -> Self:
        """Return the measurement with another value."""
        return replace(self, value=float(datum))


@dataclass(frozen=True)
class AsymmetricTerm(Measurement):
    """A measurement with unequal errors: two halves of a Gaussian that meet at the value."""

    name: str
    observable: Observable
    value: float
    error_up: float
    """Standard error towards larger predictions."""
    error_down: float
    """Standard error towards smaller predictions."""

    @property
    def errors(self) -> tuple[float, float]:
        """Standard errors towards larger and smaller predictions."""
        return self.error_up, self.error_down

    @cached_property
    def error(self) -> float:
        """Mean of the two errors."""
        return 0.5 * (self.error_up + self.error_down)

    def pull_of(self, datum: Datum, predicted: FloatArray) -> FloatArray:
        """Return (datum - prediction) over the error on the prediction's side."""
        deviation = datum - predicted
        result: FloatArray = deviation / np.where(deviation < 0, self.error_up, self.error_down)
        return result

    def sample(self, predicted: Datum, z: FloatArray) -> FloatArray:
        """Return values whose pull at the prediction is ``z``: half of them on each side."""
        result: FloatArray = predicted + z * np.where(z < 0, self.error_up, self.error_down)
        return result

    def with_datum(self, datum: Datum) -> Self:
        """Return the measurement with another value."""
        return replace(self, value=float(datum))


@dataclass(frozen=True)
class CountsTerm(Measurement):
    """Poisson counts, with ``signal`` times the observable plus ``background`` expected events.

    chi2 = 2 [mu - n + n ln(n/mu)] for n observed and mu expected events; zero at mu = n.

    References
    ----------
    S. Baker and R. D. Cousins, Nucl. Instrum. Meth. 221, 437 (1984).
    """

    name: str
    observable: Observable
    observed: int
    signal: float
    """Expected events per unit of the observable."""
    background: float

    @cached_property
    def value(self) -> float:
        """Value of the observable at which the observed events are expected."""
        return (self.observed - self.background) / self.signal

    @cached_property
    def error(self) -> float:
        """Error of the value, from the square root of the observed events or of one."""
        return math.sqrt(max(self.observed, 1)) / self.signal

    @property
    def datum(self) -> Datum:
        """Number of observed events."""
        return self.observed

    def pull_of(self, datum: Datum, predicted: FloatArray) -> FloatArray:
        """Return the signed root of chi2 for any number of events; shapes broadcast."""
        expected, n = self._expected(predicted), datum
        chi2 = 2 * (expected - n + xlogy(n, n / expected))
        # Rounding may leave a tiny negative chi2 at the minimum.
        result: FloatArray = np.copysign(np.sqrt(np.maximum(chi2, 0)), n - expected)
        return result

    def sample(self, predicted: Datum, z: FloatArray) -> FloatArray:
        """Return numbers of events from the inverse of their cumulative distribution."""
        from scipy.stats import poisson  # takes half a second to import; only counts need it

        result: FloatArray = poisson.ppf(ndtr(z), self._expected(predicted))
        return result

    def with_datum(self, datum: Datum) -> Self:
        """Return the measurement with another number of events."""
        return replace(self, observed=round(float(datum)))

    def _expected(self, predicted: FloatArray | float) -> FloatArray:
        """Return the expected number of events, which is always positive."""
        result: FloatArray = np.maximum(self.signal * predicted + self.background, _LEAST_EVENTS)
        return result


@dataclass(frozen=True)
class TabulatedTerm(Measurement):
    """A published chi2 as a function of the observable.

    chi2 is interpolated by monotone cubics on either side of its minimum. Beyond the table it
    is extrapolated with the slope at the end. Such a table describes the observed data alone:
    there is no chi2 of other data, and no pseudo-data can be drawn.
    """

    name: str
    observable: Observable
    values: tuple[float, ...]
    """Values of the observable, increasing."""
    chi2s: tuple[float, ...]
    """chi2 at these values."""

    @cached_property
    def value(self) -> float:
        """Tabulated value with the smallest chi2."""
        return self.values[int(np.argmin(self.chi2s))]

    @cached_property
    def error(self) -> float:
        """Mean of the two errors."""
        return 0.5 * sum(self.errors)

    @cached_property
    def errors(self) -> tuple[float, float]:
        """Distances from the value to a chi2 larger by 1, or to the ends of the table."""
        rows = np.arange(0, len(self.values) - 1 + 0.5 / _FINER, 1 / _FINER)
        fine = np.interp(rows, np.arange(len(self.values)), self.values)
        outside = self._interpolator(fine) > min(self.chi2s) + 1
        below, above = fine < self.value, fine > self.value
        low = fine[below & outside].max(initial=self.values[0])
        high = fine[above & outside].min(initial=self.values[-1])
        up, down = float(high - self.value), float(self.value - low)
        # If the minimum is at an end of the table, one side is missing; use the other.
        return up or down, down or up

    @cached_property
    def _interpolator(self) -> PchipInterpolator:
        return PchipInterpolator(self.values, self.chi2s)

    def pull(self, c: Couplings) -> FloatArray:
        """Return the signed root of chi2, shape (n,)."""
        predicted = self.prediction(c)
        inside = np.clip(predicted, self.values[0], self.values[-1])
        ends = np.array([self.values[0], self.values[-1]])
        slopes = np.abs(self._interpolator(ends, 1))
        beyond = np.abs(predicted - inside) * np.where(predicted < inside, *slopes)
        # Rounding of the interpolation may leave a tiny negative chi2.
        chi2 = np.maximum(self._interpolator(inside) + beyond, 0)
        result: FloatArray = np.copysign(np.sqrt(chi2), self.value - predicted)
        return result

    def pull_of(self, datum: Datum, predicted: FloatArray) -> FloatArray:  # noqa: ARG002
        """Raise an error: the table holds the chi2 of the observed data alone.

        Raises
        ------
        NoSamplingDistribution
            Always.
        """
        raise NoSamplingDistribution(self.name)

    def sample(self, predicted: Datum, z: FloatArray) -> FloatArray:  # noqa: ARG002
        """Raise an error: a table does not define how data scatter.

        Raises
        ------
        NoSamplingDistribution
            Always.
        """
        raise NoSamplingDistribution(self.name)

    def with_datum(self, datum: Datum) -> Self:  # noqa: ARG002
        """Raise an error: a table holds the chi2 of the observed data alone.

        Raises
        ------
        NoSamplingDistribution
            Always.
        """
        raise NoSamplingDistribution(self.name)


@dataclass(frozen=True)
class Correlation:
    """Covariance of several Gaussian measurements, which also hold their own errors."""

    names: tuple[str, ...]
    """Names of the measurements."""
    covariance: tuple[tuple[float, ...], ...]

    def whitening(self, present: tuple[str, ...]) -> FloatArray:
        """Return the matrix that decorrelates the deviations of some measurements.

        Parameters
        ----------
        present : tuple of str
            Names of k of the measurements, in the order of their deviations.

        Returns
        -------
        array, shape (k, k)
            Lower triangular. The first deviation is divided by its error; each further one
            is replaced by its residual from the ones before. Squares add up to chi2.

        Examples
        --------
        >>> errors = Correlation(("x", "y"), ((1.0, 0.6), (0.6, 1.0)))
        >>> errors.whitening(("x", "y")).round(3).tolist()
        [[1.0, 0.0], [-0.75, 1.25]]
        """
        index = [self.names.index(name) for name in present]
        covariance = np.array(self.covariance)[np.ix_(index, index)]
        result: FloatArray = np.linalg.inv(np.linalg.cholesky(covariance))
        return result
