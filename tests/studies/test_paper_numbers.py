"""Compute the paper's numbers by independent means, and test the verdicts on them."""

from math import hypot, sqrt

import numpy as np
import pytest
from paper_by_hand import (
    A_E,
    A_MU,
    M_E,
    M_MU,
    axial,
    excesses,
    least,
    limit,
    loop_factors,
    loops,
    moments,
    table,
    vector,
)
from paper_extremes import (
    ELECTRON_BOX,
    ELECTRON_QUANTITIES,
    HIGH,
    LOW,
    MASS,
    MU_HIGH,
    MU_LOW,
    both_extreme,
    electron_extreme,
    from_electron_box,
    meeting_in_fig4,
    meeting_of_bands,
    muon_extremes,
)
from scipy.optimize import brentq

from zpfit.analysis.joint_sigma import joint_sigma
from zpfit.errors import NoAllowedPoint
from zpfit.studies.paper_2021 import claims, target_regions
from zpfit.studies.paper_2021.claims import (
    Checked,
    Claim,
    closed_claims,
    form_claims,
    projection_claims,
    rubidium_window,
)
from zpfit.studies.paper_2021.target_regions import ELECTRON, FORMS, RUBIDIUM, RUBIDIUM_MOMENTS, End

# Numbers without exclusions


def test_coordinates_meet_the_moments():
    m = np.array([10.0, 20.0, 40.0])
    ve, ae = axial(m, LOW, np.array([-1, 0.3, 1]))
    assert ve * ae == pytest.approx([-1e-8, 0.3e-8, 1e-8])
    e, mu = moments(m, ve, ae, vector(m, MU_LOW, 1e-4), 1e-4)
    assert e == pytest.approx([LOW] * 3)
    assert mu == pytest.approx([MU_LOW] * 3)


def test_closed_claims_by_quadrature():
    found = {c.claim.id: c.computed["envelope"] for c in closed_claims()}

    def c_ae(m):
        return sqrt(8.7e-13 / loop_factors(M_E, m)[1])

    light = brentq(lambda m: c_ae(m) / 1e-9 - 1, 1e-6, 1e-2)
    own = [sqrt(error**2 - 2.8e-13**2) for error in (3.6e-13, 3.0e-13)]
    k_v, k_a = loop_factors(M_E, 20.0)
    m, coupling = meeting_in_fig4()
    assert found == {
        "moment_ratio": pytest.approx(8.7e-13 / 25.1e-10),
        "moment_ratio_low": pytest.approx(8.7e-13 / 25.1e-10 * (M_MU / M_E) ** 2),
        "moment_ratio_high": pytest.approx(M_E / M_MU * 25.1e-10 / 8.7e-13),
        "rb_mass_fig4": pytest.approx(m, rel=1e-5),
        "rb_coupling_fig4": pytest.approx(coupling, rel=1e-5),
        "cs_rb_difference": pytest.approx((4.8e-13 + 8.7e-13) / hypot(*own)),
        "universality": pytest.approx(sqrt(k_v / k_a), rel=1e-6),
        "sm_u1_moment": 0.0,
        "c_ae_per_mev": pytest.approx(c_ae(20.0) / 20, rel=1e-6),
        "c_ae_10gev": pytest.approx(c_ae(1e4), rel=1e-6),
        "light_mass_max": pytest.approx(light * 1e6, rel=1e-6),
        "c_vmu_light": pytest.approx(sqrt(MU_LOW / loop_factors(M_MU, 1e-3)[0]), rel=1e-6),
    }
    assert found["universality"] == pytest.approx(1 / sqrt(5), rel=5e-3)


# Numbers at the edge of the allowed region


def test_window_of_masses_with_the_envelope():
    """At the upper end, the axial coupling that gives a_e equals BaBar's limit."""
    below, above = ELECTRON.extremes(
        [End(MASS, largest=each) for each in (False, True)], "envelope"
    )
    assert above == pytest.approx(electron_extreme("mass_max", "envelope"), rel=1e-4)

    def beyond(m):
        return sqrt(-HIGH / loop_factors(M_E, m)[1]) / limit("babar_2014_envelope", m) - 1

    # The neutrino's share of decays, at most 3e-4, changes it by no more than 1e-3.
    assert above == pytest.approx(brentq(beyond, 20, 100), rel=1e-3)
    assert below == pytest.approx(electron_extreme("mass_min", "envelope"), rel=1e-4)


def test_rubidium_without_exclusions():
    ends = [End(quantity, largest=False) for quantity in (MASS, {"C_Ve": 1.0})]
    found = RUBIDIUM_MOMENTS.extremes(ends, "envelope")
    assert found == pytest.approx(meeting_of_bands(), rel=1e-4)


