"""Certificates as a user meets them: arguments, the command, the file, what stays unproved."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import zpfit
from zpfit.api.certificates import Certificate
from zpfit.cli import cli
from zpfit.errors import InvalidInput, NoStructure


def test_models_and_terms_without_structure_are_refused_by_name():
    with pytest.raises(NoStructure, match=r"effective: .* no relation"):
        zpfit.certify("quickstart", progress=False)
    with pytest.raises(NoStructure, match="m_Zp is not among its parameters"):
        zpfit.certify("nhdm_u1_singlet_cs", progress=False)


@pytest.mark.parametrize("value", [np.inf, np.nan, 0, -1.0, "1", True, 10**400])
@pytest.mark.parametrize("name", ["sigma", "tolerance"])
def test_numbers_must_be_finite_and_positive(name, value):
    """The message names the wrong one only."""
    other = {"sigma": "tolerance", "tolerance": "sigma"}[name]
    with pytest.raises(InvalidInput, match=f"{name}: .* not a finite number above 0") as raised:
        zpfit.certify("sm_u1_cs", progress=False, **{other: 1.0, name: value})
    assert other not in str(raised.value)


@pytest.mark.parametrize("value", ["inf", "nan", "0", "-1"])
@pytest.mark.parametrize("option", ["--sigma", "--tolerance"])
def test_the_command_takes_finite_positive_numbers(option, value):
    refused = CliRunner().invoke(cli, ["certify", "sm_u1_cs", option, value, "--json"])
    assert refused.exit_code == 2
    assert f"'{option}'" in refused.output


def test_certificates_are_written_and_read(tmp_path):
    found = zpfit.certify("sm_u1_cs", sigma=1.0, progress=False)
    found.save(tmp_path / "proof.json")
    record = json.loads((tmp_path / "proof.json").read_text())
    assert record == found.record
    assert record["data_hash"] == zpfit.load("sm_u1_cs").data_hash()
    assert "1.0000 < joint sigma" in repr(found)


def test_the_command_writes_a_certificate(tmp_path):
    target = tmp_path / "proof.json"
    shown = CliRunner().invoke(
        cli, ["certify", "sm_u1_cs", "--sigma", "1", "--json", "--output", str(target)]
    )
    assert shown.exit_code == 0, shown.output
    record = json.loads(shown.stdout)
    assert record == json.loads(target.read_text())
    assert record["lower"] == 1.0
    again = CliRunner().invoke(cli, ["certify", "sm_u1_cs", "--sigma", "1"])
    assert "no point of the domain has a joint sigma below 1.0000" in " ".join(again.output.split())


def test_the_command_refuses_what_it_cannot_prove():
    refused = CliRunner().invoke(cli, ["certify", "quickstart"])
    assert refused.exit_code == 2
    assert "effective: nothing can be proved" in refused.output


def test_bounds_that_stay_apart_name_causes():
    """A certificate with a wide bracket says what can keep its ends apart."""
    record = zpfit.certify("sm_u1_cs", sigma=1.0, progress=False).record
    apart = {**record, "sigma": None, "converged": False, "upper": 2.5, "left_out": {"e137": "no"}}
    (reason,) = Certificate(apart).shortcomings
    assert "whole numbers, or terms that it leaves out (e137)" in reason
    (reason,) = Certificate({**apart, "upper": None}).shortcomings
    assert "no point was found" in reason
