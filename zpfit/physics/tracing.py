"""Record a formula of many array operations as a list of steps, without computing anything.

A formula is called once with :class:`Traced` arrays in place of numbers. Each NumPy ufunc that it
calls, those of :mod:`zpfit.physics.compiled` among them, becomes a :class:`Step`.
:mod:`zpfit.physics.program` runs the steps of all terms of a likelihood in one compiled loop. A
formula that needs more, for example one that decides something by the values, raises
:class:`Untraceable`. It is then called as it is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import choose

_POWERS: Final[dict[float, np.ufunc]] = {2.0: np.square, 0.5: np.sqrt, 1.0: np.positive}
"""What NumPy calls for powers with these exponents."""


class Untraceable(Exception):
    """A formula does something that no list of steps can hold."""


@dataclass(frozen=True, eq=False)
class Step:
    """One call of a ufunc."""

    ufunc: np.ufunc
    inputs: tuple["Node | FloatArray", ...]
    """Rows of earlier steps, and constants."""
    kinds: str
    """Type characters of inputs and outputs: ``d`` for a float, ``?`` for a truth value."""
    batch: str
    """Dimension of a generalised ufunc that runs over points; empty if it is none of its own."""
    sizes: dict[str, int]
    """Sizes of all other dimensions of a generalised ufunc."""


@dataclass(frozen=True, eq=False)
class Node:
    """Values at each point: an output of a step, or an input of the formula."""

    kind: str = "d"
    width: int = 1
    """Values per point: more than one in a table such as the events in bins, shape (n, width)."""
    step: Step | None = None
    output: int = 0


@dataclass(frozen=True)
class Trace:
    """The steps recorded so far; a call that was recorded before is not repeated."""

    _known: dict[Any, tuple[Node, ...]] = field(default_factory=dict)
    _alive: list[Any] = field(default_factory=list)
    """Arguments whose identity is part of a key."""

    def input(self) -> "Traced":
        """Return a new input of the formula."""
        return Traced(self, Node())

    def call(self, ufunc: np.ufunc, inputs: tuple["Node | FloatArray", ...]) -> tuple[Node, ...]:
        """Record one call of a ufunc.

        Raises
        ------
        Untraceable
            The ufunc has no loop for these types or shapes.
        """
        key = (ufunc, *map(_key, inputs))
        if key not in self._known:
            kinds = _loop_kinds(ufunc, "".join(map(_kind, inputs)))
            step = Step(ufunc, inputs, kinds, *_dimensions(ufunc, inputs))
            self._known[key] = outputs_of(step)
            self._alive.append(inputs)
        return self._known[key]

    def node(self, value: Any) -> Node:
        """Return the row of a traced array, or one with a constant."""
        found = _argument(value)
        return found if isinstance(found, Node) else self.call(np.positive, (found,))[0]


class Traced(NDArrayOperatorsMixin):
    """An array that stands for the values at each point of a batch whose size is open.

    Its length is 1, as a formula may ask for zeros of this length: an array of one element stands
    for all points.
    """

    def __init__(self, trace: Trace, node: Node) -> None:
        self.trace, self.node = trace, node

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape with a single point."""
        return (1,) if self.node.width == 1 else (1, self.node.width)

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    def __len__(self) -> int:
        return 1

    def __bool__(self) -> bool:
        raise Untraceable("a decision by values")

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise Untraceable("a conversion to numbers")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Record a call; ``ufunc`` may be numba's wrapper of one."""
        inner: np.ufunc = getattr(ufunc, "ufunc", ufunc)
        out = options.pop("out", None)
        if method != "__call__" or options:
            raise Untraceable(f"{inner.__name__} with options")
        if out is None and inner is np.multiply and any(map(_is_zero, inputs)):
            return np.zeros(max(map(np.shape, inputs), key=len))
        found = self.trace.call(*_without_power(inner, tuple(map(_argument, inputs))))
        if out is not None:
            return _replaced(out, found)
        results = tuple(Traced(self.trace, node) for node in found)
        return results[0] if len(results) == 1 else results

    def __array_function__(
        self, function: Any, _: Any, arguments: tuple[Any, ...], options: Any
    ) -> Any:
        """Do what a function of NumPy does that is no ufunc, if it is known."""
        if function not in _FUNCTIONS:
            raise Untraceable(getattr(function, "__name__", "a function"))
        return _FUNCTIONS[function](*arguments, **options)


def is_traced(values: Any) -> bool:
    """Return True if the values are not known yet."""
    return isinstance(values, Traced)


def any_of(values: Any) -> bool:
    """Return True if any value is true, and also if the values are not known yet.

    For a decision that changes no result, because the case without any is only a shorter way.

    Examples
    --------
    >>> any_of(np.array([False, True])), any_of(Trace().input() > 1)
    (True, True)
    """
    return isinstance(values, Traced) or bool(np.any(values))


def _is_zero(value: Any) -> bool:
    """Return True for numbers that are all zero: a product with them needs no step."""
    return not isinstance(value, Traced) and not np.any(value)


