"""Signals stop runs at a checkpoint, and a folder has only one process."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers_samplers import first_fast
from resuming import (
    PATIENCE,
    RUN,
    STAGES,
    Zpfit,
    assert_mentions,
    assert_same,
    assert_whole,
    at_evaluation,
    at_file,
    at_stage,
    contents,
    done,
    no_plots,
    resumed,
    run,
    sent,
    written,
    zpfit,
)

from zpfit.errors import FolderInUse
from zpfit.inference.progress import Silent
from zpfit.runs.checkpoint_files import CheckpointFiles
from zpfit.runs.execution import Start, carry_out, claimed
from zpfit.runs.run_file import load_run
from zpfit.runs.run_folder import RunFolder

# The tests compare plots of forked runs as well.
pytestmark = [pytest.mark.drawn, pytest.mark.usefixtures("small_batches")]


def test_a_second_process_is_refused(place: Path, plain: Path):
    paused, go = place / "paused", place / "go"

    def pause() -> None:
        paused.touch()
        while not go.exists():
            time.sleep(0.001)

    hooks = (no_plots, at_stage("Searching the best fit", pause))
    first = zpfit(place, *run(), hooks=hooks)
    first.wait_for(paused.exists)
    before = contents(place / "out")
    for options in ((), ("--resume",), ("--force",), ("--resume", "--seed", "4")):
        process = Zpfit(place, run(*options))
        assert process.ended() == 2
        assert_mentions(process.stderr, "out: another process is at work there")
        assert process.stdout == ""
    assert contents(place / "out") == before
    go.touch()
    assert first.ended() == 0
    assert_same(place, plain)


def test_the_lock_of_a_killed_process_is_free(place: Path, plain: Path):
    process = zpfit(place, *run())
    process.wait_for(lambda: process.phase == "Sampling the posterior")
    folder = RunFolder(place / "out")
    with pytest.raises(FolderInUse), folder.locked():
        pass
    process.kill()
    with folder.locked():
        pass
    resumed(place)
    assert_same(place, plain)


@pytest.mark.slow
def test_patience_waits_for_the_other(place: Path, workspace: Path):
    shutil.copyfile(place / "fit.yaml", "fit.yaml")
    loaded, folder = load_run(Path("fit.yaml")), RunFolder(workspace / "out")
    process = zpfit(workspace, *run(), hooks=(no_plots,))
    process.wait_for(lambda: process.phase != "starting")
    with claimed(loaded, folder, Start.CONTINUE, patience=PATIENCE) as claim:
        assert claim.finished
        assert carry_out(claim, Silent()).summary["model"] == "effective"
    assert process.ended() == 0


# Signals


def stopped(process: Zpfit, number: int) -> None:
    """Check that the process has stopped at a checkpoint because of that signal."""
    assert process.ended() == 128 + number, process.stderr
    name = signal.Signals(number).name
    assert_mentions(process.stderr, "stopping at the next checkpoint")
    assert_mentions(process.stderr.splitlines()[-1], f"stopped by {name}", "--resume")
    assert_mentions(process.log, f"stopped by {name}")
    assert "failed" not in process.log
    assert process.stdout == ""
    assert "Traceback" not in process.stderr
    assert "Exception" not in process.stderr
    assert RunFolder(process.place / "out").is_unfinished


@pytest.mark.slow
def test_a_signal_in_every_phase(place: Path, undisturbed: Path):
    """Stop one run in each of its phases, alternately by both signals."""
    words = run("--cross-check")
    for index, stage in enumerate(STAGES):
        number = (signal.SIGINT, signal.SIGTERM)[index % 2]
        stopped(zpfit(place, *words, hooks=(at_stage(stage, sent(number)),)), number)
        words = run("--cross-check", "--resume")
    for index, name in enumerate(("samples", "summary", "corner.pdf", "trace")):
        number = (signal.SIGTERM, signal.SIGINT)[index % 2]
        stopped(zpfit(place, *words, hooks=(at_file(1, sent(number), name),)), number)
    done(place, *words)
    assert_same(place, undisturbed)


@pytest.mark.parametrize("number", first_fast(signal.SIGINT, signal.SIGTERM))
def test_a_signal_from_outside(place: Path, plain: Path, number: int):
    process = zpfit(place, "run", "fit.yaml", "--output", "out")
    process.wait_for(lambda: process.phase == "Sampling the posterior")
    os.kill(process.process.pid, number)
    stopped(process, number)
    resumed(place)
    assert_same(place, plain)


@pytest.mark.parametrize(
    ("stage", "engine", "number"),
    [
        pytest.param("Adapting to the posterior", "emcee", signal.SIGINT, marks=pytest.mark.slow),
        ("Sampling the posterior", "emcee", signal.SIGTERM),
        pytest.param("Nested sampling", "dynesty", signal.SIGINT, marks=pytest.mark.slow),
        pytest.param("Searching the best fit", "emcee", signal.SIGTERM, marks=pytest.mark.slow),
    ],
)
def test_a_second_signal_stops_at_once(
    tmp_path: Path, plain: Path, stage: str, engine: str, number: int
):
    place = written(tmp_path / "place", RUN.replace("emcee", engine))
    twice = at_evaluation(stage, 3, sent(number, number))
    process = zpfit(place, *run(), hooks=(twice,))
    stopped(process, number)
    resumed(place)
    if engine == "emcee":
        assert_same(place, plain)


def test_a_second_signal_while_a_file_is_written(place: Path, plain: Path):
    twice = at_file(1, sent(signal.SIGTERM, signal.SIGINT), "weighted")
    stopped(zpfit(place, *run(), hooks=(twice,)), signal.SIGINT)
    assert_whole(place / "out")
    resumed(place)
    assert_same(place, plain)


@pytest.mark.slow
def test_a_signal_while_kept_values_are_checked(place: Path, plain: Path):
    at = at_stage("Searching the best fit", sent(signal.SIGKILL))
    assert zpfit(place, *run(), hooks=(at,)).ended() == -signal.SIGKILL

    def hook() -> None:
        points = CheckpointFiles.points

        def slow(self: CheckpointFiles) -> Iterator[Any]:
            sent(signal.SIGTERM)()
            yield from points(self)

        pytest.MonkeyPatch().setattr(CheckpointFiles, "points", slow)

    stopped(zpfit(place, *run("--resume"), hooks=(hook,)), signal.SIGTERM)
    resumed(place)
    assert_same(place, plain)


def test_handlers_are_as_before_after_a_run(workspace: Path):
    (workspace / "fit.yaml").write_text(RUN)
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with claimed(load_run(Path("fit.yaml")), RunFolder(workspace / "out"), Start.NEW) as claim:
        carry_out(claim, Silent(), plots=False)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
