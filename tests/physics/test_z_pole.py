"""Check shifts at the Z pole against independent values, closed forms and exact mass matrices."""

import json
from collections.abc import Callable
from math import atan, cos, sin, sqrt, tan
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import brentq

from zpfit.io.library import Library
from zpfit.io.places import packaged_data
from zpfit.likelihood.library import read_entry
from zpfit.models.gauge_mixing import BARE_Z_MASS, VEV, Z_COUPLING, Charges, Exact
from zpfit.physics.constants import ELECTRIC_CHARGE, SIN2_THETA_W
from zpfit.physics.couplings import Couplings
from zpfit.physics.longitudinal import (
    axial_over_mass,
    dark_z_b_invisible,
    dark_z_b_visible,
    dark_z_delta,
    dark_z_kaon_invisible,
)
from zpfit.physics.observables import predictions_for
from zpfit.physics.z_pole import z_pole_m_W, z_pole_s2_eff, z_pole_width

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "n_eff_and_z_pole.json").read_text(encoding="utf-8")
)["z_pole"]
S2, C2 = SIN2_THETA_W, 1 - SIN2_THETA_W
M_W, WIDTH = 80355.2, 2494.1
FERMIONS = {
    # name: (T3 of the left-handed state, Q, number of families times colours)
    "e mu tau": (-0.5, -1.0, 3),
    "u c": (0.5, 2 / 3, 6),
    "d s b": (-0.5, -1 / 3, 9),
}
Chiral = dict[str, tuple[float, float]]


def couplings(t: float, chiral: Chiral, neutrino: float, m: float = 1e-3) -> Couplings:
    """Return couplings from (C_L, C_R) of each kind of fermion."""
    rows = {f"C_nu{family}": neutrino for family in ("e", "mu", "tau")}
    for names, (left, right) in chiral.items():
        for name in names.split():
            rows |= {f"C_V{name}": (right + left) / 2, f"C_A{name}": (right - left) / 2}
    return Couplings.of(m_Zp=m, tan_xi=t, **rows)


def shifts(c: Couplings) -> list[float]:
    """Return the shift of s2_eff and the relative shifts of m_W and the width."""
    found = z_pole_s2_eff(c)[0], z_pole_m_W(c)[0] / M_W, z_pole_width(c)[0] / WIDTH
    return [float(value) for value in found]


def z_like(scale: float, s2: float) -> tuple[Chiral, float]:
    """Return couplings in proportion to the Z's, T3 - s2 Q."""
    chiral = {n: (scale * (t3 - s2 * q), -scale * s2 * q) for n, (t3, q, _) in FERMIONS.items()}
    return chiral, scale / 2


def mixing_angle(t: float) -> float:
    """Return s^2 from s^2 c^2 = s0^2 c0^2 (1 + t^2)."""
    return (1 - sqrt(1 - 4 * S2 * C2 * (1 + t * t))) / 2


# independent values and closed forms


@pytest.mark.parametrize(("t", "expected"), REFERENCE["z_pole"])
def test_without_couplings_of_the_light_state(t: float, expected: list[float]) -> None:
    assert shifts(Couplings.of(m_Zp=1e-3, tan_xi=t)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("t", "expected"), REFERENCE["mass_z_pole"])
def test_mass_mixing_alone(t: float, expected: list[float]) -> None:
    """The light state couples like the Z, with -sin(xi) g_Z cos(xi)."""
    xi = atan(t)
    c = couplings(t, *z_like(-sin(xi) * Z_COUPLING * cos(xi), mixing_angle(t)))
    assert shifts(c) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("eps", "expected"), REFERENCE["kinetic_z_pole"])
@pytest.mark.parametrize("sign", [1, -1])
def test_kinetic_mixing_alone(eps: float, expected: list[float], sign: int) -> None:
    """Closed form: s2_eff = s^2 (1 + t^2)/(1 + s^2 t^2), tan(xi) = s t, t^2 = eps^2/(1 - eps^2)."""
    t = eps / sqrt(1 - eps**2)
    s2 = brentq(lambda x: x - mixing_angle(sqrt(x) * t), S2, 0.3, xtol=1e-15)
    xi = atan(sqrt(s2) * t)
    g_z = Z_COUPLING * cos(xi)
    chiral = {
        names: tuple(
            sign * (-cos(xi) * g_z * sqrt(s2) * t * (q - t3) - sin(xi) * g_z * (t3 - s2 * q))
            for t3 in (left, 0.0)
        )
        for names, (left, q, _) in FERMIONS.items()
    }
    neutrino = sign * (cos(xi) * g_z * sqrt(s2) * t - sin(xi) * g_z) / 2
    found = shifts(couplings(sign * tan(xi), chiral, neutrino))
    assert found == pytest.approx(expected, rel=1e-8)
    assert found[0] == pytest.approx(s2 * (1 + t * t) / (1 + s2 * t * t) - S2, rel=1e-9)


