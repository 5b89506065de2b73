"""Test the likelihood and priors in bilby."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from helpers_interfaces import RUNS, points_of

from zpfit.errors import InvalidInput
from zpfit.interfaces.point_likelihood import point_likelihood
from zpfit.runs.run_file import find_run_file, load_run

Command = Callable[..., str]


@pytest.mark.parametrize("name", RUNS)
def test_bilby_has_the_same_likelihood_and_priors(name: str, quiet: None):
    pytest.importorskip("bilby")
    from zpfit.interfaces.bilby import ZpfitLikelihood

    run = load_run(find_run_file(name))
    likelihood = ZpfitLikelihood(name)
    points, expected = points_of(run, 10)
    found = [likelihood.log_likelihood(point) for point in points]
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    priors = likelihood.priors()
    u = np.random.default_rng(2).random(run.posterior.dimension)
    ours = run.posterior.parameters(u[None])
    theirs = priors.rescale(run.posterior.names, u)
    for parameter, value in zip(run.posterior.names, np.ravel(theirs), strict=True):
        assert value == pytest.approx(float(ours[parameter][0]), rel=1e-9)
    assert likelihood.noise_log_likelihood() == pytest.approx(
        float(point_likelihood(name).log_likelihood_without_zprime())
    )


def test_bilby_gets_no_priors_without_a_run_file(quiet: None):
    pytest.importorskip("bilby")
    from zpfit.interfaces.bilby import ZpfitLikelihood

    assert point_likelihood(likelihood="paper_2021_cs").priors is None
    with pytest.raises(InvalidInput, match="give run_file, or bilby's own priors of m_Zp"):
        ZpfitLikelihood(likelihood="paper_2021_cs").priors()


def test_bilby_hears_of_a_misspelt_parameter(quiet: None):
    pytest.importorskip("bilby")
    from zpfit.interfaces.bilby import ZpfitLikelihood

    likelihood = ZpfitLikelihood(likelihood="paper_2021_cs")
    with pytest.raises(InvalidInput, match="did you mean 'C_Ve'"):
        likelihood.log_likelihood({"m_Zp": 17.0, "C_Vee": 0.5})
    # bilby passes columns of a posterior when it weights samples anew.
    point = {"m_Zp": 17.0, "C_Ve": 1e-6}
    expected = likelihood.log_likelihood(point)
    assert likelihood.log_likelihood(point | {"log_likelihood": 1.0, "log_prior": 2.0}) == expected


def test_bilby_joins_it_with_another_likelihood(quiet: None):
    bilby = pytest.importorskip("bilby")
    from zpfit.interfaces.bilby import ZpfitLikelihood

    class Nuisance(bilby.Likelihood):
        def log_likelihood(self, parameters: dict[str, float]) -> float:
            return -0.5 * parameters["nu"] ** 2

        def noise_log_likelihood(self) -> float:
            return 0.0

    ours = ZpfitLikelihood(likelihood="paper_2021_cs", others=["nu"])
    joint = bilby.core.likelihood.JointLikelihood(ours, Nuisance())
    point = {"m_Zp": 17.0, "C_Ve": 1e-6}
    assert joint.log_likelihood(point | {"nu": 1.0}) == ours.log_likelihood(point) - 0.5


def test_either_sign_ends_at_its_bounds_in_bilby(quiet: None):
    bilby = pytest.importorskip("bilby")
    from zpfit.interfaces.bilby import EitherSign

    prior = EitherSign(1e-8, 0.1, name="C_Ve")
    values = np.array([-0.5, -0.1, -1e-3, -1e-9, 0.0, 1e-9, 1e-8, 1e-3, 0.1, 0.5])
    inside = [False, True, True, False, False, False, True, True, True, False]
    np.testing.assert_array_equal(np.isfinite(prior.ln_prob(values)), inside)
    np.testing.assert_allclose(prior.prob(values[:5]), prior.prob(-values[:5]))
    assert prior.ln_prob(0.5) == -np.inf
    assert prior.ln_prob(1e-3) == pytest.approx(-np.log(2 * 1e-3 * np.log(1e7)))
    assert (prior.minimum, prior.maximum) == (-0.1, 0.1)
    u = np.array([0.01, 0.3, 0.7, 0.99])
    np.testing.assert_allclose(prior.cdf(prior.rescale(u)), u)
    np.testing.assert_array_equal(prior.cdf(np.array([-1.0, 0.0, 1.0])), [0, 0.5, 1])
    # bilby does this with the priors of a result.
    assert json.loads(prior.to_json(), object_hook=bilby.core.utils.decode_bilby_json) == prior
