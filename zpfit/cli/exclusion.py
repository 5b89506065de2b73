"""Command ``exclusion``: regions that experiments exclude in a plane of two parameters."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zpfit.cli import completion, options
from zpfit.cli.output import console, plain, print_table, print_written, table, yellow
from zpfit.errors import all_of
from zpfit.io.numbers import interval, percent

if TYPE_CHECKING:
    from rich.table import Table


@click.command()
@click.argument("file", required=False, shell_complete=completion.SLICES)
@click.option(
    "--x", metavar="NAME[=LOW:HIGH]", help="Parameter along x; add :log for a logarithmic axis."
)
@click.option("--y", metavar="NAME[=LOW:HIGH]", help="Parameter along y.")
@click.option("--fix", multiple=True, metavar="NAME=VALUE", help="Fix a parameter.")
@click.option(
    "--solve",
    multiple=True,
    metavar="NAME:OBSERVABLE=VALUE",
    help="Compute a parameter from an observable; add :negative or :nearest to choose a solution.",
)
@click.option("--profile", multiple=True, metavar="NAME", help="Profile over a parameter.")
@click.option(
    "--reference",
    type=click.Choice(["no_zprime", "best_fit", "pull"]),
    help="What chi2 of a measurement is compared with [no_zprime].",
)
@click.option("--cl", metavar="LEVEL", help="Confidence level, such as 0.95 or '2 sigma' [0.9].")
@click.option(
    "--curves",
    type=click.Choice(["published", "rescaled"]),
    help="Draw published limits at their own level, or rescaled to --cl [published].",
)
@click.option(
    "--within",
    multiple=True,
    metavar="ENTRY=SIGMA",
    help="Tolerance of a term, in standard errors [2]; with --reference pull.",
)
@click.option("--band", multiple=True, metavar="ENTRY=SIGMA", help="Draw a measurement as a band.")
@click.option(
    "--likelihood",
    metavar="SET",
    shell_complete=completion.SETS,
    help="A likelihood set (see zpfit list likelihoods).",
)
@options.limits
@click.option(
    "--model",
    "model_text",
    metavar="NAME",
    shell_complete=completion.MODELS,
    help="A model [effective].",
)
@options.output("Folder for figure and tables.")
@options.force()
@options.changes("slice")
@options.as_json
def exclusion(
    file: str | None,
    *,
    output: Path | None,
    force: bool,
    as_json: bool,
    changes: options.Changes,
    limits: Sequence[str],
    **texts: Any,
) -> None:
    """Map the excluded regions of a plane of two parameters.

    FILE is a slice file or the name of a packaged one (see zpfit list slices). Options change its
    keys; without FILE they define the slice. Other parameters have their default, couplings zero.

    A measurement excludes where its chi2 exceeds that of no Z' by Delta chi2 of the level for the
    two parameters of the plane: 4.61 at 0.9. Its best fit in the plane, or the datum itself (in
    standard errors), can be the reference instead.

    \b
    zpfit exclusion paper_fig2a --output output/fig2a
    zpfit exclusion --x m_Zp=5:50 --y C_Ae=5e-5:1e-3:log --solve C_Ve:delta_a_e=-1.23e-12 \\
        --likelihood paper_2021_cs --drop a_mu_2021 --output output/slice
    zpfit exclusion --x m_Zp=5:50 --y C_Ae=5e-5:1e-3:log --profile C_Ve --profile C_nue \\
        --likelihood paper_2021_cs --drop a_mu_2021 --output output/profile
    """
    from zpfit.api.exclusions import exclusion as trace_exclusion
    from zpfit.api.texts import slice_of

    keys, additions = all_of(
        lambda: options.parse_slice({**texts, "changes": changes.texts}),
        lambda: options.parse_limits(limits),
    )
    chosen = slice_of(
        file,
        keys,
        [*additions, *options.named(changes, "add")],
        title=texts["likelihood"] or "",
        dropped=options.named(changes, "drop"),
    )
    found = trace_exclusion(source=chosen, output=output, force=force)
    if as_json:
        # On one line: outlines have thousands of points.
        click.echo(json.dumps(found.record, allow_nan=False))
        return
    print_exclusion(found.record)
    if found.files:
        print_written(found.files)


def print_exclusion(record: Mapping[str, Any]) -> None:
    """Print the excluded fraction of each term and the extent of the allowed region.

    Parameters
    ----------
    record
        Content of ``exclusion.json``.
    """
    from zpfit.api.exclusions import statement

    terminal = console()
    print_table(_regions_table(record))
    for sentence in statement(record["reference"]):
        terminal.print(plain(f"{sentence[0].upper()}{sentence[1:]}."))
    terminal.print(plain(_verdict(record)))
    for note in record["notes"]:
        terminal.print(yellow(f"Note: {note}"))


def _regions_table(record: Mapping[str, Any]) -> "Table":
    x, y = record["x"], record["y"]
    result = table(
        plain(f"{record['likelihood']} on the plane of {x['name']} and {y['name']}"),
        caption=plain("fraction: of the plotted area"),
    )
    beyond = "within" if record["reference"]["kind"] == "pull" else "level"
    for heading in ("region", "", beyond, "fraction"):
        right = heading in (beyond, "fraction")
        result.add_column(heading, justify="right" if right else "left")
    for region in record["regions"]:
        if region["kind"] != "allowed" and region["share"] > 0:
            beyond, share = _beyond(record, region), percent(region["share"], 3)
            result.add_row(region["name"], region["kind"], beyond, share)
    return result


def _beyond(record: Mapping[str, Any], region: Mapping[str, Any]) -> str:
    """Return the confidence level of a region, or the standard errors of pulls and bands."""
    from zpfit.api.wording import in_percent

    if record["reference"]["kind"] == "pull" or region["kind"] == "band":
        return "" if region["sigma"] is None else f"{region['sigma']:g} sigma"
    return "" if region["level"] is None else in_percent(region["level"])


def _verdict(record: Mapping[str, Any]) -> str:
    allowed = record["allowed"]
    if allowed is None:
        return _why_nothing(record)
    ends = [(record[side]["name"], *allowed[side]) for side in ("x", "y")]
    reaches = ", ".join(f"{name} from {interval(low, high)}" for name, low, high in ends)
    return f"Allowed: {percent(allowed['share'])} of the plane, {reaches}."


def _why_nothing(record: Mapping[str, Any]) -> str:
    """Return what excludes a whole plane, and what to do."""
    from zpfit.api.exclusions import blocking_words

    parts = ["Nothing is allowed", *blocking_words(record, "names")]
    kinds = {region["name"]: region["kind"] for region in record["regions"]}
    found = record.get("excluded_by", {"names": []})["names"]
    entries = [name for name in found if kinds[name] in ("excluded", "band")]
    remedies = ["widen the range (--x, --y)"]
    if entries:
        remedies.append(f"leave out an entry (--drop {entries[0]})")
    reference = record["reference"]["kind"]
    others = [kind for kind in ("no_zprime", "best_fit") if kind != reference]
    remedies.append(f"take another reference (--reference {others[0]})")
    return f"{': '.join(parts)}. You can {', '.join(remedies[:-1])}, or {remedies[-1]}."
