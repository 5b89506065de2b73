"""Evidence and weighted samples: importance sampling from maps that vegas has adapted."""

from dataclasses import dataclass, replace

import numpy as np

from zpfit.errors import PoorProposal
from zpfit.inference.checkpoint import NO_CHECKPOINT, Checkpoint, State
from zpfit.inference.progress import SILENT, Progress
from zpfit.inference.samplers.engine import LogLikelihood, inside
from zpfit.inference.samplers.proposal_map import Gap, MixtureMap
from zpfit.inference.samplers.result import Evidence, WeightedSamples
from zpfit.io.arrays import FloatArray
from zpfit.io.numbers import apart, percent

BATCH = 100_000
"""Draws of one batch: enough that overheads do not count, and few enough to fit in memory."""
FALLBACK = "dynesty"
"""Name of the engine that needs no map: it checks ln Z and replaces maps that fail."""
_FEWEST_BATCHES = 3
"""Smallest number of batches, so that their scatter can be compared with the error."""
_POOR_FRACTION = 1e-3
"""Effective fraction of the draws below which a part of the posterior may have no draw."""
_LARGE_SHARE = 0.02
"""Largest posterior weight that a single draw may carry."""
_MAX_SPREAD = 3.5
"""Largest ratio of the scatter over batches to the error of ln Z.

Three batches exceed it by chance once in 10^5 runs.
"""
_DISAGREEMENT = 5.0
"""Largest difference of ln Z between independent adaptations, in standard errors."""
_ROUNDING = 1e-9
"""Difference of ln Z that is rounding, as for a constant likelihood, whose errors are zero."""
_RISE = 0.005
"""Increase of ln Z with a gap of the proposal, half of the usual target, that does not matter."""
_REMEDY = f"raise vegas.max_evaluations, or use sampler.engine: {FALLBACK}"


@dataclass(frozen=True)
class Target:
    """Precision at which an integral stops."""

    error: float
    """Standard error of ln Z."""
    effective: float
    """Effective number of weighted samples."""
    max_evaluations: int
    """Largest number of likelihood evaluations."""
    batch: int = BATCH
    """Draws of one batch."""


@dataclass(frozen=True)
class Integral:
    """Result of importance sampling."""

    samples: WeightedSamples
    evidence: Evidence
    shortcomings: tuple[str, ...]
    """Reasons why it is not converged, with remedies; empty if it is."""


def integrate(
    log_likelihood: LogLikelihood,
    mixture: MixtureMap,
    rng: np.random.Generator,
    target: Target,
    progress: Progress = SILENT,
    checkpoint: Checkpoint = NO_CHECKPOINT,
    batch: int | None = None,
) -> Integral:
    """Estimate ln Z as ln of the mean of L/q over draws from the mixture q.

    All draws are independent, so the standard error is that of a mean of weights. Three checks
    follow: the scatter over batches, the largest weight, and ln Z from each adaptation alone.

    Parameters
    ----------
    log_likelihood
        Points of the unit cube, shape (n, d), to ln L, shape (n,).
    mixture
        Adapted maps and a fraction of the uniform prior.
    rng
        Generator of the draws.
    target
        Precision at which to stop.
    progress
        Receiver of ln Z and its error after each batch.
    checkpoint
        Store of all draws so far.
    batch
        Draws of one batch; by default those of the target.

    Returns
    -------
    Integral
        ln Z, weighted samples and shortcomings.

    Raises
    ------
    PoorProposal
        There are fewer than 5 d effective draws.

    References
    ----------
    G. P. Lepage, J. Comput. Phys. 439, 110386 (2021), arXiv:2009.05112.

    Examples
    --------
    L = 2u on the unit interval has Z = 1. Draws from the uniform prior suffice.

    >>> from zpfit.inference.samplers.proposal_map import HistogramMap
    >>> uniform = MixtureMap((HistogramMap((np.linspace(0, 1, 2),)),))
    >>> rng, target = np.random.default_rng(1), Target(0.01, 1000, 100_000)
    >>> integral = integrate(lambda u: np.log(2 * u[:, 0]), uniform, rng, target, batch=5000)
    >>> evidence = integral.evidence
    >>> abs(evidence.log_z) < 3 * evidence.error < 0.03
    True
    """
    draws = _Draws(mixture, rng, batch or target.batch, checkpoint.load())
    while not draws.enough_for(target):
        draws.add(log_likelihood)
        error, effective = draws.error(), draws.effective()
        progress.update(
            # The error falls with the root of the number of draws.
            min(target.error / max(error, 1e-12), 1.0) ** 2,
            f"ln Z {draws.log_mean():.3f} +- {error:.4f}, {effective:,.0f} effective samples",
        )
        checkpoint.save(draws.state)
    checkpoint.finish(draws.state)
    # Fewer independent points than this do not span the directions of a posterior.
    if draws.effective() < 5 * mixture.dimension:
        raise PoorProposal(draws.effective(), round(target.effective))
    samples = draws.weighted()
    evidence = Evidence(
        draws.log_mean(), draws.error(), draws.total, draws.independent(), draws.spread()
    )
    rises = [(gap, _rise(gap, evidence)) for gap in mixture.gaps]
    lacking = [(gap, rise) for gap, rise in rises if rise > max(evidence.error, _RISE)]
    shortcomings = (
        *(_lack(gap, rise) for gap, rise in lacking),
        *_shortcomings(samples, evidence, target),
    )
    rise = sum(rise for _, rise in lacking)
    return Integral(samples, _honest(evidence, rise) if shortcomings else evidence, shortcomings)


