"""Figures that compare models."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from zpfit.analysis.compare import NO_ZPRIME
from zpfit.analysis.levels import in_percent
from zpfit.analysis.records import ComparisonRow
from zpfit.errors import InvalidInput, suggestion
from zpfit.io.arrays import FloatArray
from zpfit.io.figure_spec import FigureSpec
from zpfit.likelihood.labels import label_of
from zpfit.plots.corner import LEVELS, Binned, Grid, Side, draw_marginals
from zpfit.plots.labels import text_width, wrapped
from zpfit.plots.pulls import add_title
from zpfit.plots.run_labels import run_labels
from zpfit.plots.scales import Linear, ranged, scale_of
from zpfit.plots.style import (
    COLUMN,
    MUTED,
    PAGE,
    SERIES_COLOURS,
    StyledFigure,
    finished,
    points,
    set_words,
)

_NEGLIGIBLE = 1e-8
"""Smallest size of a coupling that its axis shows."""
_RANGE = 0.999
_BINS = 30
"""Number of bins of each axis of the couplings."""
_JEFFREYS = ((1.0, "weak"), (2.5, "moderate"), (5.0, "strong"))
"""Values of ln B where evidence of each strength begins, and its name."""
_GREYS = ("0.93", "0.86", "0.78")
_ROW, _CELL = 0.3, 0.21
"""Heights of a row, and of a row of the heat map, in inches."""
_TEXT, _HEAD, _IN_LEGEND = 1.2, 1.4, 2.0
"""Widest label of a row, of a column and in a legend, in inches; longer ones wrap."""
_LARGE = 9.0
"""chi2 of a term at which the colours of the heat map end."""


def evidence_figure(rows: Sequence[ComparisonRow], spec: FigureSpec | None = None) -> Figure:
    """Draw ln B of every row with its error, also under wider and narrower priors.

    Parameters
    ----------
    rows
        Rows of a comparison.
    spec
        Description of the figure.
    """
    spec = spec or FigureSpec()
    rows = _shown(rows, spec)
    drawn = [row for row in rows if row["model"] != row["reference"]] or rows
    reference = {row["data"]: row for row in rows if row["model"] == row["reference"]}
    size = points("ytick.labelsize")
    named = dict(zip(map(_key, rows), run_labels(rows, spec.names), strict=True))
    labels = [wrapped(named[_key(row)], size, _TEXT) for row in drawn]
    lines = sum(max(label.count("\n"), 0) for label in labels)
    height = 1.75 + _ROW * len(drawn) + 0.14 * lines
    figure = StyledFigure(figsize=spec.size(COLUMN, height), layout="constrained")
    axes = figure.subplots()
    seen = [0.0]
    for y, row in enumerate(drawn):
        value, error = row["ln_bayes_factor"], row["ln_bayes_factor_err"]
        colour = spec.colours.get(row["run"], "k")
        axes.errorbar(value, y, xerr=error, fmt="o", color=colour, markersize=4, zorder=3)
        seen += [value - error, value + error]
        for index, (name, marker) in enumerate((("wider", "<"), ("narrower", ">"))):
            base = reference.get(row["data"])
            pair = [r["prior_sensitivity"][name]["lnZ"] for r in (row, base) if r is not None]
            if base is None or None in pair:
                continue
            x = float(pair[0]) - float(pair[1])  # type: ignore[arg-type]
            axes.plot(x, y, marker, color=SERIES_COLOURS[index], fillstyle="none", markersize=5.5)
            seen.append(x)
    margin = 0.08 * (max(seen) - min(seen)) + 0.3
    axes.set_xlim(min(seen) - margin, max(seen) + margin)
    bands = _shade_strengths(axes)
    Linear().set_ticks(axes.xaxis, axes.get_xlim())
    set_words(axes.yaxis, range(len(drawn)), labels)
    axes.set_ylim(len(drawn) - 0.4, -0.6)
    axes.tick_params(which="both", labelsize=size)
    name = rows[0]["reference"]
    if name != NO_ZPRIME and reference:
        name = named[_key(next(iter(reference.values())))]
    axes.set_xlabel(rf"$\ln B$ against {name}", fontsize=points("axes.labelsize"))
    handles = [
        Line2D([], [], marker="o", color="k", linestyle="", label="priors as given", markersize=4),
        _hollow("<", SERIES_COLOURS[0], "wider"),
        _hollow(">", SERIES_COLOURS[1], "narrower"),
        *bands,
    ]
    legend = points("legend.fontsize")
    figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=legend)
    add_title(figure, spec.titled(""))
    return finished(figure)


def _shown(rows: Sequence[ComparisonRow], spec: FigureSpec) -> list[ComparisonRow]:
    """Return the rows without hidden ones.

    Raises
    ------
    InvalidInput
        A hidden row does not exist.
    """
    known = list(dict.fromkeys(row["run"] for row in rows))
    problems = [
        f"figure.hide: no run is called {name!r}; {suggestion(name, known)}"
        for name in spec.hide
        if name not in known
    ]
    if problems:
        raise InvalidInput(problems)
    return [row for row in rows if row["run"] not in spec.hide]


def _shade_strengths(axes: Axes) -> list[Patch]:
    """Shade where evidence is weak, moderate and strong; return the legend of what is seen."""
    low, high = axes.get_xlim()
    handles = []
    ends = [limit for limit, _ in _JEFFREYS[1:]] + [1e9]
    for (start, name), end, grey in zip(_JEFFREYS, ends, _GREYS, strict=True):
        label = f"{name}: from {start:g}" if end > 1e8 else f"{name}: {start:g} to {end:g}"
        seen = False
        for left, right in ((start, min(end, high)), (max(-end, low), -start)):
            if left < right:
                axes.axvspan(left, right, color=grey, linewidth=0, zorder=0)
                seen = True
        handles += [Patch(facecolor=grey, label=rf"$|\ln B|$ {label}")] if seen else []
    axes.axvline(0, color=MUTED, linewidth=0.8, zorder=1)
    axes.set_xlim(low, high)
    return handles


def _hollow(marker: str, colour: str, label: str) -> Line2D:
    return Line2D(
        [], [], marker=marker, color=colour, linestyle="", fillstyle="none",
        label=f"{label} priors", markersize=5.5,
    )  # fmt: skip


def chi2_figure(rows: Sequence[ComparisonRow], spec: FigureSpec | None = None) -> Figure:
    """Draw chi2 of every term at the best fit as a table of colours, with the sum below.

    Parameters
    ----------
    rows
        Rows of a comparison.
    spec
        Description of the figure; ``hide`` takes runs.
    """
    spec = spec or FigureSpec()
    rows = _shown(rows, spec)
    terms = list(dict.fromkeys(name for row in rows for name in row["chi2_by_term"]))
    labels: dict[str, str] = {}
    for row in rows:
        labels |= row.get("labels", {})
    table = np.array([[row["chi2_by_term"].get(name, np.nan) for row in rows] for name in terms])
    table = table.reshape(len(terms), len(rows))
    size = points("xtick.labelsize")
    names = [wrapped(label, size, _HEAD) for label in run_labels(rows, spec.names)]
    longest = max(text_width(part, size) for name in names for part in name.split("\n"))
    left = max([text_width(label_of(name, labels), size) for name in terms] + [0.5])
    width = spec.width or min(max(COLUMN, left + 0.5 * len(rows) + 0.9), PAGE)
    height = 0.35 + longest + _CELL * (len(terms) + 1.4)
    figure = StyledFigure(figsize=spec.size(width, height), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(
        np.ma.masked_invalid(table), cmap="YlOrRd", vmin=0, vmax=_LARGE, aspect="auto",
        extent=(-0.5, len(rows) - 0.5, len(terms) - 0.5, -0.5),
    ) if terms else None  # fmt: skip
    for (y, x), value in np.ndenumerate(table):
        if np.isfinite(value):
            colour = "w" if value > 0.65 * _LARGE else "k"
            axes.text(x, y, f"{value:.2f}", ha="center", va="center", fontsize=size, color=colour)
    for x, row in enumerate(rows):
        total = f"{row['best_fit_chi2']:.2f}"
        axes.text(
            x, len(terms) + 0.1, total, ha="center", va="center", fontsize=size, weight="bold"
        )
    axes.axhline(len(terms) - 0.5, color="k", linewidth=0.8)
    axes.set_ylim(len(terms) + 0.7, -0.5)
    set_words(
        axes.yaxis,
        [*range(len(terms)), len(terms) + 0.1],
        [*(label_of(name, labels) for name in terms), r"$\chi^2$, all terms"],
    )
    set_words(axes.xaxis, range(len(rows)), names, rotation=90)
    axes.tick_params(length=0, labelsize=size, labeltop=True, labelbottom=False)
    if image is not None:
        bar = figure.colorbar(image, ax=axes, extend="max", pad=0.02, aspect=30)
        bar.set_label(r"$\chi^2$ of a term", fontsize=size)
        bar.ax.tick_params(labelsize=size)
    add_title(figure, spec.titled(""))
    return finished(figure)


def _key(row: ComparisonRow) -> tuple[str, str]:
    return row["run"], row["likelihood"]


def overlay_figure(
    samples: Mapping[str, Mapping[str, FloatArray]],
    symbols: Mapping[str, str],
    spec: FigureSpec | None = None,
    labels: Mapping[str, str] | None = None,
) -> Figure:
    """Draw the posteriors of the couplings of several models on common axes.

    Parameters
    ----------
    samples
        Samples of equal weight of each coupling by model, each of shape (n,).
    symbols
        LaTeX of each coupling, without dollar signs.
    spec
        Description of the figure; ``parameters`` chooses couplings, by default those that are not
        zero in all models.
    labels
        Label of each model in the legend; its name by default.

    Raises
    ------
    InvalidInput
        A coupling is unknown.
    """
    spec = spec or FigureSpec()
    samples = {model: own for model, own in samples.items() if model not in spec.hide}
    names = _couplings_of(samples, symbols, spec)
    sides = []
    for name in names:
        attributes = {
            "symbol": symbols[name],
            "unit": "MeV" if name == "m_Zp" else "",
            "scale": "log" if name == "m_Zp" else "signed_log",
            "lower": _NEGLIGIBLE,
        }
        look = spec.axes.get(name)
        if look is not None and look.label:
            attributes["label"] = look.label
        scale = scale_of(attributes)
        column = np.concatenate([scale.forward(values[name]) for values in samples.values()])
        sides.append(Side(attributes, ranged(_limits(column), scale, look)))
    grid = Grid(sides, spec, "")
    levels = spec.levels or LEVELS
    colours = {
        model: spec.colours.get(model, SERIES_COLOURS[index % len(SERIES_COLOURS)])
        for index, model in enumerate(samples)
    }
    limits = [side.limits for side in sides]
    for model, values in samples.items():
        columns = [side.scale.forward(values[n]) for side, n in zip(sides, names, strict=True)]
        binned = [Binned(*each, _BINS) for each in zip(columns, limits, strict=True)]
        draw_marginals(
            grid,
            binned,
            colours[model],
            levels=levels,
            plot_density=False,
            no_fill_contours=True,
            contour_kwargs={"linewidths": 0.8},
        )
    inside = " and ".join(in_percent(level) for level in sorted(levels))
    size, named = points("legend.fontsize"), {**(labels or {}), **spec.names}
    handles = [
        Line2D([], [], color=own, label=wrapped(named.get(model, model), size, _IN_LEGEND))
        for model, own in colours.items()
    ]
    grid.finish([*handles, Line2D([], [], linestyle="", label=f"posteriors, {inside}")])
    return finished(grid.figure)


def _couplings_of(
    samples: Mapping[str, Mapping[str, FloatArray]], symbols: Mapping[str, str], spec: FigureSpec
) -> list[str]:
    known = list(symbols)
    problems = [
        f"figure.parameters: no coupling is called {name!r}; {suggestion(name, known)}"
        for name in spec.parameters
        if name not in known
    ]
    if problems:
        raise InvalidInput(problems)
    present = [
        name
        for name in known
        if any(np.abs(values[name]).max() > _NEGLIGIBLE for values in samples.values())
    ]
    return list(spec.parameters) or present


def _limits(column: FloatArray) -> tuple[float, float]:
    low, high = np.quantile(column, [0.5 * (1 - _RANGE), 0.5 * (1 + _RANGE)])
    margin = 0.04 * max(float(high - low), 1e-3)
    return float(low) - margin, float(high) + margin
