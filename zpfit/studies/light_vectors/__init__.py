"""Limits on light vector bosons with one coupling: figures, tables and a page."""

from collections.abc import Mapping
from pathlib import Path

from zpfit.analysis.exclusion.exclusion import exclusion_map
from zpfit.analysis.exclusion.record import exclusion_record
from zpfit.analysis.records import ExclusionMapRecord
from zpfit.inference.progress import Progress
from zpfit.io.figure_spec import FigureSpec
from zpfit.io.writing import make_folder, make_room, write_json, write_text, write_whole
from zpfit.runs.slice_file import load_slice
from zpfit.studies.light_vectors.limits import labels_of, limit_rows
from zpfit.studies.light_vectors.page import Plane, render_page
from zpfit.studies.light_vectors.planes import VECTORS, Vector
from zpfit.studies.light_vectors.published import compare_published, n_eff_floor

PAGE = "light-vectors.md"
"""Name of the file with the page."""
FOLDER = "light-vectors"
"""Folder of the figures and of ``limits.json``, beside the page."""
NUMBERS = "limits.json"
"""Name of the file with the numbers of all tables."""
_DPI = 220


def write_light_vectors(folder: Path, progress: Progress, *, force: bool) -> None:
    """Trace the planes of all models, and write figures, numbers and page.

    This takes some minutes.

    Parameters
    ----------
    folder
        Folder for the page and, in it, for the folder of figures.
    progress
        Gets the stages.
    force
        Replace earlier results.

    Raises
    ------
    FilesExist
        The folder holds an earlier page and ``force`` is not given.
    UnwritablePath
        The folder or a file cannot be written.
    """
    make_room(folder, (PAGE,), force=force)
    make_folder(folder / FOLDER)
    planes: list[tuple[Plane, Plane]] = []
    records: dict[str, ExclusionMapRecord] = {}
    for vector in VECTORS:
        progress.stage(f"Limits on {vector.title}")
        pair = [trace_plane(vector, dark=dark) for dark in (False, True)]
        planes.append((pair[0][0], pair[1][0]))
        records |= {plane.name: record for plane, record in pair}
    draw_planes(records, folder / FOLDER)
    rows = {plane.name: [row.record() for row in plane.rows] for pair in planes for plane in pair}
    write_json(folder / FOLDER / NUMBERS, rows)
    write_text(folder / PAGE, render_page(planes, compare_published(), n_eff_floor()))


def trace_plane(vector: Vector, *, dark: bool) -> tuple[Plane, ExclusionMapRecord]:
    """Trace the plane of a model; return the numbers of its table, and the record of the map."""
    name = vector.slice_name(dark=dark)
    chosen = load_slice(name)
    record = exclusion_record(chosen, exclusion_map(chosen))
    shares = sorted(record["regions"], key=lambda region: -region["share"])
    labels = [r["label"] for r in shares if r["kind"] == "excluded" and r["share"] > 0]
    unique = tuple(dict.fromkeys(labels))
    return Plane(vector, dark, tuple(limit_rows(chosen)), unique, labels_of(chosen)), record


def draw_planes(records: Mapping[str, ExclusionMapRecord], folder: Path) -> None:
    """Write the figures of maps by their names; an experiment has one colour in all of them."""
    from zpfit.plots.exclusion import exclusion_figure, leading_labels
    from zpfit.plots.exclusion_outlines import line_colours
    from zpfit.plots.style import house_style, png

    colours = line_colours(map(leading_labels, records.values()))
    spec = FigureSpec(union=True, colours=colours)
    with house_style():
        for name, record in records.items():
            write_whole(folder / f"{name}.png", png(exclusion_figure(record, spec), _DPI))
