"""Test quark couplings and dark widths that runs, points and files add to a model."""

import logging
from math import pi

import numpy as np
import pytest

import zpfit
from zpfit.errors import InvalidInput
from zpfit.inference.problem import resolve
from zpfit.io.library import Library
from zpfit.io.yaml import parse_yaml
from zpfit.models.dark_width import optional_parameters, with_given
from zpfit.models.effective import Effective, EffectiveOptions
from zpfit.models.names import names_of_models
from zpfit.physics.branching_ratios import HADRONIC_WIDTHS
from zpfit.physics.constants import ELECTRON_MASS
from zpfit.physics.couplings import QUARK_NAMES, TABLE, Couplings
from zpfit.physics.decays import width_ll
from zpfit.runs.run_file import load_single_model

LEPTONS = [row.name for row in TABLE if row.fermion in {"e", "mu", "tau"}]
COMPLETE = Effective(EffectiveOptions(completion="gauge_invariant"))
GAUGE_INVARIANT = "{name: effective, options: {completion: gauge_invariant}}"


def columns(n=1, **values):
    return {name: np.full(n, value) for name, value in values.items()}


def random_points(model, n=50):
    rng = np.random.default_rng(2)
    values = {p.name: 10.0 ** rng.uniform(-6, -3, n) for p in model.parameters}
    return values | {"m_Zp": rng.uniform(5, 100, n)}


def problem(tmp_path, text):
    return resolve(parse_yaml(text, tmp_path / "fit.yaml"), Library.beside())


def test_effective_couplings_have_no_quarks_unless_given():
    plain = Effective()
    assert [p.name for p in plain.parameters] == ["m_Zp", *LEPTONS]
    c = plain.couplings(random_points(plain))
    assert not c.gives("C_Vu")
    assert not c.gives("width_dark")
    assert [p.name for p in plain.optional] == list(QUARK_NAMES)
    given = plain.extended(["C_Ad", "C_Vu", "C_Ve"])
    assert [p.name for p in given.parameters[-2:]] == ["C_Vu", "C_Ad"]
    c = given.couplings(random_points(given))
    assert c.gives("C_Ad")
    assert not c.gives("C_Vd")


def test_a_conserved_charged_current():
    """C_uL - C_dL = C_nue - C_eL, with C_L = C_V - C_A, and all families alike."""
    c = COMPLETE.couplings(random_points(COMPLETE))
    left_u, left_d = c.C_Vu - c.C_Au, c.C_Vd - c.C_Ad
    np.testing.assert_allclose(left_u - left_d, c.C_nue - (c.C_Ve - c.C_Ae), rtol=1e-9, atol=1e-18)
    for quark, alike in (("c", "u"), ("s", "d"), ("b", "d")):
        for kind in "VA":
            np.testing.assert_array_equal(c[f"C_{kind}{quark}"], c[f"C_{kind}{alike}"])
    assert not optional_parameters(COMPLETE) or QUARK_NAMES[0] not in {
        p.name for p in optional_parameters(COMPLETE)
    }


def test_complete_couplings_of_gauge_models():
    """Every gauge model conserves the charged current, so that the completion contains it."""
    smaller = load_single_model("nhdm_u1")[1]
    values = columns(
        m_Zp=300.0, g_prime=1e-3, eps_Y=1e-3, z_1=0.3, z_2=-0.2, tan_beta=2.0, z_Le=0.4,
        z_Lmu=-0.1, z_Ltau=0.0,
    )  # fmt: skip
    found, expected = COMPLETE.couplings(COMPLETE.embed(smaller, values)), smaller.couplings(values)
    for name in (*LEPTONS, *QUARK_NAMES):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("name", ["effective", "sm_u1", "nhdm_u1", "B-L", "universal"])
def test_a_dark_branching_ratio(name):
    """width_dark = br/(1 - br) times the width into everything else."""
    model = with_given(load_single_model(name)[1], ["br_dark"])
    values = random_points(model) | columns(50, br_dark=0.4)
    if "tan_beta" in values:
        values["tan_beta"] += 1.0
    c = model.couplings(values)
    widths = c.widths
    np.testing.assert_allclose(widths.dark, 0.4 * widths.total, rtol=1e-12)
    others = widths.e + widths.mu + widths.tau + widths.nu + widths.hadrons
    np.testing.assert_allclose(c.width_dark, 0.4 / 0.6 * others * c.m_Zp / (12 * pi), rtol=1e-12)


