"""Test campaigns in columns: numbers of the folders, resuming, executors, memory, bad input."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import FEW_DATA

import zpfit
from zpfit.errors import Stopped, UnknownName
from zpfit.inference.progress import Silent
from zpfit.io.yaml import dump_yaml
from zpfit.runs.campaign_columns import campaign_in_columns
from zpfit.runs.campaign_file import load_campaign
from zpfit.runs.campaign_parts import part_paths
from zpfit.runs.executor_choice import ExecutorChoice, Kind

pytest.importorskip("pyarrow")

SMALL = {
    "sampler.engine": "vegas",
    "sampler.target_ess": 100,
    "vegas.max_evaluations": 6000,
    "vegas.error": 0.05,
    "best_fit.starts": 1,
    "best_fit.quiet_rounds": 2,
}
"""Options with which a fit takes 0.04 s."""
RUN = {
    "model": "L_mu-L_tau",
    "likelihood": FEW_DATA,
    "priors": {"parameters": {"m_Zp": 20.0, "eps": 0.0}},
}
"""Fit of one parameter."""
HEAVY = {"priors": {"parameters": {"m_Zp": 30.0, "eps": 0.0}}}
GRID = {
    "runs": {"tiny": RUN},
    "overrides": {"plain": {}, "heavy": HEAVY},
    "seeds": [3, 1, 2, 7, 5, 4],
    "settings": SMALL,
}
"""Twelve fits; the seeds are not in order."""
HERE = ExecutorChoice(Kind.HERE)
GROWTH_MIB = 25
"""Largest growth of the peak memory of the command between 2,000 and 20,000 fits. The rows of
20,000 fits take 80 MiB."""


def grid(content: Any, folder: Path) -> Path:
    path = folder / "grid.yaml"
    path.write_text(dump_yaml(GRID | content))
    return path


def in_columns(
    path: Path, output: Path, progress: Any = None, choice: ExecutorChoice = HERE
) -> Any:
    return campaign_in_columns(
        load_campaign(path),
        output,
        choice,
        lambda _: nullcontext(progress or Silent()),
        rows_per_part=3,
    )


def numbers(output: Path) -> Any:
    """Return all columns that do not depend on the clock."""
    return zpfit.campaign_fits(output).drop(columns="seconds")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an uninterrupted campaign; for reading only."""
    folder = tmp_path_factory.mktemp("whole")
    in_columns(grid({}, folder), folder / "out")
    return folder / "out"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the same campaign with a folder for each fit; for reading only."""
    folder = tmp_path_factory.mktemp("folders")
    zpfit.campaign(str(grid({}, folder)), output=folder / "out", progress=False)
    return folder / "out"


def record(output: Path) -> Any:
    return json.loads((output / "campaign.json").read_text())


# Results


def test_numbers_of_the_folders(whole: Path, folders: Path) -> None:
    own, other = record(whole), record(folders)
    assert own["cells"] == other["cells"]
    assert own["finished"] == other["finished"] == 12
    assert not own["fits"]
    fits, same = zpfit.campaign_fits(whole), zpfit.campaign_fits(folders)
    assert list(fits.index) == list(same.index)
    assert fits.index[:2].tolist() == ["tiny-plain-s3", "tiny-plain-s1"]
    for name in set(same.columns) - {"models", "data", "priors"}:
        assert fits[name].tolist() == same[name].tolist()


def test_a_row_describes_its_fit(whole: Path) -> None:
    row = zpfit.campaign_fits(whole).loc["tiny-heavy-s2"]
    assert (row["combination"], row["overrides"], row["seed"]) == ("tiny-heavy", "heavy", 2)
    assert json.loads(row["changes"])["priors"] == HEAVY["priors"]
    assert row["best_fit.m_Zp"] == 30.0
    assert row["log_bayes_factor"] == row["log_z"] + 0.5 * row["chi2_no_zprime"]
    assert len(row["fingerprint"]) == 64
    assert 0 < row["seconds"] < 60
    assert np.isnan(row["joint_sigma"])


def test_the_best_fit_has_the_chi2_of_the_row(whole: Path) -> None:
    row = zpfit.campaign_fits(whole).iloc[0]
    point = {name: row[f"best_fit.{name}"] for name in ("m_Zp", "g_prime", "eps")}
    likelihood = zpfit.Likelihood(FEW_DATA["set"], drop=FEW_DATA["drop"])
    found = zpfit.evaluate(point, model="L_mu-L_tau", likelihood=likelihood)
    assert row["chi2"] == pytest.approx(found["chi2_total"].iloc[0])


def test_columns_are_chosen(whole: Path, folders: Path) -> None:
    for folder in (whole, folders):
        assert zpfit.campaign_fits(folder, ["chi2", "seed"]).columns.tolist() == ["chi2", "seed"]
        with pytest.raises(UnknownName, match="unknown column 'chi'"):
            zpfit.campaign_fits(folder, ["chi"])


def test_joint_sigma(tmp_path: Path) -> None:
    """Without coupling to the electron, its moment stays where it is without a Z'."""
    found = zpfit.campaign(
        GRID | {"overrides": {"plain": {}}, "seeds": [1], "joint_sigma": True},
        store="parquet",
        progress=False,
    )
    likelihood = zpfit.Likelihood(FEW_DATA["set"], drop=FEW_DATA["drop"])
    point = {"m_Zp": 20.0, "g_prime": 1e-9, "eps": 0.0}
    alone = zpfit.evaluate(point, model="L_mu-L_tau", likelihood=likelihood)
    electron = next(name for name in alone.columns if name.startswith("pull") and "a_e" in name)
    expected = abs(alone[electron].iloc[0])
    assert found.fits["joint_sigma"].iloc[0] == pytest.approx(expected, abs=2e-3)
    assert found.converged


