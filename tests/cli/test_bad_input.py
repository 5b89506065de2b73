"""Messages about mistakes in a run file or an option give place, value and remedy."""

from pathlib import Path

import pytest
from bad_input import EVALUATE, PARAMETERS, RUN, SET, Command, assert_mentions, write

from zpfit.io.library import Library
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.physics.couplings import COUPLING_NAMES

# Run files


MISTAKES = [
    # unknown keys
    (RUN + "seeed: 3\n", ["fit.yaml:3: seeed", "did you mean 'seed'"]),
    (
        RUN + "sampler:\n  walkrs: 3\n",
        ["fit.yaml:4: sampler.walkrs", "did you mean 'walkers'"],
    ),
    (
        PARAMETERS + "    m_Zp: {type: uniform, lowr: 1, upper: 2}\n",
        ["fit.yaml:5: priors.parameters.m_Zp.lowr", "did you mean 'lower'", "is missing"],
    ),
    (SET + "  hardd: [bbn_2020]\n", ["fit.yaml:4: likelihood.hardd", "did you mean 'hard'"]),
    # unknown names
    (
        "model: efective\nlikelihood: paper_2021_cs\n",
        ["fit.yaml:1: model", "'efective'", "did you mean 'effective'"],
    ),
    (
        "model: effective\nlikelihood: paper_2021_c\n",
        ["fit.yaml:2: likelihood.set", "'paper_2021_c'", "did you mean 'paper_2021_cs'"],
    ),
    (
        RUN + "priors: effectiv\n",
        ["fit.yaml:3: priors.use", "'effectiv'", "did you mean 'effective'"],
    ),
    (
        SET + "  add: [texono_2011]\n",
        ["fit.yaml:4: likelihood.add.0", "'texono_2011'", "did you mean 'texono_2010'"],
    ),
    (
        SET + "  drop: [kloe_2016]\n",
        ["fit.yaml:4: likelihood.drop.0", "'kloe_2016'", "did you mean 'kloe_2015'"],
    ),
    (
        SET + "  soft:\n    - bbn_2020\n    - na64_2021\n",
        ["fit.yaml:6: likelihood.soft.1", "'na64_2021'", "did you mean 'na64_2020'"],
    ),
    (
        SET + "  hard: [na64_2021]\n",
        ["fit.yaml:4: likelihood.hard.0", "'na64_2021'", "did you mean 'na64_2020'"],
    ),
    # clashing and empty likelihoods
    (
        SET + "  soft: [a_mu_2021]\n",
        ["fit.yaml:4: likelihood.soft.0", "'a_mu_2021'", "no exclusion", "kloe_2015"],
    ),
    (
        SET + "  soft: [kloe_2015]\n  hard: [kloe_2015]\n",
        ["fit.yaml:4: likelihood.soft", "'kloe_2015'", "hard and soft", "choose one"],
    ),
    (
        SET + "  add: [kloe_2015]\n",
        ["fit.yaml:4: likelihood.add.0", "'kloe_2015'", "already there", "once"],
    ),
    (
        "model: effective\nlikelihood: {add: [kloe_2015, kloe_2015]}\n",
        ["fit.yaml:2: likelihood.add.1", "'kloe_2015'", "already there", "once"],
    ),
    (
        SET + "  add: [a_e_rb_2020]\n",
        ["fit.yaml:2: likelihood", "'a_e_cs_2018'", "'a_e_rb_2020'", "measurement", "drop"],
    ),
    (
        SET + "  add: [babar_2014]\n",
        ["fit.yaml:2: likelihood", "'babar_2014'", "'babar_2014_envelope'", "drop one"],
    ),
    ("model: effective\nlikelihood: {}\n", ["fit.yaml:2: likelihood", "no entries", "add"]),
    (
        "model: effective\nlikelihood: [paper_2021_cs]\n",
        ["fit.yaml:2: likelihood", "must be a mapping", "['paper_2021_cs']"],
    ),
    (SET + "  drop: kloe_2015\n", ["fit.yaml:4: likelihood.drop", "list", "'kloe_2015'"]),
    # priors
    (
        PARAMETERS + "    m_Zp: {type: uniform, lower: 1, upper: 1e6}\n",
        ["fit.yaml:5: priors.parameters.m_Zp: ", "1e+06", "10000", "narrow"],
    ),
    (
        PARAMETERS + "    m_Zp: 1e6\n",
        ["fit.yaml:5: priors.parameters.m_Zp: ", "1e+06", "10000"],
    ),
    (
        PARAMETERS + "    C_Ve: {type: normal, mean: 0, sd: 1}\n",
        ["fit.yaml:5: priors.parameters.C_Ve: ", "between -1 and 1", "narrow"],
    ),
    (
        PARAMETERS + "    C_Ve: {type: tied, to: C_Ae, factor: 100}\n",
        ["fit.yaml:5: priors.parameters.C_Ve: ", "-10 to 10", "between -1 and 1", "narrow"],
    ),
    (
        PARAMETERS + "    C_Aee: 0\n",
        ["fit.yaml:5: priors.parameters.C_Aee: ", "no parameter", "did you mean 'C_Ae'"],
    ),
    (
        PARAMETERS + "    C_Ve: {type: tied, to: C_Aee}\n",
        ["fit.yaml:5: priors.parameters.C_Ve: ", "'C_Aee'", "did you mean 'C_Ae'"],
    ),
    (
        PARAMETERS + "    C_Ve: {type: tied, to: C_Ae}\n    C_Amu: {type: tied, to: C_Ve}\n",
        ["fit.yaml:6: priors.parameters.C_Amu: ", "'C_Ve'", "itself tied", "tie both to"],
    ),
    (
        PARAMETERS + "    m_Zp: {type: uniform, lower: 5, upper: 1}\n",
        ["fit.yaml:5: priors.parameters.m_Zp: ", "lower (5)", "below upper (1)"],
    ),
    (
        PARAMETERS + "    C_Ve: {type: log_uniform, lower: -1e-3, upper: 1e-3}\n",
        ["fit.yaml:5: priors.parameters.C_Ve.lower: ", "greater than 0", "-0.001"],
    ),
    (
        PARAMETERS + "    C_Ve: {type: unifrm, lower: 0, upper: 1}\n",
        ["fit.yaml:5: priors.parameters.C_Ve", "'unifrm'", "'uniform'"],
    ),
    (
        PARAMETERS + "    C_Ve: {lower: 0, upper: 1}\n",
        ["fit.yaml:5: priors.parameters.C_Ve", "type"],
    ),
    (
        PARAMETERS + "    C_Ve: .nan\n",
        ["fit.yaml:5: priors.parameters.C_Ve", "finite number", "nan"],
    ),
    (
        PARAMETERS + '    m_Zp: {type: uniform, lower: "1e-3", upper: 5}\n',
        ["fit.yaml:5: priors.parameters.m_Zp.lower: ", "must be a number", "'1e-3'"],
    ),
    (
        PARAMETERS + '    m_Zp: "1e-3"\n',
        ["fit.yaml:5: priors.parameters.m_Zp", "number", "'1e-3'"],
    ),
    (
        PARAMETERS + "".join(f"    {name}: 1e-3\n" for name in COUPLING_NAMES[:7]),
        ["fit.yaml:3: priors: ", "every parameter is fixed", "free at least one"],
    ),
    # options
    (RUN + "seed: no\n", ["fit.yaml:3: seed", "must be an integer", "'no'"]),
    (RUN + "seed: -1\n", ["fit.yaml:3: seed", "0", "-1"]),
    (RUN + "title: 12\n", ["fit.yaml:3: title", "must be text", "12", "quotes"]),
    (RUN + "sampler:\n", ["fit.yaml:3: sampler", "must be a mapping"]),
    (
        RUN + "sampler: {walkers: 8}\n",
        ["fit.yaml:3: sampler.walkers", "at least 14 walkers", "not 8"],
    ),
    ("likelihood: paper_2021_cs\n", ["fit.yaml: model", "is missing"]),
    # YAML itself
    ("model: [effective\n", ["fit.yaml:2: ", "not valid YAML"]),
    ("model:\n\tx: 1\n", ["fit.yaml:2: ", "not valid YAML", "'\\t'"]),
    (RUN + "model: other\n", ["fit.yaml:3: ", "not valid YAML", "duplicate key", "model"]),
    ("", ["fit.yaml: ", "must be a mapping"]),
    ("- a\n- b\n", ["fit.yaml: ", "must be a mapping", "['a', 'b']"]),
    ("just text\n", ["fit.yaml: ", "must be a mapping", "'just text'"]),
]


