"""How ln Z depends on the width of the priors."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from zpfit.errors import ZpfitError
from zpfit.inference.posterior import Posterior
from zpfit.inference.priors import FreePrior, Normal, Priors, SignedLogUniform
from zpfit.inference.progress import Progress
from zpfit.inference.samplers.result import effective_number
from zpfit.inference.sampling import evidence_of
from zpfit.inference.settings import Settings
from zpfit.io.arrays import FloatArray

FACTOR = 1.5
"""By which priors are made wider, and narrower, on the scale on which they are flat."""
_ENOUGH = 2000
"""Effective samples that must be left for a reweighted evidence."""


@dataclass(frozen=True)
class VariedEvidence:
    """ln Z under other priors."""

    log_z: float | None
    """None if there is none."""
    error: float | None
    method: Literal["reweighted", "rerun"]
    shortcomings: tuple[str, ...] = ()
    """Why it is missing or not converged."""


@dataclass(frozen=True)
class WeightedRun:
    """What reweighting needs to know of a run."""

    log_z: float
    error: float
    columns: Mapping[str, FloatArray]
    """Weighted samples of every parameter that varies, each of shape (n,)."""
    log_weight: FloatArray
    """Shape (n,)."""
    independent_draws: bool
    """Whether weights alone tell the error; dead points of nested sampling do not."""


def varied_evidence(
    posterior: Posterior,
    factor: float,
    run: WeightedRun,
    settings: Settings,
    rng: np.random.Generator,
    progress: Progress,
) -> VariedEvidence:
    """ln Z with every free prior ``factor`` times as wide, as far as the model is defined.

    Narrower priors are a part of the prior at hand: Z changes by the posterior mean of the
    ratio of prior densities, exactly. Where that leaves too few effective samples, and for wider
    priors, the integral is done anew, by vegas. Where that fails, as a user's model may beyond
    the priors it was meant for, the reason is all there is.
    """
    varied = stretched(posterior, factor)
    if factor < 1:
        log_ratio = sum(
            varied.priors.free[name].log_density(run.columns[name])
            - prior.log_density(run.columns[name])
            for name, prior in posterior.priors.free.items()
        )
        left = effective_number(run.log_weight + log_ratio)
        if left >= _ENOUGH:
            change = float(np.log(np.sum(np.exp(run.log_weight + log_ratio))))
            error = left**-0.5 if run.independent_draws else np.hypot(run.error, left**-0.5)
            return VariedEvidence(run.log_z + change, float(error), "reweighted")
    try:
        integral = evidence_of(varied, settings, rng, progress)
    except ZpfitError as failure:
        return VariedEvidence(None, None, "rerun", (str(failure),))
    evidence = integral.evidence
    return VariedEvidence(evidence.log_z, evidence.error, "rerun", integral.shortcomings)


def stretched(posterior: Posterior, factor: float) -> Posterior:
    """The posterior with every free prior ``factor`` times as wide, cut at its domain."""
    domains = {parameter.name: parameter.domain for parameter in posterior.model.parameters}
    priors = {
        name: _cut(prior, prior.stretched(factor), domains[name])
        for name, prior in posterior.priors.free.items()
    }
    return replace(posterior, priors=Priors({**posterior.priors.by_name, **priors}))


def _cut(prior: FreePrior, wide: FreePrior, domain: tuple[float, float]) -> FreePrior:
    """``wide`` as far as the model is defined."""
    low, high = wide.support()
    if domain[0] <= low and high <= domain[1]:
        return wide
    if isinstance(wide, SignedLogUniform):
        return wide.model_copy(update={"upper": min(wide.upper, -domain[0], domain[1])})
    if isinstance(wide, Normal):
        return prior  # its tails cannot be cut
    bounds = {"lower": max(low, domain[0]), "upper": min(high, domain[1])}
    largest = {"largest": min(-domain[0], domain[1])}
    return wide.model_copy(update=largest if hasattr(wide, "largest") else bounds)
