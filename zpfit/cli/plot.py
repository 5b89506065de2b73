"""Command ``plot``: draw the figures of folders again."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import click

from zpfit.cli import completion, options
from zpfit.cli.output import print_json


@click.command()
@click.argument(
    "directories",
    nargs=-1,
    required=True,
    metavar="DIR...",
    type=click.Path(path_type=Path),
    shell_complete=completion.folders,
)
@click.option(
    "--style",
    "files",
    multiple=True,
    metavar="FILE",
    help="Description of the figures (.yaml), or a style of matplotlib (repeatable).",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw all planes and limits over each other in one figure (.png or .pdf).",
)
@options.as_json
def plot(
    directories: Sequence[Path], *, files: Sequence[str], output: Path | None, as_json: bool
) -> None:
    """Draw the figures of folders again, without computing again.

    DIR is a folder of any kind: run, exclusion, profile, limit, comparison, tension, toys,
    coverage or campaign. The page "Figures" of the documentation lists the keys of a FILE.

    \b
    zpfit plot output/quickstart
    zpfit plot output/plane --style letter.yaml --style talk.mplstyle
    zpfit plot output/plane output/limits --output figure.pdf
    """
    from zpfit.api.reports import plot as draw

    if output is not None:
        written = draw(*directories, style=files, output=output)
    else:
        written = draw(*directories, style=files)
    if as_json:
        print_json({"folder": str(directories[0]), "files": [str(path) for path in written]})
    elif output is not None:
        click.echo(f"drew {written[0]}")
    else:
        for folder, paths in groupby(written, key=lambda path: path.parent):
            click.echo(f"{folder}: drew {', '.join(path.name for path in paths)}")
