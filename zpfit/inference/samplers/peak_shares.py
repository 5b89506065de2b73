"""Shares of peaks in a proposal, fitted to draws."""

from collections.abc import Sequence

import numpy as np

from zpfit.inference.samplers.engine import SamplingTask, inside
from zpfit.inference.samplers.peak_search import Peak, PeakOptions, log_mean
from zpfit.inference.samplers.proposal_map import MixtureMap
from zpfit.io.arrays import FloatArray

_EM_STEPS = 20
"""Steps of the fit of the shares."""
_IDLE, _UNUSED = 2e-3, 1e-5
"""Share below which a peak is of no use: one of few, and one of many."""
_LEAST = 0.02
"""Smallest share of a peak, if there are no more than a first search finds."""
_MOST = 0.75
"""Largest share of all peaks together."""
_WORTH = 0.5
"""Largest ratio of the mean square weight with peaks to that without them at which they are worth
their time."""


def with_shares(
    task: SamplingTask,
    maps: MixtureMap,
    peaks: Sequence[Peak],
    rng: np.random.Generator,
    options: PeakOptions,
    *,
    crowded: bool = False,
    rival: MixtureMap | None = None,
) -> MixtureMap:
    """Return the mixture whose shares follow the posterior, without peaks that are of no use.

    Parameters
    ----------
    task
        Likelihood.
    maps
        Proposal without peaks.
    peaks
        Peaks with their masses.
    rng
        Generator of the draws that decide.
    options
        Number of these draws, for as many peaks as a first search finds.
    crowded
        Take more draws for more peaks, give them smaller shares, and leave out no peak but those
        with next to no share.
    rival
        Proposal that is returned if the peaks are not worth their time; the maps by default.
    """
    rival = maps if rival is None else rival
    if not peaks:
        return rival
    crowd = max(1.0, len(peaks) / options.most) if crowded else 1.0
    least, idle = _LEAST / crowd, _UNUSED if crowded else _IDLE
    mass = np.exp([peak.log_mass - max(peak.log_mass for peak in peaks) for peak in peaks])
    first = 0.5 * np.maximum(mass / mass.sum(), least)
    trial = maps.with_peaks([peak.map for peak in peaks], first * 0.5 / max(first.sum(), 0.5))
    u, _ = trial.draw_labelled(rng, round(crowd * options.pilot))
    log_l = inside(task.log_likelihood, u)
    u, log_l = u[np.isfinite(log_l)], log_l[np.isfinite(log_l)]
    if not len(u):
        return rival
    densities = trial.densities(u)
    log_weight = log_l - trial.mix(densities)
    share = _fitted_shares(trial, densities, log_weight)
    useful = np.flatnonzero(share > idle).tolist()
    share = np.maximum(share[useful], least)
    share *= min(1.0, _MOST / max(share.sum(), 1e-300))
    result = maps.with_peaks([peaks[index].map for index in useful], share.tolist())
    split = len(maps.maps)
    parts = [*range(split), *(split + index for index in useful)]
    # The mean square weight of a mixture, from draws of another one.
    after = log_mean(log_weight + log_l - result.mix(densities[parts]))
    old = maps.mix(densities[:split]) if rival is maps else rival.log_density(u)
    before = log_mean(log_weight + log_l - old)
    return result if after < before + np.log(_WORTH) else rival


def _fitted_shares(trial: MixtureMap, densities: FloatArray, log_weight: FloatArray) -> FloatArray:
    """Return the share of each peak that brings the mixture closest to the posterior."""
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    split = len(trial.maps)
    parts = np.vstack([densities[:split].mean(axis=0), densities[split:]])
    share = np.array([1 - sum(trial.peak_shares), *trial.peak_shares])
    for _ in range(_EM_STEPS):
        owned = share[:, None] * parts
        share = (owned / (owned.sum(axis=0) + trial.prior_share)) @ weight
        share /= share.sum()
    return share[1:]
