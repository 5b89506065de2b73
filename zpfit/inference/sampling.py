"""Samples of a posterior and its evidence, by the engine that the settings name."""

from dataclasses import dataclass

import numpy as np

from zpfit.inference.checkpoint import NO_CHECKPOINT, Checkpoint
from zpfit.inference.posterior import Posterior
from zpfit.inference.progress import SILENT, Progress
from zpfit.inference.samplers import vegas
from zpfit.inference.samplers.engine import SamplingTask
from zpfit.inference.samplers.importance import Integral
from zpfit.inference.samplers.registry import find_engine
from zpfit.inference.samplers.result import Samples
from zpfit.inference.settings import Settings
from zpfit.io.arrays import FloatArray

_AGREE = 3.0
"""Difference of two engines' ln Z, in standard errors, that chance can explain."""


def sample_posterior(
    posterior: Posterior,
    settings: Settings,
    rng: np.random.Generator,
    progress: Progress = SILENT,
    checkpoint: Checkpoint = NO_CHECKPOINT,
) -> Samples:
    """Run the engine that ``settings.sampler.engine`` names.

    Parameters
    ----------
    posterior
        Model, priors and likelihood on the unit cube.
    settings
        Engine, options of all engines and target number of effective samples.
    rng
        Generator of all random numbers.
    progress
        Receiver of stages and completed fractions.
    checkpoint
        Store of intermediate states; a stored state is resumed.

    Returns
    -------
    Samples
        Samples of equal weight, weighted samples and ln Z.

    Raises
    ------
    NoAllowedPoint
        The likelihood excludes all but a few points of the prior.
    PoorProposal
        The posterior is too narrow for vegas's maps.
    UndefinedValue
        The model or a term gives NaN.
    """
    engine = find_engine(settings.sampler.engine)
    task = sampling_task(posterior, settings)
    options = settings.engine_options(engine.name)
    return engine.sample(task, options, rng, progress, checkpoint)


def sampling_task(posterior: Posterior, settings: Settings) -> SamplingTask:
    """Return what sampling engines know of a posterior."""
    priors = posterior.priors
    supports = [prior.support() for prior in priors.free.values()]
    has_terms = posterior.likelihood.measurements or posterior.likelihood.exclusions
    return SamplingTask(
        posterior.log_likelihood,
        posterior.dimension,
        settings.sampler.target_ess,
        settings.all_engine_options(),
        posterior.residuals if has_terms else None,
        priors.step_width,
        np.array([low == -high for low, high in supports]),
        tuple(priors.to_unit_cube(point) for point in settings.best_fit.points),
    )


def evidence_of(
    posterior: Posterior,
    settings: Settings,
    rng: np.random.Generator,
    progress: Progress = SILENT,
    effective: float = 0.0,
    known: FloatArray | None = None,
) -> Integral:
    """Compute ln Z and weighted samples with vegas alone.

    Parameters
    ----------
    posterior
        Model, priors and likelihood on the unit cube.
    settings
        Options of vegas: target error of ln Z and largest number of evaluations.
    rng
        Generator of all random numbers.
    progress
        Receiver of stages and completed fractions.
    effective
        Effective number of weighted samples to reach, if evaluations allow.
    known
        Points of a similar posterior, shape (m, d), which shorten the adaptation.

    Raises
    ------
    NoAllowedPoint
        The likelihood excludes all but a few points of the prior.
    PoorProposal
        The posterior is too narrow for vegas's maps.
    UndefinedValue
        The model or a term gives NaN.
    """
    _, integral = vegas.adapt_and_integrate(
        sampling_task(posterior, settings),
        settings.vegas,
        rng,
        effective=effective,
        progress=progress,
        known=known,
    )
    return integral


@dataclass(frozen=True)
class CrossCheck:
    """ln Z from a second, independent engine."""

    samples: Samples
    """Result of the second engine."""
    sigma: float
    """Difference between both values of ln Z, second minus first, over its standard error."""
    precision_keys: tuple[str, ...] = ()
    """Keys of the run file that make either ln Z more precise."""

    @property
    def agrees(self) -> bool:
        """True if chance can explain the difference."""
        return abs(self.sigma) < _AGREE

    @property
    def shortcomings(self) -> tuple[str, ...]:
        """Shortcomings of the second engine's result, and the disagreement if there is one."""
        second = tuple(f"{self.samples.engine}: {text}" for text in self.samples.shortcomings)
        if self.agrees:
            return second
        evidence = self.samples.evidence
        text = (
            f"{self.samples.engine} finds ln Z = {evidence.log_z:.3f} +- {evidence.error:.3f}, "
            f"{abs(self.sigma):.1f} standard errors away: raise {_listed(self.precision_keys)}"
        )
        return (*second, text)


def _listed(keys: tuple[str, ...]) -> str:
    """Return ``a, b and c``."""
    return " and ".join(part for part in (", ".join(keys[:-1]), keys[-1]) if part)


def cross_check(
    first: Samples,
    posterior: Posterior,
    settings: Settings,
    rng: np.random.Generator,
    progress: Progress = SILENT,
    checkpoint: Checkpoint = NO_CHECKPOINT,
) -> CrossCheck:
    """Compute ln Z again with the engine that checks the first one.

    Parameters
    ----------
    first
        Result of the first engine.
    posterior, settings
        Posterior and settings of the first result.
    rng
        Generator of the second engine's random numbers.
    progress, checkpoint
        Receiver of stages; store of intermediate states.

    Raises
    ------
    NoAllowedPoint, PoorProposal, UndefinedValue
        See :func:`sample_posterior`.
    """
    engine = find_engine(first.engine)
    other = find_engine(engine.cross_check)
    second = sample_posterior(
        posterior, settings.with_engine(other.name), rng, progress, checkpoint
    )
    difference = second.evidence.log_z - first.evidence.log_z
    sigma = difference / np.hypot(second.evidence.error, first.evidence.error)
    keys = dict.fromkeys([*engine.precision_keys, *other.precision_keys])
    return CrossCheck(second, float(sigma), tuple(keys))
