"""Figure of the tension: pulls at the best fit and against the posterior prediction."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from zpfit.analysis.records import TensionRecord
from zpfit.io.figure_spec import FigureSpec, described_by
from zpfit.likelihood.labels import label_of
from zpfit.plots.pulls import add_title, draw_sigmas, set_rows
from zpfit.plots.style import (
    BEST_FIT_COLOUR,
    COLUMN,
    ENSEMBLE_COLOURS,
    StyledFigure,
    finished,
    points,
)

_APART = 0.13
"""Distance between the two pulls of a measurement and the middle of its row."""
_ROW = 2.6
"""Height of a row in sizes of its text."""


def tension_figure(result: TensionRecord, spec: FigureSpec | None = None) -> Figure:
    """Draw both pulls of every measurement, with the numbers on tension between groups above.

    Parameters
    ----------
    result
        Agreement between groups of data.
    spec
        Description of the figure.
    """
    spec = described_by(result, spec)
    labels = result.get("labels", {})
    pulls = {name: own for name, own in result["pulls"].items() if name not in spec.hide}
    names = list(pulls)
    y = np.arange(len(names))[::-1]
    best = np.array([pulls[name]["best_fit"] for name in names])
    predictive = np.array([pulls[name]["predictive"] for name in names])
    height = 1.5 + _ROW * points("ytick.labelsize") / 72 * max(len(names), 1)
    figure = StyledFigure(figsize=spec.size(COLUMN, height), layout="constrained")
    axes = figure.subplots()
    draw_sigmas(axes)
    axes.plot(best, y + _APART, "*", color=BEST_FIT_COLOUR, markersize=7, label="best fit")
    axes.plot(
        predictive, y - _APART, "o", color=ENSEMBLE_COLOURS[0], label="posterior predictive",
        markersize=4.5,
    )  # fmt: skip
    reach = max(3.0, 1.15 * float(np.abs(np.concatenate([best, predictive, [0]])).max()))
    axes.set_xlim(-reach, reach)
    set_rows(axes, [label_of(name, labels) for name in names])
    axes.tick_params(axis="x", which="both", top=True, labelsize=points("xtick.labelsize"))
    axes.tick_params(axis="y", which="both", labelsize=points("ytick.labelsize"))
    axes.set_xlabel(
        "(measured $-$ predicted) / standard deviation", fontsize=points("axes.labelsize")
    )
    figure.legend(loc="outside lower center", ncols=2, fontsize=points("legend.fontsize"))
    add_title(figure, spec.titled(result["title"]), _numbers(result))
    return finished(figure)


def _numbers(result: TensionRecord) -> str:
    goodness, evidence = result["parameter_goodness"], result["evidence"]
    words = [
        rf"$\chi^2_\mathrm{{PG}} = {goodness['chi2']:.2g}$ ({_sigma(goodness)})",
        rf"$\ln S = {evidence['log_s']:.2f}$ ({_sigma(evidence)})",
    ]
    if result["joint_sigma"] is not None:
        words.insert(0, rf"joint $\sigma = {result['joint_sigma']:.2f}$")
    return ", ".join(words)


def _sigma(row: Mapping[str, Any]) -> str:
    return "no $p$" if row["sigma"] is None else rf"${row['sigma']:.1f}\,\sigma$"
