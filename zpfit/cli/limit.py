"""Command ``limit``: upper limits and intervals of one parameter."""

from collections.abc import Mapping, Sequence
from math import isfinite
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
from zpfit.errors import InvalidInput
from zpfit.io.numbers import interval, significant

if TYPE_CHECKING:
    from rich.table import Table

_MOST_POINTS = 10_000
"""More points of a scan than this are certainly a mistake."""
_FORM = "NAME=LOW:HIGH:POINTS, with :log or :linear behind it, or NAME=VALUE,VALUE"


@click.command()
@options.file
@click.argument("parameter")
@click.option(
    "--cl",
    "levels",
    multiple=True,
    metavar="LEVEL",
    help="Confidence level, such as 0.95 or '2 sigma' (repeatable) [0.9 and 0.95].",
)
@click.option(
    "--one-sided/--two-sided",
    default=True,
    show_default=True,
    help="Upper limits on the size of the parameter, or intervals.",
)
@options.fix
@click.option("--scan", metavar="NAME=LOW:HIGH:POINTS", help="Parameter to fix to several values.")
@options.output("Folder for JSON, table, and the plot of a scan.")
@options.force()
@options.seed
@options.changes()
@options.as_json
def limit(
    file: str,
    parameter: str,
    *,
    levels: Sequence[str],
    one_sided: bool,
    fix: Sequence[str],
    scan: str | None,
    output: Path | None,
    force: bool,
    seed: int | None,
    changes: options.Changes,
    as_json: bool,
) -> None:
    """Compute limits on a parameter: profile likelihood and posterior.

    FILE is a run file, the name of a packaged run, or a run folder. PARAMETER is one of its
    sampled parameters. A one-sided limit on a parameter of either sign is one on its size.

    \b
    zpfit limit L_mu-L_tau_cs g_prime --cl 0.95
    zpfit limit L_mu-L_tau_cs g_prime --fix eps=0 --scan m_Zp=2:900:20 --output output/limits
    """
    from zpfit.api.limits import LEVELS
    from zpfit.api.limits import limit as compute_limit
    from zpfit.api.texts import problem_of
    from zpfit.cli.progress import StageLines

    fixed = options.parse_fix(fix)
    along = None if scan is None else _parse_scan(scan)
    problem, _ = problem_of(file, options.parse_changes(changes, seed))
    found = compute_limit(
        problem,
        parameter,
        cl=levels or LEVELS,
        one_sided=one_sided,
        fix=fixed,
        scan=along,
        output=output,
        force=force,
        progress=StageLines(),
    )
    if as_json:
        print_json(found.record)
        return
    print_limit(found.record)
    if found.files:
        print_written(found.files)


def _parse_scan(text: str) -> tuple[str, list[float]]:
    """Return a parameter and its values.

    Values between LOW and HIGH are at equal ratios if HIGH is more than ten times LOW, which must
    be positive, and at equal distances otherwise.
    """
    import numpy as np

    place = f"--scan {text}"
    name, separator, rest = text.partition("=")
    parts = rest.split(":")
    if not name or not separator:
        raise InvalidInput([f"{place}: write {_FORM}"])
    if len(parts) == 1:
        return name, [_number(part, place) for part in rest.split(",")]
    if len(parts) not in {3, 4} or (len(parts) == 4 and parts[3] not in {"log", "linear"}):
        raise InvalidInput([f"{place}: write {_FORM}"])
    low, high = (_number(part, place) for part in parts[:2])
    points = _number(parts[2], place)
    if points != int(points) or not 1 < points <= _MOST_POINTS:
        raise InvalidInput([f"{place}: give 2 to {_MOST_POINTS} points, not {parts[2]}"])
    if not low < high:
        raise InvalidInput([f"{place}: the range is empty or reversed; give the lower end first"])
    scale = parts[3] if len(parts) == 4 else "log" if 0 < 10 * low <= high else "linear"
    if scale == "log" and low <= 0:
        raise InvalidInput([f"{place}: a logarithmic range must begin above zero"])
    spaced = np.geomspace if scale == "log" else np.linspace
    return name, spaced(low, high, int(points)).tolist()


def _number(text: str, place: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise InvalidInput([f"{place}: {text!r} is no number; write {_FORM}"])
    return value


def print_limit(record: Mapping[str, Any]) -> None:
    """Print the limits of each point, a column for each level and definition.

    Parameters
    ----------
    record
        Content of ``limit_NAME.json``.
    """
    terminal = console()
    print_table(_table(record))
    side = "upper limits: Delta chi2" if record["one_sided"] else "intervals: Delta chi2"
    terminal.print(
        f"Profile likelihood, {side} against the best fit (Wilks), no calibrated coverage; "
        "posterior: quantile, or highest density on the prior's scale; it depends on the prior."
    )
    print_shortcomings(record["shortcomings"])


def _table(record: Mapping[str, Any]) -> "Table":
    from zpfit.api.wording import in_percent

    parameter, scan = record["parameter"], record["scan"]
    limited = "upper limit on |{}|" if record["one_sided"] else "interval of {}"
    unit = f" [{parameter['unit']}]" if parameter["unit"] else ""
    result = table(f"{record['title']}:\n{limited.format(parameter['name'])}{unit}")
    if scan is not None:
        result.add_column(scan["name"] + (f" [{scan['unit']}]" if scan["unit"] else ""))
    levels = sorted({v["probability"] for p in record["points"] for v in p["levels"]})
    for level in levels:
        for kind in ("profile", "posterior"):
            result.add_column(
                f"{in_percent(level)} {kind}", justify="left" if record["one_sided"] else "right"
            )
    for point in record["points"]:
        head = [significant(point["fixed"][scan["name"]], 4)] if scan is not None else []
        cells = [cell for level in point["levels"] for cell in _cells(level)]
        result.add_row(*head, *(cells or ["nothing allowed"] * max(2 * len(levels), 1)))
    if not levels:
        result.add_column("limits")
    return result


def _cells(level: Mapping[str, Any]) -> list[str]:
    """Return what the table says of one level: profile likelihood and posterior."""
    if "profile" in level:
        profiled = f"< {significant(level['profile'])}"
        if level["at_end_of_prior"]:
            profiled = f"none below {significant(level['profile'])} (end of prior)"
        return [profiled, f"< {significant(level['posterior'])}"]
    return [
        "\n".join(interval(low, high) for low, high in level[key]) or "none"
        for key in ("profile_intervals", "posterior_intervals")
    ]
