"""Compare profile likelihoods and posterior regions with closed forms."""

import json
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from helpers_samplers import first_fast
from scipy.optimize import least_squares
from scipy.stats import norm

from zpfit.analysis.profile.axis import AxisRequest, choose_axes
from zpfit.analysis.profile.likelihood import profile_likelihood
from zpfit.analysis.profile.plane import PlaneDensity
from zpfit.analysis.profile.profile import profile, profile_record
from zpfit.analysis.profile.regions import Density, intervals
from zpfit.cli.options import parse_axis
from zpfit.cli.profile import print_profile
from zpfit.errors import InvalidInput
from zpfit.inference.posterior import Posterior
from zpfit.inference.priors import Fractions, Normal, Priors, Uniform
from zpfit.inference.progress import Silent
from zpfit.inference.search.best_fit import find_minimum
from zpfit.likelihood.exclusions import Exclusion, HalfGaussian
from zpfit.likelihood.likelihood import Likelihood
from zpfit.likelihood.measurements import GaussianTerm
from zpfit.models.base import Model, Parameter
from zpfit.physics.constants import ELECTRON_MASS
from zpfit.physics.couplings import COUPLING_NAMES, Couplings
from zpfit.physics.observables import Group, Observable
from zpfit.plots.profile import profile_figure
from zpfit.runs.run_file import find_run_file, load_run

RUN = load_run(find_run_file("quickstart"))
SETTINGS = RUN.settings.model_copy(
    update={"best_fit": RUN.settings.best_fit.model_copy(update={"starts": 100})}
)
WIDE = Uniform(lower=-1, upper=1)
FAR = Uniform(lower=-9, upper=9)
"""Prior whose bounds are far from every minimum."""


class Linear(Model):
    """Model whose parameters x, y and z are couplings; ``positive`` requires x > 0."""

    name = "linear"
    parameters = tuple(Parameter(name, name) for name in "xyz")

    def __init__(self, *, positive=False):
        self.positive = positive

    def couplings(self, values):
        zero = np.zeros(len(values["x"]))
        own = {"C_Ve": values["x"], "C_Vmu": values["y"], "C_numu": values["z"]}
        return Couplings(**dict.fromkeys(COUPLING_NAMES, zero) | own)

    def conditions(self, values):
        return {"x > 0": 1 - values["x"]} if self.positive else {}


def measured(weights, value, error):
    """Return a measurement of a weighted sum of x, y and z."""
    a, b, c = weights
    function = lambda p: a * p.C_Ve + b * p.C_Vmu + c * p.C_numu  # noqa: E731
    name = f"{a} x + {b} y + {c} z = {value}"
    return GaussianTerm(name, Observable(name, function, Group.MUON), value, error)


def below(size):
    """Return a hard exclusion of x + y above ``size``."""
    ratio = lambda c: np.maximum(c.C_Ve + c.C_Vmu, 0) / size  # noqa: E731
    return Exclusion(f"x + y < {size}", ratio, HalfGaussian(power=1, confidence_level=0.9))


def bound(terms, exclusions=(), model=None, **priors):
    likelihood = Likelihood("toy", tuple(terms), tuple(exclusions))
    chosen = dict.fromkeys("xyz", WIDE) | priors
    return Posterior(model or Linear(), Priors(chosen), likelihood)


def least(posterior, seed=1, starts=300):
    rng = np.random.default_rng(seed)
    u = rng.random((starts, posterior.dimension))
    chi2 = lambda u: -2 * posterior.log_likelihood(u)  # noqa: E731
    return find_minimum(posterior.residuals, chi2, u, rng, posterior.priors.step_width)


def profiled(posterior, *texts, points=21, levels=(), best=None, seed=1):
    axes = choose_axes(posterior.priors, [parse_axis("--x", text) for text in texts])
    none = np.empty((0, posterior.dimension)), np.empty(0)
    rng = np.random.default_rng(seed)
    best = best or least(posterior)
    return profile_likelihood(posterior, axes, points, best, none, rng, Silent(), levels)


def values(found, axis=0):
    return found.axes[axis].values(found.coordinates[axis])


