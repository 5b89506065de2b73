"""Compare every type of measurement with its closed form, and use it in every command."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss
from scipy.stats import multivariate_normal, poisson

from zpfit.analysis.tension.pulls import predictive_pulls
from zpfit.errors import InvalidInput
from zpfit.inference.samplers.result import WeightedSamples
from zpfit.io.library import Library
from zpfit.likelihood.build import Assembled, LikelihoodSpec, assemble
from zpfit.likelihood.likelihood import Likelihood
from zpfit.likelihood.measurements import Correlation, GaussianTerm
from zpfit.physics.couplings import COUPLING_NAMES, Couplings
from zpfit.physics.observables import Group, Observable, find_observable

pytestmark = pytest.mark.usefixtures("quick_fits")

Command = Callable[..., str]
WITHIN = 1e-9
"""Relative tolerance of numbers that the same formula gives in two ways."""


def write(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")


def own(name: str, text: str) -> None:
    """Write an entry of the user."""
    common = "citations: [{key: mine, arxiv: '2102.07781'}]\nconfidence_level: 0.683\n"
    write(
        f"likelihoods/entries/{name}.yaml",
        f"title: {name}\nmeasurement: {name}\napproximations: none\n{common}{text}",
    )


def assembled(*names: str, **options: object) -> Assembled:
    return assemble(LikelihoodSpec(add=names, **options), Library.beside())  # type: ignore[arg-type]


ASYMMETRIC = (
    "type: gaussian\nobservable: delta_a_e\nvalue: 1e-12\nerror: {up: 2e-12, down: 5e-13}\n"
)
CORRELATED = """\
type: correlated
observables: [delta_a_e, delta_a_mu, br_ee]
values: [1e-12, 2e-9, 0.3]
errors: [4e-13, 6e-10, 0.2]
correlation: [[1, 0.6, -0.2], [0.6, 1, 0.3], [-0.2, 0.3, 1]]
"""
COUNTS = "type: counts\nobservable: br_ee\nobserved: 7\nsignal: 20\nbackground: 1.5\n"
TABLE = "type: table\nobservable: br_ee\ncurve: table.csv\n"
ROWS = "# mine\nvalue,chi2\n0.1,4\n0.3,0\n0.4,0.5\n0.8,6\n"
SHIFTED = "type: gaussian\nobservable: {}\nvalue: {}\nerror: {}\nnuisances: {}\n"


@pytest.fixture
def kinds(workspace: Path) -> None:
    """Write one entry of each type, and three that share nuisance parameters."""
    own("asymmetric", ASYMMETRIC)
    own("correlated", CORRELATED)
    own("counts", COUNTS)
    own("table", TABLE)
    write("likelihoods/entries/table.csv", ROWS)
    own("electron", SHIFTED.format("delta_a_e", 1e-12, 4e-13, "{flux: 3e-13, theory: -1e-13}"))
    own("muon", SHIFTED.format("delta_a_mu", 2e-9, 6e-10, "{flux: -5e-10}"))
    own("decay", SHIFTED.format("br_ee", 0.3, 0.2, "{theory: 0.1}"))
    own("second_muon", SHIFTED.format("delta_a_mu", 3e-9, 5e-10, "{}"))


def points(n: int = 200) -> Couplings:
    """Return points with predictions around the measured values."""
    rng = np.random.default_rng(1)
    columns = {name: np.zeros(n) for name in COUPLING_NAMES}
    columns["m_Zp"] = rng.uniform(12, 25, n)
    for name in ("C_Ve", "C_Ae", "C_Vmu", "C_Amu", "C_nue"):
        columns[name] = rng.choice([-1, 1], n) * 10 ** rng.uniform(-5, -3.2, n)
    return Couplings(**columns)


C = points()


def predicted(*names: str) -> np.ndarray:
    return np.stack([find_observable(name).function(C) for name in names])


def assert_adds_up(likelihood: Likelihood) -> None:
    """Check that chi2, its terms, the residuals and ln L agree."""
    chi2 = likelihood.chi2(C)
    np.testing.assert_allclose(sum(likelihood.chi2_by_term(C).values()), chi2, rtol=WITHIN)
    residuals = likelihood.residuals(C, wall=1.0)
    np.testing.assert_allclose((residuals**2).sum(axis=1), chi2, rtol=WITHIN)
    np.testing.assert_allclose(likelihood.log_likelihood(C), -chi2 / 2, rtol=WITHIN)


# Closed forms


@pytest.mark.usefixtures("kinds")
def test_unequal_errors_count_on_the_side_of_the_prediction():
    likelihood = assembled("asymmetric").likelihood
    deviation = predicted("delta_a_e")[0] - 1e-12
    assert (deviation > 0).any()
    assert (deviation < 0).any()
    expected = (deviation / np.where(deviation > 0, 2e-12, 5e-13)) ** 2
    np.testing.assert_allclose(likelihood.chi2(C), expected, rtol=WITHIN)
    [term] = likelihood.measurements
    assert np.all(np.sign(term.pull(C)) == -np.sign(deviation))
    assert term.errors == (2e-12, 5e-13)
    assert_adds_up(likelihood)


@pytest.mark.usefixtures("kinds")
def test_correlated_observables_have_a_multivariate_gaussian():
    likelihood = assembled("correlated").likelihood
    errors = np.array([4e-13, 6e-10, 0.2])
    rho = np.array([[1, 0.6, -0.2], [0.6, 1, 0.3], [-0.2, 0.3, 1]])
    # Divide by the errors, because densities of such small numbers overflow.
    deviation = (predicted("delta_a_e", "delta_a_mu", "br_ee").T - [1e-12, 2e-9, 0.3]) / errors
    density = multivariate_normal([0, 0, 0], rho)
    expected = -2 * (density.logpdf(deviation) - density.logpdf([0, 0, 0]))
    np.testing.assert_allclose(likelihood.chi2(C), expected, rtol=1e-8, atol=1e-10)
    names = [term.name for term in likelihood.measurements]
    assert names == ["correlated[delta_a_e]", "correlated[delta_a_mu]", "correlated[br_ee]"]
    assert_adds_up(likelihood)


@pytest.mark.usefixtures("kinds")
def test_pulls_of_correlated_observables_are_their_own():
    for term, deviation in zip(
        assembled("correlated").likelihood.measurements,
        (predicted("delta_a_e", "delta_a_mu", "br_ee").T - [1e-12, 2e-9, 0.3]).T,
        strict=True,
    ):
        np.testing.assert_allclose(term.pull(C), -deviation / term.error, rtol=WITHIN)


@pytest.mark.usefixtures("kinds")
@pytest.mark.parametrize("observed", [0, 7])
def test_counts_follow_poisson(observed: int):
    own("counts", COUNTS.replace("observed: 7", f"observed: {observed}"))
    likelihood = assembled("counts").likelihood
    expected = 20 * predicted("br_ee")[0] + 1.5
    best = poisson.logpmf(observed, max(observed, 1e-300))
    chi2 = -2 * (poisson.logpmf(observed, expected) - best)
    np.testing.assert_allclose(likelihood.chi2(C), chi2, rtol=1e-7, atol=1e-9)
    assert_adds_up(likelihood)


@pytest.mark.usefixtures("kinds")
def test_counts_are_extrapolated_below_zero_expected_events():
    own("counts", COUNTS.replace("br_ee", "delta_a_e").replace("signal: 20", "signal: 1e15"))
    likelihood = assembled("counts").likelihood
    assert (1e15 * predicted("delta_a_e") + 1.5 < 0).any()
    chi2 = likelihood.chi2(C)
    assert np.isfinite(chi2).all()
    assert chi2[np.argmin(predicted("delta_a_e")[0])] == chi2.max()


def at_values(values: list[float]) -> tuple[Couplings, Observable]:
    """Return points at which an observable has these values."""
    n = len(values)
    columns = dict.fromkeys(COUPLING_NAMES, np.zeros(n)) | {"C_Ve": np.array(values)}
    return Couplings(**columns), Observable("x", lambda c: c.C_Ve, Group.OTHER)


@pytest.mark.usefixtures("kinds")
def test_a_table_is_met_at_its_rows_and_extrapolated_beyond_them():
    [term] = assembled("table").likelihood.measurements
    c, x = at_values([0.1, 0.3, 0.4, 0.8, 1.8, 2.8, -0.9, -1.9])
    table = type(term)("table", x, term.values, term.chi2s)  # type: ignore[attr-defined]
    chi2 = table.chi2(c)
    np.testing.assert_allclose(chi2[:4], [4, 0, 0.5, 6], atol=1e-12)
    assert chi2[4] > 6
    assert chi2[5] - chi2[4] == pytest.approx(chi2[4] - chi2[3])
    assert chi2[6] > 4
    assert chi2[7] - chi2[6] == pytest.approx(chi2[6] - chi2[0])
    np.testing.assert_allclose(np.sign(table.pull(c)), [1, 0, -1, -1, -1, -1, 1, 1])


@pytest.mark.usefixtures("kinds")
def test_between_the_rows_of_a_table_chi2_is_monotone():
    [term] = assembled("table").likelihood.measurements
    c, x = at_values(list(np.linspace(0.3, 0.8, 101)))
    chi2 = type(term)("table", x, term.values, term.chi2s).chi2(c)  # type: ignore[attr-defined]
    assert np.all(np.diff(chi2) > 0)
    assert_adds_up(assembled("table").likelihood)


@pytest.mark.usefixtures("kinds")
def test_errors_of_a_table_are_where_chi2_has_risen_by_one():
    parabola = [(x, ((x - 0.4) / (0.1 if x > 0.4 else 0.2)) ** 2) for x in np.arange(0, 1.01, 0.01)]
    rows = "".join(f"{x:.2f},{chi2:.8f}\n" for x, chi2 in parabola)
    write("likelihoods/entries/table.csv", f"value,chi2\n{rows}")
    [term] = assembled("table").likelihood.measurements
    assert term.value == pytest.approx(0.4)
    assert term.errors == pytest.approx((0.1, 0.2), abs=2e-4)


@pytest.mark.usefixtures("kinds")
@pytest.mark.parametrize("rows", ["0.1,0\n0.3,5\n", "0.1,5\n0.3,0\n"])
def test_a_one_sided_table_has_errors(rows: str):
    write("likelihoods/entries/table.csv", f"value,chi2\n{rows}")
    [term] = assembled("table").likelihood.measurements
    assert term.errors[0] == term.errors[1] > 0
    assert_adds_up(assembled("table").likelihood)


# Nuisance parameters


def marginalised(widths: dict[str, float], near: np.ndarray) -> np.ndarray:
    """Return ln of the likelihood of electron, muon and decay, integrated over both nuisances."""
    nodes, weights = hermegauss(120)
    flux, theory = np.meshgrid(widths["flux"] * nodes, widths["theory"] * nodes)
    weight = np.outer(weights, weights)
    shifts = (3e-13 * flux - 1e-13 * theory, -5e-10 * flux, 0.1 * theory)
    deviations = predicted("delta_a_e", "delta_a_mu", "br_ee").T - [1e-12, 2e-9, 0.3]
    result = []
    for deviation in deviations[near]:
        pulls = [
            (d + shift) / error
            for d, shift, error in zip(deviation, shifts, (4e-13, 6e-10, 0.2), strict=True)
        ]
        result.append(np.log(np.sum(weight * np.exp(-0.5 * sum(p**2 for p in pulls)))))
    return np.array(result)


@pytest.mark.usefixtures("kinds")
@pytest.mark.parametrize("widths", [{"flux": 1.0, "theory": 1.0}, {"flux": 0.3, "theory": 2.0}])
def test_nuisances_are_marginalised(widths: dict[str, float]):
    likelihood = assembled("electron", "muon", "decay", nuisances=widths).likelihood
    near = likelihood.chi2(C) < 60  # the quadrature loses no tail here
    assert near.sum() > 30
    difference = likelihood.log_likelihood(C)[near] - marginalised(widths, near)
    np.testing.assert_allclose(difference, difference[0], atol=1e-7)
    assert_adds_up(likelihood)


@pytest.mark.usefixtures("kinds")
def test_only_what_shares_a_nuisance_is_correlated():
    names = ("electron", "muon", "second_muon")
    [correlation] = assembled(*names).likelihood.correlations
    assert correlation.names == ("electron", "muon")
    assert not assembled("electron").likelihood.correlations
    assert not assembled("electron", "muon", nuisances={"flux": 0.0}).likelihood.correlations


@pytest.mark.usefixtures("kinds")
def test_a_width_of_zero_holds_a_nuisance():
    held = assembled("electron", nuisances={"flux": 0.0, "theory": 0.0}).likelihood
    assert held.measurements[0].error == pytest.approx(4e-13)
    free = assembled("electron").likelihood
    assert free.measurements[0].error == pytest.approx(np.sqrt(16 + 9 + 1) * 1e-13)


@pytest.mark.usefixtures("kinds")
def test_widths_of_nuisances_are_part_of_the_data():
    plain, same, other = (
        assembled("electron", nuisances=n) for n in ({}, {"flux": 1.0}, {"flux": 2.0})
    )
    assert plain.data_hash() == same.data_hash() != other.data_hash()
    assert "flux" in other.likelihood.name


@pytest.mark.usefixtures("kinds")
def test_a_group_alone_has_its_own_marginal_likelihood():
    likelihood = assembled("electron", "muon", "second_muon").likelihood
    muons = Likelihood("", likelihood.by_group["muon g-2"], (), likelihood.correlations)
    [deviation] = predicted("delta_a_mu")
    inflated = np.hypot(6e-10, 5e-10)
    expected = ((deviation - 2e-9) / inflated) ** 2 + ((deviation - 3e-9) / 5e-10) ** 2
    np.testing.assert_allclose(muons.chi2(C), expected, rtol=WITHIN)


@pytest.mark.usefixtures("kinds")
def test_all_kinds_add_up():
    names = ("asymmetric", "counts", "table", "muon", "second_muon")
    assert_adds_up(assembled(*names).likelihood)
    with_exclusion = assembled(*names, "kloe_2015", soft=("kloe_2015",)).likelihood
    assert_adds_up(with_exclusion)


def test_a_correlation_reads_like_a_conditional_gaussian():
    x = Observable("x", lambda c: c.C_Ve, Group.OTHER)
    y = Observable("y", lambda c: c.C_Vmu, Group.OTHER)
    terms = (GaussianTerm("x", x, 0.0, 2.0), GaussianTerm("y", y, 0.0, 1.0))
    rows = ((4.0, 1.6), (1.6, 1.0))
    likelihood = Likelihood("", terms, (), (Correlation(("x", "y"), rows),))
    c = Couplings(**dict.fromkeys(COUPLING_NAMES, np.zeros(1)) | {
        "C_Ve": np.array([2.0]), "C_Vmu": np.array([2.0])
    })  # fmt: skip
    by_term = likelihood.chi2_by_term(c)
    assert by_term["x"][0] == pytest.approx(1.0)
    # y given x has mean 0.8 and variance 0.36.
    assert by_term["y"][0] == pytest.approx((2 - 0.8) ** 2 / 0.36)


# Use in commands

PLANE = """\
model: effective
likelihood:
  add: [asymmetric, counts, table, electron, muon, kloe_2015]
  nuisances: {flux: 0.5}
