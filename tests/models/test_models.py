"""Compare couplings from charges with independent values and exact relations."""

import json
from pathlib import Path

import mpmath
import numpy as np
import pytest
from scipy.optimize import minimize

from zpfit.inference.search.best_fit import find_minimum
from zpfit.inference.search.descent import descend
from zpfit.io.places import packaged_data
from zpfit.models.gauge_mixing import FAMILIES
from zpfit.models.library import BUILT_IN
from zpfit.models.names import BUILT_IN_NAMES
from zpfit.physics.constants import (
    ELECTRIC_CHARGE,
    FERMI_CONSTANT,
    SIN2_THETA_W,
    TAU_MASS,
)
from zpfit.physics.couplings import COUPLING_NAMES, QUARK_NAMES
from zpfit.runs.run_file import load_run, load_single_model

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "functions.json").read_text())
ROUTES = ("exact", "leading_order")
COS2_THETA_W = 1 - SIN2_THETA_W
VEV = (np.sqrt(2) * FERMI_CONSTANT) ** -0.5
G1 = ELECTRIC_CHARGE / np.sqrt(COS2_THETA_W)
G2 = ELECTRIC_CHARGE / np.sqrt(SIN2_THETA_W)
CLASSES = ("sm_u1", "nhdm_u1", "froggatt_nielsen")
RUNS = [f"{name}_{data}" for name in CLASSES for data in ("cs", "rb")]


def model(name, **options):
    return load_single_model(json.dumps({"name": name, "options": options}))[1]


def columns(**values):
    n = max(np.size(value) for value in values.values())
    return {name: np.broadcast_to(np.asarray(v, float), (n,)) for name, v in values.items()}


def couplings(name, values, **options):
    c = model(name, **options).couplings(values)
    return dict(zip(COUPLING_NAMES, c.rows(), strict=True))


def random_values(name, n=200, seed=1, largest_mixing=0.3, **options):
    """Points far beyond the reach of experiments, where every order in g' and eps matters."""
    rng = np.random.default_rng(seed)
    values = {}
    for parameter in model(name, **options).parameters:
        if parameter.name == "m_Zp":
            values["m_Zp"] = 10 ** rng.uniform(0, 3.5, n)
        elif parameter.name == "zS_vS":
            values["zS_vS"] = 10 ** rng.uniform(3, 6, n)
        elif parameter.name == "g_prime":
            values["g_prime"] = 10 ** rng.uniform(-5, -2, n)
        elif parameter.name.startswith("eps"):
            values[parameter.name] = rng.uniform(-largest_mixing, largest_mixing, n)
        elif parameter.name.startswith("tan_beta"):
            values[parameter.name] = 10 ** rng.uniform(-1, 1, n)
        else:
            values[parameter.name] = rng.uniform(-3, 3, n)
    return values


def cases(function):
    found = [case for case in REFERENCE if case["function"] == function]
    assert found
    return [pytest.param(c["inputs"], c["value"], id=str(i)) for i, c in enumerate(found)]


def mixing_for(g_t):
    """Return the eps for which -g_1 eps / sqrt(1 - eps^2) = g_t."""
    return -g_t / np.hypot(G1, g_t)


@pytest.mark.parametrize(("inputs", "value"), cases("sm_couplings"))
def test_leading_order_of_the_standard_model(inputs, value):
    c = couplings(
        "sm_u1",
        columns(
            m_Zp=20,
            g_prime=inputs["gp"],
            eps_Y=mixing_for(inputs["gt"]),
            z_H=inputs["zH"],
            z_Le=inputs["zL"],
            z_Lmu=0,
            z_Ltau=0,
        ),
        route="leading_order",
    )
    assert c["C_Ve"] == pytest.approx(value[0], rel=1e-10)
    assert c["C_Ae"] == 0 == value[1]
    assert c["C_nue"] == pytest.approx(value[2], rel=1e-10)


