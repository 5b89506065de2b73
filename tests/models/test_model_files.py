"""Test models in files of charges and of couplings, and the choice of a model in a run file."""

import json
import shutil
from pathlib import Path

import pytest
from helpers_models import (
    AT,
    CHARGES,
    COUPLINGS,
    MASS,
    SIMPLE,
    SMALL,
    Command,
    G,
    assert_mentions,
    evaluated,
    fit_file,
    write,
)


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


@pytest.mark.usefixtures("few_draws")
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


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("efective", ["model", "'efective'", "did you mean 'effective'"]),
        ("''", ["model", "''", "known names"]),
        ("", ["model", "must be a mapping", "None"]),
        ("3", ["model", "must be a mapping", "3"]),
        ("[effective]", ["model", "must be a mapping", "['effective']"]),
        ("{}", ["model", "either name or python"]),
        ("{options: {}}", ["model", "either name or python"]),
        ("{name: effective, python: 'my.py:mine'}", ["model", "either name or python"]),
        ("{name: 3}", ["model.name", "must be text", "3"]),
        ("{nam: effective}", ["model.nam", "did you mean 'name'"]),
        ("{name: effective, options: {route: exact}}", ["model.options.route", "completion"]),
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