priors:
  parameters:
    m_Zp: 17
    C_Ve: {type: uniform, lower: -2e-3, upper: 2e-3}
    C_Ae: 0
    C_nue: 1e-4
    C_Vmu: {type: uniform, lower: -2e-3, upper: 2e-3}
    C_Amu: 0
    C_numu: 0
sampler: {walkers: 32, max_steps: 40, target_ess: 50}
vegas: {max_evaluations: 300000, error: 0.1}
best_fit: {starts: 50}
"""


@pytest.mark.usefixtures("kinds")
@pytest.mark.slow
def test_run_and_compare(accepted: Command):
    write("fit.yaml", PLANE)
    printed = accepted("run", "fit.yaml", "--output", "out")
    assert "(1.0 +2.0 -0.5)e-12" in printed
    assert "chi2 of correlated measurements: increase over" in printed
    summary = json.loads(Path("out/summary.json").read_text(encoding="utf-8"))
    best = summary["best_fit"]
    soft = [row["chi2"] for row in best["exclusions"].values() if "chi2" in row]
    total = sum(row["chi2"] for row in best["terms"].values()) + sum(soft)
    assert total == pytest.approx(best["chi2"], rel=1e-9)
    assert Path("out/pulls.png").exists()
    assert Path("out/data/likelihoods/entries/table.csv").read_text(encoding="utf-8") == ROWS
    accepted("validate", "out/config.yaml")
    rows = json.loads(accepted("compare", "out", "--json"))
    for row in rows:
        assert sum(row["chi2_by_term"].values()) == pytest.approx(row["best_fit_chi2"], rel=1e-9)


@pytest.mark.slow
@pytest.mark.usefixtures("kinds")
def test_tension(accepted: Command):
    write("fit.yaml", PLANE.replace(", kloe_2015", ""))
    result = json.loads(accepted("tension", "fit.yaml", "--json"))
    assert set(result["pulls"]) == {"asymmetric", "counts", "table", "electron", "muon"}
    for row in result["pulls"].values():
        assert 0 <= row["p_value"] <= 1
        assert np.isfinite(row["predictive"])
    assert result["joint_sigma"] is not None


@pytest.mark.usefixtures("kinds")
def test_runs_with_other_widths_are_not_the_same_data(accepted: Command):
    from zpfit.analysis.compare import by_data
    from zpfit.runs.run_file import load_run

    write("one.yaml", PLANE)
    write("two.yaml", PLANE.replace("flux: 0.5", "flux: 2"))
    runs = [load_run(Path(name)) for name in ("one.yaml", "two.yaml", "one.yaml")]
    assert by_data(runs) == [[0, 2], [1]]


@pytest.mark.usefixtures("kinds")
@pytest.mark.parametrize("name", ["asymmetric", "correlated", "counts", "table", "muon"])
def test_evaluate_each_kind(accepted: Command, name: str):
    head = "title: t\ndescription: d\nexclusions: hard\n"
    write("likelihoods/sets/mine.yaml", f"{head}entries: [{name}]\n")
    point = ("--likelihood", "mine", "--at", "m_Zp=17 C_Ve=1e-4 C_Vmu=4e-4 C_nue=1e-4")
    [answer] = json.loads(accepted("evaluate", *point, "--json"))
    assert sum(answer["chi2"].values()) == pytest.approx(answer["chi2_total"], rel=1e-9)
    assert name in accepted("evaluate", *point)


@pytest.mark.usefixtures("kinds")
def test_exclusion_plots_take_unequal_errors_and_components(accepted: Command):
    write(
        "map.yaml",
        "likelihood: {add: [asymmetric, correlated]}\n"
        "x: {parameter: C_Ve, lower: 1e-6, upper: 2e-3}\n"
        "y: {parameter: C_Vmu, lower: 1e-6, upper: 2e-3}\n"
        "fix: {m_Zp: 17, C_nue: 1e-4}\n"
        'within: {asymmetric: 1, "correlated[delta_a_mu]": 1}\nreference: pull\n',
    )
    record = json.loads(accepted("exclusion", "map.yaml", "--json"))
    [region] = [r for r in record["regions"] if r["name"] == "asymmetric"]
    corners = np.array(
        [corner for rings in region["polygons"] for ring in rings for corner in ring]
    )
    traced = (corners[:, 1] > 2e-6) & (corners[:, 1] < 1.9e-3)
    inner = np.unique(corners[traced & (corners[:, 0] > 2e-6) & (corners[:, 0] < 1.9e-3), 0])
    columns = dict.fromkeys(COUPLING_NAMES, np.zeros(len(inner))) | {"C_Ve": inner}
    columns["m_Zp"] = np.full(len(inner), 17.0)
    edges = find_observable("delta_a_e").function(Couplings(**columns))
    for edge in edges:
        assert min(abs(edge - 3e-12), abs(edge - 5e-13)) < 1e-14
    labels = [r["label"] for r in record["regions"]]
    assert r"correlated $\Delta a_\mu$" in labels


def test_predictions_with_unequal_errors_are_judged_on_their_side():
    x = Observable("x", lambda c: c.C_Ve, Group.OTHER)

    class Fake:
        likelihood = Likelihood("", (), ())

        def couplings(self, u):
            return Couplings(**dict.fromkeys(COUPLING_NAMES, u[:, 0]))

    from zpfit.likelihood.measurements import AsymmetricTerm

    posterior = Fake()
    samples = WeightedSamples(np.full((10, 1), 2.0), np.zeros(10), np.full(10, -np.log(10)))
    for term, pull in (
        (AsymmetricTerm("x", x, 1.0, 2.0, 0.1), -0.5),
        (AsymmetricTerm("x", x, 3.0, 2.0, 0.1), 10.0),
    ):
        posterior.likelihood = Likelihood("", (term,), ())
        [pulls] = predictive_pulls(posterior, np.array([2.0]), samples).values()  # type: ignore[arg-type]
        assert pulls.best_fit == pytest.approx(pull)
        assert pulls.predictive == pytest.approx(pull)


# Mistakes

MISTAKES = [
    (ASYMMETRIC.replace("down: 5e-13", "dwn: 5e-13"), ["9: error", "did you mean 'down'"]),
    (ASYMMETRIC.replace("down: 5e-13", "down: -5e-13"), ["9: error.down", "greater than 0"]),
    (ASYMMETRIC + "nuisances: {a: 1e-13}\n", ["mine.yaml:10: nuisances", "one symmetric error"]),
    (CORRELATED.replace("[1e-12, 2e-9, 0.3]", "[1e-12, 2e-9]"), ["values", "3 are needed", "2"]),
    (CORRELATED.replace("6e-10, 0.2]", "6e-10]"), ["errors", "3 are needed", "not 2"]),
    (CORRELATED.replace("6e-10", "-6e-10"), ["errors.1", "greater than 0"]),
    (CORRELATED.replace(", [-0.2, 0.3, 1]]", "]"), ["correlation", "3 are needed", "not 2"]),
    (CORRELATED.replace("[0.6, 1, 0.3]", "[0.6, 1]"), ["correlation", "each row must have 3"]),
    (CORRELATED.replace("[0.6, 1, 0.3]", "[0.5, 1, 0.3]"), ["correlation", "symmetric"]),
    (CORRELATED.replace("[[1, 0.6", "[[2, 0.6"), ["correlation", "ones on its diagonal"]),
    (
        CORRELATED.replace("0.6", "1").replace("-0.2", "0.3"),
        ["mine.yaml:10: correlation", "positive definite"],
    ),
    (CORRELATED.replace("0.3, 1]]", "2, 1]]").replace("1, 0.3]", "1, 2]"), ["positive definite"]),
    (CORRELATED.replace("delta_a_mu", "delta_a_e"), ["observables", "two different"]),
    (CORRELATED.replace("br_ee", "br_e"), ["observables", "unknown 'br_e'", "did you mean"]),
    (COUNTS.replace("observed: 7", "observed: -1"), ["mine.yaml:8: observed", "0", "-1"]),
    (COUNTS.replace("observed: 7", "observed: 2.5"), ["mine.yaml:8: observed", "an integer"]),
    (COUNTS.replace("signal: 20", "signal: 0"), ["mine.yaml:9: signal", "greater than 0"]),
    (COUNTS.replace("1.5", "-1.5"), ["mine.yaml:10: background", "-1.5"]),
    (TABLE.replace("table.csv", "none.csv"), ["none.csv", "cannot be read", "check the path"]),
    (TABLE.replace("table.csv", "../table.csv"), ["curve", "'../table.csv'", "beside the entry"]),
]


@pytest.mark.parametrize(("text", "words"), MISTAKES, ids=[str(words) for _, words in MISTAKES])
def test_mistake_in_a_measurement(rejected: Command, text: str, words: list[str]):
    own("mine", text)
    write("fit.yaml", "model: effective\nlikelihood: {add: [mine]}\n")
    message = rejected("validate", "fit.yaml")
    assert "mine.yaml" in message or "none.csv" in message
    for word in words:
        assert word in message, message


@pytest.mark.parametrize(
    ("rows", "line", "words"),
    [
        ("0.1,4\n0.3,0\n0.2,1\n", 4, ["value 0.2 follows 0.3", "sort"]),
        ("0.1,4\n0.3,-1\n", 3, ["chi2 -1 at 0.3", ">= 0"]),
        ("0.1,4\n0.3,inf\n", 3, ["chi2 inf", "finite"]),
        ("0.1,4\n0.3,nan\n", 3, ["chi2 nan", "finite"]),
        ("0.1,4\n0.3\n", 3, ["value, chi2"]),
        ("0.1,4\n", 2, ["at least 2 rows"]),
    ],
)
def test_mistake_in_a_table(rejected: Command, rows: str, line: int, words: list[str]):
    own("mine", TABLE)
    write("likelihoods/entries/table.csv", f"value,chi2\n{rows}")
    write("fit.yaml", "model: effective\nlikelihood: {add: [mine]}\n")
    message = rejected("validate", "fit.yaml")
    assert f"table.csv:{line}: " in message
    for word in words:
        assert word in message, message


@pytest.mark.usefixtures("kinds")
@pytest.mark.parametrize(
    ("nuisances", "words"),
    [
        ("{fluxx: 2}", ["fit.yaml:2: likelihood.nuisances.fluxx", "did you mean 'flux'"]),
        ("{flux: -2}", ["fit.yaml:2: likelihood.nuisances.flux", "-2"]),
        ("{flux: wide}", ["fit.yaml:2: likelihood.nuisances.flux", "number", "'wide'"]),
    ],
)
def test_mistake_in_the_widths(rejected: Command, nuisances: str, words: list[str]):
    text = f"model: effective\nlikelihood: {{add: [muon], nuisances: {nuisances}}}\n"
    write("fit.yaml", text)
    message = rejected("validate", "fit.yaml")
    for word in words:
        assert word in message, message


@pytest.mark.usefixtures("kinds")
def test_no_limits_for_a_correlated_entry_as_a_whole(rejected: Command):
    text = "model: effective\nlikelihood: {add: [correlated]}\n"
    write("fit.yaml", text + "joint_sigma: {within: {correlated: 1}}\n")
    message = rejected("validate", "fit.yaml")
    assert "joint_sigma.within.correlated" in message
    assert "correlated[" in message


@pytest.mark.usefixtures("kinds")
def test_an_entry_that_only_another_one_supersedes(workspace: Path):
    own("oldest", ASYMMETRIC)
    own("middle", ASYMMETRIC + "supersedes: [oldest]\n")
    own("newest", ASYMMETRIC + "supersedes: [middle]\n")
    for names in (("oldest", "newest"), ("newest", "oldest")):
        with pytest.raises(InvalidInput, match="'newest' supersedes"):
            assembled(*names)
    own("oldest", ASYMMETRIC + "supersedes: [newest]\n")
    with pytest.raises(InvalidInput, match="supersedes the other"):
        assembled("newest", "oldest")
