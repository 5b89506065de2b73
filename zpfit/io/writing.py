"""Atomic writing of files, and preparation of their folders.

A file is written under another name and renamed when it is complete, so that a process that is
killed leaves no incomplete file under the final name.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from zpfit.errors import FilesExist, UnwritablePath

PARTIAL = ".partial-"
"""Prefix of the names of incomplete files."""


def write_text(target: Path, text: str) -> None:
    """Write a text file in UTF-8.

    Raises
    ------
    UnwritablePath
        The file cannot be written.
    """
    write_whole(target, lambda path: path.write_text(text, encoding="utf-8"))


def as_json(content: Any) -> str:
    """Return JSON text with two spaces of indent.

    Raises
    ------
    ValueError
        The content holds NaN or infinity, which JSON does not have.

    Examples
    --------
    >>> print(as_json({"seed": 1}), end="")
    {
      "seed": 1
    }
    """
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def write_json(target: Path, content: Any) -> None:
    """Write a JSON file.

    Raises
    ------
    UnwritablePath
        The file cannot be written.
    ValueError
        The content holds NaN or infinity.
    """
    write_text(target, as_json(content))


def make_folder(path: Path) -> None:
    """Make a folder and its parents, unless they exist.

    Raises
    ------
    UnwritablePath
        The folder cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritablePath(path, error.strerror or str(error)) from error


def make_room(path: Path, names: Sequence[str], *, force: bool) -> None:
    """Make a folder for files of given names.

    Parameters
    ----------
    path : Path
        Folder.
    names : sequence of str
        Names of the files to be written.
    force : bool
        Allow files of these names to be replaced.

    Raises
    ------
    FilesExist
        A file of these names exists and ``force`` is false.
    UnwritablePath
        The folder cannot be made.
    """
    there = [name for name in names if (path / name).exists()]
    if there and not force:
        raise FilesExist(path, there)
    make_folder(path)


def check_writable(path: Path) -> None:
    """Check that a file can be written later, and make its folder; an existing file is kept.

    Raises
    ------
    UnwritablePath
        The file cannot be written.
    """
    make_folder(path.parent)
    if path.is_dir():
        raise UnwritablePath(path, "a folder has this name")
    unfinished = partial_path(path)
    try:
        unfinished.touch()
        unfinished.unlink()
    except OSError as error:
        raise UnwritablePath(path, error.strerror or str(error)) from error


def write_whole(target: Path, write: Callable[[Path], object]) -> None:
    """Write a file by a function, and rename it when it is complete.

    Parameters
    ----------
    target : Path
        Final path of the file.
    write : callable
        Writes the content to the path that it is given.

    Raises
    ------
    UnwritablePath
        The file cannot be written.
    """
    unfinished = partial_path(target)
    try:
        write(unfinished)
        unfinished.replace(target)
    except OSError as error:
        raise UnwritablePath(target, error.strerror or str(error)) from error
    finally:
        with suppress(OSError):  # an earlier failure is the one to report
            unfinished.unlink(missing_ok=True)


def write_together(
    folder: Path,
    writers: Sequence[tuple[str, Callable[[Path], object]]],
    earlier: Sequence[str] = (),
) -> tuple[Path, ...]:
    """Write several files of one folder, and rename them when all are complete.

    Parameters
    ----------
    folder : Path
    writers : sequence of (str, callable)
        Name of each file, and a function that writes its content to the path that it is given.
    earlier : sequence of str
        Names of files in the folder that are removed when the new ones are complete.

    Returns
    -------
    tuple of Path
        The files.

    Raises
    ------
    UnwritablePath
        A file cannot be written.
    """
    targets = tuple(folder / name for name, _ in writers)
    for target in targets:
        check_writable(target)
    try:
        with TemporaryDirectory(prefix=PARTIAL, dir=folder) as room:
            for name, write in writers:
                write(Path(room) / name)
            for name in earlier:
                (folder / name).unlink()
            for target in targets:
                (Path(room) / target.name).replace(target)
    except OSError as error:
        raise UnwritablePath(folder, error.strerror or str(error)) from error
    return targets


def partial_path(target: Path) -> Path:
    """Return the path of a file while it is incomplete."""
    return target.with_name(f"{PARTIAL}{target.name}")
