"""What a person sees of a profile likelihood beside the posterior."""

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text


def print_profile(result: Mapping[str, Any]) -> None:
    """Intervals or regions of both, side by side."""
    console = Console(markup=False)
    names = [axis["name"] for axis in result["axes"]]
    console.print(_intervals(result) if len(names) == 1 else _areas(result))
    best, mode = result["best_fit"], result["posterior"]["mode"]
    for label, point in (
        (f"Best fit (chi2 {best['chi2']:.3f})", best["parameters"]),
        ("Posterior mode", mode),
    ):
        text = ", ".join(f"{name} = {point[name]:.4g}" for name in names)
        console.print(f"{label}: {text}", soft_wrap=True)
    console.print(
        "Profile: asymptotic levels of Delta chi2 (Wilks), no calibrated coverage; "
        "posterior: highest density on the prior's scale.",
        soft_wrap=True,
    )
    for shortcoming in result["shortcomings"]:
        console.print(Text(f"Not converged: {shortcoming}", style="yellow"))


def _table(result: Mapping[str, Any], *headings: str, caption: str | None = None) -> Table:
    table = Table(title=result["title"], box=box.SIMPLE_HEAD, caption=caption)
    for heading in headings:
        table.add_column(heading)
    return table


def _intervals(result: Mapping[str, Any]) -> Table:
    [axis] = result["axes"]
    unit = f" [{axis['unit']}]" if axis["unit"] else ""
    heading = f"{axis['name']}{unit}"
    table = _table(result, "level", f"{heading}, profile likelihood", f"{heading}, posterior")
    for profile, posterior in _rows(result):
        table.add_row(
            _level(profile), _pieces(profile["intervals"]), _pieces(posterior["intervals"])
        )
    return table


def _areas(result: Mapping[str, Any]) -> Table:
    caption = "share of the plane between the ends of the axes, on the prior's scale"
    table = _table(result, "level", "profile likelihood", "posterior", caption=caption)
    for profile, posterior in _rows(result):
        table.add_row(_level(profile), f"{profile['area']:.1%}", f"{posterior['area']:.1%}")
    return table


def _rows(result: Mapping[str, Any]) -> Any:
    return zip(result["profile"]["levels"], result["posterior"]["levels"], strict=True)


def _level(profile: Mapping[str, Any]) -> str:
    return f"{profile['probability']:.1%} (Delta chi2 = {profile['delta_chi2']:g})"


def _pieces(intervals: list[list[float]]) -> str:
    return "\n".join(f"{low:.4g} to {high:.4g}" for low, high in intervals) or "none"
