"""The cache of compiled formulas on disk, safe for many processes that start together.

numba's own cache has two weaknesses. It follows the file that holds a formula,
not the helpers and constants that the formula uses; here the folder is named
after the place of the package and the contents of every file with formulas, so that no edit
leaves stale code behind. And two processes that compile a generalised ufunc at the same time
can leave halves on disk that do not fit together, which ends every later
process with a segmentation fault (https://github.com/numba/numba/issues/10128);
here a lock lets one process at a time compile. A completed formula is marked, and
other processes load it without the lock.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numba
from filelock import FileLock

_config: Any = numba.config
"""numba has no complete type hints."""

_PACKAGE = Path(__file__).parent.parent
COMPILED = ("physics", "models", "inference/densities", "inference/search", "analysis/certify")
"""Packages with compiled formulas; a test sees that no other one has any."""
_PYCACHE = Path(__file__).parent / "__pycache__"


def _candidates() -> Iterator[Path]:
    """Yield folders that may hold the cache, the user's choice first."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        yield Path(chosen)
        return
    yield _PYCACHE
    with suppress(RuntimeError):  # containers may have users without a home
        yield Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zpfit"


def _digest() -> str:
    """Return a digest of the package's place and of every file that may hold a formula.

    numba files what it compiles by the path of the source. Two copies of the package that shared
    the marks of completed formulas would compile at the same time.
    """
    digest = hashlib.sha256(str(_PACKAGE).encode())
    for package in COMPILED:
        for source in sorted((_PACKAGE / package).glob("*.py")):
            digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


@cache
def _folder() -> tuple[Path, FileLock] | None:
    """Return the first folder that can be written and locked, and its lock, or None."""
    name = f"zpfit-{_digest()}"
    for base in _candidates():
        folder = base / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(folder / "lock")
            with lock:
                if base == _PYCACHE:
                    _remove_stale(folder)
        except (OSError, NotImplementedError):
            continue
        return folder, lock
    return None


def _remove_stale(folder: Path) -> None:
    """Remove caches of earlier versions of this package beside ``folder``."""
    for other in folder.parent.glob("zpfit-*"):
        if other.is_dir() and other != folder:
            shutil.rmtree(other, ignore_errors=True)


@contextmanager
def kernel_cache(kernel: Callable[..., object]) -> Iterator[bool]:
    """Set numba's cache folder while ``kernel`` is compiled.

    Yields the argument ``cache`` of the compiler: False if no folder can be written.
    """
    place = _folder()
    if place is None:
        yield False
        return
    folder, lock = place
    complete = folder / f"{kernel.__module__}.{kernel.__qualname__}.{_processor()}.complete"
    before = _config.CACHE_DIR
    with nullcontext() if complete.exists() else lock:
        _config.CACHE_DIR = str(folder)
        try:
            yield True
        finally:
            _config.CACHE_DIR = before
        with suppress(OSError):  # a full disk: the next process takes the lock again
            complete.touch()


@cache
def _processor() -> str:
    """Return a digest of processor and numba version, as machines may share a folder."""
    features = llvm.get_host_cpu_features().flatten()
    described = f"{llvm.get_host_cpu_name()} {features} {numba.__version__}"
    return hashlib.sha256(described.encode()).hexdigest()[:8]
