"""Messages about mistakes in a slice file or its options give place, value and remedy."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., str]

X = "x: {parameter: m_Zp, lower: 5, upper: 50}\n"
Y = "y: {parameter: C_Ae, lower: 5e-5, upper: 1e-3, scale: log}\n"
DATA = "likelihood: paper_2021_cs\n"
PLANE = DATA + X + Y
PLACE = "map.yaml:4: "
A_E = "{observable: delta_a_e, value: -1.23e-12}"
BY_OPTIONS = ("--likelihood", "paper_2021_cs", "--x", "m_Zp=5:50", "--y", "C_Ae=5e-5:1e-3:log")


def write(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")


def assert_mentions(message: str, *words: str) -> None:
    for word in words:
        assert word in message, message


MISTAKES = [
    # unknown names
    (PLANE + "bandss: {}\n", [PLACE + "bandss", "unknown key", "did you mean 'bands'"]),
    (PLANE + "model: efective\n", [PLACE + "model", "'efective'", "did you mean 'effective'"]),
    (
        "likelihood: paper_2021_c\n" + X + Y,
        ["map.yaml:1: likelihood.set", "'paper_2021_c'", "did you mean 'paper_2021_cs'"],
    ),
    (
        "likelihood: {add: [kloe_2016]}\n" + X + Y,
        ["map.yaml:1: likelihood.add.0", "'kloe_2016'", "did you mean 'kloe_2015'"],
    ),
    (
        DATA + X.replace("m_Zp", "m_Z") + Y,
        ["map.yaml:2: x.parameter", "'effective'", "'m_Z'", "did you mean 'm_Zp'"],
    ),
    (PLANE + "fix: {C_nuu: 0}\n", [PLACE + "fix.C_nuu", "no parameter 'C_nuu'", "did you mean"]),
    (
        PLANE + f"solve: {{C_Vee: {A_E}}}\n",
        [PLACE + "solve.C_Vee", "no parameter 'C_Vee'", "did you mean 'C_Ve'"],
    ),
    (
        PLANE + "solve: {C_Ve: {observable: delta_a, value: 0}}\n",
        [PLACE + "solve", "C_Ve", "unknown observable 'delta_a'", "did you mean 'delta_a_"],
    ),
    (PLANE + "profile: [C_V]\n", [PLACE + "profile.0", "no parameter 'C_V'", "did you mean"]),
    (
        PLANE + "bands: {a_mu_2012: 1}\n",
        [PLACE + "bands.a_mu_2012", "not a measurement", "did you mean 'a_mu_2021'"],
    ),
    (
        PLANE + "within: {kloe_2015: 1}\n",
        [PLACE + "within.kloe_2015", "not a measurement", "known: a_e_cs_2018"],
    ),
    (
        PLANE + "contours: {C_V: [1e-3]}\n",
        [PLACE + "contours.C_V", "unknown 'C_V'", "did you mean 'C_V"],
    ),
    (
        PLANE + "profile: [C_Ve]\npriors: effectiv\n",
        ["map.yaml:5: priors.use", "'effectiv'", "did you mean 'effective'"],
    ),
    # parameters that are used twice or not at all
    (DATA + Y.replace("y:", "x:") + Y, ["map.yaml:3: y.parameter", "C_Ae", "another role"]),
    (PLANE + "fix: {m_Zp: 17}\n", [PLACE + "fix.m_Zp", "another role", "give it one"]),
    (PLANE + f"solve: {{C_Ae: {A_E}}}\n", [PLACE + "solve.C_Ae", "another role"]),
    (PLANE + "profile: [m_Zp]\n", [PLACE + "profile.0", "m_Zp", "another role"]),
    (PLANE + "profile: [C_Ve, C_Ve]\n", [PLACE + "profile.1", "C_Ve", "another role"]),
    (
        PLANE + f"fix: {{C_Ve: 0}}\nsolve: {{C_Ve: {A_E}}}\n",
        ["map.yaml:5: solve.C_Ve", "another role"],
    ),
    (
        PLANE + "fix: {C_Ve: 0}\nprofile: [C_Ve]\n",
        ["map.yaml:5: profile.0", "C_Ve", "another role"],
    ),
    (
        DATA + X.replace("m_Zp", "C_Ve").replace("5, upper: 50", "0, upper: 1") + Y,
        ["map.yaml: fix", "m_Zp has no value", "fix, solve or profile it"],
    ),
    (
        PLANE.replace("C_Ae", "g_prime") + "model: sm_u1\n",
        ["map.yaml: fix", "z_Le has no value", "z_Lmu has no value"],
    ),
    # numbers
    (
        DATA + "x: {parameter: m_Zp, lower: 50, upper: 5}\n" + Y,
        ["map.yaml:2: x: ", "lower (50) must be below upper (5)"],
    ),
    (
        DATA + "x: {parameter: m_Zp, lower: 5, upper: 5}\n" + Y,
        ["map.yaml:2: x: ", "lower (5) must be below upper (5)"],
    ),
    (
        DATA + X + Y.replace("5e-5", "0"),
        ["map.yaml:3: y: ", "lower (0) must be positive on a logarithmic axis"],
    ),
    (DATA + X + Y.replace("5e-5", "-1e-3"), ["map.yaml:3: y: ", "lower (-0.001)", "positive"]),
    (DATA + X + Y.replace("log}", "lg}"), ["map.yaml:3: y.scale", "'linear' or 'log'", "'lg'"]),
    (
        DATA + X.replace("50", "5e5") + Y,
        ["map.yaml:2: x: ", "m_Zp = 500000", "between 0.0001 and 10000"],
    ),
    (DATA + X + Y.replace("1e-3", "1.5"), ["map.yaml:3: y: ", "C_Ae = 1.5", "between -1 and 1"]),
    (DATA + X.replace("50", "'50'") + Y, ["map.yaml:2: x.upper", "must be a number", "'50'"]),
    (DATA + X.replace("50", "many") + Y, ["map.yaml:2: x.upper", "must be a number", "'many'"]),
    (DATA + X.replace("50", ".inf") + Y, ["map.yaml:2: x.upper", "finite number", "inf"]),
    (DATA + X.replace("5,", ".nan,") + Y, ["map.yaml:2: x.lower", "finite number", "nan"]),
    (PLANE + "fix: {C_nue: .nan}\n", [PLACE + "fix.C_nue", "finite number", "nan"]),
    (PLANE + "fix: {C_nue: small}\n", [PLACE + "fix.C_nue", "must be a number", "'small'"]),
    (PLANE + "fix: {C_nue: 2}\n", [PLACE + "fix.C_nue", "C_nue = 2", "between -1 and 1"]),
    (
        PLANE + f"solve: {{C_Ve: {A_E.replace('-1.23e-12', '.inf')}}}\n",
        [PLACE + "solve.C_Ve.value", "finite number", "inf"],
    ),
    (
        PLANE + f"solve: {{C_Ve: {A_E.replace('}', ', sign: up}')}}}\n",
        [PLACE + "solve.C_Ve.sign", "'positive' or 'negative'", "'up'"],
    ),
    (PLANE + "solve: {C_Ve: -1.23e-12}\n", [PLACE + "solve.C_Ve", "mapping"]),
    (PLANE + "sigma: 0\n", [PLACE + "sigma", "greater than 0", "not 0"]),
    (PLANE + "bands: {a_mu_2021: -1}\n", [PLACE + "bands.a_mu_2021", "greater than 0", "-1"]),
    (PLANE + "contours: {C_Ve: []}\n", [PLACE + "contours.C_Ve", "no levels", "at least one"]),
    (PLANE + "contours: {C_Ve: 1e-3}\n", [PLACE + "contours.C_Ve", "must be a list", "0.001"]),
    # levels
    (PLANE + "cl: 95\n", [PLACE + "cl", "from 0.5 to 0.9999", "95 % is 0.95"]),
    (PLANE + "cl: 4 sigma\n", [PLACE + "cl", "'4 sigma'", "1, 2 or 3 sigma"]),
    (PLANE + "reference: none\n", [PLACE + "reference", "'no_zprime', 'best_fit' or 'pull'"]),
    (PLANE + "sigma: 1\n", [PLACE + "sigma", "set reference to pull, or give cl"]),
    (PLANE + "within: {a_mu_2021: 1}\n", [PLACE + "within", "only pull counts"]),
    (
        PLANE + "reference: pull\ncl: 0.95\ncurves: rescaled\n",
        ["map.yaml:5: cl", "drop it or give sigma", "map.yaml:6: curves"],
    ),
    # incompatible keys
    (
        PLANE + "bands: {a_mu_2021: 1}\nwithin: {a_mu_2021: 1}\n",
        ["map.yaml:5: within.a_mu_2021", "under bands as well", "once"],
    ),
    (
        PLANE + f"profile: [C_nue]\nsolve: {{C_Ve: {A_E}}}\n",
        ["map.yaml:5: solve", "profile the solved parameter as well"],
    ),
    (
        PLANE + "profile: [C_nue]\ncontours: {C_Ve: [1e-3]}\n",
        ["map.yaml:5: contours", "a profile has no contours", "drop one"],
    ),
    (
        PLANE + "profile: [C_nue]\npriors: {parameters: {C_nue: 1e-5}}\n",
        [PLACE + "profile.0", "'C_nue' is fixed or tied", "free it"],
    ),
    (
        PLANE + "profile: [C_nue]\npriors: {parameters: {C_nue: {type: tied, to: C_Ve}}}\n",
        [PLACE + "profile.0", "'C_nue' is fixed or tied", "free it"],
    ),
    # missing keys
    (DATA + Y, ["map.yaml: x", "is missing"]),
    (DATA + X, ["map.yaml: y", "is missing"]),
    (X + Y, ["map.yaml: likelihood", "is missing"]),
    ("likelihood: {}\n" + X + Y, ["map.yaml:1: likelihood", "no entries", "add"]),
    (
        DATA + "x: {parameter: m_Zp, lower: 5}\n" + Y,
        ["map.yaml:2: x", "lower and upper go together"],
    ),
    (DATA + "x: m_Zp\n" + Y, ["map.yaml:2: x", "mapping", "'m_Zp'"]),
    ("", ["map.yaml: ", "must be a mapping"]),
    ("- a\n", ["map.yaml: ", "must be a mapping", "['a']"]),
    ("x: [\n", ["map.yaml:2: ", "not valid YAML"]),
]


@pytest.mark.parametrize(("text", "words"), MISTAKES, ids=[words[-1] for _, words in MISTAKES])
def test_mistake_in_a_slice_file(rejected: Command, text: str, words: list[str]):
    write("map.yaml", text)
    assert_mentions(rejected("exclusion", "map.yaml", "--output", "out"), *words)
    assert [path.name for path in Path().iterdir()] == ["map.yaml"]


def test_a_wrong_level_is_the_only_mistake(rejected: Command):
    write("map.yaml", PLANE + "contours: {C_Ve: [-1]}\n")
    [line] = rejected("exclusion", "map.yaml").splitlines()
    assert_mentions(line, PLACE + "contours.C_Ve.0", "greater than 0", "not -1")


def test_all_mistakes_of_form_at_once(rejected: Command):
    write("map.yaml", X.replace("5,", "99,") + Y.replace("log", "lg") + "sigma: -1\n")
    message = rejected("exclusion", "map.yaml")
    assert len(message.splitlines()) == 4
    assert_mentions(message, "map.yaml:1: x", "map.yaml:2: y.scale", "map.yaml:3: sigma")


def test_all_mistakes_of_content_at_once(rejected: Command):
    write("map.yaml", PLANE + "bands: {kloe_2015: 1}\nfix: {m_Zp: 1, C_nue: 2}\nprofile: [C_V]\n")
    message = rejected("exclusion", "map.yaml")
    assert_mentions(message, "bands.kloe_2015")
    write("map.yaml", "likelihood: none\n" + X + Y + "fix: {m_Zp: 1, C_nue: 2}\nprofile: [C_V]\n")
    message = rejected("exclusion", "map.yaml")
    assert_mentions(message, "likelihood.set", "fix.m_Zp", "fix.C_nue", "profile.0")


OPTIONS = [
    (["--x", "m_Zp=5"], ["--x m_Zp=5", "NAME=LOW:HIGH"]),
    (["--x", "m_Zp=5"], ["--x m_Zp=5", "NAME=LOW:HIGH"]),
    (["--x", "m_Zp=5:50:log:log"], ["--x m_Zp=5:50:log:log", "NAME=LOW:HIGH"]),
    (["--x", "m_Zp=5:heavy"], ["--x m_Zp=5:heavy", "'heavy' is no number"]),
    (["--y", "C_Ae=:1e-3"], ["--y C_Ae=:1e-3", "'' is no number"]),
    (["--x", "m_Zp=5:50:lg"], ["--x m_Zp=5:50:lg: ", "'linear' or 'log'", "'lg'"]),
    (["--x", "m_Zp=50:5"], ["--x m_Zp=50:5: ", "lower (50) must be below upper (5)"]),
    (["--x", "m_Zp=nan:5"], ["--x m_Zp=nan:5: ", "finite number", "nan"]),
    (["--x", "m_Zp=5:inf"], ["--x m_Zp=5:inf: ", "finite number", "inf"]),
    (["--x", "m_Z=5:50"], ["--x m_Z=5:50: ", "'m_Z'", "did you mean 'm_Zp'"]),
    (["--x", "C_Ae=1e-4:1e-3"], ["--y C_Ae=5e-5:1e-3:log: ", "C_Ae has another role"]),
    (["--fix", "C_nue"], ["--fix C_nue", "NAME=VALUE"]),
    (["--fix", "=1"], ["--fix =1", "NAME=VALUE"]),
    (["--fix", "C_nue=small"], ["--fix C_nue=small", "'small' is no number"]),
    (["--fix", "C_nue=inf"], ["--fix C_nue=inf: ", "finite number", "inf"]),
    (["--fix", "C_nue=2"], ["--fix C_nue=2: ", "C_nue = 2", "between -1 and 1"]),
    (["--solve", "C_Ve"], ["--solve C_Ve", "NAME:OBSERVABLE=VALUE", ":negative", ":nearest"]),
    (["--solve", "C_Ve=1e-12"], ["--solve C_Ve=1e-12", "NAME:OBSERVABLE=VALUE"]),
    (["--solve", "C_Ve:delta_a_e"], ["--solve C_Ve:delta_a_e", "NAME:OBSERVABLE=VALUE"]),
    (["--solve", "C_Ve:delta_a_e=1e-12:up"], ["1e-12:up", ":negative", ":nearest"]),
    (["--solve", "C_Ve:delta_a_e=low"], ["--solve C_Ve:delta_a_e=low", "'low' is no number"]),
    (
        ["--solve", "C_Ve:delta_e=1"],
        ["--solve C_Ve:delta_e=1: ", "'delta_e'", "did you mean 'delta_a_e'"],
    ),
    (["--solve", "C_Ae:delta_a_e=1"], ["--solve C_Ae:delta_a_e=1: ", "another role"]),
    (["--profile", "C_V"], ["--profile profile.0: ", "'C_V'", "did you mean"]),
    (["--band", "a_mu_2021"], ["--band a_mu_2021", "NAME=VALUE"]),
    (["--band", "a_mu_2021=one"], ["--band a_mu_2021=one", "'one' is no number"]),
    (["--band", "a_mu=1"], ["--band a_mu=1: ", "not a measurement", "did you mean 'a_mu_2021'"]),
    (["--within", "a_mu_2021=0"], ["--within a_mu_2021=0: ", "greater than 0"]),
    (["--within", "a_mu_2021=1", "--band", "a_mu_2021=1"], ["--within a_mu_2021=1: ", "bands"]),
    (["--set", "sigma"], ["--set sigma", "KEY=VALUE"]),
    (["--set", "=1"], ["--set =1", "KEY=VALUE"]),
    (["--set", "fix.C_nue="], ["--set fix.C_nue", "must be a number"]),
    (["--set", "sigma=[1"], ["--set sigma", "not valid YAML"]),
    (["--set", "sigm=1"], ["--set sigm", "did you mean 'sigma'"]),
    (["--set", "x.lower='5'"], ["--set x.lower", "must be a number", "'5'"]),
    (["--set", "likelihood.drop=[a_mu]"], ["--set likelihood.drop.0", "did you mean 'a_mu_2021'"]),
    (["--likelihood", "paper_2021"], ["--likelihood paper_2021: ", "'paper_2021'", "did you mean"]),
    (["--model", "efective"], ["--model model: ", "'efective'", "did you mean 'effective'"]),
    (["--model", "{name: effective, leave_ou: []}"], ["--model model.leave_ou: ", "unknown key"]),
    (["--fix", "C_nue=0.1", "--set", "fix={C_nue: 3}"], ["--set fix.C_nue: ", "C_nue = 3"]),
    (["--model", "[effective"], ["--model", "not valid YAML"]),
]


@pytest.mark.parametrize(("options", "words"), OPTIONS, ids=[" ".join(o) for o, _ in OPTIONS])
def test_mistake_in_an_option(rejected: Command, options: list[str], words: list[str]):
    message = rejected("exclusion", *BY_OPTIONS, *options, "--output", "out")
    assert_mentions(message, *words)
    assert not list(Path().iterdir())


@pytest.mark.parametrize("missing", ["likelihood", "x", "y"])
def test_missing_option(rejected: Command, missing: str):
    at = BY_OPTIONS.index(f"--{missing}")
    message = rejected("exclusion", *BY_OPTIONS[:at], *BY_OPTIONS[at + 2 :])
    assert_mentions(message, missing, "is missing")


def test_all_malformed_options_at_once(rejected: Command):
    message = rejected("exclusion", "--x", "m_Zp=5", "--fix", "C_nue", "--solve", "C_Ve")
    assert_mentions(message, "--x m_Zp=5", "--fix C_nue", "--solve C_Ve")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("paper_fig2", ["unknown slice 'paper_fig2'", "did you mean 'paper_fig2"]),
        ("quickstart", ["unknown slice 'quickstart'", "known names is like it"]),
        ("none.yaml", ["none.yaml", "No such file", "check the path"]),
        ("folder.yaml", ["folder.yaml", "directory", "check the path"]),
        ("binary.yaml", ["binary.yaml", "not UTF-8"]),
    ],
)
def test_unreadable_slice_file(rejected: Command, workspace: Path, name: str, words: list[str]):
    (workspace / "folder.yaml").mkdir()
    (workspace / "binary.yaml").write_bytes(bytes(range(256)))
    assert_mentions(rejected("exclusion", name), *words)


def test_a_run_file_is_no_slice_file(rejected: Command):
    write("fit.yaml", "model: effective\nlikelihood: paper_2021_cs\nseed: 3\n")
    message = rejected("exclusion", "fit.yaml")
    assert_mentions(message, "fit.yaml:3: seed: unknown key", "fit.yaml: x: is missing")


# Models that fail on the plane


def mine(body: str) -> tuple[str, ...]:
    write("mine.py", f"import numpy as np\n\ndef mine(m_Zp, g):\n    {body}\n")
    model = "{python: 'mine.py:mine'}"
    return ("exclusion", *BY_OPTIONS, "--y", "g=1e-5:1e-3:log", "--model", model)


def test_not_a_number(rejected: Command):
    command = mine("return {'C_Ve': np.where(m_Zp > 49.9, np.nan, g)}")
    message = rejected(*command)
    assert_mentions(message, "coupling C_Ve", "'mine'", "not a number", "m_Zp = 5", "axes")


def test_not_a_number_almost_everywhere(rejected: Command):
    message = rejected(*mine("return {'C_Ve': np.where(m_Zp > 6, np.nan, g)}"))
    assert_mentions(message, "model", "'mine'", "NaN", "C_Ve", "m_Zp = ")


def test_a_term_that_is_not_a_number(rejected: Command):
    message = rejected(*mine("return {'C_Ve': np.where(m_Zp > 30, np.inf, g)}"))
    assert_mentions(message, "term '", "not a number", "m_Zp = 3", "g = ")


def test_a_model_that_fails(rejected: Command):
    message = rejected(*mine("raise ValueError('out of luck')"))
    assert_mentions(message, "'mine'", "mine.py", "out of luck")


# Files


KLOE = (*BY_OPTIONS[2:], "--set", "likelihood.add=[kloe_2015]")


def test_results_are_not_overwritten(rejected: Command, accepted: Command):
    write("out/exclusion.csv", "precious\n")
    message = rejected("exclusion", *KLOE, "--output", "out")
    assert_mentions(message, "out", "exclusion.csv", "--output", "--force")
    assert [path.name for path in Path("out").iterdir()] == ["exclusion.csv"]
    accepted("exclusion", *KLOE, "--output", "out", "--force")
    assert "precious" not in Path("out/exclusion.csv").read_text(encoding="utf-8")
    assert len(list(Path("out").iterdir())) == 4


@pytest.mark.parametrize("output", ["file", "file/below"])
def test_unwritable_output(rejected: Command, output: str):
    write("file", "precious\n")
    message = rejected("exclusion", *KLOE, "--output", output)
    assert_mentions(message, output, "cannot be written", "--output")
    assert Path("file").read_text(encoding="utf-8") == "precious\n"


def test_a_title_that_is_no_latex(rejected: Command):
    title = r"title=A $\fooo$ of mine"
    message = rejected("exclusion", *KLOE, "--set", title, "--output", "out")
    assert_mentions(message, "exclusion.png", "cannot be drawn", r"\fooo", "correct the formula")
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "exclusion.csv",
        "exclusion.json",
    ]


def test_a_bare_name_is_drawn_over_the_positive_reach_of_its_prior(accepted: Command):
    data = ("--likelihood", "paper_2021_cs", "--set", "likelihood.drop=[a_mu_2021]")
    record = json.loads(accepted("exclusion", "--x", "m_Zp", "--y", "C_Ae", *data, "--json"))
    assert [record["x"][key] for key in ("lower", "upper", "scale")] == [1, 100, "log"]
    assert [record["y"][key] for key in ("lower", "upper", "scale")] == [1e-8, 0.1, "log"]
