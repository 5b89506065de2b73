"""Peaks of the likelihood, which become components of the proposal beside vegas's maps.

A map adapts to what its draws meet. A thin mode beside a broad one, or one of two mirror images,
may have no draw and then leaves no trace in ln Z. Ascents reach peaks from much farther away.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from zpfit.inference.checkpoint import NO_CHECKPOINT, Checkpoint, State
from zpfit.inference.samplers.engine import SamplingTask, inside
from zpfit.inference.samplers.more_peaks import FirstSearch, completed
from zpfit.inference.samplers.peak_census import LIGHT, Ends
from zpfit.inference.samplers.peak_search import (
    Climb,
    Peak,
    PeakOptions,
    explore,
    fitted,
    with_images,
)
from zpfit.inference.samplers.peak_shares import with_shares
from zpfit.inference.samplers.proposal_map import EvenMap, Gap, MixtureMap, mirror
from zpfit.inference.samplers.proposal_peak import PeakMap
from zpfit.io.arrays import FloatArray

_EVEN = 1e-9
"""Relative difference of ln L that is rounding."""
_TESTED = 100
"""Points that test whether ln L is even."""
_LOPSIDED = 1.0
"""Mean difference of a map's ln density between images above which its image is needed."""
_CHECKED = 500
"""Points that a checkpoint holds besides the peaks, so that a resumed run can check ln L."""
_DEFAULTS = PeakOptions()


def add_peaks(
    task: SamplingTask,
    maps: MixtureMap,
    rng: np.random.Generator,
    checkpoint: Checkpoint = NO_CHECKPOINT,
    effort: float = 1.0,
    options: PeakOptions = _DEFAULTS,
) -> MixtureMap:
    """Return the maps beside the peaks of the likelihood, and images of both if it is even.

    Ascents start from likely and from random points, from reflections of the peaks they found,
    and from draws whose ln L exceeds what these peaks explain. Draws around each peak fit its
    shape and weigh it; draws of the mixture then fit the shares of its components.

    Parameters
    ----------
    task
        Likelihood, its residuals if it has some, and axes along which it may be even.
    maps
        Adapted maps.
    rng
        Generator of all draws.
    checkpoint
        Store of intermediate states.
    effort
        Factor of the numbers of batches among which peaks are sought.
    options
        Sizes of the search.

    References
    ----------
    O. Cappe et al., Stat. Comput. 18, 447 (2008), arXiv:0710.4242: shares and shapes from draws.
    """
    kept = checkpoint.load()
    if kept is not None:
        return _restored(kept, maps)
    options = options.with_effort(effort)
    pilot_rng, search_rng, share_rng, more_rng = rng.spawn(4)
    pilot = _Draws.of(task, *maps.draw(pilot_rng, options.batch))
    even = even_axes(task, pilot, pilot_rng)
    if even is not None:
        maps = _evened(maps, even, pilot)
    peaks, ends = _searched(task, maps, pilot, search_rng, checkpoint.part("explored"), options)
    peaks = with_images(_heavy(peaks, pilot.log_z), even)
    found = with_shares(task, maps, peaks, share_rng, options)
    log_z = max([pilot.log_z, *(peak.log_mass for peak in peaks)])
    first = FirstSearch(maps, peaks, ends, log_z, even)
    found = completed(task, first, found, more_rng, checkpoint.part("more"), options)

    def state() -> State:
        checked = slice(_CHECKED)
        return {
            "u": pilot.u[checked],
            "log_likelihood": pilot.log_likelihood[checked],
            "even": np.zeros(task.dimension, dtype=bool) if even is None else even,
            "evened": [isinstance(component, EvenMap) for component in maps.maps],
            "centres": [peak.centre for peak in found.peaks],
            "covariances": [peak.covariance for peak in found.peaks],
            "step_width": task.steps,
            "shares": list(found.peak_shares),
            "gaps": [(gap.log_mass, gap.reason) for gap in found.gaps],
        }

    checkpoint.finish(state)
    return found


def _searched(
    task: SamplingTask,
    maps: MixtureMap,
    pilot: "_Draws",
    rng: np.random.Generator,
    checkpoint: Checkpoint,
    options: PeakOptions,
) -> tuple[list[Peak], Ends]:
    """Return the heaviest peaks, with the shape and the integral that draws around them show.

    The ends of all ascents come with them.
    """
    start_rng, explore_rng, fit_rng = rng.spawn(3)
    climb = Climb(task, options)
    starts = _first_starts(task, pilot, start_rng, options)
    climbed, start = climb.peaks(starts)
    # The likeliest draws lie together, and prove no more than one of them.
    together = len(starts) - options.starts - len(task.starts)
    ends = Ends().with_more(climbed, np.minimum(start, together))
    peaks = climb.distinct(climbed)
    climbed, start = climb.peaks(_reflections(peaks, start_rng, options))
    ends = ends.with_more(climbed, start)
    peaks = climb.distinct([*peaks, *climbed])
    drawn = pilot.u, pilot.log_likelihood
    unexplained = explore(task, maps, drawn, peaks, explore_rng, checkpoint, options)
    climbed, start = climb.peaks(unexplained)
    ends = ends.with_more(climbed, np.zeros_like(start))
    peaks = climb.distinct([*peaks, *climbed])
    fits = [fitted(task.log_likelihood, peak, fit_rng, options.fitted).peak for peak in peaks]
    return fits, ends


