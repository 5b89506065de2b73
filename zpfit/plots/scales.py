"""Axes on which each prior is flat: linear, logarithmic, or logarithmic in either sign."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter

from zpfit.errors import InvalidInput
from zpfit.io.arrays import FloatArray
from zpfit.io.figure_spec import AxisLook
from zpfit.plots.labels import text_width

_EDGE = 0.05
"""Fraction of an axis at either end without labels, which would overlap the next panel's."""
_SMALLEST_PLAIN = 1e-3 * (1 - 1e-9)
"""Smallest number that is written without a power of ten."""
_MOST = 5
"""Labels on an axis, unless a figure has less room."""
_DECADES_PER_INCH = 2.5
"""Decades in an inch up to which an axis has ticks between them: these stay a point apart."""


@dataclass(frozen=True)
class Room:
    """Room for the labels of an axis."""

    most: int = _MOST
    """Largest number of labels; two are always written."""
    edge: float = _EDGE
    """Fraction of the axis at either end without labels."""
    inches: float = 2.4
    """Length of the axis."""


AMPLE = Room()
_LONG = Room(most=6)
_BUNCHED = 0.7
"""Decades from which values at equal distances would bunch up on a logarithmic axis."""


class Scale(Protocol):
    """A map from parameter values to axis coordinates, and its ticks."""

    def forward(self, values: FloatArray) -> FloatArray:
        """Return axis coordinates of values."""

    def set_ticks(self, axis: Axis, limits: tuple[float, float], room: Room = AMPLE) -> None:
        """Label the axis between two coordinates with values, at least two."""


@dataclass(frozen=True)
class Linear:
    """A linear scale."""

    def forward(self, values: FloatArray) -> FloatArray:
        """Return axis coordinates of values."""
        return np.asarray(values, dtype=float)

    def set_ticks(self, axis: Axis, limits: tuple[float, float], room: Room = AMPLE) -> None:
        """Label the axis between two coordinates with values, at least two."""
        ticks = even_ticks(limits, room)
        axis.set_major_locator(FixedLocator(ticks))
        axis.set_minor_locator(FixedLocator(_between_even(ticks, limits)))
        # Rather in each label than beside the frame, where a factor is overlooked.
        axis.set_major_formatter(FuncFormatter(_even_labels(ticks)))
        axis.set_minor_formatter(NullFormatter())


def even_ticks(limits: tuple[float, float], room: Room = AMPLE) -> list[float]:
    """Return round numbers between two limits, clear of the ends: at least two.

    Examples
    --------
    >>> even_ticks((16.9, 17.12))
    [16.95, 17.0, 17.05, 17.1]
    """
    candidates = [
        _inside(
            MaxNLocator(bins, steps=[1, 2, 5, 10], min_n_ticks=2).tick_values(*limits),
            limits,
            room.edge,
        )
        for bins in range(1, 3 * room.most + 4)
    ]
    fitting = [ticks for ticks in candidates if 2 <= len(ticks) <= max(room.most, 2)]
    if fitting:
        found = max(fitting, key=len)
    else:  # round numbers come in threes here: the outer ones are left
        fewest = next(ticks for ticks in candidates if len(ticks) > 1)
        found = fewest[:: len(fewest) - 1]
    return [float(f"{tick:.12g}") for tick in found]


def _between_even(ticks: Sequence[float], limits: tuple[float, float]) -> list[float]:
    """Return minor ticks: fifths of the distance between ticks, or quarters of one like 2."""
    step = ticks[1] - ticks[0]
    first = round(step / 10.0 ** np.floor(np.log10(step) + 1e-9))
    fine = step / (4 if first == 2 else 5)
    below, above = (int((ticks[0] - limits[0]) / fine), int((limits[1] - ticks[0]) / fine))
    return [ticks[0] + index * fine for index in range(-below, above + 1)]


