"""Compare the packaged entries, their curves and sets with publications and hand calculations."""

from math import sqrt

import numpy as np
import pytest
from published_limits import B_MINUS_L, BAUER, TWO_SIDED_90, TWO_SIDED_95, limit
from scipy.optimize import brentq

from zpfit.errors import InvalidInput
from zpfit.io.library import Library
from zpfit.io.places import packaged_data
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.likelihood.entries import GaussianEntry, curve_of
from zpfit.likelihood.exclusions import BeamDumpEntry, PromptLimitEntry
from zpfit.likelihood.library import read_entry, read_set
from zpfit.physics.constants import ELECTRIC_CHARGE, MUON_MASS
from zpfit.physics.couplings import COUPLING_NAMES, Couplings
from zpfit.physics.recoil_experiments import nue_borexino

LIBRARY = Library((packaged_data(),))
ENTRIES = {name: read_entry(LIBRARY, name).entry for name in LIBRARY.names("entry")}
SETS = LIBRARY.names("likelihood set")
CURVES = {
    name: entry
    for name, entry in ENTRIES.items()
    if isinstance(entry, PromptLimitEntry | BeamDumpEntry) and entry.production == "electron"
}
PROMPT = [name for name, entry in CURVES.items() if isinstance(entry, PromptLimitEntry)]
DUMPS = [name for name, entry in CURVES.items() if isinstance(entry, BeamDumpEntry)]
PION0 = 134.97
"""MeV, mass of the lightest hadron."""


def points(m, **values):
    columns = {"m_Zp": m} | values
    n = max(np.size(column) for column in columns.values())
    return Couplings(*(np.full(n, columns.get(name, 0.0), dtype=float) for name in COUPLING_NAMES))


NOTHING = points(50.0)


def likelihood(*entries, **spec):
    return assemble(LikelihoodSpec(add=entries, **spec), LIBRARY).likelihood


def table(name):
    """Return the columns of an entry's curve."""
    text = (packaged_data() / "likelihoods" / "entries" / f"{name}.csv").read_text("utf-8")
    rows = [line for line in text.splitlines() if not line.startswith("#")][1:]
    return np.array([row.split(",") for row in rows], dtype=float).T


def with_halfway(columns):
    """Return rows and, in logarithms, the points halfway between them."""
    logarithms = np.log(columns)
    halfway = (logarithms[:, 1:] + logarithms[:, :-1]) / 2
    return np.concatenate([columns, np.exp(halfway)], axis=1)


# every entry and set


@pytest.mark.parametrize("name", ENTRIES)
def test_entry_loads_assembles_and_allows_no_zprime(name):
    entry, found = ENTRIES[name], likelihood(name)
    assert len(found.measurements) + len(found.exclusions) == 1
    assert np.isfinite(found.chi2(NOTHING)).all()
    assert found.excluded_by(NOTHING) == [[]]
    assert entry.label
    assert len(entry.label) < 30
    assert len(entry.approximations) > 30
    assert all(c.arxiv or c.journal for c in entry.citations)


@pytest.mark.parametrize("name", SETS)
def test_set_loads_and_assembles(name):
    assembled = assemble(LikelihoodSpec(set=name), LIBRARY)
    assert assembled.likelihood.excluded_by(NOTHING) == [[]]
    assert np.isfinite(assembled.likelihood.log_likelihood(NOTHING)).all()


def test_every_curve_has_an_entry_and_says_where_it_is_from():
    folder = packaged_data() / "likelihoods" / "entries"
    assert {path.name for path in folder.glob("*.csv")} == {
        curve_of(entry) for entry in ENTRIES.values() if curve_of(entry)
    }
    for path in folder.glob("*.csv"):
        comments = [line for line in path.read_text("utf-8").splitlines() if line.startswith("#")]
        assert any("arXiv" in line or "PRL" in line for line in comments), path.name


def test_sets_with_unverified_numbers_say_so():
    for name in SETS:
        chosen = read_set(LIBRARY, name)
        if any(ENTRIES[entry].unverified for entry in chosen.entries):
            assert "unverified" in chosen.description, name


