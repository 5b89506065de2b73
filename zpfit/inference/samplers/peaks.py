"""Peaks of the likelihood, which become components of the proposal beside vegas's maps.

A map adapts to what its draws meet. A thin mode beside a broad one, or one of two mirror images,
may have no draw and then leaves no trace in ln Z. Ascents reach peaks from much farther away.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from zpfit.inference.checkpoint import NO_CHECKPOINT, Checkpoint, State
from zpfit.inference.samplers.engine import LogLikelihood, SamplingTask, inside
from zpfit.inference.samplers.proposal_map import EvenMap, MixtureMap, mirror
from zpfit.inference.samplers.proposal_peak import PeakMap
from zpfit.inference.samplers.result import effective_number
from zpfit.inference.search.ascent import WIDEST, ascend
from zpfit.inference.search.descent import Residuals, descend
from zpfit.inference.search.walls import descend_inside, walls
from zpfit.io.arrays import FloatArray

_SAME = 1.0
"""Squared distance, in standard deviations of the higher one, within which peaks are one."""
_LIGHT = 8.0
"""Difference of ln Z to the heaviest part below which a peak is left out."""
_EVEN, _TESTED, _LOPSIDED = 1e-9, 100, 1.0
"""Relative difference of ln L that is rounding; points that test whether ln L is even; mean
difference of a map's ln density between images above which its image is needed."""
_NARROWED, _ENOUGH = 3, 0.4
"""Times that a peak's shape is fitted to its draws; effective fraction that needs no other."""
_EM_STEPS, _IDLE, _LEAST, _MOST, _WORTH = 20, 2e-3, 0.02, 0.75, 0.5
"""Steps of the fit of the shares; share below which a peak is of no use; smallest share of a
peak; largest share of all peaks together; ratio of the mean square weight with peaks to that
without them above which they are not worth their time."""


@dataclass(frozen=True)
class PeakOptions:
    """Sizes of the search for peaks."""

    batch: int = 100_000
    """Likelihood evaluations at once."""
    prior_batches: int = 20
    """Batches of prior draws among which peaks are sought."""
    map_batches: int = 5
    """Batches of the maps' draws among which peaks are sought."""
    starts: int = 100
    """Starts of ascents, of each kind."""
    descent_steps: int = 12
    """Steps of a descent on residuals."""
    most: int = 12
    """Largest number of peaks."""
    explaining: int = 6
    """Heaviest peaks from which draws must stand out."""
    fitted: int = 2_000
    """Draws to which the shape of a peak is fitted."""
    pilot: int = 20_000
    """Draws to which the shares of the peaks are fitted."""

    def with_effort(self, effort: float) -> "PeakOptions":
        """Return the same sizes with more or fewer batches of draws."""
        return replace(
            self,
            prior_batches=max(round(effort * self.prior_batches), 1),
            map_batches=max(round(effort * self.map_batches), 1),
        )


_DEFAULTS = PeakOptions()


@dataclass(frozen=True)
class Peak:
    """A local maximum of the likelihood."""

    map: PeakMap
    log_likelihood: float
    """ln L at the maximum."""
    log_mass: float
    """ln of the integral of L over the peak, from its curvature or from draws."""


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
    pilot_rng, start_rng, explore_rng, fit_rng, share_rng = rng.spawn(5)
    pilot = _Draws.of(task, *maps.draw(pilot_rng, options.batch))
    even = even_axes(task, pilot, start_rng)
    if even is not None:
        maps = _evened(maps, even, pilot)
    climb = _Climb(task, options)
    peaks = climb.distinct(climb.peaks(_first_starts(task, pilot, start_rng, options)))
    peaks = climb.distinct([*peaks, *climb.peaks(_reflections(peaks, start_rng, options))])
    unexplained = _explore(task, maps, peaks, explore_rng, checkpoint.part("explored"), options)
    peaks = climb.distinct([*peaks, *climb.peaks(unexplained)])
    peaks = [fitted(task.log_likelihood, peak, fit_rng, options.fitted) for peak in peaks]
    peaks = _with_images(_heavy(peaks, pilot.log_z), even)[: options.most]
    found = _with_shares(task, maps, peaks, share_rng, options)

    def state() -> State:
        checked = slice(options.starts)
        return {
            "u": pilot.u[checked],
            "log_likelihood": pilot.log_likelihood[checked],
            "even": np.zeros(task.dimension, dtype=bool) if even is None else even,
            "evened": [isinstance(component, EvenMap) for component in maps.maps],
            "centres": [peak.centre for peak in found.peaks],
            "covariances": [peak.covariance for peak in found.peaks],
            "step_width": task.steps,
            "shares": list(found.peak_shares),
        }

    checkpoint.finish(state)
    return found


def _restored(state: State, maps: MixtureMap) -> MixtureMap:
    peaks = [
        PeakMap(centre, covariance, state["step_width"])
        for centre, covariance in zip(state["centres"], state["covariances"], strict=True)
    ]
    return maps.evened(state["even"], state["evened"]).with_peaks(peaks, state["shares"])


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