@pytest.mark.parametrize(("inputs", "value"), cases("fn_couplings"))
def test_leading_order_of_froggatt_nielsen(inputs, value):
    c = couplings(
        "froggatt_nielsen",
        columns(
            m_Zp=20,
            g_prime=inputs["gp"],
            eps_Y=mixing_for(inputs["gt"]),
            z_H=inputs["zH"],
            z_Le=0,
            z_Lmu=inputs["zL"],
            z_Ltau=0,
            n_e=0,
            n_mu=inputs["n"],
            n_tau=0,
        ),
        route="leading_order",
    )
    assert [c["C_Vmu"], c["C_Amu"], c["C_numu"]] == pytest.approx(value, rel=1e-10)


@pytest.mark.parametrize(("inputs", "value"), cases("thdm_couplings"))
def test_leading_order_of_two_doublets(inputs, value):
    c = couplings(
        "nhdm_u1",
        columns(
            m_Zp=20,
            g_prime=inputs["gp"],
            eps_Y=mixing_for(inputs["gt"]),
            z_1=inputs["z1"],
            z_2=inputs["z2"],
            tan_beta=inputs["tanb"],
            z_Le=inputs["zL"],
            z_Lmu=0,
            z_Ltau=0,
        ),
        route="leading_order",
    )
    assert [c["C_Ve"], c["C_Ae"], c["C_nue"]] == pytest.approx(value, rel=1e-10)


@pytest.mark.parametrize(("inputs", "value"), cases("exact_lepton"))
def test_exact_route_in_extended_precision(inputs, value):
    """The axial coupling is accurate even where it is a thousand times smaller than 1e-12."""
    values = columns(
        zS_vS=inputs["zSvS"],
        g_prime=inputs["gp"],
        eps_Y=inputs["eps"],
        z_H=inputs["zs"][0],
        z_Le=inputs["zL"],
        z_Lmu=0,
        z_Ltau=0,
    )
    c = couplings("sm_u1", values, mass="zS_vS")
    assert c["m_Zp"] == pytest.approx(value[0], rel=1e-10)
    assert c["C_Ve"] == pytest.approx(value[1], rel=1e-10)
    assert c["C_Ae"] == pytest.approx(value[2], rel=1e-5)
    assert c["C_nue"] == pytest.approx(value[3], rel=1e-10)


def eigenstates(values, doublets, left, right):
    """Masses and couplings from the 3 x 3 matrices in (B', W3, X') with 40 digits.

    ``doublets`` are pairs of charge and share of v^2. The light state comes first,
    then the heavy one: mass, and couplings of l_L, l_R and nu.
    """
    mpmath.mp.dps = 40
    one, g = mpmath.mpf(1), mpmath.mpf(values["g_prime"])
    eps = mpmath.mpf(values["eps_Y"])
    kinetic = mpmath.matrix([[1, 0, eps], [0, 1, 0], [eps, 0, 1]])
    mass = mpmath.zeros(3)
    for z, share in doublets:
        vector = mpmath.matrix([G1 / 2 * one, -G2 / 2 * one, g * z])
        mass += share * mpmath.mpf(VEV) ** 2 * vector * vector.T
    mass[2, 2] += (g * values["zS_vS"]) ** 2
    root = mpmath.inverse(mpmath.cholesky(kinetic))
    squares, states = mpmath.eigsy(root * mass * root.T)
    result = []
    for index in (1, 2):  # 0 is the photon
        b, w, x = root.T * states[:, index]
        signed = [
            (G1 * y * b + G2 * t3 * w + g * z * x)
            for t3, y, z in ((-0.5, -0.5, left), (0, -1, right), (0.5, -0.5, left))
        ]
        sign = mpmath.sign(x if index == 1 else (G2 * w - G1 * b))
        result.append([mpmath.sqrt(squares[index]), *(sign * c for c in signed)])
    return np.array(result, dtype=float)


