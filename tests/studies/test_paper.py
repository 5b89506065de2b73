"""The paper's numbers by independent means, and what zpfit paper leaves behind."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from functools import cache, partial
from math import hypot, log, sqrt
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from paper_by_hand import (
    A_E,
    A_MU,
    M_E,
    M_MU,
    axial,
    br_ee,
    excesses,
    least,
    limit,
    loop_factors,
    loops,
    moments,
    na64,
    table,
    vector,
)
from scipy.optimize import brentq

from zpfit.analysis.joint_sigma import joint_sigma
from zpfit.cli import cli
from zpfit.errors import NoAllowedPoint, ProcessDied, ZpfitError
from zpfit.inference.progress import Silent
from zpfit.inference.sampling import evidence_of
from zpfit.runs.run_file import find_run_file, load_run
from zpfit.studies.paper_2021 import claims, processes, reproduce, target_regions
from zpfit.studies.paper_2021.claims import (
    Checked,
    Claim,
    closed_claims,
    form_claims,
    projection_claims,
    rubidium_window,
)
from zpfit.studies.paper_2021.figures import FIGURES, Figure, draw
from zpfit.studies.paper_2021.forecast import PROJECTIONS, forecast
from zpfit.studies.paper_2021.target_regions import ELECTRON, FORMS, RUBIDIUM, RUBIDIUM_MOMENTS, End

slow = pytest.mark.slow

MASS = {"m_Zp": 1.0}
LOW, HIGH = A_E["cs"][0] - A_E["cs"][1], A_E["cs"][0] + A_E["cs"][1]
MU_LOW, MU_HIGH = A_MU[0] - A_MU[1], A_MU[0] + A_MU[1]

# Coordinates in which the moments and the Moller limit are met throughout.
ELECTRON_BOX = [(9.8, 100), (LOW / 1e-13, HIGH / 1e-13), (-1, 1)]
NEUTRINO_BOX = (-1, 1)
"""Of couplings to neutrinos in 1e-4, several times what Borexino allows."""


def from_electron_box(m, moment, share):
    return m, *axial(m, moment * 1e-13, share)


@cache
def electron_extreme(name, form):
    """Largest or smallest of a quantity of C_Ve, C_Ae, C_nue and C_numu that meet a_e."""
    sign, with_nue, with_numu, quantity = ELECTRON_QUANTITIES[name]

    def couplings(m, moment, share, *neutrinos):
        given = iter(neutrinos)
        nue = next(given) * 1e-4 if with_nue else 0 * m
        numu = next(given) * 1e-4 if with_numu else 0 * m
        return *from_electron_box(m, moment, share), nue, numu

    def demands(*x):
        m, ve, ae, nue, numu = couplings(*x)
        return excesses(form, m, ve, ae, nue, 0 * m, 0 * m, numu)

    shares = (0, 0) if name in NO_VECTOR else (-1, 1)
    box = [*ELECTRON_BOX[:2], shares] + [NEUTRINO_BOX] * (with_nue + with_numu)
    value, _ = least(lambda *x: -sign * quantity(*couplings(*x)), demands, box)
    return -sign * value


ELECTRON_QUANTITIES = {
    # largest or least, whether C_nue and C_numu are free, of what
    "mass_min": (-1, True, False, lambda m, ve, ae, nue, numu: m),
    "mass_max": (1, True, False, lambda m, ve, ae, nue, numu: m),
    "c_ae_min": (-1, True, False, lambda m, ve, ae, nue, numu: ae),
    "c_ae_max": (1, True, False, lambda m, ve, ae, nue, numu: ae),
    "c_ve_max": (1, True, False, lambda m, ve, ae, nue, numu: abs(ve)),
    "c_nue_max": (1, True, False, lambda m, ve, ae, nue, numu: abs(nue)),
    "fn_left_max": (1, True, False, lambda m, ve, ae, nue, numu: abs(ve - ae - nue)),
    "c_numu_max": (1, False, True, lambda m, ve, ae, nue, numu: abs(numu)),
    "nhdm_difference_max": (1, True, True, lambda m, ve, ae, nue, numu: abs(nue - numu)),
}

NO_VECTOR = {"c_numu_max"}
"""Claims with C_Ve = 0, as in Fig. 3 (c, d)."""


def both_extreme(form):
    """Least |C_Ve - C_Vmu| that meets both moments, no neutrinos."""

    def couplings(m, moment, share, mu_moment, amu):
        vmu = vector(m, mu_moment * 1e-9, amu * 1e-2)
        return *from_electron_box(m, moment, share), vmu, amu * 1e-2

    def demands(*x):
        m, ve, ae, vmu, amu = couplings(*x)
        return excesses(form, m, ve, ae, 0 * m, vmu, amu, 0 * m)

    def difference(*x):
        _, ve, _, vmu, _ = couplings(*x)
        return abs(ve - vmu)

    return least(difference, demands, [*ELECTRON_BOX, (MU_LOW / 1e-9, MU_HIGH / 1e-9), (-1, 1)])[0]


def muon_extremes(form):
    """In closed form at each mass of the window."""
    ends = electron_extreme("mass_min", form), electron_extreme("mass_max", form)
    m = np.geomspace(*ends, 2001)
    k_v, k_a = loops(M_MU, m)
    # C_numu = 1e-5 and CCFR two standard errors up: a quadratic in the product of couplings.
    second, excess = 1.3e11 * 2 * np.log(M_MU / m), 0.82 + 2 * 0.28 - 1
    largest = (-5.6e5 + np.sqrt(5.6e5**2 + 4 * second * excess)) / (2 * second) / 1e-5
    smallest = np.sqrt(MU_LOW / k_v)
    return {
        "c_vmu_min": smallest.min(),
        "c_vmu_max": largest.max(),
        "c_amu_max": np.sqrt((largest**2 * k_v - MU_LOW) / k_a).max(),
        # C_V - C_A at a given moment is least for C_A = C_V k_V/k_A.
        "fn_right_min": (smallest * np.sqrt(1 - k_v / k_a)).min() - 2e-5,
    }


@cache
def meeting_of_bands():
    """Where the electron's upper Rubidium end meets the muon's lower: mass and coupling."""
    top = sum(A_E["rb"])

    def difference(m):
        return log(top / loop_factors(M_E, m)[0]) - log(MU_LOW / loop_factors(M_MU, m)[0])

    m = brentq(difference, 10, 60)
    return m, sqrt(top / loop_factors(M_E, m)[0])


def meeting_in_fig4():
    """The same with C_Ae = -1e-8/C_Ve and C_Vmu = C_Ve + 1e-8/C_Ve, a quadratic in C_Ve^2."""
    top = sum(A_E["rb"])

    def electron(m):
        k_v, k_a = loop_factors(M_E, m)
        return sqrt((top + sqrt(top**2 + 4 * k_v * k_a * 1e-16)) / (2 * k_v))

    def difference(m):
        c = electron(m)
        return (c + 1e-8 / c) ** 2 * loop_factors(M_MU, m)[0] / MU_LOW - 1

    m = brentq(difference, 10, 60)
    return m, electron(m)


# Numbers that no exclusion enters


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


# Numbers at the edge of what is allowed


def test_window_of_masses_with_the_envelope():
    """Above: the axial coupling that a_e asks for meets BaBar's limit."""
    below, above = ELECTRON.extremes(
        [End(MASS, largest=each) for each in (False, True)], "envelope"
    )
    assert above == pytest.approx(electron_extreme("mass_max", "envelope"), rel=1e-4)

    def beyond(m):
        return sqrt(-HIGH / loop_factors(M_E, m)[1]) / limit("babar_2014_envelope", m) - 1

    # The neutrino's share of decays, 3e-4 at most, moves it by no more than 1e-3.
    assert above == pytest.approx(brentq(beyond, 20, 100), rel=1e-3)
    assert below == pytest.approx(electron_extreme("mass_min", "envelope"), rel=1e-4)


