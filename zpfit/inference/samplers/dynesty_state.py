"""A dynesty sampler as bytes and back; bytes from an unknown source cannot run code."""

import io
import pickle
from typing import Any

from zpfit.errors import UnsafeCheckpoint

_NUMPY = {
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
    ("numpy.random._pcg64", "PCG64"),
    ("numpy.random._pickle", "__bit_generator_ctor"),
    ("numpy.random._pickle", "__generator_ctor"),
    ("numpy.random.bit_generator", "SeedSequence"),
    ("numpy.random.bit_generator", "__pyx_unpickle_SeedSequence"),
}
"""Names that a sampler's state may refer to, besides dynesty's own classes."""
_WRAPPER = ("dynesty.dynesty", "_function_wrapper")


def frozen(sampler: Any, *functions: Any) -> bytes:
    """Return a sampler as bytes, without the ``functions`` that it calls."""
    buffer = io.BytesIO()
    _Pickler(buffer, functions).dump(sampler)
    return buffer.getvalue()


def revived(state: bytes, *functions: Any) -> Any:
    """Return the sampler behind the result of :func:`frozen`.

    ``functions`` are the same ones in the same order.

    Raises
    ------
    UnsafeCheckpoint
        The bytes hold something other than a sampler, or are damaged.
    """
    try:
        return _Unpickler(io.BytesIO(state), functions).load()
    except Exception as error:  # damaged bytes fail in many ways
        raise UnsafeCheckpoint(str(error) or type(error).__name__) from error


class _Pickler(pickle.Pickler):
    def __init__(self, buffer: io.BytesIO, functions: tuple[Any, ...]) -> None:
        super().__init__(buffer)
        self._functions = functions

    def persistent_id(self, thing: Any) -> int | None:
        """Return the number of a function that is left out."""
        return next((i for i, function in enumerate(self._functions) if thing is function), None)


class _Unpickler(pickle.Unpickler):
    def __init__(self, buffer: io.BytesIO, functions: tuple[Any, ...]) -> None:
        super().__init__(buffer)
        self._functions = functions

    def persistent_load(self, number: int) -> Any:
        """Return a function that was left out."""
        return self._functions[number]

    def find_class(self, module: str, name: str) -> Any:
        """Return a class or function that a sampler may contain; refuse all others."""
        if (module, name) in {*_NUMPY, _WRAPPER}:
            return super().find_class(module, name)
        found = super().find_class(module, name) if module.startswith("dynesty.") else None
        if isinstance(found, type) and found.__module__ == module:
            return found
        raise pickle.UnpicklingError(f"{module}.{name}")
