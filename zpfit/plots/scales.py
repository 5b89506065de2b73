"""Axes on which each prior is flat: linear, logarithmic, or logarithmic in either sign."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from zpfit.io.arrays import FloatArray

_EDGE = 0.05
"""Fraction of an axis at either end without labels, which would overlap the next panel's."""
_MAX_DECADE_LABELS = 3
"""Largest number of decades with labels on each side of a signed logarithmic axis."""


class Scale(Protocol):
    """A map from parameter values to axis coordinates, and its ticks."""

    def forward(self, values: FloatArray) -> FloatArray:
        """Return axis coordinates of values."""

    def set_ticks(self, axis: Axis, limits: tuple[float, float]) -> None:
        """Label the axis between two coordinates with values."""


@dataclass(frozen=True)
class Linear:
    """A linear scale."""

    def forward(self, values: FloatArray) -> FloatArray:
        """Return axis coordinates of values."""
        return np.asarray(values, dtype=float)

    def set_ticks(self, axis: Axis, limits: tuple[float, float]) -> None:
        """Label the axis between two coordinates with values."""
        ticks = MaxNLocator(4).tick_values(*limits)
        axis.set_major_locator(FixedLocator(_inside(ticks, limits)))
        small = max(abs(limits[0]), abs(limits[1])) < 1e-3
        if small:  # rather in each label than beside the frame, where it is overlooked
            axis.set_major_formatter(FuncFormatter(lambda x, _: in_digits(x) if x else "0"))


@dataclass(frozen=True)
class Log:
    """A logarithmic scale."""

    def forward(self, values: FloatArray) -> FloatArray:
        """Return axis coordinates of values."""
        result: FloatArray = np.log10(values)
        return result

    def set_ticks(self, axis: Axis, limits: tuple[float, float]) -> None:
        """Label the axis between two coordinates with values."""
        axis.set_major_locator(FixedLocator(log_ticks(limits)))
        axis.set_major_formatter(FuncFormatter(lambda x, _: in_digits(10**x)))


def log_ticks(limits: tuple[float, float]) -> list[float]:
    """Return the coordinates of ticks between two decimal logarithms, three or more if possible.

    Examples
    --------
    >>> [round(10**tick) for tick in log_ticks((0.5, 4.5))]
    [10, 100, 1000, 10000]
    >>> [round(10**tick) for tick in log_ticks((np.log10(14), np.log10(30)))]
    [15, 20, 25]
    """
    decades = range(int(np.floor(limits[0])), int(np.ceil(limits[1])) + 1)
    for digits in ((1,), (1, 2, 5)):
        candidates = [digit * 10.0**decade for decade in decades for digit in digits]
        found = _inside(np.log10(candidates), limits)
        if len(found) > 2:
            return found
    locator = MaxNLocator(5, steps=[1, 2, 2.5, 5, 10])
    even = np.asarray(locator.tick_values(10 ** limits[0], 10 ** limits[1]), dtype=float)
    return _inside(np.log10(even[even > 0]), limits)


def in_digits(value: float) -> str:
    r"""Return a number of a tick: with a power of ten if it is small or large.

    Examples
    --------
    >>> in_digits(0.02), in_digits(2e-4), in_digits(1e-4)
    ('0.02', '$2\\times10^{-4}$', '$10^{-4}$')
    """
    if 1e-3 <= abs(value) < 1e5:
        return f"{value:.6g}"
    exponent = int(np.floor(np.log10(abs(value)) + 1e-9))
    digits = f"{value / 10.0**exponent:.4g}"
    power = f"10^{{{exponent}}}"
    return f"${power}$" if digits == "1" else rf"${digits}\times{power}$"


@dataclass(frozen=True)
class SignedLog:
    """A signed logarithmic scale: decades above ``lower`` with the sign."""

    lower: float

    def forward(self, values: FloatArray) -> FloatArray:
        """Return axis coordinates of values."""
        decades = np.log10(np.maximum(np.abs(values), self.lower) / self.lower)
        result: FloatArray = np.copysign(decades, values)
        return result

    def set_ticks(self, axis: Axis, limits: tuple[float, float]) -> None:
        """Label the axis between two coordinates with values."""
        base = np.log10(self.lower)
        reach = max(abs(limits[0]), abs(limits[1])) - _EDGE * (limits[1] - limits[0])
        spacing = max(1, int(np.ceil(reach / _MAX_DECADE_LABELS)))
        # Labels closer to zero than half a spacing would run into its own.
        exponents = np.arange(np.floor(base + reach), base + 0.5 * spacing, -spacing)
        decades = np.concatenate([-(exponents - base), [0], exponents - base])
        axis.set_major_locator(FixedLocator(_inside(decades, limits)))
        axis.set_major_formatter(FuncFormatter(lambda x, _: self._label(x, base)))

    @staticmethod
    def _label(coordinate: float, base: float) -> str:
        if abs(coordinate) < 1e-9:
            return r"$0$"
        sign = "-" if coordinate < 0 else ""
        return rf"${sign}10^{{{round(base + abs(coordinate)):d}}}$"


def _inside(ticks: Iterable[float], limits: tuple[float, float]) -> list[float]:
    margin = _EDGE * (limits[1] - limits[0])
    return [float(tick) for tick in ticks if limits[0] + margin < tick < limits[1] - margin]


def scale_of(attributes: Mapping[str, Any]) -> Scale:
    """Return the scale in the attributes of a parameter."""
    if attributes["scale"] == "signed_log":
        return SignedLog(float(attributes["lower"]))
    if attributes["scale"] == "log":
        return Log()
    return Linear()


def axis_label(attributes: Mapping[str, Any]) -> str:
    """Return symbol and unit as a label."""
    unit = attributes["unit"]
    return f"${attributes['symbol']}$" + (f" [{unit}]" if unit else "")
