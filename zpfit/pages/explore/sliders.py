"""Sliders: the range and scale of a parameter's prior."""

from dataclasses import dataclass
from typing import Any, assert_never

import numpy as np

from zpfit.inference.priors import (
    Fixed,
    Fractions,
    FreePrior,
    LogUniform,
    Normal,
    SignedLogUniform,
    Tied,
    Uniform,
)
from zpfit.io.arrays import FloatArray
from zpfit.models.base import Parameter
from zpfit.models.gauge import SINGLET
from zpfit.pages.report.symbols import symbol_html

Scale = Uniform | LogUniform | SignedLogUniform | Fractions
"""Map from a position, 0 to 1, to a value: the inverse cumulative distribution."""

_SMALLEST, _LARGEST = 1e-8, 1e8
"""Range of sizes of a parameter without a prior."""
_LARGEST_OF_EITHER_SIGN = 1e2
_SINGLET = LogUniform(lower=1e2, upper=1e10)
"""Range of a mass in MeV without a prior, which covers all searches."""
_STANDARD_DEVIATIONS = 4
"""Standard deviations on either side of the mean of a normal prior."""


@dataclass(frozen=True)
class Slider:
    """A parameter of a model and its scale."""

    parameter: Parameter
    scale: Scale

    def nodes(self, n: int) -> FloatArray:
        """Return positions from 0 to 1 for a grid, at most one for each value of the parameter."""
        if isinstance(self.scale, Fractions):
            steps = round(1 / self.scale.step_width)
            n = min(n, steps)
        return np.asarray((np.arange(n) + 0.5) / n)

    def values(self, positions: FloatArray) -> FloatArray:
        """Return the values of the parameter at positions, shape (n,)."""
        return self.scale.ppf(positions)

    @property
    def middle(self) -> float:
        """Zero for a parameter of either sign, otherwise the median."""
        if isinstance(self.scale, SignedLogUniform):
            return 0.0
        return float(self.scale.ppf(np.array([0.5]))[0])

    def as_json(self) -> dict[str, Any]:
        """Return the description of the slider for the page."""
        scale, parameter = self.scale, self.parameter
        lower, upper = scale.support()
        if isinstance(scale, SignedLogUniform):
            lower, upper = scale.lower, scale.upper
        step = 1 / scale.denominator if isinstance(scale, Fractions) else None
        return {
            "name": parameter.name,
            "label": str(symbol_html(parameter.symbol or parameter.name)),
            "unit": parameter.unit,
            "meaning": parameter.meaning,
            "domain": list(parameter.domain),
            "scale": scale.type,
            "lower": lower,
            "upper": upper,
            "step": step,
        }


def slider(parameter: Parameter, prior: FreePrior | Fixed | Tied | None) -> Slider:
    """Return the slider of a parameter, on the scale of its prior or of its domain."""
    match prior:
        case Uniform() | LogUniform() | SignedLogUniform() | Fractions():
            scale: Scale = prior
        case Normal():
            reach = _STANDARD_DEVIATIONS * prior.sd
            scale = Uniform(lower=prior.mean - reach, upper=prior.mean + reach)
        case None if parameter.name == SINGLET.name:
            scale = _SINGLET
        case Fixed() | Tied() | None:
            scale = _over_domain(*parameter.domain)
        case _:
            assert_never(prior)
    low, high = scale.support()
    if parameter.domain[0] <= low and high <= parameter.domain[1]:
        return Slider(parameter, scale)
    return Slider(parameter, _over_domain(*parameter.domain))


def _over_domain(low: float, high: float) -> Scale:
    if low < 0 < high:
        largest = min(-low, high, _LARGEST_OF_EITHER_SIGN)
        if largest > _SMALLEST:
            return SignedLogUniform(lower=_SMALLEST, upper=largest)
    if low >= 0 and max(low, _SMALLEST) < min(high, _LARGEST):
        return LogUniform(lower=max(low, _SMALLEST), upper=min(high, _LARGEST))
    return Uniform(lower=low, upper=high)