TERMS = [
    measured((1, 0, 0), 0.20, 0.10),
    measured((1, 1, 0), 0.10, 0.08),
    measured((0, 1, 1), -0.15, 0.12),
    measured((1, 0, -1), 0.30, 0.10),
]
DESIGN = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1], [1, 0, -1]])
ERRORS = np.array([term.error for term in TERMS])
MEASURED = np.array([term.value for term in TERMS])
COVARIANCE = np.linalg.inv((DESIGN / ERRORS[:, None]).T @ (DESIGN / ERRORS[:, None]))
CENTRE = COVARIANCE @ (DESIGN.T @ (MEASURED / ERRORS**2))
SIGMA = np.sqrt(np.diag(COVARIANCE))


# The profile


def test_profile_of_a_linear_model_is_a_parabola():
    found = profiled(bound(TERMS, y=FAR, z=FAR), "x", levels=(1, 4))
    np.testing.assert_allclose(
        found.delta_chi2, ((values(found) - CENTRE[0]) / SIGMA[0]) ** 2, atol=1e-5, rtol=1e-5
    )
    for n in (1, 2):
        [(low, high)] = intervals(found.coordinates[0], found.delta_chi2, n**2)
        ends = found.axes[0].values(np.array([low, high]))
        np.testing.assert_allclose(ends, CENTRE[0] + n * SIGMA[0] * np.array([-1, 1]), atol=1e-3)


def test_profile_in_a_plane_of_a_linear_model():
    found = profiled(bound(TERMS, z=FAR), "x", "y", levels=(2.3, 6.18))
    away = (
        np.stack(np.meshgrid(values(found, 0), values(found, 1), indexing="ij"))
        - CENTRE[:2, None, None]
    )
    exact = np.einsum("iab,ij,jab->ab", away, np.linalg.inv(COVARIANCE[:2, :2]), away)
    solved = found.solved
    np.testing.assert_allclose(found.delta_chi2[solved], exact[solved], atol=1e-5, rtol=1e-5)
    # Interpolated points are far from every level, on the correct side.
    assert 0.02 < solved.mean() < 0.9
    for level in (2.3, 6.18):
        np.testing.assert_array_equal(found.delta_chi2 <= level, exact <= level)


def test_solutions_are_where_they_say():
    posterior = bound(TERMS, [below(0.2)])
    found = profiled(posterior, "y")
    allowed = np.isfinite(found.chi2)
    np.testing.assert_allclose(-2 * posterior.log_likelihood(found.u[allowed]), found.chi2[allowed])
    np.testing.assert_allclose(found.u[:, 1], found.coordinates[0])


def test_profile_behind_a_wall_and_beyond_it():
    """chi2 = (x - 0.4)^2/0.1^2 with x + y < 0.1 and -0.5 < y: x is at most 0.1 - y."""
    terms = [measured((1, 0, 0), 0.4, 0.1)]
    posterior = bound(terms, [below(0.1)], x=Uniform(lower=0, upper=1), z=WIDE)
    found = profiled(posterior, "y")
    y = values(found)
    exact = np.where(y > 0.1, np.inf, (np.minimum(0.1 - y - 0.4, 0) / 0.1) ** 2)
    edge = np.abs(y - 0.1) < 1e-9
    assert found.best.chi2 == pytest.approx(0, abs=1e-6)
    np.testing.assert_array_equal(np.isfinite(found.chi2)[~edge], np.isfinite(exact)[~edge])
    both = np.isfinite(found.chi2) & ~edge
    np.testing.assert_allclose(found.chi2[both], exact[both], rtol=2e-3, atol=1e-5)


def test_where_a_model_cannot_exist_there_is_no_profile():
    found = profiled(bound(TERMS, model=Linear(positive=True)), "x")
    np.testing.assert_array_equal(np.isfinite(found.chi2), values(found) >= 0)


