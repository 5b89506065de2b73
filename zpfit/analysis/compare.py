"""Comparison of fits: best fits, evidences, tension, and the influence of the priors."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import log
from typing import Any

import numpy as np

from zpfit.analysis.bayes_factors import against_reference
from zpfit.analysis.certify.bound_below import is_least, proved_below
from zpfit.analysis.fit import FitResult
from zpfit.analysis.joint_sigma import (
    JointSigma,
    best_joint_sigma_of,
    improve_joint_sigma,
    joint_sigma_or_none,
)
from zpfit.analysis.prior_sensitivity import FACTOR, VariedEvidence, WeightedRun, varied_evidence
from zpfit.analysis.records import (
    ComparisonRow,
    HypothesisRecord,
    PointRecord,
    VariedEvidenceRecord,
)
from zpfit.analysis.summary import at_best_fit
from zpfit.errors import AmbiguousReference, UnknownReference
from zpfit.inference.posterior import Posterior
from zpfit.inference.problem import Problem
from zpfit.inference.progress import Progress, Silent
from zpfit.inference.samplers.registry import find_engine
from zpfit.inference.search.best_fit import Minimum, best_fit
from zpfit.inference.search.embedding import embedded_points
from zpfit.inference.search.kicks import kick
from zpfit.inference.settings import JointSigmaSpec
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.entry_labels import dated_labels
from zpfit.likelihood.likelihood import Likelihood
from zpfit.models.base import Model
from zpfit.physics.couplings import Couplings

NO_ZPRIME = "no Z'"
"""Name of the hypothesis without a Z', which each comparison holds."""
_SAME_CHI2 = 1e-3
"""Difference in chi2 between two searches that counts as none."""
_SAME_LEVEL = 1e-6
"""Difference of joint sigmas that counts as none."""
_NEAR = 50
"""Starts around each embedded best fit."""


Jobs = Mapping[str, Callable[[], Any]]
"""Functions without arguments that do not depend on each other, by name."""
RunJobs = Callable[[Jobs], dict[str, Any]]
"""Calls all functions, in this process or in several, and returns their results by name."""


def one_after_another(jobs: Jobs) -> dict[str, Any]:
    """Call functions in this process."""
    return {name: job() for name, job in jobs.items()}


@dataclass(frozen=True)
class Comparison:
    """Fits side by side, and the hypothesis without a Z' on each data set."""

    rows: tuple[ComparisonRow, ...]
    """One row for each fit and, for each data set, one for the hypothesis without a Z'."""
    reference: str
    """Model in the denominator of the Bayes factors."""
    fits: tuple[FitResult, ...]


def compare(
    fits: Sequence[FitResult],
    reference: str = NO_ZPRIME,
    seed: int = 1,
    progress: Progress | None = None,
    run_jobs: RunJobs = one_after_another,
) -> Comparison:
    """Compare fits with each other and with the hypothesis without a Z'.

    Parameters
    ----------
    fits
        Finished fits with different names, on one or several data sets.
    reference
        Model in the denominator of the Bayes factors.
    seed
        Seed of the searches for joint sigmas and of the integrals under other priors.
    progress
        Receiver of stages and notes; silent by default.
    run_jobs
        Runs searches and integrals, which can be pickled. Results do not depend on where.

    Raises
    ------
    UnknownReference
        A data set has no fit of the reference.
    AmbiguousReference
        A data set has several fits of the reference.
    """
    progress = progress or Silent()
    # Problems from run folders are all named after the run file there, as jobs must not be.
    problems = [replace(fit.problem, name=fit.name) for fit in fits]
    check_reference(problems, reference)
    rng = np.random.default_rng(seed)
    rows: list[ComparisonRow] = []
    rngs = [own.spawn(4) for own in rng.spawn(len(fits))]
    fits = best_fits_in_order(fits, [own[3] for own in rngs], progress)
    progress.stage("Joint sigmas and other priors")
    searches = joint_sigma_jobs(problems, [own[0] for own in rngs])
    found = run_jobs({**searches, **_other_priors_jobs(fits, [own[1:3] for own in rngs])})
    reached = shared_joint_sigmas(problems, found, [own[0] for own in rngs])
    progress.stage("Proving joint sigmas")
    proved = run_jobs(proof_jobs(problems, reached))
    for number, group in enumerate(by_data(problems), start=1):
        together = [_without(fits[group[0]], number)]
        for index in group:
            name = fits[index].name
            varied, bound = found[f"other priors of {name}"], proved[f"proof for {name}"]
            together.append(_row(fits[index], number, reached[index], varied, bound))
        rows += against_reference(together, reference)
    return Comparison(tuple(rows), reference, tuple(fits))


