"""Killed runs give the same digits when they are resumed."""

import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers_samplers import first_fast
from resuming import (
    OFTEN,
    OWN,
    RUN,
    STAGES,
    Hook,
    assert_same,
    assert_whole,
    at_file,
    at_stage,
    begun,
    contents,
    done,
    no_plots,
    own_files,
    resumed,
    run,
    sent,
    written,
    zpfit,
)

from zpfit.runs.run_folder import RunFolder

# The tests compare plots of forked runs as well.
pytestmark = [pytest.mark.drawn, pytest.mark.usefixtures("small_batches")]

TESTS = Path(__file__).parents[1]


def killed_often(place: Path, undisturbed: Path, kills: int, seed: int) -> list[str]:
    """Kill at random moments, resume and kill again; start a new run whenever one is finished."""
    rng, phases = random.Random(seed), []  # noqa: S311 - moments, not secrets
    began = time.monotonic()
    done(place, *run("--cross-check"))
    duration = time.monotonic() - began
    shutil.rmtree(place / "out")
    while len(phases) < kills:
        print(phases[-1:])  # noqa: T201 - where it was hit
        process = zpfit(place, *run("--cross-check", *(["--resume"] if begun(place) else [])))
        process.process.join(duration * rng.random() ** 2)  # plots take half of it
        if process.process.exitcode is None:
            process.kill()
            phases.append(process.phase)
        else:
            assert process.ended() == 0, process.stderr
            assert_same(place, undisturbed)
            shutil.rmtree(place / "out")
    done(place, *run("--cross-check", *(["--resume"] if begun(place) else [])))
    assert_same(place, undisturbed)
    return phases


def killed_in_every_phase(place: Path, undisturbed: Path, phases: list[str]) -> None:
    """Kill in each stage that the random moments have missed."""
    shutil.rmtree(place / "out", ignore_errors=True)
    for stage in STAGES:
        if stage in phases:
            continue
        process = zpfit(place, *run("--cross-check", *(["--resume"] if begun(place) else [])))
        process.wait_for(lambda stage=stage, process=process: stage in process.log)
        process.kill()
    if begun(place):
        done(place, *run("--cross-check", "--resume"))
        assert_same(place, undisturbed)


@pytest.mark.slow
def test_kills_at_random_moments_and_in_every_phase(place: Path, undisturbed: Path):
    phases = killed_often(place, undisturbed, 4, seed=1)
    killed_in_every_phase(place, undisturbed, phases)


def test_one_kill_in_every_phase(place: Path, plain: Path):
    """Run without cross-check and plots; kill it, resume it, and kill it again in the next
    phase."""
    words = run()
    for stage in STAGES:
        if stage in ("Nested sampling", "Drawing the plots"):
            continue
        at = at_stage(stage, sent(signal.SIGKILL))
        assert zpfit(place, *words, hooks=(at,)).ended() == -signal.SIGKILL
        words = run("--resume")
    resumed(place)
    assert_same(place, plain)


@pytest.mark.slow
def test_thirty_kills(place: Path, undisturbed: Path):
    phases = killed_often(place, undisturbed, 30, seed=2)
    killed_in_every_phase(place, undisturbed, phases)


def killed_at_file(
    place: Path, expected: Path, number: int, hooks: tuple[Hook, ...] = (), *, after: bool
) -> bool:
    """Kill a run beside its ``number``-th file; return whether there are so many files."""
    shutil.rmtree(place / "out", ignore_errors=True)
    at = at_file(number, sent(signal.SIGKILL), after=after)
    code = zpfit(place, *run(), hooks=(*hooks, at)).ended()
    if code == 0:
        return False
    assert code == -signal.SIGKILL
    assert_whole(place / "out")
    done(place, *run("--resume"), hooks=hooks)
    assert_same(place, expected)
    return True


@pytest.mark.parametrize(("name", "after"), first_fast(("summary", True), ("samples", False)))
def test_kill_while_results_are_written(place: Path, plain: Path, name: str, *, after: bool):
    at = at_file(1, sent(signal.SIGKILL), name, after=after)
    assert zpfit(place, *run(), hooks=(no_plots, at)).ended() == -signal.SIGKILL
    resumed(place)
    assert_same(place, plain)


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True])
def test_kill_beside_every_file(place: Path, plain: Path, *, after: bool):
    number = 1
    while killed_at_file(place, plain, number, (no_plots,), after=after):
        number += 1
    assert number > 10