SUPERSEDED = [(new, old) for new, entry in ENTRIES.items() for old in entry.supersedes]


@pytest.mark.parametrize(("new", "old"), SUPERSEDED)
def test_a_result_and_its_successor_clash(new, old):
    with pytest.raises(InvalidInput, match=rf"'{new}' supersedes"):
        likelihood(old, new)


@pytest.mark.parametrize(
    ("chosen", "older"),
    [
        ("today_leptons_cs", "na64_invisible_2019"),
        ("today_leptons_cs", "na64_2018"),
        ("today_leptons_cs", "a1_2011"),
        ("today_leptons_cs", "borexino_2011"),
        ("today_leptons_cs", "a_mu_2023_wp2025"),
        ("forecast", "e158_2005"),
    ],
)
def test_a_set_with_what_it_supersedes_is_an_error(chosen, older):
    with pytest.raises(InvalidInput, match="supersedes"):
        likelihood(older, set=chosen)


ALTERNATIVES = [
    ("a_e_cs_2018", "a_e_rb_2020"),
    ("a_e_cs_2023", "a_e_rb_2023"),
    ("a_e_cs_2023_old_five_loop", "a_e_rb_2023"),
    ("a_mu_2025_wp2020", "a_mu_2025_wp2025"),
    ("a_mu_2025_wp2020", "a_mu_2023_bmw2020"),
    ("texono_2010", "nue_texono_2010"),
    ("borexino_2011", "nue_borexino_2011"),
    ("charm2_nu_1993", "nue_charm2_nu_1993"),
    ("charm2_nubar_1993", "nue_charm2_nubar_1993"),
    ("ccfr_1991", "trident_ccfr_1991"),
    ("moller_e158_2005", "e158_2005"),
    ("e158_2005_thesis", "e158_2005"),
    ("babar_2014", "babar_2014_envelope"),
    ("belle2_projection_2015", "belle2_projection_2019"),
]


@pytest.mark.parametrize("pair", ALTERNATIVES)
def test_alternatives_cannot_be_combined(pair):
    with pytest.raises(InvalidInput, match="both stand for the measurement"):
        likelihood(*pair)


def test_moments_that_count_twice_are_told(tmp_path):
    """The note appears under any names of the measurements."""
    folder = tmp_path / "likelihoods" / "entries"
    folder.mkdir(parents=True)
    (folder / "both.yaml").write_text(
        "title: t\ntype: correlated\nmeasurement: mine\nobservables: [delta_a_e, delta_a_mu]\n"
        "values: [0.0, 0.0]\nerrors: [1e-13, 1e-10]\ncorrelation: [[1, 0], [0, 1]]\n"
        "citations: [{key: A, journal: B 1}]\nconfidence_level: 0.683\napproximations: none\n"
    )
    library = Library((tmp_path, packaged_data()))
    told = assemble(LikelihoodSpec(set="today_leptons_cs", add=("both",)), library).notes()
    assert told[0].startswith("'a_e_cs_2023' and 'both' both measure delta_a_e ")
    assert told[1].startswith("'a_mu_2025_wp2025' and 'both' both measure delta_a_mu ")
    moments = ("a_e_cs_2023", "a_mu_2025_wp2025")
    spec = LikelihoodSpec(set="today_leptons_cs", add=("both",), drop=moments)
    assert not any("both measure" in note for note in assemble(spec, library).notes())
    assert not any("both measure" in note for note in likelihood_notes("today_leptons_cs"))


def likelihood_notes(name):
    return assemble(LikelihoodSpec(set=name), LIBRARY).notes()


# curves


def dark_photon(charge):
    leptons = {f"C_V{lepton}": -charge for lepton in ("e", "mu", "tau")}
    down = {f"C_V{quark}": -charge / 3 for quark in "dsb"}
    return {**leptons, **down, "C_Vu": 2 * charge / 3, "C_Vc": 2 * charge / 3}


