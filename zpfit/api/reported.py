"""Properties that results of all analyses have in common."""

from collections.abc import Mapping
from typing import Any, Protocol


class _HasRecord(Protocol):
    @property
    def record(self) -> Mapping[str, Any]: ...


class Reported:
    """Convergence of a result, as its record states it."""

    @property
    def shortcomings(self: _HasRecord) -> tuple[str, ...]:
        """Reasons why the result is not converged, with remedies."""
        return tuple(self.record["shortcomings"])

    @property
    def converged(self: _HasRecord) -> bool:
        """True if no shortcoming was found."""
        return not self.record["shortcomings"]