@pytest.mark.parametrize(("text", "words"), MISTAKES, ids=[words[0] for _, words in MISTAKES])
def test_mistake_in_a_run_file(rejected: Command, text: str, words: list[str]):
    write("fit.yaml", text)
    assert_mentions(rejected("validate", "fit.yaml"), *words)


def test_an_empty_likelihood_after_dropping_every_entry(rejected: Command):
    names = assemble(LikelihoodSpec(set="paper_2021_cs"), Library.beside()).entries
    write("fit.yaml", SET + f"  drop: [{', '.join(entry.name for entry in names)}]\n")
    assert_mentions(rejected("validate", "fit.yaml"), "fit.yaml:2: likelihood", "no entries")


POINT = "C_Ve: 1e-3, C_Ae: 1e-3, C_nue: 1e-3, C_Vmu: 1e-3, C_Amu: 1e-3, C_numu: 1e-3"


@pytest.mark.parametrize(
    ("point", "words"),
    [
        (f"m_Zp: 500, {POINT}", ["m_Zp = 500", "outside its prior", "1", "100", "widen"]),
        (f"m_Zp: 50, C_Xe: 0, {POINT}", ["'C_Xe' is not sampled", "did you mean"]),
        ("m_Zp: 50, C_Ve: 1e-3", ["no value for C_Ae, C_nue", "give all"]),
    ],
)
def test_impossible_starting_point(rejected: Command, point: str, words: list[str]):
    write(
        "fit.yaml", RUN + f"best_fit:\n  points:\n    - {{m_Zp: 20, {POINT}}}\n    - {{{point}}}\n"
    )
    assert_mentions(rejected("validate", "fit.yaml"), "fit.yaml:6: best_fit.points.1", *words)


