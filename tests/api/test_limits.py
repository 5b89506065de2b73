"""Limits on one parameter against closed forms, along scans, and by the command."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import norm

import zpfit
from zpfit.analysis.levels import SIGMAS, delta_chi2, in_percent
from zpfit.physics.constants import MUON_MASS
from zpfit.physics.magnetic_moment import delta_a

pytestmark = pytest.mark.usefixtures("quick_fits")

MASS = 20.0
PRIOR = {"type": "uniform", "lower": 0.0, "upper": 5e-3}
RUN = {
    "model": "L_mu-L_tau",
    "likelihood": {"add": ["a_mu_2021"]},
    "sampler": {"engine": "vegas"},
    "priors": {"parameters": {"eps": 0.0, "g_prime": PRIOR, "m_Zp": MASS}},
}
VALUE, ERROR = 2.51e-9, 0.59e-9
"""The entry a_mu_2021."""
SLOPE = float(delta_a(MUON_MASS, MASS, 1.0, 0.0))
"""Moment of the muon over g'^2."""


def root(moment: float) -> float:
    """Return the coupling with which the Z' contributes a moment."""
    return float(np.sqrt(moment / SLOPE))


def test_levels_of_normal_quantiles() -> None:
    assert delta_chi2(0.95, one_sided=True) == pytest.approx(norm.ppf(0.95) ** 2)
    assert [delta_chi2(level) for level in SIGMAS] == pytest.approx([1, 4, 9])
    assert [in_percent(level) for level in (0.9, *SIGMAS)] == [
        "90 %", "68.3 %", "95.4 %", "99.73 %",
    ]  # fmt: skip


def test_upper_limits_are_those_of_the_closed_form() -> None:
    found = zpfit.limit(RUN, "g_prime", cl=(0.9, 0.95), progress=False)
    assert found.converged
    for row in found.frame.itertuples():
        above = norm.ppf(row.cl)
        # The bracket of an end is 1 % of the interval at most.
        assert row.profile == pytest.approx(root(VALUE + above * ERROR), rel=0.01)

        exact = brentq(lambda g, cl=row.cl: share_below(g) - cl, 1e-5, PRIOR["upper"])
        assert row.posterior == pytest.approx(exact, rel=0.01)


def share_below(g: float) -> float:
    """Return the fraction of the posterior below a coupling."""
    below, whole = (quad(density, 0, end, points=[root(VALUE)])[0] for end in (g, PRIOR["upper"]))
    return below / whole


def density(g: float) -> float:
    return float(np.exp(-0.5 * ((SLOPE * g * g - VALUE) / ERROR) ** 2))


def test_two_sided_intervals_end_at_both_sides_of_the_anomaly() -> None:
    found = zpfit.limit(RUN, "g_prime", cl=SIGMAS[0], one_sided=False, progress=False)
    [row] = found.frame.itertuples()
    ends = [root(VALUE + sign * ERROR) for sign in (-1, 1)]
    length = ends[1] - ends[0]
    assert [row.profile_low, row.profile_high] == pytest.approx(ends, abs=0.01 * length)
    assert row.posterior_low < root(VALUE) < row.posterior_high


def test_a_limit_on_a_coupling_of_either_sign_is_one_on_its_size() -> None:
    prior = {"type": "uniform", "lower": -5e-3, "upper": 4e-3}
    parameters = dict.fromkeys(("C_Ve", "C_Ae", "C_nue", "C_Amu", "C_numu"), 0.0)
    run = {
        "model": "effective",
        "likelihood": {"add": ["a_mu_2021"]},
        "priors": {"parameters": {**parameters, "m_Zp": MASS, "C_Vmu": prior}},
    }
    found = zpfit.limit(run, "C_Vmu", cl=0.95, progress=False)
    [row] = found.frame.itertuples()
    assert row.profile == pytest.approx(root(VALUE + norm.ppf(0.95) * ERROR), rel=0.01)


def test_where_the_prior_ends_first_there_is_no_limit() -> None:
    short = {**PRIOR, "upper": root(VALUE)}
    found = zpfit.limit(RUN, "g_prime", cl=0.95, priors={"parameters": {"g_prime": short}})
    [row] = found.frame.itertuples()
    assert np.isnan(row.profile)
    assert row.posterior < short["upper"]


