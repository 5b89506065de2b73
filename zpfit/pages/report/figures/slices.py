"""Planes of two parameters: the strongest exclusion at each point, and chi2."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
from markupsafe import Markup

from zpfit.io.arrays import FloatArray
from zpfit.io.numbers import percent
from zpfit.pages.report.figures.axes import (
    Attributes,
    Picture,
    as_picture,
    axis_layout,
    axis_title,
    label_of,
)
from zpfit.pages.report.slices import SlicePlane
from zpfit.pages.report.symbols import number, symbol_html
from zpfit.plots.scales import scale_of
from zpfit.plots.style import BEST_FIT_COLOUR

_DISFAVOURED = 25.0
"""Difference in chi2 at which the colours of a slice end."""
_PALETTE = (
    "#CC6677", "#DDCC77", "#117733", "#AA4499", "#882255", "#44AA99", "#999933", "#E69F00",
    "#8C564B", "#777777",
)  # fmt: skip
"""After Paul Tol's muted palette (personal.sron.nl/~pault), safe for colour-blind readers."""


def colours_of(planes: Sequence[SlicePlane]) -> dict[str, str]:
    """Return a colour for each name that is the strongest anywhere, the same in all planes."""
    found = dict.fromkeys(
        plane.names[i] for plane in planes for i in np.unique(plane.strongest) if i >= 0
    )
    return {name: _PALETTE[i % len(_PALETTE)] for i, name in enumerate(found)}


def draw_slice(
    plane: SlicePlane,
    attributes: Mapping[str, Attributes],
    best: Mapping[str, float],
    best_chi2: float,
    labels: Mapping[str, str],
    colours: Mapping[str, str],
    identifier: str,
) -> Picture:
    """Draw the strongest exclusion at each point, and chi2 where none excludes it.

    Parameters
    ----------
    plane
        Exclusions and chi2 on the plane.
    attributes
        Symbol, unit and scale of each parameter.
    best
        Best fit by parameter.
    best_chi2
        chi2 of the best fit; the colours show the difference from it.
    labels
        HTML labels of entries by name.
    colours
        Colour of each exclusion by name.
    identifier
        Name of the picture in the page.
    """
    x_of, y_of = attributes[plane.x], attributes[plane.y]
    x, y = scale_of(x_of).forward(plane.x_values), scale_of(y_of).forward(plane.y_values)
    strongest = plane.strongest
    words = _slice_words(plane, strongest, labels)
    figure = go.Figure()
    allowed = np.where(strongest < 0, np.clip(plane.chi2 - best_chi2, 0, _DISFAVOURED), np.nan)
    figure.add_heatmap(
        x=x, y=y, z=allowed.astype(np.float32), zmin=0, zmax=_DISFAVOURED,
        text=_where(words, strongest < 0), hoverinfo="text", hoverongaps=False,
        colorscale=[[0, "#0072B2"], [0.25, "#56B4E9"], [1, "#9CC3DE"]],
        colorbar={"title": {"text": "allowed: \u0394\u03c7\u00b2", "side": "right"},
                  "thickness": 12, "len": 0.8},
        name="allowed",
    )  # fmt: skip
    _excluded(figure, x, y, plane, strongest, words, colours)
    figure.add_scatter(
        x=scale_of(x_of).forward(np.array([best[plane.x]])),
        y=scale_of(y_of).forward(np.array([best[plane.y]])),
        mode="markers", name="best fit", text="best fit", hoverinfo="text+name",
        marker={"symbol": "star", "size": 13, "color": BEST_FIT_COLOUR,
                "line": {"color": "white", "width": 1}},
    )  # fmt: skip
    figure.update_layout(
        height=480, margin={"l": 10, "r": 10, "t": 10, "b": 10}, hovermode="closest",
        showlegend=False,
        xaxis=_named_axis(x_of, x), yaxis=_named_axis(y_of, y),
    )  # fmt: skip
    caption = Markup(
        "{} against {}, every other parameter at the best fit (star), on {} \u00d7 {} points: "
        "{} of the plane are allowed. Colour: the strongest exclusion; blue: \u03c7\u00b2 "
        "above that of the best fit."
    ).format(
        symbol_html(y_of["symbol"]),
        symbol_html(x_of["symbol"]),
        len(x),
        len(y),
        percent(plane.allowed_share),
    )
    spoken = (
        f"Plane of {plane.x} and {plane.y}: {percent(plane.allowed_share)} allowed; excluded by "
    )
    spoken += ", ".join(plane.names[i] for i in np.unique(strongest) if i >= 0) or "nothing"
    keys = tuple(
        (label_of(name, labels), colour)
        for name, colour in colours.items()
        if plane.names.index(name) in strongest
    )
    return replace(as_picture(figure, identifier, caption, spoken), keys=keys)


