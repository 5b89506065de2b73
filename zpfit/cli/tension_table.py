"""What a person sees of the tension between groups of data."""

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text


def print_tension(result: Mapping[str, Any]) -> None:
    """Everything that :func:`zpfit.analysis.tension.tension.as_json` gives, in tables."""
    console = Console(markup=False)
    console.print(_pulls_table(result["title"], result["pulls"]))
    reached = result["joint_sigma"]
    if reached is not None:
        console.print(
            f"Joint sigma {reached:.2f}: every anomaly can be met within as many standard errors, "
            "the other measurements within their limits, and no exclusion violated.\n"
        )
    _print_goodness(console, result["parameter_goodness"], result["best_fit_chi2"])
    _print_evidence(console, result["evidence"])
    console.print("sigma: two-sided normal equivalent of p")
    for shortcoming in result["shortcomings"]:
        console.print(Text(f"Not converged: {shortcoming}", style="yellow"))


def _table(title: str, caption: str, *headings: str) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, caption=caption)
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="right" if index else "left")
    return table


def _pulls_table(title: str, pulls: Mapping[str, Any]) -> Table:
    caption = "predictive: against the posterior of all data; p is two-sided"
    table = _table(title, caption, "entry", "pull at best fit", "predictive pull", "p")
    for name, row in pulls.items():
        table.add_row(
            name, f"{row['best_fit']:+.2f}", f"{row['predictive']:+.2f}", f"{row['p_value']:.3f}"
        )
    return table


def _print_goodness(console: Console, goodness: Mapping[str, Any], together: float) -> None:
    title = "Parameter goodness of fit (hep-ph/0304176)"
    table = _table(title, "", "group", "terms", "directions", "least chi2")
    for name, row in goodness["by_group"].items():
        table.add_row(name, str(row["terms"]), str(row["rank"]), f"{row['chi2']:.3f}")
    terms = sum(row["terms"] for row in goodness["by_group"].values())
    table.add_row("together", str(terms), str(goodness["rank"]), f"{together:.3f}")
    console.print(table)
    console.print(
        f"chi2_PG = {goodness['chi2']:.3f} with {goodness['dof']} degrees of freedom"
        f"{_verdict(goodness, 'nothing to test')}.\n"
    )


def _print_evidence(console: Console, evidence: Mapping[str, Any]) -> None:
    title = "Evidence of each group alone (arXiv:1902.04029)"
    table = _table(title, "", "group", "ln Z", "information", "dimensionality")
    for name, row in [*evidence["by_group"].items(), ("together", evidence["together"])]:
        table.add_row(
            name,
            _with_error(row["log_z"], row["error"]),
            _with_error(row["information"], row["information_err"]),
            _with_error(row["dimensionality"], row["dimensionality_err"]),
        )
    console.print(table)
    numbers = ", ".join(
        f"{name} = {_with_error(evidence[key], evidence[f'{key}_err'])}"
        for name, key in (("ln R", "log_r"), ("ln I", "log_i"), ("ln S", "log_s"))
    )
    shared = _with_error(evidence["dimensionality"], evidence["dimensionality_err"])
    console.print(numbers)
    console.print(f"{shared} shared dimensions{_verdict(evidence, 'no p')}.")


def _verdict(row: Mapping[str, Any], without: str) -> str:
    if row["p_value"] is None:
        return f": {without}"
    error = row.get("sigma_err")
    spread = "" if error is None else f" ± {error:.2f}"
    return f": p = {row['p_value']:.3g}, {row['sigma']:.2f}{spread} sigma"


def _with_error(value: float, error: float) -> str:
    return f"{value:.3f} ± {error:.3f}"
