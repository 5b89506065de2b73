"""Test models in Python: functions, classes and plug-ins."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from helpers_models import (
    AT,
    CLASS,
    MASS,
    POINTWISE,
    SIMPLE,
    SMALL,
    VECTORISED,
    Command,
    G,
    assert_mentions,
    evaluated,
    fit_file,
    python_fit,
    write,
)
from helpers_samplers import first_fast

pytestmark = pytest.mark.usefixtures("quick_fits")

# Functions


def test_a_function_in_a_file(accepted: Command, invoke: Callable[..., Result]):
    python_fit(VECTORISED, parameters=MASS + G)
    result = invoke("validate", "fit.yaml")
    assert_mentions(result.stdout, "Model mine", "2 sampled")
    assert "point by point" not in result.stderr
    [light, heavy] = evaluated(accepted, "{python: 'my.py:mine'}", "17,1e-4", "30,1e-4")
    assert light["couplings"]["C_Vmu"] == 1e-4
    assert heavy["couplings"]["C_Vmu"] == 1e-2


def test_a_function_of_single_numbers(accepted: Command, invoke: Callable[..., Result]):
    results = []
    for code in (VECTORISED, POINTWISE):
        python_fit(code)
        results.append(evaluated(accepted, "{python: 'my.py:mine'}", "17,1e-4", "30,1e-4"))
    assert results[0] == results[1]
    assert "'mine' is called point by point" in invoke("validate", "fit.yaml").stderr
    options = ("--likelihood", "paper_2021_cs", "--points", "points.csv")
    result = invoke("evaluate", *options, "--model", "{python: 'my.py:mine'}")
    assert "'mine' is called point by point" in result.stderr


def test_no_note_where_there_is_one_point(invoke: Callable[..., Result]):
    write("my.py", POINTWISE)
    result = invoke("evaluate", *AT, "m_Zp=17 g=1e-4", "--model", "{python: 'my.py:mine'}")
    assert result.exit_code == 0
    assert result.stderr == ""


def test_the_user_says_whether_a_function_takes_arrays(invoke: Callable[..., Result]):
    python_fit(VECTORISED, ", vectorised: false")
    assert "point by point" in invoke("validate", "fit.yaml").stderr
    python_fit(VECTORISED, ", vectorised: true")
    assert invoke("validate", "fit.yaml").stderr == ""
    python_fit(POINTWISE, ", vectorised: true")
    message = invoke("validate", "fit.yaml").stderr
    assert_mentions(message, "my.py:4", "ValueError", "try vectorised: false")


@pytest.mark.parametrize(
    "python", ["../my.py", *first_fast("code/my.py", "my.py", "{workspace}/my.py")]
)
def test_a_run_keeps_the_python_file(
    accepted: Command, workspace: Path, monkeypatch: pytest.MonkeyPatch, python: str
):
    source = write(Path("fits") / python.format(workspace=workspace), VECTORISED)
    fit_file(f"{{python: '{python.format(workspace=workspace)}:mine'}}", path="fits/fit.yaml")
    accepted("run", "fits/fit.yaml", *SMALL, "--output", "out")
    [kept] = Path("out").rglob("my.py")
    assert kept.is_relative_to("out/data")
    source.unlink()
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert "valid" in accepted("validate", workspace / "out" / "config.yaml")


def test_a_function_in_a_module(accepted: Command, monkeypatch: pytest.MonkeyPatch):
    write("my_package/models.py", SIMPLE)
    monkeypatch.syspath_prepend(str(Path.cwd()))
    [point] = evaluated(accepted, "{python: 'my_package.models:mine'}", "17,1e-4")
    assert point["couplings"]["C_Vmu"] == 1e-4


def test_a_parameter_with_a_default_needs_no_prior(accepted: Command):
    python_fit(VECTORISED)
    assert "2 sampled" in accepted("validate", "fit.yaml")


def test_a_parameter_without_a_prior(rejected: Command):
    python_fit(SIMPLE, parameters=MASS)
    message = rejected("validate", "fit.yaml")
    assert_mentions(message, "fit.yaml:3: priors: ", "'g' has no prior", "fix it")
    python_fit(SIMPLE, parameters="")
    message = rejected("validate", "fit.yaml")
    assert_mentions(message, "fit.yaml: priors: ", "'m_Zp' has no prior", "'g' has no prior")


def test_a_prior_for_a_parameter_that_the_model_lacks(rejected: Command):
    python_fit(SIMPLE, parameters=MASS + G + "    h: 1\n")
    message = rejected("validate", "fit.yaml")
    assert_mentions(message, "fit.yaml:7: priors.parameters.h", "'mine'", "'h'", "m_Zp, g")


def test_a_priors_file_of_another_model(rejected: Command):
    write("my.py", SIMPLE)
    head = "title: t\ndescription: d\nmodel: other\nparameters:\n"
    write("priors/mine.yaml", head + MASS.replace("    ", "  ") + G.replace("    ", "  "))
    fit_file("{python: 'my.py:mine'}", "")
    message = rejected("validate", "fit.yaml")
    assert_mentions(message, "priors.use", "priors/mine.yaml", "'other'", "'mine'")


@pytest.mark.parametrize(
    ("signature", "body", "words"),
    [
        ("*values", "{}", ["'mine' takes *values", "name each parameter"]),
        ("m_Zp, **rest", "{}", ["'mine' takes **rest", "name each parameter"]),
        ("m_Zp, /, g", "{}", ["'mine' takes m_Zp", "name each parameter"]),
        ("", "{'m_Zp': 17.0}", ["'mine' takes no arguments"]),
        ("m_Zp, g='x'", "{}", ["g='x'", "a default must be a finite number"]),
        ("m_Zp, g=float('nan')", "{}", ["g=nan", "a default must be a finite number"]),
        ("m_Zp, g", "1 / 0", ["my.py:2", "m_Zp = ", "g = ", "ZeroDivisionError", "mend"]),
        ("m_Zp, g", "exit(3)", ["my.py:2", "SystemExit", "mend"]),
        ("m_Zp, g", "None", ["returned a NoneType", "return a dict"]),
        ("m_Zp, g", "[g]", ["returned a list", "return a dict"]),
        ("m_Zp, g", "{'C_Vm': g}", ["returned C_Vm", "known: m_Zp, C_Ve"]),
        ("m_Zp, g", "{'C_Vm': g, 3: g}", ["returned 3, C_Vm", "known: m_Zp, C_Ve"]),
        ("m_Zp, g", "{'C_Vmu': [g, g, g]}", ["returned C_Vmu", "(3,)", "wanted"]),
        ("m_Zp, g", "{'C_Vmu': [[g], [g, g]]}", ["'mine' failed", "inhomogeneous"]),
        ("m_Zp, g", "{'C_Vmu': 'big'}", ["returned C_Vmu", "'big'", "numbers"]),
        ("m_Zp, g", "{'C_Vmu': '0.1'}", ["returned C_Vmu", "'0.1'", "numbers"]),
        ("m_Zp, g", "{'C_Vmu': 1j * g}", ["returned C_Vmu", "complex128", "numbers"]),
        ("m_Zp, g", "{'C_Vmu': g > 0}", ["returned C_Vmu", "bool", "numbers"]),
        ("m_Zp, g", "{'C_Vmu': None}", ["returned C_Vmu", "object", "numbers"]),
        ("m_Zp, g", "{'C_Vmu': g, 'm_Zp': g}", ["two masses", "either take m_Zp or return it"]),
    ],
)
def test_mistake_in_a_function(rejected: Command, signature: str, body: str, words: list[str]):
    python_fit(f"def mine({signature}):\n    return {body}\n")
    assert_mentions(rejected("validate", "fit.yaml"), "fit.yaml:1: model", *words)


def test_a_function_without_a_mass(rejected: Command):
    python_fit("def mine(g):\n    return {'C_Vmu': g}\n", parameters=G)
    assert_mentions(rejected("validate", "fit.yaml"), "gives no mass", "take m_Zp or return it")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def mine(m_Zp, g:\n    return {}\n", ["SyntaxError", "my.py, line 1"]),
        ("\nraise RuntimeError('boom')\n", ["my.py:2", "RuntimeError: boom"]),
        ("\nimport no_such_package\n", ["my.py:2", "No module named 'no_such_package'"]),
        ("import sys\nsys.exit(3)\n", ["my.py:2", "SystemExit: 3"]),
        ("mine = 3\n", ["'my.py:mine'", "no function and no subclass"]),
    ],
)
def test_a_python_file_that_cannot_be_used(rejected: Command, code: str, words: list[str]):
    python_fit(code)
    assert_mentions(rejected("validate", "fit.yaml"), "fit.yaml:1: model.python: ", *words)


def test_not_a_number_from_a_function(rejected: Command):
    python_fit("def mine(m_Zp, g):\n    return {'C_Vmu': g * float('nan')}\n")
    message = rejected("evaluate", *AT, "m_Zp=17 g=1e-4", "--model", "{python: 'my.py:mine'}")
    assert_mentions(message, "C_Vmu", "'mine'", "m_Zp = 17, g = 0.0001", "mend")
    assert_mentions(rejected("run", "fit.yaml", "--output", "out"), "C_Vmu", "m_Zp = ", "mend")


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("np.any(m_Zp > 49.99)", ["an array of points", "vectorised: false"]),
        ("float(m_Zp) > 49.99", ["m_Zp = 49.99", "g = ", "restrict the priors"]),
    ],
)
def test_a_function_that_fails_in_the_middle_of_a_run(
    rejected: Command, condition: str, words: list[str]
):
    code = f"import numpy as np\ndef mine(m_Zp, g):\n    if {condition}:\n        raise ValueError"
    python_fit(f"{code}('too heavy')\n    return {{'C_Vmu': g}}\n")
    message = rejected("run", "fit.yaml", *SMALL, "--output", "out")
    assert_mentions(message, "my.py:4", "ValueError: too heavy", *words)
    assert "too heavy" in Path("out/log.txt").read_text(encoding="utf-8")
    assert not Path("out/summary.json").exists()


@pytest.mark.parametrize(("mass", "ratio"), [(1e7, 1e3), (1e-7, 1e3), (-5.0, 1e200), (0.0, 1e200)])
def test_a_mass_beyond_the_formulas_is_impossible(accepted: Command, mass: float, ratio: float):
    write("my.py", f"def mine(g):\n    return {{'C_Vmu': g, 'm_Zp': {mass} + 0 * g}}\n")
    model = "{python: 'my.py:mine'}"
    [point] = json.loads(accepted("evaluate", *AT, "g=1e-3", "--model", model, "--json"))
    assert point["impossible"]["mass in reach of the formulas"] > 0.99 * ratio
    assert "couplings" not in point


def test_a_run_with_a_mass_that_the_function_returns(accepted: Command):
    vev = "    v: {type: uniform, lower: 0, upper: 2e7}\n    g: 1e-3\n"
    python_fit("def mine(v, g):\n    return {'C_Vmu': g, 'm_Zp': g * v}\n", parameters=vev)
    accepted("run", "fit.yaml", *SMALL, "--output", "out")
    summary = json.loads(Path("out/summary.json").read_text(encoding="utf-8"))
    assert summary["impossible_prior_fraction"] == pytest.approx(0.5, abs=0.02)


# Classes


@pytest.mark.parametrize(("options", "heaviest"), [("", 20.0), (", options: {heaviest: 35}", 35.0)])
def test_a_class_with_options_and_conditions(accepted: Command, options: str, heaviest: float):
    write("my.py", CLASS)
    model = f"{{python: 'my.py:Mine'{options}}}"
    [possible, impossible] = evaluated(accepted, model, "17,1e-4", "42,1e-4")
    assert possible["impossible"] == {}
    assert possible["derived"] == {"g_squared": pytest.approx(1e-8)}
    assert impossible == {"impossible": {"light enough": pytest.approx(42 / heaviest)}}
    text = accepted("evaluate", *AT, "m_Zp=42 g=1e-4", "--model", model)
    assert_mentions(text, "m_Zp = 42", "impossible (light enough: ")
    assert "a_mu_2021" not in text


@pytest.mark.parametrize("target", ["Mine", "Mine(20.0)"])
def test_the_impossible_share_of_the_prior(accepted: Command, target: str):
    python_fit(CLASS + f"\n\nmodel = {target}\n", name="model")
    output = accepted("run", "fit.yaml", *SMALL, "--output", "out")
    assert "The model cannot exist in 6" in output
    summary = json.loads(Path("out/summary.json").read_text(encoding="utf-8"))
    assert summary["impossible_prior_fraction"] == pytest.approx(2 / 3, abs=0.015)
    assert summary["best_fit"]["parameters"]["m_Zp"] <= 20
    g = summary["best_fit"]["parameters"]["g"]
    assert summary["best_fit"]["derived"]["g_squared"] == pytest.approx(g**2)


def test_a_class_that_takes_arrays_and_exists_almost_nowhere(invoke: Callable[..., Result]):
    python_fit(CLASS, ", options: {heaviest: 5.01}", name="Mine")
    result = invoke("validate", "fit.yaml")
    assert result.exit_code == 0
    assert result.stderr == ""


def test_a_model_that_exists_nowhere(rejected: Command):
    python_fit(CLASS, ", options: {heaviest: 2}", name="Mine")
    message = rejected("run", "fit.yaml", *SMALL, "--output", "out")
    assert_mentions(message, "'mine' cannot exist", "light enough: 2.5", "move the priors")
    assert not Path("out/summary.json").exists()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("heaviest=20.0", "lightest=20.0", ["cannot be built", "'heaviest'", "options"]),
        ("self.heaviest = heaviest", "raise ValueError('no')", ["my.py:12", "ValueError: no"]),
        ("def couplings", "def coupling", ["cannot be built", "couplings"]),
        ('name = "mine"', "name = 3", ["has the name 3", "text"]),
        ("parameters = (MASS", "parameters = ('m_Zp'", ["a tuple of Parameter"]),
        ("parameters = (MASS, ", "parameters = (MASS, MASS, ", ["m_Zp, m_Zp, g", "each once"]),
        ("parameters = (MASS, ", "parameters = () and (", ["parameters none", "at least one"]),
        ("return Couplings(", "return (", ["'mine' returned a tuple", "Couplings"]),
        ("*[zero] * 5", "zero", ["my.py:16", "missing 4 required"]),
        ('Couplings(values["m_Zp"]', 'Couplings(values["x"]', ["my.py:16", "KeyError: 'x'"]),
        ('"light enough": values', '"light": np.nan * values', ["NaN", "'light'", "m_Zp = "]),
        ('{"light enough": values["m_Zp"] / self.heaviest}', "0.5", ["returned a float", "dict"]),
        ("/ self.heaviest", "> self.heaviest", ["light enough", "bool", "numbers"]),
        ('{"g_squared": values["g"] ** 2}', "[3]", ["returned a list", "dict"]),
    ],
)
def test_mistake_in_a_class(rejected: Command, old: str, new: str, words: list[str]):
    assert old in CLASS
    python_fit(CLASS.replace(old, new), ", options: {heaviest: 60}", name="Mine")
    assert_mentions(rejected("validate", "fit.yaml"), "fit.yaml:1: model", *words)


# Plug-ins


@pytest.fixture
def plugin(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Install a module with code and an entry point to it."""

    def install(code: str, points: str) -> None:
        write("site/plugged_in.py", code)
        write("site/plugged_in-1.0.dist-info/METADATA", "Name: plugged-in\nVersion: 1.0\n")
        write("site/plugged_in-1.0.dist-info/entry_points.txt", f"[zpfit.models]\n{points}\n")
        monkeypatch.syspath_prepend(str(workspace / "site"))
        monkeypatch.delitem(sys.modules, "plugged_in", raising=False)

    return install


