"""Exclusion plots: the regions that experiments exclude, and the allowed region."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch

from zpfit.analysis.exclusion.statement import blocking_words
from zpfit.analysis.records import ExclusionMapRecord
from zpfit.io.figure_spec import FigureSpec, described_by
from zpfit.plots.exclusion_choice import SQUARE, arranged
from zpfit.plots.exclusion_labels import (
    anchor_of,
    label_beside,
    label_contours,
    label_regions,
    mark_allowed,
)
from zpfit.plots.exclusion_layout import Layout, as_path, layout_of, region_shape
from zpfit.plots.exclusion_outlines import (
    anchor_on,
    draw_outlines,
    label_outlines,
    outlined_labels,
)
from zpfit.plots.exclusion_statement import statement_lines
from zpfit.plots.labels import LabelBoard, in_lines, text_width, wrapped
from zpfit.plots.scales import (
    Room,
    axis_label,
    coordinates,
    longest_label,
    room_for,
    scale_of,
    set_native_ticks,
)
from zpfit.plots.style import (
    COLUMN,
    MUTED,
    StyledFigure,
    finished,
    points,
)

_MARGIN = 0.1
"""Inches that lines below the axes leave free."""
_MOST_COLOURS = 8
"""Largest number of regions that a plane shows in colours of their own by default."""
Colours = Mapping[str, tuple[str, str]]
"""Colour and hatch of each label."""

_LEGEND_ROW, _LEGEND_GAP = 1.45, 0.05
"""Height of a row of the legend in sizes of its text, and the gap above it in inches."""
_SWATCH = 0.42
"""Width of a legend's sample and of the gap to the next column, in inches."""
_ALPHA, _DARKEST = 0.35, 0.88
"""Opacity of each region, and the largest opacity of all of them together."""
_BOLD_COLOURS = ("#CC3311", "#0077BB", "#009988", "#AA3377", "#000000")
"""Colours of highlighted regions."""
_UNREACHABLE_COLOUR, _JOINT_COLOUR = "#88CCEE", "#AAAAAA"
_BOLD = 1.8
"""Width of the outline of a highlighted region, in points."""
_OWN_COLOUR = ("excluded", "impossible", "band", "line")
"""Kinds of regions that have colours of their own."""
_PALETTE = (
    "#AA4499", "#882255", "#DDCC77", "#E69F00", "#117733", "#CC6677", "#332288", "#44AA99",
    "#999933", "#777777",
)  # fmt: skip
"""Paul Tol's muted palette (personal.sron.nl/~pault), safe for colour-blind readers.

The blue that marks unreachable regions is left out.
"""
_ON_GREY = {
    "#DDCC77": "#8A6D00", "#E69F00": "#994F00", "#CC6677": "#CC3311", "#44AA99": "#007A72",
    "#999933": "#5F7000", "#777777": "#000000",
}  # fmt: skip
"""Colours of lines on grey for those colours of the palette that are too light for them."""
_HATCHES = ("", "////", "....", "xxxx")
_ROUNDING = 1e-9
"""Rounding error of a decimal logarithm."""
_EVERYWHERE = 0.99999
"""Fraction of the plane above which a region is named below the figure instead of drawn."""
_UNITED = ("excluded", "impossible")
"""Kinds of regions that a grey union holds."""
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


def settled_colours(records: Sequence[ExclusionMapRecord]) -> Colours:
    """Return a colour for each label, the same in all figures of some maps.

    Labels of one figure have different colours as long as there are enough, then hatches.
    """
    figures = [
        leading_labels(record) if _is_union(record, record["regions"]) else drawn_labels(record)
        for record in records
    ]
    together: dict[str, set[str]] = {}
    for labels in figures:
        for label in labels:
            together.setdefault(label, set()).update(labels)
    found: dict[str, tuple[str, str]] = {}
    for label in sorted(together, key=lambda label: -len(together[label])):
        near = [found[other] for other in together[label] if other in found]
        used = Counter(colour for colour, _ in near)
        colour = min(_PALETTE, key=lambda colour: used[colour])
        free = [hatch for hatch in _HATCHES if (colour, hatch) not in near]
        found[label] = (colour, free[0] if free else "")
    return found


