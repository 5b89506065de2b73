"""Figure of a campaign: evidence and best fit of every combination."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from zpfit.analysis.records import CampaignCell
from zpfit.plots.style import SERIES_COLOURS

MOST_ROWS = 100
"""Largest number of combinations that a figure shows."""


def campaign_figure(title: str, cells: Sequence[CampaignCell]) -> Figure:
    """Draw ln B against no Z' of each seed and their mean, and chi2 of the best fit."""
    figure = Figure(figsize=(8.5, 0.32 * len(cells) + 2.0), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    for y, cell in enumerate(cells):
        seeds = cell["log_bayes_factors"]
        left.plot(seeds, [y] * len(seeds), "|", color=SERIES_COLOURS[0], alpha=0.6, markersize=9)
        left.errorbar(
            cell["log_bayes_factor"], y, xerr=cell["log_z_error"], fmt="o", color="k", markersize=4
        )
        right.plot(
            [cell["chi2"], cell["chi2_no_zprime"]], [y, y], color="0.8", linewidth=1, zorder=0
        )
    rows = range(len(cells))
    right.plot([c["chi2"] for c in cells], rows, "o", color="k", markersize=4, label="best fit")
    right.plot(
        [c["chi2_no_zprime"] for c in cells], rows, "s", fillstyle="none",
        color=SERIES_COLOURS[1], label="no Z'",
    )  # fmt: skip
    left.axvline(0, color="0.6", linewidth=0.8)
    left.set_yticks(rows, [cell["name"] for cell in cells])
    left.invert_yaxis()
    left.set_xlabel("$\\ln B$ against no Z' (ticks: seeds; point: their mean)")
    right.set_xlabel(r"$\chi^2$")
    figure.legend(loc="outside lower center", ncols=2, fontsize=9)
    if title:
        figure.suptitle(title)
    return figure
