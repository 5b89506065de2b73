"""A posterior and its evidence by the engine that a run asks for."""

from dataclasses import dataclass

import numpy as np

from zpfit.inference.checkpoint import FORGETFUL, Checkpoint
from zpfit.inference.diagnostics import Diagnostics, diagnose
from zpfit.inference.posterior import Posterior
from zpfit.inference.progress import Progress
from zpfit.inference.samplers.dynesty import nested_sampling
from zpfit.inference.samplers.importance import Integral, Target, integrate
from zpfit.inference.samplers.proposal_map import MixtureMap
from zpfit.inference.samplers.result import DeadPoints, Evidence, Samples, WeightedSamples
from zpfit.inference.samplers.vegas import adapt_maps
from zpfit.inference.settings import Settings

_AGREE = 3.0
"""Standard errors between two engines that can be chance."""
_SPARE = 10
"""Effective weighted samples for each walker that starts from them, so that few are copies."""
_MAX_EQUAL, _COLUMNS = 50_000, 100
"""Samples of equal weight drawn from weighted ones, laid out as so many walkers."""


def sample_posterior(
    posterior: Posterior,
    settings: Settings,
    rng: np.random.Generator,
    progress: Progress,
    checkpoint: Checkpoint = FORGETFUL,
) -> Samples:
    """Run the engine of ``settings.sampler``.

    Raises
    ------
    NoAllowedPoint
        The likelihood excludes all but a few points of the prior.
    PoorMap
        The posterior is too narrow for vegas's maps.
    NotANumber
        The model or a term gives NaN.
    """
    engines = {"emcee": _with_emcee, "vegas": _with_vegas, "dynesty": _with_dynesty}
    return engines[settings.sampler.engine](posterior, settings, rng, progress, checkpoint)


def evidence_of(
    posterior: Posterior,
    settings: Settings,
    rng: np.random.Generator,
    progress: Progress,
    effective: float = 0.0,
) -> Integral:
    """ln Z and weighted samples from vegas alone, at least ``effective`` if evaluations allow.

    Raises
    ------
    As :func:`sample_posterior`.
    """
    return _integral(posterior, settings, effective, rng, progress, FORGETFUL)[1]


def _integral(
    posterior: Posterior,
    settings: Settings,
    effective: float,
    rng: np.random.Generator,
    progress: Progress,
    checkpoint: Checkpoint,
) -> tuple[MixtureMap, Integral]:
    options = settings.vegas
    map_rng, draw_rng = rng.spawn(2)
    progress.stage("Adapting to the posterior")
    maps = adapt_maps(
        posterior.log_likelihood,
        posterior.dimension,
        options.adaptations,
        map_rng,
        checkpoint.part("map"),
    )
    progress.stage("Integrating the evidence")
    target = Target(options.error, effective, options.max_evaluations)
    integral = integrate(
        posterior.log_likelihood, maps, draw_rng, target, progress, checkpoint.part("integral")
    )
    return maps, integral


def _with_emcee(
    posterior: Posterior,
    settings: Settings,
    rng: np.random.Generator,
    progress: Progress,
    checkpoint: Checkpoint,
) -> Samples:
    from zpfit.inference.samplers.emcee import (
        sample,  # brings scipy.stats, which takes long to import
    )

    options = settings.sampler
    integral_rng, start_rng, chain_rng = rng.spawn(3)
    wanted = _SPARE * options.walkers * options.ensembles
    maps, integral = _integral(posterior, settings, wanted, integral_rng, progress, checkpoint)
    draws = _split(integral.samples, options.ensembles)
    starts = [draw.resampled(start_rng, options.walkers)[0] for draw in draws]
    progress.stage("Sampling the posterior")
    chains = sample(
        posterior.log_likelihood,
        maps,
        np.stack(starts),
        options.target_ess,
        options.max_steps,
        chain_rng,
        progress,
        checkpoint.part("chains"),
    )
    return Samples(
        engine="emcee",
        weighted=integral.samples,
        evidence=integral.evidence,
        u=chains.u,
        log_likelihood=chains.log_likelihood,
        thin=chains.thin,
        acceptance=tuple(float(value) for value in chains.acceptance),
        diagnostics=chains.diagnostics,
        shortcomings=(
            *chains.shortcomings,
            *_poor_starts(draws, options.walkers),
            *integral.shortcomings,
        ),
    )


def _poor_starts(draws: list[WeightedSamples], walkers: int) -> list[str]:
    """Ensembles that start from copies cannot tell that they have missed something."""
    return [
        f"the {walkers} walkers of ensemble {index + 1} start from {draw.effective:.0f} "
        "independent points: narrow the priors to where the data allow"
        for index, draw in enumerate(draws)
        if draw.effective < walkers
    ]


