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

    from zpfit.analysis.records import CampaignRecord
    from zpfit.runs.campaign_file import Campaign

_MOST_ROWS = 40
"""Rows that a terminal shows at once; the tables on disk hold all of them."""


@click.command()
@click.argument("file", shell_complete=completion.CAMPAIGNS)
@options.output("Campaign folder [output/NAME].")
@options.force("Repeat finished fits.")
@click.option("--plan", is_flag=True, help="List the fits without running them.")
@options.executor
@options.as_json
def campaign(
    file: str,
    *,
    output: Path | None,
    force: bool,
    plan: bool,
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
    zpfit campaign my_grid.yaml --executor dask --scheduler tcp://node1:8786
    mpiexec -n 9 python -m mpi4py.futures -m zpfit campaign my_grid.yaml --executor mpi
    """
    from zpfit.cli.progress import RunReporter
    from zpfit.runs.campaign import campaign_in_folder
    from zpfit.runs.campaign_file import load_campaign
    from zpfit.runs.run_file import find_file

    choice = options.executor_choice(executor, workers, scheduler)
    loaded = load_campaign(find_file("campaign", file))
    if plan and as_json:
        print_json([name for _, _, name in loaded.tasks()])
        return
    if plan:
        print_plan(loaded)
        return
    folder = output or Path("output") / loaded.name
    record, problems, failures = campaign_in_folder(
        loaded, folder, choice, RunReporter, force=force
    )
    for problem in problems:
        warn(problem)
    if as_json:
        print_json(record)
    else:
        print_campaign(record, folder)
    if failures is not None:
        raise failures


def print_plan(loaded: "Campaign") -> None:
    """Print the names of the fits of a campaign."""
    terminal = console()
    names = [name for _, _, name in loaded.tasks()]
    for name in names[:_MOST_ROWS]:
        terminal.print(name)
    if len(names) > _MOST_ROWS:
        terminal.print(f"... and {len(names) - _MOST_ROWS:,} more")
    terminal.print(f"{len(names):,} fits of {len(loaded.cells)} combinations")
    for code in loaded.code:
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
    not_converged = [row["name"] for row in record["fits"] if not row["converged"]]
    if not_converged:
        names = ", ".join(not_converged[:_MOST_ROWS])
        terminal.print(yellow(f"Not converged: {len(not_converged)} ({names})"))
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
