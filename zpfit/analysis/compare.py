"""Model classes side by side: best fits, evidences, tension, and how far priors matter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Any

import numpy as np

from zpfit.analysis.joint_sigma import JointSigma, joint_sigma_or_none, lowered, lowest_of
from zpfit.analysis.prior_sensitivity import FACTOR, VariedEvidence, WeightedRun, varied_evidence
from zpfit.analysis.summary import no_zprime
from zpfit.errors import MixedReference, NotARunFolder, UnknownName
from zpfit.inference.posterior import Posterior
from zpfit.inference.problem import Problem
from zpfit.inference.progress import Progress
from zpfit.inference.samplers.result import StoredSamples
from zpfit.inference.settings import JointSigmaSpec
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.likelihood import Likelihood
from zpfit.physics.couplings import Couplings
from zpfit.runs.run_file import load_run
from zpfit.runs.run_folder import RunFolder

NO_ZPRIME = "no Z'"
"""The hypothesis that is always compared."""

_SCALE = ((1.0, "inconclusive"), (2.5, "weak"), (5.0, "moderate"))
"""|ln B| below which evidence counts as such, else strong (Trotta, arXiv:0803.4089, Table 2)."""
SCALE_SOURCE = "Trotta, Contemp. Phys. 49, 71 (2008), arXiv:0803.4089, Table 2"
_SIGNIFICANT = 2.0
"""Standard errors between two ln Z from which on their order is known."""
_BOTH = "probability_both_within_1_sigma"
_NEEDED = {"evidence", "best_fit", "no_zprime", "data_hash", "impossible_prior_fraction", "sampler"}
"""Of a summary."""


@dataclass(frozen=True)
class FinishedRun:
    """A run folder, read."""

    name: str
    """Tells it from the others of a comparison."""
    run: Problem
    summary: Mapping[str, Any]
    weighted: StoredSamples
    log_weight: FloatArray
    """Of the weighted samples, shape (n,)."""

    @classmethod
    def read(cls, folder: RunFolder, name: str) -> "FinishedRun":
        """The run of a folder.

        Raises
        ------
        NotARunFolder
            It is not finished, of an older version, or its data have changed.
        InvalidInput
            Its run file or data are damaged.
        """
        summary, weighted = folder.summary(), folder.weighted()
        if weighted.log_weight is None or not set(summary) >= _NEEDED:
            raise NotARunFolder(folder.path, "its evidence")
        run = load_run(folder.config_path)
        if run.data_hash() != summary["data_hash"]:
            raise NotARunFolder(folder.path, "the data that it was fitted to")
        return cls(name, run, summary, weighted, weighted.log_weight.ravel())

    @property
    def likelihood(self) -> Likelihood:
        """Of the run."""
        return self.run.posterior.likelihood

    @property
    def columns(self) -> dict[str, FloatArray]:
        """Weighted samples of the parameters that vary, each of shape (n,)."""
        return {name: values.ravel() for name, values in self.weighted.values.items()}

    def couplings(self) -> Couplings:
        """At the weighted samples."""
        posterior = self.run.posterior
        values = posterior.priors.complete(self.columns, len(self.log_weight))
        return posterior.model.couplings(values)


def compare(
    runs: Sequence[FinishedRun], reference: str, seed: int, progress: Progress
) -> list[dict[str, Any]]:
    """A row for each run and, for each data set, one for the hypothesis without a Z'.

    Bayes factors are against the model ``reference`` on the same data; see
    :func:`check_reference`.
    """
    rng, rows = np.random.default_rng(seed), []
    rngs = [own.spawn(3) for own in rng.spawn(len(runs))]
    reached = joint_sigmas([finished.run for finished in runs], [own[0] for own in rngs], progress)
    for number, group in enumerate(by_data([finished.run for finished in runs])):
        together = [_without(runs[group[0]])]
        for index in group:
            progress.stage(f"Comparing {runs[index].name}")
            together.append(_row(runs[index], reached[index], rngs[index][1:], progress))
        for row in together:
            row["data"] = number + 1
        _add_bayes_factors(together, reference)
        rows += together
    return rows


def by_data(runs: Sequence[Problem]) -> list[list[int]]:
    """Indices of runs on the same data: the same entries and curves in the same forms."""
    groups: dict[str, list[int]] = {}
    for index, run in enumerate(runs):
        forms = [f"{e.name}:{e.soft}" for e in run.posterior.likelihood.exclusions]
        groups.setdefault(run.assembled.data_hash() + ",".join(forms), []).append(index)
    return list(groups.values())


def check_reference(runs: Sequence[Problem], reference: str) -> None:
    """Each data set must have the reference exactly once.

    Raises
    ------
    UnknownName
        A data set has no run of it.
    MixedReference
        It has several.
    """
    for group in by_data(runs):
        models = [NO_ZPRIME, *(runs[index].posterior.model.name for index in group)]
        if reference not in models:
            raise UnknownName("reference", reference, models, "--reference")
        if models.count(reference) > 1:
            raise MixedReference(reference, runs[group[0]].posterior.likelihood.name)


Reached = tuple[JointSigma | None, tuple[str, ...]]
"""A joint sigma, or why there is none."""


def joint_sigmas(
    runs: Sequence[Problem], rngs: Sequence[np.random.Generator], progress: Progress
) -> list[Reached]:
    """The joint sigma of each run, from where those of the same model with other data ended too.

    A search may miss the best basin with one set and meet it with another. In the end each takes
    the best of the points of all, so that more demands never lower a joint sigma.
    """
    result: list[Reached] = []
    for run, rng in zip(runs, rngs, strict=True):
        posterior = run.posterior
        progress.stage(f"Joint sigma of {posterior.model.name}, {posterior.likelihood.name}")
        result.append(joint_sigma_or_none(run.posterior, rng, run.settings.joint_sigma))
    for group in _alike(runs, result):
        points = _ends(result, group)
        for index in group:
            posterior, limits = runs[index].posterior, runs[index].settings.joint_sigma
            result[index] = (lowered(posterior, points, rngs[index], limits), ())
        points = _ends(result, group)
        for index in group:
            posterior, limits = runs[index].posterior, runs[index].settings.joint_sigma
            result[index] = (lowest_of(posterior, points, limits), ())
    return result


def _alike(runs: Sequence[Problem], reached: Sequence[Reached]) -> list[list[int]]:
    """Indices of runs with a joint sigma that have model and priors in common, two or more."""
    groups: list[tuple[Any, list[int]]] = []
    for index, run in enumerate(runs):
        if reached[index][0] is None:
            continue
        files = {name: path.read_bytes() for name, path in run.model_files.items()}
        kind = (run.settings.model, run.posterior.priors, files)
        known = next((group for other, group in groups if other == kind), None)
        if known is None:
            groups.append((kind, [index]))
        else:
            known.append(index)
    return [group for _, group in groups if len(group) > 1]


def _ends(reached: Sequence[Reached], group: Sequence[int]) -> FloatArray:
    found = (reached[index][0] for index in group)
    return np.array([one.u for one in found if one is not None])


def _row(
    finished: FinishedRun,
    reached: Reached,
    rngs: Sequence[np.random.Generator],
    progress: Progress,
) -> dict[str, Any]:
    summary, posterior = finished.summary, finished.run.posterior
    best, evidence = summary["best_fit"], summary["evidence"]
    k, n = posterior.dimension, len(posterior.likelihood.smooth)
    wide_rng, narrow_rng = rngs
    joint, notes = reached
    varied = {
        "wider": _varied(finished, FACTOR, wide_rng, progress),
        "narrower": _varied(finished, 1 / FACTOR, narrow_rng, progress),
    }
    notes += tuple(
        f"{name} priors: {text}" for name, v in varied.items() for text in v.shortcomings
    )
    return {
        "run": finished.name,
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
        "joint_sigma_at": None if joint is None else _values(posterior, joint.u),
        **_probability_met(finished),
        "chi2_by_term": _chi2_by_term(best),
        "prior_sensitivity": {
            name: {"lnZ": v.log_z, "lnZ_err": v.error, "method": v.method}
            for name, v in varied.items()
        },
        "shortcomings": [*summary["shortcomings"], *notes],
        "converged": summary["converged"] and not notes,
    }


def _values(posterior: Posterior, u: FloatArray) -> dict[str, float]:
    """Every parameter at a point of the unit cube."""
    return {name: float(values[0]) for name, values in posterior.parameters(u[None]).items()}


def _varied(
    finished: FinishedRun, factor: float, rng: np.random.Generator, progress: Progress
) -> VariedEvidence:
    evidence = finished.summary["evidence"]
    weighted = WeightedRun(
        evidence["log_z"],
        evidence["error"],
        finished.columns,
        finished.log_weight,
        independent_draws=finished.summary["sampler"]["engine"] != "dynesty",
    )
    run = finished.run
    return varied_evidence(run.posterior, factor, weighted, run.settings, rng, progress)


def _probability_met(finished: FinishedRun) -> dict[str, float | None]:
    """Posterior probability, and its error, that every anomaly is met within one error."""
    anomalies = finished.likelihood.anomalies
    if not anomalies:
        return {_BOTH: None, f"{_BOTH}_err": None}
    c, weight = finished.couplings(), np.exp(finished.log_weight)
    met = np.all([np.abs(term.pull(c)) <= 1 for term in anomalies], axis=0)
    probability = float(np.sum(weight[met]))
    error = float(np.sqrt(np.sum((weight * (met - probability)) ** 2)))
    return {_BOTH: probability, f"{_BOTH}_err": error}


def _chi2_by_term(point: Mapping[str, Any]) -> dict[str, float]:
    terms = {name: term["chi2"] for name, term in point["terms"].items()}
    soft = {name: e["chi2"] for name, e in point["exclusions"].items() if "chi2" in e}
    return terms | soft


def _without(finished: FinishedRun) -> dict[str, Any]:
    """The hypothesis without a Z', whose evidence is its likelihood."""
    point = finished.summary["no_zprime"]
    log_z = -0.5 * point["chi2"]
    level = _level_without(finished.likelihood, finished.run.settings.joint_sigma)
    same = {"lnZ": log_z, "lnZ_err": 0.0, "method": "exact"}
    return {
        "run": NO_ZPRIME,
        "model": NO_ZPRIME,
        "title": NO_ZPRIME,
        "likelihood": finished.summary["likelihood"],
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
        _BOTH: None if level is None else float(level <= 1),
        f"{_BOTH}_err": None if level is None else 0.0,
        "chi2_by_term": _chi2_by_term(point),
        "prior_sensitivity": {"wider": same, "narrower": same},
        "shortcomings": [],
        "converged": True,
    }


