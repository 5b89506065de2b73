"""Run recorded steps (:mod:`zpfit.physics.tracing`) on blocks of points, in one compiled call.

NumPy and numba keep the loop of each ufunc as a function with one signature for all,
``loop(arrays, sizes, strides, data)``, which the C interface of NumPy documents
(``PyUFuncGenericFunction``). The compiled :func:`_run` calls these loops one after the other on
rows of a small array that stays in the cache of the processor. A point that an exclusion forbids
is dropped before the next stage, and the outputs wait until enough points are left. A formula is
thus written once, as an ordinary function of arrays; what the interpreter would spend on each
operation is spent once, while the steps are recorded.
"""

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import isnan
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import INTERPRETED, compile_later, inline
from zpfit.physics.tracing import Node, Step, Trace, Untraceable, cores_of, outputs_of

_BLOCK: Final = 1024
"""Points in a block. Many are better, as few are left after the exclusions. For most models the
rows of all stages but the last then fit into a processor's second cache."""
_WORD: Final = 8
"""Bytes of a number."""

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Plan:
    """Stages and results that a program computes from its inputs."""

    stages: Sequence[Any]
    """Ratios in the order of evaluation; a point at which one is above 1 is dropped."""
    outputs: Sequence[Any]
    """Results at the points that are left."""


@dataclass(frozen=True)
class Results:
    """Results of a program at n points."""

    points: IntArray
    """Numbers of the points that are left, in order, shape (k,)."""
    outputs: FloatArray
    """Outputs of the plan at these points, shape (number of outputs, k)."""
    undefined: bool
    """True if a ratio, or the first output, is NaN at any point. NaN drops no point."""


class Program:
    """Compiled steps that compute a plan from rows of numbers.

    Parameters
    ----------
    n_inputs : int
        Number of inputs.
    plan : callable
        Returns the plan for traced inputs.

    Raises
    ------
    Untraceable
        The plan cannot be recorded, or formulas are interpreted.

    Examples
    --------
    >>> program = Program(2, lambda x, y: Plan([x / 10], [np.sqrt(x * x + y * y)]))
    >>> results = program(np.array([[3.0, 20.0, 6.0], [4.0, 0.0, 8.0]]))
    >>> results.points.tolist(), results.outputs.tolist()  # the second point is dropped
    ([0, 2], [[5.0, 10.0]])
    """

    def __init__(self, n_inputs: int, plan: Callable[..., Plan]) -> None:
        if INTERPRETED:
            raise Untraceable("formulas are interpreted")
        trace = Trace()
        inputs = [trace.input() for _ in range(n_inputs)]
        wanted = plan(*inputs)
        stages = [[trace.node(ratio)] for ratio in wanted.stages]
        outputs = [trace.node(value) for value in wanted.outputs]
        layout = _Layout([i.node for i in inputs], [*stages, outputs])
        self._tables = layout.tables()
        self._alive = layout.calls
        self._n_outputs = sum(node.width for node in outputs)

    def __call__(self, inputs: FloatArray) -> Results:
        """Return the results at n points; ``inputs`` has shape (number of inputs, n)."""
        n = inputs.shape[1]
        points, outputs = np.empty(n, dtype=np.int64), np.empty((self._n_outputs, n))
        left, undefined = _run(*self._tables, inputs, points, outputs)
        return Results(points[:left], outputs[:, :left], undefined)

    def __reduce__(self) -> tuple[Any, ...]:
        """Refuse to be copied: addresses hold in this process alone."""
        raise TypeError("a program cannot be sent to another process; record it there")


@dataclass(frozen=True)
class _Call:
    """A step with the first rows of its inputs (or constants) and outputs."""

    step: Step
    inputs: tuple[int | FloatArray, ...]
    outputs: tuple[int, ...]


