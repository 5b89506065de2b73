"""Test samples as objects of other programs, and extras that are not installed."""

import importlib
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers_interfaces import summary_of

import zpfit.interfaces.export
from zpfit.errors import MissingExtra
from zpfit.inference.samplers.result import StoredDeadPoints
from zpfit.interfaces.anesthetic import dead_points_to_anesthetic, to_anesthetic
from zpfit.interfaces.arviz import to_arviz
from zpfit.interfaces.getdist import to_getdist
from zpfit.interfaces.sample_table import SampleTable, read_table
from zpfit.runs.run_file import find_run_file, load_run
from zpfit.runs.run_folder import RunFolder

Command = Callable[..., str]


@pytest.fixture(scope="module")
def table(small_run: Path) -> SampleTable:
    return read_table(RunFolder(small_run))


def means(small_run: Path) -> dict[str, float]:
    return {name: row["mean"] for name, row in summary_of(small_run)["posterior"].items()}


def test_arviz_computes_with_the_samples(table: SampleTable, small_run: Path):
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        data = to_arviz(table)
    arviz = pytest.importorskip("arviz")
    for name, mean in means(small_run).items():
        assert float(data.posterior[name].mean()) == pytest.approx(mean, rel=1e-12)
        ess = arviz.ess(data, var_names=[name])
        assert float(np.ravel(ess[name])[0]) > 10
    assert data.attrs["log_z"] == table.attributes["log_z"]
    assert data.sample_stats["lp"].dims == ("chain", "draw")


def test_getdist_computes_with_the_samples(
    table: SampleTable, small_run: Path, quiet: None, capsys: pytest.CaptureFixture[str]
):
    pytest.importorskip("getdist")
    samples = to_getdist(table)
    assert capsys.readouterr().out == ""
    for name, mean in means(small_run).items():
        assert samples.mean(name) == pytest.approx(mean, rel=1e-9)
    assert samples.paramNames.parWithName("C_numu").isDerived
    assert samples.ranges.getUpper("m_Zp") == 100
    assert len(samples.chain_offsets) - 1 == 2


def test_getdist_has_the_same_samples_in_memory_and_in_files(
    table: SampleTable, small_run: Path, tmp_path: Path, quiet: None
):
    getdist = pytest.importorskip("getdist")
    zpfit.interfaces.export.export(small_run, "getdist", tmp_path)
    read = getdist.loadMCSamples(str(tmp_path / small_run.name), no_cache=True)
    samples = to_getdist(table)
    np.testing.assert_array_equal(read.samples, samples.samples)
    np.testing.assert_array_equal(read.loglikes, samples.loglikes)
    assert read.paramNames.list() == samples.paramNames.list()


def test_anesthetic_computes_with_the_samples(table: SampleTable, small_run: Path, quiet: None):
    pytest.importorskip("anesthetic")
    samples = to_anesthetic(table)
    for name, mean in means(small_run).items():
        assert np.ravel(samples[name].mean())[0] == pytest.approx(mean, rel=1e-9)


def test_anesthetic_computes_the_evidence_of_dead_points(quiet: None):
    """A Gaussian of width s has Z = (2 pi s^2)^(d/2) on the unit cube."""
    pytest.importorskip("anesthetic")
    posterior = load_run(find_run_file("L_mu-L_tau_cs")).posterior
    points, d, sd = 5000, posterior.dimension, 0.1
    u = np.random.default_rng(4).random((points, d))
    log_likelihood = -0.5 * np.sum((u - 0.5) ** 2, axis=1) / sd**2
    # With points drawn from the whole prior, the standard error of ln Z is 0.07.
    values = {name: posterior.parameters(u)[name] for name in posterior.names}
    dead = StoredDeadPoints(values, log_likelihood, np.full(points, -np.inf))
    found = float(dead_points_to_anesthetic(posterior, dead).logZ())
    assert found == pytest.approx(d / 2 * np.log(2 * np.pi * sd**2), abs=0.2)


@pytest.mark.parametrize(
    ("module", "convert"), [("getdist", to_getdist), ("anesthetic", to_anesthetic)]
)
def test_a_missing_program_of_samples_is_named(
    table: SampleTable, monkeypatch: pytest.MonkeyPatch, module: str, convert: Callable[..., Any]
):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=f"zpfit\\[{module}\\]"):
        convert(table)


@pytest.mark.parametrize(
    ("module", "extra"), [("plotly", "report"), ("jinja2", "report"), ("starlette", "explore")]
)
def test_a_missing_package_of_a_page_is_named(module: str, extra: str):
    snippet = (
        f"import sys\nsys.modules[{module!r}] = None\nimport zpfit.cli\n"
        "from zpfit.errors import MissingExtra\n"
        f"try:\n    import zpfit.pages.{extra}\n"
        "except MissingExtra as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", snippet], capture_output=True, text=True, check=True
    )
    assert f"pip install 'zpfit[{extra}]'" in done.stdout


@pytest.mark.parametrize("name", ["cobaya", "bilby"])
def test_a_missing_program_is_named(name: str, monkeypatch: pytest.MonkeyPatch):
    loaded = [module for module in sys.modules if module.startswith(f"{name}.")]
    for module in (*loaded, f"zpfit.interfaces.{name}"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra, match=re.escape(f"pip install 'zpfit[{name}]'")):
        importlib.import_module(f"zpfit.interfaces.{name}")
