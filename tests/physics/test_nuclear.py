"""Compare emission of a Z' by nuclei with references, closed forms and an independent integral."""

import json
import pickle
from math import pi
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad

from zpfit.models.x17 import X17, X17Options
from zpfit.physics import nuclear
from zpfit.physics import nuclear_experiments as pairs
from zpfit.physics.constants import ELECTRIC_CHARGE, FINE_STRUCTURE
from zpfit.physics.couplings import Couplings
from zpfit.physics.nuclear import BE8_1764, BE8_1815, MixedStates
from zpfit.physics.nucleons import LATTICE_SPINS, axial_couplings
from zpfit.physics.observables import find_observable

CASES = json.loads(
    (Path(__file__).parents[1] / "reference" / "nuclear.json").read_text(encoding="utf-8")
)
STATES = {"18.15": BE8_1815, "17.64": BE8_1764}
SCHEMES = {"mixing": MixedStates(breaking=0.0), "breaking": MixedStates()}


def state_of(inputs):
    """Return the state of a case, in its scheme of isospin."""
    state = STATES[inputs["state"]]
    scheme = inputs.get("scheme", "breaking")
    if scheme == "isospin":
        share = {"18.15": 1.0, "17.64": 0.0}[inputs["state"]]
    else:
        share = getattr(SCHEMES[scheme], f"isoscalar_{inputs['state'].replace('.', '')}")
    return nuclear.MagneticDipole(
        state.energy, state.width, share, state.proton_spin, state.neutron_spin
    )


