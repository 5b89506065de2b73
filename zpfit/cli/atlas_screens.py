"""Commands ``atlas table``, ``atlas plot`` and ``atlas fit``, which read the file of a screen."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

from zpfit.cli import options
from zpfit.cli.output import console, plain, print_json, print_table, print_written
from zpfit.cli.output import table as empty_table
from zpfit.cli.tables import error_or_dash, or_dash

if TYPE_CHECKING:
    from rich.table import Table

    from zpfit.api.atlases import Survival
    from zpfit.api.records import (
        AtlasEvidenceRecord,
        AtlasFitsRecord,
        AtlasScreenRecord,
        LookElsewhereRecord,
    )

_ON_REQUEST: Final[tuple[tuple[str, Literal["joint_sigma", "ln_bayes_factor"]], ...]] = (
    ("joint sigma", "joint_sigma"),
    ("ln B", "ln_bayes_factor"),
)
"""Columns that a screen has on request, and their keys."""
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
@click.option(
    "--sets",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="ATLAS.nc",
    help="List of charge sets of the screen: count those that survive.",
)
@options.as_json
def table(
    file: Path,
    *,
    best: int,
    output: Path | None,
    force: bool,
    sets: Path | None,
    as_json: bool,
) -> None:
    """Show the best signatures of a screen, and what chance alone may give.

    FILE is one that zpfit atlas screen has written.

    \b
    zpfit atlas table output/screen.nc --best 10
    zpfit atlas table output/screen.nc --output output/signatures.csv
    zpfit atlas table output/screen.nc --sets output/atlas.nc
    """
    from zpfit.api.atlas_signatures import Screen
    from zpfit.api.atlases import atlas

    found = Screen.read(file)
    record = found.record(best)
    survival = None if sets is None else atlas(sets).survival(found)
    written = () if output is None else (found.write_ranking(output, force=force),)
    if as_json:
        counted = {} if survival is None else {"survival": asdict(survival)}
        print_json({**record, **counted, "written": [str(path) for path in written]})
        return
    print_ranking(record)
    if survival is not None:
        print_survival(survival)
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
    lines = _look_elsewhere_lines(record["look_elsewhere"])
    if record["evidence"] is not None:
        lines.append(_evidence_line(record["evidence"], record["signatures"]))
    for line in lines:
        terminal.print(plain(line), soft_wrap=True)


def _evidence_line(found: "AtlasEvidenceRecord", signatures: int) -> str:
    signature = " ".join(map(str, found["integers"].values()))
    return (
        f"ln B against no Z' is above 0 for {found['positive']:,} of {signatures:,} signatures; "
        f"largest {found['largest']:.2f} +- {found['largest_error']:.2f} ({signature}), median "
        f"{found['median']:.2f}."
    )


def _has(record: "AtlasScreenRecord", key: Literal["joint_sigma", "ln_bayes_factor"]) -> bool:
    """Return True if a screen has the column; a joint sigma of None has found no point."""
    return key in record["best"][0] if key == "joint_sigma" else record["evidence"] is not None


def print_survival(found: "Survival") -> None:
    """Print how many signatures and charge sets gain how much.

    Parameters
    ----------
    found
        Counts of a screen.
    """
    flavours = [*found.flavours]
    caption = f"sets with a gain above {found.bar:g} by the flavour structure of their quarks"
    made = empty_table("Gain against no Z' and the dark photon", caption=caption)
    for heading in ("gain above", "signatures", "charge sets", *flavours):
        made.add_column(heading.replace("_", " "), justify="right")
    for bar, count in found.surviving.items():
        labels = [f"{n:,}" if bar == found.bar else "" for n in found.flavours.values()]
        made.add_row(f"{bar:g}", f"{count:,}", f"{found.surviving_sets[bar]:,}", *labels)
    made.add_row("all", f"{found.signatures:,}", f"{found.sets:,}", *("" for _ in flavours))
    print_table(made)


def _ranking_table(record: "AtlasScreenRecord") -> "Table":
    names = [*record["best"][0]["integers"]]
    caption = (
        f"signature: {', '.join(names)}; sets: charge sets that have it; the charges are those of "
        "the first of these sets"
    )
    made = empty_table(f"{record['title']}: {record['signatures']:,} signatures", caption=caption)
    added = [words for words, key in _ON_REQUEST if _has(record, key)]
    for heading in ("signature", "chi2", "Delta chi2", *added, "m_Zp [MeV]", "g'", "sets", "set"):
        made.add_column(heading, justify="left" if heading == "signature" else "right")
    species = [*record["best"][0]["charges"]]
    for name in species:
        made.add_column(name, justify="right")
    for row in record["best"]:
        signature = " ".join(map(str, row["integers"].values()))
        asked = [or_dash(row[key], ".2f") for _, key in _ON_REQUEST if _has(record, key)]
        numbers = [f"{row['chi2']:.3f}", f"{row['delta_chi2']:.3f}", *asked, f"{row['m_Zp']:.1f}"]
        numbers += [f"{row['g_prime']:.2e}", f"{row['sets']:,}", str(row["first"])]
        charges = [" ".join(map(str, row["charges"][name])) for name in species]
        made.add_row(signature, *numbers, *charges)
    return made


def _look_elsewhere_lines(found: "LookElsewhereRecord") -> list[str]:
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
    "--map",
    "as_map",
    is_flag=True,
    help="Draw directions of charges, coloured by what each signature gains.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Figure, .png or .pdf [both, beside the screen].",
)
@options.as_json
def plot(
    file: Path, *, files: Sequence[str], as_map: bool, output: Path | None, as_json: bool
) -> None:
    """Draw the least chi2 of all signatures of a screen.

    FILE is one that zpfit atlas screen has written.

    \b
    zpfit atlas plot output/screen.nc
    zpfit atlas plot output/screen.nc --style letter.yaml --output screen.pdf
    zpfit atlas plot output/screen.nc --map --output map.png
    """
    from zpfit.api.atlas_signatures import Screen

    found = Screen.read(file)
    beside = file.with_name(f"{file.stem}_map") if as_map else file
    targets = [output] if output else [beside.with_suffix(suffix) for suffix in (".png", ".pdf")]
    written = [found.draw(target, style=files, as_map=as_map) for target in targets]
    print_written(written, as_json=as_json)


@click.command()
@_SCREEN
@click.option(
    "--best",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Signatures to fit, those with the lowest chi2.",
)
@options.output("Folder [FILE without its suffix, with _fits].")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed.")
@options.executor
@options.as_json
def fit(
    file: Path,
    *,
    best: int,
    output: Path | None,
    seed: int,
    executor: str,
    workers: int | None,
    scheduler: str | None,
    as_json: bool,
) -> None:
    """Fit the best signatures of a screen: joint sigma, evidence and best fit.

    FILE is one that zpfit atlas screen has written. The folder gets a run file for each signature,
    which zpfit run fits in the same way. A fit takes about 10 seconds of one core; finished ones
    are reused.

    \b
    zpfit atlas fit output/screen.nc --best 10
    zpfit run output/screen_fits/signature_24/atlas_6.yaml
    """
    from zpfit.api.atlas_fits import fit_best
    from zpfit.api.atlas_signatures import Screen
    from zpfit.cli.progress import StageLines

    choice = options.executor_choice(executor, workers, scheduler)
    folder = output or file.with_name(f"{file.stem}_fits")
    found = fit_best(
        Screen.read(file), folder, best=best, executor=choice, seed=seed, progress=StageLines()
    )
    if as_json:
        print_json(found.record)
        return
    print_fits(found.record)
    print_written(found.files)


def print_fits(record: "AtlasFitsRecord") -> None:
    """Print a row for each fit, and the look-elsewhere statement.

    Parameters
    ----------
    record
        Content of ``fits.json``.
    """
    terminal = console()
    terminal.print(plain(f"ln Z without a Z': {record['log_z_without']:.3f}"))
    names = ", ".join(record["fits"][0]["integers"])
    caption = f"signature: {names}; ln B: against no Z'; an asterisk marks fits with shortcomings"
    made = empty_table(f"{record['title']}: fits", caption=caption)
    for heading in ("signature", "set", "pairing", "chi2", "joint sigma", "ln Z", "ln B"):
        made.add_column(heading, justify="left" if heading == "signature" else "right")
    for row in record["fits"]:
        signature = " ".join(map(str, row["integers"].values()))
        made.add_row(
            signature + (" *" if row["shortcomings"] else ""),
            str(row["set"]),
            str(row["pairing"]),
            f"{row['chi2']:.3f}",
            or_dash(row["joint_sigma"], ".2f"),
            error_or_dash(row["log_z"], row["log_z_error"]),
            f"{row['ln_bayes_factor']:.2f}",
        )
    print_table(made)
    for line in _look_elsewhere_lines(record["look_elsewhere"]):
        terminal.print(plain(line), soft_wrap=True)
