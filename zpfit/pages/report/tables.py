"""Tables of a page: what a cell shows, and what it sorts by."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from zpfit.pages.report.symbols import number

R = TypeVar("R")
_LONG = 40
"""Letters."""


@dataclass(frozen=True)
class Cell:
    """One value."""

    text: str
    """Escaped when the page is made, unless it is Markup."""
    key: float | str | None = None
    """What rows are sorted by; the text if left out."""

    @property
    def is_number(self) -> bool:
        """Whether it is aligned to the right."""
        return isinstance(self.key, float)

    @property
    def is_long(self) -> bool:
        """Whether it may go on in the next line."""
        return len(self.text) > _LONG

    @property
    def sort_key(self) -> str:
        """For the page's script."""
        return repr(self.key) if isinstance(self.key, float) else str(self.key or self.text)


def value(x: float | None, digits: int = 3) -> Cell:
    """A number; one that is missing sorts as text, and so after all others."""
    return Cell(number(x, digits), None if x is None else float(x))


def fixed(x: float | None, decimals: int) -> Cell:
    """A number of which what is much smaller than 1 does not count."""
    if x is None:
        return value(x)
    return Cell(f"{round(x, decimals) + 0.0:.{decimals}f}".replace("-", "\u2212"), float(x))


def count(x: float | None) -> Cell:
    """A whole number, or one that is about whole."""
    return value(x) if x is None else Cell(f"{x:,.0f}", float(x))


def with_error(x: float, error: float) -> Cell:
    """A number and its standard error, by two decimals or as many as the error asks for."""
    decimals = 2 if error == 0 or error >= 0.02 else 3
    text = f"{x:+.{decimals}f} \u00b1 {error:.{decimals}f}" if error else f"{x:+.{decimals}f}"
    return Cell(text.replace("-", "\u2212"), float(x))


@dataclass(frozen=True)
class Table:
    """Rows under headings."""

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    """What the columns mean."""

    @property
    def are_numbers(self) -> tuple[bool, ...]:
        """Which columns are aligned to the right."""
        return tuple(
            any(cell.is_number for cell in column) for column in zip(*self.rows, strict=True)
        )


def table(
    caption: str,
    columns: Sequence[tuple[str, Callable[[R], Cell]]],
    items: Iterable[R],
    note: str = "",
) -> Table:
    """A row for each item, made by the functions under each heading."""
    rows = tuple(tuple(make(item) for _, make in columns) for item in items)
    return Table(caption, tuple(heading for heading, _ in columns), rows, note)
