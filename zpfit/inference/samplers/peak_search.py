"""Search for peaks of a likelihood: ascents from many starts, and draws that deserve one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from zpfit.inference.checkpoint import Checkpoint, State
from zpfit.inference.samplers.engine import LogLikelihood, SamplingTask, inside
from zpfit.inference.samplers.proposal_map import MixtureMap
from zpfit.inference.samplers.proposal_peak import PeakMap
from zpfit.inference.samplers.result import effective_number
from zpfit.inference.search.ascent import WIDEST, ascend
from zpfit.inference.search.descent import Residuals, descend
from zpfit.inference.search.walls import descend_inside, walls
from zpfit.io.arrays import FloatArray

_SAME = 1.0
"""Squared distance, in standard deviations of the higher one, within which peaks are one."""
_NARROWED, _ENOUGH = 3, 0.4
"""Times that a peak's shape is fitted to its draws; effective fraction that needs no other."""


@dataclass(frozen=True)
class PeakOptions:
    """Sizes of the search for peaks."""

    batch: int = 100_000
    """Likelihood evaluations at once."""
    prior_batches: int = 20
    """Batches of prior draws among which peaks are sought."""
    map_batches: int = 5
    """Batches of the maps' draws among which peaks are sought; the first draws of all are one."""
    starts: int = 100
    """Starts of ascents, of each kind."""
    descent_steps: int = 12
    """Steps of a descent on residuals."""
    most: int = 12
    """Largest number of peaks of the first search."""
    explaining: int = 6
    """Heaviest peaks from which draws must stand out in the first search."""
    rounds: int = 8
    """Largest number of further searches, while peaks are missing."""
    round_batches: int = 2
    """Batches of the maps' draws, and half the batches between peaks, of a further search."""
    limit: int = 200
    """Largest number of peaks of all searches."""
    fitted: int = 2_000
    """Draws to which the shape of a peak is fitted."""
    pilot: int = 20_000
    """Draws to which the shares of the peaks are fitted."""

    def with_effort(self, effort: float) -> "PeakOptions":
        """Return the same sizes with more or fewer batches of draws, and not fewer searches."""
        return replace(
            self,
            rounds=max(round(effort * self.rounds), self.rounds),
            limit=max(round(effort * self.limit), self.limit),
            prior_batches=max(round(effort * self.prior_batches), 1),
            map_batches=max(round(effort * self.map_batches), 1),
        )


@dataclass(frozen=True)
class Peak:
    """A local maximum of the likelihood."""

    map: PeakMap
    log_likelihood: float
    """ln L at the maximum."""
    log_mass: float
    """ln of the integral of L over the peak, from its curvature or from draws."""


@dataclass(frozen=True)
class Climb:
    """Ascents to the peaks of a likelihood."""

    task: SamplingTask
    options: PeakOptions

    def peaks(self, starts: FloatArray) -> tuple[list[Peak], NDArray[np.intp]]:
        """Climb from starts, shape (n, d).

        Returns
        -------
        tuple of list of Peak and NDArray
            The peaks that are reached, and the index of the start of each.
        """
        task, none = self.task, np.empty(0, dtype=np.intp)
        free = np.flatnonzero(task.steps == 0)
        if not len(starts) or not len(free):
            return [], none
        if task.residuals is not None:
            starts = self._descended(task.residuals, starts)
        allowed = np.flatnonzero(np.isfinite(task.log_likelihood(starts)))
        if not len(allowed):
            return [], none
        points, values, curvature = ascend(task.log_likelihood, starts[allowed], free)
        peaks = [
            peak_at(point, value, matrix, task.steps)
            for point, value, matrix in zip(points, values.tolist(), curvature, strict=True)
        ]
        return peaks, allowed

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
        found = [peaks[rows[0]] for rows in same_peaks(peaks, 4 * self.options.most)]
        return sorted(found, key=lambda peak: -peak.log_mass)[: self.options.most]