class _Layout:
    """Lists the calls of all stages, and gives each node rows of the working array.

    A node of width w has w rows, which are free again after its last use, for nodes of the same
    width and type: other types would reach the places of points that wait. The last stage is that
    of the outputs.
    """

    def __init__(self, inputs: Sequence[Node], stages: Sequence[Sequence[Node]]) -> None:
        done: set[Step] = set()
        steps = [_needed(stage, done) for stage in stages]
        self._stages = stages
        self._last = _last_uses(steps, stages)
        self._nodes = {(node.step, node.output): node for node in self._last}
        self._row = {node: i for i, node in enumerate(inputs)}
        self._n_inputs = self._n_rows = len(inputs)
        self._free: dict[tuple[int, str], list[int]] = {}
        self._constants: dict[tuple[str, bytes], NDArray[Any]] = {}
        self.calls: list[_Call] = []
        self._ranges: list[tuple[int, ...]] = []
        self._moves: list[tuple[int, int, bool]] = []
        for number, stage in enumerate(steps):
            self._add_stage(number, stage)

    def tables(self) -> tuple[Any, ...]:
        """Return the arguments of :func:`_run` before the inputs."""
        work = np.empty((self._n_rows, _BLOCK))
        pool, code = _machine_code(self.calls, work)
        integers = partial(np.array, dtype=np.int64)
        stages, moves = integers(self._ranges), integers(self._moves).reshape(-1, 3)
        outputs = integers([(self._outputs[node], node.width) for node in self._stages[-1]])
        arrays = work.ravel(), work.view(np.uint8).ravel()
        return pool, code, stages, moves, outputs.reshape(-1, 2), *arrays, _BLOCK, self._n_inputs

    def _add_stage(self, number: int, steps: Sequence[Step]) -> None:
        """Add the calls of a stage, and what a drop of points then has to move."""
        first_call, first_move = len(self.calls), len(self._moves)
        for k, step in enumerate(steps):
            self.calls.append(self._call(step))
            self._forget((number, k))
        self._outputs = {node: self._row[node] for node in self._stages[number]}
        is_ratio = number < len(self._stages) - 1
        ratio = self._outputs[self._stages[number][0]] if is_ratio else -1
        self._forget((number, len(steps)))
        if is_ratio:
            self._moves += [(row, n.width, n.kind == "?") for n, row in self._row.items()]
        ends = len(self.calls), ratio, first_move, len(self._moves)
        self._ranges.append((first_call, *ends))

    def _call(self, step: Step) -> _Call:
        inputs = tuple(
            self._row[n] if isinstance(n, Node) else self._constant(step, n) for n in step.inputs
        )
        rows = []
        for output in range(step.ufunc.nout):
            # Nothing may read one of several outputs.
            node = self._nodes.get((step, output)) or outputs_of(step)[output]
            self._row[node] = self._new_rows(node)
            rows.append(self._row[node])
        return _Call(step, inputs, tuple(rows))

    def _constant(self, step: Step, value: NDArray[Any]) -> NDArray[Any]:
        """Return a constant, or a row of copies of it for a loop over single points.

        numba's loops use vector instructions only if all arrays are contiguous.
        """
        if step.batch or _repetitions(step) > 1:
            return value
        key = value.dtype.char, value.tobytes()
        return self._constants.setdefault(key, np.full(_BLOCK, value.item()))

    def _new_rows(self, node: Node) -> int:
        free = self._free.get((node.width, node.kind))
        if free:
            return free.pop()
        self._n_rows += node.width
        return self._n_rows - node.width

    def _forget(self, place: tuple[int, int]) -> None:
        """Free the rows of nodes whose last use is past; an input may have none."""
        for node in [n for n in self._row if self._last.get(n, place) <= place]:
            self._free.setdefault((node.width, node.kind), []).append(self._row.pop(node))


def _needed(wanted: Sequence[Node], done: set[Step]) -> list[Step]:
    """Return the steps that nodes depend on and that are not done yet, in order of dependence."""
    ordered: list[Step] = []
    stack = [node.step for node in reversed(wanted) if node.step is not None]
    while stack:
        step = stack[-1]
        before = (n.step for n in step.inputs if isinstance(n, Node))
        missing = [other for other in before if other is not None and other not in done]
        if step not in done and missing:
            stack += reversed(missing)
            continue
        stack.pop()
        if step not in done:
            done.add(step)
            ordered.append(step)
    return ordered


def _last_uses(
    steps: Sequence[Sequence[Step]], stages: Sequence[Sequence[Node]]
) -> dict[Node, tuple[int, int]]:
    """Return the last use of each node: its stage, and the number of a step in there."""
    last: dict[Node, tuple[int, int]] = {}
    for s, (some, wanted) in enumerate(zip(steps, stages, strict=True)):
        for k, step in enumerate(some):
            last |= dict.fromkeys((n for n in step.inputs if isinstance(n, Node)), (s, k))
        last |= dict.fromkeys(wanted, (s, len(some)))
    return last


