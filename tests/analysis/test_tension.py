"""Compare tension statistics with closed forms of linear models with Gaussian errors."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers_samplers import quick
from scipy.stats import chi2, norm

from zpfit.analysis.significance import chi2_tail, two_sided_sigma
from zpfit.analysis.tension.parameter_goodness import parameter_goodness
from zpfit.analysis.tension.pulls import predictive_pulls
from zpfit.analysis.tension.suspiciousness import Constraint, EvidenceTension, evidence_tension
from zpfit.analysis.tension.tension import tension, tension_record
from zpfit.cli.tension import print_tension
from zpfit.inference.posterior import Posterior
from zpfit.inference.priors import Fixed, Fractions, Priors, Uniform
from zpfit.inference.progress import Silent
from zpfit.inference.samplers.importance import Integral
from zpfit.inference.samplers.result import Evidence, WeightedSamples
from zpfit.inference.search.best_fit import find_minimum
from zpfit.likelihood.exclusions import Exclusion, HalfGaussian
from zpfit.likelihood.likelihood import Likelihood
from zpfit.likelihood.measurements import GaussianTerm
from zpfit.models.base import Model, Parameter
from zpfit.physics.couplings import COUPLING_NAMES, Couplings
from zpfit.physics.observables import Group, Observable
from zpfit.plots.tension import tension_figure
from zpfit.runs.run_file import find_run_file, load_run

LIMIT = 4.5
"""Tolerance in standard errors that a random deviation rarely exceeds."""
WIDE = Uniform(lower=-1, upper=1)
RUN = load_run(find_run_file("quickstart"))
SETTINGS = RUN.settings.model_copy(
    update={"best_fit": RUN.settings.best_fit.model_copy(update={"starts": 100})}
)


class Linear(Model):
    """Model whose parameters x and y are couplings; ``condition`` may restrict x."""

    name = "linear"
    parameters = (Parameter("x", "x"), Parameter("y", "y", default=0.0))

    def __init__(self, *, positive=False):
        self.positive = positive

    def couplings(self, values):
        zero = np.zeros(len(values["x"]))
        own = {"C_Ve": values["x"], "C_Vmu": values["y"]}
        return Couplings(**dict.fromkeys(COUPLING_NAMES, zero) | own)

    def conditions(self, values):
        return {"x > 0": 1 - values["x"]} if self.positive else {}


def measured(group, a, b, value, error):
    """Return a measurement of a x + b y."""
    function = lambda c: a * c.C_Ve + b * c.C_Vmu  # noqa: E731
    name = f"{group.value}: {a} x + {b} y = {value}"
    return GaussianTerm(name, Observable(name, function, group), value, error)


def limit(size, *, soft=False):
    """Return an exclusion of |x| above ``size``, hard by default."""
    ratio = lambda c: np.abs(c.C_Ve) / size  # noqa: E731
    return Exclusion(f"|x| < {size}", ratio, HalfGaussian(power=1, confidence_level=0.9), soft=soft)


def bound(measurements=(), exclusions=(), *, x=WIDE, y=Fixed(value=0), model=None):  # noqa: B008
    """Return a posterior of x, and of y if it has a prior."""
    likelihood = Likelihood("toy", tuple(measurements), tuple(exclusions))
    return Posterior(model or Linear(), Priors({"x": x, "y": y}), likelihood)


def evidence(posterior, seed=1):
    with quick():
        result = evidence_tension(posterior, SETTINGS, np.random.default_rng(seed), Silent())
    assert not result.shortcomings
    return result.tension


def goodness(posterior, seed=1, starts=200):
    rng = np.random.default_rng(seed)
    starts = rng.random((starts, posterior.dimension))
    best = find_minimum(
        posterior.residuals,
        lambda u: -2 * posterior.log_likelihood(u),
        starts,
        rng,
        posterior.priors.step_width,
    )
    return parameter_goodness(posterior, best, starts, rng)


def pair(distance):
    """Return two measurements of x at a distance in standard deviations, and their errors."""
    errors = np.array([0.02, 0.03])
    centre = distance * np.hypot(*errors)
    groups = (Group.ELECTRON, Group.MUON)
    return [
        measured(group, 1, 0, value, error)
        for group, value, error in zip(groups, (0.0, centre), errors, strict=True)
    ], errors


SHARED = [
    measured(Group.ELECTRON, 1, 0, 0.20, 0.02),
    measured(Group.MUON, 0, 1, -0.10, 0.03),
    measured(Group.SCATTERING, 1, 1, 0.05, 0.04),
    measured(Group.SCATTERING, 1, -1, 0.20, 0.05),
    measured(Group.SCATTERING, 2, -2, 0.50, 0.10),
]
"""Measurements of three groups: x, y, and three combinations of both."""
DESIGN = np.array([[1, 0], [0, 1], [1, 1], [1, -1], [2, -2]])


def least_squares(rows):
    """Return the least chi2 of some of the shared measurements."""
    errors = np.array([SHARED[i].error for i in rows])
    a = DESIGN[rows] / errors[:, None]
    b = np.array([SHARED[i].value for i in rows]) / errors
    return float(np.sum((b - a @ np.linalg.lstsq(a, b)[0]) ** 2))


def close(found, expected, error):
    return abs(found - expected) <= LIMIT * error + 1e-9


# Tail probabilities


@pytest.mark.parametrize("sigma", [0.0, 1.0, 2.0, 5.0])
def test_sigma_is_two_sided(sigma):
    assert two_sided_sigma(2 * norm.sf(sigma)) == pytest.approx(sigma, abs=1e-12)
    assert two_sided_sigma(chi2_tail(sigma**2, 1)) == pytest.approx(sigma, abs=1e-7)


def test_sigma_beyond_what_a_double_holds_is_finite():
    assert 37 < two_sided_sigma(0.0) < 38


@pytest.mark.parametrize("degrees", [0, -1.5])
def test_no_degrees_of_freedom_no_tail(degrees):
    assert chi2_tail(1.0, degrees) is None


# Parameter goodness of fit


@pytest.mark.parametrize("distance", [0.3, 5.0])
def test_goodness_of_two_measurements_of_one_parameter(distance):
    result = goodness(bound(pair(distance)[0]))
    assert result.chi2 == pytest.approx(distance**2, rel=1e-5)
    assert result.degrees == 1
    assert result.sigma == pytest.approx(distance, rel=1e-5)
    assert [fit.chi2 for fit in result.by_group.values()] == pytest.approx([0, 0], abs=1e-6)


def test_goodness_of_three_groups():
    result = goodness(bound(SHARED, y=WIDE))
    parts = {"electron g-2": 0.0, "muon g-2": 0.0, "scattering": least_squares([2, 3, 4])}
    assert {name: fit.rank for name, fit in result.by_group.items()} == {
        "electron g-2": 1,
        "muon g-2": 1,
        "scattering": 2,
    }
    assert result.degrees == 2
    for name, fit in result.by_group.items():
        assert fit.chi2 == pytest.approx(parts[name], abs=1e-6)
    expected = least_squares([0, 1, 2, 3, 4]) - parts["scattering"]
    assert result.chi2 == pytest.approx(expected, abs=1e-5)
    assert result.p_value == pytest.approx(chi2.sf(expected, 2), abs=1e-5)


def test_goodness_keeps_hard_exclusions_in_every_fit():
    """Both measurements lie beyond the wall and are best fitted at it, so no tension is left."""
    terms = [
        measured(Group.ELECTRON, 1, 0, 0.5, 0.1),
        measured(Group.MUON, 1, 0, 0.7, 0.1),
    ]
    result = goodness(bound(terms, [limit(0.3)]))
    alone = [fit.chi2 for fit in result.by_group.values()]
    assert alone == pytest.approx([4, 16], rel=1e-4)
    assert result.chi2 == pytest.approx(0, abs=1e-3)
    assert result.degrees == 1


def test_goodness_counts_soft_exclusions_once():
    size, value, error = 0.1, 0.5, 0.1
    term = measured(Group.ELECTRON, 1, 0, value, error)
    result = goodness(bound([term], [limit(size, soft=True)]))
    width = size / norm.ppf(0.9)
    assert result.chi2 == pytest.approx(value**2 / (error**2 + width**2), rel=1e-4)
    assert result.degrees == 1
    assert set(result.by_group) == {"electron g-2", "exclusions"}


def test_goodness_with_as_many_parameters_as_measurements_tests_nothing():
    terms = [measured(Group.ELECTRON, 1, 0, 0.1, 0.02), measured(Group.MUON, 0, 1, 0.1, 0.02)]
    result = goodness(bound(terms, y=WIDE))
    assert (result.degrees, result.p_value, result.sigma) == (0, None, None)
    assert result.chi2 == pytest.approx(0, abs=1e-6)


def test_goodness_counts_parameters_that_come_in_steps():
    terms = [measured(Group.ELECTRON, 1, 0, 2.0, 0.5), measured(Group.MUON, 1, 1, 3.0, 0.5)]
    posterior = bound(
        terms, x=Fractions(largest=5), y=Uniform(lower=-0.1, upper=0.1), model=Linear()
    )
    result = goodness(posterior)
    assert result.degrees == 0
    assert result.chi2 == pytest.approx((0.9 / 0.5) ** 2, rel=1e-5)


@pytest.mark.parametrize("terms", [[], [measured(Group.MUON, 1, 0, 0.1, 0.02)]])
def test_goodness_of_fewer_than_two_groups_tests_nothing(terms):
    result = goodness(bound(terms, [limit(0.5)]))
    assert result.p_value is None
    assert result.chi2 == pytest.approx(0, abs=1e-6)


# Evidence


@pytest.mark.parametrize("distance", [0.5, 4.0])
def test_evidence_of_two_measurements_of_one_parameter(distance):
    terms, errors = pair(distance)
    result = evidence(bound(terms))
    width, joint = 2.0, np.prod(errors) / np.hypot(*errors)
    log_r = np.log(width * joint / np.prod(errors) / np.sqrt(2 * np.pi)) - distance**2 / 2
    log_r_err, log_s_err, d_err = result.errors
    assert close(result.log_r, log_r, log_r_err)
    assert close(result.log_s, 0.5 - distance**2 / 2, log_s_err)
    assert close(result.dimensionality, 1, d_err)
    assert close(result.log_i, result.log_r - result.log_s, 0)
    assert close(result.sigma, distance, result.sigma_error)
    assert max(*result.errors, result.log_i_error, result.sigma_error) < 0.05
    for constraint, error in zip(result.by_group.values(), errors, strict=True):
        log_z = np.log(np.sqrt(2 * np.pi) * error / width)
        # No bound cuts the first, so that D = ln(W/(sqrt(2 pi) e)) - 1/2.
        assert close(constraint.log_z, log_z, constraint.error)
        assert close(constraint.information, -log_z - 0.5, constraint.information_error)
        assert close(constraint.dimensionality, 1, constraint.dimensionality_error)


@pytest.mark.slow
def test_evidence_of_three_groups():
    result = evidence(bound(SHARED, y=WIDE))
    tension_chi2 = least_squares([0, 1, 2, 3, 4]) - least_squares([2, 3, 4])
    _, log_s_err, d_err = result.errors
    assert close(result.dimensionality, 2, d_err)
    assert close(result.log_s, 1 - tension_chi2 / 2, log_s_err)
    assert close(result.sigma, two_sided_sigma(chi2.sf(tension_chi2, 2)), result.sigma_error)


def test_evidence_of_a_hard_exclusion_is_the_share_it_allows():
    result = evidence(bound([measured(Group.MUON, 1, 0, 0.1, 0.02)], [limit(0.25)]))
    wall = result.by_group["exclusions"]
    assert close(wall.log_z, np.log(0.25), wall.error)
    assert close(wall.information, np.log(4), wall.information_error)
    assert wall.dimensionality == pytest.approx(0, abs=1e-12)
    # The measurement lies inside, where the prior is four times denser.
    assert close(result.log_r, np.log(4), result.errors[0])
    assert close(result.log_s, 0, result.errors[1])


def test_an_exclusion_that_excludes_nothing_changes_nothing():
    result = evidence(bound([measured(Group.MUON, 1, 0, 0.1, 0.02)], [limit(2.0)]))
    nothing = result.by_group["exclusions"]
    assert (nothing.log_z, nothing.information) == pytest.approx((0, 0), abs=2e-3)
    assert close(result.log_r, 0, result.errors[0])
    assert close(result.log_s, 0, result.errors[1])
    assert close(result.dimensionality, 0, result.errors[2])


def test_a_single_group_agrees_with_itself():
    result = evidence(bound([measured(Group.MUON, 1, 0, 0.1, 0.02)]))
    assert (result.log_r, result.log_s, result.dimensionality) == (0, 0, 0)
    assert not result.errors.any()
    assert (result.p_value, result.sigma, result.sigma_error) == (None, None, None)


def test_where_a_model_cannot_exist_there_is_no_prior():
    """ln R is that of the smaller prior; without the correction it would differ by ln 2."""
    terms = [
        measured(Group.ELECTRON, 1, 0, 0.40, 0.02),
        measured(Group.MUON, 1, 0, 0.43, 0.02),
    ]
    restricted = evidence(bound(terms, model=Linear(positive=True)))
    narrow = evidence(bound(terms, x=Uniform(lower=0, upper=1)), seed=2)
    assert close(restricted.log_r, narrow.log_r, np.hypot(restricted.errors[0], narrow.errors[0]))
    for name, constraint in restricted.by_group.items():
        error = np.hypot(constraint.information_error, narrow.by_group[name].information_error)
        assert close(constraint.information, narrow.by_group[name].information, error)


def test_errors_are_the_spread_over_seeds():
    """Stated errors agree with the scatter of 200 importance samplings of a Gaussian."""
    found, stated = [], []
    for seed in range(200):
        u = 0.2 * np.random.default_rng(seed).normal(size=(4000, 1))
        allowed = np.abs(u[:, 0]) < 0.3
        log_l = -0.5 * (u[:, 0] / 0.1) ** 2
        log_w = (log_l + 0.5 * (u[:, 0] / 0.2) ** 2)[allowed]
        mean = np.exp(log_w).sum() / len(u)
        error = np.sqrt((np.exp(2 * log_w).sum() / len(u) / mean**2 - 1) / len(u))
        samples = WeightedSamples.normalised(u[allowed], log_l[allowed], log_w)
        integral = Integral(samples, Evidence(float(np.log(mean)), error, len(u)), ())
        constraint = Constraint.of(integral)
        found.append((constraint.log_z, constraint.information, constraint.dimensionality))
        stated.append(
            (constraint.error, constraint.information_error, constraint.dimensionality_error)
        )
    ratio = np.std(found, axis=0) / np.mean(stated, axis=0)
    assert np.all((ratio > 0.85) & (ratio < 1.15))


def test_negative_dimensionality_has_no_p():
    covariance = np.zeros((3, 3))
    small, large = Constraint(-1, -0.5, 0.2, covariance), Constraint(-3, -2.0, 3.0, covariance)
    result = EvidenceTension(large, {"a": small, "b": small})
    assert result.dimensionality == pytest.approx(-2.6)
    assert (result.p_value, result.sigma, result.sigma_error) == (None, None, None)


# Pulls


def test_predictive_pulls_of_gaussians():
    terms, errors = pair(3.0)
    posterior = bound(terms)
    rng = np.random.default_rng(1)
    with quick():
        result = evidence_tension(posterior, SETTINGS, rng, Silent())
    variance = 1 / np.sum(errors**-2)
    values = np.array([term.value for term in terms])
    centre = variance * np.sum(values / errors**2)
    pulls = predictive_pulls(posterior, np.array([(centre + 1) / 2]), result.integral.samples)
    expected = (values - centre) / np.sqrt(errors**2 + variance)
    for term, predictive in zip(terms, expected, strict=True):
        found = pulls[term.name]
        assert found.best_fit == pytest.approx((term.value - centre) / term.error, abs=1e-9)
        assert found.predictive == pytest.approx(predictive, abs=0.03)
        assert found.p_value == pytest.approx(2 * norm.sf(abs(predictive)), abs=0.01)


# The command as a whole


def test_two_inconsistent_measurements_in_every_number():
    """At a distance of 4 sigma chi2_PG and suspiciousness are 4 sigma, and the joint sigma
    follows."""
    terms = [
        measured(Group.ELECTRON, 1, 0, 0.0, 0.02),
        measured(Group.MUON, 1, 0, 4 * 0.02 * np.sqrt(2), 0.02),
    ]
    run = replace(RUN, settings=SETTINGS, posterior=bound(terms))
    result = tension(run, Silent())
    assert result.goodness.sigma == pytest.approx(4, abs=1e-4)
    assert close(result.evidence.sigma, 4, result.evidence.sigma_error)
    assert result.joint_sigma == pytest.approx(2 * np.sqrt(2), abs=5e-3)
    assert result.best.chi2 == pytest.approx(16, abs=1e-4)


def test_without_anomalies_there_is_no_joint_sigma(capsys):
    posterior = bound([measured(Group.SCATTERING, 1, 0, 0.1, 0.02)])
    run = replace(RUN, settings=SETTINGS, posterior=posterior)
    written = tension_record(run, tension(run, Silent()))
    assert written["joint_sigma"] is None
    assert written["evidence"]["p_value"] is None
    print_tension(written)
    printed = capsys.readouterr().out
    assert "nothing to test" in printed
    assert "Joint sigma" not in printed
    tension_figure(written)


KEYS = {
    "pulls": {"a_e_cs_2018", "a_mu_2021", "texono_2010", "borexino_2011", "charm2_nu_1993"}
    | {"charm2_nubar_1993", "ccfr_1991"},
    "parameter_goodness": {"chi2", "dof", "p_value", "sigma", "rank", "by_group"},
    "evidence": {"log_r", "log_r_err", "log_i", "log_i_err", "log_s", "log_s_err"}
    | {"dimensionality", "dimensionality_err", "p_value", "sigma", "sigma_err"}
    | {"log_possible", "together", "by_group"},
}


@pytest.mark.slow
def test_the_command_on_the_papers_data(accepted, capsys):
    options = ("--set", "best_fit.starts=50", "--set", "vegas.error=0.1", "--seed", "3")
    output = Path("results") / "cs"
    written = json.loads(accepted("tension", "quickstart", *options, "--json", "--output", output))
    assert json.loads((output / "tension.json").read_text()) == written
    assert (output / "tension.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in output.iterdir()) == [
        "tension.json",
        "tension.pdf",
        "tension.png",
    ]
    for key, expected in KEYS.items():
        assert set(written[key]) == expected
    assert (written["model"], written["likelihood"]) == ("effective", "paper_2021_cs")
    assert (written["seed"], written["converged"]) == (3, True)
    for pulls in written["pulls"].values():
        assert set(pulls) == {"best_fit", "predictive", "p_value"}
        assert 0 <= pulls["p_value"] <= 1
    measurements = ["electron g-2", "muon g-2", "scattering"]
    goodness_of_fit, evidences = written["parameter_goodness"], written["evidence"]
    assert list(goodness_of_fit["by_group"]) == measurements
    assert [g["rank"] for g in goodness_of_fit["by_group"].values()] == [1, 1, 5]
    assert (goodness_of_fit["dof"], goodness_of_fit["p_value"]) == (0, None)
    assert 0 <= goodness_of_fit["chi2"] < 1
    assert list(evidences["by_group"]) == [*measurements, "exclusions"]
    for group in evidences["by_group"].values():
        assert {"log_z", "error", "information", "dimensionality"} <= set(group)
    # These numbers are from runs with a hundred times the draws; p and sigma follow from ln S and
    # d.
    assert evidences["log_r"] == pytest.approx(2.27, abs=0.1)
    assert evidences["log_s"] == pytest.approx(-1.11, abs=0.1)
    assert evidences["dimensionality"] == pytest.approx(2.17, abs=0.4)
    assert written["joint_sigma"] < 1
    print_tension(written)
    printed = capsys.readouterr().out
    assert all(name in printed for name in (*KEYS["pulls"], *evidences["by_group"]))


# Bad input

HOPELESS = "priors.parameters.m_Zp={type: uniform, lower: 1, upper: 2}"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("quikstart",), "did you mean 'quickstart'"),
        (("missing.yaml",), "missing.yaml"),
        (("quickstart", "--set", "likelihood.set=paper_2021_sc"), "paper_2021"),
        (("quickstart", "--set", "seed"), "NAME=VALUE"),
        (("quickstart", "--seed", "-1"), "seed"),
        (("quickstart", "--output", "file"), "cannot be written"),
        (("quickstart", "--set", HOPELESS), "the likelihood allows none of"),
    ],
)
def test_bad_input_is_refused(rejected, workspace, arguments, words):
    (workspace / "file").write_text("mine")
    assert words in rejected("tension", *arguments)
    assert (workspace / "file").read_text() == "mine"
