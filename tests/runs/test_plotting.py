"""Test that a process beside a run draws its plots, and that the run does without it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from zpfit.errors import Stopped
from zpfit.runs.drawing import draw_run
from zpfit.runs.plotting import Plots, plots_of
from zpfit.runs.run_folder import PLOT_NAMES, RunFolder


class Process:
    """Stands for the process beside the run, and counts how often it is killed."""

    def __init__(self) -> None:
        self.kills = 0

    def kill(self) -> None:
        self.kills += 1

    def join(self) -> None:
        """End at once."""


@pytest.fixture
def folder(small_run: Path, tmp_path: Path) -> RunFolder:
    """Finished run without plots."""
    path = tmp_path / "run"
    shutil.copytree(small_run, path, ignore=shutil.ignore_patterns(*PLOT_NAMES))
    return RunFolder(path)


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> tuple[Process, Connection]:
    """Process beside the run, and its end of the connection to the run."""
    found, (ours, theirs) = Process(), Pipe()
    monkeypatch.setattr("zpfit.runs.plotting._gains", lambda: True)
    monkeypatch.setattr("zpfit.runs.plotting._started", lambda _: (found, ours))
    return found, theirs


def drawn(plots: Plots, folder: RunFolder) -> list[str]:
    """Draw plots as a run does; return what failed."""
    summary = folder.summary()
    plots.samples_written(summary["title"])
    plots.best_fit_found(summary["best_fit"]["parameters"])
    return plots.finish(lambda: None)


def is_ready(plots: Any) -> bool:
    """Wait until the other process has imported what it needs."""
    return plots._connection.poll(60)


def is_complete(folder: RunFolder) -> bool:
    return [path.name for path in folder.plots()] == list(PLOT_NAMES)


def test_a_run_draws_its_plots_if_the_other_process_has_ended(
    folder: RunFolder, process: tuple[Process, Connection]
):
    process[1].close()
    with plots_of(folder, beside=True) as plots:
        assert drawn(plots, folder) == []
    assert is_complete(folder)
    assert process[0].kills > 0


def test_a_short_run_does_not_wait_for_the_other_process(
    folder: RunFolder, process: tuple[Process, Connection]
):
    """It has not said that it is ready; it is killed before both write the same files."""
    killed = process[0].kill
    process[0].kill = lambda: (killed(), process[1].close())  # type: ignore[method-assign]
    with plots_of(folder, beside=True) as plots:
        assert drawn(plots, folder) == []
    assert is_complete(folder)


def test_a_run_draws_its_plots_if_no_process_can_start(
    folder: RunFolder, process: object, monkeypatch: pytest.MonkeyPatch
):
    def refused(_: Path) -> None:
        raise BlockingIOError

    monkeypatch.setattr("zpfit.runs.plotting._started", refused)
    with plots_of(folder, beside=True) as plots:
        assert drawn(plots, folder) == []
    assert is_complete(folder)


def test_a_stop_request_ends_the_other_process(
    folder: RunFolder, process: tuple[Process, Connection]
):
    found, theirs = process
    killed = found.kill
    found.kill = lambda: (killed(), theirs.close())  # type: ignore[method-assign]
    theirs.send(None)  # ready

    def stop() -> None:
        raise Stopped("SIGINT", signal.SIGINT)

    with pytest.raises(Stopped), plots_of(folder, beside=True) as plots:
        plots.finish(stop)
    assert found.kills == 1
    assert folder.plots() == []


def test_a_process_that_never_answers_is_given_up(
    folder: RunFolder, process: tuple[Process, Connection], monkeypatch: pytest.MonkeyPatch
):
    found, theirs = process
    killed = found.kill
    found.kill = lambda: (killed(), theirs.close())  # type: ignore[method-assign]
    theirs.send(None)  # ready
    monkeypatch.setattr("zpfit.runs.plotting._LONGEST", 0.0)
    with plots_of(folder, beside=True) as plots:
        assert drawn(plots, folder) == []
    assert is_complete(folder)


DAEMON = type("Daemon", (), {"daemon": True})


@pytest.mark.parametrize(
    ("where", "value"),
    [("cores", lambda: 1), ("current_process", DAEMON), ("matplotlib", None)],
    ids=["one core", "worker", "settings of the user"],
)
def test_no_process_starts_where_it_cannot_help(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch, where: str, value: object
):
    monkeypatch.setattr("zpfit.runs.plotting.cores", lambda: 2)
    monkeypatch.setattr("zpfit.runs.plotting._started", pytest.fail)
    if where != "matplotlib":
        monkeypatch.setattr(f"zpfit.runs.plotting.{where}", value)
        monkeypatch.delitem(sys.modules, "matplotlib")
    with plots_of(folder, beside=True):
        assert folder.plots() == []


@pytest.mark.slow
@pytest.mark.drawn
def test_both_ways_draw_the_same_files(folder: RunFolder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("zpfit.runs.plotting._gains", lambda: True)
    with plots_of(folder, beside=True) as plots:
        assert is_ready(plots)
        monkeypatch.setattr("zpfit.runs.drawing.draw_run", pytest.fail)
        assert drawn(plots, folder) == []
    monkeypatch.undo()
    found = {path.name: path.read_bytes() for path in folder.plots()}
    draw_run(folder)
    assert list(found) == list(PLOT_NAMES)
    assert found == {path.name: path.read_bytes() for path in folder.plots()}


@pytest.mark.slow
@pytest.mark.drawn
def test_a_plot_that_fails_beside_a_run_costs_only_itself(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
):
    summary = json.loads(folder.summary_path.read_text())
    summary["best_fit"]["terms"] = None
    folder.summary_path.write_text(json.dumps(summary))
    monkeypatch.setattr("zpfit.runs.plotting._gains", lambda: True)
    with plots_of(folder, beside=True) as plots:
        assert is_ready(plots)
        [problem] = drawn(plots, folder)
    assert problem.startswith("pulls plot failed: AttributeError")
    assert [path.name for path in folder.plots()] == ["corner.png", "corner.pdf", "trace.png"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_process_outlives_a_run_that_is_killed(folder: RunFolder, tmp_path: Path):
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, time\n"
        "from pathlib import Path\n"
        "from zpfit.runs.plotting import plots_of\n"
        "from zpfit.runs.run_folder import RunFolder\n"
        "with plots_of(RunFolder(Path(sys.argv[1])), beside=True) as plots:\n"
        "    print(plots._process.pid, flush=True)\n"
        "    time.sleep(60)\n",
        encoding="utf-8",
    )
    words = [sys.executable, str(script), str(folder.path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        other = int(run.stdout.readline())
        os.kill(other, 0)
        run.kill()
    end = time.monotonic() + 60
    while Path(f"/proc/{other}").exists():
        assert time.monotonic() < end
        time.sleep(0.01)