def test_a_plugin(accepted: Command, plugin: Callable[[str, str], None]):
    plugin(CLASS + SIMPLE, "theirs = plugged_in:Mine\nalso_theirs = plugged_in:mine")
    assert_mentions(accepted("list", "models"), "theirs", "also_theirs")
    assert_mentions(accepted("show", "theirs"), "m_Zp", "g")
    model = "{name: theirs, options: {heaviest: 30}}"
    points = evaluated(accepted, model, "17,1e-4", "42,1e-4")
    assert [bool(point["impossible"]) for point in points] == [False, True]
    [point] = evaluated(accepted, "also_theirs", "17,1e-4")
    assert point["couplings"]["C_Vmu"] == 1e-4
    fit_file("theirs")
    assert "valid" in accepted("validate", "fit.yaml")


def test_a_plugin_that_cannot_be_used(
    accepted: Command, rejected: Command, plugin: Callable[[str, str], None]
):
    plugin("raise RuntimeError('boom')\n", "theirs = plugged_in:Mine")
    fit_file("theirs")
    message = rejected("validate", "fit.yaml")
    assert_mentions(message, "fit.yaml:1: model: ", "'theirs'", "plugged_in.py:1", "boom")
    assert_mentions(accepted("list", "models"), "theirs", "unusable", "effective")


