"""Every mistake a user can make gets a message with place, value and remedy, and exit code 2."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from zpfit.cli import cli, main
from zpfit.errors import NotANumber
from zpfit.inference.posterior import Posterior
from zpfit.inference.priors import Priors, Uniform
from zpfit.io.library import Library
from zpfit.io.places import packaged_data
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.models.base import Model, Parameter
from zpfit.physics.couplings import COUPLING_NAMES, Couplings

Command = Callable[..., str]

RUN = "model: effective\nlikelihood: paper_2021_cs\n"
SET = "model: effective\nlikelihood:\n  set: paper_2021_cs\n"
PARAMETERS = RUN + "priors:\n  parameters:\n"


def write(path: str | Path, text: str) -> Path:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def packaged(path: str) -> str:
    return (packaged_data() / path).read_text(encoding="utf-8")


def assert_mentions(message: str, *words: str) -> None:
    for word in words:
        assert word in message, message


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


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
        ["fit.yaml:5: priors.parameters.C_Ve: ", "-1 to 1", "narrow"],
    ),
    (
        PARAMETERS + "    C_Ve: {type: tied, to: C_Ae, factor: 100}\n",
        ["fit.yaml:5: priors.parameters.C_Ve: ", "-10 to 10", "-1 to 1", "narrow"],
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
        PARAMETERS + "".join(f"    {name}: 1e-3\n" for name in COUPLING_NAMES if "tau" not in name),
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


EVALUATE = ("evaluate", "--likelihood", "paper_2021_cs")


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


# The user's own entries, sets and curves


def own_entry(text: str, name: str = "mine") -> None:
    write(f"likelihoods/entries/{name}.yaml", text)
    write("fit.yaml", SET + f"  add: [{name}]\n")


MUON_MOMENT = """\
title: mine
type: gaussian
observable: delta_a_mu
value: 2.5e-9
error: 5.9e-10
confidence_level: 0.683
citations: [{key: mine}]
approximations: none
"""


def gaussian(**changes: str) -> str:
    """A measurement like the packaged muon moment, the changed lines after the first one."""
    lines = MUON_MOMENT.splitlines()
    values = {"measurement": "another one"} | changes
    kept = [line for line in lines if line.split(":")[0] not in values]
    return "\n".join([f"{key}: {value}" for key, value in values.items()] + kept) + "\n"


def test_superseded_and_superseding_entry_together(rejected: Command):
    own_entry(gaussian(supersedes="[a_mu_2021]"))
    message = rejected("validate", "fit.yaml")
    assert_mentions(
        message, "fit.yaml:2: likelihood", "'mine' supersedes", "'a_mu_2021'", "drop one"
    )


def test_an_entry_superseded_by_a_packaged_name(rejected: Command):
    own_entry(gaussian(measurement="yet another"))
    own_entry(gaussian(supersedes="[mine]"), name="newer")
    write("fit.yaml", "model: effective\nlikelihood: {add: [mine, newer]}\n")
    message = rejected("validate", "fit.yaml")
    assert_mentions(message, "'newer' supersedes", "'mine'", "drop one")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"error": "0"}, ["mine.yaml:2: error", "greater than 0"]),
        ({"error": "'1e-10'"}, ["mine.yaml:2: error", "must be a number", "'1e-10'"]),
        ({"observable": "delta_a_mo"}, ["mine.yaml:2: observable", "did you mean 'delta_a_m"]),
        ({"eror": "3"}, ["mine.yaml:2: eror", "did you mean 'error'"]),
        ({"confidence_level": "68"}, ["mine.yaml:2: confidence_level", "less than 1", "68"]),
        ({"type": "gausian"}, ["mine.yaml:2: type", "'gausian'", "'gaussian'"]),
        ({"citations": "[]"}, ["mine.yaml:2: citations", "at least 1"]),
    ],
)
def test_mistake_in_an_entry(rejected: Command, changes: dict[str, str], words: list[str]):
    own_entry(gaussian(**changes))
    assert_mentions(rejected("validate", "fit.yaml"), *words)


def test_a_set_that_lists_an_entry_twice(rejected: Command):
    head = "title: t\ndescription: d\nexclusions: hard\n"
    write("likelihoods/sets/mine.yaml", head + "entries: [a_mu_2021, kloe_2015, a_mu_2021]\n")
    write("fit.yaml", "model: effective\nlikelihood: mine\n")
    message = rejected("validate", "fit.yaml")
    assert_mentions(message, "fit.yaml:2: likelihood.set", "'a_mu_2021' twice", "keep one")


HEADERS = {"kloe_2015": "mass_MeV,epsilon", "na64_2020": "mass_MeV,epsilon_lower,epsilon_upper"}


def own_curve(rows: str, entry: str = "kloe_2015", header: str = "") -> None:
    write(f"likelihoods/entries/{entry}.yaml", packaged(f"likelihoods/entries/{entry}.yaml"))
    write(f"likelihoods/entries/{entry}.csv", f"# mine\n{header or HEADERS[entry]}\n{rows}")
    write("fit.yaml", RUN)


@pytest.mark.parametrize(
    ("rows", "line", "words"),
    [
        ("5,1e-3\n10,2e-3\n7,1e-3\n", 5, ["mass 7 follows 10", "sort"]),
        ("5,1e-3\n5,2e-3\n", 4, ["mass 5 follows 5", "keep one row"]),
        ("5,1e-3\n10,\n", 4, ["mass_MeV, epsilon", "'10,'"]),
        ("5,1e-3\n10\n", 4, ["mass_MeV, epsilon", "'10'"]),
        ("5,1e-3\n10,2e-3,3e-3\n", 4, ["mass_MeV, epsilon", "'10,2e-3,3e-3'"]),
        ("5,1e-3\n10,-2e-3\n", 4, ["epsilon must be positive", "-0.002"]),
        ("-5,1e-3\n10,2e-3\n", 3, ["mass_MeV must be positive", "-5"]),
        ("5,1e-3\n10,small\n", 4, ["'10,small'", "no number"]),
        ("5,1e-3\n10,nan\n", 4, ["epsilon must be positive and finite", "nan"]),
        ("5,1e-3\n10,inf\n", 4, ["epsilon must be positive and finite", "inf"]),
        ("5,1e-3\n", 3, ["at least 2 rows"]),
        ("", 2, ["at least 2 rows"]),
    ],
)
def test_mistake_in_a_curve(rejected: Command, rows: str, line: int, words: list[str]):
    own_curve(rows)
    message = rejected("validate", "fit.yaml")
    assert_mentions(message, f"kloe_2015.csv:{line}: ", *words)


def test_edges_of_a_region_in_the_wrong_order(rejected: Command):
    own_curve("5,1e-4,1e-3\n10,2e-3,1e-3\n", entry="na64_2020")
    message = rejected("validate", "fit.yaml")
    assert_mentions(message, "na64_2020.csv:4: ", "lower edge 0.002", "upper one 0.001")


@pytest.mark.parametrize("header", ["mass_GeV,epsilon", "mass_MeV,epsilon_lower,epsilon_upper"])
def test_wrong_header_of_a_curve(rejected: Command, header: str):
    own_curve("5,1e-3\n10,2e-3\n", header=header)
    message = rejected("validate", "fit.yaml")
    assert_mentions(message, "kloe_2015.csv:2: ", "'mass_MeV,epsilon'")


def test_missing_curve(rejected: Command):
    own_curve("")
    Path("likelihoods/entries/kloe_2015.csv").unlink()
    message = rejected("validate", "fit.yaml")
    assert_mentions(message, "kloe_2015.csv", "cannot be read", "check the path")


# Files that cannot be read or written


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("none.yaml", ["none.yaml", "No such file", "check the path"]),
        ("folder.yaml", ["folder.yaml", "directory", "check the path"]),
        ("binary.yaml", ["binary.yaml", "not UTF-8"]),
        ("binary.yaml/fit.yaml", ["binary.yaml/fit.yaml", "cannot be read"]),
        ("quikstart", ["unknown run 'quikstart'", "did you mean 'quickstart'"]),
    ],
)
def test_unreadable_run_file(rejected: Command, workspace: Path, path: str, words: list[str]):
    (workspace / "folder.yaml").mkdir()
    (workspace / "binary.yaml").write_bytes(bytes(range(256)))
    assert_mentions(rejected("validate", path), *words)


@pytest.mark.parametrize("path", ["none.csv", "folder.csv", "binary.csv"])
def test_unreadable_points_file(rejected: Command, workspace: Path, path: str):
    (workspace / "folder.csv").mkdir()
    (workspace / "binary.csv").write_bytes(bytes(range(256)))
    assert_mentions(rejected(*EVALUATE, "--points", path), path, "cannot be read", "check the path")


@pytest.mark.parametrize("output", ["file", "file/below"])
def test_unwritable_output(rejected: Command, output: str):
    write("file", "precious\n")
    message = rejected("run", "quickstart", "--output", output)
    assert_mentions(message, output, "cannot be written", "--output")
    assert Path("file").read_text(encoding="utf-8") == "precious\n"


def python_m_zpfit(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "zpfit", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def test_exit_code_of_the_process(workspace: Path):
    write("fit.yaml", RUN + "seeed: 3\n")
    process = python_m_zpfit("run", "fit.yaml", cwd=workspace)
    assert process.returncode == 2
    assert process.stdout == ""
    assert process.stderr.strip() == "error: fit.yaml:3: seeed: unknown key; did you mean 'seed'?"


def test_exit_code_of_the_process_without_a_command(workspace: Path):
    process = python_m_zpfit("rn", "quickstart", cwd=workspace)
    assert process.returncode == 2
    assert_mentions(process.stderr, "'rn'")
    assert "Traceback" not in process.stderr


def test_exit_code_of_an_interrupted_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("zpfit.cli.data.print_list", interrupted)
    monkeypatch.setattr(sys, "argv", ["zpfit", "list", "models"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 130
    assert "interrupted" in capsys.readouterr().err


# Models and likelihoods that fail while running


@dataclass(frozen=True)
class Root(Model):
    """A model that is defined for x >= 0 only."""

    broken: str
    name: str = "root"
    description: str = "C = sqrt(x)."
    reference: str = "none"
    parameters: tuple[Parameter, ...] = (Parameter("x", "x", "", (-1.0, 1.0)),)

    def couplings(self, values):
        x = values["x"]
        columns = dict.fromkeys(COUPLING_NAMES, 1e-6 * np.abs(x)) | {"m_Zp": np.full(len(x), 25.0)}
        columns[self.broken] = np.where(x < 0, np.nan, columns[self.broken])
        return Couplings(**columns)


@pytest.mark.parametrize(
    ("broken", "entry"),
    [
        ("C_Ae", "a_e_cs_2018"),
        ("C_Vmu", "a_mu_2021"),
        ("m_Zp", "a_mu_2021"),
        ("C_Ve", "kloe_2015"),
        ("C_Ve", "na64_2020"),
    ],
)
def test_not_a_number_from_a_model(broken: str, entry: str):
    likelihood = assemble(LikelihoodSpec(add=(entry,)), Library.beside()).likelihood
    posterior = Posterior(Root(broken), Priors({"x": Uniform(lower=-1, upper=1)}), likelihood)
    assert np.isfinite(posterior.log_likelihood(np.array([[0.7]]))).all()
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(NotANumber, match=rf"{broken}.*'root'.*x = -0\.6\b.*restrict the priors"),
    ):
        posterior.log_likelihood(np.array([[0.7], [0.2], [0.9], [0.1]]))


def test_impossible_likelihood(rejected: Command):
    write("fit.yaml", PARAMETERS + "    m_Zp: 5\n")
    message = rejected("run", "fit.yaml", "--output", "out")
    assert_mentions(message, "none of", "allowed", "move the priors", "soft")
    assert "none of" in Path("out/log.txt").read_text(encoding="utf-8")
    assert not Path("out/summary.json").exists()
    assert_mentions(rejected("plot", "out"), "out", "no finished run", "summary.json")


# Run folders


def test_a_finished_run_is_not_overwritten(rejected: Command, small_run: Path):
    before = contents(small_run)
    message = rejected("run", "quickstart", "--output", small_run)
    assert_mentions(message, str(small_run), "already holds a run", "--force", "--output")
    assert contents(small_run) == before


def test_a_mistake_with_force_leaves_the_run(rejected: Command, small_run: Path):
    before = contents(small_run)
    write("fit.yaml", RUN + "seeed: 3\n")
    assert "seeed" in rejected("run", "fit.yaml", "--output", small_run, "--force")
    assert contents(small_run) == before


def test_force_replaces_the_run_and_keeps_foreign_files(replaced_run: Path):
    assert (replaced_run / "notes.txt").read_text(encoding="utf-8") == "mine\n"
    assert (replaced_run / "summary.json").exists()
    log = (replaced_run / "log.txt").read_text(encoding="utf-8")
    assert log.rstrip().splitlines()[-1].split("  ")[-1].startswith("Done")
    assert not [path for path in contents(replaced_run) if ".partial" in path]


def test_a_plot_that_fails_costs_only_itself(replaced_run: Path):
    log = (replaced_run / "log.txt").read_text(encoding="utf-8")
    assert_mentions(log, "corner", "failed", "out of ink", "Done")
    files = {path.name for path in replaced_run.iterdir()}
    assert {"summary.json", "samples.nc", "config.yaml", "pulls.png", "trace.png"} <= files
    assert not {"corner.png", "corner.pdf"} & files


def test_a_plot_that_fails_when_drawn_again(
    rejected: Command, small_run: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: object) -> None:
        raise RuntimeError("out of ink")

    for figure in ("corner", "pulls", "trace"):
        monkeypatch.setattr(f"zpfit.runs.drawing.{figure}_figure", broken)
    shutil.copytree(small_run, workspace / "run")
    message = rejected("plot", "run")
    assert_mentions(message, "corner plot failed", "pulls plot failed", "trace", "out of ink")
    assert contents(workspace / "run") == contents(small_run)


@pytest.mark.parametrize("name", ["config.yaml", "log.txt", "samples.nc", "corner.png"])
def test_files_that_no_run_wrote_are_not_replaced(rejected: Command, name: str):
    write("fit.yaml", PARAMETERS + "    m_Zp: 17\n")
    write(f"mine/{name}", "precious\n")
    assert_mentions(rejected("run", "fit.yaml", "--output", "mine"), "mine", name, "--force")
    assert contents(Path("mine")) == {name: b"precious\n"}


def test_a_forced_run_that_fails_leaves_the_earlier_one(
    rejected: Command, small_run: Path, workspace: Path
):
    shutil.copytree(small_run, workspace / "run")
    before = contents(workspace / "run")
    write("fit.yaml", PARAMETERS + "    m_Zp: 5\n")
    rejected("run", "fit.yaml", "--output", "run", "--force")
    after = contents(workspace / "run")
    changed = {name for name in before if after.get(name) != before[name]}
    assert {Path(name).name for name in changed} <= {"log.txt"}


@pytest.mark.usefixtures("stopped_early")
@pytest.mark.parametrize("options", [[], ["--force"]])
def test_own_files_survive_a_run_beside_them(rejected: Command, options: list[str]):
    own_entry(gaussian())
    write("likelihoods/sets/other.yaml", "precious\n")
    write("priors/other.yaml", "precious\n")
    before = contents(Path())
    rejected("run", "fit.yaml", "--output", ".", *options)
    after = contents(Path())
    assert {name: after.get(name) for name in before} == before


@pytest.mark.usefixtures("stopped_early")
def test_a_run_repeated_in_its_own_folder_keeps_its_data(
    rejected: Command, small_run: Path, workspace: Path
):
    shutil.copytree(small_run, workspace / "run")
    data = contents(workspace / "run" / "data")
    rejected("run", "run/config.yaml", "--output", "run", "--force")
    assert contents(workspace / "run" / "data") == data


@pytest.mark.parametrize("folder", ["nothing", "empty", "file"])
def test_plot_of_no_run(rejected: Command, workspace: Path, folder: str):
    (workspace / "empty").mkdir()
    write("file", "text\n")
    message = rejected("plot", folder)
    assert_mentions(message, folder, "no finished run", "summary.json")


@pytest.mark.parametrize(
    ("damaged", "kept"),
    [("samples.nc", 0.5), ("samples.nc", 0.0), ("summary.json", 0.5), ("summary.json", 0.0)],
)
def test_plot_of_a_damaged_run(
    rejected: Command, small_run: Path, workspace: Path, damaged: str, kept: float
):
    shutil.copytree(small_run, workspace / "run")
    path = workspace / "run" / damaged
    data = path.read_bytes()
    path.write_bytes(data[: int(kept * len(data))])
    message = rejected("plot", "run")
    assert_mentions(message, "run", "no finished run", damaged, "damaged")


# Text and numbers that must not break a finished run


def test_square_brackets_in_names_and_titles_are_only_text(workspace: Path):
    write("runs/odd.yaml", "title: 'Limits [/b] [muon]'\nmodel: effective\n")
    result = CliRunner().invoke(cli, ["list", "runs"])
    assert result.exit_code == 0
    assert "Limits [/b] [muon]" in result.output


def test_one_unreadable_run_does_not_hide_the_others(workspace: Path):
    write("runs/broken.yaml", "title: [\n")
    result = CliRunner().invoke(cli, ["list", "runs"])
    assert result.exit_code == 0
    assert_mentions(result.output, "broken", "unreadable", "quickstart")