def test_table_and_plot_of_the_command(accepted: Any, whole: Path, workspace: Path) -> None:
    path = grid({}, workspace)
    printed = accepted(
        "campaign", path, "--store", "parquet", "--executor", "here", "--output", "out"
    )
    assert "6/6" in printed
    assert Path("out/campaign.png").is_file()
    assert record(Path("out")) == record(whole)
    again = accepted("plot", "out")
    assert "campaign.png" in again
    assert not Path("out/runs").exists()
    accepted("report", "out", "--output", "page.html")
    page = Path("page.html").read_text(encoding="utf-8")
    assert "Of 12 fits of 2 combinations 12 are finished" in page
    assert "The fits are rows of columnar files" in page


# Resuming


class Interrupted(Silent):
    """Progress that requests a stop after some fits."""

    def __init__(self, fits: int) -> None:
        self.left = fits

    def update(self, *_: Any) -> None:
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("fits", [1, 4, 11])
def test_a_stopped_campaign_resumes(tmp_path: Path, whole: Path, fits: int) -> None:
    path = grid({}, tmp_path)
    with pytest.raises(Stopped):
        in_columns(path, tmp_path / "out", Interrupted(fits))
    # Fits of the tasks that had been sent have ended as well.
    assert fits <= len(zpfit.campaign_fits(tmp_path / "out")) <= 12
    in_columns(path, tmp_path / "out")
    assert numbers(tmp_path / "out").equals(numbers(whole))
    assert record(tmp_path / "out") == record(whole)


def test_a_killed_campaign_resumes(tmp_path: Path, whole: Path) -> None:
    path, output = grid({}, tmp_path), tmp_path / "out"
    process = multiprocessing.get_context("fork").Process(target=in_columns, args=(path, output))
    process.start()
    deadline = time.monotonic() + 300
    while len(part_paths(output)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    process.kill()
    process.join()
    (output / "fits/.partial-part-000009.parquet").write_bytes(b"half of a part")
    before = len(zpfit.campaign_fits(output))
    assert 6 <= before < 12
    in_columns(path, output)
    assert numbers(output).equals(numbers(whole))
    assert record(output) == record(whole)


def test_finished_fits_are_kept_and_new_ones_added(tmp_path: Path, whole: Path) -> None:
    output = tmp_path / "out"
    in_columns(grid({"seeds": [7, 3]}, tmp_path), output)
    before = zpfit.campaign_fits(output)["seconds"]
    in_columns(grid({}, tmp_path), output)
    after = zpfit.campaign_fits(output)["seconds"]
    assert after[before.index].equals(before)
    assert record(output) == record(whole)


def test_force_fits_again(tmp_path: Path, accepted: Any) -> None:
    path = grid({"seeds": [1]}, tmp_path)
    words = ("campaign", path, "--store", "parquet", "--executor", "here", "--output", "out")
    accepted(*words)
    accepted(*words, "--force")
    assert len(part_paths(Path("out"))) == 1
    assert len(zpfit.campaign_fits("out")) == 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Kind.PROCESSES, Kind.DASK])
