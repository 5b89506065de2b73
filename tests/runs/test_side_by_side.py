"""Test that several processes give the numbers of one."""

import json

import pytest

import zpfit


@pytest.mark.slow
def test_the_number_of_processes_changes_no_number(monkeypatch):
    rows = []
    for number in (1, 2):
        monkeypatch.setattr("zpfit.runs.comparison.cores", lambda number=number: number)
        rows.append(zpfit.compare("L_mu-L_tau_cs", "sm_u1_cs", progress=False).rows)
    assert json.dumps(rows[0]) == json.dumps(rows[1])
