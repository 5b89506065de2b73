"""Models of the user's own: files of charges and couplings, Python, plug-ins, prior fractions."""

import json
import math
import shutil
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from zpfit.errors import OutsidePrior
from zpfit.inference.priors import Fractions, Priors, Uniform

Command = Callable[..., str]

MEASUREMENTS = "likelihood: {add: [a_mu_2021, a_e_cs_2018]}\n"
MASS = "    m_Zp: {type: uniform, lower: 5, upper: 50}\n"
G = "    g: {type: log_uniform, lower: 1e-5, upper: 1e-2}\n"
SMALL = [
    word
    for change in (
        "sampler.walkers=32",
        "sampler.max_steps=40",
        "sampler.target_ess=10",
        "best_fit.starts=50",
    )
    for word in ("--set", change)
]
AT = ("--likelihood", "paper_2021_cs", "--at")

CHARGES = """\
type: charges
title: mine
description: Charges of my own
reference: none
charges: {e: 1, mu: {L: -2, R: -2}, tau: 0}
"""
COUPLINGS = """\
type: couplings
title: mine
description: Couplings of my own
reference: none
parameters:
  g: {symbol: g}
couplings:
  C_Vmu: {g: 2}
"""
VECTORISED = """\
import numpy as np

def mine(m_Zp, g, extra=0.0):
    return {"C_Vmu": np.where(m_Zp > 20, np.sqrt(g), g) + extra, "C_Ve": 1e-5 * g}
"""
POINTWISE = """\
import math

def mine(m_Zp, g, extra=0.0):
    if m_Zp > 20:
        return {"C_Vmu": math.sqrt(g) + extra, "C_Ve": 1e-5 * g}
    return {"C_Vmu": g + extra, "C_Ve": 1e-5 * g}
"""
SIMPLE = "def mine(m_Zp, g):\n    return {'C_Vmu': g}\n"
CLASS = """\
import numpy as np
from zpfit.models.base import Model, Parameter
from zpfit.models.effective import MASS
from zpfit.physics.couplings import Couplings


class Mine(Model):
    name = "mine"
    parameters = (MASS, Parameter("g", "g", "", (-1.0, 1.0)))

    def __init__(self, heaviest=20.0):
        self.heaviest = heaviest

    def couplings(self, values):
        zero = np.zeros_like(values["g"])
        return Couplings(values["m_Zp"], zero, zero, zero, values["g"], *[zero] * 5)

    def conditions(self, values):
        return {"light enough": values["m_Zp"] / self.heaviest}

    def derived(self, values):
        return {"g_squared": values["g"] ** 2}
"""


def write(path: str | Path, text: str) -> Path:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def assert_mentions(message: str, *words: str) -> None:
    for word in words:
        assert word in message, message


def fit_file(model: str, parameters: str = MASS + G, path: str = "fit.yaml") -> Path:
    text = f"model: {model}\n{MEASUREMENTS}"
    return write(path, text + (f"priors:\n  parameters:\n{parameters}" if parameters else ""))


def python_fit(code: str, options: str = "", name: str = "mine", parameters: str = MASS + G):
    write("my.py", code)
    fit_file(f"{{python: 'my.py:{name}'{options}}}", parameters)


def evaluated(accepted: Command, model: str, *points: str) -> list[dict]:
    """What evaluate says of points like ``17,1e-4`` in m_Zp and g."""
    write("points.csv", "\n".join(["m_Zp,g", *points]) + "\n")
    options = ("--likelihood", "paper_2021_cs", "--model", model, "--points", "points.csv")
    return json.loads(accepted("evaluate", *options, "--json"))


# Files of charges and of couplings


def test_a_file_of_charges_by_its_name(accepted: Command):
    write("models/own_charges.yaml", CHARGES)
    text = accepted("evaluate", *AT, "m_Zp=17 g_prime=1e-4", "--model", "own_charges", "--json")
    [point] = json.loads(text)
    assert point["couplings"]["C_Ve"] == pytest.approx(1e-4, rel=1e-6)
    assert point["couplings"]["C_Vmu"] == pytest.approx(-2e-4, rel=1e-6)
    assert_mentions(accepted("show", "own_charges"), "Charges of my own", "L -2", "g_prime")
    assert_mentions(accepted("list", "models"), "own_charges", "Charges of my own", "nhdm_u1")


