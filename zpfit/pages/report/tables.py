"""Tables of a page: text and sort key of each cell."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from zpfit.io import numbers
from zpfit.pages.report.symbols import number, typeset

R = TypeVar("R")
_LONG = 40
"""Number of letters above which text can wrap."""


@dataclass(frozen=True)
class Cell:
    """One value."""

    text: str
    """Text of the cell, escaped by the template unless it is Markup."""
    key: float | str | None = None
    """Sort key; the text by default."""

    @property
    def is_number(self) -> bool:
        """True for the cell of a number, which is aligned to the right."""
        return isinstance(self.key, float)

    @property
    def is_long(self) -> bool:
        """True if the text can wrap."""
        return len(self.text) > _LONG

    @property
    def sort_key(self) -> str:
        """Sort key for the page's script."""
        return repr(self.key) if isinstance(self.key, float) else str(self.key or self.text)


def value(x: float | None, digits: int = 3) -> Cell:
    """Return the cell of a number; a missing one sorts as text, after all others."""
    return Cell(number(x, digits), None if x is None else float(x))


def fixed(x: float | None, decimals: int) -> Cell:
    """Return the cell of a number with fixed decimals."""
    if x is None:
        return value(x)
    return Cell(f"{round(x, decimals) + 0.0:.{decimals}f}".replace("-", "\u2212"), float(x))


def shown(text: str, key: float | None) -> Cell:
    """Return the cell of a number with its own text."""
    if key is None:
        return value(None)
    return Cell(typeset(text.replace(">= ", "\u2265 ")), key)


def count(x: float | None) -> Cell:
    """Return the cell of a number without decimals."""
    return value(x) if x is None else Cell(f"{x:,.0f}", float(x))


def with_error(x: float, error: float) -> Cell:
    """Return the cell of a number and its standard error, which determines the decimals."""
    text = numbers.with_error(x, error, sign="+") if error else f"{x:+.2f}"
    return Cell(text.replace("-", "\u2212"), float(x))


@dataclass(frozen=True)
class Table:
    """Rows under headings."""

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    """Explanation of the columns."""

    @property
    def are_numbers(self) -> tuple[bool, ...]:
        """True for each column of numbers."""
        return tuple(
            any(cell.is_number for cell in column) for column in zip(*self.rows, strict=True)
        )


def table(
    caption: str,
    columns: Sequence[tuple[str, Callable[[R], Cell]]],
    items: Iterable[R],
    note: str = "",
) -> Table:
    """Return a table with a row for each item; the function of each heading makes its cell."""
    rows = tuple(tuple(make(item) for _, make in columns) for item in items)
    return Table(caption, tuple(heading for heading, _ in columns), rows, note)