def test_rubidium_without_exclusions():
    ends = [End(quantity, largest=False) for quantity in (MASS, {"C_Ve": 1.0})]
    found = RUBIDIUM_MOMENTS.extremes(ends, "envelope")
    assert found == pytest.approx(meeting_of_bands(), rel=1e-4)


def test_window_that_the_babar_curve_leaves_to_rubidium():
    """C_Ve = C_Vmu between the muon's lower end, the electron's upper one and the limits."""
    m = np.geomspace(10, 100, 200_001)
    (e, _), (mu, _) = loops(M_E, m), loops(M_MU, m)
    low = np.maximum(np.sqrt(MU_LOW / mu), np.sqrt((A_E["rb"][0] - A_E["rb"][1]) / e))
    high = np.minimum(np.sqrt(MU_HIGH / mu), np.sqrt(sum(A_E["rb"]) / e))
    left = {}
    for form, name in (("envelope", "babar_2014_envelope"), ("curve", "babar_2014")):
        top = np.minimum(high, np.minimum(limit(name, m), limit("kloe_2015", m)))
        # NA64 ends below, at 25 MeV.
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
    """With the envelope they do not meet; the curve lets the left one reach further."""
    form, found = form_and_claims
    assert (found["fn_left_max"] < found["fn_right_min"]) == (form == "envelope")


