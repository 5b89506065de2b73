"""Record a formula of many array operations as a list of steps, without computing anything.

A formula is called once with :class:`Traced` arrays in place of numbers. Each NumPy ufunc, and each
of the package's own (:mod:`zpfit.physics.compiled`), that it calls becomes a :class:`Step`.
:mod:`zpfit.physics.program` runs the steps of all terms of a likelihood in one compiled loop. A
formula that needs more, for example one that decides something by the values, raises
:class:`Untraceable`; it is then called as it is.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from zpfit.io.arrays import FloatArray

_POWERS: Final[dict[float, Callable[[Any], Any]]] = {2.0: np.square, 0.5: np.sqrt, 1.0: np.positive}
"""What NumPy itself calls for powers with these exponents."""


class Untraceable(Exception):  # noqa: N818 - it tells the caller to call the formula itself
    """A formula does something that no list of steps can hold."""


@dataclass(frozen=True, eq=False)
class Step:
    """One call of a ufunc."""

    ufunc: np.ufunc
    inputs: tuple["Node | FloatArray", ...]
    """Rows of earlier steps, and constants."""
    kinds: str
    """Type characters of inputs and outputs: ``d`` for a float, ``?`` for a truth value."""


@dataclass(frozen=True, eq=False)
class Node:
    """A row of numbers, one for each point: an output of a step, or an input of the formula."""

    kind: str = "d"
    step: Step | None = None
    output: int = 0


@dataclass(frozen=True)
class Trace:
    """The steps recorded so far; a call that was recorded before is not repeated."""

    _known: dict[Any, tuple[Node, ...]] = field(default_factory=dict)
    _alive: list[Any] = field(default_factory=list)
    """Objects whose identity is part of a key."""

    def input(self) -> "Traced":
        """Return a new input of the formula."""
        return Traced(self, Node())

    def call(self, ufunc: np.ufunc, inputs: tuple["Node | FloatArray", ...]) -> tuple[Node, ...]:
        """Record one call of a ufunc."""
        kinds = _loop_kinds(ufunc, "".join(_kind(value) for value in inputs))
        key = (ufunc, *(_key(value) for value in inputs))
        if key not in self._known:
            step = Step(ufunc, inputs, kinds)
            outputs = kinds[ufunc.nin :]
            self._known[key] = tuple(Node(kind, step, i) for i, kind in enumerate(outputs))
            self._alive.append(inputs)
        return self._known[key]


class Traced(NDArrayOperatorsMixin):
    """An array that stands for one value at each point of a batch whose size is open.

    Its length is 1, as a formula may ask for zeros of this length; an array of one element stands
    for all points.
    """

    ndim = 1
    shape = (1,)

    def __init__(self, trace: Trace, node: Node) -> None:
        self.trace, self.node = trace, node

    def __len__(self) -> int:
        return 1

    def __bool__(self) -> bool:
        raise Untraceable("a decision by values")

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise Untraceable("a conversion to an array of numbers")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        inner: np.ufunc = getattr(ufunc, "ufunc", ufunc)  # numba wraps ufuncs of its own
        out = options.pop("out", None)
        if method != "__call__" or options or inner.nout != 1 and out is not None:
            raise Untraceable(f"{ufunc.__name__} with options")
        exponent = _exponent(inner, inputs)
        if exponent in _POWERS:
            inner, inputs = _POWERS[exponent], inputs[:1]  # type: ignore[assignment]
        found = self.trace.call(inner, tuple(_argument(value) for value in inputs))
        if out is not None:
            return _replaced(out[0], found[0])
        results = tuple(Traced(self.trace, node) for node in found)
        return results[0] if len(results) == 1 else results

    def __array_function__(
        self, function: Any, _: Any, arguments: tuple[Any, ...], options: Any
    ) -> Any:
        if function not in _FUNCTIONS:
            raise Untraceable(getattr(function, "__name__", "a function"))
        return _FUNCTIONS[function](*arguments, **options)


def is_traced(value: Any) -> bool:
    """Return True if an array stands for values that are not known yet."""
    return isinstance(value, Traced)


def any_of(values: Any) -> bool:
    """Return True if any value is true; also if the values are not known yet.

    Only for a decision whose result is right in either case, and faster if none is true.
    """
    return is_traced(values) or bool(np.any(values))


def nodes_of(values: Iterable[Any]) -> list["Node | FloatArray"]:
    """Return the rows of traced arrays, and constants as arrays of one element."""
    return [_argument(value) for value in values]


def _replaced(out: Any, node: Node) -> "Traced":
    """Let an array that is changed in place stand for the new values."""
    if not is_traced(out):
        raise Untraceable("traced values written into an array of numbers")
    result: Traced = out
    result.node = node
    return result


def _argument(value: Any) -> "Node | FloatArray":
    if is_traced(value):
        node: Node = value.node
        return node
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise Untraceable(f"an argument of type {array.dtype}")
    return np.ascontiguousarray(array, dtype=bool if array.dtype.kind == "b" else float)


def _exponent(ufunc: np.ufunc, inputs: tuple[Any, ...]) -> float | None:
    """Return the exponent of a power of traced values, if it is a number."""
    if ufunc is not np.power or isinstance(inputs[1], Traced) or np.ndim(inputs[1]):
        return None
    return float(inputs[1])


def _kind(value: "Node | FloatArray") -> str:
    if isinstance(value, Node):
        return value.kind
    return "?" if value.dtype == bool else "d"


def _key(value: "Node | FloatArray") -> Any:
    """Return what tells arguments apart; small constants by value, tables by identity."""
    if isinstance(value, Node):
        return id(value)
    return (value.shape, value.tobytes()) if value.size == 1 else id(value)


def _loop_kinds(ufunc: np.ufunc, given: str) -> str:
    """Return the types of the loop of a ufunc that takes these inputs, without conversion."""
    for loop in ufunc.types:
        inputs, outputs = loop.split("->")
        if inputs == given and set(outputs) <= {"d", "?"}:
            return inputs + outputs
    raise Untraceable(f"{ufunc.__name__} of other types")


def _where(condition: Any, yes: Any, no: Any) -> Any:
    from zpfit.physics.compiled import choose

    return choose(condition, yes, no)


_FUNCTIONS: Final[dict[Any, Callable[..., Any]]] = {
    np.ndim: lambda _: 1,
    np.shape: lambda _: (1,),
    np.size: lambda _: 1,
    np.where: _where,
    np.clip: lambda values, low, high: np.minimum(np.maximum(values, low), high),
    np.zeros_like: lambda _: np.zeros(1),
    np.ones_like: lambda _: np.ones(1),
}
"""Functions of NumPy that are no ufuncs, by what they do with traced arrays."""
