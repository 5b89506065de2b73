"""A user's own model in Python: a function of the parameters, or a subclass of ``Model``."""

import importlib
import inspect
import os
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import zpfit
from zpfit.errors import InvalidModel
from zpfit.io.arrays import FloatArray
from zpfit.models.base import Model, Parameter, Values, in_words
from zpfit.models.effective import MASS
from zpfit.physics.constants import MASS_RANGE
from zpfit.physics.couplings import COUPLING_NAMES, Couplings

_MACHINERY = (zpfit, np, importlib)
_BACKPORT = f"{os.sep}importlib_metadata{os.sep}"
"""Takes over from importlib.metadata in processes that import it, as Dask does."""
_IN_REACH = "mass in reach of the formulas"
_PROBES_AGREE = 1e-12
"""Relative; what may separate a point in a batch from the same point alone."""


class FunctionModel(Model):
    """A function of the parameters that returns couplings by name.

    Arguments of the function are the parameters, their defaults the values used if
    none are given. What it returns maps names of couplings to values; couplings that
    it leaves out are zero, and ``m_Zp`` is then the argument of that name.

    Raises
    ------
    InvalidModel
        The function's arguments do not name its parameters.
    """

    name = ""
    parameters: tuple[Parameter, ...] = ()

    def __init__(self, name: str, function: Callable[..., Mapping[str, Any]]) -> None:
        self.name = name
        self._function = function
        try:
            arguments = inspect.signature(function).parameters.values()
        except (TypeError, ValueError) as error:
            raise InvalidModel(name, f"does not tell its arguments: {error}") from error
        self.parameters = tuple(_parameter(name, argument) for argument in arguments)
        if not self.parameters:
            raise InvalidModel(name, "takes no arguments; name each parameter as one")

    @property
    def description(self) -> str:
        """The function's docstring."""
        return " ".join((inspect.getdoc(self._function) or "").split())

    def couplings(self, values: Values) -> Couplings:
        """Couplings at n points, or at one if ``values`` are numbers.

        Raises
        ------
        InvalidModel
            The function returns no couplings by name.
        """
        result = self._function(**values)
        if not isinstance(result, Mapping):
            kind = type(result).__name__
            raise InvalidModel(self.name, f"returned a {kind}; return a dict like {{'C_Ve': ...}}")
        unknown = sorted(str(name) for name in set(result) - set(COUPLING_NAMES))
        if unknown:
            known = ", ".join(COUPLING_NAMES)
            raise InvalidModel(self.name, f"returned {', '.join(unknown)}; known: {known}")
        if (MASS.name in values) == (MASS.name in result):
            which = "two masses" if MASS.name in values else "no mass"
            raise InvalidModel(self.name, f"gives {which}; either take {MASS.name} or return it")
        shape = np.shape(next(iter(values.values())))
        given = {MASS.name: values.get(MASS.name), **result}
        rows = (self._row(name, given.get(name, 0.0), shape) for name in COUPLING_NAMES)
        return Couplings(*rows)

    def _row(self, name: str, value: Any, shape: tuple[int, ...]) -> FloatArray:
        """Numbers of that shape; a single one stands for all."""
        row = _numbers(self.name, name, value, shape if np.ndim(value) else ())
        return np.broadcast_to(row, shape)


def _parameter(model: str, argument: inspect.Parameter) -> Parameter:
    if argument.kind not in {argument.POSITIONAL_OR_KEYWORD, argument.KEYWORD_ONLY}:
        raise InvalidModel(model, f"takes {argument}; name each parameter as an argument")
    if argument.name == MASS.name:
        return MASS
    default = None if argument.default is argument.empty else argument.default
    if default is not None and not (_is_number(default) and np.isfinite(default)):
        raise InvalidModel(model, f"takes {argument}; a default must be a finite number")
    symbol = rf"\mathrm{{{argument.name.replace('_', ' ')}}}"
    return Parameter(argument.name, symbol, default=default)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numbers(model: str, name: str, value: Any, shape: tuple[int, ...]) -> FloatArray:
    row = np.asarray(value)
    if row.dtype.kind not in "fiu" or row.shape != shape:
        text = f": {value!r}" if isinstance(value, str) else ""
        raise InvalidModel(
            model,
            f"returned {name} of type {row.dtype} and shape {row.shape}{text}; "
            f"wanted are numbers of shape {shape}",
        )
    return row.astype(float, copy=False)