def _with_images(peaks: list[Peak], axes: NDArray[np.bool_] | None) -> list[Peak]:
    """Add the image of each peak that is not there yet."""
    if axes is None:
        return peaks
    result = list(peaks)
    for peak in peaks:
        image = peak.map.mirrored(axes)
        known = np.stack([other.map.centre for other in result])
        if image.distance(known).min() > _SAME:
            result.append(replace(peak, map=image))
    return result


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


@dataclass(frozen=True)
class _Climb:
    """Ascents to the peaks of a likelihood."""

    task: SamplingTask
    options: PeakOptions

    def peaks(self, starts: FloatArray) -> list[Peak]:
        """Climb from starts, shape (n, d), and return the peaks that are reached."""
        task = self.task
        if not len(starts):
            return []
        free = np.flatnonzero(task.steps == 0)
        if task.residuals is not None:
            starts = self._descended(task.residuals, starts)
        starts = starts[np.isfinite(task.log_likelihood(starts))]
        if not len(starts):
            return []
        points, values, curvature = ascend(task.log_likelihood, starts, free)
        return [
            peak_at(point, value, matrix, task.steps)
            for point, value, matrix in zip(points, values.tolist(), curvature, strict=True)
        ]

    def _descended(self, residuals: Residuals, starts: FloatArray) -> FloatArray:
        """Return the ends of descents on the residuals, which cross excluded regions."""
        task = self.task
        points, _ = descend_inside(
            starts,
            walls(3.0, 3),
            lambda u, _, wall: descend(
                residuals, u, wall, self.options.descent_steps, task.steps > 0
            ),
            lambda u, _: -task.log_likelihood(u),
        )
        return points

    def distinct(self, peaks: Sequence[Peak]) -> list[Peak]:
        """Return the heaviest of the peaks that differ, the heaviest first."""
        rest = sorted(peaks, key=lambda peak: -peak.log_likelihood)
        found: list[Peak] = []
        while rest and len(found) < 4 * self.options.most:
            found.append(rest[0])
            apart = rest[0].map.distance(np.stack([peak.map.centre for peak in rest])) > _SAME
            apart[0] = False
            rest = [peak for peak, far in zip(rest, apart, strict=True) if far]
        return sorted(found, key=lambda peak: -peak.log_mass)[: self.options.most]


def peak_at(
    point: FloatArray, log_likelihood: float, curvature: FloatArray, step_width: FloatArray
) -> Peak:
    """Return the Gaussian peak at a maximum, whose negative second derivatives are given."""
    size, axes = np.linalg.eigh(curvature)
    # A direction without curvature is as wide as the prior.
    variance = 1 / np.maximum(size, max(WIDEST**-2, 1e-11 * float(np.abs(size).max(initial=0))))
    shape = PeakMap(point, (axes * variance) @ axes.T, step_width)
    return Peak(shape, log_likelihood, log_likelihood + shape.log_volume)


# Unexplained draws


def _explore(
    task: SamplingTask,
    maps: MixtureMap,
    peaks: Sequence[Peak],
    rng: np.random.Generator,
    checkpoint: Checkpoint,
    options: PeakOptions,
) -> FloatArray:
    """Return draws of prior and maps whose ln L exceeds most what the peaks explain, (n, d).

    A thin mode shows in the draws long before it has a draw near its summit: its flank stands
    out of the peaks around it.
    """
    kept = _Unexplained(task, peaks[: options.explaining], rng, options.starts, checkpoint.load())
    uniform = replace(maps, prior_share=1.0, peaks=(), peak_shares=())
    while kept.done < options.prior_batches + options.map_batches:
        proposal = uniform if kept.done < options.prior_batches else maps
        kept.add(proposal.draw_labelled(rng, options.batch)[0])
        checkpoint.save(kept.state)
    checkpoint.finish(kept.state)
    return kept.u


class _Unexplained:
    """The draws so far that stand out most, and the likeliest ones."""

    def __init__(
        self,
        task: SamplingTask,
        peaks: Sequence[Peak],
        rng: np.random.Generator,
        number: int,
        state: State | None,
    ) -> None:
        self._task, self._peaks, self._rng, self._number = task, peaks, rng, number
        self.u, self._log_l, self.done = np.empty((0, task.dimension)), np.empty(0), 0
        if state is not None:
            self.u, self._log_l, self.done = state["u"], state["log_likelihood"], state["done"]
            rng.bit_generator.state = state["rng"]

    def state(self) -> State:
        """Return everything that determines the next draws."""
        return {
            "u": self.u,
            "log_likelihood": self._log_l,
            "done": self.done,
            "rng": self._rng.bit_generator.state,
        }

    def add(self, u: FloatArray) -> None:
        """Add a batch of draws, shape (n, d)."""
        log_l = inside(self._task.log_likelihood, u)
        allowed = np.flatnonzero(np.isfinite(log_l))
        u, log_l = np.vstack([self.u, u[allowed]]), np.concatenate([self._log_l, log_l[allowed]])
        excess = log_l - self._explained(u)
        best = np.union1d(_largest(excess, self._number), _largest(log_l, self._number))
        self.u, self._log_l = u[best], log_l[best]
        self.done += 1

    def _explained(self, u: FloatArray) -> FloatArray:
        """Return the largest ln of the Gaussian peaks at points, shape (n,)."""
        if not self._peaks:
            return np.zeros(len(u))
        distances = [peak.map.distance(u) for peak in self._peaks]
        heights = [peak.log_likelihood for peak in self._peaks]
        explained = np.array(heights)[:, None] - 0.5 * np.array(distances)
        result: FloatArray = explained.max(axis=0)
        return result


