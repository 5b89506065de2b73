"""The likelihood of a set of data: the sum of measurements and exclusions."""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from zpfit.io.arrays import FloatArray
from zpfit.likelihood.exclusions import Exclusion, wall_residual
from zpfit.likelihood.measurements import Correlation, Measurement
from zpfit.physics.couplings import Couplings
from zpfit.physics.observables import ANOMALIES, Group

_BLOCK = 16384
"""Points per pass: large enough to amortise a call, small enough to stay in the cache."""


@dataclass(frozen=True)
class Likelihood:
    """Sum of the terms of a data set; its methods take a batch of n points.

    Parameters
    ----------
    name : str
        Name shown in tables.
    measurements : tuple of Measurement
    exclusions : tuple of Exclusion
    correlations : tuple of Correlation
        Correlated errors; measurements that none of them names are independent.

    Examples
    --------
    >>> from zpfit.io.library import Library
    >>> from zpfit.likelihood.build import LikelihoodSpec, assemble
    >>> likelihood = assemble(LikelihoodSpec(set="paper_2021_cs"), Library.beside()).likelihood
    >>> zero = Couplings(np.array([17.0]), *np.zeros((9, 1)))
    >>> likelihood.log_likelihood(zero).round(2).tolist()
    [-12.22]
    """

    name: str
    measurements: tuple[Measurement, ...]
    exclusions: tuple[Exclusion, ...]
    correlations: tuple[Correlation, ...] = ()
    """Correlated errors of measurements; other measurements that these name are ignored."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all terms: measurements, then exclusions."""
        measured = tuple(term.name for term in self.measurements)
        return measured + tuple(term.name for term in self.exclusions)

    @cached_property
    def hard(self) -> tuple[Exclusion, ...]:
        """Exclusions that remove points."""
        return tuple(exclusion for exclusion in self.exclusions if not exclusion.soft)

    @cached_property
    def _stages(self) -> list[list[Exclusion]]:
        ranked = sorted(self.hard, key=lambda exclusion: exclusion.stage)
        return [list(stage) for _, stage in groupby(ranked, key=lambda exclusion: exclusion.stage)]

    @cached_property
    def _whitenings(self) -> list[tuple[list[int], FloatArray]]:
        """Positions of correlated measurements, and the matrix that decorrelates them."""
        position = {term.name: index for index, term in enumerate(self.measurements)}
        result = []
        for correlation in self.correlations:
            present = tuple(name for name in correlation.names if name in position)
            if len(present) > 1:
                where = [position[name] for name in present]
                result.append((where, correlation.whitening(present)))
        return result

    def _independent_pulls(self, c: Couplings, data: FloatArray | None = None) -> list[FloatArray]:
        """Return pulls whose squares add up to chi2.

        The pull of a correlated measurement is conditional on the ones before it.
        """
        pulls = self.pulls(c, data)
        for where, whitening in self._whitenings:
            deviations = np.stack([pulls[i] * self.measurements[i].error for i in where])
            for index, row in zip(where, whitening @ deviations, strict=True):
                pulls[index] = row
        return pulls

    @property
    def data(self) -> FloatArray:
        """Observed data, shape (number of measurements,)."""
        return np.array([float(term.datum) for term in self.measurements])

    def pulls(self, c: Couplings, data: FloatArray | None = None) -> list[FloatArray]:
        """Return the pull of each measurement, shape (n,).

        Parameters
        ----------
        c : Couplings
            n points.
        data : array, shape (n, number of measurements), optional
            Data with which each point is compared; the default is the observed data.
        """
        if data is None:
            return [term.pull(c) for term in self.measurements]
        return [
            term.pull_of(column, term.prediction(c))
            for term, column in zip(self.measurements, data.T, strict=True)
        ]

    def with_data(self, data: FloatArray) -> "Likelihood":
        """Return the likelihood of other data, shape (number of measurements,).

        Raises
        ------
        NoSamplingDistribution
            A measurement is a table of chi2.
        """
        terms = [t.with_datum(float(d)) for t, d in zip(self.measurements, data, strict=True)]
        return replace(self, measurements=tuple(terms))

    def sample_data(self, predicted: FloatArray, z: FloatArray) -> FloatArray:
        """Return pseudo-data around given predictions.

        Parameters
        ----------
        predicted : array, shape (k,)
            Prediction of each of the k measurements.
        z : array, shape (n, k)
            Independent standard normal numbers.

        Returns
        -------
        array, shape (n, k)
            Data with the covariance of correlated measurements.

        Raises
        ------
        NoSamplingDistribution
            A measurement is a table of chi2.
        """
        z = z.copy()
        for where, whitening in self._whitenings:
            errors = np.array([self.measurements[i].error for i in where])
            z[:, where] = np.linalg.solve(whitening, z[:, where].T).T / errors
        columns = [
            term.sample(float(at), column)
            for term, at, column in zip(self.measurements, predicted, z.T, strict=True)
        ]
        return np.stack(columns, axis=1) if columns else np.empty((len(z), 0))

    @cached_property
    def smooth(self) -> tuple[Measurement | Exclusion, ...]:
        """Terms with a chi2: measurements and soft exclusions."""
        return self.measurements + tuple(e for e in self.exclusions if e.soft)

    def log_likelihood(self, c: Couplings) -> FloatArray:
        """Return -chi2/2, or -inf where a hard exclusion forbids the point; shape (n,).

        The value is NaN where a term is NaN, so that the posterior can report the point.
        """
        if not len(c):
            return np.empty(0)
        if len(c) <= _BLOCK:
            return self._log_likelihood(c)
        starts = range(0, len(c), _BLOCK)
        return np.concatenate([self._log_likelihood(c.take(slice(s, s + _BLOCK))) for s in starts])

    def _log_likelihood(self, c: Couplings) -> FloatArray:
        n_points = len(c)
        survivors: NDArray[np.intp] | None = None
        undefined = False
        for stage in self._stages:
            worst = stage[0].ratio(c)
            for exclusion in stage[1:]:
                worst = np.maximum(worst, exclusion.ratio(c))
            largest = worst.max()
            if largest <= 1:
                continue
            # NaN does not exclude: the point is kept, so that its likelihood becomes NaN.
            undefined |= bool(np.isnan(largest))
            allowed = np.flatnonzero(~(worst > 1))
            survivors = allowed if survivors is None else survivors[allowed]
            if not len(allowed):
                return np.full(n_points, -np.inf)
            c = c.take(allowed)
        log_likelihood = -0.5 * self.chi2(c)
        if undefined:
            ratios = [exclusion.ratio(c) for exclusion in self.hard]
            log_likelihood[np.isnan(ratios).any(axis=0)] = np.nan
        if survivors is None:
            return log_likelihood
        result = np.full(n_points, -np.inf)
        result[survivors] = log_likelihood
        return result

    @cached_property
    def anomalies(self) -> tuple[Measurement, ...]:
        """Measurements that a Z' may explain: the magnetic moments."""
        return tuple(term for term in self.measurements if term.observable.group in ANOMALIES)

    @cached_property
    def by_group(self) -> dict[str, tuple[Measurement, ...]]:
        """Measurements by group, without empty groups."""
        members = {
            group.value: tuple(t for t in self.measurements if t.observable.group is group)
            for group in Group
        }
        return {name: terms for name, terms in members.items() if terms}

    def chi2(self, c: Couplings) -> FloatArray:
        """Return the sum over measurements and soft exclusions, without hard ones; shape (n,)."""
        total = np.zeros(len(c))
        if self._whitenings:
            for pull in self._independent_pulls(c):
                total += pull**2
        else:
            for term in self.measurements:
                total += term.chi2(c)
        for exclusion in self.exclusions:
            if exclusion.soft:
                total += exclusion.chi2(c)
        return total

    def residuals(self, c: Couplings, wall: float, data: FloatArray | None = None) -> FloatArray:
        """Return the residuals that a least-squares minimiser works on.

        Parameters
        ----------
        c : Couplings
            n points.
        wall : float
            Height of the penalty of hard exclusions, see :func:`wall_residual`.
        data : array, shape (n, number of measurements), optional
            Data with which each point is compared; the default is the observed data.

        Returns
        -------
        array, shape (n, k)
            Signed roots of the chi2 of measurements, roots of the chi2 of soft exclusions,
            and penalties of hard exclusions.
        """
        columns = self._independent_pulls(c, data)
        columns += [np.sqrt(term.chi2(c)) for term in self.exclusions if term.soft]
        columns += [wall_residual(exclusion.ratio(c), wall) for exclusion in self.hard]
        return np.stack(columns, axis=1)

    def chi2_by_term(self, c: Couplings) -> dict[str, FloatArray]:
        """Return the chi2 of every measurement and soft exclusion; they add up to the total.

        A correlated measurement contributes its chi2 conditional on the ones before it.
        """
        names = [term.name for term in self.measurements]
        measured = zip(names, self._independent_pulls(c), strict=True)
        soft = {e.name: e.chi2(c) for e in self.exclusions if e.soft}
        return {name: pull**2 for name, pull in measured} | soft

    def ratios(self, c: Couplings) -> dict[str, FloatArray]:
        """Return signal over limit of every exclusion, hard or soft."""
        return {exclusion.name: exclusion.ratio(c) for exclusion in self.exclusions}

    def excluded_by(self, c: Couplings) -> list[list[str]]:
        """Return the names of the hard exclusions that forbid each point."""
        excluded = {e.name: e.ratio(c) > 1 for e in self.hard}
        return [[name for name, flags in excluded.items() if flags[i]] for i in range(len(c))]