def where_failed(error: BaseException) -> str:
    """`` at file:line`` of the last line of the user's own file, empty if there is none."""
    machinery = (*(f"{Path(inspect.getfile(m)).parent}{os.sep}" for m in _MACHINERY), "<frozen")
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(machinery) and _BACKPORT not in frame.filename
    ]
    own = [frame for frame in frames if frame.filename == frames[0].filename]
    return f" at {own[-1].filename}:{own[-1].lineno}" if own else ""


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

        Raises
        ------
        InvalidModel
            The user's code fails, or returns something else.
        """

        def rows(point: Values) -> dict[str, FloatArray]:
            result = self._model.couplings(point)
            if not isinstance(result, Couplings):
                raise InvalidModel(self.name, f"returned a {type(result).__name__}, no Couplings")
            return dict(zip(COUPLING_NAMES, result.rows(), strict=True))

        return Couplings(**self._called(rows, values))

    def conditions(self, values: Values) -> dict[str, FloatArray]:
        """The model's, at n points; a mass that is no parameter must be within reach of formulas.

        Raises
        ------
        InvalidModel
            The user's code fails, or leaves a condition open (NaN).
        """
        ratios = self._called(self._model.conditions, values)
        for name, ratio in ratios.items():
            if np.isnan(ratio).any():
                at = in_words(values, int(np.argmax(np.isnan(ratio))))
                raise InvalidModel(
                    self.name,
                    f"says neither yes nor no (NaN) to condition {name!r} at {at}; mend the model",
                )
        low, high = MASS_RANGE
        in_reach = any(
            p.name == MASS.name and low <= p.domain[0] and p.domain[1] <= high
            for p in self.parameters
        )
        return ratios if in_reach else ratios | self._mass_in_reach(values, ratios)

    def _mass_in_reach(
        self, values: Values, ratios: Mapping[str, FloatArray]
    ) -> dict[str, FloatArray]:
        result = np.zeros(len(next(iter(values.values()))))
        exists = np.all([ratio <= 1 for ratio in ratios.values()], axis=0) & (result == 0)
        if exists.any():
            low, high = MASS_RANGE
            m = self.couplings({name: column[exists] for name, column in values.items()}).m_Zp
            m = np.where(np.isnan(m), low, np.maximum(m, 1e-300))  # NaN is reported elsewhere
            result[exists] = np.maximum(low / m, m / high)
        return {_IN_REACH: result}

    def derived(self, values: Values) -> dict[str, FloatArray]:
        """The model's, at n points."""
        return self._called(self._model.derived, values)

    def in_a_loop(self) -> "UserModel":
        """The same, called for one point at a time."""
        return UserModel(self._model, pointwise=True)

    def takes_batches(self, values: Values) -> bool:
        """Whether the model gives at each of a few points what it gives there alone.

        ``values`` are at least two different points, shape (n,).

        Raises
        ------
        InvalidModel
            It fails at a single point.
        """
        alone = self.in_a_loop()
        exists = alone.exists(values)
        if len(exists) < 2:
            return False
        if np.count_nonzero(exists) >= 2:
            values = {name: column[exists] for name, column in values.items()}
            alone.couplings(values)  # must work; at impossible points it may fail
        try:
            expected = [*alone.couplings(values).rows(), *alone.conditions(values).values()]
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
        except (Exception, SystemExit) as error:
            where, kind = where_failed(error), type(error).__name__
            batch = np.ndim(next(iter(values.values())))
            point = {name: np.atleast_1d(value) for name, value in values.items()}
            called_with = "an array of points" if batch else in_words(point, 0)
            remedy = "try vectorised: false" if batch else "restrict the priors"
            raise InvalidModel(
                self.name,
                f"failed{where}, called with {called_with}: {kind}: {error}; mend it or {remedy}",
            ) from error

    def _checked(
        self, result: dict[str, FloatArray], shape: tuple[int, ...]
    ) -> dict[str, FloatArray]:
        if not isinstance(result, Mapping):
            kind = type(result).__name__
            raise InvalidModel(self.name, f"returned a {kind} where a dict of arrays is wanted")
        return {
            str(name): _numbers(self.name, name, value, shape) for name, value in result.items()
        }


def _joined(rows: Iterable[dict[str, FloatArray]]) -> dict[str, FloatArray]:
    listed = list(rows)
    return {name: np.array([row[name] for row in listed]) for name in listed[0]}
