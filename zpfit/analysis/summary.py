"""Summaries of fits, and the samples that are stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from zpfit.analysis.evaluate import describe_point
from zpfit.analysis.marginals import Marginals, finite
from zpfit.analysis.records import (
    BestFitRecord,
    CrossCheckRecord,
    EvidenceRecord,
    FitSummary,
    ReachRecord,
)
from zpfit.analysis.unverified import influence_of
from zpfit.inference.posterior import Posterior
from zpfit.inference.priors import Fractions, LogUniform, SignedLogUniform, Tied
from zpfit.inference.problem import Problem
from zpfit.inference.samplers.registry import packages_behind
from zpfit.inference.samplers.result import (
    DeadPoints,
    Samples,
    StoredDeadPoints,
    StoredSamples,
    WeightedSamples,
)
from zpfit.inference.sampling import CrossCheck
from zpfit.inference.search.best_fit import Minimum
from zpfit.io.arrays import FloatArray
from zpfit.io.versions import versions
from zpfit.likelihood.entry_labels import dated_labels
from zpfit.likelihood.mass_coverage import mass_coverage
from zpfit.physics.couplings import Couplings


def varying(posterior: Posterior, u: FloatArray) -> dict[str, FloatArray]:
    """Return parameters that vary at points u of shape (..., d), each of shape (...)."""
    parameters = posterior.parameters(u.reshape(-1, posterior.dimension))
    return {name: parameters[name].reshape(u.shape[:-1]) for name in posterior.priors.varying}


def equal_samples(posterior: Posterior, samples: Samples, most: int) -> StoredSamples:
    """Return the samples of equal weight, thinned to at most ``most``."""
    stride = -(-samples.log_likelihood.size // most)
    return StoredSamples(
        values=varying(posterior, samples.u[:, ::stride]),
        log_likelihood=samples.log_likelihood[:, ::stride],
        attributes=axis_attributes(posterior),
    )


def weighted_samples(
    posterior: Posterior, samples: WeightedSamples, rng: np.random.Generator, most: int
) -> StoredSamples:
    """Return about ``most`` weighted samples; light ones are thinned and gain weight."""
    kept = samples.pruned(rng, most)
    return StoredSamples(
        values=varying(posterior, kept.u[None, :, None]),
        log_likelihood=kept.log_likelihood[None, :, None],
        attributes=axis_attributes(posterior),
        log_weight=kept.log_weight[None, :, None],
    )


def stored_dead_points(posterior: Posterior, points: DeadPoints) -> StoredDeadPoints:
    """Return dead points with the values of the sampled parameters."""
    values = posterior.parameters(points.u)
    sampled = {name: values[name] for name in posterior.names}
    return StoredDeadPoints(sampled, points.log_likelihood, points.log_birth)


def axis_attributes(posterior: Posterior) -> dict[str, dict[str, Any]]:
    """Return symbol, unit and scale of each parameter that varies, for plots."""
    return {
        parameter.name: {
            "symbol": parameter.symbol,
            "unit": parameter.unit,
            **_scale(posterior, parameter.name),
        }
        for parameter in posterior.model.parameters
        if parameter.name in posterior.priors.varying
    }


def _scale(posterior: Posterior, name: str) -> dict[str, Any]:
    """Return the scale on which a prior is flat, and the width of its steps, if any."""
    prior = posterior.priors.by_name[name]
    factor = sign = 1.0
    if isinstance(prior, Tied):
        factor, sign = abs(prior.factor), prior.factor
        prior = posterior.priors.by_name[prior.to]
    if isinstance(prior, SignedLogUniform):
        return {"scale": "signed_log", "lower": prior.lower * factor, "step": 0.0}
    if isinstance(prior, LogUniform) and sign < 0:
        return {"scale": "signed_log", "lower": prior.lower * factor, "step": 0.0}
    if isinstance(prior, LogUniform):
        return {"scale": "log", "lower": prior.lower * factor, "step": 0.0}
    step = factor / prior.denominator if isinstance(prior, Fractions) else 0.0
    return {"scale": "linear", "lower": 0.0, "step": step}


@dataclass(frozen=True)
class Provenance:
    """How a fit was made, as far as the samples do not say it."""

    shortcomings: tuple[str, ...]
    """Reasons why the samples are not converged; empty if they are."""
    impossible_fraction: float
    """Fraction of the prior where the model cannot exist."""
    data_hash: str
    seconds: float
    """Wall time."""


def summarise(
    run: Problem, samples: Samples, best: Minimum, check: CrossCheck | None, provenance: Provenance
) -> FitSummary:
    """Return the results of a fit in the form of JSON."""
    posterior = run.posterior
    free = list(posterior.names)
    unverified = run.assembled.unverified()
    marginals = Marginals(posterior, samples, best)
    return {
        "title": run.title,
        "model": posterior.model.name,
        "likelihood": posterior.likelihood.name,
        "seed": run.settings.seed,
        "best_fit": at_best_fit(posterior, best),
        "no_zprime": describe_point(posterior.likelihood, Couplings.none()),
        "evidence": _evidence(samples, check),
        "posterior": {name: marginals.of(name) for name in posterior.priors.varying},
        "curve_reach": _reach(posterior, samples, best),
        "labels": dated_labels(run.assembled),
        "unverified": unverified,
        "unverified_influence": influence_of(
            posterior, samples.u.reshape(-1, posterior.dimension), list(unverified)
        ),
        "sampler": {
            "engine": samples.engine,
            "ensembles": samples.u.shape[0],
            "walkers": samples.u.shape[2],
            "steps": samples.diagnostics.steps,
            "acceptance": list(samples.acceptance),
            "autocorrelation_time": {
                name: finite(samples.diagnostics.autocorrelation_time[axis])
                for axis, name in enumerate(free)
            },
            "thin": samples.thin,
        },
        "versions": versions(packages_behind(run.settings.sampler.engine)),
        "converged": not provenance.shortcomings,
        "shortcomings": list(provenance.shortcomings),
        "impossible_prior_fraction": provenance.impossible_fraction,
        "data_hash": provenance.data_hash,
        "wall_time_s": provenance.seconds,
    }


def _evidence(samples: Samples, check: CrossCheck | None) -> EvidenceRecord:
    evidence = samples.evidence
    record: EvidenceRecord = {
        "log_z": evidence.log_z,
        "error": evidence.error,
        "spread": evidence.spread,
        "evaluations": evidence.evaluations,
        "independent": [
            {"log_z": finite(log_z), "error": finite(error)}
            for log_z, error in evidence.independent
        ],
        "effective_fraction": samples.weighted.effective / evidence.evaluations,
        "largest_weight": samples.weighted.largest_share,
        "information": samples.information,
        "dimensionality": samples.dimensionality,
    }
    if check is not None:
        record["cross_check"] = _check(check)
    return record


def _check(check: CrossCheck) -> CrossCheckRecord:
    return {
        "engine": check.samples.engine,
        "log_z": check.samples.evidence.log_z,
        "error": check.samples.evidence.error,
        "sigma": check.sigma,
        "agrees": check.agrees,
    }


def _reach(posterior: Posterior, samples: Samples, best: Minimum) -> dict[str, ReachRecord]:
    u = samples.u.reshape(-1, posterior.dimension)
    masses, [mass] = posterior.couplings(u).m_Zp, posterior.couplings(best.u[None]).m_Zp
    reach = mass_coverage(posterior.likelihood, masses, float(mass))
    return {
        name: {
            "mass_range_MeV": list(curve.mass_range),
            "posterior_outside": curve.posterior_outside,
            "best_fit_outside": curve.best_fit_outside,
        }
        for name, curve in reach.items()
    }


def at_best_fit(posterior: Posterior, best: Minimum) -> BestFitRecord:
    """Return the record of the best fit of a posterior."""
    u = best.u[None]
    values = posterior.parameters(u)
    couplings = posterior.model.couplings(values)
    return {
        "parameters": {name: float(column[0]) for name, column in values.items()},
        "couplings": _first(dict(couplings.items())),
        "derived": _first(posterior.model.derived(values)),
        **describe_point(posterior.likelihood, couplings),
    }


def _first(columns: Mapping[str, FloatArray]) -> dict[str, float | None]:
    return {name: finite(values[0]) for name, values in columns.items()}
