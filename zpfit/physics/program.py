"""Run recorded steps (:mod:`zpfit.physics.tracing`) on blocks of points, in one compiled call.

NumPy and numba keep the loop of each ufunc as a function with one signature for all,
``loop(arrays, sizes, strides, data)``, which the C interface of NumPy documents
(``PyUFuncGenericFunction``). The compiled :func:`_run` calls these loops one after the other on
rows of a small array that stays in the cache of the processor. A point that an exclusion forbids
is dropped before the next stage. A formula is thus written once, as an ordinary function of arrays;
what the interpreter would spend on each operation is spent once, while the steps are recorded.
"""

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import INTERPRETED, compile_later
from zpfit.physics.tracing import Node, Step, Trace, Untraceable, nodes_of

_BLOCK: Final = 256
"""Points in a block: some hundred rows of them fit into the second cache of a processor."""
_WORD: Final = 8
"""Bytes of a number."""

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Plan:
    """What a program computes from its inputs."""

    stages: Sequence[Any]
    """Ratios in the order of evaluation; a point at which one is above 1 is dropped."""
    outputs: Sequence[Any]
    """Results at the points that are left."""


@dataclass(frozen=True)
class Results:
    """What a program returns for n points."""

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
        stages = [[_row_of(value, trace)] for value in wanted.stages]
        outputs = [_row_of(value, trace) for value in wanted.outputs]
        layout = _Layout([i.node for i in inputs], [*stages, outputs])
        self._tables, self._alive = layout.tables(len(stages)), layout.alive
        self._n_outputs = len(outputs)

    def __call__(self, inputs: FloatArray) -> Results:
        """Return the results at n points; ``inputs`` has shape (number of inputs, n)."""
        n = inputs.shape[1]
        points, outputs = np.empty(n, dtype=np.int64), np.empty((self._n_outputs, n))
        left, undefined = _run(*self._tables, inputs, points, outputs)
        return Results(points[:left], outputs[:, :left], bool(undefined))

    def __reduce__(self) -> tuple[Any, ...]:
        """Refuse to be copied: addresses hold in this process alone."""
        raise TypeError("a program cannot be sent to another process; record it there")


def _row_of(value: Any, trace: Trace) -> Node:
    """Return the row of a result; a constant is written into a row of its own."""
    [found] = nodes_of([value])
    return found if isinstance(found, Node) else trace.call(np.positive, (found,))[0]


class _Layout:
    """Assigns rows of the working array to nodes, and lists the calls of all stages."""

    def __init__(self, inputs: Sequence[Node], stages: Sequence[Sequence[Any]]) -> None:
        self.alive: list[Any] = []
        done: set[Step] = set()
        self._steps: list[list[Step]] = []
        for stage in stages:
            self._steps.append(_needed(stage, done))
        self._last = self._last_uses(stages)
        self._nodes = {(node.step, node.output): node for node in self._last}
        self._stages = stages
        self._row: dict[Node, int] = {node: i for i, node in enumerate(inputs)}
        self._n_rows, self._free = len(inputs), list[int]()

    def _last_uses(self, stages: Sequence[Sequence[Any]]) -> dict[Node, tuple[int, int]]:
        """Return the last use of each node: its stage, and the number of a step in there."""
        last: dict[Node, tuple[int, int]] = {}
        for s, steps in enumerate(self._steps):
            for k, step in enumerate(steps):
                last |= dict.fromkeys((n for n in step.inputs if isinstance(n, Node)), (s, k))
            last |= dict.fromkeys((n for n in stages[s] if isinstance(n, Node)), (s, len(steps)))
        return last

    def tables(self, n_filters: int) -> tuple[Any, ...]:
        """Return the arguments of :func:`_run` before the inputs."""
        n_inputs = len(self._row)
        calls: list[_Call] = []
        ranges, moves = [], []
        for s, steps in enumerate(self._steps):
            first = len(calls)
            for k, step in enumerate(steps):
                calls.append(self._call(step, (s, k)))
            worst = self._row[self._stages[s][0]] if s < n_filters else -1
            self._forget(s)
            live = [row if node.kind == "d" else ~row for node, row in self._row.items()]
            ranges.append((first, len(calls), worst, len(moves), len(moves) + len(live)))
            moves += live
        outputs = [self._output_rows[node] for node in self._stages[-1]]
        work = np.empty((self._n_rows, _BLOCK))
        pool, code = _machine_code(calls, work)
        self.alive += [work, pool]
        integers = partial(np.array, dtype=np.int64)
        stages = integers(ranges).reshape(-1, 5)
        lists = integers(moves), integers(outputs)
        return pool, code, stages, *lists, work, work.view(np.uint8), n_inputs

    def _forget(self, stage: int) -> None:
        """Free the rows that no later stage reads."""
        self._output_rows = dict(self._row)
        for node in [n for n in self._row if self._last.get(n, (-1, 0))[0] <= stage]:
            self._free.append(self._row.pop(node))

    def _new_row(self) -> int:
        if self._free:
            return self._free.pop()
        self._n_rows += 1
        return self._n_rows - 1

    def _call(self, step: Step, place: tuple[int, int]) -> "_Call":
        inputs = tuple(self._row[n] if isinstance(n, Node) else n for n in step.inputs)
        self.alive.append(step)
        outputs = [self._new_row() for _ in range(step.ufunc.nout)]
        for output, row in enumerate(outputs):
            node = self._nodes.get((step, output))
            if node is None:
                self._free.append(row)  # nothing reads it
            else:
                self._row[node] = row
        for node in {n for n in step.inputs if isinstance(n, Node)}:
            if self._last[node] == place and node in self._row:
                self._free.append(self._row.pop(node))
        return _Call(step, inputs, tuple(outputs))