def _even_labels(ticks: Sequence[float]) -> Callable[[float, int], str]:
    """Return a formatter that gives each of some even ticks as many digits as it needs."""
    largest, step = max(map(abs, ticks)), ticks[1] - ticks[0]
    power = int(np.floor(np.log10(largest) + 1e-9))
    # Powers of ten in labels take room: plain numbers from 0.001 to 99,999.
    factored = not -3 <= power < 5
    unit = 10.0**power if factored else 1.0
    digits = max(0, -int(np.floor(np.log10(step / unit) + 1e-9)))

    def label(value: float, _: int) -> str:
        if abs(value) < 1e-9 * largest:
            return "0"
        number = f"{value / unit:.{digits}f}"
        if not factored:
            return number.replace("-", "\N{MINUS SIGN}")
        sign, number = ("-", number[1:]) if number.startswith("-") else ("", number)
        digits_of_one = float(number) == 1 and digits == 0
        return (
            f"${sign}10^{{{power}}}$" if digits_of_one else rf"${sign}{number}\times10^{{{power}}}$"
        )

    return label


@dataclass(frozen=True)
class Log:
    """A logarithmic scale."""

    def forward(self, values: FloatArray) -> FloatArray:
        """Return axis coordinates of values."""
        result: FloatArray = np.log10(values)
        return result

    def set_ticks(self, axis: Axis, limits: tuple[float, float], room: Room = AMPLE) -> None:
        """Label the axis between two coordinates with values, at least two."""
        ticks = log_ticks(limits, room)
        powers = 10 ** min(ticks) < _SMALLEST_PLAIN
        axis.set_major_locator(FixedLocator(ticks))
        axis.set_major_formatter(FuncFormatter(lambda x, _: in_digits(10**x, powers=powers)))
        axis.set_minor_locator(FixedLocator(minor_log_ticks(limits, room.inches)))
        axis.set_minor_formatter(NullFormatter())


def minor_log_ticks(limits: tuple[float, float], inches: float) -> list[float]:
    """Return the coordinates of minor ticks between two decimal logarithms.

    Parameters
    ----------
    limits
        The logarithms at the ends of the axis.
    inches
        Its length; a short axis has ticks at decades alone.

    Examples
    --------
    >>> [round(10**tick) for tick in minor_log_ticks((0.9, 1.7), 1.0)]
    [8, 9, 10, 20, 30, 40, 50]
    >>> [round(10**tick) for tick in minor_log_ticks((0, 4), 1.0)]
    [1, 10, 100, 1000, 10000]
    """
    decades = range(int(np.floor(limits[0])), int(np.ceil(limits[1])) + 1)
    fine = limits[1] - limits[0] <= _DECADES_PER_INCH * inches
    digits = range(1, 10) if fine else (1,)
    ticks = np.log10([digit * 10.0**decade for decade in decades for digit in digits])
    found = [float(tick) for tick in ticks if limits[0] <= tick <= limits[1]]
    if len(found) > 1:
        return found
    ends = (10 ** limits[0], 10 ** limits[1])
    return [float(np.log10(value)) for value in _between_even(even_ticks(ends), ends)]