def _largest(values: FloatArray, n: int) -> NDArray[np.intp]:
    """Return the indices of the ``n`` largest values."""
    return np.argpartition(values, -n)[-n:] if len(values) > n else np.arange(len(values))


# Shapes and shares


def fitted(log_likelihood: LogLikelihood, peak: Peak, rng: np.random.Generator, n: int) -> Peak:
    """Return a peak with the shape and the integral that draws around it show.

    Curvature at the summit says little about a peak that is cut by an exclusion or bent.
    """
    best, best_effective, shape = peak, -1.0, peak.map
    for _ in range(_NARROWED + 1):
        u = shape.draw(rng, n)
        log_l = inside(log_likelihood, u)
        log_weight = np.where(np.isfinite(log_l), log_l - shape.log_density(u), -np.inf)
        effective = effective_number(log_weight)
        if effective > best_effective:
            log_mass = _log_mean(log_weight)
            best, best_effective = Peak(shape, peak.log_likelihood, log_mass), effective
        if effective < 2 or effective > _ENOUGH * n:
            break
        shape = _moved(shape, u, log_weight)
    return best


def _moved(shape: PeakMap, u: FloatArray, log_weight: FloatArray) -> PeakMap:
    """Return the shape with mean and covariance of weighted draws."""
    power, wanted = 1.0, 10 * len(shape.smooth)
    while power > 1e-3 and effective_number(power * log_weight) < wanted:
        power *= 0.7
    weight = np.exp(power * (log_weight - log_weight.max()))
    weight /= weight.sum()
    smooth = u[:, shape.smooth]
    centre = shape.centre.copy()
    centre[shape.smooth] = np.clip(weight @ smooth, 0, 1)
    offset = smooth - centre[shape.smooth]
    covariance = (weight[:, None] * offset).T @ offset
    return replace(shape, centre=centre, covariance=0.95 * covariance + 0.05 * shape.covariance)


def _log_mean(log_weight: FloatArray) -> float:
    top = log_weight.max()
    return float(top + np.log(np.mean(np.exp(log_weight - top)))) if np.isfinite(top) else -np.inf


def _heavy(peaks: Sequence[Peak], log_z: float) -> list[Peak]:
    """Return the peaks that may matter for ln Z."""
    if not peaks:
        return []
    least = max(log_z, *(peak.log_mass for peak in peaks)) - _LIGHT
    return [peak for peak in peaks if peak.log_mass > least]


def _with_shares(
    task: SamplingTask,
    maps: MixtureMap,
    peaks: Sequence[Peak],
    rng: np.random.Generator,
    options: PeakOptions,
) -> MixtureMap:
    """Return the mixture whose shares follow the posterior, without peaks that are of no use."""
    if not peaks:
        return maps
    mass = np.exp([peak.log_mass - max(peak.log_mass for peak in peaks) for peak in peaks])
    first = 0.5 * np.maximum(mass / mass.sum(), _LEAST)
    trial = maps.with_peaks([peak.map for peak in peaks], first * 0.5 / max(first.sum(), 0.5))
    u, _ = trial.draw_labelled(rng, options.pilot)
    log_l = inside(task.log_likelihood, u)
    u, log_l = u[np.isfinite(log_l)], log_l[np.isfinite(log_l)]
    if not len(u):
        return maps
    log_densities = trial.log_densities(u)
    log_weight = log_l - trial.mix(log_densities)
    share = _fitted_shares(trial, log_densities, log_weight)
    useful = np.flatnonzero(share > _IDLE).tolist()
    share = np.maximum(share[useful], _LEAST)
    share *= min(1.0, _MOST / max(share.sum(), 1e-300))
    result = maps.with_peaks([peaks[index].map for index in useful], share.tolist())
    split = len(maps.maps)
    parts = [*range(split), *(split + index for index in useful)]
    # The mean square weight of a mixture, from draws of another one.
    after = _log_mean(log_weight + log_l - result.mix(log_densities[parts]))
    before = _log_mean(log_weight + log_l - maps.mix(log_densities[:split]))
    return result if after < before + np.log(_WORTH) else maps


def _fitted_shares(
    trial: MixtureMap, log_densities: FloatArray, log_weight: FloatArray
) -> FloatArray:
    """Return the share of each peak that brings the mixture closest to the posterior."""
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    density, split = np.exp(log_densities), len(trial.maps)
    parts = np.vstack([density[:split].mean(axis=0), density[split:]])
    share = np.array([1 - sum(trial.peak_shares), *trial.peak_shares])
    for _ in range(_EM_STEPS):
        owned = share[:, None] * parts
        share = (owned / (owned.sum(axis=0) + trial.prior_share)) @ weight
        share /= share.sum()
    return share[1:]