def test_options_of_a_file_of_charges(accepted: Command):
    write("models/own_charges.yaml", CHARGES)
    model = "{name: own_charges, options: {mass: zS_vS, route: leading_order}}"
    [point] = json.loads(
        accepted("evaluate", *AT, "zS_vS=17e4 g_prime=1e-4", "--model", model, "--json")
    )
    assert point["couplings"]["m_Zp"] == pytest.approx(17)


def test_a_run_keeps_the_file_of_charges(
    accepted: Command, workspace: Path, monkeypatch: pytest.MonkeyPatch
):
    write("models/own_charges.yaml", CHARGES)
    fit_file("own_charges", MASS + G.replace("g:", "g_prime:"))
    assert_mentions(accepted("validate", "fit.yaml"), "own_charges", "2 sampled")
    accepted("run", "fit.yaml", *SMALL, "--output", "out")
    assert Path("out/data/models/own_charges.yaml").read_text(encoding="utf-8") == CHARGES
    shutil.rmtree("models")
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert "valid" in accepted("validate", workspace / "out" / "config.yaml")


def test_models_beside_the_run_file(accepted: Command):
    write("fits/models/own_charges.yaml", CHARGES)
    fit_file("own_charges", MASS + G.replace("g:", "g_prime:"), "fits/fit.yaml")
    assert "valid" in accepted("validate", "fits/fit.yaml")


def test_a_file_of_couplings(accepted: Command):
    write("models/own.yaml", COUPLINGS)
    fit_file("own")
    [point] = evaluated(accepted, "own", "17,1e-4")
    nonzero = {name: value for name, value in point["couplings"].items() if value}
    assert nonzero == {"m_Zp": 17, "C_Vmu": 2e-4}
    assert_mentions(accepted("show", "own"), "C_Vmu = 2 g")
    assert "valid" in accepted("validate", "fit.yaml")


def test_the_model_in_the_data_hash(accepted: Command):
    from zpfit.runs.run_file import load_run

    write("models/own.yaml", COUPLINGS)
    before = load_run(fit_file("own")).data_hash()
    write("models/own.yaml", COUPLINGS.replace("g: 2", "g: 3"))
    assert load_run(Path("fit.yaml")).data_hash() != before


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("title: mine", "titel: mine", ["own.yaml:2: titel", "did you mean 'title'", "is missing"]),
        ("title: mine", "title: 3", ["own.yaml:2: title", "must be text", "3"]),
        ("reference: none\n", "", ["own.yaml: reference", "is missing"]),
        ("type: charges", "type: charge", ["own.yaml:1: type", "'charge'", "'charges'"]),
        ("type: charges\n", "", ["own.yaml: type", "needs a key 'type'"]),
        ("charges: {", "charge: {", ["own.yaml:5: charge", "did you mean 'charges'"]),
        (", tau: 0", "", ["own.yaml:5: charges.tau", "is missing"]),
        ("tau: 0", "tau: zero", ["own.yaml:5: charges.tau", "number", "L and R", "'zero'"]),
        ("tau: 0", "tau: 1/3", ["own.yaml:5: charges.tau", "number", "'1/3'"]),
        ("tau: 0", "tau: true", ["own.yaml:5: charges.tau", "number", "True"]),
        ("tau: 0", "tau: [0, 1]", ["own.yaml:5: charges.tau", "L and R", "[0, 1]"]),
        ("tau: 0", "tau: .nan", ["own.yaml:5: charges.tau", "finite", "nan"]),
        ("tau: 0", "tau: {L: 1}", ["own.yaml:5: charges.tau.R", "is missing"]),
        ("tau: 0", "tau: {L: 1, R: 1, l: 1}", ["own.yaml:5: charges.tau.l", "unknown key", "L, R"]),
        ("tau: 0", "tau: 0, muu: 1", ["own.yaml:5: charges.muu", "did you mean 'mu'"]),
        ("tau: 0", "tau: 0, H: x", ["own.yaml:5: charges.H", "must be a number", "'x'"]),
        ("tau: 0}", "tau: 0", ["own.yaml:", "not valid YAML"]),
    ],
)
def test_mistake_in_a_file_of_charges(rejected: Command, old: str, new: str, words: list[str]):
    assert old in CHARGES
    write("models/own.yaml", CHARGES.replace(old, new))
    fit_file("own")
    assert_mentions(rejected("validate", "fit.yaml"), *words)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("title: mine", "title: 3", ["own.yaml:2: title", "must be text", "3"]),
        ("parameters:\n  g: {symbol: g}\n", "", ["own.yaml: parameters", "is missing"]),
        ("{symbol: g}", "{}", ["own.yaml:6: parameters.g.symbol", "is missing"]),
        ("{symbol: g}", "g", ["own.yaml:6: parameters.g", "must be a mapping", "'g'"]),
        (
            "{symbol: g}",
            "{symbol: g, larges: 1}",
            ["own.yaml:6: parameters.g.larges", "did you mean 'largest'"],
        ),
        ("{symbol: g}", "{symbol: g, largest: -1}", ["own.yaml:6: parameters.g.largest", "-1"]),
        ("{symbol: g}", "{symbol: g, default: x}", ["own.yaml:6: parameters.g.default", "'x'"]),
        ("{symbol: g}", "{symbol: g, default: 7}", ["own.yaml:6: parameters.g", "7", "largest (1"]),
        ("  g: {", "  m_Zp: {symbol: m}\n  g: {", ["own.yaml:5: parameters", "m_Zp", "leave it"]),
        ("C_Vmu", "C_Vm", ["own.yaml:7: couplings", "'C_Vm'", "C_Vmu"]),
        ("C_Vmu", "m_Zp", ["own.yaml:7: couplings", "'m_Zp'", "C_Vmu"]),
        ("{g: 2}", "{h: 2}", ["own.yaml:7: couplings", "C_Vmu", "'h'", "(g)"]),
        ("{g: 2}", "{}", ["own.yaml:7: couplings", "C_Vmu has no terms", "leave it out"]),
        ("\n  C_Vmu: {g: 2}", " {}", ["own.yaml:7: couplings", "no couplings", "C_Vmu"]),
        ("{g: 2}", "{g: two}", ["own.yaml:8: couplings.C_Vmu.g", "must be a number", "'two'"]),
        ("{g: 2}", "2", ["own.yaml:8: couplings.C_Vmu", "must be a mapping", "2"]),
    ],
)
def test_mistake_in_a_file_of_couplings(rejected: Command, old: str, new: str, words: list[str]):
    assert old in COUPLINGS
    write("models/own.yaml", COUPLINGS.replace(old, new))
    fit_file("own")
    assert_mentions(rejected("validate", "fit.yaml"), *words)