# exact mass matrices


def diagonalised(g2: float, g1: float, g_t: float, g_x: float, z: float, m_x: float):
    """Return masses and couplings of the mass states of W3, B and X, with a doublet of charge z."""
    row = VEV / 2 * np.array([g2, -g1, -(g_t + 2 * g_x * z)])
    square = np.outer(row, row)
    square[2, 2] += m_x**2
    values, vectors = np.linalg.eigh(square)
    return np.sqrt(np.abs(values)), vectors


def test_exact_matrices_with_kinetic_and_mass_mixing() -> None:
    """Gauge couplings are solved for alpha, G_F and m_Z; charges make every vertex different."""
    g_t, g_x, z, m_x = -0.004, 0.006, 0.8, 30.0
    charges = {"e mu tau": (0.3, -0.5), "u c": (0.2, 1.0), "d s b": (0.2, -0.6)}

    def gauge(s2: float) -> tuple[float, float]:
        return ELECTRIC_CHARGE / sqrt(s2), ELECTRIC_CHARGE / sqrt(1 - s2)

    def z_mass(s2: float) -> float:
        return float(diagonalised(*gauge(s2), g_t, g_x, z, m_x)[0][2])

    s2 = brentq(lambda x: z_mass(x) / BARE_Z_MASS - 1, 0.2, 0.3, xtol=1e-15)
    g2, g1 = gauge(s2)
    masses, vectors = diagonalised(g2, g1, g_t, g_x, z, m_x)
    z0 = np.array([sqrt(1 - s2), -sqrt(s2), 0])
    heavy = vectors[:, 2] * np.sign(vectors[:, 2] @ z0)
    light = vectors[:, 1] * np.sign(vectors[2, 1])

    def coupling(state: np.ndarray, t3: float, q: float, charge: float) -> float:
        return float(state @ [g2 * t3, g1 * (q - t3), g_t * (q - t3) + g_x * charge])

    def all_of(state: np.ndarray) -> tuple[Chiral, float]:
        chiral = {
            names: (
                coupling(state, t3, q, charges[names][0]),
                coupling(state, 0, q, charges[names][1]),
            )
            for names, (t3, q, _) in FERMIONS.items()
        }
        return chiral, coupling(state, 0.5, 0, 0.3)

    chiral, neutrino = all_of(heavy)
    left, right = chiral["e mu tau"]
    width = 3 * neutrino**2
    width += sum(n * sum(g**2 for g in chiral[k]) for k, (_, _, n) in FERMIONS.items())
    free = 3 * 0.25 + sum(
        n * ((t3 - S2 * q) ** 2 + (S2 * q) ** 2) for t3, q, n in FERMIONS.values()
    )
    expected = [
        right / (2 * (right - left)) - S2,
        g2 * VEV / 2 / (sqrt(C2) * BARE_Z_MASS) - 1,
        width / (Z_COUPLING**2 * free) - 1,
    ]
    t = -(VEV**2) / 4 * sqrt(g2**2 + g1**2) * (g_t + 2 * g_x * z) / (VEV**2 / 4 * (g2**2 + g1**2))
    found = shifts(couplings(t, *all_of(light), m=float(masses[1])))
    assert abs(t) > 0.005
    assert found == pytest.approx(expected, rel=1e-5)


def test_the_mass_state_of_the_gauge_models() -> None:
    """Couplings of the heavy state from exact eigenvectors at fixed s^2: g_Z0 x/cos + tan C."""
    zero = (0.0, 0.0, 0.0)
    charges = Charges(np.array([3e-3]), np.array([2e-3]), 0.7, 0.0, (0.3, 0.1, 0.0), zero)
    m = np.array([50.0])
    c, boson = Exact().couplings(charges, m), Exact().z_boson(charges, m)
    t = np.tan(boson.phi)
    free = np.array([-0.5 + S2, S2])
    light = np.array([c.C_Ve - c.C_Ae, c.C_Ve + c.C_Ae])[:, 0]
    found = [boson.coupling_shifts[f"g_{hand}e"][0] for hand in "LR"]
    expected = free * (1 / np.cos(boson.phi) - 1) + t * light / Z_COUPLING
    np.testing.assert_allclose(found, expected, rtol=1e-8)


@pytest.mark.parametrize(("eps", "expected"), REFERENCE["kinetic_z_pole"])
def test_a_gauge_model_with_kinetic_mixing(eps: float, expected: list[float]) -> None:
    """Its couplings have the bare s^2, which differs from the exact one by O(eps^2)."""
    zero = (0.0, 0.0, 0.0)
    charges = Charges(np.ones(1), np.array([eps]), 0.0, 0.0, zero, zero)
    c = Exact().couplings(charges, np.array([17.0]))
    assert shifts(c) == pytest.approx(expected, rel=eps**2)


