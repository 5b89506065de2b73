"""What a model is."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zpfit.io.arrays import FloatArray
from zpfit.physics.couplings import Couplings

Values = Mapping[str, FloatArray]
"""Every parameter of a model at n points, each of shape (n,)."""


@dataclass(frozen=True)
class Parameter:
    """A parameter of a model."""

    name: str
    symbol: str
    """LaTeX, without dollar signs."""
    unit: str = ""
    """Empty if dimensionless."""
    domain: tuple[float, float] = (-1e30, 1e30)
    """Values for which the model is defined."""
    default: float | None = None
    """Value if neither priors nor point give one; None if one must be given."""
    meaning: str = ""
    """A few words for ``zpfit show``."""
    left_out: float | None = None
    """Value where a single point does not give it, for parameters without a default."""


def in_words(values: Values, index: int) -> str:
    """One of the points, for messages."""
    return ", ".join(f"{name} = {float(column[index]):.6g}" for name, column in values.items())


class Model(ABC):
    """A map from parameters to couplings: subclass this, or write a function.

    Only ``name``, ``parameters`` and :meth:`couplings` are needed.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """Name in run files, tables and run folders."""

    @property
    @abstractmethod
    def parameters(self) -> tuple[Parameter, ...]:
        """In the order of priors, tables and plots."""

    @property
    def description(self) -> str:
        """What the model is, in a sentence or two."""
        return ""

    @property
    def reference(self) -> str:
        """Equations or publications."""
        return ""

    @property
    def formulas(self) -> tuple[str, ...]:
        """The couplings in terms of the parameters, a line each, for ``zpfit show``."""
        return ()

    @abstractmethod
    def couplings(self, values: Values) -> Couplings:
        """Couplings at n points."""

    def conditions(self, values: Values) -> dict[str, FloatArray]:  # noqa: ARG002 - for subclasses
        """What a point must fulfil to exist, by name: a ratio, above 1 where it is broken.

        Points that break a condition have likelihood zero; they are counted and
        reported. The search for the best fit looks at their couplings all the same,
        where NaN is then allowed. Each has shape (n,).
        """
        return {}

    def exists(self, values: Values) -> NDArray[np.bool_]:
        """Where every condition holds, shape (n,)."""
        result = np.ones(len(next(iter(values.values()))), dtype=bool)
        for ratio in self.conditions(values).values():
            result &= ratio <= 1
        return result

    def derived(self, values: Values) -> dict[str, FloatArray]:  # noqa: ARG002 - for subclasses
        """Further quantities for tables, each of shape (n,); NaN where there is none."""
        return {}
