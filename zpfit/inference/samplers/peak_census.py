"""Census of the peaks of a likelihood: how often each was met, and how many were not met at all.

Ascents that still meet new peaks have not met all of them. The estimate is that of capture and
recapture of animals: few peaks met once among many met twice mean that few are missing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import lambertw

from zpfit.inference.samplers.peak_search import FittedPeak, Peak, same_peaks
from zpfit.inference.samplers.proposal_map import MixtureMap
from zpfit.io.arrays import FloatArray

LIGHT = 8.0
"""Difference of ln Z to the heaviest part below which a peak is left out."""
_COVERED = 7.0
"""ln of the largest weight L/(q Z) at a point that a proposal q draws often enough."""
_MAPS_SHARE = 0.25
"""Share of the maps in the proposal that shows which peaks stand alone."""
_GREATER = 0.5
"""Part of a peak's mass that nothing else draws if it is separate."""
_NARROWER = 1.0
"""Difference of the mean ln of the volumes of two groups of peaks that shows a trend."""
MANY = 5
"""Number of peaks that stand alone from which on more are likely that searches cannot reach."""
_POINTS = 200
"""Posterior draws that show which part of a peak a proposal covers."""


@dataclass(frozen=True)
class Ends:
    """Ends of ascents, and the captures that they belong to."""

    peaks: tuple[Peak, ...] = ()
    captures: tuple[int, ...] = ()
    """Number of each ascent's capture: ascents that are no independent evidence share one."""

    @property
    def next_capture(self) -> int:
        """Number that the next capture gets."""
        return max(self.captures, default=-1) + 1

    def with_more(self, peaks: Sequence[Peak], captures: NDArray[np.intp]) -> "Ends":
        """Return these ends and those of other captures, which are numbered from 0 on."""
        later = (self.next_capture + captures).tolist()
        return Ends((*self.peaks, *peaks), (*self.captures, *later))


@dataclass(frozen=True, eq=False)
class Measured:
    """A peak with its integral, and posterior draws of it."""

    peak: Peak
    u: FloatArray
    """Draws of equal weight, shape (n, d)."""
    log_likelihood: FloatArray
    """ln L of the draws, shape (n,)."""

    @classmethod
    def of(cls, fit: FittedPeak, rng: np.random.Generator) -> "Measured":
        """Choose draws of a fitted peak by their weights."""
        if not np.isfinite(fit.peak.log_mass):
            return cls(fit.peak, fit.u[:0], fit.log_likelihood[:0])
        weight = np.exp(fit.log_weight - fit.log_weight.max())
        chosen = rng.choice(len(weight), _POINTS, p=weight / weight.sum())
        return cls(fit.peak, fit.u[chosen], fit.log_likelihood[chosen])

    def log_uncovered(self, log_density: FloatArray, log_z: float) -> float:
        """Return ln of the mass that a proposal rarely draws, from its density at the draws."""
        rare = self.log_likelihood - log_z - log_density > _COVERED
        return self.peak.log_mass + float(np.log(rare.mean())) if rare.any() else -np.inf


@dataclass(frozen=True)
class Census:
    """Peaks that stand alone: neither maps nor heavier peaks lead draws to them."""

    peaks: tuple[Measured, ...] = ()
    """The peaks, the heaviest first."""
    log_masses: tuple[float, ...] = ()
    """ln of the mass that each has for itself."""
    times: tuple[int, ...] = ()
    """Captures that met each peak."""
    since: tuple[int, ...] = ()
    """Number of the first capture of each peak."""
    others: tuple[Peak, ...] = ()
    """Peaks that are too light, or that something else leads draws to."""

    @classmethod
    def of(
        cls, ends: Ends, maps: MixtureMap, log_z: float, measure: Callable[[Peak], Measured]
    ) -> "Census":
        """Count the peaks among ends of ascents.

        Parameters
        ----------
        ends
            Ends of ascents; several may be one peak.
        maps
            Proposal without peaks.
        log_z
            ln Z as far as it is known.
        measure
            Function that integrates a peak.
        """
        classes = same_peaks(ends.peaks)
        tops = [ends.peaks[rows[0]] for rows in classes]
        captures = [{ends.captures[row] for row in rows} for rows in classes]
        heavy = np.array([peak.log_mass > log_z - LIGHT for peak in tops], dtype=bool)
        rare = np.flatnonzero(heavy & rarely_drawn(tops, maps, log_z)).tolist()
        measured = [measure(tops[index]) for index in rare]
        log_mass, owner = _alone(measured, maps, log_z)
        kept = np.flatnonzero(np.isfinite(log_mass))
        alone = {rare[row] for row in kept}
        met = [
            set[int]().union(
                *(captures[index] for index, own in zip(rare, owner, strict=True) if own == row)
            )
            for row in kept
        ]
        return cls(
            tuple(measured[row] for row in kept),
            tuple(log_mass[kept].tolist()),
            tuple(len(one) for one in met),
            tuple(min(one) for one in met),
            tuple(peak for index, peak in enumerate(tops) if index not in alone),
        )

    @property
    def log_unseen(self) -> float:
        """ln of the mass of peaks that were probably not met."""
        missing = log_unseen(self._met(1), len(self._met(2)))
        times = [n for n, apart in zip(self.times, self.apart, strict=True) if apart]
        if len(times) < MANY:
            return missing
        # By chance no peak may be met only once, though some are not met at all.
        return max(missing, self.log_new(0) + log_unseen_if_alike(float(np.mean(times))))

    @property
    def apart(self) -> list[bool]:
        """True for peaks whose greater part neither maps nor heavier peaks draw.

        The others are parts of ridges and rims, which have no number.
        """
        return [
            mass > one.peak.log_mass + np.log(_GREATER)
            for one, mass in zip(self.peaks, self.log_masses, strict=True)
        ]

    def _met(self, times: int) -> list[float]:
        """Return ln of the masses of the separate peaks that were met so many times."""
        every = zip(self.log_masses, self.times, self.apart, strict=True)
        return [mass for mass, n, apart in every if apart and n == times]

    def log_narrower(self, first: int) -> float:
        """Return ln of the mass of all separate peaks if those met from ``first`` on are narrower.

        Otherwise it is -inf. A search that meets the narrower peaks later has a limit of width.
        How many lie beyond it cannot follow from the captures; that they are as heavy as all that
        were met is a guess.
        """
        every = zip(self.peaks, self.since, self.apart, strict=True)
        volumes = [(one.peak.map.log_volume, since) for one, since, apart in every if apart]
        early = np.array([volume for volume, since in volumes if since < first])
        late = np.array([volume for volume, since in volumes if since >= first])
        if not len(early) or not len(late):
            return -np.inf
        error = np.hypot(early.std() / np.sqrt(len(early)), late.std() / np.sqrt(len(late)))
        narrower = early.mean() - late.mean() > max(_NARROWER, 2 * error)
        return self.log_new(0) if narrower else -np.inf

    def log_new(self, first: int) -> float:
        """Return ln of the mass of the peaks that no capture before number ``first`` met."""
        every = zip(self.log_masses, self.since, self.apart, strict=True)
        return log_sum([mass for mass, since, apart in every if apart and since >= first])

    @property
    def recaptured(self) -> list[Peak]:
        """Peaks that were met more than once, and those that need not be met again."""
        again = [one.peak for one, n in zip(self.peaks, self.times, strict=True) if n > 1]
        return [*again, *self.others]


