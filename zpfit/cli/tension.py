"""Command ``tension``: agreement of the data with each other."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from zpfit.cli.tables import error_or_dash
from zpfit.io.numbers import significant, with_error

if TYPE_CHECKING:
    from rich.table import Table


@click.command()
@options.file
@options.output("Folder for JSON and plot.")
@options.force()
@options.seed
@options.changes()
@options.as_json
def tension(
    file: str,
    *,
    output: Path | None,
    force: bool,
    seed: int | None,
    changes: options.Changes,
    as_json: bool,
) -> None:
    """Test whether the data agree with each other.

    The result has pulls, the joint sigma, the parameter goodness of fit and the suspiciousness.

    FILE is a run file, the name of a packaged run, or a run folder.

    \b
    zpfit tension quickstart
    zpfit tension output/quickstart --output output/quickstart
    zpfit tension sm_u1_rb --set likelihood.set=paper_2021_rb_soft --json
    """
    from zpfit.api.tensions import tension as compute_tension
    from zpfit.api.texts import problem_of
    from zpfit.cli.progress import StageLines

    problem, _ = problem_of(file, options.parse_changes(changes, seed))
    found = compute_tension(problem, output=output, force=force, progress=StageLines())
    if as_json:
        print_json(found.record)
        return
    print_tension(found.record)
    if found.files:
        print_written(found.files)


def print_tension(record: Mapping[str, Any]) -> None:
    """Print the record of :func:`zpfit.analysis.tension.tension.tension_record` in tables."""
    terminal = console()
    print_table(_pulls_table(record["title"], record["pulls"]))
    reached = record["joint_sigma"]
    if reached is not None:
        terminal.print(
            f"Joint sigma {reached:.2f}: every anomaly can be met within this many standard "
            "errors, the other measurements within their limits, and no exclusion violated.\n"
        )
    _print_goodness(record["parameter_goodness"], record["best_fit_chi2"])
    _print_evidence(record["evidence"])
    terminal.print("sigma: two-sided normal equivalent of p")
    print_shortcomings(record["shortcomings"])


def _table(title: str, caption: str, *headings: str) -> "Table":
    result = table(title, caption=caption)
    for index, heading in enumerate(headings):
        result.add_column(heading, justify="right" if index else "left")
    return result


def _pulls_table(title: str, pulls: Mapping[str, Any]) -> "Table":
    caption = "predictive: against the posterior of all data; p is two-sided"
    result = _table(title, caption, "entry", "pull at best fit", "predictive pull", "p")
    for name, row in pulls.items():
        result.add_row(
            name,
            f"{row['best_fit']:+.2f}",
            f"{row['predictive']:+.2f}",
            significant(row["p_value"]),
        )
    return result


def _print_goodness(goodness: Mapping[str, Any], together: float) -> None:
    title = "Parameter goodness of fit (hep-ph/0304176)"
    result = _table(title, "", "group", "terms", "directions", "minimum chi2")
    for name, row in goodness["by_group"].items():
        result.add_row(name, str(row["terms"]), str(row["rank"]), f"{row['chi2']:.3f}")
    terms = sum(row["terms"] for row in goodness["by_group"].values())
    result.add_row("together", str(terms), str(goodness["rank"]), f"{together:.3f}")
    terminal = console()
    print_table(result)
    terminal.print(
        f"chi2_PG = {goodness['chi2']:.3f} with {goodness['dof']} degrees of freedom"
        f"{_verdict(goodness, 'nothing to test')}.\n"
    )


def _print_evidence(evidence: Mapping[str, Any]) -> None:
    title = "Evidence of each group alone (arXiv:1902.04029)"
    result = _table(title, "", "group", "ln Z", "information", "dimensionality")
    for name, row in [*evidence["by_group"].items(), ("together", evidence["together"])]:
        result.add_row(
            name,
            error_or_dash(row["log_z"], row["error"]),
            error_or_dash(row["information"], row["information_err"]),
            error_or_dash(row["dimensionality"], row["dimensionality_err"]),
        )
    terminal = console()
    print_table(result)
    numbers = ", ".join(
        f"{name} = {error_or_dash(evidence[key], evidence[f'{key}_err'])}"
        for name, key in (("ln R", "log_r"), ("ln I", "log_i"), ("ln S", "log_s"))
    )
    shared = error_or_dash(evidence["dimensionality"], evidence["dimensionality_err"])
    terminal.print(numbers)
    terminal.print(f"{shared} shared dimensions{_verdict(evidence, 'no p')}.")


def _verdict(row: Mapping[str, Any], without: str) -> str:
    """Return p and its normal equivalent, or ``without`` if there is no p."""
    if row["p_value"] is None:
        return f": {without}"
    error = row.get("sigma_err")
    sigma = with_error(row["sigma"], error) if error else f"{row['sigma']:.2f}"
    return f": p = {significant(row['p_value'])}, {sigma} sigma"
