"""Compare extremes under data, and joint sigmas from run files, with closed forms."""

from math import log, sqrt
from pathlib import Path

import numpy as np
import pytest
from test_compare import SUM, X, Y, plane

from zpfit.analysis.extremes import Sought, extremes
from zpfit.analysis.joint_sigma import joint_sigma, joint_sigma_or_none
from zpfit.errors import NoAllowedPoint
from zpfit.inference.search import minmax
from zpfit.inference.search.selection import Space
from zpfit.inference.settings import JointSigmaSpec
from zpfit.likelihood.measurements import GaussianTerm
from zpfit.physics.magnetic_moment import delta_a
from zpfit.runs.run_file import find_run_file, load_run

RADIUS = 0.3
SEEDS = (1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3, 4)))


def disc(c):
    """Return the ratio of an exclusion that allows a disc around (0.5, 0.5)."""
    return ((c.C_Ve - 0.5) ** 2 + (c.C_Vmu - 0.5) ** 2) / RADIUS**2


def two_discs(c):
    """Allow a second disc around (-0.8, -0.8), a hundred times smaller in area."""
    return np.minimum(disc(c), ((c.C_Ve + 0.8) ** 2 + (c.C_Vmu + 0.8) ** 2) / 0.03**2)


def walled(c):
    return np.maximum(disc(c), c.C_Ve / 0.6)


def total(c):
    return np.abs(c.C_Ve + c.C_Vmu)


def found(posterior, *, largest, seed=1, quantity=total, limits=None):
    limits = limits or JointSigmaSpec()
    rng = np.random.default_rng(seed)
    [result] = extremes(posterior, [Sought(quantity, largest)], limits, rng)
    return result


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("largest", [False, True])
def test_extremes_of_a_sum_on_a_disc(largest, seed):
    """The extremes of the sum over the disc are 1 -+ sqrt2 r, at 45 degrees."""
    side = RADIUS * (1 if largest else -1)
    posterior = plane((), disc)
    result = found(posterior, largest=largest, seed=seed)
    assert result.value == pytest.approx(1 + sqrt(2) * side, rel=1e-5)
    values = posterior.parameters(result.u[None])
    at = 0.5 + side / sqrt(2)
    assert [values["x"][0], values["y"][0]] == pytest.approx([at, at], abs=2e-3)


