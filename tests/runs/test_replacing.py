"""Test replaced and failed runs."""

import json
import signal
from pathlib import Path

import pytest
from resuming import (
    RUN,
    Command,
    assert_mentions,
    assert_same,
    at_file,
    at_stage,
    contents,
    done,
    no_plots,
    refused,
    resumed,
    run,
    sent,
    written,
    zpfit,
)

from zpfit.analysis.compare import NO_ZPRIME, Comparison
from zpfit.runs.run_folder import RunFolder

# The tests compare plots of forked runs as well.
pytestmark = [pytest.mark.drawn, pytest.mark.usefixtures("small_batches")]


def test_force_keeps_the_earlier_run_until_there_is_another(place: Path, plain: Path):
    done(place, *run("--seed", "7"), hooks=(no_plots,))
    earlier = contents(place / "out")
    del earlier["log.txt"]
    at = at_stage("Sampling the posterior", sent(signal.SIGKILL))
    assert zpfit(place, *run("--force"), hooks=(at,)).ended() == -signal.SIGKILL
    now = contents(place / "out")
    assert {name: now[name] for name in earlier} == earlier
    assert json.loads((place / "out/summary.json").read_text())["seed"] == 7
    assert_mentions(refused(place, *run("--resume", "--seed", "7")), "seed was 1 and is 7")
    resumed(place)
    assert_same(place, plain)


@pytest.mark.slow
def test_force_over_an_unfinished_run_starts_again(place: Path, plain: Path):
    at = at_stage("Searching the best fit", sent(signal.SIGKILL))
    assert zpfit(place, *run("--seed", "7"), hooks=(at,)).ended() == -signal.SIGKILL
    message = refused(place, *run("--seed", "7"))
    assert_mentions(message, "out: holds an unfinished run", "--resume", "--force")
    assert_mentions(refused(place, *run()), "out: holds an unfinished run")
    process = done(place, *run("--force"), hooks=(no_plots,))
    assert "Resuming" not in process.log
    assert_same(place, plain)


@pytest.mark.slow
def test_nothing_of_a_killed_run_is_left_after_another(place: Path, tmp_path: Path):
    other = written(tmp_path / "other")
    at = at_file(1, sent(signal.SIGKILL), "nested_dead")
    process = zpfit(place, *run("--cross-check"), hooks=(at,))
    assert process.ended() == -signal.SIGKILL
    assert list((place / "out").glob(".partial*"))
    done(place, *run("--force"), hooks=(no_plots,))
    done(other, *run(), hooks=(no_plots,))
    assert_same(place, other)


FAILING = RUN.replace("lower: 5, upper: 50", "lower: 1e-3, upper: 1e-2").replace(
    "add: [", "add: [bbn_2020, "
)


def test_a_failed_run_leaves_nothing_to_resume(rejected: Command, workspace: Path):
    (workspace / "fit.yaml").write_text(FAILING)
    for _ in range(2):
        message = rejected(*run())
        assert_mentions(message, "the likelihood allows none of")
        folder = RunFolder(workspace / "out")
        assert not folder.is_unfinished
        assert not folder.unfinished.path.exists()
    assert_mentions(
        (workspace / "out/log.txt").read_text(), "failed: the likelihood allows none of"
    )


def test_a_killed_comparison_resumes(place: Path):
    """A comparison resumes without an option."""
    words = ("compare", "fit.yaml", "--output", "table")

    def killed(*_: object, **__: object) -> None:
        sent(signal.SIGKILL)()

    def hook() -> None:
        pytest.MonkeyPatch().setattr("zpfit.analysis.fit.best_fit", killed)

    def no_rows() -> None:
        pytest.MonkeyPatch().setattr(
            "zpfit.runs.comparison.compare", lambda *_: Comparison((), NO_ZPRIME, ())
        )

    assert zpfit(place, *words, hooks=(hook,)).ended() == -signal.SIGKILL
    folder = RunFolder(place / "table/runs/fit")
    assert folder.is_unfinished
    assert_mentions(done(place, *words, hooks=(no_plots, no_rows)).stderr, "Resuming")
    assert folder.is_finished
    before = contents(place / "table")
    message = refused(place, *words)
    assert_mentions(message, "table")
    assert contents(place / "table") == before