def _machine_code(calls: Sequence[_Call], work: FloatArray) -> tuple[IntArray, IntArray]:
    """Return addresses, sizes and strides of all calls, and where each call finds its own.

    Columns of the second array: function, its data, position of the addresses among the numbers of
    the first and their number, address of the sizes and of the strides, position of the number of
    points, and what to multiply it with. Bytes per point of each address follow the addresses. The
    first numbers are free: loops of SciPy change the addresses that they are given, which must thus
    be a copy.
    """
    numbers = [0] * max((call.step.ufunc.nargs for call in calls), default=0)
    code = []
    for call in calls:
        addresses, steps, sizes, strides = _arguments(call, work)
        first, n_arguments = len(numbers), len(addresses)
        second = first + 2 * n_arguments
        third, batch = second + len(sizes), second + list(sizes).index(call.step.batch)
        numbers += [*addresses, *steps, *sizes.values(), *strides]
        places = first, n_arguments, second, third, batch
        code.append([*_loop_of(call.step), *places, _repetitions(call.step)])
    pool = np.array(numbers, dtype=np.int64)
    table = np.array(code, dtype=np.int64).reshape(-1, 8)
    table[:, 4:6] = pool.ctypes.data + _WORD * table[:, 4:6]
    return pool, table


def _repetitions(step: Step) -> int:
    """Return the number of elements for each point over which a ufunc of single points loops."""
    return (
        1 if step.batch else max((n.width for n in step.inputs if isinstance(n, Node)), default=1)
    )


def _arguments(
    call: _Call, work: FloatArray
) -> tuple[list[int], list[int], dict[str, int], list[int]]:
    """Return addresses, bytes per point, sizes by dimension (the outer loop's first), strides."""
    step = call.step
    addresses, per_point, outer, inner = [], [], [], []
    sizes = {"": 1}
    cores = cores_of(step.ufunc)
    values = [*call.inputs, *call.outputs]
    nodes = [*step.inputs, *outputs_of(step)]
    for value, node, core, kind in zip(values, nodes, cores, step.kinds, strict=True):
        sizes |= {name: step.sizes.get(name, 0) for name in core}
        size = 1 if kind == "?" else _WORD
        if isinstance(value, int):
            addresses.append(work.ctypes.data + value * work.strides[0])
            widths = [step.sizes[name] for name in core[1:]]
            strides = [size * w for w in widths] + [size] if core else []
            outer.append(0 if step.batch else size)
            per_point.append(size * node.width if isinstance(node, Node) else 0)
        else:
            addresses.append(value.ctypes.data)
            one = value.size == 1 or not step.batch
            strides = [0] * len(core) if one else list(value.strides)
            strides = [0 if n == step.batch else s for n, s in zip(core, strides, strict=True)]
            outer.append(size if one and value.size > 1 else 0)
            per_point.append(0)
        inner += strides
    return addresses, per_point, sizes, [*outer, *inner]


class _UfuncObject(ctypes.Structure):
    """The beginning of ``PyUFuncObject`` of NumPy's C interface, the same since NumPy 1.0."""

    _fields_ = (
        ("head", ctypes.c_char * object.__basicsize__),
        ("nin", ctypes.c_int),
        ("nout", ctypes.c_int),
        ("nargs", ctypes.c_int),
        ("identity", ctypes.c_int),
        ("functions", ctypes.POINTER(ctypes.c_void_p)),
        ("data", ctypes.POINTER(ctypes.c_void_p)),
        ("ntypes", ctypes.c_int),
    )


def _loop_of(step: Step) -> tuple[int, int]:
    """Return the addresses of the loop of a step and of its data."""
    ufunc = step.ufunc
    found = _UfuncObject.from_address(id(ufunc))
    if (found.nin, found.nargs, found.ntypes) != (ufunc.nin, ufunc.nargs, ufunc.ntypes):
        raise Untraceable("an unknown version of NumPy")
    inputs, outputs = step.kinds[: ufunc.nin], step.kinds[ufunc.nin :]
    index = ufunc.types.index(f"{inputs}->{outputs}")
    function = found.functions[index]
    if not function:
        raise Untraceable(f"{ufunc.__name__} without a loop")
    return function, (found.data[index] or 0) if found.data else 0


@intrinsic
def _call_loop(_typing, _function, _arrays, _sizes, _strides, _data):  # type: ignore[no-untyped-def]
    """Call the loop of a ufunc; all arguments are addresses."""

    def generate(_context, builder, _signature, arguments):  # type: ignore[no-untyped-def]
        pointer = ir.IntType(8).as_pointer()
        loop = ir.FunctionType(ir.VoidType(), [pointer] * 4).as_pointer()
        function, *others = arguments
        others = [builder.inttoptr(address, pointer) for address in others]
        builder.call(builder.inttoptr(function, loop), others)

    return types.void(*[types.int64] * 5), generate