@pytest.mark.parametrize("seed", SEEDS)
def test_wall_cuts_the_largest_short_and_leaves_the_least(seed):
    """The bound x <= 0.6 leaves the edge of the disc above it."""
    posterior = plane((), walled)
    above = 0.6 + 0.5 + sqrt(RADIUS**2 - 0.1**2)
    assert found(posterior, largest=True, seed=seed).value == pytest.approx(above, rel=1e-5)
    below = 1 - sqrt(2) * RADIUS
    assert found(posterior, largest=False, seed=seed).value == pytest.approx(below, rel=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_extremes_stay_within_the_limit_of_a_measurement(seed):
    """The bound on x + y = 0.9 +- 0.1 is two standard errors, or its own limit of one."""
    posterior = plane((GaussianTerm("sum", SUM, 0.9, 0.1),), disc)
    own = JointSigmaSpec(within={"sum": 1.0})
    for limits, reach in ((JointSigmaSpec(), 0.2), (JointSigmaSpec(others=1.5), 0.15), (own, 0.1)):
        for largest, side in ((True, 1), (False, -1)):
            result = found(posterior, largest=largest, seed=seed, limits=limits)
            assert result.value == pytest.approx(0.9 + side * reach, rel=1e-5)


def test_anomalies_are_measurements_like_others():
    """x = 0.4 +- 0.1 and y = 0.2 +- 0.1 are each within their limits."""
    posterior = plane((GaussianTerm("x", X, 0.4, 0.1), GaussianTerm("y", Y, 0.2, 0.1)))
    limits = JointSigmaSpec(within={"x": 1.0, "y": 0.5})
    assert found(posterior, largest=True, limits=limits).value == pytest.approx(0.75, rel=1e-5)
    assert found(posterior, largest=False, limits=limits).value == pytest.approx(0.45, rel=1e-5)


def test_extreme_at_the_corner_of_the_prior():
    posterior = plane((), lambda c: 0 * c.C_Ve)
    assert found(posterior, largest=True).value == pytest.approx(2, rel=1e-5)


@pytest.mark.parametrize("seed", [1, 4, 9, 10, 21, 46, 54])
def test_largest_of_two_separate_pieces(seed):
    """The smaller disc contains the largest value."""
    result = found(plane((), two_discs), largest=True, seed=seed)
    assert result.value == pytest.approx(1.6 + sqrt(2) * 0.03, rel=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_allowed_has_no_extreme(seed):
    """The measured sum is out of reach of the disc or of the priors."""
    for value, ratio in ((0.0, disc), (9.0, None)):
        posterior = plane((GaussianTerm("sum", SUM, value, 0.1),), ratio)
        with pytest.raises(NoAllowedPoint, match="allowed"):
            found(posterior, largest=True, seed=seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_joint_sigma_on_a_disc(seed):
    """From within the disc x = y = 1 +- 0.1 is (0.5 - r/sqrt2)/0.1 errors off."""
    terms = (GaussianTerm("x", X, 1.0, 0.1), GaussianTerm("y", Y, 1.0, 0.1))
    result = joint_sigma(plane(terms, disc), np.random.default_rng(seed))
    assert result.sigma == pytest.approx((0.5 - RADIUS / sqrt(2)) / 0.1, abs=1e-4)


@pytest.mark.parametrize("seed", SEEDS)
def test_joint_sigma_in_a_small_piece_far_away(seed):
    """The disc of radius 0.03 at (-0.8, -0.8) meets x = y = -0.8 +- 0.1; the large one is 10.9
    off."""
    terms = (GaussianTerm("x", X, -0.8, 0.1), GaussianTerm("y", Y, -0.8, 0.1))
    assert joint_sigma(plane(terms, two_discs), np.random.default_rng(seed)).sigma < 1e-3


def test_joint_sigma_with_errors_of_different_size_behind_a_wall():
    """x <= 0.6 is 3 errors below x = 0.9 +- 0.1 for any y, and y = 0.5 +- 0.01 is met as well."""
    terms = (GaussianTerm("x", X, 0.9, 0.1), GaussianTerm("y", Y, 0.5, 0.01))
    assert joint_sigma(plane(terms, walled), np.random.default_rng(1)).sigma == pytest.approx(
        3, abs=1e-4
    )


def test_reason_for_no_joint_sigma_is_given():
    terms = (GaussianTerm("x", X, 0.4, 0.1), GaussianTerm("sum", SUM, 9.0, 0.1))
    value, notes = joint_sigma_or_none(plane(terms), np.random.default_rng(1))
    assert value is None
    assert "no point meets the other data" in notes[0]
    none = joint_sigma_or_none(plane(()), np.random.default_rng(1))
    assert none == (None, ())


RUN = """
model: effective
likelihood: {add: [a_mu_2021, ccfr_1991]}
priors:
  parameters:
    m_Zp: 20
    C_Ve: 0
    C_Ae: 0
    C_nue: 0
    C_Vmu: {type: uniform, lower: 0, upper: 1e-2}
    C_Amu: 0
    C_numu: {type: tied, to: C_Vmu, factor: 3}
"""


def expected_sigma(tridents):
    """Return the pull of a_mu at the C_Vmu that puts CCFR that many errors off, Eq. (16)."""
    linear, quadratic = 5.6e5 * 3, 1.3e11 * 9 * 2 * log(105.6583755 / 20)
    excess = 0.82 + tridents * 0.28 - 1
    c2 = (-linear + sqrt(linear**2 + 4 * quadratic * excess)) / (2 * quadratic)
    slope = float(delta_a(105.6583755, 20.0, 1.0, 0.0))
    return (2.51e-9 - slope * c2) / 5.9e-10


@pytest.mark.parametrize(
    ("text", "tridents"),
    [
        ("", 2.0),
        ("joint_sigma: {others: 1.5}\n", 1.5),
        ("joint_sigma: {within: {ccfr_1991: 1}}\n", 1.0),
        ("joint_sigma: {others: 1, within: {ccfr_1991: 2.5}}\n", 2.5),
    ],
)
def test_limits_of_a_run_file_enter_the_joint_sigma(workspace, text, tridents):
    Path("fit.yaml").write_text(RUN + text)
    run = load_run(Path("fit.yaml"))
    result = joint_sigma(run.posterior, np.random.default_rng(1), run.settings.joint_sigma)
    assert expected_sigma(tridents) > 1
    assert result.sigma == pytest.approx(expected_sigma(tridents), abs=1e-4)


def test_limits_may_be_set_on_the_command_line(workspace):
    Path("fit.yaml").write_text(RUN)
    run = load_run(Path("fit.yaml"), {"joint_sigma.within": "{ccfr_1991: 1}"})
    assert run.settings.joint_sigma.limit("ccfr_1991") == 1
    assert run.settings.joint_sigma.limit("texono_2010") == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "joint_sigma:\n  within:\n    ccfr_1990: 1\n",
            ["fit.yaml:15: joint_sigma.within.ccfr_1990", "did you mean 'ccfr_1991'"],
        ),
        (
            "joint_sigma: {within: {texono_2010: 1}}\n",
            ["fit.yaml:13: joint_sigma.within.texono_2010", "not a measurement of this likelihood"],
        ),
        (
            "joint_sigma:\n  within: {ccfr_1991: 0}\n",
            ["fit.yaml:14: joint_sigma.within.ccfr_1991", "greater than 0"],
        ),
        ("joint_sigma:\n  others: -1\n", ["fit.yaml:14: joint_sigma.others", "greater than 0"]),
        (
            "joint_sigma:\n  othres: 1\n",
            ["fit.yaml:14: joint_sigma.othres", "did you mean 'others'"],
        ),
        ("joint_sigma: 2\n", ["fit.yaml:13: joint_sigma", "must be a mapping"]),
    ],
)
def test_mistake_under_joint_sigma(rejected, text, words):
    Path("fit.yaml").write_text(RUN + text)
    message = rejected("validate", "fit.yaml")
    for word in words:
        assert word in message, message


