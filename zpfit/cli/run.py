"""Commands ``run``, ``validate`` and ``plot``: fit, check a file, draw plots again."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zpfit.cli import completion, options
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
from zpfit.cli.tables import print_terms
from zpfit.errors import InvalidInput
from zpfit.io.numbers import percent, with_error

if TYPE_CHECKING:
    from rich.table import Table

    from zpfit.analysis.records import FitSummary
    from zpfit.inference.problem import Problem

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
    from zpfit.cli.progress import RunReporter
    from zpfit.runs.run_file import find_run_file, find_unfinished, load_run

    if resume and force:
        raise click.UsageError("--resume continues a run, --force replaces it: give one of them")
    found = (find_unfinished if resume else find_run_file)(file)
    loaded = load_run(found, options.parse_changes(changes, seed), options.parse_limits(limits))
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
    """Check a run or campaign file without a fit.

    Every file that it names is read. A model in Python code is imported and called; the result
    says so.
    """
    from zpfit.cli.campaign import print_plan
    from zpfit.runs.campaign_file import is_campaign, load_campaign
    from zpfit.runs.run_file import find_run_file, load_run

    if Path(file).is_file() and is_campaign(Path(file)):
        if changes:
            raise click.UsageError("--set, --add and --drop change a run file: leave them out here")
        print_plan(load_campaign(Path(file)))
        return
    loaded = load_run(find_run_file(file), options.parse_changes(changes))
    if as_json:
        print_json(_checked(loaded))
    else:
        _print_checked(loaded)


@click.command()
@click.argument("directory", type=click.Path(path_type=Path), shell_complete=completion.folders)
@options.as_json
def plot(directory: Path, *, as_json: bool) -> None:
    """Draw the plots of a finished run again."""
    from zpfit.runs.drawing import draw_run
    from zpfit.runs.run_folder import PLOT_NAMES, RunFolder

    problems = draw_run(RunFolder(directory))
    if problems:
        raise InvalidInput(problems)
    drawn = [name for name in PLOT_NAMES if (directory / name).exists()]
    if as_json:
        print_json({"folder": str(directory), "files": drawn})
    else:
        click.echo(f"{directory}: drew {', '.join(drawn)}")


def _checked(problem: "Problem") -> dict[str, Any]:
    posterior = problem.posterior
    return {
        "name": problem.name,
        "valid": True,
        "model": posterior.model.name,
        "parameters": list(posterior.names),
        "likelihood": posterior.likelihood.name,
        "measurements": [term.name for term in posterior.likelihood.measurements],
        "exclusions": [term.name for term in posterior.likelihood.exclusions],
        "code": problem.code,
        "notes": list(problem.notes),
    }


def _print_checked(problem: "Problem") -> None:
    posterior = problem.posterior
    click.echo(
        f"{problem.name}: valid. Model {posterior.model.name}, {posterior.dimension} sampled "
        f"parameters, likelihood {posterior.likelihood.name} with "
        f"{len(posterior.likelihood.measurements)} measurements and "
        f"{len(posterior.likelihood.exclusions)} exclusions."
    )
    if problem.code:
        click.echo(f"note: runs Python code: {problem.code}")
    for text in problem.notes:
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
    from zpfit.runs.run_folder import PLOT_NAMES

    terminal, best = console(), summary["best_fit"]
    print_table(_parameter_table(summary))
    print_terms(best)
    terminal.print(
        f"Best fit chi2 {best['chi2']:.4f}; without a Z' {summary['no_zprime']['chi2']:.4f}."
    )
    _print_evidence(summary["evidence"])
    _print_warnings(summary)
    terminal.print(f"Run folder: {folder}", soft_wrap=True)
    plots = ", ".join(name for name in PLOT_NAMES if (folder / name).exists())
    terminal.print(f"Plots: {plots}", soft_wrap=True)


def _parameter_table(summary: "FitSummary") -> "Table":
    from zpfit.analysis.parameter_table import CAPTION, HEADINGS, parameter_rows

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
        names = ", ".join(summary["unverified"])
        terminal.print(yellow(f"Unverified numbers (zpfit show NAME): {names}"))
    print_shortcomings(summary["shortcomings"])
