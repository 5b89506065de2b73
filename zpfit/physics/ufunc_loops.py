"""Ufuncs whose loops over arrays are read from disk, as their formulas are.

``numba.vectorize`` keeps a compiled formula on disk, but compiles the loop that calls it for each
point anew in every process, which takes some 30 ms. A likelihood of today has 25 such ufuncs.
``numba.guvectorize`` keeps its loops; here the same class of numba keeps those of ufuncs.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numba.core import caching
from numba.np.numpy_support import as_dtype
from numba.np.ufunc import ufuncbuilder, wrappers

_caching: Any = caching
_ufuncbuilder: Any = ufuncbuilder
_wrappers: Any = wrappers
"""numba has no complete type hints."""

_LoopCache: Any = _caching.make_library_cache("ufunc")


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
        builder = _ufuncbuilder.UFuncBuilder(formula, cache=cache, targetoptions=options)
        loops = _LoopCache(formula) if cache else _caching.NullCache()
        builder.build = partial(_build, loops)
        builder.add(signature)
        ufunc: np.ufunc = builder.build_ufunc()
        return ufunc

    return compiled


def _build(loops: Any, formula: Any, signature: Any) -> tuple[list[int], int, Any]:
    """Return the numbers of the types, the address of the loop, and what it needs.

    Parameters are the cache of the loop, and what numba's own method has: the compiled formula and
    its signature.
    """
    name = formula.fndesc.llvm_func_name
    loop = loops.load_overload(signature, formula.target_context)
    if loop is None:
        context, library = formula.target_context, formula.library
        arguments = library, context, name, signature, formula.objectmode, formula
        loop = _wrappers.build_ufunc_wrapper(*arguments).library
        loop.enable_object_caching()
        loops.save_overload(signature, loop)
    address = loop.get_pointer_to_function(f"__ufunc__.{name}")
    types = [int(as_dtype(each).num) for each in (*signature.args, signature.return_type)]
    return types, address, formula.environment