def test_exclusion_has_no_standard_errors_to_be_within(rejected):
    Path("fit.yaml").write_text(
        "model: effective\nlikelihood: paper_2021_cs\njoint_sigma: {within: {na64_2020: 1}}\n"
    )
    message = rejected("validate", "fit.yaml")
    assert "fit.yaml:3: joint_sigma.within.na64_2020" in message
    assert "known: " in message or "did you mean" in message


def test_searches_that_end_outside_do_not_end_the_others(monkeypatch: pytest.MonkeyPatch):
    """Two failed searches do not stop the third."""

    def judge(u):
        return minmax.Constraints.of([u[:, 0]], [], [np.where(u[:, 0] < 0.5, 2.0, 0.5)])

    ends = iter([0.1, 0.2, 0.5, 0.6, 0.7])
    monkeypatch.setattr(minmax, "polished_from", lambda *_: np.array([next(ends)]))
    rng = np.random.default_rng(1)
    found, _ = minmax.improve_near(judge, 2.0, rng.random((20, 1)), Space(np.zeros(1)), rng)
    assert found.level == 0.5
    assert next(ends, None) is None, "two without progress end the searches"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 4, 5])
def test_the_largest_coupling_lies_where_other_couplings_have_other_signs(seed: int):
    """Single searches end at 0.0080, 0.0116 or 0.0127, by the signs of four couplings."""
    posterior = load_run(find_run_file("effective_complete_today_rb")).posterior
    limits = JointSigmaSpec(within={term.name: 1.0 for term in posterior.likelihood.anomalies})
    sought = Sought(lambda c: np.abs(c.C_Vmu), largest=True)
    [found] = extremes(posterior, [sought], limits, np.random.default_rng(seed))
    assert found.value == pytest.approx(0.01267, rel=2e-3)
