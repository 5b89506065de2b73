"""Searches that keep points of every stratum of the mass."""

import numpy as np
import pytest
from helpers_samplers import first_fast

from zpfit.analysis.joint_sigma import joint_sigma
from zpfit.inference.posterior import Posterior
from zpfit.inference.priors import LogUniform, Priors, Uniform
from zpfit.inference.search.best_fit import best_fit
from zpfit.inference.search.selection import Space
from zpfit.inference.search.strata import search_space
from zpfit.likelihood.exclusions import Exclusion, HalfGaussian
from zpfit.likelihood.likelihood import Likelihood
from zpfit.likelihood.measurements import GaussianTerm
from zpfit.models.base import Model, Parameter
from zpfit.physics.couplings import Couplings
from zpfit.physics.observables import Group, Observable
from zpfit.runs.run_file import find_run_file, load_run


def posterior_of(name):
    return load_run(find_run_file(name)).posterior


def test_a_narrow_basin_keeps_its_points_beside_a_wide_cheap_one():
    """A thousand points of cost 0 to 1 in one half, three of cost 2 in the other."""
    rng = np.random.default_rng(1)
    wide = 0.4 * rng.random((1000, 2))
    points = np.vstack([wide, [[0.9, 0.1], [0.9, 0.5], [0.9, 0.9]]])
    costs = np.append(rng.random(1000), np.full(3, 2.0))
    halves = Space(np.zeros(2), lambda u: (u[:, 0] > 0.5).astype(np.intp))
    kept = halves.best(points, costs)
    assert {1000, 1001, 1002} <= set(kept.tolist())
    assert kept[0] == np.argmin(costs)
    assert len(kept) <= 60
    assert not {1000, 1001, 1002} & set(Space(np.zeros(2)).best(points, costs).tolist())
    assert halves.leaders(points, costs, 5).tolist() == [int(np.argmin(costs)), 1000]


def test_strata_follow_the_mass_of_the_couplings():
    """The singlet's vev sets the mass: strata are those of the mass, however it is given."""
    posterior = posterior_of("nhdm_u1_singlet_cs")
    space = search_space(posterior)
    assert space.stratum is not None
    u = np.random.default_rng(1).random((2000, posterior.dimension))
    mass, label = posterior.couplings(u).m_Zp, space.stratum(u) // 2
    order = np.argsort(mass)
    assert (np.diff(label[order]) >= 0).all()
    assert len(np.unique(label)) == 24


@pytest.mark.parametrize("seed", first_fast(*range(1, 13)))
def test_joint_sigma_of_froggatt_nielsen_in_a_narrow_interval_of_masses(seed):
    """An independent branch and bound: 2.3317 < n <= 2.3318, at 28.42 MeV, 0.8 % of the prior.

    A search without strata of the mass ends at 2.3803 from every seed.
    """
    posterior = posterior_of("froggatt_nielsen_cs")
    found = joint_sigma(posterior, np.random.default_rng(seed))
    assert found.sigma == pytest.approx(2.3318, abs=5e-4)
    c = posterior.couplings(found.u[None])
    assert c.m_Zp[0] == pytest.approx(28.421, abs=0.02)
    assert abs(c.C_Ae[0]) == pytest.approx(3.544e-4, rel=5e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("froggatt_nielsen_rb", 1.11052),
        ("sm_u1_rb", 1.32229),
        ("nhdm_u1_rb", 1.32229),
        ("nhdm_u1_cs", 2.38518),
        ("sm_u1_cs", 8.7 / 3.6),
        ("paper_froggatt_nielsen", 2.39996),
        ("paper_nhdm_u1", 3.01514),
        ("paper_sm_u1", 3.01520),
    ],
)
@pytest.mark.parametrize("seed", [1, 2])
def test_joint_sigmas_that_an_independent_search_has_bracketed(name, least, seed):
    run = load_run(find_run_file(name))
    found = joint_sigma(run.posterior, np.random.default_rng(seed), run.settings.joint_sigma)
    assert found.sigma == pytest.approx(least, abs=5e-4)


class Four(Model):
    name = "four"
    parameters = tuple(Parameter(name, name) for name in ("m_Zp", "x", "y", "z"))

    def couplings(self, values):
        x, y, z = (values[name] for name in "xyz")
        return Couplings.of(m_Zp=values["m_Zp"], C_Ve=x, C_nue=y, C_Vmu=z)


def valley():
    """Return a moment of x = 1 +- 0.1, where x is at most 0.762 but in a valley with edges.

    There, with visible decays alone, it is up to 0.8: in 0.8 % of ln m, and 2 % of z.
    """

    def ratio(c):
        t = np.log(c.m_Zp / 28.4)
        off = 2 * (np.abs(t) + np.abs(c.C_Vmu - 0.3 - 8 * t))
        return np.abs(c.C_Ve) / np.where(c.br_ee > 0.5, 0.8 * np.exp(-off / 0.8), 0.762)

    moment = Observable("x", lambda c: c.C_Ve, Group.ELECTRON)
    wall = Exclusion("edge", ratio, HalfGaussian(power=1, confidence_level=0.9))
    priors = {"m_Zp": LogUniform(lower=1, upper=100)}
    priors |= {
        n: Uniform(lower=-size, upper=size) for n, size in zip("xyz", (1, 3, 1), strict=True)
    }
    data = Likelihood("toy", (GaussianTerm("x", moment, 1.0, 0.1),), (wall,))
    return Posterior(Four(), Priors(priors), data)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 5))
def test_joint_sigma_in_a_narrow_valley_with_edges(seed):
    """One seed in eight misses it, but none of these."""
    found = joint_sigma(valley(), np.random.default_rng(seed))
    assert found.sigma == pytest.approx(2.0, abs=5e-3)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 11))
def test_best_fit_of_two_doublets_with_todays_data(seed):
    """Half of the searches that kept the best points alone ended at 15.6080."""
    posterior, rng = posterior_of("nhdm_u1_today_leptons_cs"), np.random.default_rng(seed)
    found = best_fit(posterior, rng.random((2000, posterior.dimension)), rng)
    assert found.chi2 == pytest.approx(15.5936, abs=1e-3)