def same_peaks(peaks: Sequence[Peak], most: int | None = None) -> list[list[int]]:
    """Return the indices of the peaks that are one, the highest first, for each different peak.

    Parameters
    ----------
    peaks
        Ends of ascents.
    most
        Number of different peaks at which to stop; all by default.
    """
    if not peaks:
        return []
    rest = sorted(range(len(peaks)), key=lambda index: -peaks[index].log_likelihood)
    centres = np.stack([peak.map.centre for peak in peaks])
    found: list[list[int]] = []
    while rest and (most is None or len(found) < most):
        apart = peaks[rest[0]].map.distance(centres[rest]) > _SAME
        apart[0] = False
        same = [index for index, far in zip(rest[1:], apart[1:], strict=True) if not far]
        found.append([rest[0], *same])
        rest = [index for index, far in zip(rest, apart, strict=True) if far]
    return found


def peak_at(
    point: FloatArray, log_likelihood: float, curvature: FloatArray, step_width: FloatArray
) -> Peak:
    """Return the Gaussian peak at a maximum, whose negative second derivatives are given."""
    size, axes = np.linalg.eigh(curvature)
    # A direction without curvature is as wide as the prior.
    variance = 1 / np.maximum(size, max(WIDEST**-2, 1e-11 * float(np.abs(size).max(initial=0))))
    shape = PeakMap(point, (axes * variance) @ axes.T, step_width)
    return Peak(shape, log_likelihood, log_likelihood + shape.log_volume)


def with_images(peaks: Sequence[Peak], axes: NDArray[np.bool_] | None) -> list[Peak]:
    """Add the image of each peak that is not there yet."""
    if axes is None:
        return list(peaks)
    result = list(peaks)
    for peak in peaks:
        image = peak.map.mirrored(axes)
        known = np.stack([other.map.centre for other in result])
        if image.distance(known).min() > _SAME:
            result.append(replace(peak, map=image))
    return result


# Unexplained draws


def explore(
    task: SamplingTask,
    maps: MixtureMap,
    drawn: tuple[FloatArray, FloatArray],
    peaks: Sequence[Peak],
    rng: np.random.Generator,
    checkpoint: Checkpoint,
    options: PeakOptions,
) -> FloatArray:
    """Return points of prior and maps whose ln L exceeds most what the peaks explain, (n, d).

    A thin mode shows in the draws long before it has a draw near its summit: its flank stands
    out of the peaks around it.

    Parameters
    ----------
    task
        Likelihood.
    maps
        Proposal without peaks.
    drawn
        The first batch of the maps' draws that are allowed, shape (n, d), and their ln L, (n,).
    peaks
        Peaks that are known, the heaviest first.
    rng
        Generator of further draws.
    checkpoint
        Store of intermediate states.
    options
        Sizes of the search.
    """
    even = EvenlySpread.over(task.dimension, options.batch, rng)

    def draw(number: int) -> FloatArray:
        if number < options.prior_batches:
            return even.batch(number)
        return maps.draw_labelled(rng, options.batch)[0]

    explaining = peaks[: options.explaining]
    kept = Unexplained(task, explaining, rng, options.starts, checkpoint, drawn)
    return kept.among(draw, options.prior_batches + options.map_batches - 1)


@dataclass(frozen=True, eq=False)
class EvenlySpread:
    """Points that fill the unit cube more evenly than random ones, so that gaps are smaller.

    The sequence of R. Kronecker, multiples of irrational numbers modulo 1, from a random start.
    The numbers are powers of the root of x^(d+1) = x + 1, the golden ratio in one dimension.

    References
    ----------
    M. Roberts, "The unreasonable effectiveness of quasirandom sequences" (2018),
    https://extremelearning.com.au/unreasonable-effectiveness-of-quasirandom-sequences/.
    """

    first: FloatArray
    """The first batch, shape (n, d)."""
    step: FloatArray
    """Distance of the batches modulo 1, shape (d,)."""

    @classmethod
    def over(cls, dimension: int, n: int, rng: np.random.Generator) -> "EvenlySpread":
        """Return batches of ``n`` points from a random start.

        Examples
        --------
        >>> u = np.sort(EvenlySpread.over(1, 100, np.random.default_rng(1)).batch(0)[:, 0])
        >>> bool(np.diff(u).max() < 0.02)
        True
        """
        root = 1.5
        for _ in range(100):
            root = (1 + root) ** (1 / (dimension + 1))
        angle = root ** -np.arange(1.0, dimension + 1)
        first = np.outer(np.arange(n), angle) + rng.random(dimension)
        return cls(first - np.floor(first), n * angle % 1)

    def batch(self, number: int) -> FloatArray:
        """Return a batch of points, shape (n, d)."""
        moved = self.first + number * self.step % 1
        moved -= np.floor(moved)
        return moved