@pytest.mark.parametrize("name", PROMPT)
def test_prompt_limit_on_its_own_model(name):
    """A dark photon, or a boson that decays to one final state only, is at the limit."""
    m, epsilon = with_halfway(table(name))
    coupling = ELECTRIC_CHARGE * epsilon
    own = {
        "visible": dark_photon(coupling),
        "invisible": {"C_Ve": coupling, "C_nutau": 1e6 * coupling},
        "muon_invisible": {"C_Vmu": coupling, "C_nutau": 1e6 * coupling},
        "muon_pair": {"C_Vmu": coupling},
    }[ENTRIES[name].search]
    [ratio] = likelihood(name).ratios(points(m, **own)).values()
    # Above, a dark photon has other decays, whose share is interpolated.
    np.testing.assert_allclose(ratio, 1, rtol=1e-9 if m.max() < PION0 else 3e-4)


@pytest.mark.parametrize("name", DUMPS)
def test_both_edges_of_a_dump_on_a_dark_photon(name):
    m, *edges = with_halfway(table(name))
    term = likelihood(name)
    for epsilon in edges:
        own = dark_photon(ELECTRIC_CHARGE * epsilon)
        [ratio] = term.ratios(points(m, **own)).values()
        np.testing.assert_allclose(ratio, 1, rtol=1e-5)
    inside = points(m, **dark_photon(ELECTRIC_CHARGE * np.sqrt(edges[0] * edges[1])))
    assert all(term.ratios(inside)[name] > 1)


DARKCAST = "as digitised by DarkCast, arXiv:1801.04847"
PUBLISHED = {
    "a1_2011": ([210.98, 271.53, 310.90], [2.9041e-3, 1.0447e-3, 4.3954e-3], DARKCAST),
    "a1_2014": ([90.494, 185.01, 278.97], [1.2205e-3, 1.1755e-3, 1.4190e-3], DARKCAST),
    "apex_2011": ([188.90, 216.88, 243.66], [9.8401e-4, 1.5066e-3, 2.2388e-3], DARKCAST),
    "hps_2018": ([31.003, 52.732, 74.558], [3.0945e-3, 2.9265e-3, 5.2283e-3], DARKCAST),
    "na64_invisible_2019": (
        [2.0517, 27.411, 458.46],
        [1.0022e-5, 8.3946e-5, 2.9185e-3],
        DARKCAST,
    ),
    "na64_invisible_2023": (
        [4.6564, 71.221, 784.47],
        [1.1742e-5, 1.4304e-4, 3.5137e-3],
        "NA64_2023.txt of GAMBIT's ColliderBit",
    ),
    "babar_invisible_2017": (
        [2700.0, 5599.9, 7570.0],
        [7.2224e-4, 1.4212e-3, 9.1109e-4],
        DARKCAST,
    ),
    "belle2_invisible_2020": (
        [3022.8, 4691.0, 5699.6],
        [4.7553e-1, 1.5223, 2.7309],
        DARKCAST,
    ),
    "mesa_projection_2013": (
        [12.419, 23.686, 42.095],
        [3.6432e-4, 2.9266e-4, 7.8631e-4],
        DARKCAST,
    ),
}


@pytest.mark.parametrize(("name", "published"), PUBLISHED.items())
def test_prompt_curve_agrees_with_the_published_one(name, published):
    """Packaged curves are thinned to 0.3 %."""
    m, epsilon, source = published
    columns = np.log(table(name))
    found = np.exp(np.interp(np.log(m), *columns))
    np.testing.assert_allclose(found, epsilon, rtol=3.1e-3, err_msg=source)


