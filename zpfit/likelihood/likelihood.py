"""Terms that add up to a likelihood: measurements and exclusions, each from one entry."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from math import log
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from zpfit.io.arrays import FloatArray
from zpfit.likelihood.measurements import Correlation, Measurement
from zpfit.physics.couplings import Couplings
from zpfit.physics.observables import ANOMALIES, Group

_BLOCK = 16384
"""Points per pass: large enough to amortise a call, small enough to stay in the cache."""

EXCLUSIONS = "exclusions"
"""Name of all exclusions together, where groups of data are compared."""

_WALL_MARGIN = 1e-4
"""Distance in ln(ratio) that an optimiser keeps from a hard exclusion until its polish."""
_MIN_RATIO = 1e-300


class SoftForm(Protocol):
    """How an exclusion fades instead of cutting off."""

    def chi2(self, ratio: FloatArray) -> FloatArray:
        """chi2 at ``ratio`` times the limit."""


@dataclass(frozen=True)
class HalfGaussian:
    """chi2 = (z s)^2 with signal strength s = ratio^power; z is one-sided, 1.2816 at 90 %."""

    power: float
    confidence_level: float

    def chi2(self, ratio: FloatArray) -> FloatArray:
        """chi2 at ``ratio`` times the limit."""
        return (float(ndtri(self.confidence_level)) * ratio**self.power) ** 2


@dataclass(frozen=True)
class ZeroBackground:
    """chi2 = 2 N for a search that saw nothing and expected no background; N = 2.30 at 90 %."""

    confidence_level: float

    def chi2(self, ratio: FloatArray) -> FloatArray:
        """chi2 at ``ratio`` times the expected count at the edge."""
        return -2 * log(1 - self.confidence_level) * ratio


@dataclass(frozen=True)
class Exclusion:
    """A published limit or excluded region; a ratio above 1 is excluded."""

    name: str
    ratio: Callable[[Couplings], FloatArray]
    """A batch of n points to signal over limit, shape (n,)."""
    soft_form: SoftForm
    soft: bool = False
    """Fade by ``soft_form`` instead of cutting off."""
    stage: int = 0
    """Exclusions of a lower stage go first, so that dear ones see fewer points."""
    mass_range: tuple[float, float] | None = None
    """MeV in which it says something, if it does not everywhere."""

    def chi2(self, c: Couplings) -> FloatArray:
        """chi2 of the soft form, shape (n,)."""
        return self.soft_form.chi2(self.ratio(c))


def wall_residual(ratio: FloatArray, wall: float) -> FloatArray:
    """``wall`` times ln(ratio) above 1 and zero below, less a hair.

    What an optimiser can follow back into the allowed region.
    """
    depth = np.log(np.maximum(ratio, _MIN_RATIO)) + _WALL_MARGIN
    return wall * np.maximum(depth, 0)


@dataclass(frozen=True)
class Likelihood:
    """A sum of terms; everything takes a batch of n points."""

    name: str
    measurements: tuple[Measurement, ...]
    exclusions: tuple[Exclusion, ...]
    correlations: tuple[Correlation, ...] = ()
    """Between measurements; what is not among these does not count."""

    @cached_property
    def hard(self) -> tuple[Exclusion, ...]:
        """Exclusions that cut off."""
        return tuple(exclusion for exclusion in self.exclusions if not exclusion.soft)

    @cached_property
    def _stages(self) -> list[list[Exclusion]]:
        ranked = sorted(self.hard, key=lambda exclusion: exclusion.stage)
        return [list(stage) for _, stage in groupby(ranked, key=lambda exclusion: exclusion.stage)]

    @cached_property
    def _whitenings(self) -> list[tuple[list[int], FloatArray]]:
        """Positions of correlated measurements, and what makes their deviations independent."""
        position = {term.name: index for index, term in enumerate(self.measurements)}
        result = []
        for correlation in self.correlations:
            present = tuple(name for name in correlation.names if name in position)
            if len(present) > 1:
                where = [position[name] for name in present]
                result.append((where, correlation.whitening(present)))
        return result

    def _independent_pulls(self, c: Couplings, data: FloatArray | None = None) -> list[FloatArray]:
        """Pulls whose squares add up to chi2: of correlated ones, what the earlier ones leave."""
        pulls = self.pulls(c, data)
        for where, whitening in self._whitenings:
            deviations = np.stack([pulls[i] * self.measurements[i].error for i in where])
            for index, row in zip(where, whitening @ deviations, strict=True):
                pulls[index] = row
        return pulls

    @property
    def data(self) -> FloatArray:
        """What was seen, shape (number of measurements,)."""
        return np.array([float(term.datum) for term in self.measurements])

    def pulls(self, c: Couplings, data: FloatArray | None = None) -> list[FloatArray]:
        """Of each measurement, shape (n,); ``data`` as in :meth:`residuals`."""
        if data is None:
            return [term.pull(c) for term in self.measurements]
        return [
            term.pull_of(column, term.prediction(c))
            for term, column in zip(self.measurements, data.T, strict=True)
        ]

    def drawn(self, predicted: FloatArray, z: FloatArray) -> FloatArray:
        """What the experiments see at predictions, of shape (k,) for k measurements.

        Parameters
        ----------
        predicted: of each measurement, shape (k,).
        z: independent standard normal numbers, shape (n, k).

        Returns
        -------
        Data, shape (n, k), with the covariance of correlated measurements.

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
            term.drawn(float(at), column)
            for term, at, column in zip(self.measurements, predicted, z.T, strict=True)
        ]
        return np.stack(columns, axis=1) if columns else np.empty((len(z), 0))

    @cached_property
    def smooth(self) -> tuple[Measurement | Exclusion, ...]:
        """Terms with a chi2: measurements and soft exclusions."""
        return self.measurements + tuple(e for e in self.exclusions if e.soft)

    def log_likelihood(self, c: Couplings) -> FloatArray:
        """-chi2/2 where allowed, -inf where a hard exclusion forbids; shape (n,)."""
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
            # NaN is no exclusion: the point goes on, and ends as NaN for the posterior to report.
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
        """Measurements that a Z' is asked to explain: the magnetic moments."""
        return tuple(term for term in self.measurements if term.observable.group in ANOMALIES)

    @cached_property
    def by_group(self) -> dict[str, tuple[Measurement, ...]]:
        """Measurements of each group that has any."""
        members = {
            group.value: tuple(t for t in self.measurements if t.observable.group is group)
            for group in Group
        }
        return {name: terms for name, terms in members.items() if terms}

    def chi2(self, c: Couplings) -> FloatArray:
        """Sum over measurements and soft exclusions, shape (n,); hard exclusions do not enter."""
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
        """Square roots of chi2 term by term, and a wall for every hard exclusion; shape (n, k).

        Walls are those of :func:`wall_residual`. ``data``, shape (n, number of measurements),
        is what each point is compared with instead of what was seen.
        """
        columns = self._independent_pulls(c, data)
        columns += [np.sqrt(term.chi2(c)) for term in self.exclusions if term.soft]
        columns += [wall_residual(exclusion.ratio(c), wall) for exclusion in self.hard]
        return np.stack(columns, axis=1)

    def chi2_by_term(self, c: Couplings) -> dict[str, FloatArray]:
        """chi2 of every measurement and soft exclusion, which add up.

        That of a correlated measurement is what it adds to those before it.
        """
        names = [term.name for term in self.measurements]
        measured = zip(names, self._independent_pulls(c), strict=True)
        soft = {e.name: e.chi2(c) for e in self.exclusions if e.soft}
        return {name: pull**2 for name, pull in measured} | soft

    def ratios(self, c: Couplings) -> dict[str, FloatArray]:
        """Signal over limit of every exclusion, hard or soft."""
        return {exclusion.name: exclusion.ratio(c) for exclusion in self.exclusions}

    def excluded_by(self, c: Couplings) -> list[list[str]]:
        """For each point, the hard exclusions that forbid it."""
        excluded = {e.name: e.ratio(c) > 1 for e in self.hard}
        return [[name for name, flags in excluded.items() if flags[i]] for i in range(len(c))]
