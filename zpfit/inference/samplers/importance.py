"""Evidence and weighted samples: importance sampling from maps that vegas has adapted."""

from dataclasses import dataclass

import numpy as np

from zpfit.errors import PoorMap
from zpfit.inference.checkpoint import FORGETFUL, Checkpoint, State
from zpfit.inference.progress import Progress
from zpfit.inference.samplers.proposal_map import MixtureMap
from zpfit.inference.samplers.result import Evidence, WeightedSamples
from zpfit.inference.samplers.vegas import LogLikelihood
from zpfit.io.arrays import FloatArray

_BATCH = 100_000
_FEWEST_BATCHES = 3
_POOR_FRACTION = 1e-3
"""Effective share of the draws below which tails may hide where no draw has been."""
_LARGE_SHARE = 0.02
"""Of the posterior that may rest on one draw."""
_MAX_SPREAD = 3.5
"""Scatter over batches, over the error; three batches reach it by chance once in 10^5 runs."""
_DISAGREEMENT = 5.0
"""Standard errors between independent adaptations."""
_REMEDY = "raise vegas.max_evaluations, or use sampler.engine: dynesty"


@dataclass(frozen=True)
class Target:
    """When to stop."""

    error: float
    """Of ln Z."""
    effective: float
    """Effective number of weighted samples."""
    max_evaluations: int


@dataclass(frozen=True)
class Integral:
    """Result of importance sampling."""

    samples: WeightedSamples
    evidence: Evidence
    shortcomings: tuple[str, ...]
    """Why it is not converged, with remedies; empty if it is."""


def integrate(
    log_likelihood: LogLikelihood,
    mixture: MixtureMap,
    rng: np.random.Generator,
    target: Target,
    progress: Progress,
    checkpoint: Checkpoint = FORGETFUL,
) -> Integral:
    """ln Z as the mean of L/q over draws from the mixture q, until the target is reached.

    Every draw is independent, so that the standard error is that of a mean of
    weights. It is checked by what each adaptation says alone.

    Raises
    ------
    PoorMap
        The maps and the posterior have too little in common.
    """
    draws = _Draws(mixture, rng, checkpoint.load())
    while not draws.enough_for(target):
        draws.add(log_likelihood, _BATCH)
        error, effective = draws.error(), draws.effective()
        progress.update(
            min(target.error / max(error, 1e-12), 1.0) ** 2,
            f"ln Z {draws.log_mean():.3f} +- {error:.4f}, {effective:,.0f} effective samples",
        )
        checkpoint.save(draws.state)
    checkpoint.finish(draws.state)
    # Fewer independent points than this do not span the directions of a posterior.
    if draws.effective() < 5 * mixture.dimension:
        raise PoorMap(draws.effective(), round(target.effective))
    samples = draws.weighted()
    evidence = Evidence(
        draws.log_mean(), draws.error(), draws.total, draws.independent(), draws.spread()
    )
    return Integral(samples, evidence, tuple(_shortcomings(samples, evidence, target)))


def _shortcomings(samples: WeightedSamples, evidence: Evidence, target: Target) -> list[str]:
    found = []
    if evidence.error > target.error:
        found.append(
            f"ln Z is known to {evidence.error:.3f} where {target.error:g} was wanted: {_REMEDY}"
        )
    fraction = samples.effective / evidence.evaluations
    if fraction < _POOR_FRACTION:
        found.append(
            f"only {fraction:.1e} of vegas's draws are effective, so that ln Z may miss what "
            f"none has met: {_REMEDY}"
        )
    if samples.largest_share > _LARGE_SHARE:
        found.append(
            f"a single draw of vegas carries {samples.largest_share:.1%} of the posterior: "
            f"{_REMEDY}"
        )
    if evidence.spread is not None and evidence.spread > _MAX_SPREAD * evidence.error + 1e-9:
        found.append(
            f"ln Z scatters over batches of vegas's draws as if its error were "
            f"{evidence.spread:.3f}, not {evidence.error:.3f}: {_REMEDY}"
        )
    values, errors = np.array(evidence.independent).reshape(-1, 2).T
    # Where errors are zero, as for a constant likelihood, rounding is left.
    if not np.ptp(values) <= _DISAGREEMENT * np.hypot(errors.max(), errors.min()) + 1e-9:
        text = ", ".join(f"{v:.3f} +- {e:.3f}" for v, e in evidence.independent)
        found.append(
            f"independent adaptations of vegas disagree on ln Z ({text}), as if each had missed "
            "a mode of the other: raise vegas.adaptations, or use sampler.engine: dynesty"
        )
    return found


