"""Checkpoints: states from which a long computation resumes after an interruption."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

State = Mapping[str, Any]
"""Everything that determines the next steps: numbers, text, lists, arrays, mappings of these.

The key ``u`` holds points of the unit cube, shape (..., d), and ``log_likelihood`` their ln L,
shape (...). When a run resumes, zpfit recomputes ln L at these points and compares.
"""


class Checkpoint(Protocol):
    """Store of the latest state of one computation.

    A computation that starts from a stored state ends with the same numbers, to the last bit,
    as an uninterrupted one.
    """

    def load(self) -> State | None:
        """Return the latest state, or None if there is none."""

    def save(self, state: Callable[[], State]) -> None:
        """Store a state if the last one is old enough; ``state`` is called only then."""

    def finish(self, state: Callable[[], State]) -> None:
        """Store the final state, unless it is quick to compute again."""

    def part(self, name: str) -> "Checkpoint":
        """Return the checkpoint of a named part of the computation."""


class NoCheckpoint:
    """A checkpoint that stores nothing."""

    def load(self) -> None:
        """Return None: nothing is stored."""

    def save(self, state: Callable[[], State]) -> None:
        """Ignore the state."""

    def finish(self, state: Callable[[], State]) -> None:
        """Ignore the state."""

    def part(self, name: str) -> "NoCheckpoint":  # noqa: ARG002 - the protocol's signature
        """Return the checkpoint itself."""
        return self


NO_CHECKPOINT = NoCheckpoint()
"""Default of every function that takes a checkpoint."""
