"""Check the entries of newer results against the numbers that publications quote."""

from math import hypot

import numpy as np
import pytest

from zpfit.io.library import Library
from zpfit.io.places import packaged_data
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.likelihood.entries import GaussianEntry
from zpfit.likelihood.library import read_entry
from zpfit.physics.constants import ELECTRIC_CHARGE, ELECTRON_MASS, MUON_MASS
from zpfit.physics.couplings import Couplings
from zpfit.physics.padme import padme_excess

LIBRARY = Library((packaged_data(),))


def gaussian(name: str) -> GaussianEntry:
    entry = read_entry(LIBRARY, name).entry
    assert isinstance(entry, GaussianEntry)
    return entry


def notes(*names: str) -> str:
    return " ".join(assemble(LikelihoodSpec(add=names), LIBRARY).notes())


def limit(name: str, m: float, **couplings: float) -> float:
    """Return the limit of a curve on the coupling that is given as 1, over e."""
    [exclusion] = assemble(LikelihoodSpec(add=(name,)), LIBRARY).likelihood.exclusions
    return float(1 / exclusion.ratio(Couplings.of(m_Zp=m, **couplings))[0]) / ELECTRIC_CHARGE


INVISIBLE = {"C_Ve": 1.0, "width_dark": 1e9}
MUON_INVISIBLE = {"C_Vmu": 1.0, "width_dark": 1e9}


# one vacuum polarisation for all moments


@pytest.mark.parametrize("isotope", ["cs", "rb"])
def test_the_lattice_moves_the_electrons_moment_as_the_muons(isotope: str) -> None:
    """R = (m_mu/m_e)^2 a_e/a_mu = 1.1456(83), times 7132(61)e-11; e+ e- data have 1.849(11)e-12.

    The next order, -0.2213e-12, scales along.
    """
    leading = 1.1456 * 7132e-11 * (ELECTRON_MASS / MUON_MASS) ** 2
    rise = (leading - 1.849e-12) * (1 - 0.2213 / 1.849)
    assert leading == pytest.approx(1.911e-12, abs=1e-15)
    before = {"cs": -9.58e-13, "rb": 3.96e-13}[isotope]
    old, new = (gaussian(f"a_e_{isotope}_2023{kind}") for kind in ("", "_lattice"))
    assert new.value == pytest.approx(before - rise, abs=0.06e-13)
    assert old.value == pytest.approx(before, abs=0.06e-13)
    widened = hypot(float(old.error), leading * hypot(83 / 11456, 61 / 7132))
    assert new.error == pytest.approx(widened, abs=0.03e-13)


def test_mixed_predictions_are_told_and_consistent_ones_are_not() -> None:
    mixed = notes("a_e_cs_2023", "a_mu_2025_wp2025")
    assert "dispersive in a_e_cs_2023, lattice in a_mu_2025_wp2025" in mixed
    assert "take entries of one kind" in mixed
    for electron, muon in (
        ("a_e_cs_2023_lattice", "a_mu_2025_wp2025"),
        ("a_e_rb_2023_lattice", "a_mu_2025_hybrid2026"),
        ("a_e_rb_2023", "a_mu_2025_wp2020"),
        ("a_e_cs_2018", "a_mu_2021"),
    ):
        assert "vacuum" not in notes(electron, muon)


def test_every_magnetic_moment_says_where_its_vacuum_polarisation_is_from() -> None:
    moments = [n for n in LIBRARY.names("entry") if n.startswith(("a_e_", "a_mu_"))]
    assert {n for n in moments if gaussian(n).vacuum_polarisation == "lattice"} == {
        n for n in moments if "lattice" in n or "wp2025" in n or "bmw" in n or "hybrid" in n
    }
    assert all(gaussian(n).vacuum_polarisation for n in moments)


def test_the_hybrid_prediction_is_half_a_standard_error_away() -> None:
    entry = gaussian("a_mu_2025_hybrid2026")
    assert entry.value == pytest.approx(116592071.5e-11 - 116592052e-11, rel=1e-6)
    assert entry.error == pytest.approx(hypot(14.5, 36) * 1e-11, abs=0.05e-10)
    assert entry.value / float(entry.error) == pytest.approx(0.5, abs=0.01)


# limits


def test_hps_is_a_limit_of_95_percent() -> None:
    soft = LikelihoodSpec(add=("hps_2018",), soft=("hps_2018",))
    [exclusion] = assemble(soft, LIBRARY).likelihood.exclusions
    m = 31.003
    c = Couplings.of(m_Zp=m, C_Ve=ELECTRIC_CHARGE * 3.0945e-3)
    assert exclusion.chi2(c)[0] == pytest.approx(1.6449**2, rel=0.02)


@pytest.mark.parametrize(
    ("name", "m", "epsilon"),
    [
        ("na64_invisible_2023_annihilation", 7.1499, 1.7126e-5),
        ("na64_invisible_2023_annihilation", 234.46, 1.3935e-4),
        ("na64_invisible_2023_annihilation", 785.0, 3.47e-3),
        ("na64_positrons_2023", 20.484, 3.9531e-4),
        ("na64_positrons_2023", 234.38, 4.8626e-4),
    ],
)
def test_the_collaborations_curves_of_na64(name: str, m: float, epsilon: float) -> None:
    """The collaboration's y at some masses, converted by hand; curves are thinned to 0.3 %."""
    assert limit(name, m, **INVISIBLE) == pytest.approx(epsilon, rel=4e-3)


def test_both_curves_of_na64_agree_where_annihilation_does_not_matter() -> None:
    for m in (10.0, 17.0, 30.0, 60.0, 100.0):
        own = limit("na64_invisible_2023_annihilation", m, **INVISIBLE)
        assert own == pytest.approx(limit("na64_invisible_2023", m, **INVISIBLE), rel=0.11)
    own = limit("na64_invisible_2023_annihilation", 250.0, **INVISIBLE)
    assert 3.5 < limit("na64_invisible_2023", 250.0, **INVISIBLE) / own < 4.5


@pytest.mark.parametrize(
    ("name", "masses", "coupling"),
    [
        ("belle2_invisible_2023", (1.5, 100.0, 200.0), 3e-3),
        ("besiii_invisible_2024", (2.0, 150.0, 900.0), 1e-2),
    ],
)
def test_flat_limits_on_the_muon(name: str, masses: tuple[float, ...], coupling: float) -> None:
    for m in masses:
        found = limit(name, m, **MUON_INVISIBLE) * ELECTRIC_CHARGE
        assert found == pytest.approx(coupling, rel=1e-4)


def test_the_excess_of_padme() -> None:
    c = Couplings.of(m_Zp=[16.90, 16.94, 16.90], C_Ve=[5.6e-4, 5.6e-4, 0], C_Ae=[0, 0, 2.8e-4])
    np.testing.assert_allclose(padme_excess(c), [1, np.exp(-0.5), 0.25], rtol=1e-12)