def drawn_labels(record: ExclusionMapRecord) -> list[str]:
    """Return the labels that need colours, in the order of the record."""
    return [
        region["label"]
        for region in record["regions"]
        if region["kind"] in _OWN_COLOUR and region["share"] > 0
    ]


def leading_labels(record: ExclusionMapRecord) -> list[str]:
    """Return the labels of the limits whose outlines a grey union shows."""
    regions = [r for r in record["regions"] if r["kind"] in _UNITED and _is_drawn(r)]
    return outlined_labels(record, regions)


def _is_drawn(region: Mapping[str, Any]) -> bool:
    return bool(0 < region["share"] <= _EVERYWHERE)


def exclusion_figure(
    record: ExclusionMapRecord,
    spec: FigureSpec | None = None,
    colours: Colours | None = None,
) -> Figure:
    """Draw an exclusion map.

    Parameters
    ----------
    record
        Record of the map.
    spec
        Description of the figure. Its keys prevail over those that the record holds.
    colours
        Colours by label, so that several figures agree. Outlines on grey have darker ones.

    Raises
    ------
    InvalidInput
        The description names something that the map does not have.
    """
    spec = described_by(record, spec)
    return finished(Plane(record, spec, colours).draw())


class Plane:
    """An exclusion map on its way to a figure.

    Parameters
    ----------
    record, spec, colours
        See :func:`exclusion_figure`.
    taken
        Colours that outlines of limits may not have.
    """

    def __init__(
        self,
        record: ExclusionMapRecord,
        spec: FigureSpec,
        colours: Colours | None,
        taken: Sequence[str] = (),
    ) -> None:
        self.record, self.spec = arranged(record, spec), spec
        regions = [r for r in self.record["regions"] if r["share"] > 0 and r["kind"] != "allowed"]
        self.everywhere = [r for r in regions if r["share"] > _EVERYWHERE]
        drawn = [r for r in regions if r["share"] <= _EVERYWHERE]
        self.settled = colours or {}
        colours = colours or colours_of(drawn_labels(self.record))
        self.colours = {**colours, **_own_colours(drawn, spec)}
        self.drawn = [
            {**region, "colour": _style(region, self.colours)[0]} if region.get("bold") else region
            for region in drawn
        ]
        self.layout = self._layout()
        self.board = LabelBoard()
        self.taken = tuple(taken)

    def draw(self, further: Callable[[Axes], Sequence[Artist]] = lambda _: ()) -> Figure:
        """Return the figure.

        Parameters
        ----------
        further
            Draws more on the axes, and returns its part of the legend.
        """
        figure, axes = self._frame()
        union = self.spec.union
        if union is None:
            union = _is_union(self.record, self.drawn)
        handles = self._outlines(axes) if union else self._regions(axes)
        handles = [*further(axes), *handles]
        size, width = self.layout.small, self.layout.width - _MARGIN
        lines = [*_verdict(self.record, size, width), *statement_lines(self.record, size, width)]
        _explain(figure, self.layout, handles, [*self._named(), *lines])
        return figure

    def _layout(self) -> Layout:
        y = self.record["y"]
        size, limits = points("ytick.labelsize"), coordinates(y, (y["lower"], y["upper"]))
        inches = 0.75 * (self.spec.width or COLUMN)
        longest = longest_label(scale_of(y), limits, _room(inches, across=False), size)
        return layout_of(self.record, self.spec, longest)

    def _frame(self) -> tuple[Figure, Axes]:
        layout = self.layout
        figure = StyledFigure(figsize=(layout.width, layout.height))
        axes = figure.subplots()
        sides = (("x", axes.xaxis, self.record["x"]), ("y", axes.yaxis, self.record["y"]))
        for (side, axis, attributes), inches in zip(sides, layout.axes, strict=True):
            getattr(axes, f"set_{side}scale")(attributes["scale"])
            getattr(axes, f"set_{side}lim")(attributes["lower"], attributes["upper"])
            axis.set_label_text(axis_label(attributes), fontsize=points("axes.labelsize"))
            set_native_ticks(axis, attributes, _room(inches, across=side == "x"))
        size = points("xtick.labelsize")
        axes.tick_params(which="both", labelsize=size, top=True, right=True)
        axes.set_title(layout.title, fontsize=layout.small, y=1.0, pad=3)
        return figure, axes

    def _regions(self, axes: Axes) -> list[Artist]:
        """Fill each region with its colour; return the legend of those without a label."""
        # The outline of the joint region repeats those of others and lies below them.
        order = {"joint": 0}
        drawn = sorted(self.drawn, key=lambda r: (r.get("bold", False), order.get(r["kind"], 1)))
        # Opacity falls with the number of regions, so that overlaps stay legible.
        alpha = min(_ALPHA, 1 - (1 - _DARKEST) ** (1 / max(len(drawn), 1)))
        for region in drawn:
            _fill(axes, region, self.colours, alpha)
        self._contours(axes)
        if self.record["contours"]:
            label_contours(axes, self.board, self.layout, self.record, drawn)
        else:
            mark_allowed(axes, self.board, self.layout, self.record)
        if self.spec.labels == "outside":
            self._beside(axes, [(r["label"], r, self._anchor(r)) for r in drawn])
            return []
        if self.spec.labels == "legend":
            return [_patch(region, self.colours) for region in drawn]
        left = label_regions(axes, self.board, self.layout, self.record, drawn)
        return [_patch(region, self.colours) for region in left]

    def _outlines(self, axes: Axes) -> list[Artist]:
        """Draw excluded regions as one; return the legend of the others."""
        bold = [region for region in self.drawn if region.get("bold")]
        excluded = [r for r in self.drawn if r["kind"] in _UNITED and r not in bold]
        rest = [region for region in self.drawn if region not in excluded]
        taken = [*self.taken, *(region["colour"] for region in bold)]
        chosen = _own_colours(excluded, self.spec)
        own = {label: _ON_GREY.get(colour, colour) for label, (colour, _) in self.settled.items()}
        own |= {label: colour for label, (colour, _) in chosen.items()}
        pairs = draw_outlines(axes, self.board, self.layout, self.record, excluded, own, taken)
        for region in rest:
            _fill(axes, region, self.colours, _ALPHA)
        self._contours(axes)
        label_contours(axes, self.board, self.layout, self.record, self.drawn)
        if not self.record["contours"]:
            mark_allowed(axes, self.board, self.layout, self.record)
        if self.spec.labels == "outside":
            found = [(leader.label, colour, anchor_on(leader)) for leader, colour in pairs]
            label_beside(axes, self.layout, found, dark=True)
        handles: list[Artist] = []
        if self.spec.labels == "legend":
            handles += [Line2D([], [], color=own, label=one.label) for one, own in pairs]
        named = label_regions(axes, self.board, self.layout, self.record, bold)
        handles += [_patch(r, self.colours) for r in rest if r not in bold or r in named]
        if self.spec.labels in (None, "inside"):
            label_outlines(axes, self.board, self.layout, pairs)
        return handles

    def _anchor(self, region: Mapping[str, Any]) -> tuple[float, float]:
        return anchor_of(region_shape(self.record, region).intersection(SQUARE))

    def _beside(
        self, axes: Axes, found: Sequence[tuple[str, Mapping[str, Any], tuple[float, float]]]
    ) -> None:
        anchors = [(label, _style(own, self.colours)[0], place) for label, own, place in found]
        label_beside(axes, self.layout, anchors, dark=False)

    def _contours(self, axes: Axes) -> None:
        for contour in self.record["contours"]:
            _draw_contour(axes, contour)

    def _named(self) -> list[str]:
        """Return text about regions that cover the whole plane."""
        lines = []
        for words, kinds in _WHOLE.items():
            labels = [region["label"] for region in self.everywhere if region["kind"] in kinds]
            if labels:
                labels[0] = f"{words} {labels[0]}"
                lines += in_lines(labels, ", ", self.layout.small, self.layout.width - 0.1)
        return lines


