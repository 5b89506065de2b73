"""Progress reporting of long computations."""

from typing import Protocol


class Progress(Protocol):
    """Receiver of the stages of a computation and of how far each has come."""

    def stage(self, title: str) -> None:
        """Begin a new stage."""

    def update(self, fraction: float, note: str) -> None:
        """Report the completed fraction of the stage, from 0 to 1, and a short note."""

    def note(self, text: str) -> None:
        """Record a message that belongs in the log."""


class Silent:
    """Progress that reports nothing."""

    def stage(self, title: str) -> None:
        """Ignore the stage."""

    def update(self, fraction: float, note: str) -> None:
        """Ignore the fraction."""

    def note(self, text: str) -> None:
        """Ignore the message."""


class NotesOnce:
    """Progress of several similar computations, whose common notes are passed on once.

    Parameters
    ----------
    progress
        Receiver of stages and notes.

    Examples
    --------
    >>> class Printing(Silent):
    ...     def note(self, text):
    ...         print(text)
    >>> once = NotesOnce(Printing())
    >>> for text in ("one", "two", "one"):
    ...     once.note(text)
    one
    two
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._passed: set[str] = set()

    def stage(self, title: str) -> None:
        """Begin a new stage."""
        self._progress.stage(title)

    def update(self, fraction: float, note: str) -> None:
        """Report the completed fraction of the stage."""
        self._progress.update(fraction, note)

    def note(self, text: str) -> None:
        """Record a message, unless it was recorded before."""
        if text not in self._passed:
            self._passed.add(text)
            self._progress.note(text)


SILENT = Silent()
"""Default of every function that reports progress."""