def test_a_dark_width():
    model = with_given(Effective(), ["width_dark"])
    ee = float(width_ll(17.0, 1e-4, 0.0, ELECTRON_MASS))
    values = {p.name: np.zeros(1) for p in model.parameters}
    c = model.couplings(values | columns(m_Zp=17.0, C_Ve=1e-4, width_dark=3 * ee))
    assert c.br_ee[0] == pytest.approx(0.25, rel=1e-12)
    assert c.br_inv[0] == pytest.approx(0.75, rel=1e-12)
    with pytest.raises(InvalidInput, match="width_dark and br_dark"):
        with_given(Effective(), ["width_dark", "br_dark"])


def test_widths_with_a_dark_branching_ratio_are_those_of_the_dark_width():
    model = with_given(load_single_model("sm_u1")[1], ["br_dark"])
    values = random_points(model) | columns(50, br_dark=0.4)
    c = model.couplings(values)
    again = Couplings(**dict(c.items()))
    for name, width in vars(again.widths).items():
        np.testing.assert_allclose(getattr(c.widths, name), width, rtol=1e-14, err_msg=name)


def test_a_dark_width_is_below_the_mass():
    point = {"m_Zp": 17, "C_Ve": 1e-4}
    frame = zpfit.evaluate([point | {"width_dark": w} for w in (16.9, 17.1)])
    ratios = frame["impossible.dark width below the mass"]
    assert np.isnan(ratios[0])
    assert ratios[1] == pytest.approx(17.1 / 17)
    by_singlet = "{name: B-L, options: {mass: zS_vS}}"
    model = with_given(load_single_model(by_singlet)[1], ["width_dark"])
    values = columns(2, zS_vS=17e4, g_prime=1e-4, eps=0.0, width_dark=1.0) | {
        "width_dark": np.array([16.0, 18.0])
    }
    np.testing.assert_array_equal(model.exists(values), [True, False])


@pytest.mark.parametrize(
    ("dark", "share"), [({"width_dark": 3.4}, "0.2"), ({"br_dark": 1 - 1e-9}, "0.53")]
)
def test_a_broad_boson_is_told(dark, share, logged):
    """The width of C_Ve = 1e-4 is 2.7e-10 of the mass; 1e9 times that is half the mass."""
    with logged.at_level(logging.WARNING):
        zpfit.evaluate({"m_Zp": 17, "C_Ve": 1e-4 if "width_dark" in dark else 1.414e-4} | dark)
    assert f"a width of up to {share} times its mass" in logged.text
    logged.clear()
    zpfit.evaluate({"m_Zp": 17, "C_Ve": 1e-4, "br_dark": 0.99})
    assert not logged.text


def test_the_end_of_a_branching_ratio_is_outside(tmp_path):
    with pytest.raises(InvalidInput, match=r"br_dark = 1 must be at least 0 and below 1$"):
        zpfit.evaluate({"m_Zp": 17, "br_dark": 1})
    prior = "br_dark: {type: uniform, lower: 0, upper: 1}"
    with pytest.raises(InvalidInput, match=r"\(at least 0 and below 1\); narrow the prior"):
        problem(tmp_path, RUN.format(model="effective", priors=prior))


def test_points_may_have_quarks_and_a_dark_sector():
    points = [{"m_Zp": 17, "C_Ve": 1e-4}, {"m_Zp": 17, "C_Ve": 1e-4, "C_Vu": 2e-4, "br_dark": 0.5}]
    alone = zpfit.evaluate(points[:1])
    assert not any("C_Vu" in name or "dark" in name for name in alone.columns)
    both = zpfit.evaluate(points)
    assert both["couplings.C_Vu"].tolist() == [0, 2e-4]
    assert both["predictions.br_inv"].tolist() == pytest.approx([0, 0.5])
    with pytest.raises(InvalidInput, match="did you mean 'C_Vu'"):
        zpfit.evaluate([{"m_Zp": 17, "C_Vuu": 1e-4}])


RUN = """
model: {model}
likelihood: paper_2021_cs
priors: {{parameters: {{{priors}}}}}
"""


def test_a_run_has_the_parameters_that_it_gives(tmp_path):
    priors = "C_Vu: {type: log_uniform, lower: 1e-8, upper: 1e-1}, br_dark: 0.3"
    found = problem(tmp_path, RUN.format(model="effective", priors=priors)).posterior
    assert found.names[-1] == "C_Vu"
    assert list(found.priors.by_name)[-2:] == ["C_Vu", "br_dark"]
    assert [p.name for p in found.model.parameters] == list(found.priors.by_name)
    c = found.couplings(np.full((2, found.dimension), 0.6))
    np.testing.assert_allclose(c.widths.dark / c.widths.total, 0.3)
    plain = problem(tmp_path, RUN.format(model="effective", priors="")).posterior
    assert "C_Vu" not in plain.priors.by_name
    both = RUN.format(model="effective", priors="br_dark: 0.3, width_dark: 1e-9")
    with pytest.raises(InvalidInput, match="width_dark and br_dark"):
        problem(tmp_path, both)
    with pytest.raises(InvalidInput, match="br_dark"):
        problem(tmp_path, RUN.format(model="effective", priors="br_dark: 1.2"))


