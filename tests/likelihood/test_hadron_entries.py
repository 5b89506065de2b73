"""Compare packaged limits with mesons and proton beams with publications and other recasts."""

import numpy as np
import pytest
from scipy.optimize import brentq

from zpfit.errors import InvalidInput
from zpfit.io.library import Library
from zpfit.io.places import packaged_data
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.likelihood.curves import PROMPT_COLUMNS, REGION_COLUMNS, read_curve
from zpfit.likelihood.exclusions import BeamDumpEntry, CurveEntry, PromptLimitEntry
from zpfit.likelihood.library import read_entry
from zpfit.physics.constants import ELECTRIC_CHARGE
from zpfit.physics.couplings import Couplings

E = ELECTRIC_CHARGE
LIBRARY = Library((packaged_data(),))
LOADED = {name: read_entry(LIBRARY, name) for name in LIBRARY.names("entry")}
HADRONS = [
    name
    for name, loaded in LOADED.items()
    if isinstance(loaded.entry, CurveEntry) and loaded.entry.production != "electron"
]
PROMPT = [name for name in HADRONS if isinstance(LOADED[name].entry, PromptLimitEntry)]
DUMPS = [name for name in HADRONS if isinstance(LOADED[name].entry, BeamDumpEntry)]
REGIONS = [name for name in HADRONS if name not in PROMPT]


def ratio(name, c):
    [term] = assemble(LikelihoodSpec(add=(name,)), LIBRARY).likelihood.exclusions
    return term.ratio(c)


def table(name):
    """Return mass, and one or two edges of the mixing, of rows and halfway between them."""
    columns = PROMPT_COLUMNS if name in PROMPT else REGION_COLUMNS
    rows = read_curve(LOADED[name].curve, columns)
    both = np.concatenate([rows, (rows[1:] + rows[:-1]) / 2])
    m, *edges = np.exp(both[both[:, 0].argsort()]).T
    return m, [edge / E for edge in edges]


def photon(m, epsilon, **others):
    """Return a dark photon, built from its charges."""
    charge = E * np.asarray(epsilon, dtype=float)
    quarks = {"u": 2, "d": -1, "s": -1, "c": 2, "b": -1}
    leptons = {f"C_V{lepton}": -charge for lepton in ("e", "mu", "tau")}
    light = {f"C_V{quark}": charge * thirds / 3 for quark, thirds in quarks.items()}
    return Couplings.of(m_Zp=m, **leptons, **light, **others)


def b_minus_l(m, g):
    g = np.asarray(g, dtype=float)
    leptons = {f"C_V{lepton}": -g for lepton in ("e", "mu", "tau")}
    neutrinos = {f"C_nu{lepton}": -g for lepton in ("e", "mu", "tau")}
    return Couplings.of(m_Zp=m, **leptons, **neutrinos, **{f"C_V{q}": g / 3 for q in "udscb"})


# their own model


@pytest.mark.parametrize("name", PROMPT)
def test_a_prompt_limit_of_a_dark_photon_returns_itself(name):
    m, [epsilon] = table(name)
    invisible = LOADED[name].entry.search == "invisible"
    hidden = {"width_dark": np.full(len(m), 1e3)} if invisible else {}
    np.testing.assert_allclose(ratio(name, photon(m, epsilon, **hidden)), 1, rtol=1e-6)


@pytest.mark.parametrize("name", REGIONS)
def test_a_region_of_a_dark_photon_returns_itself(name):
    m, edges = table(name)
    for epsilon in edges:
        np.testing.assert_allclose(ratio(name, photon(m, epsilon)), 1, rtol=1e-5)
    tips = edges[0] > 0.999 * edges[1]
    inside = ratio(name, photon(m, np.sqrt(edges[0] * edges[1])))
    assert np.all(inside[~tips] > 1)


@pytest.mark.parametrize("name", sorted({*HADRONS} - {"kloe_phi_2013", "na62_invisible_2019"}))
def test_kinetic_mixing_never_evades(name):
    """A share of the width to neutrinos does not hide a dark photon in the middle of a region."""
    m, edges = table(name)
    middle = len(m) // 2
    epsilon = 10 * edges[0][middle] if name in PROMPT else np.sqrt(edges[0] * edges[1])[middle]
    c = photon(m[middle], epsilon, C_nutau=0.5 * E * epsilon)
    assert ratio(name, c)[0] > 1


@pytest.mark.parametrize("name", HADRONS)
def test_leptons_alone_are_not_produced(name):
    m, edges = table(name)
    c = Couplings.of(m_Zp=m, C_Ve=E * edges[0], C_Ae=E * edges[0], C_Au=1e-3, C_Ad=1e-3)
    assert not ratio(name, c).any()