REGIONS = {
    "e141_1987": (
        [1.5590, 6.2063, 17.340],
        [1.0436e-5, 1.6683e-5, 5.6920e-5],
        [5.0007e-3, 9.0973e-4, 1.7118e-4],
    ),
    "e137_1988": (
        [2.8455, 36.240, 244.92],
        [2.3812e-8, 3.7780e-8, 1.0000e-7],
        [1.5849e-4, 9.7342e-6, 5.7892e-7],
    ),
    "e774_1991": (
        [1.4880, 4.0646, 9.1563],
        [1.0833e-4, 2.0000e-4, 4.5896e-4],
        [1.6784e-2, 4.3728e-3, 1.0024e-3],
    ),
    "orsay_1989": (
        [2.3482, 13.234, 64.990],
        [6.7478e-7, 8.8301e-7, 2.0675e-6],
        [6.2889e-4, 8.9942e-5, 9.0560e-6],
    ),
    "kek_1986": (
        [2.0895, 12.765, 46.844],
        [3.9812e-7, 5.7773e-7, 2.5119e-6],
        [6.0410e-4, 7.9435e-5, 9.9424e-6],
    ),
    "na64_2018": (
        [1.9695, 6.2575, 18.301],
        [9.3729e-5, 1.0371e-4, 1.5557e-4],
        [4.8053e-3, 1.3089e-3, 3.0421e-4],
    ),
}
"""Sources: arXiv:1803.07748, Fig. 3 (NA64), and arXiv:1209.6083, Fig. 2 (others), both through
DarkCast."""


@pytest.mark.parametrize(("name", "published"), REGIONS.items())
def test_dump_region_agrees_with_the_published_one(name, published):
    """Packaged curves are thinned to 0.005 %; tables have five digits."""
    m, *edges = published
    log_m, *columns = np.log(table(name))
    for edge, column in zip(edges, columns, strict=True):
        found = np.exp(np.interp(np.log(m), log_m, column))
        np.testing.assert_allclose(found, edge, rtol=1.2e-4)


LENGTHS = {
    "na64_2020": (4, 1),
    "na64_2018": (4, 1),
    "e141_1987": (35, 0.12),
    "e137_1988": (204, 179),
    "e774_1991": (2, 0.3),
    "orsay_1989": (2, 1),
    "kek_1986": (2.2, 2.4),
}
"""Lengths of decay volume and shielding agree with DarkCast's."""


def test_length_ratios_of_dumps():
    for name, (decay, shield) in LENGTHS.items():
        assert ENTRIES[name].length_ratio == pytest.approx(decay / shield, rel=2e-5)


def l_mu_l_tau(m, g):
    return points(m, C_Vmu=g, C_numu=g, C_Vtau=-np.asarray(g), C_nutau=-np.asarray(g))


def test_na64mu_on_l_mu_minus_l_tau():
    """With invisible decays only, g' is 5.3e-4 at 3-50 MeV and 5.6e-4 at 100 MeV
    (arXiv:2409.10128)."""
    m = np.array([3.0, 10.0, 50.0, 100.0])
    found = 1e-3 / likelihood("na64mu_2024").ratios(l_mu_l_tau(m, 1e-3))["na64mu_2024"]
    np.testing.assert_allclose(found, [5.3e-4, 5.3e-4, 5.3e-4, 5.6e-4], rtol=0.01)


def test_belle2_on_l_mu_minus_l_tau():
    """The abstract of arXiv:1912.11276 gives g' of 5e-2 at small masses."""
    name = "belle2_invisible_2020"
    found = 0.1 / likelihood(name).ratios(l_mu_l_tau(np.array([10.0, 200.0]), 0.1))[name]
    np.testing.assert_allclose(found, 5e-2, rtol=0.03)


def test_babar_muons_on_l_mu_minus_l_tau():
    """DarkCast digitised g' of arXiv:1606.03501, Fig. 5; the abstract gives 7e-4 near threshold."""
    m = np.array([226.62, 426.62, 1859.9, 6191.9])
    g = np.array([6.7362e-4, 1.1177e-3, 2.7034e-3, 3.3213e-2])
    ratio = likelihood("babar_muons_2016").ratios(l_mu_l_tau(m, g))["babar_muons_2016"]
    np.testing.assert_allclose(ratio, 1, rtol=4e-3)
    assert table("babar_muons_2016")[0].min() > 2 * MUON_MASS


def test_invisible_decays_trade_places():
    """With half of the width to neutrinos, both kinds of searches see a share of a dark photon."""
    visible, invisible = likelihood("hps_2018"), likelihood("na64_invisible_2023")
    c = 1e-3
    half = points(50.0, C_Ve=c, C_nutau=sqrt(2) * c)
    all_visible, all_invisible = points(50.0, C_Ve=c), points(50.0, C_Ve=c, C_nutau=1e6 * c)
    for term, whole in ((visible, all_visible), (invisible, all_invisible)):
        [part], [full] = (term.ratios(p).values() for p in (half, whole))
        assert part / full == pytest.approx(sqrt(0.5), rel=1e-4)


