"""Dependence of ln Z on the width of the priors."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from zpfit.errors import NoAllowedPoint, PoorProposal, ZpfitError
from zpfit.inference.posterior import Posterior
from zpfit.inference.priors import FreePrior, Normal, Priors, SignedLogUniform
from zpfit.inference.progress import SILENT, Progress
from zpfit.inference.samplers.importance import Integral
from zpfit.inference.samplers.result import effective_number
from zpfit.inference.sampling import evidence_of
from zpfit.inference.settings import Settings
from zpfit.io.arrays import FloatArray

FACTOR = 1.5
"""Factor by which priors become wider and narrower, on the scale on which they are uniform."""
_ENOUGH = 2000
"""Smallest number of effective samples for a reweighted evidence."""
_ERROR = 0.02
"""Smallest target error of ln Z with other priors, which a reweighted one has as well."""
_KNOWN = 5000
"""Samples of the run with which maps for other priors begin."""
_AGREE = 4.0
"""Largest difference from the run's own evidence, in standard errors."""


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
    varied, settings = stretched(posterior, factor), _coarse(settings)
    narrowed = _reweighted(run, posterior.priors, varied.priors) if factor < 1 else None
    if narrowed is not None and narrowed.effective >= _ENOUGH:
        change, error = narrowed.change, narrowed.error
        error = error if run.independent_draws else float(np.hypot(run.error, error))
        return VariedEvidence(run.log_z + change, error, "reweighted")
    try:
        integral = _from_known(posterior, varied, run, narrowed, settings, rng, progress)
        if integral is None:
            integral = evidence_of(varied, settings, rng, progress)
    except ZpfitError as failure:
        return VariedEvidence(None, None, "rerun", (str(failure),))
    evidence = integral.evidence
    return VariedEvidence(evidence.log_z, evidence.error, "rerun", integral.shortcomings)


def _coarse(settings: Settings) -> Settings:
    """Return settings for an integral that shows whether ranks change."""
    error = max(settings.vegas.error, _ERROR)
    return settings.model_copy(update={"vegas": settings.vegas.model_copy(update={"error": error})})


@dataclass(frozen=True)
class _Reweighted:
    """Mean ratio of two prior densities over weighted samples under the second one."""

    change: float
    """ln of the mean: the difference of ln Z."""
    effective: float
    """Effective samples after reweighting."""

    @property
    def error(self) -> float:
        """Standard error of ``change``."""
        return float(max(self.effective, 1.0) ** -0.5)


def _reweighted(run: WeightedRun, old: Priors, new: Priors) -> _Reweighted:
    return _change(run.log_weight, run.columns, old, new)


def _change(
    log_weight: FloatArray, columns: Mapping[str, FloatArray], old: Priors, new: Priors
) -> _Reweighted:
    log_ratio = sum(
        new.free[name].log_density(columns[name]) - prior.log_density(columns[name])
        for name, prior in old.free.items()
    )
    weight = log_weight + log_ratio
    with np.errstate(divide="ignore"):
        change = float(np.log(np.sum(np.exp(weight))))
    return _Reweighted(change, effective_number(weight) if np.isfinite(change) else 0.0)


def _from_known(
    posterior: Posterior,
    varied: Posterior,
    run: WeightedRun,
    narrowed: _Reweighted | None,
    settings: Settings,
    rng: np.random.Generator,
    progress: Progress,
) -> Integral | None:
    """Integrate with maps that begin with the run's samples; None if that cannot be trusted.

    The part of the wider prior where the run has integrated must have the run's evidence, and the
    narrower prior the one that reweighting gives.
    """
    known = _points(varied.priors, run, rng)
    try:
        integral = evidence_of(varied, settings, rng, progress, known=known)
    except (PoorProposal, NoAllowedPoint):
        return None
    found, evidence = integral.samples, integral.evidence
    if narrowed is None:
        columns = varied.parameters(found.u)
        back = _change(found.log_weight, columns, varied.priors, posterior.priors)
        difference = evidence.log_z + back.change - run.log_z
        error = np.hypot(run.error, np.hypot(evidence.error, back.error))
    else:
        difference = evidence.log_z - narrowed.change - run.log_z
        error = np.hypot(run.error, np.hypot(evidence.error, narrowed.error))
    trusted = not integral.shortcomings and abs(difference) <= _AGREE * error
    return integral if trusted else None


def _points(priors: Priors, run: WeightedRun, rng: np.random.Generator) -> FloatArray:
    """Return samples of a run on the unit cube of other priors, shape (m, d)."""
    weight = np.exp(run.log_weight - run.log_weight.max())
    chosen = np.unique(rng.choice(len(weight), _KNOWN, p=weight / weight.sum()))
    rows = [
        [prior.cdf(value) for value in run.columns[name][chosen].tolist()]
        for name, prior in priors.free.items()
    ]
    u = np.array(rows).T
    u += priors.step_width * (rng.random(u.shape) - 0.5)
    return u[np.all((u > 0) & (u < 1), axis=1)]


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
