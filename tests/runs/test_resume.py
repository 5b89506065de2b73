"""Runs survive: kills, signals, full disks and second processes cost time and never a digit."""

import json
import multiprocessing
import os
import pickle
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from helpers_samplers import use_small_batches

from zpfit.cli import main
from zpfit.cli.tables import RunReporter
from zpfit.errors import DamagedCheckpoint, FolderInUse, UnsafeCheckpoint
from zpfit.inference.checkpoint import State
from zpfit.inference.posterior import Posterior
from zpfit.inference.progress import SILENT, Silent
from zpfit.inference.samplers.dynesty import nested_sampling
from zpfit.inference.samplers.dynesty_state import frozen, revived
from zpfit.inference.samplers.emcee_chains import ChainOptions, run_chains
from zpfit.inference.samplers.importance import Target, integrate
from zpfit.inference.samplers.proposal_map import MixtureMap
from zpfit.inference.samplers.vegas_map import MapOptions, adapt_map
from zpfit.inference.search.best_fit import (
    SearchOptions,
    best_fit,
    find_minimum,
    starting_points,
)
from zpfit.io.places import packaged_data
from zpfit.runs.checkpoint_files import CheckpointFiles, _write
from zpfit.runs.execution import Start, carry_out, claimed
from zpfit.runs.fingerprint import fingerprint, first_difference
from zpfit.runs.run_file import load_run
from zpfit.runs.run_folder import RunFolder
from zpfit.runs.samples import load

pytestmark = pytest.mark.drawn  # plots of runs in processes of their own are compared as well

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
    "Integrating the evidence",
    "Sampling the posterior",
    "Nested sampling",
    "Searching the best fit",
    "Drawing the plots",
)
SMALL = {
    "zpfit.analysis.fit._PRIOR_DRAWS": 1_000,
    "zpfit.analysis.summary._MAX_STORED": 2_000,
}
"""What takes time, made so small that a run takes a second with every phase in it."""
MAPS, CHAINS = MapOptions(batch=5_000), ChainOptions(kept_at_once=10)
SEARCH = SearchOptions(kept=5, descent_steps=10)
KLOE = packaged_data() / "likelihoods/entries/kloe_2015.csv"
OFTEN = ("--checkpoint-every", "0")
PATIENCE = 60.0
NOBODY = 65534


def assert_mentions(message: str, *words: object) -> None:
    for word in words:
        assert str(word) in message, message


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module", autouse=True)
def small_batches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Forked processes inherit this, and what is imported."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SMALL.items():
            patch.setattr(name, value)
        use_small_batches(patch, 5_000, 10_000)
        patch.setattr("zpfit.analysis.fit.best_fit", partial(best_fit, options=SEARCH))
        few = partial(starting_points, likeliest=10)
        patch.setattr("zpfit.analysis.fit.starting_points", few)
        few_kept = partial(run_chains, options=CHAINS)
        patch.setattr("zpfit.inference.samplers.emcee_chains.run_chains", few_kept)
        patch.chdir(tmp_path_factory.mktemp("warm"))
        Path("fit.yaml").write_text(RUN)
        with claimed(load_run(Path("fit.yaml")), RunFolder(Path("out")), Start.NEW) as claim:
            # Once here, so that everything is imported.
            carry_out(
                replace(claim, fingerprint=claim.fingerprint | {"cross_check": True}), Silent()
            )
        yield


# Processes


@dataclass
class Zpfit:
    """The command line in a process forked from this one, which has everything imported."""

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
        """Its exit code, negative the signal that killed it."""
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
        """What this process has said."""
        log = self.place / "out/log.txt"
        return log.read_bytes()[self.log_before :].decode() if log.exists() else ""

    @property
    def phase(self) -> str:
        """The one it has last told of."""
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
    """Run to the end, which must be a good one."""
    process = zpfit(place, *words, hooks=hooks)
    assert process.ended() == 0, process.stderr
    return process


def refused(place: Path, *words: str | Path, hooks: tuple[Hook, ...] = ()) -> str:
    """Run what must be refused; returns the message."""
    process = zpfit(place, *words, hooks=hooks)
    assert process.ended() == 2, process.stderr
    assert process.stdout == ""
    assert "Traceback" not in process.stderr
    return process.stderr


def run(*options: str) -> tuple[str, ...]:
    return ("run", "fit.yaml", "--output", "out", *OFTEN, *options)


# What happens in such a process


def no_plots() -> None:
    """They take half of the time."""
    pytest.MonkeyPatch().setattr("zpfit.runs.execution.draw_run", lambda *_: [])


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
    """When a file whose name begins with ``name`` is about to get it, for that many-th time."""

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
    """In the midst of the likelihood's so many-th call of a stage."""

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


# What must be the same