def test_window_that_the_babar_curve_leaves_to_rubidium():
    """C_Ve = C_Vmu lies between the muon's lower end, the electron's upper end and the limits."""
    m = np.geomspace(10, 100, 200_001)
    (e, _), (mu, _) = loops(M_E, m), loops(M_MU, m)
    low = np.maximum(np.sqrt(MU_LOW / mu), np.sqrt((A_E["rb"][0] - A_E["rb"][1]) / e))
    high = np.minimum(np.sqrt(MU_HIGH / mu), np.sqrt(sum(A_E["rb"]) / e))
    left = {}
    for form, name in (("envelope", "babar_2014_envelope"), ("curve", "babar_2014")):
        top = np.minimum(high, np.minimum(limit(name, m), limit("kloe_2015", m)))
        # NA64 ends below this mass, at 25 MeV.
        left[form] = m[(low <= top) & (m > 25)]
        assert not np.any((low <= high)[m <= 25])
    assert not len(left["envelope"])
    first, last = rubidium_window()
    assert [first, last] == pytest.approx([left["curve"][0], left["curve"][-1]], rel=1e-4)
    assert [first, last] == pytest.approx([29, 31.5], abs=0.15)


def test_envelope_leaves_nothing_to_rubidium():
    with pytest.raises(NoAllowedPoint):
        RUBIDIUM.extremes([End(MASS, largest=False)], "envelope")


@pytest.fixture(scope="module", params=FORMS)
def form_and_claims(request):
    return request.param, form_claims(request.param)


@pytest.mark.slow
@pytest.mark.parametrize("name", ELECTRON_QUANTITIES)
def test_extremes_of_the_electron_by_differential_evolution(form_and_claims, name):
    form, found = form_and_claims
    assert found[name] == pytest.approx(electron_extreme(name, form), rel=1e-4)


@pytest.mark.slow
def test_extremes_of_the_muon_in_closed_form(form_and_claims):
    form, found = form_and_claims
    expected = muon_extremes(form)
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-4)
    assert found["nhdm_difference_min"] == pytest.approx(both_extreme(form), rel=1e-4)
    mass, coupling = meeting_of_bands()
    assert found["rb_mass_min"] == pytest.approx(mass, rel=1e-4)
    assert found["rb_coupling_min"] == pytest.approx(coupling, rel=1e-4)


@pytest.mark.slow
def test_sides_of_equation_33(form_and_claims):
    """With the envelope the two sides never agree; with the curve the left one is larger."""
    form, found = form_and_claims
    assert (found["fn_left_max"] < found["fn_right_min"]) == (form == "envelope")


@pytest.mark.slow
def test_borexino_stops_the_neutrino_coupling(form_and_claims):
    """With C_nue 2 % above the largest allowed value, every point violates Borexino."""
    form, found = form_and_claims

    def least_excess(which):
        def couplings(m, moment, share):
            m, ve, ae = from_electron_box(m, moment, share)
            return m, ve, ae, 1.02 * found["c_nue_max"]

        def demands(*x):
            m, ve, ae, nue = couplings(*x)
            all_of = excesses(form, m, ve, ae, nue, 0 * m, 0 * m, 0 * m)
            return [excess for index, excess in enumerate(all_of) if index not in which]

        value, _ = least(lambda *x: 0 * x[0], demands, ELECTRON_BOX)
        return value

    borexino = 7  # indices into the list of excesses()
    assert least_excess(()) > 0
    assert least_excess((borexino,)) == 0


@pytest.mark.slow
def test_every_claim_about_regions_has_an_independent_value(form_and_claims):
    form, found = form_and_claims
    others = {"nhdm_difference_min", "rb_mass_min", "rb_coupling_min"}
    assert set(found) == {*ELECTRON_QUANTITIES, *muon_extremes(form), *others}


# Joint sigmas


def cubed(x, largest):
    """Return coordinates that are dense around zero."""
    return largest * x**3


JOINT_BOXES = {
    # mass, couplings, and C_nue and C_numu in units of 2e-5
    "sm_u1": [(9.8, 60), (-1, 1), (-1, 1), (-1, 1)],
    "nhdm": [(9.8, 60), (-1, 1), (-1, 1), (-1, 1), (-1, 1)],
    "fn": [(9.8, 60), (-25, 20), (-1, 1), (-1, 1), (-1, 1), (-1, 1)],
}


def joint_couplings(model_class, m, *x):
    """Return couplings of a class; C_Vmu follows from Eq. (33)."""
    nue, numu = 2e-5 * x[-2], 2e-5 * x[-1]
    if model_class == "fn":
        # a_e in units of 1e-13 and the share of the Moller limit replace C_Ve and C_Ae
        _, ve, ae = from_electron_box(m, x[0], x[1])
        amu = cubed(x[2], 1e-2)
    else:
        ve = 1e-3 * x[0]
        ae = amu = cubed(x[1], 0.1) if model_class == "nhdm" else 0 * m
    return m, ve, ae, nue, ve - ae - nue + amu + numu, amu, numu


