"""Figure of a campaign: evidence and best fit of every combination."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from zpfit.analysis.records import CampaignCell
from zpfit.io.figure_spec import FigureSpec
from zpfit.plots.labels import wrapped
from zpfit.plots.pulls import add_title
from zpfit.plots.run_labels import cell_labels
from zpfit.plots.scales import Linear, Room
from zpfit.plots.style import (
    PAGE,
    SERIES_COLOURS,
    StyledFigure,
    finished,
    points,
    set_words,
)

MOST_ROWS = 100
"""Largest number of combinations that a figure shows."""
_LABELS = 0.42
"""Part of the width that labels of rows may take before they wrap."""
_LINE, _GAP = 1.35, 0.9
"""Height of a line of a label and of the space between rows, in sizes of the text."""


def campaign_figure(
    title: str, cells: Sequence[CampaignCell], spec: FigureSpec | None = None
) -> Figure:
    """Draw ln B against no Z' of each seed and their mean, and chi2 of the best fit.

    Parameters
    ----------
    title
        Title of the campaign.
    cells
        Combinations of the axes of the campaign.
    spec
        Description of the figure.
    """
    spec = spec or FigureSpec()
    cells = [cell for cell in cells if cell["name"] not in spec.hide]
    words = points("ytick.labelsize")
    room = _LABELS * (spec.width or PAGE)
    labels = [wrapped(label, words, room) for label in _labels(cells, spec)]
    lines = sum(label.count("\n") + 1 for label in labels)
    height = (_GAP * len(cells) + _LINE * lines) * words / 72 + 1.3
    figure = StyledFigure(figsize=spec.size(PAGE, height), layout="constrained")
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
        color=SERIES_COLOURS[1], label="no $Z'$", markersize=4,
    )  # fmt: skip
    left.axvline(0, color="0.6", linewidth=0.8)
    set_words(left.yaxis, rows, labels)
    left.set_ylim(len(cells) - 0.4, -0.6)
    size = points("axes.labelsize")
    left.set_xlabel(r"$\ln B$ against no $Z'$" + "\n(ticks: seeds; point: mean)", fontsize=size)
    right.set_xlabel(r"$\chi^2$", fontsize=size)
    for panel, most in ((left, 5), (right, 3)):
        Linear().set_ticks(panel.xaxis, panel.get_xlim(), Room(most))
        panel.tick_params(which="both", labelsize=points("ytick.labelsize"))
    figure.legend(loc="outside lower center", ncols=2, fontsize=points("legend.fontsize"))
    add_title(figure, spec.titled(title))
    return finished(figure)


def _labels(cells: Sequence[CampaignCell], spec: FigureSpec) -> list[str]:
    """Return a label for each combination; those of the description of the figure prevail."""
    found = zip(cells, cell_labels(cells), strict=True)
    return [spec.names.get(cell["name"], label) for cell, label in found]
