"""What a person sees of p-values from pseudo-experiments."""

import time
from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from zpfit.cli.tables import StageLines

_INTERVAL = 10.0
"""Seconds between lines about how many toys there are."""
_NAMES = {
    "chi2": "chi2 of the best fit",
    "delta_chi2": "Delta chi2 without a Z'",
    "delta_chi2_nested": "Delta chi2 of {nested}",
    "joint_sigma": "joint sigma",
}
_HYPOTHESES = {
    "no-zprime": "no Z'",
    "best-fit": "the best fit of {model}",
    "nested": "the best fit of {nested}",
}


class ToyLines(StageLines):
    """Progress of many toys: stages, and every so often how far they are."""

    def __init__(self) -> None:
        super().__init__()
        self._last = time.monotonic()

    def update(self, fraction: float, note: str) -> None:
        """Say it, unless it has been said just now."""
        now = time.monotonic()
        if now - self._last >= _INTERVAL:
            self._last = now
            self._console.print(Text(f"  {fraction:.0%}, {note}", style="dim"), soft_wrap=True)


def print_toys(result: Mapping[str, Any]) -> None:
    """A row for each statistic, and how fast that was."""
    console = Console(markup=False)
    hypothesis = _HYPOTHESES[result["hypothesis"]].format_map(result)
    caption = (
        "p: share of toys at least as extreme as the data, with its 68 % Monte Carlo interval; "
        "naive: chi2 distribution of linear models without bounds"
    )
    title = f"{result['title']}: {result['toys']} toys of {hypothesis}"
    table = Table(title=title, box=box.SIMPLE_HEAD, caption=caption)
    for heading in ("statistic", "data", "toys' median", "p", "sigma", "naive p (dof)"):
        table.add_column(heading, justify="left" if heading == "statistic" else "right")
    for name, row in result["statistics"].items():
        table.add_row(
            _NAMES[name].format_map(result),
            _number(row["observed"]),
            _number(row["toys_quantiles"]["median"]),
            _p(row),
            f"{'' if row['p_upper_limit'] is None else '> '}{row['sigma']:.2f}",
            "none" if row["naive_dof"] is None else _naive(row),
        )
    console.print(table)
    rates = result["rates"]
    if rates["computed_now"]:
        console.print(
            f"{rates['computed_now']} toys computed now, "
            f"{rates['toys_per_second_per_core']:.0f} per second of one core."
        )
    for shortcoming in result["shortcomings"]:
        console.print(Text(f"Beware: {shortcoming}", style="yellow"))


def _p(row: Mapping[str, Any]) -> str:
    if row["p_upper_limit"] is not None:
        return f"< {row['p_upper_limit']:.2g} (95 %)"
    low, high = row["p_interval"]
    return f"{row['p_value']:.3g} [{low:.3g}, {high:.3g}]"


def _naive(row: Mapping[str, Any]) -> str:
    return f"{row['naive_p_value']:.3g} ({row['naive_dof']})"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"