@pytest.mark.slow
def test_kill_before_anything_is_kept(place: Path, plain: Path):
    at = at_file(1, sent(signal.SIGKILL))
    assert zpfit(place, *run(), hooks=(at,)).ended() == -signal.SIGKILL
    assert not RunFolder(place / "out").is_unfinished
    resumed(place)
    assert_same(place, plain)


@pytest.mark.slow
def test_kill_while_it_tidies_up(place: Path, plain: Path):
    def hook() -> None:
        pytest.MonkeyPatch().setattr("shutil.rmtree", lambda _: sent(signal.SIGKILL)())

    assert zpfit(place, *run(), hooks=(no_plots, hook)).ended() == -signal.SIGKILL
    assert RunFolder(place / "out").is_finished
    assert "Nothing to do" in done(place, *run("--resume")).stderr
    assert_same(place, plain)


@pytest.mark.slow
def test_a_new_process_resumes_to_the_same_numbers(tmp_path: Path):
    """The process is not forked, so it shares no state with this one, such as the hash seed."""
    one, other = written(tmp_path / "one"), written(tmp_path / "other")
    settings = ["--set", "best_fit.starts=11"]
    snippet = (
        f"import sys; sys.path.insert(0, {str(TESTS)!r})\n"
        "import zpfit.runs.drawing\n"
        "from resuming import small_batches\n"
        "zpfit.runs.drawing.draw_run = lambda *_: []\n"
        "from zpfit.cli import main\n"
        "with small_batches():\n"
        "    main()\n"
    )
    done(one, *run(*settings), hooks=(no_plots,))
    at = at_stage("Searching the best fit", sent(signal.SIGKILL))
    assert zpfit(other, *run(*settings), hooks=(at,)).ended() == -signal.SIGKILL
    words = [sys.executable, "-c", snippet, *run(*settings, "--resume")]
    ended = subprocess.run(
        words, cwd=other, capture_output=True, text=True, timeout=300, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert_same(other, one)


CASES = {
    "emcee": (RUN, ()),
    "vegas": (RUN.replace("emcee", "vegas"), ("--cross-check",)),
    "dynesty": (RUN.replace("emcee", "dynesty"), ()),
    "own": (OWN, ("--limit", "prompt.lmt")),
}


@pytest.mark.parametrize(
    "case",
    [
        pytest.param("emcee", marks=pytest.mark.slow),
        pytest.param("vegas", marks=pytest.mark.slow),
        pytest.param("dynesty", marks=pytest.mark.slow),
        pytest.param("own", marks=pytest.mark.slow),
    ],
)
def test_file_and_folder_resume_alike(tmp_path: Path, case: str):
    text, options = CASES[case]
    places = [written(tmp_path / name, text) for name in ("whole", "file", "folder")]
    for place in places:
        own_files(place)
    whole, file, folder = places
    done(whole, *run(*options), hooks=(no_plots,))
    first = {"dynesty": "Nested sampling"}.get(case, "Integrating the evidence")
    for place in (file, folder):
        at = at_stage(first, sent(signal.SIGKILL))
        assert zpfit(place, *run(*options), hooks=(at,)).ended() == -signal.SIGKILL
    at = at_stage("Searching the best fit", sent(signal.SIGKILL))
    process = zpfit(file, *run("--resume", *options), hooks=(at,))
    assert process.ended() == -signal.SIGKILL
    done(file, *run("--resume", *options), hooks=(no_plots,))
    assert_same(file, whole)
    for name in ("likelihoods", "mine.py", "prompt.lmt", "fit.yaml"):
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    check = [word for word in options if word == "--cross-check"]
    done(folder, "run", "out", "--resume", *check, *OFTEN, hooks=(no_plots,))
    assert_same(folder, whole)
    before = contents(folder)
    done(folder, "run", "out", "--resume", *check)
    assert contents(folder) == before
