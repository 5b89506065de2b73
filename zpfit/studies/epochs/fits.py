"""Fits of the page "What changed since the paper": evidence, best fit and joint sigma of each run.

Data sets of one class of models are neighbours. The integral and the search of each run begin with
what those before it have found, which takes a third of the time of fits that begin with nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np

from zpfit.analysis.compare import (
    NO_ZPRIME,
    Reached,
    RunJobs,
    alike,
    by_data,
    chi2_by_term,
    joint_sigma_jobs,
    level_without,
    lower_minimum,
    proof_jobs,
    shared_joint_sigmas,
    values_at,
)
from zpfit.analysis.evaluate import describe_point
from zpfit.analysis.records import PointRecord
from zpfit.errors import NoAllowedPoint, PoorProposal
from zpfit.inference.posterior import Posterior
from zpfit.inference.problem import Problem
from zpfit.inference.samplers.importance import Integral
from zpfit.inference.samplers.result import Evidence
from zpfit.inference.samplers.unsampled import missing_weight
from zpfit.inference.sampling import evidence_of, sampling_task
from zpfit.inference.search.best_fit import Minimum, SearchOptions, best_fit, starting_points
from zpfit.inference.search.kicks import kick
from zpfit.io.arrays import FloatArray
from zpfit.physics.couplings import Couplings
from zpfit.studies.epochs.numbers import Fit

_KNOWN = 1500
"""Posterior samples of each earlier run with which an integral begins."""
_STARTS, _STARTS_WITH_STEPS, _ENDS = 600, 6000, 100
"""Random starts of a search that begins with the ends of earlier ones, more with discrete
parameters; ends kept of each."""
_NEAR = 50
"""New starts around a point of another run with a lower chi2."""
_SAME_CHI2 = 1e-4
"""Difference of chi2 that counts as none."""
_BEGUN = SearchOptions(quiet_rounds=6)
"""Searches that begin with known points end after fewer rounds without progress."""


@dataclass(frozen=True)
class Fitted:
    """Evidence and best fit of a run."""

    run: Problem
    evidence: Evidence
    best: Minimum
    shortcomings: tuple[str, ...]
    """Reasons why the evidence is not converged; empty if it is."""

    @property
    def point(self) -> PointRecord:
        """Terms and exclusions at the best fit."""
        posterior = self.run.posterior
        return describe_point(posterior.likelihood, posterior.couplings(self.best.u[None]))


class _Known(NamedTuple):
    """Points of the unit cube that earlier runs of the same class have found."""

    samples: FloatArray
    """Posterior samples, shape (n, d)."""
    minima: FloatArray
    """Ends of the searches for best fits, shape (m, d)."""

    def with_more(self, samples: FloatArray, minima: FloatArray) -> "_Known":
        """Return these points and more."""
        return _Known(np.vstack([self.samples, samples]), np.vstack([self.minima, minima]))


def fit_runs(runs: Sequence[Problem], seed: int, run_jobs: RunJobs) -> list[Fitted]:
    """Return evidence and best fit of each run, in the same order.

    Parameters
    ----------
    runs
        Problems with different names.
    seed
        Seed of all random numbers.
    run_jobs
        Runs one job for each group of runs with the same model and priors.
    """
    rngs = np.random.default_rng(seed).spawn(len(runs))
    groups = alike(runs)
    names = [f"fits of {', '.join(runs[i].name for i in group)}" for group in groups]
    jobs = {
        name: partial(fit_alike, [runs[i] for i in group], [rngs[i] for i in group])
        for name, group in zip(names, groups, strict=True)
    }
    found = run_jobs(jobs)  # in the order in which they end
    result: dict[int, Fitted] = {}
    for name, group in zip(names, groups, strict=True):
        result |= zip(group, found[name], strict=True)
    return _in_order([result[index] for index in range(len(runs))], rngs)


def fit_alike(runs: Sequence[Problem], rngs: Sequence[np.random.Generator]) -> list[Fitted]:
    """Fit runs of one model with the same priors; each begins with what those before have found.

    In the end all runs try the best fits of the others.
    """
    none = np.empty((0, runs[0].posterior.dimension))
    known, found = _Known(none, none), []
    for run, rng in zip(runs, rngs, strict=True):
        fitted, samples = _fit(run, rng, known)
        found.append(fitted)
        known = known.with_more(samples, _best_ends(fitted.best))
    minima = np.array([one.best.u for one in found])
    return [
        replace(one, best=_tried(one.run.posterior, one.best, minima, rng))
        for one, rng in zip(found, rngs, strict=True)
    ]


def _best_ends(best: Minimum) -> FloatArray:
    """Return the best of the points at which the descents of a search have ended, and its result.

    A narrow basin of one data set may hold the optimum of another.
    """
    if best.ends is None:
        return best.u[None]
    points, chi2 = best.ends
    return np.vstack([best.u[None], points[np.argsort(chi2)[:_ENDS]]])


def _fit(run: Problem, rng: np.random.Generator, known: _Known) -> tuple[Fitted, FloatArray]:
    """Return a fit, and some of its posterior samples, shape (n, d)."""
    integral_rng, sample_rng, start_rng, kick_rng, check_rng = rng.spawn(5)
    integral = _integral(run, integral_rng, known.samples)
    samples, log_l = integral.samples.resampled(sample_rng, _KNOWN)
    posterior = run.posterior
    if not len(known.minima):
        starts = starting_points(run, samples, log_l, start_rng)
        best = best_fit(posterior, starts, kick_rng)
    else:
        number = _STARTS_WITH_STEPS if posterior.priors.step_width.any() else _STARTS
        random = start_rng.random((number, posterior.dimension))
        likely = samples[np.argsort(log_l)[-200:]]
        starts = np.vstack([random, likely, known.minima])
        best = best_fit(posterior, starts, kick_rng, options=_BEGUN)
    task = sampling_task(posterior, run.settings)
    missing = missing_weight(task, best.u, integral.samples, integral.evidence, check_rng)
    evidence, shortcomings = integral.evidence, integral.shortcomings
    if missing is not None:
        evidence = replace(evidence, error=max(evidence.error, missing.rise))
        shortcomings = (*shortcomings, missing.shortcoming)
    return Fitted(run, evidence, best, shortcomings), samples


def _integral(run: Problem, rng: np.random.Generator, known: FloatArray) -> Integral:
    """Return ln Z from maps that begin with known points, or from new ones if those are poor."""
    if len(known):
        try:
            integral = evidence_of(run.posterior, run.settings, rng, known=known)
        except (PoorProposal, NoAllowedPoint):
            pass
        else:
            if not integral.shortcomings:
                return integral
    return evidence_of(run.posterior, run.settings, rng)


def _tried(
    posterior: Posterior, best: Minimum, points: FloatArray, rng: np.random.Generator
) -> Minimum:
    """Return a minimum, or a lower one to which given points lead."""
    chi2 = -2 * posterior.log_likelihood(points)
    if chi2.min() >= best.chi2 - _SAME_CHI2:
        return best
    near = kick(points[[np.argmin(chi2)]], posterior.priors.step_width, rng, _NEAR)
    found = best_fit(posterior, np.vstack([points, near]), rng, options=_BEGUN)
    return found if found.chi2 < best.chi2 else best


def _in_order(fits: Sequence[Fitted], rngs: Sequence[np.random.Generator]) -> list[Fitted]:
    """Return fits that are no worse than those of the models that they contain."""
    result = list(fits)
    for together in by_data([one.run for one in fits]):
        for index in sorted(together, key=lambda i: fits[i].run.posterior.dimension):
            for other in together:
                if other != index:
                    result[index] = _not_above(result[index], result[other], rngs[index])
    return result


def _not_above(fitted: Fitted, smaller: Fitted, rng: np.random.Generator) -> Fitted:
    own, other = fitted.run.posterior, smaller.run.posterior
    at = values_at(other, smaller.best.u)
    found = lower_minimum(own, fitted.best.chi2, other.model, at, rng)
    return fitted if found is None else replace(fitted, best=found)


def rows_of(fits: Sequence[Fitted], seed: int, run_jobs: RunJobs) -> list[Fit]:
    """Return the rows of the page: each data set without a Z', then its fits.

    Parameters
    ----------
    fits
        Evidence and best fit of each run.
    seed
        Seed of the searches for joint sigmas.
    run_jobs
        Runs these searches and proofs.
    """
    runs = [one.run for one in fits]
    rngs = np.random.default_rng(seed).spawn(len(runs))
    found = run_jobs(joint_sigma_jobs(runs, rngs))
    reached = shared_joint_sigmas(runs, found, rngs)
    proofs = run_jobs(proof_jobs(runs, reached))
    proved = [proofs[f"proof for {run.name}"] for run in runs]
    rows = []
    for together in by_data(runs):
        rows.append(_without(runs[together[0]]))
        rows += [_row(fits[i], reached[i], proved[i], rows[-1].log_z) for i in together]
    return rows


def _without(run: Problem) -> Fit:
    """Return the row without a Z'; its evidence is its likelihood."""
    likelihood = run.posterior.likelihood
    point = describe_point(likelihood, Couplings.none())
    return Fit(
        run=NO_ZPRIME,
        likelihood=likelihood.name,
        model=NO_ZPRIME,
        ln_bayes_factor=0.0,
        ln_bayes_factor_error=0.0,
        joint_sigma=level_without(likelihood, run.settings.joint_sigma),
        joint_sigma_proved=None,
        joint_sigma_at=None,
        best_fit_chi2=point["chi2"],
        chi2_by_term=chi2_by_term(point),
        log_z=-0.5 * point["chi2"],
        log_z_error=0.0,
    )


def _row(fitted: Fitted, reached: Reached, proved: float | None, without: float) -> Fit:
    run, (joint, _) = fitted.run, reached
    posterior, evidence = run.posterior, fitted.evidence
    return Fit(
        run=run.name,
        likelihood=posterior.likelihood.name,
        model=posterior.model.name,
        ln_bayes_factor=evidence.log_z - without,
        ln_bayes_factor_error=evidence.error,
        joint_sigma=None if joint is None else joint.sigma,
        joint_sigma_proved=proved,
        joint_sigma_at=None if joint is None else values_at(posterior, joint.u),
        best_fit_chi2=fitted.best.chi2,
        chi2_by_term=chi2_by_term(fitted.point),
        log_z=evidence.log_z,
        log_z_error=evidence.error,
    )