def by_data(runs: Sequence[Problem]) -> list[list[int]]:
    """Return groups of indices of runs on the same data.

    Data are the same if entries, curves and forms of exclusions are.
    """
    groups: dict[str, list[int]] = {}
    for index, run in enumerate(runs):
        forms = [f"{e.name}:{e.soft}" for e in run.posterior.likelihood.exclusions]
        groups.setdefault(run.assembled.data_hash() + ",".join(forms), []).append(index)
    return list(groups.values())


def check_reference(runs: Sequence[Problem], reference: str) -> None:
    """Check that each data set has the reference exactly once.

    Raises
    ------
    UnknownReference
        A data set has no run of the reference.
    AmbiguousReference
        A data set has several runs of the reference.
    """
    for group in by_data(runs):
        models = [NO_ZPRIME, *(runs[index].posterior.model.name for index in group)]
        if reference not in models:
            raise UnknownReference(reference, models)
        if models.count(reference) > 1:
            raise AmbiguousReference(reference, runs[group[0]].posterior.likelihood.name)


def best_fits_in_order(
    fits: Sequence[FitResult], rngs: Sequence[np.random.Generator], progress: Progress
) -> list[FitResult]:
    """Return fits that are no worse than those of the models they contain.

    A larger model fits the same data at least as well. Where a search has missed that, it is
    repeated from the best fit of the smaller model, and the fit gets a shortcoming.

    Parameters
    ----------
    fits
        Finished fits.
    rngs
        Random numbers of the search of each fit.
    progress
        Receiver of notes.
    """
    result = list(fits)
    for group in by_data([fit.problem for fit in fits]):
        for index in sorted(group, key=lambda i: fits[i].problem.posterior.dimension):
            others = [result[other] for other in group if other != index]
            for smaller in others:
                result[index] = _not_above(result[index], smaller, rngs[index], progress)
    return result


def _not_above(
    fit: FitResult, smaller: FitResult, rng: np.random.Generator, progress: Progress
) -> FitResult:
    """Return a fit, or one with the better point to which a smaller model leads."""
    posterior, own = fit.problem.posterior, fit.summary["best_fit"]["chi2"]
    at = smaller.summary["best_fit"]["parameters"]
    found = lower_minimum(posterior, own, smaller.problem.posterior.model, at, rng)
    if found is None:
        return fit
    note = (
        f"the search of the best fit ended at chi2 = {own:.4f}, above the {found.chi2:.4f} to "
        f"which {smaller.name} leads, whose model it contains; the lower one is listed: search "
        "from more starts, and give that point under best_fit.points"
    )
    progress.note(f"{fit.name}: {note}")
    summary = fit.summary.copy()
    summary["best_fit"] = at_best_fit(posterior, found)
    summary["shortcomings"] = [*summary["shortcomings"], note]
    summary["converged"] = False
    return replace(fit, summary=summary)


def lower_minimum(
    posterior: Posterior,
    chi2: float,
    smaller: Model,
    parameters: Mapping[str, float],
    rng: np.random.Generator,
) -> Minimum | None:
    """Return the minimum to which the best fit of a smaller model leads, None if it is no lower.

    Parameters
    ----------
    posterior
        Posterior of a model that may contain the smaller one.
    chi2
        Least chi2 that a search has found.
    smaller
        Smaller model.
    parameters
        Every parameter of the smaller model at its best fit.
    rng
        Generator of new starts.
    """
    points = embedded_points(posterior, smaller, parameters)
    if not len(points) or not (-2 * posterior.log_likelihood(points) < chi2 - _SAME_CHI2).any():
        return None
    near = kick(points, posterior.priors.step_width, rng, _NEAR)
    found = best_fit(posterior, np.vstack([points, near]), rng)
    return found if found.chi2 < chi2 - _SAME_CHI2 else None