def log_ticks(limits: tuple[float, float], room: Room = _LONG) -> list[float]:
    """Return the coordinates of ticks between two decimal logarithms, three or more if possible.

    Examples
    --------
    >>> [round(10**tick) for tick in log_ticks((0.5, 4.5))]
    [10, 100, 1000, 10000]
    >>> [round(10**tick) for tick in log_ticks((np.log10(14), np.log10(30)))]
    [15, 20, 25]
    >>> [round(10**tick) for tick in log_ticks((np.log10(11), np.log10(99)))]
    [20, 50]
    """
    decades = range(int(np.floor(limits[0])), int(np.ceil(limits[1])) + 1)
    most = max(room.most, 2)
    for digits in ((1,), (1, 3), (1, 2, 5)):
        candidates = [digit * 10.0**decade for decade in decades for digit in digits]
        found = _inside(np.log10(candidates), limits, room.edge)
        if len(found) > 2 or (len(found) == 2 and most < 4):
            return found[:: -(-(len(found) - 1) // (most - 1))] if len(found) > most else found
    if len(found) == 2 and limits[1] - limits[0] > _BUNCHED:
        return found
    even = even_ticks((10 ** limits[0], 10 ** limits[1]), room)
    return [float(np.log10(value)) for value in even]


def in_digits(value: float, *, powers: bool = False) -> str:
    r"""Return a number of a tick: with a power of ten if it is small or large.

    Parameters
    ----------
    value
        The number.
    powers
        True if all numbers below 1 have a power of ten, because one of the axis needs it.

    Examples
    --------
    >>> in_digits(0.02), in_digits(2e-4), in_digits(1e-4)
    ('0.02', '$2\\times10^{-4}$', '$10^{-4}$')
    """
    if value == 0:
        return "0"
    sign, size = ("-", -value) if value < 0 else ("", value)
    smallest = 1.0 if powers else _SMALLEST_PLAIN
    if smallest * (1 - 1e-9) <= size < 1e5 * (1 - 1e-9):
        return f"{value:.6g}".replace("-", "\N{MINUS SIGN}")
    exponent = int(np.floor(np.log10(size) + 1e-9))
    digits = f"{size / 10.0**exponent:.4g}"
    power = f"10^{{{exponent}}}"
    return f"${sign}{power}$" if digits == "1" else rf"${sign}{digits}\times{power}$"


@dataclass(frozen=True)
class SignedLog:
    """A signed logarithmic scale: decades above ``lower`` with the sign."""

    lower: float

    def forward(self, values: FloatArray) -> FloatArray:
        """Return axis coordinates of values."""
        decades = np.log10(np.maximum(np.abs(values), self.lower) / self.lower)
        result: FloatArray = np.copysign(decades, values)
        return result

    def set_ticks(self, axis: Axis, limits: tuple[float, float], room: Room = AMPLE) -> None:
        """Label the axis between two coordinates with values, at least two."""
        ticks = self._ticks(limits, room)
        axis.set_major_locator(FixedLocator(ticks))
        axis.set_major_formatter(FuncFormatter(lambda x, _: self._label(x)))
        reach = (self._base, self._base + max(map(abs, limits)))
        # Both signs share the axis: each has its part of the length.
        share = (reach[1] - reach[0]) / (limits[1] - limits[0])
        minor = np.array(minor_log_ticks(reach, share * room.inches)) - self._base
        axis.set_minor_locator(
            FixedLocator([x for x in (*-minor, *minor) if limits[0] <= x <= limits[1]])
        )
        axis.set_minor_formatter(NullFormatter())

    @property
    def _base(self) -> float:
        return float(np.log10(self.lower))

    def _ticks(self, limits: tuple[float, float], room: Room) -> list[float]:
        """Return zero, if it is inside, and values on either side with equal spacing."""
        base = self._base
        reach = max(abs(limits[0]), abs(limits[1])) - room.edge * (limits[1] - limits[0])
        sides = 2 if limits[0] < 0 < limits[1] else 1
        widest = max(1, int(np.ceil(sides * reach / max(room.most - 1, 2))))
        candidates = [
            self._spaced(spacing, reach, limits, room.edge) for spacing in range(widest, 0, -1)
        ]
        candidates = [found for found in candidates if len(found) > 1]
        fitting = [found for found in candidates if len(found) <= room.most]
        if fitting:
            return max(fitting, key=len)
        if candidates:
            # Without room for more, the outer two say more than zero and one of them.
            found = candidates[0]
            return found if room.most > 2 else found[:: len(found) - 1]
        sign = -1.0 if limits[1] <= 0 else 1.0
        ends = sorted(base + sign * np.array(limits))
        inner = [sign * (tick - base) for tick in log_ticks((ends[0], ends[1]), room)]
        return sorted(inner) if sides == 1 else [0.0]

    def _spaced(
        self, spacing: int, reach: float, limits: tuple[float, float], edge: float
    ) -> list[float]:
        """Return zero and values with so many decades between them."""
        base = self._base
        # Labels closer to zero than half a spacing would run into its own.
        exponents = np.arange(np.floor(base + reach), base + 0.5 * spacing, -spacing)
        decades = np.concatenate([-(exponents - base), [0], exponents - base])
        return _inside(np.unique(decades), limits, edge)

    def _label(self, coordinate: float) -> str:
        if abs(coordinate) < 1e-9:
            return r"$0$"
        size = self.lower * 10 ** abs(coordinate)
        return in_digits(float(np.copysign(size, coordinate)), powers=True)


def _inside(ticks: Iterable[float], limits: tuple[float, float], edge: float) -> list[float]:
    margin = edge * (limits[1] - limits[0])
    return [float(tick) for tick in ticks if limits[0] + margin < tick < limits[1] - margin]


def scale_of(attributes: Mapping[str, Any]) -> Scale:
    """Return the scale in the attributes of a parameter."""
    if attributes["scale"] == "signed_log":
        return SignedLog(float(attributes["lower"]))
    if attributes["scale"] == "log":
        return Log()
    return Linear()


def axis_label(attributes: Mapping[str, Any]) -> str:
    """Return symbol and unit as a label, or the label that a figure gives."""
    if attributes.get("label"):
        return str(attributes["label"])
    unit = attributes["unit"]
    return f"${attributes['symbol']}$" + (f" [{unit}]" if unit else "")


def described(
    attributes: Mapping[str, Any], look: AxisLook | None, values: FloatArray
) -> Mapping[str, Any]:
    """Return the attributes of a parameter with the scale and label that a figure gives.

    Parameters
    ----------
    attributes
        Symbol, unit and scale of the parameter.
    look
        Description of its axis.
    values
        What the axis shows.

    Raises
    ------
    InvalidInput
        The axis is logarithmic and some values are not positive.
    """
    if look is None:
        return attributes
    if look.scale == "log" and np.min(values) <= 0:
        symbol = attributes["symbol"]
        raise InvalidInput(
            [
                (
                    f"figure.axes: {symbol} has values of {np.min(values):g}, which a logarithmic "
                    "axis cannot show; give scale: linear, or leave the scale out"
                )
            ]
        )
    given = {"label": look.label, "scale": look.scale}
    return {**attributes, **{key: value for key, value in given.items() if value is not None}}


def ranged(limits: tuple[float, float], scale: Scale, look: AxisLook | None) -> tuple[float, float]:
    """Return the coordinates of the ends of an axis, given those that the content asks for."""
    if look is None:
        return limits
    ends = [
        float(scale.forward(np.array([own]))[0]) if own is not None else limit
        for own, limit in zip((look.lower, look.upper), limits, strict=True)
    ]
    return (ends[0], ends[1]) if ends[0] < ends[1] else limits


def room_for(inches: float, text: str, size: float, *, across: bool) -> Room:
    """Return the room for labels like a text on an axis.

    Parameters
    ----------
    inches
        Length of the axis.
    text
        A typical label.
    size
        Its size in points.
    across
        True if labels follow each other in the direction of their lines.
    """
    each = 1.3 * text_width(text, size) if across else 1.9 * size / 72
    most = max(2, min(_MOST, int(inches / each)))
    return Room(most, max(_EDGE, 0.6 * size / 72 / inches), inches)


def longest_label(scale: Scale, limits: tuple[float, float], room: Room, size: float) -> float:
    """Return the length in inches of the longest tick label that an axis would have."""
    axis = Figure().subplots().xaxis
    axis.axes.set_xlim(*limits)
    scale.set_ticks(axis, limits, room)
    labels = axis.get_major_formatter().format_ticks(list(axis.get_majorticklocs()))
    return max(text_width(label, size) for label in labels)


def coordinates(attributes: Mapping[str, Any], values: Sequence[float]) -> tuple[float, float]:
    """Return the coordinates of the two ends of an axis."""
    first, last = scale_of(attributes).forward(np.array(values, dtype=float))
    return float(first), float(last)


def set_native_ticks(axis: Axis, attributes: Mapping[str, Any], room: Room) -> None:
    """Label an axis of matplotlib's own scale, linear or logarithmic, with its values.

    Parameters
    ----------
    axis
        Axis with its scale and limits set.
    attributes
        Scale (``"linear"`` or ``"log"``), lower and upper end of the axis.
    room
        Room for its labels.
    """
    limits = coordinates(attributes, (attributes["lower"], attributes["upper"]))
    if attributes["scale"] != "log":
        Linear().set_ticks(axis, limits, room)
        return
    # Numbers in full on a short axis, powers of ten on a long one.
    ticks = log_ticks(limits, room)
    powers = 10 ** min(ticks) < _SMALLEST_PLAIN
    axis.set_major_locator(FixedLocator([10**tick for tick in ticks]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: in_digits(value, powers=powers)))
    minor = minor_log_ticks(limits, room.inches)
    axis.set_minor_locator(FixedLocator([10**tick for tick in minor]))
    axis.set_minor_formatter(NullFormatter())
