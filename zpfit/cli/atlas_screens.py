"""Commands ``atlas table`` and ``atlas plot``: read the file of a screen."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zpfit.cli import options
from zpfit.cli.output import console, plain, print_json, print_table, print_written
from zpfit.cli.output import table as empty_table

if TYPE_CHECKING:
    from rich.table import Table

    from zpfit.api.records import AtlasScreenRecord

_SCREEN = click.argument("file", type=click.Path(path_type=Path))


@click.command()
@_SCREEN
@click.option(
    "--best",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Signatures that the table shows.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.csv",
    help="Write all signatures to a file, the lowest chi2 first.",
)
@options.force("Replace an existing file.")
@options.as_json
def table(file: Path, *, best: int, output: Path | None, force: bool, as_json: bool) -> None:
    """Show the best signatures of a screen, and what chance alone may give.

    FILE is one that zpfit atlas screen has written.

    \b
    zpfit atlas table output/screen.nc --best 10
    zpfit atlas table output/screen.nc --output output/signatures.csv
    """
    from zpfit.api.atlas_signatures import Screen

    found = Screen.read(file)
    record = found.record(best)
    written = () if output is None else (found.write_ranking(output, force=force),)
    if as_json:
        print_json({**record, "written": [str(path) for path in written]})
        return
    print_ranking(record)
    if written:
        print_written(written)


def print_ranking(record: "AtlasScreenRecord") -> None:
    """Print the references, the best signatures, and the look-elsewhere statement.

    Parameters
    ----------
    record
        Record of a screen.
    """
    terminal = console()
    terminal.print(plain(f"chi2 without a Z': {record['chi2_without']:.3f}"))
    terminal.print(plain(f"chi2 of the dark photon: {record['chi2_dark_photon']:.3f}"))
    print_table(_ranking_table(record))
    for line in _look_elsewhere_lines(record):
        terminal.print(plain(line), soft_wrap=True)


def _ranking_table(record: "AtlasScreenRecord") -> "Table":
    names = [*record["best"][0]["integers"]]
    caption = (
        f"signature: {', '.join(names)}; sets: charge sets that have it; the charges are those of "
        "the first of these sets"
    )
    made = empty_table(f"{record['title']}: {record['signatures']:,} signatures", caption=caption)
    for heading in ("signature", "chi2", "Delta chi2", "m_Zp [MeV]", "g'", "sets", "set"):
        made.add_column(heading, justify="left" if heading == "signature" else "right")
    species = [*record["best"][0]["charges"]]
    for name in species:
        made.add_column(name, justify="right")
    for row in record["best"]:
        signature = " ".join(map(str, row["integers"].values()))
        numbers = [f"{row['chi2']:.3f}", f"{row['delta_chi2']:.3f}", f"{row['m_Zp']:.1f}"]
        numbers += [f"{row['g_prime']:.2e}", f"{row['sets']:,}", str(row["first"])]
        charges = [" ".join(map(str, row["charges"][name])) for name in species]
        made.add_row(signature, *numbers, *charges)
    return made


def _look_elsewhere_lines(record: "AtlasScreenRecord") -> list[str]:
    found = record["look_elsewhere"]
    best = (
        f"The best signature gains {found['gain']:.2f} with three parameters: p = "
        f"{found['local_p']:.2g} ({found['local_sigma']:.1f} sigma) for one signature chosen "
        "beforehand."
    )
    chosen = (
        f"Chance gives the best of {found['signatures']:,} signatures that gain with p <= "
        f"{found['p_upper_limit']:.2g} (at least {found['sigma_lower_limit']:.1f} sigma). Upper "
        f"limit from the number of signatures: {found['p_by_signatures']:.2g}; from the "
        f"{found['measurements']} measurements: {found['p_by_data']:.2g}."
    )
    return [best, chosen]


@click.command()
@_SCREEN
@click.option(
    "--style",
    "files",
    multiple=True,
    metavar="FILE",
    help="Description of the figure (.yaml), or a style of matplotlib (repeatable).",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Figure, .png or .pdf [both, beside the screen].",
)
@options.as_json
def plot(file: Path, *, files: Sequence[str], output: Path | None, as_json: bool) -> None:
    """Draw the least chi2 of all signatures of a screen.

    FILE is one that zpfit atlas screen has written.

    \b
    zpfit atlas plot output/screen.nc
    zpfit atlas plot output/screen.nc --style letter.yaml --output screen.pdf
    """
    from zpfit.api.atlas_signatures import Screen

    found = Screen.read(file)
    targets = [output] if output else [file.with_suffix(suffix) for suffix in (".png", ".pdf")]
    written = [found.draw(target, style=files) for target in targets]
    print_written(written, as_json=as_json)
