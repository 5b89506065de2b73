"""Compare quark couplings from charges with exact relations and a numerical diagonalisation."""

import json

import mpmath
import numpy as np
import pytest

from zpfit.physics.constants import ELECTRIC_CHARGE, FERMI_CONSTANT, SIN2_THETA_W
from zpfit.physics.couplings import QUARK_NAMES
from zpfit.runs.run_file import load_single_model

COS2_THETA_W = 1 - SIN2_THETA_W
VEV = (np.sqrt(2) * FERMI_CONSTANT) ** -0.5
G1 = ELECTRIC_CHARGE / np.sqrt(COS2_THETA_W)
G2 = ELECTRIC_CHARGE / np.sqrt(SIN2_THETA_W)
G_Z = ELECTRIC_CHARGE / np.sqrt(SIN2_THETA_W * COS2_THETA_W)
CLASSES = ("sm_u1", "nhdm_u1", "froggatt_nielsen")
ROUTES = ("exact", "leading_order")


def model(name, **options):
    return load_single_model(json.dumps({"name": name, "options": options}))[1].extended(["z_q"])


def random_values(name, n=500, **options):
    """Points far beyond the reach of experiments, where every order in g' and eps matters."""
    rng = np.random.default_rng(4)
    draws = {
        "m_Zp": lambda: 10 ** rng.uniform(0, 3.5, n),
        "zS_vS": lambda: 10 ** rng.uniform(3, 6, n),
        "g_prime": lambda: 10 ** rng.uniform(-5, -2, n),
        "eps_Y": lambda: rng.uniform(-0.3, 0.3, n),
    }
    values = {}
    for parameter in model(name, **options).parameters:
        if parameter.name.startswith("tan_beta"):
            values[parameter.name] = 10 ** rng.uniform(-1, 1, n)
        else:
            draw = draws.get(parameter.name, lambda: rng.uniform(-3, 3, n))
            values[parameter.name] = draw()
    return values


def size_of(c):
    return np.max(
        [np.abs(row) for name, row in c.items() if name not in {"m_Zp", "tan_xi"}], axis=0
    )


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("route", ROUTES)
def test_the_charged_current_is_conserved(name, route):
    """C_Lu - C_Ld = C_nu - C_Le in every family, with C_L = C_V - C_A, as is Eq. (33)."""
    c = model(name, route=route).couplings(random_values(name))
    quarks = c.C_Vu - c.C_Au - (c.C_Vd - c.C_Ad)
    for family in ("e", "mu", "tau"):
        leptons = c[f"C_nu{family}"] - (c[f"C_V{family}"] - c[f"C_A{family}"])
        assert np.all(np.abs(quarks - leptons) < 1e-12 * size_of(c)), family


@pytest.mark.parametrize("route", ROUTES)
def test_kinetic_mixing_couples_to_electric_charge(route):
    """C_Vu = -(2/3) C_Ve and C_Vd = C_Ve/3, so that C_Vn = 0, up to m^2/m_Z^2."""
    photon = model("dark_photon", route=route)
    c = photon.couplings({"m_Zp": np.array([1.0, 17.0, 100.0]), "eps": np.full(3, 1e-3)})
    small = 0.0 if route == "leading_order" else (c.m_Zp / 88e3) ** 2
    np.testing.assert_array_less(np.abs(c.C_Vu / c.C_Ve + 2 / 3), 1e-12 + small)
    np.testing.assert_array_less(np.abs(c.C_Vd / c.C_Ve - 1 / 3), 1e-12 + small)
    np.testing.assert_array_less(np.abs((c.C_Vu + 2 * c.C_Vd) / c.C_Ve), 1e-12 + small)
    np.testing.assert_array_less(np.abs(c.C_Au / c.C_Ve), 1e-12 + small)
    eps_y = 1e-3 / np.sqrt(COS2_THETA_W)
    t = eps_y / np.sqrt(1 - eps_y**2)
    np.testing.assert_allclose(c.tan_xi, np.sqrt(SIN2_THETA_W) * t, rtol=1e-12)


@pytest.mark.parametrize("route", ROUTES)
def test_one_doublet_gives_one_axial_coupling(route):
    """C_Ae = C_Ad = -C_Au if one doublet gives every mass."""
    for c in (
        model("sm_u1", route=route).couplings(random_values("sm_u1")),
        model("nhdm_u1", route=route, doublets=3, u_doublet=3, d_doublet=3).couplings(
            random_values("nhdm_u1", doublets=3)
        ),
    ):
        assert np.all(np.abs(c.C_Ad - c.C_Ae) < 1e-12 * size_of(c))
        assert np.all(np.abs(c.C_Au + c.C_Ae) < 1e-12 * size_of(c))


def test_doublets_of_quarks():
    """C_Au = g' (z_Hu - z)/2 and C_Ad = g' (z - z_Hd)/2 at leading order."""
    values = random_values("nhdm_u1")
    chosen = model("nhdm_u1", route="leading_order", u_doublet=2, d_doublet=1)
    c = chosen.couplings(values)
    cos2 = 1 / (1 + values["tan_beta"] ** 2)
    half = values["g_prime"] * (values["z_1"] - values["z_2"]) / 2
    np.testing.assert_allclose(c.C_Au, -half * cos2, rtol=1e-9, atol=1e-18)
    np.testing.assert_allclose(c.C_Ad, -half * (1 - cos2), rtol=1e-9, atol=1e-18)
    np.testing.assert_allclose(c.C_Ae, half * cos2, rtol=1e-9, atol=1e-18)


