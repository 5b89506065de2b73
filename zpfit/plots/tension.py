"""Figure of the tension: pulls at the best fit and against the posterior prediction."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from zpfit.analysis.records import TensionRecord
from zpfit.plots.style import BEST_FIT_COLOUR, ENSEMBLE_COLOURS, MUTED

_APART = 0.13
"""Distance between the two pulls of a measurement and the middle of its row."""


def tension_figure(result: TensionRecord) -> Figure:
    """Draw both pulls of every measurement, with the numbers on tension between groups above."""
    pulls = result["pulls"]
    names = list(pulls)
    y = np.arange(len(names))[::-1]
    best = np.array([pulls[name]["best_fit"] for name in names])
    predictive = np.array([pulls[name]["predictive"] for name in names])
    figure = Figure(figsize=(6.8, 1.9 + 0.42 * max(len(names), 1)), layout="constrained")
    axes = figure.subplots()
    for width, shade in ((2, "#f0f0f0"), (1, "#e0e0e0")):
        axes.axvspan(-width, width, color=shade, zorder=0, linewidth=0)
    axes.axvline(0, color=MUTED, linewidth=0.8)
    axes.plot(best, y + _APART, "*", color=BEST_FIT_COLOUR, markersize=10, label="best fit")
    axes.plot(predictive, y - _APART, "o", color=ENSEMBLE_COLOURS[0], label="posterior predictive")
    reach = max(3.0, 1.15 * float(np.abs(np.concatenate([best, predictive, [0]])).max()))
    axes.set_xlim(-reach, reach)
    axes.set_yticks(y, names)
    axes.set_ylim(-0.6, max(len(names), 1) - 0.4)
    axes.set_xlabel("(measured - predicted) / standard deviation")
    figure.legend(loc="outside lower center", ncols=2, fontsize=9)
    figure.suptitle(f"{result['title']}\n{_numbers(result)}", fontsize=11)
    return figure


def _numbers(result: TensionRecord) -> str:
    goodness, evidence = result["parameter_goodness"], result["evidence"]
    words = [
        rf"$\chi^2_\mathrm{{PG}}$ = {goodness['chi2']:.2g} ({_sigma(goodness)})",
        rf"$\ln S$ = {evidence['log_s']:.2f} ({_sigma(evidence)})",
    ]
    if result["joint_sigma"] is not None:
        words.insert(0, rf"joint sigma {result['joint_sigma']:.2f}")
    return ", ".join(words)


def _sigma(row: Mapping[str, Any]) -> str:
    return "no p" if row["sigma"] is None else rf"{row['sigma']:.1f}$\sigma$"
