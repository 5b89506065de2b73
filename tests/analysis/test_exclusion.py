"""Compare exclusion maps with boundaries that are known in closed form."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from drawn_planes import (
    A_E,
    BELOW,
    C_AE,
    C_NUE,
    C_VE,
    CLOSE,
    MASS,
    Drawn,
    curve,
    drawn,
    limit,
    loop,
    off,
    packaged,
    resolved,
)
from helpers_samplers import first_fast
from numpy.testing import assert_allclose
from scipy.optimize import brentq

from zpfit.analysis.exclusion.exclusion import (
    exclusion_map,
    exclusion_maps,
)
from zpfit.analysis.exclusion.tracing import SQUARE
from zpfit.physics.constants import ELECTRIC_CHARGE, ELECTRON_MASS, FERMI_CONSTANT, MUON_MASS

# Several slices at once


@pytest.mark.slow
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
    """On the boundary, C_Ae is at the published limit, or m_Zp at the start of the curve."""
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
    """On the boundary, C_Ve^2 + C_Ae^2 is at the limit and C_Ve follows from delta_a_e."""
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
    """On the boundary, decays are as frequent as at the edge for a dark photon of another
    lifetime."""
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
    """Return C_nue at which the rate of Eq. (14) is 10 % off, with C_Ae alone from delta_a_e."""
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
    """Neutrinos take a share of the decays, so the boundary depends on C_nue."""
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
    """Two doublets give the boson a mass of at least g' v/2 at charges 1 and 0 and equal vevs."""
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


# The allowed region


SLICES = [f"paper_{name}" for name in ("fig2a", "fig3a", "fig3c", "fig4")]


@pytest.mark.parametrize("name", ["paper_fig2a", *first_fast(*SLICES[1:])])
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
    """Compare regions with direct evaluation at random points, half of them near the allowed
    region."""
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
    """Check that a region contains exactly the expected points, except very close to its
    boundary."""
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