def test_parameters_in_steps_are_profiled_over():
    """x is a whole number and x + y = 1.3 +- 0.1: for each y the nearest x is best."""
    posterior = bound(
        [measured((1, 1, 0), 1.3, 0.1)],
        x=Fractions(largest=5),
        y=Uniform(lower=-2, upper=2),
    )
    found = profiled(posterior, "y", points=41)
    missing = (1.3 - values(found)) % 1
    exact = (np.minimum(missing, 1 - missing) / 0.1) ** 2
    np.testing.assert_allclose(found.chi2, exact, atol=1e-5)


def test_every_parameter_on_an_axis():
    posterior = bound([measured((1, 0, 0), 0.2, 0.1)], y=Normal(mean=0, sd=1))
    posterior = replace(posterior, priors=Priors(posterior.priors.by_name | {"z": WIDE}))
    found = profiled(posterior, "x", "y", points=11)
    x = values(found)[:, None]
    np.testing.assert_allclose(
        found.chi2, np.broadcast_to(((x - 0.2) / 0.1) ** 2, found.chi2.shape)
    )


def test_a_gaussian_prior_is_no_measurement():
    """The profile ignores the prior; its axis extends 5 standard deviations to either side."""
    posterior = bound([measured((0, 1, 0), 0.4, 0.1)], y=Normal(mean=0.1, sd=0.1))
    found = profiled(posterior, "y", points=11)
    np.testing.assert_allclose(values(found)[[0, -1]], [-0.4, 0.6], atol=1e-9)
    np.testing.assert_allclose(found.chi2, ((values(found) - 0.4) / 0.1) ** 2, atol=1e-6)


def test_where_nothing_is_allowed_the_profile_is_infinite():
    found = profiled(bound(TERMS, model=Linear(positive=True)), "x=-1:-0.5", levels=(1, 4))
    assert np.isinf(found.chi2).all()
    assert found.best.chi2 < 10
    assert intervals(found.coordinates[0], found.delta_chi2, 4.0) == []


def run_of(entries, *free, **fixed):
    """Return a run of the effective couplings with a few entries and the free couplings given."""
    couplings = [name for name in RUN.posterior.names if name not in free]
    changes = {f"priors.parameters.{name}": str(fixed.get(name, 0)) for name in couplings}
    return load_run(find_run_file("quickstart"), {"likelihood": f"{{add: {entries}}}"} | changes)


def test_the_electrons_moment_alone():
    """For a heavy Z', delta_a = m^2/(4 pi^2 M^2) (C_V^2 - 5 C_A^2)/3: C_V compensates a C_A that is
    too large, but not one that is too small."""
    run = run_of("[a_e_cs_2018]", "C_Ve", "C_Ae", m_Zp=100)
    [term] = run.posterior.likelihood.measurements
    found = profiled(run.posterior, "C_Ae=1e-5:1e-2", points=25)
    unit = (ELECTRON_MASS / 100) ** 2 / (12 * np.pi**2)
    missing = term.value + 5 * unit * values(found) ** 2
    exact = np.where(missing < 0, (missing / term.error) ** 2, 0)
    assert 0.1 < np.mean(exact > 1) < 0.9
    np.testing.assert_allclose(found.chi2, exact, atol=1e-4, rtol=2e-3)


def test_masses_below_the_floor_of_nucleosynthesis():
    """The profile is infinite below 9.8 MeV; above, C_Vmu meets the muon's moment at every mass."""
    run = run_of("[a_mu_2021, bbn_2020]", "m_Zp", "C_Vmu", C_Ve=1e-4)
    found = profiled(run.posterior, "m_Zp", levels=(1, 4))
    mass = values(found)
    np.testing.assert_array_equal(np.isfinite(found.chi2), mass >= 9.8)
    np.testing.assert_allclose(found.chi2[mass >= 9.8], 0, atol=1e-6)
    [(low, high)] = intervals(found.coordinates[0], found.delta_chi2, 1.0)
    ends = found.axes[0].values(np.array([low, high]))
    np.testing.assert_allclose(ends, [9.8, 100], rtol=5e-3)


@cache
def quickstart_best():
    return least(RUN.posterior, starts=600)