def test_executors_give_the_same_rows(tmp_path: Path, whole: Path, kind: Kind) -> None:
    if kind is Kind.DASK:
        pytest.importorskip("distributed")
    choice = ExecutorChoice(kind, 2)
    in_columns(grid({}, tmp_path), tmp_path / "out", choice=choice)
    assert numbers(tmp_path / "out").equals(numbers(whole))
    assert record(tmp_path / "out") == record(whole)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_fits(tmp_path: Path) -> None:
    """A campaign of 2,000 fits grows to 20,000; each command measures its own peak."""
    code = (
        "import resource, sys\n"
        "from zpfit.cli import cli\n"
        "cli(sys.argv[1:], standalone_mode=False)\n"
        "print('peak', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)\n"
    )
    peaks = []
    for fits in (2_000, 20_000):
        path = grid({"overrides": {}, "seeds": {"count": fits}}, tmp_path)
        words = ["campaign", str(path), "--store", "parquet", "--output", str(tmp_path / "out")]
        done = subprocess.run(
            [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        peaks.append(float(done.stdout.split()[-1]))
        assert record(tmp_path / "out")["finished"] == fits
    assert peaks[1] - peaks[0] < GROWTH_MIB
    assert len(part_paths(tmp_path / "out")) < 200


# Failures


def test_failures_are_named_and_the_others_finished(invoke: Any, tmp_path: Path) -> None:
    # Nucleosynthesis excludes all of the prior of the second combination.
    light = {"priors": {"parameters": {"m_Zp": 1.5, "eps": 0.0}}}
    path = grid({"overrides": {"plain": {}, "light": light}, "seeds": [1]}, tmp_path)
    words = ("campaign", path, "--store", "parquet", "--executor", "here", "--output", "out")
    result = invoke(*words)
    assert result.exit_code == 2
    assert "1 of 2 fits failed" in result.stderr
    kept = record(Path("out"))
    assert (kept["finished"], list(kept["failed"])) == (1, ["tiny-light-s1"])
    assert [cell["name"] for cell in kept["cells"]] == ["tiny-plain"]


@pytest.mark.parametrize("other", ["folders", "parquet"])
def test_a_folder_of_the_other_store(
    rejected: Any, tmp_path: Path, whole: Path, folders: Path, other: str
) -> None:
    output = folders if other == "folders" else whole
    store = {"folders": "parquet", "parquet": "folders"}[other]
    words = ("--store", store, "--executor", "here", "--output", output)
    message = rejected("campaign", grid({}, tmp_path), *words)
    assert f"its fits are stored as {other}" in message
    assert "--store, --output" in message


def test_unknown_stores(invoke: Any, tmp_path: Path) -> None:
    result = invoke("campaign", grid({}, tmp_path), "--store", "csv")
    assert result.exit_code == 2
    assert "'csv' is not one of 'folders', 'parquet'" in result.stderr
    with pytest.raises(UnknownName, match="unknown store 'csv'"):
        zpfit.campaign(GRID, store="csv", progress=False)


def test_other_inputs_are_refused(rejected: Any, tmp_path: Path) -> None:
    words = ("--store", "parquet", "--executor", "here", "--output", tmp_path / "out")
    in_columns(grid({"seeds": [1]}, tmp_path), tmp_path / "out")
    path = grid({"seeds": [1], "settings": SMALL | {"vegas.error": 0.04}}, tmp_path)
    message = rejected("campaign", path, *words)
    assert "tiny-plain: vegas.error was 0.05 and is 0.04" in message
    assert "--force" in message
    path = grid({"seeds": [1], "plots": True}, tmp_path)
    assert "plots: fits in columns have no plots" in rejected("campaign", path, *words)


def test_damaged_parts_are_named(rejected: Any, tmp_path: Path) -> None:
    path, output = grid({"seeds": [1]}, tmp_path), tmp_path / "out"
    in_columns(path, output)
    [part] = part_paths(output)
    part.write_bytes(part.read_bytes()[:-20])
    words = ("--store", "parquet", "--executor", "here", "--output", output)
    message = rejected("campaign", path, *words)
    assert "part-000001.parquet: cannot be read" in message
    assert "without it, the campaign repeats its fits" in message


def test_folders_without_a_campaign(tmp_path: Path) -> None:
    with pytest.raises(zpfit.ZpfitError, match="give the folder of a finished campaign"):
        zpfit.campaign_fits(tmp_path)
