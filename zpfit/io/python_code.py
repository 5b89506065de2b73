"""Load and call Python code that a user's file names, with messages in place of tracebacks.

Code runs only if a file names it, as ``file.py:object`` or ``package.module:object``.
Failures become :class:`~zpfit.errors.InvalidCode` with the line of the user's file.
"""

import hashlib
import importlib
import os
import re
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np
from pydantic import BeforeValidator

from zpfit.errors import InvalidCode, suggestion
from zpfit.io.arrays import FloatArray
from zpfit.io.python_files import by_place, listed_files, module_of
from zpfit.io.yaml import is_file

T = TypeVar("T")

Fail = Callable[[str], InvalidCode]
"""Makes an exception from the reason of a failure; it knows the kind and name of the code."""

SESSION = "python_session"
"""Stands in place of a module for objects that no file holds, such as those of notebooks."""

FILE_MODULE = "zpfit_code_"
"""Names of modules that are read from a user's file begin so."""

_MACHINERY = tuple(
    f"{folder}{os.sep}"
    for folder in (
        Path(__file__).parent.parent,
        Path(np.__file__).parent,
        Path(importlib.__file__).parent,
    )
)
"""Folders whose frames are left out: they do not show the user's fault."""
_BACKPORT = f"{os.sep}importlib_metadata{os.sep}"
"""Replaces importlib.metadata in processes that import it, as Dask does."""


def _as_tuple(value: Any) -> Any:
    """Return a list of a file as a tuple, which can be part of a key."""
    return tuple(value) if isinstance(value, list) else value


ListedFiles = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
"""Files that a user's code reads, in a file."""


@dataclass(frozen=True)
class LoadedObject:
    """A Python object and the files it depends on."""

    target: Any
    files: dict[str, Path] = field(default_factory=dict)
    """By the path under which a library finds them, its own file first; empty for an installed
    module."""


def names_an_object(source: str) -> str:
    """Return ``source`` if it has the form ``file.py:object`` or ``package.module:object``.

    Raises
    ------
    ValueError
        It has another form.
    """
    if not re.fullmatch(r".+:\w+", source):
        raise ValueError(f"must be file.py:object or package.module:object, not {source!r}")
    return source


def load_object(
    source: str, roots: Iterable[Path], fail: Fail, reads: Sequence[str] = ()
) -> LoadedObject:
    """Import the object that ``file.py:object`` or ``package.module:object`` names.

    Parameters
    ----------
    source : str
        A file is looked up in ``roots``, a module among installed ones.
    roots : iterable of Path
        Folders in the order of precedence.
    fail : callable
        Makes an exception from a reason.
    reads : sequence of str, optional
        Files that the code reads, relative to the folder of its file.

    Raises
    ------
    InvalidCode
        The file or object does not exist, its import fails, or one of ``reads`` does not exist.
    """
    module_name, _, attribute = source.rpartition(":")
    if module_name == SESSION:
        raise unsaved(fail)
    files = {}
    if module_name.endswith(".py"):
        path = next((root / module_name for root in roots if is_file(root / module_name)), None)
        if path is None:
            raise fail("is not found; give its path from the run file")
        module, beside = imported(lambda: module_of(path, _name_for(path)), fail)
        given = Path(module_name)
        inside = not given.is_absolute() and ".." not in given.parts
        files = by_place(
            module_name if inside else path.name, path, [*beside, *read_by(path, reads, fail)]
        )
    else:
        if reads:
            raise fail("lists files, which is for code in a file.py; leave them out")
        module = imported(lambda: importlib.import_module(module_name), fail)
    if not hasattr(module, attribute):
        known = [name for name in vars(module) if not name.startswith("_")]
        hint = suggestion(attribute, known)
        raise fail(f"names nothing: the module has no {attribute!r}; {hint}")
    return LoadedObject(getattr(module, attribute), files)


def is_of_session(source: str) -> bool:
    """Return True if ``module:object`` names an object that no file holds."""
    return source.startswith(f"{SESSION}:")


def unsaved(fail: Fail) -> InvalidCode:
    """Return the failure of an object that no file holds."""
    return fail(
        "was defined in a Python session and not saved; write it to a file and name it "
        "file.py:object"
    )


def imported(load: Callable[[], T], fail: Fail) -> T:
    """Return what ``load`` imports.

    Raises
    ------
    InvalidCode
        The import fails, for whatever reason.
    """
    try:
        return load()
    except (Exception, SystemExit) as error:
        what = f"{type(error).__name__}: {error}"
        raise fail(
            f"cannot be imported{where_failed(error)}: {what.rstrip('.')}{_unlisted(error)}"
        ) from error


def read_by(path: Path, reads: Sequence[str], fail: Fail) -> tuple[Path, ...]:
    """Return the files that a Python file reads, see :func:`~zpfit.io.python_files.listed_files`.

    Raises
    ------
    InvalidCode
        One of them does not exist in the folder of ``path``.
    """
    try:
        return listed_files(path, reads)
    except ValueError as error:
        raise fail(f"{error}; mend the list") from error


def _name_for(path: Path) -> str:
    """Return the name of a file's module: two files of one name are two modules."""
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]
    return f"{FILE_MODULE}{path.stem}_{digest}"


def where_failed(error: BaseException) -> str:
    """Return `` at file:line`` of the user's own file, empty if the traceback has none."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((*_MACHINERY, "<frozen"))
        and _BACKPORT not in frame.filename
    ]
    own = [frame for frame in frames if frame.filename == frames[0].filename]
    return f" at {own[-1].filename}:{own[-1].lineno}" if own else ""


def _unlisted(error: BaseException) -> str:
    """Return the advice for code that reads a missing file, empty for any other failure.

    A run folder holds copies of the code and of the files that it lists, but of no others.
    """
    if not isinstance(error, FileNotFoundError):
        return ""
    return (
        "; copy the file to where the code looks for it, and list it under files: next to python:, "
        "so that run folders hold a copy"
    )


def called(function: Callable[[], T], called_with: str, remedy: str, fail: Fail) -> T:
    """Return the result of a user's function.

    Parameters
    ----------
    function : callable
        Calls the user's code without further arguments.
    called_with, remedy : str
        Argument and advice, for the message.
    fail : callable
        Makes an exception from a reason.

    Raises
    ------
    InvalidCode
        The code raises any exception.
    """
    try:
        return function()
    except InvalidCode:
        raise
    except (Exception, SystemExit) as error:
        where, what = where_failed(error), f"{type(error).__name__}: {error}"
        advice = _unlisted(error) or f"; mend it or {remedy}"
        raise fail(
            f"failed{where}, called with {called_with}: {what.rstrip('.')}{advice}"
        ) from error


def numbers(name: str, value: Any, shape: tuple[int, ...], fail: Fail) -> FloatArray:
    """Return a user's result as floats of the given shape.

    Raises
    ------
    InvalidCode
        The result has another shape, or does not consist of numbers.
    """
    row = np.asarray(value)
    if row.dtype.kind not in "fiu" or row.shape != shape:
        text = f": {value!r}" if isinstance(value, str) else ""
        raise fail(
            f"returned {name} of type {row.dtype} and shape {row.shape}{text}; "
            f"wanted are numbers of shape {shape}"
        )
    return row.astype(float, copy=False)