Reached = tuple[JointSigma | None, tuple[str, ...]]
"""A joint sigma, or the reasons why there is none."""


def joint_sigmas(
    runs: Sequence[Problem],
    rngs: Sequence[np.random.Generator],
    progress: Progress,
    run_jobs: RunJobs = one_after_another,
) -> list[Reached]:
    """Compute the joint sigma of each run.

    A search can miss the best basin with one data set and find it with another. Each search
    therefore begins with the results of the same model with other data, and each run takes the
    best of all points. More constraints then never lower a joint sigma. A model that contains
    another one starts from its result as well, so that it is never above it.

    Parameters
    ----------
    runs
        Problems of the runs, with different names.
    rngs
        Random numbers of each search.
    progress
        Receiver of stages.
    run_jobs
        Runs the searches.
    """
    progress.stage("Joint sigmas")
    return shared_joint_sigmas(runs, run_jobs(joint_sigma_jobs(runs, rngs)), rngs)


def joint_sigma_jobs(
    runs: Sequence[Problem], rngs: Sequence[np.random.Generator]
) -> dict[str, Callable[[], list[Reached]]]:
    """Return a search for the joint sigmas of each group of :func:`alike` runs."""
    return {
        _name_of_search(runs, group): partial(
            _searched, [runs[i] for i in group], [rngs[i] for i in group]
        )
        for group in alike(runs)
    }


def _name_of_search(runs: Sequence[Problem], group: Sequence[int]) -> str:
    return f"joint sigma of {', '.join(runs[index].name for index in group)}"


def _searched(runs: Sequence[Problem], rngs: Sequence[np.random.Generator]) -> list[Reached]:
    """Search the joint sigma of each run, beginning with the results of those before it."""
    reached: list[Reached] = []
    for run, rng in zip(runs, rngs, strict=True):
        known = _ends(reached, range(len(reached)))
        limits, is_proved = run.settings.joint_sigma, partial(is_least, run)
        if len(known):
            found = joint_sigma_or_none(run.posterior, rng, limits, is_proved, known=known)
        else:
            found = joint_sigma_or_none(run.posterior, rng, limits, is_proved)
        reached.append(found)
    return reached


def shared_joint_sigmas(
    runs: Sequence[Problem],
    found: Mapping[str, Sequence[Reached]],
    rngs: Sequence[np.random.Generator],
) -> list[Reached]:
    """Improve the joint sigmas of :func:`joint_sigma_jobs` where points of other runs are better.

    Parameters
    ----------
    runs, rngs
        See :func:`joint_sigmas`.
    found
        Results of the searches.
    """
    groups = alike(runs)
    result: list[Reached] = [(None, ())] * len(runs)
    for group in groups:
        for index, one in zip(group, found[_name_of_search(runs, group)], strict=True):
            result[index] = one
    for together in by_data(runs):
        for index in sorted(together, key=lambda i: runs[i].posterior.dimension):
            others = [other for other in together if other != index]
            result[index] = _not_higher(runs, result, index, others, rngs[index])
    for group in groups:
        points = _ends(result, group)
        for index in group:
            result[index] = _from_better(runs[index], result[index], points, rngs[index])
        points = _ends(result, group)
        for index in group:
            joint, _ = result[index]
            if joint is not None:
                posterior, limits = runs[index].posterior, runs[index].settings.joint_sigma
                result[index] = best_joint_sigma_of(posterior, points, limits), ()
    return result


def _from_better(
    run: Problem, reached: Reached, points: FloatArray, rng: np.random.Generator
) -> Reached:
    """Return a joint sigma, or the one to which the best of given points leads if it is lower."""
    posterior, limits = run.posterior, run.settings.joint_sigma
    own, _ = reached
    if not len(points) or not posterior.likelihood.anomalies:
        return reached
    best = best_joint_sigma_of(posterior, points, limits)
    if best.sigma >= (np.inf if own is None else own.sigma - _SAME_LEVEL):
        return reached
    return improve_joint_sigma(posterior, best.u[None], rng, limits), ()


