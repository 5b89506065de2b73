"""Planes of two parameters through a model, with fixed, solved and profiled parameters."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize.elementwise import find_root

from zpfit.errors import UndefinedValue
from zpfit.inference.priors import FreePrior
from zpfit.io.arrays import FloatArray
from zpfit.models.base import Model, in_words
from zpfit.physics.couplings import Couplings
from zpfit.physics.observables import Observable

_ROOT_TOLERANCES = {"xrtol": 1e-14, "xatol": 1e-300, "frtol": 0.0, "fatol": 0.0}
_MAX_ROOT_STEPS = 200
"""Steps of Chandrupatla's method; it needs about ten where the observable is smooth."""
_SCAN = np.append(0, np.geomspace(2e-3, 1, 32))
"""Fractions of the search range between which a change of sign is searched.

A coupling grows by a factor of 1.8 from one to the next.
"""


@dataclass(frozen=True)
class Side:
    """A parameter along a side of the plane, with coordinates from 0 to 1."""

    name: str
    lower: float
    upper: float
    scale: Literal["linear", "log"]

    def values(self, coordinates: FloatArray) -> FloatArray:
        """Return parameter values at coordinates, shape (n,)."""
        if self.scale == "log":
            return np.asarray(self.lower * (self.upper / self.lower) ** coordinates)
        return np.asarray(self.lower + coordinates * (self.upper - self.lower))


@dataclass(frozen=True)
class Solved:
    """A parameter whose value follows from the value of an observable.

    The root is the first one between ``start`` and ``end``: the search looks for a change of sign
    of the observable minus ``value`` in steps that grow from 1e-8 to 0.5 of the range.
    """

    name: str
    observable: Observable
    value: float
    start: float
    end: float
    nearest: bool = False
    """Accept the closest value on the search grid where there is no solution."""


@dataclass(frozen=True)
class PlanePoints:
    """Points of a plane with their parameters, couplings and conditions."""

    parameters: dict[str, FloatArray]
    """Parameters, each of shape (n,). Without a solution, a solved one has the closest value."""
    couplings: Couplings
    """Couplings at all points, also where there is no solution or no model."""
    solved: NDArray[np.bool_]
    """True where every solved parameter has a solution, shape (n,)."""
    conditions: dict[str, FloatArray]
    """Ratio of each condition; above 1 the model cannot exist."""

    @property
    def exist(self) -> NDArray[np.bool_]:
        """True where the model exists, shape (n,)."""
        result = np.ones(len(self.solved), dtype=bool)
        for ratio in self.conditions.values():
            result &= ratio <= 1
        return result

    def take(self, indices: NDArray[np.intp]) -> "PlanePoints":
        """Return the points at some indices."""
        return PlanePoints(
            {name: values[indices] for name, values in self.parameters.items()},
            self.couplings.take(indices),
            self.solved[indices],
            {name: ratio[indices] for name, ratio in self.conditions.items()},
        )


@dataclass(frozen=True)
class Plane:
    """A slice through the parameters of a model, or the profile over some of them."""

    model: Model
    x: Side
    y: Side
    fixed: Mapping[str, float]
    solved: tuple[Solved, ...] = ()
    profiled: Mapping[str, FreePrior] = field(default_factory=dict)
    """Parameters that take the best-fitting value, and the priors that limit them."""

    def conditions(self) -> list[str]:
        """Return the names of the conditions of the model."""
        middle = np.full((1, 2 + len(self.profiled)), 0.5)
        return list(self.model.conditions(self.starting_parameters(middle)))

    def points(self, u: FloatArray) -> PlanePoints:
        """Return points at coordinates u from 0 to 1 of x, y and the profiled parameters.

        Parameters
        ----------
        u
            Coordinates, shape (n, 2 + k) with k profiled parameters.

        Raises
        ------
        UndefinedValue
            A coupling is NaN at a point that exists.
        """
        parameters = self.starting_parameters(u)
        solved = np.ones(len(u), dtype=bool)
        for search in self.solved:
            parameters[search.name], found = self._solve(search, parameters)
            solved &= found
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            couplings = self.model.couplings(parameters)
            conditions = self.model.conditions(parameters)
        points = PlanePoints(parameters, couplings, solved, conditions)
        self._refuse_nan(points)
        return points

    def starting_parameters(self, u: FloatArray) -> dict[str, FloatArray]:
        """Return all parameters in the model's order, solved ones at the start of the search."""
        n = len(u)
        known = {name: np.full(n, value) for name, value in self.fixed.items()}
        known |= {search.name: np.full(n, search.start) for search in self.solved}
        known |= {axis.name: axis.values(u[:, i]) for i, axis in enumerate((self.x, self.y))}
        known |= {
            name: prior.ppf(u[:, 2 + i]) for i, (name, prior) in enumerate(self.profiled.items())
        }
        return {parameter.name: known[parameter.name] for parameter in self.model.parameters}

    def _refuse_nan(self, points: PlanePoints) -> None:
        for name, row in points.couplings.items():
            broken = np.isnan(row) & points.exist
            if broken.any():
                source = f"coupling {name} of model {self.model.name!r}"
                raise UndefinedValue(source, in_words(points.parameters, int(np.argmax(broken))))

    def _solve(
        self, search: Solved, parameters: Mapping[str, FloatArray]
    ) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Return values of the parameter, and whether they are solutions; each of shape (n,)."""
        varying = [name for name in parameters if name not in self.fixed and name != search.name]
        reach = search.end - search.start

        def excess(share: FloatArray, *others: FloatArray) -> FloatArray:
            shape, share = np.shape(share), np.atleast_1d(share)
            known = dict(zip(varying, map(np.atleast_1d, others), strict=True))
            known |= {name: np.broadcast_to(v, share.shape) for name, v in self.fixed.items()}
            known[search.name] = search.start + reach * _crowded(share)
            point = {name: known[name] for name in parameters}
            with np.errstate(all="ignore"):  # a point without a value has no root
                c = self.model.couplings(point)
                return (search.observable.function(c) - search.value).reshape(shape)

        others = tuple(parameters[name] for name in varying)
        n = len(others[0])
        repeated = (np.repeat(values, len(_SCAN)) for values in others)
        scanned = excess(np.tile(_SCAN, n), *repeated).reshape(n, len(_SCAN))
        changes = np.sign(scanned[:, :-1]) * np.sign(scanned[:, 1:]) <= 0
        first = np.argmax(changes, axis=1)  # argmax gives 0, the first interval, without any change
        result = find_root(
            excess,
            (_SCAN[first], _SCAN[first + 1]),
            args=others,
            tolerances=_ROOT_TOLERANCES,
            maxiter=_MAX_ROOT_STEPS,
        )
        found: NDArray[np.bool_] = result.success
        closest = _SCAN[np.argmin(np.nan_to_num(np.abs(scanned), nan=np.inf), axis=1)]
        share = np.where(found, result.x, closest)
        return search.start + reach * _crowded(share), found | search.nearest


def _crowded(share: FloatArray) -> FloatArray:
    """Return fractions that crowd near the start: most couplings are small."""
    return share * share * share  # a power takes ten times as long
