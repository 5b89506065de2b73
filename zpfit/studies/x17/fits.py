"""Fits of the study of X17, each kept as a record so that the study can be resumed."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from zpfit.analysis.joint_sigma import improve_joint_sigma, joint_sigma_or_none
from zpfit.errors import PoorProposal
from zpfit.inference.problem import Problem
from zpfit.inference.progress import Progress
from zpfit.inference.samplers.importance import Integral
from zpfit.inference.samplers.vegas import adapt_and_integrate
from zpfit.inference.sampling import sampling_task
from zpfit.inference.search.best_fit import Minimum, SearchOptions, best_fit
from zpfit.io.arrays import FloatArray
from zpfit.io.writing import make_folder, write_json
from zpfit.physics.charged_current import pion_charge
from zpfit.physics.couplings import Couplings
from zpfit.physics.kaon_to_pion import k_pi_ee
from zpfit.physics.nuclear_experiments import be8_1764, be8_1815, c12_1723, he4_pairs
from zpfit.runs.run_file import find_run_file, load_run
from zpfit.studies.x17.cases import Case

SEED = 1
_STARTS = 1000
_SEARCH = SearchOptions(kept=30, kicks=6, max_rounds=12, quiet_rounds=4)
"""A quarter of the usual effort; two seeds agree to 1e-8 for the set of Be-8 and He-4."""
_NEAR = 3
"""Best points of the search that start the search for the joint sigma."""
_PRECISION = 0.03
"""Standard error of ln Z."""
_EFFORTS = (2, 4)
"""Factors of the usual evaluations, and of the search for peaks, if an integral does not
converge."""
_EFFECTIVE = 1000
"""Effective number of draws of such an integral, times this factor."""
_LIKELIEST = 200
"""Number of samples from which descents start too."""
_ENDS = 100
"""Number of ends of descents from which a repeated integral searches peaks too."""
_OBSERVABLES = {
    "R_1815": be8_1815,
    "R_1764": be8_1764,
    "he4": he4_pairs,
    "R_c12": c12_1723,
    "D_pi": pion_charge,
    "k_pi_ee": k_pi_ee,
}


@dataclass(frozen=True)
class Record:
    """Result of one fit."""

    chi2: float
    """At the best fit, without hard exclusions, which it meets."""
    chi2_none: float
    """Without a Z'."""
    terms: Mapping[str, float]
    """chi2 of each term at the best fit."""
    terms_none: Mapping[str, float]
    point: Mapping[str, float]
    """Values of the parameters."""
    couplings: Mapping[str, float]
    predictions: Mapping[str, float]
    """With published inputs of nuclei."""
    joint_sigma: float | None = None
    """Largest pull of an anomaly where others are within two errors: the lowest that is found."""
    joint_sigma_none: float | None = None
    ln_bayes_factor: float | None = None
    """Evidence over that without a Z'; None if it was not computed."""
    ln_bayes_factor_err: float | None = None
    remarks: tuple[str, ...] = ()

    @property
    def gain(self) -> float:
        """Decrease of chi2 relative to no Z'."""
        return self.chi2_none - self.chi2


def fit_all(cases: Mapping[str, Case], folder: Path, progress: Progress) -> dict[str, Record]:
    """Return the records of all fits; those that the folder holds are read unless damaged.

    Parameters
    ----------
    cases
        Fits by name.
    folder
        Folder of the records.
    progress
        Gets the name of each fit.
    """
    records = {}
    for name, case in cases.items():
        file = folder / f"{name}.json"
        record = _kept(file)
        if record is None:
            progress.stage(f"Fitting {name}")
            make_folder(file.parent)
            record = fit_case(case)
            write_json(file, asdict(record))
        records[name] = record
    return records


