"""Compare pseudo-experiments and their p-values with closed forms of linear models."""

from dataclasses import replace

import numpy as np
import pytest
from helpers_samplers import first_fast
from light_toys import LIGHT
from scipy.stats import binom, chi2, kstwo, norm, poisson

from zpfit.analysis.certify.bound_below import proved_below
from zpfit.analysis.joint_sigma import joint_sigma
from zpfit.analysis.toys.block import ToyProblem
from zpfit.analysis.toys.joint_sigma import joint_sigmas
from zpfit.analysis.toys.p_value import EmpiricalP, empirical_p
from zpfit.analysis.toys.pseudo_data import predictions, pseudo_data, search_rng
from zpfit.analysis.toys.refit import refit, solution_pool
from zpfit.analysis.toys.statistics import Hypothesis, naive_degrees
from zpfit.analysis.toys.toys import (
    Preparation,
    check_of_data,
    check_setup,
    prepare,
    toy_problem,
)
from zpfit.errors import FailedRefit, NoAnomalies, NoSamplingDistribution
from zpfit.inference.posterior import Posterior
from zpfit.inference.priors import Fixed, Fractions, Priors, Uniform
from zpfit.inference.progress import Silent
from zpfit.inference.search.best_fit import best_fit
from zpfit.inference.settings import JointSigmaSpec
from zpfit.likelihood.exclusions import Exclusion, HalfGaussian
from zpfit.likelihood.likelihood import Likelihood
from zpfit.likelihood.measurements import (
    AsymmetricTerm,
    Correlation,
    CountsTerm,
    GaussianTerm,
    TabulatedTerm,
)
from zpfit.models.base import Model, Parameter
from zpfit.physics.couplings import COUPLING_NAMES, Couplings
from zpfit.physics.observables import Group, Observable
from zpfit.runs.run_file import find_run_file, load_run

RARE = 1e-4
"""Probability that a test of random numbers fails although the code is correct."""
WIDE = Uniform(lower=-1, upper=1)
TRUTH = np.array([0.1, -0.2])
DESIGN = np.array([[1.0, 0], [0, 1], [1, 1], [1, -1], [2, -1]])
ERRORS = np.array([0.02, 0.03, 0.04, 0.05, 0.03])
NONE = Fixed(value=0)


class Linear(Model):
    """Model whose parameters x and y are couplings."""

    name = "linear"
    parameters = (Parameter("x", "x"), Parameter("y", "y", default=0.0))

    def couplings(self, values):
        zero = np.zeros(len(values["x"]))
        own = {"C_Ve": values["x"], "C_Vmu": values["y"]}
        return Couplings(**dict.fromkeys(COUPLING_NAMES, zero) | own)


def observable(a, b, group=Group.SCATTERING):
    """Return the observable a x + b y."""
    return Observable(f"{a} x + {b} y", lambda c: a * c.C_Ve + b * c.C_Vmu, group)


def bound(measurements, exclusions=(), correlations=(), *, x=WIDE, y=WIDE):
    likelihood = Likelihood("toy", tuple(measurements), tuple(exclusions), tuple(correlations))
    return Posterior(Linear(), Priors({"x": x, "y": y}), likelihood)


def five(y=WIDE):
    """Return a posterior with five measurements of two parameters."""
    terms = [
        GaussianTerm(f"term {i}", observable(a, b), 0.0, e)
        for i, ((a, b), e) in enumerate(zip(DESIGN, ERRORS, strict=True))
    ]
    return bound(terms, y=y)


def exact_chi2(data, columns):
    """Return the least chi2 of each row by linear algebra, with these parameters free."""
    a, b = DESIGN[:, columns] / ERRORS[:, None], data / ERRORS
    return np.array([np.sum((row - a @ np.linalg.lstsq(a, row)[0]) ** 2) for row in b])


def distance(values, cdf):
    """Return Kolmogorov's distance to a distribution in units of its quantile at RARE."""
    ordered, n = cdf(np.sort(values)), len(values)
    steps = np.arange(n + 1) / n
    largest = max((steps[1:] - ordered).max(), (ordered - steps[:-1]).max())
    return largest / kstwo.isf(RARE, n)


# Pseudo-data


