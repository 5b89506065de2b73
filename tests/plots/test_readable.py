"""Figures at the width of a journal's column: sizes of text, labelled ticks, nothing cut off."""

import re
from collections.abc import Callable
from functools import partial
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.text import Text
from records import (
    CELLS,
    COVERAGE,
    MASS,
    ROWS,
    SUMMARY,
    SYMBOLS,
    TENSION,
    TITLE,
    TOY_COLUMNS,
    TOYS,
    couplings,
    limit,
    plane,
    profile,
    samples,
)

from zpfit.errors import InvalidInput
from zpfit.io.figure_spec import FigureSpec
from zpfit.io.formulas import as_formulas
from zpfit.plots.campaign import campaign_figure
from zpfit.plots.comparison import chi2_figure, evidence_figure, overlay_figure
from zpfit.plots.corner import corner_figure
from zpfit.plots.coverage import coverage_figure
from zpfit.plots.exclusion import exclusion_figure
from zpfit.plots.exclusion_overlay import overlay_figure as plane_overlay
from zpfit.plots.labels import text_width
from zpfit.plots.limits import limit_figure
from zpfit.plots.profile import profile_figure
from zpfit.plots.pulls import pulls_figure
from zpfit.plots.scales import Linear, Log, SignedLog
from zpfit.plots.style import house_style
from zpfit.plots.tension import tension_figure
from zpfit.plots.toys import toys_figure
from zpfit.plots.trace import trace_figure

pytestmark = pytest.mark.drawn

PRL = FigureSpec(width="prl")
SMALLEST = 6.0
PIXEL = 1.0


def corner(number: int) -> Figure:
    stored, best = samples(number)
    figure = corner_figure(stored, best, TITLE, PRL)
    assert figure is not None
    return figure


FIGURES: dict[str, Callable[[], Figure]] = {
    "corner 1": lambda: corner(1),
    "corner 2": lambda: corner(2),
    "corner 7": lambda: corner(7),
    "pulls": lambda: pulls_figure(SUMMARY, PRL),
    "trace": lambda: trace_figure(samples(3)[0], TITLE, PRL),
    "profile": lambda: profile_figure(profile(), PRL),
    "limit": lambda: limit_figure(limit(), PRL),
    "tension": lambda: tension_figure(TENSION, PRL),
    "toys": lambda: toys_figure(TOYS, TOY_COLUMNS, PRL),
    "coverage": lambda: coverage_figure(COVERAGE, PRL),
    "campaign": lambda: campaign_figure(TITLE, CELLS, PRL),
    "evidence": lambda: evidence_figure(ROWS, PRL),
    "chi2": lambda: chi2_figure(ROWS, PRL),
    "couplings": lambda: overlay_figure(
        couplings(), {"m_Zp": "m_{Z'}", "C_Ve": "C_{Ve}", "C_Ae": "C_{Ae}"}, PRL
    ),
    "few regions": lambda: exclusion_figure(plane(4), PRL),
    "many regions": lambda: exclusion_figure(plane(12), PRL),
    "outside": lambda: exclusion_figure(plane(12), PRL.changed(FigureSpec(labels="outside"))),
    "legend": lambda: exclusion_figure(plane(5), PRL.changed(FigureSpec(labels="legend"))),
    "planes": lambda: plane_overlay({"mine": plane(3), "yours": plane(9)}, {"own": limit()}, PRL),
}