def test_options_that_a_plugin_lacks(rejected: Command, plugin: Callable[[str, str], None]):
    plugin(CLASS, "theirs = plugged_in:Mine")
    fit_file("{name: theirs, options: {heavy: 3}}")
    assert_mentions(rejected("validate", "fit.yaml"), "fit.yaml:1: model: ", "'heavy'", "options")


# Notes about Python code


def test_validate_says_that_a_run_file_names_python_code(invoke: Callable[..., Result]):
    python_fit(CLASS, ", options: {heaviest: 60}", name="Mine")
    lines = invoke("validate", "fit.yaml").stdout.splitlines()
    assert "note: runs Python code: model.python = my.py:Mine" in lines


def test_validate_says_that_a_plugin_is_python_code(
    invoke: Callable[..., Result], plugin: Callable[[str, str], None]
):
    plugin(CLASS, "theirs = plugged_in:Mine")
    fit_file("theirs")
    lines = invoke("validate", "fit.yaml").stdout.splitlines()
    named = "model = theirs, which is plugged_in:Mine of an installed package"
    assert f"note: runs Python code: {named}" in lines


@pytest.mark.parametrize("name", ["quickstart", "L_mu-L_tau_cs"])
def test_validate_says_nothing_of_code_where_there_is_none(
    invoke: Callable[..., Result], name: str
):
    assert "Python" not in invoke("validate", name).output
