"""Draw the results of ``scaling.py`` on logarithmic axes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from math import sqrt
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from zpfit.plots.style import ENSEMBLE_COLOURS, PAGE, StyledFigure, finished, house_style, png

_MARKERS = "osD^v"


@dataclass(frozen=True)
class Line:
    """Costs of one series."""

    name: str
    sizes: Sequence[float]
    costs: Sequence[float]
    holds: Sequence[bool]
    """False where the result is wrong or not converged."""


@dataclass(frozen=True)
class Panel:
    """One panel of the figure."""

    title: str
    size: str
    cost: str
    lines: Sequence[Line]


def draw(path: Path, panels: Sequence[Panel]) -> None:
    """Draw up to four panels to a PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with house_style():
        figure = StyledFigure(figsize=(PAGE, 5.6), layout="constrained")
        places = figure.subplots(2, 2).flat
        for axes, panel in zip(places, panels, strict=False):
            _draw_panel(axes, panel)
        figure.legend(
            handles=[
                Line2D(
                    [],
                    [],
                    marker="o",
                    color="0.3",
                    ls="",
                    label="converged, and right where ln Z is known",
                ),
                Line2D(
                    [], [], marker="o", mfc="w", color="0.3", ls="", label="not converged, or wrong"
                ),
            ],
            loc="outside lower center",
            ncols=2,
        )
        png(finished(figure), dpi=170)(path)


def _draw_panel(axes: Axes, panel: Panel) -> None:
    looks = zip(cycle(ENSEMBLE_COLOURS), cycle(_MARKERS), strict=False)
    for line, (colour, marker) in zip(panel.lines, looks, strict=False):
        axes.plot(line.sizes, line.costs, color=colour, lw=1.2)
        for kind in (True, False):
            chosen = [i for i, holds in enumerate(line.holds) if holds == kind]
            axes.plot(
                [line.sizes[i] for i in chosen],
                [line.costs[i] for i in chosen],
                ls="",
                marker=marker,
                ms=5,
                color=colour,
                mfc=colour if kind else "white",
            )
        axes.plot([], [], color=colour, marker=marker, ms=5, label=line.name)
    axes.set(xscale="log", yscale="log", xlabel=panel.size, ylabel=panel.cost, title=panel.title)
    sizes = sorted({size for line in panel.lines for size in line.sizes})
    axes.set_xticks(sizes, [f"{size:,g}" for size in sizes])
    axes.xaxis.set_minor_locator(NullLocator())
    costs = [cost for line in panel.lines for cost in line.costs]
    if costs:  # at least a factor of five, so that small changes look small
        middle, half = sqrt(min(costs) * max(costs)), max(sqrt(max(costs) / min(costs)), sqrt(5))
        axes.set_ylim(middle / (1.3 * half), middle * 1.3 * half)
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.legend()