def gauge_sector(name, v):
    """Return doublets and charges of the electron, straight from each model's definition."""
    if name == "nhdm_u1":
        t1, t2 = v["tan_beta_1"], v["tan_beta_2"]
        b1, b2 = np.arctan(t1), np.arctan(t2)
        vevs = [np.cos(b1), np.sin(b1) * np.cos(b2), np.sin(b1) * np.sin(b2)]
        doublets = [(v[f"z_{i + 1}"], vev**2) for i, vev in enumerate(vevs)]
        return doublets, v["z_Le"], v["z_Le"] - v["z_3"]
    n = v.get("n_e", 0.0)
    return [(v["z_H"], 1.0)], v["z_Le"], v["z_Le"] - v["z_H"] - n


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("largest_mixing", [1e-4, 0.3])
def test_exact_route_diagonalises(name, largest_mixing):
    options = {"mass": "zS_vS"} | ({"doublets": 3} if name == "nhdm_u1" else {})
    values = random_values(name, 8, 3, largest_mixing, **options)
    ours = couplings(name, values, **options)
    derived = model(name, **options).derived(values)
    left, right = ours["C_Ve"] - ours["C_Ae"], ours["C_Ve"] + ours["C_Ae"]
    for i in range(8):
        point = {key: column[i] for key, column in values.items()}
        light, heavy = eigenstates(point, *gauge_sector(name, point))
        size = np.abs(light[1:]).max()
        assert ours["m_Zp"][i] == pytest.approx(light[0], rel=1e-9)
        assert [left[i], right[i], ours["C_nue"][i]] == pytest.approx(light[1:], abs=1e-9 * size)
        assert derived["m_Z"][i] == pytest.approx(heavy[0], rel=1e-12)
        standard = np.array([-0.5 + SIN2_THETA_W, SIN2_THETA_W, 0.5])
        shifts = [derived[f"shift_g_{k}e"][i] for k in ("L", "R", "nu")]
        g_z = ELECTRIC_CHARGE / np.sqrt(SIN2_THETA_W * COS2_THETA_W)
        assert shifts == pytest.approx(heavy[1:] / g_z - standard, abs=1e-13)


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("route", ROUTES)
def test_mass_and_singlet_are_inverse(name, route):
    by_singlet = random_values(name, mass="zS_vS")
    m = model(name, mass="zS_vS", route=route).couplings(by_singlet).m_Zp
    by_mass = {key: v for key, v in by_singlet.items() if key != "zS_vS"} | {"m_Zp": m}
    derived = model(name, route=route).derived(by_mass)
    # Where the doublets give nearly all of the mass, the singlet's part has few digits.
    digits = 1e-13 * (m / (by_singlet["g_prime"] * by_singlet["zS_vS"])) ** 2 + 1e-11
    assert np.all(np.abs(derived["zS_vS"] / by_singlet["zS_vS"] - 1) < digits)


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("route", ROUTES)
def test_equation_33(name, route):
    """C_V - C_A - C_nu is the same for every family, to all orders in the exact route."""
    c = couplings(name, random_values(name, 2000), route=route)
    sides = [c[f"C_V{f}"] - c[f"C_A{f}"] - c[f"C_nu{f}"] for f in FAMILIES]
    size = np.max([np.abs(row) for key, row in c.items() if key != "m_Zp"], axis=0)
    assert np.all(np.ptp(sides, axis=0) < 1e-12 * size)


@pytest.mark.parametrize("route", ROUTES)
def test_equation_30(route):
    c = couplings("nhdm_u1", values := random_values("nhdm_u1"), route=route)
    expected = values["g_prime"] * (values["z_Le"] - values["z_Lmu"])
    ratio = (c["C_Ve"] - c["C_Vmu"]) / expected
    assert ratio == pytest.approx((c["C_nue"] - c["C_numu"]) / expected, rel=1e-9)
    # The exact ratio is cos(phi) / sqrt(1 - eps^2), with mixings of up to 0.3.
    assert np.all(np.abs(ratio - 1) < (1e-9 if route == "leading_order" else 0.1))


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("doublets", [2, 4])
def test_doublets_of_equal_charge_are_one(route, doublets):
    values = random_values("nhdm_u1", doublets=doublets)
    z_H = values["z_1"]
    equal = values | {f"z_{i + 1}": z_H for i in range(doublets)}
    one = {k: v for k, v in values.items() if not k.startswith(("tan_", "z_1", "z_2", "z_3"))}
    several = couplings("nhdm_u1", equal, route=route, doublets=doublets)
    single = couplings("sm_u1", one | {"z_H": z_H}, route=route)
    for name, row in single.items():
        assert several[name] == pytest.approx(row, rel=1e-12, abs=1e-18)
    assert model("nhdm_u1", doublets=doublets).exists(equal).all()