def own_priors(text: str, model: str = "effective") -> None:
    head = f"title: mine\nmodel: {model}\ndescription: mine\nparameters:\n"
    write("priors/mine.yaml", head + text)
    write("fit.yaml", RUN + "priors: mine\n")


def test_missing_prior(rejected: Command):
    own_priors("  m_Zp: {type: uniform, lower: 1, upper: 2}\n")
    message = rejected("validate", "fit.yaml")
    assert_mentions(message, "fit.yaml:3: priors", "'C_Ve' has no prior", "fix it", "'C_numu'")
    assert "C_Vtau" not in message


def test_mistake_in_a_priors_file_names_that_file(rejected: Command):
    own_priors("  m_Zp: {type: uniform, lower: 1, uper: 2}\n")
    message = rejected("validate", "fit.yaml")
    assert_mentions(message, "priors/mine.yaml:5: parameters.m_Zp.uper", "did you mean 'upper'")


def test_priors_of_another_model(rejected: Command):
    own_priors("  x: 1\n", model="other")
    message = rejected("validate", "fit.yaml")
    assert_mentions(message, "fit.yaml:3: priors.use", "mine.yaml", "'other'", "'effective'")


def test_all_mistakes_of_form_at_once(rejected: Command):
    write(
        "fit.yaml",
        RUN + "seeed: 1\nsampler:\n  walkers: many\n  max_steps: 3\n"
        "priors:\n  parameters:\n    m_Zp: {type: uniform, upper: 3}\n",
    )
    message = rejected("validate", "fit.yaml")
    assert len(message.splitlines()) == 4
    assert_mentions(message, "fit.yaml:3: seeed", "fit.yaml:5: sampler.walkers", "'many'")
    assert_mentions(message, "fit.yaml:6: sampler.max_steps", "priors.parameters.m_Zp.lower")


