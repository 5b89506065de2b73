"""Figure of the pulls of measurements and the ratios of exclusions."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import AutoMinorLocator, MaxNLocator

from zpfit.analysis.records import ExclusionRatioRecord, FitSummary, TermRecord
from zpfit.io.figure_spec import FigureSpec
from zpfit.likelihood.labels import label_of
from zpfit.plots.labels import wrapped
from zpfit.plots.scales import in_digits
from zpfit.plots.style import (
    BEST_FIT_COLOUR,
    ENSEMBLE_COLOURS,
    MUTED,
    PAGE,
    StyledFigure,
    finished,
    points,
    set_words,
)

_LOWEST_RATIO = 1e-3
"""Smallest ratio on the axis; smaller ones are drawn at its edge."""
_SIDE_BY_SIDE = 5.0
"""Width in inches from which both panels stand beside each other."""
_ROW = 2.1
"""Height of a row in sizes of its text."""

_Terms = Mapping[str, TermRecord]


def pulls_figure(summary: FitSummary, spec: FigureSpec | None = None) -> Figure:
    """Draw pulls and signal over limit of the best fit and of no Z'.

    Parameters
    ----------
    summary
        Results of a fit.
    spec
        Description of the figure.
    """
    spec = spec or FigureSpec()
    best, without = summary["best_fit"], summary["no_zprime"]
    labels = summary.get("labels", {})
    terms = {name: term for name, term in best["terms"].items() if name not in spec.hide}
    ratios = {name: own for name, own in best["exclusions"].items() if name not in spec.hide}
    beside = (spec.width or PAGE) >= _SIDE_BY_SIDE
    rows = [max(len(terms), 1), max(len(ratios), 1)]
    high = max(rows) if beside else sum(rows) + 2
    row = _ROW * points("ytick.labelsize") / 72
    figure = StyledFigure(figsize=spec.size(PAGE, 1.3 + row * (high + 1)), layout="constrained")
    if beside:
        left, right = figure.subplots(1, 2)
    else:
        left, right = figure.subplots(2, 1, height_ratios=[n + 1 for n in rows])
    _draw_pulls(left, terms, without["terms"], labels)
    _draw_ratios(right, ratios, labels)
    for panel in (left, right):
        panel.tick_params(axis="x", which="both", top=True, labelsize=points("xtick.labelsize"))
        panel.tick_params(axis="y", which="both", labelsize=points("ytick.labelsize"))
    size = points("legend.fontsize")
    figure.legend(
        *left.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=size
    )
    add_title(
        figure,
        spec.titled(summary["title"]),
        rf"$\chi^2$ = {_short(best['chi2'])} (best fit), {_short(without['chi2'])} (no $Z'$)",
    )
    return finished(figure)


def _short(chi2: float) -> str:
    return in_digits(float(f"{chi2:.3g}"))


def add_title(figure: Figure, title: str, *lines: str) -> None:
    """Write a title, wrapped at the width of the figure, and lines of numbers below it."""
    size = points("figure.titlesize")
    width = float(figure.get_size_inches()[0]) - 0.2
    texts = [wrapped(text, size, width) for text in (title, *lines) if text]
    if texts:
        figure.suptitle("\n".join(texts), fontsize=size)


def _draw_pulls(axes: Axes, best: _Terms, without: _Terms, labels: Mapping[str, str]) -> None:
    names = list(best)
    y = np.arange(len(names))[::-1]
    pulls = np.array([best[name]["pull"] for name in names])
    bare = np.array([without[name]["pull"] for name in names])
    draw_sigmas(axes)
    axes.plot(
        bare, y, "o", markerfacecolor="white", color=ENSEMBLE_COLOURS[0], label="no $Z'$",
        markersize=4.5,
    )  # fmt: skip
    axes.plot(pulls, y, "*", color=BEST_FIT_COLOUR, markersize=7, label="best fit")
    reach = max(3.0, 1.15 * float(np.abs(np.concatenate([pulls, bare, [0]])).max()))
    axes.set_xlim(-reach, reach)
    set_rows(axes, [label_of(name, labels) for name in names])
    axes.set_xlabel("pull: (measured $-$ predicted) / error", fontsize=points("axes.labelsize"))


def draw_sigmas(axes: Axes) -> None:
    """Shade one and two standard errors on either side of zero, and mark whole numbers."""
    for width, shade in ((2, "#f0f0f0"), (1, "#e0e0e0")):
        axes.axvspan(-width, width, color=shade, zorder=0, linewidth=0)
    axes.axvline(0, color=MUTED, linewidth=0.8)
    axes.xaxis.set_major_locator(MaxNLocator(7, integer=True, min_n_ticks=3))
    axes.xaxis.set_minor_locator(AutoMinorLocator(2))


def set_rows(axes: Axes, labels: Sequence[str]) -> None:
    """Label rows from the top, a number for each label."""
    set_words(axes.yaxis, range(len(labels))[::-1], labels)
    axes.set_ylim(-0.7, max(len(labels), 1) - 0.3)


def _draw_ratios(
    axes: Axes, exclusions: Mapping[str, ExclusionRatioRecord], labels: Mapping[str, str]
) -> None:
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
        fontsize=points("legend.fontsize"),
    )
    shown = np.maximum(ratios, _LOWEST_RATIO)
    axes.hlines(y, _LOWEST_RATIO, shown, color=BEST_FIT_COLOUR, linewidth=1)
    inside = ratios > _LOWEST_RATIO
    axes.plot(shown[inside], y[inside], "*", color=BEST_FIT_COLOUR, markersize=7)
    axes.plot(shown[~inside], y[~inside], "<", color=BEST_FIT_COLOUR, clip_on=False, markersize=4)
    axes.set_xscale("log")
    axes.set_xlim(_LOWEST_RATIO, top)
    set_rows(axes, [_with_form(label_of(name, labels), exclusions[name]) for name in names])
    axes.set_xlabel("signal / limit at the best fit", fontsize=points("axes.labelsize"))


def _with_form(label: str, exclusion: ExclusionRatioRecord) -> str:
    return f"{label}, soft" if "chi2" in exclusion else label
