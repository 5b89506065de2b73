"""The command that writes a page about finished work."""

from collections.abc import Sequence
from pathlib import Path

import click


@click.command()
@click.argument(
    "folders", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE.html",
    help="The page [DIR.html beside the folder; report.html for several].",
)
@click.option("--force", is_flag=True, help="Replace the page if it is there.")
def report(folders: Sequence[Path], *, output: Path | None, force: bool) -> None:
    """Write one HTML page about runs, a comparison or a campaign, to be read without a network.

    DIR are folders that zpfit run, zpfit compare --output and zpfit campaign have written.
    Nothing is fitted; a model in Python code is called for the planes around the best fit.

    \b
    zpfit report output/quickstart
    zpfit report output/classes --output classes.html
    zpfit report output/sm_u1_cs output/nhdm_u1_cs --force
    """
    from zpfit.report.writing import write_report

    click.echo(f"Written: {write_report(folders, output, force=force)}")