def test_moments_of_gaussian_data_and_of_a_correlated_pair():
    correlation = Correlation(("b", "c"), ((0.04, 0.03), (0.03, 0.09)))
    terms = [
        GaussianTerm(name, observable(1, 0), 5.0, e)
        for name, e in (("a", 0.1), ("b", 0.2), ("c", 0.3))
    ]
    likelihood = Likelihood("toy", tuple(terms), (), (correlation,))
    truth, n = np.array([1.0, -2.0, 3.0]), 20_000
    drawn = pseudo_data(likelihood, truth, 1, range(n))
    covariance = np.array([[0.01, 0, 0], [0, 0.04, 0.03], [0, 0.03, 0.09]])
    limit = norm.isf(RARE / 24)
    variances = np.diag(covariance)
    assert np.all(np.abs(drawn.mean(axis=0) - truth) < limit * np.sqrt(variances / n))
    spread = np.sqrt((np.outer(variances, variances) + covariance**2) / n)
    assert np.all(np.abs(np.cov(drawn.T) - covariance) < limit * spread)
    # Their chi2 at the truth is that of three independent normal numbers.
    points = Couplings(**{name: np.zeros(n) for name in COUPLING_NAMES})
    shifted = likelihood.residuals(points, 1.0, drawn - truth)
    assert distance((shifted**2).sum(axis=1), chi2(3).cdf) < 1


def test_unequal_errors_have_half_of_the_toys_on_each_side():
    # The error towards larger predictions applies if the measured value is below the prediction.
    term = AsymmetricTerm("a", observable(1, 0), 0.0, error_up=2.0, error_down=0.5)
    n = 20_000
    [drawn] = pseudo_data(Likelihood("toy", (term,), ()), np.array([3.0]), 1, range(n)).T
    below = drawn < 3
    assert abs(below.mean() - 0.5) < norm.isf(RARE) / np.sqrt(4 * n)
    for side, error in ((below, 2.0), (~below, 0.5)):
        assert distance(np.abs(drawn[side] - 3) / error, lambda z: 2 * norm.cdf(z) - 1) < 1
    pulls = term.pull_of(drawn, np.array([3.0]))
    assert distance(pulls, norm.cdf) < 1


@pytest.mark.parametrize("expected", [0.3, *first_fast(60.0, 4.0)])
def test_counts_are_poisson_numbers(expected):
    term = CountsTerm("n", observable(1, 0), observed=3, signal=10.0, background=0.1)
    n = 20_000
    truth = np.array([(expected - 0.1) / 10])
    [drawn] = pseudo_data(Likelihood("toy", (term,), ()), truth, 1, range(n)).T
    assert np.array_equal(drawn, np.round(drawn))
    values = np.arange(int(poisson.ppf(0.01, expected)), int(poisson.ppf(0.99, expected)) + 1)
    share = np.array([(drawn == value).mean() for value in values])
    p = poisson.pmf(values, expected)
    assert np.all(np.abs(share - p) < norm.isf(RARE / len(values)) * np.sqrt(p * (1 - p) / n))


def test_a_toy_is_the_same_whichever_others_are_drawn():
    likelihood, truth = five().likelihood, DESIGN @ TRUTH
    many = pseudo_data(likelihood, truth, 7, range(20))
    np.testing.assert_array_equal(pseudo_data(likelihood, truth, 7, range(13, 15)), many[13:15])
    assert not np.any(pseudo_data(likelihood, truth, 8, range(20)) == many)


def test_pulls_of_the_data_that_were_seen_are_those_of_the_fit():
    posterior = load_run(find_run_file("effective_today_leptons_cs")).posterior
    u = np.random.default_rng(1).random((50, posterior.dimension))
    data = np.tile(posterior.likelihood.data, (50, 1))
    np.testing.assert_array_equal(posterior.residuals(u, 3.0, data), posterior.residuals(u, 3.0))


def test_a_table_has_no_pseudo_data():
    term = TabulatedTerm("my_table", observable(1, 0), (0.0, 1.0, 2.0), (1.0, 0.0, 1.0))
    likelihood = Likelihood("toy", (term,), ())
    with pytest.raises(NoSamplingDistribution, match=r"my_table.*likelihood\.drop"):
        pseudo_data(likelihood, np.zeros(1), 1, range(3))
    with pytest.raises(NoSamplingDistribution, match="my_table"):
        term.pull_of(np.zeros(3), np.zeros(3))


