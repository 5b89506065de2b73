"""Test that ``zpfit validate`` recognises the kind of a file, and checks it as such."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from bad_input import Command, assert_mentions, write
from click.testing import Result

ENTRY = """\
title: Invented
type: prompt_limit
measurement: mine
curve: mine.csv
confidence_level: 0.9
citations: [{key: "Author:2027yy", journal: "in preparation"}]
soft: {form: half_gaussian, power: 2, confidence_level: 0.9}
approximations: None.
"""
MODEL = """\
type: couplings
title: mine
description: mine
reference: none
parameters: {g: {symbol: g, largest: 0.1}}
couplings: {C_Ve: {g: 1}}
"""
PRIORS = """\
title: mine
model: B-L
description: mine
parameters:
  m_Zp: {type: log_uniform, lower: 1, upper: 100}
  g_prime: {type: log_uniform, lower: 1e-9, upper: 0.1}
"""
SLICE = """\
likelihood: paper_2021_cs
x: {parameter: m_Zp, lower: 5, upper: 50}
y: {parameter: C_Ae, lower: 5e-5, upper: 1e-3}
"""
SET = "title: mine\ndescription: mine\nexclusions: hard\nentries: [na64_2020, a_e_cs_2018]\n"
CAMPAIGN = "runs: [quickstart]\nseeds: [1, 2]\n"
RUN = "model: effective\nlikelihood: paper_2021_cs\n"


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        (ENTRY, "entry", "visible decays, 10 to 40 MeV"),
        (MODEL, "model", "parameters m_Zp, g"),
        (PRIORS, "priors", "For B-L, parameters m_Zp, g_prime"),
        (SLICE, "slice", "The plane of m_Zp and C_Ae with 13 entries"),
        (SET, "set", "1 measurements and 1 exclusions"),
        (CAMPAIGN, "campaign", "2 fits of 1 combinations"),
        (RUN, "run", "7 sampled parameters"),
    ],
)
def test_a_file_of_each_kind(accepted: Command, workspace: Path, text: str, kind: str, words: str):
    write("mine.csv", "mass_MeV,epsilon\n10,9e-4\n40,8e-4\n")
    write("mine.yaml", text)
    assert_mentions(accepted("validate", "mine.yaml"), f"mine: valid {kind}. ", words)
    assert json.loads(accepted("validate", "mine.yaml", "--json"))["kind"] == kind


@pytest.mark.parametrize(
    ("text", "old", "new", "kind", "words"),
    [
        (ENTRY, "power: 2", "power: two", "entry", "mine.yaml:7: soft"),
        (ENTRY, "mine.csv", "none.csv", "entry", "none.csv"),
        (MODEL, "C_Ve", "C_Vx", "model", "unknown coupling 'C_Vx'"),
        (PRIORS, "g_prime", "g_prim", "priors", "mine.yaml:6: priors.parameters.g_prim"),
        (PRIORS, "B-L", "B-K", "priors", "unknown model 'B-K'"),
        (SLICE, "C_Ae", "C_Ax", "slice", "no parameter 'C_Ax'"),
        (SET, "na64_2020", "na46_2020", "set", "did you mean 'na64_2020'"),
        (CAMPAIGN, "quickstart", "quikstart", "campaign", "did you mean 'quickstart'"),
    ],
)
def test_a_mistake_in_a_file_of_each_kind(
    rejected: Command, workspace: Path, text: str, old: str, new: str, kind: str, words: str
):
    write("mine.csv", "mass_MeV,epsilon\n10,9e-4\n40,8e-4\n")
    write("mine.yaml", text.replace(old, new))
    assert_mentions(rejected("validate", "mine.yaml"), words, f"was read as a {kind} file")


def test_every_file_that_has_a_name(accepted: Command, workspace: Path):
    printed = accepted("validate", "B-L")
    assert_mentions(printed, "B-L: valid model.", "B-L: valid priors.")
    assert_mentions(accepted("validate", "sm_u1"), "sm_u1: valid model.", "sm_u1: valid priors.")


def test_changes_are_for_runs(rejected: Command, workspace: Path):
    write("mine.yaml", SET)
    message = rejected("validate", "mine.yaml", "--set", "seed=2")
    assert_mentions(message, "mine.yaml: is a set file")
    write("mine.py", "x = 1\n")
    assert_mentions(rejected("validate", "mine.py"), "is Python code", "python: my_model.py")


# Limit files


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0.01,9e-4\n0.04,8e-4\n", ["mine.lmt:1", "separated by commas", "blanks", "GeV"]),
        ("mass;epsilon\n0.01;9e-4\n", ["mine.lmt:1", "separated by commas or semicolons"]),
    ],
)
def test_a_limit_file_with_commas(rejected: Command, workspace: Path, text: str, words: list[str]):
    write("mine.lmt", text)
    assert_mentions(rejected("validate", "mine.lmt"), *words)


def test_a_limit_file_in_mev(accepted: Command, rejected: Command, workspace: Path):
    write("mine.lmt", "10 9e-4\n40 8e-4\n")
    assert "10000 to 40000 MeV" in accepted("validate", "mine.lmt")
    words = ["mine covers 10000 to 40000 MeV", "are in GeV; divide these by 1000"]
    write("fit.yaml", "model: effective\nlikelihood: {set: paper_2021_cs, add: [mine.lmt]}\n")
    message = rejected("validate", "fit.yaml")
    assert_mentions(message, "likelihood.add.0", "no mass of the prior (1 to 100 MeV)", *words)
    message = rejected("exclusion", "paper_fig2b", "--limit", "mine.lmt")
    assert_mentions(message, "no mass of the plane (5 to 50 MeV)", *words)


def test_a_limit_file_of_other_masses(workspace: Path, invoke: Callable[..., Result]):
    write("mine.lmt", "0.2 9e-4\n0.4 8e-4\n")
    write("fit.yaml", "model: effective\nlikelihood: {set: paper_2021_cs, add: [mine.lmt]}\n")
    printed = invoke("validate", "fit.yaml").stderr
    assert "mine covers 200 to 400 MeV, and no mass of the prior (1 to 100 MeV)" in printed


def test_squares_of_the_mixing(workspace: Path, accepted: Command):
    write("mine.csv", "mass_MeV,epsilon2\n10,9e-8\n40,4e-8\n")
    write("mine.yaml", ENTRY + "quantity: epsilon2\n")
    assert "ε < 0.0002 at best" in accepted("validate", "mine.yaml")
    write(
        "fit.yaml", "model: effective\nlikelihood: {add: [{curve: two.lmt, quantity: epsilon2}]}\n"
    )
    write("two.lmt", "0.01 9e-8\n0.04 4e-8\n")
    assert "valid run" in accepted("validate", "fit.yaml")


def test_masses_for_which_formulas_do_not_hold(workspace: Path, invoke: Callable[..., Result]):
    def notes(largest: int) -> str:
        mass = f"{{type: uniform, lower: 10, upper: {largest}}}"
        priors = f"{{use: x17, parameters: {{m_Zp: {mass}}}}}"
        write("fit.yaml", f"model: x17\nlikelihood: x17_be8_cs\npriors: {priors}\n")
        return " ".join(invoke("validate", "fit.yaml").stderr.split())

    beyond = "meg2_1815_2024 outside 1 to 135 MeV", "the prior has masses of 10 to 300 MeV"
    assert_mentions(notes(300), *beyond)
    assert "outside 1 to 135 MeV" not in notes(100)
