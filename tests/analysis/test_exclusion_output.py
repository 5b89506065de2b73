"""Test records, tables, files and figures of exclusion maps, and the command."""

import csv
import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from drawn_planes import (
    A_E,
    BELOW,
    C_AE,
    MASS,
    Command,
    Drawn,
    drawn,
    packaged,
    profiled_coarsely,
)
from helpers_samplers import first_fast
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from numpy.testing import assert_allclose

from zpfit.analysis.exclusion.slice import resolve_slice
from zpfit.io.library import Library
from zpfit.io.places import packaged_data
from zpfit.io.yaml import dump_yaml, read_yaml
from zpfit.plots.exclusion import colours_of, exclusion_figure
from zpfit.plots.labels import in_lines, text_width
from zpfit.plots.style import house_style
from zpfit.runs.records import EXCLUSION_FILES

# The record, the table and the files


def test_record(fig2a: Drawn):
    record = fig2a.record()
    assert record["likelihood"] == "paper_2021_cs -a_mu_2021"
    assert (record["x"]["scale"], record["y"]["scale"]) == ("linear", "log")
    assert record["solved"] == [{"name": "C_Ve", "observable": "delta_a_e", "value": A_E}]
    assert record["fixed"]["C_nue"] == 0
    assert {"m_Zp", "C_Ae", "C_Ve"}.isdisjoint(record["fixed"])
    kinds = {region["name"]: region["kind"] for region in record["regions"]}
    assert kinds["C_Ve"] == "unreachable"
    assert kinds["kloe_2015"] == "excluded"
    assert list(kinds)[-1] == "allowed"
    labels = {region["name"]: region["label"] for region in record["regions"]}
    assert labels["na64_2020"] == "NA64"
    assert labels["C_Ve"] == r"$\Delta a_e$ out of reach"
    for region, traced in zip(record["regions"], fig2a.traced.regions, strict=True):
        assert region["share"] == pytest.approx(traced.region.area, abs=1e-6)
        assert len(region["polygons"]) == len(traced.region.geoms)
        for rings in region["polygons"]:
            for ring in rings:
                assert ring[0] == ring[-1]
                x, y = np.array(ring).T
                assert ((x >= 5) & (x <= 50)).all()
                assert ((y >= 5e-5) & (y <= 1e-3)).all()
    left, _, right, _ = fig2a.traced.allowed.bounds
    assert_allclose(record["allowed"]["x"], [5 + 45 * left, 5 + 45 * right], rtol=1e-6)


def test_record_of_nothing_allowed():
    assert drawn("bbn_2020", x=MASS | {"upper": 9}).record()["allowed"] is None