SLOW = {"corner 1", "corner 7", "many regions"}
"""Figures of which smaller or larger ones are drawn in the fast tests."""


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in FIGURES],
)
def test_a_figure_is_readable_in_one_column(name: str):
    with house_style():
        figure = FIGURES[name]()
        renderer = FigureCanvasAgg(figure).get_renderer()
        figure.draw(renderer)
    assert figure.get_size_inches()[0] == pytest.approx(3.375)
    axes = [axis for panel in figure.axes for axis in (panel.xaxis, panel.yaxis)]
    ticks = [tick_labels(axis) for axis in axes]
    outside = {id(text) for axis in axes for text in not_drawn(axis)}
    width, height = figure.bbox.size
    for text in figure.findobj(Text):
        if not isinstance(text, Text) or not text.get_text().strip() or id(text) in outside:
            continue
        if not text.get_visible():
            continue
        box = text.get_window_extent(renderer)
        assert text.get_fontsize() >= SMALLEST, text
        assert is_typeset(text.get_text()), text
        assert box.x0 >= -PIXEL and box.x1 <= width + PIXEL, text  # noqa: PT018
        assert box.y0 >= -PIXEL and box.y1 <= height + PIXEL, text  # noqa: PT018
    for axis, labels in zip(axes, ticks, strict=True):
        assert not axis.get_offset_text().get_text()
        if axis.axes.get_visible() and has_scale(axis):
            assert len(labels) >= 2, (axis, [text.get_text() for text in labels])
        boxes = [text.get_window_extent(renderer) for text in labels]
        pairs = combinations(zip(boxes, labels, strict=True), 2)
        assert not [(a.get_text(), b.get_text()) for (p, a), (q, b) in pairs if p.overlaps(q)]


def is_typeset(text: str) -> bool:
    """Return whether a text has neither names of files nor physics in ASCII."""
    words = re.sub(r"\$[^$]*\$", "", text)
    return as_formulas(text) == text and "_" not in words


def has_scale(axis: Axis) -> bool:
    """Return whether an axis shows labels, of numbers and not of rows."""
    low, high = sorted(axis.get_view_interval())
    shown = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    on = any(tick.label1.get_visible() or tick.label2.get_visible() for tick in shown)
    # matplotlib keeps words in a dictionary, to which it binds its formatter.
    rows = isinstance(getattr(axis.get_major_formatter(), "func", None), partial)
    return bool(shown) and on and not rows


def tick_labels(axis: Axis) -> list[Text]:
    hidden = {id(text) for text in not_drawn(axis)}
    texts = [t for tick in axis.get_major_ticks() for t in (tick.label1, tick.label2)]
    return [t for t in texts if id(t) not in hidden and t.get_visible() and t.get_text()]


def not_drawn(axis: Axis) -> list[Text]:
    """Return labels of ticks outside the limits of an axis, or of an axis that is off."""
    low, high = sorted(axis.get_view_interval())
    off = not axis.get_visible() or not axis.axes.axison or not axis.axes.get_visible()
    return [
        label
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
        if off or not low <= tick.get_loc() <= high
        for label in (tick.label1, tick.label2)
    ]


@pytest.mark.parametrize(
    ("scale", "limits"),
    [
        (Log(), (np.log10(14), np.log10(30))),
        (Log(), (0.0, 2.0)),
        (Log(), (1.30, 1.31)),
        (Log(), (-9.0, 9.0)),
        (Linear(), (16.9999, 17.0001)),
        (Linear(), (-1e-9, 1e-9)),
        (Linear(), (0.0, 0.2)),
        (SignedLog(1e-8), (3.1, 3.9)),
        (SignedLog(1e-8), (-3.9, -3.1)),
        (SignedLog(1e-8), (-0.4, 5.0)),
    ],
)
def test_every_axis_has_two_different_labels(scale, limits):
    panel = Figure().subplots()
    panel.set_xlim(*limits)
    scale.set_ticks(panel.xaxis, limits)
    panel.figure.draw_without_rendering()
    labels = [text.get_text() for text in tick_labels(panel.xaxis)]
    assert len(set(labels)) == len(labels) >= 2
    assert len(panel.xaxis.get_minorticklocs()) > 0


def test_a_narrow_parameter_is_in_the_corner_plot():
    """1e-10 times (5 +- 0.001): neither its size nor its spread is a reason to leave it out."""
    with house_style():
        figure = corner(3)
    assert len(figure.axes) == 6
    assert figure.axes[5].get_xlabel() == f"${SYMBOLS[2]}$"