@dataclass(frozen=True)
class _Call:
    """A step with the rows of its inputs (or constants) and outputs."""

    step: Step
    inputs: tuple[Any, ...]
    outputs: tuple[int, ...]


def _needed(wanted: Sequence[Any], done: set[Step]) -> list[Step]:
    """Return the steps that rows depend on and that are not done, in order of dependence."""
    ordered: list[Step] = []
    stack = [n.step for n in reversed(wanted) if isinstance(n, Node) and n.step is not None]
    while stack:
        step = stack[-1]
        missing = [
            n.step
            for n in step.inputs
            if isinstance(n, Node) and n.step is not None and n.step not in done
        ]
        if step not in done and missing:
            stack += reversed(missing)
            continue
        stack.pop()
        if step not in done:
            done.add(step)
            ordered.append(step)
    return ordered


def _machine_code(calls: Sequence[_Call], work: FloatArray) -> tuple[IntArray, IntArray]:
    """Return addresses, sizes and strides of all calls, and where each call finds its own.

    Rows of the second array: function, its data, address of the addresses, of the sizes and of
    the strides, and the position of the number of points among the numbers of the first.
    """
    numbers: list[int] = []
    code = []
    for call in calls:
        addresses, sizes, strides, batch = _arguments(call, work)
        where = len(numbers)
        numbers += [*addresses, *sizes, *strides]
        after = where + len(addresses)
        function, data = _loop_of(call.step)
        code.append([function, data, where, after, after + len(sizes), after + batch])
    pool = np.array(numbers, dtype=np.int64)
    table = np.array(code, dtype=np.int64).reshape(-1, 6)
    table[:, 2:5] = pool.ctypes.data + _WORD * table[:, 2:5]
    return pool, table


def _arguments(call: _Call, work: FloatArray) -> tuple[list[int], list[int], list[int], int]:
    """Return addresses, sizes and strides of a call, and which of the sizes is that of the batch."""
    rows = [*call.inputs, *call.outputs]
    cores = _cores(call.step.ufunc)
    batch = _batch_dimension(cores, rows)
    sizes: dict[str, int] = {batch: 0} if batch else {}
    addresses, outer, inner = [], [], []
    for value, core, kind in zip(rows, cores, call.step.kinds, strict=True):
        stride = 1 if kind == "?" else _WORD
        if isinstance(value, int):
            addresses.append(work.ctypes.data + value * work.strides[0])
            if core != ([batch] if batch else []):
                raise Untraceable(f"{call.step.ufunc.__name__} with other shapes")
            outer.append(0 if batch else stride)
            inner += [stride] if batch else []
            continue
        addresses.append(value.ctypes.data)
        outer.append(0)
        inner += _strides_of(value, core, batch, sizes)
    order = list(dict.fromkeys(name for core in cores for name in core))
    dimensions = [1 if batch else 0, *(sizes[name] for name in order)]
    return addresses, dimensions, [*outer, *inner], 1 + order.index(batch) if batch else 0


