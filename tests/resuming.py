"""Runs in forked processes that tests kill, stop and resume."""

import json
import multiprocessing
import os
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from helpers_samplers import always, use_small_batches

from zpfit.analysis.fit import FitOptions, sample
from zpfit.cli import main
from zpfit.cli.progress import RunReporter
from zpfit.inference.posterior import Posterior
from zpfit.inference.progress import Silent
from zpfit.inference.samplers.emcee_chains import ChainOptions, run_chains
from zpfit.inference.search.best_fit import SearchOptions, best_fit, starting_points
from zpfit.io.places import packaged_data
from zpfit.runs.execution import Start, carry_out, claimed
from zpfit.runs.run_file import load_run
from zpfit.runs.run_folder import RunFolder
from zpfit.runs.samples import load

Hook = Callable[[], object]
Command = Callable[..., str]

RUN = """\
model: effective
likelihood: {add: [a_mu_2021, kloe_2015]}
priors:
  parameters:
    m_Zp: {type: uniform, lower: 5, upper: 50}
    C_Vmu: {type: signed_log_uniform, lower: 1e-6, upper: 1e-2}
    C_Ve: 1e-5
    C_Ae: 0
    C_nue: 0
    C_Amu: 0
    C_numu: 0
    C_Vtau: 0
sampler: {engine: emcee, walkers: 8, max_steps: 40, target_ess: 10}
vegas: {error: 0.2}
dynesty: {live_points: 50, tolerance: 0.5}
best_fit: {starts: 10}
"""
OWN = """\
title: All of it my own
model: {python: "mine.py:mine"}
likelihood: {add: [mine, my_limit]}
priors:
  parameters:
    m_Zp: {type: uniform, lower: 5, upper: 50}
    g: {type: log_uniform, lower: 1e-5, upper: 1e-2}
sampler: {walkers: 8, max_steps: 40, target_ess: 10}
vegas: {error: 0.2}
best_fit: {starts: 10}
"""
MODEL = "def mine(m_Zp, g):\n    return {'C_Vmu': g, 'C_Ve': 1e-2 * g}\n"
LIMIT = "# mass lower\n1e-2 1e-2\n4e-2 4e-2\n"
STAGES = (
    "Adapting to the posterior",
    "Searching peaks",
    "Integrating the evidence",
    "Sampling the posterior",
    "Nested sampling",
    "Searching the best fit",
    "Drawing the plots",
)
KLOE = packaged_data() / "likelihoods/entries/kloe_2015.csv"
OFTEN = ("--checkpoint-every", "0")
PATIENCE = 300.0
"""Timeout of a test, in seconds."""


def assert_mentions(message: str, *words: object) -> None:
    for word in words:
        assert str(word) in message, message


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@contextmanager
def small_batches() -> Iterator[None]:
    """Patch the batch sizes; forked processes inherit this."""
    with pytest.MonkeyPatch.context() as patch:
        small = partial(sample, options=FitOptions(prior_draws=1_000, stored_samples=2_000))
        patch.setattr("zpfit.runs.execution.sample", small)
        use_small_batches(patch, 5_000, 10_000)
        search = always(best_fit, options=SearchOptions(kept=5, descent_steps=10, quiet_rounds=3))
        patch.setattr("zpfit.analysis.fit.best_fit", search)
        few = partial(starting_points, likeliest=10)
        patch.setattr("zpfit.analysis.fit.starting_points", few)
        few_kept = partial(run_chains, options=ChainOptions(kept_at_once=10))
        patch.setattr("zpfit.inference.samplers.emcee_chains.run_chains", few_kept)
        yield


def import_everything(folder: Path) -> None:
    """Run once in this process, so that forked processes find every module imported."""
    with pytest.MonkeyPatch.context() as patch, small_batches():
        patch.chdir(folder)
        Path("fit.yaml").write_text(RUN)
        with claimed(load_run(Path("fit.yaml")), RunFolder(Path("out")), Start.NEW) as claim:
            fingerprint = claim.fingerprint | {"cross_check": True}
            carry_out(replace(claim, fingerprint=fingerprint), Silent())