# limits of publications


def b_minus_l(m, g):
    return points(m, C_Ve=-g, C_nue=-g, C_numu=-g, C_nutau=-g)


@pytest.mark.parametrize(("m", "published"), B_MINUS_L["texono"])
def test_b_minus_l_limit_of_texono(m, published):
    [term] = likelihood("nue_texono_2010").measurements
    found = limit(lambda g: -term.pull(b_minus_l(m, g))[0], TWO_SIDED_90)
    assert found == pytest.approx(published, rel=0.2), BAUER


@pytest.mark.parametrize(("m", "published"), B_MINUS_L["charm2"])
def test_b_minus_l_limit_of_charm2(m, published):
    both = likelihood("nue_charm2_nu_1993", "nue_charm2_nubar_1993")
    found = limit(lambda g: sqrt(both.chi2(b_minus_l(m, g))[0]), TWO_SIDED_90)
    assert found == pytest.approx(published, rel=0.2), BAUER


@pytest.mark.parametrize(("m", "published"), B_MINUS_L["borexino"])
def test_b_minus_l_limit_of_borexino(m, published):
    """The publication uses equal flavours and 10 %; entries have more nu_e and smaller errors."""

    def deviation(g):
        return (nue_borexino(b_minus_l(m, g), 1 / 3)[0] - 1) / 0.10

    assert limit(deviation, TWO_SIDED_90) == pytest.approx(published, rel=0.2), BAUER
    phases = likelihood("nue_borexino_2011", "nue_borexino_2018")
    ours = limit(lambda g: sqrt(phases.chi2(b_minus_l(m, g))[0]), TWO_SIDED_90)
    assert 0.5 < ours / published < 0.8


def test_l_mu_minus_l_tau_limit_of_ccfr():
    """The limit is g' < 8.7e-4 at 10 MeV and 95 %, from R < 0.82 + 1.96 x 0.28."""
    [term] = likelihood("trident_ccfr_1991").measurements
    found = limit(lambda g: -term.pull(l_mu_l_tau(10.0, g))[0], TWO_SIDED_95)
    assert found == pytest.approx(8.7e-4, rel=0.005)


def test_products_allowed_by_e158():
    """C_Ve C_Ae = 1e-9 shifts the mixing angle by 2.900e-3 at 10 MeV, so the limit is (5.5 +-
    4.9)e-10."""
    [term] = likelihood("e158_2005").measurements

    def product(pull):
        def excess(x):
            return term.pull(points(10.0, C_Ve=1e-3, C_Ae=1e3 * x))[0] - pull

        return brentq(excess, -1e-8, 1e-8)

    assert product(0) == pytest.approx(1.6e-3 / 2.900e-3 * 1e-9, rel=1e-3)
    assert product(-1) - product(0) == pytest.approx(1.43e-3 / 2.900e-3 * 1e-9, rel=1e-3)


# without a Z'

BOREXINO = ((0.989, 0.0464), (0.998, 0.0254))
FLUX = 0.06


def borexino_chi2():
    """Profile the flux by hand: its pull, and the shift that it causes in both phases."""
    deviations = [(value - 1, 1 / error**2) for value, error in BOREXINO]
    squares = sum(weight * d**2 for d, weight in deviations)
    slope = FLUX * sum(weight * d for d, weight in deviations)
    return squares - slope**2 / (1 + FLUX**2 * sum(weight for _, weight in deviations))