def _rise(gap: Gap, evidence: Evidence) -> float:
    """Return the increase of ln Z with the mass that the mixture lacks."""
    return float(np.logaddexp(gap.log_mass, evidence.log_z) - evidence.log_z)


def _lack(gap: Gap, rise: float) -> str:
    return f"{gap.reason}; with them ln Z would be about {rise:.2g} higher: {_REMEDY}"


def _honest(evidence: Evidence, rise: float) -> Evidence:
    """Return the evidence with the largest of its errors: what holds if one check has failed."""
    values = [log_z for log_z, _ in evidence.independent if np.isfinite(log_z)]
    half = 0.5 * float(np.ptp(values)) if values else 0.0
    return replace(evidence, error=max(evidence.error, evidence.spread or 0.0, half, rise))


def _shortcomings(samples: WeightedSamples, evidence: Evidence, target: Target) -> list[str]:
    found = []
    if evidence.error > target.error:
        found.append(
            f"ln Z is known to {evidence.error:.3f} where {target.error:g} was wanted: {_REMEDY}"
        )
    fraction = samples.effective / evidence.evaluations
    if fraction < _POOR_FRACTION:
        found.append(
            f"only {fraction:.1e} of vegas's draws are effective, so that ln Z may miss regions "
            f"without a draw: {_REMEDY}"
        )
    if samples.largest_share > _LARGE_SHARE:
        found.append(
            f"a single draw of vegas carries {percent(samples.largest_share)} of the posterior: "
            f"{_REMEDY}"
        )
    if evidence.spread is not None and evidence.spread > _MAX_SPREAD * evidence.error + _ROUNDING:
        found.append(
            f"ln Z scatters over batches of vegas's draws as if its error were "
            f"{' and not '.join(apart(evidence.spread, evidence.error))}: {_REMEDY}"
        )
    values, errors = np.array(evidence.independent).reshape(-1, 2).T
    limit = _DISAGREEMENT * np.hypot(errors.max(), errors.min()) + _ROUNDING
    if not np.ptp(values) <= limit:  # "not <=" is true for NaN as well
        text = ", ".join(f"{v:.3f} +- {e:.3f}" for v, e in evidence.independent)
        found.append(
            f"independent adaptations of vegas disagree on ln Z ({text}); each may have missed a "
            f"mode of the other: raise vegas.adaptations, or use sampler.engine: {FALLBACK}"
        )
    return found


