"""Command ``coverage``: how often intervals contain the true parameters."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zpfit.cli import options
from zpfit.cli.output import print_json, print_shortcomings, print_table, print_written, table
from zpfit.io.numbers import apart, significant

if TYPE_CHECKING:
    from rich.table import Table

    from zpfit.api.records import CoverageRecord, CoveredRecord


@click.command()
@options.file
@click.option(
    "--at",
    multiple=True,
    required=True,
    metavar="NAME=VALUE",
    help="True value of a sampled parameter (repeatable); give all.",
)
@click.option(
    "--n", type=click.IntRange(min=1), required=True, help="Total number of pseudo-experiments."
)
@click.option(
    "--credible/--no-credible",
    default=True,
    help="Sample the posterior of each pseudo-experiment, for credible intervals.",
)
@options.output("Folder [output/coverage_NAME].")
@options.force("Replace pseudo-experiments of another problem in the folder.")
@options.seed
@options.changes()
@options.executor
@options.as_json
def coverage(
    file: str,
    *,
    at: Sequence[str],
    n: int,
    credible: bool,
    output: Path | None,
    force: bool,
    seed: int | None,
    changes: options.Changes,
    executor: str,
    workers: int | None,
    scheduler: str | None,
    as_json: bool,
) -> None:
    """Measure how often intervals contain the true parameters.

    Pseudo-experiments are drawn at the point of --at; each is fitted and sampled like the data. The
    table shows the fractions of 68 % and 95 % intervals that contain the truth.

    FILE is a run file, the name of a packaged run, or a run folder. Pseudo-experiments in the
    output folder are reused, and only the missing ones are drawn.

    \b
    zpfit coverage L_mu-L_tau_cs --at "m_Zp=20 g_prime=5e-4 eps=1e-9" --n 200
    zpfit coverage L_mu-L_tau_cs --at "m_Zp=20 g_prime=5e-4 eps=1e-9" --n 1000 --no-credible
    """
    from zpfit.api.coverages import coverage as measure
    from zpfit.api.texts import problem_of
    from zpfit.cli.progress import ToyLines

    choice = options.executor_choice(executor, workers, scheduler)
    given = options.parse_changes(changes, seed)
    point = options.parse_point(at)
    folder = output or Path("output") / f"coverage_{problem_of(file, given)[0].name}"
    found = measure(
        file,
        point,
        n,
        credible=credible,
        output=folder,
        executor=choice,
        progress=ToyLines(),
        force=force,
        **given,
    )
    if as_json:
        print_json(found.record)
        return
    print_coverage(found.record)
    print_written(found.files)


def print_coverage(record: "CoverageRecord") -> None:
    """Print the coverage of the intervals of each parameter.

    Parameters
    ----------
    record
        Content of ``coverage.json``.
    """
    print_table(_table(record))
    print_shortcomings(record["shortcomings"], label="Warning")


def _table(record: "CoverageRecord") -> "Table":
    """Return a row for each parameter, with the coverage of its intervals."""
    caption = (
        "fraction of toys whose interval contains the truth, with its 68 % interval; "
        "wanted are 0.683 and 0.954"
    )
    result = table(f"{record['title']}: coverage of {record['toys']} toys", caption=caption)
    for heading in ("parameter", "truth"):
        result.add_column(heading, justify="left" if heading == "parameter" else "right")
    kinds = ("profile", "credible")
    shown = [kind for kind in kinds if all(kind in row for row in record["parameters"].values())]
    for kind in shown:
        result.add_column(f"{kind} 68 %", justify="right")
        result.add_column(f"{kind} 95 %", justify="right")
    for name, row in record["parameters"].items():
        found: Mapping[str, Mapping[str, CoveredRecord]] = row  # type: ignore[assignment]
        cells = [_fraction(found[kind][level]) for kind in shown for level in ("68", "95")]
        result.add_row(name, significant(record["truth"][name], 4), *cells)
    return result


def _fraction(row: "CoveredRecord") -> str:
    if row["fraction"] is None:
        return "none"
    fraction, low, high = apart(row["fraction"], *row["interval"])
    return f"{fraction} [{low}, {high}]"
