"""A user's own model in Python: a function of the parameters, or a subclass of ``Model``."""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import numpy as np

from zpfit.errors import InvalidModel, WrongType, with_article
from zpfit.io.arrays import FloatArray
from zpfit.io.python_code import called, numbers, where_failed
from zpfit.models.base import Model, Parameter, Values, in_words
from zpfit.models.effective import MASS
from zpfit.physics.constants import MASS_RANGE
from zpfit.physics.couplings import COUPLING_NAMES, Couplings

_IN_REACH = "mass in reach of the formulas"
"""Name of the condition that keeps masses within the range of tested formulas."""
_PROBES_AGREE = 1e-12
"""Largest relative difference between a point in a batch and the same point alone. It leaves room
for another order of summation."""


class FunctionModel(Model):
    """A model from a function that returns couplings by name.

    The arguments of the function are the parameters. A default is the value of a parameter
    that is not given. The function returns a mapping from names of couplings to values.
    Couplings that it leaves out are zero. It must either take or return ``m_Zp`` (MeV).

    Parameters
    ----------
    name : str
        Name in tables and run folders.
    function : callable
        Takes arrays of shape (n,), one for each parameter, or numbers.

    Raises
    ------
    InvalidModel
        The function's arguments do not name its parameters.

    Examples
    --------
    >>> photon = FunctionModel("photon", lambda m_Zp, eps: {"C_Ve": 0.303 * eps})
    >>> [parameter.name for parameter in photon.parameters]
    ['m_Zp', 'eps']
    >>> photon.couplings({"m_Zp": np.array([17.0]), "eps": np.array([1e-3])}).C_Ve
    array([0.000303])
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
        given = getattr(function, _SYMBOLS, {})
        found = [_parameter(name, argument) for argument in arguments]
        unknown = [own for own in given if own not in {parameter.name for parameter in found}]
        if unknown:
            raise InvalidModel(name, f"has symbols of {', '.join(unknown)}, which it does not take")
        self.parameters = tuple(_labelled(own, given.get(own.name)) for own in found)
        if not self.parameters:
            raise InvalidModel(name, "takes no arguments; name each parameter as one")

    @property
    def description(self) -> str:
        """The function's docstring."""
        return " ".join((inspect.getdoc(self._function) or "").split())

    def couplings(self, values: Values) -> Couplings:
        """Return couplings at n points, or at one point if ``values`` are numbers.

        Raises
        ------
        InvalidModel
            The function returns no couplings by name.
        """
        result = self._function(**values)
        if not isinstance(result, Mapping):
            kind = with_article(type(result).__name__)
            raise InvalidModel(self.name, f"returned {kind}; return a dict like {{'C_Ve': ...}}")
        unknown = sorted(str(name) for name in set(result) - set(COUPLING_NAMES))
        if unknown:
            known = ", ".join(COUPLING_NAMES)
            raise InvalidModel(self.name, f"returned {', '.join(unknown)}; known: {known}")
        if (MASS.name in values) == (MASS.name in result):
            which = "two masses" if MASS.name in values else "no mass"
            raise InvalidModel(self.name, f"gives {which}; either take {MASS.name} or return it")
        shape = np.shape(next(iter(values.values())))
        given = {MASS.name: values.get(MASS.name), **result}
        return Couplings(**{name: self._row(name, value, shape) for name, value in given.items()})

    def _row(self, name: str, value: Any, shape: tuple[int, ...]) -> FloatArray:
        """Return numbers of that shape; a single number stands for all."""
        fail = partial(InvalidModel, self.name)
        row = numbers(name, value, shape if np.ndim(value) else (), fail)
        return np.broadcast_to(row, shape)


_SYMBOLS = "_zpfit_symbols"
"""Attribute of a function that holds the symbols of its parameters."""
_SYMBOL = re.compile(r"\$?(?P<symbol>[^$\[]*?)\$?\s*(\[(?P<unit>[^\]]*)\])?")
"""LaTeX with or without dollar signs, and a unit in brackets."""
Function = TypeVar("Function", bound=Callable[..., Any])