@pytest.mark.parametrize(
    "option", ["completion: gauge_invariant", "u_doublet: 2", "mass: zS_vS", "route: exact"]
)
def test_options_beside_the_name_of_a_model_are_recognised(tmp_path, option):
    text = f"model: {{name: effective, {option}}}\nlikelihood: paper_2021_cs\n"
    key = option.partition(":")[0]
    with pytest.raises(InvalidInput) as failure:
        problem(tmp_path, text)
    hint = f"it is an option of models; write options: {{{key}: ...}}"
    assert f"fit.yaml:1: model.{key}: unknown key; {hint}" in str(failure.value)


def test_proofs_do_not_hold_where_other_channels_may_open():
    """Relations of leptons bound branching ratios only without hadrons and a dark sector."""
    model = load_single_model("nhdm_u1")[1]
    supports = dict.fromkeys((p.name for p in model.parameters), (0.0, 1e-3))
    light, heavy = supports | {"m_Zp": (1.0, 100.0)}, supports | {"m_Zp": (1.0, 200.0)}
    assert model.lepton_relation(light) is not None
    assert model.lepton_relation(heavy) is None
    dark = with_given(model, ["br_dark"])
    assert dark.lepton_relation(light | {"br_dark": (0.0, 0.1)}) is None
    assert dark.lepton_relation(light | {"br_dark": (0.0, 0.0)}) == model.lepton_relation(light)
    linear = load_single_model("protophobic")[1]
    supports = {"m_Zp": (1.0, 200.0), "C_l": (0.0, 1.0), "C_nu": (0.0, 1.0), "C_n": (0.0, 1.0)}
    assert linear.lepton_relation(supports) is None


def test_a_python_model_may_have_a_dark_width():
    def dark(m_Zp, eps, width):
        return {"C_Ve": 0.303 * eps, "width_dark": width}

    point = {"m_Zp": 17, "eps": 1e-3}
    found = zpfit.evaluate([point | {"width": 1e-3}], model=dark)
    assert found["predictions.br_inv"][0] > 0.99
    with pytest.raises(InvalidInput, match="negative width_dark"):
        zpfit.evaluate([point | {"width": -1e-3}], model=dark)


FILE = """
type: charges
title: A dark sector
description: Kinetic mixing and a dark sector.
reference: none
charges: {e: 0, mu: 0, tau: 0}
"""


def test_a_file_may_have_a_dark_sector(tmp_path, monkeypatch):
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    (folder / "dim.yaml").write_text(FILE + "br_dark: 0.9\n")
    assert "dim" in names_of_models(Library.beside().roots)
    found = zpfit.evaluate([{"m_Zp": 17, "eps": 1e-3}, {"m_Zp": 17, "eps": 1e-3, "br_dark": 0}],
                           model="dim")  # fmt: skip
    assert found["predictions.br_inv"].tolist() == pytest.approx([0.9, 0], abs=1e-9)
    (folder / "dim.yaml").write_text(FILE + "br_dark: 1\n")
    with pytest.raises(InvalidInput, match="br_dark"):
        zpfit.evaluate([{"m_Zp": 17, "eps": 1e-3}], model="dim")
    (folder / "dim.yaml").write_text(FILE + "br_dark: 0.5\nwidth_dark: 1\n")
    with pytest.raises(InvalidInput, match="drop one of them"):
        zpfit.evaluate([{"m_Zp": 17, "eps": 1e-3}], model="dim")


def test_results_above_the_hadronic_threshold_say_which_widths_they_hold(tmp_path):
    priors = "m_Zp: {{type: log_uniform, lower: 10, upper: {}}}"
    heavy = problem(tmp_path, RUN.format(model="B-L", priors=priors.format(500)))
    assert HADRONIC_WIDTHS in heavy.notes
    assert HADRONIC_WIDTHS not in problem(tmp_path, RUN.format(model="B-L", priors="")).notes
    leptons = problem(tmp_path, RUN.format(model="effective", priors=priors.format(500)))
    assert HADRONIC_WIDTHS not in leptons.notes
    complete = problem(tmp_path, RUN.format(model=GAUGE_INVARIANT, priors=priors.format(500)))
    assert HADRONIC_WIDTHS in complete.notes
