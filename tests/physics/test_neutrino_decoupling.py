"""Check N_eff against independent values, quadrature over momentum and limits of the mass."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

from zpfit.io.library import Library
from zpfit.io.places import packaged_data
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.physics.cosmology import mass_floor_ratio, mixed_mass_floor_ratio
from zpfit.physics.couplings import Couplings
from zpfit.physics.neutrino_decoupling import entropy, n_eff

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "n_eff_and_z_pole.json").read_text(encoding="utf-8")
)["n_eff"]
LIBRARY = Library((packaged_data(),))
COUPLINGS = {"electron": {"C_Ve": 1e-4}, "neutrino": {"C_numu": 1e-4}}
NEUTRINOS = 7 / 8 * 6 * 2 * np.pi**2 / 45


def one(m: float, **values: float) -> float:
    return float(n_eff(Couplings.of(m_Zp=m, **values))[0])


def by_momentum(y: float) -> float:
    """Return the entropy of a vector over T^3, integrated over momentum."""

    def density(x: float) -> float:
        energy = np.hypot(x, y)
        return float(x**2 * (energy + x**2 / (3 * energy)) / np.expm1(energy))

    return 3 / (2 * np.pi**2) * quad(density, 0, 60, epsabs=0, epsrel=1e-12, limit=200)[0]


@pytest.mark.parametrize(("m", "sector", "expected"), REFERENCE)
def test_independent_values(m: float, sector: str, expected: float) -> None:
    assert one(m, **COUPLINGS[sector]) == pytest.approx(expected, rel=1e-8)


def test_the_table_agrees_with_quadrature_between_its_knots() -> None:
    for m in (0.0037, 0.41, 2.93, 8.1, 16.3, 31.0):
        expected = 3.044 * (1 + by_momentum(m / 2) / NEUTRINOS) ** (4 / 3)
        assert one(m, C_nue=1e-4) == pytest.approx(expected, rel=1e-9)


def test_limits_of_light_and_heavy_bosons() -> None:
    """A massless vector adds 3 bosonic states to 6 fermionic ones: (1 + 3/5.25)^(4/3)."""
    assert one(1e-4, C_nue=1e-4) == pytest.approx(3.044 * (1 + 3 / 5.25) ** (4 / 3), rel=1e-7)
    for couplings in COUPLINGS.values():
        assert one(1e4, **couplings) == pytest.approx(3.044, rel=1e-12)


def test_entropy_of_massless_fermions() -> None:
    [found] = entropy(np.zeros(1), 6, fermions=True)
    assert found == pytest.approx(NEUTRINOS, rel=1e-12)


def test_only_couplings_to_one_sector_move_it() -> None:
    below, above = 0.99e-9, 1.01e-9
    assert one(5, C_Ve=below) == one(5, C_Vmu=1e-3) == 3.044
    assert one(5, C_Ve=1e-4, C_nutau=above) == 3.044
    assert one(5, C_Ae=above, C_nutau=below) == one(5, C_Ve=1e-4) < 2.3
    assert one(5, C_nutau=above, C_Ve=below) == one(5, C_nue=1e-4) > 4.2


def test_lower_bounds_on_the_mass_at_two_standard_errors() -> None:
    """8.4 and 9.9 MeV, where arXiv:1912.12152 has 8.5 MeV for a dark photon."""
    electrons = brentq(lambda m: one(m, C_Ve=1e-4) - (2.99 - 2 * 0.17), 5, 20)
    neutrinos = brentq(lambda m: one(m, C_nue=1e-4) - (2.99 + 2 * 0.17), 5, 20)
    assert (round(electrons, 1), round(neutrinos, 1)) == (8.4, 9.9)


def test_the_mixed_floor_is_the_plain_one_where_both_couple_and_nothing_elsewhere() -> None:
    c = Couplings.of(
        m_Zp=6.0, C_Ae=[1e-4, 1e-4, 0, 0], C_nutau=[0, 1e-4, 1e-4, 0], C_numu=[0, 0, 0, 1e-10]
    )
    plain, mixed = (f(c, 9.8, 8.3, 1e-9) for f in (mass_floor_ratio, mixed_mass_floor_ratio))
    np.testing.assert_array_equal(mixed, np.where([False, True, False, False], plain, 0))
    assert mixed[1] == pytest.approx(9.8 / 6)


def test_a_set_with_n_eff_and_the_mixed_floor_treats_all_couplings() -> None:
    chosen = LikelihoodSpec(add=("n_eff_2018", "bbn_mixed_2020"))
    likelihood = assemble(chosen, LIBRARY).likelihood
    c = Couplings.of(m_Zp=6.0, C_Ve=[1e-4, 0, 1e-4], C_nue=[0, 1e-4, 1e-4])
    assert likelihood.excluded_by(c) == [[], [], ["bbn_mixed_2020"]]
    expected = [((n - 2.99) / 0.17) ** 2 for n in n_eff(c)]
    np.testing.assert_allclose(likelihood.chi2(c), expected, rtol=1e-12)
    assert likelihood.chi2(c)[:2].min() > 9


@pytest.mark.parametrize("name", ["n_eff_2018", "n_eff_2025", "n_eff_2026", "bbn_mixed_2020"])
def test_none_of_them_goes_with_the_plain_floors(name: str) -> None:
    with pytest.raises(Exception, match=r"supersedes|both stand for"):
        assemble(LikelihoodSpec(add=("bbn_2020", name)), LIBRARY)
