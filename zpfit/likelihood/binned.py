"""Binned Poisson counts with templates of backgrounds, as one measurement.

The scales of signal and backgrounds are nuisance parameters with Gaussian priors around 1. They
are profiled: chi2 is the smallest one (:mod:`zpfit.physics.poisson_profile`).
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from scipy.special import ndtr, xlogy

from zpfit.io.arrays import FloatArray
from zpfit.likelihood.measurements import Datum, Measurement
from zpfit.physics.couplings import QUARK_NAMES, Couplings
from zpfit.physics.observables import Observable
from zpfit.physics.poisson_profile import (
    LinearStart,
    expected_events,
    poisson_chi2,
    profiled_residuals,
    profiled_scales,
)
from zpfit.physics.tracing import is_traced

_BLOCK = 1024
"""Points whose chi2 is computed together: their arrays stay in the cache."""
_LEAST_SCALE = 1e-6
"""Smallest scale of a template in a pseudo-experiment; Gaussian priors reach below zero."""


@dataclass(frozen=True)
class ScalePrior:
    """Gaussian prior of the scale of a signal at n points, where other data move it."""

    centre: FloatArray
    """Shape (n,)."""
    error: float
    usual: float = 1.0
    """Centre without a Z', around which the search for the scales is fast."""

    def take(self, points: slice) -> "ScalePrior":
        """Return the prior at some of the points."""
        return replace(self, centre=self.centre[points])