# The refit


@pytest.fixture
def linear_toys():
    """Return data, least chi2 with y and least chi2 without it, for 300 toys of five
    measurements."""
    large, small = five(), five(y=Fixed(value=-0.2))
    truth, n = DESIGN @ TRUTH, 300
    data = pseudo_data(large.likelihood, truth, 3, range(n))
    fits = [
        refit(p, solution_pool(p, truth, search_rng(3, 0), LIGHT), data, search_rng(3, 1), LIGHT)
        for p in (large, small)
    ]
    return data, fits[0].chi2, fits[1].chi2


def test_the_refit_of_linear_models_is_linear_least_squares(linear_toys):
    data, large, small = linear_toys
    np.testing.assert_allclose(large, exact_chi2(data, [0, 1]), atol=1e-5)
    shifted = data + 0.2 * DESIGN[:, 1]
    np.testing.assert_allclose(small, exact_chi2(shifted, [0]), atol=1e-5)


def test_chi2_and_its_difference_have_the_distributions_of_linear_models(linear_toys):
    _, large, small = linear_toys
    assert distance(large, chi2(3).cdf) < 1
    assert distance(small - large, chi2(1).cdf) < 1
    # Negative control: one degree of freedom too many.
    assert distance(large, chi2(4).cdf) > 1
    assert distance(small - large, chi2(2).cdf) > 1


def test_p_values_of_toys_taken_for_data_are_uniform(linear_toys):
    _, large, _ = linear_toys
    reference, data = large[:150], large[150:]
    p = np.array([empirical_p(reference, value, 0.0).p_value for value in data])
    # Two samples of n have the Kolmogorov distance of one of n/2.
    ordered = np.sort(p)
    largest = np.abs(ordered - np.arange(1, 151) / 150).max()
    assert largest < kstwo.isf(RARE, 75)
    # Negative control: data of another hypothesis, twice as far off.
    shifted = [empirical_p(reference, 4 * value, 0.0).p_value for value in data]
    assert np.abs(np.sort(shifted) - np.arange(1, 151) / 150).max() > kstwo.isf(RARE, 75)


def test_a_minimum_outside_a_wall_is_found_on_it():
    """With |x| < 0.05 and one measurement chi2 is ((|d| - 0.05)/e)^2 beyond the bound."""
    wall = Exclusion(
        "wall", lambda c: np.abs(c.C_Ve) / 0.05, HalfGaussian(power=1, confidence_level=0.9)
    )
    term = GaussianTerm("t", observable(1, 0), 0.0, 0.02)
    posterior = bound([term], [wall], y=NONE)
    truth = np.array([0.04])
    data = pseudo_data(posterior.likelihood, truth, 1, range(100))
    pool = solution_pool(posterior, truth, search_rng(1, 0), LIGHT)
    fits = refit(posterior, pool, data, search_rng(1, 1), LIGHT)
    expected = (np.maximum(np.abs(data[:, 0]) - 0.05, 0) / 0.02) ** 2
    np.testing.assert_allclose(fits.chi2, expected, atol=2e-3)
    assert np.all(np.abs(posterior.couplings(fits.u).C_Ve) <= 0.05)


def test_steps_of_a_prior_are_crossed():
    """x is a multiple of 1/10, so the nearest multiple is best."""
    term = GaussianTerm("t", observable(1, 0), 0.0, 0.1)
    posterior = bound([term], x=Fractions(largest=1, denominator=10), y=NONE)
    truth = np.array([0.3])
    data = pseudo_data(posterior.likelihood, truth, 1, range(100))
    pool = solution_pool(posterior, truth, search_rng(1, 0), LIGHT)
    fits = refit(posterior, pool, data, search_rng(1, 1), LIGHT)
    x = data[:, 0]
    np.testing.assert_allclose(fits.chi2, ((x - np.round(x, 1)) / 0.1) ** 2, atol=1e-9)