@pytest.mark.parametrize("text", ["", "- 1\n", "just text\n"])
def test_a_model_file_that_is_no_mapping(rejected: Command, text: str):
    write("models/own.yaml", text)
    fit_file("own")
    assert_mentions(rejected("validate", "fit.yaml"), "own.yaml: must be a mapping")


def test_a_broken_model_file_does_not_hide_the_others(accepted: Command):
    write("models/broken.yaml", "type: [\n")
    assert_mentions(accepted("list", "models"), "broken", "unusable", "effective")


def test_show_of_a_broken_model_file(rejected: Command):
    write("models/broken.yaml", "type: [\n")
    assert_mentions(rejected("show", "broken"), "broken.yaml:2", "not valid YAML")


def test_a_file_with_the_name_of_a_model_of_zpfit(rejected: Command):
    write("models/effective.yaml", COUPLINGS)
    fit_file("effective")
    message = rejected("validate", "fit.yaml")
    assert_mentions(message, "effective.yaml", "of its own", "rename")


# What stands under model


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("efective", ["model", "'efective'", "did you mean 'effective'"]),
        ("''", ["model", "''", "known: B-L"]),
        ("", ["model", "must be a mapping", "None"]),
        ("3", ["model", "must be a mapping", "3"]),
        ("[effective]", ["model", "must be a mapping", "['effective']"]),
        ("{}", ["model", "either name or python"]),
        ("{options: {}}", ["model", "either name or python"]),
        ("{name: effective, python: 'my.py:mine'}", ["model", "either name or python"]),
        ("{name: 3}", ["model.name", "must be text", "3"]),
        ("{nam: effective}", ["model.nam", "did you mean 'name'"]),
        ("{name: effective, options: {route: exact}}", ["model.options.route", "there are none"]),
        ("{name: own, options: {route: exact}}", ["model.options.route", "there are none"]),
        ("{name: sm_u1, options: {rout: exact}}", ["model.options.rout", "did you mean 'route'"]),
        ("{name: sm_u1, options: {route: fast}}", ["model.options.route", "'fast'", "'exact'"]),
        ("{name: nhdm_u1, options: {doublets: 1}}", ["model.options.doublets", "2", "not 1"]),
        ("{name: nhdm_u1, options: {doublets: two}}", ["model.options.doublets", "'two'"]),
        ("{name: nhdm_u1, options: {doublets: 2.5}}", ["model.options.doublets", "2.5"]),
        ("{name: nhdm_u1, options: [2]}", ["model.options", "must be a mapping", "[2]"]),
        ("{name: own, vectorised: true}", ["model", "Python models only", "leave it out"]),
        ("{python: 'my.py:mine', vectorised: maybe}", ["model.vectorised", "true", "'maybe'"]),
        ("{python: my.py}", ["model.python", "file.py:object", "'my.py'"]),
        ("{python: ':mine'}", ["model.python", "file.py:object", "':mine'"]),
        ("{python: 3}", ["model.python", "must be text", "3"]),
        ("{python: 'none.py:mine'}", ["model.python", "'none.py:mine'", "not found", "path"]),
        ("{python: 'my.py:mien'}", ["model.python", "no 'mien'", "did you mean 'mine'"]),
        ("{python: 'no_such.module:f'}", ["model.python", "No module named 'no_such'"]),
        ("{python: 'math:pi'}", ["model.python", "'math:pi'", "no function and no subclass"]),
        ("{python: 'builtins:dict'}", ["model.python", "no function and no subclass"]),
        ("{python: 'math:hypot'}", ["model.python", "'hypot'", "arguments"]),
        ("{python: 'zpfit.models.base:Model'}", ["model.python", "cannot be built", "abstract"]),
        ("{python: 'my.py:mine', options: {a: 1}}", ["model.python", "takes no options", "class"]),
    ],
)
def test_mistake_under_model(rejected: Command, model: str, words: list[str]):
    write("models/own.yaml", COUPLINGS)
    write("my.py", SIMPLE)
    fit_file(model)
    place, *rest = words
    assert_mentions(rejected("validate", "fit.yaml"), f"fit.yaml:1: {place}: ", *rest)