def results(folder: Path) -> dict[str, Any]:
    """Every number and word that a run leaves behind but how long it took."""
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
    """A run, resumed however often, and an uninterrupted one."""
    found, wanted = results(place / "out"), results(expected / "out")
    assert list(found) == list(wanted)
    for name, value in wanted.items():
        assert found[name] == value, name


def assert_whole(folder: Path) -> None:
    """No file has its name before it is complete."""
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


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the run file."""
    return written(tmp_path / "place")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the run was not interrupted; for reading only."""
    place = written(tmp_path_factory.mktemp("whole") / "place")
    done(place, *run("--cross-check"))
    return place


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same without cross-check and plots, which takes half the time."""
    place = written(tmp_path_factory.mktemp("plain") / "place")
    done(place, *run(), hooks=(no_plots,))
    return place


def resumed(place: Path, *options: str) -> None:
    done(place, *run("--resume", *options), hooks=(no_plots,))


# Kills


def begun(place: Path) -> bool:
    """Whether there is a folder to resume."""
    return (place / "out/.zpfit-run").exists()


def killed_often(place: Path, whole: Path, kills: int, seed: int) -> list[str]:
    """Kill at random moments, resume, kill again; a new run whenever one has come to its end."""
    rng, phases = random.Random(seed), []  # noqa: S311 - moments, not secrets
    began = time.monotonic()
    done(place, *run("--cross-check"))
    duration = time.monotonic() - began
    shutil.rmtree(place / "out")
    while len(phases) < kills:
        print(phases[-1:])  # noqa: T201 - where it was hit
        process = zpfit(place, *run("--cross-check", *(["--resume"] if begun(place) else [])))
        process.process.join(duration * rng.random() ** 2)  # as plots take half of the time
        if process.process.exitcode is None:
            process.kill()
            phases.append(process.phase)
        else:
            assert process.ended() == 0, process.stderr
            assert_same(place, whole)
            shutil.rmtree(place / "out")
    done(place, *run("--cross-check", *(["--resume"] if begun(place) else [])))
    assert_same(place, whole)
    return phases


def killed_in_every_phase(place: Path, whole: Path, phases: list[str]) -> None:
    """As far as the random moments have left some out."""
    shutil.rmtree(place / "out", ignore_errors=True)
    for stage in STAGES:
        if stage in phases:
            continue
        process = zpfit(place, *run("--cross-check", *(["--resume"] if begun(place) else [])))
        process.wait_for(lambda stage=stage, process=process: stage in process.log)
        process.kill()
    if begun(place):
        done(place, *run("--cross-check", "--resume"))
        assert_same(place, whole)


def test_kills_at_random_moments_and_in_every_phase(place: Path, whole: Path):
    phases = killed_often(place, whole, 4, seed=1)
    killed_in_every_phase(place, whole, phases)


@pytest.mark.slow
def test_thirty_kills(place: Path, whole: Path):
    phases = killed_often(place, whole, 30, seed=2)
    killed_in_every_phase(place, whole, phases)


def killed_at_file(
    place: Path, expected: Path, number: int, hooks: tuple[Hook, ...] = (), *, after: bool
) -> bool:
    """Kill a run beside one of its files; returns whether it has so many."""
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


@pytest.mark.parametrize(("name", "after"), [("samples", False), ("summary", True)])
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


def test_kill_before_anything_is_kept(place: Path, plain: Path):
    at = at_file(1, sent(signal.SIGKILL))
    assert zpfit(place, *run(), hooks=(at,)).ended() == -signal.SIGKILL
    assert not RunFolder(place / "out").is_unfinished
    resumed(place)
    assert_same(place, plain)


def test_kill_while_it_tidies_up(place: Path, plain: Path):
    def hook() -> None:
        pytest.MonkeyPatch().setattr("shutil.rmtree", lambda _: sent(signal.SIGKILL)())

    assert zpfit(place, *run(), hooks=(no_plots, hook)).ended() == -signal.SIGKILL
    assert RunFolder(place / "out").is_finished
    assert "Nothing to do" in done(place, *run("--resume")).stderr
    assert_same(place, plain)


@pytest.mark.slow
def test_a_new_process_goes_on_to_the_same_numbers(tmp_path: Path):
    """Not forked, so that nothing of this one, a hash seed say, is in it."""
    one, other = written(tmp_path / "one"), written(tmp_path / "other")
    settings = ["--set", "best_fit.starts=11"]
    snippet = (
        "import importlib, zpfit.runs.execution\n"
        f"for path, value in {SMALL!r}.items():\n"
        "    module, _, name = path.rpartition('.')\n"
        "    setattr(importlib.import_module(module), name, value)\n"
        "zpfit.runs.execution.draw_run = lambda *_: []\n"
        "from zpfit.cli import main\n"
        "main()\n"
    )
    done(one, *run(*settings), hooks=(no_plots,))
    at = at_stage("Searching the best fit", sent(signal.SIGKILL))
    assert zpfit(other, *run(*settings), hooks=(at,)).ended() == -signal.SIGKILL
    words = [sys.executable, "-c", snippet, *run(*settings, "--resume")]
    subprocess.run(words, cwd=other, check=True, capture_output=True, timeout=300)
    assert_same(other, one)


def own_files(place: Path) -> None:
    """A model, an entry, its curve and a limit file, all of the user's own."""
    entries = place / "likelihoods/entries"
    entries.mkdir(parents=True)
    packaged = packaged_data() / "likelihoods/entries"
    (entries / "mine.yaml").write_text((packaged / "a_mu_2021.yaml").read_text())
    text = (packaged / "kloe_2015.yaml").read_text().replace("kloe_2015.csv", "my_limit.csv")
    (entries / "my_limit.yaml").write_text(text)
    shutil.copyfile(packaged / "kloe_2015.csv", entries / "my_limit.csv")
    (place / "mine.py").write_text(MODEL)
    (place / "prompt.lmt").write_text(LIMIT)


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
        "dynesty",
        "own",
    ],
)
def test_file_and_folder_go_on_alike(tmp_path: Path, case: str):
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


