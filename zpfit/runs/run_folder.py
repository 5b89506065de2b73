"""Folders of runs: paths, formats, locks, and complete writes."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

from filelock import FileLock, Timeout

from zpfit.analysis.records import FitSummary
from zpfit.errors import (
    FolderInUse,
    RunNotFound,
    UnrelatedFilesExist,
    UnwritablePath,
)
from zpfit.inference.samplers.result import StoredDeadPoints, StoredSamples
from zpfit.io.writing import make_folder, partial_path, write_json, write_text, write_whole
from zpfit.runs.nested import read_dead_points
from zpfit.runs.samples import load, save

_CONFIG, _SUMMARY, _LOG = "config.yaml", "summary.json", "log.txt"
_FINGERPRINT, _LOCK = "fingerprint.json", ".lock"
_UNFINISHED = ".unfinished"
"""Folder of an unfinished run: its config, data, fingerprint and checkpoints."""
_SAMPLES, _WEIGHTED = "samples.nc", "weighted.nc"
_NESTED = ("nested_dead-birth.txt", "nested.paramnames")
DATA_FOLDER = "data"
"""Folder with the entries, curves and sets that a run used; its config.yaml finds them there."""
PLOT_NAMES = ("corner.png", "corner.pdf", "pulls.png", "trace.png")
_OWN = (_CONFIG, _SUMMARY, _FINGERPRINT, _SAMPLES, _WEIGHTED, *_NESTED, _LOG, *PLOT_NAMES)


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run.

    Files are written whole or not at all.
    """

    path: Path

    def create(self, *, force: bool) -> None:
        """Make the folder. Existing files stay until :meth:`clear`.

        Raises
        ------
        UnrelatedFilesExist
            It holds files with a run's names that no run wrote, and ``force`` is
            not given.
        UnwritablePath
            It cannot be made or written.
        """
        own = [name for name in _OWN if (self.path / name).exists()]
        if not force and own and not self._marker.exists():
            raise UnrelatedFilesExist(self.path, own)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._marker.touch()
            self.log_path.touch()
        except OSError as error:
            raise UnwritablePath(self.path, error.strerror or str(error)) from error

    @property
    def _marker(self) -> Path:
        """File that marks the folder of a run."""
        return self.path / ".zpfit-run"

    @contextmanager
    def locked(self, patience: float = 0) -> Iterator[None]:
        """Lock the folder for this process.

        The operating system releases the lock of a killed process.

        Parameters
        ----------
        patience
            Seconds to wait for another process to release the lock.

        Raises
        ------
        FolderInUse
            Another process holds it.
        UnwritablePath
            The file system has no locks, or the folder cannot be written.
        """
        lock = FileLock(self.path / _LOCK)
        try:
            lock.acquire(timeout=patience)
        except Timeout as error:
            raise FolderInUse(self.path) from error
        except (OSError, NotImplementedError) as error:
            raise UnwritablePath(self.path / _LOCK, str(error)) from error
        try:
            yield
        finally:
            lock.release()

    @property
    def unfinished(self) -> "RunFolder":
        """Folder of the unfinished run."""
        return RunFolder(self.path / _UNFINISHED)

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints of the unfinished run."""
        return self.unfinished.path / "checkpoints"

    @property
    def has_seen_a_run(self) -> bool:
        """True if a run has started here, even if it has stored nothing yet."""
        return self._marker.exists()

    @property
    def is_unfinished(self) -> bool:
        """True if there is an unfinished run to resume."""
        return (self.unfinished.path / _FINGERPRINT).exists()

    @property
    def is_finished(self) -> bool:
        """True if a run has finished and no other has started since."""
        return (self.path / _SUMMARY).exists() and not self.is_unfinished

    def drop_unfinished(self) -> None:
        """Remove the unfinished run.

        The fingerprint goes first: without it, the rest is not resumed if this is interrupted.
        """
        try:
            (self.unfinished.path / _FINGERPRINT).unlink(missing_ok=True)
            if self.unfinished.path.exists():
                shutil.rmtree(self.unfinished.path)
        except OSError as error:
            raise UnwritablePath(self.unfinished.path, error.strerror or str(error)) from error

    def forget(self) -> None:
        """Remove the finished or unfinished run, if this is the folder of a run."""
        if self._marker.exists():
            self.drop_unfinished()
            self.clear()

    def fingerprint(self) -> dict[str, Any]:
        """Return the fingerprint of the unfinished run, or of the finished one.

        Raises
        ------
        RunNotFound
            There is none, or it is damaged.
        """
        holder = self.unfinished if self.is_unfinished else self
        return holder._read_json(_FINGERPRINT)  # noqa: SLF001 - of this class

    def write_fingerprint(self, content: Mapping[str, Any]) -> None:
        """Write the fingerprint of the run."""
        make_folder(self.path)
        write_json(self.path / _FINGERPRINT, content)

    def clear(self) -> None:
        """Remove the results of an earlier run, before new ones are written."""
        for name in (_SUMMARY, _FINGERPRINT, _SAMPLES, _WEIGHTED, *_NESTED, *PLOT_NAMES):
            path = self.path / name
            try:
                path.unlink(missing_ok=True)
                partial_path(path).unlink(missing_ok=True)  # left by a killed run
            except OSError as error:
                raise UnwritablePath(path, error.strerror or str(error)) from error

    @property
    def log_path(self) -> Path:
        """Path of the log."""
        return self.path / _LOG

    def write_config(self, text: str) -> None:
        """Write the resolved run file."""
        make_folder(self.path)
        write_text(self.path / _CONFIG, text)

    def copy_data(self, files: Mapping[str, Path]) -> None:
        """Copy the data files of the run.

        Parameters
        ----------
        files
            Source of each file, by its path below the data folder.
        """
        for name, source in files.items():
            target = self.path / DATA_FOLDER / name
            make_folder(target.parent)
            if not (target.exists() and target.samefile(source)):
                write_whole(target, partial(shutil.copyfile, source))

    def write_samples(self, samples: StoredSamples, title: str) -> None:
        """Write the posterior samples of equal weight."""
        self._write(_SAMPLES, lambda path: save(samples, path, title))

    def write_weighted(self, samples: StoredSamples, title: str) -> None:
        """Write the weighted samples."""
        self._write(_WEIGHTED, lambda path: save(samples, path, title))

    def write_nested(self, dead_birth: str, paramnames: str) -> None:
        """Write the dead points of nested sampling in the format of PolyChord."""
        for name, text in zip(_NESTED, (dead_birth, paramnames), strict=True):
            write_text(self.path / name, text)

    def write_summary(self, summary: FitSummary) -> None:
        """Write the results. Their presence marks the run as finished."""
        write_json(self.path / _SUMMARY, summary)

    @property
    def summary_path(self) -> Path:
        """Path of the results."""
        return self.path / _SUMMARY

    def summary(self) -> FitSummary:
        """Read the results.

        Raises
        ------
        RunNotFound
            There are none, or they are damaged.
        """
        return cast(FitSummary, self._read_json(_SUMMARY))

    def _read_json(self, name: str) -> dict[str, Any]:
        try:
            result: dict[str, Any] = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunNotFound(self.path, name) from error
        return result

    def samples(self) -> StoredSamples:
        """Read the posterior samples of equal weight.

        Raises
        ------
        RunNotFound
            There are none, or they are damaged.
        """
        return self._load(_SAMPLES)

    def weighted(self) -> StoredSamples:
        """Read the weighted samples.

        Raises
        ------
        RunNotFound
            There are none, or they are damaged.
        """
        return self._load(_WEIGHTED)

    def nested_files(self) -> tuple[Path, Path] | None:
        """Return the files of dead points and of the names of their columns, if they exist."""
        dead, names = (self.path / name for name in _NESTED)
        return (dead, names) if dead.exists() and names.exists() else None

    def dead_points(self) -> StoredDeadPoints | None:
        """Read the dead points of nested sampling; None if the run has left none.

        Raises
        ------
        RunNotFound
            The files are damaged.
        """
        files = self.nested_files()
        try:
            return None if files is None else read_dead_points(*files)
        except (OSError, ValueError, IndexError) as error:
            raise RunNotFound(self.path, _NESTED[0]) from error

    def _load(self, name: str) -> StoredSamples:
        try:
            return load(self.path / name)
        except (OSError, ValueError, KeyError, AttributeError) as error:
            raise RunNotFound(self.path, name) from error

    @property
    def config_path(self) -> Path:
        """Path of the resolved run file."""
        return self.path / _CONFIG

    def plots(self) -> list[Path]:
        """Return the paths of the plots in the folder."""
        return [self.path / name for name in PLOT_NAMES if (self.path / name).exists()]

    def write_figure(self, name: str, write: Callable[[Path], object]) -> None:
        """Write a figure with a function that draws it to a path."""
        self._write(name, write)

    def _write(self, name: str, write: Callable[[Path], object]) -> None:
        write_whole(self.path / name, write)
