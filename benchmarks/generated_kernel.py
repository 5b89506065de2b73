"""Any recorded likelihood as one compiled loop over points, generated from its steps.

It serves only as a reference for zpfit's speed. zpfit calls a loop over a block of points for each
step; here one loop over points holds all steps, so that intermediate values stay in registers and a
point that is excluded costs nothing more. The compiler takes a minute or two for the data of today,
once for each posterior. ``benchmarks/fused_kernel.py`` is such a loop written by hand, for one set.
"""

import gc
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from zpfit.inference.posterior import Posterior
from zpfit.io.arrays import FloatArray
from zpfit.physics import compiled, program
from zpfit.physics.tracing import Node, cores_of, outputs_of

Compiled = Callable[..., Any]
_Call, _Kernel = program._Call, compiled._Kernel
_NUMPY = {
    "add": "{} + {}",
    "subtract": "{} - {}",
    "multiply": "{} * {}",
    "divide": "{} / {}",
    "negative": "-{}",
    "positive": "+{}",
    "square": "{0} * {0}",
    "less": "{} < {}",
    "less_equal": "{} <= {}",
    "greater": "{} > {}",
    "greater_equal": "{} >= {}",
    "bitwise_and": "{} & {}",
    "absolute": "abs({})",
}
"""What NumPy's ufuncs are for numbers; all others are called."""


def generated_likelihood(posterior: Posterior) -> Callable[[FloatArray], FloatArray]:
    """Compile the loop; from points of the unit cube, shape (n, d), to ln L, shape (n,).

    Raises
    ------
    ValueError
        The posterior, or one of its terms, cannot be recorded.
    """
    recorded = posterior._compiled
    if recorded is None or not recorded._parts.complete:
        raise ValueError("some terms cannot be recorded")
    kernel = _Source(recorded._of_cube).compiled()

    def log_likelihood(u: FloatArray) -> FloatArray:
        result = np.full(len(u), -np.inf)
        kernel(u, result)
        return result

    return log_likelihood


class _Source:
    """Lines of the loop, and the tables and functions that they name."""

    def __init__(self, recorded: program.Program) -> None:
        self._names: dict[str, Any] = {"np": np, "inf": np.inf, "nan": np.nan}
        self._functions = _functions()
        self._places: dict[int, str] = {}
        _, _, stages, _, outputs, *_, n_inputs = recorded._tables
        lines = [f"r{row} = u[i, {row}]" for row in range(n_inputs)]
        for first, last, ratio, *_ in stages:
            for call in recorded._alive[first:last]:
                lines += self._lines(call)
            if ratio >= 0:
                lines += [f"if r{ratio} > 1.0:", "    continue"]
        lines.append(f"result[i] = r{outputs[0, 0]}")
        places = [f"    {name} = np.empty({shape})" for name, shape in self._places.items()]
        body = [f"        {line}" for line in lines]
        head = ["def kernel(u, result):", *places, "    for i in range(len(u)):"]
        self._text = "\n".join([*head, *body])

    def compiled(self) -> Compiled:
        """Compile the loop."""
        exec(self._text, self._names)  # noqa: S102 - the text is made above
        return _compile(self._names["kernel"])

    def _lines(self, call: _Call) -> list[str]:
        """Return the statements of one step."""
        step = call.step
        return self._of_arrays(call) if step.batch else self._of_numbers(call)

    def _of_numbers(self, call: _Call) -> list[str]:
        step = call.step
        formula = _NUMPY.get(step.ufunc.__name__)
        if formula is None:
            slots = ", ".join(["{}"] * step.ufunc.nin)
            formula = f"{self._function(step.ufunc)}({slots})"
        width = outputs_of(step)[0].width
        if width == 1:
            values = [self._value(v, n) for v, n in zip(call.inputs, step.inputs, strict=True)]
            return [f"r{call.outputs[0]} = {formula.format(*values)}"]
        values = [
            self._value(v, n, "[0, b]") for v, n in zip(call.inputs, step.inputs, strict=True)
        ]
        target = self._place(call.outputs[0], width)
        return [f"for b in range({width}):", f"    {target}[0, b] = {formula.format(*values)}"]

    def _of_arrays(self, call: _Call) -> list[str]:
        step = call.step
        cores = cores_of(step.ufunc)
        before, arguments, after = [], [], []
        for value, node, core in zip(call.inputs, step.inputs, cores, strict=False):
            if isinstance(value, int):
                place = self._place(value, node.width)
                if node.width == 1:
                    before.append(f"{place}[0] = r{value}")
                arguments.append(place)
            elif not core:
                arguments.append(repr(float(value.item())))
            else:
                arguments.append(self._named(np.ascontiguousarray(value)))
        for row, node in zip(call.outputs, outputs_of(step), strict=True):
            place = self._place(row, node.width)
            arguments.append(place)
            if node.width == 1:
                after.append(f"r{row} = {place}[0]")
        return [*before, f"{self._function(step.ufunc)}({', '.join(arguments)})", *after]

    def _value(self, value: int | FloatArray, node: Node | FloatArray, index: str = "") -> str:
        if not isinstance(node, Node):  # a program holds rows of copies of a constant
            return repr(node.item()) if node.size == 1 else f"{self._named(node)}{index}"
        return f"{self._place(value, node.width)}{index}" if node.width > 1 else f"r{value}"

    def _place(self, row: int, width: int) -> str:
        """Return the name of an array for a row."""
        name = f"a{row}"
        self._places[name] = f"(1, {width})" if width > 1 else "1"
        return name

    def _named(self, value: Any) -> str:
        name = f"c{len(self._names)}"
        self._names[name] = value
        return name

    def _function(self, ufunc: np.ufunc) -> str:
        name = ufunc.__name__
        found = self._functions.get(id(ufunc))
        if found is None:
            return f"np.{name}"
        name = f"f_{name}_{id(ufunc)}"
        self._names.setdefault(name, found)
        return name


def _functions() -> dict[int, Compiled]:
    """Return the formulas behind all ufuncs of zpfit that are in use."""
    kernels = [each for each in gc.get_objects() if type(each) is _Kernel]
    used = [each for each in kernels if "_ufunc" in vars(each)]
    return {id(getattr(each._ufunc, "ufunc", each._ufunc)): _compile(each._kernel) for each in used}


def _compile(function: Compiled) -> Compiled:
    return numba.njit(function, error_model="numpy", fastmath={"contract"})
