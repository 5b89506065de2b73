"""Print results: JSON, names of files, and tables.

Functions import rich when they are called, so that commands can use them and still start fast.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text


def print_json(data: Any) -> None:
    """Print data as JSON; numbers must be finite."""
    click.echo(json.dumps(data, indent=2, allow_nan=False))


def print_written(paths: Sequence[Path], *, as_json: bool = False) -> None:
    """Print the names of files that a command has written."""
    names = [str(path) for path in paths]
    if as_json:
        print_json({"written": names})
    else:
        click.echo(f"Written: {', '.join(names)}")


def print_or_write(text: str, output: Path | None) -> None:
    """Print a text, or write it to a file.

    Raises
    ------
    UnwritablePath
        The folder or the file cannot be written.
    """
    from zpfit.io.writing import make_folder, write_whole

    if output is None:
        click.echo(text)
        return
    make_folder(output.parent)
    write_whole(output, lambda path: path.write_text(text + "\n", encoding="utf-8"))
    click.echo(f"Written: {output}")


def console() -> "Console":
    """Return the terminal; square brackets in names and titles are plain text."""
    from rich.console import Console

    return Console(markup=False)


def table(
    title: "str | Text | None" = None, *, caption: "str | Text | None" = None, **options: Any
) -> "Table":
    """Return an empty table in the style of all commands.

    Parameters
    ----------
    title, caption
        Lines above and below the table.
    options
        Further options of :class:`rich.table.Table`.
    """
    from rich import box
    from rich.table import Table

    return Table(title=title, caption=caption, box=box.SIMPLE_HEAD, **options)


def print_table(made: "Table") -> None:
    """Print a table; one that is wider than the terminal wraps, or becomes several."""
    from zpfit.cli.fitted import fitted

    terminal = console()
    for part in fitted(made, terminal):
        terminal.print(part)
    if part is not made and made.caption:
        terminal.print(made.caption, style="table.caption")


def plain(text: str) -> "Text":
    """Return a text that rich does not highlight."""
    from rich.text import Text

    return Text(text)


def yellow(text: str) -> "Text":
    """Return a text in the colour of warnings."""
    from rich.text import Text

    return Text(text, style="yellow")


def print_shortcomings(shortcomings: Sequence[str], label: str = "Not converged") -> None:
    """Print why a result is not final, one reason a line."""
    for shortcoming in shortcomings:
        console().print(yellow(f"{label}: {shortcoming}"))