class _Draws:
    """All draws so far, in batches.

    Sums of weights are kept apart from the points: most draws are excluded and have no weight.
    """

    def __init__(
        self,
        mixture: MixtureMap,
        rng: np.random.Generator,
        batch: int,
        kept: State | None = None,
    ) -> None:
        self._mixture = mixture
        self._rng = rng
        self._batch = batch
        self._kept: list[tuple[FloatArray, FloatArray, FloatArray]] = []
        self._sums: list[_LogSums] = []
        """Sums of weights of each batch, so that old batches are not added up again."""
        self._own: list[list[FloatArray]] = [[] for _ in mixture.maps]
        self._own_total = np.zeros(len(mixture.maps), dtype=int)
        self.total = 0
        if kept is not None:
            self._restore(kept)

    def state(self) -> State:
        """Return everything that determines the next draws."""
        u, log_l, log_weight = (np.concatenate(column) for column in zip(*self._kept, strict=True))
        return {
            "u": u,
            "log_likelihood": log_l,
            "log_weight": log_weight,
            "batches": [len(points) for points, _, _ in self._kept],
            "own": [np.concatenate(own) for own in self._own],
            "own_total": self._own_total,
            "total": self.total,
            "rng": self._rng.bit_generator.state,
        }

    def _restore(self, state: State) -> None:
        ends = np.cumsum(state["batches"])[:-1]
        names = ("u", "log_likelihood", "log_weight")
        columns = (np.split(state[name], ends) for name in names)
        self._kept = list(zip(*columns, strict=True))
        self._sums = [_LogSums.of(log_weight) for _, _, log_weight in self._kept]
        self._own = [[own] for own in state["own"]]
        self._own_total, self.total = state["own_total"], state["total"]
        self._rng.bit_generator.state = state["rng"]

    def enough_for(self, target: Target) -> bool:
        """Return True if the target is reached or another batch exceeds the evaluations."""
        if not self.total:
            return False
        reached = self.error() <= target.error and self.effective() >= target.effective
        if reached and self.total >= _FEWEST_BATCHES * self._batch:
            return True
        return self.total + self._batch > target.max_evaluations

    def add(self, log_likelihood: LogLikelihood) -> None:
        """Draw one more batch."""
        u, label = self._mixture.draw_labelled(self._rng, self._batch)
        log_l = inside(log_likelihood, u)
        allowed = np.flatnonzero(np.isfinite(log_l))
        u, log_l, allowed_label = u[allowed], log_l[allowed], label[allowed]
        densities = self._mixture.densities(u)
        log_weight = log_l - self._mixture.mix(densities)
        self._kept.append((u, log_l, log_weight))
        self._sums.append(_LogSums.of(log_weight))
        peaks = len(self._own)  # the first label of a peak
        for index, own in enumerate(self._own):
            mine = (allowed_label == index) | (allowed_label >= peaks)
            own.append(log_l[mine] - self._mixture.mix_alone(densities[:, mine], index))
            self._own_total[index] += np.count_nonzero((label == index) | (label >= peaks))
        self.total += self._batch

    def effective(self) -> float:
        """Return the effective number of draws."""
        return _LogSums.total(self._sums).effective()

    def log_mean(self) -> float:
        """Return ln Z."""
        return _LogSums.total(self._sums).log_mean(self.total)[0]

    def error(self) -> float:
        """Return the standard error of ln Z."""
        return _LogSums.total(self._sums).log_mean(self.total)[1]

    def spread(self) -> float | None:
        """Return the standard error of ln Z from the scatter of batches; None if they are few."""
        if len(self._kept) < _FEWEST_BATCHES:
            return None
        batch = self.total // len(self._kept)
        means = np.array([sums.log_mean(batch)[0] for sums in self._sums])
        ratios = np.exp(means - self.log_mean())
        return float(np.std(ratios, ddof=1) / np.sqrt(len(ratios)))

    def independent(self) -> tuple[tuple[float, float], ...]:
        """Return ln Z and its error from the draws of each map alone, with those of the peaks."""
        parts = zip(self._own, self._own_total, strict=True)
        return tuple(_LogSums.of(np.concatenate(own)).log_mean(int(total)) for own, total in parts)

    def weighted(self) -> WeightedSamples:
        """Return all allowed draws with their weights."""
        u = np.concatenate([points for points, _, _ in self._kept])
        log_l = np.concatenate([values for _, values, _ in self._kept])
        log_weight = np.concatenate([weights for _, _, weights in self._kept])
        return WeightedSamples.normalised(u, log_l, log_weight)


@dataclass(frozen=True)
class _LogSums:
    """ln of the sum of weights and of the sum of their squares."""

    first: float
    second: float

    @classmethod
    def of(cls, log_weights: FloatArray) -> "_LogSums":
        """Return the sums of some draws."""
        return cls(_log_sum(log_weights), _log_sum(2 * log_weights))

    @classmethod
    def total(cls, parts: list["_LogSums"]) -> "_LogSums":
        """Return the sums over all parts."""
        return cls(
            _log_sum(np.array([part.first for part in parts])),
            _log_sum(np.array([part.second for part in parts])),
        )

    def effective(self) -> float:
        """Return the effective number of draws, (sum w)^2 / sum w^2 (Kish 1965)."""
        return 0.0 if self.first == -np.inf else float(np.exp(2 * self.first - self.second))

    def log_mean(self, total: int) -> tuple[float, float]:
        """Return ln of the mean weight over ``total`` draws and its standard error.

        Draws without a weight count as zero.
        """
        if self.first == -np.inf:
            return -np.inf, np.inf
        log_mean = self.first - np.log(total)
        # Relative variance of the weights, <w^2>/<w>^2 - 1; rounding may make it negative.
        variance = max(np.expm1(self.second - np.log(total) - 2 * log_mean), 0.0)
        return float(log_mean), float(np.sqrt(variance / total))


def _log_sum(values: FloatArray) -> float:
    """Return ln sum exp(values), -inf for no values."""
    if not len(values):
        return -np.inf
    peak = values.max()
    if peak == -np.inf:
        return -np.inf
    return float(peak + np.log(np.exp(values - peak).sum()))