def _replaced(out: tuple[Any, ...], found: tuple[Node, ...]) -> Traced:
    """Let an array that is changed in place stand for the new values."""
    if len(out) != 1 or not isinstance(out[0], Traced):
        raise Untraceable("traced values written into an array of numbers")
    out[0].node = found[0]
    return out[0]


def _argument(value: Any) -> "Node | FloatArray":
    if isinstance(value, Traced):
        return value.node
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise Untraceable(f"an argument of type {array.dtype}")
    return np.ascontiguousarray(array, dtype=bool if array.dtype.kind == "b" else float)


def _without_power(
    ufunc: np.ufunc, inputs: tuple["Node | FloatArray", ...]
) -> tuple[np.ufunc, tuple["Node | FloatArray", ...]]:
    """Return a call, with NumPy's own choice for powers with small exponents."""
    exponent = inputs[-1]
    if ufunc is np.power and not isinstance(exponent, Node) and exponent.size == 1:
        shorter = _POWERS.get(exponent.item())
        if shorter is not None:
            return shorter, inputs[:1]
    return ufunc, inputs


def _kind(value: "Node | FloatArray") -> str:
    if isinstance(value, Node):
        return value.kind
    return "?" if value.dtype == bool else "d"


def _key(value: "Node | FloatArray") -> Any:
    """Return what tells arguments apart: numbers by value, nodes and tables by identity."""
    if isinstance(value, Node) or value.size > 1:
        return id(value)
    return value.shape, value.dtype, value.tobytes()


def _loop_kinds(ufunc: np.ufunc, given: str) -> str:
    """Return the types of the loop of a ufunc that takes these inputs, without conversion."""
    for loop in ufunc.types:
        inputs, outputs = loop.split("->")
        if inputs == given and set(outputs) <= {"d", "?"}:
            return inputs + outputs
    raise Untraceable(f"{ufunc.__name__} of other types")


def cores_of(ufunc: np.ufunc) -> list[list[str]]:
    """Return the names of the dimensions of each argument; none for a ufunc of single points.

    Examples
    --------
    >>> cores_of(np.matmul), cores_of(np.exp)
    ([['n?', 'k'], ['k', 'm?'], ['n?', 'm?']], [[], []])
    """
    if ufunc.signature is None:
        return [[] for _ in range(ufunc.nargs)]
    cores = ufunc.signature.replace("->", ",").replace(" ", "").split("),")
    return [[name for name in core.strip("(),").split(",") if name] for core in cores]


def _dimensions(
    ufunc: np.ufunc, inputs: Sequence["Node | FloatArray"]
) -> tuple[str, dict[str, int]]:
    """Return the dimension that runs over points, and the sizes of all others."""
    pairs = list(zip(inputs, cores_of(ufunc), strict=False))
    first = {core[0] if core else "" for value, core in pairs if isinstance(value, Node)}
    if len(first) > 1:
        raise Untraceable(f"{ufunc.__name__} with points along several dimensions")
    batch = next(iter(first), "")
    sizes: dict[str, int] = {}
    for value, core in pairs:
        for name, size in zip(core, _shape(value, core), strict=True):
            if (size != 1) if name == batch else sizes.setdefault(name, size) != size:
                raise Untraceable(f"{ufunc.__name__} with other shapes")
    return batch, sizes


def _shape(value: "Node | FloatArray", core: list[str]) -> tuple[int, ...]:
    """Return the shape of an argument with these dimensions; one point stands for all."""
    if not isinstance(value, Node):
        shape = (1,) * len(core) if value.size == 1 else value.shape
    elif core:
        shape = (1, value.width)[: max(len(core), 1 + (value.width > 1))]
    else:
        shape = ()
    if len(shape) != len(core):
        raise Untraceable("an argument with other dimensions")
    return shape


def outputs_of(step: Step) -> tuple[Node, ...]:
    """Return the rows that a step fills."""
    n_inputs = step.ufunc.nin
    if not step.batch:  # as wide as the inputs
        widths = {value.width for value in step.inputs if isinstance(value, Node)} or {1}
        if len(widths) > 1:
            raise Untraceable(f"{step.ufunc.__name__} of values and tables")
        shapes = [tuple(widths)] * step.ufunc.nout
    else:
        cores = cores_of(step.ufunc)[n_inputs:]
        if any(core[:1] != [step.batch] or len(core) > 2 for core in cores):
            raise Untraceable(f"{step.ufunc.__name__} with results of another shape")
        shapes = [tuple(step.sizes[name] for name in core[1:]) or (1,) for core in cores]
    kinds = step.kinds[n_inputs:]
    pairs = enumerate(zip(kinds, shapes, strict=True))
    return tuple(Node(kind, width, step, i) for i, (kind, (width,)) in pairs)


_FUNCTIONS: Final[dict[Any, Callable[..., Any]]] = {
    np.ndim: lambda values: values.ndim,
    np.shape: lambda values: values.shape,
    np.size: lambda values: values.node.width,
    np.where: choose,
    np.clip: lambda values, low, high: np.minimum(np.maximum(values, low), high),
    np.atleast_1d: lambda values: values,
    np.zeros_like: lambda values: np.zeros(values.shape),
    np.ones_like: lambda values: np.ones(values.shape),
}
"""Functions of NumPy that are no ufuncs, by what they do with traced arrays."""
