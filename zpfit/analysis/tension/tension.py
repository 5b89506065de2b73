"""Agreement between groups of data within a model, by four measures from the same fits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from zpfit.analysis.joint_sigma import joint_sigma_or_none
from zpfit.analysis.records import TensionRecord
from zpfit.analysis.tension.parameter_goodness import ParameterGoodness, parameter_goodness
from zpfit.analysis.tension.pulls import Pulls, predictive_pulls
from zpfit.analysis.tension.suspiciousness import Constraint, EvidenceTension, evidence_tension
from zpfit.inference.problem import Problem
from zpfit.inference.progress import Progress
from zpfit.inference.search.best_fit import Minimum, best_fit, starting_points
from zpfit.likelihood.entry_labels import dated_labels

_PRIOR_DRAWS = 20_000
"""Prior draws; the model must exist at one of them."""
_PREDICTED = 200_000
"""Largest number of posterior samples over which predictions are averaged."""


@dataclass(frozen=True)
class Tension:
    """Agreement between groups of data."""

    best: Minimum
    """Best fit of all data."""
    pulls: Mapping[str, Pulls]
    """Pulls by entry."""
    joint_sigma: float | None
    """Smallest number of standard errors within which all anomalies are met.

    None without anomalies, or if the other data cannot be met.
    """
    goodness: ParameterGoodness
    evidence: EvidenceTension
    shortcomings: tuple[str, ...]
    """Reasons why results are not converged, with remedies; empty if they are."""


def tension(run: Problem, progress: Progress) -> Tension:
    """Compare the groups of data of a problem; its seed settles every random number.

    Raises
    ------
    ModelNeverValid, NoAllowedPoint, PoorProposal, UndefinedValue
        See :func:`zpfit.analysis.fit.fit`.
    """
    posterior = run.posterior
    rngs = np.random.default_rng(run.settings.seed).spawn(7)
    for note in run.notes:
        progress.note(note)
    posterior.impossible_fraction(_PRIOR_DRAWS, rngs[6])
    evidence = evidence_tension(posterior, run.settings, rngs[0], progress)
    progress.stage("Best fits of all data and of each group")
    samples = evidence.integral.samples
    starts = starting_points(run, samples.u, samples.log_likelihood, rngs[1])
    best = best_fit(posterior, starts, rngs[2])
    goodness = parameter_goodness(posterior, best, starts, rngs[3])
    progress.stage("Joint sigma")
    reached, notes = joint_sigma_or_none(posterior, rngs[4], run.settings.joint_sigma)
    return Tension(
        best=best,
        pulls=predictive_pulls(posterior, best.u, samples.pruned(rngs[5], _PREDICTED)),
        joint_sigma=None if reached is None else reached.sigma,
        goodness=goodness,
        evidence=evidence.tension,
        shortcomings=(*evidence.shortcomings, *notes),
    )


def tension_record(run: Problem, result: Tension) -> TensionRecord:
    """Return the record of a result; None where a number does not exist."""
    record: TensionRecord = {
        "title": run.title,
        "model": run.posterior.model.name,
        "likelihood": run.posterior.likelihood.name,
        "seed": run.settings.seed,
        "best_fit_chi2": result.best.chi2,
        "pulls": {name: vars(pulls) for name, pulls in result.pulls.items()},
        "joint_sigma": result.joint_sigma,
        "parameter_goodness": _goodness(result.goodness),
        "evidence": _evidence(result.evidence),
        "converged": not result.shortcomings,
        "shortcomings": list(result.shortcomings),
        "labels": dated_labels(run.assembled),
    }
    if figure := run.settings.figure.as_record():
        record["figure"] = figure
    return record


def _goodness(goodness: ParameterGoodness) -> dict[str, Any]:
    return {
        "chi2": goodness.chi2,
        "dof": goodness.degrees,
        "p_value": goodness.p_value,
        "sigma": goodness.sigma,
        "rank": goodness.rank_together,
        "by_group": {name: vars(group) for name, group in goodness.by_group.items()},
    }


def _evidence(evidence: EvidenceTension) -> dict[str, Any]:
    log_r_err, log_s_err, dimensionality_err = map(float, evidence.errors)
    return {
        "log_r": evidence.log_r,
        "log_r_err": log_r_err,
        "log_i": evidence.log_i,
        "log_i_err": evidence.log_i_error,
        "log_s": evidence.log_s,
        "log_s_err": log_s_err,
        "dimensionality": evidence.dimensionality,
        "dimensionality_err": dimensionality_err,
        "p_value": evidence.p_value,
        "sigma": evidence.sigma,
        "sigma_err": evidence.sigma_error,
        "log_possible": evidence.together.log_possible,
        "together": _constraint(evidence.together),
        "by_group": {name: _constraint(group) for name, group in evidence.by_group.items()},
    }


def _constraint(constraint: Constraint) -> dict[str, float]:
    return {
        "log_z": constraint.log_z,
        "error": constraint.error,
        "information": constraint.information,
        "information_err": constraint.information_error,
        "dimensionality": constraint.dimensionality,
        "dimensionality_err": constraint.dimensionality_error,
    }