def level(isotope, m, ve, ae, vmu, amu):
    value, error = A_E[isotope]
    e, mu = moments(m, ve, ae, vmu, amu)
    return np.maximum(abs(e - value) / error, abs(mu - A_MU[0]) / A_MU[1])


def joint_level(model_class, isotope, form):
    def value(*x):
        m, ve, ae, _, vmu, amu, _ = joint_couplings(model_class, *x)
        return level(isotope, m, ve, ae, vmu, amu)

    def demands(*x):
        return excesses(form, *joint_couplings(model_class, *x))

    box = JOINT_BOXES[model_class]
    effort = {"iterations": 600, "population": 30, "seeds": (1, 2, 3)} if len(box) > 4 else {}
    return least(value, demands, box, **effort)[0]


CASES = [
    pytest.param(*case, marks=() if case == ("sm_u1", "rb", "envelope") else (pytest.mark.slow,))
    for case in claims.JOINT_SIGMAS
]


@pytest.mark.parametrize(("model_class", "isotope", "form"), CASES)
def test_joint_sigma_by_differential_evolution(monkeypatch, model_class, isotope, form):
    """A calculation by hand confirms the point (upper bound); another search finds no smaller
    value."""
    calls = []

    def recording(posterior, *arguments):
        calls.append((posterior, joint_sigma(posterior, *arguments)))
        return calls[0][1]

    monkeypatch.setattr(target_regions, "joint_sigma", recording)
    value = target_regions.joint_sigma_of(model_class, isotope, form)
    [(posterior, found)] = calls
    assert value.found == found.sigma
    assert value.proved < found.sigma < value.proved + 0.01

    c = posterior.couplings(found.u[None])
    m, ve, ae, nue, vmu, amu, numu = c.rows()[:7]
    assert level(isotope, m, ve, ae, vmu, amu)[0] == pytest.approx(found.sigma, abs=1e-6)
    for excess in excesses(form, m, ve, ae, nue, vmu, amu, numu):
        assert excess[0] < 1e-6
    assert 9.8 <= m[0] <= 60
    assert max(abs(nue[0]), abs(numu[0])) <= 2e-5 * (1 + 1e-9)
    assert ve - ae - nue == pytest.approx(vmu - amu - numu, abs=1e-12)
    if model_class != "fn":
        assert ae == amu
    if model_class == "sm_u1":
        assert ae == 0

    other = joint_level(model_class, isotope, form)
    assert found.sigma == pytest.approx(other, abs=1e-3)


# Verdicts


@pytest.mark.parametrize(
    ("relation", "paper", "value", "agrees"),
    [
        ("=", 2.0, 2.19, True),
        ("=", 2.0, 1.7, False),
        ("<~", -2.0, -2.1, True),
        (">~", 2.0, 3.0, False),
        ("<", 2.0, 2.1, True),
        (">", 2.0, 3.0, False),
        ("=", None, None, True),
        ("=", None, 1.0, False),
        ("=", 1.0, None, False),
    ],
)
def test_agreement(relation, paper, value, agrees):
    claim = Claim("id", "Sec. I", "a number", paper, relation, 0.1)
    assert Checked(claim, dict.fromkeys(FORMS, value)).agrees("envelope") is agrees


@pytest.mark.parametrize(("value", "agrees"), [(3.0, True), (2.0, False), (1.0, False)])
def test_agreement_with_what_only_is_above(value, agrees):
    claim = Claim("id", "Sec. I", "a number", 2.0, ">", 0.1, one_sided=True)
    checked = Checked(claim, dict.fromkeys(FORMS, value))
    assert checked.agrees("curve") is agrees
    assert checked.note == ""


@pytest.mark.parametrize(
    ("relation", "value", "words"),
    [("<", 2.1, "5.0 % above the bound."), (">~", 1.8, "10.0 % below the bound."), ("<~", 1.9, "")],
)
def test_wrong_side_of_a_bound_is_said(relation, value, words):
    claim = Claim("id", "Sec. I", "a number", 2.0, relation, 0.5)
    assert Checked(claim, dict.fromkeys(FORMS, value)).note == words


def test_projections_by_hand():
    """Read and interpolate the packaged tables by hand."""
    found = {c.claim.id: c.computed["envelope"] for c in projection_claims()}
    [belle2] = limit("belle2_projection_2019", np.array([30.0]))
    assert found["belle2_reach"] == pytest.approx(belle2, rel=1e-9)
    assert found["na64_reach"] == pytest.approx(np.exp(table("na64_projection_2020")[0][-1]))
