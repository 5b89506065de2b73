"""Test the points of two-parameter planes."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.integrate import quad

from zpfit.analysis.exclusion.plane import Plane, Side
from zpfit.analysis.exclusion.slice import resolve_slice
from zpfit.errors import UndefinedValue
from zpfit.io.library import Library
from zpfit.io.yaml import dump_yaml, parse_yaml
from zpfit.physics.constants import ELECTRON_MASS
from zpfit.physics.couplings import COUPLING_NAMES
from zpfit.physics.observables import find_observable

U = np.random.default_rng(1).random((300, 2))
MASS = {"parameter": "m_Zp", "lower": 5, "upper": 50}
C_AE = {"parameter": "C_Ae", "lower": 5e-5, "upper": 1e-3, "scale": "log"}
A_E = -1.23e-12


def plane(**settings) -> Plane:
    settings = {"likelihood": "paper_2021_cs", "x": MASS, "y": C_AE} | settings
    document = parse_yaml(dump_yaml(settings), Path("mine.yaml"))
    return resolve_slice(document, Library.beside()).plane


def solve(name: str, value: float, observable: str = "delta_a_e", **options) -> dict:
    return {name: {"observable": observable, "value": value} | options}


def loop(mass: float) -> tuple[float, float]:
    """Return the coefficients of C_V^2 and -C_A^2 in Eq. (7) of arXiv:2102.07781 for the
    electron."""
    r = (ELECTRON_MASS / mass) ** 2

    def vector(x):
        return x**2 * (1 - x) / (1 - x + r * x**2)

    def axial(x):
        return (x * (1 - x) * (4 - x) + 2 * r * x**3) / (1 - x + r * x**2)

    points = [1 - r, 1 - r**0.5 / 2]
    return tuple(
        r / (4 * np.pi**2) * quad(f, 0, 1, points=points, limit=200)[0] for f in (vector, axial)
    )


def test_linear_axis():
    assert_allclose(Side("x", -2, 6, "linear").values(np.array([0, 0.25, 1])), [-2, 0, 6])


def test_logarithmic_axis():
    axis = Side("x", 1e-5, 1e-1, "log")
    assert_allclose(axis.values(np.array([0, 0.25, 0.5, 1])), [1e-5, 1e-4, 1e-3, 1e-1], rtol=1e-14)


def test_axes_fixed_values_and_defaults():
    points = plane(fix={"C_Ve": 2e-4, "C_nue": -1e-6}).points(U)
    assert_allclose(points.parameters["m_Zp"], 5 + 45 * U[:, 0])
    assert_allclose(points.parameters["C_Ae"], 5e-5 * 20 ** U[:, 1])
    assert_array_equal(points.couplings.C_Ve, 2e-4)
    assert_array_equal(points.couplings.C_nue, -1e-6)
    assert_array_equal(points.couplings.C_Vmu, 0)
    assert_array_equal(points.couplings.m_Zp, points.parameters["m_Zp"])
    assert points.solved.all()


def test_some_of_the_points():
    points = plane(solve=solve("C_Ve", A_E)).points(U)
    some = points.take(np.array([7, 3]))
    assert_array_equal(some.couplings.C_Ve, points.couplings.C_Ve[[7, 3]])
    assert_array_equal(some.parameters["C_Ae"], points.parameters["C_Ae"][[7, 3]])
    assert_array_equal(some.solved, points.solved[[7, 3]])


@pytest.mark.parametrize(
    ("search", "y"),
    [
        (solve("C_Ve", A_E), C_AE),
        (solve("C_Ve", A_E, sign="negative"), C_AE),
        (solve("C_Ae", A_E), {"parameter": "C_nue", "lower": -5e-5, "upper": 5e-5}),
        (solve("C_Ae", 9.9e-9, "paper_moller"), C_AE | {"parameter": "C_Ve"}),
        (solve("C_Amu", 2.51e-9, "delta_a_mu"), C_AE | {"parameter": "C_Vmu", "upper": 0.1}),
        (solve("C_nue", 1.1, "paper_texono"), C_AE),
        (solve("C_nue", 1.3, "paper_borexino", sign="negative"), C_AE),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_solved_parameters_satisfy_their_observable(search: dict, y: dict):
    points = plane(solve=search, y=y).points(U)
    [(name, spec)] = search.items()
    predicted = find_observable(spec["observable"]).function(points.couplings)
    assert points.solved.sum() > 50
    assert_allclose(predicted[points.solved], spec["value"], rtol=1e-8)
    sign = -1 if spec.get("sign") == "negative" else 1
    assert (sign * points.parameters[name] >= 0).all()


def test_two_solved_parameters():
    y = {"parameter": "C_nue", "lower": -5e-5, "upper": 5e-5}
    search = solve("C_Ae", A_E) | solve("C_Amu", -1e-9, "delta_a_mu")
    points = plane(solve=search, y=y).points(U)
    assert points.solved.all()
    assert_allclose(find_observable("delta_a_e").function(points.couplings), A_E, rtol=1e-8)
    assert_allclose(find_observable("delta_a_mu").function(points.couplings), -1e-9, rtol=1e-8)


@pytest.mark.parametrize("sign", ["positive", "negative"])
def test_solved_vector_coupling_and_where_there_is_none(sign: str):
    points = plane(solve=solve("C_Ve", A_E, sign=sign)).points(U)
    vector, axial = np.array([loop(m) for m in points.parameters["m_Zp"]]).T
    square = (A_E + axial * points.parameters["C_Ae"] ** 2) / vector
    assert_array_equal(points.solved, square >= 0)
    expected = np.sqrt(square[points.solved]) * (1 if sign == "positive" else -1)
    assert_allclose(points.parameters["C_Ve"][points.solved], expected, rtol=1e-6)
    assert_array_equal(points.parameters["C_Ve"][~points.solved], 0)


def test_solved_axial_coupling_of_a_heavy_boson():
    """The solution is C_A^2 = -12 pi^2 (m_Zp/m_e)^2 delta_a_e / 5 up to terms in (m_e/m_Zp)^2."""
    heavy = {"parameter": "m_Zp", "lower": 1e3, "upper": 5e3}
    y = {"parameter": "C_nue", "lower": -5e-5, "upper": 5e-5}
    points = plane(x=heavy, y=y, solve=solve("C_Ae", A_E)).points(U)
    expected = np.sqrt(-12 * np.pi**2 * A_E / 5) * points.parameters["m_Zp"] / ELECTRON_MASS
    assert_allclose(points.parameters["C_Ae"], expected, rtol=1e-5)


def test_solved_vector_coupling_of_a_light_boson():
    """The solution has delta_a_e = C_V^2/(8 pi^2) up to terms in m_Zp/m_e."""
    light = {"parameter": "m_Zp", "lower": 1e-4, "upper": 2e-4}
    y = {"parameter": "C_nue", "lower": -5e-5, "upper": 5e-5}
    points = plane(x=light, y=y, solve=solve("C_Ve", 1e-12)).points(U)
    assert_allclose(points.parameters["C_Ve"], np.sqrt(8e-12) * np.pi, rtol=1e-3)


def test_the_nearest_value_where_the_right_one_is_out_of_reach():
    exact = plane(solve=solve("C_Ve", A_E)).points(U)
    nearest = plane(solve=solve("C_Ve", A_E, nearest=True)).points(U)
    assert 50 < exact.solved.sum() < 250
    assert nearest.solved.all()
    assert_array_equal(nearest.couplings.C_Ve, exact.couplings.C_Ve)
    assert_array_equal(nearest.couplings.C_Ve[~exact.solved], 0)


def test_what_no_coupling_reaches():
    points = plane(solve=solve("C_Ve", 10.0)).points(U)
    assert not points.solved.any()
    assert_array_equal(points.parameters["C_Ve"], 1)


BROKEN = """\
import numpy as np

