"""Commands ``run`` and ``validate``: fit, check a file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zpfit.cli import options
from zpfit.cli.messages import note
from zpfit.cli.output import (
    console,
    plain,
    print_json,
    print_shortcomings,
    print_table,
    table,
    yellow,
)
from zpfit.cli.tables import print_terms, unverified_words
from zpfit.io.numbers import percent, with_error

if TYPE_CHECKING:
    from rich.table import Table

    from zpfit.api.records import FitSummary
    from zpfit.api.validations import Validated

_CHECKPOINT_INTERVAL = 10.0
"""Seconds; short against the time that a user would mind losing, long against writing a file."""


@click.command()
@options.file
@options.output("Run folder [output/NAME].")
@options.force("Replace an earlier run in the folder.")
@options.seed
@options.changes()
@options.limits
@click.option("--cross-check", is_flag=True, help="Compute ln Z with a second sampler as well.")
@click.option("--resume", is_flag=True, help="Resume a run that was stopped or killed.")
@click.option(
    "--checkpoint-every",
    "interval",
    type=click.FloatRange(min=0),
    default=_CHECKPOINT_INTERVAL,
    show_default=True,
    metavar="SECONDS",
    help="Seconds between checkpoints.",
)
@options.as_json
def run(
    file: str,
    *,
    output: Path | None,
    force: bool,
    resume: bool,
    interval: float,
    seed: int | None,
    changes: options.Changes,
    limits: Sequence[str],
    cross_check: bool,
    as_json: bool,
) -> None:
    """Fit: sample the posterior and find the best fit.

    FILE is a run file, the name of a packaged run (see zpfit list runs), or a run folder. With
    --resume, a run that was stopped or killed continues and gives the same numbers.

    \b
    zpfit run quickstart
    zpfit run quickstart --resume
    zpfit run my_fit.yaml --output fits/first --seed 7
    zpfit run quickstart --set sampler.target_ess=20000 --set likelihood.set=paper_2021_rb
    zpfit run quickstart --drop a_mu_2021 --add a_mu_2025_wp2025 --set likelihood.soft=all
    zpfit run quickstart --limit prompt.lmt --limit dump.lmt:length_ratio=2
    """
    from zpfit.api.fits import fit_in_folder
    from zpfit.api.texts import problem_of
    from zpfit.cli.progress import RunReporter

    if resume and force:
        raise click.UsageError("--resume continues a run, --force replaces it: give one of them")
    given, added = options.parse_changes(changes, seed), options.parse_limits(limits)
    loaded, found = problem_of(file, given, added, resume=resume)
    same_folder = resume and Path(file) in found.parents
    folder = output or (Path(file) if same_folder else Path("output") / loaded.name)
    result, was_finished = fit_in_folder(
        loaded,
        folder,
        RunReporter,
        RunReporter.finish,
        cross_check=cross_check,
        force=force,
        resume=resume,
        checkpoint_every=interval,
    )
    summary = result.summary
    if was_finished:
        note("Nothing to do: the run is finished")
    if as_json:
        print_json({"folder": str(folder), **summary})
    else:
        print_summary(summary, folder)


@click.command()
@options.file
@options.changes()
@options.as_json
def validate(file: str, *, changes: options.Changes, as_json: bool) -> None:
    """Check a file of any kind without a fit.

    FILE is a run, slice, campaign, model, priors, entry, set, figure or limit file, which its keys
    tell apart, a run folder, or a name. Every file that it names is read. A model in Python code is
    imported and called; the result says so.
    """
    from zpfit.api.validations import validate as check

    found = check(file, **options.parse_changes(changes))
    if as_json:
        records = [item.record for item in found]
        print_json(records[0] if len(records) == 1 else records)
        return
    for item in found:
        _print_checked(item)


def _print_checked(found: "Validated") -> None:
    from zpfit.cli.campaign import print_plan

    click.echo(f"{found.name}: valid {found.kind}. {found.words}.")
    if found.plan is not None:
        print_plan(found.plan)
    elif found.code:
        click.echo(f"note: runs Python code: {found.code}")
    for text in found.notes:
        note(text)


def print_summary(summary: "FitSummary", folder: Path) -> None:
    """Print the result of a run.

    Parameters
    ----------
    summary
        Content of ``summary.json``.
    folder
        The run folder.
    """
    from zpfit.api.reports import plots_in

    terminal, best = console(), summary["best_fit"]
    print_table(_parameter_table(summary))
    print_terms(best)
    terminal.print(
        f"Best fit chi2 {best['chi2']:.4f}; without a Z' {summary['no_zprime']['chi2']:.4f}."
    )
    _print_evidence(summary["evidence"])
    _print_warnings(summary)
    terminal.print(f"Run folder: {folder}", soft_wrap=True)
    plots = ", ".join(path.name for path in plots_in(folder))
    terminal.print(f"Plots: {plots}", soft_wrap=True)


def _parameter_table(summary: "FitSummary") -> "Table":
    from zpfit.api.fits import CAPTION, HEADINGS, parameter_rows

    result = table(summary["title"], caption=CAPTION)
    result.add_column("parameter")
    for heading in HEADINGS:
        result.add_column(heading, justify="right")
    rows = list(parameter_rows(summary))
    if any(row.note for row in rows):
        result.add_column("note")
    for row in rows:
        result.add_row(row.name, *row.texts, *filter(None, [row.note]))
    return result


def _print_evidence(evidence: Mapping[str, Any]) -> None:
    terminal = console()
    terminal.print(
        f"ln Z = {with_error(evidence['log_z'], evidence['error'])} ({evidence['evaluations']:,} "
        f"evaluations, {percent(evidence['effective_fraction'])} effective, largest weight "
        f"{percent(evidence['largest_weight'])}), information {evidence['information']:.2f} nats, "
        f"dimensionality {evidence['dimensionality']:.1f}."
    )
    if "cross_check" in evidence:
        check = evidence["cross_check"]
        verdict = "agrees" if check["agrees"] else "disagrees"
        terminal.print(
            f"{check['engine']} {verdict}: {with_error(check['log_z'], check['error'])} "
            f"({check['sigma']:+.1f} standard errors)."
        )


def _print_warnings(summary: Mapping[str, Any]) -> None:
    """Print what limits the validity of a result."""
    terminal = console()
    if summary["impossible_prior_fraction"]:
        fraction = summary["impossible_prior_fraction"]
        terminal.print(
            f"The model cannot exist in {percent(fraction)} of the prior, which counts as excluded."
        )
    outside = [name for name, row in summary["curve_reach"].items() if row["best_fit_outside"]]
    if outside:
        names = ", ".join(outside)
        terminal.print(
            plain(f"The best-fit mass is outside these curves, which exclude nothing: {names}.")
        )
    if summary["unverified"]:
        terminal.print(yellow(unverified_words(summary)))
    print_shortcomings(summary["shortcomings"])
