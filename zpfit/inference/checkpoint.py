"""What a long computation keeps, so that after a kill it goes on from there."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

State = Mapping[str, Any]
"""All that determines what comes next: numbers, text, lists and arrays, and mappings of these.

Points of the unit cube go by the name ``u``, shape (..., d), and their ln L by
``log_likelihood``, shape (...), so that whoever resumes can check them.
"""


class Checkpoint(Protocol):
    """Keeps the latest state of one computation.

    A computation that starts from a kept state ends with the same numbers, to the bit, as one
    that was never interrupted.
    """

    def load(self) -> State | None:
        """The latest state, none if there is none."""

    def save(self, state: Callable[[], State]) -> None:
        """A state from which the computation could go on; kept if the last one is old enough."""

    def finish(self, state: Callable[[], State]) -> None:
        """The last state; kept unless it is as cheap to compute again."""

    def part(self, name: str) -> "Checkpoint":
        """That of a part of the computation."""


class Forgetful:
    """Keeps nothing."""

    def load(self) -> None:
        """There is none."""

    def save(self, state: Callable[[], State]) -> None:
        """Ignore."""

    def finish(self, state: Callable[[], State]) -> None:
        """Ignore."""

    def part(self, name: str) -> "Forgetful":  # noqa: ARG002 - the protocol's signature
        """The same."""
        return self


FORGETFUL = Forgetful()
"""Where nothing is to be kept."""