def mine(m_Zp, g):
    return {"C_Ae": g, "C_Ve": np.where(m_Zp > 49.9, np.nan, g)}
"""
PART = """\
import numpy as np
from zpfit.models.base import Model, Parameter
from zpfit.models.effective import MASS
from zpfit.physics.couplings import COUPLING_NAMES, Couplings


class Mine(Model):
    name = "mine"
    parameters = (MASS, Parameter("g", "g", "", (-1.0, 1.0)))

    def couplings(self, values):
        columns = dict.fromkeys(COUPLING_NAMES, 0 * values["g"])
        with np.errstate(invalid="ignore"):
            columns["C_Ve"] = np.sqrt(values["g"])
        return Couplings(**(columns | {"m_Zp": values["m_Zp"]}))

    def conditions(self, values):
        return {"positive": 1 - values["g"]}
"""


def test_not_a_number_from_a_users_model(workspace: Path):
    Path("mine.py").write_text(BROKEN, encoding="utf-8")
    broken = plane(model={"python": "mine.py:mine"}, y=C_AE | {"parameter": "g"})
    with pytest.raises(UndefinedValue, match=r"coupling C_Ve of model 'mine'.*m_Zp = 49\.9"):
        broken.points(np.array([[0.3, 0.3], [0.999, 0.5]]))


def test_not_a_number_where_a_model_does_not_exist(workspace: Path):
    Path("mine.py").write_text(PART, encoding="utf-8")
    y = {"parameter": "g", "lower": -1e-3, "upper": 1e-3}
    part = plane(model={"python": "mine.py:Mine"}, y=y)
    assert part.conditions() == ["positive"]
    points = part.points(U)
    exists = points.conditions["positive"] <= 1
    assert_array_equal(exists, points.parameters["g"] >= 0)
    assert_array_equal(np.isnan(points.couplings.C_Ve), ~exists)
    assert COUPLING_NAMES[0] not in part.conditions()


def test_a_value_reached_only_in_a_dip_is_found():
    """For negative C_nue TEXONO falls and rises again, so that Eq. (13) has two roots."""
    solve = {"C_nue": {"observable": "paper_texono", "value": 0.9, "sign": "negative"}}
    points = plane(solve=solve).points(U)
    assert points.solved.all()
    assert_allclose(find_observable("paper_texono").function(points.couplings), 0.9, rtol=1e-8)
    x = points.parameters["C_nue"] * points.parameters["C_Ae"] / points.parameters["m_Zp"] ** 2
    nearer = (-1.39 + np.sqrt(1.39**2 - 0.4 * 1.64)) / (2 * 1.64)
    assert_allclose(1e11 * x, nearer, rtol=1e-8)