def test_axial_couplings_of_the_standard_model():
    """Axial couplings are zero at leading order; exact ones are m_Zp^2/m_Z^2 times vector
    couplings."""
    values = random_values("sm_u1")
    assert not couplings("sm_u1", values, route="leading_order")["C_Ae"].any()
    exact = couplings("sm_u1", values)
    universal = exact["C_Ve"] - exact["C_nue"]
    assert np.all(np.abs(exact["C_Ae"]) < 2 * (values["m_Zp"] / 88e3) ** 2 * np.abs(universal))
    assert np.all(exact["C_Ae"] != 0)


def test_routes_agree_to_the_order_of_their_difference():
    values = random_values("froggatt_nielsen", largest_mixing=1e-4)
    values["m_Zp"] = np.full(200, 20.0)
    exact = couplings("froggatt_nielsen", values)
    leading = couplings("froggatt_nielsen", values, route="leading_order")
    size = np.max([np.abs(row) for key, row in exact.items() if key != "m_Zp"], axis=0)
    mixing = 4 * (values["g_prime"] * (1 + np.abs(values["z_H"]))) ** 2 + 1e-8
    for name, row in exact.items():
        assert np.all(np.abs(row - leading[name]) <= (mixing + (20 / 88e3) ** 2) * 10 * size)


@pytest.mark.parametrize("name", CLASSES)
def test_charges_shift_along_hypercharge(name):
    """A shift z -> z + a Y of every charge is undone by the kinetic mixing, to all orders.

    B' = B'' + k X' with k = a g'/g_1 keeps every coupling and turns the kinetic
    terms into those of another eps and another size of X'.
    """
    values = random_values(name, 100)
    a = np.random.default_rng(5).uniform(-2, 2, 100)
    k = a * values["g_prime"] / G1
    size = np.sqrt(1 + 2 * k * values["eps_Y"] + k**2)
    shifted = {}
    for key, column in values.items():
        hypercharge = -0.5 if key.startswith("z_L") else 0.5 if key.startswith("z_") else 0.0
        shifted[key] = column + hypercharge * a
    shifted["eps_Y"] = (values["eps_Y"] + k) / size
    shifted["g_prime"] = values["g_prime"] / size
    before, after = couplings(name, values), couplings(name, shifted)
    largest = np.max([np.abs(row) for key, row in before.items() if key != "m_Zp"], axis=0)
    # Quarks need a shift of their own charge, see test_quarks.py.
    for key, row in before.items():
        if key not in QUARK_NAMES:
            assert np.all(np.abs(after[key] - row) < 1e-10 * (row if key == "m_Zp" else largest))


def test_leading_order_mixing_angle_is_equation_25():
    values = random_values("nhdm_u1", largest_mixing=1e-3)
    values["m_Zp"] = values["m_Zp"] + 2000  # above the mass from the doublets
    exists = model("nhdm_u1").exists(values)
    assert exists.any()
    derived = model("nhdm_u1", route="leading_order").derived(values)
    g = values["g_prime"]
    cos2 = 1 / (1 + values["tan_beta"] ** 2)
    g_t = -G1 * values["eps_Y"] / np.sqrt(1 - values["eps_Y"] ** 2)
    z1, z2 = (g_t / g + 2 * values[f"z_{i}"] for i in (1, 2))
    z_H, z_H2 = z1 * cos2 + z2 * (1 - cos2), z1**2 * cos2 + z2**2 * (1 - cos2)
    g_z = ELECTRIC_CHARGE / np.sqrt(SIN2_THETA_W * COS2_THETA_W)
    tangent = 2 * z_H * g * g_z / (z_H2 * g**2 + (2 * derived["zS_vS"] * g / VEV) ** 2 - g_z**2)
    assert np.tan(2 * derived["phi"])[exists] == pytest.approx(tangent[exists], rel=1e-9)


