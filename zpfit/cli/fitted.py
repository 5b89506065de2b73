"""Tables that fit the terminal: names wrap, columns move to a further table, numbers stay whole."""

import re
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Column, Table

_BREAKS = re.compile(r"(?<=[A-Za-z0-9]_)(?=\w)|(?<=[A-Za-z][.+/:-])(?=[A-Za-z])|(?<= )")
"""Places where a name can wrap; numbers have none."""
_NARROW_HEADING, _NARROW_NAME = 12, 18
"""Characters of a heading and of a name below which they need not wrap."""


@dataclass(frozen=True)
class _Fitted:
    """A column and the widths that it can have."""

    column: "Column"
    least: int
    most: int

    @property
    def holds_numbers(self) -> bool:
        """True for a column whose cells never wrap."""
        return self.least == self.most


def fitted(made: "Table", terminal: "Console") -> "Iterator[Table]":
    """Yield a table, or its columns in several tables that each begin with the first column.

    Of several tables the first has the title, and none has the caption.

    Columns aligned to the right hold numbers, which never wrap; the text of others does.

    Parameters
    ----------
    made
        The table.
    terminal
        The terminal, whose width none of the tables exceeds if a number and a name fit into it.
    """
    if _width(made, terminal) <= terminal.width:
        yield made
        return
    columns = [_measured(column) for column in made.columns]
    parts = list(_parts(made, columns, terminal))
    for index, part in enumerate(parts):
        table = _table(made, _spread(made, part, terminal))
        table.title = made.title if index == 0 else None
        table.caption = None
        yield table


def _parts(
    made: "Table", columns: Sequence[_Fitted], terminal: "Console"
) -> Iterator[list[_Fitted]]:
    """Yield the columns of each table at their least widths."""
    first, *others = columns
    part = [first]
    for column in others:
        if len(part) > 1 and _least_width(made, [*part, column], terminal) > terminal.width:
            yield part
            part = [first]
        part.append(column)
    yield part


def _least_width(made: "Table", part: Sequence[_Fitted], terminal: "Console") -> int:
    return _width(_table(made, [(f, f.least) for f in part]), terminal)


def _spread(
    made: "Table", part: Sequence[_Fitted], terminal: "Console"
) -> list[tuple[_Fitted, int]]:
    """Return columns with widths that share what is left of the line from left to right."""
    left = terminal.width - _least_width(made, part, terminal)
    widths = []
    for fitted_column in part:
        added = max(min(left, fitted_column.most - fitted_column.least), 0)
        left -= added
        widths.append((fitted_column, fitted_column.least + added))
    return widths


def _table(made: "Table", widths: Sequence[tuple[_Fitted, int]]) -> "Table":
    part = copy(made)
    part.columns = [
        _wrapped_column(fitted_column, index, width)
        for index, (fitted_column, width) in enumerate(widths)
    ]
    return part


def _wrapped_column(fitted_column: _Fitted, index: int, width: int) -> "Column":
    column = fitted_column.column
    header = "\n".join(_lines(str(column.header), width))
    cells = list(column.cells)
    if not fitted_column.holds_numbers:
        cells = [_wrapped(cell, width) for cell in cells]
    return replace(
        column,
        header=header,
        width=width,
        overflow="fold",
        no_wrap=False,
        _index=index,
        _cells=cells,
    )


def _wrapped(cell: "RenderableType", width: int) -> "RenderableType":
    """Return the text of a cell in lines; styled text wraps between words alone."""
    return "\n".join(_lines(cell, width)) if isinstance(cell, str) else cell


def _lines(text: str, width: int) -> Iterator[str]:
    """Yield a text in lines of at most ``width`` characters, broken where names can wrap.

    Examples
    --------
    >>> list(_lines("na64_invisible_2023 of electrons", 15))
    ['na64_invisible_', '2023 of', 'electrons']
    """
    for paragraph in text.split("\n"):
        line = ""
        for piece in _BREAKS.split(paragraph):
            if line and len((line + piece).rstrip()) > width:
                yield line.rstrip()
                line = ""
            line += piece
        yield line.rstrip()


def _measured(column: "Column") -> _Fitted:
    """Return the widths that a column can have."""
    texts = [str(cell) for cell in column.cells]
    longest = max((len(line) for text in texts for line in text.split("\n")), default=0)
    heading = str(column.header)
    least_heading = max(map(len, _lines(heading, _NARROW_HEADING)))
    if column.justify == "right":
        width = max(longest, least_heading)
        return _Fitted(column, width, width)
    pieces = [len(line) for text in texts for line in _lines(text, _NARROW_NAME)]
    return _Fitted(column, max([*pieces, least_heading]), max(longest, len(heading)))


def _width(made: "Table", terminal: "Console") -> int:
    """Return the width of a table without wrapping."""
    from rich.measure import Measurement

    wide = terminal.options.update(max_width=10_000)
    return Measurement.get(terminal, wide, made).maximum
