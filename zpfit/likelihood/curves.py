"""Tables of published limits in the kinetic mixing of a dark photon."""

from pathlib import Path

import numpy as np

from zpfit.errors import InvalidCurve
from zpfit.io.arrays import FloatArray
from zpfit.io.schema import LARGEST, SMALLEST
from zpfit.io.yaml import read_text
from zpfit.likelihood.darkcast import SUFFIX, read_darkcast
from zpfit.physics.constants import ELECTRIC_CHARGE

PROMPT_COLUMNS = ("mass_MeV", "epsilon")
REGION_COLUMNS = ("mass_MeV", "epsilon_lower", "epsilon_upper")
CHI2_COLUMNS = ("value", "chi2")

_MIN_ROWS = 2
_FARTHEST_EDGES = 3e6
"""Upper over lower edge up to which a region's lifetime is tabulated."""


def read_curve(path: Path, columns: tuple[str, ...]) -> FloatArray:
    """A table as natural logarithms of mass (MeV) and electron coupling e * epsilon.

    Lines that start with ``#`` are comments; the first other line names the ``columns``. Files
    that end in ``.lmt`` have DarkCast's form (:mod:`zpfit.likelihood.darkcast`).
    Shape (rows, len(columns)), masses increasing.

    Raises
    ------
    UnreadableFile
        The file is missing or not text.
    InvalidCurve
        A wrong header, a missing, negative or non-numeric value,
        masses out of order, or a lower edge above the upper one. Numbers below 1e-60 count
        as zero, beyond 1e60 as infinite.
    """
    table = _darkcast(path, columns) if path.suffix == SUFFIX else _csv(path, columns)
    table[:, 1:] *= ELECTRIC_CHARGE
    logarithms: FloatArray = np.log(table)
    return logarithms


def _csv(path: Path, columns: tuple[str, ...]) -> FloatArray:
    numbers, table = _read_columns(path, columns)
    for number, row in zip(numbers, table, strict=True):
        _check_limits(path, number, row, columns)
    _check_order(path, numbers, table, "mass")
    return table


def _darkcast(path: Path, columns: tuple[str, ...]) -> FloatArray:
    table = read_darkcast(path)
    if table.shape[1] != len(columns):
        expected = f"{len(columns)} columns ({', '.join(columns)})"
        raise InvalidCurve(path, 1, f"{expected} are needed, not {table.shape[1]}")
    for row in table:
        _check_limits(path, 1, row, columns)
    return table


def read_chi2_table(path: Path) -> FloatArray:
    """A CSV table of values of an observable and chi2, shape (rows, 2), values increasing.

    Raises
    ------
    UnreadableFile
        The file is missing or not text.
    InvalidCurve
        A wrong header, a missing or non-numeric value, a negative chi2, or
        values out of order. Numbers beyond 1e60 count as infinite.
    """
    numbers, table = _read_columns(path, CHI2_COLUMNS)
    for number, (value, chi2) in zip(numbers, table, strict=True):
        if not (abs(value) <= LARGEST and 0 <= chi2 <= LARGEST):
            raise InvalidCurve(path, number, f"chi2 {chi2:g} at {value:g} must be finite and >= 0")
    _check_order(path, numbers, table, "value")
    return table


def _read_columns(path: Path, columns: tuple[str, ...]) -> tuple[list[int], FloatArray]:
    """Line numbers and rows of a table."""
    lines = [
        (number, line.strip())
        for number, line in enumerate(read_text(path).splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    header = ",".join(columns)
    if not lines or lines[0][1].replace(" ", "") != header:
        raise InvalidCurve(path, lines[0][0] if lines else 1, f"the first line must be {header!r}")
    rows = [_row(path, number, line, columns) for number, line in lines[1:]]
    if len(rows) < _MIN_ROWS:
        raise InvalidCurve(path, lines[-1][0], f"at least {_MIN_ROWS} rows are needed")
    return [number for number, _ in lines[1:]], np.array(rows)


def _check_order(path: Path, numbers: list[int], table: FloatArray, what: str) -> None:
    for index in np.flatnonzero(np.diff(table[:, 0]) <= 0):
        raise InvalidCurve(
            path,
            numbers[index + 1],
            f"{what} {table[index + 1, 0]:g} follows {table[index, 0]:g}; sort the rows by {what} "
            "and keep one row for each",
        )


def _row(path: Path, number: int, line: str, columns: tuple[str, ...]) -> list[float]:
    cells = [cell.strip() for cell in line.split(",")]
    if len(cells) != len(columns) or not all(cells):
        expected = f"{len(columns)} values ({', '.join(columns)})"
        raise InvalidCurve(path, number, f"{expected} are needed, not {line!r}")
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        raise InvalidCurve(path, number, f"{line!r} holds something that is no number") from None


def _check_limits(path: Path, number: int, values: FloatArray, columns: tuple[str, ...]) -> None:
    for column, value in zip(columns, values, strict=True):
        if not SMALLEST <= value <= LARGEST:
            raise InvalidCurve(path, number, f"{column} must be positive and finite, not {value:g}")
    if len(values) > len(PROMPT_COLUMNS) and values[1] >= values[2]:
        raise InvalidCurve(
            path, number, f"the lower edge {values[1]:g} is not below the upper one {values[2]:g}"
        )
    if len(values) > len(PROMPT_COLUMNS) and values[2] > _FARTHEST_EDGES * values[1]:
        raise InvalidCurve(
            path, number, f"edges more than a factor of {_FARTHEST_EDGES:g} apart cannot be recast"
        )
