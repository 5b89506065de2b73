"""Test references and levels of exclusion planes against closed forms."""

import json
from dataclasses import replace
from math import log, sqrt

import numpy as np
import pytest
import shapely
from click.testing import CliRunner
from drawn_planes import C_VE, CLOSE, MASS, Drawn, drawn, limit, off, resolved
from scipy.stats import chi2, norm
from shapely import MultiPolygon, box

from zpfit.analysis.exclusion.along import excluded_intervals
from zpfit.analysis.exclusion.blocking import blocking
from zpfit.analysis.exclusion.exclusion import NamedRegion, exclusion_map
from zpfit.analysis.exclusion.reference import least_chi2
from zpfit.analysis.exclusion.slice import Slice
from zpfit.analysis.levels import SIGMAS
from zpfit.cli import cli
from zpfit.likelihood.likelihood import Likelihood
from zpfit.likelihood.measurements import GaussianTerm
from zpfit.physics.observables import Group, Observable

Y = {"parameter": "C_nue", "lower": -5e-5, "upper": 5e-5}
LINEAR = Observable("linear", lambda c: c.C_nue, Group.OTHER)
ERROR = 5e-6


def measured(value: float, **settings) -> Slice:
    """Return a plane with one Gaussian measurement of C_nue itself."""
    chosen = resolved("kloe_2015", y=Y, **settings)
    likelihood = Likelihood("one", (GaussianTerm("mine", LINEAR, value, ERROR),), ())
    return replace(chosen, assembled=replace(chosen.assembled, likelihood=likelihood))


def allowed(value: float, **settings) -> tuple[float, float]:
    """Return the ends of the allowed C_nue at one mass."""
    [found] = excluded_intervals(measured(value, **settings), [20.0])
    below = [one.upper for one in found if one.reaches_bottom]
    above = [one.lower for one in found if one.reaches_top]
    return max(below, default=Y["lower"]), min(above, default=Y["upper"])


LEVELS = {"0.9": 0.9, "0.95": 0.95, "1 sigma": SIGMAS[0], "2 sigma": SIGMAS[1]}


@pytest.mark.parametrize("cl", LEVELS)
def test_a_gaussian_measurement_excludes_beyond_delta_chi2_of_two_parameters(cl: str):
    """(v - y)^2 - v^2 = s^2 Delta chi2 at the boundary; Delta chi2 is -2 ln(1 - CL)."""
    step = -2 * log(1 - LEVELS[cl])
    for pull in (0.0, 1.5):
        value = pull * ERROR
        reach = sqrt(value**2 + step * ERROR**2)
        found = allowed(value, reference="no_zprime", cl=cl)
        assert found == pytest.approx((value - reach, value + reach), rel=1e-4)


def test_the_traced_region_has_the_same_boundaries():
    chosen = measured(ERROR, reference="no_zprime")
    _, bottom, _, top = exclusion_map(chosen).allowed.bounds
    low, high = chosen.plane.y.values(np.array([bottom, top]))
    reach = sqrt(1 + chi2.ppf(0.9, 2)) * ERROR
    assert (low, high) == pytest.approx((ERROR - reach, ERROR + reach), rel=1e-5)


def test_the_default_is_90_percent_against_no_zprime():
    chosen = resolved("kloe_2015", y=Y, reference="no_zprime")
    assert chosen.delta_chi2 == pytest.approx(4.605, abs=1e-3)
    assert chosen.delta_chi2 == pytest.approx(chi2.ppf(0.9, 2))


@pytest.mark.parametrize("pull", [-4.0, 4.0])
def test_an_anomaly_never_excludes_the_standard_model(pull: float):
    low, high = allowed(pull * ERROR, reference="no_zprime")
    assert low < 0 < high
    low, high = allowed(pull * ERROR, reference="pull")
    assert not low < 0 < high


def test_best_fit_inside_the_plane_and_at_its_edge():
    """The datum 6e-5 lies 2 standard errors above the plane: chi2 is 4 at best."""
    half = sqrt(chi2.ppf(0.9, 2)) * ERROR
    found = allowed(2e-5, reference="best_fit")
    assert found == pytest.approx((2e-5 - half, 2e-5 + half), rel=1e-4)
    low, high = allowed(6e-5, reference="best_fit")
    assert low == pytest.approx(6e-5 - sqrt(4 + chi2.ppf(0.9, 2)) * ERROR, rel=1e-4)
    assert high == pytest.approx(5e-5)


def test_the_best_fit_of_a_profile_includes_the_profiled_parameter():
    term = GaussianTerm("mine", LINEAR, 0.5, 1e-3)
    priors = {"parameters": {"C_nue": {"type": "uniform", "lower": -0.3, "upper": 0.3}}}
    chosen = resolved("kloe_2015", profile=["C_nue"], priors=priors)
    assert least_chi2(chosen.plane, term) == pytest.approx((0.2 / 1e-3) ** 2, rel=1e-6)


