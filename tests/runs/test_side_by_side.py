"""Test that several processes give the numbers of one."""

import json
import subprocess
import sys

import pytest

import zpfit


@pytest.mark.slow
def test_the_number_of_processes_changes_no_number(monkeypatch):
    rows = []
    for number in (1, 2):
        monkeypatch.setattr("zpfit.runs.comparison.cores", lambda number=number: number)
        rows.append(zpfit.compare("L_mu-L_tau_cs", "sm_u1_cs", progress=False).rows)
    assert json.dumps(rows[0]) == json.dumps(rows[1])


def test_a_script_runs_on_several_processes_without_a_guard(tmp_path):
    # Processes that imported the script would begin all of it again.
    script = tmp_path / "script.py"
    script.write_text(
        "from functools import partial\n"
        "from zpfit.inference.progress import SILENT\n"
        "from zpfit.runs.side_by_side import workers\n"
        "with workers(['math']) as pool:\n"
        "    jobs = {str(n): partial(pow, n, 2) for n in range(4)}\n"
        "    print(sorted(pool.results_of(jobs, SILENT).items()))\n",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, str(script)], check=True, capture_output=True, text=True)
    assert done.stdout == "[('0', 0), ('1', 1), ('2', 4), ('3', 9)]\n"


@pytest.mark.slow
def test_a_script_compares_models_without_a_guard(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import zpfit\n"
        "def own(m_Zp, g):\n"
        "    return {'C_Ve': g, 'C_Vmu': g}\n"
        "priors = {'m_Zp': {'type': 'log_uniform', 'lower': 5, 'upper': 100},\n"
        "          'g': {'type': 'log_uniform', 'lower': 1e-6, 'upper': 1e-2}}\n"
        "own_run = zpfit.load({'model': own, 'likelihood': 'paper_2021_cs',\n"
        "                      'priors': {'parameters': priors}})\n"
        "print(len(zpfit.compare(own_run, 'L_mu-L_tau_cs', progress=False).rows))\n",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, str(script)], check=True, capture_output=True, text=True)
    assert done.stdout == "3\n"  # a row for no Z' as well
