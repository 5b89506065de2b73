"""Command ``toys``: calibrated p-values from pseudo-experiments."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from zpfit.cli import options
from zpfit.cli.output import (
    console,
    print_json,
    print_shortcomings,
    print_table,
    print_written,
    table,
)
from zpfit.io.numbers import apart, significant

if TYPE_CHECKING:
    from rich.table import Table

    from zpfit.api.records import ToysRecord, ToyStatisticRecord

_NAMES = {
    "chi2": "chi2 of the best fit",
    "delta_chi2": "Delta chi2 without a Z'",
    "delta_chi2_nested": "Delta chi2 of {nested}",
    "joint_sigma": "joint sigma",
}
_HYPOTHESES = {
    "no-zprime": "no Z'",
    "best-fit": "the best fit of {model}",
    "nested": "the best fit of {nested}",
}


@click.command()
@options.file
@click.option(
    "--n", type=click.IntRange(min=1), required=True, help="Total number of pseudo-experiments."
)
@click.option(
    "--hypothesis",
    type=click.Choice(["no-zprime", "best-fit", "nested"]),
    default="no-zprime",
    show_default=True,
    help="Hypothesis to draw from; nested is the best fit of the smaller model.",
)
@click.option("--nested", metavar="FILE2", help="A smaller model on the same data.")
@click.option(
    "--joint-sigma/--no-joint-sigma",
    default=True,
    help="Compute the joint sigma of each pseudo-experiment.",
)
@options.output("Folder [output/toys_NAME].")
@options.force("Replace pseudo-experiments of another problem in the folder.")
@options.seed
@options.changes()
@options.executor
@options.as_json
def toys(
    file: str,
    *,
    n: int,
    hypothesis: Literal["no-zprime", "best-fit", "nested"],
    nested: str | None,
    joint_sigma: bool,
    output: Path | None,
    force: bool,
    seed: int | None,
    changes: options.Changes,
    executor: str,
    workers: int | None,
    scheduler: str | None,
    as_json: bool,
) -> None:
    """Calibrate p-values with pseudo-experiments (toys).

    Each pseudo-experiment is drawn from a hypothesis and fitted; p is the fraction that is at least
    as extreme as the data.

    FILE is a run file, the name of a packaged run, or a run folder. Toys in the output
    folder are reused, and only the missing ones are drawn.

    \b
    zpfit toys quickstart --n 1000
    zpfit toys quickstart --n 2000 --hypothesis best-fit --output output/toys_best_fit
    zpfit toys nhdm_u1_cs --n 500 --nested sm_u1_cs --hypothesis nested --no-joint-sigma
    """
    from zpfit.api.texts import problem_of
    from zpfit.api.toy_sets import toys as draw_toys
    from zpfit.cli.progress import ToyLines

    if hypothesis == "nested" and nested is None:
        raise click.UsageError(
            "--hypothesis nested: no smaller model; give its run file with --nested"
        )
    choice = options.executor_choice(executor, workers, scheduler)
    given = options.parse_changes(changes, seed)
    folder = output or Path("output") / f"toys_{problem_of(file, given)[0].name}"
    found = draw_toys(
        file,
        n,
        hypothesis=hypothesis,
        nested=nested,
        joint_sigma=joint_sigma,
        output=folder,
        executor=choice,
        progress=ToyLines(),
        force=force,
        **given,
    )
    record = found.record
    if as_json:
        print_json(record)
        return
    print_toys(record)
    print_written(found.files)


def print_toys(record: "ToysRecord") -> None:
    """Print a row for each statistic, and the speed of the computation.

    Parameters
    ----------
    record
        Content of ``toys.json``.
    """
    terminal = console()
    print_table(_statistics_table(record))
    rates = record["rates"]
    if rates["computed_now"]:
        terminal.print(
            f"{rates['computed_now']} toys computed now, "
            f"{rates['toys_per_second_per_core']:.0f} per second and core."
        )
    print_shortcomings(record["shortcomings"], label="Warning")


def _statistics_table(record: "ToysRecord") -> "Table":
    hypothesis = _HYPOTHESES[record["hypothesis"]].format_map(record)
    caption = (
        "p: fraction of toys at least as extreme as the data, with its 68 % Monte Carlo interval; "
        "naive: chi2 distribution of linear models without bounds"
    )
    title = f"{record['title']}: {record['toys']} toys of {hypothesis}"
    result = table(title, caption=caption)
    for heading in ("statistic", "data", "toys' median", "p", "sigma", "naive p (dof)"):
        result.add_column(heading, justify="left" if heading == "statistic" else "right")
    for name, row in record["statistics"].items():
        result.add_row(
            _NAMES[name].format_map(record),
            _number(row["observed"]),
            _number(row["toys_quantiles"]["median"]),
            _p(row),
            f"{'' if row['p_upper_limit'] is None else '> '}{row['sigma']:.2f}",
            _naive(row),
        )
    return result


def _p(row: "ToyStatisticRecord") -> str:
    if row["p_upper_limit"] is not None:
        return f"< {significant(row['p_upper_limit'], 2)} (95 %)"
    p, low, high = apart(row["p_value"], *row["p_interval"], digits=2)
    return f"{p} [{low}, {high}]"


def _naive(row: "ToyStatisticRecord") -> str:
    if row["naive_p_value"] is None:
        return "none"
    return f"{significant(row['naive_p_value'])} ({row['naive_dof']})"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"
