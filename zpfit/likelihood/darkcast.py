"""Limit files in DarkCast's format (``.lmt``).

Columns are separated by blanks: mass in GeV, then kinetic mixing; ``#`` begins a comment. In a file
of two columns, larger mixings are excluded; in a file of three, those between the two edges. The
edges are equal at a tip of the region.

References
----------
P. Ilten, Y. Soreq, M. Williams and W. Xue, JHEP 06 (2018) 004, arXiv:1801.04847.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zpfit.errors import InvalidCurve
from zpfit.io.arrays import FloatArray
from zpfit.io.schema import LARGEST, SMALLEST
from zpfit.io.yaml import read_text

SUFFIX = ".lmt"
"""Suffix of limit files."""

_MEV = 1e3
"""MeV per GeV."""
_NO_LIMIT = 1e4
"""Smallest mixing that marks a mass without a limit; DarkCast writes 1e4 or more."""
_NOT_BLANKS = (
    "values are separated by commas or semicolons; separate them by blanks, give masses in GeV, "
    "and leave out a header or begin it with #"
)
_MEANINGS = {2: "mass, lower", 3: "mass, lower, upper"}


def read_darkcast(path: Path) -> FloatArray:
    """Return the limits of a file.

    - Rows without a limit are dropped at the ends of the file. Between limits they are kept, so
      that no limit is interpolated across a gap, such as a resonance. In files of three columns
      their edges are NaN: a region ends at the last mass with a limit, and its next part begins at
      the next one.
    - Rows at mass zero are dropped, as masses are interpolated logarithmically.
    - Of several rows with the same mass, the weakest limit is kept: the largest lower edge and
      the smallest upper edge.

    Returns
    -------
    array, shape (n, 2) or (n, 3)
        Mass in MeV, increasing, and one or two edges in the kinetic mixing.

    Raises
    ------
    UnreadableFile
        The file is missing or not text.
    InvalidCurve
        The number of columns is not 2 or 3, a value is no positive number, masses decrease,
        edges are in the wrong order, or fewer than two rows are left.
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
        weakest[weakest[:, 1] >= _NO_LIMIT, 1:] = np.nan
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
    """Return the line numbers and the values of all rows."""
    lines = [
        (number, line.split("#")[0].split())
        for number, line in enumerate(read_text(path).splitlines(), start=1)
    ]
    lines = [(number, cells) for number, cells in lines if cells]
    if not lines:
        raise InvalidCurve(path, 1, "no rows; each needs a mass in GeV and one or two mixings")
    for number, cells in lines:
        if any(mark in cell for cell in cells for mark in ",;"):
            raise InvalidCurve(path, number, f"{' '.join(cells)!r}: {_NOT_BLANKS}")
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
        raise InvalidCurve(path, number, f"{text!r} contains a value that is no number") from None


def _between_ends(table: FloatArray) -> NDArray[np.bool_]:
    """Return True for rows from the first to the last one with a limit; shape (n,)."""
    # NaN counts as a limit here, so that the checks see it.
    limited = ~(table[:, 1] >= _NO_LIMIT)
    before = np.logical_or.accumulate(limited)
    after = np.logical_or.accumulate(limited[::-1])[::-1]
    return np.asarray(before & after)


def _check(path: Path, numbers: FloatArray, table: FloatArray) -> None:
    for number, row in zip(numbers, table, strict=True):
        if not np.all((row >= SMALLEST) & (row <= LARGEST)):
            text = " ".join(f"{value:g}" for value in row)
            raise InvalidCurve(path, int(number), f"{text!r}: numbers must be positive and finite")
    for index in np.flatnonzero(np.diff(table[:, 0]) < 0):
        raise InvalidCurve(
            path,
            int(numbers[index + 1]),
            f"mass {table[index + 1, 0]:g} follows {table[index, 0]:g}; sort the rows by mass",
        )


def _check_edges(path: Path, numbers: FloatArray, table: FloatArray) -> None:
    for number, (_, lower, upper) in zip(numbers, table, strict=True):
        if lower > upper:
            raise InvalidCurve(
                path, int(number), f"the lower edge {lower:g} is above the upper one {upper:g}"
            )
    if not np.any(table[:, 1] < table[:, 2]):
        raise InvalidCurve(path, int(numbers[0]), "the two edges are equal at every mass")
