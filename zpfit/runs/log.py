"""The log file in the folder of a run."""

import time
from collections.abc import Callable
from io import RawIOBase
from pathlib import Path
from types import TracebackType

from zpfit.errors import Stopped, UnwritablePath, ZpfitError


def last_words(error: BaseException | None) -> str | None:
    """Return the last line of a log after a failure or a stop, or None after success."""
    if isinstance(error, Stopped):
        return str(error)
    return f"failed: {error}" if isinstance(error, ZpfitError) else None


class RunLog:
    """Progress as lines of a file, each with the seconds since the start.

    Parameters
    ----------
    path
        File to which lines are appended.
    lost
        Function that gets a message if the file can no longer be written. The run continues
        without a log.
    """

    def __init__(self, path: Path, lost: Callable[[str], None] = lambda _: None) -> None:
        self._path = path
        self._lost = lost
        self._file: RawIOBase | None = None
        self._started = time.monotonic()

    def __enter__(self) -> "RunLog":
        try:
            self._file = self._path.open("ab", buffering=0)
        except OSError as error:
            raise UnwritablePath(self._path, error.strerror or str(error)) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if words := last_words(error):
            self.note(words)
        if self._file is not None:
            self._file.close()

    def stage(self, title: str) -> None:
        """Write the title of a new stage."""
        self.note(title)

    def update(self, fraction: float, note: str) -> None:  # noqa: ARG002 - of Progress
        """Write the progress within the stage."""
        self.note(note)

    def note(self, text: str) -> None:
        """Write a line."""
        if self._file is None:
            return
        try:
            self._file.write(f"{self.line(text)}\n".encode())
        except OSError as error:
            self._file.close()
            self._file = None
            self._lost(
                f"{self._path}: cannot be written ({error.strerror}); the run continues without it"
            )

    def line(self, text: str) -> str:
        """Return the text after the seconds since the start."""
        return f"{time.monotonic() - self._started:8.1f} s  {text}"
