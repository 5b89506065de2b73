"""JSON Schemas for editors: packaged files are valid, and typical mistakes are not."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from zpfit.io.places import FOLDERS, packaged_data
from zpfit.io.yaml import read_yaml
from zpfit.runs.json_schema import KINDS, json_schema
from zpfit.runs.run_file import find_run_file, load_run, resolved_settings

jsonschema = pytest.importorskip("jsonschema")

_KIND_OF = {"set": "likelihood set"}
FOLDER_OF = {k: FOLDERS[_KIND_OF.get(k, k)] for k in KINDS if k != "figure"}
"""Folders of packaged files; zpfit comes without descriptions of figures."""


@pytest.fixture(scope="module")
def validators() -> dict[str, Any]:
    return {kind: jsonschema.Draft202012Validator(json_schema(kind)) for kind in KINDS}


def packaged() -> Iterator[Any]:
    for kind, folder in FOLDER_OF.items():
        for path in sorted((packaged_data() / folder).glob("*.yaml")):
            yield pytest.param(kind, path, id=f"{kind}-{path.stem}")


@pytest.mark.parametrize("kind", KINDS)
def test_schemas_are_schemas(kind: str):
    schema = json_schema(kind)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["title"] == f"zpfit {kind} file"


@pytest.mark.parametrize(("kind", "path"), list(packaged()))
def test_packaged_files_are_valid(validators: dict[str, Any], kind: str, path: Path):
    validators[kind].validate(read_yaml(path).data)


def test_what_a_run_folder_holds_is_valid(validators: dict[str, Any]):
    validators["run"].validate(resolved_settings(load_run(find_run_file("nhdm_u1_cs"))))


RUN = {"model": "effective", "likelihood": "paper_2021_cs", "priors": "effective"}


@pytest.mark.parametrize(
    "changes",
    [
        {"model": {"python": "mine.py:model", "options": {"a": 1}, "vectorised": True}},
        {"likelihood": {"set": "paper_2021_cs", "add": ["a.lmt", {"curve": "b.lmt"}]}},
        {"priors": {"parameters": {"m_Zp": 17, "C_Ve": {"type": "tied", "to": "C_Ae"}}}},
        {"sampler": {"engine": "dynesty"}, "best_fit": {"points": [{"m_Zp": 17.0}]}},
    ],
)
def test_what_may_stand_in_a_run_file(validators: dict[str, Any], changes: dict[str, Any]):
    validators["run"].validate(RUN | changes)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("run", {"model": "effective"}),
        ("run", RUN | {"modell": "effective"}),
        ("run", RUN | {"seed": "7"}),
        ("run", RUN | {"seed": -1}),
        ("figure", {"width": "prl", "titel": ""}),
        ("figure", {"axes": {"eps": {"scale": "cubic"}}}),
        ("run", RUN | {"sampler": {"engine": "emce"}}),
        ("run", RUN | {"sampler": {"target_ess": 0}}),
        ("run", RUN | {"model": {"options": {}}}),
        ("run", RUN | {"model": ["effective"]}),
        ("run", RUN | {"likelihood": {"set": "paper_2021_cs", "drop": "babar_2014"}}),
        ("run", RUN | {"priors": {"parameters": {"m_Zp": {"type": "unifrom"}}}}),
        ("run", RUN | {"priors": {"parameters": {"m_Zp": {"type": "uniform", "lower": 1}}}}),
        ("priors", {"title": "x", "model": "effective", "description": "x"}),
        ("set", {"title": "x", "description": "x", "entries": ["a"], "exclusions": "softly"}),
        ("model", {"type": "charges", "title": "x", "description": "x", "reference": "x"}),
        ("slice", {"likelihood": "paper_2021_cs", "x": {"parameter": "m_Zp"}}),
        ("slice", {"likelihood": "s", "x": "m_Zp", "y": {"parameter": "C_Ae"}}),
        ("campaign", {"runs": ["a"], "seeds": 5}),
        ("campaign", {"runs": ["a"], "models": "effective"}),
        ("entry", {"type": "gausian", "title": "x"}),
    ],
)
def test_mistakes_are_not(validators: dict[str, Any], kind: str, data: dict[str, Any]):
    assert not validators[kind].is_valid(data)


def test_mistakes_in_a_packaged_entry_are_not(validators: dict[str, Any]):
    data = read_yaml(packaged_data() / FOLDERS["entry"] / "a_mu_2021.yaml").data
    assert validators["entry"].is_valid(data)
    for change in ({"error": -1e-10}, {"error": "6e-10"}, {"valu": 1.0}, {"citations": []}):
        assert not validators["entry"].is_valid(data | change), change


def test_keys_are_described():
    schema = json_schema("run")
    sampler = schema["$defs"]["SamplerSpec"]
    assert sampler["description"] == "How the posterior is sampled."
    assert "R-hat compares them" in sampler["properties"]["ensembles"]["description"]
    assert sampler["properties"]["ensembles"]["default"] == 2


def test_known_names_are_offered_and_others_allowed(validators: dict[str, Any]):
    text, _ = json_schema("run")["properties"]["likelihood"]["anyOf"]
    assert "paper_2021_cs" in text["examples"]
    assert "quickstart" not in text["examples"]
    assert validators["run"].is_valid(RUN | {"likelihood": "mine"})
    limit = json_schema("run")["$defs"]["AddedLimit"]["properties"]["name"]
    assert "examples" not in str(limit)


@pytest.mark.parametrize("prior", [{"value": 3}, {"to": "C_Ae"}, {"mean": 3, "sd": 1}])
def test_a_prior_says_its_type(validators: dict[str, Any], prior: dict[str, Any]):
    assert not validators["run"].is_valid(RUN | {"priors": {"parameters": {"C_Ve": prior}}})


def test_the_command_prints_or_writes(accepted: Callable[..., str], workspace: Path):
    printed = json.loads(accepted("schema", "run"))
    assert printed == json.loads(json.dumps(json_schema("run")))
    accepted("schema", "slice", "--output", "schemas/slice.json")
    written = json.loads((workspace / "schemas" / "slice.json").read_text(encoding="utf-8"))
    assert written["title"] == "zpfit slice file"


def test_an_unknown_kind_is_refused(rejected: Callable[..., str]):
    assert "'campaign'" in rejected("schema", "runs")
