"""Measurements of one observable: what was measured, and how far a prediction is off."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.special import ndtr, xlogy

from zpfit.errors import NoSamplingDistribution
from zpfit.io.arrays import FloatArray
from zpfit.physics.couplings import Couplings
from zpfit.physics.observables import Observable

_LEAST_EVENTS = 1e-300
_FINER = 100
"""Points between two rows of a table at which its chi2 is looked up."""


class Measurement(Protocol):
    """A measured value of one observable; chi2 is the square of the pull."""

    @property
    def name(self) -> str:
        """Of its entry."""

    @property
    def observable(self) -> Observable:
        """What it measures."""

    @property
    def value(self) -> float:
        """What was measured."""

    @property
    def error(self) -> float:
        """Standard error; of a likelihood that is not Gaussian one that is about right."""

    @property
    def errors(self) -> tuple[float, float]:
        """The same towards larger and smaller predictions."""

    def prediction(self, c: Couplings) -> FloatArray:
        """Predicted value, shape (n,)."""

    def pull(self, c: Couplings) -> FloatArray:
        """Square root of chi2, positive where more was measured than predicted; shape (n,)."""

    def chi2(self, c: Couplings) -> FloatArray:
        """Pull squared, shape (n,)."""

    @property
    def datum(self) -> float:
        """What the experiment saw: the value, or the number of events."""

    def pull_of(self, datum: FloatArray | float, predicted: FloatArray) -> FloatArray:
        """The pull if ``datum`` had been seen where that was predicted; shapes broadcast."""

    def drawn(self, predicted: float, z: FloatArray) -> FloatArray:
        """What the experiment sees at a prediction: standard normal ``z`` to data, shape (n,).

        Raises
        ------
        NoSamplingDistribution
            Nobody knows.
        """


@dataclass(frozen=True)
class _OneObservable:
    name: str
    observable: Observable

    def prediction(self, c: Couplings) -> FloatArray:
        """Predicted value, shape (n,)."""
        return self.observable.function(c)


@dataclass(frozen=True)
class GaussianTerm(_OneObservable):
    """A measurement with a symmetric Gaussian error."""

    value: float
    error: float

    @property
    def errors(self) -> tuple[float, float]:
        """Towards larger and smaller predictions."""
        return self.error, self.error

    @property
    def datum(self) -> float:
        """The value."""
        return self.value

    def pull(self, c: Couplings) -> FloatArray:
        """(measured - predicted)/error, shape (n,)."""
        return self.pull_of(self.value, self.prediction(c))

    def pull_of(self, datum: FloatArray | float, predicted: FloatArray) -> FloatArray:
        """(measured - predicted)/error of any data; shapes broadcast."""
        deviation: FloatArray = datum - predicted
        deviation /= self.error
        return deviation

    def drawn(self, predicted: float, z: FloatArray) -> FloatArray:
        """Values around the prediction, shape (n,)."""
        return predicted + self.error * z

    def chi2(self, c: Couplings) -> FloatArray:
        """Pull squared, shape (n,)."""
        pull = self.pull(c)
        pull *= pull
        return pull


@dataclass(frozen=True)
class AsymmetricTerm(_OneObservable):
    """A measurement with unequal errors: two halves of a Gaussian that meet at the value."""

    value: float
    error_up: float
    """Towards larger predictions."""
    error_down: float

    @property
    def errors(self) -> tuple[float, float]:
        """Towards larger and smaller predictions."""
        return self.error_up, self.error_down

    @property
    def error(self) -> float:
        """Mean of the two."""
        return 0.5 * (self.error_up + self.error_down)

    @property
    def datum(self) -> float:
        """The value."""
        return self.value

    def pull(self, c: Couplings) -> FloatArray:
        """(measured - predicted) over the error on the prediction's side, shape (n,)."""
        return self.pull_of(self.value, self.prediction(c))

    def pull_of(self, datum: FloatArray | float, predicted: FloatArray) -> FloatArray:
        """(measured - predicted) over the error on that side, of any data; shapes broadcast."""
        deviation = datum - predicted
        result: FloatArray = deviation / np.where(deviation < 0, self.error_up, self.error_down)
        return result

    def drawn(self, predicted: float, z: FloatArray) -> FloatArray:
        """Values whose pull at the prediction is ``z``, so that each side has half of them."""
        result: FloatArray = predicted + z * np.where(z < 0, self.error_up, self.error_down)
        return result

    def chi2(self, c: Couplings) -> FloatArray:
        """Pull squared, shape (n,)."""
        return self.pull(c) ** 2