def _kept(file: Path) -> Record | None:
    """Return the record in a file; None if it is damaged, or of an older version."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        record = Record(**{**content, "remarks": tuple(content["remarks"])})
        return record if record.predictions.keys() == _OBSERVABLES.keys() else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def fit_case(case: Case) -> Record:
    """Search the best fit of a case, with its evidence and joint sigma if it asks for them."""
    problem = problem_of(case)
    rng = np.random.default_rng(SEED)
    posterior = problem.posterior
    starts = rng.random((_STARTS, posterior.dimension))
    integral = _integral(problem, rng) if case.evidence else None
    if isinstance(integral, Integral):
        likeliest = np.argsort(integral.samples.log_likelihood)[-_LIKELIEST:]
        starts = np.vstack([starts, integral.samples.u[likeliest]])
    found = best_fit(posterior, starts, rng, options=_SEARCH)
    kept: dict[str, Any] = {}
    if integral is not None:
        kept |= _evidence(problem, _converged(problem, integral, found, rng))
    if case.joint:
        kept |= _joint(problem, found, rng)
    c, none = posterior.couplings(found.u[None]), Couplings.none()
    likelihood = posterior.likelihood
    terms, terms_none = _single(likelihood.chi2_by_term(c)), _single(likelihood.chi2_by_term(none))
    values = posterior.parameters(found.u[None])
    return Record(
        chi2=found.chi2,
        chi2_none=sum(terms_none.values()),
        terms=terms,
        terms_none=terms_none,
        point=_single(values),
        couplings={name: float(row[0]) for name, row in c.items() if row[0]},
        predictions={name: float(f(c)[0]) for name, f in _OBSERVABLES.items()},
        **kept,
    )


def problem_of(case: Case) -> Problem:
    """Return the run of a case with its data and options."""
    changes: dict[str, Any] = {"likelihood": dict(case.likelihood), "vegas.error": _PRECISION}
    changes |= {f"model.options.{name}": value for name, value in case.model.items()}
    changes |= {f"priors.parameters.{name}": prior for name, prior in case.priors.items()}
    return load_run(find_run_file(case.run), changes)


def _single(rows: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(row[0]) for name, row in rows.items()}


def _integral(
    problem: Problem,
    rng: np.random.Generator,
    effort: int = 1,
    effective: float = 0.0,
    starts: tuple[FloatArray, ...] = (),
) -> Integral | PoorProposal:
    """Return ln Z with a multiple of the usual effort, or why there is none.

    Draws are added until an effective number of them is reached. Peaks are searched from given
    points of the unit cube too, each of shape (d,).
    """
    options = problem.settings.vegas
    more = options.model_copy(update={"max_evaluations": effort * options.max_evaluations})
    task = replace(sampling_task(problem.posterior, problem.settings), starts=starts)
    try:
        return adapt_and_integrate(task, more, rng, effective=effective)[1]
    except PoorProposal as error:
        return error


def _converged(
    problem: Problem, first: Integral | PoorProposal, found: Minimum, rng: np.random.Generator
) -> Integral | PoorProposal:
    """Return an integral, or one with more effort and the ends of descents if it is poor."""
    integral = first
    for effort in _EFFORTS:
        if isinstance(integral, Integral) and not integral.shortcomings:
            break
        ends = tuple(_best_ends(found, _ENDS))
        another = _integral(problem, rng, effort, effort * _EFFECTIVE, ends)
        integral = another if isinstance(another, Integral) else integral
    return integral


def _best_ends(found: Minimum, number: int) -> FloatArray:
    """Return the ends of descents with the least chi2, shape (n, d)."""
    if found.ends is None:
        return found.u[None]
    return found.ends[0][np.argsort(found.ends[1])[:number]]


def _evidence(problem: Problem, integral: Integral | PoorProposal) -> dict[str, Any]:
    """Return the Bayes factor."""
    if isinstance(integral, PoorProposal):
        return {"remarks": (str(integral),)}
    log_none = float(problem.posterior.likelihood.log_likelihood(_none())[0])
    return {
        "ln_bayes_factor": integral.evidence.log_z - log_none,
        "ln_bayes_factor_err": integral.evidence.error,
        "remarks": integral.shortcomings,
    }


def _joint(problem: Problem, found: Minimum, rng: np.random.Generator) -> dict[str, Any]:
    """Return the joint sigma, and that without a Z'."""
    posterior, limits = problem.posterior, problem.settings.joint_sigma
    joint = improve_joint_sigma(posterior, _best_ends(found, _NEAR), rng, limits).sigma
    if not np.isfinite(joint):
        anywhere, _ = joint_sigma_or_none(posterior, rng, limits, searches=1)
        joint = np.inf if anywhere is None else anywhere.sigma
    pulls = {t.name: abs(float(t.pull(_none())[0])) for t in posterior.likelihood.measurements}
    return {
        "joint_sigma": joint if np.isfinite(joint) else None,
        "joint_sigma_none": max(pulls[term.name] for term in posterior.likelihood.anomalies),
    }


@cache
def _none() -> Couplings:
    return Couplings.none()