class _Draws:
    """Draws so far; sums are kept apart from the points, most of which are excluded."""

    def __init__(
        self, mixture: MixtureMap, rng: np.random.Generator, kept: State | None = None
    ) -> None:
        self._mixture = mixture
        self._rng = rng
        self._kept: list[tuple[FloatArray, FloatArray, FloatArray]] = []
        self._sums: list[_LogSums] = []
        """Of the weights of each batch, so that none is added up again with every other."""
        self._own: list[list[FloatArray]] = [[] for _ in mixture.maps]
        self._own_total = np.zeros(len(mixture.maps), dtype=int)
        self.total = 0
        if kept is not None:
            self._restore(kept)

    def state(self) -> State:
        """All that determines what comes next."""
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
        """Whether the target is reached, or another batch would take too many evaluations."""
        if not self.total:
            return False
        reached = self.error() <= target.error and self.effective() >= target.effective
        if reached and self.total >= _FEWEST_BATCHES * _BATCH:
            return True
        return self.total + _BATCH > target.max_evaluations

    def add(self, log_likelihood: LogLikelihood, n: int) -> None:
        """Draw ``n`` more points."""
        u, label = self._mixture.draw_labelled(self._rng, n)
        log_l = log_likelihood(u)
        allowed = np.flatnonzero(np.isfinite(log_l))
        u, log_l, allowed_label = u[allowed], log_l[allowed], label[allowed]
        log_densities = self._mixture.log_densities(u)
        log_weight = log_l - self._mixture.mix(log_densities)
        self._kept.append((u, log_l, log_weight))
        self._sums.append(_LogSums.of(log_weight))
        for index, own in enumerate(self._own):
            mine = allowed_label == index
            own.append(log_l[mine] - log_densities[index, mine])
            self._own_total[index] += np.count_nonzero(label == index)
        self.total += n

    def effective(self) -> float:
        """Effective number of draws."""
        return _LogSums.total(self._sums).effective()

    def log_mean(self) -> float:
        """ln Z."""
        return _LogSums.total(self._sums).log_mean(self.total)[0]

    def error(self) -> float:
        """Of ln Z."""
        return _LogSums.total(self._sums).log_mean(self.total)[1]

    def spread(self) -> float | None:
        """Standard error of ln Z from the scatter of the batches, if there are some."""
        if len(self._kept) < _FEWEST_BATCHES:
            return None
        batch = self.total // len(self._kept)
        means = np.array([sums.log_mean(batch)[0] for sums in self._sums])
        ratios = np.exp(means - self.log_mean())
        return float(np.std(ratios, ddof=1) / np.sqrt(len(ratios)))

    def independent(self) -> tuple[tuple[float, float], ...]:
        """ln Z and error from the draws of each map alone."""
        parts = zip(self._own, self._own_total, strict=True)
        return tuple(_LogSums.of(np.concatenate(own)).log_mean(int(total)) for own, total in parts)

    def weighted(self) -> WeightedSamples:
        """Every allowed draw."""
        u = np.concatenate([points for points, _, _ in self._kept])
        log_l = np.concatenate([values for _, values, _ in self._kept])
        log_weight = np.concatenate([weights for _, _, weights in self._kept])
        return WeightedSamples.normalised(u, log_l, log_weight)


@dataclass(frozen=True)
class _LogSums:
    """ln of the sum of weights and of their squares."""

    first: float
    second: float

    @classmethod
    def of(cls, log_weights: FloatArray) -> "_LogSums":
        """Of some draws."""
        return cls(_log_sum(log_weights), _log_sum(2 * log_weights))

    @classmethod
    def total(cls, parts: list["_LogSums"]) -> "_LogSums":
        """Of the draws of all parts."""
        return cls(
            _log_sum(np.array([part.first for part in parts])),
            _log_sum(np.array([part.second for part in parts])),
        )

    def effective(self) -> float:
        """Effective number of draws."""
        return 0.0 if self.first == -np.inf else float(np.exp(2 * self.first - self.second))

    def log_mean(self, total: int) -> tuple[float, float]:
        """ln of the mean over ``total`` draws, those left out being zero, and its error."""
        if self.first == -np.inf:
            return -np.inf, np.inf
        log_mean = self.first - np.log(total)
        variance = max(np.expm1(self.second - np.log(total) - 2 * log_mean), 0.0)
        return float(log_mean), float(np.sqrt(variance / total))


def _log_sum(values: FloatArray) -> float:
    if not len(values):
        return -np.inf
    peak = values.max()
    if peak == -np.inf:
        return -np.inf
    return float(peak + np.log(np.exp(values - peak).sum()))
