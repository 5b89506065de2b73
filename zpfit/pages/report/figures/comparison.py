"""Evidence and best fits of comparisons and campaigns."""

from collections.abc import Mapping, Sequence
from html import escape

import plotly.graph_objects as go

from zpfit.analysis.compare import NO_ZPRIME
from zpfit.analysis.records import CampaignRecord, WrittenComparisonRow
from zpfit.pages.report.figures.axes import (
    ROW_HEIGHT,
    Picture,
    add_rows,
    as_picture,
    label_of,
)
from zpfit.pages.report.symbols import label_html, number, title_html
from zpfit.plots.run_labels import cell_labels, run_labels
from zpfit.plots.style import BEST_FIT_COLOUR, ENSEMBLE_COLOURS


def draw_evidences(rows: Sequence[WrittenComparisonRow], identifier: str) -> Picture:
    """Draw ln B of every model, also under wider and narrower priors."""
    reference = rows[0]["reference"]
    base = next(row for row in rows if row["model"] == reference)
    models = [row for row in rows if row["model"] != reference]
    shown = labels_of_rows(models)
    figure = go.Figure()
    for name, symbol in (("wider", "triangle-left-open"), ("narrower", "triangle-right-open")):
        pairs = [
            (i, row["prior_sensitivity"][name]["lnZ"], base["prior_sensitivity"][name]["lnZ"])
            for i, row in enumerate(models)
            if name in row["prior_sensitivity"] and name in base["prior_sensitivity"]
        ]
        known = [(i, a - b) for i, a, b in pairs if a is not None and b is not None]
        figure.add_scatter(
            x=[b for _, b in known], y=[i for i, _ in known], mode="markers",
            name=f"{name} priors", text=[f"{shown[i]}, {name} priors: {number(b)}"
                                         for i, b in known],
            hoverinfo="text", marker={"symbol": symbol, "size": 10, "color": ENSEMBLE_COLOURS[4]},
        )  # fmt: skip
    figure.add_scatter(
        x=[row["ln_bayes_factor"] for row in models], y=list(range(len(models))), mode="markers",
        error_x={"array": [row["ln_bayes_factor_err"] for row in models], "color": BEST_FIT_COLOUR},
        name="priors of the run", marker={"size": 11, "color": BEST_FIT_COLOUR},
        text=[f"{label}: ln B {number(row['ln_bayes_factor'])}, {row['evidence']}"
              for label, row in zip(shown, models, strict=True)],
        hoverinfo="text",
    )  # fmt: skip
    versus = "no Z\u2032" if reference == NO_ZPRIME else escape(reference)
    add_rows(figure, shown, f"ln B against {versus}")
    figure.update_xaxes(rangemode="tozero")
    caption = "Right of zero the data favour the model; triangles: other widths of all priors."
    spoken = "ln B: " + ", ".join(f"{row['run']} {row['ln_bayes_factor']:+.2f}" for row in models)
    return as_picture(figure, identifier, caption, spoken)


def labels_of_rows(rows: Sequence[WrittenComparisonRow]) -> list[str]:
    """Return HTML of what tells the titles of runs apart."""
    return [str(label_html(label.replace("Z'", "Z\u2032"))) for label in run_labels(rows, {})]


def draw_chi2_by_term(
    rows: Sequence[WrittenComparisonRow], labels: Mapping[str, str], identifier: str
) -> Picture:
    """Draw chi2 of every term at the best fit of every model."""
    names = list(dict.fromkeys(name for row in rows for name in row["chi2_by_term"]))
    z = [[row["chi2_by_term"].get(name) for row in rows] for name in names]
    figure = go.Figure()
    figure.add_heatmap(
        x=labels_of_rows(rows), y=[label_of(name, labels) for name in names], z=z,
        zmin=0, zmax=9, colorscale=[[0, "#D7ECF8"], [0.45, "#56B4E9"], [1, "#0072B2"]],
        colorbar={"title": {"text": "\u03c7\u00b2", "side": "right"}, "thickness": 12},
        hovertemplate="%{x}, %{y}: \u03c7\u00b2 = %{z:.3g}<extra></extra>",
        xgap=2, ygap=2,
    )  # fmt: skip
    figure.update_layout(
        height=ROW_HEIGHT * len(names) + 150, margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"automargin": True, "tickangle": -45, "showgrid": False, "type": "category"},
        yaxis={"automargin": True, "autorange": "reversed", "showgrid": False, "type": "category",
               "tickmode": "linear"},
    )  # fmt: skip
    caption = "\u03c7\u00b2 of each measurement at the best fit of each model; dark is bad."
    return as_picture(figure, identifier, caption, "chi2 by measurement; the table has the numbers")


def draw_campaign(record: CampaignRecord, identifier: str) -> Picture | None:
    """Draw ln B of every combination and seed; None if there is none."""
    cells = record["cells"]
    if not cells:
        return None
    shown = [str(title_html(label)) for label in cell_labels(cells)]
    figure = go.Figure()
    seeds = [(i, b) for i, cell in enumerate(cells) for b in cell["log_bayes_factors"]]
    figure.add_scatter(
        x=[b for _, b in seeds], y=[i for i, _ in seeds], mode="markers", name="each seed",
        text=[f"{shown[i]} ({escape(cells[i]['name'])}): {number(b)}" for i, b in seeds],
        hoverinfo="text",
        marker={"symbol": "line-ns-open", "size": 12, "color": ENSEMBLE_COLOURS[4]},
    )  # fmt: skip
    figure.add_scatter(
        x=[cell["log_bayes_factor"] for cell in cells], y=list(range(len(shown))),
        error_x={"array": [cell["log_z_error"] for cell in cells], "color": BEST_FIT_COLOUR},
        mode="markers", name="mean over seeds", marker={"size": 9, "color": BEST_FIT_COLOUR},
        text=[f"{label} ({escape(cell['name'])}): ln B {number(cell['log_bayes_factor'])}, "
              f"\u03c7\u00b2 {number(cell['chi2'])}"
              for label, cell in zip(shown, cells, strict=True)],
        hoverinfo="text",
    )  # fmt: skip
    add_rows(figure, shown, "ln B against no Z\u2032")
    figure.update_xaxes(rangemode="tozero")
    caption = "Right of zero the data favour a Z\u2032 of this kind over none."
    spoken = "ln B: " + ", ".join(f"{c['name']} {c['log_bayes_factor']:+.2f}" for c in cells)
    return as_picture(figure, identifier, caption, spoken)
