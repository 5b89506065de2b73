"""Command ``profile``: profile likelihood beside the posterior."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zpfit.cli import options
from zpfit.cli.output import (
    console,
    print_json,
    print_shortcomings,
    print_table,
    print_written,
    table,
)
from zpfit.errors import all_of
from zpfit.io.numbers import interval, percent, significant

if TYPE_CHECKING:
    from rich.table import Table

    from zpfit.api.profiles import AxisRequest


@click.command()
@options.file
@click.option("--x", required=True, metavar="NAME[=LOW:HIGH]", help="A sampled parameter.")
@click.option("--y", metavar="NAME[=LOW:HIGH]", help="A second one, for regions in the plane.")
@click.option(
    "--points",
    type=click.IntRange(min=10, max=400),
    help="Points on each axis before refinement [60 with one, 40 with two].",
)
@click.option(
    "--level",
    "levels",
    multiple=True,
    metavar="LEVEL",
    help="Confidence level, such as 0.95 or '1 sigma' (repeatable) [1 and 2 sigma].",
)
@options.fix
@options.output("Folder for JSON and plots.")
@options.force()
@options.seed
@options.changes()
@options.as_json
def profile(
    file: str,
    *,
    x: str,
    y: str | None,
    points: int | None,
    levels: Sequence[str],
    fix: Sequence[str],
    output: Path | None,
    force: bool,
    seed: int | None,
    changes: options.Changes,
    as_json: bool,
) -> None:
    """Compute the profile likelihood of one or two parameters.

    The posterior is shown beside it.

    FILE is a run file, the name of a packaged run, or a run folder.

    \b
    zpfit profile quickstart --x m_Zp --output output/profiles
    zpfit profile quickstart --x m_Zp=10:60 --y C_Ae --points 50 --output output/profiles
    zpfit profile output/quickstart --x C_Vmu --level 0.9 --level 0.95 --fix C_Amu=0
    """
    from zpfit.api.profiles import REGIONS
    from zpfit.api.profiles import profile as compute_profile
    from zpfit.api.texts import problem_of
    from zpfit.cli.progress import StageLines

    problem, _ = problem_of(file, options.parse_changes(changes, seed))
    axes = _requests(x, y)
    found = compute_profile(
        problem,
        *axes,
        points=points,
        levels=levels or REGIONS,
        fix=options.parse_fix(fix),
        output=output,
        force=force,
        progress=StageLines(),
    )
    if as_json:
        print_json(found.record)
        return
    print_profile(found.record)
    if found.files:
        print_written(found.files)


def _requests(x: str, y: str | None) -> "list[AxisRequest]":
    if y is None:
        return [options.parse_axis("--x", x)]
    return list(all_of(lambda: options.parse_axis("--x", x), lambda: options.parse_axis("--y", y)))


def print_profile(record: Mapping[str, Any]) -> None:
    """Print intervals or regions of profile likelihood and posterior, side by side.

    Parameters
    ----------
    record
        Content of ``profile_NAME.json``.
    """
    terminal = console()
    names = [axis["name"] for axis in record["axes"]]
    print_table(_intervals(record) if len(names) == 1 else _areas(record))
    best, mode = record["best_fit"], record["posterior"]["mode"]
    for label, point in (
        (f"Best fit (chi2 {best['chi2']:.3f})", best["parameters"]),
        ("Posterior mode", mode),
    ):
        text = ", ".join(f"{name} = {significant(point[name])}" for name in names)
        terminal.print(f"{label}: {text}", soft_wrap=True)
    terminal.print(
        "Profile: asymptotic levels of Delta chi2 (Wilks), no calibrated coverage; "
        "posterior: highest density on the prior's scale.",
        soft_wrap=True,
    )
    if jumps := record["profile"]["jumps"]:
        terminal.print(
            f"Delta chi2 jumps at {jumps} steps of the grid by more than the last level: there is "
            "a wall of an exclusion or of the model, or the search missed a minimum.",
            soft_wrap=True,
        )
    print_shortcomings(record["shortcomings"])


def _table(record: Mapping[str, Any], *headings: str, caption: str | None = None) -> "Table":
    result = table(record["title"], caption=caption)
    for heading in headings:
        result.add_column(heading, justify="left" if heading == "level" else "right")
    return result


def _intervals(record: Mapping[str, Any]) -> "Table":
    [axis] = record["axes"]
    unit = f" [{axis['unit']}]" if axis["unit"] else ""
    heading = f"{axis['name']}{unit}"
    result = _table(record, "level", f"{heading}, profile likelihood", f"{heading}, posterior")
    for likelihood, posterior in _levels(record):
        intervals = _pieces(likelihood["intervals"]), _pieces(posterior["intervals"])
        result.add_row(_level(likelihood), *intervals)
    return result


def _areas(record: Mapping[str, Any]) -> "Table":
    caption = "fraction of the plane between the ends of the axes, on the prior's scale"
    result = _table(record, "level", "profile likelihood", "posterior", caption=caption)
    for likelihood, posterior in _levels(record):
        areas = percent(likelihood["area"]), percent(posterior["area"])
        result.add_row(_level(likelihood), *areas)
    return result


def _levels(record: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Yield each level of the profile likelihood with that of the posterior."""
    return zip(record["profile"]["levels"], record["posterior"]["levels"], strict=True)


def _level(likelihood: Mapping[str, Any]) -> str:
    from zpfit.api.wording import in_percent

    probability = in_percent(likelihood["probability"])
    return f"{probability} (Delta chi2 = {likelihood['delta_chi2']:.4g})"


def _pieces(intervals: list[list[float]]) -> str:
    return "\n".join(interval(low, high) for low, high in intervals) or "none"
