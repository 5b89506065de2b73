"""What a person sees of the paper's reproduction."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from zpfit.studies.paper_2021.page import number
from zpfit.studies.paper_2021.reproduce import FIGURE_FOLDER, PAGE, Reproduction


def print_paper(result: Reproduction, folder: Path) -> None:
    """Every number of the paper beside the computed one, and where the rest is."""
    console = Console(markup=False)
    table = Table(
        title="arXiv:2102.07781, reproduced",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        collapse_padding=True,  # so that ids are whole on a terminal of 80 columns
        caption="computed: with BaBar's envelope, as in the paper, but for ids that end in curve; "
        "curve: with the published curve; agrees: computed/curve if they differ",
    )
    for heading in ("id", "place", "paper", "computed", "curve", "agrees"):
        left = heading in ("id", "place")
        table.add_column(heading, justify="left" if left else "right", overflow="fold")
    for row in result.claims:
        relation = "" if row["relation"] == "=" else row["relation"]
        table.add_row(
            row["id"],
            row["place"],
            Text(f"{relation}{number(row['paper'])}"),
            number(row["computed"]),
            number(row["computed_curve"]),
            _verdicts(row),
        )
    console.print(table)
    for row in result.claims:
        if not row["agrees"] and row["note"]:
            console.print(Text(f"{row['id']}: {row['note']}"))
    console.print(f"Written: {folder / PAGE}, and the figures in {folder / FIGURE_FOLDER}")


def _verdicts(row: Mapping[str, Any]) -> Text:
    words = "/".join(
        dict.fromkeys("yes" if row[key] else "no" for key in ("agrees", "agrees_curve"))
    )
    return Text(words, style="" if row["agrees"] else "yellow")
