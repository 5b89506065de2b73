"""The log that a run leaves in its folder."""

import time
from collections.abc import Callable
from io import RawIOBase
from pathlib import Path
from types import TracebackType

from zpfit.errors import Stopped, UnwritablePath, ZpfitError


def last_words(error: BaseException | None) -> str | None:
    """What a log says of how a run has failed or was stopped, if it has or was."""
    if isinstance(error, Stopped):
        return str(error)
    return f"failed: {error}" if isinstance(error, ZpfitError) else None


class RunLog:
    """Progress as lines of a file, each with the seconds since the start.

    ``lost`` is told, in words, if the disk takes no more lines; the run goes on.
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
        """A new stage begins."""
        self.note(title)

    def update(self, fraction: float, note: str) -> None:  # noqa: ARG002 - of Progress
        """How much of the stage is done."""
        self.note(note)

    def note(self, text: str) -> None:
        """A line."""
        if self._file is None:
            return
        try:
            self._file.write(f"{self.line(text)}\n".encode())
        except OSError as error:
            self._file.close()
            self._file = None
            self._lost(f"{self._path}: no more lines ({error.strerror})")

    def line(self, text: str) -> str:
        """The text with the time before it."""
        return f"{time.monotonic() - self._started:8.1f} s  {text}"
