"""Folders are drawn again from their records, with styles, without computing again."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Patch
from records import limit, plane

from zpfit.errors import InvalidInput, UnusableFolder, WrongSuffix
from zpfit.io.figure_spec import FigureSpec
from zpfit.plots.exclusion import Colours, exclusion_figure, settled_colours
from zpfit.runs.figure_file import read_style
from zpfit.runs.folder_kinds import WITH_FIGURES, unusable
from zpfit.runs.redrawing import draw_again, draw_overlay


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "exclusion.json").write_text(json.dumps(plane(3)), encoding="utf-8")
    record = {**limit(), "model": "m", "likelihood": "l", "seed": 1, "converged": True}
    record["shortcomings"] = []
    for point in record["points"]:
        point["shortcomings"] = []
    (tmp_path / "limit_g_prime.json").write_text(json.dumps(record), encoding="utf-8")
    return tmp_path


def test_every_record_of_a_folder_is_drawn(folder: Path):
    names = [path.name for path in draw_again(folder)]
    assert names == ["exclusion.png", "exclusion.pdf", "limit_g_prime.png", "limit_g_prime.pdf"]
    assert all((folder / name).stat().st_size > 1000 for name in names)


def test_an_unknown_key_of_a_style_is_named(folder: Path):
    style = folder / "letter.yaml"
    style.write_text("widht: prl\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"letter.yaml:1: widht: unknown key; .*'width'"):
        read_style([style])


def test_planes_and_limits_share_a_figure(folder: Path):
    assert draw_overlay([folder], folder / "all.png").stat().st_size > 1000
    other = shutil.copytree(folder, folder.with_name("other"))
    assert draw_overlay([folder, other], folder / "two.png").stat().st_size > 1000
    with pytest.raises(WrongSuffix):
        draw_overlay([folder], folder / "all.gif")


def test_an_experiment_has_one_colour_in_all_planes_of_a_command():
    """Filled in planes of few regions, a line on grey in those of many; never two alike."""
    first, *others = plane(6)["regions"]
    fewer = {**plane(10), "regions": plane(10)["regions"][1:]}
    maps = [plane(4), {**plane(6), "regions": others}, plane(9), fewer]
    settled = settled_colours(maps)
    shown = [colours_in_legend(each, settled) for each in maps]
    assert first["label"] in shown[0]
    for one in shown:
        assert len(set(one.values())) == len(one) > 1
    for one, other in ((shown[0], shown[1]), (shown[2], shown[3])):
        common = one.keys() & other.keys()
        assert common
        assert {name: one[name] for name in common} == {name: other[name] for name in common}


def colours_in_legend(record: dict[str, Any], settled: Colours) -> dict[str, str]:
    figure = exclusion_figure(record, FigureSpec(labels="legend"), settled)
    samples = figure.legends[0].legend_handles
    colours = [s.get_edgecolor() if isinstance(s, Patch) else s.get_color() for s in samples]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    return {name: to_hex(colour) for name, colour in zip(names, colours, strict=True)}


def test_an_empty_folder_holds_nothing_to_draw(tmp_path: Path):
    with pytest.raises(UnusableFolder):
        draw_again(tmp_path)


def test_a_limit_without_a_scan_has_no_figure(tmp_path: Path):
    (tmp_path / "limit_g_prime.json").touch()
    message = str(unusable(tmp_path, *WITH_FIGURES))
    assert "holds a limit; give" in message
    assert "limit along a scan" in message