def test_a_users_settings_prevail():
    with mpl.rc_context({"font.size": 12.0, "font.family": ["monospace"]}), house_style():
        figure = exclusion_figure(plane(3))
        label = figure.axes[0].xaxis.label
    assert label.get_fontsize() == 12.0
    assert label.get_fontfamily() == ["monospace"]


def test_style_sheets_prevail(tmp_path):
    sheet = tmp_path / "talk.mplstyle"
    sheet.write_text("font.size: 14\n", encoding="utf-8")
    with house_style([sheet]):
        assert exclusion_figure(plane(3)).axes[0].xaxis.label.get_fontsize() == 14.0


def drawn_labels(figure: Figure) -> set[str]:
    legend = {text.get_text() for each in figure.legends for text in each.get_texts()}
    return legend | {text.get_text() for text in figure.axes[0].texts}


def test_hidden_grouped_and_highlighted_entries():
    spec = FigureSpec(
        hide=("entry_0_2020",),
        groups={"Both": ("entry_1_2020", "entry_2_2020")},
        highlight=("Search 3",),
        colours={"entry_3_2020": "red"},
    )
    with house_style():
        figure = exclusion_figure(plane(4), spec)
    assert {"Both", "Search 3"} <= drawn_labels(figure)
    assert not {"Search 0", "Search 1", "Search 2"} & drawn_labels(figure)
    bold = [text for text in figure.axes[0].texts if text.get_text() == "Search 3"]
    assert [(text.get_color(), text.get_weight()) for text in bold] == [("red", "bold")]


def test_unknown_entries_are_named_with_what_is_meant():
    with house_style(), pytest.raises(InvalidInput, match="did you mean 'entry_1_2020'"):
        exclusion_figure(plane(3), FigureSpec(hide=("entry_1_2021",)))


def test_axes_can_be_narrowed_but_not_beyond_the_plane():
    narrow = FigureSpec.model_validate({"axes": {"m_Zp": {"lower": 16, "upper": 20}}})
    wide = FigureSpec.model_validate({"axes": {"m_Zp": {"lower": 10, "upper": 20}}})
    with house_style():
        assert exclusion_figure(plane(3), narrow).axes[0].get_xlim() == (16, 20)
        with pytest.raises(InvalidInput, match="10 to 20 leaves the plane"):
            exclusion_figure(plane(3), wide)


def test_a_band_is_what_its_measurement_allows():
    """The region excludes the upper right of the plane: the band is the rest, and is dashed."""
    with house_style():
        figure = exclusion_figure(plane(1), FigureSpec(bands=("entry_0_2020",)))
    patches = [p for p in figure.axes[0].get_children() if isinstance(p, PathPatch)]
    [band] = [patch for patch in patches if patch.get_linestyle() == "--"]
    assert band.get_path().contains_point((15.0, 2e-5))
    assert not band.get_path().contains_point((25.0, 9e-4))


def test_planes_of_other_parameters_are_refused():
    other = plane(3, y={**MASS, "name": "C_Ve"})
    with house_style(), pytest.raises(InvalidInput, match="planes of the same parameters"):
        plane_overlay({"mine": plane(3), "yours": other}, {})


def test_planes_without_a_limit_state_entries_by_their_labels():
    reference = {"kind": "pull", "sigma": 2.0, "within": {"entry_0_2020": 1.0}}
    one = {**plane(3), "reference": reference}
    with house_style():
        figure = plane_overlay({"mine": one, "yours": plane(9)}, {})
    texts = " ".join(text.get_text() for text in figure.findobj(Text))
    assert "Search 0" in texts
    assert "entry_0_2020" not in texts
    assert "allowed" not in texts  # of the first plane alone


def test_a_label_of_two_lines_is_as_wide_as_its_longer_line():
    assert text_width("short\na longer line", 8) == text_width("a longer line", 8)
