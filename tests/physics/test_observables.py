"""Test the registry of observables: names, the couplings that each reads, plug-ins."""

from pathlib import Path

import numpy as np
import pytest

from zpfit.physics.couplings import COUPLING_NAMES, Couplings
from zpfit.physics.observables import (
    RENAMED,
    Group,
    built_in_observables,
    find_observable,
    observable,
    observable_names,
    predictions,
)

N = 40


def points() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    rows = {n: rng.choice([-1, 1], N) * 10 ** rng.uniform(-5, -3, N) for n in COUPLING_NAMES[1:]}
    mass = np.geomspace(5.0, 9900.0, N)  # above the threshold of b quarks
    return {"m_Zp": mass, **rows, "width_dark": 1e-9 * mass}


_ALONE = np.where(np.arange(N) < N // 2, 1e-4, 0.65e-9)
ELSEWHERE: dict[str, dict[str, object]] = {
    # Couplings to one sector, of a size where a change switches thermal contact on.
    "n_eff": dict.fromkeys(COUPLING_NAMES[1:], 0.9e-9)
    | {"m_Zp": np.geomspace(2.0, 20.0, N), "C_Ve": _ALONE, "C_Ae": 0.65e-9},
    "padme_excess": {"m_Zp": np.linspace(16.8, 17.0, N)},
}
"""Points for observables that depend on their couplings in a small region only."""


def near(name: str) -> dict[str, np.ndarray]:
    chosen = points() | ELSEWHERE.get(name, {})
    return {key: np.broadcast_to(value, N) for key, value in chosen.items()}


@pytest.mark.parametrize("name", list(built_in_observables()))
def test_it_depends_on_the_couplings_that_it_reads_and_on_no_other(name: str):
    declared = built_in_observables()[name]
    before = declared.function(Couplings.of(**near(name)))
    for changed in COUPLING_NAMES:
        varied = near(name)
        varied[changed] = 1.3 * varied[changed]
        after = declared.function(Couplings.of(**varied))
        if changed in declared.reads:
            assert (after != before).any(), changed
        else:
            np.testing.assert_array_equal(after, before, err_msg=changed)


def test_reported_predictions_keep_their_order():
    assert list(predictions()) == [
        "delta_a_e", "delta_a_mu", "paper_texono", "paper_borexino", "paper_charm2_nu",
        "paper_charm2_nubar", "paper_ccfr", "nue_texono", "nue_borexino", "nue_charm2_nu",
        "nue_charm2_nubar", "nue_lsnd", "coherent_csi", "coherent_lar", "conus_plus",
        "trident_ccfr", "trident_charm2", "trident_nutev", "e158_sin2_theta", "br_ee", "br_inv",
        "pi_enu_ee", "delta_w_width", "delta_q_w_cs", "delta_q_w_p", "n_eff", "z_pole_s2_eff",
        "z_pole_m_W", "z_pole_width", "dark_z_delta", "axial_over_mass",
    ]  # fmt: skip
    bounded = set(built_in_observables()) - set(predictions())
    assert bounded == {
        "white_dwarf_cooling", "paper_moller", "k_munu_inv", "neutron_lead", "padme_excess",
        "dark_z_kaon_invisible", "dark_z_b_invisible", "dark_z_b_visible", "be8_1815", "k_pi_ee",
        "be8_1764", "he4_pairs", "he4_capture", "c12_1723", "mass",
        "be8_1815_lattice", "be8_1764_lattice", "he4_pairs_lattice", "c12_1723_lattice",
    }  # fmt: skip


def test_former_names_find_the_papers_formulas():
    assert all(find_observable(old).name == new for old, new in RENAMED.items())
    assert not set(RENAMED) & set(observable_names())


def test_a_declaration_is_checked():
    with pytest.raises(ValueError, match="C_Vx"):
        observable(reads=("C_Vx",), group=Group.OTHER)(lambda c: c.C_Ve)
    with pytest.raises(ValueError, match="two observables"):
        observable(reads=("C_Ve",), group=Group.OTHER, name="br_ee")(lambda c: c.C_Ve)
    with pytest.raises(KeyError):
        find_observable("nothing")


PLUGIN = """\
from zpfit.physics.observables import Group, observable

@observable(reads=("C_Ve",), group=Group.OTHER)
def plugged_square(c):
    return c.C_Ve**2

def bare(c):
    return c.C_Ve
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a package that offers three observables, one of them valid."""
    names = {"plugged_square": "plugged_square", "bare": "bare", "absent": "absent"}
    lines = [f"{name} = plugged_physics:{target}\n" for name, target in names.items()]
    info = tmp_path / "plugged_physics-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugged-physics\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[zpfit.observables]\n" + "".join(lines))
    (tmp_path / "plugged_physics.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("installed")
def test_installed_packages_add_observables():
    assert "plugged_square" in observable_names()
    found = find_observable("plugged_square")
    assert found.reads == ("C_Ve",)
    assert found.function(Couplings.of(m_Zp=17.0, C_Ve=3.0)).tolist() == [9.0]
    with pytest.raises(ImportError, match="declares no observable 'bare'"):
        find_observable("bare")
    with pytest.raises(ImportError, match="cannot be imported"):
        find_observable("absent")
