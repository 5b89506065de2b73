"""Exclusion plots: the regions that experiments exclude, and the allowed region."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch, PathPatch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from zpfit.analysis.exclusion.statement import blocking_words
from zpfit.analysis.records import ExclusionMapRecord
from zpfit.plots.exclusion_labels import label_contours, label_regions, mark_allowed
from zpfit.plots.exclusion_layout import (
    AXES_SIZE,
    BOTTOM,
    FONT,
    LEFT,
    RIGHT,
    SIZE,
    SMALL,
    TOP,
    as_path,
)
from zpfit.plots.exclusion_outlines import draw_outlines
from zpfit.plots.exclusion_statement import statement_lines
from zpfit.plots.labels import LabelBoard, in_lines, wrapped
from zpfit.plots.scales import axis_label, in_digits, log_ticks
from zpfit.plots.style import MUTED

FigureStyle = Literal["regions", "outlines"]
"""Way to draw the excluded regions of a plane."""
_MOST_COLOURS = 8
"""Largest number of regions that a plane shows in colours of their own by default."""
Colours = Mapping[str, tuple[str, str]]
"""Colour and hatch of each label."""

_OFFSET = 0.3
"""Inches on either side of the title that are kept free for a power of ten of the axis."""
_TITLE_LINE, _TITLE_LINES = 0.13, 2
"""Height of a line of the title in inches, and the lines that the upper margin holds."""
_LEGEND_ROW, _LEGEND_COLUMNS = 0.15, 3
_ALPHA, _DARKEST = 0.35, 0.88
"""Opacity of each region, and the largest opacity of all of them together."""
_UNREACHABLE_COLOUR, _JOINT_COLOUR = "#88CCEE", "#AAAAAA"
_OWN_COLOUR = ("excluded", "impossible", "band")
"""Kinds of regions that have colours of their own."""
_PALETTE = (
    "#AA4499", "#882255", "#DDCC77", "#E69F00", "#117733", "#CC6677", "#332288", "#44AA99",
    "#999933", "#777777",
)  # fmt: skip
"""Paul Tol's muted palette (personal.sron.nl/~pault), safe for colour-blind readers.