def _own_colours(drawn: Sequence[Mapping[str, Any]], spec: FigureSpec) -> dict[str, Any]:
    """Return the colours that a figure gives, and that of highlighted regions, by label."""
    found: dict[str, tuple[str, str]] = {}
    for region in drawn:
        own = spec.colours.get(region["name"], spec.colours.get(region["label"]))
        if own is None and region.get("bold"):
            own = _BOLD_COLOURS[len(found) % len(_BOLD_COLOURS)]
        if own is not None:
            found[region["label"]] = (own, "")
    return found


def _is_union(record: ExclusionMapRecord, drawn: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether many regions become one; bands and contours need their colours."""
    shown = [r for r in drawn if _is_drawn(r) and r["kind"] != "allowed"]
    plain = not record["contours"] and all(region["kind"] != "band" for region in shown)
    return plain and len({region["label"] for region in shown}) > _MOST_COLOURS


def _room(inches: float, *, across: bool) -> Room:
    typical = r"$2\times10^{-3}$" if across else "0"
    room = room_for(inches, typical, points("xtick.labelsize"), across=across)
    return Room(max(room.most, 3) + 1, 0.0, inches)


def _style(region: Mapping[str, Any], colours: Colours) -> tuple[str, str]:
    if region["kind"] == "unreachable":
        return _UNREACHABLE_COLOUR, ""
    if region["kind"] == "joint":
        return _JOINT_COLOUR, ""
    return colours[region["label"]]


def _fill(axes: Axes, region: Mapping[str, Any], colours: Colours, alpha: float) -> None:
    colour, hatch = _style(region, colours)
    path = as_path(region["polygons"])
    if region["kind"] != "line":
        # add_patch would update the limits from every point of the path, but they are set already.
        axes.add_artist(PathPatch(path, facecolor=colour, alpha=alpha, linewidth=0))
    width = _BOLD if region.get("bold") else 0.9
    axes.add_artist(
        PathPatch(
            path, facecolor="none", edgecolor=colour, linewidth=width, hatch=hatch or None,
            linestyle="--" if region["kind"] == "band" else "-",
        )
    )  # fmt: skip


def _draw_contour(axes: Axes, contour: Mapping[str, Any]) -> None:
    for line in contour["lines"]:
        axes.plot(*np.array(line).T, color="k", linewidth=0.8)


def _patch(region: Mapping[str, Any], colours: Colours) -> Artist:
    colour, hatch = _style(region, colours)
    if region["kind"] == "line":
        return Line2D([], [], color=colour, label=region["label"])
    return Patch(
        facecolor=to_rgba(colour, _ALPHA), edgecolor=colour, hatch=hatch or None,
        label=region["label"], linewidth=_BOLD if region.get("bold") else 0.9,
    )  # fmt: skip


def _verdict(record: ExclusionMapRecord, size: float, width: float) -> list[str]:
    if record["allowed"] is not None or record["contours"]:
        return []
    parts = ["nothing is allowed", *blocking_words(record)]
    return wrapped(": ".join(parts), size, width).split("\n")


def _explain(
    figure: Figure, layout: Layout, handles: Sequence[Artist], lines: Sequence[str]
) -> None:
    """Add a legend for regions without a label, and text about regions that are not drawn."""
    size = layout.small
    row = _LEGEND_ROW * size / 72
    widest = max([text_width(str(own.get_label()), size) for own in handles] or [1.0])
    columns = max(1, min(int(layout.width / (widest + _SWATCH)), max(len(handles), 1)))
    rows = -(-len(handles) // columns)
    extra = row * (rows + len(lines)) + (_LEGEND_GAP if rows or lines else 0)
    height = layout.height + extra
    figure.set_size_inches(layout.width, height)
    figure.subplots_adjust(
        left=layout.left / layout.width, right=1 - layout.right / layout.width,
        bottom=(layout.bottom + extra) / height, top=1 - layout.top / height,
    )  # fmt: skip
    for index, line in enumerate(lines):
        y = (0.03 + row * (len(lines) - 1 - index)) / height
        figure.text(0.5, y, line, ha="center", fontsize=size, color=MUTED)
    if handles:
        figure.legend(
            handles=list(handles), loc="lower center", ncols=columns, fontsize=size,
            bbox_to_anchor=(0.5, (row * len(lines)) / height),
            borderaxespad=0.1, handlelength=1.2, columnspacing=1.0, labelspacing=0.3,
        )  # fmt: skip
