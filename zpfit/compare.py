"""Model classes side by side: best fits, evidences, tension, and how far priors matter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Any

import numpy as np

from zpfit.config import Run, load_run
from zpfit.errors import MixedReference, NotARunFolder, UnknownName
from zpfit.inference_data import StoredSamples
from zpfit.joint_sigma import joint_sigma
from zpfit.likelihood import Likelihood
from zpfit.physics.compiled import FloatArray
from zpfit.physics.couplings import Couplings
from zpfit.prior_sensitivity import FACTOR, varied_evidence
from zpfit.progress import Progress
from zpfit.run_folder import RunFolder
from zpfit.summary import no_zprime

NO_ZPRIME = "no Z'"
"""The hypothesis that is always compared."""

_SCALE = ((1.0, "inconclusive"), (2.5, "weak"), (5.0, "moderate"))
"""|ln B| below which evidence counts as such, else strong (Trotta, arXiv:0803.4089, Table 2)."""
SCALE_SOURCE = "Trotta, Contemp. Phys. 49, 71 (2008), arXiv:0803.4089, Table 2"
_OTHERS = 2.0
"""Standard errors within which other measurements must lie for the joint sigma."""


@dataclass(frozen=True)
class FinishedRun:
    """A run folder, read."""

    run: Run
    summary: Mapping[str, Any]
    weighted: StoredSamples
    log_weight: FloatArray
    """Of the weighted samples, shape (n,)."""

    @classmethod
    def read(cls, folder: RunFolder) -> "FinishedRun":
        """The run of a folder.

        Raises:
            NotARunFolder: it is not finished.
            InvalidInput: its run file or data are damaged.
        """
        summary, weighted = folder.summary(), folder.weighted()
        if weighted.log_weight is None:
            raise NotARunFolder(folder.path, "the weight of samples")
        run = load_run(folder.config_path)
        return cls(run, summary, weighted, weighted.log_weight.ravel())

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

    Bayes factors are against the model ``reference`` on the same data.

    Raises:
        UnknownName: a data set has no run of the reference.
        MixedReference: it has several.
        NoAnomalies, NoAllowedPoint, PoorMap: see :func:`zpfit.joint_sigma.joint_sigma` and
            :func:`zpfit.sampling.evidence_of`.
    """
    by_data: dict[str, list[FinishedRun]] = {}
    for finished in runs:
        by_data.setdefault(_data_of(finished), []).append(finished)
    for group in by_data.values():
        _check_reference(reference, group)
    rng, rows = np.random.default_rng(seed), []
    for group in by_data.values():
        together = [_without(group[0])]
        for finished in group:
            progress.stage(f"Comparing {finished.summary['title']}")
            together.append(_row(finished, rng.spawn(1)[0], progress))
        _add_bayes_factors(together, reference)
        rows += together
    return rows


def _check_reference(reference: str, group: Sequence[FinishedRun]) -> None:
    models = [NO_ZPRIME, *(finished.summary["model"] for finished in group)]
    if reference not in models:
        raise UnknownName("reference", reference, models, "--reference")
    if models.count(reference) > 1:
        raise MixedReference(reference, group[0].summary["likelihood"])


def _data_of(finished: FinishedRun) -> str:
    """What must be the same for evidences to be comparable: entries, curves and their forms."""
    forms = [f"{e.name}:{e.soft}" for e in finished.likelihood.exclusions]
    return finished.run.assembled.data_hash() + ",".join(forms)


def _row(finished: FinishedRun, rng: np.random.Generator, progress: Progress) -> dict[str, Any]:
    summary, posterior = finished.summary, finished.run.posterior
    best, evidence = summary["best_fit"], summary["evidence"]
    k, n = posterior.dimension, len(posterior.likelihood.measurements)
    joint_rng, wide_rng, narrow_rng = rng.spawn(3)
    joint = joint_sigma(posterior, joint_rng, _OTHERS)
    return {
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
        "information": evidence["information"],
        "dimensionality": evidence["dimensionality"],
        "joint_sigma": joint.sigma,
        "probability_both_within_1_sigma": _probability_met(finished),
        "chi2_by_term": _chi2_by_term(best),
        "prior_sensitivity": {
            name: _varied(finished, factor, child, progress)
            for name, factor, child in (
                ("wider", FACTOR, wide_rng),
                ("narrower", 1 / FACTOR, narrow_rng),
            )
        },
        "converged": summary["converged"],
    }


def _varied(
    finished: FinishedRun, factor: float, rng: np.random.Generator, progress: Progress
) -> dict[str, Any]:
    varied = varied_evidence(
        finished.run.posterior,
        factor,
        finished.summary["evidence"]["log_z"],
        finished.columns,
        finished.log_weight,
        finished.run.settings,
        rng,
        progress,
    )
    return {"lnZ": varied.log_z, "lnZ_err": varied.error, "method": varied.method}


def _probability_met(finished: FinishedRun) -> float:
    """Posterior probability that every anomaly lies within one standard error."""
    c = finished.couplings()
    met = np.ones(len(c), dtype=bool)
    for term in finished.likelihood.anomalies:
        met &= np.abs(term.pull(c)) <= 1
    return float(np.sum(np.exp(finished.log_weight)[met]))


def _chi2_by_term(point: Mapping[str, Any]) -> dict[str, float]:
    terms = {name: term["chi2"] for name, term in point["terms"].items()}
    soft = {name: e["chi2"] for name, e in point["exclusions"].items() if "chi2" in e}
    return terms | soft


def _without(finished: FinishedRun) -> dict[str, Any]:
    """The hypothesis without a Z', whose evidence is its likelihood."""
    point = finished.summary["no_zprime"]
    log_z = -0.5 * point["chi2"]
    pulls = [abs(float(t.pull(no_zprime())[0])) for t in finished.likelihood.anomalies]
    same = {"lnZ": log_z, "lnZ_err": 0.0, "method": "exact"}
    return {
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
        "information": 0.0,
        "dimensionality": 0.0,
        "joint_sigma": max(pulls),
        "probability_both_within_1_sigma": float(max(pulls) <= 1),
        "chi2_by_term": _chi2_by_term(point),
        "prior_sensitivity": {"wider": same, "narrower": same},
        "converged": True,
    }


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
    for name, values in _log_z_by_prior(rows).items():
        order = sorted(values, reverse=True)
        for row, value in zip(rows, values, strict=True):
            row.setdefault("ranks", {})[name] = order.index(value) + 1
    for row in rows:
        row["rank_changes"] = len(set(row["ranks"].values())) > 1


def _log_z_by_prior(rows: list[dict[str, Any]]) -> dict[str, list[float]]:
    choices = {"default": [row["lnZ"] for row in rows]}
    for name in ("wider", "narrower"):
        choices[name] = [row["prior_sensitivity"][name]["lnZ"] for row in rows]
    return choices


def verbal(log_bayes_factor: float) -> str:
    """How strong the evidence is, and for which side; see :data:`SCALE_SOURCE`."""
    strength = next((word for limit, word in _SCALE if abs(log_bayes_factor) < limit), "strong")
    if strength == "inconclusive":
        return strength
    return f"{strength} {'for' if log_bayes_factor > 0 else 'against'}"
