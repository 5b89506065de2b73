"""What a person sees of the check of all data."""

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from zpfit.likelihood.check import DataCheck
from zpfit.likelihood.describe import subject, value


def print_data(check: DataCheck) -> None:
    """Every entry that could be read, and every set."""
    console = Console(markup=False)
    table = Table(title="Entries", box=box.SIMPLE_HEAD)
    for heading in ("entry", "what", "value or limit", "sets", "status"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "entry")
    for loaded in check.entries:
        sets = str(len(check.sets_with(loaded.name)))
        status = Text("unverified", style="yellow") if loaded.entry.unverified else Text("")
        table.add_row(loaded.name, subject(loaded.entry), value(loaded), sets, status)
    console.print(table)
    table = Table(title="Sets", box=box.SIMPLE_HEAD)
    for heading in ("set", "entries", "exclusions", "title"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "set")
    for name, chosen in check.sets.items():
        table.add_row(name, str(len(chosen.entries)), chosen.exclusions, chosen.title)
    console.print(table)
    found = len(check.problems)
    console.print(f"{len(check.entries)} entries, {len(check.sets)} sets, {found} problems.")
