"""Commands ``paper``, ``epochs``, ``vectors`` and ``x17``: studies with a page each."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zpfit.cli import options
from zpfit.cli.messages import warn
from zpfit.cli.output import console, plain, print_table, print_written, table, yellow

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from zpfit.studies.paper_2021.reproduce import Reproduction


@click.command()
@options.output_by_default("output/paper", "Folder for page, figures and tables.")
@click.option(
    "--json",
    "json_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File for the numbers.",
)
@options.force()
def paper(*, output: Path, json_path: Path | None, force: bool) -> None:
    """Reproduce the figures and numbers of arXiv:2102.07781.

    Takes about a minute. The page paper.md in the output folder explains the figures, and every
    difference between a computed and a published number.

    \b
    zpfit paper
    zpfit paper --output my_folder --json numbers.json
    """
    from zpfit.studies.paper_2021.processes import workers

    # The workers import their modules while this process imports its own.
    with workers() as pool:
        from zpfit.api.texts import check_writable
        from zpfit.cli.progress import StageLines
        from zpfit.studies.paper_2021.reproduce import reproduce, write_json

        if json_path is not None:
            check_writable(json_path)
        result = reproduce(output, StageLines(), pool, force=force)
    if json_path is not None:
        write_json(json_path, result.claims)
    print_paper(result, output)


@click.command()
@options.output_by_default("output/epochs", "Folder for numbers and page.")
@options.force()
@options.as_json
def epochs(*, output: Path, force: bool, as_json: bool) -> None:
    """Fit all classes of models to the data of 2021 and of today.

    Compares the conclusions of both. Takes some minutes and writes what-changed.md.
    """
    from zpfit.cli.progress import StageLines
    from zpfit.studies.epochs import NUMBERS, PAGE, write_epochs

    for problem in write_epochs(output, StageLines(), force=force):
        warn(problem)
    print_written([output / PAGE, output / NUMBERS], as_json=as_json)


@click.command()
@options.output_by_default("output/vectors", "Folder for page and figures.")
@options.force()
@options.as_json
def vectors(*, output: Path, force: bool, as_json: bool) -> None:
    """Draw all limits on light vector bosons with one coupling.

    B-L, L_mu-L_tau, L_e-L_mu, dark photon, protophobic and B-3L_tau, with and without a dark
    width. Takes some minutes and writes light-vectors.md.
    """
    from zpfit.cli.progress import StageLines
    from zpfit.studies.light_vectors import PAGE, write_light_vectors

    write_light_vectors(output, StageLines(), force=force)
    print_written([output / PAGE], as_json=as_json)


@click.command()
@options.output_by_default("output/x17", "Folder for page, figures and records.")
@click.option(
    "--best-fits", is_flag=True, help="Leave out evidences and joint sigmas: six minutes."
)
@options.force()
@options.as_json
def x17(*, output: Path, best_fits: bool, force: bool, as_json: bool) -> None:
    """Fit the anomalies of excited nuclei with one boson.

    Beryllium-8, helium-4 and carbon-12 with all data of today, for free couplings and classes of
    models. Takes about half an hour and writes x17.md. Fits whose record the output folder holds
    are not repeated, so that a stopped study can be resumed.
    """
    from zpfit.cli.progress import StageLines
    from zpfit.studies.x17 import PAGE, write_x17

    write_x17(output, StageLines(), force=force, only_best_fits=best_fits)
    print_written([output / PAGE], as_json=as_json)


def print_paper(result: "Reproduction", folder: Path) -> None:
    """Print each number of the paper beside the computed one.

    Parameters
    ----------
    result
        Published and computed numbers.
    folder
        Folder with page and figures.
    """
    from zpfit.studies.paper_2021.reproduce import FIGURE_FOLDER, PAGE

    terminal = console()
    print_table(_claims_table(result))
    for row in result.claims:
        if not row["agrees"] and row["note"]:
            terminal.print(plain(f"{row['id']}: {row['note']}"))
    terminal.print(f"Written: {folder / PAGE}, and the figures in {folder / FIGURE_FOLDER}")


def _claims_table(result: "Reproduction") -> "Table":
    from zpfit.studies.paper_2021.page import number

    made = table(
        "arXiv:2102.07781, reproduced",
        caption="computed: with BaBar's envelope, as in the paper, except ids that end in curve; "
        "curve: with the published curve; agrees: computed/curve if they differ",
        show_edge=False,
        pad_edge=False,
        collapse_padding=True,  # so that ids are whole on a terminal of 80 columns
    )
    for heading in ("id", "place", "paper", "computed", "curve", "agrees"):
        left = heading in ("id", "place")
        made.add_column(heading, justify="left" if left else "right")
    for row in result.claims:
        relation = "" if row["relation"] == "=" else row["relation"]
        made.add_row(
            row["id"],
            row["place"],
            plain(f"{relation}{number(row['paper'])}"),
            number(row["computed"]),
            number(row["computed_curve"]),
            _verdicts(row),
        )
    return made


def _verdicts(row: Mapping[str, Any]) -> "Text":
    words = "/".join(
        dict.fromkeys("yes" if row[key] else "no" for key in ("agrees", "agrees_curve"))
    )
    return plain(words) if row["agrees"] else yellow(words)
