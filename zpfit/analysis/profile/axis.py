"""Axes of profiles: a sampled parameter and its range."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from zpfit.errors import InvalidInput, ProblemCollector, suggestion
from zpfit.inference.priors import Fixed, Fractions, FreePrior, Normal, Priors, Tied
from zpfit.io.arrays import FloatArray

_NORMAL_RANGE = 5.0
"""Half the default range of an axis with a Gaussian prior, in standard deviations."""


@dataclass(frozen=True)
class Axis:
    """A range of one axis of the unit cube.

    Its coordinate is that of the unit cube, in which the prior is uniform: linear, logarithmic,
    or logarithmic in either sign. For a Gaussian prior the coordinate is the value.
    """

    name: str
    index: int
    """Number of the axis of the unit cube."""
    prior: FreePrior
    low: float
    """Coordinate of the lower end."""
    high: float
    """Coordinate of the upper end."""

    def nodes(self, points: int) -> FloatArray:
        """Return coordinates at equal distances, with both ends, shape (points,)."""
        return np.linspace(self.low, self.high, points)

    @property
    def reach(self) -> tuple[float, float]:
        """Coordinates of the ends of the prior."""
        return self.prior.support() if isinstance(self.prior, Normal) else (0.0, 1.0)

    def to_cube(self, coordinates: FloatArray) -> FloatArray:
        """Return the positions on the unit cube of coordinates."""
        if not isinstance(self.prior, Normal):
            return coordinates
        result: FloatArray = ndtr((coordinates - self.prior.mean) / self.prior.sd)
        return result

    def from_cube(self, u: FloatArray) -> FloatArray:
        """Return the coordinates of positions ``u`` on this axis of the unit cube."""
        return self.prior.ppf(u) if isinstance(self.prior, Normal) else u

    def values(self, coordinates: FloatArray) -> FloatArray:
        """Return the parameter values at coordinates."""
        return self.prior.ppf(self.to_cube(coordinates))


@dataclass(frozen=True)
class AxisRequest:
    """A parameter and its range, as a user requests an axis."""

    name: str
    ends: tuple[float, float] | None = None
    """Lower and upper end as parameter values; None for the range of the prior."""
    source: str = "axis"
    """Origin of the request, for messages."""
    text: str = ""
    """Text of the request, if a user typed one."""

    @property
    def place(self) -> str:
        """Place of the request, with which messages begin."""
        return f"{self.source} {self.text or self.name}"


def choose_axes(priors: Priors, requests: Sequence[AxisRequest]) -> tuple[Axis, ...]:
    """Return the requested axes.

    Parameters
    ----------
    priors
        Priors of all parameters.
    requests
        One or two parameters, with ranges.

    Raises
    ------
    InvalidInput
        Requests are impossible; the message lists all problems with their places.
    """
    problems = ProblemCollector()
    axes = []
    for request in requests:
        with problems.collecting():
            axes.append(_axis(priors, request))
    names = [axis.name for axis in axes]
    for name in sorted({name for name in names if names.count(name) > 1}):
        options = " and ".join(request.source for request in requests)
        problems.add(f"{options}: both are {name}; choose two parameters, or leave one out")
    problems.raise_if_any()
    return tuple(axes)


def _axis(priors: Priors, request: AxisRequest) -> Axis:
    name, place = request.name, request.place
    prior = _smooth_prior(priors, name, place)
    axis = Axis(name, list(priors.free).index(name), prior, *_default_range(prior))
    if request.ends is None:
        return axis
    low, high = (_coordinate(axis, value, place) for value in request.ends)
    if not low < high:
        raise InvalidInput([f"{place}: the range is empty or reversed; give the lower end first"])
    return Axis(name, axis.index, prior, low, high)


def _smooth_prior(priors: Priors, name: str, place: str) -> FreePrior:
    smooth = [n for n, prior in priors.free.items() if not isinstance(prior, Fractions)]
    prior = priors.by_name.get(name)
    if prior is None:
        problem = f"no parameter {name!r}; {suggestion(name, smooth)}"
    elif isinstance(prior, Fixed):
        problem = f"{name} is fixed to {prior.value:g}; {_choices(smooth)}"
    elif isinstance(prior, Tied):
        problem = f"{name} is tied to {prior.to}; {_choices(smooth)}"
    elif isinstance(prior, Fractions):
        problem = f"{name} comes in steps of 1/{prior.denominator}; {_choices(smooth)}"
    else:
        return prior
    raise InvalidInput([f"{place}: {problem}"])


def _choices(names: Sequence[str]) -> str:
    if not names:
        return "no parameter is sampled and smooth; give one such a prior"
    return f"choose one that is sampled and smooth: {', '.join(names)}"


def _default_range(prior: FreePrior) -> tuple[float, float]:
    if isinstance(prior, Normal):
        half = _NORMAL_RANGE * prior.sd
        return prior.mean - half, prior.mean + half
    return 0.0, 1.0


def _coordinate(axis: Axis, value: float, place: str) -> float:
    low, high = axis.prior.support()
    # "not <=" refuses NaN as well. Values between the signs of a signed logarithm count as zero.
    if not low <= value <= high:
        outside = f"{value:g} lies outside the prior of {axis.name} ({low:g} to {high:g})"
        raise InvalidInput([f"{place}: {outside}; move the range or widen the prior"])
    if isinstance(axis.prior, Normal):
        return value
    coordinate = axis.prior.cdf(value)
    return coordinate if 0 <= coordinate <= 1 else 0.5
