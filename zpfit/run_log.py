"""The log that a run leaves in its folder."""

import time
from pathlib import Path
from types import TracebackType
from typing import TextIO

from zpfit.errors import ZpfitError


class RunLog:
    """Progress as lines of a file, each with the seconds since the start."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None
        self._started = time.monotonic()

    def __enter__(self) -> "RunLog":
        self._file = self._path.open("a", encoding="utf-8")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, ZpfitError):
            self.note(f"failed: {error}")
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
        if self._file is not None:
            self._file.write(self.line(text) + "\n")
            self._file.flush()

    def line(self, text: str) -> str:
        """The text with the time before it."""
        return f"{time.monotonic() - self._started:8.1f} s  {text}"
