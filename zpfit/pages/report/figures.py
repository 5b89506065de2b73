"""Plotly figures of a report, as JSON.

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
from scipy.ndimage import gaussian_filter

from zpfit.analysis.compare import NO_ZPRIME
from zpfit.inference.samplers.result import StoredSamples
from zpfit.io.arrays import FloatArray
from zpfit.pages.report.records import Campaign, ComparedModel, Summary
from zpfit.pages.report.slices import SlicePlane
from zpfit.pages.report.symbols import number, symbol_html
from zpfit.plots.scales import Linear, Log, scale_of
from zpfit.plots.style import BEST_FIT_COLOUR, ENSEMBLE_COLOURS

_POWER = re.compile(r"^(\d)e([+-]\d+)$")
_BINS = 36
_SHOWN = 0.998
"""Probability inside the range of each axis of a corner plot."""
_CREDIBLE = (0.393, 0.865)
"""Probability inside 1 and 2 sigma of a two-dimensional Gaussian."""
_RESOLUTION = 1e-9
"""Spread, relative to the value, below which a column counts as constant."""
_LEAST_RATIO = 1e-3
_DISFAVOURED = 25.0
"""Difference in chi2 at which the colours of a slice end."""
_PALETTE = (
    "#CC6677", "#DDCC77", "#117733", "#AA4499", "#882255", "#44AA99", "#999933", "#E69F00",
    "#8C564B", "#777777",
)  # fmt: skip
"""After Paul Tol's muted palette (personal.sron.nl/~pault), safe for colour-blind readers."""
_ROW = 26
"""Pixels for a line of text."""


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


Attributes = Mapping[str, Any]