def _not_higher(
    runs: Sequence[Problem],
    reached: Sequence[Reached],
    index: int,
    others: Sequence[int],
    rng: np.random.Generator,
) -> Reached:
    """Return a joint sigma, or the lower one to which the results of smaller models lead."""
    posterior = runs[index].posterior
    ends = [
        embedded_points(
            posterior, runs[other].posterior.model, values_at(runs[other].posterior, one.u)
        )
        for other in others
        if (one := reached[other][0]) is not None
    ]
    points = np.vstack([np.empty((0, posterior.dimension)), *ends])
    return _from_better(runs[index], reached[index], points, rng)


def alike(runs: Sequence[Problem]) -> list[list[int]]:
    """Return groups of indices of runs with the same model and priors, long ones first."""
    groups: list[tuple[Any, list[int]]] = []
    for index, run in enumerate(runs):
        files = {name: path.read_bytes() for name, path in run.model_files.items()}
        kind = (run.settings.model, run.posterior.priors, files)
        known = next((group for other, group in groups if other == kind), None)
        if known is None:
            groups.append((kind, [index]))
        else:
            known.append(index)
    found = (group for _, group in groups)
    return sorted(found, key=lambda group: -sum(_effort(runs[index]) for index in group))


def _effort(run: Problem) -> float:
    """Return roughly how long searches take, in arbitrary units."""
    posterior = run.posterior
    steps = 5 if posterior.priors.step_width.any() else 1
    return float(steps * posterior.dimension * len(posterior.likelihood.names))


def _ends(reached: Sequence[Reached], group: Iterable[int]) -> FloatArray:
    found = (reached[index][0] for index in group)
    return np.array([one.u for one in found if one is not None])


def _row(
    fit: FitResult,
    data: int,
    reached: Reached,
    varied: Mapping[str, VariedEvidence],
    proved: float | None,
) -> HypothesisRecord:
    summary, posterior = fit.summary, fit.problem.posterior
    best, evidence = summary["best_fit"], summary["evidence"]
    k, n = posterior.dimension, len(posterior.likelihood.smooth)
    joint, notes = reached
    probability, probability_error = _probability_met(fit)
    notes += tuple(
        f"{name} priors: {text}" for name, v in varied.items() for text in v.shortcomings
    )
    return {
        "run": fit.name,
        "model": summary["model"],
        "title": summary["title"],
        "likelihood": summary["likelihood"],
        "parameters": k,
        "best_fit_chi2": best["chi2"],
        "delta_chi2": best["chi2"] - summary["no_zprime"]["chi2"],
        "aic": best["chi2"] + 2 * k,
        "bic": best["chi2"] + k * log(n) if n else None,
        "lnZ": evidence["log_z"],
        "lnZ_err": evidence["error"],
        "ln_possible": log(1 - summary["impossible_prior_fraction"]),
        "information": evidence["information"],
        "dimensionality": evidence["dimensionality"],
        "joint_sigma": None if joint is None else joint.sigma,
        "joint_sigma_at": None if joint is None else values_at(posterior, joint.u),
        "joint_sigma_proved": proved,
        "probability_both_within_1_sigma": probability,
        "probability_both_within_1_sigma_err": probability_error,
        "chi2_by_term": chi2_by_term(best),
        "labels": dated_labels(fit.problem.assembled),
        "prior_sensitivity": {
            name: {"lnZ": v.log_z, "lnZ_err": v.error, "method": v.method}
            for name, v in varied.items()
        },
        "shortcomings": [*summary["shortcomings"], *notes],
        "converged": summary["converged"] and not notes,
        "data": data,
    }


def values_at(posterior: Posterior, u: FloatArray) -> dict[str, float]:
    """Return every parameter at a point of the unit cube."""
    return {name: float(values[0]) for name, values in posterior.parameters(u[None]).items()}


def _other_priors_jobs(
    fits: Sequence[FitResult], rngs: Sequence[Sequence[np.random.Generator]]
) -> Jobs:
    return {
        f"other priors of {fit.name}": partial(_varied_both, fit, own)
        for fit, own in zip(fits, rngs, strict=True)
    }