def test_a_protophobic_boson_evades_pions_and_protons():
    """C_Vd = -2 C_Vu at 17 MeV; the eta and the phi see it."""
    size = 3e-3
    c = Couplings.of(m_Zp=17.0, C_Ve=1e-3, C_Vu=-size, C_Vd=2 * size, C_Vs=2 * size)
    seen = {name: ratio(name, c)[0] for name in HADRONS}
    assert all(
        seen[name] < 0.05
        for name in HADRONS
        if LOADED[name].entry.production in {"pi0_gamma", "proton_bremsstrahlung"}
    )
    assert seen["kloe_phi_2013"] > 1


# other recasts and publications

B_MINUS_L = {
    "na48_2015": (
        (9.0814, 5.0692e-4),
        (18.595, 4.2567e-4),
        (33.687, 2.2014e-4),
        (57.808, 4.4271e-4),
        (96.645, 1.2206e-3),
    ),
    "charm_1985": (
        (2.0176, 3.4109e-7),
        (2.0176, 3.4352e-5),
        (21.083, 1.0781e-7),
        (54.81, 8.9676e-7),
        (255.7, 4.1815e-8),
    ),
    "nucal_pi0_1991": (
        (1.0597, 2.5775e-7),
        (8.4142, 7.0993e-8),
        (71.589, 2.9610e-8),
        (8.0357, 2.3620e-5),
        (1.1355, 2.1947e-4),
    ),
}
"""Mass in MeV and g of B-L at the edge, as FORESEE tabulates DarkCast's recast."""


def edge_of_b_minus_l(name, m, near):
    return brentq(lambda g: ratio(name, b_minus_l(m, g))[0] - 1, 0.9 * near, 1.1 * near)


@pytest.mark.parametrize("name", B_MINUS_L)
def test_b_minus_l_limits_agree_with_darkcast(name):
    """Tables are thinned to 0.3 % for prompt decays and 0.005 % for regions."""
    for m, g in B_MINUS_L[name]:
        found = edge_of_b_minus_l(name, m, g)
        assert found == pytest.approx(g, rel=3e-3 if name in PROMPT else 1e-4)


HADRONIC = {
    "charm_1985": ((303.9, 4.5185e-8), (303.9, 1.0794e-7), (336.29, 5.4539e-8)),
    "nucal_bremsstrahlung_1992": (
        (284.93, 4.4131e-8),
        (411.81, 3.9777e-8),
        (595.2, 4.1180e-8),
        (462.05, 1.5885e-7),
        (319.69, 2.6012e-7),
    ),
}
"""As :data:`B_MINUS_L`, above two pions."""


@pytest.mark.parametrize("name", HADRONIC)
def test_limits_above_two_pions_agree_with_darkcast(name):
    """A dark photon decays to pions there, and B-L does not, up to the omega's tail."""
    for m, g in HADRONIC[name]:
        assert edge_of_b_minus_l(name, m, g) == pytest.approx(g, rel=4e-3)


def test_numbers_in_abstracts():
    """KLOE: eps^2 < 1.7e-5 at 30-400 MeV and < 8e-6 at 50-210 MeV, but for the ends of the curve.

    FASER: dark photons of about 17-70 MeV with eps of 2e-5 to 1e-4; B-L of 15-40 MeV with g of
    5e-6 to 2e-5.
    """
    m, [epsilon] = table("kloe_phi_2013")
    for low, high, squared in ((35, 395, 1.7e-5), (50, 210, 8e-6)):
        worst = np.max(epsilon[(m >= low) & (m <= high)] ** 2)
        assert 0.5 * squared < worst < 1.05 * squared
    assert ratio("faser_2024", photon([18.0, 65.0], [1e-4, 2e-5])).min() > 1
    assert ratio("faser_2024", photon([5.0, 90.0], [1e-4, 2e-5])).max() == 0
    assert ratio("faser_2024", b_minus_l([16.0, 25.0, 38.0], [2e-5, 1e-5, 7e-6])).min() > 1