def _picture(
    figure: go.Figure, identifier: str, caption: str, spoken: str, least_width: int = 0
) -> Picture:
    figure.update_layout(template=go.layout.Template(), autosize=True)
    content = json.loads(figure.to_json())
    kept = {"data": content["data"], "layout": content["layout"]}
    text = json.dumps(kept, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    # Nothing in a script element may look like its end.
    return Picture(identifier, caption, spoken, text.replace("<", "\\u003c"), least_width)


def _label(attributes: Attributes) -> str:
    unit = attributes.get("unit")
    return str(symbol_html(attributes["symbol"])) + (f" [{escape(str(unit))}]" if unit else "")


def _axis(
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


# Corner


def corner(
    samples: StoredSamples, best: Mapping[str, float], identifier: str, title: str
) -> Picture | None:
    """Draw marginal posteriors of all varying parameters and pairs; None if none varies."""
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
    caption = (
        "Posterior of each parameter (diagonal) and each pair: contours hold 39.3 % and 86.5 %. "
        "Star and line: best fit. Drag to zoom, double-click to go back."
    )
    spoken = f"Corner plot of {title}: posterior of {', '.join(names)}"
    return _picture(figure, identifier, caption, spoken, min(size, 760))


def _varies(column: FloatArray) -> bool:
    return bool(np.ptp(column) > _RESOLUTION * max(1.0, float(np.abs(column).max())))


@dataclass(frozen=True)
class _CornerGrid:
    attributes: Mapping[str, Attributes]
    columns: Mapping[str, FloatArray]
    """Range of each axis in its coordinates."""
    best: Mapping[str, float]
    names: Sequence[str]

    def draw(self, figure: go.Figure, row: int, column: int) -> None:
        """Draw one panel with its axes."""
        n = len(self.names)
        number_of = row * n + column + 1
        x_axis, y_axis = f"xaxis{number_of}", f"yaxis{number_of}"
        gap = 0.012
        x = _axis(self._of(column), self.limits(column))
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
            y |= _axis(self._of(row), self.limits(row)) | {"showticklabels": column == 0}
            y["matches"] = f"y{row * n + 1}" if column else None
            self._density(figure, row, column, number_of)
        y["anchor"] = f"x{number_of}"
        if row < n - 1:
            x["matches"] = f"x{(n - 1) * n + column + 1}"
        else:
            x["title"] = {"text": _label(self._of(column)), "standoff": 6}
        if column == 0 and row > 0:
            y["title"] = {"text": _label(self._of(row)), "standoff": 4}
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
        if step:  # whole steps in a bin, or some would stand out for no reason
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
            f"{value}: {part:.1%}"
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
        for level, opacity in zip(_CREDIBLE[::-1], (0.3, 0.55), strict=True):
            figure.add_contour(
                x=(x_edges[1:] + x_edges[:-1]) / 2, y=(y_edges[1:] + y_edges[:-1]) / 2,
                z=inside.astype(np.float32), showscale=False, hoverinfo="skip",
                # What does not meet a constraint is filled.
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


def values_at(attributes: Attributes, coordinates: FloatArray) -> FloatArray:
    """Return values of a parameter at coordinates of its axis."""
    if attributes["scale"] == "log":
        return np.asarray(10.0**coordinates)
    if attributes["scale"] == "signed_log":
        size = float(attributes["lower"]) * 10.0 ** np.abs(coordinates)
        return np.asarray(np.copysign(size, coordinates))
    return coordinates


def _content_of(density: FloatArray) -> FloatArray:
    """Return, for each cell, the probability of all denser cells."""
    flat = density.ravel()
    order = np.argsort(-flat)
    content = np.empty(len(flat))
    content[order] = np.cumsum(flat[order]) / max(flat.sum(), 1e-300)
    content[flat <= 0] = 1.0
    return content.reshape(density.shape)


# Pulls and exclusions at the best fit


def pulls(summary: Summary, labels: Mapping[str, str], identifier: str) -> Picture | None:
    """Draw pulls of the best fit and of no Z'; None without measurements."""
    terms = summary.best_fit.terms
    if not terms:
        return None
    names = list(terms)
    shown = [labels.get(name, escape(name)) for name in names]
    figure = go.Figure()
    for width, opacity in ((2, 0.10), (1, 0.14)):
        figure.add_vrect(
            x0=-width, x1=width, fillcolor="#888888", opacity=opacity, line_width=0, layer="below"
        )
    without = summary.no_zprime.terms
    for words, points, marker in (
        (
            "no Z\u2032",
            without,
            {"symbol": "circle-open", "color": ENSEMBLE_COLOURS[4], "line": {"width": 2}},
        ),
        ("best fit", terms, {"symbol": "star", "color": BEST_FIT_COLOUR}),
    ):
        present = [i for i, name in enumerate(names) if name in points]
        figure.add_scatter(
            x=[points[names[i]].pull for i in present], y=present, name=words, mode="markers",
            marker=marker | {"size": 11},
            text=[_pull_words(shown[i], points[names[i]]) for i in present], hoverinfo="text",
        )  # fmt: skip
    _rows(figure, shown, "pull")
    caption = "Pull: (measured \u2212 predicted) / error; grey: within 1 and 2 standard errors."
    spoken = "Pulls at the best fit: " + ", ".join(
        f"{name} {terms[name].pull:+.2g}" for name in names
    )
    return _picture(figure, identifier, caption, spoken)


def _pull_words(label: str, term: Any) -> str:
    return (
        f"{label}: pull {number(term.pull)}<br>measured {number(term.measured, 4)}, predicted "
        f"{number(term.prediction, 4)}<br>\u03c7\u00b2 {number(term.chi2)}"
    )


def _rows(figure: go.Figure, shown: Sequence[str], x_title: str) -> None:
    """Return the layout of a y axis with a row for each name, the first on top."""
    figure.update_layout(
        height=_ROW * len(shown) + 130, hovermode="closest",
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom"},
        margin={"l": 10, "r": 10, "t": 40, "b": 50},
        xaxis={"title": {"text": x_title}, "zeroline": True, "automargin": True},
        yaxis={"tickvals": list(range(len(shown))), "ticktext": list(shown), "automargin": True,
               "range": [len(shown) - 0.4, -0.6], "zeroline": False},
    )  # fmt: skip


def limits(summary: Summary, labels: Mapping[str, str], identifier: str) -> Picture | None:
    """Draw the signal over the limit of every exclusion at the best fit; None without any."""
    exclusions = summary.best_fit.exclusions
    if not exclusions:
        return None
    names = list(exclusions)
    ratios = [max(exclusions[name].ratio, _LEAST_RATIO) for name in names]
    shown = [labels.get(name, escape(name)) for name in names]
    top = max(3.0, 1.5 * max(ratios))
    figure = go.Figure()
    figure.add_vrect(
        x0=1, x1=top, fillcolor="#CC6677", opacity=0.2, line_width=0, layer="below",
    )  # fmt: skip
    figure.add_scatter(
        x=ratios, y=list(range(len(names))), mode="markers", name="best fit", showlegend=False,
        marker={"symbol": "star", "size": 11, "color": BEST_FIT_COLOUR},
        text=[
            f"{label}: {number(exclusions[name].ratio)} of the limit"
            for label, name in zip(shown, names, strict=True)
        ],
        hoverinfo="text",
    )  # fmt: skip
    _rows(figure, shown, "signal / limit")
    edges = [float(np.log10(_LEAST_RATIO / 1.4)), float(np.log10(top))]
    figure.update_xaxes(type="log", range=edges, dtick=1, exponentformat="power")
    caption = (
        "Signal over limit at the best fit: above 1, red, is excluded; ratios below "
        f"{_LEAST_RATIO:g} are drawn there."
    )
    spoken = "Signal over limit at the best fit: " + ", ".join(
        f"{name} {exclusions[name].ratio:.2g}" for name in names
    )
    return _picture(figure, identifier, caption, spoken)


# Slices


def colours_of(planes: Sequence[SlicePlane]) -> dict[str, str]:
    """Return a colour for each name that is the strongest anywhere, the same in all planes."""
    found = dict.fromkeys(
        plane.names[i] for plane in planes for i in np.unique(plane.strongest) if i >= 0
    )
    return {name: _PALETTE[i % len(_PALETTE)] for i, name in enumerate(found)}


def exclusion_slice(
    plane: SlicePlane,
    attributes: Mapping[str, Attributes],
    best: Mapping[str, float],
    best_chi2: float,
    labels: Mapping[str, str],
    colours: Mapping[str, str],
    identifier: str,
) -> Picture:
    """Draw the strongest exclusion at each point, and chi2 where none excludes it."""
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
    _excluded(figure, x, y, plane, strongest, words, labels, colours)
    figure.add_scatter(
        x=scale_of(x_of).forward(np.array([best[plane.x]])),
        y=scale_of(y_of).forward(np.array([best[plane.y]])),
        mode="markers", name="best fit", text="best fit", hoverinfo="text+name",
        marker={"symbol": "star", "size": 13, "color": BEST_FIT_COLOUR,
                "line": {"color": "white", "width": 1}},
    )  # fmt: skip
    figure.update_layout(
        height=480, margin={"l": 10, "r": 10, "t": 10, "b": 10}, hovermode="closest",
        legend={"orientation": "h", "y": -0.2, "yanchor": "top"},
        xaxis=_named_axis(x_of, x), yaxis=_named_axis(y_of, y),
    )  # fmt: skip
    caption = (
        f"{plane.x} against {plane.y}, every other parameter at the best fit, on "
        f"{len(x)} \u00d7 {len(y)} points: {plane.allowed_share:.1%} of the plane are allowed. "
        "Colour: the strongest exclusion; blue: \u03c7\u00b2 above that of the best fit."
    )
    spoken = f"Plane of {plane.x} and {plane.y}: {plane.allowed_share:.1%} allowed; excluded by "
    spoken += ", ".join(plane.names[i] for i in np.unique(strongest) if i >= 0) or "nothing"
    return _picture(figure, identifier, caption, spoken)


def _named_axis(attributes: Attributes, coordinates: FloatArray) -> dict[str, Any]:
    limits = float(coordinates.min()), float(coordinates.max())
    title = {"title": {"text": _label(attributes)}, "automargin": True}
    return _axis(attributes, limits, wide=True) | title


def _excluded(
    figure: go.Figure,
    x: FloatArray,
    y: FloatArray,
    plane: SlicePlane,
    strongest: Any,
    words: list[list[str]],
    labels: Mapping[str, str],
    colours: Mapping[str, str],
) -> None:
    """Return the map of the strongest exclusions, and the names for its legend."""
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
    for index, colour in zip(found, own, strict=True):
        figure.add_scatter(
            x=[None], y=[None], mode="markers", name=_name(plane.names[index], labels),
            marker={"symbol": "square", "size": 11, "color": colour},
        )  # fmt: skip


def _where(words: list[list[str]], mask: Any) -> list[list[str]]:
    """Return labels inside the regions of a map."""
    return [
        [word if shown else "" for word, shown in zip(*lines, strict=True)]
        for lines in zip(words, mask, strict=True)
    ]


def _name(name: str, labels: Mapping[str, str]) -> str:
    return labels.get(name, escape(name))


def _slice_words(plane: SlicePlane, strongest: Any, labels: Mapping[str, str]) -> list[list[str]]:
    """Return the hover text of every point."""
    excluding = (plane.is_hard[:, None, None] & (plane.ratios > 1)).sum(axis=0)
    shown = [_name(name, labels) for name in plane.names]
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
        f"{_name(plane.measurements[k], labels)} {number(float(pulls_here[k]), 2)}" for k in largest
    )
    return f"allowed: \u03c7\u00b2 = {number(float(plane.chi2[i, j]))}<br>largest pulls: {listed}"


# Comparisons and campaigns


def evidences(rows: Sequence[ComparedModel], identifier: str) -> Picture:
    """Draw ln B of every model, also under wider and narrower priors."""
    reference = rows[0].reference
    base = next(row for row in rows if row.model == reference)
    models = [row for row in rows if row.model != reference]
    shown = [escape(row.run) for row in models]
    figure = go.Figure()
    for name, symbol in (("narrower", "triangle-left-open"), ("wider", "triangle-right-open")):
        pairs = [
            (i, row.prior_sensitivity[name].lnZ, base.prior_sensitivity[name].lnZ)
            for i, row in enumerate(models)
            if name in row.prior_sensitivity and name in base.prior_sensitivity
        ]
        known = [(i, a - b) for i, a, b in pairs if a is not None and b is not None]
        figure.add_scatter(
            x=[b for _, b in known], y=[i for i, _ in known], mode="markers",
            name=f"{name} priors", text=[f"{shown[i]}, {name} priors: {number(b)}"
                                         for i, b in known],
            hoverinfo="text", marker={"symbol": symbol, "size": 10, "color": ENSEMBLE_COLOURS[4]},
        )  # fmt: skip
    figure.add_scatter(
        x=[row.ln_bayes_factor for row in models], y=list(range(len(models))), mode="markers",
        error_x={"array": [row.ln_bayes_factor_err for row in models], "color": BEST_FIT_COLOUR},
        name="priors of the run", marker={"size": 11, "color": BEST_FIT_COLOUR},
        text=[f"{label}: ln B {number(row.ln_bayes_factor)}, {row.evidence}"
              for label, row in zip(shown, models, strict=True)],
        hoverinfo="text",
    )  # fmt: skip
    versus = "no Z\u2032" if reference == NO_ZPRIME else escape(reference)
    _rows(figure, shown, f"ln B against {versus}")
    figure.update_xaxes(rangemode="tozero")
    caption = "Right of zero the data favour the model; triangles: other widths of all priors."
    spoken = "ln B: " + ", ".join(f"{row.run} {row.ln_bayes_factor:+.2f}" for row in models)
    return _picture(figure, identifier, caption, spoken)


def chi2_by_term(
    rows: Sequence[ComparedModel], labels: Mapping[str, str], identifier: str
) -> Picture:
    """Draw chi2 of every term at the best fit of every model."""
    names = list(dict.fromkeys(name for row in rows for name in row.chi2_by_term))
    z = [[row.chi2_by_term.get(name) for name in names] for row in rows]
    shown = [_name(name, labels) for name in names]
    figure = go.Figure()
    figure.add_heatmap(
        x=shown, y=[escape(row.run) for row in rows], z=z, zmin=0, zmax=9,
        colorscale=[[0, "#D7ECF8"], [0.45, "#56B4E9"], [1, "#0072B2"]],
        colorbar={"title": {"text": "\u03c7\u00b2", "side": "right"}, "thickness": 12},
        hovertemplate="%{y}, %{x}: \u03c7\u00b2 = %{z:.3g}<extra></extra>",
        xgap=2, ygap=2,
    )  # fmt: skip
    figure.update_layout(
        height=2 * _ROW * len(rows) + 170, margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"automargin": True, "tickangle": -45, "showgrid": False, "type": "category"},
        yaxis={"automargin": True, "autorange": "reversed", "showgrid": False, "type": "category"},
    )  # fmt: skip
    caption = "\u03c7\u00b2 of each measurement at the best fit of each model; dark is bad."
    return _picture(figure, identifier, caption, "chi2 by measurement; the table has the numbers")


def campaign(record: Campaign, identifier: str) -> Picture | None:
    """Draw ln B of every combination and seed; None if there is none."""
    if not record.cells:
        return None
    shown = [escape(cell.name) for cell in record.cells]
    figure = go.Figure()
    seeds = [(i, b) for i, cell in enumerate(record.cells) for b in cell.log_bayes_factors]
    figure.add_scatter(
        x=[b for _, b in seeds], y=[i for i, _ in seeds], mode="markers", name="each seed",
        text=[f"{shown[i]}: {number(b)}" for i, b in seeds], hoverinfo="text",
        marker={"symbol": "line-ns-open", "size": 12, "color": ENSEMBLE_COLOURS[4]},
    )  # fmt: skip
    figure.add_scatter(
        x=[cell.log_bayes_factor for cell in record.cells], y=list(range(len(shown))),
        error_x={"array": [cell.log_z_error for cell in record.cells], "color": BEST_FIT_COLOUR},
        mode="markers", name="mean over seeds", marker={"size": 9, "color": BEST_FIT_COLOUR},
        text=[f"{label}: ln B {number(cell.log_bayes_factor)}, \u03c7\u00b2 {number(cell.chi2)}"
              for label, cell in zip(shown, record.cells, strict=True)],
        hoverinfo="text",
    )  # fmt: skip
    _rows(figure, shown, "ln B against no Z\u2032")
    figure.update_xaxes(rangemode="tozero")
    caption = "Right of zero the data favour a Z\u2032 of this kind over none."
    spoken = "ln B: " + ", ".join(f"{c.name} {c.log_bayes_factor:+.2f}" for c in record.cells)
    return _picture(figure, identifier, caption, spoken)