def _with_vegas(
    posterior: Posterior,
    settings: Settings,
    rng: np.random.Generator,
    progress: Progress,
    checkpoint: Checkpoint,
) -> Samples:
    wanted = settings.sampler.target_ess
    integral_rng, draw_rng = rng.spawn(2)
    _, integral = _integral(posterior, settings, wanted, integral_rng, progress, checkpoint)
    return _from_weighted(
        "vegas", integral.samples, integral.evidence, integral.shortcomings, wanted, draw_rng
    )


def _with_dynesty(
    posterior: Posterior,
    settings: Settings,
    rng: np.random.Generator,
    progress: Progress,
    checkpoint: Checkpoint,
) -> Samples:
    options = settings.dynesty
    nested_rng, draw_rng = rng.spawn(2)
    progress.stage("Nested sampling")
    nested = nested_sampling(
        posterior.log_likelihood,
        posterior.dimension,
        options.live_points,
        options.tolerance,
        nested_rng,
        progress,
        checkpoint.part("nested"),
    )
    return _from_weighted(
        "dynesty",
        nested.samples,
        nested.evidence,
        (),
        settings.sampler.target_ess,
        draw_rng,
        nested.dead_points,
    )


def _from_weighted(
    engine: str,
    samples: WeightedSamples,
    evidence: Evidence,
    shortcomings: tuple[str, ...],
    target_ess: int,
    rng: np.random.Generator,
    dead_points: DeadPoints | None = None,
) -> Samples:
    """Equal-weight samples in two halves that share no draw, for R-hat to compare."""
    effective = samples.effective
    steps = max(min(int(effective), _MAX_EQUAL) // (2 * _COLUMNS), 4)
    halves = [half.resampled(rng, steps * _COLUMNS) for half in _split(samples, 2)]
    u = np.stack([points.reshape(steps, _COLUMNS, -1) for points, _ in halves])
    log_l = np.stack([values.reshape(steps, _COLUMNS) for _, values in halves])
    rhat = diagnose(u, 1).rhat
    ess = np.full(u.shape[-1], effective)
    if effective < target_ess:
        remedy = "dynesty.live_points" if engine == "dynesty" else "vegas.max_evaluations"
        text = f"{effective:.0f} effective samples of {target_ess} wanted: raise {remedy}"
        shortcomings = (*shortcomings, text)
    return Samples(
        engine=engine,
        weighted=samples,
        evidence=evidence,
        u=u,
        log_likelihood=log_l,
        thin=1,
        acceptance=(),
        diagnostics=Diagnostics(ess, rhat, np.ones_like(ess), steps),
        shortcomings=shortcomings,
        dead_points=dead_points,
    )


def _split(samples: WeightedSamples, parts: int) -> list[WeightedSamples]:
    """Every ``parts``-th sample each."""
    return [
        WeightedSamples.normalised(
            samples.u[i::parts], samples.log_likelihood[i::parts], samples.log_weight[i::parts]
        )
        for i in range(parts)
    ]


@dataclass(frozen=True)
class CrossCheck:
    """ln Z from a second, independent engine."""

    samples: Samples
    """From the second engine."""
    sigma: float
    """Difference between both ln Z over its error."""

    @property
    def agrees(self) -> bool:
        """Whether the difference can be chance."""
        return abs(self.sigma) < _AGREE

    @property
    def shortcomings(self) -> tuple[str, ...]:
        """What is wrong with the second engine's result, and that they disagree, if they do."""
        second = tuple(f"{self.samples.engine}: {text}" for text in self.samples.shortcomings)
        if self.agrees:
            return second
        evidence = self.samples.evidence
        text = (
            f"{self.samples.engine} finds ln Z = {evidence.log_z:.3f} +- {evidence.error:.3f}, "
            f"{abs(self.sigma):.1f} standard errors away: raise vegas.max_evaluations, "
            "vegas.adaptations and dynesty.live_points"
        )
        return (*second, text)


def cross_check(
    first: Samples,
    posterior: Posterior,
    settings: Settings,
    rng: np.random.Generator,
    progress: Progress,
    checkpoint: Checkpoint = FORGETFUL,
) -> CrossCheck:
    """Repeat with dynesty, or with vegas if dynesty came first."""
    other = "vegas" if first.engine == "dynesty" else "dynesty"
    options = settings.model_copy(
        update={"sampler": settings.sampler.model_copy(update={"engine": other})}
    )
    second = sample_posterior(posterior, options, rng, progress, checkpoint)
    difference = second.evidence.log_z - first.evidence.log_z
    sigma = difference / np.hypot(second.evidence.error, first.evidence.error)
    return CrossCheck(second, float(sigma))