def behind_a_cliff():
    """One measurement of x; x is allowed within 1e-5 of 0.3 alone, which no descent can know."""
    wall = Exclusion(
        "hole",
        lambda c: np.where(np.abs(c.C_Ve - 0.3) < 1e-5, 0.0, 5.0),
        HalfGaussian(power=1, confidence_level=0.9),
    )
    return bound([GaussianTerm("a", observable(1, 0), 0.0, 0.1)], [wall], y=NONE)


def test_no_refit_is_worse_than_the_known_point():
    posterior = behind_a_cliff()
    data, pool, known = np.array([[0.0], [0.2]]), np.full((1, 1), 0.1), np.array([[0.65]])
    alone = refit(posterior, pool, data, search_rng(1), LIGHT)
    assert np.isinf(alone.chi2).all()
    fits = refit(posterior, pool, data, search_rng(1), LIGHT, known)
    np.testing.assert_allclose(fits.chi2, [9.0, 1.0], atol=1e-3)


def test_a_failed_fit_of_the_data_has_no_p_value():
    posterior = behind_a_cliff()
    pool = np.full((1, 1), 0.1)
    best = np.array([[0.65]])
    problem = ToyProblem(posterior, None, None, 1, np.zeros(1), pool, None, best, None, 3)
    preparation = Preparation({"chi2": 9.0}, np.zeros(1), pool, None, best, None)
    found = check_of_data(preparation, problem)
    assert found.observed["chi2"] == pytest.approx(9.0, abs=1e-3)
    assert np.isinf(found.unaided["chi2"])
    with pytest.raises(FailedRefit, match=r"chi2 of the data.*9\.000.*no p-value"):
        check_of_data(preparation, replace(problem, known=best[:0]))


@pytest.mark.slow
def test_data_on_the_cliff_of_an_exclusion_are_refitted():
    """The best fit of this run lies where a limit of the mass meets one of the mixing."""
    run = load_run(find_run_file("L_mu-L_tau_cs"))
    setup = check_setup(run, "no-zprime", None, joint_sigma=False)
    preparation = prepare(setup, Silent())
    data = check_of_data(preparation, toy_problem(setup, preparation))
    assert data.observed["chi2"] == pytest.approx(preparation.observed["chi2"], abs=1e-3)
    assert data.unaided["chi2"] == pytest.approx(preparation.observed["chi2"], abs=0.06)


# The joint sigma


def anomalies(limit=2.0):
    """Return two moments that both measure x, and a third measurement of it."""
    terms = [
        GaussianTerm("e", observable(1, 0, Group.ELECTRON), 0.0, 0.02),
        GaussianTerm("mu", observable(1, 0, Group.MUON), 0.0, 0.03),
        GaussianTerm("s", observable(1, 0), 0.0, 0.02),
    ]
    return bound(terms, y=NONE), JointSigmaSpec(others=limit)


def exact_level(row, limit):
    """Return the smallest value of the larger pull over x, at equal pulls or at a bound."""
    e, mu, s = row
    low, high = s - 0.02 * limit, s + 0.02 * limit
    x = np.array([(e * 0.03 + mu * 0.02) / 0.05, low, high, e, mu])
    x = x[(x >= low - 1e-12) & (x <= high + 1e-12)]
    return np.maximum(np.abs(x - e) / 0.02, np.abs(x - mu) / 0.03).min()


@pytest.mark.parametrize("limit", [0.5, 2.0, 50.0])
def test_joint_sigma_of_two_moments_that_measure_the_same(limit):
    posterior, limits = anomalies(limit)
    truth = np.full(3, 0.2)
    data = pseudo_data(posterior.likelihood, truth, 1, range(60))
    pool = solution_pool(posterior, truth, search_rng(1, 0), LIGHT)
    fits = refit(posterior, pool, data, search_rng(1, 1), LIGHT)
    levels = joint_sigmas(posterior, pool, data, fits.u, limits, search_rng(1, 2))
    expected = [exact_level(row, limit) for row in data]
    # A level below 0.001 counts as zero.
    np.testing.assert_allclose(levels, expected, atol=1e-3)
    large = np.array(expected) > 1e-3
    assert large.any()
    np.testing.assert_allclose(levels[large], np.array(expected)[large], atol=1e-5)


