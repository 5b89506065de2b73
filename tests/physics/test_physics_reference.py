"""Compare physics with an independent implementation in high precision."""

import csv
import json
from math import pi
from pathlib import Path

import numpy as np
import pytest

from zpfit.io.library import Library
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.physics import decays
from zpfit.physics.constants import ELECTRON_MASS, MASS_RANGE, MUON_MASS
from zpfit.physics.couplings import COUPLING_NAMES, Couplings
from zpfit.physics.electron_recoils import recoil_coefficients
from zpfit.physics.electron_recoils import scattering_ratio as ratio_of
from zpfit.physics.magnetic_moment import delta_a
from zpfit.physics.observables import RENAMED, find_observable, predictions
from zpfit.physics.paper_2021 import CHARM2_NU, CHARM2_NUBAR

REFERENCE = Path(__file__).parents[1] / "reference"
FUNCTIONS = json.loads((REFERENCE / "functions.json").read_text())
CLOSED = 1e-8
CHARM2 = 1e-6
DIGITISED = 0.03


def cases(*names):
    found = [case for case in FUNCTIONS if case["function"] in names]
    assert found
    return [
        pytest.param(c["inputs"], c["value"], id=f"{c['function']}-{i}")
        for i, c in enumerate(found)
    ]


def couplings(inputs):
    values = {name.replace("_", ""): name for name in COUPLING_NAMES}
    point = {"m_Zp": inputs["m"]} | {values[k]: v for k, v in inputs.items() if k in values}
    return Couplings(*(np.array([float(point.get(name, 0.0))]) for name in COUPLING_NAMES))


@pytest.fixture(scope="module")
def sets():
    names = ("paper_2021_cs", "paper_2021_rb")
    return {n: assemble(LikelihoodSpec(set=n), Library.beside()).likelihood for n in names}


@pytest.fixture(scope="module")
def real_curve():
    spec = LikelihoodSpec(add=("babar_2014", "kloe_2015", "na64_2020"))
    return assemble(spec, Library.beside()).likelihood


@pytest.mark.parametrize(("inputs", "value"), cases("FV"))
def test_vector_loop_function(inputs, value):
    assert delta_a(inputs["ml"], inputs["m"], 1.0, 0.0) == pytest.approx(value, rel=CLOSED)


@pytest.mark.parametrize(("inputs", "value"), cases("FA"))
def test_axial_loop_function(inputs, value):
    assert -delta_a(inputs["ml"], inputs["m"], 0.0, 1.0) == pytest.approx(value, rel=CLOSED)


@pytest.mark.parametrize(("inputs", "value"), cases("delta_a"))
def test_delta_a(inputs, value):
    found = delta_a(inputs["ml"], inputs["m"], inputs["CV"], inputs["CA"])
    assert found == pytest.approx(value, rel=CLOSED)


def test_delta_a_approaches_the_limit_of_a_light_boson():
    [(inputs, value)] = [p.values for p in cases("delta_a_light_nlo")]
    found = delta_a(inputs["ml"], inputs["m"], inputs["CV"], inputs["CA"])
    assert found == pytest.approx(value, rel=1e-3)


@pytest.mark.parametrize(("inputs", "value"), cases("CA_for"))
def test_axial_coupling_that_meets_a_shift(inputs, value):
    assert delta_a(inputs["ml"], inputs["m"], inputs["CV"], value) == pytest.approx(
        inputs["da"], rel=CLOSED
    )


@pytest.mark.parametrize(("inputs", "value"), cases("CV_for"))
def test_vector_coupling_that_meets_a_shift(inputs, value):
    assert delta_a(inputs["ml"], inputs["m"], value, inputs["CA"]) == pytest.approx(
        inputs["da"], rel=CLOSED
    )


@pytest.mark.parametrize(("inputs", "value"), cases("width_ll"))
def test_width_to_leptons(inputs, value):
    found = decays.width_ll(inputs["m"], inputs["CV"], inputs["CA"], inputs["ml"])
    assert found == pytest.approx(value, rel=CLOSED)