# Processes


@dataclass
class Zpfit:
    """The command line in a process forked from this one, which has imported every module."""

    place: Path
    words: tuple[str, ...]
    hooks: tuple[Hook, ...] = ()
    code: int | None = None
    log_before: int = 0
    process: Any = field(init=False)

    def __post_init__(self) -> None:
        log = self.place / "out/log.txt"
        self.log_before = log.stat().st_size if log.exists() else 0
        self.process = multiprocessing.get_context("fork").Process(target=self._child)
        self.process.start()

    def _child(self) -> NoReturn:
        code: Any = 99
        try:
            for number, name in ((1, "stdout"), (2, "stderr")):
                file = os.open(self._file(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
                os.dup2(file, number)
                setattr(sys, name, os.fdopen(number, "w", closefd=False))
            os.chdir(self.place)
            sys.argv = ["zpfit", *self.words]
            for hook in self.hooks:
                hook()
            main()
        except SystemExit as end:
            code = end.code
        except BaseException:  # noqa: BLE001 - to be seen by the test
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code or 0)

    def _file(self, name: str) -> Path:
        return self.place.with_name(f"{self.place.name}.{name}")

    @property
    def stdout(self) -> str:
        return self._file("stdout").read_text()

    @property
    def stderr(self) -> str:
        return self._file("stderr").read_text()

    def ended(self, within: float = PATIENCE) -> int:
        """Wait for the end; return the exit code, or minus the number of the killing signal."""
        self.process.join(within)
        if self.process.exitcode is None:
            self.kill()
            raise AssertionError(f"still at work after {within} s: {self.stderr}")
        return self.process.exitcode

    def kill(self) -> None:
        self.process.kill()
        self.process.join()

    @property
    def log(self) -> str:
        """Lines of the log that this process has written."""
        log = self.place / "out/log.txt"
        return log.read_bytes()[self.log_before :].decode() if log.exists() else ""

    @property
    def phase(self) -> str:
        """The last stage that the log names."""
        lines = [line.split(" s  ", 1)[-1] for line in self.log.splitlines()]
        return next((line for line in reversed(lines) if line in STAGES), "starting")

    def wait_for(self, what: Callable[[], object]) -> None:
        end = time.monotonic() + PATIENCE
        while not what():
            assert time.monotonic() < end, self.log
            assert self.process.exitcode is None, self.stderr
            time.sleep(0.0005)


def zpfit(place: Path, *words: str | Path, hooks: tuple[Hook, ...] = ()) -> Zpfit:
    return Zpfit(place, tuple(map(str, words)), hooks)


def done(place: Path, *words: str | Path, hooks: tuple[Hook, ...] = ()) -> Zpfit:
    """Run to the end, and check that it succeeds."""
    process = zpfit(place, *words, hooks=hooks)
    assert process.ended() == 0, process.stderr
    return process


def refused(place: Path, *words: str | Path, hooks: tuple[Hook, ...] = ()) -> str:
    """Run a command that must be refused, and return the message."""
    process = zpfit(place, *words, hooks=hooks)
    assert process.ended() == 2, process.stderr
    assert process.stdout == ""
    assert "Traceback" not in process.stderr
    return process.stderr


def run(*options: str) -> tuple[str, ...]:
    return ("run", "fit.yaml", "--output", "out", *OFTEN, *options)


# Hooks: functions that run in such a process before the command


def no_plots() -> None:
    """Leave out the plots, which take half of the time."""
    pytest.MonkeyPatch().setattr("zpfit.runs.drawing.draw_run", lambda *_: [])


def at_stage(title: str, act: Callable[[], object]) -> Hook:
    def hook() -> None:
        stage = RunReporter.stage

        def reported(self: RunReporter, text: str) -> None:
            stage(self, text)
            if text == title:
                act()

        pytest.MonkeyPatch().setattr(RunReporter, "stage", reported)

    return hook


def at_file(number: int, act: Callable[[], object], name: str = "", *, after: bool = False) -> Hook:
    """Act at the ``number``-th renaming of a file whose name begins with ``name``."""

    def hook() -> None:
        replace, left = Path.replace, [number]

        def replaced(self: Path, target: Path) -> Path:
            hit = Path(target).name.startswith(name)
            left[0] -= hit
            if hit and left[0] == 0 and not after:
                act()
            result = replace(self, target)
            if hit and left[0] == 0 and after:
                act()
            return result

        pytest.MonkeyPatch().setattr(Path, "replace", replaced)

    return hook


def at_evaluation(stage: str, number: int, act: Callable[[], object]) -> Hook:
    """Act in the ``number``-th call of the likelihood in a stage."""

    def begin() -> None:
        log_likelihood, left = Posterior.log_likelihood, [number]

        def evaluated(self: Posterior, u: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                act()
            return log_likelihood(self, u)

        pytest.MonkeyPatch().setattr(Posterior, "log_likelihood", evaluated)

    return at_stage(stage, begin)


def sent(*numbers: int) -> Callable[[], None]:
    def send() -> None:
        for number in numbers:
            os.kill(os.getpid(), number)

    return send


# Comparing folders


def results(folder: Path) -> dict[str, Any]:
    """Return all content of a run folder except the wall time."""
    summary = json.loads((folder / "summary.json").read_text())
    del summary["wall_time_s"]
    found: dict[str, Any] = {"summary": json.dumps(summary)}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if name.endswith(".nc"):
            stored = load(path)
            found[name] = [
                (key, array.shape, array.tobytes()) for key, array in stored.values.items()
            ]
            found[name] += [stored.log_likelihood.tobytes(), stored.attributes]
            if stored.log_weight is not None:
                found[name].append(stored.log_weight.tobytes())
        elif path.is_file() and name not in {"summary.json", "log.txt"}:
            found[name] = path.read_bytes()
    return found


def assert_same(place: Path, expected: Path) -> None:
    """Compare a resumed run with an uninterrupted one."""
    found, wanted = results(place / "out"), results(expected / "out")
    assert list(found) == list(wanted)
    for name, value in wanted.items():
        assert found[name] == value, name


def assert_whole(folder: Path) -> None:
    """Check that every file with its final name is complete."""
    for path in folder.rglob("*"):
        if path.name.startswith(".partial") or not path.is_file():
            continue
        if path.suffix == ".json":
            json.loads(path.read_text())
        elif path.suffix == ".nc":
            load(path)
        elif path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as file:
                assert all(file[name] is not None for name in file.files)
        elif path.suffix == ".png":
            assert path.read_bytes().endswith(b"IEND\xaeB`\x82")
        elif path.suffix == ".csv":
            assert path.read_bytes() == KLOE.read_bytes()


def written(place: Path, text: str = RUN) -> Path:
    place.mkdir()
    (place / "fit.yaml").write_text(text)
    return place


def resumed(place: Path, *options: str) -> None:
    done(place, *run("--resume", *options), hooks=(no_plots,))


def begun(place: Path) -> bool:
    """Return whether there is a folder to resume."""
    return (place / "out/.zpfit-run").exists()


def own_files(place: Path) -> None:
    """Write a user's own model, entry, curve and limit file."""
    entries = place / "likelihoods/entries"
    entries.mkdir(parents=True)
    packaged = packaged_data() / "likelihoods/entries"
    (entries / "mine.yaml").write_text((packaged / "a_mu_2021.yaml").read_text())
    text = (packaged / "kloe_2015.yaml").read_text().replace("kloe_2015.csv", "my_limit.csv")
    (entries / "my_limit.yaml").write_text(text)
    shutil.copyfile(packaged / "kloe_2015.csv", entries / "my_limit.csv")
    (place / "mine.py").write_text(MODEL)
    (place / "prompt.lmt").write_text(LIMIT)


def checkpoint_files(place: Path) -> list[Path]:
    return sorted((place / "out/.unfinished/checkpoints").glob("*.npz"))