@pytest.mark.slow
def test_borexino_stops_the_neutrino_coupling(form_and_claims):
    """At C_nue a hair beyond the largest, whatever the rest, Borexino is broken by least."""
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

    borexino = 7  # of what excesses() lists
    assert least_excess(()) > 0
    assert least_excess((borexino,)) == 0


@pytest.mark.slow
def test_every_claim_about_regions_has_an_independent_value(form_and_claims):
    form, found = form_and_claims
    others = {"nhdm_difference_min", "rb_mass_min", "rb_coupling_min"}
    assert set(found) == {*ELECTRON_QUANTITIES, *muon_extremes(form), *others}


# Joint sigmas


def cubed(x, largest):
    """Dense around zero."""
    return largest * x**3


JOINT_BOXES = {
    # mass, couplings, and C_nue and C_numu in 2e-5
    "sm_u1": [(9.8, 60), (-1, 1), (-1, 1), (-1, 1)],
    "nhdm": [(9.8, 60), (-1, 1), (-1, 1), (-1, 1), (-1, 1)],
    "fn": [(9.8, 60), (-25, 20), (-1, 1), (-1, 1), (-1, 1), (-1, 1)],
}


def joint_couplings(model_class, m, *x):
    """Any couplings of a class: C_Vmu follows from Eq. (33)."""
    nue, numu = 2e-5 * x[-2], 2e-5 * x[-1]
    if model_class == "fn":
        # a_e in 1e-13 and the share of the Moller limit in place of C_Ve and C_Ae
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
    """The point holds by hand, which bounds from above; the other search finds none below."""
    calls = []

    def recording(posterior, *arguments):
        calls.append((posterior, joint_sigma(posterior, *arguments)))
        return calls[0][1]

    monkeypatch.setattr(target_regions, "joint_sigma", recording)
    value = target_regions.joint_sigma_of(model_class, isotope, form)
    [(posterior, found)] = calls
    assert value == found.sigma

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
    [("<", 2.1, "5.0% above the bound."), (">~", 1.8, "10.0% below the bound."), ("<~", 1.9, "")],
)
def test_wrong_side_of_a_bound_is_said(relation, value, words):
    claim = Claim("id", "Sec. I", "a number", 2.0, relation, 0.5)
    assert Checked(claim, dict.fromkeys(FORMS, value)).note == words


def test_projections_by_hand():
    """The packaged tables, read and interpolated by hand."""
    found = {c.claim.id: c.computed["envelope"] for c in projection_claims()}
    [belle2] = limit("belle2_projection_2019", np.array([30.0]))
    assert found["belle2_reach"] == pytest.approx(belle2, rel=1e-9)
    assert found["na64_reach"] == pytest.approx(np.exp(table("na64_projection_2020")[0][-1]))


# Forecast