def log_unseen(once: Sequence[float], twice: int) -> float:
    """Return ln of the mass of peaks that were not met, -inf for none.

    There are at least f1^2 / (2 f2), where f1 were met once and f2 twice, and f1 (f1 - 1) / 2 if
    f2 = 0. Unseen peaks are taken to be as heavy as those met once.

    Parameters
    ----------
    once
        ln of the masses of the peaks that were met once.
    twice
        Number of the peaks that were met twice.

    References
    ----------
    A. Chao, Scand. J. Stat. 11, 265 (1984).

    Examples
    --------
    Ten equal peaks were met once and five twice, so that ten more are missing:

    >>> round(float(np.exp(log_unseen([0.0] * 10, 5))), 6)
    10.0
    """
    factor = 0.5 * (len(once) / twice if twice else len(once) - 1)
    return float(np.log(factor)) + log_sum(once) if once and factor else -np.inf


def log_unseen_if_alike(times: float) -> float:
    """Return ln of the mass of peaks that were not met, over that of those that were.

    All are taken to be met at random and equally often, so that the numbers follow Poisson's law
    without zero. Its mean gives the rate r, and exp(-r) of all peaks are not met.

    Parameters
    ----------
    times
        Mean number of captures of the peaks that were met, above 1.

    Examples
    --------
    A rate of 1 leaves a fraction 1/e unmet; the others are met 1.58 times on average.

    >>> round(float(np.exp(log_unseen_if_alike(1 / (1 - np.exp(-1)))) * (np.e - 1)), 6)
    1.0
    """
    if times <= 1:  # no peak was met again, so that the captures tell nothing
        return -np.inf
    rate = times + float(lambertw(-times * np.exp(-times)).real)
    return -float(np.log(np.expm1(rate)))


def log_sum(values: Sequence[float]) -> float:
    """Return ln of the sum of exponentials, -inf for no values."""
    return float(np.logaddexp.reduce(values)) if len(values) else -np.inf


def rarely_drawn(peaks: Sequence[Peak], proposal: MixtureMap, log_z: float) -> NDArray[np.bool_]:
    """Return which peaks have a summit that a proposal draws far too rarely, shape (n,)."""
    if not peaks:
        return np.zeros(0, dtype=bool)
    centres = np.stack([peak.map.centre for peak in peaks])
    heights = np.array([peak.log_likelihood for peak in peaks])
    result: NDArray[np.bool_] = heights - log_z - proposal.log_density(centres) > _COVERED
    return result


def _alone(
    peaks: Sequence[Measured], maps: MixtureMap, log_z: float
) -> tuple[FloatArray, NDArray[np.intp]]:
    """Return ln of the mass that each peak has for itself, and the peak that covers the others."""
    own = np.full(len(peaks), -np.inf)
    owner = np.arange(len(peaks))
    by_maps = [one.log_uncovered(maps.log_density(one.u), log_z) for one in peaks]
    heavy = [row for row in np.argsort(by_maps)[::-1] if by_maps[row] > log_z - LIGHT]
    if not heavy:
        return own, owner
    u = np.concatenate([peaks[row].u for row in heavy])
    summits = np.stack([peaks[row].peak.map.centre for row in heavy])
    density = np.log(_MAPS_SHARE) + maps.log_density(u)
    total = log_sum([by_maps[row] for row in heavy])
    nearest = np.full(len(heavy), -np.inf)
    size = _POINTS
    for number, row in enumerate(heavy):
        one = peaks[row]
        mine = slice(number * size, (number + 1) * size)
        mass = one.log_uncovered(density[mine], log_z)
        if mass <= log_z - LIGHT:
            continue
        own[row] = mass
        share = np.log(1 - _MAPS_SHARE) + by_maps[row] - total
        density = np.logaddexp(density, share + one.peak.map.log_density(u))
        here = share + one.peak.map.log_density(summits)
        closer = here > nearest
        owner[np.array(heavy)[closer & ~np.isfinite(own[heavy])]] = row
        owner[row] = row
        nearest = np.maximum(nearest, here)
    return own, owner