@pytest.mark.parametrize("limit", [0.5, 2.0])
def test_joint_sigma_of_two_moments_alone(limit):
    """Without other measurements the level is where both pulls are equal."""
    posterior, limits = anomalies(limit)
    moments = posterior.likelihood.measurements[:2]
    posterior = replace(posterior, likelihood=replace(posterior.likelihood, measurements=moments))
    truth = np.full(2, 0.2)
    data = pseudo_data(posterior.likelihood, truth, 1, range(20))
    pool = solution_pool(posterior, truth, search_rng(1, 0), LIGHT)
    fits = refit(posterior, pool, data, search_rng(1, 1), LIGHT)
    levels = joint_sigmas(posterior, pool, data, fits.u, limits, search_rng(1, 2))
    np.testing.assert_allclose(levels, np.abs(data[:, 0] - data[:, 1]) / 0.05, atol=2e-3)


@pytest.mark.slow
def test_joint_sigmas_of_toys_lie_next_to_a_proof():
    """Without the final constrained search they are too high by up to 0.015."""
    run = load_run(find_run_file("froggatt_nielsen_cs"))
    posterior, limits = run.posterior, run.settings.joint_sigma
    u = best_fit(posterior, np.random.default_rng(1).random((2000, 6)), np.random.default_rng(2)).u
    truth = predictions(posterior.likelihood, posterior.couplings(u[None]))
    data = pseudo_data(posterior.likelihood, truth, 1, range(20))
    pool = solution_pool(posterior, truth, search_rng(1, 0))
    fits = refit(posterior, pool, data, search_rng(1, 1), known=u[None])
    levels = joint_sigmas(posterior, pool, data, fits.u, limits, search_rng(1, 2))

    def distance(row, level):
        of_toy = replace(posterior, likelihood=posterior.likelihood.with_data(row))
        return level - (proved_below(replace(run, posterior=of_toy), level) or 0.0)

    found = [distance(*toy) for toy in zip(data, levels.tolist(), strict=True)]
    # Where the terms that a proof leaves out matter, it ends lower.
    assert np.sum(np.array(found) < 0.006) >= 17, found


def test_joint_sigma_is_infinite_where_the_others_cannot_be_met():
    wall = Exclusion(
        "wall",
        lambda c: np.abs(c.C_Ve) / 0.05,
        HalfGaussian(power=1, confidence_level=0.9),
        soft=True,
    )
    posterior, limits = anomalies()
    posterior = replace(posterior, likelihood=replace(posterior.likelihood, exclusions=(wall,)))
    # The third measurement is 2 errors beyond the wall in one row, 3 in the other.
    data = np.array([[0.05, 0.05, 0.089], [0.05, 0.05, 0.11]])
    pool = solution_pool(posterior, np.zeros(3), search_rng(1, 0), LIGHT)
    fits = np.full((2, 1), 0.5)
    levels = joint_sigmas(posterior, pool, data, fits, limits, search_rng(1, 2))
    assert levels[0] == pytest.approx(0.0, abs=0.01)
    assert levels[1] == np.inf


def test_without_anomalies_there_is_no_joint_sigma():
    posterior = five()
    with pytest.raises(NoAnomalies):
        joint_sigmas(
            posterior,
            np.full((1, 2), 0.5),
            np.zeros((1, 5)),
            np.full((1, 2), 0.5),
            JointSigmaSpec(),
            search_rng(1),
        )


# p-values


@pytest.mark.parametrize(("extreme", "toys"), [(0, 100), (1, 100), (37, 100), (100, 100)])
def test_the_interval_is_that_of_clopper_and_pearson(extreme, toys):
    """At each end of the interval the tail beyond the count has half of the remaining
    probability."""
    p = EmpiricalP(extreme, toys)
    low, high = p.interval
    tail = (1 - 0.6827) / 2
    assert low == 0 if extreme == 0 else binom.sf(extreme - 1, toys, low) == pytest.approx(tail)
    assert high == 1 if extreme == toys else binom.cdf(extreme, toys, high) == pytest.approx(tail)
    assert low <= p.p_value <= high


