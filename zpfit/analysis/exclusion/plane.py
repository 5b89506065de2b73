"""Two-parameter planes through a model: plotted, fixed, solved and profiled parameters."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize.elementwise import find_root

from zpfit.errors import NotANumber
from zpfit.inference.priors import FreePrior
from zpfit.io.arrays import FloatArray
from zpfit.models.base import Model, in_words
from zpfit.physics.couplings import Couplings
from zpfit.physics.observables import Observable

_ROOT_TOLERANCES = {"xrtol": 1e-14, "xatol": 1e-300, "frtol": 0.0, "fatol": 0.0}
_MAX_ROOT_STEPS = 200
_SCAN = np.append(0, np.geomspace(2e-3, 1, 32))
"""Shares at which a change of sign is looked for: a coupling grows by 1.8 from one to the next."""


@dataclass(frozen=True)
class Side:
    """A parameter along a side of the plane; coordinates run from 0 to 1."""

    name: str
    lower: float
    upper: float
    scale: Literal["linear", "log"]

    def values(self, coordinates: FloatArray) -> FloatArray:
        """Parameter values at coordinates, shape (n,)."""
        if self.scale == "log":
            return np.asarray(self.lower * (self.upper / self.lower) ** coordinates)
        return np.asarray(self.lower + coordinates * (self.upper - self.lower))


@dataclass(frozen=True)
class Solved:
    """A parameter whose value makes an observable what it should be.

    The root is searched where the observable minus ``value`` first changes its sign on the way
    from ``start`` to ``end``, in steps that grow from a hundred-millionth of the way to half of it.
    """

    name: str
    observable: Observable
    value: float
    start: float
    end: float
    nearest: bool = False
    """Where the value is out of reach, the closest that is looked at is as good as a solution."""


@dataclass(frozen=True)
class PlanePoints:
    """Points of a plane and what belongs to them."""

    parameters: dict[str, FloatArray]
    """Each of shape (n,); a solved one without a solution is where it comes closest."""
    couplings: Couplings
    """At all points, also where there is no solution or no model."""
    solved: NDArray[np.bool_]
    """Where every solved parameter has a solution, shape (n,)."""
    conditions: dict[str, FloatArray]
    """Ratios above 1 where the model cannot exist."""

    @property
    def exist(self) -> NDArray[np.bool_]:
        """Where no condition is broken, shape (n,)."""
        result = np.ones(len(self.solved), dtype=bool)
        for ratio in self.conditions.values():
            result &= ratio <= 1
        return result

    def take(self, indices: NDArray[np.intp]) -> "PlanePoints":
        """Some of the points."""
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
    """Parameters that take whatever value suits best, within these priors."""

    def conditions(self) -> list[str]:
        """Names of what a point must fulfil to exist."""
        middle = np.full((1, 2 + len(self.profiled)), 0.5)
        return list(self.model.conditions(self.starting_parameters(middle)))

    def points(self, u: FloatArray) -> PlanePoints:
        """Everything at coordinates from 0 to 1 of x, y and the profiled parameters, (n, 2 + k).

        Raises
        ------
        NotANumber
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
        """All parameters, solved ones where their search starts, in the model's order."""
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
                raise NotANumber(source, in_words(points.parameters, int(np.argmax(broken))))

    def _solve(
        self, search: Solved, parameters: Mapping[str, FloatArray]
    ) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Values of the parameter, and where there is one; each of shape (n,)."""
        varying = [name for name in parameters if name not in self.fixed and name != search.name]
        reach = search.end - search.start

        def excess(share: FloatArray, *others: FloatArray) -> FloatArray:
            shape, share = np.shape(share), np.atleast_1d(share)
            known = dict(zip(varying, map(np.atleast_1d, others), strict=True))
            known |= {name: np.broadcast_to(v, share.shape) for name, v in self.fixed.items()}
            known[search.name] = search.start + reach * _crowded(share)
            point = {name: known[name] for name in parameters}
            with np.errstate(all="ignore"):  # what has no value has no root
                c = self.model.couplings(point)
                return (search.observable.function(c) - search.value).reshape(shape)

        others = tuple(parameters[name] for name in varying)
        n = len(others[0])
        repeated = (np.repeat(values, len(_SCAN)) for values in others)
        scanned = excess(np.tile(_SCAN, n), *repeated).reshape(n, len(_SCAN))
        changes = np.sign(scanned[:, :-1]) * np.sign(scanned[:, 1:]) <= 0
        first = np.argmax(changes, axis=1)  # the first interval where there is no change
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
    """Lets a search look closely where it starts, as couplings are mostly small."""
    return share * share * share  # a power takes ten times as long
