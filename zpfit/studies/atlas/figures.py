"""Figures of the survey, at the width of a column: distributions, experiments and maps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes

from zpfit.analysis.atlas.signatures import HiggsPolicy
from zpfit.analysis.atlas.survival import BAR
from zpfit.io.arrays import FloatArray
from zpfit.io.writing import write_whole
from zpfit.plots.atlas_map import MapPanel, map_figure
from zpfit.plots.style import (
    BEST_FIT_COLOUR,
    COLUMN,
    ENSEMBLE_COLOURS,
    MUTED,
    StyledFigure,
    finished,
    house_style,
    png,
    points,
    set_words,
)
from zpfit.studies.atlas.data import EPOCHS
from zpfit.studies.atlas.numbers import EpochResult, Numbers, Screens

DISTRIBUTIONS: Final = "distributions.png"
EXPERIMENTS: Final = "experiments.png"
NEUTRAL: Final = "neutral_doublets.png"
MAPS: Final = {policy: f"map_{policy}.png" for policy in HiggsPolicy}
_DPI: Final = 220
_BINS: Final = 40
_MAPPED: Final = ("paper_2021", "today")
_POLICIES: Final = {
    HiggsPolicy.RENORMALISABLE: "renormalisable",
    HiggsPolicy.ZERO: r"$z_H = 0$",
}


def write_figures(found: Numbers, screens: Screens, folder: Path) -> None:
    """Draw all figures into a folder.

    Parameters
    ----------
    found
        Numbers of the page.
    screens
        Screens of all epochs.
    folder
        An existing folder.
    """
    with house_style():
        write_distributions(found.epochs, screens, folder / DISTRIBUTIONS)
        write_experiments(found, folder / EXPERIMENTS)
        write_neutral(screens, folder / NEUTRAL)
        for policy, name in MAPS.items():
            figure = map_figure(map_panels(screens, policy))
            write_whole(folder / name, png(figure, _DPI))


def write_distributions(epochs: Sequence[EpochResult], screens: Screens, target: Path) -> None:
    """Draw the distribution of the least chi2 over signatures, by data and policy."""
    figure = StyledFigure(figsize=(COLUMN, 0.5 + 1.15 * len(EPOCHS)), layout="constrained")
    grid = np.asarray(figure.subplots(len(EPOCHS), len(_POLICIES), sharex="row", sharey="row"))
    lowest: dict[HiggsPolicy, tuple[Axes, str]] = {}
    for row, epoch in zip(grid, EPOCHS, strict=True):
        for axes, policy in zip(row, _POLICIES, strict=True):
            if policy not in epoch.policies:
                axes.set_visible(False)
                continue
            kept = screens.by_epoch[epoch.name, policy]
            wanted = (epoch.name, policy, kept.signed.qmax)
            [one] = [e for e in epochs if (e.epoch, e.higgs, e.qmax) == wanted]
            _distribution(axes, one, kept.result.screened.chi2)
            lowest[policy] = (axes, _POLICIES[policy])
        row[0].set_title(epoch.words, fontsize=points("xtick.labelsize"), loc="left")
    for axes, label in lowest.values():
        words = r"$\chi^2_\mathrm{min}$" + f"\n{label}"
        axes.set_xlabel(words, fontsize=points("axes.labelsize"))
    figure.supylabel("signatures per bin", fontsize=points("axes.labelsize"))
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=3, fontsize=points("legend.fontsize"),
        handlelength=1.6, columnspacing=1.2,
    )  # fmt: skip
    write_whole(target, png(finished(figure), _DPI))


def _distribution(axes: Axes, one: EpochResult, chi2: FloatArray) -> None:
    right = 1.08 * one.chi2_without
    counts, edges = np.histogram(chi2, np.linspace(0, right, _BINS + 1))
    axes.stairs(counts, edges, fill=True, color=ENSEMBLE_COLOURS[4], alpha=0.7)
    axes.axvline(one.chi2_without, color=ENSEMBLE_COLOURS[0], lw=1.1, label="no $Z'$")
    axes.axvline(
        one.chi2_dark_photon, color=ENSEMBLE_COLOURS[2], lw=1.1, ls="-.", label="dark photon"
    )
    bar = min(one.chi2_without, one.chi2_dark_photon) - BAR
    axes.axvline(bar, color=BEST_FIT_COLOUR, lw=1.1, ls="--", label="survives below")
    axes.text(
        0.03, 0.93, rf"$Q_\mathrm{{max}} = {one.qmax}$", transform=axes.transAxes, ha="left",
        va="top", fontsize=points("legend.fontsize"),
    )  # fmt: skip
    axes.set_yscale("log")
    # Room for the text above the bars.
    axes.set_ylim(0.6, 20 * max(counts.max(), 1))
    axes.set_xlim(0, right)
    axes.tick_params(labelsize=points("xtick.labelsize"))


def write_experiments(found: Numbers, target: Path) -> None:
    """Draw how many signatures survive as experiments are added, and without each of them."""
    rows = found.experiments
    figure = StyledFigure(figsize=(COLUMN, 0.9 + 0.27 * (len(rows) + 2)), layout="constrained")
    axes = figure.subplots()
    total = found.anomaly.signatures
    words = ["all signatures", "electron g-2", *(f"+ {one.words}" for one in rows)]
    added = [total, found.anomaly.surviving[BAR], *(one.added.surviving[BAR] for one in rows)]
    places = np.arange(len(words))
    axes.barh(places, added, color=ENSEMBLE_COLOURS[0], height=0.5, label="added in this order")
    axes.plot(
        [one.alone.surviving[BAR] for one in rows], places[2:], "o", color=ENSEMBLE_COLOURS[1],
        markersize=4, label="alone with electron g-2",
    )  # fmt: skip
    axes.plot(
        [one.dropped.surviving[BAR] for one in rows], places[2:], "D", color=BEST_FIT_COLOUR,
        markersize=3.5, label="all others",
    )  # fmt: skip
    axes.axvline(max(found.complete.surviving[BAR], 0.5), color=MUTED, lw=0.8, zorder=0)
    set_words(axes.yaxis, range(len(words)), words)
    axes.tick_params(labelsize=points("xtick.labelsize"))
    axes.set_xscale("symlog", linthresh=1)
    axes.set_xlim(0, 2 * total)
    axes.invert_yaxis()
    axes.set_xlabel("signatures that survive", fontsize=points("axes.labelsize"))
    figure.legend(
        loc="outside lower center", ncols=2, fontsize=points("legend.fontsize"), columnspacing=1.0
    )
    write_whole(target, png(finished(figure), _DPI))


def write_neutral(screens: Screens, target: Path) -> None:
    """Draw the least chi2 of today's data for neutral lepton doublets against A_mu / A_e."""
    kept = screens.by_epoch["today", HiggsPolicy.ZERO]
    ratio, chi2 = neutral_line(kept.signed.table.vectors.astype(float), kept.result.screened.chi2)
    figure = StyledFigure(figsize=(COLUMN, 2.3), layout="constrained")
    axes = figure.subplots()
    axes.plot(ratio, chi2, ".-", color=ENSEMBLE_COLOURS[0], lw=0.8, ms=4)
    references = kept.result.references
    axes.axhline(references.without, color=MUTED, lw=0.9)
    bar = min(references.without, references.dark) - BAR
    axes.axhline(bar, color=BEST_FIT_COLOUR, lw=1, ls="--")
    axes.annotate(
        "survives below", (0.98, bar), xycoords=("axes fraction", "data"), ha="right", va="top",
        fontsize=points("legend.fontsize"), color=BEST_FIT_COLOUR,
        xytext=(0, -2), textcoords="offset points",
    )  # fmt: skip
    axes.set_xlim(-1, 1)
    axes.set_ylim(0, 1.1 * references.without)
    axes.tick_params(labelsize=points("xtick.labelsize"), top=True, right=True)
    axes.set_xlabel(r"$A_\mu/A_e$", fontsize=points("axes.labelsize"))
    axes.set_ylabel(r"$\chi^2_\mathrm{min}$", fontsize=points("axes.labelsize"))
    write_whole(target, png(finished(figure), _DPI))


def neutral_line(vectors: FloatArray, chi2: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return A_mu / A_e and chi2 of signatures with neutral lepton doublets, in ascending order.

    Parameters
    ----------
    vectors
        Integers of the signatures, shape (n, 5).
    chi2
        Least chi2 of each, shape (n,).
    """
    n_e, a_e, n_mu, a_mu, n_tau = vectors.T
    chosen = (n_e == 0) & (n_mu == 0) & (n_tau == 0) & (a_e != 0)
    ratio = a_mu[chosen] / a_e[chosen]
    order = np.argsort(ratio)
    return ratio[order], chi2[chosen][order]


def map_panels(screens: Screens, policy: HiggsPolicy) -> list[MapPanel]:
    """Return the maps of a policy, for the data of the paper and of today."""
    words = {epoch.name: epoch.words for epoch in EPOCHS}
    kept = {name: screens.by_epoch[name, policy] for name in _MAPPED}
    return [
        MapPanel(words[name], policy, one.signed.table.vectors.astype(float), one.gain)
        for name, one in kept.items()
    ]