def _named_axis(attributes: Attributes, coordinates: FloatArray) -> dict[str, Any]:
    limits = float(coordinates.min()), float(coordinates.max())
    title = {"title": {"text": axis_title(attributes)}, "automargin": True}
    return axis_layout(attributes, limits, wide=True) | title


def _excluded(
    figure: go.Figure,
    x: FloatArray,
    y: FloatArray,
    plane: SlicePlane,
    strongest: Any,
    words: list[list[str]],
    colours: Mapping[str, str],
) -> None:
    """Draw the map of the strongest exclusions."""
    found = [int(i) for i in np.unique(strongest) if i >= 0]
    if not found:
        return
    rank = np.full(len(plane.names), np.nan)
    rank[found] = np.arange(len(found))
    z = np.where(strongest >= 0, rank[np.maximum(strongest, 0)], np.nan)
    own = [colours[plane.names[index]] for index in found]
    steps = [[(i + end) / len(found), colour] for i, colour in enumerate(own) for end in (0, 1)]
    figure.add_heatmap(
        x=x, y=y, z=z.astype(np.float32), zmin=-0.5, zmax=len(found) - 0.5,
        colorscale=steps, showscale=False,
        text=_where(words, strongest >= 0), hoverinfo="text", hoverongaps=False, opacity=0.75,
        name="excluded",
    )  # fmt: skip


def _where(words: list[list[str]], mask: Any) -> list[list[str]]:
    """Return the hover texts where a mask is true, and empty text elsewhere."""
    return [
        [word if shown else "" for word, shown in zip(*lines, strict=True)]
        for lines in zip(words, mask, strict=True)
    ]


def _slice_words(plane: SlicePlane, strongest: Any, labels: Mapping[str, str]) -> list[list[str]]:
    """Return the hover text of every point."""
    excluding = (plane.is_hard[:, None, None] & (plane.ratios > 1)).sum(axis=0)
    shown = [label_of(name, labels) for name in plane.names]
    rows, columns = plane.chi2.shape
    result = []
    for i in range(rows):
        line = []
        for j in range(columns):
            who = int(strongest[i, j])
            if who < 0:
                line.append(_allowed_words(plane, labels, i, j))
                continue
            also = f"<br>and by {excluding[i, j] - 1} more" if excluding[i, j] > 1 else ""
            times = number(float(plane.ratios[who, i, j]), 2)
            if plane.names[who] in plane.conditions:
                line.append(f"cannot exist: {shown[who]} is {times} times its bound{also}")
            else:
                line.append(f"excluded by {shown[who]}: {times} times the limit{also}")
        result.append(line)
    return result


def _allowed_words(plane: SlicePlane, labels: Mapping[str, str], i: int, j: int) -> str:
    pulls_here = plane.pulls[:, i, j]
    largest = np.argsort(-np.abs(pulls_here))[:2]
    listed = ", ".join(
        f"{label_of(plane.measurements[k], labels)} {number(float(pulls_here[k]), 2)}"
        for k in largest
    )
    return f"allowed: \u03c7\u00b2 = {number(float(plane.chi2[i, j]))}<br>largest pulls: {listed}"
