"""What a person sees of an exclusion map."""

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text


def print_exclusion(record: Mapping[str, Any]) -> None:
    """Who forbids how much of the plane, and the reach of what is left."""
    console = Console(markup=False)
    x, y = record["x"], record["y"]
    table = Table(
        title=Text(f"{record['likelihood']} on the plane of {x['name']} and {y['name']}"),
        box=box.SIMPLE_HEAD,
        caption=Text("share: of the plane as it is drawn"),
    )
    for heading in ("region", "", "within", "share"):
        table.add_column(heading, justify="right" if heading in ("within", "share") else "left")
    for region in record["regions"]:
        if region["kind"] != "allowed" and region["share"] > 0:
            sigma = "" if region["sigma"] is None else f"{region['sigma']:g} sigma"
            table.add_row(region["name"], region["kind"], sigma, f"{100 * region['share']:.2f} %")
    console.print(table)
    console.print(Text(_verdict(record)))
    for note in record["notes"]:
        console.print(Text(f"Note: {note}", style="yellow"))


def _verdict(record: Mapping[str, Any]) -> str:
    allowed = record["allowed"]
    if allowed is None:
        return "Nothing is allowed."
    reaches = ", ".join(
        f"{record[side]['name']} from {allowed[side][0]:.4g} to {allowed[side][1]:.4g}"
        for side in ("x", "y")
    )
    return f"Allowed: {100 * allowed['share']:.3g} % of the plane, {reaches}."