def test_a_gauge_model_with_mass_mixing() -> None:
    """Only the Higgs is charged: 0.331, -0.715 and -2.35 times xi^2."""
    z_higgs, zero = 1.0, (0.0, 0.0, 0.0)
    charges = Charges(np.array([3e-4]), np.zeros(1), z_higgs, 0.0, zero, (z_higgs,) * 3)
    c = Exact().couplings(charges, np.array([17.0]))
    xi2 = float(c.tan_xi[0]) ** 2
    chiral, neutrino = z_like(-sqrt(xi2) * Z_COUPLING, S2)
    alone = couplings(sqrt(xi2), chiral, neutrino)
    assert shifts(alone) == pytest.approx([0.331 * xi2, -0.715 * xi2, -2.35 * xi2], rel=2e-3)
    # Right-handed charges are zero here, so that only the W's mass is that of mixing alone.
    assert shifts(c)[1] == pytest.approx(-0.715 * xi2, rel=2e-3)


# where they are known, and extremes


def test_they_are_unknown_for_effective_couplings_and_vanish_without_a_boson() -> None:
    effective = Couplings.of(m_Zp=17.0, C_Ve=1e-4)
    known = Couplings.of(m_Zp=17.0, C_Ve=1e-4, tan_xi=0.0)
    names = {"z_pole_s2_eff", "z_pole_m_W", "z_pole_width", "dark_z_delta"}
    assert not names & set(predictions_for(effective))
    assert names <= set(predictions_for(known))
    for c in (Couplings.none(), effective, known):
        assert shifts(c) == [0, 0, 0]
        assert dark_z_delta(c)[0] == 0


def test_a_mixing_without_a_solution_is_finite_and_far_from_the_data() -> None:
    found = shifts(Couplings.of(m_Zp=1.0, tan_xi=10.0))
    assert np.isfinite(found).all()
    assert abs(found[0]) > 0.1


@pytest.mark.parametrize("mass", ["z_pole_m_W_2025", "z_pole_m_W_2026"])
def test_what_the_three_entries_allow(mass: str) -> None:
    """0.029 for kinetic mixing and 0.015 for the angle at 95 %, as an independent calculation."""
    library = Library((packaged_data(),))
    names = ("z_pole_s2_eff_2006", mass, "z_pole_width_2020")
    entries = [read_entry(library, name).entry for name in names]

    def chi2(values: list[float]) -> float:
        scaled = np.array(values) * [1, M_W, WIDTH]
        return sum(((v - e.value) / e.error) ** 2 for v, e in zip(scaled, entries, strict=True))

    def kinetic(eps: float) -> list[float]:
        t2 = eps**2
        return [0.25422 * t2, -0.16534 * t2, -0.26700 * t2]

    def angle(xi: float) -> list[float]:
        c = couplings(xi, *z_like(-xi * Z_COUPLING, S2))
        return shifts(c)

    def limit(effect: Callable[[float], list[float]]) -> float:
        least = min(chi2(effect(x)) for x in np.linspace(0, 0.02, 41))
        return float(brentq(lambda x: chi2(effect(x)) - least - 3.84, 0.005, 0.2))

    assert limit(kinetic) == pytest.approx(0.029, rel=0.15)
    assert limit(angle) == pytest.approx(0.015, rel=0.15)


# longitudinal emission


def test_cuts_on_longitudinal_emission() -> None:
    m = np.array([17.0, 109.0, 130.0, 200.0, 300.0, 5000.0])
    c = Couplings.of(m_Zp=m, tan_xi=-2e-4, C_Ve=3e-5, C_nue=2e-5, C_Ad=4e-5)
    delta = 2e-4 * 91188.0 / m
    np.testing.assert_allclose(dark_z_delta(c), -delta, rtol=1e-12)
    invisible, visible = np.sqrt(c.br_inv), np.sqrt(c.br_ee)
    kaon, b = np.array([1, 1, 0, 1, 0, 0]), np.array([1, 1, 1, 1, 1, 0])
    np.testing.assert_allclose(dark_z_kaon_invisible(c), kaon * delta * invisible, rtol=1e-12)
    np.testing.assert_allclose(dark_z_b_invisible(c), b * delta * invisible, rtol=1e-12)
    np.testing.assert_allclose(dark_z_b_visible(c), b * delta * visible, rtol=1e-12)
    np.testing.assert_allclose(axial_over_mass(c), 4e-2 / m, rtol=1e-12)
