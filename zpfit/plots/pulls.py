"""Figure of the pulls of measurements and the ratios of exclusions."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zpfit.analysis.records import ExclusionRatioRecord, FitSummary, TermRecord
from zpfit.plots.style import BEST_FIT_COLOUR, ENSEMBLE_COLOURS, MUTED

_LOWEST_RATIO = 1e-3
"""Smallest ratio on the axis; smaller ones are drawn at its edge."""

_Terms = Mapping[str, TermRecord]


def pulls_figure(summary: FitSummary) -> Figure:
    """Draw pulls (left) and signal over limit (right) of the best fit and of no Z'."""
    best, without = summary["best_fit"], summary["no_zprime"]
    n_rows = max(len(best["terms"]), len(best["exclusions"]), 1)
    figure = Figure(figsize=(9.5, 1.9 + 0.36 * n_rows), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_pulls(left, best["terms"], without["terms"])
    _draw_ratios(right, best["exclusions"])
    figure.legend(
        *left.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=9
    )
    figure.suptitle(
        f"{summary['title']}\n"
        rf"$\chi^2$ = {best['chi2']:.3g} (best fit), {without['chi2']:.3g} (no $Z'$)",
        fontsize=11,
    )
    return figure


def _draw_pulls(axes: Axes, best: _Terms, without: _Terms) -> None:
    names = list(best)
    y = np.arange(len(names))[::-1]
    pulls = np.array([best[name]["pull"] for name in names])
    bare = np.array([without[name]["pull"] for name in names])
    for width, shade in ((2, "#f0f0f0"), (1, "#e0e0e0")):
        axes.axvspan(-width, width, color=shade, zorder=0, linewidth=0)
    axes.axvline(0, color=MUTED, linewidth=0.8)
    axes.plot(bare, y, "o", markerfacecolor="white", color=ENSEMBLE_COLOURS[0], label="no $Z'$")
    axes.plot(pulls, y, "*", color=BEST_FIT_COLOUR, markersize=10, label="best fit")
    reach = max(3.0, 1.15 * float(np.abs(np.concatenate([pulls, bare, [0]])).max()))
    axes.set_xlim(-reach, reach)
    axes.set_yticks(y, names)
    axes.set_ylim(-0.7, max(len(names), 1) - 0.3)
    axes.set_xlabel("pull: (measured - predicted) / error")


def _draw_ratios(axes: Axes, exclusions: Mapping[str, ExclusionRatioRecord]) -> None:
    names = list(exclusions)
    y = np.arange(len(names))[::-1]
    ratios = np.array([exclusions[name]["ratio"] for name in names])
    top = max(3.0, 1.5 * float(ratios.max(initial=0)))
    axes.axvspan(1, top, color="#e0e0e0", zorder=0, linewidth=0)
    axes.text(
        np.sqrt(top),
        0.5 * (len(names) - 1),
        "excluded",
        rotation=90,
        ha="center",
        va="center",
        color=MUTED,
        fontsize=9,
    )
    shown = np.maximum(ratios, _LOWEST_RATIO)
    axes.hlines(y, _LOWEST_RATIO, shown, color=BEST_FIT_COLOUR, linewidth=1)
    inside = ratios > _LOWEST_RATIO
    axes.plot(shown[inside], y[inside], "*", color=BEST_FIT_COLOUR, markersize=10)
    axes.plot(shown[~inside], y[~inside], "<", color=BEST_FIT_COLOUR, clip_on=False)
    axes.set_xscale("log")
    axes.set_xlim(_LOWEST_RATIO, top)
    axes.set_yticks(y, [_with_form(name, exclusions[name]) for name in names])
    axes.set_ylim(-0.7, max(len(names), 1) - 0.3)
    axes.set_xlabel("signal / limit at the best fit")


def _with_form(name: str, exclusion: ExclusionRatioRecord) -> str:
    return f"{name} (soft)" if "chi2" in exclusion else name