def test_a_plane_where_no_point_exists_has_no_best_fit():
    solve = {"C_Ve": {"observable": "delta_a_e", "value": 10.0}}
    term = GaussianTerm("mine", LINEAR, 0.5, 1e-3)
    assert least_chi2(resolved("kloe_2015", solve=solve).plane, term) == np.inf


def test_pulls_count_standard_errors():
    assert allowed(2e-5, reference="pull") == pytest.approx((1e-5, 3e-5), rel=1e-4)
    assert allowed(2e-5, reference="pull", sigma=1) == pytest.approx((1.5e-5, 2.5e-5), rel=1e-4)


# Published limits


def test_a_published_curve_stands_at_its_own_level_or_is_rescaled():
    """The signal grows with the coupling squared, and the limit with the normal quantile."""
    for curves, factor in (
        ("published", 1.0),
        ("rescaled", sqrt(norm.ppf(0.99) / norm.ppf(0.9))),
    ):
        given = drawn("kloe_2015", reference="no_zprime", cl=0.99, curves=curves)
        m, c = given.edge("kloe_2015")
        assert off(c, factor * limit("kloe_2015", m)).max() < CLOSE


def regions_of(given: Drawn) -> dict[str, dict]:
    return {region["name"]: region for region in given.record()["regions"]}


def test_names_have_the_level_of_a_limit_where_it_is_not_that_of_the_plane():
    entries = ("kloe_2015", "e137_1988", "nucal_2021", "borexino_2011")
    y = C_VE | {"lower": 1e-7, "upper": 1e-2}
    given = drawn(*entries, x=MASS, y=y, reference="no_zprime")
    found = regions_of(given)
    assert [found[name]["label"] for name in entries] == [
        "KLOE", "E137 (95 %)", "NuCal (no CL)", "Borexino",
    ]  # fmt: skip
    assert [found[name]["level"] for name in entries] == [0.9, 0.95, None, 0.9]
    known = given.record()["reference"]
    assert (known["kind"], known["cl"], known["parameters"]) == ("no_zprime", 0.9, 2)
    pulls = regions_of(Drawn(resolved(*entries, x=MASS, y=y), given.traced))
    assert [pulls[name]["label"] for name in entries] == ["KLOE", "E137", "NuCal", "Borexino"]


# Planes without an allowed point


def region(name: str, *corners: float, kind: str = "excluded") -> NamedRegion:
    return NamedRegion(name, kind, MultiPolygon([box(*corners)]))  # type: ignore[arg-type]


LEFT, RIGHT = region("left", 0, 0, 0.6, 1), region("right", 0.5, 0, 1, 1)
SMALL = [region(f"small {i}", 0.25 * i, 0, 0.25 * i + 0.3, 1) for i in range(4)]


def test_the_smallest_set_that_excludes_a_plane():
    found = blocking([*SMALL, LEFT, RIGHT])
    assert {one.name for one in found.regions} == {"left", "right"}
    assert not found.alone
    assert blocking([*SMALL[:3], LEFT]) is None


def test_every_entry_that_excludes_a_plane_alone():
    both = [region("one", 0, 0, 1, 1), LEFT, RIGHT, region("two", 0, 0, 1, 1)]
    found = blocking(both)
    assert [one.name for one in found.regions] == ["one", "two"]
    assert found.alone


def test_a_band_excludes_what_lies_beside_it():
    found = blocking([region("band", 0, 0, 0.5, 1, kind="band"), LEFT])
    assert {one.name for one in found.regions} == {"band", "left"}
    assert shapely.area(LEFT.region) == pytest.approx(0.6)


ALONE = ("exclusion", "--x", "m_Zp=5:50", "--y", "C_nue=1e-6:1e-5:log", "--set",
         "likelihood={add: [a_e_cs_2018, kloe_2015]}")  # fmt: skip


def test_the_command_says_what_excludes_everything_and_what_to_do():
    """The moment of the electron is 2.4 standard errors off, and C_nue does not change it."""
    output = " ".join(CliRunner().invoke(cli, [*ALONE, "--reference", "pull"]).output.split())
    assert "more than 2 standard errors from the datum" in output
    assert "alone excludes everything" in output
    for remedy in ("--x, --y", "--drop a_e_cs_2018", "--reference no_zprime"):
        assert remedy in output
    output = " ".join(CliRunner().invoke(cli, [*ALONE, "--cl", "2 sigma"]).output.split())
    assert "Delta chi2 > 6.18 against no Z' (95.4 %, 2 parameters)" in output
    assert "Allowed: 100 %" in output


def test_json_and_table_state_reference_and_level(tmp_path):
    arguments = [*ALONE, "--reference", "best_fit", "--cl", "0.95", "--output", str(tmp_path)]
    assert CliRunner().invoke(cli, arguments).exit_code == 0
    known = json.loads((tmp_path / "exclusion.json").read_text())["reference"]
    assert known["kind"] == "best_fit"
    assert known["delta_chi2"] == pytest.approx(5.991, abs=1e-3)
    first = (tmp_path / "exclusion.csv").read_text().splitlines()[0]
    assert "Delta chi2 > 5.99 against the best fit of each (95 %, 2 parameters)" in first