def test_doublets_force_a_mass():
    """The condition is m_Zp >= 2 |C_A| v tan(beta): C_A = 2e-4 needs 98 MeV times tan(beta)."""
    tan_beta = np.array([0.1, 1.0, 3.0])
    z_1 = 2 * 2e-4 / 1e-3 * (1 + tan_beta**2)
    values = columns(
        m_Zp=98.49 * tan_beta, g_prime=1e-3, eps_Y=0, z_1=z_1, z_2=0, tan_beta=tan_beta,
        z_Le=0, z_Lmu=0, z_Ltau=0,
    )  # fmt: skip
    c = couplings("nhdm_u1", values, route="leading_order")
    assert c["C_Ae"] == pytest.approx(2e-4)
    forced = model("nhdm_u1", route="leading_order").derived(values)["m_doublets"]
    assert forced == pytest.approx(2 * 2e-4 * VEV * tan_beta)
    assert forced / tan_beta == pytest.approx(98, abs=0.6)
    assert model("nhdm_u1").exists(values).all()
    lighter = values | {"m_Zp": values["m_Zp"] * 0.99}
    assert not model("nhdm_u1").exists(lighter).any()


@pytest.mark.parametrize("route", ROUTES)
def test_benchmarks(route):
    g, eps, m = 1e-4, 1e-4, 20.0
    heavy = 2 * (m / 88e3) ** 2
    lepton = {"B-L": (-1, -1, -1), "L_e-L_mu": (1, -1, 0), "L_e-L_tau": (1, 0, -1),
              "L_mu-L_tau": (0, 1, -1)}  # fmt: skip
    for name, charges in lepton.items():
        c = couplings(name, columns(m_Zp=m, g_prime=g, eps=0), route=route)
        mixed = couplings(name, columns(m_Zp=m, g_prime=g, eps=eps), route=route)
        for family, charge in zip(FAMILIES, charges, strict=True):
            assert c[f"C_V{family}"] == pytest.approx(charge * g, rel=1e-12)
            assert c[f"C_nu{family}"] == pytest.approx(charge * g, rel=1e-12)
            assert c[f"C_A{family}"] == 0
            photon = mixed[f"C_V{family}"] - c[f"C_V{family}"]
            assert photon == pytest.approx(ELECTRIC_CHARGE * eps, rel=1e-6)
            assert mixed[f"C_nu{family}"] == pytest.approx(charge * g, abs=heavy * eps + 1e-11)
    c = couplings("dark_photon", columns(m_Zp=m, eps=eps), route=route)
    for family in FAMILIES:
        assert c[f"C_V{family}"] == pytest.approx(ELECTRIC_CHARGE * eps, rel=1e-6)
        assert abs(c[f"C_A{family}"]) < heavy * eps
        assert abs(c[f"C_nu{family}"]) < heavy * eps


def test_phenomenological_benchmarks():
    c = couplings("protophobic", columns(m_Zp=17, C_l=3e-4, C_nu=-2e-5, C_n=1e-3))
    assert [c[f"C_V{f}"][0] for f in FAMILIES] == [3e-4] * 3
    assert [c[f"C_nu{f}"][0] for f in FAMILIES] == [-2e-5] * 3
    assert 2 * c["C_Vu"] + c["C_Vd"] == pytest.approx(0, abs=1e-18)
    assert c["C_Vu"] + 2 * c["C_Vd"] == pytest.approx(1e-3)
    c = couplings("axial_electron", columns(m_Zp=17, C_A=2e-4, eps=1e-4))
    assert c["C_Ae"] == 2e-4
    assert [c[f"C_V{f}"][0] for f in FAMILIES] == pytest.approx([ELECTRIC_CHARGE * 1e-4] * 3)
    assert c["C_Vu"] == pytest.approx(-2 / 3 * ELECTRIC_CHARGE * 1e-4)
    assert c["C_Vd"] == pytest.approx(ELECTRIC_CHARGE * 1e-4 / 3)
    assert not any(c[name][0] for name in ("C_Amu", "C_Atau", "C_nue", "C_numu", "C_nutau"))


@pytest.mark.parametrize("family", FAMILIES)
def test_charges_without_anomalies(family):
    """B-3L_i: sums of charges over chiral fermions vanish with one right-handed neutrino."""
    c = couplings(f"B-3L_{family}", columns(m_Zp=17, g_prime=1e-4, eps=0))
    assert c[f"C_V{family}"] == pytest.approx(-3e-4)
    assert c[f"C_nu{family}"] == pytest.approx(-3e-4)
    assert not any(c[f"C_V{f}"][0] for f in FAMILIES if f != family)
    quarks = c["C_Vu"] / 1e-4
    assert quarks == pytest.approx(1 / 3, rel=1e-12)
    assert 3 * 3 * quarks + c[f"C_V{family}"] / 1e-4 == pytest.approx(0)  # SU(2)^2 U(1)'