FUNCTIONS = {
    "be8_weights": lambda i: [state_of(i).isoscalar, 1 - state_of(i).isoscalar],
    "be8_vector": lambda i: nuclear.magnetic_dipole_vector(
        i["m"], i["C_Vp"], i["C_Vn"], state_of(i)
    ),
    "be8_axial": lambda i: nuclear.magnetic_dipole_axial(i["m"], i["a_p"], i["a_n"], state_of(i)),
    "he4_vector": lambda i: nuclear.helium_vector(i["m"], i["C_Vp"], i["C_Vn"]),
    "he4_axial": lambda i: nuclear.helium_axial(i["m"], i["a_p"], i["a_n"]),
    "e1_vector": lambda i: nuclear.electric_dipole(i["m"], i["C_Vp"], i["C_Vn"], i["E0"]),
    "c12_axial": lambda i: nuclear.carbon_axial(i["m"], i["a_p"], i["a_n"]),
    "axial_nucleon": lambda i: np.ravel(axial_couplings(Couplings.of(m_Zp=17.0, **i))),
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_reference(case):
    found = FUNCTIONS[case["function"]](case["inputs"])
    np.testing.assert_allclose(found, case["expected"], rtol=1e-9, atol=1e-30)


def test_published_shares_of_the_amplitude():
    """arXiv:1608.03591 has -0.09 and 1.09 for mixed states, 0.05 and 0.95 with broken isospin."""
    assert MixedStates(breaking=0.0).isoscalar_1815 == pytest.approx(-0.09, abs=0.005)
    assert MixedStates().isoscalar_1815 == pytest.approx(0.05, abs=0.005)


@pytest.mark.parametrize("m", [1e-4, 1e-2])
def test_light_copies_of_the_photon_have_its_rate(m):
    e = ELECTRIC_CHARGE
    for state in (BE8_1815, BE8_1764):
        assert nuclear.magnetic_dipole_vector(m, e, 0.0, state) == pytest.approx(1, rel=1e-5)
    assert nuclear.electric_dipole(m, e, 0.0, 17.23) == pytest.approx(1, rel=1e-5)


def test_monopole_reproduces_pairs_by_virtual_photons():
    """An off-shell photon of mass q decays to pairs with the spectral function alpha/(3 pi q^2).

    The integral over all q gives the pair width that the rate is divided by; massless electrons.
    """
    energy = nuclear.HELIUM.energy
    per_photon = FINE_STRUCTURE / (3 * pi)

    def spectrum(q2):
        return per_photon / q2 * nuclear.helium_vector(np.sqrt(q2), ELECTRIC_CHARGE, 0.0)

    total, _ = quad(spectrum, 0, energy**2, epsabs=0, epsrel=1e-10)
    assert total == pytest.approx(1, rel=1e-9)


RATES = {
    "be8_1815": lambda m, v, a: (
        nuclear.magnetic_dipole_vector(m, v, 0.3 * v, BE8_1815)
        + nuclear.magnetic_dipole_axial(m, a, -0.4 * a, BE8_1815)
    ),
    "he4_even": lambda m, v, _: nuclear.helium_vector(m, v, 0.3 * v),
    "he4_odd": lambda m, _, a: nuclear.helium_axial(m, a, 0.3 * a),
    "c12": lambda m, v, a: (
        nuclear.electric_dipole(m, v, 0.3 * v, 17.23) + nuclear.carbon_axial(m, a, 0.3 * a)
    ),
}
ENERGIES = {"be8_1815": 18.15, "he4_even": 20.21, "he4_odd": 21.01, "c12": 17.23}


@pytest.mark.parametrize("name", RATES)
def test_rates_vanish_at_threshold(name):
    energy, rate = ENERGIES[name], RATES[name]
    below = energy * (1 - np.array([1e-4, 1e-8, 1e-12]))
    near = rate(below, 1e-3, 1e-4)
    assert (np.diff(near) < 0).all()
    assert near[-1] < 1e-5 * rate(0.9 * energy, 1e-3, 1e-4)
    assert not rate(np.array([energy, 1.0001 * energy, 135.0]), 1e-3, 1e-4).any()


@pytest.mark.parametrize("name", RATES)
def test_rates_grow_with_the_square_of_all_couplings(name):
    one = RATES[name](16.9, 1e-3, 1e-4)
    assert RATES[name](16.9, -3e-3, -3e-4) == pytest.approx(9 * one, rel=1e-12)


WHOLE = {
    # Points of an independent calculation with default inputs: both kinds of couplings.
    "vector": (
        {"m_Zp": 16.9, "C_Vu": -0.001, "C_Vd": 0.0022, "C_Ve": 0.0003},
        (
            4.291207552544071e-06, 2.589996630381851e-06, 0.052625456762209775 / 0.20,
            3.221281523215373e-05,
        ),
    ),
    "axial": (
        {
            "m_Zp": 16.7, "C_Vu": 1e-05, "C_Au": -8e-05, "C_Vd": -2e-05, "C_Ad": -9e-05,
            "C_As": -9e-05, "C_Ve": 1e-05, "C_Ae": 0.0002, "C_nue": -2e-06,
        },
        (
            1.3636277177736897e-05, 5.427198436598552e-10,
            3.865177632272297e-06 / 0.20 + 0.3522067559491298 / 0.87, 3.6644663231547804e-09,
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
def test_rates_of_pairs(name):
    point, (be18, be17, he4, c12) = WHOLE[name]
    c = Couplings.of(**point)
    found = [f(c)[0] for f in (pairs.be8_1815, pairs.be8_1764, pairs.he4_pairs, pairs.c12_1723)]
    np.testing.assert_allclose(found, [be18, be17, he4, c12], rtol=1e-8)


def test_inputs_move_rates_by_their_errors():
    vector = Couplings.of(m_Zp=17.0, C_Ve=2e-4, C_Vu=1e-3, C_Vd=1e-3)
    ratio = pairs.be8_1815(vector, {"be8_vector": np.ones(1)}) / pairs.be8_1815(vector)
    assert ratio[0] == pytest.approx(1.2**2, rel=1e-12)
    axial = Couplings.of(m_Zp=17.0, C_Ve=2e-4, C_Au=3e-5, C_Ad=3e-5)
    # Equal couplings: the sum of spins is -0.179 with an error of hypot(0.029, 0.033).
    ratio = pairs.be8_1815(axial, {"be8_spins_1815": np.ones(1)}) / pairs.be8_1815(axial)
    assert ratio[0] == pytest.approx((1 + np.hypot(0.029, 0.033) / 0.179) ** 2, rel=1e-12)
    ratio = pairs.he4_pairs(axial, {"he4_axial": -np.ones(1)}) / pairs.he4_pairs(axial)
    assert ratio[0] == pytest.approx(0.25, rel=1e-12)
    isovector = Couplings.of(m_Zp=17.0, C_Ve=2e-4, C_Vd=1e-3)
    higher = pairs.c12_1723(isovector, {"c12_energy": np.ones(1)})
    assert higher[0] == pytest.approx(nuclear.electric_dipole(17.0, 1e-3, 2e-3, 17.8), rel=1e-12)


def test_lattice_spins_move_the_couplings_as_published():
    """Isoscalar Du + Dd is 0.52 in the literature and 0.34 on the lattice."""
    c = Couplings.of(m_Zp=17.0, C_Au=1.0, C_Ad=1.0)
    assert axial_couplings(c)[0] == pytest.approx(0.521, abs=1e-12)
    assert axial_couplings(c, LATTICE_SPINS)[1] == pytest.approx(0.341, abs=1e-12)


@pytest.mark.parametrize("name", ["be8_1815", "be8_1764", "he4_pairs", "c12_1723"])
def test_lattice_rates_are_the_usual_ones_of_equal_nucleons(name):
    """The model inverts the same spins, so that a_p and a_n decide, and vector parts stay."""
    values = {"m_Zp": 16.9, "C_Ve": 2e-4, "C_Ae": 0.0, "C_nue": 0.0, "D_pi": 1e-5, "Q_Cs": 0.02}
    values |= {"a_p": -2e-4, "a_n": 3e-5, "C_Vmu": 0.0, "C_Amu": 0.0, "C_numu": 0.0}
    point = {key: np.array([value]) for key, value in values.items()}
    usual, other = (X17(X17Options(spins=s)).couplings(point) for s in ("literature", "lattice"))
    # The pion's charge holds C_Au - C_Ad, so that vector couplings move with the spins.
    other = other.with_rows(C_Vu=usual.C_Vu, C_Vd=usual.C_Vd)
    found = find_observable(f"{name}_lattice").function
    assert found(other) == pytest.approx(getattr(pairs, name)(usual), rel=1e-12)
    assert found(usual) != pytest.approx(getattr(pairs, name)(usual), rel=0.05)


def test_workers_get_the_lattice_rates_and_lines_share_their_inputs():
    lines = [find_observable(f"be8_{line}_lattice") for line in (1815, 1764)]
    sent = pickle.loads(pickle.dumps(lines))  # noqa: S301
    assert [one.function for one in sent] == [one.function for one in lines]
    assert len({one.profile for one in (*lines, *sent)}) == 1


def test_models_without_axial_quarks_cost_nothing():
    a_p, a_n = axial_couplings(Couplings.of(m_Zp=17.0, C_Ve=1e-4))
    assert a_p.strides == a_n.strides == (0,)
