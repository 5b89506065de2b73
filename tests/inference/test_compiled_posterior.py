"""Compare posteriors that run in one compiled call with the same terms called one by one."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from zpfit.errors import UndefinedValue
from zpfit.inference.compiled_posterior import CompiledPosterior
from zpfit.inference.posterior import Posterior
from zpfit.inference.problem import resolve
from zpfit.io.library import Library
from zpfit.io.yaml import parse_yaml
from zpfit.likelihood.measurements import GaussianTerm
from zpfit.physics.compiled import INTERPRETED
from zpfit.physics.observables import Group, Observable

pytestmark = pytest.mark.skipif(INTERPRETED, reason="interpreted formulas are not recorded")

SETS = sorted(path.stem for path in Path("likelihoods/sets").glob("*.yaml"))
MODELS = ("effective", "sm_u1", "nhdm_u1", "froggatt_nielsen", "B-L", "dark_photon")
WITHIN = 1e-12
"""Relative tolerance: sums in another order round differently."""
WALL = 30.0


def posterior_of(model: str, likelihood: str) -> Posterior:
    text = f"{{model: {model}, likelihood: {likelihood}, priors: {model}}}"
    return resolve(parse_yaml(text, Path("test")), Library.beside()).posterior


def term_by_term(posterior: Posterior) -> Posterior:
    plain = replace(posterior)
    plain.__dict__["_compiled"] = None
    return plain


def squares(posterior: Posterior, u: np.ndarray, data: np.ndarray | None) -> np.ndarray:
    """Return the sorted squares of the residuals, whose order is free."""
    return np.sort(posterior.residuals(u, WALL, data) ** 2, axis=1)


def assert_agree(posterior: Posterior, n: int) -> None:
    u = np.random.default_rng(2).random((n, posterior.dimension))
    plain = term_by_term(posterior)
    assert isinstance(posterior._compiled, CompiledPosterior)
    expected = plain.log_likelihood(u)
    assert np.isfinite(expected).any()
    np.testing.assert_allclose(posterior.log_likelihood(u), expected, rtol=WITHIN)
    at = posterior.log_likelihood_at(posterior.parameters(u))
    np.testing.assert_allclose(at, expected, rtol=WITHIN)
    some = u[:50]
    observed = posterior.likelihood.data
    for data in (None, np.broadcast_to(observed, (len(some), len(observed)))):
        if data is not None and any(m.observable.theory for m in posterior.likelihood.measurements):
            continue
        np.testing.assert_allclose(
            squares(posterior, some, data), squares(plain, some, data), rtol=1e-8, atol=1e-9
        )
        assert_pulls_agree(posterior, plain, some, data)


def assert_pulls_agree(
    posterior: Posterior, plain: Posterior, u: np.ndarray, data: np.ndarray | None
) -> None:
    found, expected = posterior.pulls_and_ratios(u, data), plain.pulls_and_ratios(u, data)
    np.testing.assert_allclose(found.pulls, expected.pulls, rtol=1e-8, atol=1e-9)
    ratios = [np.sort(each.ratios, axis=0) for each in (found, expected)]
    np.testing.assert_allclose(*ratios, rtol=1e-9)
    np.testing.assert_array_equal(found.couplings().m_Zp, expected.couplings().m_Zp)


@pytest.mark.parametrize("model", ["effective", "sm_u1"])
def test_one_call_gives_what_the_terms_give(model: str):
    assert_agree(posterior_of(model, "paper_2021_cs"), 2000)


@pytest.mark.slow
@pytest.mark.parametrize("likelihood", SETS)
@pytest.mark.parametrize("model", MODELS)
def test_one_call_gives_what_the_terms_give_for_all_data(model: str, likelihood: str):
    assert_agree(posterior_of(model, likelihood), 20000)


def test_a_point_does_not_depend_on_its_batch():
    posterior = posterior_of("effective", "paper_2021_cs")
    u = np.random.default_rng(3).random((700, posterior.dimension))
    together = posterior.log_likelihood(u)
    alone = [posterior.log_likelihood(u[i : i + 1])[0] for i in range(len(u))]
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(posterior.log_likelihood(u[::3]), together[::3])


def test_a_term_that_cannot_be_recorded_is_called():
    posterior = posterior_of("effective", "paper_2021_cs")
    calls = []

    def sum_of_sizes(c):
        calls.append(c)
        return np.array([abs(x) for x in c.C_Ve.tolist()])

    own = Observable("own", sum_of_sizes, Group.OTHER)
    measured = (*posterior.likelihood.measurements, GaussianTerm("own", own, 1e-4, 1e-4))
    likelihood = replace(posterior.likelihood, measurements=measured)
    assert_agree(replace(posterior, likelihood=likelihood), 2000)
    assert calls


def test_nan_is_reported_and_excludes_nothing():
    posterior = posterior_of("effective", "paper_2021_cs")
    own = Observable("own", lambda c: np.sqrt(c.C_Ve), Group.OTHER)  # NaN for half of the points
    measured = (*posterior.likelihood.measurements, GaussianTerm("own", own, 0.0, 1.0))
    broken = replace(posterior, likelihood=replace(posterior.likelihood, measurements=measured))
    u = np.random.default_rng(4).random((200, posterior.dimension))
    with pytest.raises(UndefinedValue, match="term 'own'"):
        broken.log_likelihood(u)
    u[0, 0] = np.nan
    with pytest.raises(UndefinedValue, match="coupling m_Zp"):
        posterior.log_likelihood(u)


def test_nan_at_a_forbidden_point_is_not_needed():
    """The coupling of the muon is computed where no exclusion of the electron forbids a point."""
    posterior = posterior_of("effective", "paper_2021_cs")
    u = np.random.default_rng(6).random((200, posterior.dimension))
    expected = posterior.log_likelihood(u)
    muon = list(posterior.priors.free).index("C_Vmu")
    u[expected == -np.inf, muon] = np.nan
    for one in (posterior, term_by_term(posterior)):
        np.testing.assert_allclose(one.log_likelihood(u), expected, rtol=WITHIN)
    point = int(np.argmax(expected > -np.inf))
    u[point, muon] = np.nan
    value = posterior.parameters(u[[point]])["m_Zp"][0]
    with pytest.raises(UndefinedValue, match=rf"coupling C_Vmu .*m_Zp = {value:.3g}"):
        posterior.log_likelihood(u)
    u[:, muon] = np.nan
    for one in (posterior, term_by_term(posterior)):
        with pytest.raises(UndefinedValue, match="coupling C_Vmu"):
            one.log_likelihood(u)


def test_other_processes_record_again():
    posterior = posterior_of("effective", "paper_2021_cs")
    u = np.random.default_rng(5).random((20, posterior.dimension))
    expected = posterior.log_likelihood(u)
    sent = pickle.loads(pickle.dumps(posterior))  # noqa: S301 - made here
    np.testing.assert_array_equal(sent.log_likelihood(u), expected)