@dataclass(frozen=True)
class CountsTerm(_OneObservable):
    """Poisson counts: ``signal`` times the observable events are expected, and background.

    chi2 = 2 [mu - n + n ln(n/mu)], zero at the best (Baker & Cousins, Nucl. Instrum. Meth. 221,
    437 (1984)).
    """

    observed: int
    signal: float
    background: float

    @property
    def value(self) -> float:
        """Of the observable, from the observed events."""
        return (self.observed - self.background) / self.signal

    @property
    def error(self) -> float:
        """Square root of the observed events, of one at least."""
        return math.sqrt(max(self.observed, 1)) / self.signal

    @property
    def errors(self) -> tuple[float, float]:
        """Towards larger and smaller predictions."""
        return self.error, self.error

    @property
    def datum(self) -> float:
        """The observed events."""
        return self.observed

    def pull(self, c: Couplings) -> FloatArray:
        """Signed square root of chi2, shape (n,)."""
        return self.pull_of(self.observed, self.prediction(c))

    def pull_of(self, datum: FloatArray | float, predicted: FloatArray) -> FloatArray:
        """The same for any number of events; shapes broadcast."""
        expected, n = self._expected(predicted), datum
        chi2 = 2 * (expected - n + xlogy(n, n / expected))
        result: FloatArray = np.copysign(np.sqrt(np.maximum(chi2, 0)), n - expected)
        return result

    def drawn(self, predicted: float, z: FloatArray) -> FloatArray:
        """Numbers of events, by the inverse of their cumulative distribution; shape (n,)."""
        from scipy.stats import poisson  # half a second that only counts need

        result: FloatArray = poisson.ppf(ndtr(z), self._expected(predicted))
        return result

    def _expected(self, predicted: FloatArray | float) -> FloatArray:
        """Events, a hair above none at least."""
        result: FloatArray = np.maximum(self.signal * predicted + self.background, _LEAST_EVENTS)
        return result

    def chi2(self, c: Couplings) -> FloatArray:
        """Pull squared, shape (n,)."""
        return self.pull(c) ** 2


@dataclass(frozen=True)
class TabulatedTerm(_OneObservable):
    """A published chi2 as a function of the observable.

    Monotone cubic interpolation on either side of the least; beyond the table chi2 goes on
    along its last slope.
    """

    values: tuple[float, ...]
    chi2s: tuple[float, ...]

    @property
    def value(self) -> float:
        """Where chi2 is least."""
        return self.values[int(np.argmin(self.chi2s))]

    @property
    def error(self) -> float:
        """Mean of the two."""
        return 0.5 * sum(self.errors)

    @cached_property
    def errors(self) -> tuple[float, float]:
        """From the value to where chi2 has risen by one, or to the end of the table."""
        rows = np.arange(0, len(self.values) - 1 + 0.5 / _FINER, 1 / _FINER)
        fine = np.interp(rows, np.arange(len(self.values)), self.values)
        outside = self._interpolator(fine) > min(self.chi2s) + 1
        below, above = fine < self.value, fine > self.value
        low = fine[below & outside].max(initial=self.values[0])
        high = fine[above & outside].min(initial=self.values[-1])
        up, down = float(high - self.value), float(self.value - low)
        # At an end of the table one side is missing.
        return up or down, down or up

    @cached_property
    def _interpolator(self) -> PchipInterpolator:
        return PchipInterpolator(self.values, self.chi2s)

    @property
    def datum(self) -> float:
        """The value, of which the table holds no more than the one that was found."""
        return self.value

    def pull_of(self, datum: FloatArray | float, predicted: FloatArray) -> FloatArray:  # noqa: ARG002
        """No other data than those that were found have a chi2.

        Raises
        ------
        NoSamplingDistribution
            Always.
        """
        raise NoSamplingDistribution(self.name)

    def drawn(self, predicted: float, z: FloatArray) -> FloatArray:  # noqa: ARG002
        """Nobody knows.

        Raises
        ------
        NoSamplingDistribution
            Always.
        """
        raise NoSamplingDistribution(self.name)

    def pull(self, c: Couplings) -> FloatArray:
        """Signed square root of chi2, shape (n,)."""
        predicted = self.prediction(c)
        inside = np.clip(predicted, self.values[0], self.values[-1])
        ends = np.array([self.values[0], self.values[-1]])
        slopes = np.abs(self._interpolator(ends, 1))
        beyond = np.abs(predicted - inside) * np.where(predicted < inside, *slopes)
        chi2 = np.maximum(self._interpolator(inside) + beyond, 0)
        result: FloatArray = np.copysign(np.sqrt(chi2), self.value - predicted)
        return result

    def chi2(self, c: Couplings) -> FloatArray:
        """Pull squared, shape (n,)."""
        return self.pull(c) ** 2


@dataclass(frozen=True)
class Correlation:
    """Joint errors of several Gaussian measurements, which hold each its own error as well."""

    names: tuple[str, ...]
    covariance: tuple[tuple[float, ...], ...]

    def whitening(self, present: tuple[str, ...]) -> FloatArray:
        """Matrix that makes the deviations of some of them independent, shape (k, k).

        The first stays as it is, every further one is what the others leave: squares add
        up to chi2.
        """
        index = [self.names.index(name) for name in present]
        covariance = np.array(self.covariance)[np.ix_(index, index)]
        result: FloatArray = np.linalg.inv(np.linalg.cholesky(covariance))
        return result
