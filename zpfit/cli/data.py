"""Commands about what there is: files of the library, their bibliography, checks of the data."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from zpfit.cli import completion
from zpfit.cli.output import print_json, print_or_write, print_written
from zpfit.errors import InvalidInput

_LISTED = ["models", "likelihoods", "priors", "runs", "slices", "campaigns"]


@click.command(name="list")
@click.argument("kind", type=click.Choice(_LISTED))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(kind: str, *, as_json: bool) -> None:
    """What there is: models, likelihoods (sets and entries), priors, runs, slices or campaigns."""
    from zpfit.cli.tables import print_list
    from zpfit.io.library import Library
    from zpfit.runs.catalogue import listed

    if as_json:
        print_json([asdict(item) for item in listed(kind, Library.beside())])
    else:
        print_list(kind)


@click.command()
@click.argument("name", shell_complete=completion.ANYTHING)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(name: str, *, as_json: bool) -> None:
    """A model, a likelihood set, an entry, priors, a run, a slice or a campaign, in full."""
    from zpfit.cli.tables import print_named
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
@click.option("--output", type=click.Path(path_type=Path), help="File for it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def cite(files_or_runs: Sequence[str], *, bibtex: bool, output: Path | None, as_json: bool) -> None:
    """Print the publications that runs, slices, sets or entries use.

    FILES_OR_RUNS are files, run folders or packaged names. Keys are those of INSPIRE.

    \b
    zpfit cite quickstart
    zpfit cite output/quickstart paper_fig2a --bibtex --output references.bib
    """
    from zpfit.runs.bibliography import as_bibtex, as_record, as_text, bibliography

    if as_json and (bibtex or output is not None):
        raise click.UsageError("--json prints, without --bibtex and --output: drop them")
    references = bibliography(files_or_runs)
    if as_json:
        print_json([as_record(reference) for reference in references])
        return
    print_or_write((as_bibtex if bibtex else as_text)(references), output)


@click.group()
def data() -> None:
    """Data entries and sets: check them all, write the page about them."""


@data.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(*, as_json: bool) -> None:
    """Read and try every entry, curve, set and citation, packaged ones and your own."""
    from zpfit.cli.data_table import print_data
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
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("docs"),
    show_default=True,
    help="Folder for data.md and its images.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def page(*, output: Path, as_json: bool) -> None:
    """Write a page about all entries and sets: values, sources, approximations, curves."""
    from zpfit.io.library import Library
    from zpfit.likelihood.check import check_data
    from zpfit.pages.data_page import write_page

    found = check_data(Library.beside())
    if found.problems:
        raise InvalidInput(found.problems)
    print_written(write_page(found, output), as_json=as_json)