@pytest.mark.parametrize(
    ("model", "at", "words"),
    [
        ("{name: [", "m_Zp=17", ["--model:1", "not valid YAML"]),
        ("[effective]", "m_Zp=17", ["--model: model", "must be a mapping"]),
        ("", "m_Zp=17", ["--model: model", "must be a mapping"]),
        ("B-l", "m_Zp=17", ["--model: model", "'B-l'", "did you mean 'B-L'"]),
        ("{name: nhdm_u1, options: {x: 1}}", "m_Zp=17", ["--model: model.options.x", "route"]),
        ("nhdm_u1", "m_Zp=17 g_prime=1e-4", ["--at", "tan_beta is missing", "1e-06"]),
        ("nhdm_u1", "m_Zp=17 tan_beta=0", ["--at", "tan_beta = 0", "between 1e-06"]),
        ("B-L", "m_Zp=1e9 g_prime=100", ["--at", "m_Zp = 1e+09", "g_prime = 100", "12"]),
        ("B-L", "m_Zp=nan", ["--at", "m_Zp = nan", "0.0001"]),
        ("B-L", "m_Zp=17 gprime=1e-4", ["--at", "'gprime'", "did you mean 'g_prime'"]),
        ("{python: 'my.py:mine'}", "m_Zp=17 h=1", ["--at", "'h'", "known: m_Zp, g"]),
        ("{name: B-L, vectorised: true}", "m_Zp=17 g_prime=0", ["--model", "Python models only"]),
        ("B-L", "m_Zp=17", ["--at", "g_prime is missing"]),
    ],
)
def test_mistake_in_evaluate(rejected: Command, model: str, at: str, words: list[str]):
    write("my.py", SIMPLE)
    assert_mentions(rejected("evaluate", *AT, at, "--model", model), *words)


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


@pytest.mark.parametrize("python", ["my.py", "code/my.py", "../my.py", "{workspace}/my.py"])
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


# Fractions


