"""What a person sees of a comparison."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from zpfit.analysis.bayes_factors import SCALE_SOURCE
from zpfit.analysis.prior_sensitivity import FACTOR

Row = Mapping[str, Any]
_Columns = dict[str, Callable[[Row], str]]

_FIT: _Columns = {
    "k": lambda row: f"{row['parameters']}",
    "chi2": lambda row: f"{row['best_fit_chi2']:.2f}",
    "Δchi2": lambda row: f"{row['delta_chi2']:+.2f}",
    "AIC": lambda row: f"{row['aic']:.1f}",
    "BIC": lambda row: "-" if row["bic"] is None else f"{row['bic']:.1f}",
    "joint σ": lambda row: _or_dash(row["joint_sigma"], ".2f"),
    "P(both)": lambda row: _or_dash(row["probability_both_within_1_sigma"], ".2g"),
}
_EVIDENCE: _Columns = {
    "ln Z": lambda row: _with_error(row["lnZ"], row["lnZ_err"]),
    "ln B": lambda row: f"{row['ln_bayes_factor']:+.2f}",
    "evidence": lambda row: str(row["evidence"]),
    "D_KL": lambda row: f"{row['information']:.1f}",
    "dim.": lambda row: f"{row['dimensionality']:.1f}",
}


def print_comparison(rows: Sequence[Row], output: Path | None) -> None:
    """Tables for each data set."""
    console = Console(markup=False)
    for data in dict.fromkeys(row["data"] for row in rows):
        group = [row for row in rows if row["data"] == data]
        likelihood = group[0]["likelihood"]
        console.print(_fit_table(likelihood, group))
        console.print(_evidence_table(likelihood, group))
        console.print(_sensitivity_table(group))
        console.print(_terms_table(group))
    for row in rows:
        for shortcoming in row["shortcomings"]:
            console.print(Text(f"{row['run']}: {shortcoming}", style="yellow"))
    if output is not None:
        console.print(f"Comparison: {output}", soft_wrap=True)


def _fit_table(likelihood: str, rows: Sequence[Row]) -> Table:
    caption = (
        "joint σ: least level at which every anomaly is met; P(both): posterior probability that "
        "all are within 1 σ"
    )
    return _table(f"{likelihood}: best fits", caption, _FIT, rows)


def _evidence_table(likelihood: str, rows: Sequence[Row]) -> Table:
    caption = (
        f"ln B against {rows[0]['reference']}, read after {SCALE_SOURCE}; D_KL: information "
        "gained, in nats; dim.: Bayesian model dimensionality"
    )
    return _table(f"{likelihood}: evidence", caption, _EVIDENCE, rows)


def _table(title: str, caption: str, columns: _Columns, rows: Sequence[Row]) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, caption=caption)
    table.add_column("run", no_wrap=True)
    for heading in columns:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(row["run"], *(column(row) for column in columns.values()))
    return table


def _sensitivity_table(rows: Sequence[Row]) -> Table:
    table = Table(
        title=f"ln Z under priors {FACTOR:g} times wider and narrower (rank)",
        box=box.SIMPLE_HEAD,
        padding=0,
    )
    for heading in ("run", "as given", "wider", "narrower", "rank changes"):
        table.add_column(heading, justify="left" if heading == "run" else "right")
    for row in rows:
        ranks, varied = row["ranks"], row["prior_sensitivity"]
        cells = [f"{_with_error(row['lnZ'], row['lnZ_err'])} ({ranks['default']})"]
        cells += [
            f"{_with_error(varied[name]['lnZ'], varied[name]['lnZ_err'])} ({ranks[name]})"
            for name in ("wider", "narrower")
        ]
        table.add_row(row["run"], *cells, "yes" if row["rank_changes"] else "no")
    return table


def _terms_table(rows: Sequence[Row]) -> Table:
    table = Table(title="chi2 of each term at the best fit", box=box.SIMPLE_HEAD, padding=0)
    table.add_column("entry", no_wrap=True)
    for row in rows:
        table.add_column(row["run"], justify="right")
    for name in dict.fromkeys(name for row in rows for name in row["chi2_by_term"]):
        values = [row["chi2_by_term"].get(name) for row in rows]
        table.add_row(name, *("-" if value is None else f"{value:.2f}" for value in values))
    return table


def _or_dash(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _with_error(value: float | None, error: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" + (f" ± {error:.3f}" if error else "")