DIGITISED = {
    "na48_2015": ((19.164, 1.0e-3), (66.530, 7.7919e-4)),
    "na62_invisible_2019": ((62.013, 5.4132e-4),),
    "kloe_phi_2013": ((201.0, 2.7086e-3),),
    "charm_1985": ((5.1222, 5.0350e-7, 7.2608e-5), (390.58, 1.0568e-7, 3.6420e-7)),
    "charm_2021": ((10.0, 3.8165e-7, 5.6417e-5),),
    "nucal_pi0_1991": ((6.8396, 2.6023e-7, 1.5488e-4),),
    "nucal_bremsstrahlung_1992": ((31.254, 4.6239e-7, 2.7227e-5), (201.73, 1.8837e-7, 3.3497e-6)),
    "nucal_2021": ((410.0, 2.2869e-7, 7.3263e-7),),
    "ps191_1986": ((120.17, 2.5469e-7, 1.6788e-6),),
    "nomad_2001": ((13.771, 1.3289e-7, 1.4622e-5),),
    "na62_muons_2023": ((260.09, 4.0861e-7, 3.0486e-6), (373.82, 4.1870e-7, 1.8259e-6)),
    "na62_electrons_2024": ((102.0, 5.8e-7, 1.45e-5),),
    "faser_2024": ((50.963, 4.0046e-6, 3.08e-5),),
    "lsnd_dump_2001": ((30.143, 4.3093e-8, 3.19e-6),),
    "sn1987a_2017": ((24.523, 9.680e-11, 1.124e-7),),
}
"""Mass in MeV and one or two edges; read by eye within 3 % where two digits are missing."""


@pytest.mark.parametrize("name", HADRONS)
def test_tables_agree_with_the_digitised_curves(name):
    m, edges = table(name)
    for mass, *published in DIGITISED[name]:
        found = [np.exp(np.interp(np.log(mass), np.log(m), np.log(edge))) for edge in edges]
        closed = name in {"na62_electrons_2024", "faser_2024", "lsnd_dump_2001", "sn1987a_2017"}
        np.testing.assert_allclose(found, published, rtol=0.03 if closed else 3.1e-3)


LENGTHS = {
    "charm_1985": (10, 480),
    "charm_2021": (10, 480),
    "nucal_pi0_1991": (23, 64),
    "nucal_bremsstrahlung_1992": (23, 64),
    "nucal_2021": (23, 64),
    "ps191_1986": (7, 128),
    "nomad_2001": (7.5, 835),
    "na62_muons_2023": (75, 142),
    "na62_electrons_2024": (75, 142),
    "faser_2024": (5, 480),
    "lsnd_dump_2001": (8.3, 26),
}
"""Lengths of decay volume and shielding in metres, those of DarkCast but for LSND."""


def test_length_ratios():
    assert set(LENGTHS) == set(DUMPS)
    for name, (decay, shield) in LENGTHS.items():
        assert LOADED[name].entry.length_ratio == pytest.approx(decay / shield, rel=3e-3)


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        (("charm_1985", "charm_2021"), "both stand for the measurement|supersedes"),
        (("nucal_pi0_1991", "nucal_2021"), "supersedes"),
        (("nucal_bremsstrahlung_1992", "nucal_2021"), "supersedes"),
    ],
)
def test_two_analyses_of_the_same_data_cannot_be_combined(pair, words):
    with pytest.raises(InvalidInput, match=words):
        assemble(LikelihoodSpec(add=pair), LIBRARY)


def test_muons_radiate_the_zprime_of_muon_searches(tmp_path):
    folder = tmp_path / "likelihoods" / "entries"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text(
        "title: t\ntype: prompt_limit\nmeasurement: mine\nsearch: muon_pair\n"
        "production: pi0_gamma\ncurve: mine.csv\nconfidence_level: 0.9\n"
        "citations: [{key: A, journal: B 1}]\napproximations: none\n"
        "soft: {form: half_gaussian, power: 2, confidence_level: 0.9}\n"
    )
    library = Library((tmp_path, packaged_data()))
    with pytest.raises(InvalidInput, match=r"production.*muon_pair muons radiate.*drop production"):
        read_entry(library, "mine")


def test_the_supernova_counts_the_dipole_of_nucleons():
    """Neutrons couple like protons for B-L; a protophobic boson radiates from neutrons alone."""
    m, edges = table("sn1987a_2017")
    m, edge = m[:-1], E * np.sqrt(np.prod(edges, axis=0))[:-1]  # the region closes in a point
    assert np.all(ratio("sn1987a_2017", photon(m, edge / E)) > 1)
    b_minus_l = Couplings.of(m_Zp=m, C_Ve=-edge, C_nue=-edge, C_Vu=edge / 3, C_Vd=edge / 3)
    assert not ratio("sn1987a_2017", b_minus_l).any()
    neutrons = Couplings.of(m_Zp=m, C_Ve=-edge, C_Vu=-edge / 3, C_Vd=2 * edge / 3)
    assert np.all(ratio("sn1987a_2017", neutrons) > 1)


def test_no_packaged_set_holds_the_supernova():
    for name in LIBRARY.names("likelihood set"):
        entries = assemble(LikelihoodSpec(set=name), LIBRARY).entries
        assert "sn1987a_2017" not in {loaded.name for loaded in entries}