@pytest.mark.parametrize(
    ("largest", "denominator", "steps"), [(2, 1, 2), (2, 3, 6), (1.5, 2, 3), (0.7, 10, 7)]
)
def test_fractions(largest: float, denominator: int, steps: int):
    prior = Fractions(largest=largest, denominator=denominator)
    u = np.linspace(0, 1, 10_001)
    values = [float(Fraction(k, denominator)) for k in range(-steps, steps + 1)]
    found, counts = np.unique(prior.ppf(u), return_counts=True)
    np.testing.assert_allclose(found, values, atol=1e-15)
    np.testing.assert_allclose(counts / len(u), prior.step_width, atol=2e-4)
    assert prior.step_width * len(values) == pytest.approx(1)
    assert prior.support() == (values[0], values[-1])
    centres = [(k + 0.5) / len(values) for k in range(len(values))]
    np.testing.assert_allclose([prior.cdf(value) for value in values], centres, atol=1e-12)
    assert prior.ppf(np.array(centres)).tolist() == values


def test_fractions_on_the_unit_cube_and_back():
    priors = Priors({"z": Fractions(largest=4, denominator=3), "g": Uniform(lower=0, upper=1)})
    for z in (-4, -1 / 3, 0, 2 / 3, 4):
        u = priors.to_unit_cube({"z": z, "g": 0.25})
        back = priors.transform(u[None])
        assert math.isclose(back["z"][0], z, abs_tol=1e-15)
        assert back["g"][0] == 0.25
    for z in (0.5, 13 / 3, -5, 0.3333):
        with pytest.raises(OutsidePrior, match=r"z = .*fractions: largest 4, denominator 3"):
            priors.to_unit_cube({"z": z, "g": 0.25})


FRACTIONS = "    g: {type: fractions, largest: 2, denominator: 3}\n"


@pytest.mark.parametrize("g", ["0.5", "3", "-2.3333333"])
def test_a_starting_point_that_is_no_such_fraction(rejected: Command, g: str):
    python_fit(SIMPLE, parameters=MASS + FRACTIONS)
    points = f"best_fit.points=[{{m_Zp: 17, g: 0.66666666666667}}, {{m_Zp: 17, g: {g}}}]"
    message = rejected("validate", "fit.yaml", "--set", points)
    assert_mentions(message, "best_fit.points.1", f"g = {float(g):g}", "fractions: largest 2")
    assert "points.0" not in message


@pytest.mark.parametrize(
    ("prior", "words"),
    [
        ("largest: 0.3, denominator: 3", ["g: ", "largest (0.3)", "below 1/denominator"]),
        ("largest: 2, denominator: 1.5", ["g.denominator", "must be an integer", "1.5"]),
        ("largest: 2, denominator: 1/3", ["g.denominator", "must be an integer", "'1/3'"]),
        ("largest: 2, denominator: 0", ["g.denominator", "equal to 1", "not 0"]),
        ("largest: 2, denominator: 2000", ["g.denominator", "1000", "not 2000"]),
        ("largest: -2", ["g.largest", "greater than 0", "not -2"]),
        ("largest: .inf", ["g.largest", "finite", "inf"]),
        ("largest: 1e9", ["g.largest", "10000"]),
        ("denominator: 2", ["g.largest", "is missing"]),
        ("largest: 2, denom: 2", ["g.denom", "did you mean 'denominator'"]),
    ],
)
def test_mistake_in_fractions(rejected: Command, prior: str, words: list[str]):
    python_fit(SIMPLE, parameters=MASS + f"    g: {{type: fractions, {prior}}}\n")
    place, *rest = words
    message = rejected("validate", "fit.yaml")
    assert_mentions(message, f"fit.yaml:6: priors.parameters.{place}", *rest)


def test_fractions_beyond_the_domain(rejected: Command):
    write("models/own.yaml", COUPLINGS)
    fit_file("own", MASS + FRACTIONS)
    message = rejected("validate", "fit.yaml")
    assert_mentions(message, "fit.yaml:6: priors.parameters.g: ", "-2 to 2", "-1 to 1", "narrow")


def test_a_run_with_fractions(accepted: Command):
    code = "def mine(m_Zp, z, n):\n    return {'C_Vmu': 3e-4 * z, 'C_Ve': 1e-4 * n}\n"
    charges = "    z: {type: fractions, largest: 2, denominator: 3}\n    n: {type: tied, to: z}\n"
    python_fit(code, parameters=MASS + charges)
    accepted("run", "fit.yaml", *SMALL, "--output", "out")
    summary = json.loads(Path("out/summary.json").read_text(encoding="utf-8"))
    best = summary["best_fit"]["parameters"]
    assert 3 * best["z"] == pytest.approx(round(3 * best["z"]), abs=1e-12)
    assert best["z"] == best["n"]
    assert "valid" in accepted("validate", "out/config.yaml")


# Python code is named as such


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