def _restored(state: State, maps: MixtureMap) -> MixtureMap:
    peaks = [
        PeakMap(centre, covariance, state["step_width"])
        for centre, covariance in zip(state["centres"], state["covariances"], strict=True)
    ]
    gaps = tuple(Gap(log_mass, reason) for log_mass, reason in state["gaps"])
    evened = maps.evened(state["even"], state["evened"])
    return replace(evened.with_peaks(peaks, state["shares"]), gaps=gaps)


# Draws


@dataclass(frozen=True)
class _Draws:
    """Allowed draws of a proposal."""

    u: FloatArray
    log_likelihood: FloatArray
    log_weight: FloatArray
    """ln of L/q, shape (n,)."""
    total: int
    """Number of draws, excluded ones included."""

    @classmethod
    def of(cls, task: SamplingTask, u: FloatArray, log_density: FloatArray) -> "_Draws":
        """Evaluate the likelihood at draws."""
        log_l = inside(task.log_likelihood, u)
        allowed = np.flatnonzero(np.isfinite(log_l))
        log_l = log_l[allowed]
        return cls(u[allowed], log_l, log_l - log_density[allowed], len(u))

    @property
    def log_z(self) -> float:
        """ln of the mean weight."""
        if not len(self.log_weight):
            return -np.inf
        peak = self.log_weight.max()
        return float(peak + np.log(np.exp(self.log_weight - peak).sum() / self.total))

    def resampled(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Return at most ``n`` different draws, shape (m, d), chosen by their weights."""
        if not len(self.u):
            return self.u
        weight = np.exp(self.log_weight - self.log_weight.max())
        chosen = rng.choice(len(weight), n, p=weight / weight.sum())
        return self.u[np.unique(chosen)]

    def likeliest(self, n: int) -> FloatArray:
        """Return the ``n`` draws with the largest ln L, shape (n, d)."""
        return self.u[np.argsort(self.log_likelihood)[-n:]]


# Symmetry


def even_axes(
    task: SamplingTask, draws: _Draws, rng: np.random.Generator
) -> NDArray[np.bool_] | None:
    """Return the axes under whose reversal ln L is even at the tested draws, None if it is not."""
    tested = draws.resampled(rng, _TESTED)
    if not len(tested):
        return None
    log_l = task.log_likelihood(tested)
    for axes in task.mirrors:
        image = task.log_likelihood(mirror(tested, axes))
        if np.all(np.abs(image - log_l) <= _EVEN * (1 + np.abs(log_l))):
            return axes
    return None


def _evened(maps: MixtureMap, axes: NDArray[np.bool_], draws: _Draws) -> MixtureMap:
    """Add the image of each map that is not even itself."""
    sample = draws.resampled(np.random.default_rng(0), 10 * _TESTED)
    image = mirror(sample, axes)

    gaps = [np.abs(part.log_density(sample) - part.log_density(image)) for part in maps.maps]
    return maps.evened(axes, [bool(gap.mean() > _LOPSIDED) for gap in gaps])


# Ascents


def _first_starts(
    task: SamplingTask, pilot: _Draws, rng: np.random.Generator, options: PeakOptions
) -> FloatArray:
    random = rng.random((options.starts, task.dimension))
    weighted = pilot.resampled(rng, options.starts)
    return np.vstack([random, weighted, pilot.likeliest(options.starts), *task.starts])


def _reflections(
    peaks: Sequence[Peak], rng: np.random.Generator, options: PeakOptions
) -> FloatArray:
    """Return the best peaks with some or all coordinates reversed, u -> 1 - u.

    Most observables depend on products of couplings, so reversed signs are near-symmetries.
    """
    if not peaks:
        return np.empty((0, 0))
    centres = np.stack([peak.map.centre for peak in peaks[: options.most]])
    repeated = centres[np.arange(options.starts) % len(centres)]
    some = mirror(repeated, rng.random(repeated.shape) < 0.5)
    return np.vstack([1 - centres, some])


def _heavy(peaks: Sequence[Peak], log_z: float) -> list[Peak]:
    """Return the peaks that may matter for ln Z."""
    if not peaks:
        return []
    least = max(log_z, *(peak.log_mass for peak in peaks)) - LIGHT
    return [peak for peak in peaks if peak.log_mass > least]
