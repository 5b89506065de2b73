"""One message reports all mistakes: unknown names together with misspelt keys."""

from collections.abc import Callable
from pathlib import Path

import pytest

from zpfit.analysis.exclusion.slice import resolve_slice
from zpfit.errors import InvalidInput, UnknownName
from zpfit.io.library import Library
from zpfit.io.schema import StrictModel, validate_parts
from zpfit.io.yaml import parse_yaml
from zpfit.runs.campaign_file import load_campaign
from zpfit.runs.run_file import load_run

Load = Callable[[Path], object]


def load_slice(path: Path) -> object:
    text = path.read_text(encoding="utf-8")
    return resolve_slice(parse_yaml(text, path), Library.beside(path))


def problems_of(load: Load, text: str, folder: Path) -> InvalidInput:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        load(path)
    return caught.value


RUN = """\
model: {name: efective, optoins: {}}
likelihood:
  set: today_css
  add: [nothing]
  sofft: [kloe_2015]
priors: {use: mine}
sampler: {walkerz: 64}
"""
SLICE = """\
model: sm_u2
likelihood: {set: today_cs, add: [nothing]}
x: {parameter: m_Zp, lower: 5, uper: 50}
y: {parameter: C_Ae, lower: 1.0e-5, upper: 1.0e-3}
"""
CAMPAIGN = """\
runs: [quickstart, nothere]
modles: [effective]
data: [today_css]
"""


@pytest.mark.parametrize(
    ("load", "text", "expected"),
    [
        (
            load_run,
            RUN,
            [
                ":1: model: unknown model 'efective'; did you mean 'effective'?",
                ":1: model.optoins: unknown key; did you mean 'options'?",
                ":3: likelihood.set: unknown likelihood set 'today_css'; did you mean 'today_cs'?",
                ":5: likelihood.sofft: unknown key; did you mean 'soft'?",
                ":6: priors.use: unknown priors 'mine';",
                ":7: sampler.walkerz: unknown key; did you mean 'walkers'?",
            ],
        ),
        (
            load_slice,
            SLICE,
            [
                ":1: model: unknown model 'sm_u2'; did you mean 'sm_u1'?",
                ":2: likelihood.add.0: unknown entry 'nothing';",
                ":3: x.uper: unknown key; did you mean 'upper'?",
            ],
        ),
        (
            load_campaign,
            CAMPAIGN,
            [
                ":1: runs.nothere: unknown run 'nothere';",
                ":2: modles: unknown key; did you mean 'models'?",
                ":3: data.today_css: unknown likelihood set 'today_css'; did you mean 'today_cs'?",
            ],
        ),
    ],
    ids=["run", "slice", "campaign"],
)
def test_unknown_names_and_misspelt_keys(
    workspace: Path, load: Load, text: str, expected: list[str]
) -> None:
    error = problems_of(load, text, workspace)
    for problem in expected:
        assert any(f"mine.yaml{problem}" in found for found in error.all_problems), problem
    assert len(error.all_problems) == len(expected)


def test_unknown_names_can_be_told_from_their_exceptions(workspace: Path) -> None:
    error = problems_of(load_run, RUN, workspace)
    names = {cause.name for cause in error.causes if isinstance(cause, UnknownName)}
    assert names == {"efective", "today_css", "mine"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # A misspelt key may be the reason why another one is missing.
        ("model: effective\nlikelihood: {sett: today_cs}\n", ["likelihood.sett: unknown key"]),
        ("model: {nam: effective}\nlikelihood: today_cs\n", ["model.nam: unknown key"]),
        (
            "model: sm_u1\nlikelihood: today_cs\npriors: {use: effective, paremeters: {}}\n",
            ["priors.paremeters: unknown key"],
        ),
        (
            "model: effective\nlikelihoood: today_cs\n",
            ["likelihood: is missing", "likelihoood: unknown key"],
        ),
        # Problems of valid parts are reported in full.
        (
            "model: effective\nlikelihood: {set: today_cs, soft: [e158_2005]}\nsedd: 3\n",
            ["sedd: unknown key", "'e158_2005' is no exclusion"],
        ),
        (
            "model: effective\nlikelihood: today_cs\nseed: -1\npriors: {parameters: {C_Xe: 3}}\n",
            ["seed: ", "model 'effective' has no parameter 'C_Xe'"],
        ),
        ("- effective\n", ["must be a mapping of keys to values"]),
    ],
)
def test_consequences_of_a_misspelt_key_are_not_reported(
    workspace: Path, text: str, expected: list[str]
) -> None:
    found = problems_of(load_run, text, workspace).all_problems
    assert len(found) == len(expected)
    for words in expected:
        assert any(words in problem for problem in found), words


class Inner(StrictModel):
    a: int = 1
    b: int = 2


class Outer(StrictModel):
    inner: Inner
    other: Inner = Inner()
    text: str = ""


@pytest.mark.parametrize(
    ("text", "sound", "readable"),
    [
        ("inner: {a: 3}", {"inner", "other", "text"}, {"inner", "other", "text"}),
        ("inner: {a: 3, c: 1}", {"other", "text"}, {"inner", "other", "text"}),
        ("inner: {a: x}", {"other", "text"}, {"other", "text"}),
        ("inner: {a: 3}\ntxt: x", {"inner"}, {"inner"}),
        ("text: x", {"other", "text"}, {"other", "text"}),
        ("3", set(), set()),
    ],
)
def test_parts_of_a_document(text: str, sound: set[str], readable: set[str]) -> None:
    parts = validate_parts(Outer, parse_yaml(text, Path("x.yaml")))
    assert (parts.sound, parts.readable) == (sound, readable)
    if "inner" in readable:
        assert parts.values.inner.a == 3