The blue that marks unreachable regions is left out.
"""
_HATCHES = ("", "////", "....", "xxxx")
_ROUNDING = 1e-9
"""Rounding error of a decimal logarithm."""
_EVERYWHERE = 0.99999
"""Fraction of the plane above which a region is named below the figure instead of drawn."""
_WHOLE = {
    "excluded everywhere:": ("excluded", "impossible"),
    "met everywhere:": ("band",),
    "everywhere:": ("unreachable", "joint"),
}
"""Text about such regions by their kinds."""


def colours_of(labels: Sequence[str], settled: Colours | None = None) -> Colours:
    """Return a colour for each label, with hatches after the colours are used up.

    Labels in ``settled`` keep their colours; the others get the least used ones.
    """
    settled = settled or {}
    styles = [(colour, hatch) for hatch in _HATCHES for colour in _PALETTE]
    result = {label: settled[label] for label in labels if label in settled}
    for label in dict.fromkeys(labels):
        if label not in result:
            used = Counter(colour for colour, _ in result.values())
            free = [style for style in styles if style not in result.values()]
            result[label] = min(free or styles, key=lambda style: used[style[0]])
    return result


def drawn_labels(record: ExclusionMapRecord) -> list[str]:
    """Return the labels that need colours, in the order of the record."""
    return [
        region["label"]
        for region in record["regions"]
        if region["kind"] in _OWN_COLOUR and region["share"] > 0
    ]


def exclusion_figure(
    record: ExclusionMapRecord,
    colours: Colours | None = None,
    style: FigureStyle | None = None,
) -> Figure:
    """Draw an exclusion map.

    Parameters
    ----------
    record
        Record of the map.
    colours
        Colours by label of the style ``"regions"``, so that several figures agree.
    style
        ``"regions"`` fills each region with its colour; ``"outlines"`` joins them to one grey area
        with the outlines of the leading limits. The default is that of the record; else regions
        if ``colours`` are given or there are no more than eight regions.
    """
    figure, axes = _frame(record)
    regions = [r for r in record["regions"] if r["share"] > 0 and r["kind"] != "allowed"]
    everywhere = [r for r in regions if r["share"] > _EVERYWHERE]
    drawn = [r for r in regions if r["share"] <= _EVERYWHERE]
    style = style or record.get("style") or ("regions" if colours else _usual_style(record, drawn))
    draw = _DRAWERS[style]
    handles = draw(axes, record, drawn, colours or colours_of(drawn_labels(record)))
    rows = axes.get_title().count("\n") + 1
    top = TOP + _TITLE_LINE * max(rows - _TITLE_LINES, 0)
    lines = [*_named(everywhere), *_verdict(record), *statement_lines(record, SMALL, SIZE[0] - 0.1)]
    _explain(figure, handles, lines, top)
    return figure


def _usual_style(record: ExclusionMapRecord, drawn: Sequence[Mapping[str, Any]]) -> FigureStyle:
    """Return the style for a number of regions; bands and contours need their colours."""
    plain = not record["contours"] and all(region["kind"] != "band" for region in drawn)
    return "outlines" if plain and len(drawn) > _MOST_COLOURS else "regions"


def _draw_regions(
    axes: Axes,
    record: ExclusionMapRecord,
    drawn: Sequence[Mapping[str, Any]],
    colours: Colours,
) -> list[Patch]:
    """Fill each region with its colour; return the legend of those without space for a label."""
    # The outline of the joint region repeats those of others and lies below them.
    drawn = sorted(drawn, key=lambda region: region["kind"] != "joint")
    # Opacity falls with the number of regions, so that overlaps stay legible.
    alpha = min(_ALPHA, 1 - (1 - _DARKEST) ** (1 / max(len(drawn), 1)))
    for region in drawn:
        _fill(axes, region, colours, alpha)
    for contour in record["contours"]:
        _draw_contour(axes, contour)
    board = LabelBoard()
    if record["contours"]:
        label_contours(axes, board, record, drawn)
    else:
        mark_allowed(axes, board, record)
    return [_patch(region, colours) for region in label_regions(axes, board, record, drawn)]


def _draw_outlines(
    axes: Axes,
    record: ExclusionMapRecord,
    drawn: Sequence[Mapping[str, Any]],
    colours: Colours,
) -> list[Patch]:
    """Draw excluded regions as one; return the legend of the others."""
    excluded = [region for region in drawn if region["kind"] in ("excluded", "impossible")]
    rest = [region for region in drawn if region not in excluded]
    board = LabelBoard()
    draw_outlines(axes, board, record, excluded)
    for region in rest:
        _fill(axes, region, colours, _ALPHA)
    for contour in record["contours"]:
        _draw_contour(axes, contour)
    label_contours(axes, board, record, drawn)
    return [_patch(region, colours) for region in rest]


_DRAWERS = {"regions": _draw_regions, "outlines": _draw_outlines}


def _frame(record: ExclusionMapRecord) -> tuple[Figure, Axes]:
    figure = Figure(figsize=SIZE)
    axes = figure.subplots()
    for side, axis, spec in (("x", axes.xaxis, record["x"]), ("y", axes.yaxis, record["y"])):
        getattr(axes, f"set_{side}scale")(spec["scale"])
        getattr(axes, f"set_{side}lim")(spec["lower"], spec["upper"])
        axis.set_label_text(axis_label(spec), fontsize=9)
        _label_few_decades(axis, spec)
    axes.tick_params(which="both", labelsize=FONT, top=True, right=True)
    axes.ticklabel_format(axis="both", style="sci", scilimits=(-2, 3)) if (
        record["x"]["scale"] == record["y"]["scale"] == "linear"
    ) else None
    for axis in (axes.xaxis, axes.yaxis):
        axis.get_offset_text().set_fontsize(SMALL)
    title = wrapped(record["title"], SMALL, AXES_SIZE[0] - 2 * _OFFSET)
    axes.set_title(title, fontsize=SMALL, y=1.0)
    return figure, axes


def _label_few_decades(axis: Axis, spec: Mapping[str, Any]) -> None:
    """Label values between the powers of ten of a logarithmic axis that has less than two."""
    if spec["scale"] != "log":
        return
    low, high = (float(np.log10(spec[end])) for end in ("lower", "upper"))
    if np.floor(high + _ROUNDING) - np.ceil(low - _ROUNDING) >= 1:
        return
    axis.set_major_locator(FixedLocator([10**tick for tick in log_ticks((low, high))]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: in_digits(value)))
    axis.set_minor_formatter(NullFormatter())


def _style(region: Mapping[str, Any], colours: Colours) -> tuple[str, str]:
    if region["kind"] == "unreachable":
        return _UNREACHABLE_COLOUR, ""
    if region["kind"] == "joint":
        return _JOINT_COLOUR, ""
    return colours[region["label"]]


def _fill(axes: Axes, region: Mapping[str, Any], colours: Colours, alpha: float) -> None:
    colour, hatch = _style(region, colours)
    path = as_path(region["polygons"])
    # add_patch would update the limits from every point of the path, but they are set already.
    axes.add_artist(PathPatch(path, facecolor=colour, alpha=alpha, linewidth=0))
    axes.add_artist(
        PathPatch(
            path, facecolor="none", edgecolor=colour, linewidth=0.9, hatch=hatch or None,
            linestyle="--" if region["kind"] == "band" else "-",
        )
    )  # fmt: skip


def _draw_contour(axes: Axes, contour: Mapping[str, Any]) -> None:
    for line in contour["lines"]:
        axes.plot(*np.array(line).T, color="k", linewidth=0.8)


def _patch(region: Mapping[str, Any], colours: Colours) -> Patch:
    colour, hatch = _style(region, colours)
    return Patch(
        facecolor=to_rgba(colour, _ALPHA), edgecolor=colour, hatch=hatch or None,
        label=region["label"],
    )  # fmt: skip


def _named(everywhere: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return text about regions that cover the whole plane."""
    lines = []
    for words, kinds in _WHOLE.items():
        labels = [region["label"] for region in everywhere if region["kind"] in kinds]
        if labels:
            labels[0] = f"{words} {labels[0]}"
            lines += in_lines(labels, ", ", SMALL, SIZE[0] - 0.1)
    return lines


