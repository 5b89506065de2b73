"""Checkpoints as files of a folder: arrays and JSON, without pickled objects."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from zpfit.errors import DamagedCheckpoint
from zpfit.inference.checkpoint import State
from zpfit.io.arrays import FloatArray
from zpfit.io.writing import PARTIAL, make_folder, write_whole
from zpfit.runs.signals import StopRequest

_SUFFIX = ".npz"
_JSON, _ARRAY, _BYTES = "json", "__array__", "__bytes__"
_CHEAP = 0.1
"""Fraction of the interval. A finished computation that took less is not saved: repeating it costs
less than the file."""
_WRITE_SPACING = 20
"""Least time between two writes, in units of the time of the last write: writing then takes at most
5 % of a run."""


@dataclass
class CheckpointFiles:
    """Checkpoints in the files of one folder.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     files = CheckpointFiles(Path(folder), interval=0.0, name="state")
    ...     files.save(lambda: {"step": 3})
    ...     files.load()
    {'step': 3}
    """

    folder: Path
    interval: float
    """Least number of seconds between two writes of one file."""
    stop: StopRequest = field(default_factory=StopRequest)
    name: str = ""
    _next_write: float = field(init=False)
    _started: float = field(init=False)

    def __post_init__(self) -> None:
        self._started = time.monotonic()
        self._next_write = self._started + self.interval

    @property
    def _path(self) -> Path:
        return self.folder / f"{self.name}{_SUFFIX}"

    def part(self, name: str) -> "CheckpointFiles":
        """Return the checkpoint of a part of the computation."""
        name = f"{self.name}-{name}" if self.name else name
        return CheckpointFiles(self.folder, self.interval, self.stop, name)

    def load(self) -> State | None:
        """Return the latest state, or None if nothing is saved.

        Raises
        ------
        DamagedCheckpoint
            The file cannot be read.
        """
        return _read(self._path) if self._path.exists() else None

    def save(self, state: Callable[[], State]) -> None:
        """Write a state if the last write was long enough ago or a stop is requested.

        Raises
        ------
        UnwritablePath
            The file cannot be written.
        Stopped
            A signal has requested a stop.
        """
        started = time.monotonic()
        if started < self._next_write and self.stop.by is None:
            return
        _write(self._path, state())
        self.stop.heed()
        ended = time.monotonic()
        self._next_write = ended + max(self.interval, _WRITE_SPACING * (ended - started))

    def finish(self, state: Callable[[], State]) -> None:
        """Write the last state, unless computing it again takes less time.

        Raises
        ------
        UnwritablePath
            The file cannot be written.
        Stopped
            A signal has requested a stop.
        """
        if time.monotonic() - self._started >= _CHEAP * self.interval:
            _write(self._path, state())
        self.stop.heed()

    def points(self) -> Iterator[tuple[Path, FloatArray, FloatArray]]:
        """Yield each file that holds points of the unit cube and their log-likelihoods.

        A process that was killed while it wrote may have left an incomplete file beside them.

        Yields
        ------
        path : Path
            The file.
        u : array, shape (n, d)
            Points of the unit cube.
        log_likelihood : array, shape (n,)
            ln L of the points.

        Raises
        ------
        DamagedCheckpoint
            A file cannot be read.
        """
        for path in sorted(self.folder.glob(f"*{_SUFFIX}")):
            if path.name.startswith(PARTIAL):
                continue
            state = _read(path)
            if "u" in state and "log_likelihood" in state:
                u = state["u"]
                yield path, u.reshape(-1, u.shape[-1]), state["log_likelihood"].ravel()


def _write(path: Path, state: State) -> None:
    arrays: dict[str, Any] = {}
    arrays[_JSON] = np.array(json.dumps(_encoded(state, arrays)))
    make_folder(path.parent)

    def write(target: Path) -> None:
        with target.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    write_whole(path, write)


def _read(path: Path) -> State:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            arrays = {name: kept[name] for name in kept.files}
        state: State = _decoded(json.loads(str(arrays[_JSON])), arrays)
    except Exception as error:  # a damaged ZIP file raises many kinds of errors
        raise DamagedCheckpoint(path, str(error) or type(error).__name__) from error
    return state


def _encoded(value: Any, arrays: dict[str, Any]) -> Any:
    """Return a value as JSON allows; arrays and bytes go to ``arrays`` under new names."""
    if isinstance(value, np.ndarray | bytes):
        name, kind = f"a{len(arrays)}", _BYTES if isinstance(value, bytes) else _ARRAY
        arrays[name] = np.frombuffer(value, np.uint8) if kind == _BYTES else value
        return {kind: name}
    if isinstance(value, dict):
        return {key: _encoded(item, arrays) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encoded(item, arrays) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def _decoded(value: Any, arrays: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        if _ARRAY in value:
            return arrays[value[_ARRAY]]
        if _BYTES in value:
            return arrays[value[_BYTES]].tobytes()
        return {key: _decoded(item, arrays) for key, item in value.items()}
    return [_decoded(item, arrays) for item in value] if isinstance(value, list) else value