PAPER = {
    "texono": (0.08 / 0.26) ** 2,
    "ccfr": (0.18 / 0.28) ** 2,
    "muon": (25.1 / 5.9) ** 2,
}
TODAY = {
    "muon": (3.8 / 6.3) ** 2,
    "texono": (0.135 / 0.277) ** 2,
    "borexino": borexino_chi2(),
    "lsnd": (0.072 / 0.158) ** 2,
    "ccfr": (0.18 / 0.28) ** 2,
    "charm2": (0.58 / 0.57) ** 2,
    "nutev": (0.28 / 1.73) ** 2,
    "e158": (1.6 / 1.43) ** 2,
}
CS_2018, RB_2020 = {"electron": (8.7 / 3.6) ** 2}, {"electron": (4.8 / 3.0) ** 2}
CS_LATTICE, Q_W = (
    {"electron": (10.1 / 2.6) ** 2},
    {"caesium": (0.48 / 0.347) ** 2, "proton": (11 / 45) ** 2},
)
CS_2023, RB_2023 = {"electron": (9.6 / 2.6) ** 2}, {"electron": (4.0 / 1.6) ** 2}


@pytest.mark.parametrize(
    ("name", "terms", "rounded"),
    [
        ("paper_2021_cs", PAPER | CS_2018, 24.447),
        ("paper_2021_rb", PAPER | RB_2020, 21.166),
        ("closed_2021_cs", PAPER | CS_2018 | Q_W, 26.420),
        ("closed_2021_rb", PAPER | RB_2020 | Q_W, 23.140),
        ("today_leptons_cs", TODAY | CS_2023, 17.202),
        ("today_leptons_rb", TODAY | RB_2023, 9.819),
        ("today_leptons_cs_wp2020", TODAY | CS_2023 | {"muon": (26.1 / 4.5) ** 2}, 50.478),
        ("forecast", TODAY | CS_LATTICE | {"e158": 0.0}, 17.407),
    ],
)
def test_chi2_without_a_zprime(name, terms, rounded):
    [chi2] = likelihood(set=name).chi2(NOTHING)
    assert chi2 == pytest.approx(sum(terms.values()), rel=1e-12)
    assert chi2 == pytest.approx(rounded, abs=1e-3)


def test_covariance_of_borexino():
    (first, second), flux2 = BOREXINO, FLUX**2
    phases = likelihood("nue_borexino_2018", "nue_borexino_2011")
    [correlation] = phases.correlations
    assert correlation.names == ("nue_borexino_2018", "nue_borexino_2011")
    expected = [[second[1] ** 2 + flux2, flux2], [flux2, first[1] ** 2 + flux2]]
    np.testing.assert_allclose(correlation.covariance, expected, rtol=1e-12)
    assert phases.chi2(NOTHING)[0] == pytest.approx(borexino_chi2(), rel=1e-9)
    alone = likelihood("nue_borexino_2018").measurements[0]
    assert alone.error == pytest.approx(0.065, abs=2e-4)


def test_known_flux_of_beryllium():
    """If a run treats the flux as known, the phases are independent."""
    exact = likelihood("nue_borexino_2018", "nue_borexino_2011", nuisances={"be7_flux": 0.0})
    expected = sum(((value - 1) / error) ** 2 for value, error in BOREXINO)
    assert exact.chi2(NOTHING)[0] == pytest.approx(expected, rel=1e-12)


# numbers of entries, by hand

MEASURED = {"2021": (116592061, 41), "2023": (116592059, 22), "2025": (116592071.5, 14.5)}
EXPECTED = {
    "wp2020": (116591810, 43),
    "bmw2020": (116591810 + 7075 - 6931, sqrt(43**2 - 40**2 + 55**2)),
    "wp2025": (116592033, 62),
}


@pytest.mark.parametrize("year", MEASURED)
@pytest.mark.parametrize("theory", EXPECTED)
def test_muon_moments(year, theory):
    """Values are in units of 1e-11, with the rounding of the publications."""
    name = "a_mu_2021" if (year, theory) == ("2021", "wp2020") else f"a_mu_{year}_{theory}"
    entry = ENTRIES[name]
    (measured, error), (expected, uncertainty) = MEASURED[year], EXPECTED[theory]
    assert entry.value == pytest.approx((measured - expected) * 1e-11, abs=0.6e-11)
    assert entry.error == pytest.approx(np.hypot(error, uncertainty) * 1e-11, abs=0.8e-11)


