"""Pictures of a report and their axes: Plotly figures as JSON.

The page sets the colours of text and grid, for light or dark display.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go
from matplotlib.figure import Figure as MatplotlibFigure

from zpfit.io.arrays import FloatArray
from zpfit.pages.report.symbols import symbol_html
from zpfit.plots.scales import Linear, Log, scale_of

_POWER = re.compile(r"^(\d)e([+-]\d+)$")
ROW_HEIGHT = 26
"""Pixels for a line of text."""

Attributes = Mapping[str, Any]
"""Symbol, unit and scale of a parameter."""


@dataclass(frozen=True)
class Picture:
    """A figure of a page."""

    identifier: str
    caption: str
    spoken: str
    """Description for readers who cannot see the figure."""
    json: str
    """Data and layout for Plotly."""
    least_width: int = 0
    """Width in pixels below which the figure scrolls instead of shrinking."""
    keys: tuple[tuple[str, str], ...] = ()
    """HTML of a name and a colour for each area of the figure; they wrap in any width."""


def as_picture(
    figure: go.Figure, identifier: str, caption: str, spoken: str, least_width: int = 0
) -> Picture:
    """Return a figure as a picture of a page; its colours come from the page."""
    figure.update_layout(template=go.layout.Template(), autosize=True)
    content = json.loads(figure.to_json())
    kept = {"data": content["data"], "layout": content["layout"]}
    text = json.dumps(kept, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    # Nothing in a script element may look like its end.
    return Picture(identifier, caption, spoken, text.replace("<", "\\u003c"), least_width)


def axis_title(attributes: Attributes) -> str:
    """Return the HTML of symbol and unit of a parameter."""
    unit = attributes.get("unit")
    return str(symbol_html(attributes["symbol"])) + (f" [{escape(str(unit))}]" if unit else "")


def axis_layout(
    attributes: Attributes, limits: tuple[float, float], *, wide: bool = False
) -> dict[str, Any]:
    """Return ticks and range on the scale on which the prior is flat."""
    scale = scale_of(attributes)
    layout: dict[str, Any] = {"range": list(limits), "zeroline": False}
    if isinstance(scale, Linear):
        return layout | {"nticks": 10 if wide else 5}
    if wide and isinstance(scale, Log):
        return layout | _dense_ticks(limits)
    panel = MatplotlibFigure().subplots()
    panel.set_xlim(*limits)
    scale.set_ticks(panel.xaxis, limits)
    places = panel.xaxis.get_majorticklocs()
    words = [panel.xaxis.get_major_formatter()(place, None) for place in places]
    shown = [_tick(word.strip("$")) for word in words]
    return layout | {"tickvals": [float(p) for p in places], "ticktext": shown}


def _tick(word: str) -> str:
    """Return a short label of a tick; powers of ten are written as powers."""
    return str(symbol_html(_POWER.sub(_as_power, word))).replace("-", "\u2212")


def _as_power(found: re.Match[str]) -> str:
    times = "" if found[1] == "1" else f"{found[1]}\u00b7"
    return f"{times}10^{{{int(found[2])}}}"


def _dense_ticks(limits: tuple[float, float]) -> dict[str, Any]:
    """Return ticks of a logarithmic axis with space for more than its decades."""
    decades = range(int(np.floor(limits[0])), int(np.ceil(limits[1])) + 1)
    digits = (1, 2, 5) if len(decades) < 6 else (1,)
    ticks = [digit * 10.0**decade for decade in decades for digit in digits]
    return {
        "tickvals": [float(np.log10(t)) for t in ticks],
        "ticktext": [_tick(f"{t:g}") for t in ticks],
    }


def values_at(attributes: Attributes, coordinates: FloatArray) -> FloatArray:
    """Return values of a parameter at coordinates of its axis."""
    if attributes["scale"] == "log":
        return np.asarray(10.0**coordinates)
    if attributes["scale"] == "signed_log":
        size = float(attributes["lower"]) * 10.0 ** np.abs(coordinates)
        return np.asarray(np.copysign(size, coordinates))
    return coordinates


def add_rows(figure: go.Figure, shown: Sequence[str], x_title: str) -> None:
    """Give the y axis a row for each name, the first on top, and the x axis a title."""
    figure.update_layout(
        height=ROW_HEIGHT * len(shown) + 160, hovermode="closest",
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom"},
        margin={"l": 10, "r": 10, "t": 40, "b": 60},
        xaxis={"title": {"text": x_title, "standoff": 12}, "zeroline": True, "automargin": True},
        yaxis={"tickvals": list(range(len(shown))), "ticktext": list(shown), "automargin": True,
               "range": [len(shown) - 0.4, -0.6], "zeroline": False},
    )  # fmt: skip


def label_of(name: str, labels: Mapping[str, str]) -> str:
    """Return the HTML label of an entry; its escaped name if it has no label."""
    return labels.get(name, escape(name))
