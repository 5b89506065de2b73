"""Test the likelihood of single points."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers_interfaces import RUNS, points_of

import zpfit.interfaces.export
from zpfit.errors import InvalidInput
from zpfit.interfaces.point_likelihood import point_likelihood
from zpfit.runs.run_file import find_run_file, load_run

Command = Callable[..., str]


@pytest.mark.parametrize("name", RUNS)
def test_points_have_the_posteriors_likelihood(name: str):
    run = load_run(find_run_file(name))
    points, expected = points_of(run)
    given = point_likelihood(name)
    found = [given.log_likelihood(point) for point in points]
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert np.isfinite(expected).any()


def test_a_set_and_a_model_need_no_run_file():
    given = point_likelihood(likelihood="paper_2021_cs")
    assert given.required == ("m_Zp",)
    assert "C_nutau" in given.optional
    assert given.log_likelihood({"m_Zp": 17.0}) == pytest.approx(
        given.log_likelihood_without_zprime()
    )
    assert given.log_likelihood({"m_Zp": 17.0, "C_Ve": 2.0}) == -np.inf
    assert given.log_likelihood({"m_Zp": float("nan")}) == -np.inf


def test_remarks_on_the_data_are_logged(logged: pytest.LogCaptureFixture) -> None:
    point_likelihood(likelihood="today_cs")
    assert "a Z' of leptons alone" in logged.text
    assert "unverified" in logged.text


def test_fixed_and_tied_parameters_follow(small_run: Path):
    given = point_likelihood(str(small_run))
    assert given.required == ("m_Zp", "C_Ve", "C_Ae", "C_Vmu")
    frame = zpfit.interfaces.export.frame(small_run).iloc[0]
    point = {name: float(frame[name]) for name in given.required}
    assert given.log_likelihood(point) == pytest.approx(float(frame["log_likelihood"]), rel=1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give run_file, or the name of a likelihood set"),
        ({"likelihood": "paper_2021_sc"}, "did you mean 'paper_2021_cs'"),
        ({"likelihood": "paper_2021_cs", "changes": {"seed": "1"}}, "give run_file as well"),
        ({"run_file": "quikstart"}, "did you mean 'quickstart'"),
    ],
)
def test_what_is_no_likelihood(arguments: dict[str, Any], message: str):
    with pytest.raises(Exception, match=message):
        point_likelihood(**arguments)


@pytest.mark.parametrize("drop", ["[a_mu_2021]", ["a_mu_2021"]])
def test_changes_are_values_or_texts(drop: Any):
    point = dict.fromkeys(point_likelihood("quickstart").required, 1e-6) | {"m_Zp": 17.0}
    changed = point_likelihood("quickstart", changes={"likelihood.drop": drop, "seed": 5})
    run = load_run(find_run_file("quickstart"), {"likelihood.drop": "[a_mu_2021]"})
    values = {name: np.array([value]) for name, value in point.items()}
    [expected] = run.posterior.log_likelihood_at(run.posterior.priors.complete(values, 1))
    assert changed.log_likelihood(point) == expected
    assert expected > point_likelihood("quickstart").log_likelihood(point)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": -1}, "seed: .*-1"),
        ({"likelihood.drop": [3]}, "likelihood.drop.*3"),
        ({5: "seed"}, "changes: 5 is not a text"),
        (["seed"], r"changes: \['seed'\] is not a mapping"),
    ],
)
def test_changes_that_are_none(changes: Any, message: str):
    with pytest.raises(InvalidInput, match=message):
        point_likelihood("quickstart", changes=changes)


def test_points_must_be_complete():
    given = point_likelihood("quickstart")
    with pytest.raises(InvalidInput) as caught:
        given.log_likelihood({"m_Zp": 17.0, "C_Vee": 0.0})
    assert "parameter 'C_Ve' has no value" in str(caught.value)
    assert "did you mean 'C_Ve'" in str(caught.value)


NARROW = """\
import math
from zpfit.models.base import Model, Parameter
from zpfit.models.effective import MASS
from zpfit.physics.couplings import Couplings


class Narrow(Model):
    name = "narrow"
    parameters = (MASS, Parameter("x", "x", domain=(0.0, 3.0)))

    def couplings(self, values):
        return Couplings(values["m_Zp"], *[0.0] * 3, 1e-6 * math.sqrt(1 - values["x"]), *[0.0] * 5)

    def conditions(self, values):
        return {"x at most 1": values["x"]}

    def derived(self, values):
        return {"root": math.sqrt(1 - values["x"])}
"""
NARROW_RUN = """\
model: {python: "narrow.py:Narrow"}
likelihood: {add: [a_mu_2021]}
priors:
  parameters:
    m_Zp: {type: uniform, lower: 5, upper: 50}
    x: {type: uniform, lower: 0, upper: 3}
"""


def test_nothing_is_derived_where_the_model_cannot_exist(workspace: Path):
    Path("narrow.py").write_text(NARROW, encoding="utf-8")
    Path("narrow.yaml").write_text(NARROW_RUN, encoding="utf-8")
    given = point_likelihood("narrow.yaml")
    assert {"root", "C_Vmu"} <= set(given.derived_names)
    assert given.derived({"m_Zp": 17.0, "x": 0.75})["root"] == pytest.approx(0.5)
    for x in (2.0, -1.0, float("nan")):
        point = {"m_Zp": 17.0, "x": x}
        assert given.log_likelihood(point) == -np.inf
        found = given.derived(point)
        assert tuple(found) == given.derived_names
        assert np.isnan(list(found.values())).all()