def _verdict(record: ExclusionMapRecord) -> list[str]:
    if record["allowed"] is not None or record["contours"]:
        return []
    parts = ["nothing is allowed", *blocking_words(record)]
    return wrapped(": ".join(parts), SMALL, SIZE[0] - 0.1).split("\n")


def _explain(figure: Figure, handles: Sequence[Patch], lines: Sequence[str], top: float) -> None:
    """Add a legend for regions without a label, and text about regions that are not drawn.

    ``top`` is the upper margin in inches.
    """
    rows = -(-len(handles) // _LEGEND_COLUMNS)
    extra = _LEGEND_ROW * (rows + len(lines)) + (0.05 if rows or lines else 0)
    height = SIZE[1] + extra + top - TOP
    figure.set_size_inches(SIZE[0], height)
    figure.subplots_adjust(
        left=LEFT / SIZE[0], right=1 - RIGHT / SIZE[0],
        bottom=(BOTTOM + extra) / height, top=1 - top / height,
    )  # fmt: skip
    for index, line in enumerate(lines):
        y = (0.03 + _LEGEND_ROW * (len(lines) - 1 - index)) / height
        figure.text(0.5, y, line, ha="center", fontsize=SMALL, color=MUTED)
    if handles:
        figure.legend(
            handles=handles, loc="lower center", ncols=_LEGEND_COLUMNS, fontsize=SMALL,
            bbox_to_anchor=(0.5, (_LEGEND_ROW * len(lines)) / height),
            borderaxespad=0.1, handlelength=1.2, columnspacing=1.0, labelspacing=0.3,
        )  # fmt: skip
