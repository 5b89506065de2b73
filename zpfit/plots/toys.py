"""Figure of the distributions of test statistics over pseudo-experiments."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import chi2

from zpfit.analysis.records import ToysRecord, ToyStatisticRecord
from zpfit.io.arrays import FloatArray
from zpfit.io.figure_spec import FigureSpec, described_by
from zpfit.plots.pulls import add_title
from zpfit.plots.scales import Linear, Room, in_digits
from zpfit.plots.style import (
    BEST_FIT_COLOUR,
    ENSEMBLE_COLOURS,
    MUTED,
    PAGE,
    StyledFigure,
    finished,
    points,
)

_LABELS = {
    "chi2": r"$\chi^2_\mathrm{min}$",
    "delta_chi2": r"$\chi^2$(no $Z^\prime$) $-\ \chi^2_\mathrm{min}$",
    "delta_chi2_nested": r"$\chi^2_\mathrm{min}$(smaller model) $-\ \chi^2_\mathrm{min}$",
    "joint_sigma": r"joint $\sigma$",
}
_HYPOTHESES = {
    "no-zprime": r"without a $Z^\prime$",
    "best-fit": "of the best fit",
    "nested": "of the smaller model's best fit",
}
_PANEL, _NARROW = 2.33, 4.0
"""Width and height of a panel, and the width of a narrow figure, in inches."""
_WITH_ZERO = Room(edge=-1e-3)
"""Labels at the ends of the axes too."""
_BINS = 40
_MOST_OF_TOYS = 0.995
"""Fraction of toys that an axis shows, unless the data lie beyond."""


def toys_figure(
    result: ToysRecord, columns: Mapping[str, FloatArray], spec: FigureSpec | None = None
) -> Figure:
    """Draw density of toys, observed value and naive distribution of each statistic.

    Parameters
    ----------
    result
        Record of the pseudo-experiments.
    columns
        Value of each statistic in every toy, shape (toys,).
    spec
        Description of the figure.
    """
    spec = described_by(result, spec)
    rows = result["statistics"]
    width = spec.width or min(_PANEL * max(len(rows), 1), PAGE)
    across = min(max(int(width / _PANEL), 1), len(rows))
    down = -(-len(rows) // across)
    figure = StyledFigure(figsize=spec.size(width, 0.9 + _PANEL * down), layout="constrained")
    grid = np.asarray(figure.subplots(down, across, squeeze=False))
    panels = grid.ravel()
    for axes, (name, row) in zip(panels, rows.items(), strict=False):
        _panel(axes, name, row, columns[name])
    for axes in panels[len(rows) :]:
        axes.remove()
    for axes in grid[:, 0]:
        axes.set_ylabel("density of toys", fontsize=points("axes.labelsize"))
    lines = {
        label: line
        for axes in panels[: len(rows)]
        for line, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        list(lines.values()), list(lines), loc="outside lower center",
        ncols=3 if width > _NARROW else 2, fontsize=points("legend.fontsize"),
    )  # fmt: skip
    hypothesis = _HYPOTHESES[result["hypothesis"]]
    add_title(figure, spec.titled(result["title"]), f"{result['toys']} toys {hypothesis}")
    return finished(figure)


def _panel(axes: Axes, name: str, row: ToyStatisticRecord, toys: FloatArray) -> None:
    finite = toys[np.isfinite(toys)]
    observed = row["observed"]
    shown = np.append(finite, 0 if observed is None else 1.08 * observed)
    right = max(float(np.quantile(finite, _MOST_OF_TOYS)) if len(finite) else 0, shown[-1], 0.1)
    edges = np.linspace(0, right, _BINS + 1)
    counts, _ = np.histogram(np.clip(finite, 0, None), edges)
    density = counts / (max(len(toys), 1) * np.diff(edges))
    axes.stairs(density, edges, fill=True, color=ENSEMBLE_COLOURS[4], alpha=0.6, label="toys")
    top = density.max(initial=1e-12)
    if row["naive_dof"] is not None:
        x = np.linspace(right / 400, right, 400)
        curve = chi2.pdf(x, row["naive_dof"])
        label = r"$\chi^2$ distribution, naive degrees of freedom"
        axes.plot(x, curve, "--", color="black", linewidth=1.1, label=label)
        top = max(top, float(curve[x > right / _BINS].max(initial=0)))
    if observed is not None:
        axes.axvline(observed, color=BEST_FIT_COLOUR, linewidth=1.8, label="data")
    axes.set_xlim(0, right)
    axes.set_ylim(0, 1.3 * min(top, 4 * float(np.sort(density)[-3:].mean()) + 1e-12))
    even, size = Linear(), points("xtick.labelsize")
    even.set_ticks(axes.xaxis, axes.get_xlim(), _WITH_ZERO)
    even.set_ticks(axes.yaxis, axes.get_ylim(), _WITH_ZERO)
    axes.tick_params(which="both", labelsize=size, top=True, right=True)
    axes.set_xlabel(_LABELS[name], fontsize=points("axes.labelsize"))
    axes.set_title(_words(row, toys), fontsize=points("legend.fontsize"), color=MUTED)


def _short(p: float | None, digits: int) -> str:
    return "none" if p is None else in_digits(float(f"{p:.{digits}g}"))


def _words(row: ToyStatisticRecord, toys: FloatArray) -> str:
    limit = row["p_upper_limit"]
    words = [
        f"$p$ = {_short(row['p_value'], 3)}"
        if limit is None
        else f"$p$ < {_short(limit, 2)} (95 %)"
    ]
    if row["naive_dof"] is not None:
        words.append(f"naive $p$ = {_short(row['naive_p_value'], 2)}, {row['naive_dof']} dof")
    zero, missing = int(np.sum(toys == 0)), int(np.sum(~np.isfinite(toys)))
    words += [f"{zero} toys at zero"] if zero else []
    words += [f"{missing} toys without any"] if missing else []
    return "\n".join(words)
