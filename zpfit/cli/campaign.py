"""Command ``campaign``: many fits from one file."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from zpfit.cli import completion, options
from zpfit.cli.messages import warn
from zpfit.cli.output import console, print_json, print_table, table, yellow
from zpfit.io.numbers import apart, with_error

if TYPE_CHECKING:
    from rich.table import Table

    from zpfit.api.campaigns import Plan
    from zpfit.api.records import CampaignRecord

_MOST_ROWS = 40
"""Rows that a terminal shows at once; the tables on disk hold all of them."""


@click.command()
@click.argument("file", shell_complete=completion.CAMPAIGNS)
@options.output("Campaign folder [output/NAME].")
@options.force("Repeat finished fits.")
@click.option("--plan", is_flag=True, help="List the fits without running them.")
@click.option(
    "--store",
    type=click.Choice(["folders", "parquet"]),
    default="folders",
    show_default=True,
    help="A run folder for each fit, or rows of columnar files, for many small fits.",
)
@options.executor
@options.as_json
def campaign(
    file: str,
    *,
    output: Path | None,
    force: bool,
    plan: bool,
    store: str,
    executor: str,
    workers: int | None,
    scheduler: str | None,
    as_json: bool,
) -> None:
    """Run many fits from one file.

    The fits are all combinations of models, data, priors, seeds and overrides.

    FILE is a campaign file or the name of a packaged one (see zpfit list campaigns). Finished
    fits are kept, so that the same command resumes a campaign.

    \b
    zpfit campaign classes_today --plan
    zpfit campaign my_grid.yaml --workers 8
    zpfit campaign my_grid.yaml --store parquet
    zpfit campaign my_grid.yaml --executor dask --scheduler tcp://node1:8786
    mpiexec -n 9 python -m mpi4py.futures -m zpfit campaign my_grid.yaml --executor mpi
    """
    from zpfit.api.campaigns import campaign_in_folder
    from zpfit.api.campaigns import plan as plan_campaign
    from zpfit.cli.progress import RunReporter

    choice = options.executor_choice(executor, workers, scheduler)
    planned = plan_campaign(file)
    if plan and as_json:
        print_json(list(planned.fits))
        return
    if plan:
        print_plan(planned)
        return
    folder = output or Path("output") / planned.name
    found = campaign_in_folder(planned, folder, choice, RunReporter, force=force, store=store)
    for problem in found.notes:
        warn(problem)
    if as_json:
        print_json(found.record)
    else:
        print_campaign(found.record, folder)
    if (failure := found.failure) is not None:
        raise failure


def print_plan(planned: "Plan") -> None:
    """Print the names of the fits of a campaign."""
    terminal = console()
    names = planned.fits
    for name in names[:_MOST_ROWS]:
        terminal.print(name)
    if len(names) > _MOST_ROWS:
        terminal.print(f"... and {len(names) - _MOST_ROWS:,} more")
    terminal.print(f"{len(names):,} fits of {len(planned.combinations)} combinations")
    for code in planned.code:
        terminal.print(f"note: runs Python code: {code}")


def print_campaign(record: "CampaignRecord", output: Path) -> None:
    """Print a table of all combinations, and the fits that have not converged.

    Parameters
    ----------
    record
        Content of ``campaign.json``.
    output
        The campaign folder.
    """
    terminal = console()
    print_table(_cells_table(record))
    if len(record["cells"]) > _MOST_ROWS:
        terminal.print(f"and {len(record['cells']) - _MOST_ROWS} more in the tables")
    poor = sum(cell["fits"] - cell["converged"] for cell in record["cells"])
    if poor:
        listed = [row["name"] for row in record["fits"] if not row["converged"]]
        names = record.get("not_converged", listed)[:_MOST_ROWS]
        more = ", ..." if poor > len(names) else ""
        terminal.print(yellow(f"Not converged: {poor} ({', '.join(names)}{more})"))
    terminal.print(f"Campaign folder: {output}", soft_wrap=True)


def _cells_table(record: "CampaignRecord") -> "Table":
    caption = (
        "fits: converged/all; ln B: against no Z'; scatter: standard deviation of ln Z between "
        "seeds/standard error of one fit"
    )
    result = table(record["title"], caption=caption)
    result.add_column("combination")
    for heading in ("fits", "chi2", "ln Z", "ln B", "scatter"):
        result.add_column(heading, justify="right")
    for cell in record["cells"][:_MOST_ROWS]:
        scatter = cell["log_z_scatter"]
        result.add_row(
            cell["name"],
            f"{cell['converged']}/{cell['fits']}",
            f"{cell['chi2']:.2f}",
            with_error(cell["log_z"], cell["log_z_error"]),
            f"{cell['log_bayes_factor']:+.2f}",
            "-" if scatter is None else " / ".join(apart(scatter, cell["log_z_error_of_one"])),
        )
    return result
