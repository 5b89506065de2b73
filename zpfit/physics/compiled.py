"""Turn formulas into NumPy ufuncs compiled by numba and cached on disk.

A closed formula is written for one point and broadcasts over any batch
(:func:`ufunc`); one that needs tables loops over a batch (:func:`gufunc`). With
``NUMBA_DISABLE_JIT=1`` the same functions run interpreted: slowly, but a debugger and
a coverage tool can follow them.
"""

import inspect
from collections.abc import Callable, Set
from functools import cached_property, partial, update_wrapper
from threading import RLock
from typing import Any, TypeVar

import numba
import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.physics.kernel_cache import kernel_cache
from zpfit.physics.ufunc_loops import vectorize

Ufunc = Callable[..., Any]
"""A function of broadcastable arrays or floats that returns arrays of the broadcast shape."""

_numba: Any = numba
"""numba has no complete type hints."""

F = TypeVar("F", bound=Callable[..., Any])

_FASTMATH: Set[str] = {"contract"}
"""Allow fused multiply-add. Other "fast" options would break NaN and infinity, which mark
points that no model can reach."""
_REASSOCIATE: Set[str] = {*_FASTMATH, "reassoc"}
"""Allow sums in another order too."""

INTERPRETED = bool(_numba.config.DISABLE_JIT)
"""True if formulas run as they are, see :mod:`zpfit.physics.compiled`."""

_LOADING = RLock()
"""Lets one thread compile at a time, since numba's cache folder is a global setting."""


class _Kernel:
    """A ufunc that is compiled, or read from disk, at its first call.

    Reading every formula takes seconds, and a process needs only those of its model and data.
    """

    def __init__(
        self,
        kernel: Callable[..., Any],
        compiler: Callable[..., Any],
        fastmath: Set[str] = _FASTMATH,
    ) -> None:
        update_wrapper(self, kernel)
        self._kernel, self._compiler, self._fastmath = kernel, compiler, fastmath

    def __call__(self, *arguments: Any) -> Any:
        return self._ufunc(*arguments)

    @cached_property
    def _ufunc(self) -> Ufunc:
        with _LOADING, kernel_cache(self._kernel) as cache:
            ufunc: Ufunc = self._compiler(cache=cache, fastmath=self._fastmath)(self._kernel)
        return ufunc


def inline(helper: F) -> F:
    """Compile a helper function of kernels; division by zero gives infinity, as in NumPy.

    It may make no new arrays, only views: numba then counts no references, which would take longer
    than a loop over a hundred numbers.
    """
    return _inlined(helper, _FASTMATH, _nrt=False)


def merged(helper: F) -> F:
    """Compile an :func:`inline` as a part of each function that calls it.

    Passing an array costs as much as ten additions. Code that is long, or called from several
    places, takes longer to compile in this way.
    """
    return _inlined(helper, _FASTMATH, _nrt=False, forceinline=True)


def merged_sum(helper: F) -> F:
    """Compile a :func:`merged` that adds up in any order, so that it uses vector instructions."""
    return _inlined(helper, _REASSOCIATE, _nrt=False, forceinline=True)


def inline_arrays(helper: F) -> F:
    """Compile a helper function of kernels that returns new arrays."""
    return _inlined(helper, _FASTMATH)


def _inlined(helper: F, fastmath: Set[str], **options: bool) -> F:
    # Nothing calls a helper through a pointer of C.
    compiled: F = _numba.njit(
        helper, error_model="numpy", fastmath=fastmath, no_cfunc_wrapper=True, **options
    )
    return compiled


def ufunc(formula: Callable[..., float]) -> Ufunc:
    """Compile ``formula(x, y, ...) -> float`` into a ufunc.

    Examples
    --------
    >>> import numpy as np
    >>> from zpfit.physics.moller import _e158  # a formula of one point
    >>> _e158(np.array([17.0, 20.0]), 1e-4, 1e-4).shape
    (2,)
    """
    return _of_one_point(formula, _FASTMATH)


def rounded_ufunc(formula: Callable[..., float]) -> Ufunc:
    """Compile a :func:`ufunc` that rounds after each operation, to the same bits as NumPy."""
    return _of_one_point(formula, set())


def _of_one_point(formula: Callable[..., float], fastmath: Set[str]) -> Ufunc:
    if INTERPRETED:
        return np.vectorize(formula, otypes=[float])
    n_inputs = len(inspect.signature(formula).parameters)
    signature = f"f8({','.join(['f8'] * n_inputs)})"
    return _Kernel(formula, partial(vectorize, signature), fastmath)


