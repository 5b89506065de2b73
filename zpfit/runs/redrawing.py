"""Figures of every kind of folder, drawn again from its records without computing again."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from zpfit.analysis.records import (
    CampaignRecord,
    CoverageRecord,
    ExclusionMapRecord,
    LimitRecord,
    ProfileRecord,
    TensionRecord,
    ToysRecord,
    WrittenComparisonRow,
)
from zpfit.errors import InvalidInput, WrongSuffix
from zpfit.io.writing import make_folder, write_whole
from zpfit.plots.exclusion import settled_colours
from zpfit.plots.exclusion_overlay import overlay_figure
from zpfit.plots.style import pdf, png
from zpfit.plots.toys import toys_figure
from zpfit.runs.campaign import draw_campaign
from zpfit.runs.comparison import draw_comparison
from zpfit.runs.coverage import draw_coverage
from zpfit.runs.drawing import draw_run
from zpfit.runs.figure_file import PLAIN, FigureStyle
from zpfit.runs.folder_kinds import EXCLUSION, SCAN, WITH_FIGURES, unusable
from zpfit.runs.records import (
    draw_exclusion,
    draw_limit,
    draw_profile,
    draw_tension,
    read_record,
)
from zpfit.runs.run_folder import RunFolder
from zpfit.runs.toy_folder import read_csv

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 200
"""Dots per inch."""
Draw = Callable[[Path, FigureStyle], Sequence[Path]]


def draw_again(*paths: Path, style: FigureStyle = PLAIN) -> list[Path]:
    """Draw every figure of some folders again, from the records that they hold.

    An experiment has one colour in all planes.

    Parameters
    ----------
    *paths
        Folders of any kind, or JSON files of an exclusion, a profile or a limit.
    style
        Style that prevails over what the records say of their figures.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    UnusableFolder
        There is no such folder, or it holds nothing that can be drawn.
    InvalidInput
        A description does not fit, or a plot has failed.
    UnwritablePath
        The folder cannot be written.
    """
    content = {path: list(_drawable(path)) for path in paths}
    maps = {
        file: read_record(ExclusionMapRecord, file)
        for records in content.values()
        for draw, file in records
        if draw is _exclusion
    }
    colours = settled_colours(list(maps.values())) if len(maps) > 1 else None
    written: list[Path] = []
    for path, records in content.items():
        own = [
            picture
            for draw, file in records
            for picture in (
                draw_exclusion(maps[file], file, style, colours)
                if file in maps
                else draw(file, style)
            )
        ]
        if not own:
            raise unusable(path, *WITH_FIGURES)
        written += own
    return written


def _drawable(path: Path) -> Iterator[tuple[Draw, Path]]:
    """Yield the records of a folder that have figures, and how to draw each."""
    if path.is_file():
        yield from ((draw, path) for pattern, draw in _RECORDS.items() if path.match(pattern))
        return
    if (path / "summary.json").is_file():
        yield _again_run, path
    for pattern, draw in _RECORDS.items():
        for record in sorted(path.glob(pattern)):
            yield draw, record


def _again_run(path: Path, style: FigureStyle) -> list[Path]:
    folder = RunFolder(path)
    problems = draw_run(folder, style=style)
    if problems:
        raise InvalidInput(problems)
    return folder.plots()


def _exclusion(path: Path, style: FigureStyle) -> list[Path]:
    return draw_exclusion(read_record(ExclusionMapRecord, path), path, style)


def _profile(path: Path, style: FigureStyle) -> list[Path]:
    return draw_profile(read_record(ProfileRecord, path), path, style)


def _limit(path: Path, style: FigureStyle) -> list[Path]:
    record = read_record(LimitRecord, path)
    return [] if record["scan"] is None else draw_limit(record, path, style)


def _tension(path: Path, style: FigureStyle) -> list[Path]:
    return draw_tension(read_record(TensionRecord, path), path, style)


def _toys(path: Path, style: FigureStyle) -> list[Path]:
    record, columns = read_record(ToysRecord, path), read_csv(path.with_suffix(".csv"))
    with style.context():
        return _both(toys_figure(record, columns, style.spec), path)


def _coverage(path: Path, style: FigureStyle) -> Sequence[Path]:
    return draw_coverage(read_record(CoverageRecord, path), path, style)


def _comparison(path: Path, style: FigureStyle) -> list[Path]:
    return draw_comparison(read_record(list[WrittenComparisonRow], path), path.parent, style)


def _campaign(path: Path, style: FigureStyle) -> list[Path]:
    return draw_campaign(read_record(CampaignRecord, path), path.parent, style)


_RECORDS: Mapping[str, Draw] = {
    "exclusion*.json": _exclusion,
    "profile_*.json": _profile,
    "limit_*.json": _limit,
    "compare.json": _comparison,
    "tension.json": _tension,
    "toys.json": _toys,
    "coverage.json": _coverage,
    "campaign.json": _campaign,
}
"""Drawing of each kind of record, by the names of its files."""


def _both(figure: "Figure", data: Path) -> list[Path]:
    """Write a figure as PNG and PDF beside a file."""
    image, vector = data.with_suffix(".png"), data.with_suffix(".pdf")
    write_whole(image, png(figure, dpi=_DPI))
    write_whole(vector, pdf(figure))
    return [image, vector]


@dataclass(frozen=True)
class _Found:
    """Planes and limits of several folders, by the names of the folders."""

    planes: Mapping[str, ExclusionMapRecord]
    limits: Mapping[str, LimitRecord]


def draw_overlay(paths: Sequence[Path], target: Path, style: FigureStyle = PLAIN) -> Path:
    """Draw the exclusion planes and limits of several folders in one figure.

    Parameters
    ----------
    paths
        Folders of planes and of scans of limits, or their JSON files. The legend names them.
    target
        File to write; its suffix is the format.
    style
        Style of the figure.

    Raises
    ------
    WrongSuffix
        The suffix is neither .png nor .pdf.
    UnusableFolder
        A folder holds neither a plane nor a limit.
    InvalidInput
        The axes differ.
    """
    if target.suffix not in {".png", ".pdf"}:
        raise WrongSuffix(target, ".png or .pdf")
    found = _planes_and_limits(paths)
    with style.context():
        figure = overlay_figure(found.planes, found.limits, style.spec)
        make_folder(target.parent)
        write = png(figure, dpi=_DPI) if target.suffix == ".png" else pdf(figure)
        write_whole(target, write)
    return target


def _planes_and_limits(paths: Sequence[Path]) -> _Found:
    found = _Found({}, {})
    for path in paths:
        found = _with_records(found, path)
    return found


def _with_records(found: _Found, path: Path) -> _Found:
    name = path.resolve().stem
    planes = [file for draw, file in _drawable(path) if draw is _exclusion]
    limits = [file for draw, file in _drawable(path) if draw is _limit]
    if not planes and not limits:
        raise unusable(path, EXCLUSION, SCAN)
    more = {_name(name, file, planes): read_record(ExclusionMapRecord, file) for file in planes}
    scans = {_name(name, file, limits): read_record(LimitRecord, file) for file in limits}
    return replace(found, planes={**found.planes, **more}, limits={**found.limits, **scans})


def _name(folder: str, file: Path, among: Sequence[Path]) -> str:
    """Return the name of a record: that of its folder, unless this holds several."""
    return folder if len(among) == 1 else file.stem