def left_by_hand(entries, m, ve, ae, nue, numu):
    """Whether projections leave a point, by name of entry."""
    br = br_ee(m, ve, ae, nue, numu)
    left = np.ones(len(m), dtype=bool)
    for name in entries:
        if name.startswith("na64"):
            left &= na64(name, m, ve, ae, br) <= 1
        else:
            left &= np.sqrt((ve**2 + ae**2) * br) <= limit(name, m)
    return left


def forecast_of(effective):
    """A forecast from about that many samples, the samples' couplings and their weights."""
    run = load_run(find_run_file("quickstart"))
    rng = np.random.default_rng(run.settings.seed)
    samples = evidence_of(run.posterior, run.settings, rng, Silent(), effective).samples
    return forecast(run.posterior, samples), run.posterior.couplings(samples.u), samples.weight


@pytest.fixture(scope="module")
def forecast_and_samples():
    return forecast_of(1000)


def test_forecast_is_a_count_of_samples(forecast_and_samples):
    rows, c, weight = forecast_and_samples
    m, ve, ae, nue, vmu, amu, numu = c.rows()[:7]
    assert m.min() >= 9.8
    e, mu = moments(m, ve, ae, vmu, amu)
    meets_e = abs(e - A_E["cs"][0]) <= A_E["cs"][1]
    meets_mu = abs(mu - A_MU[0]) <= A_MU[1]
    parts = {"all": meets_e | True, "electron": meets_e, "both": meets_e & meets_mu}
    assert [row["projection"] for row in rows] == list(PROJECTIONS)
    for row in rows:
        left = left_by_hand(row["entries"], m, ve, ae, nue, numu)
        for part, inside in parts.items():
            share = weight[inside & left].sum() / weight[inside].sum()
            assert row[part] == pytest.approx(share, abs=1e-9)
            assert 0 <= row[part] <= 1
            assert 0 <= row[f"{part}_err"] < 0.1


def test_projections_together_leave_no_more_than_each(forecast_and_samples):
    rows, _, _ = forecast_and_samples
    shares = {frozenset(row["entries"]): row for row in rows}
    together = [entries for entries in shares if len(entries) > 1]
    assert len(together) == 2
    for entries in together:
        for name in entries:
            for part in ("all", "electron", "both"):
                assert shares[entries][part] <= shares[frozenset([name])][part]


@pytest.mark.slow
def test_forecast_by_plain_draws_from_the_prior():
    """Prior draws with a_e spread over its one sigma, weighted with the data; no adapted map."""
    rng = np.random.default_rng(1)
    n = 4_000_000

    def either_sign():
        return rng.choice([-1, 1], n) * 10 ** rng.uniform(-8, -1, n)

    m = np.exp(rng.uniform(np.log(9.8), np.log(100), n))
    ve, nue, vmu, amu, numu = (either_sign() for _ in range(5))
    # C_Ae is drawn by the moment that it gives.
    moment = rng.uniform(LOW, HIGH, n)
    k_v, k_a = loops(M_E, m)
    ae = np.sqrt((k_v * ve**2 - moment) / k_a)
    weight = 1 / (2 * k_a * ae**2)  # d ln C_Ae / d moment
    some = np.flatnonzero((ae < 0.1) & (np.abs(ve * ae) < 1e-8))
    m, ve, ae, nue, vmu, amu, numu, weight, moment = (
        x[some] for x in (m, ve, ae, nue, vmu, amu, numu, weight, moment)
    )
    *hard, texono, borexino, charm, charm_bar, ccfr = excesses(
        "envelope", m, ve, ae, nue, vmu, amu, numu
    )
    weight = weight * np.all([excess <= 0 for excess in hard], axis=0)
    _, mu = moments(m, ve, ae, vmu, amu)
    pull_e, pull_mu = (moment - A_E["cs"][0]) / A_E["cs"][1], (mu - A_MU[0]) / A_MU[1]
    pulls = [texono + 2, borexino + 1, charm + 1, charm_bar + 1, ccfr + 2, pull_e, pull_mu]
    weight = weight * np.exp(-0.5 * sum(pull**2 for pull in pulls))
    rows, _, _ = forecast_of(50_000)
    for part, inside in {"electron": weight > 0, "both": abs(pull_mu) <= 1}.items():
        w = weight * inside
        for row in rows:
            left = left_by_hand(row["entries"], m, ve, ae, nue, numu)
            share = w[left].sum() / w.sum()
            error = sqrt((w**2 * (left - share) ** 2).sum()) / w.sum()
            assert error < 0.02
            assert abs(row[part] - share) <= 4 * hypot(error, row[f"{part}_err"])


