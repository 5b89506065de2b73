"""Test --add and --drop of commands, their keyword arguments, and sets based on others."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

import zpfit
from zpfit.errors import InvalidInput
from zpfit.io.library import Library
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.likelihood.library import read_set
from zpfit.runs.fingerprint import fingerprint
from zpfit.runs.run_file import resolved_settings

Command = Callable[..., str]

_POINT = ["--at", "m_Zp=20 C_Ve=1e-4"]
_SLICE = ["--x", "m_Zp=5:50", "--y", "C_Ae=5e-5:1e-3:log", "--likelihood", "paper_2021_cs"]
COMMANDS = {
    "run": ["quickstart"],
    "validate": ["quickstart"],
    "compare": ["quickstart", "sm_u1_cs"],
    "limit": ["quickstart", "C_Ae"],
    "profile": ["quickstart", "--x", "m_Zp"],
    "tension": ["quickstart"],
    "certify": ["sm_u1_cs"],
    "toys": ["quickstart", "--n", "2"],
    "coverage": ["L_mu-L_tau_cs", "--at", "m_Zp=20 g_prime=5e-4 eps=1e-9", "--n", "2"],
    "evaluate": ["--likelihood", "paper_2021_cs", *_POINT],
    "exclusion": _SLICE,
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("option", "name", "meant"),
    [("--drop", "kloe_2016", "kloe_2015"), ("--add", "neutron_lead_1976", "neutron_lead_1975")],
)
def test_an_unknown_entry_is_named(
    rejected: Command, command: str, option: str, name: str, meant: str
):
    message = rejected(command, *COMMANDS[command], option, name)
    assert f"{option} {name}: " in message
    assert meant in message


def test_every_wrong_name_is_reported_at_once(rejected: Command):
    message = rejected("validate", "quickstart", "--drop", "kloe_2016", "--drop", "na64_2021")
    assert "kloe_2015" in message
    assert "na64_2020" in message


def test_entries_change_the_data_of_a_run(accepted: Command):
    options = ["--drop", "kloe_2015", "--add", "neutron_lead_1975"]
    found = json.loads(accepted("validate", "quickstart", *options, "--json"))
    assert "kloe_2015" not in found["exclusions"]
    assert "neutron_lead_1975" in found["exclusions"]
    assert found["likelihood"] == "paper_2021_cs +neutron_lead_1975 -kloe_2015"


def test_entries_of_points(accepted: Command):
    assert "a_mu_2021" not in accepted(
        "evaluate", *COMMANDS["evaluate"], "--drop", "a_mu_2021", "--json"
    )
    alone = accepted("evaluate", "--add", "a_mu_2021", *_POINT, "--json")
    assert "a_mu_2021" in alone
    assert "a_e_cs_2018" not in alone


@pytest.mark.usefixtures("workspace")
def test_an_option_undoes_what_the_file_says(accepted: Command):
    Path("fit.yaml").write_text(
        "model: effective\n"
        "likelihood: {set: paper_2021_cs, drop: [kloe_2015], add: [neutron_lead_1975]}\n"
    )
    options = ["--add", "kloe_2015", "--drop", "neutron_lead_1975"]
    found = json.loads(accepted("validate", "fit.yaml", *options, "--json"))
    assert found["likelihood"] == "paper_2021_cs"


def test_a_run_records_its_entries():
    whole = zpfit.load("quickstart")
    few = zpfit.load("quickstart", drop="kloe_2015", add=["neutron_lead_1975"])
    assert whole.data_hash() != few.data_hash()
    assert fingerprint(whole, cross_check=False) != fingerprint(few, cross_check=False)
    written = resolved_settings(few)["likelihood"]
    assert (written["drop"], written["add"]) == (["kloe_2015"], ["neutron_lead_1975"])


def test_keyword_arguments_name_the_wrong_entry():
    for call in (
        lambda: zpfit.load("quickstart", drop=["kloe_2016"]),
        lambda: zpfit.load(zpfit.load("quickstart"), drop=["kloe_2016"]),
        lambda: zpfit.evaluate({"m_Zp": 20}, likelihood="paper_2021_cs", drop="kloe_2016"),
        lambda: zpfit.compare("quickstart", drop=["kloe_2016"]),
        lambda: zpfit.exclusion(source="paper_fig2a", drop=["kloe_2016"]),
    ):
        with pytest.raises(InvalidInput, match=r"drop kloe_2016: .*did you mean 'kloe_2015'"):
            call()


def test_keyword_arguments_change_points():
    found = zpfit.evaluate({"m_Zp": 20}, likelihood="paper_2021_cs", drop="kloe_2015")
    assert "ratios.kloe_2015" not in found
    assert "chi2.a_mu_2021" in zpfit.evaluate({"m_Zp": 20}, add="a_mu_2021")


# The word for all exclusions


def built(**spec: Any) -> Any:
    return assemble(LikelihoodSpec(**spec), Library.beside()).likelihood


def forms(likelihood: Any) -> dict[str, bool]:
    return {exclusion.name: exclusion.soft for exclusion in likelihood.exclusions}


@pytest.mark.parametrize("name", ["paper_2021_cs", "paper_2021_cs_soft"])
def test_all_exclusions_are_soft_or_hard_but_those_named(name: str):
    assert set(forms(built(set=name, soft="all")).values()) == {True}
    assert set(forms(built(set=name, hard="all")).values()) == {False}
    mixed = forms(built(set=name, soft="all", hard=["kloe_2015"]))
    assert [exclusion for exclusion, soft in mixed.items() if not soft] == ["kloe_2015"]
    mixed = forms(built(set=name, hard="all", soft=["kloe_2015"]))
    assert [exclusion for exclusion, soft in mixed.items() if soft] == ["kloe_2015"]


def test_all_can_be_soft_from_the_command_line(accepted: Command, rejected: Command):
    assert "all:soft" in accepted("validate", "quickstart", "--set", "likelihood.soft=all")
    both = ["--set", "likelihood.soft=all", "--set", "likelihood.hard=all"]
    assert "both hard and soft" in rejected("validate", "quickstart", *both)
    assert "must be a list" in rejected("validate", "quickstart", "--set", "likelihood.soft=every")


def test_a_likelihood_without_a_soft_exclusion_is_not_changed_by_the_word():
    [term] = built(add=["a_mu_2021"], soft="all").measurements
    assert term.name == "a_mu_2021"


# Sets based on others


def test_each_set_of_today_has_a_soft_form():
    library = Library.beside()
    today = [name for name in library.names("likelihood set") if name.startswith("today")]
    hard = [name for name in today if not name.endswith("_soft")]
    assert {f"{name}_soft" for name in hard} == set(today) - set(hard)
    for name in hard:
        soft = read_set(library, f"{name}_soft")
        assert soft.entries == read_set(library, name).entries
        assert soft.exclusions == "soft"
    assert "today_cs_soft" in library.names("likelihood set")


def test_a_run_folder_keeps_the_base_of_its_set():
    files = assemble(LikelihoodSpec(set="paper_2021_cs_soft"), Library.beside()).files()
    sets = {name for name in files if "sets" in name}
    assert {Path(name).stem for name in sets} == {"paper_2021_cs_soft", "paper_2021_cs"}


def test_a_soft_set_cites_what_its_base_cites(accepted: Command):
    soft, hard = (
        json.loads(accepted("cite", name, "--json")) for name in ("today_rb_soft", "today_rb")
    )
    assert soft == hard


@pytest.mark.usefixtures("workspace")
def test_wrong_bases_are_named(invoke: Callable[..., Result]):
    folder = Path("likelihoods/sets")
    folder.mkdir(parents=True)
    head = "title: t\ndescription: d\nexclusions: soft\n"
    for name, base in (("one", "two"), ("two", "one"), ("far", "today_css")):
        (folder / f"{name}.yaml").write_text(f"{head}base: {base}\n")
    message = invoke("evaluate", "--likelihood", "one", *_POINT).stderr
    assert "two.yaml:4: base: set 'one' is based on itself" in message
    message = invoke("evaluate", "--likelihood", "far", *_POINT).stderr
    assert "far.yaml:4: base: unknown likelihood set 'today_css'" in message


def test_soft_limits_add_to_chi2():
    """The soft set has the chi2 of the hard one plus a penalty that grows from zero."""
    c = zpfit.load("quickstart").posterior.couplings(np.random.default_rng(1).random((200, 7)))
    hard, soft = (built(set="paper_2021_cs", **own) for own in ({}, {"soft": "all"}))
    allowed = np.isfinite(hard.log_likelihood(c))
    assert np.all(soft.log_likelihood(c)[allowed] <= hard.log_likelihood(c)[allowed] + 1e-12)
    assert np.isfinite(soft.log_likelihood(c)).sum() > allowed.sum()