def light_state(v, doublets):
    """Return the light eigenvector of the 3 x 3 matrices in (B', W3, X'), and tan(xi)."""
    mpmath.mp.dps = 40
    g, eps = mpmath.mpf(v["g_prime"]), mpmath.mpf(v["eps_Y"])
    kinetic = mpmath.matrix([[1, 0, eps], [0, 1, 0], [eps, 0, 1]])
    mass = mpmath.zeros(3)
    for z, share in doublets:
        vector = mpmath.matrix([mpmath.mpf(G1) / 2, -mpmath.mpf(G2) / 2, g * z])
        mass += share * mpmath.mpf(VEV) ** 2 * vector * vector.T
    mass[2, 2] += (g * v["zS_vS"]) ** 2
    root = mpmath.inverse(mpmath.cholesky(kinetic))
    canonical = root * mass * root.T
    _, states = mpmath.eigsy(canonical)
    z = mpmath.matrix([-mpmath.sqrt(SIN2_THETA_W), mpmath.sqrt(COS2_THETA_W), 0])
    z_squared = (z.T * canonical * z)[0]
    state = root.T * states[:, 1]
    # X is the third canonical field, as the Cholesky factor changes X' alone and mixes it into B'.
    mixing = (z.T * canonical)[2]
    return state * mpmath.sign(state[2]), float(mixing / z_squared)


@pytest.mark.parametrize("name", ["sm_u1", "nhdm_u1"])
def test_exact_route_diagonalises(name):
    options = {"mass": "zS_vS"} | ({"u_doublet": 1, "d_doublet": 2} if name == "nhdm_u1" else {})
    values = random_values(name, 8, **options)
    c = model(name, **options).couplings(values)
    for i in range(8):
        v = {key: column[i] for key, column in values.items()}
        doublets, up, down = [(v.get("z_H"), 1.0)], v.get("z_H"), v.get("z_H")
        if name == "nhdm_u1":
            cos2 = 1 / (1 + v["tan_beta"] ** 2)
            doublets, up, down = [(v["z_1"], cos2), (v["z_2"], 1 - cos2)], v["z_1"], v["z_2"]
        (b, w, x), tan_xi = light_state(v, doublets)
        z_q = v["z_q"]
        left_u, right_u, left_d, right_d = (
            float(G1 * y * b + G2 * t3 * w + v["g_prime"] * z * x)
            for t3, y, z in (
                (0.5, 1 / 6, z_q),
                (0.0, 2 / 3, z_q + up),
                (-0.5, 1 / 6, z_q),
                (0.0, -1 / 3, z_q - down),
            )
        )
        size = max(map(abs, (left_u, right_u, left_d, right_d)))
        for quark in ("u", "c"):
            assert c[f"C_V{quark}"][i] == pytest.approx((right_u + left_u) / 2, abs=1e-9 * size)
            assert c[f"C_A{quark}"][i] == pytest.approx((right_u - left_u) / 2, abs=1e-9 * size)
        for quark in ("d", "s", "b"):
            assert c[f"C_V{quark}"][i] == pytest.approx((right_d + left_d) / 2, abs=1e-9 * size)
            assert c[f"C_A{quark}"][i] == pytest.approx((right_d - left_d) / 2, abs=1e-9 * size)
        assert c.tan_xi[i] == pytest.approx(tan_xi, rel=1e-9)


@pytest.mark.parametrize("name", CLASSES)
def test_charges_of_quarks_shift_along_hypercharge(name):
    """z -> z + a Y, with Y = 1/6 for z_q, is undone by the kinetic mixing, to all orders."""
    values = random_values(name, 100)
    a = np.random.default_rng(5).uniform(-2, 2, 100)
    k = a * values["g_prime"] / G1
    size = np.sqrt(1 + 2 * k * values["eps_Y"] + k**2)
    shifted = {}
    for key, column in values.items():
        doublet = -0.5 if key.startswith("z_L") else 0.5 if key.startswith("z_") else 0.0
        shifted[key] = column + (1 / 6 if key == "z_q" else doublet) * a
    shifted["eps_Y"] = (values["eps_Y"] + k) / size
    shifted["g_prime"] = values["g_prime"] / size
    before, after = (model(name).couplings(v) for v in (values, shifted))
    for quark in QUARK_NAMES:
        assert np.all(np.abs(after[quark] - before[quark]) < 1e-10 * size_of(before))


@pytest.mark.parametrize("name", CLASSES)
def test_the_charge_of_quarks_leaves_leptons_alone(name):
    values = random_values(name)
    without = load_single_model(name)[1]
    assert "z_q" not in [parameter.name for parameter in without.parameters]
    plain = without.couplings({key: v for key, v in values.items() if key != "z_q"})
    charged = model(name).couplings(values)
    for row in ("C_Ve", "C_Ae", "C_nue", "C_Vmu", "C_Amu", "C_numu"):
        np.testing.assert_array_equal(plain[row], charged[row])
    difference = (charged.C_Vu - plain.C_Vu) / (values["g_prime"] * values["z_q"])
    np.testing.assert_allclose(charged.C_Vd - plain.C_Vd, charged.C_Vu - plain.C_Vu, atol=1e-15)
    assert np.all(np.abs(difference - 1) < 0.1)  # cos(xi)/sqrt(1 - eps^2)


def test_doublets_of_quarks_exist():
    with pytest.raises(Exception, match="u_doublet"):
        model("nhdm_u1", u_doublet=3)
