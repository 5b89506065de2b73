"""Draw the results of ``samplers.py`` as bars on logarithmic axes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zpfit.plots.style import ENSEMBLE_COLOURS, MUTED, house_style

OURS, THEIRS = ENSEMBLE_COLOURS[:2]


@dataclass(frozen=True)
class Bar:
    """Result of one contestant."""

    name: str
    value: float
    text: str
    """The value as text."""
    ratio: str
    """The ratio to zpfit as text."""
    ours: bool
    measured: bool
    """True if the value is not scaled from another one."""


def draw(path: Path, seconds: Sequence[Bar], rates: Sequence[Bar], caption: str) -> None:
    """Draw two panels to a PNG."""
    with house_style():
        figure = Figure(figsize=(11, 4.6), layout="constrained")
        left, right = figure.subplots(1, 2)
        panel(left, seconds, "CPU seconds to ln Z ± 0.01 (shorter is better)")
        panel(right, rates, "effective samples per CPU second (longer is better)")
        figure.suptitle(
            "The fit quickstart on one core; hatched: scaled from a shorter run", fontsize=11
        )
        figure.supxlabel(caption, fontsize=8, color=MUTED)
        figure.savefig(path, dpi=150)


def panel(axes: Axes, bars: Sequence[Bar], title: str) -> None:
    """Draw bars from the top, each with its value and ratio at the end."""
    values = [bar.value for bar in bars]
    low, high = min(values) / 4, max(values) * 4
    for y, bar in enumerate(bars):
        axes.barh(
            y,
            bar.value - low,
            left=low,
            height=0.62,
            color=OURS if bar.ours else THEIRS,
            hatch=None if bar.measured else "///",
            edgecolor="white",
        )
        text = bar.text + (f"\n{bar.ratio}" if bar.ratio else "")
        axes.annotate(
            text, (bar.value, y), xytext=(5, 0), textcoords="offset points", va="center", fontsize=9
        )
    axes.set_xscale("log")
    # Leave room for the text after the longest bar.
    axes.set_xlim(low, high * (high / low) ** 0.35)
    axes.set_yticks(range(len(bars)), [bar.name for bar in bars], fontsize=9)
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set_title(title, fontsize=10)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
