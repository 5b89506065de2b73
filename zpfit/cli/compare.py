"""Command ``compare``: evidence and best fits of several models."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zpfit.cli import completion, options
from zpfit.cli.messages import warn
from zpfit.cli.output import console, print_json, print_table, table, yellow
from zpfit.cli.tables import error_or_dash, or_dash

if TYPE_CHECKING:
    from rich.table import Table

Row = Mapping[str, Any]
_Columns = dict[str, Callable[[Row], str]]

_FIT: _Columns = {
    "k": lambda row: f"{row['parameters']}",
    "chi2": lambda row: f"{row['best_fit_chi2']:.2f}",
    "Δchi2": lambda row: f"{row['delta_chi2']:+.2f}",
    "AIC": lambda row: f"{row['aic']:.1f}",
    "BIC": lambda row: or_dash(row["bic"], ".1f"),
    "joint σ": lambda row: or_dash(row["joint_sigma"], ".2f"),
    "proved": lambda row: _proved(row["joint_sigma"], row.get("joint_sigma_proved")),
    "P(both)": lambda row: or_dash(row["probability_both_within_1_sigma"], ".2g"),
}
_EVIDENCE: _Columns = {
    "ln Z": lambda row: error_or_dash(row["lnZ"], row["lnZ_err"]),
    "ln B": lambda row: f"{row['ln_bayes_factor']:+.2f}",
    "evidence": lambda row: "-" if row["model"] == row["reference"] else str(row["evidence"]),
    "D_KL": lambda row: f"{row['information']:.1f}",
    "dim.": lambda row: f"{row['dimensionality']:.1f}",
}


def _proved(sigma: float | None, bound: float | None) -> str:
    """Return a proved lower bound; a joint sigma without one is an upper bound only."""
    from zpfit.api.wording import below, is_met

    if is_met(sigma):
        return "met"
    return "-" if bound is None else f"> {below(bound)[:-1]}"


@click.command()
@click.argument(
    "files_or_runs", nargs=-1, required=True, shell_complete=completion.RUNS_AND_FOLDERS
)
@options.output("Folder for JSON and plots.")
@options.force()
@click.option("--reference", metavar="MODEL", help="Model that Bayes factors compare with [no Z'].")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@options.entries
@options.as_json
def compare(
    files_or_runs: Sequence[str],
    *,
    output: Path | None,
    force: bool,
    reference: str | None,
    seed: int,
    added: Sequence[str],
    dropped: Sequence[str],
    as_json: bool,
) -> None:
    """Compare models by their evidence and best fits.

    FILES_OR_RUNS are run files or names of packaged runs, which are fitted first, and
    folders of finished runs. With --add or --drop all are fitted to the changed data.

    \b
    zpfit compare sm_u1_cs nhdm_u1_cs froggatt_nielsen_cs quickstart --output output/classes
    zpfit compare output/sm_u1_cs output/quickstart --reference effective --json
    """
    from zpfit.api.comparisons import NO_ZPRIME
    from zpfit.api.comparisons import compare as compare_sources
    from zpfit.cli.progress import StageLines

    result = compare_sources(
        *files_or_runs,
        reference=reference or NO_ZPRIME,
        seed=seed,
        output=output,
        force=force,
        progress=StageLines(),
        **options.Changes((), tuple(added), tuple(dropped)).entries,
    )
    rows = list(result.rows)
    for note in result.notes:
        warn(note)
    if as_json:
        print_json(rows)
    else:
        print_comparison(rows, output)


def print_comparison(rows: Sequence[Row], output: Path | None) -> None:
    """Print tables for each data set.

    Parameters
    ----------
    rows
        A record for each run.
    output
        Folder with the comparison, if one was written.
    """
    terminal = console()
    for data in dict.fromkeys(row["data"] for row in rows):
        group = [row for row in rows if row["data"] == data]
        likelihood = group[0]["likelihood"]
        print_table(_fit_table(likelihood, group))
        print_table(_evidence_table(likelihood, group))
        print_table(_sensitivity_table(group))
        print_table(_terms_table(group))
    for row in rows:
        for shortcoming in row["shortcomings"]:
            terminal.print(yellow(f"{row['run']}: {shortcoming}"))
    if output is not None:
        terminal.print(f"Comparison: {output}", soft_wrap=True)


def _fit_table(likelihood: str, rows: Sequence[Row]) -> "Table":
    caption = (
        "joint σ: lowest level at which all anomalies agree with the model; proved: lower bound, "
        "or met where a point meets all; P(both): posterior probability that all are within 1 σ"
    )
    return _table(f"{likelihood}: best fits", caption, _FIT, rows)


def _evidence_table(likelihood: str, rows: Sequence[Row]) -> "Table":
    from zpfit.api.comparisons import SCALE_SOURCE

    caption = (
        f"ln B against {rows[0]['reference']}, classified after {SCALE_SOURCE}; D_KL: information "
        "gained, in nats; dim.: Bayesian model dimensionality"
    )
    return _table(f"{likelihood}: evidence", caption, _EVIDENCE, rows)


def _table(title: str, caption: str, columns: _Columns, rows: Sequence[Row]) -> "Table":
    result = table(title, caption=caption)
    result.add_column("run")
    for heading in columns:
        result.add_column(heading, justify="left" if heading == "evidence" else "right")
    for row in rows:
        result.add_row(row["run"], *(column(row) for column in columns.values()))
    return result


def _sensitivity_table(rows: Sequence[Row]) -> "Table":
    from zpfit.api.comparisons import FACTOR

    title = f"ln Z under priors {FACTOR:g} times wider and narrower (rank)"
    result = table(title)
    for heading in ("run", "as given", "wider", "narrower", "rank changes"):
        result.add_column(heading, justify="left" if heading == "run" else "right")
    for row in rows:
        ranks, varied = row["ranks"], row["prior_sensitivity"]
        cells = [f"{_log_z(row)} ({ranks['default']})"]
        cells += [f"{_log_z(varied[name])} ({ranks[name]})" for name in ("wider", "narrower")]
        result.add_row(row["run"], *cells, "yes" if row["rank_changes"] else "no")
    return result


def _terms_table(rows: Sequence[Row]) -> "Table":
    result = table("chi2 of each term at the best fit")
    result.add_column("entry")
    for row in rows:
        result.add_column(row["run"], justify="right")
    for name in dict.fromkeys(name for row in rows for name in row["chi2_by_term"]):
        values = [row["chi2_by_term"].get(name) for row in rows]
        result.add_row(name, *(or_dash(value, ".2f") for value in values))
    return result


def _log_z(row: Row) -> str:
    """Return ln Z with its error; the reference without a Z' is exact and has none."""
    return error_or_dash(row["lnZ"], row["lnZ_err"])