@pytest.mark.parametrize(
    ("isotope", "inverse_alpha", "error"),
    [("cs", 137.035999046, 27e-9), ("rb", 137.035999206, 11e-9)],
)
def test_electron_moments(isotope, inverse_alpha, error):
    moment, own, own_error = 1.15965218059e-3, 137.035999166, 15e-9
    shift = moment * (inverse_alpha / own - 1)
    spread = moment * np.hypot(error, own_error) / own
    old, new = (ENTRIES[f"a_e_{isotope}_2023{end}"] for end in ("_old_five_loop", ""))
    assert old.value == pytest.approx(shift, abs=0.06e-13)
    assert old.error == new.error == pytest.approx(spread, abs=0.06e-13)
    five_loop = (6.737 - 5.891) * (1 / own / np.pi) ** 5
    assert new.value == pytest.approx(shift + five_loop, abs=0.06e-13)


HUBER_MUELLER = {
    0.55: (4.367, -4.577, 2.100, -0.5294, 0.06186, -0.002777),
    0.32: (4.757, -5.392, 2.563, -0.6596, 0.07820, -0.003536),
    0.06: (2.990, -2.882, 1.278, -0.3343, 0.03905, -0.001754),
    0.07: (0.4833, 0.1927, -0.1283, -0.006762, 0.002233, -0.0001536),
}
"""Antineutrinos of 235U, 239Pu, 241Pu and 238U by fission fraction: ln of the flux in powers of MeV
(Huber, arXiv:1106.0687, Table III; Mueller et al., arXiv:1101.2663, Table VI)."""


def texono_rate(sin2):
    """Return the rate of recoils of 3-8 MeV in the Standard Model, up to a factor.

    The integral over recoil energies is in closed form.
    """
    left, right, m_e = sin2 + 0.5, sin2, 0.51099895

    def recoils(energy, t):
        y, e = t / energy, energy
        return right**2 * t - left**2 * e * (1 - y) ** 3 / 3 - left * right * m_e * y**2 / 2

    energies = np.linspace(3.24, 9.5, 20001)
    flux = sum(f * np.exp(np.polyval(a[::-1], energies)) for f, a in HUBER_MUELLER.items())
    end = np.minimum(8.0, 2 * energies**2 / (2 * energies + m_e))
    inside = np.where(end > 3, recoils(energies, end) - recoils(energies, 3.0), 0)
    return np.sum(flux * inside)


def test_texono_is_relative_to_the_standard_model_that_zpfit_divides_by():
    """The publication has 1.08 +- 0.21 +- 0.16 of the rate at sin^2 = 0.2387; zpfit uses 0.2312."""
    factor = texono_rate(0.2387) / texono_rate(0.2312)
    assert factor == pytest.approx(1.051, abs=1e-3)
    entry = ENTRIES["nue_texono_2010"]
    assert entry.value == pytest.approx(1.08 * factor, abs=1e-3)
    assert entry.error == pytest.approx(np.hypot(0.21, 0.16) * factor, abs=1e-3)


def test_ratios_to_the_standard_model():
    """Entries contain the ratios of rates to predictions, and their errors."""
    for name, measured, error, predicted in (
        ("nue_borexino_2011", 46.0, np.hypot(1.5, 1.55), 46.5),
        ("nue_borexino_2018", 48.3, np.hypot(1.1, 0.55), 48.4),
        ("nue_lsnd_2001", 10.1, np.hypot(1.1, 1.0), 9.42),
    ):
        entry = ENTRIES[name]
        assert entry.value == pytest.approx(measured / predicted, abs=5.1e-4)
        assert entry.error == pytest.approx(error / predicted, abs=6e-4)
    e158 = ENTRIES["e158_2005"]
    assert (e158.value, e158.error) == pytest.approx((0.2397 - 0.2381, 0.00143), abs=1e-5)
    thesis = ENTRIES["e158_2005_thesis"]
    assert (thesis.value, thesis.error) == pytest.approx((0.2397 - 0.2385, 0.00143), abs=1e-5)
    moller = ENTRIES["moller_projection_2014"]
    assert isinstance(moller, GaussianEntry)
    assert (moller.value, moller.error) == pytest.approx((0, 0.0013 / 5), abs=1e-12)
