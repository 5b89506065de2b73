"""Further searches for peaks, where the first one has not met all that matter."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from zpfit.inference.checkpoint import Checkpoint
from zpfit.inference.samplers.engine import SamplingTask
from zpfit.inference.samplers.peak_census import (
    LIGHT,
    MANY,
    Census,
    Ends,
    Measured,
    log_sum,
    rarely_drawn,
)
from zpfit.inference.samplers.peak_search import (
    Climb,
    Peak,
    PeakOptions,
    Unexplained,
    fitted,
    with_images,
)
from zpfit.inference.samplers.peak_shares import with_shares
from zpfit.inference.samplers.proposal_map import Gap, MixtureMap
from zpfit.io.arrays import FloatArray

_SMALL = 5e-3
"""Part of Z that peaks may lack together without a further search or component."""
_ANYWAY = 2
"""Number of further searches that follow in any case where many peaks stand alone."""

_UNMET = (
    "the search still meets peaks of the likelihood for the first or only time, so that others "
    "were probably not met"
)
_NARROWER = (
    "the likelihood has many peaks and the search met the narrower ones later, so that still "
    "narrower ones, perhaps as heavy as those met, may be missing"
)
_LEFT = "the likelihood has more separate peaks than the proposal takes"


@dataclass(frozen=True)
class FirstSearch:
    """Result of the first search for peaks."""

    maps: MixtureMap
    """Proposal without peaks."""
    peaks: Sequence[Peak]
    """Its heaviest peaks, with the shape and the integral that draws show."""
    ends: Ends
    """Ends of all ascents."""
    log_z: float
    """ln Z as far as it is known."""
    even: NDArray[np.bool_] | None
    """Axes under whose reversal ln L is even, None if it is not."""


def completed(
    task: SamplingTask,
    first: FirstSearch,
    found: MixtureMap,
    rng: np.random.Generator,
    checkpoint: Checkpoint,
    options: PeakOptions,
) -> MixtureMap:
    """Return a proposal with all peaks that matter, and with what it is known to lack.

    The proposal of the first search remains if it covers all peaks that were met and hardly any
    peak was met only once. Otherwise further searches follow until few peaks are missing.

    Parameters
    ----------
    task
        Likelihood.
    first
        What the first search has met.
    found
        Proposal of the first search.
    rng
        Generator of all draws.
    checkpoint
        Store of intermediate states.
    options
        Sizes of the searches.
    """
    start_rng, explore_rng, fit_rng, share_rng = rng.spawn(4)
    measure, small = _Measurer(task, fit_rng, options), first.log_z + np.log(_SMALL)
    ends = first.ends
    census = Census.of(ends, first.maps, first.log_z, measure)
    if not census.peaks:
        return found
    # Where many peaks stand alone, more are likely that the first starts cannot reach.
    missing, many = census.log_unseen, sum(census.apart) >= MANY
    started = ends.next_capture
    for number, round_rng in enumerate(explore_rng.spawn(options.rounds)):
        if missing < small and not (many and number < _ANYWAY):
            break
        since = ends.next_capture
        part = checkpoint.part(f"{number}")
        ends = _searched(task, first, census, ends, start_rng, round_rng, part, options)
        census = Census.of(ends, first.maps, first.log_z, measure)
        missing = max(census.log_unseen, census.log_new(since))
    unmet = Gap(missing, _UNMET), Gap(census.log_narrower(started), _NARROWER)
    lacking = [
        (one.peak, mass)
        for one, mass in zip(census.peaks, census.log_masses, strict=True)
        if one.log_uncovered(found.log_density(one.u), first.log_z) > first.log_z - LIGHT
    ]
    room = max(options.limit - len(first.peaks), 0)
    left = [mass for _, mass in lacking[room:]]
    if log_sum([mass for _, mass in lacking]) > small:
        of_one = [measure(peak).peak for peak in of_one_map(census.others, found, first.log_z)]
        more = [*(peak for peak, _ in lacking), *of_one][:room]
        every = with_images([*first.peaks, *more], first.even)
        found = with_shares(task, first.maps, every, share_rng, options, crowded=True, rival=found)
    gaps = [max(unmet, key=lambda gap: gap.log_mass), Gap(log_sum(left), _LEFT)]
    return replace(found, gaps=tuple(gap for gap in gaps if gap.log_mass > small))


def of_one_map(peaks: Sequence[Peak], proposal: MixtureMap, log_z: float) -> list[Peak]:
    """Return heavy peaks that one map draws often enough and another one rarely.

    The mixture of the maps integrates them, but the adaptations disagree on ln Z.

    Parameters
    ----------
    peaks
        Peaks that do not stand alone.
    proposal
        Maps, and peaks that need not be added again.
    log_z
        ln Z as far as it is known.
    """
    heavy = [peak for peak in peaks if peak.log_mass > log_z - LIGHT]
    drawn = ~rarely_drawn(heavy, proposal.with_peaks((), ()), log_z)
    missed = [rarely_drawn(heavy, replace(proposal, maps=(one,)), log_z) for one in proposal.maps]
    chosen = drawn & np.any(missed, axis=0)
    return [peak for peak, is_chosen in zip(heavy, chosen, strict=True) if is_chosen]


class _Measurer:
    """Integrals of peaks, each computed once."""

    def __init__(self, task: SamplingTask, rng: np.random.Generator, options: PeakOptions) -> None:
        self._task, self._rng, self._options = task, rng, options
        self._known: dict[int, Measured] = {}

    def __call__(self, peak: Peak) -> Measured:
        """Return the integral of a peak and draws of it."""
        if id(peak) not in self._known:
            fit = fitted(self._task.log_likelihood, peak, self._rng, self._options.fitted)
            self._known[id(peak)] = Measured.of(fit, self._rng)
        return self._known[id(peak)]


def _searched(
    task: SamplingTask,
    first: FirstSearch,
    census: Census,
    ends: Ends,
    start_rng: np.random.Generator,
    explore_rng: np.random.Generator,
    checkpoint: Checkpoint,
    options: PeakOptions,
) -> Ends:
    """Return the ends of all ascents after one more search.

    Draws must stand out of the peaks that were met more than once, so that the others may be met
    again.
    """
    climb, few = Climb(task, options), options.round_batches
    known = [one.peak for one in census.peaks]
    known += [peak for peak in census.others if peak.log_mass > first.log_z - LIGHT]
    centres = np.stack([peak.map.centre for peak in known])
    box = centres.min(axis=0), centres.max(axis=0)
    climbed, start = climb.peaks(_starts(centres, box, start_rng, options.starts))
    ends = ends.with_more(climbed, start)

    def draw(number: int) -> FloatArray:
        if number < few:
            return first.maps.draw_labelled(explore_rng, options.batch)[0]
        return explore_rng.uniform(*box, (options.batch, task.dimension))

    kept = Unexplained(
        task, census.recaptured[: options.limit], explore_rng, options.starts, checkpoint
    )
    climbed, start = climb.peaks(kept.among(draw, 3 * few))
    return ends.with_more(climbed, np.zeros_like(start))


def _starts(
    centres: FloatArray, box: tuple[FloatArray, FloatArray], rng: np.random.Generator, n: int
) -> FloatArray:
    """Return random points, random points between the peaks, and crossed peaks, shape (3 n, d).

    Peaks of many parameters fill a small part of the cube. Crossed ones have each coordinate from
    another peak.
    """
    shape = n, centres.shape[1]
    between = rng.uniform(*box, shape)
    crossed = centres[rng.integers(len(centres), size=shape), np.arange(shape[1])]
    return np.vstack([rng.random(shape), between, crossed])