@inline
def _load(
    inputs: FloatArray, start: int, n: int, block: int, n_inputs: int, work: FloatArray, place: int
) -> None:
    for row in range(n_inputs):
        source, target = inputs[row, start : start + n], work[row * block + place :]
        for j in range(n):
            target[j] = source[j]


@inline
def _call_all(pool: IntArray, code: IntArray, first: int, last: int, n: int, place: int) -> None:
    """Call the loops of some steps for n points from a place in the rows on."""
    for k in range(first, last):
        function, data, addresses, n_arguments, sizes, strides, batch, times = code[k]
        pool[batch] = n * times
        for j in range(n_arguments):
            pool[j] = pool[addresses + j] + place * pool[addresses + n_arguments + j]
        _call_loop(function, pool.ctypes.data, sizes, strides, data)  # type: ignore[call-arg]


@inline
def _choose(ratio: FloatArray, chosen: IntArray) -> tuple[int, bool]:
    """Fill in the points whose ratio is not above 1; return their number, and if one is NaN."""
    left, undefined = 0, False
    for j in range(ratio.size):
        undefined |= isnan(ratio[j])
        chosen[left] = j
        left += not ratio[j] > 1.0
    return left, undefined


@inline
def _move(
    move: IntArray,
    chosen: IntArray,
    block: int,
    work: FloatArray,
    flags: NDArray[np.uint8],
    place: int,
) -> None:
    """Keep the chosen points of a node, behind ``place``; its values may be truth values."""
    first, width = move[0] * block, move[1]
    if move[2]:
        some = flags[_WORD * first + place :]
        for j in range(chosen.size):
            some[j] = some[chosen[j]]
    else:
        row = work[first + place * width :]
        if width == 1:
            for j in range(chosen.size):
                row[j] = row[chosen[j]]
        else:
            for j in range(chosen.size):
                for b in range(width):
                    row[j * width + b] = row[chosen[j] * width + b]


@inline
def _store(
    outputs: IntArray, n: int, block: int, work: FloatArray, results: FloatArray, total: int
) -> bool:
    """Fill in the results of a block; return True if the first one is NaN anywhere."""
    column, undefined = 0, False
    for output in range(outputs.shape[0]):
        first, width = outputs[output, 0] * block, outputs[output, 1]
        for b in range(width):
            for j in range(n):
                results[column + b, total + j] = work[first + j * width + b]
        column += width
    for j in range(total, total + n):
        undefined |= isnan(results[0, j])
    return undefined


def _loop_over_blocks(  # type: ignore[no-untyped-def]
    pool, code, stages, moves, outputs, work, flags, block, n_inputs, inputs, points, results
):
    """Run all stages on blocks of points.

    Points that all exclusions allow keep the first places of the rows until they fill half of a
    block; then their outputs are computed together, as a call costs as much as some ten points.
    Return the number of points that are left, and whether a ratio or the first output is NaN.
    """
    total, waiting, start, undefined = 0, 0, 0, False
    n_points, last = inputs.shape[1], stages.shape[0] - 1
    chosen = np.empty(block, dtype=np.int64)
    while start < n_points:
        n = min(block - waiting, n_points - start)
        _load(inputs, start, n, block, n_inputs, work, waiting)
        for j in range(n):
            points[total + waiting + j] = start + j
        start += n
        for stage in range(last):
            first_call, last_call, ratio, first_move, last_move = stages[stage]
            _call_all(pool, code, first_call, last_call, n, waiting)
            first = ratio * block + waiting
            left, some = _choose(work[first : first + n], chosen)
            undefined |= some
            if left < n:
                for move in range(first_move, last_move):
                    _move(moves[move], chosen[:left], block, work, flags, waiting)
                for j in range(left):
                    points[total + waiting + j] = points[total + waiting + chosen[j]]
                n = left
            if n == 0:
                break
        waiting += n
        if waiting > 0 and (2 * waiting >= block or start == n_points):
            _call_all(pool, code, stages[last, 0], stages[last, 1], waiting, 0)
            undefined |= _store(outputs, waiting, block, work, results, total)
            total, waiting = total + waiting, 0
    return total, undefined


_run = compile_later(
    _loop_over_blocks,
    "Tuple((i8,b1))(i8[::1],i8[:,::1],i8[:,::1],i8[:,::1],i8[:,::1],f8[::1],u1[::1],i8,i8,"
    "f8[:,:],i8[::1],f8[:,::1])",
)
