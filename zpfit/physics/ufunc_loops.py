"""Ufuncs whose loops over arrays are read from disk, as their formulas are.

``numba.vectorize`` keeps a compiled formula on disk, but compiles the loop that calls it for each
point anew in every process, which takes some 30 ms. A likelihood of today has 25 such ufuncs.
``numba.guvectorize`` keeps its loops; here the same class of numba keeps those of ufuncs.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba.core.caching import NullCache, make_library_cache
from numba.np.numpy_support import as_dtype
from numba.np.ufunc.ufuncbuilder import UFuncBuilder
from numba.np.ufunc.wrappers import build_ufunc_wrapper

_LoopCache: Any = make_library_cache("ufunc")


def vectorize(
    signature: str, *, cache: bool, **options: Any
) -> Callable[[Callable[..., Any]], np.ufunc]:
    """Compile a formula of one point into a ufunc, or read it from numba's cache.

    Parameters
    ----------
    signature : str
        Types as numba writes them, such as ``"f8(f8,f8)"``.
    cache : bool
        Keep what is compiled in numba's cache folder.
    **options
        Options of ``numba.vectorize``.

    Examples
    --------
    >>> average = vectorize("f8(f8,f8)", cache=False)(lambda x, y: 0.5 * (x + y))
    >>> average(np.array([1.0, 2.0]), 4.0).tolist()
    [2.5, 3.0]
    """

    def compiled(formula: Callable[..., Any]) -> np.ufunc:
        builder = _Builder(formula, cache=cache, targetoptions=options)
        builder.add(signature)
        ufunc: np.ufunc = builder.build_ufunc()
        return ufunc

    return compiled


class _Builder(UFuncBuilder):  # type: ignore[misc]
    """Builds a ufunc from loops that are kept on disk."""

    def __init__(self, formula: Callable[..., Any], *, cache: bool, targetoptions: Any) -> None:
        super().__init__(formula, cache=cache, targetoptions=targetoptions)
        self._loops = _LoopCache(formula) if cache else NullCache()

    def build(self, compiled: Any, signature: Any) -> tuple[list[int], int, Any]:
        """Return the numbers of the types, the address of the loop, and what it needs."""
        context, name = compiled.target_context, compiled.fndesc.llvm_func_name
        loop = self._loops.load_overload(signature, context)
        if loop is None:
            arguments = compiled.library, context, name, signature, compiled.objectmode, compiled
            loop = build_ufunc_wrapper(*arguments).library
            loop.enable_object_caching()
            self._loops.save_overload(signature, loop)
        address = loop.get_pointer_to_function(f"__ufunc__.{name}")
        types = [as_dtype(each).num for each in (*signature.args, signature.return_type)]
        return types, address, compiled.environment
