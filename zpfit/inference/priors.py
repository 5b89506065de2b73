"""Priors as inverse cumulative distributions, from the unit interval to a parameter.

Examples
--------
>>> prior = LogUniform(lower=1e-6, upper=1e-2)
>>> prior.ppf(np.array([0.0, 0.5, 1.0])).round(10).tolist()
[1e-06, 0.0001, 0.01]
>>> round(prior.cdf(1e-4), 10)
0.5
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, Field, PositiveFloat, model_validator
from scipy.special import ndtr, ndtri

from zpfit.errors import OutsidePrior, in_short
from zpfit.io.arrays import FloatArray
from zpfit.io.schema import AlsoAs, StrictModel
from zpfit.physics import unit_interval
from zpfit.physics.unit_interval import Bound

_NORMAL_REACH = 8.3
"""Largest deviation, in standard deviations, that a double in (0, 1) can give."""


class _Bounded(StrictModel):
    lower: float
    upper: float

    @model_validator(mode="after")
    def _in_order(self) -> "_Bounded":
        if self.lower >= self.upper:
            raise ValueError(f"lower ({self.lower:g}) must be below upper ({self.upper:g})")
        return self

    def support(self) -> tuple[float, float]:
        """Return the smallest and largest value."""
        return self.lower, self.upper


class Uniform(_Bounded):
    """Uniform between two bounds."""

    type: Literal["uniform"] = "uniform"

    def ppf(self, u: FloatArray) -> FloatArray:
        """Return the value at cumulative probability ``u``, between 0 and 1."""
        return self.between(u, self.lower, self.upper)

    @staticmethod
    def between(u: FloatArray, lower: Bound, upper: Bound) -> FloatArray:
        """Return :meth:`ppf` for other bounds, which may be arrays that broadcast with ``u``."""
        return unit_interval.uniform(u, lower, upper)

    def log_density(self, values: FloatArray) -> FloatArray:
        """Return ln of the probability density, -inf outside the bounds."""
        inside = (values >= self.lower) & (values <= self.upper)
        return np.where(inside, -np.log(self.upper - self.lower), -np.inf)

    def stretched(self, factor: float) -> "Uniform":
        """Return the same shape, ``factor`` times as wide about its middle or an end at zero."""
        if self.lower == 0 or self.upper == 0:
            return Uniform(lower=factor * self.lower, upper=factor * self.upper)
        middle, half = (self.lower + self.upper) / 2, factor * (self.upper - self.lower) / 2
        return Uniform(lower=middle - half, upper=middle + half)

    def cdf(self, value: float) -> float:
        """Return the cumulative probability at ``value``."""
        return (value - self.lower) / (self.upper - self.lower)


class LogUniform(_Bounded):
    """Uniform in the logarithm between two positive bounds."""

    type: Literal["log_uniform"] = "log_uniform"
    lower: PositiveFloat
    upper: PositiveFloat

    def ppf(self, u: FloatArray) -> FloatArray:
        """Return the value at cumulative probability ``u``, between 0 and 1."""
        return self.between(u, self.lower, self.upper)

    @staticmethod
    def between(u: FloatArray, lower: Bound, upper: Bound) -> FloatArray:
        """Return :meth:`ppf` for other bounds, which may be arrays that broadcast with ``u``."""
        return unit_interval.log_uniform(u, lower, upper)

    def cdf(self, value: float) -> float:
        """Return the cumulative probability at ``value``."""
        if value <= 0:
            return -np.inf
        return float(np.log(value / self.lower) / np.log(self.upper / self.lower))

    def log_density(self, values: FloatArray) -> FloatArray:
        """Return ln of the probability density, -inf outside the bounds."""
        inside = (values >= self.lower) & (values <= self.upper)
        size = np.where(inside, values, 1.0)
        density = -np.log(size * np.log(self.upper / self.lower))
        result: FloatArray = np.where(inside, density, -np.inf)
        return result

    def stretched(self, factor: float) -> "LogUniform":
        """Return the same shape, ``factor`` times as wide in the logarithm about its middle."""
        lower, upper = _stretched_in_log(self.lower, self.upper, factor)
        return LogUniform(lower=lower, upper=upper)


class SignedLogUniform(_Bounded):
    """Either sign with equal probability, the size uniform in the logarithm.

    The bounds apply to the size. s = 2u - 1 maps to sign(s) lower (upper/lower)^|s|, so the two
    signs meet in the middle of the unit interval, where the parameter is negligible.
    """

    type: Literal["signed_log_uniform"] = "signed_log_uniform"
    lower: PositiveFloat
    upper: PositiveFloat

    def ppf(self, u: FloatArray) -> FloatArray:
        """Return the value at cumulative probability ``u``, between 0 and 1."""
        return self.between(u, self.lower, self.upper)

    @staticmethod
    def between(u: FloatArray, lower: Bound, upper: Bound) -> FloatArray:
        """Return :meth:`ppf` for other bounds, which may be arrays that broadcast with ``u``."""
        return unit_interval.signed_log_uniform(u, lower, upper)

    def cdf(self, value: float) -> float:
        """Return the cumulative probability; outside [0, 1] if the size is out of bounds."""
        if abs(value) < self.lower:
            return np.inf
        size = np.log(abs(value) / self.lower) / np.log(self.upper / self.lower)
        return float(0.5 * (1 + np.copysign(size, value)))

    def log_density(self, values: FloatArray) -> FloatArray:
        """Return ln of the probability density, -inf outside the bounds."""
        one_sided = LogUniform(lower=self.lower, upper=self.upper)
        density: FloatArray = one_sided.log_density(np.abs(values)) - np.log(2)
        return density

    def stretched(self, factor: float) -> "SignedLogUniform":
        """Return the same shape, ``factor`` times as wide in the logarithm of the size."""
        lower, upper = _stretched_in_log(self.lower, self.upper, factor)
        return SignedLogUniform(lower=lower, upper=upper)

    def support(self) -> tuple[float, float]:
        """Return the smallest and largest value."""
        return -self.upper, self.upper


class Normal(StrictModel):
    """Gaussian."""

    type: Literal["normal"] = "normal"
    mean: float
    sd: PositiveFloat

    def ppf(self, u: FloatArray) -> FloatArray:
        """Return the value at cumulative probability ``u``, between 0 and 1."""
        # u = 0 or 1 has no finite value; cut both ends where the upper one runs out of digits.
        edge = np.finfo(float).epsneg
        inside = np.clip(u, edge, 1 - edge)
        result: FloatArray = self.mean + self.sd * ndtri(inside)
        return result

    def cdf(self, value: float) -> float:
        """Return the cumulative probability at ``value``."""
        return float(ndtr((value - self.mean) / self.sd))

    def log_density(self, values: FloatArray) -> FloatArray:
        """Return ln of the probability density."""
        z = (values - self.mean) / self.sd
        result: FloatArray = -0.5 * z**2 - np.log(self.sd * np.sqrt(2 * np.pi))
        return result

    def stretched(self, factor: float) -> "Normal":
        """Return the same mean with ``factor`` times the standard deviation."""
        return Normal(mean=self.mean, sd=factor * self.sd)

    def support(self) -> tuple[float, float]:
        """Return the range that sampling can reach."""
        return self.mean - _NORMAL_REACH * self.sd, self.mean + _NORMAL_REACH * self.sd


class Fractions(StrictModel):
    """Multiples of 1/denominator from -largest to largest, all with equal probability.

    Charges of a gauge group are such numbers in a suitable unit.

    Examples
    --------
    >>> Fractions(largest=1, denominator=2).ppf(np.array([0.1, 0.5, 0.9])).tolist()
    [-1.0, 0.0, 1.0]
    """

    type: Literal["fractions"] = "fractions"
    largest: Annotated[float, Field(gt=0, le=1e4)]
    denominator: Annotated[int, Field(ge=1, le=1000)] = 1

    @property
    def _steps(self) -> int:
        """Number of multiples on either side of zero."""
        return int(np.floor(self.largest * self.denominator * (1 + 1e-12)))

    @model_validator(mode="after")
    def _has_more_than_zero(self) -> "Fractions":
        if self._steps == 0:
            raise ValueError(
                f"largest ({self.largest:g}) is below 1/denominator, which leaves only zero"
            )
        return self

    @property
    def step_width(self) -> float:
        """Probability of each value: the width of a step on the unit interval."""
        return 1 / (2 * self._steps + 1)

    def ppf(self, u: FloatArray) -> FloatArray:
        """Return the value at cumulative probability ``u``, between 0 and 1."""
        steps = self._steps
        result: FloatArray = np.clip(np.floor(u * (2 * steps + 1)), 0, 2 * steps) - steps
        return result / self.denominator

    def cdf(self, value: float) -> float:
        """Return the cumulative probability halfway through a fraction; infinite otherwise."""
        multiple = value * self.denominator
        if abs(multiple - round(multiple)) > 1e-9 * max(1.0, abs(multiple)):
            return np.inf
        return (round(multiple) + self._steps + 0.5) * self.step_width

    def log_density(self, values: FloatArray) -> FloatArray:
        """Return ln of the probability, -inf for values that are no such fractions."""
        multiple = values * self.denominator
        member = np.abs(multiple - np.round(multiple)) < 1e-9 * np.maximum(1, np.abs(multiple))
        member &= np.abs(np.round(multiple)) <= self._steps
        return np.where(member, np.log(self.step_width), -np.inf)

    def stretched(self, factor: float) -> "Fractions":
        """Return fractions up to ``factor`` times the largest, rounded to a fraction."""
        steps = max(round(factor * self._steps), 1)
        return Fractions(largest=steps / self.denominator, denominator=self.denominator)

    def support(self) -> tuple[float, float]:
        """Return the smallest and largest value."""
        end = self._steps / self.denominator
        return -end, end


def _stretched_in_log(lower: float, upper: float, factor: float) -> tuple[float, float]:
    middle, half = np.sqrt(lower * upper), (upper / lower) ** (factor / 2)
    return float(middle / half), float(middle * half)


class Fixed(StrictModel):
    """A constant, not sampled."""

    type: Literal["fixed"] = "fixed"
    value: float


class Tied(StrictModel):
    """A multiple of another parameter, not sampled."""

    type: Literal["tied"] = "tied"
    to: str
    factor: float = 1.0


def _number_means_fixed(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"type": "fixed", "value": value}
    if not isinstance(value, Mapping | BaseModel):
        given = in_short(value)
        # pydantic reports no other exception.
        raise ValueError(f"must be a number or a mapping of keys to values, not {given}")  # noqa: TRY004
    return value


FreePrior = Uniform | LogUniform | SignedLogUniform | Normal | Fractions
Prior = Annotated[
    Annotated[FreePrior | Fixed | Tied, Field(discriminator="type")],
    BeforeValidator(_number_means_fixed),
    AlsoAs("number"),
]
"""Prior of a parameter in a file; a bare number stands for a fixed value."""


@dataclass(frozen=True)
class _Alike:
    """Parameters that are transformed together, as in small batches each numpy call counts."""

    names: list[str]
    axes: list[int]
    """Axes of the unit cube."""
    ppf: Callable[[FloatArray], FloatArray]
    """Function from coordinates, shape (k, n), to values of the same shape."""


@dataclass(frozen=True)
class Priors:
    """The prior of every parameter of a model, in the model's order.

    The parameter to which a ``Tied`` one refers exists and is not tied itself; reading a run file
    checks this.

    Examples
    --------
    >>> priors = Priors({"m": Uniform(lower=10, upper=20), "g": Tied(to="m", factor=-2)})
    >>> {name: values.tolist() for name, values in priors.transform(np.array([[0.5]])).items()}
    {'m': [15.0], 'g': [-30.0]}
    """

    by_name: Mapping[str, FreePrior | Fixed | Tied]

    @cached_property
    def free(self) -> dict[str, FreePrior]:
        """Priors of the sampled parameters, in the order of the unit cube's axes."""
        return {
            name: prior
            for name, prior in self.by_name.items()
            if not isinstance(prior, Fixed | Tied)
        }

    @cached_property
    def _alike(self) -> list["_Alike"]:
        """Groups of free parameters whose priors differ in their bounds alone."""
        axes = {name: axis for axis, name in enumerate(self.free)}
        groups = []
        for kind in (Uniform, LogUniform, SignedLogUniform):
            some = {name: prior for name, prior in self.free.items() if isinstance(prior, kind)}
            if not some:
                continue
            lower, upper = np.array([[prior.lower, prior.upper] for prior in some.values()]).T
            between = partial(kind.between, lower=lower[:, None], upper=upper[:, None])
            groups.append(_Alike(list(some), [axes[name] for name in some], between))
        others = {n: prior for n, prior in self.free.items() if not isinstance(prior, _Bounded)}
        groups += [_Alike([name], [axes[name]], prior.ppf) for name, prior in others.items()]
        return groups

    @cached_property
    def _fixed(self) -> tuple[list[str], FloatArray]:
        """Names of the constants, and their values as a column."""
        fixed = {n: prior.value for n, prior in self.by_name.items() if isinstance(prior, Fixed)}
        return list(fixed), np.array(list(fixed.values()), dtype=float)[:, None]

    @cached_property
    def _tied(self) -> list[tuple[str, Tied]]:
        return [(n, prior) for n, prior in self.by_name.items() if isinstance(prior, Tied)]

    @cached_property
    def step_width(self) -> FloatArray:
        """Width of the steps of each free parameter on the unit cube, 0 if smooth; shape (d,)."""
        return np.array(
            [
                prior.step_width if isinstance(prior, Fractions) else 0.0
                for prior in self.free.values()
            ]
        )

    @cached_property
    def varying(self) -> list[str]:
        """Names of the parameters that are sampled or tied to a sampled one."""
        return [
            name
            for name, prior in self.by_name.items()
            if name in self.free
            or (isinstance(prior, Tied) and prior.to in self.free and prior.factor != 0)
        ]

    def transform(self, u: FloatArray) -> dict[str, FloatArray]:
        """Return every parameter, shape (n,) each, at points of the unit cube, shape (n, d)."""
        values: dict[str, FloatArray] = {}
        for group in self._alike:
            values |= zip(group.names, group.ppf(u.T[group.axes]), strict=True)
        return self.complete(values, len(u))

    def of_axes(self, coordinates: Sequence[FloatArray]) -> dict[str, FloatArray]:
        """Return every parameter from one array for each axis, which may be traced."""
        values = {n: p.ppf(u) for (n, p), u in zip(self.free.items(), coordinates, strict=True)}
        return self.complete(values, len(coordinates[0]))

    def complete(self, values: Mapping[str, FloatArray], n: int) -> dict[str, FloatArray]:
        """Return every parameter at n points from at least the free ones, shape (n,) each."""
        known = {name: values[name] for name in self.free}
        names, constants = self._fixed
        # Views of one number each need no memory.
        known |= zip(names, np.broadcast_to(constants, (len(names), n)), strict=True)
        for name, prior in self._tied:
            known[name] = prior.factor * known[prior.to]
        return {name: known[name] for name in self.by_name}

    def support(self, name: str) -> tuple[float, float]:
        """Return the smallest and largest value of a parameter."""
        prior = self.by_name[name]
        if isinstance(prior, Fixed):
            return prior.value, prior.value
        if isinstance(prior, Tied):
            ends = [prior.factor * end for end in self.support(prior.to)]
            return min(ends), max(ends)
        return prior.support()

    def to_unit_cube(self, point: Mapping[str, float], place: str = "") -> FloatArray:
        """Return the coordinates of a point on the unit cube, shape (d,).

        Raises
        ------
        OutsidePrior
            The prior does not contain a value; the message names the parameter.
        """
        u = np.array([prior.cdf(point[name]) for name, prior in self.free.items()])
        for coordinate, (name, prior) in zip(u, self.free.items(), strict=True):
            if not 0 <= coordinate <= 1:
                settings = prior.model_dump()
                text = ", ".join(
                    f"{key} {value:g}" for key, value in settings.items() if key != "type"
                )
                raise OutsidePrior(name, point[name], f"{prior.type}: {text}", place)
        return u