def symbols(**given: str) -> Callable[[Function], Function]:
    r"""Give the parameters of a model that is a function their symbols and units.

    Parameters
    ----------
    **given
        LaTeX of each parameter, with its unit in brackets unless it has none.

    Raises
    ------
    WrongType
        A symbol is no text.

    Examples
    --------
    >>> @symbols(eps=r"\varepsilon", m_A="m_A [MeV]")
    ... def photon(m_A, eps):
    ...     return {"m_Zp": m_A, "C_Ve": 0.303 * eps}
    >>> [(own.symbol, own.unit) for own in FunctionModel("photon", photon).parameters]
    [('m_A', 'MeV'), ('\\varepsilon', '')]
    """
    for name, symbol in given.items():
        if not isinstance(symbol, str) or not _SYMBOL.fullmatch(symbol.strip()):
            raise WrongType(f"symbols: {name}", symbol, "LaTeX such as 'm_A [MeV]'")

    def mark(function: Function) -> Function:
        setattr(function, _SYMBOLS, given)
        return function

    return mark


def _labelled(parameter: Parameter, symbol: str | None) -> Parameter:
    """Return a parameter with the symbol and unit that a user gives."""
    found = None if symbol is None else _SYMBOL.fullmatch(symbol.strip())
    if found is None:
        return parameter
    return replace(parameter, symbol=found["symbol"], unit=found["unit"] or "")


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


