"""What a long computation tells whoever watches it."""

from typing import Protocol


class Progress(Protocol):
    """Receives stages of a run and how far each has come."""

    def stage(self, title: str) -> None:
        """A new stage begins."""

    def update(self, fraction: float, note: str) -> None:
        """How much of the stage is done, 0 to 1, and a few words."""

    def note(self, text: str) -> None:
        """Something worth keeping in the log."""


class Silent:
    """Tells nobody."""

    def stage(self, title: str) -> None:
        """Ignore."""

    def update(self, fraction: float, note: str) -> None:
        """Ignore."""

    def note(self, text: str) -> None:
        """Ignore."""