def gufunc(layout: str) -> Callable[[Callable[..., None]], Ufunc]:
    """Compile ``kernel(x, ..., table, out, ...)``, which loops over a batch and fills outputs.

    The loop is part of the kernel, since one call of a compiled function for each
    point costs as much as a short formula.

    Parameters
    ----------
    layout : str
        NumPy's signature of a generalised ufunc. ``"(p),(),(n,k)->(p)"`` takes an array
        with one value for each point (it must come first), a number and a table. Dimensions of
        an output must be those of some input.
    """

    def compile_kernel(kernel: Callable[..., None]) -> Ufunc:
        if INTERPRETED:
            outputs = _dimensions(layout.partition("->")[2])
            interpreted = _returning(kernel, _dimensions(layout.partition("->")[0]), outputs)
            return np.vectorize(interpreted, otypes=[float] * len(outputs), signature=layout)
        types = ",".join(_numba_type(core) for core in layout.replace("->", ",").split("),"))
        return _Kernel(kernel, partial(_numba.guvectorize, [f"void({types})"], layout))

    return compile_kernel


def loop(*types: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Compile ``kernel(x, ..., out, ...)``, which loops over contiguous arrays and fills outputs.

    The arrays of a :func:`gufunc` may have any strides, so that loops over their last axis use no
    vector instructions. Here they do, but every array must be contiguous.

    Parameters
    ----------
    *types : str
        Of each argument: its dimensions as ``"(p)"`` or ``"(p,b)"``, ``"()"`` for a number;
        ``"i8(p)"`` for whole numbers.
    """

    def compile_kernel(kernel: Callable[..., None]) -> Callable[..., None]:
        if INTERPRETED:
            return kernel
        signature = f"void({','.join(map(_contiguous_type, types))})"
        return _Kernel(kernel, partial(_numba.njit, [signature], error_model="numpy"))

    return compile_kernel


def compile_later(function: Callable[..., Any], signature: str) -> Callable[..., Any]:
    """Compile a function for one signature, as numba writes it, at its first call."""
    return _Kernel(function, partial(_numba.njit, [signature], error_model="numpy"))


def _choose(condition: bool, yes: float, no: float) -> float:  # noqa: FBT001 - one point
    return yes if condition else no


choose: Ufunc = np.where if INTERPRETED else _Kernel(_choose, partial(vectorize, "f8(b1,f8,f8)"))
"""``numpy.where`` as a ufunc."""


def contiguous(*arrays: Any) -> list[FloatArray]:
    """Return arrays for a :func:`loop`, copied only where they are not contiguous or read-only."""
    return [
        array if array.flags.carray else np.array(array, dtype=float, order="C") for array in arrays
    ]


def flat(*arrays: Any) -> tuple[list[FloatArray], tuple[int, ...]]:
    """Broadcast arrays or numbers together; return them flattened for a kernel, and the shape."""
    together = np.broadcast_arrays(*(np.asarray(array, dtype=float) for array in arrays))
    return [array.ravel() for array in together], together[0].shape


def _dimensions(cores: str) -> list[list[str]]:
    """Return the names of the dimensions of each array, ``"(p),(),(n,k)"`` for example."""
    return [[name for name in core.strip("(),").split(",") if name] for core in cores.split("),")]


def _numba_type(core: str) -> str:
    [dimensions] = _dimensions(core)
    return "f8" + (f"[{','.join(':' * len(dimensions))}]" if dimensions else "")


def _contiguous_type(core: str) -> str:
    kind = "i8" if core.startswith("i8") else "f8"
    [dimensions] = _dimensions(core.removeprefix(kind))
    return kind + (f"[{','.join([*':' * (len(dimensions) - 1), '::1'])}]" if dimensions else "")


def _returning(
    kernel: Callable[..., None], inputs: list[list[str]], outputs: list[list[str]]
) -> Callable[..., Any]:
    """Return ``kernel`` as a function that allocates and returns its outputs."""

    def function(*arguments: Any) -> Any:
        sizes: dict[str, int] = {}
        for names, argument in zip(inputs, arguments, strict=True):
            sizes |= dict(zip(names, np.shape(argument), strict=True))
        results = [np.empty([sizes[name] for name in names]) for names in outputs]
        kernel(*arguments, *results)
        return results[0] if len(results) == 1 else tuple(results)

    return function
