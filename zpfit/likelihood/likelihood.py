"""The likelihood of a set of data: the sum of measurements and exclusions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from zpfit.io.arrays import FloatArray
from zpfit.likelihood.binned import BinnedTerm, ScalePrior, SharedScale
from zpfit.likelihood.exclusions import Exclusion, wall_residual
from zpfit.likelihood.measurements import Correlation, Measurement
from zpfit.likelihood.theory import TheoryTerm, profiled, sum_of_squares, theory_groups
from zpfit.physics.couplings import Couplings
from zpfit.physics.observables import ANOMALIES, Group

Rows = Sequence[FloatArray]
"""Data with which n points are compared: an array of shape (n,) for each datum."""

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
    shared_scales : tuple of SharedScale
        The same for binned measurements.

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
    shared_scales: tuple[SharedScale, ...] = ()
    """Nuisance parameters that binned measurements share with Gaussian ones."""
    named_anomalies: tuple[str, ...] = ()
    """Names of the :attr:`anomalies`; empty for the magnetic moments."""

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
    def stages(self) -> list[list[Exclusion]]:
        """Hard exclusions in the order of evaluation."""
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

    @cached_property
    def slices(self) -> list[slice]:
        """Columns of each measurement in an array of all data."""
        ends = np.cumsum([0, *(term.size for term in self.measurements)]).tolist()
        return [slice(first, last) for first, last in pairwise(ends)]

    @cached_property
    def _binned(self) -> list[tuple[int, BinnedTerm]]:
        """Binned measurements with their positions."""
        return [(i, t) for i, t in enumerate(self.measurements) if isinstance(t, BinnedTerm)]

    @cached_property
    def _uncertain(self) -> list[list[int]]:
        """Positions of measurements with uncertain inputs; those of a group share some."""
        return theory_groups(self.measurements)

    @cached_property
    def uncertain(self) -> frozenset[int]:
        """Positions of measurements with uncertain inputs."""
        return frozenset(i for group in self._uncertain for i in group)

    @cached_property
    def apart(self) -> frozenset[int]:
        """Positions of measurements whose chi2 is minimised over nuisance parameters."""
        binned = (i for i, _ in self._binned)
        return frozenset([*binned, *(i for group in self._uncertain for i in group)])

    @cached_property
    def _conditional_scales(self) -> dict[int, tuple[list[int], FloatArray, float]]:
        """Positions of Gaussian measurements that share nuisances with a binned one, by its own.

        With the change of the scale of its signal per unit of their deviations, and its error.
        """
        position = {term.name: index for index, term in enumerate(self.measurements)}
        result = {}
        for shared in self.shared_scales:
            present = tuple(name for name in shared.names if name in position)
            if shared.term in position and present:
                weights, error = shared.conditional(present)
                tell = np.flatnonzero(weights)  # most measurements know nothing about the scale
                where = [position[present[i]] for i in tell]
                if where:
                    result[position[shared.term]] = (where, weights[tell], error)
        return result

    def linked(self) -> list[list[int]]:
        """Return positions of measurements in groups that share errors or are profiled together."""
        groups = [where for where, _ in self._whitenings] + self._uncertain
        groups += [[i, *where] for i, (where, _, _) in self._conditional_scales.items()]
        n = len(self.measurements)
        links = np.eye(n, dtype=bool)
        for group in groups:
            links[np.ix_(group, group)] = True
        _, label = connected_components(links, directed=False)
        return [np.flatnonzero(label == k).tolist() for k in np.unique(label)]

    def _scale_prior(self, index: int, deviation: Callable[[int], FloatArray]) -> ScalePrior | None:
        """Return the prior of the signal's scale that the other measurements imply.

        ``deviation`` returns datum less prediction of a Gaussian measurement, shape (n,).
        """
        if index not in self._conditional_scales:
            return None
        where, weights, error = self._conditional_scales[index]
        centre = 1 + _combined(weights, [deviation(i) for i in where])
        return ScalePrior(centre, error, self._usual_centres[index])

    @cached_property
    def _usual_centres(self) -> dict[int, float]:
        """Centre of the prior of each signal's scale without a Z', where other data move it."""
        none = Couplings.none()
        result = {}
        for index, (where, weights, _) in self._conditional_scales.items():
            terms = [self.measurements[i] for i in where]
            deviations = np.concatenate([term.pull(none) * term.error for term in terms])
            result[index] = float(1 + weights @ deviations)
        return result

    def _whitened_pulls(
        self, c: Couplings, data: Rows | None
    ) -> tuple[dict[int, FloatArray], dict[int, ScalePrior | None]]:
        """Return independent pulls of measurements, and priors for binned ones.

        Binned measurements, and those with uncertain inputs, are left out.

        The pull of a correlated measurement is conditional on the ones before it.
        """
        terms = list(enumerate(self.measurements))
        if self.apart:
            terms = [(i, term) for i, term in terms if i not in self.apart]
        pulls = {i: self._pull(i, term, c, data) for i, term in terms}

        def deviation(i: int) -> FloatArray:
            return pulls[i] * self.measurements[i].error

        priors = {i: self._scale_prior(i, deviation) for i, _ in self._binned}
        whitened = dict(pulls)
        for where, whitening in self._whitenings:
            deviations = [deviation(i) for i in where]
            whitened |= {i: _combined(w, deviations) for i, w in zip(where, whitening, strict=True)}
        return whitened, priors

    def _pull(self, index: int, term: Measurement, c: Couplings, data: Rows | None) -> FloatArray:
        if data is None:
            return term.pull(c)
        rows = data[self.slices[index]]
        return term.pull_at(c, np.stack(rows, axis=1) if isinstance(term, BinnedTerm) else rows[0])

    def _profiled(self, c: Couplings, data: Rows | None) -> dict[int, list[FloatArray]]:
        """Return columns whose squares add up to the chi2 of measurements with uncertain inputs.

        By position. The deviation of an input that several share is with the first of them.
        """
        columns: dict[int, list[FloatArray]] = {}
        for group in self._uncertain:
            terms = ((i, self.measurements[i]) for i in group)
            found = [(i, term) for i, term in terms if isinstance(term, TheoryTerm)]
            values = [t.value if data is None else data[self.slices[i]][0] for i, t in found]
            rows = profiled([term for _, term in found], c, values)
            columns |= dict(zip(group, rows, strict=True))
        return columns

    def _chi2_of_measurements(self, c: Couplings) -> list[FloatArray]:
        """Return the chi2 of each measurement, conditional on the ones before it; shape (n,)."""
        pulls, priors = self._whitened_pulls(c, None)
        chi2 = {i: pull**2 for i, pull in pulls.items()}
        chi2 |= {i: term.chi2(c, priors[i]) for i, term in self._binned}
        chi2 |= {i: sum_of_squares(columns) for i, columns in self._profiled(c, None).items()}
        return [chi2[i] for i in range(len(self.measurements))]

    @property
    def data(self) -> FloatArray:
        """Observed data, shape (number of data,); one for each measurement but binned ones."""
        return np.concatenate([np.zeros(0), *(np.atleast_1d(t.datum) for t in self.measurements)])

    @property
    def data_names(self) -> list[str]:
        """Names of the data: those of the measurements, with the number of a bin in brackets."""
        return [
            f"{term.name}[{row}]" if isinstance(term, BinnedTerm) else term.name
            for term in self.measurements
            for row in range(term.size)
        ]

    @property
    def noise(self) -> int:
        """Number of standard normal numbers that a pseudo-experiment needs."""
        return sum(term.noise for term in self.measurements)

    def expected_data(self, c: Couplings) -> FloatArray:
        """Return what data are compared with at one point, shape (number of data,).

        Predicted values, and expected signal events in bins.
        """
        rows = (np.atleast_1d(term.expectation(c)[0]) for term in self.measurements)
        return np.concatenate([np.zeros(0), *rows])

    def pulls(self, c: Couplings, data: FloatArray | None = None) -> list[FloatArray]:
        """Return the pull of each measurement, shape (n,).

        Parameters
        ----------
        c : Couplings
            n points.
        data : array, shape (n, number of data), optional
            Data with which each point is compared; the default is the observed data.
        """
        return self.pulls_of_rows(c, _rows(data))

    def pulls_of_rows(self, c: Couplings, data: Rows | None) -> list[FloatArray]:
        """Return the rows of :meth:`pulls` from one array of n values for each datum."""
        return [self._pull(i, term, c, data) for i, term in enumerate(self.measurements)]

    def with_data(self, data: FloatArray) -> "Likelihood":
        """Return the likelihood of other data, shape (number of data,).

        Raises
        ------
        NoSamplingDistribution
            A measurement is a table of chi2.
        """
        if len(data) != len(self.data):
            raise ValueError(f"{len(self.data)} data are needed, not {len(data)}")
        terms = [
            term.with_datum(data[where] if isinstance(term, BinnedTerm) else data[where][0])
            for term, where in zip(self.measurements, self.slices, strict=True)
        ]
        return replace(self, measurements=tuple(terms))

    def sample_data(self, predicted: FloatArray, z: FloatArray) -> FloatArray:
        """Return pseudo-data around given predictions.

        Parameters
        ----------
        predicted : array, shape (number of data,)
            Expectation of each datum, from :meth:`expected_data`.
        z : array, shape (n, :attr:`noise`)
            Independent standard normal numbers.

        Returns
        -------
        array, shape (n, number of data)
            Data with the covariance of correlated measurements.

        Raises
        ------
        NoSamplingDistribution
            A measurement is a table of chi2.
        """
        noise = self._correlated_noise(z)
        columns = {
            i: term.sample(float(predicted[self.slices[i]][0]), noise[i][:, 0])[:, None]
            for i, term in enumerate(self.measurements)
            if not isinstance(term, BinnedTerm)
        }
        priors = {
            i: self._scale_prior(i, lambda j: (columns[j] - predicted[self.slices[j]])[:, 0])
            for i, _ in self._binned
        }
        columns |= {
            i: term.sample(predicted[self.slices[i]], noise[i], priors[i])
            for i, term in self._binned
        }
        return np.hstack([np.empty((len(z), 0)), *(columns[i] for i in sorted(columns))])

    def _correlated_noise(self, z: FloatArray) -> list[FloatArray]:
        """Return the numbers of each measurement, in units of its error, with correlations."""
        ends = np.cumsum([0, *(term.noise for term in self.measurements)]).tolist()
        noise = [z[:, first:last] for first, last in pairwise(ends)]
        for where, whitening in self._whitenings:
            errors = np.array([self.measurements[i].error for i in where])
            rows = np.linalg.solve(whitening, np.stack([noise[i][:, 0] for i in where]))
            for i, row in zip(where, rows / errors[:, None], strict=True):
                noise[i] = row[:, None]
        return noise

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
        for stage in self.stages:
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
        """Measurements that a Z' may explain: the named ones, or else the magnetic moments."""
        if self.named_anomalies:
            return tuple(t for t in self.measurements if t.name in self.named_anomalies)
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
        measured = self._chi2_of_measurements(c)
        soft = (exclusion.chi2(c) for exclusion in self.exclusions if exclusion.soft)
        return sum([*measured, *soft], np.zeros(len(c)))

    def residuals(self, c: Couplings, wall: float, data: FloatArray | None = None) -> FloatArray:
        """Return the residuals that a least-squares minimiser works on.

        Parameters
        ----------
        c : Couplings
            n points.
        wall : float
            Height of the penalty of hard exclusions, see :func:`wall_residual`.
        data : array, shape (n, number of data), optional
            Data with which each point is compared; the default is the observed data.

        Returns
        -------
        array, shape (n, k)
            Signed roots of the chi2 of measurements, of that of each bin and scale where they are
            binned, roots of the chi2 of soft exclusions, and penalties of hard exclusions.
        """
        return np.stack(self.residual_columns(c, wall, _rows(data)), axis=1)

    def residual_columns(self, c: Couplings, wall: float, data: Rows | None) -> list[FloatArray]:
        """Return the columns of :meth:`residuals` from one array of n values for each datum."""
        columns = self._residuals_of_measurements(c, data)
        columns += [np.sqrt(term.chi2(c)) for term in self.exclusions if term.soft]
        return columns + [wall_residual(exclusion.ratio(c), wall) for exclusion in self.hard]

    def _residuals_of_measurements(self, c: Couplings, data: Rows | None) -> list[FloatArray]:
        """Return columns whose squares add up to the chi2 of measurements, each of shape (n,)."""
        pulls, priors = self._whitened_pulls(c, data)
        columns: dict[int, list[FloatArray]] = {i: [pull] for i, pull in pulls.items()}
        for i, term in self._binned:
            counts = None if data is None else np.stack(data[self.slices[i]], axis=1)
            columns[i] = term.residual_columns(c, priors[i], counts)
        columns |= self._profiled(c, data)
        return [column for i in range(len(self.measurements)) for column in columns[i]]

    def chi2_by_term(self, c: Couplings) -> dict[str, FloatArray]:
        """Return the chi2 of every measurement and soft exclusion; they add up to the total.

        A correlated measurement contributes its chi2 conditional on the ones before it. Of
        measurements that share an uncertain input, the first contributes its deviation too.
        """
        names = [term.name for term in self.measurements]
        measured = zip(names, self._chi2_of_measurements(c), strict=True)
        soft = {e.name: e.chi2(c) for e in self.exclusions if e.soft}
        return dict(measured) | soft

    def ratios(self, c: Couplings) -> dict[str, FloatArray]:
        """Return signal over limit of every exclusion, hard or soft."""
        return {exclusion.name: exclusion.ratio(c) for exclusion in self.exclusions}

    def excluded_by(self, c: Couplings) -> list[list[str]]:
        """Return the names of the hard exclusions that forbid each point."""
        excluded = {e.name: e.ratio(c) > 1 for e in self.hard}
        return [[name for name, flags in excluded.items() if flags[i]] for i in range(len(c))]


def _rows(data: FloatArray | None) -> Rows | None:
    """Return data of shape (n, number of data) as one array for each datum."""
    return None if data is None else list(data.T)


def _combined(weights: FloatArray, rows: Sequence[FloatArray]) -> FloatArray:
    """Return a weighted sum of arrays; weights that are zero add nothing."""
    terms = (w * row for w, row in zip(weights.tolist(), rows, strict=True) if w)
    return sum(terms, np.zeros(1))