def test_width_to_neutrinos():
    [(inputs, value)] = [p.values for p in cases("width_nunu")]
    assert decays.width_nunu(inputs["m"], *inputs["C"]) == pytest.approx(value, rel=CLOSED)


@pytest.mark.parametrize(("inputs", "value"), cases("charm2"))
def test_charm2(inputs, value):
    name = "charm2_nubar" if inputs["anti"] else "charm2_nu"
    found = find_observable(name).function(couplings(inputs))[0]
    assert found == pytest.approx(value, rel=CHARM2)


@pytest.mark.parametrize(("inputs", "value"), cases("charm2_taylor"))
def test_charm2_linear_and_quadratic_response(inputs, value):
    beam = CHARM2_NUBAR if inputs["anti"] else CHARM2_NU
    up, down = (
        ratio_of(beam, inputs["m"], inputs["CV"], inputs["CA"], s * inputs["Cnu"]) for s in (1, -1)
    )
    assert 0.5 * (up - down) == pytest.approx(value[0], rel=CHARM2)
    assert 0.5 * (up + down) - 1 == pytest.approx(value[1], rel=CHARM2, abs=1e-15)


@pytest.mark.parametrize("observable", ["texono", "borexino", "ccfr", "br_ee"])
def test_closed_predictions(observable):
    for case in cases(observable):
        inputs, value = case.values
        found = find_observable(observable).function(couplings(inputs))[0]
        assert found == pytest.approx(value, rel=CLOSED)


@pytest.mark.parametrize(
    ("function", "entry"), [("whitedwarf", "white_dwarf_2013"), ("moller", "moller_e158_2005")]
)
def test_closed_exclusions(sets, function, entry):
    for case in cases(function):
        inputs, value = case.values
        found = sets["paper_2021_cs"].ratios(couplings(inputs))[entry][0]
        assert found == pytest.approx(value, rel=CLOSED)


@pytest.mark.parametrize(("inputs", "value"), cases("babar_limit"))
def test_babar_limit_on_a_dark_photon(sets, real_curve, inputs, value):
    hull = inputs["mode"] == "hull"
    likelihood = sets["paper_2021_cs"] if hull else real_curve
    point = couplings({"m": inputs["m"], "CVe": value})
    ratio = likelihood.ratios(point)["babar_2014_envelope" if hull else "babar_2014"][0]
    assert ratio == pytest.approx(1, rel=DIGITISED)


@pytest.mark.parametrize(("inputs", "value"), cases("kloe_limit"))
def test_kloe_limit_on_a_dark_photon(real_curve, inputs, value):
    point = couplings({"m": inputs["m"] * (1 + 1e-12), "CVe": value})
    assert real_curve.ratios(point)["kloe_2015"][0] == pytest.approx(1, rel=DIGITISED)


@pytest.mark.parametrize(("inputs", "value"), cases("na64_band"))
def test_recasting_na64_onto_a_dark_photon_returns_both_edges(real_curve, inputs, value):
    for edge in value:
        point = couplings({"m": inputs["m"], "CVe": edge})
        assert real_curve.ratios(point)["na64_2020"][0] == pytest.approx(1, rel=DIGITISED)


@pytest.mark.parametrize(("inputs", "value"), cases("na64_ratio"))
def test_na64_ratio(real_curve, inputs, value):
    found = real_curve.ratios(couplings(inputs))["na64_2020"][0]
    assert found == pytest.approx(value, rel=DIGITISED)


