"""Command ``report``: a page about finished work."""

from collections.abc import Sequence
from pathlib import Path

import click

from zpfit.cli import options
from zpfit.cli.output import print_json, print_written


@click.command()
@click.argument(
    "folders", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE.html",
    help="The page [DIR.html beside the folder; report.html for several folders].",
)
@options.force("Replace an existing page.")
@options.as_json
def report(folders: Sequence[Path], *, output: Path | None, force: bool, as_json: bool) -> None:
    """Write an HTML page about runs, a comparison or a campaign.

    The page is one file and can be read offline.

    DIR are folders that zpfit run, zpfit compare --output and zpfit campaign have written.
    Nothing is fitted; a model in Python code is called for the planes around the best fit.

    \b
    zpfit report output/quickstart
    zpfit report output/classes --output classes.html
    zpfit report output/sm_u1_cs output/nhdm_u1_cs --force
    """
    from zpfit.api.reports import report as write_report

    page = write_report(*folders, output=output, force=force)
    if as_json:
        print_json({"page": str(page)})
    else:
        print_written([page])
