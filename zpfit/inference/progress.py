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


SILENT = Silent()
"""Default of every function that reports progress."""
