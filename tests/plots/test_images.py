"""Test figures of small fixed records: labels, legends, artists, and no text that is cut off."""

from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.text import Text

from zpfit.inference.samplers.result import StoredSamples
from zpfit.io.figure_spec import FigureSpec
from zpfit.plots.corner import corner_figure
from zpfit.plots.exclusion import colours_of, drawn_labels, exclusion_figure
from zpfit.plots.pulls import pulls_figure
from zpfit.plots.style import house_style

pytestmark = pytest.mark.drawn

PIXEL = 1.0
"""Text may extend this far beyond the edge, because a bounding box includes its antialiasing."""


def drawn(figure: Figure) -> list[str]:
    """Draw a figure; return its texts, all of them inside the figure."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    hidden = {label for axes in figure.axes for label in hidden_ticks(axes)}
    texts = [
        text
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text() and text not in hidden
    ]
    width, height = figure.bbox.size
    for text in texts:
        box = text.get_window_extent(renderer)
        assert box.x0 >= -PIXEL, text
        assert box.y0 >= -PIXEL, text
        assert box.x1 <= width + PIXEL, text
        assert box.y1 <= height + PIXEL, text
    return [text.get_text() for text in texts]


def hidden_ticks(axes: Axes) -> list[Text]:
    """Return labels of ticks outside the limits of an axis, which are not drawn."""
    found = []
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            if not low <= tick.get_loc() <= high:
                found += [tick.label1, tick.label2]
    return found


def test_the_check_finds_text_that_is_cut_off():
    figure = Figure()
    figure.text(0.95, 0.5, "longer than the margin")
    with pytest.raises(AssertionError, match="longer than the margin"):
        drawn(figure)


def legend_of(figure: Figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


# Corner plot

ATTRIBUTES = {
    "m_Zp": {"symbol": "m_{Z'}", "unit": "MeV", "scale": "log", "lower": 1.0},
    "C_Ve": {"symbol": "C_{V e}", "unit": "", "scale": "linear"},
    "C_Ae": {"symbol": "C_{A e}", "unit": "", "scale": "signed_log", "lower": 1e-8},
}


@pytest.fixture(scope="module")
def corner() -> Figure:
    rng = np.random.default_rng(1)
    shape = (2, 20, 50)
    values = {
        "m_Zp": 10 ** rng.uniform(1, 2, shape),
        "C_Ve": rng.normal(0.0, 1e-4, shape),
        "C_Ae": rng.choice([-1, 1], shape) * 10 ** rng.uniform(-8, -3, shape),
    }
    best = {"m_Zp": 17.0, "C_Ve": 1e-5, "C_Ae": -1e-4}
    with house_style():
        figure = corner_figure(StoredSamples(values, np.zeros(shape), ATTRIBUTES), best, "A fit")
        assert figure is not None
        figure.texts_drawn = drawn(figure)
    return figure


def panels_of(corner: Figure) -> dict[tuple[int, int], Axes]:
    """Return the panels of three parameters, on and below the diagonal."""
    places = [(row, column) for row in range(3) for column in range(row + 1)]
    return dict(zip(places, corner.axes, strict=True))


def test_corner_has_labels_on_its_outer_axes(corner: Figure):
    panels = panels_of(corner)
    assert [panels[2, column].get_xlabel() for column in range(3)] == [
        r"$m_{Z\prime}$ [MeV]",
        "$C_{V e}$",
        "$C_{A e}$",
    ]
    assert [panels[row, 0].get_ylabel() for row in (1, 2)] == ["$C_{V e}$", "$C_{A e}$"]
    assert not any(panel.get_xlabel() for (row, _), panel in panels.items() if row < 2)
    assert not any(panel.get_ylabel() for (_, column), panel in panels.items() if column > 0)


def test_corner_has_a_title_and_a_legend(corner: Figure):
    assert legend_of(corner) == ["posterior, 68 % and 95 %", "best fit"]
    assert "A fit" in corner.texts_drawn


def test_corner_marks_the_best_fit_in_every_panel(corner: Figure):
    for (row, column), panel in panels_of(corner).items():
        if row == column:
            [line] = panel.lines
            assert line.get_xdata()[0] == line.get_xdata()[1]
        else:
            assert [line.get_marker() for line in panel.lines].count("*") == 1


# Pulls


def term(pull: float) -> dict[str, Any]:
    return {
        "observable": "o", "measured": 1.0, "error": 0.1, "errors": [0.1, 0.1],
        "prediction": 1.0 - 0.1 * pull, "pull": pull, "chi2": pull**2,
    }  # fmt: skip


SUMMARY: dict[str, Any] = {
    "title": "Three measurements",
    "labels": {"kloe_2015": "KLOE (2015)"},
    "best_fit": {
        "chi2": 1.25,
        "terms": {"muon": term(0.5), "caesium": term(-1.0), "rubidium": term(0.0)},
        "exclusions": {
            "kloe_2015": {"ratio": 0.4},
            "soft_one": {"ratio": 1.2, "chi2": 0.3},
            "tiny": {"ratio": 1e-9},
        },
    },
    "no_zprime": {
        "chi2": 23.0,
        "terms": {"muon": term(4.5), "caesium": term(-1.5), "rubidium": term(0.8)},
        "exclusions": {},
    },
}


@pytest.fixture(scope="module")
def pulls() -> Figure:
    with house_style():
        figure = pulls_figure(SUMMARY)
        figure.texts_drawn = drawn(figure)
    return figure


def test_pulls_have_labels_and_a_legend(pulls: Figure):
    left, right = pulls.axes
    assert left.get_xlabel() == "pull: (measured $-$ predicted) / error"
    assert right.get_xlabel() == "signal / limit at the best fit"
    assert [t.get_text() for t in left.get_yticklabels()] == ["muon", "caesium", "rubidium"]
    assert [t.get_text() for t in right.get_yticklabels()] == [
        "KLOE (2015)",
        "soft one, soft",
        "tiny",
    ]
    assert legend_of(pulls) == [r"no $Z\prime$", "best fit"]
    title = next(text for text in pulls.texts_drawn if text.startswith("Three measurements"))
    assert r"1.25 (best fit), 23 (no $Z\prime$)" in title


def test_pulls_stand_at_their_values(pulls: Figure):
    left, right = pulls.axes
    series = {line.get_label(): line for line in left.lines}
    np.testing.assert_allclose(series["no $Z'$"].get_xdata(), [4.5, -1.5, 0.8])
    np.testing.assert_allclose(series["best fit"].get_xdata(), [0.5, -1.0, 0.0])
    assert left.get_xlim()[1] > 4.5
    assert len(left.patches) == 2  # one and two standard errors
    inside, edge = right.lines
    np.testing.assert_allclose(inside.get_xdata(), [0.4, 1.2])
    np.testing.assert_allclose(edge.get_xdata(), [right.get_xlim()[0]])
    [excluded] = right.patches
    assert excluded.get_x() == 1


# Exclusion plot


def rectangle(left: float, right: float, bottom: float, top: float) -> list[list[list[float]]]:
    ring = [[left, bottom], [right, bottom], [right, top], [left, top], [left, bottom]]
    return [ring]


def region(label: str, kind: str, share: float, *edges: float) -> dict[str, Any]:
    return {
        "name": label, "label": label, "kind": kind, "sigma": None, "share": share,
        "polygons": [rectangle(*edges)] if edges else [],
    }  # fmt: skip


MAP: dict[str, Any] = {
    "title": "Vector coupling to electrons",
    "model": "effective",
    "likelihood": "small",
    "x": {"name": "m_Zp", "symbol": "m_{Z'}", "unit": "MeV", "lower": 0.0, "upper": 100.0,
          "scale": "linear"},
    "y": {"name": "C_Ve", "symbol": "C_{V e}", "unit": "", "lower": 0.0, "upper": 1.0,
          "scale": "linear"},
    "fixed": {}, "solved": [], "profiled": [],
    "regions": [
        region("KLOE", "excluded", 0.4, 0.0, 100.0, 0.6, 1.0),
        region("NA64", "excluded", 0.2, 0.0, 40.0, 0.0, 0.5),
        region("a search in a corner", "excluded", 0.001, 97.0, 100.0, 0.0, 0.03),
        region("Texono", "excluded", 1.0, 0.0, 100.0, 0.0, 1.0),
        region("nowhere", "excluded", 0.0),
        region("allowed", "allowed", 0.35, 42.0, 95.0, 0.05, 0.55),
    ],
    "contours": [], "allowed": {"share": 0.35}, "notes": [],
}  # fmt: skip


@pytest.fixture(scope="module")
def exclusion() -> Figure:
    with house_style():
        figure = exclusion_figure(MAP)
        figure.texts_drawn = drawn(figure)
    return figure


def test_exclusion_plot_has_labels(exclusion: Figure):
    [axes] = exclusion.axes
    assert axes.get_xlabel() == r"$m_{Z\prime}$ [MeV]"
    assert axes.get_ylabel() == "$C_{V e}$"
    assert axes.get_title() == "Vector coupling to electrons"
    assert axes.get_xlim() == (0, 100)
    assert axes.get_ylim() == (0, 1)


def test_exclusion_plot_names_every_region_once(exclusion: Figure):
    [axes] = exclusion.axes
    inside = [text.get_text() for text in axes.texts]
    assert sorted(inside) == ["KLOE", "NA64", "allowed"]
    assert legend_of(exclusion) == ["a search in a corner"]
    assert [text.get_text() for text in exclusion.texts] == ["excluded everywhere: Texono"]
    assert "nowhere" not in exclusion.texts_drawn


def test_labels_lie_in_their_regions(exclusion: Figure):
    [axes] = exclusion.axes
    place = {text.get_text(): text.get_position() for text in axes.texts}
    assert place["KLOE"][1] > 0.6
    assert place["NA64"][0] < 0.4
    assert place["NA64"][1] < 0.5
    assert 0.42 < place["allowed"][0] < 0.95
    assert 0.05 < place["allowed"][1] < 0.55


def test_each_drawn_region_has_an_area_and_an_outline(exclusion: Figure):
    [axes] = exclusion.axes
    patches = [artist for artist in axes.get_children() if isinstance(artist, PathPatch)]
    assert len(patches) == 2 * 3 + 1  # three drawn exclusions, and the white allowed region


def test_contours_have_their_levels():
    record = {
        **MAP,
        "contours": [
            {"name": "a", "level": 1e-9, "lines": [[[0.0, 0.2], [100.0, 0.3]]]},
            {"name": "a", "level": 2.5e-9, "lines": [[[0.0, 0.4], [100.0, 0.5]]]},
        ],
    }
    with house_style():
        figure = exclusion_figure(record)
        texts = drawn(figure)
    assert {"$10^{-9}$", r"$2.5\times 10^{-9}$"} <= set(texts)
    [axes] = figure.axes
    assert len(axes.lines) == 2
    assert "allowed" not in texts


def test_a_plane_without_an_allowed_point_says_so():
    regions = [*MAP["regions"][:-1], region("allowed", "allowed", 0.0)]
    with house_style():
        figure = exclusion_figure({**MAP, "regions": regions, "allowed": None})
        assert "nothing is allowed" in drawn(figure)


# Exclusion plot of many regions


def many(number: int) -> dict[str, Any]:
    """Return a map with a mass floor, two upper limits of which one leads, islands, and others."""
    regions = [
        region("floor", "excluded", 0.1, 0.0, 10.0, 0.0, 1.0),
        region("strong", "excluded", 0.3, 0.0, 100.0, 0.7, 1.0),
        region("island", "excluded", 0.1, 20.0, 60.0, 0.1, 0.3),
        *(region(f"weak {i}", "excluded", 0.2, 0.0, 100.0, 0.8, 1.0) for i in range(number - 3)),
        region("allowed", "allowed", 0.5, 10.0, 100.0, 0.0, 0.7),
    ]
    return {**MAP, "regions": regions}


def labels_of(figure: Figure) -> set[str]:
    [axes] = figure.axes
    return {text.get_text() for text in axes.texts}


def test_many_regions_become_one_area_with_labels_of_the_leading_limits():
    with house_style():
        few, outlines = exclusion_figure(many(8)), exclusion_figure(many(9))
        asked = exclusion_figure({**many(9), "figure": {"union": False}})
        coloured = exclusion_figure(many(8), colours=colours_of(drawn_labels(many(8))))
    assert labels_of(outlines) == {"floor", "strong", "island", "allowed"}
    assert "weak 0" in legend_of(few) + list(labels_of(few))
    assert "weak 0" in legend_of(asked) + list(labels_of(asked))
    assert not coloured.axes[0].collections


def test_labels_of_outlines_are_legible_and_do_not_overlap():
    with house_style():
        figure = exclusion_figure(many(9))
        drawn(figure)
        [axes] = figure.axes
        boxes = [text.get_window_extent() for text in axes.texts]
    assert all(text.get_fontsize() >= 6 for text in axes.texts)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    frame = axes.get_window_extent()
    assert all(frame.x0 < one.x0 and one.x1 < frame.x1 for one in boxes)


def test_outlines_of_a_plane_without_exclusions():
    with house_style():
        figure = exclusion_figure({**MAP, "regions": MAP["regions"][-1:]}, FigureSpec(union=True))
    assert labels_of(figure) == {"allowed"}


@pytest.mark.parametrize(
    ("lower", "upper"), [(14.0, 30.0), (2.0, 70.0), (1.0, 100.0), (1e-5, 1e-2)]
)
@pytest.mark.parametrize("union", [False, True])
def test_logarithmic_axes_have_two_labelled_ticks(lower: float, upper: float, *, union: bool):
    side = {**MAP["x"], "lower": lower, "upper": upper, "scale": "log"}
    record = {**MAP, "x": side, "regions": [region("allowed", "allowed", 0.0)], "allowed": None}
    with house_style():
        figure = exclusion_figure(record, FigureSpec(union=union))
        drawn(figure)
    [axes] = figure.axes
    ticks = axes.xaxis.get_major_ticks()
    inside = [t for t in ticks if lower * 0.999 <= t.get_loc() <= upper * 1.001]
    assert len([t for t in inside if t.label1.get_text()]) >= 2
