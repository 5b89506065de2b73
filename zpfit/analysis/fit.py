"""Fits in memory: sample the posterior, search the best fit, summarise both."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from zpfit.analysis.records import FitSummary
from zpfit.analysis.summary import (
    Provenance,
    equal_samples,
    stored_dead_points,
    summarise,
    weighted_samples,
)
from zpfit.inference.checkpoint import NO_CHECKPOINT, Checkpoint
from zpfit.inference.problem import Problem
from zpfit.inference.progress import Progress, Silent
from zpfit.inference.samplers.result import Samples, StoredDeadPoints, StoredSamples
from zpfit.inference.samplers.unsampled import missing_weight
from zpfit.inference.sampling import (
    CrossCheck,
    cross_check,
    sample_posterior,
    sampling_task,
)
from zpfit.inference.search.best_fit import (
    Minimum,
    SearchOptions,
    best_fit,
    starting_points,
)
from zpfit.io.arrays import FloatArray
from zpfit.physics.couplings import Couplings


@dataclass(frozen=True)
class FitOptions:
    """Sizes that do not belong into a run file."""

    prior_draws: int = 20_000
    """Prior draws that estimate the fraction of the prior where the model cannot exist."""
    stored_samples: int = 50_000
    """Largest number of stored samples of either kind; more would be redundant."""


_OPTIONS = FitOptions()


@dataclass(frozen=True)
class FitResult:
    """A finished fit."""

    name: str
    """Name that tells the fit from the others of a comparison."""
    problem: Problem
    """Model, priors, likelihood and settings that were fitted."""
    summary: FitSummary
    """Best fit, evidence, posterior moments and diagnostics, as ``summary.json`` holds them."""
    samples: StoredSamples
    """Posterior samples of equal weight."""
    weighted: StoredSamples
    """Weighted samples behind the evidence."""
    dead_points: StoredDeadPoints | None = None
    """Dead points of nested sampling, if an engine has left some."""

    @property
    def log_weight(self) -> FloatArray:
        """Natural logarithm of the weights of ``weighted``, shape (n,)."""
        weight = self.weighted.log_weight
        if weight is None:
            raise ValueError(f"the weighted samples of {self.name!r} have no weights")
        return weight.ravel()

    @property
    def columns(self) -> dict[str, FloatArray]:
        """Weighted samples of the parameters that vary, each of shape (n,)."""
        return {name: values.ravel() for name, values in self.weighted.values.items()}

    def couplings(self) -> Couplings:
        """Return the couplings at the weighted samples, n points."""
        posterior = self.problem.posterior
        values = posterior.priors.complete(self.columns, len(self.log_weight))
        return posterior.model.couplings(values)

    def named(self, name: str) -> "FitResult":
        """Return the same fit under another name."""
        return replace(self, name=name)


@dataclass(frozen=True)
class SampledFit:
    """A fit with a sampled posterior, before the search for the best fit."""

    problem: Problem
    samples: Samples
    check: CrossCheck | None
    equal: StoredSamples
    weighted: StoredSamples
    dead_points: StoredDeadPoints | None
    shortcomings: tuple[str, ...]
    """Reasons why the samples are not converged, with remedies; empty if they are."""
    impossible_fraction: float
    """Fraction of the prior where the model cannot exist."""
    data_hash: str
    search_rng: np.random.Generator
    started: float
    """``time.perf_counter()`` at the start of the fit."""


def fit(
    problem: Problem,
    progress: Progress | None = None,
    checkpoint: Checkpoint = NO_CHECKPOINT,
    *,
    check: bool = False,
) -> FitResult:
    """Sample the posterior and search the best fit; the seed settles every random number.

    Parameters
    ----------
    problem
        Model, priors, likelihood and settings.
    progress
        Receiver of stages and notes; silent by default.
    checkpoint
        Store of intermediate states. States in it are not computed again, and the result is
        the same to the last bit.
    check
        Compute ln Z with a second engine as well.

    Returns
    -------
    FitResult
        Samples and summary, in memory.

    Raises
    ------
    ModelNeverValid
        No point of the prior fulfils the model's conditions.
    NoAllowedPoint
        The likelihood excludes all but a few points of the prior.
    PoorProposal
        The posterior is too narrow for the map that starts the walkers.
    UndefinedValue
        The model or a term gives NaN.
    """
    progress = progress or Silent()
    return complete(sample(problem, progress, checkpoint, check=check), progress, checkpoint)


def sample(
    problem: Problem,
    progress: Progress,
    checkpoint: Checkpoint,
    *,
    check: bool,
    options: FitOptions = _OPTIONS,
) -> SampledFit:
    """Sample the posterior: the first part of :func:`fit`.

    A caller can store the samples before :func:`complete`, so that a failure of the search does
    not cost them.
    """
    started = time.perf_counter()
    data_hash = problem.data_hash()
    posterior, settings = problem.posterior, problem.settings
    sampler_rng, search_rng, prior_rng, prune_rng, check_rng = np.random.default_rng(
        settings.seed
    ).spawn(5)
    for note in problem.notes:
        progress.note(note)
    impossible = posterior.impossible_fraction(options.prior_draws, prior_rng)
    samples = sample_posterior(
        posterior, settings, sampler_rng, progress, checkpoint.part("sampling")
    )
    checked = (
        cross_check(samples, posterior, settings, check_rng, progress, checkpoint.part("check"))
        if check
        else None
    )
    shortcomings = (*samples.shortcomings, *(() if checked is None else checked.shortcomings))
    for shortcoming in shortcomings:
        progress.note(f"Not converged: {shortcoming}")
    dead = samples.dead_points or (checked.samples.dead_points if checked else None)
    return SampledFit(
        problem=problem,
        samples=samples,
        check=checked,
        equal=equal_samples(posterior, samples, options.stored_samples),
        weighted=weighted_samples(posterior, samples.weighted, prune_rng, options.stored_samples),
        dead_points=None if dead is None else stored_dead_points(posterior, dead),
        shortcomings=shortcomings,
        impossible_fraction=impossible,
        data_hash=data_hash,
        search_rng=search_rng,
        started=started,
    )


def complete(
    sampled: SampledFit,
    progress: Progress,
    checkpoint: Checkpoint,
    found: Callable[[Mapping[str, float]], None] = lambda _: None,
) -> FitResult:
    """Search the best fit and summarise: the second part of :func:`fit`.

    ``found`` is called with the parameters of the best fit before the summary is made.
    """
    problem, samples = sampled.problem, sampled.samples
    posterior = problem.posterior
    progress.stage("Searching the best fit")
    flat = samples.u.reshape(-1, posterior.dimension)
    start_rng, kick_rng, check_rng = sampled.search_rng.spawn(3)
    starts = starting_points(problem, flat, samples.log_likelihood.ravel(), start_rng)
    search = SearchOptions(quiet_rounds=problem.settings.best_fit.quiet_rounds)
    best = best_fit(posterior, starts, kick_rng, checkpoint.part("best_fit"), options=search)
    found({name: float(at[0]) for name, at in posterior.parameters(best.u[None]).items()})
    samples, shortcomings = _checked(sampled, best, check_rng)
    for shortcoming in shortcomings:
        progress.note(f"Not converged: {shortcoming}")
    provenance = Provenance(
        (*sampled.shortcomings, *shortcomings),
        sampled.impossible_fraction,
        sampled.data_hash,
        time.perf_counter() - sampled.started,
    )
    summary = summarise(problem, samples, best, sampled.check, provenance)
    return FitResult(
        problem.name,
        problem,
        summary,
        sampled.equal,
        sampled.weighted,
        sampled.dead_points,
    )


def _checked(
    sampled: SampledFit, best: Minimum, rng: np.random.Generator
) -> tuple[Samples, tuple[str, ...]]:
    """Return the samples, whose error holds what they lack at the best fit, and shortcomings.

    A second engine that misses the same region agrees with the first one and proves nothing.
    """
    samples, problem = sampled.samples, sampled.problem
    task = sampling_task(problem.posterior, problem.settings)
    missing = missing_weight(task, best.u, samples.weighted, samples.evidence, rng)
    if missing is None:
        return samples, ()
    error = max(samples.evidence.error, missing.rise)
    evidence = replace(samples.evidence, error=error)
    return replace(samples, evidence=evidence), (missing.shortcoming,)