def read_points():
    with (REFERENCE / "points.csv").open() as file:
        rows = list(csv.DictReader(file))
    columns = {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
    zero = np.zeros(len(rows))
    return columns, Couplings(*(columns.get(name, zero) for name in COUPLING_NAMES))


# The reference tables use the former names.
PAPER_PREDICTIONS = [n for n in read_points()[0] if RENAMED.get(n, n) in predictions()]


@pytest.mark.parametrize("observable", PAPER_PREDICTIONS)
def test_points_predictions(observable):
    columns, points = read_points()
    tolerance = CHARM2 if observable.startswith("charm2") else CLOSED
    found = find_observable(observable).function(points)
    np.testing.assert_allclose(found, columns[observable], rtol=tolerance)


@pytest.mark.parametrize(
    ("entry", "column", "tolerance"),
    [
        ("bbn_2020", "bbn_ratio", CLOSED),
        ("white_dwarf_2013", "white_dwarf_ratio", CLOSED),
        ("moller_e158_2005", "moller_ratio", CLOSED),
        ("babar_2014_envelope", "babar_ratio", DIGITISED),
        ("kloe_2015", "kloe_ratio", DIGITISED),
        ("na64_2020", "na64_ratio", DIGITISED),
    ],
)
def test_points_exclusions(sets, entry, column, tolerance):
    columns, points = read_points()
    found = sets["paper_2021_cs"].ratios(points)[entry]
    np.testing.assert_allclose(found, columns[column], rtol=tolerance)
    np.testing.assert_array_equal(found > 1, columns[column] > 1)


@pytest.mark.parametrize("alpha", ["cs", "rb"])
def test_points_chi2(sets, alpha):
    columns, points = read_points()
    found = sets[f"paper_2021_{alpha}"].chi2(points)
    np.testing.assert_allclose(found, columns[f"chi2_gaussian_{alpha}"], rtol=CHARM2)


@pytest.mark.parametrize(("name", "chi2"), [("paper_2021_cs", 24.4468), ("paper_2021_rb", 21.1665)])
def test_chi2_without_a_zprime(sets, name, chi2):
    nothing = couplings({"m": 17.0})
    assert sets[name].chi2(nothing)[0] == pytest.approx(chi2, abs=5e-5)
    assert sets[name].excluded_by(nothing) == [[]]


def test_standard_model_cross_section_of_charm2():
    """The published cross-section in units of G_F^2 m_e gives the normalisation of the ratio."""
    [(inputs, value)] = [p.values for p in cases("sigma_nue")]
    from zpfit.physics.constants import FERMI_CONSTANT, SIN2_THETA_W

    energy, low = inputs["E"], inputs["T1"]
    high = min(inputs["T2"], 2 * energy**2 / (2 * energy + ELECTRON_MASS))
    left, right = SIN2_THETA_W - 0.5, SIN2_THETA_W
    # A very heavy Z' shifts g_L and g_R by contact terms: compare with the closed form.
    m2 = 1e14
    shift = 1 / (2 * np.sqrt(2) * FERMI_CONSTANT * m2)
    cubes = energy / 3 * ((1 - low / energy) ** 3 - (1 - high / energy) ** 3)
    mixed = ELECTRON_MASS / energy**2 * (high**2 - low**2) / 2
    total = left**2 * (high - low) + right**2 * cubes - left * right * mixed
    assert 2 * FERMI_CONSTANT**2 * ELECTRON_MASS / pi * total == pytest.approx(value, rel=1e-6)
    expected = (
        shift * (2 * left * (high - low) + 2 * right * cubes - (left + right) * mixed) / total
    )
    assert recoil_coefficients(CHARM2_NU, np.array([m2]))[0, 0] == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("name", list(predictions()))
def test_finite_without_warnings_over_the_whole_range(name, sets):
    rng = np.random.default_rng(0)
    mass = np.concatenate([np.geomspace(*MASS_RANGE, 200), [2 * ELECTRON_MASS, 2 * MUON_MASS]])
    for scale in (0.0, 1e-8, 1e-3, 1.0):
        signs = rng.choice([-1, 0, 1], (len(COUPLING_NAMES), len(mass)))
        rows = dict(zip(COUPLING_NAMES, scale * signs, strict=True))
        points = Couplings(**rows | {"m_Zp": mass, "width_dark": np.abs(rows["width_dark"])})
        with np.errstate(all="raise", under="ignore"):
            assert np.isfinite(find_observable(name).function(points)).all()
            for likelihood in sets.values():
                assert all(np.isfinite(r).all() for r in likelihood.ratios(points).values())
                assert np.isfinite(likelihood.chi2(points)).all()