# The fingerprint


@pytest.fixture(scope="module")
def halfway(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of things of the user's own, killed while it samples; for reading only."""
    place = written(tmp_path_factory.mktemp("halfway") / "place", OWN)
    own_files(place)
    at = at_stage("Searching the best fit", sent(signal.SIGKILL))
    assert zpfit(place, *run(), hooks=(at,)).ended() == -signal.SIGKILL
    return place


@pytest.fixture
def own(halfway: Path, workspace: Path) -> Path:
    """A copy of it to change, which is the current folder."""
    shutil.copytree(halfway, workspace, dirs_exist_ok=True)
    return workspace


def replaced(path: str, old: str, new: str) -> None:
    text = Path(path).read_text()
    assert old in text
    Path(path).write_text(text.replace(old, new))


def test_contents_of_a_fingerprint(own: Path):
    kept = json.loads((own / "out/.unfinished/fingerprint.json").read_text())
    assert list(kept)[:2] == ["parameters", "priors"]
    assert kept["parameters"] == ["m_Zp", "g"]
    assert kept["priors"]["g"]["lower"] == 1e-5
    assert kept["seed"] == 1
    assert kept["sampler"]["walkers"] == 8
    assert kept["cross_check"] is False
    assert kept["model"]["python"].endswith("mine.py:mine")
    assert {Path(name).name for name in kept["files"]} == {
        "mine.py",
        "mine.yaml",
        "my_limit.yaml",
        "my_limit.csv",
    }
    assert all(len(digest) == 64 for digest in kept["files"].values())
    assert {"python", "numpy", "zpfit", "emcee", "dynesty", "vegas"} <= set(kept["versions"])


SWAPPED = MODEL.replace("m_Zp, g", "g, m_Zp")
CHANGES: dict[str, tuple[tuple[str, ...], tuple[str, str, str] | None, str]] = {
    "seed": (("--seed", "5"), None, "seed was 1 and is 5"),
    "option": (("--set", "sampler.walkers=10"), None, "sampler.walkers was 8 and is 10"),
    "type": (("--set", "best_fit.points=[{m_Zp: 9, g: 1e-4}]"), None, "best_fit.points was []"),
    "title": (("--set", "title=x"), None, "title was 'All of it my own' and is 'x'"),
    "prior": (
        ("--set", "priors.parameters.m_Zp.upper=40"),
        None,
        "priors.m_Zp.upper was 50.0 and is 40.0",
    ),
    "kind of prior": (
        ("--set", "priors.parameters.m_Zp.type=log_uniform"),
        None,
        "priors.m_Zp.type was 'uniform' and is 'log_uniform'",
    ),
    "fixed parameter": (
        ("--set", "priors.parameters.g=1e-4"),
        None,
        "parameters was ['m_Zp', 'g']",
    ),
    "order": ((), ("mine.py", MODEL, SWAPPED), "parameters was ['m_Zp', 'g'] and is ['g', 'm_Zp']"),
    "model": (
        ("--set", "model={name: L_mu-L_tau}", "--set", "priors.parameters={}"),
        None,
        "parameters was ['m_Zp', 'g']",
    ),
    "model file": ((), ("mine.py", "1e-2", "2e-2"), "mine.py was SHA-256 "),
    "data value": (
        (),
        ("likelihoods/entries/mine.yaml", "2.51e-9", "2.52e-9"),
        "entries/mine.yaml was SHA-256 ",
    ),
    "curve": (
        (),
        ("likelihoods/entries/my_limit.csv", "0.0017663", "0.0017664"),
        "entries/my_limit.csv was SHA-256 ",
    ),
    "set": (("--set", "likelihood.add=[mine]"), None, "likelihood.add was ['mine', 'my_limit']"),
    "limit": (("--limit", "prompt.lmt"), None, "likelihood.add was "),
    "cross-check": (("--cross-check",), None, "cross_check was False and is True"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_refused(rejected: Command, own: Path, change: str):
    options, file, difference = CHANGES[change]
    if file is not None:
        replaced(*file)
    before = contents(own / "out")
    assert_mentions(rejected(*run("--resume", *options)), "out: holds another run", difference)
    assert contents(own / "out") == before


def test_a_change_of_version_is_refused(
    rejected: Command, own: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("zpfit.runs.fingerprint.versions", lambda _: {"python": "3.99"})
    assert_mentions(rejected(*run("--resume")), "versions.python was '3.", "and is '3.99'")


@pytest.mark.parametrize(
    ("kept", "now", "words"),
    [
        ({"a": 1}, {"a": 1}, None),
        ({"a": 1}, {"a": 1.0}, "a was 1 and is 1.0"),
        ({"a": {"b": 1}}, {"a": {}}, "a.b was 1 and is absent"),
        ({"a": {}}, {"a": {"b": 1}}, "a.b was absent and is 1"),
        ({"a": None}, {"a": {"b": 1}}, "a was absent and is {'b': 1}"),
        ({"a": [1, 2], "b": 1}, {"a": [2, 1], "b": 2}, "a was [1, 2] and is [2, 1]"),
    ],
)
def test_first_difference(kept: dict[str, Any], now: dict[str, Any], words: str | None):
    assert first_difference(kept, now) == words


@pytest.mark.parametrize("name", ["quickstart", "sm_u1_cs", "froggatt_nielsen_cs"])
def test_a_fingerprint_is_what_is_read_again(name: str):
    found = fingerprint(load_run(packaged_data() / "runs" / f"{name}.yaml"), cross_check=False)
    assert first_difference(json.loads(json.dumps(found)), found) is None


def test_a_finished_run_has_nothing_to_do(whole: Path, tmp_path: Path):
    place = tmp_path / "place"
    shutil.copytree(whole, place)
    before = contents(place)
    process = done(place, *run("--cross-check", "--resume"))
    assert_mentions(process.stderr, "Nothing to do")
    assert_mentions(process.stdout, "C_Vmu", "out")
    assert contents(place) == before
    assert_mentions(
        refused(place, *run("--cross-check", "--resume", "--seed", "2")), "seed was 1 and is 2"
    )
    assert contents(place) == before


def test_nothing_to_resume(rejected: Command, workspace: Path):
    (workspace / "fit.yaml").write_text(RUN)
    message = rejected("run", "fit.yaml", "--resume", "--output", "out")
    assert_mentions(message, "out", "holds no run to resume", "leave out --resume")
    assert not (workspace / "out").exists()
    (workspace / "fit").mkdir()
    assert_mentions(rejected("run", "fit.yaml", "--resume"), "output/fit", "holds no run")


def test_resume_and_force_exclude_each_other(rejected: Command):
    assert_mentions(rejected("run", "quickstart", "--resume", "--force"), "--resume", "--force")


# What is kept of ln L, and damage


def checkpoint_files(place: Path) -> list[Path]:
    return sorted((place / "out/.unfinished/checkpoints").glob("*.npz"))


def with_points(place: Path) -> Path:
    return next(path for path in checkpoint_files(place) if path.stem.endswith("integral"))


@pytest.mark.parametrize("name", ["log_likelihood", "u"])
def test_changed_log_likelihoods(rejected: Command, own: Path, name: str):
    path = with_points(own)
    files = CheckpointFiles(path.parent, 0.0, name=path.stem)
    state = dict(files.load())
    state[name] = state[name] * (1 + 1e-6)
    _write(path, state)
    before = contents(own / "out/.unfinished")
    message = rejected(*run("--resume"))
    assert_mentions(message, path.name, "ln L was", "and is", "m_Zp =", "g =", "--force")
    assert contents(own / "out/.unfinished") == before


def test_unchanged_log_likelihoods(own: Path):
    folder = own / "out/.unfinished/checkpoints"
    found = [len(u) for _, u, _ in CheckpointFiles(folder, 0.0).points()]
    assert len(found) >= 2
    assert min(found) > 100


@pytest.mark.parametrize("damage", ["cut", "empty", "garbage", "text", "array", "object"])
@pytest.mark.parametrize("which", [0, -1])
def test_a_damaged_checkpoint(rejected: Command, own: Path, damage: str, which: int):
    path = checkpoint_files(own)[which]
    data = path.read_bytes()
    if damage == "array":
        np.save(path.with_suffix(".npy"), np.zeros(3))
        path.with_suffix(".npy").replace(path)
    elif damage == "object":
        np.savez(path, json=np.array([os.system], dtype=object))
    else:
        texts = {"cut": data[: len(data) // 2], "empty": b"", "garbage": os.urandom(len(data))}
        path.write_bytes(texts.get(damage, b"hello\n"))
    assert_mentions(rejected(*run("--resume")), path.name, "damaged", "--force")
    assert RunFolder(own / "out").is_unfinished


def test_a_flipped_byte_is_found_or_does_no_harm(tmp_path: Path):
    files = CheckpointFiles(tmp_path, 0.0, name="state")
    state = {"x": np.arange(50.0), "text": "abc", "n": 2**100, "bytes": b"pickle"}
    files.save(lambda: state)
    path = tmp_path / "state.npz"
    data, rng = path.read_bytes(), np.random.default_rng(0)
    for position in rng.choice(len(data), 400, replace=False):
        flipped = bytearray(data)
        flipped[position] ^= 1 << rng.integers(8)
        path.write_bytes(flipped)
        try:
            found = files.load()
        except DamagedCheckpoint:
            continue
        assert str(found) == str(state)


class Stranger:
    """What no sampler's state holds."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.target}",)


def test_a_state_from_a_stranger_runs_no_code(rejected: Command, workspace: Path):
    (workspace / "fit.yaml").write_text(RUN.replace("emcee", "dynesty"))
    at = at_stage("Searching the best fit", sent(signal.SIGKILL))
    assert zpfit(workspace, *run(), hooks=(at,)).ended() == -signal.SIGKILL
    [path] = [path for path in checkpoint_files(workspace) if path.stem.endswith("nested")]
    state = dict(CheckpointFiles(path.parent, 0.0, name=path.stem).load())
    state["sampler"] = pickle.dumps(Stranger(workspace / "bad"))
    _write(path, state)
    assert_mentions(rejected(*run("--resume")), "dynesty", "system", "--force")
    assert not (workspace / "bad").exists()
    assert RunFolder(workspace / "out").is_unfinished


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"garbage",
        pickle.dumps(os.system),
        pickle.dumps(eval),
        b"\x80\x04\x8c\x0ddynesty.utils\x8c\x0cpickle.loads\x93.",
        b"\x80\x04\x8c\x0edynesty.dynesty\x8c\x12traceback.sys.exit\x93.",
        b"\x80\x04\x8c\x05numpy\x8c\x04load\x93.",
        b"\x80\x04\x8c\x05numpy\x8c\x0fdtype.__class__\x93.",
        b"\x80\x04K\x07Q.",
        b"\x80\x04\x8c\x01xQ.",
    ],
)
def test_states_that_hold_more_than_a_sampler(state: bytes):
    with pytest.raises(UnsafeCheckpoint, match="--force"):
        revived(state, len)


def test_functions_are_left_out_and_put_back():
    state = frozen([np.arange(3.0), len, repr], len, repr)
    assert b"repr" not in state
    array, first, second = revived(state, max, min)
    assert array.tolist() == [0, 1, 2]
    assert (first, second) == (max, min)


# Two processes


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


def test_patience_waits_for_the_other(place: Path, workspace: Path):
    shutil.copyfile(place / "fit.yaml", "fit.yaml")
    loaded, folder = load_run(Path("fit.yaml")), RunFolder(workspace / "out")
    process = zpfit(workspace, *run(), hooks=(no_plots,))
    process.wait_for(lambda: process.phase != "starting")
    with claimed(loaded, folder, Start.CONTINUE, patience=PATIENCE) as claim:
        assert claim.finished
        assert carry_out(claim, Silent())["model"] == "effective"
    assert process.ended() == 0


# Signals


def stopped(process: Zpfit, number: int) -> None:
    """It has ended well, by that signal."""
    assert process.ended() == 128 + number, process.stderr
    name = signal.Signals(number).name
    assert_mentions(process.stderr, "stopping where the run can go on later")
    assert_mentions(process.stderr.splitlines()[-1], f"stopped by {name}", "--resume")
    assert_mentions(process.log, f"stopped by {name}")
    assert "failed" not in process.log
    assert process.stdout == ""
    assert "Traceback" not in process.stderr
    assert "Exception" not in process.stderr
    assert RunFolder(process.place / "out").is_unfinished


@pytest.mark.slow
def test_a_signal_in_every_phase(place: Path, whole: Path):
    """One run, stopped in each of its phases, by one signal and the other."""
    words = run("--cross-check")
    for index, stage in enumerate(STAGES):
        number = (signal.SIGINT, signal.SIGTERM)[index % 2]
        stopped(zpfit(place, *words, hooks=(at_stage(stage, sent(number)),)), number)
        words = run("--cross-check", "--resume")
    for index, name in enumerate(("samples", "summary", "corner.pdf", "trace")):
        number = (signal.SIGTERM, signal.SIGINT)[index % 2]
        stopped(zpfit(place, *words, hooks=(at_file(1, sent(number), name),)), number)
    done(place, *words)
    assert_same(place, whole)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
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
        ("Adapting to the posterior", "emcee", signal.SIGINT),
        ("Sampling the posterior", "emcee", signal.SIGTERM),
        ("Nested sampling", "dynesty", signal.SIGINT),
        ("Searching the best fit", "emcee", signal.SIGTERM),
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


# Disks


def file_limit(size: int) -> Hook:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("size", [1_000, 15_000])
def test_files_that_may_not_grow(place: Path, plain: Path, size: int):
    message = refused(place, *run(), hooks=(no_plots, file_limit(size)))
    assert_mentions(message, "error: out/", "cannot be written", "File too large")
    assert_whole(place / "out")
    resumed(place)
    assert_same(place, plain)


def full_from(number: int) -> Hook:
    """No file gets written any more from the so many-th on."""

    def hook() -> None:
        write, left = Path.replace, [number]

        def full(self: Path, target: Path) -> Path:
            left[0] -= 1
            if left[0] <= 0:
                raise OSError(28, os.strerror(28))
            return write(self, target)

        pytest.MonkeyPatch().setattr(Path, "replace", full)

    return hook


def filled(place: Path, expected: Path, number: int, hooks: tuple[Hook, ...] = ()) -> bool:
    """Run on a disk that is full from that file on; returns whether the run noticed."""
    shutil.rmtree(place / "out", ignore_errors=True)
    process = zpfit(place, *run(), hooks=(*hooks, full_from(number)))
    if process.ended() == 0:
        return False
    assert process.ended() == 2
    assert_mentions(process.stderr, "error: out/", "cannot be written", "No space left")
    assert "Traceback" not in process.stderr
    assert process.stdout == ""
    assert_whole(place / "out")
    done(place, *run("--resume"), hooks=hooks)
    assert_same(place, expected)
    return True


@pytest.mark.parametrize("number", [4, 9])
def test_a_disk_that_gets_full(place: Path, plain: Path, number: int):
    assert filled(place, plain, number, (no_plots,))


@pytest.mark.slow
def test_a_disk_that_gets_full_at_any_file(place: Path, tmp_path: Path):
    other = written(tmp_path / "other")
    done(other, *run())
    number = 1
    while filled(place, other, number):
        number += 1
    assert number > 15


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    where = tmp_path / "place"
    where.mkdir()
    options = ["-t", "tmpfs", "-o", "size=4m", "tmpfs", str(where)]
    mount = shutil.which("mount")
    made = mount and subprocess.run([mount, *options], capture_output=True, check=False)
    if not made or made.returncode:
        pytest.skip("no disk can be mounted here")
    (where / "fit.yaml").write_text(RUN)
    yield where
    subprocess.run([shutil.which("umount") or "", "-l", str(where)], check=True)


def remounted(disk: Path, options: str) -> None:
    words = [shutil.which("mount") or "", "-o", f"remount,{options}", str(disk)]
    subprocess.run(words, check=True)


@pytest.mark.parametrize("room", [0, 40, 120])
def test_a_full_disk(disk: Path, plain: Path, room: int):
    """``room`` in KiB."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass
    os.truncate(ballast, max(ballast.stat().st_size - 1024 * room, 0))
    message = refused(disk, *run(), hooks=(no_plots,))
    assert_mentions(message, "error: out", "cannot be written", "No space left")
    assert_whole(disk / "out")
    ballast.unlink()
    resumed(disk) if begun(disk) else done(disk, *run(), hooks=(no_plots,))
    assert_same(disk, plain)


def test_a_disk_that_becomes_read_only(disk: Path, plain: Path):
    at = at_stage("Searching the best fit", sent(signal.SIGKILL))
    assert zpfit(disk, *run(), hooks=(at,)).ended() == -signal.SIGKILL
    remounted(disk, "ro")
    message = refused(disk, *run("--resume"))
    assert_mentions(message, "error: out", "cannot be written", "Read-only file system")
    remounted(disk, "rw")
    resumed(disk)
    assert_same(disk, plain)


def test_a_folder_that_cannot_be_written(tmp_path: Path, plain: Path):
    """Also for root, who is nobody here for a while."""
    root = Path(tempfile.mkdtemp())

    def nobody() -> None:
        if os.geteuid() == 0:
            os.setgid(NOBODY)
            os.setuid(NOBODY)

    try:
        root.chmod(0o755)
        place = written(root / "place")
        at = at_stage("Searching the best fit", sent(signal.SIGKILL))
        assert zpfit(place, *run(), hooks=(at,)).ended() == -signal.SIGKILL
        paths = [place / "out", *(path for path in (place / "out").rglob("*"))]
        modes = {path: path.stat().st_mode for path in paths}
        for path in paths:
            path.chmod(0o555 if path.is_dir() else 0o444)
        before = contents(place / "out")
        message = refused(place, *run("--resume"), hooks=(nobody,))
        assert_mentions(message, "error: out", "cannot be written", "ermission denied")
        place.chmod(0o555)
        message = refused(place, "run", "fit.yaml", "--output", "new/out", hooks=(nobody,))
        assert_mentions(message, "error: new/out", "cannot be written", "ermission denied")
        assert contents(place / "out") == before
        place.chmod(0o755)
        for path, mode in modes.items():
            path.chmod(mode)
        resumed(place)
        assert_same(place, plain)
    finally:
        shutil.rmtree(root)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_log_that_cannot_be_written_costs_only_itself(place: Path, plain: Path):
    (place / "out").mkdir()
    (place / "out/.zpfit-run").touch()
    (place / "out/log.txt").symlink_to("/dev/full")
    process = done(place, *run(), hooks=(no_plots,))
    assert_mentions(process.stderr, "log.txt: no more lines (No space left on device)", "Done")
    (place / "out/log.txt").unlink()
    assert_same(place, plain)


# Replacing, and failing


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


def test_force_over_an_unfinished_run_starts_again(place: Path, plain: Path):
    at = at_stage("Searching the best fit", sent(signal.SIGKILL))
    assert zpfit(place, *run("--seed", "7"), hooks=(at,)).ended() == -signal.SIGKILL
    message = refused(place, *run("--seed", "7"))
    assert_mentions(message, "out: holds an unfinished run", "--resume", "--force")
    assert_mentions(refused(place, *run()), "out: holds an unfinished run")
    process = done(place, *run("--force"), hooks=(no_plots,))
    assert "Going on" not in process.log
    assert_same(place, plain)


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


def test_a_run_that_fails_leaves_nothing_to_go_on_with(rejected: Command, workspace: Path):
    (workspace / "fit.yaml").write_text(FAILING)
    for _ in range(2):
        message = rejected(*run())
        assert_mentions(message, "none of", "allowed by the likelihood")
        folder = RunFolder(workspace / "out")
        assert not folder.is_unfinished
        assert not folder.unfinished.path.exists()
    assert_mentions((workspace / "out/log.txt").read_text(), "failed: none of")


def test_a_comparison_goes_on_where_it_was_killed(place: Path):
    """It has no option to say so."""
    words = ("compare", "fit.yaml", "--output", "table")

    def killed(*_: object, **__: object) -> None:
        sent(signal.SIGKILL)()

    def hook() -> None:
        pytest.MonkeyPatch().setattr("zpfit.analysis.fit.best_fit", killed)

    def no_rows() -> None:
        pytest.MonkeyPatch().setattr("zpfit.runs.comparison.compare", lambda *_: [])

    assert zpfit(place, *words, hooks=(hook,)).ended() == -signal.SIGKILL
    folder = RunFolder(place / "table/runs/fit")
    assert folder.is_unfinished
    assert_mentions(done(place, *words, hooks=(no_plots, no_rows)).stderr, "Going on")
    assert folder.is_finished
    before = contents(place / "table")
    message = refused(place, *words)
    assert_mentions(message, "table")
    assert contents(place / "table") == before


# Every state of every sampler


class Interrupted(Exception):
    """After so many saves."""


@dataclass
class Interrupting:
    """Keeps every state in a file, and interrupts."""

    files: CheckpointFiles
    left: list[int]

    def load(self) -> State | None:
        return self.files.load()

    def part(self, name: str) -> "Interrupting":
        return Interrupting(self.files.part(name), self.left)

    def save(self, state: Callable[[], State]) -> None:
        _write(self.files._path, state())
        self.left[0] -= 1
        if self.left[0] == 0:
            raise Interrupted

    def finish(self, state: Callable[[], State]) -> None:
        _write(self.files._path, state())


WALL = 1.5


def log_likelihood(u: np.ndarray) -> np.ndarray:
    """Two ridges, and nothing in a corner."""
    ridges = np.logaddexp(
        -0.5 * ((u[:, 0] * u[:, 1] - 0.2) / 0.02) ** 2, -0.5 * ((u[:, 0] - 0.7) / 0.05) ** 2
    )
    return np.where(u.sum(axis=1) > WALL, -np.inf, ridges)


def residuals(u: np.ndarray, wall: float) -> np.ndarray:
    smooth = np.stack([np.sin(9 * u[:, 0]) + u[:, 1], 3 * u[:, 1] - np.cos(7 * u[:, 0])], axis=1)
    beyond = wall * np.maximum(u.sum(axis=1) - 1.2, 0)
    return np.column_stack([smooth, beyond])


def objective(u: np.ndarray) -> np.ndarray:
    chi2 = (residuals(u, 0.0) ** 2).sum(axis=1)
    return np.where(u.sum(axis=1) > 1.2, np.inf, chi2)


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


@cache
def _mixture() -> MixtureMap:
    return MixtureMap(
        tuple(adapt_map(log_likelihood, 2, child, options=MAPS) for child in rng().spawn(2))
    )


def _adapt(checkpoint: Any) -> Any:
    return adapt_map(log_likelihood, 2, rng(), checkpoint, MAPS)


def _integrate(checkpoint: Any) -> Any:
    target = Target(1e-3, 0.0, 100_000)
    return integrate(log_likelihood, _mixture(), rng(), target, SILENT, checkpoint, 10_000)


def _sample(checkpoint: Any) -> Any:
    starts = rng().random((2, 8, 2)) * 0.7
    options = replace(CHAINS, max_kept_steps=200)
    return run_chains(
        log_likelihood, _mixture(), starts, 10**6, 600, rng(), SILENT, checkpoint, options
    )


def _nested(checkpoint: Any) -> Any:
    return nested_sampling(log_likelihood, 2, 50, 0.1, rng(), SILENT, checkpoint)


def _minimum(checkpoint: Any) -> Any:
    starts = rng().random((20, 2))
    return find_minimum(residuals, objective, starts, rng(), None, checkpoint, SEARCH)


SAMPLERS = {
    "adapt_map": _adapt,
    "integrate": _integrate,
    "sample": _sample,
    "nested_sampling": _nested,
    "find_minimum": _minimum,
}


def bits(value: Any) -> Any:
    """All that is in a result, comparable to the last bit."""
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, value.tobytes()
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, tuple | list):
        return [bits(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: bits(getattr(value, name)) for name in value.__dataclass_fields__}
    return value


def interrupted(compute: Callable[[Any], Any], folder: Path, every: int) -> tuple[Any, int]:
    """Interrupt after every so many saves; the result and the number of interruptions."""
    files, number = CheckpointFiles(folder, 0.0), 0
    while True:
        try:
            return compute(Interrupting(files, [every])), number
        except Interrupted:
            number += 1


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_state_leads_to_the_same_numbers(tmp_path: Path, name: str):
    """A chain of interruptions goes through every state; dynesty has hundreds."""
    compute = SAMPLERS[name]
    expected = bits(compute(CheckpointFiles(tmp_path / "none", 1e9)))
    for every in {"find_minimum": (2, 3), "nested_sampling": (23,)}.get(name, (1, 2)):
        folder = tmp_path / f"{every}"
        result, number = interrupted(compute, folder, every)
        assert number >= 2
        assert bits(result) == expected
        assert bits(compute(Interrupting(CheckpointFiles(folder, 0.0), [0]))) == expected


@pytest.mark.slow
def test_every_single_state_of_dynesty(tmp_path: Path):
    expected = bits(_nested(CheckpointFiles(tmp_path / "none", 1e9)))
    result, number = interrupted(_nested, tmp_path / "states", 1)
    assert number > 200
    assert bits(result) == expected


# Files of checkpoints


def test_states_come_back_as_they_were(tmp_path: Path):
    files = CheckpointFiles(tmp_path, 0.0, name="a").part("b")
    state = {
        "array": np.array([[1.5, -np.inf], [np.nan, 0.1]]),
        "bits": np.array([True, False]),
        "list": [np.arange(3), {"deep": b"\x00\xff", "none": None}],
        "big": 2**120,
        "inf": np.inf,
        "scalar": np.float64(0.1),
        "text": "é",
        "tuple": (1, 2),
    }
    assert files.load() is None
    files.save(lambda: state)
    assert (tmp_path / "a-b.npz").exists()
    found = files.load()
    np.testing.assert_array_equal(found["array"], state["array"])
    assert found["bits"].dtype == bool
    assert found["list"][1] == state["list"][1]
    assert (found["big"], found["inf"], found["scalar"]) == (2**120, np.inf, 0.1)
    assert (found["text"], found["tuple"]) == ("é", [1, 2])


def test_saves_keep_their_distance(tmp_path: Path):
    files = CheckpointFiles(tmp_path, 1e3, name="rare")
    files.save(lambda: {"x": 1})
    files.finish(lambda: {"x": 2})
    assert files.load() is None
    often = CheckpointFiles(tmp_path, 0.0, name="often")
    often.save(lambda: {"x": 1})
    often.save(lambda: {"x": 2})  # a write takes longer than that
    assert often.load() == {"x": 1}
    often.finish(lambda: {"x": 3})
    assert often.load() == {"x": 3}
