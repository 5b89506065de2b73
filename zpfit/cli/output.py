"""How commands hand out their results."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click


def print_json(data: Any) -> None:
    """Data as JSON, which has no numbers that are not finite."""
    click.echo(json.dumps(data, indent=2, allow_nan=False))


def print_written(paths: Sequence[Path], *, as_json: bool) -> None:
    """Names of files that a command has written."""
    names = [str(path) for path in paths]
    if as_json:
        print_json({"written": names})
    else:
        click.echo(f"Written: {', '.join(names)}")


def print_or_write(text: str, output: Path | None) -> None:
    """A text to the terminal, or to a file.

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