def test_the_lower_end_of_a_positive_prior_is_no_limit_of_the_size() -> None:
    """Without an anomaly the couplings next to the lower end are the allowed ones."""
    large = {**PRIOR, "upper": 5.0}
    found = zpfit.limit(RUN, "g_prime", cl=0.95, priors={"parameters": {"g_prime": large}})
    [row] = found.frame.itertuples()
    assert row.profile < 1e-3 * large["upper"]


def test_a_prior_that_ends_first_on_one_side_gives_no_limit() -> None:
    short = {"type": "uniform", "lower": -0.5 * root(VALUE), "upper": 5e-3}
    parameters = dict.fromkeys(("C_Ve", "C_Ae", "C_nue", "C_Amu", "C_numu"), 0.0)
    run = {
        "model": "effective",
        "likelihood": {"add": ["a_mu_2021"]},
        "priors": {"parameters": {**parameters, "m_Zp": MASS, "C_Vmu": short}},
    }
    wide = zpfit.limit(run, "C_Vmu", cl=0.95, progress=False)
    assert np.isfinite(wide.frame["profile"][0])  # the short side is excluded, not cut off
    near = {**short, "lower": -root(VALUE)}
    cut = zpfit.limit(run, "C_Vmu", cl=0.95, priors={"parameters": {"C_Vmu": near}})
    assert np.isnan(cut.frame["profile"][0])


def test_a_scan_continues_where_nothing_is_allowed() -> None:
    """BBN excludes masses below 8.3 MeV for every coupling of this prior."""
    run = {**RUN, "likelihood": {"add": ["a_mu_2021", "bbn_2020"]}}
    thermal = {"m_Zp": MASS, "g_prime": {**PRIOR, "lower": 1e-5}}
    found = zpfit.limit(
        run, "g_prime", cl=0.95, scan=("m_Zp", [4.0, 20.0]), priors={"parameters": thermal}
    )
    assert found.frame["allowed"].tolist() == [False, True]
    assert np.isnan(found.frame["profile"][0])
    assert found.plot().axes[0].get_xlim() == (4.0, 20.0)
    assert repr(found).startswith("<Limit on g_prime at 2 values of m_Zp")


@pytest.mark.parametrize(
    ("parameter", "arguments", "words"),
    [
        ("g_prme", {}, "g_prime"),
        ("eps", {}, "fixed"),
        ("g_prime", {"cl": 95}, "0.95"),
        ("g_prime", {"cl": ()}, "at least one"),
        ("g_prime", {"cl": "much"}, "cl"),
        ("g_prime", {"fix": 3}, "fix"),
        ("g_prime", {"scan": ("m_Zp", ["heavy"])}, "scan"),
        ("g_prime", {"fix": {"m": 3}}, "m"),
        ("g_prime", {"scan": ("m_Zp",)}, "scan"),
        ("g_prime", {"scan": ("m_Zp", [-1.0])}, "m_Zp"),
    ],
)
def test_wrong_requests_are_refused(parameter: str, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(zpfit.ZpfitError, match=words):
        zpfit.limit(RUN, parameter, **arguments)


def test_the_command(accepted: Callable[..., str], workspace: Path) -> None:
    (workspace / "run.yaml").write_text(json.dumps(RUN), encoding="utf-8")
    options = ("--cl", "0.95", "--scan", "m_Zp=10:40:2", "--output", "out")
    text = accepted("limit", "run.yaml", "g_prime", *options)
    assert "95 % profile" in text
    names = sorted(path.name for path in (workspace / "out").iterdir())
    assert names == [f"limit_g_prime.{kind}" for kind in ("csv", "json", "pdf", "png")]
    with (workspace / "out" / "limit_g_prime.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["m_Zp"]) for row in rows] == [10.0, 40.0]
    record = json.loads((workspace / "out" / "limit_g_prime.json").read_text(encoding="utf-8"))
    assert float(rows[0]["profile"]) == record["points"][0]["levels"][0]["profile"]


@pytest.mark.parametrize(
    "scan", ["m_Zp", "m_Zp=1:2", "m_Zp=5:2:4", "m_Zp=1:9:0", "m_Zp=0:9:4:log", "m_Zp=a,b"]
)
def test_the_command_refuses_wrong_scans(
    rejected: Callable[..., str], workspace: Path, scan: str
) -> None:
    (workspace / "run.yaml").write_text(json.dumps(RUN), encoding="utf-8")
    assert f"--scan {scan}" in rejected("limit", "run.yaml", "g_prime", "--scan", scan)
