"""Draw the results of ``samplers.py`` as bars on logarithmic axes.

Run as ``python benchmarks/samplers_plot.py benchmarks/samplers.json docs/images/samplers.png`` to
draw kept results again, without measuring and without the other samplers.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from matplotlib.axes import Axes

from zpfit.plots.style import (
    ENSEMBLE_COLOURS,
    MUTED,
    PAGE,
    SMALLEST_TEXT,
    StyledFigure,
    finished,
    house_style,
    png,
    points,
    set_words,
)

OURS, THEIRS = ENSEMBLE_COLOURS[:2]
ERROR = 0.01
"""Error of ln Z to which times are scaled."""
SAMPLERS = ("zpfit", "vegas", "dynesty", "nautilus-sampler", "ultranest", "emcee", "cobaya")
"""Packages whose versions the figure names."""
_ROOM = 0.5
"""Length of the axis beyond the longest bar, for its text, in lengths of the range of values."""

Row = TypeVar("Row")


@dataclass(frozen=True)
class EvidenceRow:
    """Result of one method for ln Z."""

    name: str
    log_z: float
    error: float
    """Error as reported by the sampler."""
    cpu: float
    wall: float
    evaluations: int
    finished: bool = True
    """True if the sampler finished within the cap."""

    @property
    def seconds(self) -> float:
        """CPU time scaled to the target error by error squared; a lower bound if not finished.

        zpfit's time is not scaled: it reached the error, and the time to adapt the maps is fixed.
        """
        if not self.finished or self.error <= ERROR:
            return self.cpu
        return self.cpu * (self.error / ERROR) ** 2


@dataclass(frozen=True)
class ChainRow:
    """Result of one method for samples of the posterior."""

    name: str
    ess: float
    """Effective samples of the worst parameter."""
    worst: str
    cpu: float
    wall: float
    evaluations: int
    steps: int
    starts: int
    """Number of starting points drawn from the posterior."""

    @property
    def rate(self) -> float:
        """Return effective samples per second of CPU time."""
        return self.ess / self.cpu

    @property
    def rate_beyond_starts(self) -> float:
        """Return the rate without the starting points."""
        return (self.ess - self.starts) / self.cpu


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


def evidence_bars(rows: Sequence[EvidenceRow]) -> list[Bar]:
    ours = rows[0].seconds
    bars = []
    for row in rows:
        least = "" if row.finished else "more than "
        ratio = f"{least}{in_words(row.seconds / ours)} times zpfit's time"
        bars.append(
            Bar(
                row.name.replace(", ", "\n"),
                row.seconds,
                f"{least}{in_words(row.seconds)} s",
                "" if row is rows[0] else ratio,
                ours=row is rows[0],
                measured=row.error <= ERROR or not row.finished,
            )
        )
    return bars


def chain_bars(rows: Sequence[ChainRow]) -> list[Bar]:
    bars = []
    for row in rows:
        ours = row.name.startswith("zpfit")
        ratio = f"zpfit's rate is {in_words(rows[0].rate / row.rate)} times that"
        bars.append(
            Bar(
                row.name.replace(", ", "\n").rstrip("*"),
                row.rate,
                f"{in_words(row.rate)} / s",
                "" if ours else ratio,
                ours=ours,
                measured=not row.name.endswith("*"),
            )
        )
    return bars


def in_words(value: float) -> str:
    """Format with two digits, because no more are known."""
    rounded = float(f"{value:.2g}")
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:g}"


def draw(
    path: Path,
    evidences: Sequence[EvidenceRow],
    chains: Sequence[ChainRow],
    environment: Mapping[str, str],
) -> None:
    """Draw two panels to a PNG."""
    with house_style():
        figure = StyledFigure(figsize=(PAGE, 3.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        panel(
            left, evidence_bars(evidences), r"CPU seconds to $\ln Z \pm 0.01$ (shorter is better)"
        )
        panel(right, chain_bars(chains), "effective samples per CPU second (longer is better)")
        figure.suptitle("The fit quickstart on one core; hatched: scaled from a shorter run")
        caption = ", ".join(f"{name} {environment[name]}" for name in SAMPLERS)
        figure.supxlabel(caption, fontsize=SMALLEST_TEXT, color=MUTED)
        png(finished(figure), dpi=170)(path)


def panel(axes: Axes, bars: Sequence[Bar], title: str) -> None:
    """Draw bars from the top, each with its value and ratio at the end."""
    values = [bar.value for bar in bars]
    low, high = min(values) / 4, max(values) * 4
    size = points("ytick.labelsize")
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
            text,
            (bar.value, y),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=size,
        )
    axes.set_xscale("log")
    axes.set_xlim(low, high * (high / low) ** _ROOM)
    set_words(axes.yaxis, range(len(bars)), [bar.name for bar in bars], fontsize=size)
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set_title(title, fontsize=points("axes.titlesize"))
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _rows(kind: type[Row], kept: Sequence[Mapping[str, Any]]) -> list[Row]:
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    return [kind(**{name: row[name] for name in names}) for row in kept]


def main() -> None:
    """Draw kept results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("json", type=Path, help="file that samplers.py --json has written")
    parser.add_argument("png", type=Path)
    options = parser.parse_args()
    kept = json.loads(options.json.read_text(encoding="utf-8"))
    evidences, chains = _rows(EvidenceRow, kept["evidence"]), _rows(ChainRow, kept["samples"])
    draw(options.png, evidences, chains, kept["environment"])


if __name__ == "__main__":
    main()