@pytest.mark.slow
def test_the_papers_fit_does_not_know_the_sign_of_all_couplings():
    """Observables depend on products of two couplings, so every profile is symmetric."""
    found = profiled(RUN.posterior, "C_Ae", points=8, best=quickstart_best())
    np.testing.assert_array_equal(np.isfinite(found.chi2), np.isfinite(found.chi2[::-1]))
    allowed = np.isfinite(found.chi2)
    np.testing.assert_allclose(found.chi2[allowed], found.chi2[::-1][allowed], atol=0.05, rtol=0.01)


FEWER = {f"priors.parameters.{name}": "0" for name in ("C_nue", "C_Amu", "C_numu")}
"""Changes of the paper's fit that leave four free parameters."""


@pytest.mark.parametrize(
    ("changes", "points", "nodes", "starts"),
    first_fast((FEWER, 5, (1, 3), 6), ({}, 10, (2, 7), 12)),
)
def test_the_papers_fit_against_scipy(changes, points, nodes, starts):
    """The profile never exceeds the result of an independent minimiser with many starts."""
    posterior = load_run(find_run_file("quickstart"), changes).posterior
    best = None if changes else quickstart_best()
    found = profiled(posterior, "m_Zp=12:60", points=points, best=best)
    rng = np.random.default_rng(3)
    for node in nodes:
        u = found.u[node].copy()

        def residuals(rest, u=u):
            u[1:] = rest
            return posterior.residuals(u[None], 300.0)[0]

        def slopes(rest, u=u):
            """All differences of a step in one call, which costs hardly more than a single one."""
            steps = np.where(rest < 0.5, 1e-8, -1e-8)
            points = np.tile(np.concatenate([u[:1], rest]), (len(u), 1))
            points[1:, 1:] += np.diag(steps)
            at, *moved = posterior.residuals(points, 300.0)
            return (np.array(moved) - at).T / steps

        ends = []
        for start in rng.random((starts, len(u) - 1)):
            result = least_squares(residuals, start, jac=slopes, bounds=(0, 1), max_nfev=60)
            point = np.concatenate([u[:1], result.x])
            ends.append(-2 * posterior.log_likelihood(point[None])[0])
        assert found.chi2[node] <= min(ends) + 1e-3


@pytest.mark.slow
def test_profiles_of_a_line_and_a_plane_agree():
    best = quickstart_best()
    line = profiled(RUN.posterior, "m_Zp=12:60", points=6, best=best)
    plane = profiled(RUN.posterior, "m_Zp=12:60", "C_Ae=-1e-3:1e-3", points=6, best=best)
    through = plane.chi2.min(axis=1)
    assert np.all(through >= line.chi2 - 0.02)
    at_best = np.argmin(np.abs(line.coordinates[0] - best.u[0]))
    assert through[at_best] == pytest.approx(best.chi2, abs=0.02)


# Regions


def test_intervals_below_a_level():
    x = np.arange(7.0)
    y = np.array([0.0, 2.0, 0.5, np.inf, 0.5, 1.0, 3.0])
    assert intervals(x, y, 1.0) == [(0.0, 0.5), (pytest.approx(5 / 3), 2.0), (4.0, 5.0)]
    assert intervals(x, y, -1.0) == []
    assert intervals(x, np.zeros(7), 1.0) == [(0.0, 6.0)]


def gaussian_draws(n, d):
    return np.random.default_rng(5).normal(size=(n, d)), np.full(n, 1 / n)


def test_highest_density_of_a_gaussian():
    u, weight = gaussian_draws(100_000, 1)
    density = Density.of(u, weight, [(-9, 9)])
    for probability in (0.683, 0.954):
        [(low, high)] = density.intervals(probability)
        z = norm.ppf((1 + probability) / 2)
        np.testing.assert_allclose([low, high], [-z, z], atol=0.06)
        inside = np.mean((u > low) & (u < high))
        assert inside == pytest.approx(probability, abs=0.005)


def test_highest_density_of_two_modes_and_of_an_edge():
    u, weight = gaussian_draws(100_000, 1)
    two = np.where(np.arange(len(u))[:, None] % 2, u - 6, u + 6)
    (_, a), (b, _) = Density.of(two, weight, [(-20, 20)]).intervals(0.954)
    np.testing.assert_allclose([a, b], [-4, 4], atol=0.2)
    [(low, high)] = Density.of(np.abs(u), weight, [(0, 9)]).intervals(0.683)
    assert low == 0
    assert high == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("seed", range(5))
