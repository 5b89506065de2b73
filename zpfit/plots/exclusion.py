"""Exclusion plots: the regions that experiments exclude, and the allowed region."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from shapely import LineString, MultiLineString, MultiPolygon, Polygon, box, make_valid
from shapely.geometry.base import BaseGeometry

from zpfit.io.arrays import FloatArray
from zpfit.plots.labels import LabelBoard, in_lines, text_size
from zpfit.plots.scales import axis_label
from zpfit.plots.style import BEST_FIT_COLOUR, MUTED

Colours = Mapping[str, tuple[str, str]]
"""Colour and hatch of each label."""

_SIZE = (3.4, 3.1)
"""Inches: one column of a journal."""
_LEFT, _BOTTOM, _RIGHT, _TOP = 0.68, 0.44, 0.14, 0.36
"""Margins in inches."""
_OFFSET = 0.3
"""Inches on either side of the title that are kept free for a power of ten of the axis."""
_TITLE_LINE, _TITLE_LINES = 0.13, 2
"""Height of a line of the title in inches, and the lines that the upper margin holds."""
_BREAKS = re.compile(r" (?=[^$]*(?:\$[^$]*\$[^$]*)*$)")
"""Blanks outside formulas, where a title can wrap."""
_LEGEND_ROW, _LEGEND_COLUMNS = 0.15, 3
_ALPHA, _DARKEST = 0.35, 0.88
"""Opacity of each region, and the largest opacity of all of them together."""
_OUTLINE = 1.1
"""Width of the outline of the allowed region, in points."""
_FONT, _SMALL = 8.0, 7.0
_PLACES, _LABEL_ROOM = 41, 0.2
"""Fractions of a contour where its label can be, and the free space around it in inches."""
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
_HALO = withStroke(linewidth=1.8, foreground="w", alpha=0.85)
"""Outline of labels, which makes them legible on any colour."""
_HATCHES = ("", "////", "....", "xxxx")
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


def drawn_labels(record: Mapping[str, Any]) -> list[str]:
    """Return the labels that need colours, in the order of the record."""
    return [
        region["label"]
        for region in record["regions"]
        if region["kind"] in _OWN_COLOUR and region["share"] > 0
    ]


def exclusion_figure(record: Mapping[str, Any], colours: Colours | None = None) -> Figure:
    """Draw an exclusion map.

    Parameters
    ----------
    record
        Record of the map.
    colours
        Colours by label, so that several figures agree.

    """
    colours = colours or colours_of(drawn_labels(record))
    regions = [r for r in record["regions"] if r["share"] > 0 and r["kind"] != "allowed"]
    everywhere = [r for r in regions if r["share"] > _EVERYWHERE]
    drawn = [r for r in regions if r["share"] <= _EVERYWHERE]
    drawn.sort(key=lambda r: r["kind"] != "joint")  # its outline repeats those of others
    figure, axes = _frame(record)
    # The more there are, the lighter each is, so that all of them together are no mud.
    alpha = min(_ALPHA, 1 - (1 - _DARKEST) ** (1 / max(len(drawn), 1)))
    for region in drawn:
        _fill(axes, region, colours, alpha)
    for contour in record["contours"]:
        _draw_contour(axes, contour)
    board = LabelBoard()
    if record["contours"]:
        _label_contours(axes, board, record, drawn)
    else:
        _mark_allowed(axes, board, record)
    unnamed = _label_regions(axes, board, record, drawn)
    handles = [_patch(region, colours) for region in unnamed]
    lines = axes.get_title().count("\n") + 1
    top = _TOP + _TITLE_LINE * max(lines - _TITLE_LINES, 0)
    _explain(figure, handles, [*_named(everywhere), *_verdict(record)], top)
    return figure


def _frame(record: Mapping[str, Any]) -> tuple[Figure, Axes]:
    figure = Figure(figsize=_SIZE)
    axes = figure.subplots()
    for side, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
        spec = record[side]
        getattr(axes, f"set_{side}scale")(spec["scale"])
        getattr(axes, f"set_{side}lim")(spec["lower"], spec["upper"])
        axis.set_label_text(axis_label(spec), fontsize=9)
    axes.tick_params(which="both", labelsize=_FONT, top=True, right=True)
    axes.ticklabel_format(axis="both", style="sci", scilimits=(-2, 3)) if (
        record["x"]["scale"] == record["y"]["scale"] == "linear"
    ) else None
    for axis in (axes.xaxis, axes.yaxis):
        axis.get_offset_text().set_fontsize(_SMALL)
    words = _BREAKS.split(record["title"])
    title = in_lines(words, " ", _SMALL, _axes_inches()[0] - 2 * _OFFSET)
    axes.set_title("\n".join(title), fontsize=_SMALL, y=1.0)
    return figure, axes


def _path(polygons: Sequence[Sequence[FloatArray | Sequence[Sequence[float]]]]) -> Path:
    """Return polygons as one path; holes run against their outer ring and stay empty."""
    vertices: list[Any] = []
    codes: list[Any] = []
    for rings in polygons:
        for ring in rings:
            vertices.extend(ring)
            codes.extend([Path.MOVETO, *[Path.LINETO] * (len(ring) - 2), Path.CLOSEPOLY])
    return Path(vertices, codes)


def _style(region: Mapping[str, Any], colours: Colours) -> tuple[str, str]:
    if region["kind"] == "unreachable":
        return _UNREACHABLE_COLOUR, ""
    if region["kind"] == "joint":
        return _JOINT_COLOUR, ""
    return colours[region["label"]]


def _fill(axes: Axes, region: Mapping[str, Any], colours: Colours, alpha: float) -> None:
    colour, hatch = _style(region, colours)
    path = _path(region["polygons"])
    # The limits stand already: add_patch would go along every stretch of the path to find them.
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


def _label_contours(
    axes: Axes,
    board: LabelBoard,
    record: Mapping[str, Any],
    drawn: Sequence[Mapping[str, Any]],
) -> None:
    """Write each level on its longest line, away from other lines and edges."""

    def inches(ring: Sequence[Sequence[float]]) -> FloatArray:
        return _unit(record, ring) * _axes_inches()

    lines = [[inches(line) for line in contour["lines"]] for contour in record["contours"]]
    edges = [inches(ring) for region in drawn for rings in region["polygons"] for ring in rings]
    for index, contour in enumerate(record["contours"]):
        if not lines[index]:
            continue
        longest = max(lines[index], key=lambda line: LineString(line).length)
        others = [line for each in lines[:index] + lines[index + 1 :] for line in each]
        x, y = _clearest(longest, [*others, *edges]) / _axes_inches()
        text = _level(contour["level"])
        board.take_box(x, y, text_size(text, _SMALL, _axes_inches()))
        axes.text(
            x,
            y,
            text,
            transform=axes.transAxes,
            fontsize=_SMALL,
            ha="center",
            va="center",
            bbox={"facecolor": "w", "edgecolor": "none", "pad": 0.8, "alpha": 0.9},
        )


def _clearest(line: FloatArray, others: Sequence[FloatArray]) -> FloatArray:
    """Return the point of a line, in inches, that is nearest to its middle and clear of others."""
    shares, frame = np.linspace(0, 1, _PLACES), box(0, 0, *_axes_inches()).exterior
    places = shapely.line_interpolate_point(LineString(line), shares, normalized=True)
    room = shapely.distance(places, MultiLineString([*others, frame.coords]))
    merit = np.minimum(room, _LABEL_ROOM) - 1e-3 * np.abs(shares - 0.5)
    [best] = shapely.get_coordinates(places[np.argmax(merit)])
    return np.asarray(best)


def _level(value: float) -> str:
    mantissa, exponent = f"{value:.1e}".split("e")
    digits = mantissa.removesuffix(".0")
    power = f"10^{{{int(exponent)}}}"
    return f"${power}$" if digits == "1" else rf"${digits}\times {power}$"


def _unit(record: Mapping[str, Any], ring: Sequence[Sequence[float]]) -> FloatArray:
    """Return corners in fractions of the axes, shape (n, 2)."""
    columns = []
    for side, values in zip("xy", np.array(ring).T, strict=True):
        lower, upper, scale = (record[side][key] for key in ("lower", "upper", "scale"))
        if scale == "log":
            columns.append(np.log(values / lower) / np.log(upper / lower))
        else:
            columns.append((values - lower) / (upper - lower))
    return np.stack(columns, axis=1)


def _shape(record: Mapping[str, Any], region: Mapping[str, Any]) -> BaseGeometry:
    polygons = [
        Polygon(_unit(record, rings[0]), [_unit(record, hole) for hole in rings[1:]])
        for rings in region["polygons"]
    ]
    return make_valid(MultiPolygon(polygons))


def _axes_inches() -> tuple[float, float]:
    return _SIZE[0] - _LEFT - _RIGHT, _SIZE[1] - _BOTTOM - _TOP


def _label_regions(
    axes: Axes,
    board: LabelBoard,
    record: Mapping[str, Any],
    drawn: Sequence[Mapping[str, Any]],
) -> list[Mapping[str, Any]]:
    """Write labels into regions; return the regions that are too small."""
    shapes = [_shape(record, region) for region in drawn]
    masks = [board.mask(shape) for shape in shapes]
    layers = np.sum(masks, axis=0) if masks else np.empty(0)
    unnamed = []
    for index in np.argsort([shape.area for shape in shapes]):
        region, mask = drawn[index], masks[index]
        size = text_size(region["label"], _FONT, _axes_inches())
        # Where few others lie on top, so that it is clear what is meant.
        depths = range(1, int(layers.max()) + 1)
        places = (board.place(mask & (layers <= depth), size) for depth in depths)
        place = next((place for place in places if place is not None), None)
        if place is None:
            unnamed.append(region)
            continue
        axes.text(
            place.x, place.y, region["label"], transform=axes.transAxes, rotation=place.rotation,
            ha="center", va="center", fontsize=_FONT, path_effects=[_HALO],
        )  # fmt: skip
    return unnamed


def _mark_allowed(axes: Axes, board: LabelBoard, record: Mapping[str, Any]) -> None:
    [allowed] = [region for region in record["regions"] if region["kind"] == "allowed"]
    if not allowed["polygons"]:
        return
    shape = _shape(record, allowed)
    axes.add_artist(PathPatch(_path(allowed["polygons"]), facecolor="w", linewidth=0))
    axes.add_artist(
        PathPatch(
            _path_in_axes(_closed(shape, 1.5 * _OUTLINE)), facecolor="none",
            edgecolor=BEST_FIT_COLOUR, linewidth=_OUTLINE, transform=axes.transAxes,
        )
    )  # fmt: skip
    parts = getattr(shape, "geoms", [shape])
    widest = max(parts, key=lambda part: part.area)
    target = widest.representative_point()
    text = "allowed"
    size = text_size(text, _FONT, _axes_inches())
    inside = board.place(board.mask(widest), size)
    board.take(board.mask(shape.buffer(_points(3 * _OUTLINE))))  # no label may cover it
    if inside is not None:
        axes.text(
            inside.x, inside.y, text, transform=axes.transAxes, rotation=inside.rotation,
            ha="center", va="center", fontsize=_FONT, color=BEST_FIT_COLOUR,
        )  # fmt: skip
        return
    place = board.place_near((target.x, target.y), size)
    if place is not None:
        axes.annotate(
            text, (target.x, target.y), (place.x, place.y), xycoords="axes fraction",
            ha="center", va="center", fontsize=_FONT, color=BEST_FIT_COLOUR,
            arrowprops={"arrowstyle": "->", "color": BEST_FIT_COLOUR, "linewidth": 1.2},
            bbox={"facecolor": "w", "edgecolor": "none", "pad": 1.0},
        )  # fmt: skip


def _points(length: float) -> float:
    """Return a length in points as a fraction of the axes."""
    return length / 72 / min(_axes_inches())


def _closed(shape: BaseGeometry, gap: float) -> BaseGeometry:
    """Return a shape without gaps that an outline would cover."""
    half = _points(gap) / 2
    closed: BaseGeometry = shape.buffer(half, join_style="mitre").buffer(-half, join_style="mitre")
    return closed


def _path_in_axes(shape: BaseGeometry) -> Path:
    """Return a shape of the unit square as a path in fractions of the axes."""
    parts = [part for part in getattr(shape, "geoms", [shape]) if isinstance(part, Polygon)]
    return _path([[np.asarray(r.coords) for r in (p.exterior, *p.interiors)] for p in parts])


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
            lines += in_lines(labels, ", ", _SMALL, _SIZE[0] - 0.1)
    return lines


def _verdict(record: Mapping[str, Any]) -> list[str]:
    return ["nothing is allowed"] if record["allowed"] is None and not record["contours"] else []


def _explain(figure: Figure, handles: Sequence[Patch], lines: Sequence[str], top: float) -> None:
    """Add a legend for regions without a label, and text about regions that are not drawn.

    ``top`` is the upper margin in inches.
    """
    rows = -(-len(handles) // _LEGEND_COLUMNS)
    extra = _LEGEND_ROW * (rows + len(lines)) + (0.05 if rows or lines else 0)
    height = _SIZE[1] + extra + top - _TOP
    figure.set_size_inches(_SIZE[0], height)
    figure.subplots_adjust(
        left=_LEFT / _SIZE[0], right=1 - _RIGHT / _SIZE[0],
        bottom=(_BOTTOM + extra) / height, top=1 - top / height,
    )  # fmt: skip
    for index, line in enumerate(lines):
        y = (0.03 + _LEGEND_ROW * (len(lines) - 1 - index)) / height
        figure.text(0.5, y, line, ha="center", fontsize=_SMALL, color=MUTED)
    if handles:
        figure.legend(
            handles=handles, loc="lower center", ncols=_LEGEND_COLUMNS, fontsize=_SMALL,
            bbox_to_anchor=(0.5, (_LEGEND_ROW * len(lines)) / height),
            borderaxespad=0.1, handlelength=1.2, columnspacing=1.0, labelspacing=0.3,
        )  # fmt: skip
