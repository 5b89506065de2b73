"""Corner plot of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from scipy.ndimage import gaussian_filter

from zpfit.analysis.levels import in_percent
from zpfit.inference.samplers.result import StoredSamples
from zpfit.io.arrays import FloatArray
from zpfit.io.numbers import percent
from zpfit.pages.report.figures.axes import (
    Attributes,
    Picture,
    as_picture,
    axis_layout,
    axis_title,
    values_at,
)
from zpfit.pages.report.symbols import number
from zpfit.plots.corner import LEVELS
from zpfit.plots.scales import scale_of
from zpfit.plots.style import BEST_FIT_COLOUR, ENSEMBLE_COLOURS

_BINS = 36
"""Largest number of bins along an axis."""
_SHOWN = 0.998
"""Probability inside the range of each axis."""
_RESOLUTION = 1e-9
"""Spread, relative to the value, below which a column counts as constant."""


def draw_corner(
    samples: StoredSamples, best: Mapping[str, float], identifier: str, title: str
) -> Picture | None:
    """Draw marginal posteriors of all varying parameters and pairs.

    Parameters
    ----------
    samples
        Samples of equal weight.
    best
        Best fit by parameter.
    identifier
        Name of the picture in the page.
    title
        Title of the run.

    Returns
    -------
    Picture or None
        None if no parameter varies.
    """
    values = {name: column.ravel() for name, column in samples.values.items()}
    columns = {
        name: scale_of(samples.attributes[name]).forward(column) for name, column in values.items()
    }
    names = [name for name, column in columns.items() if _varies(column)]
    if not names:
        return None
    grid = _CornerGrid(samples.attributes, columns, best, names)
    figure = go.Figure()
    for row in range(len(names)):
        for column in range(row + 1):
            grid.draw(figure, row, column)
    size = 110 * len(names) + 90
    figure.update_layout(height=size, showlegend=False, margin={"l": 70, "r": 10, "t": 10, "b": 70})
    inside = " and ".join(map(in_percent, LEVELS))
    caption = (
        f"Posterior of each parameter (diagonal) and each pair: contours hold {inside}. "
        "Star and line: best fit. Drag to zoom, double-click to go back."
    )
    spoken = f"Corner plot of {title}: posterior of {', '.join(names)}"
    return as_picture(figure, identifier, caption, spoken, min(size, 760))


def _varies(column: FloatArray) -> bool:
    return bool(np.ptp(column) > _RESOLUTION * max(1.0, float(np.abs(column).max())))


@dataclass(frozen=True)
class _CornerGrid:
    """Panels of a corner plot: the parameters, their samples and the best fit."""

    attributes: Mapping[str, Attributes]
    columns: Mapping[str, FloatArray]
    """Samples of each parameter in coordinates of its axis, each of shape (n,)."""
    best: Mapping[str, float]
    names: Sequence[str]

    def draw(self, figure: go.Figure, row: int, column: int) -> None:
        """Draw one panel with its axes."""
        n = len(self.names)
        number_of = row * n + column + 1
        x_axis, y_axis = f"xaxis{number_of}", f"yaxis{number_of}"
        gap = 0.012
        x = axis_layout(self._of(column), self.limits(column))
        x |= {
            "domain": [column / n + gap / 2, (column + 1) / n - gap / 2],
            "anchor": f"y{number_of}",
            "showticklabels": row == n - 1,
            "tickangle": -45 if n > 4 else 0,
        }
        y: dict[str, Any] = {"domain": [1 - (row + 1) / n + gap / 2, 1 - row / n - gap / 2]}
        if row == column:
            y |= {"showticklabels": False, "showgrid": False, "rangemode": "tozero", "ticks": ""}
            self._histogram(figure, row, number_of)
        else:
            y |= axis_layout(self._of(row), self.limits(row)) | {"showticklabels": column == 0}
            y["matches"] = f"y{row * n + 1}" if column else None
            self._density(figure, row, column, number_of)
        y["anchor"] = f"x{number_of}"
        if row < n - 1:
            x["matches"] = f"x{(n - 1) * n + column + 1}"
        else:
            x["title"] = {"text": axis_title(self._of(column)), "standoff": 6}
        if column == 0 and row > 0:
            y["title"] = {"text": axis_title(self._of(row)), "standoff": 4}
        figure.update_layout({x_axis: x, y_axis: {k: v for k, v in y.items() if v is not None}})

    def _of(self, index: int) -> Attributes:
        return self.attributes[self.names[index]]

    def _best(self, index: int) -> float:
        value = np.array([self.best[self.names[index]]])
        return float(scale_of(self._of(index)).forward(value)[0])

    def limits(self, index: int) -> tuple[float, float]:
        """Return the limits of an axis, with the best fit inside."""
        column = self.columns[self.names[index]]
        low, high = np.quantile(column, [(1 - _SHOWN) / 2, (1 + _SHOWN) / 2])
        low, high = min(float(low), self._best(index)), max(float(high), self._best(index))
        step = float(self._of(index).get("step", 0.0))
        margin = max(0.04 * (high - low), step / 2)
        return low - margin, high + margin

    def _edges(self, index: int) -> FloatArray:
        low, high = self.limits(index)
        step = float(self._of(index).get("step", 0.0))
        bins = _BINS
        if step:  # whole steps in a bin, so that equal probability has equal height
            bins = max(round((high - low) / step), 1)
            bins = -(-bins // -(-bins // _BINS))
        return np.asarray(np.linspace(low, high, bins + 1))

    def _shown(self, index: int, coordinates: FloatArray) -> list[str]:
        """Return values of the parameter at coordinates, for hover texts."""
        return [number(value) for value in values_at(self._of(index), coordinates)]

    def _histogram(self, figure: go.Figure, index: int, number_of: int) -> None:
        edges = self._edges(index)
        counts, _ = np.histogram(self.columns[self.names[index]], edges)
        middles = (edges[1:] + edges[:-1]) / 2
        share = counts / max(counts.sum(), 1)
        axes = {"xaxis": f"x{number_of}", "yaxis": f"y{number_of}"}
        words = [
            f"{value}: {percent(part)}"
            for value, part in zip(self._shown(index, middles), share, strict=True)
        ]
        figure.add_scatter(
            x=middles, y=share, line={"shape": "hvh", "color": ENSEMBLE_COLOURS[0]},
            fill="tozeroy", mode="lines", text=words, hoverinfo="text", **axes,
        )  # fmt: skip
        best = self._best(index)
        figure.add_scatter(
            x=[best, best], y=[0, 1.05 * share.max()], mode="lines",
            line={"color": BEST_FIT_COLOUR, "width": 1.5}, text=self._best_words(index),
            hoverinfo="text", **axes,
        )  # fmt: skip

    def _best_words(self, index: int) -> str:
        return f"best fit: {number(self.best[self.names[index]])}"

    def _density(self, figure: go.Figure, row: int, column: int, number_of: int) -> None:
        x_edges, y_edges = self._edges(column), self._edges(row)
        counts, _, _ = np.histogram2d(
            self.columns[self.names[column]], self.columns[self.names[row]], (x_edges, y_edges)
        )
        inside = _content_of(gaussian_filter(counts.T, 1.0))
        axes = {"xaxis": f"x{number_of}", "yaxis": f"y{number_of}"}
        for level, opacity in zip(LEVELS[::-1], (0.3, 0.55), strict=True):
            figure.add_contour(
                x=(x_edges[1:] + x_edges[:-1]) / 2, y=(y_edges[1:] + y_edges[:-1]) / 2,
                z=inside.astype(np.float32), showscale=False, hoverinfo="skip",
                # Plotly fills the points that violate a constraint.
                contours={"type": "constraint", "operation": ">", "value": level},
                fillcolor=f"rgba(0,114,178,{opacity})",
                line={"color": ENSEMBLE_COLOURS[0], "width": 1}, **axes,
            )  # fmt: skip
        figure.add_scatter(
            x=[self._best(column)], y=[self._best(row)], mode="markers",
            marker={"symbol": "star", "size": 9, "color": BEST_FIT_COLOUR},
            text=f"{self._best_words(column)}, {number(self.best[self.names[row]])}",
            hoverinfo="text", **axes,
        )  # fmt: skip


def _content_of(density: FloatArray) -> FloatArray:
    """Return, for each cell, the probability of all denser cells."""
    flat = density.ravel()
    order = np.argsort(-flat)
    content = np.empty(len(flat))
    content[order] = np.cumsum(flat[order]) / max(flat.sum(), 1e-300)
    content[flat <= 0] = 1.0
    return content.reshape(density.shape)
