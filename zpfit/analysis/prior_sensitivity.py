"""Dependence of ln Z on the width of the priors."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from zpfit.errors import ZpfitError
from zpfit.inference.posterior import Posterior
from zpfit.inference.priors import FreePrior, Normal, Priors, SignedLogUniform
from zpfit.inference.progress import SILENT, Progress
from zpfit.inference.samplers.result import effective_number
from zpfit.inference.sampling import evidence_of
from zpfit.inference.settings import Settings
from zpfit.io.arrays import FloatArray

FACTOR = 1.5
"""Factor by which priors become wider and narrower, on the scale on which they are uniform."""
_ENOUGH = 2000
"""Smallest number of effective samples for a reweighted evidence."""


@dataclass(frozen=True)
class VariedEvidence:
    """ln Z under other priors."""

    log_z: float | None
    """None if the computation failed."""
    error: float | None
    """Standard error of ln Z."""
    method: Literal["reweighted", "rerun"]
    shortcomings: tuple[str, ...] = ()
    """Reasons why ln Z is missing or not converged."""


@dataclass(frozen=True)
class WeightedRun:
    """Weighted samples and evidence of a run, for reweighting."""

    log_z: float
    error: float
    columns: Mapping[str, FloatArray]
    """Weighted samples of the parameters that vary, shape (n,) each."""
    log_weight: FloatArray
    """ln of the weights, shape (n,)."""
    independent_draws: bool
    """True if weights alone give the error, which dead points of nested sampling do not."""


def varied_evidence(
    posterior: Posterior,
    factor: float,
    run: WeightedRun,
    settings: Settings,
    rng: np.random.Generator,
    progress: Progress = SILENT,
) -> VariedEvidence:
    """Compute ln Z with every free prior ``factor`` times as wide, within the model's domain.

    For narrower priors Z changes by the posterior mean of the ratio of prior densities, exactly.
    If too few effective samples remain, and for wider priors, vegas integrates again. A user's
    model may fail outside its original priors; the result then has the reason alone.

    Parameters
    ----------
    posterior
        Model, priors and likelihood.
    factor
        Ratio of the new widths to the old ones.
    run
        Weighted samples of the posterior.
    settings
        Options of vegas.
    rng
        Generator of a new integral.
    progress
        Receiver of the stages of a new integral.
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
    """Return the posterior with every free prior ``factor`` times as wide, cut at its domain."""
    domains = {parameter.name: parameter.domain for parameter in posterior.model.parameters}
    priors = {
        name: _cut(prior, prior.stretched(factor), domains[name])
        for name, prior in posterior.priors.free.items()
    }
    return replace(posterior, priors=Priors({**posterior.priors.by_name, **priors}))


def _cut(prior: FreePrior, wide: FreePrior, domain: tuple[float, float]) -> FreePrior:
    """Return the wide prior, cut at the domain of the parameter."""
    low, high = wide.support()
    if domain[0] <= low and high <= domain[1]:
        return wide
    if isinstance(wide, SignedLogUniform):
        return wide.model_copy(update={"upper": min(wide.upper, -domain[0], domain[1])})
    if isinstance(wide, Normal):
        return prior  # a Gaussian has tails that cannot be cut
    bounds = {"lower": max(low, domain[0]), "upper": min(high, domain[1])}
    largest = {"largest": min(-domain[0], domain[1])}
    return wide.model_copy(update=largest if hasattr(wide, "largest") else bounds)
