"""Shared fixtures: the command line in process, and one small run."""

import gc
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from command import invoke as invoke_command
from command import run_small
from helpers_samplers import draw_blank, quick, use_small_batches
from sharing import made_once

from zpfit.errors import ZpfitError
from zpfit.inference.posterior import Posterior
from zpfit.inference.problem import RunFile
from zpfit.inference.samplers.result import Samples
from zpfit.inference.sampling import sample_posterior
from zpfit.io.logging import LOGGER


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files with tests of Dask behind all others, and doctests, which fork nothing, last.

    Dask leaves threads behind, and a process that has threads is not safe to fork. One file
    of proofs comes first and the others late: two workers that begin them
    together both compile the formulas of proofs, which takes each of them 15 s. Many small files
    come last, so that no worker is left with a long one alone.
    """
    with_dask = {item.path for item in items if "dask" in item.nodeid}

    def place(item: pytest.Item) -> tuple[bool, bool, bool, int]:
        doctest, name = isinstance(item, pytest.DoctestItem), item.path.name
        proofs = "certi" in name or "proofs" in name
        turn = 0 if name == "test_certify.py" else 2 if proofs else 1
        return doctest, item.path in with_dask, "dask" in item.nodeid, turn

    items.sort(key=place)


def pytest_sessionstart() -> None:
    """Collect no garbage while the tests are collected, which make none."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Leave thousands of collected tests out of each later search for garbage."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def blank_plots(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw no plots unless a test is marked ``drawn``: in a small run they take half of the
    time. Folders that many tests share have none."""
    if "drawn" not in request.keywords:
        draw_blank(monkeypatch)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def invoke(workspace: Path) -> Callable[..., Result]:
    """Return a function that runs a command in the workspace."""
    return invoke_command


@pytest.fixture
def accepted(invoke: Callable[..., Result]) -> Callable[..., str]:
    """Return a function that runs a command, which must succeed, and returns its output."""

    def run(*arguments: str | Path) -> str:
        result = invoke(*arguments)
        assert result.exit_code == 0, result.output
        return result.stdout

    return run


@pytest.fixture
def rejected(invoke: Callable[..., Result]) -> Callable[..., str]:
    """Return a function that runs a command, which must be refused, and returns the message."""

    def run(*arguments: str | Path) -> str:
        result = invoke(*arguments)
        assert isinstance(result.exception, SystemExit), repr(result.exception)
        assert result.exit_code == 2, result.output
        assert "Traceback" not in result.output
        assert result.stdout == ""
        return result.stderr

    return run


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Return the capture of zpfit's records, which the root logger does not get.

    pytest before version 9 listens to the root logger alone.
    """
    LOGGER.addHandler(caplog.handler)
    yield caplog
    LOGGER.removeHandler(caplog.handler)


@pytest.fixture(scope="module")
def quick_fits() -> Iterator[None]:
    """Let the fits of a test module adapt and integrate with few draws at a time."""
    with quick():
        yield


@pytest.fixture
def few_draws() -> Iterator[None]:
    """Let the fits of one test adapt and integrate with few draws at a time."""
    with quick():
        yield


@pytest.fixture
def stopped_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs sample only briefly, and stop when run file, data and samples are in the folder."""

    def a_little(posterior: Posterior, settings: RunFile, *rest: Any) -> Samples:
        few = {"engine": "emcee", "walkers": 32, "max_steps": 20, "target_ess": 10}
        sampler = settings.sampler.model_copy(update=few)
        # Walkers start from draws of the evidence integral, which takes most of the time.
        vegas = settings.vegas.model_copy(update={"adaptations": 1, "error": 0.5})
        short = settings.model_copy(update={"sampler": sampler, "vegas": vegas})
        return sample_posterior(posterior, short, *rest)

    def stop(*_: object, **__: object) -> None:
        raise ZpfitError("stopped early")

    use_small_batches(monkeypatch, 2_000, 10_000)
    monkeypatch.setattr("zpfit.analysis.fit.sample_posterior", a_little)
    monkeypatch.setattr("zpfit.analysis.fit.best_fit", stop)


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a small run, at its default place; for reading only."""

    def make(folder: Path) -> None:
        with pytest.MonkeyPatch.context() as patch, quick():
            patch.chdir(folder)
            draw_blank(patch)
            result = run_small()
            assert result.exit_code == 0, result.output

    return made_once(tmp_path_factory, "small_run", make) / "output" / "quickstart"


@pytest.fixture(scope="session")
def replaced_run(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small run repeated with --force over a copy of its folder, with a corner plot that
    fails."""
    folder = tmp_path_factory.mktemp("replaced") / "run"
    shutil.copytree(small_run, folder)
    (folder / "notes.txt").write_text("mine\n", encoding="utf-8")

    def broken(*_: object) -> None:
        raise RuntimeError("out of ink")

    with pytest.MonkeyPatch.context() as patch, quick():
        patch.chdir(folder.parent)
        draw_blank(patch)
        patch.setattr("zpfit.runs.drawing.corner_figure", broken)
        result = run_small("--output", folder, "--force")
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(scope="session")
def nested_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a small run with nested sampling; for reading only."""
    dynesty = ("sampler.engine=dynesty", "dynesty.live_points=50", "dynesty.tolerance=0.5")
    settings = [word for setting in dynesty for word in ("--set", setting)]

    def make(folder: Path) -> None:
        with pytest.MonkeyPatch.context() as patch, quick():
            draw_blank(patch)
            result = run_small(*settings, "--output", folder / "nested")
            assert result.exit_code == 0, result.output

    return made_once(tmp_path_factory, "nested_run", make) / "nested"