def proof_jobs(
    runs: Sequence[Problem], reached: Sequence[Reached]
) -> dict[str, Callable[[], float | None]]:
    """Return functions that prove a lower bound of each joint sigma, by ``proof for RUN``."""
    return {
        f"proof for {run.name}": partial(proved_below, run, None if joint is None else joint.sigma)
        for run, (joint, _) in zip(runs, reached, strict=True)
    }


def _varied_both(fit: FitResult, rngs: Sequence[np.random.Generator]) -> dict[str, VariedEvidence]:
    """Return ln Z under wider and narrower priors."""
    wide, narrow = rngs
    return {
        "wider": _varied(fit, FACTOR, wide),
        "narrower": _varied(fit, 1 / FACTOR, narrow),
    }


def _varied(fit: FitResult, factor: float, rng: np.random.Generator) -> VariedEvidence:
    evidence = fit.summary["evidence"]
    weighted = WeightedRun(
        evidence["log_z"],
        evidence["error"],
        fit.columns,
        fit.log_weight,
        independent_draws=find_engine(fit.summary["sampler"]["engine"]).independent_draws,
    )
    run = fit.problem
    return varied_evidence(run.posterior, factor, weighted, run.settings, rng)


def _probability_met(fit: FitResult) -> tuple[float | None, float | None]:
    """Return the posterior probability, and its error, that every pull of an anomaly is below 1."""
    anomalies = fit.problem.posterior.likelihood.anomalies
    if not anomalies:
        return None, None
    c, weight = fit.couplings(), np.exp(fit.log_weight)
    met = np.all([np.abs(term.pull(c)) <= 1 for term in anomalies], axis=0)
    probability = float(np.sum(weight[met]))
    error = float(np.sqrt(np.sum((weight * (met - probability)) ** 2)))
    return probability, error


def chi2_by_term(point: PointRecord) -> dict[str, float]:
    """Return the chi2 of every term and soft exclusion of a point."""
    terms = {name: term["chi2"] for name, term in point["terms"].items()}
    soft = {name: e["chi2"] for name, e in point["exclusions"].items() if "chi2" in e}
    return terms | soft


def _without(fit: FitResult, data: int) -> HypothesisRecord:
    """Return the row without a Z'; its evidence is its likelihood."""
    point = fit.summary["no_zprime"]
    log_z = -0.5 * point["chi2"]
    level = level_without(fit.problem.posterior.likelihood, fit.problem.settings.joint_sigma)
    same: VariedEvidenceRecord = {"lnZ": log_z, "lnZ_err": 0.0, "method": "exact"}
    return {
        "run": NO_ZPRIME,
        "model": NO_ZPRIME,
        "title": NO_ZPRIME,
        "likelihood": fit.summary["likelihood"],
        "parameters": 0,
        "best_fit_chi2": point["chi2"],
        "delta_chi2": 0.0,
        "aic": point["chi2"],
        "bic": point["chi2"],
        "lnZ": log_z,
        "lnZ_err": 0.0,
        "ln_possible": 0.0,
        "information": 0.0,
        "dimensionality": 0.0,
        "joint_sigma": level,
        "joint_sigma_at": None,
        "joint_sigma_proved": None,
        "probability_both_within_1_sigma": None if level is None else float(level <= 1),
        "probability_both_within_1_sigma_err": None if level is None else 0.0,
        "chi2_by_term": chi2_by_term(point),
        "labels": dated_labels(fit.problem.assembled),
        "prior_sensitivity": {"wider": same, "narrower": same},
        "shortcomings": [],
        "converged": True,
        "data": data,
    }


def level_without(likelihood: Likelihood, limits: JointSigmaSpec) -> float | None:
    """Return the largest pull of an anomaly without a Z'.

    None without anomalies, or if another measurement is outside its limit.
    """
    pulls = {t.name: abs(float(t.pull(Couplings.none())[0])) for t in likelihood.measurements}
    anomalies = [term.name for term in likelihood.anomalies]
    if not anomalies or any(p > limits.limit(n) for n, p in pulls.items() if n not in anomalies):
        return None
    return max(pulls[name] for name in anomalies)