def test_noise_of_a_flat_density_makes_no_pieces(seed):
    """The density is flat over [0, 0.9] and zero beyond: bins scatter by several per cent, but the
    interval is one piece."""
    samples = 0.9 * np.random.default_rng(seed).random((30_000, 1))
    density = Density.of(samples, np.full(len(samples), 1 / len(samples)), [(0, 1)])
    for probability in (0.683, 0.954):
        assert len(density.intervals(probability)) == 1


@pytest.mark.parametrize("seed", range(5))
def test_error_of_the_density(seed):
    """For a density that is flat over [0, 1], the scatter of bins is the stated error."""
    samples = np.random.default_rng(seed).random((30_000, 1))
    density = Density.of(samples, np.full(len(samples), 1 / len(samples)), [(0, 1)])
    inner = slice(10, -10)  # away from the ends, where smoothing reflects
    scatter = np.std(density.density[inner]) / np.mean(density.error[inner])
    assert scatter == pytest.approx(1, abs=0.25)  # some sixty independent bins


def test_highest_density_in_a_plane():
    u, weight = gaussian_draws(200_000, 2)
    density = PlaneDensity.of(u, weight, [(-9, 9), (-9, 9)])
    sizes = np.multiply.outer(*(np.diff(edges) for edges in density.edges))
    for probability in (0.683, 0.954):
        area = np.sum(sizes[density.density >= density.threshold(probability)])
        assert area == pytest.approx(-2 * np.pi * np.log(1 - probability), rel=0.06)


def test_identical_samples_have_a_region():
    density = Density.of(np.full((50, 1), 0.3), np.full(50, 0.02), [(0, 1)])
    [(low, high)] = density.intervals(0.683)
    assert low <= 0.3 <= high


# The command as a whole


@pytest.fixture(scope="module")
def linear():
    """Return profile and posterior of x in the linear model."""
    run = replace(RUN, settings=SETTINGS, posterior=bound(TERMS))
    axes = choose_axes(run.posterior.priors, [AxisRequest("x")])
    return profile_record(run, profile(run, axes, 21, Silent()))


def test_both_answers_agree_where_everything_is_gaussian(linear, capsys):
    for n, kind in ((1, "profile"), (1, "posterior"), (2, "profile"), (2, "posterior")):
        [ends] = linear[kind]["levels"][n - 1]["intervals"]
        expected = CENTRE[0] + n * SIGMA[0] * np.array([-1, 1])
        tolerance = 1e-3 if kind == "profile" else 0.08 * SIGMA[0]
        np.testing.assert_allclose(ends, expected, atol=tolerance)
    assert linear["best_fit"]["parameters"]["x"] == pytest.approx(CENTRE[0], abs=1e-3)
    assert linear["posterior"]["mode"]["x"] == pytest.approx(CENTRE[0], abs=0.3 * SIGMA[0])
    assert linear["converged"]
    print_profile(linear)
    printed = capsys.readouterr().out
    assert "Wilks" in printed
    assert "posterior" in printed


def test_small_areas_are_printed_with_two_digits(linear, capsys):
    areas = {"profile": (6.5e-5, 1.7449e-4), "posterior": (0.0, 0.1234)}
    plane = {
        kind: linear[kind]
        | {"levels": [row | {"area": a} for row, a in zip(linear[kind]["levels"], of, strict=True)]}
        for kind, of in areas.items()
    }
    print_profile(linear | plane | {"axes": 2 * linear["axes"]})
    printed = capsys.readouterr().out
    for shown in ("0.0065 %", "0.017 %", "0 %", "12 %"):
        assert f" {shown} " in printed


def test_a_figure_of_a_range_in_which_there_is_nothing(linear):
    nothing = linear["profile"] | {"delta_chi2": [None] * len(linear["profile"]["delta_chi2"])}
    nothing["values"] = [np.linspace(0.8, 0.9, len(nothing["delta_chi2"])).tolist()]
    figure = profile_figure(linear | {"profile": nothing})
    figure.draw_without_rendering()
    assert figure.axes[0].get_xlim() == pytest.approx((0.8, 0.9))


