"""What a person sees of a campaign."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from zpfit.runs.campaign_file import Campaign

_SHOWN = 40
"""Rows that a terminal is good for."""


def print_plan(campaign: Campaign) -> None:
    """Which fits a campaign comes to."""
    console = Console(markup=False)
    names = [name for _, _, name in campaign.tasks()]
    for name in names[:_SHOWN]:
        console.print(name)
    if len(names) > _SHOWN:
        console.print(f"... and {len(names) - _SHOWN:,} more")
    console.print(f"{len(names):,} fits of {len(campaign.cells)} combinations")
    for code in campaign.code:
        console.print(f"note: runs Python code: {code}")


def print_campaign(record: Mapping[str, Any], output: Path) -> None:
    """A table over all combinations, and what is not converged."""
    console = Console(markup=False)
    caption = (
        "fits: converged of all; ln B: against no Z'; scatter: of ln Z between seeds, beside the "
        "error of one"
    )
    table = Table(title=record["title"], box=box.SIMPLE_HEAD, caption=caption)
    table.add_column("combination", overflow="fold", min_width=24)
    for heading in ("fits", "chi2", "ln Z", "ln B", "scatter"):
        table.add_column(heading, justify="right", no_wrap=True)
    for cell in record["cells"][:_SHOWN]:
        scatter = cell["log_z_scatter"]
        table.add_row(
            cell["name"],
            f"{cell['converged']}/{cell['fits']}",
            f"{cell['chi2']:.2f}",
            f"{cell['log_z']:.3f}±{cell['log_z_error']:.3f}",
            f"{cell['log_bayes_factor']:+.2f}",
            "-" if scatter is None else f"{scatter:.3f}/{cell['log_z_error_of_one']:.3f}",
        )
    console.print(table)
    if len(record["cells"]) > _SHOWN:
        console.print(f"... and {len(record['cells']) - _SHOWN} more in the tables")
    not_converged = [row["name"] for row in record["fits"] if not row["converged"]]
    if not_converged:
        names = ", ".join(not_converged[:_SHOWN])
        console.print(Text(f"Not converged: {len(not_converged)} ({names})", style="yellow"))
    console.print(f"Campaign folder: {output}", soft_wrap=True)
