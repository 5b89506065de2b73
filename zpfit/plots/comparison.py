"""Figures that compare models."""

from collections.abc import Mapping, Sequence

import corner
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from zpfit.analysis.records import ComparisonRow
from zpfit.io.arrays import FloatArray
from zpfit.plots.scales import Log, Scale, SignedLog
from zpfit.plots.style import SERIES_COLOURS

_NEGLIGIBLE = 1e-8
"""Smallest size of a coupling that its axis shows."""
_LEVELS = (0.393, 0.865)
_RANGE = 0.999


def evidence_figure(rows: Sequence[ComparisonRow]) -> Figure:
    """Draw ln B of every row with its error, also under wider and narrower priors."""
    figure = Figure(figsize=(7, 0.5 * len(rows) + 1.6), layout="constrained")
    axes = figure.subplots()
    reference = {row["data"]: row for row in rows if row["model"] == row["reference"]}
    for y, row in enumerate(rows):
        base = reference[row["data"]]
        axes.errorbar(
            row["ln_bayes_factor"], y, xerr=row["ln_bayes_factor_err"], fmt="o", color="k"
        )
        for index, (name, marker) in enumerate((("wider", "<"), ("narrower", ">"))):
            varied, base_varied = (r["prior_sensitivity"][name] for r in (row, base))
            if varied["lnZ"] is None or base_varied["lnZ"] is None:
                continue
            x = varied["lnZ"] - base_varied["lnZ"]
            axes.plot(x, y, marker, color=SERIES_COLOURS[index], fillstyle="none", markersize=8)
    axes.axvline(0, color="0.6", linewidth=0.8)
    for limit in (1.0, 2.5, 5.0):
        for sign in (-1, 1):
            axes.axvline(sign * limit, color="0.85", linewidth=0.8, zorder=0)
    axes.set_yticks(range(len(rows)), [_label(row, rows) for row in rows])
    axes.invert_yaxis()
    axes.set_xlabel(
        f"$\\ln B$ against {rows[0]['reference']} (grey: 1, 2.5 and 5, where weak, moderate and "
        "strong evidence begin)"
    )
    handles = [
        Line2D([], [], marker="o", color="k", linestyle="", label="priors as given"),
        _hollow("<", SERIES_COLOURS[0], "wider"),
        _hollow(">", SERIES_COLOURS[1], "narrower"),
    ]
    axes.legend(handles=handles, fontsize=9)
    return figure


def _hollow(marker: str, colour: str, label: str) -> Line2D:
    return Line2D(
        [], [], marker=marker, color=colour, linestyle="", fillstyle="none", label=f"{label} priors"
    )


def chi2_figure(rows: Sequence[ComparisonRow]) -> Figure:
    """Draw chi2 of every term at the best fit, stacked."""
    figure = Figure(figsize=(7.5, 0.5 * len(rows) + 2.2), layout="constrained")
    axes = figure.subplots()
    terms = list(dict.fromkeys(name for row in rows for name in row["chi2_by_term"]))
    left = np.zeros(len(rows))
    for index, name in enumerate(terms):
        values = np.array([row["chi2_by_term"].get(name, 0.0) for row in rows])
        hatch = "///" if index >= len(SERIES_COLOURS) else None
        colour = SERIES_COLOURS[index % len(SERIES_COLOURS)]
        axes.barh(range(len(rows)), values, left=left, color=colour, label=name, hatch=hatch)
        left += values
    for y, total in enumerate(left):
        axes.text(total, y, f" {total:.2f}", va="center", fontsize=9)
    axes.set_yticks(range(len(rows)), [_label(row, rows) for row in rows])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.12 * max(float(left.max()), 1e-3))
    axes.set_xlabel(r"$\chi^2$ at the best fit")
    figure.legend(loc="outside lower center", ncols=3, fontsize=8)
    return figure


def _label(row: ComparisonRow, rows: Sequence[ComparisonRow]) -> str:
    several = len({other["data"] for other in rows}) > 1
    return f"{row['run']}\n{row['likelihood']}" if several else str(row["run"])


def overlay_figure(
    samples: Mapping[str, Mapping[str, FloatArray]], symbols: Mapping[str, str]
) -> Figure:
    """Draw the posteriors of the couplings of several models on common axes.

    Parameters
    ----------
    samples
        Samples of equal weight of each coupling by model, each of shape (n,).
    symbols
        LaTeX of each coupling, without dollar signs.
    """
    names = list(symbols)
    columns = {
        model: np.column_stack([_scale(name).forward(values[name]) for name in names])
        for model, values in samples.items()
    }
    limits = [
        _limits(np.concatenate([c[:, i] for c in columns.values()])) for i in range(len(names))
    ]
    size = 1.7 * len(names) + 1.2
    figure = Figure(figsize=(size, size))
    for index, column in enumerate(columns.values()):
        corner.corner(
            column,
            fig=figure,
            bins=30,
            range=limits,
            levels=_LEVELS,
            smooth=1.0,
            labels=[_axis_label(name, symbols[name]) for name in names],
            plot_datapoints=False,
            plot_density=False,
            no_fill_contours=True,
            color=SERIES_COLOURS[index % len(SERIES_COLOURS)],
            hist_kwargs={"density": True, "linewidth": 1.2},
            label_kwargs={"fontsize": 13},
        )
    _set_ticks(figure, names, limits)
    handles = [
        Line2D([], [], color=SERIES_COLOURS[i % len(SERIES_COLOURS)], label=model)
        for i, model in enumerate(columns)
    ]
    figure.legend(handles=handles, loc="upper right", bbox_to_anchor=(0.97, 0.97), fontsize=14)
    return figure


def _axis_label(name: str, symbol: str) -> str:
    return f"${symbol}$" + (" [MeV]" if name == "m_Zp" else "")


def _scale(name: str) -> Scale:
    return Log() if name == "m_Zp" else SignedLog(_NEGLIGIBLE)


def _limits(column: FloatArray) -> tuple[float, float]:
    low, high = np.quantile(column, [0.5 * (1 - _RANGE), 0.5 * (1 + _RANGE)])
    margin = 0.04 * max(float(high - low), 1e-3)
    return float(low) - margin, float(high) + margin


def _set_ticks(figure: Figure, names: Sequence[str], limits: Sequence[tuple[float, float]]) -> None:
    n = len(names)
    axes = np.array(figure.axes).reshape(n, n)
    for row in range(n):
        for column in range(row + 1):
            panel = axes[row, column]
            _scale(names[column]).set_ticks(panel.xaxis, limits[column])
            panel.tick_params(labelsize=9)
            if row < n - 1:
                panel.set_xticklabels([])
            if column < row:
                _scale(names[row]).set_ticks(panel.yaxis, limits[row])
                if column > 0:
                    panel.set_yticklabels([])