def test_all_mistakes_of_content_at_once(rejected: Command):
    write(
        "fit.yaml",
        SET
        + "  soft: [kloe]\n  hard: [bbn]\nsampler: {walkers: 4}\nbest_fit: {points: [{m_Zp: 3}]}\n",
    )
    message = rejected("validate", "fit.yaml")
    assert len(message.splitlines()) == 4
    assert_mentions(message, "fit.yaml:4: likelihood.soft.0", "fit.yaml:5: likelihood.hard.0")
    assert_mentions(message, "fit.yaml:6: sampler.walkers", "fit.yaml:7: best_fit.points.0")


def test_unknown_names_and_impossible_priors_at_once(rejected: Command):
    write(
        "fit.yaml", "model: effective\nlikelihood: x\npriors: {parameters: {C_Xe: 1, m_Zp: 1e9}}\n"
    )
    message = rejected("validate", "fit.yaml")
    assert_mentions(message, "likelihood.set", "'x'", "C_Xe", "m_Zp", "1e+09")
    assert len(message.splitlines()) == 3


def test_a_mistake_leaves_no_folder_behind(rejected: Command):
    write("fit.yaml", RUN + "seeed: 3\n")
    assert "seeed" in rejected("run", "fit.yaml")
    assert not Path("output").exists()


# Changes with --set and other options


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("sampler.walkrs=3", ["sampler.walkrs", "did you mean 'walkers'"]),
        ("sampler.walkers=three", ["sampler.walkers", "must be an integer", "'three'"]),
        ("sampler.walkers.x=3", ["sampler.walkers", "must be an integer", "{'x': 3}"]),
        ("sampler.walkers=[1", ["--set sampler.walkers", "not valid YAML"]),
        ("sampler.walkers", ["--set sampler.walkers", "=VALUE"]),
        ("sampler.walkers=", ["--set sampler.walkers=", "=VALUE"]),
        ("=3", ["--set =3", "=VALUE"]),
        ("likelihood=paper_2021", ["likelihood.set", "'paper_2021'", "did you mean"]),
        ("priors.parameters.m_Zp=1e6", ["priors.parameters.m_Zp", "1e+06", "narrow"]),
    ],
)
@pytest.mark.parametrize("command", ["validate", "run"])
def test_mistake_in_a_change(rejected: Command, command: str, change: str, words: list[str]):
    write("fit.yaml", RUN + "sampler: {max_steps: 50}\n")
    assert_mentions(rejected(command, "fit.yaml", "--set", change), *words)
    assert not Path("output").exists()


@pytest.mark.parametrize("text", ["- a\n- b\n", "just text\n"])
def test_a_change_to_a_file_that_is_no_mapping(rejected: Command, text: str):
    write("fit.yaml", text)
    message = rejected("validate", "fit.yaml", "--set", "seed=3")
    assert_mentions(message, "fit.yaml", "must be a mapping")


def test_negative_seed(rejected: Command):
    assert_mentions(rejected("run", "quickstart", "--seed", "-1"), "--seed", "-1")


@pytest.mark.parametrize("command", [["list", "modls"], ["show", "modls"], ["modls"]])
def test_unknown_word(rejected: Command, command: list[str]):
    assert "'modls'" in rejected(*command)


