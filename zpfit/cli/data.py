"""Commands ``list``, ``show``, ``cite`` and ``data``: what is available, and its sources."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

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

    from zpfit.likelihood.check import DataCheck
    from zpfit.models.library import LoadedModel

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
    from zpfit.io.library import Library
    from zpfit.runs.catalogue import listed

    if as_json:
        print_json([asdict(item) for item in listed(kind, Library.beside())])
    else:
        print_list(kind)


@click.command()
@click.argument("name", shell_complete=completion.ANYTHING)
@options.as_json
def show(name: str, *, as_json: bool) -> None:
    """Show everything about a name.

    NAME is a model, likelihood set, entry, priors, run, slice or campaign.
    """
    from zpfit.io.library import Library
    from zpfit.runs.catalogue import as_json as described
    from zpfit.runs.catalogue import named

    if as_json:
        print_json(described(*named(name, Library.beside())))
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
    from zpfit.runs.bibliography import as_bibtex, as_record, as_text, bibliography

    if as_json and (bibtex or output is not None):
        raise click.UsageError("--json excludes --bibtex and --output: drop them")
    references = bibliography(files_or_runs)
    if as_json:
        print_json([as_record(reference) for reference in references])
        return
    print_or_write((as_bibtex if bibtex else as_text)(references), output)


@click.group()
def data() -> None:
    """Check all data entries and sets, or write a page about them."""


@data.command()
@options.as_json
def check(*, as_json: bool) -> None:
    """Check every entry, curve, set and citation, packaged ones and your own."""
    from zpfit.io.library import Library
    from zpfit.likelihood.check import check_data

    found = check_data(Library.beside())
    if as_json:
        print_json(
            {
                "entries": {
                    loaded.name: loaded.entry.model_dump(mode="json") for loaded in found.entries
                },
                "sets": {name: chosen.model_dump() for name, chosen in found.sets.items()},
                "problems": list(found.problems),
            }
        )
    else:
        print_data(found)
    if found.problems:
        raise InvalidInput(found.problems)


@data.command()
@options.output_by_default("docs", "Folder for data.md and its images.")
@options.as_json
def page(*, output: Path, as_json: bool) -> None:
    """Write a page about all entries and sets: values, sources, approximations, curves."""
    from zpfit.io.library import Library
    from zpfit.likelihood.check import check_data
    from zpfit.pages.data_page import write_page

    found = check_data(Library.beside())
    if found.problems:
        raise InvalidInput(found.problems)
    print_written(write_page(found, output), as_json=as_json)


def print_list(kind: str) -> None:
    """Print names and titles of a kind, such as ``models``."""
    from rich.table import Table
    from rich.text import Text

    from zpfit.io.library import Library
    from zpfit.runs.catalogue import listed

    result = Table(show_header=False, box=None, pad_edge=False)
    heading = None
    for item in listed(kind, Library.beside()):
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

    from zpfit.io.library import Library
    from zpfit.runs.catalogue import named

    terminal = console()
    model, files = named(name, Library.beside())
    if model is not None:
        _print_model(model)
    for file in files:
        terminal.print(Text(f"{file.kind} {name} ({file.path})", style="bold"), soft_wrap=True)
        terminal.print(plain(file.text), soft_wrap=True)
        for note in file.notes:
            terminal.print(yellow(f"Note: {note}"), soft_wrap=True)


def _print_model(loaded: "LoadedModel") -> None:
    from rich.text import Text

    from zpfit.models.dark_width import optional_parameters

    terminal, model = console(), loaded.model
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
    further = ", ".join(parameter.name for parameter in optional_parameters(model))
    if further:
        terminal.print(plain(f"further parameters, absent unless given: {further}"))
    for name, field in loaded.options.model_fields.items():
        choices = _choices(field.annotation)
        terminal.print(plain(f"option {name}: {choices}; default {field.default}"))


def _choices(annotation: Any) -> str:
    return " or ".join(str(choice) for choice in get_args(annotation)) or "an integer"


def print_data(checked: "DataCheck") -> None:
    """Print tables of all entries and sets, and the number of problems."""
    terminal = console()
    print_table(_entries_table(checked))
    print_table(_sets_table(checked))
    problems = len(checked.problems)
    terminal.print(
        f"{len(checked.entries)} entries, {len(checked.sets)} sets, {problems} problems."
    )


def _entries_table(checked: "DataCheck") -> "Table":
    from zpfit.likelihood.describe import describe_subject, describe_value

    result = table("Entries")
    for heading in ("entry", "what", "value or limit", "sets", "status"):
        result.add_column(heading)
    for loaded in checked.entries:
        sets = str(len(checked.sets_with(loaded.name)))
        status = yellow("unverified") if loaded.entry.unverified else plain("")
        result.add_row(
            loaded.name, describe_subject(loaded.entry), describe_value(loaded), sets, status
        )
    return result


def _sets_table(checked: "DataCheck") -> "Table":
    result = table("Sets")
    for heading in ("set", "entries", "exclusions", "title"):
        result.add_column(heading)
    for name, chosen in checked.sets.items():
        result.add_row(name, str(len(chosen.entries)), chosen.exclusions, chosen.title)
    return result
