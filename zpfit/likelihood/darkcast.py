"""Limits as DarkCast keeps them: ``.lmt`` files (arXiv:1801.04847).

Columns separated by blanks: mass in GeV, kinetic mixing; ``#`` begins a comment. Two columns say
that larger mixings are excluded, three that those between the two are.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zpfit.errors import InvalidCurve
from zpfit.io.arrays import FloatArray
from zpfit.io.schema import LARGEST, SMALLEST
from zpfit.io.yaml import read_text

SUFFIX = ".lmt"

_MEV = 1e3
_NO_LIMIT = 1e4
"""Mixing from which on a row says that there is no limit at its mass."""
_MEANINGS = {2: "mass, lower", 3: "mass, lower, upper"}


def read_darkcast(path: Path) -> FloatArray:
    """Rows of mass (MeV) and one or two edges in the mixing, masses increasing; shape (n, 2 or 3).

    - Rows without a limit are dropped at the ends of the file. Between limits they stay if there
      are two columns, so that no limit is interpolated across a gap (a resonance cut out).
    - Rows at mass zero are dropped, as masses are interpolated logarithmically.
    - Of rows with the same mass the weakest limit stays: the largest lower edge and the smallest
      upper one.

    Raises
    ------
    UnreadableFile
        The file is missing or not text.
    InvalidCurve
        No or too many columns, something that is no positive number, masses that
        decrease, edges in the wrong order, a gap in a region, or fewer than two rows left.
    """
    numbers, table = _rows(path)
    kept = _between_ends(table) & (table[:, 0] != 0)
    numbers, table = numbers[kept], table[kept]
    if len(table) < 2:
        raise InvalidCurve(path, 1, "at least 2 rows with a limit are needed")
    _check(path, numbers, table)
    _, first = np.unique(table[:, 0], return_index=True)
    weakest = np.maximum.reduceat(table, first)
    if table.shape[1] == 3:
        weakest[:, 2] = np.minimum.reduceat(table[:, 2], first)
        _check_edges(path, numbers[first], weakest)
    if len(weakest) < 2:
        raise InvalidCurve(path, int(numbers[-1]), "at least 2 different masses are needed")
    weakest[:, 0] *= _MEV
    return weakest


def count_columns(path: Path) -> int:
    """Return the number of columns of a file, 2 or 3.

    Raises
    ------
    UnreadableFile, InvalidCurve
        See :func:`read_darkcast`.
    """
    return int(read_darkcast(path).shape[1])


def _rows(path: Path) -> tuple[FloatArray, FloatArray]:
    """Line numbers and numbers of all rows."""
    lines = [
        (number, line.split("#")[0].split())
        for number, line in enumerate(read_text(path).splitlines(), start=1)
    ]
    lines = [(number, cells) for number, cells in lines if cells]
    if not lines:
        raise InvalidCurve(path, 1, "no rows; each needs a mass in GeV and one or two mixings")
    columns = len(lines[0][1])
    for number, cells in lines:
        if columns not in _MEANINGS or len(cells) != columns:
            expected = _MEANINGS.get(columns, " or ".join(f"'{m}'" for m in _MEANINGS.values()))
            raise InvalidCurve(path, number, f"{expected} are needed, not {' '.join(cells)!r}")
    rows = [_numbers(path, number, cells) for number, cells in lines]
    return np.array([number for number, _ in lines]), np.array(rows)


def _numbers(path: Path, number: int, cells: list[str]) -> list[float]:
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        text = " ".join(cells)
        raise InvalidCurve(path, number, f"{text!r} holds something that is no number") from None


def _between_ends(table: FloatArray) -> NDArray[np.bool_]:
    """Whether each row lies between the first and the last one with a limit."""
    # What is no number has no place here either, but is for the checks to find.
    limited = ~(table[:, 1] >= _NO_LIMIT)
    before = np.logical_or.accumulate(limited)
    after = np.logical_or.accumulate(limited[::-1])[::-1]
    return np.asarray(before & after)


def _check(path: Path, numbers: FloatArray, table: FloatArray) -> None:
    for number, row in zip(numbers, table, strict=True):
        if not np.all((row >= SMALLEST) & (row <= LARGEST)):
            text = " ".join(f"{value:g}" for value in row)
            raise InvalidCurve(path, int(number), f"{text!r}: numbers must be positive and finite")
        if len(row) == 3 and row[1] >= _NO_LIMIT:
            raise InvalidCurve(path, int(number), "a gap in a region; make two files of it")
    for index in np.flatnonzero(np.diff(table[:, 0]) < 0):
        raise InvalidCurve(
            path,
            int(numbers[index + 1]),
            f"mass {table[index + 1, 0]:g} follows {table[index, 0]:g}; sort the rows by mass",
        )


def _check_edges(path: Path, numbers: FloatArray, table: FloatArray) -> None:
    for number, (_, lower, upper) in zip(numbers, table, strict=True):
        if lower >= upper:
            raise InvalidCurve(
                path, int(number), f"the lower edge {lower:g} is not below the upper one {upper:g}"
            )
