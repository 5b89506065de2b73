"""Test terms about which a model says nothing, as it does not give the mixing with the Z."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

import zpfit
from zpfit.analysis.exclusion.slice import resolve_slice
from zpfit.io.document import Document
from zpfit.io.library import Library
from zpfit.io.places import packaged_data
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.likelihood.unknown_terms import unknown_terms
from zpfit.models.base import Model, Parameter, Values
from zpfit.models.effective import Effective
from zpfit.physics.couplings import Couplings

LIBRARY = Library((packaged_data(),))
TRIPLE = ["z_pole_s2_eff_2006", "z_pole_m_W_2025", "z_pole_width_2020"]
CUTS = ["dark_z_kaon_invisible", "dark_z_b_invisible", "dark_z_b_visible"]
NOTE = "the model does not give tan_xi, which counts as zero; these terms are as without a Z': "


class Mixed(Model):
    """A Z' that mixes with the Z."""

    name = "mixed"
    parameters = (Parameter("m_Zp", "m"), Parameter("tan_xi", "t", domain=(-0.1, 0.1)))

    def couplings(self, values: Values) -> Couplings:
        t = values["tan_xi"]
        return Couplings(m_Zp=values["m_Zp"], C_Ae=0.18 * t, tan_xi=t)


def points(model: Model) -> dict[str, np.ndarray]:
    return {p.name: np.full(3, 17.0 if p.name == "m_Zp" else 1e-3) for p in model.parameters}


def test_a_model_of_effective_couplings_counts_as_one_without_mixing() -> None:
    assembled = assemble(LikelihoodSpec(set="today_leptons_cs", add=(*TRIPLE, *CUTS)), LIBRARY)
    plain = assemble(LikelihoodSpec(set="today_leptons_cs"), LIBRARY).likelihood
    found = assembled.for_model(Effective(), points(Effective()))
    assert NOTE + ", ".join(TRIPLE + CUTS) in found.notes()
    assert found.likelihood is assembled.likelihood
    assert found.data_hash() == assembled.data_hash()
    c = Effective().couplings(points(Effective()))
    pulls = {t.name: t.pull(c)[0] for t in found.likelihood.measurements}
    at_zero = [pulls[name] for name in TRIPLE]
    np.testing.assert_allclose(np.abs(at_zero), [1 / 17, 14 / 14.6, 1.4 / 2.4], rtol=1e-9)
    assert set(pulls) == {t.name for t in plain.measurements} | set(TRIPLE)
    assert not set(CUTS) & set(found.likelihood.excluded_by(c)[0])


def test_a_model_that_knows_the_mixing_keeps_them() -> None:
    assembled = assemble(LikelihoodSpec(add=(*TRIPLE, *CUTS)), LIBRARY)
    found = assembled.for_model(Mixed(), points(Mixed()))
    assert found.likelihood is assembled.likelihood
    assert found.data_hash() == assembled.data_hash()
    c = Mixed().couplings(points(Mixed()))
    assert set(found.likelihood.excluded_by(c)[0]) == {"dark_z_b_visible"}
    assert found.likelihood.chi2(c)[0] == pytest.approx(1.4, rel=0.3)


def test_data_without_such_terms_do_not_ask_the_model() -> None:
    class Silent(Mixed):
        def couplings(self, values: Values) -> Couplings:  # noqa: ARG002
            raise AssertionError

    assembled = assemble(LikelihoodSpec(set="today_leptons_cs"), LIBRARY)
    assert assembled.for_model(Silent(), points(Mixed())) is assembled


def test_a_model_that_gives_the_mixing_gets_no_remark() -> None:
    likelihood = assemble(LikelihoodSpec(add=tuple(TRIPLE)), LIBRARY).likelihood
    assert unknown_terms(likelihood, Couplings.of(m_Zp=17.0, tan_xi=0.0)) == ()
    assert unknown_terms(likelihood, Couplings.of(m_Zp=17.0)) == (NOTE + ", ".join(TRIPLE),)


RUN = {"model": "effective", "likelihood": {"set": "paper_2021_cs", "add": TRIPLE}}


def test_a_run_tells_it() -> None:
    problem = zpfit.load(RUN)
    assert NOTE + ", ".join(TRIPLE) in problem.notes


def test_models_with_and_without_the_mixing_have_the_same_data() -> None:
    gauge = {"model": "sm_u1", "likelihood": RUN["likelihood"]}
    assert zpfit.load(RUN).data_hash() == zpfit.load(gauge).data_hash()


def test_points_tell_it(logged: pytest.LogCaptureFixture) -> None:
    with logged.at_level(logging.WARNING):
        frame = zpfit.evaluate({"m_Zp": 18.0, "C_Ae": 1.6e-4}, likelihood=RUN["likelihood"])
    assert NOTE in logged.text
    plain = zpfit.evaluate({"m_Zp": 18.0, "C_Ae": 1.6e-4}, likelihood="paper_2021_cs")
    assert frame.chi2_total[0] > plain.chi2_total[0]


def test_points_tell_what_a_model_without_quarks_means(logged: pytest.LogCaptureFixture) -> None:
    remark = "the model has no quark couplings: a Z' of leptons alone"
    point = {"m_Zp": 17.0, "C_Ve": 1e-4}
    with logged.at_level(logging.WARNING):
        zpfit.evaluate(point, likelihood="today_cs")
    assert logged.text.count(remark) == 1
    logged.clear()
    with logged.at_level(logging.WARNING):
        zpfit.evaluate(point | {"C_Vu": 1e-5}, likelihood="today_cs")
        zpfit.evaluate(point, likelihood="today_leptons_cs")
    assert remark not in logged.text


def test_a_slice_tells_it() -> None:
    side = {"lower": 1e-5, "upper": 1e-3, "scale": "log"}
    content = {
        "title": "test",
        "model": {"name": "effective"},
        "likelihood": RUN["likelihood"],
        "x": {"parameter": "C_Ve", **side},
        "y": {"parameter": "C_Ae", **side},
        "fix": {"m_Zp": 17.0},
    }
    found = resolve_slice(Document(Path("test.yaml"), content, {}), LIBRARY)
    assert NOTE + ", ".join(TRIPLE) in found.notes


def test_validate_prints_it(invoke: Callable[..., Result], tmp_path: Path) -> None:
    path = tmp_path / "my_run.yaml"
    path.write_text(
        "model: effective\npriors: effective\n"
        f"likelihood: {{set: paper_2021_cs, add: [{', '.join(TRIPLE)}]}}\n"
    )
    assert "does not give tan_xi" in " ".join(invoke("validate", str(path)).output.split())