def test_one_coupling_for_all_fermions():
    c = couplings("universal", columns(m_Zp=17, C_V=1e-4))
    given = [*(f"C_V{f}" for f in (*FAMILIES, *"udscb")), *(f"C_nu{f}" for f in FAMILIES)]
    assert all(c[name] == 1e-4 for name in given)


def test_lower_end_of_tan_beta_is_where_the_tau_yukawa_coupling_is_one():
    """The value agrees with the description of the priors nhdm_u1."""
    assert np.sqrt(2) * TAU_MASS / (VEV * 0.01) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("run_name", RUNS)
def test_every_prior_spans_the_effective_couplings(run_name):
    """Products g' z and masses share their bounds, so that evidences of classes are comparable."""
    priors = load_run(packaged_data() / "runs" / f"{run_name}.yaml").posterior.priors
    g_prime = priors.support("g_prime")[0]
    charges = [name for name in priors.free if name.startswith(("z_", "n_"))]
    assert charges
    for name in charges:
        assert g_prime * priors.support(name)[1] == pytest.approx(0.1)
        assert g_prime * priors.by_name[name].lower == pytest.approx(1e-8)


@pytest.mark.parametrize("name", ["charges", "function", "class"])
def test_examples_are_valid(name):
    path = packaged_data() / "examples" / f"{name}.yaml"
    run = load_run(path)
    assert run.notes == ()
    draws = np.random.default_rng(1).random((2000, run.posterior.dimension))
    assert np.isfinite(run.posterior.log_likelihood(draws)).any()
    assert len(run.model_files) == 1


def minimum_of(posterior, seed, starts=2000):
    rng = np.random.default_rng(seed)
    return find_minimum(
        posterior.residuals,
        lambda u: -2 * posterior.log_likelihood(u),
        rng.random((starts, posterior.dimension)),
        rng,
        posterior.priors.step_width,
    ).chi2


@pytest.mark.slow
@pytest.mark.parametrize("run_name", RUNS)
def test_best_fits_are_global(run_name):
    """Three hundred simplex searches, which share no code with zpfit, find no better fit."""
    posterior = load_run(packaged_data() / "runs" / f"{run_name}.yaml").posterior
    best = minimum_of(posterior, 1)

    def objective(u):
        if np.any((u < 0) | (u > 1)):
            return 1e6
        return min(float(-2 * posterior.log_likelihood(u[None])[0]), 1e6)

    rng = np.random.default_rng(2)
    draws = rng.random((200_000, posterior.dimension))
    allowed = draws[np.isfinite(posterior.log_likelihood(draws))][:300]
    assert len(allowed) == 300
    searches = [
        minimize(objective, start, method="Nelder-Mead", options={"adaptive": True, "maxfev": 1500})
        for start in allowed
    ]
    assert min(search.fun for search in searches) > best - 0.05


@pytest.mark.slow
def test_best_fit_over_whole_numbers_is_global():
    """Every combination of charges up to 2 has its own search over the continuous parameters."""
    changes = {f"priors.parameters.{name}": "{type: fractions, largest: 2}" for name in
               ("z_Le", "z_Lmu", "n_e", "n_mu")}  # fmt: skip
    path = packaged_data() / "runs" / "froggatt_nielsen_integers_rb.yaml"
    posterior = load_run(path, changes).posterior
    best = min(minimum_of(posterior, seed, 20_000) for seed in (1, 2))
    rng = np.random.default_rng(1)
    grain = posterior.priors.step_width
    lowest = np.inf
    for combination in np.ndindex(5, 5, 5, 5):
        starts = rng.random((100, posterior.dimension))
        starts[:, grain > 0] = (np.array(combination) + 0.5) / 5
        points, _ = descend(posterior.residuals, starts, 1e4, 60)
        lowest = min(lowest, (-2 * posterior.log_likelihood(points)).min())
    assert best < lowest + 0.05


def test_names_of_models_are_known_without_them():
    assert set(BUILT_IN_NAMES) == set(BUILT_IN)
