"""Write files whole or not at all, and prepare the folders that hold them."""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from zpfit.errors import FilesExist, UnwritablePath

PARTIAL = ".partial-"
"""Prefix of the names of files that are not complete yet."""


def write_text(target: Path, text: str) -> None:
    """Write a text file whole.

    Raises
    ------
    UnwritablePath
        It cannot be written.
    """
    write_whole(target, lambda path: path.write_text(text, encoding="utf-8"))


def as_json(content: Any) -> str:
    """Return JSON text with two spaces of indent; NaN and infinity are errors."""
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def write_json(target: Path, content: Any) -> None:
    """Write a JSON file whole.

    Raises
    ------
    UnwritablePath
        It cannot be written.
    ValueError
        The content holds NaN or infinity.
    """
    write_text(target, as_json(content))


def make_folder(path: Path) -> None:
    """Make a folder unless it is there.

    Raises
    ------
    UnwritablePath
        It cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritablePath(path, error.strerror or str(error)) from error


def make_room(path: Path, names: Sequence[str], *, force: bool) -> None:
    """Make a folder for files of these names.

    Raises
    ------
    FilesExist
        Some are there and ``force`` is not given.
    UnwritablePath
        The folder cannot be made.
    """
    there = [name for name in names if (path / name).exists()]
    if there and not force:
        raise FilesExist(path, there)
    make_folder(path)


def check_writable(path: Path) -> None:
    """See that a file can be written later, and make its folder; what is there stays.

    Raises
    ------
    UnwritablePath
        It cannot.
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
    """Let ``write`` fill a file; it gets its name when it is complete.

    Raises
    ------
    UnwritablePath
        It cannot be written.
    """
    unfinished = partial_path(target)
    try:
        write(unfinished)
        unfinished.replace(target)
    except OSError as error:
        raise UnwritablePath(target, error.strerror or str(error)) from error
    finally:
        with suppress(OSError):  # the first failure counts
            unfinished.unlink(missing_ok=True)


def write_together(
    folder: Path,
    writers: Sequence[tuple[str, Callable[[Path], object]]],
    earlier: Sequence[str] = (),
) -> tuple[Path, ...]:
    """Let ``writers`` fill files of these names; returns the files.

    When all are complete, they take the place of ``earlier`` ones, which are removed.

    Raises
    ------
    UnwritablePath
        One cannot be written.
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
    """Where a file is until it is complete."""
    return target.with_name(f"{PARTIAL}{target.name}")