def test_without_an_extreme_toy_there_is_an_upper_limit():
    p = EmpiricalP(0, 1000)
    assert binom.pmf(0, 1000, p.upper_limit) == pytest.approx(0.05)
    assert p.sigma == pytest.approx(norm.isf(p.upper_limit / 2))
    assert p.sigma_interval[1] is None
    assert EmpiricalP(1, 1000).upper_limit is None


def test_equal_counts_as_extreme_and_infinity_is():
    toys = np.array([0.0, 0.0, 1.0, np.inf])
    assert empirical_p(toys, 0.0, 1e-3).extreme == 4
    assert empirical_p(toys, 1.0, 1e-3).extreme == 2
    assert empirical_p(toys, np.inf, 1e-3).extreme == 1


# Against global searches


def global_chi2(posterior, row, seed):
    """Return the least chi2 of one toy by the global search of a run."""
    rng = np.random.default_rng(seed)
    of_toy = replace(posterior, likelihood=posterior.likelihood.with_data(row))
    return best_fit(of_toy, rng.random((2000, posterior.dimension)), rng).chi2


@pytest.mark.slow
@pytest.mark.parametrize("run_name", ["quickstart", "sm_u1_cs"])
def test_the_fast_refit_has_no_bias_against_global_searches(run_name):
    posterior = load_run(find_run_file(run_name)).posterior
    truth = predictions(posterior.likelihood, Couplings.none())
    data = pseudo_data(posterior.likelihood, truth, 1, range(50))
    pool = solution_pool(posterior, truth, search_rng(1, 0))
    fast = refit(posterior, pool, data, search_rng(1, 1)).chi2
    slow = np.array([global_chi2(posterior, row, i) for i, row in enumerate(data)])
    difference = fast - slow
    print(f"mean {difference.mean():.4f}, largest {difference.max():.4f}")  # noqa: T201
    assert difference.mean() < 0.02
    assert difference.max() < 0.15
    assert difference.min() > -0.02


@pytest.mark.slow
def test_joint_sigmas_of_toys_are_those_of_long_searches():
    run = load_run(find_run_file("sm_u1_cs"))
    posterior, limits = run.posterior, run.settings.joint_sigma
    truth = predictions(posterior.likelihood, Couplings.none())
    data = pseudo_data(posterior.likelihood, truth, 2, range(10))
    pool = solution_pool(posterior, truth, search_rng(2, 0))
    fits = refit(posterior, pool, data, search_rng(2, 1))
    fast = joint_sigmas(posterior, pool, data, fits.u, limits, search_rng(2, 2))

    def long_search(row):
        of_toy = replace(posterior, likelihood=posterior.likelihood.with_data(row))
        return joint_sigma(of_toy, np.random.default_rng(1), limits).sigma

    slow = np.array([long_search(row) for row in data])
    np.testing.assert_allclose(fast, slow, atol=5e-3)


@pytest.mark.parametrize(
    ("free", "hypothesis", "expected"),
    [
        # Seven measurements: two moments, TEXONO, Borexino, CHARM II twice, CCFR.
        (["g_prime"], "no-zprime", {"chi2": 6, "delta_chi2": 1}),
        (["g_prime", "eps"], "no-zprime", {"chi2": 5, "delta_chi2": 2}),
        (["g_prime", "eps"], "best-fit", {"chi2": 5}),
    ],
)
def test_degrees_of_freedom_of_linear_models(
    free: list[str], hypothesis: Hypothesis, expected: dict[str, int]
):
    posterior = load_run(find_run_file("L_mu-L_tau_cs")).posterior
    fixed = {name: Fixed(value=1.0) for name in posterior.priors.by_name if name not in free}
    priors = Priors({**posterior.priors.by_name, **fixed})
    assert naive_degrees(replace(posterior, priors=priors), None, hypothesis) == expected


def test_a_fit_with_a_parameter_for_each_datum_leaves_no_degree_of_freedom():
    posterior = load_run(find_run_file("L_mu-L_tau_cs")).posterior
    likelihood = replace(posterior.likelihood, measurements=posterior.likelihood.measurements[:2])
    found = naive_degrees(replace(posterior, likelihood=likelihood), None, "no-zprime")
    assert found == {"delta_chi2": 2}