def _level_without(likelihood: Likelihood, limits: JointSigmaSpec) -> float | None:
    """Largest pull of an anomaly without a Z'; None if there is none, or the rest is not met."""
    pulls = {t.name: abs(float(t.pull(no_zprime())[0])) for t in likelihood.measurements}
    anomalies = [term.name for term in likelihood.anomalies]
    if not anomalies or any(p > limits.limit(n) for n, p in pulls.items() if n not in anomalies):
        return None
    return max(pulls[name] for name in anomalies)


def _add_bayes_factors(rows: list[dict[str, Any]], reference: str) -> None:
    """Bayes factors, their reading, and ranks under each choice of priors, within one data set."""
    base = next(row for row in rows if row["model"] == reference)
    for row in rows:
        difference = row["lnZ"] - base["lnZ"]
        row["reference"] = reference
        row["ln_bayes_factor"] = difference
        row["ln_bayes_factor_err"] = (
            0.0 if row is base else float(np.hypot(row["lnZ_err"], base["lnZ_err"]))
        )
        row["bayes_factor"] = exp(min(difference, 700.0))
        row["evidence"] = verbal(difference)
        row["ranks"] = {name: _rank(row, rows, name) for name in ("default", "wider", "narrower")}
        row["rank_changes"] = any(
            _swaps(row, other, name) for other in rows for name in ("wider", "narrower")
        )


