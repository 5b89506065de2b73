"""The command that writes a page about finished work."""

import json
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
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def report(folders: Sequence[Path], *, output: Path | None, force: bool, as_json: bool) -> None:
    """Write one HTML page about runs, a comparison or a campaign, to be read without a network.

    DIR are folders that zpfit run, zpfit compare --output and zpfit campaign have written.
    Nothing is fitted; a model in Python code is called for the planes around the best fit.

    \b
    zpfit report output/quickstart
    zpfit report output/classes --output classes.html
    zpfit report output/sm_u1_cs output/nhdm_u1_cs --force
    """
    from zpfit.pages.report.writing import write_report

    page = write_report(folders, output, force=force)
    click.echo(json.dumps({"page": str(page)}, indent=2) if as_json else f"Written: {page}")
