"""A user's own model in Python: a function of the parameters, or a subclass of ``Model``."""

import inspect
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from zpfit.errors import InvalidModel
from zpfit.models.base import Model, Parameter, Values
from zpfit.models.effective import MASS
from zpfit.physics.compiled import FloatArray
from zpfit.physics.couplings import COUPLING_NAMES, Couplings

_PROBES_AGREE = 1e-12
"""Relative; what may separate a point in a batch from the same point alone."""


class FunctionModel(Model):
    """A function of the parameters that returns couplings by name.

    Arguments of the function are the parameters, their defaults the values used if
    none are given. What it returns maps names of couplings to values; couplings that
    it leaves out are zero, and ``m_Zp`` is then the argument of that name.

    Raises:
        InvalidModel: the function's arguments do not name its parameters.
    """

    name = ""
    parameters: tuple[Parameter, ...] = ()

    def __init__(self, name: str, function: Callable[..., Mapping[str, Any]]) -> None:
        self.name = name
        self._function = function
        self.parameters = tuple(
            _parameter(name, argument)
            for argument in inspect.signature(function).parameters.values()
        )

    @property
    def description(self) -> str:
        """The function's docstring."""
        return " ".join((inspect.getdoc(self._function) or "").split())

    def couplings(self, values: Values) -> Couplings:
        """Couplings at n points, or at one if ``values`` are numbers.

        Raises:
            InvalidModel: the function returns no couplings by name.
        """
        result = self._function(**values)
        if not isinstance(result, Mapping):
            kind = type(result).__name__
            raise InvalidModel(self.name, f"returned a {kind}; return a dict like {{'C_Ve': ...}}")
        unknown = sorted(set(result) - set(COUPLING_NAMES))
        if unknown:
            known = ", ".join(COUPLING_NAMES)
            raise InvalidModel(self.name, f"returned {', '.join(unknown)}; known: {known}")
        given = {**values, **result}
        if MASS.name not in given:
            raise InvalidModel(self.name, f"gives no mass; take {MASS.name} or return it")
        shape = np.shape(next(iter(values.values())))
        rows = (result.get(name, values.get(name, 0.0)) for name in COUPLING_NAMES)
        return Couplings(*(np.broadcast_to(np.asarray(row, dtype=float), shape) for row in rows))


def _parameter(model: str, argument: inspect.Parameter) -> Parameter:
    if argument.kind not in {argument.POSITIONAL_OR_KEYWORD, argument.KEYWORD_ONLY}:
        raise InvalidModel(model, f"takes {argument}; name each parameter as an argument")
    if argument.name == MASS.name:
        return MASS
    default = None if argument.default is argument.empty else float(argument.default)
    symbol = rf"\mathrm{{{argument.name.replace('_', ' ')}}}"
    return Parameter(argument.name, symbol, default=default)


class UserModel(Model):
    """A user's model behind a guard: its failures become messages, and it may want a loop."""

    name = ""
    parameters: tuple[Parameter, ...] = ()

    def __init__(self, model: Model, *, pointwise: bool = False) -> None:
        self.name = model.name
        self.parameters = tuple(model.parameters)
        self._model = model
        self._pointwise = pointwise

    @property
    def description(self) -> str:
        """The model's."""
        return self._model.description

    @property
    def reference(self) -> str:
        """The model's."""
        return self._model.reference

    @property
    def formulas(self) -> tuple[str, ...]:
        """The model's."""
        return self._model.formulas

    def couplings(self, values: Values) -> Couplings:
        """Couplings at n points.

        Raises:
            InvalidModel: the user's code fails, or returns something else.
        """

        def rows(point: Values) -> dict[str, FloatArray]:
            result = self._model.couplings(point)
            if not isinstance(result, Couplings):
                raise InvalidModel(self.name, f"returned a {type(result).__name__}, no Couplings")
            return dict(zip(COUPLING_NAMES, result.rows(), strict=True))

        return Couplings(**self._called(rows, values))

    def conditions(self, values: Values) -> dict[str, FloatArray]:
        """The model's, at n points.

        Raises:
            InvalidModel: the user's code fails, or leaves a condition open (NaN).
        """
        ratios = self._called(self._model.conditions, values)
        for name, ratio in ratios.items():
            if np.isnan(ratio).any():
                raise InvalidModel(self.name, f"says neither yes nor no (NaN) to {name!r}")
        return ratios

    def derived(self, values: Values) -> dict[str, FloatArray]:
        """The model's, at n points."""
        return self._called(self._model.derived, values)

    def in_a_loop(self) -> "UserModel":
        """The same, called for one point at a time."""
        return UserModel(self._model, pointwise=True)

    def takes_batches(self, values: Values) -> bool:
        """Whether the model gives at each of a few points what it gives there alone.

        ``values`` are at least two different points, shape (n,).

        Raises:
            InvalidModel: it fails at a single point.
        """
        alone = self.in_a_loop()
        exists = alone.exists(values)
        values = {name: column[exists] for name, column in values.items()}
        if np.count_nonzero(exists) < 2:
            return False
        expected = [*alone.couplings(values).rows(), *alone.conditions(values).values()]
        try:
            rows = [*self.couplings(values).rows(), *self.conditions(values).values()]
        except InvalidModel:
            return False
        return np.allclose(rows, expected, rtol=_PROBES_AGREE, atol=0, equal_nan=True)

    def _called(
        self, function: Callable[[Values], dict[str, FloatArray]], values: Values
    ) -> dict[str, FloatArray]:
        """What a function of the model returns at all points."""
        n = len(next(iter(values.values())))
        if not self._pointwise:
            return self._checked(self._guarded(function, values), (n,))
        points = [{name: column[i] for name, column in values.items()} for i in range(n)]
        return _joined(self._checked(self._guarded(function, p), ()) for p in points)

    def _guarded(
        self, function: Callable[[Values], dict[str, FloatArray]], values: Values
    ) -> dict[str, FloatArray]:
        try:
            return function(values)
        except InvalidModel:
            raise
        except Exception as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{frame.filename}:{frame.lineno}"
            kind = type(error).__name__
            raise InvalidModel(self.name, f"failed at {where}: {kind}: {error}") from error

    def _checked(
        self, result: dict[str, FloatArray], shape: tuple[int, ...]
    ) -> dict[str, FloatArray]:
        checked = {}
        for name, value in result.items():
            row = np.asarray(value)
            if row.dtype.kind not in "fiub" or row.shape != shape:
                raise InvalidModel(
                    self.name,
                    f"returned {name} of type {row.dtype} and shape {row.shape}; "
                    f"wanted are numbers of shape {shape}",
                )
            checked[name] = row.astype(float, copy=False)
        return checked


def _joined(rows: Iterable[dict[str, FloatArray]]) -> dict[str, FloatArray]:
    listed = list(rows)
    return {name: np.array([row[name] for row in listed]) for name in listed[0]}