class UserModel(Model):
    """A user's model behind a guard.

    Its failures become :class:`~zpfit.errors.InvalidModel`. A model that takes no arrays is
    called point by point.
    """

    name = ""
    parameters: tuple[Parameter, ...] = ()

    def __init__(self, model: Model, *, pointwise: bool = False) -> None:
        self.name = model.name
        self.parameters = tuple(model.parameters)
        self._model = model
        self._pointwise = pointwise

    @property
    def pointwise(self) -> bool:
        """True if the model is called for one point at a time."""
        return self._pointwise

    @property
    def description(self) -> str:
        """The description of the user's model."""
        return self._model.description

    @property
    def reference(self) -> str:
        """The references of the user's model."""
        return self._model.reference

    @property
    def formulas(self) -> tuple[str, ...]:
        """The formulas of the user's model."""
        return self._model.formulas

    def couplings(self, values: Values) -> Couplings:
        """Return couplings at n points.

        Raises
        ------
        InvalidModel
            The user's code fails, or returns no couplings.
        """

        def rows(point: Values) -> dict[str, FloatArray]:
            result = self._model.couplings(point)
            if not isinstance(result, Couplings):
                raise InvalidModel(
                    self.name, f"returned {with_article(type(result).__name__)}, no Couplings"
                )
            if self._pointwise:  # one point made by Couplings.of has shape (1,)
                return {n: row[0] if np.shape(row) == (1,) else row for n, row in result.items()}
            return dict(result.items())

        return Couplings(**self._called(rows, values))

    def conditions(self, values: Values) -> dict[str, FloatArray]:
        """Return the model's conditions at n points.

        If the mass is no parameter, one more condition keeps it within the range of the
        formulas.

        Raises
        ------
        InvalidModel
            The user's code fails, or a condition is NaN.
        """
        ratios = self._called(self._model.conditions, values)
        for name, ratio in ratios.items():
            if np.isnan(ratio).any():
                at = in_words(values, int(np.argmax(np.isnan(ratio))))
                raise InvalidModel(
                    self.name,
                    f"has the condition {name!r} equal to NaN at {at}; mend the model",
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
        """Return the model's derived quantities at n points."""
        return self._called(self._model.derived, values)

    def in_a_loop(self) -> "UserModel":
        """Return this model, called for one point at a time."""
        return UserModel(self._model, pointwise=True)

    def takes_batches(self, values: Values) -> bool:
        """Return True if the model gives in a batch what it gives at each point alone.

        Parameters
        ----------
        values : mapping of str to numpy.ndarray, shape (n,)
            At least two different points.

        Raises
        ------
        InvalidModel
            The model fails at a single point.
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
        """Return what a function of the model returns, at all points."""
        n = len(next(iter(values.values())))
        if not self._pointwise:
            return self._checked(self._guarded(function, values), (n,))
        points = [{name: column[i] for name, column in values.items()} for i in range(n)]
        return _joined(self._checked(self._guarded(function, p), ()) for p in points)

    def _guarded(
        self, function: Callable[[Values], dict[str, FloatArray]], values: Values
    ) -> dict[str, FloatArray]:
        batch = np.ndim(next(iter(values.values())))
        point = {name: np.atleast_1d(value) for name, value in values.items()}
        called_with = "an array of points" if batch else in_words(point, 0)
        remedy = "try vectorised: false" if batch else "restrict the priors"
        fail = partial(InvalidModel, self.name)
        return called(lambda: function(values), called_with, remedy, fail)

    def _checked(
        self, result: dict[str, FloatArray], shape: tuple[int, ...]
    ) -> dict[str, FloatArray]:
        if not isinstance(result, Mapping):
            kind = with_article(type(result).__name__)
            raise InvalidModel(self.name, f"returned {kind} where a dict of arrays is wanted")
        fail = partial(InvalidModel, self.name)
        return {str(name): numbers(name, value, shape, fail) for name, value in result.items()}


def _joined(rows: Iterable[dict[str, FloatArray]]) -> dict[str, FloatArray]:
    listed = list(rows)
    return {name: np.array([row[name] for row in listed]) for name in listed[0]}


_NAN_REMEDY = "mend it, restrict the priors to where it is defined, or state a condition"


def as_user_model(source: str, target: Any, options: Mapping[str, Any]) -> UserModel:
    """Return a subclass of ``Model``, an instance of one, or a function, as a guarded model.

    Parameters
    ----------
    source : str
        What the user calls it, for messages. A function's name follows the last colon.
    target : object
        The class, instance or function.
    options : mapping
        Arguments of the class.

    Raises
    ------
    InvalidModel
        The object is none of these, cannot be built, or declares invalid parameters.
    """
    if inspect.isclass(target) and issubclass(target, Model):
        try:
            target = target(**options)
        except Exception as error:
            where, kind = where_failed(error), type(error).__name__
            raise InvalidModel(
                source, f"cannot be built{where}: {kind}: {error}; mend options or the class"
            ) from error
    elif options:
        raise InvalidModel(source, "takes no options; only a class does")
    if isinstance(target, Model):
        _check_declarations(source, target)
        return UserModel(target)
    if callable(target) and not inspect.isclass(target):
        return UserModel(FunctionModel(source.rpartition(":")[2], target))
    raise InvalidModel(source, "is no function and no subclass of zpfit.models.base.Model")


def _check_declarations(source: str, model: Model) -> None:
    """Check the types of a model's name and parameters."""
    if not isinstance(model.name, str) or not model.name:
        raise InvalidModel(source, f"has the name {model.name!r}; make it text")
    parameters = model.parameters
    if not isinstance(parameters, tuple) or not all(isinstance(p, Parameter) for p in parameters):
        raise InvalidModel(source, "has parameters other than a tuple of Parameter")
    names = [parameter.name for parameter in parameters]
    if not names or len(set(names)) < len(names):
        reason = f"has parameters {', '.join(names) or 'none'}; name at least one, each once"
        raise InvalidModel(source, reason)


def in_batches(model: UserModel, values: Values, *, vectorised: bool | None) -> UserModel:
    """Return the model as it is called for batches, after a trial at a few points.

    Parameters
    ----------
    model : UserModel
        Called with arrays, so far.
    values : mapping of str to numpy.ndarray, shape (n,)
        The points of the trial.
    vectorised : bool, optional
        Whether the model takes arrays; found out if None.

    Raises
    ------
    InvalidModel
        The model fails, or a coupling is NaN at a point that exists.
    """
    takes_arrays = model.takes_batches(values) if vectorised is None else vectorised
    chosen = model if takes_arrays else model.in_a_loop()
    exists = chosen.exists(values)
    if exists.any():
        some = {name: column[exists] for name, column in values.items()}
        with np.errstate(invalid="ignore"):
            c = chosen.couplings(some)
            chosen.derived(some)
        for name, row in c.items():
            if np.isnan(row).any():
                at = in_words(some, int(np.argmax(np.isnan(row))))
                raise InvalidModel(model.name, f"gives NaN as {name} at {at}; {_NAN_REMEDY}")
        if (c.width_dark < 0).any():
            at = in_words(some, int(np.argmin(c.width_dark)))
            raise InvalidModel(model.name, f"gives a negative width_dark at {at}; mend the model")
    return chosen
