"""Turn formulas into NumPy ufuncs compiled by numba and cached on disk.

A closed formula is written for one point and broadcasts over any batch
(:func:`ufunc`); one that needs tables loops over a batch (:func:`gufunc`). With
``NUMBA_DISABLE_JIT=1`` the same functions run interpreted: slow, but they can
be stepped through and their coverage measured.
"""

import inspect
from collections.abc import Callable
from functools import cached_property, partial, update_wrapper
from threading import RLock
from typing import Any, TypeVar

import numba
import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.physics.kernel_cache import kernel_cache

Ufunc = Callable[..., Any]
"""Takes broadcastable arrays or floats, returns the broadcast result."""

_numba: Any = numba
"""numba has no complete type hints."""

F = TypeVar("F", bound=Callable[..., Any])

_FASTMATH = {"contract"}
"""A product and a sum may become one instruction; NaN and infinity keep their meaning."""

_INTERPRETED = bool(_numba.config.DISABLE_JIT)


_LOADING = RLock()
"""One thread at a time, as the place of the cache is a setting of all of numba."""


class _Kernel:
    """A ufunc that is compiled, or read from disk, when it is first called.

    A process needs the formulas of its own model and data; all of them take seconds to read.
    """

    def __init__(self, kernel: Callable[..., Any], compiler: Callable[..., Any]) -> None:
        update_wrapper(self, kernel)
        self._kernel, self._compiler = kernel, compiler

    def __call__(self, *arguments: Any) -> Any:
        return self._ufunc(*arguments)

    @cached_property
    def _ufunc(self) -> Ufunc:
        with _LOADING, kernel_cache(self._kernel) as cache:
            ufunc: Ufunc = self._compiler(cache=cache, fastmath=_FASTMATH)(self._kernel)
        return ufunc


def inline(helper: F) -> F:
    """Compile a helper that formulas call; floats divide by zero as in NumPy."""
    compiled: F = _numba.njit(helper, error_model="numpy", fastmath=_FASTMATH)
    return compiled


def ufunc(formula: Callable[..., float]) -> Ufunc:
    """Compile ``formula(x, y, ...) -> float`` into a ufunc."""
    if _INTERPRETED:
        return np.vectorize(formula, otypes=[float])
    n_inputs = len(inspect.signature(formula).parameters)
    signature = f"f8({','.join(['f8'] * n_inputs)})"
    return _Kernel(formula, partial(_numba.vectorize, [signature]))


def gufunc(layout: str) -> Callable[[Callable[..., None]], Ufunc]:
    """Compile ``kernel(x, ..., table, out)``, which loops over a batch and fills ``out``.

    ``layout`` is NumPy's: ``"(p),(),(n,k)->(p)"`` is an array with a value for
    each point, which must come first, a number, and a two-dimensional table. The
    loop stands in the kernel because entering a compiled function once for each
    point costs as much as a short formula.
    """

    def compile_kernel(kernel: Callable[..., None]) -> Ufunc:
        if _INTERPRETED:
            return np.vectorize(_returning(kernel), otypes=[float], signature=layout)
        types = ",".join(_numba_type(core) for core in layout.replace("->", ",").split("),"))
        return _Kernel(kernel, partial(_numba.guvectorize, [f"void({types})"], layout))

    return compile_kernel


def flat(*arrays: Any) -> tuple[list[FloatArray], tuple[int, ...]]:
    """Arrays or numbers broadcast together and flattened for a kernel, and their shape."""
    together = np.broadcast_arrays(*(np.asarray(array, dtype=float) for array in arrays))
    return [array.ravel() for array in together], together[0].shape


def _numba_type(core: str) -> str:
    dimensions = [name for name in core.strip("()").split(",") if name]
    return "f8" + (f"[{','.join(':' * len(dimensions))}]" if dimensions else "")


def _returning(kernel: Callable[..., None]) -> Callable[..., FloatArray]:
    def function(*arguments: Any) -> FloatArray:
        out = np.empty(len(arguments[0]))
        kernel(*arguments, out)
        return out

    return function
