"""Entries of charged-current decays, weak charges and neutron-lead scattering, by hand."""

from itertools import combinations

import numpy as np
import pytest

from zpfit.errors import InvalidInput
from zpfit.io.library import Library
from zpfit.io.places import packaged_data
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.likelihood.entries import EntryFile
from zpfit.likelihood.library import read_entry
from zpfit.physics.couplings import Couplings

LIBRARY = Library((packaged_data(),))
SINDRUM = (
    "sindrum_peak_1986",
    "sindrum_peak_1986_strong",
    "sindrum_peak_1986_weak",
    "sindrum_rate_1989",
)
CAESIUM = ("q_w_cs_pdg_2024", "q_w_cs_2021")


def likelihood(*names):
    return assemble(LikelihoodSpec(add=names), LIBRARY).likelihood


def ratio(name, c):
    [found] = likelihood(name).ratios(c).values()
    return found


@pytest.mark.parametrize("pair", [*combinations(SINDRUM, 2), CAESIUM])
def test_one_experiment_counts_once(pair):
    with pytest.raises(InvalidInput, match="both stand for the measurement"):
        likelihood(*pair)


@pytest.mark.parametrize(
    ("name", "limit"),
    list(zip(SINDRUM, (5e-10, 1e-10, 1e-9), strict=False)),
)
def test_peak_search_bounds_the_branching_ratio(name, limit):
    """B0(20 MeV) is 0.11922308882330385."""
    c = Couplings.of(m_Zp=20.0, C_Ve=1e-4)
    assert ratio(name, c) == pytest.approx(0.11922308882330385e-8 / limit, rel=1e-8)


def test_the_rate_has_the_standard_models_value():
    c = Couplings.of(m_Zp=20.0, C_Ve=[0.0, 1e-4])
    pull = 0.11922308882330385e-8 / 5e-10
    np.testing.assert_allclose(likelihood("sindrum_rate_1989").chi2(c), [0, pull**2], atol=1e-15)


def test_weak_charges_without_a_boson():
    """Pulls are those of the published values against the Standard Model."""
    nothing = Couplings.none()
    expected = {
        "q_w_cs_pdg_2024": (-72.82 + 73.23) / 0.42,
        "q_w_cs_2021": (-73.71 + 73.23) / (0.26**2 + 0.23**2 + 0.01**2) ** 0.5,
        "qweak_2018": (0.0719 - 0.0708) / 0.0045,
    }
    for name, pull in expected.items():
        assert likelihood(name).chi2(nothing) == pytest.approx(pull**2, rel=5e-3)


@pytest.mark.parametrize(("name", "limit"), [("2024", 3.6e-3), ("2026", 5.04e-3)])
def test_the_width_of_the_w_bounds_the_muons_charge(name: str, limit: float):
    """2 sigma, 79 MeV (155 MeV in 2026), allow D up to 3.6e-3 (5.0e-3) at 17 MeV."""
    c = Couplings.of(m_Zp=17.0, C_Vmu=limit)
    [term] = likelihood(f"w_width_pdg_{name}").measurements
    assert -term.pull(c)[0] == pytest.approx(2.0, abs=0.05)


def test_kaons_bound_the_muons_charge_where_na62_searched():
    """A branching ratio of 1e-5 allows D up to 2.1e-3 at 20 MeV."""
    m = np.array([9.0, 20.0, 20.0, 380.0])
    dark = np.array([1e3, 1e3, 0.0, 1e3])
    c = Couplings.of(m_Zp=m, C_Vmu=2.11e-3, C_Ve=1e-3, width_dark=dark)
    found = ratio("na62_k_munu_2021", c)
    assert found[1] == pytest.approx(1, rel=0.01)
    assert not found[[0, 2, 3]].any()  # not covered, visible, not covered
    assert likelihood("na62_k_munu_2021").exclusions[0].mass_range == (10.0, 370.0)


def test_kaons_to_pions_bound_axial_couplings():
    """A branching ratio of 8e-7 allows 2 C_Au + C_Ad + C_As up to 3.37e-5 at 17 MeV."""
    c = Couplings.of(m_Zp=[17.0, 120.0], C_Ve=2e-4, C_Au=3.371e-5, C_Ad=-3.371e-5)
    np.testing.assert_allclose(ratio("k_pi_ee_bnl_1987", c), [1.0, 0.0], atol=1e-3)


def test_a_note_names_the_kaon_decays_that_no_entry_holds():
    def notes(*names):
        made = assemble(LikelihoodSpec(add=names), LIBRARY)
        return [note for note in made.notes() if "kaon decays" in note]

    assert not notes("sindrum_peak_1986")
    [note] = notes("be8_1815_2018")
    assert "k_pi_ee_bnl_1987 is an option" in note
    [note] = notes("be8_1815_2018", "k_pi_ee_bnl_1987")
    assert "k_pi_ee" not in note
    assert "K_L" in note


def test_neutron_lead_on_the_published_coupling():
    c = Couplings.of(m_Zp=17.0, C_Vu=-0.00757 / 3, C_Vd=2 * 0.00757 / 3)
    assert ratio("neutron_lead_1975", c) == pytest.approx(0.9727797076747284, rel=1e-8)


def test_a_range_of_masses_is_ordered():
    entry = read_entry(LIBRARY, "na62_k_munu_2021").entry.model_dump()
    with pytest.raises(ValueError, match="smaller mass first"):
        EntryFile.model_validate(entry | {"mass_range": [370.0, 10.0]})
