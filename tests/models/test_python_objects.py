"""Test Python functions, classes and instances that are given as models from Python."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers_models import CLASS, SIMPLE, write

from zpfit.errors import InvalidInput
from zpfit.inference.problem import resolve
from zpfit.io.document import Document
from zpfit.io.library import Library
from zpfit.models.library import ModelSpec
from zpfit.runs.run_file import load_run, resolved_settings

PRIORS = {
    "parameters": {
        "m_Zp": {"type": "uniform", "lower": 5, "upper": 50},
        "g": {"type": "log_uniform", "lower": 1e-5, "upper": 1e-2},
    }
}


def problem(model: object):
    data = {"model": model, "likelihood": {"add": ["a_mu_2021"]}, "priors": PRIORS}
    return resolve(Document(Path("python"), data, {}), Library.beside())


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Write a user's module, beside the script that imports it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    write("own_objects.py", CLASS + "\n\n" + SIMPLE)
    importlib.invalidate_caches()
    yield importlib.import_module("own_objects")
    sys.modules.pop("own_objects")


def test_a_function_itself():
    def muonic(m_Zp, g):
        return {"C_Vmu": g}

    run = problem(muonic)
    assert run.posterior.model.name == "muonic"
    assert run.code == "model.python = muonic"
    assert [note for note in run.notes if "cannot be repeated" in note]
    c = run.posterior.model.couplings({"m_Zp": np.array([17.0]), "g": np.array([1e-4])})
    assert c.C_Vmu.tolist() == [1e-4]


def test_a_function_with_options_of_the_model():
    run = problem({"python": lambda m_Zp, g: {"C_Vmu": g}, "vectorised": False})
    assert run.posterior.model.pointwise
    assert run.posterior.model.name == "function"


def test_a_class_and_an_instance(module):
    by_class = problem({"python": module.Mine, "options": {"heaviest": 30.0}})
    by_instance = problem(module.Mine(heaviest=30.0))
    values = {"m_Zp": np.array([45.0]), "g": np.array([1e-4])}
    for run in (by_class, by_instance):
        assert run.posterior.model.name == "mine"
        assert run.posterior.model.conditions(values)["light enough"].tolist() == [1.5]


def test_the_run_folder_keeps_the_file_of_a_function(module, tmp_path: Path):
    run = problem(module.mine)
    assert run.files()["own_objects.py"] == tmp_path / "own_objects.py"
    assert not [note for note in run.notes if "cannot be repeated" in note]
    assert resolved_settings(run)["model"]["python"] == "own_objects.py:mine"


def test_a_copied_config_of_a_session_says_that_it_cannot_be_repeated(tmp_path: Path):
    run = problem(lambda m_Zp, g: {"C_Vmu": g})
    name = resolved_settings(run)["model"]["python"]
    write(tmp_path / "fit.yaml", f"model: {{python: '{name}'}}\nlikelihood: paper_2021_cs\n")
    with pytest.raises(InvalidInput, match="was defined in a Python session"):
        load_run(tmp_path / "fit.yaml")


def test_other_objects_are_no_models():
    def nothing():
        return {"C_Ve": 0.0}

    with pytest.raises(InvalidInput, match="takes no arguments"):
        problem(nothing)
    with pytest.raises(InvalidInput, match=r"no subclass of zpfit\.models\.base\.Model"):
        problem(dict)
    with pytest.raises(InvalidInput, match="model"):
        problem(3)


def test_files_hold_names_only():
    spec = ModelSpec.model_validate({"python": "my.py:photon"})
    assert spec.given_object is None
