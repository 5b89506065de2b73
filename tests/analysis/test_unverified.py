"""Compare the influence of unverified numbers with quadrature over a prior of one parameter."""

from dataclasses import replace

import numpy as np
import pytest

from zpfit.analysis.unverified import influence_of
from zpfit.api.sources import load
from zpfit.inference.posterior import Posterior
from zpfit.likelihood.likelihood import Likelihood
from zpfit.physics.couplings import Couplings

GRID = (np.arange(4000) + 0.5)[:, None] / 4000
PRIOR = {"type": "log_uniform", "lower": 1e-5, "upper": 1e-2}


def posterior_of(numu: object, *added: str) -> Posterior:
    """Return the posterior of a Z' that couples to muons, with the moment of the muon."""
    fixed = dict.fromkeys(("C_Ve", "C_Ae", "C_nue", "C_Amu"), 0)
    parameters = {"m_Zp": 30, "C_Vmu": PRIOR, "C_numu": numu, **fixed}
    data = {"set": "paper_2021_cs", "add": list(added)}
    run = {"model": "effective", "likelihood": data, "priors": {"parameters": parameters}}
    return load(run).posterior


def log_b(posterior: Posterior, likelihood: Likelihood) -> float:
    """Return ln B against no Z' by quadrature over the prior."""
    log_likelihood = likelihood.log_likelihood(posterior.couplings(GRID))
    without = likelihood.log_likelihood(Couplings.none())[0]
    return float(np.log(np.mean(np.exp(log_likelihood - without))))


def samples(posterior: Posterior) -> np.ndarray:
    weights = np.exp(posterior.log_likelihood(GRID))
    edges = np.cumsum(weights) / weights.sum()
    return GRID[np.searchsorted(edges, (np.arange(500) + 0.5) / 500)]


def test_a_shifted_measurement():
    posterior = posterior_of(0)
    likelihood, usual = posterior.likelihood, log_b(posterior, posterior.likelihood)
    changes = []
    for sign in (1, -1):
        terms = [
            t.with_datum(t.datum + sign * t.error) if t.name == "a_mu_2021" else t
            for t in likelihood.measurements
        ]
        other = replace(likelihood, measurements=tuple(terms))
        changes.append(log_b(posterior, other) - usual)
    found = influence_of(posterior, samples(posterior), ["a_mu_2021"])
    assert max(changes, key=abs) > 1
    assert found["a_mu_2021"] == pytest.approx(max(changes, key=abs), abs=0.1)


def test_a_stronger_limit():
    posterior = posterior_of({"type": "tied", "to": "C_Vmu"}, "na64mu_2024")
    likelihood = posterior.likelihood
    exclusions = [
        replace(e, ratio=lambda c, r=e.ratio: 2 * r(c)) if e.name == "na64mu_2024" else e
        for e in likelihood.exclusions
    ]
    other = replace(likelihood, exclusions=tuple(exclusions))
    change = log_b(posterior, other) - log_b(posterior, likelihood)
    found = influence_of(posterior, samples(posterior), ["na64mu_2024", "na64_2020"])
    assert change < -0.1
    assert found["na64mu_2024"] == pytest.approx(change, abs=0.1)
    assert found["na64_2020"] == 0  # muons alone: no electrons see the Z'
