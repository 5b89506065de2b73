"""Fractions of the posterior that projected searches would leave (Sec. III C)."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from zpfit.inference.posterior import Posterior
from zpfit.inference.samplers.result import WeightedSamples
from zpfit.io.arrays import FloatArray
from zpfit.io.library import Library
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.likelihood.exclusions import Exclusion

PROJECTIONS = {
    "Belle II, 50/ab (PTEP 2019)": ("belle2_projection_2019",),
    "Belle II, 50/ab (Eq. 17)": ("belle2_projection_2015",),
    "NA64 after LS2": ("na64_projection_2020",),
    "Belle II (PTEP 2019) and NA64": ("belle2_projection_2019", "na64_projection_2020"),
    "Belle II (Eq. 17) and NA64": ("belle2_projection_2015", "na64_projection_2020"),
}


def forecast(posterior: Posterior, samples: WeightedSamples) -> list[dict[str, Any]]:
    """Return the fraction of the posterior that each projection would leave.

    Parameters
    ----------
    posterior
        Posterior of the effective model with the paper's Caesium data.
    samples
        Its weighted samples.

    Returns
    -------
    list of dict
        For each projection, fractions with errors: ``all`` of the posterior, ``electron`` of the
        part that meets a_e within one standard error, ``both`` of the part that meets both
        anomalies.
    """
    c = posterior.couplings(samples.u)
    electron, muon = (
        np.abs(term.pull(c)) <= 1
        for term in sorted(posterior.likelihood.anomalies, key=lambda t: t.observable.name)
    )
    parts = {"all": np.ones(len(c)), "electron": electron * 1.0, "both": electron * muon * 1.0}
    every = set().union(*PROJECTIONS.values())
    spared = {name: _exclusion(name).ratio(c) <= 1 for name in every}
    result = []
    for name, entries in PROJECTIONS.items():
        left = np.all([spared[entry] for entry in entries], axis=0)
        row: dict[str, Any] = {"projection": name, "entries": list(entries)}
        for part, inside in parts.items():
            row |= _share(part, left * 1.0, inside * samples.weight)
        result.append(row)
    return result


def _exclusion(name: str) -> Exclusion:
    [result] = assemble(LikelihoodSpec(add=(name,)), Library.beside()).likelihood.exclusions
    return result


def _share(part: str, left: FloatArray, weight: FloatArray) -> Mapping[str, float]:
    """Return the weighted mean and its standard error, by the name of the part."""
    total = float(weight.sum())
    mean = float(np.sum(weight * left)) / total
    error = float(np.sqrt(np.sum((weight * (left - mean)) ** 2))) / total
    return {part: mean, f"{part}_err": error}