@dataclass(frozen=True)
class BinnedTerm(Measurement):
    """Poisson counts in bins, with a signal and backgrounds of uncertain scales.

    ``value`` and ``error`` are those of the strength of the signal over that without a Z', for
    tables and approximate pulls. The pull of a point compares its chi2 with the least one that the
    signal without a Z' reaches at any strength: it is what a count of all events would give.

    Examples
    --------
    >>> from zpfit.physics.observables import Group
    >>> def events(c):
    ...     return np.outer(1 + c.C_nue, [30.0, 10.0])
    >>> signal = Observable("signal", lambda c: 1 + c.C_nue, Group.OTHER, spectrum=events)
    >>> term = BinnedTerm("mine", signal, (50, 30), ((20.0, 20.0),), (0.1, 0.05))
    >>> c = Couplings.of(m_Zp=17.0, C_nue=[0.0, 1.0])
    >>> term.chi2(c).round(2).tolist()
    [0.0, 10.12]
    """

    name: str
    observable: Observable
    """Has a spectrum: expected events in each bin."""
    observed: tuple[float, ...]
    """Counts in each bin."""
    backgrounds: tuple[tuple[float, ...], ...]
    """Expected events in each bin, for each background."""
    scale_errors: tuple[float, ...]
    """Relative errors of the signal and of each background."""

    @property
    def size(self) -> int:
        """Number of bins."""
        return len(self.observed)

    @property
    def noise(self) -> int:
        """One number for each bin and scale."""
        return self.size + len(self.scale_errors)

    @property
    def datum(self) -> FloatArray:
        """Counts, shape (bins,)."""
        return self._counts

    @property
    def value(self) -> float:
        """Strength of the signal that fits best, in units of the signal without a Z'."""
        return self._strength[0]

    @property
    def error(self) -> float:
        """Approximate error of the strength, from the curvature of chi2 and the signal's error."""
        return self._strength[1]

    def expectation(self, c: Couplings) -> FloatArray:
        """Return the expected signal events, shape (n, bins)."""
        if self.observable.spectrum is None:
            raise TypeError(f"observable {self.observable.name!r} has no spectrum")
        return self.observable.spectrum(c)

    def is_constant(self, c: Couplings) -> bool:
        """Return True if the model behind some points has one signal, whatever its parameters.

        Points of other models may share a signal too, where couplings vanish, and need not.
        """
        quarks = set(self.observable.reads) & set(QUARK_NAMES)
        return not any(map(c.gives, quarks)) and _alike(self.expectation(c))

    def chi2(self, c: Couplings, prior: ScalePrior | None = None) -> FloatArray:
        """Return the profiled chi2, shape (n,); ``prior`` replaces that of the signal's scale."""
        if not len(c):
            return np.zeros(0)
        if is_traced(c.m_Zp):
            signal = self.expectation(c)
            if _is_open(signal, prior):
                return self._in_one_call(signal, prior)[2]
        parts = []
        for block in (slice(i, i + _BLOCK) for i in range(0, len(c), _BLOCK)):
            signal = self.expectation(c.take(block) if len(c) > _BLOCK else c)
            if _alike(signal):
                return self._chi2_of(
                    self._counts, np.broadcast_to(signal[:1], (len(c), self.size)), prior
                )
            some = None if prior is None else prior.take(block)
            parts.append(self._chi2_of(self._counts, signal, some))
        return np.concatenate(parts)

    def pull(self, c: Couplings) -> FloatArray:
        """Return the signed root of chi2 above its least value at any strength of the signal."""
        signal = self.expectation(c)
        if not is_traced(signal):
            return self.pull_of(self._counts, signal)
        best, strength = self._best(self._counts[None], self._without[None])
        excess = np.maximum(self._in_one_call(signal, None)[2] - best, 0)
        more = strength * self._without.sum() - signal @ np.ones((self.size, 1))
        result: FloatArray = np.copysign(np.sqrt(excess), more)
        return result

    def pull_of(self, datum: Datum, predicted: FloatArray) -> FloatArray:
        """Return the pull of counts (n, bins) at expected signals (n, bins)."""
        signal, counts = _together(predicted, datum)
        without = np.broadcast_to(self._without, np.shape(datum))
        best, strength = self._best(np.atleast_2d(datum), np.atleast_2d(without))
        excess = np.maximum(self._chi2_of(counts, signal, None) - best, 0)
        more = strength * self._without.sum() - signal.sum(axis=1)
        result: FloatArray = np.copysign(np.sqrt(excess), more)
        return result

    def residual_columns(
        self, c: Couplings, prior: ScalePrior | None, counts: FloatArray | None
    ) -> list[FloatArray]:
        """Return columns whose squares add up to chi2; ``counts`` replace the observed ones.

        Traced columns are tables of all bins, and of all scales.
        """
        signal, constant = self.expectation(c), self.is_constant(c)
        if counts is None and _is_open(signal, prior):
            bins, pulls, chi2 = self._in_one_call(signal, prior)
            return [np.sqrt(chi2)] if constant else [bins, pulls]
        datum = self._counts if counts is None else counts
        return list(self.residuals_of(datum, signal, prior, constant=constant).T)

    def _in_one_call(self, signal: FloatArray, prior: ScalePrior | None) -> tuple[FloatArray, ...]:
        """Return roots of the bins' shares, pulls of the scales, and chi2; all may be traced."""
        priors = self._priors(1, None if prior is None else replace(prior, centre=np.ones(1)))
        result: tuple[FloatArray, ...] = profiled_residuals(
            signal,
            self._counts,
            self._templates,
            np.ones(1) if prior is None else prior.centre,
            priors.errors,
            *self._start(priors).arguments(),
        )
        return result

    def residuals_of(
        self,
        datum: FloatArray,
        predicted: FloatArray,
        prior: ScalePrior | None = None,
        *,
        constant: bool = False,
    ) -> FloatArray:
        """Return residuals whose squares add up to chi2, shape (n, bins + scales) or (n, 1).

        Signed roots of each bin's share at the profiled scales, and the pulls of the scales. If
        the signal is ``constant``, the root of chi2 is enough, as nothing can be minimised.
        """
        if constant:
            return np.sqrt(self._chi2_of(datum, predicted, prior))[:, None]
        signal, counts = _together(predicted, datum)
        priors = self._priors(len(signal), prior)
        scales, expected = self._profiled(counts, signal, priors)
        shares = 2 * (expected - counts + xlogy(counts, counts / expected))
        # Rounding may leave a tiny negative share at the minimum.
        bins = np.copysign(np.sqrt(np.maximum(shares, 0)), counts - expected)
        return np.hstack([bins, (priors.centres - scales) / priors.errors])

    def sample(
        self, predicted: Datum, z: FloatArray, prior: ScalePrior | None = None
    ) -> FloatArray:
        """Return counts of pseudo-experiments, shape (n, bins).

        Parameters
        ----------
        predicted : array, shape (bins,)
            Expected signal events.
        z : array, shape (n, bins + scales)
            Standard normal numbers for the counts, then for the scales, which scatter as well.
        prior : ScalePrior, optional
            That of the signal's scale, where other data move it.
        """
        from scipy.stats import poisson  # takes half a second to import; only counts need it

        priors = self._priors(len(z), prior)
        scales = np.maximum(priors.centres + priors.errors * z[:, self.size :], _LEAST_SCALE)
        expected = expected_events(np.asarray(predicted), self._templates, scales)
        result: FloatArray = poisson.ppf(ndtr(z[:, : self.size]), expected)
        return result

    def with_datum(self, datum: Datum) -> Self:
        """Return the measurement with other counts, shape (bins,)."""
        return replace(self, observed=tuple(np.asarray(datum, dtype=float).tolist()))

    def _chi2_of(
        self, counts: FloatArray, signal: FloatArray, prior: ScalePrior | None
    ) -> FloatArray:
        if _alike(signal) and counts.ndim == 1 and _constant(prior):
            one = None if prior is None else prior.take(slice(0, 1))
            priors, n = self._priors(1, one), 1
        else:
            priors, n = self._priors(len(signal), prior), len(signal)
        chi2, _ = self._least_chi2(counts, signal[:n], priors)
        return np.broadcast_to(chi2, len(signal))

    def _profiled(
        self, counts: FloatArray, signal: FloatArray, priors: "_Priors"
    ) -> tuple[FloatArray, FloatArray]:
        """Return the profiled scales, shape (n, k), and the events expected then, (n, bins).

        ``counts`` has one row for each point, or one for all.
        """
        start = self._start(priors)
        scales, expected = profiled_scales(
            signal,
            counts,
            self._templates,
            priors.centres,
            priors.weights,
            start.scales(signal, priors.centres),
            start.inverse_hessian,
        )
        return scales, expected

    def _least_chi2(
        self, counts: FloatArray, signal: FloatArray, priors: "_Priors"
    ) -> tuple[FloatArray, FloatArray]:
        """Return the profiled chi2, shape (n,), and the scales, shape (n, k)."""
        scales, expected = self._profiled(np.atleast_2d(counts), signal, priors)
        chi2 = poisson_chi2(counts, expected)
        chi2 += (scales - priors.centres) ** 2 @ priors.weights
        return chi2, scales

    def _priors(self, n: int, prior: ScalePrior | None, *, free: bool = False) -> "_Priors":
        """Return the priors of the scales; ``free`` leaves the signal's without one."""
        errors = np.array(self.scale_errors)
        centres = np.broadcast_to(1.0, (n, len(errors)))
        if prior is not None:
            errors[0] = prior.error
            centres = centres.copy()
            centres[:, 0] = prior.centre
        if free:
            errors[0] = np.inf
        return _Priors(centres, errors, 1.0 if prior is None else prior.usual)

    def _best(self, counts: FloatArray, signal: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the least chi2 at any strength of a signal, and this strength; shape (n,)."""
        priors = self._priors(len(signal), None, free=True)
        chi2, scales = self._least_chi2(counts, signal, priors)
        return chi2, scales[:, 0]

    def _start(self, priors: "_Priors") -> LinearStart:
        """Return where the search for the scales starts: exact close to the signal without a Z'."""
        key = float(priors.errors[0]), priors.usual  # only the signal's prior changes
        if key not in self._starts:
            centres = np.array([priors.usual, *np.ones(len(self.backgrounds))])
            self._starts[key] = LinearStart.around(
                self._without, self._counts, self._templates, priors.weights, centres
            )
        return self._starts[key]

    @cached_property
    def _starts(self) -> dict[tuple[float, float], LinearStart]:
        """Starts found already, by error and usual centre of the signal's scale."""
        return {}

    @cached_property
    def _counts(self) -> FloatArray:
        return np.array(self.observed, dtype=float)

    @cached_property
    def _templates(self) -> FloatArray:
        return np.array(self.backgrounds, dtype=float).reshape(-1, self.size)

    @cached_property
    def _without(self) -> FloatArray:
        """Signal without a Z', shape (bins,)."""
        signal: FloatArray = np.array(self.expectation(Couplings.none())[0])
        return signal

    @cached_property
    def _strength(self) -> tuple[float, float]:
        priors = self._priors(1, None, free=True)
        signal = self._without[None]
        scales, expected = self._profiled(self._counts[None], signal, priors)
        templates = np.vstack([signal, self._templates])
        curvature = (templates / expected) @ templates.T
        statistical = np.linalg.inv(curvature + np.diag(priors.weights))[0, 0]
        strength = float(scales[0, 0])
        return strength, float(np.sqrt(statistical + (strength * self.scale_errors[0]) ** 2))


@dataclass(frozen=True)
class _Priors:
    """Gaussian priors of the scales of n points."""

    centres: FloatArray
    """Shape (n, k)."""
    errors: FloatArray
    """Shape (k,)."""
    usual: float
    """Centre of the signal's scale without a Z'."""

    @property
    def weights(self) -> FloatArray:
        """1/errors^2, zero for a free scale."""
        result: FloatArray = self.errors**-2.0
        return result


def _is_open(signal: FloatArray, prior: ScalePrior | None) -> bool:
    """Return True if the signal or its scale is not known yet."""
    return is_traced(signal) or (prior is not None and is_traced(prior.centre))


def _alike(signal: FloatArray) -> bool:
    """Return True if all points share one row of memory: the model has none of the couplings."""
    return signal.strides[0] == 0


def _together(signal: Datum, counts: Datum) -> tuple[FloatArray, FloatArray]:
    """Return signal and counts with the shape of both."""
    shape = np.broadcast_shapes(np.shape(signal), np.shape(counts))
    return np.broadcast_to(signal, shape), np.broadcast_to(counts, shape)


def _constant(prior: ScalePrior | None) -> bool:
    return prior is None or bool(np.ptp(prior.centre) == 0)


@dataclass(frozen=True)
class SharedScale:
    """Nuisance parameters that the signal of binned counts shares with Gaussian measurements.

    The deviations of the Gaussian measurements tell something about the parameters, and hence
    about the scale of the signal. Its prior is that conditional on them, which is exact: the
    chi2 of all together is that of the Gaussian measurements plus that of the counts.
    """

    term: str
    """Name of the binned measurement."""
    names: tuple[str, ...]
    """Names of the Gaussian measurements."""
    covariance: tuple[tuple[float, ...], ...]
    """Of their deviations, nuisance parameters included."""
    shifts: tuple[float, ...]
    """Covariance of the signal's scale with each deviation."""
    error: float
    """Error of the scale by itself."""

    def conditional(self, present: tuple[str, ...]) -> tuple[FloatArray, float]:
        """Return what the centre of the scale moves per unit of deviation, and the error left.

        Parameters
        ----------
        present : tuple of str
            Names of k of the measurements.

        Examples
        --------
        >>> shared = SharedScale("counts", ("x",), ((4.0,),), (1.0,), 0.6)
        >>> weights, error = shared.conditional(("x",))
        >>> weights.tolist(), round(error, 3)
        ([0.25], 0.332)
        """
        index = [self.names.index(name) for name in present]
        covariance = np.array(self.covariance)[np.ix_(index, index)]
        shifts = np.array(self.shifts)[index]
        weights: FloatArray = np.linalg.solve(covariance, shifts)
        return weights, float(np.sqrt(self.error**2 - shifts @ weights))