# Points of evaluate


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (["m_Zp=heavy", "C_Ae=1e-4"], ["--at m_Zp=heavy", "'heavy'", "no number"]),
        (["m_Zp=17 C_Aee=1e-4"], ["--at", "'C_Aee'", "did you mean 'C_Ae'"]),
        (["m_Zp=17", "m_Zp=18"], ["--at m_Zp=18", "m_Zp", "twice"]),
        (["m_Zp=17 C_Ae=1 C_Ae=1"], ["--at C_Ae=1", "C_Ae", "twice"]),
        (["m_Zp=17", "C_Ae"], ["--at C_Ae", "=VALUE"]),
        (["C_Ae=1e-4"], ["--at", "m_Zp", "0.0001", "10000"]),
        ([""], ["--at", "m_Zp", "0.0001", "10000"]),
        (["m_Zp=-3"], ["--at", "m_Zp = -3", "0.0001", "10000"]),
        (["m_Zp=inf"], ["--at", "m_Zp = inf", "0.0001", "10000"]),
        (["m_Zp=nan"], ["--at", "m_Zp = nan", "0.0001", "10000"]),
        (["m_Zp=17 C_Ve=nan"], ["--at", "C_Ve = nan", "-1", "1"]),
        (["m_Zp=17 C_Ve=-inf"], ["--at", "C_Ve = -inf", "-1", "1"]),
        ([], ["--at", "--points"]),
    ],
)
def test_impossible_point(rejected: Command, at: list[str], words: list[str]):
    options = [word for assignment in at for word in ("--at", assignment)]
    assert_mentions(rejected(*EVALUATE, *options), *words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("m_Zp,C_Aee\n17,1e-4\n", ["points.csv:", "'C_Aee'", "did you mean 'C_Ae'"]),
        ("m_Zp,C_Ae\n17,1e-4\n18,\n", ["points.csv:3", "C_Ae", "no number"]),
        ("m_Zp,C_Ae\n17,1e-4\n18\n", ["points.csv:3", "1 values", "2 columns"]),
        ("m_Zp,C_Ae\n17,weak\n", ["points.csv:2", "C_Ae = 'weak'", "no number"]),
        ("m_Zp,m_Zp\n17,18\n", ["points.csv:1", "'m_Zp'", "twice"]),
        ("m_Zp,C_Ae\n17,nan\n", ["points.csv:2", "C_Ae = nan", "-1", "1"]),
        ("m_Zp,C_Ae\n17,0\n-3,0\n", ["points.csv:3", "m_Zp = -3", "0.0001", "10000"]),
        ("C_Ae\n1e-4\n", ["points.csv:2", "m_Zp", "0.0001", "10000"]),
        ("", ["points.csv", "empty", "first line names the parameters"]),
        ("m_Zp,C_Ae\n", ["points.csv", "no points"]),
        ('"m_Zp,C_Ae\n' + "17,1e-4\n" * 20_000, ["points.csv"]),
    ],
    ids=lambda value: None if isinstance(value, list) else repr(value[:30]),
)
def test_mistake_in_a_points_file(rejected: Command, text: str, words: list[str]):
    write("points.csv", text)
    assert_mentions(rejected(*EVALUATE, "--points", "points.csv"), *words)


def test_all_mistakes_of_a_points_file_at_once(rejected: Command):
    write("points.csv", "m_Zp,C_Ae\n17,weak\n18,1e-4\nheavy,\n")
    message = rejected(*EVALUATE, "--points", "points.csv")
    assert_mentions(message, "points.csv:2", "'weak'", "points.csv:4", "'heavy'")
    assert "points.csv:3" not in message


def test_unknown_set_model_and_points_at_once(rejected: Command):
    options = ("--likelihood", "paper_2021_c", "--model", "efective", "--points", "none.csv")
    message = rejected("evaluate", *options)
    assert_mentions(message, "--likelihood", "'paper_2021_c'", "did you mean 'paper_2021_cs'")
    assert_mentions(message, "--model", "did you mean 'effective'", "none.csv", "cannot be read")


def test_point_and_points_together(rejected: Command):
    write("points.csv", "m_Zp\n17\n")
    assert "--points" in rejected(*EVALUATE, "--at", "m_Zp=17", "--points", "points.csv")
