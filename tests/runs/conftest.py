"""Fixtures for tests of stopped and resumed runs, shared by several files."""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import resuming
from resuming import OWN, at_stage, done, no_plots, own_files, run, sent, written, zpfit
from sharing import made_once


@pytest.fixture(scope="session")
def everything_imported(tmp_path_factory: pytest.TempPathFactory) -> None:
    resuming.import_everything(tmp_path_factory.mktemp("warm"))


@pytest.fixture
def small_batches(everything_imported: None) -> Iterator[None]:
    """Let runs take a second, in this process and in forked ones."""
    with resuming.small_batches():
        yield


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Folder with the run file."""
    return written(tmp_path / "place")


@pytest.fixture(scope="session")
def undisturbed(everything_imported: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Uninterrupted run with cross-check and plots; for reading only."""

    def make(folder: Path) -> None:
        with resuming.small_batches():
            done(written(folder / "place"), *run("--cross-check"))

    return made_once(tmp_path_factory, "undisturbed", make) / "place"


@pytest.fixture(scope="session")
def plain(everything_imported: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Uninterrupted run without cross-check and plots, which takes half the time; for reading
    only."""

    def make(folder: Path) -> None:
        with resuming.small_batches():
            done(written(folder / "place"), *run(), hooks=(no_plots,))

    return made_once(tmp_path_factory, "plain", make) / "place"


@pytest.fixture(scope="session")
def halfway(everything_imported: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run with the user's own model and data, killed at its last stage; for reading only."""

    def make(folder: Path) -> None:
        place = written(folder / "place", OWN)
        own_files(place)
        at = at_stage("Searching the best fit", sent(signal.SIGKILL))
        with resuming.small_batches():
            assert zpfit(place, *run(), hooks=(at,)).ended() == -signal.SIGKILL

    return made_once(tmp_path_factory, "halfway", make) / "place"


@pytest.fixture
def own(halfway: Path, workspace: Path) -> Path:
    """Copy of the killed run to change, which is the current folder."""
    shutil.copytree(halfway, workspace, dirs_exist_ok=True)
    return workspace