def _cores(ufunc: np.ufunc) -> list[list[str]]:
    """Return the names of the dimensions of each argument of a ufunc."""
    if ufunc.signature is None:
        return [[] for _ in range(ufunc.nargs)]
    cores = ufunc.signature.replace("->", ",").replace(" ", "").split("),")
    return [[name for name in core.strip("(),").split(",") if name] for core in cores]


def _batch_dimension(cores: list[list[str]], rows: list[Any]) -> str:
    """Return the dimension that runs over points; empty if the ufunc is one of single points."""
    named = {core[0] for core, row in zip(cores, rows, strict=True) if core and isinstance(row, int)}
    if len(named) > 1:
        raise Untraceable("rows along several dimensions")
    return next(iter(named), "")


def _strides_of(
    value: FloatArray, core: list[str], batch: str, sizes: dict[str, int]
) -> list[int]:
    """Return the strides of a constant, and enter its dimensions into ``sizes``."""
    if core == [batch] and value.size == 1:
        return [0]
    if value.ndim != len(core) and not (value.size == 1 and not core) or batch in core:
        raise Untraceable("a constant of another shape")
    for name, size in zip(core, value.shape, strict=False):
        if sizes.setdefault(name, size) != size:
            raise Untraceable("constants of different shapes")
    return list(value.strides) if core else []


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
def _call_loop(_typing, function, arrays, sizes, strides, data):  # type: ignore[no-untyped-def]
    """Call the loop of a ufunc at an address; all arguments are addresses too."""

    def generate(_context, builder, _signature, arguments):  # type: ignore[no-untyped-def]
        pointer = ir.IntType(8).as_pointer()
        loop = ir.FunctionType(ir.VoidType(), [pointer] * 4).as_pointer()
        address, *others = arguments
        builder.call(
            builder.inttoptr(address, loop), [builder.inttoptr(a, pointer) for a in others]
        )

    return types.void(*[types.int64] * 5), generate


_run_signature: Final = (
    "UniTuple(i8,2)(i8[::1],i8[:,::1],i8[:,::1],i8[::1],i8[::1],f8[:,::1],u1[:,::1],i8,"
    "f8[:,:],i8[::1],f8[:,::1])"
)


def _loop_over_blocks(  # type: ignore[no-untyped-def]
    pool, code, stages, moves, outputs, work, flags, n_inputs, inputs, kept, results
):
    """Run all stages on blocks of points.

    Return the number of points that are left, and 1 if a ratio or the first output is NaN.
    """
    total, undefined = 0, 0
    choice = np.empty(work.shape[1], dtype=np.int64)
    for start in range(0, inputs.shape[1], work.shape[1]):
        n = min(work.shape[1], inputs.shape[1] - start)
        for row in range(n_inputs):
            for j in range(n):
                work[row, j] = inputs[row, start + j]
        for j in range(n):
            kept[total + j] = start + j
        for stage in range(stages.shape[0]):
            first, last, worst, first_move, last_move = stages[stage]
            for k in range(first, last):
                pool[code[k, 5]] = n
                _call_loop(code[k, 0], code[k, 2], code[k, 3], code[k, 4], code[k, 1])
            if worst < 0:
                continue
            left = 0
            for j in range(n):
                ratio = work[worst, j]
                if ratio != ratio:
                    undefined = 1
                choice[left] = j
                left += not ratio > 1.0
            if left < n:
                for m in range(first_move, last_move):
                    row = moves[m]
                    for j in range(left):
                        if row >= 0:
                            work[row, j] = work[row, choice[j]]
                        else:  # truth values
                            flags[~row, j] = flags[~row, choice[j]]
                for j in range(left):
                    kept[total + j] = kept[total + choice[j]]
                n = left
            if n == 0:
                break
        for output in range(outputs.shape[0]):
            row = outputs[output]
            for j in range(n):
                results[output, total + j] = work[row, j]
        for j in range(total, total + n):
            if results[0, j] != results[0, j]:
                undefined = 1
        total += n
    return total, undefined


_run = compile_later(_loop_over_blocks, _run_signature)
