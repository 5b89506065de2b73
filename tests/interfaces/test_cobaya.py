"""Test the likelihood in cobaya, and input files of cobaya."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from helpers_interfaces import RUNS, summary_of

import zpfit.interfaces.export
from zpfit.interfaces.cobaya_input import LIKELIHOOD, cobaya_input
from zpfit.interfaces.point_likelihood import point_likelihood
from zpfit.io.yaml import read_yaml
from zpfit.runs.run_file import find_run_file, load_run

Command = Callable[..., str]


@pytest.mark.parametrize("name", RUNS)
def test_cobaya_has_the_same_likelihood_and_priors(name: str, quiet: None):
    cobaya_model = pytest.importorskip("cobaya.model")
    run = load_run(find_run_file(name))
    model = cobaya_model.get_model(cobaya_input(run, name) | {"stop_at_error": True})
    rng = np.random.default_rng(5)
    u = rng.random((3000, run.posterior.dimension))
    expected = run.posterior.log_likelihood(u)
    chosen = np.flatnonzero(np.isfinite(expected))[:10]
    values = run.posterior.parameters(u[chosen])
    names = [f"u_{n}" for n in run.posterior.names]
    for row, (point, log_likelihood) in enumerate(zip(u[chosen], expected[chosen], strict=True)):
        given = dict(zip(names, point, strict=True))
        assert model.loglike(given, return_derived=False) == pytest.approx(log_likelihood, rel=1e-9)
        assert model.logprior(given) == pytest.approx(0.0, abs=1e-12)
        inputs = model.parameterization.to_input(given)
        for parameter in run.posterior.names:
            assert inputs[parameter] == pytest.approx(values[parameter][row], rel=1e-9)


def test_cobaya_reads_the_file_and_derives_couplings(
    accepted: Command, small_run: Path, quiet: None
):
    cobaya = pytest.importorskip("cobaya.run")
    written = accepted("export", small_run, "--to", "cobaya", "--output", "c").split()[-1]
    yaml = pytest.importorskip("cobaya.yaml")
    info = yaml.yaml_load_file(written)
    info["params"] |= {"C_Vtau": {"derived": True}, "C_numu": {"derived": True}}
    # Chains start at the best fit.
    info["sampler"] = {"evaluate": {}}
    for parameter in info["params"].values():
        parameter.pop("proposal", None)
    _, sampler = cobaya.run(info, debug=False)
    best = summary_of(small_run)["best_fit"]
    row = sampler.products()["sample"]
    assert float(row["m_Zp"].iloc[0]) == pytest.approx(best["parameters"]["m_Zp"], rel=1e-6)
    run = load_run(find_run_file(str(small_run)))
    point = {name: np.array([float(row[name].iloc[0])]) for name in run.posterior.names}
    values = run.posterior.priors.complete(point, 1)
    [expected] = run.posterior.log_likelihood_at(values)
    assert float(row["chi2"].iloc[0]) == pytest.approx(-2 * expected, rel=1e-6)


def test_cobaya_starts_where_the_likelihood_is_not_zero(small_run: Path, tmp_path: Path):
    folder = shutil.copytree(small_run, tmp_path / "run")
    summary = summary_of(folder)
    # Move the point into an excluded region, as rounding might.
    summary["best_fit"]["parameters"] |= {"C_Ve": 0.09}
    (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    [path] = zpfit.interfaces.export.export_cobaya(str(folder), tmp_path)
    params = read_yaml(path).data["params"]
    best = zpfit.interfaces.export.frame(small_run).sort_values("log_likelihood").iloc[-1]
    run = load_run(find_run_file(str(small_run)))
    cube = run.posterior.priors.to_unit_cube({n: float(best[n]) for n in run.posterior.names})
    assert [params[f"u_{name}"]["ref"] for name in run.posterior.names] == cube.tolist()


def test_cobaya_starts_anywhere_if_no_point_is_possible():
    run = load_run(find_run_file("quickstart"))
    excluded = dict.fromkeys(run.posterior.names, 0.09) | {"m_Zp": 17.0}
    params = cobaya_input(run, "quickstart", [excluded])["params"]
    assert not any("ref" in parameter for parameter in params.values())


HYPHEN = """\
type: couplings
title: hyphen
description: A name that is none of Python's
reference: none
parameters:
  g-x: {symbol: g_x}
couplings:
  C_Vmu: {g-x: 2}
"""
HYPHEN_RUN = """\
model: hyphen
likelihood: {add: [a_mu_2021]}
priors:
  parameters:
    m_Zp: {type: uniform, lower: 5, upper: 50}
    g-x: {type: log_uniform, lower: 1.0e-5, upper: 1.0e-2}
"""


def test_cobaya_takes_names_that_python_does_not(workspace: Path, quiet: None):
    cobaya_model = pytest.importorskip("cobaya.model")
    Path("models").mkdir()
    Path("models/hyphen.yaml").write_text(HYPHEN, encoding="utf-8")
    Path("hyphen.yaml").write_text(HYPHEN_RUN, encoding="utf-8")
    run = load_run(Path("hyphen.yaml"))
    model = cobaya_model.get_model(cobaya_input(run, "hyphen.yaml") | {"stop_at_error": True})
    given = {"u_m_Zp": 0.3, "u_axis_1": 0.4}
    [expected] = run.posterior.log_likelihood(np.array([[0.3, 0.4]]))
    assert model.loglike(given, return_derived=False) == pytest.approx(expected, rel=1e-9)


def test_cobaya_takes_a_set_and_a_model(quiet: None):
    cobaya_model = pytest.importorskip("cobaya.model")
    info = {
        "likelihood": {LIKELIHOOD: {"set": "paper_2021_cs"}},
        "params": {
            "m_Zp": {"prior": {"min": 5, "max": 50}},
            "C_Ae": {"prior": {"min": -1e-3, "max": 1e-3}},
            "C_Vtau": 0.0,
        },
    }
    given = point_likelihood(likelihood="paper_2021_cs")
    point = {"m_Zp": 17.0, "C_Ae": 1e-6}
    model = cobaya_model.get_model(info)
    assert model.loglike(point, return_derived=False) == pytest.approx(given.log_likelihood(point))


def test_cobaya_hears_what_is_wrong(quiet: None, capfd: pytest.CaptureFixture[str]):
    cobaya_model = pytest.importorskip("cobaya.model")
    from cobaya.log import LoggedError

    with pytest.raises(LoggedError, match="did you mean 'quickstart'"):
        cobaya_model.get_model({"likelihood": {LIKELIHOOD: {"run_file": "quikstart"}}})


@pytest.mark.slow
def test_cobaya_samples_the_file(accepted: Command, small_run: Path):
    pytest.importorskip("cobaya")
    written = accepted("export", small_run, "--to", "cobaya", "--output", "c").split()[-1]
    path = Path(written)
    path.write_text(path.read_text(encoding="utf-8") + "    max_samples: 300\n", encoding="utf-8")
    command = [sys.executable, "-m", "cobaya", "run", str(path), "--output", "chains/small"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert Path("chains/small.1.txt").exists()


def test_the_input_of_cobaya_is_valid_yaml(accepted: Command, workspace: Path):
    accepted("export", "quickstart", "--to", "cobaya")
    data = read_yaml(workspace / "output" / "export" / "quickstart.cobaya.yaml").data
    assert data["likelihood"][LIKELIHOOD] == {"run_file": "quickstart"}
    assert len(data["params"]) == 14
