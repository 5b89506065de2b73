"""Tables beside entries: limits in the kinetic mixing of a dark photon, chi2, and binned counts."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise, product
from pathlib import Path
from typing import Literal

import numpy as np

from zpfit.errors import InvalidCurve
from zpfit.io.arrays import FloatArray
from zpfit.io.schema import LARGEST, SMALLEST
from zpfit.io.yaml import read_text
from zpfit.likelihood.darkcast import SUFFIX, read_darkcast
from zpfit.physics.constants import ELECTRIC_CHARGE
from zpfit.physics.observables import Axes

PROMPT_COLUMNS = ("mass_MeV", "epsilon")
"""Columns of an upper limit on the kinetic mixing."""
REGION_COLUMNS = ("mass_MeV", "epsilon_lower", "epsilon_upper")
"""Columns of an excluded region in the kinetic mixing."""
Quantity = Literal["epsilon", "epsilon2"]
"""Quantity that a curve limits: the kinetic mixing, or its square."""
CHI2_COLUMNS = ("value", "chi2")
"""Columns of a chi2 as a function of an observable."""
OBSERVED = "observed"
"""Column of counts in bins."""

_MIN_ROWS = 2
"""Smallest number of rows that can be interpolated."""
_FARTHEST_EDGES = 3e6
"""Largest ratio of upper to lower edge; the lifetime of a region is tabulated up to it."""

_EDGE_TOLERANCE = 1e-9
"""Difference of edges that rounding in a file may make, relative or absolute."""


def read_curve(path: Path, columns: tuple[str, ...], quantity: Quantity = "epsilon") -> FloatArray:
    """Return a table of limits as logarithms of mass and coupling.

    Lines that start with ``#`` are comments; the first other line names the columns. Files that
    end in ``.lmt`` have DarkCast's format (:mod:`zpfit.likelihood.darkcast`).

    Parameters
    ----------
    path : Path
    columns : tuple of str
        :data:`PROMPT_COLUMNS` or :data:`REGION_COLUMNS`.
    quantity : str
        ``epsilon``, or ``epsilon2`` for a file with the squares of mixings, whose columns are
        named accordingly, such as ``epsilon2_lower``.

    Returns
    -------
    array, shape (rows, len(columns))
        ln(mass/MeV), increasing, and ln(e epsilon) of the limit or of both edges, where e
        epsilon is the electron's coupling. Edges are NaN at masses in a gap of a region.

    Raises
    ------
    UnreadableFile
        The file is missing or not text.
    InvalidCurve
        The header is wrong, a value is missing or no number, masses do not increase, or edges
        are in the wrong order. Numbers must lie between 1e-60 and 1e60.
    """
    if path.suffix == SUFFIX:
        table = _darkcast(path, columns)
    else:
        table = _csv(path, tuple(name.replace("epsilon", quantity) for name in columns))
    if quantity == "epsilon2":
        table[:, 1:] = np.sqrt(table[:, 1:])
    _check_edges(path, table)
    table[:, 1:] *= ELECTRIC_CHARGE
    logarithms: FloatArray = np.log(table)
    return logarithms


def _csv(path: Path, columns: tuple[str, ...]) -> FloatArray:
    return _parsed(read_text(path), path, columns).copy()


@lru_cache(maxsize=1024)
def _parsed(text: str, path: Path, columns: tuple[str, ...]) -> FloatArray:
    """Return a cached table; a campaign reads the same few curves for hundreds of fits."""
    numbers, table = _read_columns(text, path, columns)
    for number, row in zip(numbers, table, strict=True):
        _check_limits(path, number, row, columns)
    _check_order(path, numbers, table, "mass")
    return table


def _darkcast(path: Path, columns: tuple[str, ...]) -> FloatArray:
    table = read_darkcast(path)
    if table.shape[1] != len(columns):
        expected = f"{len(columns)} columns ({', '.join(columns)})"
        raise InvalidCurve(path, 1, f"{expected} are needed, not {table.shape[1]}")
    for row in table[~np.isnan(table).any(axis=1)]:  # the others are in a gap of a region
        _check_limits(path, 1, row, columns)
    return table


def read_chi2_table(path: Path) -> FloatArray:
    """Return a table of chi2 as a function of an observable.

    Returns
    -------
    array, shape (rows, 2)
        Value of the observable, increasing, and chi2.

    Raises
    ------
    UnreadableFile
        The file is missing or not text.
    InvalidCurve
        The header is wrong, a value is missing or no number, chi2 is negative, or values do not
        increase. Numbers must not exceed 1e60.
    """
    numbers, table = _read_columns(read_text(path), path, CHI2_COLUMNS)
    for number, (value, chi2) in zip(numbers, table, strict=True):
        if not (abs(value) <= LARGEST and 0 <= chi2 <= LARGEST):
            raise InvalidCurve(path, number, f"chi2 {chi2:g} at {value:g} must be finite and >= 0")
    _check_order(path, numbers, table, "value")
    return table


def read_counts(path: Path, backgrounds: tuple[str, ...]) -> FloatArray:
    """Return a table of observed counts and expected backgrounds in bins.

    Parameters
    ----------
    path : Path
        CSV file with a row for each bin.
    backgrounds : tuple of str
        Names of the columns of the backgrounds.

    Returns
    -------
    array, shape (1 + len(backgrounds), bins)
        Observed counts, then the expected events of each background.

    Raises
    ------
    UnreadableFile
        The file is missing or not text.
    InvalidCurve
        A column or value is missing, a value is no number, observed counts are no whole numbers,
        or an expected number is negative or infinite.
    """
    numbers, columns = _named_columns(path, (OBSERVED, *backgrounds))
    for number, row in zip(numbers, columns, strict=True):
        if not (np.all(row >= 0) and np.all(row <= LARGEST)):
            raise InvalidCurve(path, number, "counts and expected events must be finite and >= 0")
        if row[0] != round(row[0]):
            raise InvalidCurve(path, number, f"observed {row[0]:g} must be a whole number")
    counts: FloatArray = columns.T
    return counts


def check_bins(path: Path, axes: Axes) -> None:
    """Check that the rows of a table of counts are the bins that an observable predicts.

    Parameters
    ----------
    path : Path
        CSV file with a row for each bin, and columns ``NAME_low`` and ``NAME_high`` of each axis.
    axes : tuple of (str, tuple of float)
        Name and edges of each axis; the last axis runs fastest.

    Raises
    ------
    UnreadableFile
        The file is missing or not text.
    InvalidCurve
        A column is missing, or a row has other edges than the bin in its place.
    """
    names = [f"{name}_{side}" for name, _ in axes for side in ("low", "high")]
    numbers, rows = _named_columns(path, names)
    bins = [list(pairwise(edges)) for _, edges in axes]
    expected = np.array(list(product(*bins))).reshape(-1, len(names))
    for number, row, wanted in zip(numbers, rows, expected, strict=False):
        if not np.allclose(row, wanted, rtol=_EDGE_TOLERANCE, atol=_EDGE_TOLERANCE):
            values = [", ".join(f"{v:g}" for v in given) for given in (row, wanted)]
            problem = f"{', '.join(names)} = {values[0]}, but the observable's bin here is"
            raise InvalidCurve(path, number, f"{problem} {values[1]}")


def _named_columns(path: Path, names: Sequence[str]) -> tuple[list[int], FloatArray]:
    """Return the line numbers of a table, and its columns of the names."""
    lines = _lines(read_text(path))
    header = tuple(name.strip() for name in lines[0][1].split(",")) if lines else ()
    for name in names:
        if header.count(name) != 1:
            found = f"the header must name column {name!r} once, not {header.count(name)} times"
            raise InvalidCurve(path, lines[0][0] if lines else 1, found)
    numbers, table = _rows(path, lines, header)
    return numbers, table[:, [header.index(name) for name in names]]


def _read_columns(text: str, path: Path, columns: tuple[str, ...]) -> tuple[list[int], FloatArray]:
    """Return the line numbers and rows of a table."""
    lines = _lines(text)
    header = ",".join(columns)
    if not lines or lines[0][1].replace(" ", "") != header:
        raise InvalidCurve(path, lines[0][0] if lines else 1, f"the first line must be {header!r}")
    return _rows(path, lines, columns)


def _lines(text: str) -> list[tuple[int, str]]:
    """Return the lines of a text that are no comments, with their numbers."""
    return [
        (number, line.strip())
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]


def _rows(
    path: Path, lines: list[tuple[int, str]], columns: tuple[str, ...]
) -> tuple[list[int], FloatArray]:
    """Return the line numbers and rows below the header."""
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
        raise InvalidCurve(path, number, f"{line!r} contains a value that is no number") from None


def _check_limits(path: Path, number: int, values: FloatArray, columns: tuple[str, ...]) -> None:
    for column, value in zip(columns, values, strict=True):
        if not SMALLEST <= value <= LARGEST:
            raise InvalidCurve(path, number, f"{column} must be positive and finite, not {value:g}")
    if len(values) > len(PROMPT_COLUMNS) and values[1] > values[2]:
        raise InvalidCurve(
            path, number, f"the lower edge {values[1]:g} is above the upper one {values[2]:g}"
        )


def _check_edges(path: Path, table: FloatArray) -> None:
    """Check that no two edges in the mixing are farther apart than lifetimes are tabulated."""
    if table.shape[1] > len(PROMPT_COLUMNS) and np.any(table[:, 2] > _FARTHEST_EDGES * table[:, 1]):
        raise InvalidCurve(
            path, 1, f"edges more than a factor of {_FARTHEST_EDGES:g} apart cannot be recast"
        )
