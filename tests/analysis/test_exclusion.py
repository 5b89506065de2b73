"""Exclusion maps against boundaries that are known in closed form."""

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import shapely
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from numpy.testing import assert_allclose
from paper_by_hand import excesses, least, moments
from scipy.optimize import brentq

from zpfit.analysis.exclusion.exclusion import (
    ExclusionMap,
    NamedRegion,
    exclusion_map,
    exclusion_maps,
)
from zpfit.analysis.exclusion.feasible import Solutions
from zpfit.analysis.exclusion.record import exclusion_record
from zpfit.analysis.exclusion.slice import Slice, resolve_slice
from zpfit.analysis.exclusion.tracing import SQUARE, inner_lines
from zpfit.io.library import Library
from zpfit.io.places import packaged_data
from zpfit.io.yaml import dump_yaml, parse_yaml, read_yaml
from zpfit.physics.constants import ELECTRIC_CHARGE, ELECTRON_MASS, FERMI_CONSTANT, MUON_MASS
from zpfit.physics.magnetic_moment import loop_integrals
from zpfit.plots.exclusion import colours_of, exclusion_figure
from zpfit.plots.labels import in_lines, text_width
from zpfit.plots.style import house_style
from zpfit.runs.records import EXCLUSION_FILES

Command = Callable[..., str]

MASS = {"parameter": "m_Zp", "lower": 5, "upper": 50}
C_AE = {"parameter": "C_Ae", "lower": 5e-5, "upper": 1e-3, "scale": "log"}
C_VE = C_AE | {"parameter": "C_Ve"}
C_NUE = {"parameter": "C_nue", "lower": -5e-5, "upper": 5e-5}
A_E = -1.23e-12
BELOW = {"C_Ve": {"observable": "delta_a_e", "value": A_E}}
CLOSE = 5e-4
"""Of coordinates on boundaries, ten times better than 0.5 %."""