SMALL = ("--x", "m_Zp=5:50", "--y", "C_Ae=5e-5:1e-3:log", "--set")
KLOE = (*SMALL, "likelihood.add=[kloe_2015]")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the files of a map with every kind of region and a contour."""
    from zpfit.runs.records import write_exclusion

    figure = drawn(
        "kloe_2015",
        "babar_2014",
        "a_e_cs_2018",
        "borexino_2011",
        solve=BELOW,
        fix={"C_nue": 1e-5},
        bands={"borexino_2011": 1},
        contours={"C_Ve": [3e-4]},
    )
    folder = tmp_path_factory.mktemp("kept")
    write_exclusion(figure.record(), folder / "map")
    assert json.loads((folder / "map" / "exclusion.json").read_text("utf-8")) == figure.record()
    return folder / "map"


def test_files(kept: Path):
    assert sorted(path.name for path in kept.iterdir()) == sorted(EXCLUSION_FILES)
    assert (kept / "exclusion.png").read_bytes().startswith(b"\x89PNG")
    assert (kept / "exclusion.pdf").read_bytes().startswith(b"%PDF")


def test_table_agrees_with_the_record(kept: Path):
    record = json.loads((kept / "exclusion.json").read_text("utf-8"))
    with (kept / "exclusion.csv").open(encoding="utf-8") as file:
        assert file.readline().startswith("# mine; model effective, likelihood entries +kloe")
        rows = list(csv.DictReader(file))
    assert set(rows[0]) == {"kind", "name", "piece", "ring", "m_Zp", "C_Ae"}
    corners: dict[tuple[str, ...], list[list[float]]] = {}
    for row in rows:
        key = (row["kind"], row["name"], row["piece"], row["ring"])
        corners.setdefault(key, []).append([float(row["m_Zp"]), float(row["C_Ae"])])
    expected = {
        (region["kind"], region["name"], str(piece), str(ring)): points
        for region in record["regions"]
        for piece, rings in enumerate(region["polygons"])
        for ring, points in enumerate(rings)
    }
    expected |= {
        ("contour", f"{contour['name']}={contour['level']:g}", str(piece), "0"): line
        for contour in record["contours"]
        for piece, line in enumerate(contour["lines"])
    }
    assert corners == expected
    assert {key[0] for key in corners} >= {"excluded", "band", "unreachable", "allowed", "contour"}


def test_command(accepted: Command, workspace: Path):
    text = accepted("exclusion", *KLOE, "--output", "map")
    assert "kloe_2015" in text
    assert "Allowed: 8" in text
    assert all(str(Path("map") / name) in text for name in EXCLUSION_FILES)
    assert sorted(path.name for path in Path("map").iterdir()) == sorted(EXCLUSION_FILES)


def test_runs_are_identical(accepted: Command, workspace: Path):
    for folder in ("first", "second"):
        accepted("exclusion", *KLOE, "--output", folder)
    for name in EXCLUSION_FILES:
        assert (workspace / "first" / name).read_bytes() == (
            workspace / "second" / name
        ).read_bytes(), name


def test_json_on_standard_output(accepted: Command, workspace: Path):
    printed = json.loads(accepted("exclusion", *KLOE, "--json"))
    assert not list(workspace.iterdir())
    again = json.loads(accepted("exclusion", *KLOE, "--json", "--output", "map"))
    kept = json.loads((workspace / "map" / "exclusion.json").read_text("utf-8"))
    assert printed == again == kept


def test_options_do_what_the_file_does(accepted: Command, workspace: Path):
    options = (
        "--x", "m_Zp=5:50", "--y", "C_Ae=5e-5:1e-3:log", "--likelihood", "paper_2021_cs",
        "--set", "likelihood.drop=[a_mu_2021]", "--solve", "C_Ve:delta_a_e=-1.23e-12",
        "--reference", "pull", "--within", "a_e_cs_2018=1.001", "--within", "borexino_2011=1",
        "--within", "charm2_nu_1993=1", "--within", "charm2_nubar_1993=1",
    )  # fmt: skip
    by_options = json.loads(accepted("exclusion", *options, "--json"))
    by_file = json.loads(accepted("exclusion", "paper_fig2a", "--json"))
    for key in ("regions", "allowed", "solved", "fixed", "x", "y"):
        assert by_options[key] == by_file[key]


def test_options_change_a_file(accepted: Command):
    changes = ("--x", "m_Zp=10:20", "--set", "likelihood={add: [kloe_2015]}", "--set", "within={}")
    record = json.loads(accepted("exclusion", "paper_fig2a", *changes, "--json"))
    assert record["x"]["lower"] == 10
    assert [r["name"] for r in record["regions"]] == ["kloe_2015", "C_Ve", "allowed"]


def test_data_beside_a_slice_file_come_first(accepted: Command, workspace: Path):
    entries = packaged_data() / "likelihoods" / "entries"
    folder = workspace / "mine" / "likelihoods" / "entries"
    folder.mkdir(parents=True)
    text = (entries / "bbn_2020.yaml").read_text("utf-8").replace("9.8", "20")
    (folder / "bbn_2020.yaml").write_text(text, encoding="utf-8")
    settings = {"likelihood": {"add": ["bbn_2020"]}, "x": MASS, "y": C_AE}
    (workspace / "mine" / "map.yaml").write_text(dump_yaml(settings), encoding="utf-8")
    record = json.loads(accepted("exclusion", "mine/map.yaml", "--json"))
    assert record["allowed"]["x"] == pytest.approx([20, 50], rel=1e-5)
    assert record["title"] == "map"


def test_every_packaged_slice_is_valid():
    names = Library.beside().names("slice")
    assert len(names) == 33
    for name in names:
        path = packaged_data() / "slices" / f"{name}.yaml"
        assert resolve_slice(read_yaml(path), Library.beside()).title


# Figures


def shown(record: dict) -> list[str]:
    """Return every text of a figure; check that none is cut off and that labels do not overlap."""
    with house_style():
        figure = exclusion_figure(record)
        renderer = FigureCanvasAgg(figure).get_renderer()
        figure.draw(renderer)
        [axes] = figure.axes
        texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
        width, height = renderer.width, renderer.height
        for text in texts:
            box = text.get_window_extent(renderer)
            ticks = text in axes.get_xticklabels(which="both") + axes.get_yticklabels(which="both")
            if not ticks:  # ticks beyond the limits have positions, but are not drawn
                assert box.x0 >= 0, text
                assert box.x1 <= width, text
                assert box.y0 >= 0, text
                assert box.y1 <= height, text
        frame = axes.get_window_extent(renderer)
        boxes = [text.get_window_extent(renderer) for text in axes.texts]
        for box in boxes:
            assert frame.x0 <= box.x0 < box.x1 <= frame.x1
            assert frame.y0 <= box.y0 < box.y1 <= frame.y1
        for first, second in combinations(boxes, 2):
            assert not first.overlaps(second)
        return [text.get_text() for text in texts]


PAPER = {"set": "paper_2021_cs"}
LIGHT = MASS | {"upper": 9}
LONG = r"A title of somebody who writes whole sentences about $C_{V e} = C_{A e}$ and more"
FIGURES = {
    "nothing allowed": {"likelihood": PAPER, "x": LIGHT, "title": LONG},
    "everything allowed": {"likelihood": {"add": ["bbn_2020"]}, "x": MASS | {"lower": 12}},
    "excluded everywhere": {
        "likelihood": PAPER,
        "x": LIGHT,
        "y": C_AE | {"lower": 1e-2, "upper": 1e-1},
        "fix": dict.fromkeys(("C_Ve", "C_nue", "C_numu"), 1e-2) | {"C_Vmu": 0.1},
    },
    "nothing solved": {
        "likelihood": {"add": ["kloe_2015"]},
        "solve": {"C_Ve": {"observable": "delta_a_e", "value": 10.0}},
    },
    "met everywhere": {"likelihood": {"add": ["ccfr_1991"]}, "bands": {"ccfr_1991": 5}},
    "linear": {
        "likelihood": {"add": ["kloe_2015"]},
        "x": {"parameter": "C_Ve", "lower": -1e-3, "upper": 1e-3},
        "y": {"parameter": "C_Ae", "lower": -1e-3, "upper": 1e-3},
        "fix": {"m_Zp": 17},
    },
    "contours": {"likelihood": {"add": ["kloe_2015"]}, "contours": {"C_Ae": [1e-4, 3.3e-4, 1.0]}},
}
WORDS = {
    "nothing allowed": "nothing is allowed",
    "everything allowed": "allowed",
    "excluded everywhere": "excluded everywhere: BBN, White dwarfs",
    "nothing solved": r"everywhere: $\Delta a_e$ out of reach",
    "met everywhere": "met everywhere: CCFR",
    "linear": "KLOE",
    "contours": r"$3.3\times 10^{-4}$",
}


@pytest.mark.drawn
@pytest.mark.parametrize("name", FIGURES)
def test_figure(name: str):
    texts = shown(drawn(**FIGURES[name]).record())
    assert any(WORDS[name] in text for text in texts)


@pytest.mark.drawn
@pytest.mark.parametrize("name", ["fig2a", *first_fast("fig3b", "fig3a", "fig3c", "fig4")])
def test_figure_of_the_paper(name: str):
    record = packaged(f"paper_{name}").record()
    texts = shown(record)
    for region in record["regions"]:
        if region["share"] > 1e-3 and region["kind"] not in ("allowed", "unreachable"):
            assert region["label"] in texts


@pytest.mark.slow
@pytest.mark.drawn
def test_figure_of_a_profile():
    x = MASS | {"lower": 45}
    texts = shown(profiled_coarsely("kloe_2015", x=x, profile=["C_Vmu"]).record())
    assert {"KLOE", "allowed"} <= set(texts)


def test_colours_outlast_the_palette_and_agree_between_figures():
    labels = [str(number) for number in range(30)]
    colours = colours_of(labels)
    assert len(set(colours.values())) == 30
    assert colours_of([*labels, "5"]) == colours


def test_words_in_lines():
    words = ["one", "two", "three", "four"]
    width = text_width("two, three", 8)
    assert in_lines(words, ", ", 8, width) == ["one, two,", "three,", "four"]
    assert in_lines(words, " ", 8, 99) == ["one two three four"]
    assert in_lines([], " ", 8, 99) == []