def _log_z(row: Mapping[str, Any], priors: str) -> tuple[float | None, float | None]:
    source = row if priors == "default" else row["prior_sensitivity"][priors]
    return source["lnZ"], source["lnZ_err"]


def _rank(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], priors: str) -> int | None:
    own, _ = _log_z(row, priors)
    if own is None:
        return None
    return 1 + sum((_log_z(other, priors)[0] or -np.inf) > own for other in rows)


def _swaps(row: Mapping[str, Any], other: Mapping[str, Any], priors: str) -> bool:
    """Whether two rows stand the other way round under other priors, by more than errors."""
    signs = []
    for choice in ("default", priors):
        (one, one_err), (two, two_err) = _log_z(row, choice), _log_z(other, choice)
        if one is None or two is None or one_err is None or two_err is None:
            return False
        difference = one - two
        if abs(difference) <= _SIGNIFICANT * np.hypot(one_err, two_err):
            return False
        signs.append(difference > 0)
    return signs[0] != signs[1]


def verbal(log_bayes_factor: float) -> str:
    """How strong the evidence is, and for which side; see :data:`SCALE_SOURCE`."""
    strength = next((word for limit, word in _SCALE if abs(log_bayes_factor) < limit), "strong")
    if strength == "inconclusive":
        return strength
    return f"{strength} {'for' if log_bayes_factor > 0 else 'against'}"