# The command

EXPECTED = {
    *("mass_min", "mass_max", "c_ae_min", "c_ae_max", "c_ve_max", "c_nue_max"),
    *("c_vmu_min", "c_vmu_max", "c_amu_max", "c_numu_max", "fn_left_max", "fn_right_min"),
    *("rb_mass_min", "rb_coupling_min"),
    *(
        f"joint_sigma_{model_class}_{isotope}_{form}"
        for model_class in ("sm_u1", "nhdm", "fn")
        for isotope in ("cs", "rb")
        for form in ("envelope", "curve")
    ),
}


def check_claims(rows):
    ids = [row["id"] for row in rows]
    assert len(set(ids)) == len(ids)
    assert set(ids) >= EXPECTED
    for row in rows:
        assert set(row) >= {"id", "paper", "computed", "agrees", "note"}
        assert isinstance(row["agrees"], bool)
        assert isinstance(row["note"], str)
        for key in ("paper", "computed", "computed_curve"):
            assert row[key] is None or isinstance(row[key], float)
        if row["id"].startswith("joint_sigma"):
            assert row["paper"] == 1
            assert row["agrees"] == (row["computed"] > 1)


def check_links(folder):
    """Every link of the page leads to a file in the folder, and every figure is linked."""
    text = (folder / "paper.md").read_text(encoding="utf-8")
    links = re.findall(r'src="([^"]+)"', text) + re.findall(r"\]\(([^)]+)\)", text)
    assert len(links) >= 20
    for link in links:
        assert (folder / link).is_file(), link
    for figure in FIGURES:
        assert f"figures/{figure.stem}.png" in links


@pytest.fixture
def quick(workspace, monkeypatch):
    """All but the numbers and figures, which are made up, in this process."""

    def extremes(self, ends, form):
        return [20.0] * len(ends)

    def canned(figures, folder):
        drawn = {}
        for figure in figures:
            for kind in ("png", "pdf"):
                (folder / f"{figure.stem}.{kind}").write_bytes(b"drawn")
            notes = ["some numbers are unverified"] if figure.variant is None else []
            drawn[figure.stem] = {"allowed": {"stretches": [[17.0, 38.0]]}, "notes": notes}
        return drawn

    def posterior(folder):
        (folder / "profile_m_Zp.png").write_bytes(b"drawn")
        levels = [{"probability": 0.683, "intervals": [[17.0, 38.0]]}]
        shares = dict.fromkeys(("all", "electron", "both"), 0.5)
        errors = {f"{part}_err": 0.01 for part in shares}
        row = {"projection": "a search", "entries": [], **shares, **errors}
        mass = {"profile": {"levels": levels}, "posterior": {"levels": levels, "reach": [[1, 38]]}}
        return mass, [row]

    monkeypatch.setattr(target_regions.TargetRegion, "extremes", extremes)
    monkeypatch.setattr(reproduce, "joint_sigma_of", lambda *_: 2.0)
    monkeypatch.setattr(reproduce, "draw", canned)
    monkeypatch.setattr(reproduce, "_posterior", posterior)
    monkeypatch.setattr(processes, "workers", lambda: nullcontext(Here()))


class Here:
    """Does jobs at once."""

    def results_of(self, jobs, _):
        return {name: job() for name, job in jobs.items()}


def test_page_and_numbers(quick, accepted):
    printed = accepted("paper", "--json", "deep/numbers.json")
    folder = Path("output/paper")
    rows = json.loads((folder / "claims.json").read_text())
    check_claims(rows)
    check_links(folder)
    assert json.loads(Path("deep/numbers.json").read_text()) == rows
    assert json.loads((folder / "forecast.json").read_text())[0]["projection"] == "a search"
    assert "50.00 ± 1.00 %" in (folder / "paper.md").read_text(encoding="utf-8")
    assert (folder / "paper.md").read_text().count("- some numbers are unverified") == 1
    assert "17.0-38.0 (where the prior ends)" in (folder / "paper.md").read_text(encoding="utf-8")
    assert "17.00-38.00 MeV" in (folder / "paper.md").read_text(encoding="utf-8")
    for name in ("mass_min", "joint_sigma_fn_rb_curve", "paper.md"):
        assert name in printed
    assert not list(Path().rglob(".partial-*"))