class Unexplained:
    """The draws so far that stand out most, and the likeliest ones."""

    def __init__(
        self,
        task: SamplingTask,
        peaks: Sequence[Peak],
        rng: np.random.Generator,
        number: int,
        checkpoint: Checkpoint,
        drawn: tuple[FloatArray, FloatArray] | None = None,
    ) -> None:
        self._task, self._peaks, self._rng, self._number = task, peaks, rng, number
        self._checkpoint, state = checkpoint, checkpoint.load()
        self._u, self._log_l, self._done = np.empty((0, task.dimension)), np.empty(0), 0
        if state is not None:
            self._u, self._log_l, self._done = state["u"], state["log_likelihood"], state["done"]
            rng.bit_generator.state = state["rng"]
        elif drawn is not None:
            self._keep_best(*drawn)

    def among(self, draw: Callable[[int], FloatArray], batches: int) -> FloatArray:
        """Return the points kept from batches of draws, which a function gives by number."""
        while self._done < batches:
            self._add(draw(self._done))
            self._checkpoint.save(self._state)
        self._checkpoint.finish(self._state)
        return self._u

    def _state(self) -> State:
        """Return everything that determines the next draws."""
        return {
            "u": self._u,
            "log_likelihood": self._log_l,
            "done": self._done,
            "rng": self._rng.bit_generator.state,
        }

    def _add(self, u: FloatArray) -> None:
        """Add a batch of draws, shape (n, d)."""
        log_l = inside(self._task.log_likelihood, u)
        allowed = np.flatnonzero(np.isfinite(log_l))
        u, log_l = np.vstack([self._u, u[allowed]]), np.concatenate([self._log_l, log_l[allowed]])
        self._keep_best(u, log_l)
        self._done += 1

    def _keep_best(self, u: FloatArray, log_l: FloatArray) -> None:
        excess = log_l - self._explained(u)
        best = np.union1d(_largest(excess, self._number), _largest(log_l, self._number))
        self._u, self._log_l = u[best], log_l[best]

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


# Shapes


@dataclass(frozen=True, eq=False)
class FittedPeak:
    """A peak with the shape and the integral that draws around it show, and these draws."""

    peak: Peak
    u: FloatArray
    """Draws of the shape, shape (n, d)."""
    log_likelihood: FloatArray
    """ln L of the draws, shape (n,); -inf outside the cube and where a point is excluded."""
    log_weight: FloatArray
    """ln of L over the density of the shape, shape (n,)."""


def fitted(
    log_likelihood: LogLikelihood, peak: Peak, rng: np.random.Generator, n: int
) -> FittedPeak:
    """Return a peak with the shape and the integral that draws around it show.

    Curvature at the summit says little about a peak that is cut by an exclusion or bent.
    """
    shape, tried = peak.map, []
    for _ in range(_NARROWED + 1):
        u = shape.draw(rng, n)
        log_l = inside(log_likelihood, u)
        log_weight = np.where(np.isfinite(log_l), log_l - shape.log_density(u), -np.inf)
        effective = effective_number(log_weight)
        moved = Peak(shape, peak.log_likelihood, log_mean(log_weight))
        tried.append((effective, FittedPeak(moved, u, log_l, log_weight)))
        if effective < 2 or effective > _ENOUGH * n:
            break
        shape = _moved(shape, u, log_weight)
    return max(tried, key=lambda one: one[0])[1]


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


def log_mean(log_weight: FloatArray) -> float:
    """Return ln of the mean of weights, -inf if all are zero."""
    top = log_weight.max()
    return float(top + np.log(np.mean(np.exp(log_weight - top)))) if np.isfinite(top) else -np.inf
