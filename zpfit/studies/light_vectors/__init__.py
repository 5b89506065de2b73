"""Limits on light vector bosons with one coupling: figures, tables and a page."""

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
    planes = []
    for vector in VECTORS:
        progress.stage(f"Limits on {vector.title}")
        planes.append(
            (
                draw_plane(vector, folder / FOLDER, dark=False),
                draw_plane(vector, folder / FOLDER, dark=True),
            )
        )
    rows = {plane.name: [row.record() for row in plane.rows] for pair in planes for plane in pair}
    write_json(folder / FOLDER / NUMBERS, rows)
    write_text(folder / PAGE, render_page(planes, compare_published(), n_eff_floor()))


def draw_plane(vector: Vector, folder: Path, *, dark: bool) -> Plane:
    """Trace the plane of a model and write its figure; return the numbers of its table."""
    name = vector.slice_name(dark=dark)
    chosen = load_slice(name)
    record = exclusion_record(chosen, exclusion_map(chosen))
    _write_figure(record, folder / f"{name}.png")
    shares = sorted(record["regions"], key=lambda region: -region["share"])
    labels = [r["label"] for r in shares if r["kind"] == "excluded" and r["share"] > 0]
    unique = tuple(dict.fromkeys(labels))
    return Plane(vector, dark, tuple(limit_rows(chosen)), unique, labels_of(chosen))


def _write_figure(record: ExclusionMapRecord, target: Path) -> None:
    from zpfit.plots.exclusion import exclusion_figure
    from zpfit.plots.style import house_style, png

    with house_style():
        write_whole(target, png(exclusion_figure(record, FigureSpec(union=True)), _DPI))