def test_every_id_can_be_read_on_a_narrow_terminal(quick, workspace):
    result = CliRunner(env={"COLUMNS": "80"}).invoke(cli, ["paper"])
    assert result.exit_code == 0, result.output
    for name in EXPECTED:
        assert name in result.stdout


def test_own_folder_is_written_again(quick, accepted):
    accepted("paper", "--output", "out")
    before = Path("out/claims.json").read_text()
    Path("out/claims.json").write_text("[]")
    Path("out/notes.txt").write_text("mine")
    accepted("paper", "--output", "out")
    assert Path("out/claims.json").read_text() == before
    assert Path("out/notes.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["claims.json", "paper.md", "forecast.json", "figures/own.png"])
def test_foreign_files_are_not_replaced_without_force(quick, rejected, accepted, name):
    file = Path("out") / name
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    message = rejected("paper", "--output", "out")
    assert "out: already holds" in message
    assert name.partition("/")[0] in message
    assert "--force" in message
    assert [path for path in Path("out").rglob("*") if path.is_file()] == [file]
    assert file.read_text() == "mine"
    accepted("paper", "--output", "out", "--force")
    check_claims(json.loads(Path("out/claims.json").read_text()))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--output", "blocked"],
        ["--output", "blocked/deep"],
        ["--output", "taken"],
        ["--json", "blocked/numbers.json"],
        ["--json", "folder"],
    ],
)
def test_what_cannot_be_written_is_said_before_anything_is_computed(
    monkeypatch, workspace, rejected, arguments
):
    monkeypatch.setattr(processes, "workers", nullcontext)  # which compute nothing
    Path("blocked").write_text("a file")
    Path("folder").mkdir()
    Path("taken").mkdir()
    Path("taken/figures").write_text("a file")
    (Path("taken") / ".zpfit-paper").touch()
    message = rejected("paper", *arguments)
    assert arguments[1].partition("/")[0] in message
    assert "cannot be written" in message or "is a directory" in message
    assert not list(Path().rglob(".partial-*"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_folder_without_permission(quick, rejected):
    Path("locked").mkdir(mode=0o500)
    assert "cannot be written" in rejected("paper", "--output", "locked")
    assert "cannot be written" in rejected("paper", "--json", "locked/numbers.json")


def test_failure_of_one_job_is_what_the_command_says(quick, rejected, monkeypatch):
    def broken(*_):
        raise NoAllowedPoint(100)

    monkeypatch.setattr(reproduce, "rubidium_window", broken)
    message = rejected("paper")
    assert "allows none of 100 points drawn from the prior" in message
    assert not Path("output/paper/claims.json").exists()


def test_failure_in_another_process_travels_as_words():
    with pytest.raises(ZpfitError, match="unknown run 'nowhere'"), processes.workers() as pool:
        pool.results_of({"bad": partial(find_run_file, "nowhere")}, Silent())


def test_a_process_that_dies_is_reported_without_doing_the_rest():
    jobs = {str(index): partial(_die_elsewhere, os.getpid()) for index in range(20)}
    start = time.monotonic()
    with pytest.raises(ProcessDied, match="memory"), processes.workers() as pool:
        pool.results_of(jobs, Silent())
    assert time.monotonic() - start < 50


def _die_elsewhere(here):
    if os.getpid() != here:
        os._exit(3)
    time.sleep(5)


def test_other_processes_of_the_caller_are_left_alone():
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with pytest.raises(ZeroDivisionError), processes.workers():
        _ = 1 / 0
    assert other.poll() is None
    other.communicate(b"\n")


@pytest.mark.slow
def test_the_caller_and_other_processes_share_the_jobs():
    jobs = {str(index): partial(_pid, 0.5) for index in range(10)}
    with processes.workers() as pool:
        results = pool.results_of(jobs, Silent())
    assert set(results) == set(jobs)
    assert os.getpid() in results.values()
    assert set(results.values()) != {os.getpid()}


def _pid(seconds):
    time.sleep(seconds)
    return os.getpid()


def test_interrupts_are_held_and_not_lost():
    after = []

    def interrupted():
        with processes.interrupts_held():
            signal.raise_signal(signal.SIGINT)
            after.append("held")
        after.append("lost")

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert after == ["held"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.skipif(sys.platform == "win32", reason="no process groups")
@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=slow)])
@pytest.mark.parametrize("importing", [False, pytest.param(True, marks=slow)])
def test_an_interrupt_ends_all_processes_at_once(tmp_path, number, importing):
    """As a terminal sends it, to every process; and where only the first one gets it."""
    psutil = pytest.importorskip("psutil")
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    script = f"{heard}\nfrom zpfit.cli import cli\ncli()"  # as pytest may be deaf itself
    process = subprocess.Popen(
        [sys.executable, "-c", script, "paper", "--output", tmp_path / "out"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    others = partial(psutil.Process(process.pid).children, recursive=True)
    if importing:
        wait_for(lambda: len(others()) >= 2)  # with that of multiprocessing itself
    else:
        assert process.stderr.readline().startswith("Tracing")
    left = others()
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    printed, complaint = process.communicate(timeout=20)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: -15}[number]
    assert not printed
    assert "Traceback" not in complaint
    assert complaint.endswith("interrupted\n") == (number == signal.SIGINT)
    assert not psutil.wait_procs(left, timeout=20)[1]


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.slow
def test_one_figure(tmp_path):
    """Fig. 2 (a) with the envelope: files, and the lightest mass that it allows."""
    record = draw([Figure("paper_fig2a", "envelope")], tmp_path)["fig2a_envelope"]
    for kind in ("png", "pdf", "json", "csv"):
        assert (tmp_path / f"fig2a_envelope.{kind}").stat().st_size > 1000
    assert json.loads((tmp_path / "fig2a_envelope.json").read_text())["allowed"] is not None
    low, high = record["allowed"]["x"]
    assert electron_extreme("mass_min", "envelope") * (1 - 1e-3) < low < high


@pytest.fixture(scope="module")
def reproduced(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paper")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        result = CliRunner().invoke(cli, ["paper", "--output", "out", "--json", "numbers.json"])
    assert result.exit_code == 0, result.output
    return folder


@pytest.mark.slow
def test_paper_from_start_to_finish(reproduced):
    out = reproduced / "out"
    rows = json.loads((out / "claims.json").read_text())
    check_claims(rows)
    check_links(out)
    assert json.loads((reproduced / "numbers.json").read_text()) == rows
    for row in json.loads((out / "forecast.json").read_text()):
        assert all(0 <= row[part] <= 1 for part in ("all", "electron", "both"))


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("panel", [*(f"{n}{p}" for n in (2, 3) for p in "abcd"), "4"])
def test_every_figure_of_the_paper(reproduced, panel, form):
    figures = reproduced / "out" / "figures"
    png = (figures / f"fig{panel}_{form}.png").read_bytes()
    pdf = (figures / f"fig{panel}_{form}.pdf").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert pdf.startswith(b"%PDF")
    assert min(len(png), len(pdf)) > 5000


@pytest.mark.slow
def test_numbers_of_the_command_are_those_of_its_parts(reproduced):
    rows = json.loads((reproduced / "numbers.json").read_text())
    by_id = {row["id"]: row for row in rows}
    assert by_id["mass_min"]["computed"] == pytest.approx(
        electron_extreme("mass_min", "envelope"), rel=1e-4
    )
    assert by_id["mass_max"]["computed_curve"] == pytest.approx(
        electron_extreme("mass_max", "curve"), rel=1e-4
    )
    for checked in closed_claims():
        assert by_id[checked.claim.id]["computed"] == checked.computed["envelope"]