@dataclass(frozen=True)
class Drawn:
    """A slice and its map."""

    chosen: Slice
    traced: ExclusionMap

    def region(self, name: str) -> NamedRegion:
        [found] = [region for region in self.traced.regions if region.name == name]
        return found

    def edge(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """x and y on the boundary, at corners and halfway between them."""
        lines = inner_lines(self.region(name).region)
        halfway = [(line[1:] + line[:-1]) / 2 for line in lines]
        u = np.concatenate([*lines, *halfway])
        plane = self.chosen.plane
        return plane.x.values(u[:, 0]), plane.y.values(u[:, 1])

    def record(self) -> dict:
        return exclusion_record(self.chosen, self.traced)


def resolved(*entries: str, **settings) -> Slice:
    defaults = {"likelihood": {"add": list(entries)}, "x": MASS, "y": C_AE}
    document = parse_yaml(dump_yaml(defaults | settings), Path("mine.yaml"))
    return resolve_slice(document, Library.beside())


def drawn(*entries: str, **settings) -> Drawn:
    chosen = resolved(*entries, **settings)
    return Drawn(chosen, exclusion_map(chosen))


@cache
def packaged(name: str) -> Drawn:
    path = packaged_data() / "slices" / f"{name}.yaml"
    chosen = resolve_slice(read_yaml(path), Library.beside())
    return Drawn(chosen, exclusion_map(chosen))


@pytest.fixture(scope="module")
def fig2a() -> Drawn:
    return packaged("paper_fig2a")


@pytest.fixture(scope="module")
def fig2c() -> Drawn:
    return packaged("paper_fig2c")


def curve(entry: str) -> np.ndarray:
    """Columns of a published curve: mass in MeV, and the electron coupling at its edges."""
    text = (packaged_data() / "likelihoods" / "entries" / f"{entry}.csv").read_text("utf-8")
    rows = [line for line in text.splitlines() if not line.startswith("#")][1:]
    table = np.array([row.split(",") for row in rows], dtype=float).T
    table[1:] *= ELECTRIC_CHARGE
    return table


def limit(entry: str, m: np.ndarray, column: int = 1) -> np.ndarray:
    """The electron coupling at a published edge."""
    table = curve(entry)
    return np.exp(np.interp(np.log(m), np.log(table[0]), np.log(table[column])))


def loop(m: np.ndarray, lepton_mass: float = ELECTRON_MASS) -> tuple[np.ndarray, np.ndarray]:
    """What multiplies C_V^2 and -C_A^2 in the shift of a magnetic moment."""
    r = (lepton_mass / m) ** 2
    vector, axial = r / (4 * np.pi**2) * loop_integrals(r)
    return vector, axial


def off(values: np.ndarray, *expected: np.ndarray) -> np.ndarray:
    """Relative distance from the nearest of several curves."""
    return np.min([np.abs(values / curve - 1) for curve in expected], axis=0)


# Several slices at once


def test_slices_that_differ_in_data_are_each_traced_as_if_alone():
    common = {"solve": BELOW, "within": {"a_e_cs_2018": 1.001}, "contours": {"C_Ve": [1e-4]}}
    data = [
        ("a_e_cs_2018", "babar_2014_envelope", "borexino_2011"),
        ("a_e_cs_2018", "borexino_2011", "babar_2014", "moller_e158_2005"),
        ("a_e_cs_2018",),
    ]
    variants = [resolved(*entries, **common) for entries in data]
    likelihoods = [chosen.assembled.likelihood for chosen in variants]
    together = map(Drawn, variants, exclusion_maps(variants[0], likelihoods))
    alone = [drawn(*entries, **common).record() for entries in data]
    assert [one.record() for one in together] == alone


def test_a_condition_and_an_entry_of_one_name_are_two_regions():
    chosen = resolved("kloe_2015")

    class Heavy(type(chosen.plane.model)):
        def conditions(self, values):
            return {"kloe_2015": 20 / values["m_Zp"]}

    plane = replace(chosen.plane, model=Heavy())
    found = exclusion_map(replace(chosen, plane=plane))
    first, second, allowed = found.regions
    assert (first.name, first.kind) == ("kloe_2015", "impossible")
    assert (second.name, second.kind) == ("kloe_2015", "excluded")
    assert first.region.bounds == pytest.approx((0, 0, 1 / 3, 1), abs=CLOSE)
    assert second.region.equals(drawn("kloe_2015").region("kloe_2015").region)
    assert allowed.region.intersection(shapely.union(first.region, second.region)).area < 1e-9


@pytest.mark.slow
def test_profiled_slices_that_differ_in_data():
    data = [("kloe_2015",), ("kloe_2015", "borexino_2011")]
    variants = [resolved(*entries, profile=["C_nue"]) for entries in data]
    likelihoods = [chosen.assembled.likelihood for chosen in variants]
    first, second = exclusion_maps(variants[0], likelihoods)
    assert [region.name for region in first.regions] == ["kloe_2015", "all at once", "allowed"]
    assert second.allowed.area < first.allowed.area
    for chosen, found in zip(data, (first, second), strict=True):
        alone = drawn(*chosen, profile=["C_nue"]).traced.allowed
        assert found.allowed.symmetric_difference(alone).area < CLOSE


# Published curves


@pytest.mark.parametrize("entry", ["babar_2014_envelope", "babar_2014", "kloe_2015"])
def test_visible_search(entry: str):
    """C_Ae is at the published limit, or m_Zp where the curve begins."""
    first = curve(entry)[0, 0]
    m, c = drawn(entry).edge(entry)
    assert len(m) > 100
    on_curve = (m >= first) & (off(c, limit(entry, m)) < CLOSE)
    at_end = (np.abs(m / first - 1) < 1e-3) & (c > limit(entry, np.array([first])) * (1 - CLOSE))
    assert (on_curve | at_end).all()
    assert m[on_curve].min() == pytest.approx(max(first, 5), rel=2e-3)
    assert m[on_curve].max() == pytest.approx(50)


def test_the_corners_of_the_published_curve_are_followed():
    """Every node between the ends lies on the traced boundary."""
    m, c, *_ = curve("babar_2014")
    inside = (m > 20.3) & (m < 49.9)
    u = np.stack([(m - 5) / 45, np.log(c / 5e-5) / np.log(20)], axis=1)[inside]
    edge = drawn("babar_2014").region("babar_2014").region.boundary
    assert inside.sum() > 30
    assert shapely.distance(shapely.points(u), edge).max() < 3e-4


@pytest.mark.parametrize("entry", ["babar_2014_envelope", "kloe_2015"])
def test_visible_search_with_a_solved_coupling(fig2a: Drawn, entry: str):
    """C_Ve^2 + C_Ae^2 is at the limit and C_Ve follows from delta_a_e."""
    first = curve(entry)[0, 0]
    m, c = fig2a.edge(entry)
    vector, axial = loop(m)
    at_limit = np.sqrt((limit(entry, m) ** 2 - A_E / vector) / (1 + axial / vector))
    out_of_reach = np.sqrt(-A_E / axial)
    on_curve = (m >= first) & (off(c, at_limit, out_of_reach) < CLOSE)
    assert (on_curve | (np.abs(m / first - 1) < CLOSE)).all()
    assert (off(c, at_limit) < CLOSE).sum() > 100


def test_no_solution(fig2a: Drawn):
    """C_Ve has no solution where C_Ae alone does not lower a_e enough."""
    m, c = fig2a.edge("C_Ve")
    assert fig2a.region("C_Ve").kind == "unreachable"
    assert_allclose(c, np.sqrt(-A_E / loop(m)[1]), rtol=1e-4)
    assert m.min() == pytest.approx(5, rel=1e-3)
    assert m.max() == pytest.approx(50, rel=1e-3)


DUMP = {"parameter": "m_Zp", "lower": 1.31, "upper": 20, "scale": "log"}


def test_beam_dump_for_a_vector_coupling():
    """A dark photon is excluded between the published edges."""
    y = C_VE | {"lower": 1e-5, "upper": 1e-2}
    m, c = drawn("na64_2020", x=DUMP, y=y).edge("na64_2020")
    edges = [limit("na64_2020", m, column) for column in (1, 2)]
    assert off(c, *edges).max() < CLOSE
    assert all((off(c, edge) < CLOSE).sum() > 100 for edge in edges)


def test_beam_dump_for_the_kinetic_mixing():
    y = {"parameter": "eps", "lower": 3e-5, "upper": 3e-2, "scale": "log"}
    m, eps = drawn("na64_2020", model="dark_photon", x=DUMP, y=y).edge("na64_2020")
    edges = [limit("na64_2020", m, column) / ELECTRIC_CHARGE for column in (1, 2)]
    assert off(eps, *edges).max() < CLOSE


def test_beam_dump_for_an_axial_coupling():
    """As many decays as at the edge of the dark photon's region, with another lifetime."""
    ratio = 4.0

    def log_decays(log_square, log_tau):
        tau = np.exp(log_tau)
        return log_square - tau + np.log(-np.expm1(-ratio * tau))

    def axial_edges(m):
        lower, upper = (2 * np.log(limit("na64_2020", m, column)) for column in (1, 2))

        def difference(at_lower):
            at_upper = at_lower + upper - lower
            return log_decays(lower, at_lower) - log_decays(upper, at_upper)

        log_tau = brentq(difference, -20, 1, xtol=1e-12)
        x = (ELECTRON_MASS / m) ** 2
        slower = np.log((1 - 4 * x) / (1 + 2 * x))

        def excess(square):
            tau = log_tau + slower + square - lower
            return log_decays(square, tau) - log_decays(lower, log_tau)

        middle = (lower + upper) / 2
        reaches = ((lower - 2, middle), (middle, upper + 2))
        return [np.exp(brentq(excess, *reach) / 2) for reach in reaches]

    y = C_AE | {"lower": 1e-5, "upper": 1e-2}
    m, c = drawn("na64_2020", x=DUMP, y=y).edge("na64_2020")
    some = np.linspace(0, len(m) - 1, 60).astype(int)
    expected = np.array([axial_edges(mass) for mass in m[some]]).T
    assert off(c[some], *expected).max() < CLOSE


# Formulas


@pytest.mark.parametrize(
    ("y", "floor"), [(C_AE, 9.8), (C_NUE | {"lower": 1e-8, "scale": "log"}, 8.3)]
)
def test_mass_floor_is_a_vertical_line(y: dict, floor: float):
    m, _ = drawn("bbn_2020", y=y).edge("bbn_2020")
    assert_allclose(m, floor, rtol=1e-5)


def test_parity_violation_in_moller_scattering():
    entry = "moller_e158_2005"
    c_ve, c_ae = drawn(entry, x=C_VE | {"upper": 1e-2}, fix={"m_Zp": 17}).edge(entry)
    assert_allclose(c_ve * c_ae, 1e-8, rtol=1e-4)


def test_moller_scattering_with_a_solved_coupling(fig2a: Drawn):
    m, c = fig2a.edge("moller_e158_2005")
    vector, axial = loop(m)
    linear = A_E / vector  # C_Ae^2 (C_Ae^2 axial/vector + linear) = 1e-16
    ratio = axial / vector
    square = (-linear + np.sqrt(linear**2 + 4e-16 * ratio)) / (2 * ratio)
    assert off(c, np.sqrt(square), np.sqrt(-A_E / axial)).max() < CLOSE


def test_white_dwarfs():
    entry = "white_dwarf_2013"
    y = C_NUE | {"lower": 1e-8, "scale": "log"}
    m, c = drawn(entry, y=y, fix={"C_Ve": 3e-4, "C_Ae": -4e-4}).edge(entry)
    assert_allclose(c, FERMI_CONSTANT * m**2 / 5e-4, rtol=3e-4)


def borexino_edges(m: np.ndarray) -> list[np.ndarray]:
    """C_nue at which the rate of Eq. (14) is 10 % off, with C_Ae alone from delta_a_e."""
    c_ae = np.sqrt(-A_E / loop(m)[1])
    roots = [np.roots([2.76e21, -8.27e10, -side]) for side in (-0.1, 0.1)]
    return [z * m**2 / c_ae for pair in roots for z in pair]


def test_borexino_is_a_quadratic_in_the_neutrino_coupling(fig2c: Drawn):
    m, c = fig2c.edge("borexino_2011")
    edges = borexino_edges(m)
    assert off(c, *edges).max() < CLOSE
    assert all((off(c, edge) < CLOSE).sum() > 20 for edge in edges)
    assert fig2c.region("borexino_2011").sigma == 1


def test_solved_axial_coupling_meets_kloe_at_one_mass(fig2c: Drawn):
    """Neutrinos take a share of the decays, so the line bends with C_nue."""
    m, c_nue = fig2c.edge("babar_2014_envelope")
    c_ae = np.sqrt(-A_E / loop(m)[1])
    x = (ELECTRON_MASS / m) ** 2
    electrons = np.sqrt(1 - 4 * x) * (1 - 4 * x) * c_ae**2
    visible = c_ae * np.sqrt(electrons / (electrons + c_nue**2 / 2))
    at_start = np.abs(m / 20 - 1) < CLOSE
    assert_allclose(visible[~at_start], limit("babar_2014_envelope", m[~at_start]), rtol=1e-3)


@pytest.mark.parametrize("key", ["within", "bands"])
def test_magnetic_moment_within_one_standard_error(key: str):
    y = {"parameter": "C_Vmu", "lower": 1e-4, "upper": 1e-2, "scale": "log"}
    muon = drawn("a_mu_2021", y=y, **{key: {"a_mu_2021": 1}})
    m, c = muon.edge("a_mu_2021")
    edges = [np.sqrt(value / loop(m, MUON_MASS)[0]) for value in (1.92e-9, 3.10e-9)]
    assert off(c, *edges).max() < 1e-4
    region = muon.region("a_mu_2021")
    assert (region.kind, region.sigma) == ("band" if key == "bands" else "excluded", 1)
    inside = region.region if key == "bands" else SQUARE.difference(region.region)
    assert inside.symmetric_difference(muon.traced.allowed).area < 1e-9
    height = np.log(np.sqrt(3.10 / 1.92)) / np.log(100)
    assert inside.area == pytest.approx(height, rel=1e-3)


def test_measurements_exclude_beyond_two_standard_errors_unless_told_otherwise():
    y = {"parameter": "C_Vmu", "lower": 1e-4, "upper": 1e-2, "scale": "log"}
    for sigma, settings in ((2, {}), (0.5, {"sigma": 0.5}), (3, {"within": {"a_mu_2021": 3}})):
        muon = drawn("a_mu_2021", y=y, **settings)
        assert muon.region("a_mu_2021").sigma == sigma
        m, c = muon.edge("a_mu_2021")
        sides = [2.51e-9 + side * sigma * 5.9e-10 for side in (-1, 1)]
        edges = [np.sqrt(value / loop(m, MUON_MASS)[0]) for value in sides]
        assert off(c, *edges).max() < 2e-4


def test_soft_exclusions_are_drawn_like_hard_ones():
    hard, soft = (
        drawn(likelihood={"add": ["kloe_2015"], form: ["kloe_2015"]}) for form in ("hard", "soft")
    )
    assert hard.region("kloe_2015").region.equals(soft.region("kloe_2015").region)


def test_conditions_of_a_model():
    """Two doublets make the boson at least g' v/2 heavy at charges 1 and 0 and equal vevs."""
    charges = {"z_1": 1, "z_2": 0, "tan_beta": 1, "z_Le": 0, "z_Lmu": 0}
    y = {"parameter": "g_prime", "lower": 1e-5, "upper": 1e-3, "scale": "log"}
    nhdm = drawn("bbn_2020", model="nhdm_u1", y=y, fix=charges)
    [impossible] = [r for r in nhdm.traced.regions if r.kind == "impossible"]
    m, g = nhdm.edge(impossible.name)
    vev = (np.sqrt(2) * FERMI_CONSTANT) ** -0.5
    assert_allclose(m, g * vev / 2, rtol=2e-4)
    assert nhdm.traced.allowed.intersection(impossible.region).area < 1e-9


ROOT = """\
import numpy as np
from zpfit.models.base import Model, Parameter
from zpfit.models.effective import MASS
from zpfit.physics.couplings import COUPLING_NAMES, Couplings


class Mine(Model):
    name = "mine"
    parameters = (MASS, Parameter("g", "g", "", (-1.0, 1.0)))

    def couplings(self, values):
        columns = dict.fromkeys(COUPLING_NAMES, 0 * values["g"]) | {"m_Zp": values["m_Zp"]}
        return Couplings(**(columns | {"C_Ve": 1e-3 * np.sqrt(values["g"])}))

    def conditions(self, values):
        return {"positive": 1 - values["g"]}
"""


def test_a_model_that_is_not_a_number_where_it_does_not_exist(workspace: Path):
    Path("mine.py").write_text(ROOT, encoding="utf-8")
    y = {"parameter": "g", "lower": -1, "upper": 1}
    model = {"python": "mine.py:Mine"}
    mine = drawn("kloe_2015", "a_mu_2021", model=model, y=y, contours={"C_Ve": [5e-4]})
    _, g = mine.edge("positive")
    assert_allclose(g, 0, atol=1e-5)
    m, g = mine.edge("kloe_2015")
    assert_allclose(g, (limit("kloe_2015", m) / 1e-3) ** 2, rtol=1e-3)
    [line] = mine.traced.contours[0].lines
    assert_allclose(mine.chosen.plane.y.values(line[:, 1]), 0.25, rtol=1e-4)


# Contours


def test_contours_of_a_solved_parameter():
    y = {"parameter": "C_Vmu", "lower": 4e-4, "upper": 0.1, "scale": "log"}
    levels = [3e-5, 1e-3, 5.0]
    solved = drawn(
        "a_mu_2021",
        y=y,
        solve={"C_Amu": {"observable": "delta_a_mu", "value": 2.51e-9}},
        contours={"C_Amu": levels},
    )
    assert [contour.level for contour in solved.traced.contours] == levels
    plane = solved.chosen.plane
    for contour in solved.traced.contours[:2]:
        [line] = contour.lines
        vector, axial = loop(plane.x.values(line[:, 0]), MUON_MASS)
        expected = np.sqrt((2.51e-9 + contour.level**2 * axial) / vector)
        assert_allclose(plane.y.values(line[:, 1]), expected, rtol=1e-4)
    assert solved.traced.contours[2].lines == ()


def test_contours_of_a_coupling_and_of_the_axes():
    contours = {"C_Ae": [2e-4], "m_Zp": [17.0], "C_Ve": [1e-3]}
    levels = {c.name: c for c in drawn("kloe_2015", contours=contours).traced.contours}
    [horizontal], [vertical] = levels["C_Ae"].lines, levels["m_Zp"].lines
    assert_allclose(horizontal[:, 1], np.log(4) / np.log(20), atol=1e-5)
    assert_allclose(vertical[:, 0], 12 / 45, atol=1e-5)
    assert levels["C_Ve"].lines == ()


# What is left


SLICES = [f"paper_{name}" for name in ("fig2a", "fig3a", "fig3c", "fig4")]


@pytest.mark.parametrize("name", SLICES)
def test_allowed_is_what_no_term_forbids(name: str):
    check_allowed(packaged(name))


def test_allowed_with_the_published_curve_of_babar():
    likelihood = {
        "set": "paper_2021_cs",
        "drop": ["a_mu_2021", "babar_2014_envelope"],
        "add": ["babar_2014"],
    }
    check_allowed(drawn(likelihood=likelihood, solve=BELOW, sigma=1.001))


def check_allowed(figure: Drawn) -> None:
    """At random points, half of them around what is allowed."""
    rng = np.random.default_rng(0)
    allowed = figure.traced.allowed
    u = rng.random((4000, 2))
    if not allowed.is_empty:
        left, bottom, right, top = allowed.bounds
        near = rng.uniform((left, bottom), (right, top), (4000, 2))
        u = np.concatenate([u, near])
    points = figure.chosen.plane.points(u)
    likelihood = figure.chosen.assembled.likelihood
    expected = points.solved.copy()
    excluded = {}
    for name, ratio in likelihood.ratios(points.couplings).items():
        excluded[name] = ratio > 1
    for term in likelihood.measurements:
        excluded[term.name] = np.abs(term.pull(points.couplings)) > figure.chosen.sigma(term.name)
    for name, outside in excluded.items():
        expected &= ~outside
        region = figure.region(name)
        forbidden = outside if region.kind == "excluded" else ~outside
        compare(u, region.region, forbidden & points.solved)
    compare(u, allowed, expected)


def compare(u: np.ndarray, region: shapely.MultiPolygon, expected: np.ndarray) -> None:
    """The points inside a region are those that are expected, up to a hair of its boundary."""
    at = shapely.points(u)
    inside = shapely.contains(region, at)
    wrong = inside != expected
    if region.is_empty:
        assert not wrong.any()
        return
    assert (shapely.distance(at[wrong], region.boundary) < 1e-4).all()
    assert wrong.mean() < 0.01


def test_nothing_and_everything_allowed():
    heavy = MASS | {"lower": 12}
    all_of_it = drawn("bbn_2020", x=heavy)
    assert all_of_it.traced.allowed.equals(SQUARE)
    assert all_of_it.region("bbn_2020").region.is_empty
    nothing = drawn("bbn_2020", x=MASS | {"upper": 9})
    assert nothing.traced.allowed.is_empty
    assert nothing.region("bbn_2020").region.equals(SQUARE)


# Profiles


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Profiles from few starts and a coarse mesh, which leaves boundaries where they are."""
    monkeypatch.setattr("zpfit.analysis.exclusion.exclusion._PROFILE_MESH", 12)
    few = partial(Solutions, starts=4)
    monkeypatch.setattr("zpfit.analysis.exclusion.exclusion.Solutions", few)
    monkeypatch.setattr("zpfit.analysis.exclusion.tracing._MAX_DIVISIONS", 2)


@pytest.mark.usefixtures("coarse")
def test_profile_over_a_coupling_that_undoes_an_exclusion():
    """A Z' that decays to neutrinos is not seen."""
    profiled = drawn("kloe_2015", profile=["C_nue"])
    assert profiled.region("kloe_2015").region.is_empty
    assert profiled.traced.allowed.equals(SQUARE)


@pytest.mark.usefixtures("coarse")
def test_profile_over_a_coupling_that_does_not_matter_is_the_slice():
    profiled = drawn("kloe_2015", profile=["C_Vmu"])
    expected = drawn("kloe_2015").region("kloe_2015").region
    assert profiled.region("kloe_2015").region.symmetric_difference(expected).area < 1e-4


@pytest.mark.usefixtures("coarse")
def test_profile_over_the_vector_coupling():
    """C_Ve raises a_e where C_Ae lowers it too much, as far as KLOE lets it."""
    heavy = MASS | {"lower": 25}
    profiled = drawn("a_e_cs_2018", "kloe_2015", x=heavy, profile=["C_Ve"])
    low, high = (-8.7e-13 + side * 2 * 3.6e-13 for side in (-1, 1))

    m, c = profiled.edge("a_e_cs_2018")
    assert_allclose(c, np.sqrt(-high / loop(m)[1]), rtol=1e-3)

    m, c = profiled.edge("kloe_2015")
    assert_allclose(c, limit("kloe_2015", m), rtol=1e-3)

    m, c = profiled.edge("allowed")
    vector, axial = loop(m)
    weakest = np.sqrt(-high / axial)
    kloe = limit("kloe_2015", m)
    together = np.sqrt((kloe**2 - low / vector) / (1 + axial / vector))
    strongest = np.minimum(together, kloe)
    assert off(c, weakest, strongest).max() < 2e-3
    assert (off(c, strongest) < 2e-3).sum() > 20

    joint = profiled.region("all at once")
    assert joint.kind == "joint"
    m = np.linspace(26, 49, 30)
    vector, axial = loop(m)
    kloe = limit("kloe_2015", m)
    strongest = np.sqrt((kloe**2 - low / vector) / (1 + axial / vector))
    weakest = np.sqrt(-high / axial)
    between = np.maximum(strongest, weakest) < 0.98 * kloe  # each is met, but not both
    assert between.sum() > 10
    for c, expected in ((np.sqrt(strongest * kloe), True), (1.02 * kloe, False)):
        u = np.stack([(m - 25) / 25, np.log(c / 5e-5) / np.log(20)], axis=1)[between]
        assert (shapely.contains(joint.region, shapely.points(u)) == expected).all()


def test_without_profile_there_is_no_joint_exclusion(fig2a: Drawn):
    assert "joint" not in {region.kind for region in fig2a.traced.regions}


def beyond_two_sigma(m, ae, ve, nue) -> list[np.ndarray]:
    """What is beyond each demand of the paper's data but a_mu; above zero is forbidden."""
    low, high = (-8.7e-13 + side * 2 * 3.6e-13 for side in (-1, 1))
    zero = 0 * ae
    found = excesses("envelope", zero + m, ve, ae, nue, zero, zero, zero)
    *exact, texono, borexino, charm, charm_bar, ccfr = found
    e, _ = moments(zero + m, ve, ae, zero, zero)
    # Borexino and CHARM-II count from one standard error there, from two here.
    within_two = [texono, borexino - 1, charm - 1, charm_bar - 1, ccfr]
    return [*exact, *within_two, (low - e) / 1e-13, (e - high) / 1e-13]


def least_axial(m: float) -> tuple[float, float, float]:
    """The least C_Ae that meets these data at a mass, and C_Ve and C_nue with which it does."""

    def scaled(ae, ve, nue):
        return ae * 1e-4, ve * 1e-4, nue * 1e-5

    box = [(0.6, 1.2), (-1.2, 1.2), (-5, 5)]
    _, x = least(lambda ae, ve, nue: ae, lambda *x: beyond_two_sigma(m, *scaled(*x)), box)
    return scaled(*x)


@pytest.mark.slow
def test_profile_that_ends_where_what_is_allowed_shrinks_to_a_corner():
    """Several limits meet there: descents from a few random starts miss what is left."""
    profiled = drawn(
        likelihood={"set": "paper_2021_cs", "drop": ["a_mu_2021"]},
        x=MASS | {"lower": 18, "upper": 28},
        y=C_AE | {"lower": 7e-5, "upper": 2e-4},
        profile=["C_Ve", "C_nue"],
    )
    plane, allowed = profiled.chosen.plane, profiled.traced.allowed
    for m in (21.0, 22.5, 23.7):
        least_ae, ve, nue = least_axial(m)
        assert all(excess <= 0 for excess in beyond_two_sigma(m, np.array(least_ae), ve, nue))
        x = (m - plane.x.lower) / (plane.x.upper - plane.x.lower)
        column = shapely.LineString([(x, 0), (x, 1)]).intersection(allowed)
        found = plane.y.values(np.array(column.bounds[1]))
        assert found == pytest.approx(least_ae, rel=5e-3)


# The record, the table and the files


def test_record(fig2a: Drawn):
    record = fig2a.record()
    assert record["likelihood"] == "paper_2021_cs -a_mu_2021"
    assert (record["x"]["scale"], record["y"]["scale"]) == ("linear", "log")
    assert record["solved"] == [{"name": "C_Ve", "observable": "delta_a_e", "value": A_E}]
    assert record["fixed"]["C_nue"] == 0
    assert {"m_Zp", "C_Ae", "C_Ve"}.isdisjoint(record["fixed"])
    kinds = {region["name"]: region["kind"] for region in record["regions"]}
    assert kinds["C_Ve"] == "unreachable"
    assert kinds["kloe_2015"] == "excluded"
    assert list(kinds)[-1] == "allowed"
    labels = {region["name"]: region["label"] for region in record["regions"]}
    assert labels["na64_2020"] == "NA64"
    assert labels["C_Ve"] == r"$\Delta a_e$ out of reach"
    for region, traced in zip(record["regions"], fig2a.traced.regions, strict=True):
        assert region["share"] == pytest.approx(traced.region.area, abs=1e-6)
        assert len(region["polygons"]) == len(traced.region.geoms)
        for rings in region["polygons"]:
            for ring in rings:
                assert ring[0] == ring[-1]
                x, y = np.array(ring).T
                assert ((x >= 5) & (x <= 50)).all()
                assert ((y >= 5e-5) & (y <= 1e-3)).all()
    left, _, right, _ = fig2a.traced.allowed.bounds
    assert_allclose(record["allowed"]["x"], [5 + 45 * left, 5 + 45 * right], rtol=1e-6)


def test_record_of_nothing_allowed():
    assert drawn("bbn_2020", x=MASS | {"upper": 9}).record()["allowed"] is None


SMALL = ("--x", "m_Zp=5:50", "--y", "C_Ae=5e-5:1e-3:log", "--set")
KLOE = (*SMALL, "likelihood.add=[kloe_2015]")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a map with every kind of region and a contour."""
    from zpfit.runs.records import write_exclusion

    figure = drawn(
        "kloe_2015",
        "babar_2014",
        "a_e_cs_2018",
        "borexino_2011",
        solve=BELOW,
        fix={"C_nue": 1e-5},
        bands={"borexino_2011": 1},
        contours={"C_Ve": [3e-4]},
    )
    folder = tmp_path_factory.mktemp("kept")
    write_exclusion(figure.record(), folder / "map")
    assert json.loads((folder / "map" / "exclusion.json").read_text("utf-8")) == figure.record()
    return folder / "map"


def test_files(kept: Path):
    assert sorted(path.name for path in kept.iterdir()) == sorted(EXCLUSION_FILES)
    assert (kept / "exclusion.png").read_bytes().startswith(b"\x89PNG")
    assert (kept / "exclusion.pdf").read_bytes().startswith(b"%PDF")


def test_table_agrees_with_the_record(kept: Path):
    record = json.loads((kept / "exclusion.json").read_text("utf-8"))
    with (kept / "exclusion.csv").open(encoding="utf-8") as file:
        assert file.readline().startswith("# mine; model effective, likelihood entries +kloe")
        rows = list(csv.DictReader(file))
    assert set(rows[0]) == {"kind", "name", "piece", "ring", "m_Zp", "C_Ae"}
    corners: dict[tuple[str, ...], list[list[float]]] = {}
    for row in rows:
        key = (row["kind"], row["name"], row["piece"], row["ring"])
        corners.setdefault(key, []).append([float(row["m_Zp"]), float(row["C_Ae"])])
    expected = {
        (region["kind"], region["name"], str(piece), str(ring)): points
        for region in record["regions"]
        for piece, rings in enumerate(region["polygons"])
        for ring, points in enumerate(rings)
    }
    expected |= {
        ("contour", f"{contour['name']}={contour['level']:g}", str(piece), "0"): line
        for contour in record["contours"]
        for piece, line in enumerate(contour["lines"])
    }
    assert corners == expected
    assert {key[0] for key in corners} >= {"excluded", "band", "unreachable", "allowed", "contour"}


def test_command(accepted: Command, workspace: Path):
    text = accepted("exclusion", *KLOE, "--output", "map")
    assert "kloe_2015" in text
    assert "Allowed: 8" in text
    assert all(str(Path("map") / name) in text for name in EXCLUSION_FILES)
    assert sorted(path.name for path in Path("map").iterdir()) == sorted(EXCLUSION_FILES)


def test_runs_are_identical(accepted: Command, workspace: Path):
    for folder in ("first", "second"):
        accepted("exclusion", *KLOE, "--output", folder)
    for name in EXCLUSION_FILES:
        assert (workspace / "first" / name).read_bytes() == (
            workspace / "second" / name
        ).read_bytes(), name


def test_json_on_standard_output(accepted: Command, workspace: Path):
    printed = json.loads(accepted("exclusion", *KLOE, "--json"))
    assert not list(workspace.iterdir())
    again = json.loads(accepted("exclusion", *KLOE, "--json", "--output", "map"))
    kept = json.loads((workspace / "map" / "exclusion.json").read_text("utf-8"))
    assert printed == again == kept


def test_options_do_what_the_file_does(accepted: Command, workspace: Path):
    options = (
        "--x", "m_Zp=5:50", "--y", "C_Ae=5e-5:1e-3:log", "--likelihood", "paper_2021_cs",
        "--set", "likelihood.drop=[a_mu_2021]", "--solve", "C_Ve:delta_a_e=-1.23e-12",
        "--within", "a_e_cs_2018=1.001", "--within", "borexino_2011=1",
        "--within", "charm2_nu_1993=1", "--within", "charm2_nubar_1993=1",
    )  # fmt: skip
    by_options = json.loads(accepted("exclusion", *options, "--json"))
    by_file = json.loads(accepted("exclusion", "paper_fig2a", "--json"))
    for key in ("regions", "allowed", "solved", "fixed", "x", "y"):
        assert by_options[key] == by_file[key]


def test_options_change_a_file(accepted: Command):
    changes = ("--x", "m_Zp=10:20", "--set", "likelihood={add: [kloe_2015]}", "--set", "within={}")
    record = json.loads(accepted("exclusion", "paper_fig2a", *changes, "--json"))
    assert record["x"]["lower"] == 10
    assert [r["name"] for r in record["regions"]] == ["kloe_2015", "C_Ve", "allowed"]


def test_data_beside_a_slice_file_come_first(accepted: Command, workspace: Path):
    entries = packaged_data() / "likelihoods" / "entries"
    folder = workspace / "mine" / "likelihoods" / "entries"
    folder.mkdir(parents=True)
    text = (entries / "bbn_2020.yaml").read_text("utf-8").replace("9.8", "20")
    (folder / "bbn_2020.yaml").write_text(text, encoding="utf-8")
    settings = {"likelihood": {"add": ["bbn_2020"]}, "x": MASS, "y": C_AE}
    (workspace / "mine" / "map.yaml").write_text(dump_yaml(settings), encoding="utf-8")
    record = json.loads(accepted("exclusion", "mine/map.yaml", "--json"))
    assert record["allowed"]["x"] == pytest.approx([20, 50], rel=1e-5)
    assert record["title"] == "map"


def test_every_packaged_slice_is_valid():
    names = Library.beside().names("slice")
    assert len(names) == 19
    for name in names:
        path = packaged_data() / "slices" / f"{name}.yaml"
        assert resolve_slice(read_yaml(path), Library.beside()).title


# Figures


def shown(record: dict) -> list[str]:
    """Every text of a figure, in which none is cut off and no label lies on another."""
    with house_style():
        figure = exclusion_figure(record)
        renderer = FigureCanvasAgg(figure).get_renderer()
        figure.draw(renderer)
        [axes] = figure.axes
        texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
        width, height = renderer.width, renderer.height
        for text in texts:
            box = text.get_window_extent(renderer)
            ticks = text in axes.get_xticklabels(which="both") + axes.get_yticklabels(which="both")
            if not ticks:  # those beyond the limits have places, but are not drawn
                assert box.x0 >= 0, text
                assert box.x1 <= width, text
                assert box.y0 >= 0, text
                assert box.y1 <= height, text
        frame = axes.get_window_extent(renderer)
        boxes = [text.get_window_extent(renderer) for text in axes.texts]
        for box in boxes:
            assert frame.x0 <= box.x0 < box.x1 <= frame.x1
            assert frame.y0 <= box.y0 < box.y1 <= frame.y1
        for first, second in combinations(boxes, 2):
            assert not first.overlaps(second)
        return [text.get_text() for text in texts]


PAPER = {"set": "paper_2021_cs"}
LIGHT = MASS | {"upper": 9}
LONG = r"A title of somebody who writes whole sentences about $C_{V e} = C_{A e}$ and more"
FIGURES = {
    "nothing allowed": {"likelihood": PAPER, "x": LIGHT, "title": LONG},
    "everything allowed": {"likelihood": {"add": ["bbn_2020"]}, "x": MASS | {"lower": 12}},
    "excluded everywhere": {
        "likelihood": PAPER,
        "x": LIGHT,
        "y": C_AE | {"lower": 1e-2, "upper": 1e-1},
        "fix": dict.fromkeys(("C_Ve", "C_nue", "C_numu"), 1e-2) | {"C_Vmu": 0.1},
    },
    "nothing solved": {
        "likelihood": {"add": ["kloe_2015"]},
        "solve": {"C_Ve": {"observable": "delta_a_e", "value": 10.0}},
    },
    "met everywhere": {"likelihood": {"add": ["ccfr_1991"]}, "bands": {"ccfr_1991": 5}},
    "linear": {
        "likelihood": {"add": ["kloe_2015"]},
        "x": {"parameter": "C_Ve", "lower": -1e-3, "upper": 1e-3},
        "y": {"parameter": "C_Ae", "lower": -1e-3, "upper": 1e-3},
        "fix": {"m_Zp": 17},
    },
    "contours": {"likelihood": {"add": ["kloe_2015"]}, "contours": {"C_Ae": [1e-4, 3.3e-4, 1.0]}},
}
WORDS = {
    "nothing allowed": "nothing is allowed",
    "everything allowed": "allowed",
    "excluded everywhere": "excluded everywhere: BBN, White dwarfs",
    "nothing solved": r"everywhere: $\Delta a_e$ out of reach",
    "met everywhere": "met everywhere: CCFR",
    "linear": "KLOE",
    "contours": r"$3.3\times 10^{-4}$",
}


@pytest.mark.parametrize("name", FIGURES)
def test_figure(name: str):
    texts = shown(drawn(**FIGURES[name]).record())
    assert any(WORDS[name] in text for text in texts)


@pytest.mark.parametrize("name", ["fig2a", "fig3a", "fig3b", "fig3c", "fig4"])
def test_figure_of_the_paper(name: str):
    record = packaged(f"paper_{name}").record()
    texts = shown(record)
    for region in record["regions"]:
        if region["share"] > 1e-3 and region["kind"] not in ("allowed", "unreachable"):
            assert region["label"] in texts


@pytest.mark.usefixtures("coarse")
def test_figure_of_a_profile():
    x = MASS | {"lower": 45}
    texts = shown(drawn("kloe_2015", x=x, profile=["C_Vmu"]).record())
    assert {"KLOE", "allowed"} <= set(texts)


def test_colours_outlast_the_palette_and_agree_between_figures():
    labels = [str(number) for number in range(30)]
    colours = colours_of(labels)
    assert len(set(colours.values())) == 30
    assert colours_of([*labels, "5"]) == colours


def test_words_in_lines():
    words = ["one", "two", "three", "four"]
    width = text_width("two, three", 8)
    assert in_lines(words, ", ", 8, width) == ["one, two,", "three,", "four"]
    assert in_lines(words, " ", 8, 99) == ["one two three four"]
    assert in_lines([], " ", 8, 99) == []
