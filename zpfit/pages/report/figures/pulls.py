"""Pulls of measurements, and signal over limit of exclusions, at the best fit."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from zpfit.analysis.records import FitSummary, TermRecord
from zpfit.pages.report.figures.axes import Picture, add_rows, as_picture, label_of
from zpfit.pages.report.symbols import number
from zpfit.plots.style import BEST_FIT_COLOUR, ENSEMBLE_COLOURS

_LEAST_RATIO = 1e-3
"""Smallest ratio of signal to limit on the axis."""


def draw_pulls(summary: FitSummary, labels: Mapping[str, str], identifier: str) -> Picture | None:
    """Draw pulls of the best fit and of no Z'; None without measurements."""
    terms = summary["best_fit"]["terms"]
    if not terms:
        return None
    names = list(terms)
    shown = [label_of(name, labels) for name in names]
    figure = go.Figure()
    for width, opacity in ((2, 0.10), (1, 0.14)):
        figure.add_vrect(
            x0=-width, x1=width, fillcolor="#888888", opacity=opacity, line_width=0, layer="below"
        )
    without = summary["no_zprime"]["terms"]
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
            x=[points[names[i]]["pull"] for i in present], y=present, name=words, mode="markers",
            marker=marker | {"size": 11},
            text=[_pull_words(shown[i], points[names[i]]) for i in present], hoverinfo="text",
        )  # fmt: skip
    add_rows(figure, shown, "pull")
    caption = "Pull: (measured \u2212 predicted) / error; grey: within 1 and 2 standard errors."
    spoken = "Pulls at the best fit: " + ", ".join(
        f"{name} {terms[name]['pull']:+.2g}" for name in names
    )
    return as_picture(figure, identifier, caption, spoken)


def _pull_words(label: str, term: TermRecord) -> str:
    return (
        f"{label}: pull {number(term['pull'])}<br>measured {number(term['measured'], 4)}, "
        f"predicted {number(term['prediction'], 4)}<br>\u03c7\u00b2 {number(term['chi2'])}"
    )


def draw_limits(summary: FitSummary, labels: Mapping[str, str], identifier: str) -> Picture | None:
    """Draw the signal over the limit of every exclusion at the best fit; None without any."""
    exclusions = summary["best_fit"]["exclusions"]
    if not exclusions:
        return None
    names = list(exclusions)
    ratios = [max(exclusions[name]["ratio"], _LEAST_RATIO) for name in names]
    symbols = ["star" if ratio > _LEAST_RATIO else "triangle-left" for ratio in ratios]
    shown = [label_of(name, labels) for name in names]
    top = max(3.0, 1.5 * max(ratios))
    figure = go.Figure()
    figure.add_vrect(
        x0=1, x1=top, fillcolor="#CC6677", opacity=0.2, line_width=0, layer="below",
    )  # fmt: skip
    figure.add_scatter(
        x=ratios, y=list(range(len(names))), mode="markers", name="best fit", showlegend=False,
        marker={"symbol": symbols, "size": 11, "color": BEST_FIT_COLOUR},
        text=[
            f"{label}: {number(exclusions[name]['ratio'])} of the limit"
            for label, name in zip(shown, names, strict=True)
        ],
        hoverinfo="text",
    )  # fmt: skip
    add_rows(figure, shown, "signal / limit")
    edges = [float(np.log10(_LEAST_RATIO / 1.4)), float(np.log10(top))]
    figure.update_xaxes(type="log", range=edges, dtick=1, exponentformat="power")
    caption = (
        "Signal over limit at the best fit: above 1, red, is excluded; ratios below "
        f"{_LEAST_RATIO:g} are triangles there."
    )
    spoken = "Signal over limit at the best fit: " + ", ".join(
        f"{name} {exclusions[name]['ratio']:.2g}" for name in names
    )
    return as_picture(figure, identifier, caption, spoken)
