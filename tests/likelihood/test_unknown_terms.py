"""Test terms that a model cannot predict, as it does not know the mixing with the Z."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

import zpfit
from zpfit.analysis.exclusion.slice import resolve_slice
from zpfit.errors import InvalidInput
from zpfit.io.document import Document
from zpfit.io.library import Library
from zpfit.io.places import packaged_data
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.likelihood.unknown_terms import known_part
from zpfit.models.base import Model, Parameter, Values
from zpfit.models.effective import Effective
from zpfit.physics.couplings import Couplings

LIBRARY = Library((packaged_data(),))
TRIPLE = ["z_pole_s2_eff_2006", "z_pole_m_W_2025", "z_pole_width_2020"]
CUTS = ["dark_z_kaon_invisible", "dark_z_b_invisible", "dark_z_b_visible"]
NOTE = "left out, as the model does not give tan_xi: "


class Mixed(Model):
    """A Z' that mixes with the Z."""

    name = "mixed"
    parameters = (Parameter("m_Zp", "m"), Parameter("tan_xi", "t", domain=(-0.1, 0.1)))

    def couplings(self, values: Values) -> Couplings:
        t = values["tan_xi"]
        return Couplings(m_Zp=values["m_Zp"], C_Ae=0.18 * t, tan_xi=t)


def points(model: Model) -> dict[str, np.ndarray]:
    return {p.name: np.full(3, 17.0 if p.name == "m_Zp" else 1e-3) for p in model.parameters}


def test_a_model_of_effective_couplings_leaves_them_out_and_says_so() -> None:
    assembled = assemble(LikelihoodSpec(set="today_cs", add=(*TRIPLE, *CUTS)), LIBRARY)
    plain = assemble(LikelihoodSpec(set="today_cs"), LIBRARY).likelihood
    found = assembled.for_model(Effective(), points(Effective()))
    assert found.likelihood.names == plain.names
    assert found.likelihood.correlations == plain.correlations
    assert found.notes()[0] != assembled.notes()[0]
    assert NOTE + ", ".join(TRIPLE + CUTS) in found.notes()
    assert [e.name for e in found.entries] == [e.name for e in assembled.entries]
    assert found.data_hash() != assembled.data_hash()


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


def test_known_terms_are_the_same_object() -> None:
    likelihood = assemble(LikelihoodSpec(add=tuple(TRIPLE)), LIBRARY).likelihood
    assert known_part(likelihood, Couplings.of(m_Zp=17.0, tan_xi=0.0)) == (likelihood, ())
    left, [note] = known_part(likelihood, Couplings.of(m_Zp=17.0))
    assert (left.names, note) == ((), NOTE + ", ".join(TRIPLE))


RUN = {"model": "effective", "likelihood": {"set": "paper_2021_cs", "add": TRIPLE}}


def test_a_run_tells_it_and_refuses_to_use_them() -> None:
    problem = zpfit.load(RUN)
    assert [n for n in problem.notes if n.startswith("left out")] == [NOTE + ", ".join(TRIPLE)]
    assert not set(TRIPLE) & set(problem.posterior.likelihood.names)
    with pytest.raises(InvalidInput, match="z_pole_m_W_2025"):
        zpfit.load({**RUN, "joint_sigma": {"within": {"z_pole_m_W_2025": 1.0}}})


def test_points_are_compared_with_the_rest(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        frame = zpfit.evaluate({"m_Zp": 18.0, "C_Ae": 1.6e-4}, likelihood=RUN["likelihood"])
    assert NOTE in caplog.text
    plain = zpfit.evaluate({"m_Zp": 18.0, "C_Ae": 1.6e-4}, likelihood="paper_2021_cs")
    assert frame.chi2_total[0] == plain.chi2_total[0]


def test_points_tell_what_a_model_without_quarks_means(caplog: pytest.LogCaptureFixture) -> None:
    remark = "the model has no quark couplings: a Z' of leptons alone"
    point = {"m_Zp": 17.0, "C_Ve": 1e-4}
    with caplog.at_level(logging.WARNING):
        zpfit.evaluate(point, likelihood="today_cs")
    assert caplog.text.count(remark) == 1
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        zpfit.evaluate(point | {"C_Vu": 1e-5}, likelihood="today_cs")
        zpfit.evaluate(point, likelihood="today_leptons_cs")
    assert remark not in caplog.text


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
    assert not set(TRIPLE) & set(found.assembled.likelihood.names)


def test_validate_prints_it(invoke: Callable[..., Result], tmp_path: Path) -> None:
    path = tmp_path / "my_run.yaml"
    path.write_text(
        "model: effective\npriors: effective\n"
        f"likelihood: {{set: paper_2021_cs, add: [{', '.join(TRIPLE)}]}}\n"
    )
    assert "does not give tan_xi" in " ".join(invoke("validate", str(path)).output.split())
