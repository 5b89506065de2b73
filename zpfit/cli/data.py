"""Commands ``list``, ``show``, ``cite`` and ``data``: what is available, and its sources."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zpfit.cli import completion, options
from zpfit.cli.output import (
    console,
    plain,
    print_json,
    print_or_write,
    print_table,
    print_written,
    table,
    yellow,
)
from zpfit.errors import InvalidInput

if TYPE_CHECKING:
    from rich.table import Table

    from zpfit.api.data_checks import CheckedEntry, CheckedSet, DataCheck
    from zpfit.api.names import NamedModel

_LISTED = ("models", "likelihoods", "priors", "runs", "slices", "campaigns")
_HEADINGS = {"likelihood set": "sets", "entry": "entries"}
_UNVERIFIED = "[unverified]"
"""Mark of entries with numbers that were not compared with their source."""


@click.command(name="list")
@click.argument("kind", type=click.Choice(_LISTED))
@options.as_json
def list_(kind: str, *, as_json: bool) -> None:
    """List models, likelihoods, priors, runs, slices or campaigns.

    Likelihoods are sets and entries.
    """
    from zpfit.api.names import listed

    if as_json:
        print_json([asdict(item) for item in listed(kind)])
    else:
        print_list(kind)


@click.command()
@click.argument("name", shell_complete=completion.ANYTHING)
@options.as_json
def show(name: str, *, as_json: bool) -> None:
    """Show everything about a name.

    NAME is a model, likelihood set, entry, priors, run, slice or campaign.
    """
    from zpfit.api.names import show as find

    if as_json:
        print_json(find(name).record)
    else:
        print_named(name)


@click.command()
@click.argument("files_or_runs", nargs=-1, required=True, shell_complete=completion.CITED)
@click.option("--bibtex", is_flag=True, help="Print BibTeX.")
@options.output("File for the bibliography.")
@options.as_json
def cite(files_or_runs: Sequence[str], *, bibtex: bool, output: Path | None, as_json: bool) -> None:
    """Print the publications that runs, slices, sets or entries use.

    FILES_OR_RUNS are files, run folders or names of packaged files. BibTeX keys are those of
    INSPIRE.

    \b
    zpfit cite quickstart
    zpfit cite output/quickstart paper_fig2a --bibtex --output references.bib
    """
    from zpfit.api.bibliographies import cite as collect

    if as_json and (bibtex or output is not None):
        raise click.UsageError("--json excludes --bibtex and --output: drop them")
    found = collect(*files_or_runs)
    if as_json:
        print_json(found.record)
        return
    print_or_write(found.bibtex if bibtex else found.text, output)


@click.group()
def data() -> None:
    """Check all data entries and sets, or write a page about them."""


@data.command()
@options.as_json
def check(*, as_json: bool) -> None:
    """Check every entry, curve, set and citation, packaged ones and your own."""
    from zpfit.api.data_checks import check_data

    found = check_data()
    if as_json:
        print_json(found.record)
    else:
        print_data(found)
    if found.problems:
        raise InvalidInput(found.problems)


@data.command()
@options.output_by_default("docs", "Folder for data.md and its images.")
@options.as_json
def page(*, output: Path, as_json: bool) -> None:
    """Write a page about all entries and sets: values, sources, approximations, curves."""
    from zpfit.api.data_checks import check_data

    print_written(check_data().write_page(output), as_json=as_json)


def print_list(kind: str) -> None:
    """Print names and titles of a kind, such as ``models``."""
    from rich.table import Table
    from rich.text import Text

    from zpfit.api.names import listed

    result = Table(show_header=False, box=None, pad_edge=False)
    heading = None
    for item in listed(kind):
        if kind == "likelihoods" and item.kind != heading:
            heading = item.kind
            result.add_row(Text(_HEADINGS[heading], style="bold"))
        title = f"{item.title} {_UNVERIFIED}" if item.unverified else item.title
        result.add_row(item.name, title)
    print_table(result)


def print_named(name: str) -> None:
    """Print the model and the files that have a name.

    Raises
    ------
    UnknownName
        Nothing has that name.
    """
    from rich.text import Text

    from zpfit.api.names import show as find

    terminal, found = console(), find(name)
    if found.model is not None:
        _print_model(found.model)
    for file in found.files:
        terminal.print(Text(f"{file.kind} {name} ({file.path})", style="bold"), soft_wrap=True)
        terminal.print(plain(file.text), soft_wrap=True)
        for note in file.notes:
            terminal.print(yellow(f"Note: {note}"), soft_wrap=True)


def _print_model(model: "NamedModel") -> None:
    from rich.text import Text

    terminal = console()
    terminal.print(Text(f"model {model.name}", style="bold"))
    terminal.print(plain(model.description))
    terminal.print(plain(f"Reference: {model.reference or 'none given'}."))
    for formula in model.formulas:
        terminal.print(plain(f"  {formula}"), soft_wrap=True)
    result = table()
    for heading in ("parameter", "unit", "from", "to", "default", "meaning"):
        result.add_column(heading)
    for parameter in model.parameters:
        low, high = (f"{end:.9g}" for end in parameter.domain)  # branching ratios end below 1
        default = "" if parameter.default is None else f"{parameter.default:g}"
        result.add_row(parameter.name, parameter.unit, low, high, default, parameter.meaning)
    print_table(result)
    if model.optional:
        further = ", ".join(model.optional)
        terminal.print(plain(f"further parameters, absent unless given: {further}"))
    for option in model.options:
        choices = " or ".join(map(str, option.choices)) or "an integer"
        terminal.print(plain(f"option {option.name}: {choices}; default {option.default}"))


def print_data(checked: "DataCheck") -> None:
    """Print tables of all entries and sets, and the number of problems."""
    terminal = console()
    entries, sets, problems = checked.entries, checked.sets, len(checked.problems)
    print_table(_entries_table(entries))
    print_table(_sets_table(sets))
    terminal.print(f"{len(entries)} entries, {len(sets)} sets, {problems} problems.")


def _entries_table(entries: "Sequence[CheckedEntry]") -> "Table":
    result = table("Entries")
    for heading in ("entry", "what", "value or limit", "sets", "status"):
        result.add_column(heading)
    for entry in entries:
        status = yellow("unverified") if entry.unverified else plain("")
        result.add_row(entry.name, entry.subject, entry.value, str(len(entry.sets)), status)
    return result


def _sets_table(sets: "Sequence[CheckedSet]") -> "Table":
    result = table("Sets")
    for heading in ("set", "entries", "exclusions", "title"):
        result.add_column(heading)
    for chosen in sets:
        result.add_row(chosen.name, str(len(chosen.entries)), chosen.exclusions, chosen.title)
    return result
