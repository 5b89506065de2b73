"""Command ``atlas survey``: which theories survive the data of 2021 and of today."""

from pathlib import Path

import click

from zpfit.cli import options
from zpfit.cli.output import print_written

_EXPERIMENTS = 3
"""Largest charge of the list to which experiments are applied one by one."""


@click.command()
@click.option(
    "--qmax",
    type=click.IntRange(1, 12),
    default=6,
    show_default=True,
    help="Largest charge of the list with z_H = 0.",
)
@click.option(
    "--qmax-today",
    type=click.IntRange(1, 12),
    default=10,
    show_default=True,
    help="Largest charge of that list for today's data; --qmax if that is larger.",
)
@click.option(
    "--qmax-renormalisable",
    type=click.IntRange(1, 12),
    default=10,
    show_default=True,
    help="Largest charge of the list with renormalisable lepton masses.",
)
@click.option(
    "--fits",
    type=click.IntRange(min=0),
    default=40,
    show_default=True,
    help="Largest number of signatures to fit.",
)
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    default=3000,
    show_default=True,
    help="Signatures of each policy whose accuracy is measured.",
)
@options.output_by_default("output/atlas_survey", "Folder for page, figures, screens and fits.")
@options.force()
@options.executor
@options.as_json
def survey(
    *,
    qmax: int,
    qmax_today: int,
    qmax_renormalisable: int,
    fits: int,
    sample: int,
    output: Path,
    force: bool,
    executor: str,
    workers: int | None,
    scheduler: str | None,
    as_json: bool,
) -> None:
    """Screen all signatures on the data of 2021 and of today, and write a page.

    Who survives, which experiments exclude the others, and fits of the survivors. Takes an hour and
    a half of one core and writes atlas-survivors.md. Screens and fits that the output folder
    holds are not repeated, so that a stopped study can be resumed.

    \b
    zpfit atlas survey
    zpfit atlas survey --qmax 4 --qmax-today 4 --executor processes --output mine
    """
    from zpfit.cli.progress import StageLines
    from zpfit.studies.atlas import FOLDER, NUMBERS, PAGE, write_survey
    from zpfit.studies.atlas.numbers import Survey

    choice = options.executor_choice(executor, workers, scheduler)
    extent = Survey(
        qmax=qmax,
        qmax_today=max(qmax, qmax_today),
        qmax_experiments=min(qmax, _EXPERIMENTS),
        qmax_renormalisable=qmax_renormalisable,
        fits=fits,
        sample=sample,
    )
    write_survey(output, extent, choice, StageLines(), force=force)
    print_written([output / PAGE, output / FOLDER / NUMBERS], as_json=as_json)