QUICK = ("--set", "best_fit.starts=50", "--points", "10", "--seed", "3")


@pytest.mark.usefixtures("few_draws")
@pytest.mark.parametrize(
    ("axes", "stem"),
    [
        (("--x", "C_Ve"), "profile_C_Ve"),
        pytest.param(
            ("--x", "C_Ve", "--y", "m_Zp=5:50"), "profile_C_Ve_m_Zp", marks=pytest.mark.slow
        ),
    ],
)
def test_the_command(accepted, rejected, workspace, axes, stem):
    run = workspace / "moment.yaml"
    run.write_text(
        "model: effective\nlikelihood: {add: [a_e_rb_2020, bbn_2020]}\npriors: {use: effective, "
        "parameters: {C_Ae: 0, C_nue: 0, C_numu: 0, C_Vmu: 0, C_Amu: 0}}\n"
    )
    arguments = ("profile", run, *axes, *QUICK, "--output", "results")
    written = json.loads(accepted(*arguments, "--json"))
    files = sorted(path.name for path in (workspace / "results").iterdir())
    assert files == [f"{stem}.json", f"{stem}.pdf", f"{stem}.png"]
    assert json.loads((workspace / "results" / f"{stem}.json").read_text()) == written
    assert (workspace / "results" / f"{stem}.png").read_bytes().startswith(b"\x89PNG")
    assert (workspace / "results" / f"{stem}.pdf").read_bytes().startswith(b"%PDF")
    shape = np.shape(written["profile"]["delta_chi2"])
    assert shape == tuple(len(column) for column in written["profile"]["values"])
    for column in written["profile"]["values"]:
        assert all(a < b for a, b in pairwise(column))
    first, second = (level.get("area", 0) for level in written["profile"]["levels"])
    assert first <= second
    assert written["seed"] == 3
    assert "already holds" in rejected(*arguments)
    printed = accepted(*arguments, "--force")
    assert "profile likelihood" in printed
    assert f"{stem}.pdf" in printed


# Bad input


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("quickstart",), "--x"),
        (("quickstart", "--x", "C_nu_e"), "did you mean 'C_nue'"),
        (("quickstart", "--x", "C_Vtau"), "C_Vtau is fixed to 0; choose one"),
        (("quickstart", "--x", "m_Zp", "--y", "m_Zp"), "both are m_Zp"),
        (("quickstart", "--x", "m_Zp=0.5:50"), "0.5 lies outside the prior of m_Zp (1 to 100)"),
        (("quickstart", "--x", "m_Zp=50:10"), "reversed"),
        (("quickstart", "--x", "m_Zp=10"), "write NAME=LOW:HIGH"),
        (("quickstart", "--x", "m_Zp=10:nan"), "nan lies outside"),
        (("quickstart", "--x", "m_Zp=a:b"), "'a' is no number"),
        (("quickstart", "--x", "m_Zp", "--points", "3"), "points"),
        (("quickstart", "--x", "m_Zp", "--seed", "-1"), "seed"),
        (("quikstart", "--x", "m_Zp"), "did you mean 'quickstart'"),
        (("froggatt_nielsen_integers_rb", "--x", "n_e"), "n_e comes in steps of 1/1"),
        (("quickstart", "--x", "m_Zp", "--output", "file"), "cannot be written"),
        (
            ("quickstart", "--x", "C_Ve", "--set", "priors.parameters.C_Ve={type: tied, to: C_Ae}"),
            "C_Ve is tied to C_Ae",
        ),
    ],
)
def test_bad_input_is_refused(rejected, workspace, arguments, words):
    (workspace / "file").write_text("mine")
    assert words in rejected("profile", *arguments)
    assert (workspace / "file").read_text() == "mine"


def test_every_problem_of_both_axes_is_reported_at_once():
    with pytest.raises(InvalidInput) as caught:
        choose_axes(RUN.posterior.priors, [AxisRequest("C_Vtau"), AxisRequest("mass")])
    assert len(caught.value.problems) == 2
