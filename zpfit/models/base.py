"""What a model is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from zpfit.physics.compiled import FloatArray
from zpfit.physics.couplings import Couplings


@dataclass(frozen=True)
class Parameter:
    """A parameter of a model."""

    name: str
    symbol: str
    """LaTeX, without dollar signs."""
    unit: str
    """Empty if dimensionless."""
    domain: tuple[float, float]
    """Values for which the model is defined."""
    default: float | None = None
    """Value if neither priors nor point give one; None if one must be given."""


class Model(Protocol):
    """A map from parameters to couplings."""

    @property
    def name(self) -> str:
        """Name in run files."""

    @property
    def description(self) -> str:
        """What the model is, in a sentence or two."""

    @property
    def reference(self) -> str:
        """Equation or publication."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """In the order of priors, tables and plots."""

    def couplings(self, values: Mapping[str, FloatArray]) -> Couplings:
        """Couplings at n points; ``values`` holds every parameter, shape (n,)."""
