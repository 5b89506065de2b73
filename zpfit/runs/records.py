"""Records of analyses on disk: JSON, tables and figures in a folder, written and read."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from zpfit.analysis.exclusion.record import table_lines
from zpfit.analysis.limits import limit_rows
from zpfit.analysis.records import ExclusionMapRecord, LimitRecord, ProfileRecord, TensionRecord
from zpfit.errors import DamagedRecord, InvalidInput
from zpfit.io.writing import make_folder, write_json, write_text, write_whole
from zpfit.runs.figure_file import PLAIN, FigureStyle

if TYPE_CHECKING:
    from matplotlib.figure import Figure

T = TypeVar("T")
TENSION_FILES = ("tension.json", "tension.png", "tension.pdf")
EXCLUSION_FILES = ("exclusion.json", "exclusion.csv", "exclusion.png", "exclusion.pdf")
_PROFILE_DPI = 300
_EXCLUSION_DPI = 220
"""Narrow allowed strips need more than the default resolution."""


def read_record(kind: type[T], path: Path) -> T:
    """Read a JSON file as a record, and check the type of each field.

    Fields that the record does not have are left out: files of later versions can have them.

    Parameters
    ----------
    kind
        A record of :mod:`zpfit.analysis.records`, or a list of them.
    path
        The file.

    Raises
    ------
    DamagedRecord
        The file cannot be read, lacks a field of the record, or has NaN or infinity.
    """
    try:
        content = json.loads(
            path.read_text(encoding="utf-8"), parse_float=_finite, parse_constant=_finite
        )
        return TypeAdapter(kind).validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "all of it"
        raise DamagedRecord(path, f"{place}: {first['msg']}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedRecord(path, str(error)) from error


def _finite(text: str) -> float:
    """Return a number of a JSON file."""
    value = float(text)
    if not isfinite(value):
        raise ValueError(f"{text} is not a finite number")
    return value


def profile_files(axes: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the files that :func:`write_profile` writes.

    Examples
    --------
    >>> profile_files(["m_Zp", "C_Ae"])
    ('profile_m_Zp_C_Ae.json', 'profile_m_Zp_C_Ae.png', 'profile_m_Zp_C_Ae.pdf')
    """
    stem = "_".join(["profile", *axes])
    return tuple(f"{stem}.{kind}" for kind in ("json", "png", "pdf"))


def limit_files(parameter: str, *, scan: bool) -> tuple[str, ...]:
    """Return the names of the files that :func:`write_limit` writes.

    Examples
    --------
    >>> limit_files("g_prime", scan=False)
    ('limit_g_prime.json', 'limit_g_prime.csv')
    """
    kinds = ("json", "csv", "png", "pdf") if scan else ("json", "csv")
    return tuple(f"limit_{parameter}.{kind}" for kind in kinds)


def write_limit(record: LimitRecord, folder: Path) -> None:
    """Write the files of :func:`limit_files` to a folder.

    Raises
    ------
    UnwritablePath
        The folder or a file cannot be written.
    """
    make_folder(folder)
    is_scan = record["scan"] is not None
    data, table, *_ = (
        folder / name for name in limit_files(record["parameter"]["name"], scan=is_scan)
    )
    write_json(data, record)
    rows = list(limit_rows(record))
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(table, text.getvalue())
    if is_scan:
        draw_limit(record, data)


def draw_limit(record: LimitRecord, data: Path, style: FigureStyle = PLAIN) -> list[Path]:
    """Draw the limits of a scan beside their JSON file; return the files."""
    from zpfit.plots.limits import limit_figure

    with style.context():
        return _write_figure(limit_figure(record, style.spec), data, _PROFILE_DPI)


def write_tension(record: TensionRecord, folder: Path) -> None:
    """Write :data:`TENSION_FILES` to a folder.

    Raises
    ------
    UnwritablePath
        The folder or a file cannot be written.
    """
    make_folder(folder)
    data = folder / TENSION_FILES[0]
    write_json(data, record)
    draw_tension(record, data)


def draw_tension(record: TensionRecord, data: Path, style: FigureStyle = PLAIN) -> list[Path]:
    """Draw the agreement of groups of data beside its JSON file; return the files."""
    from zpfit.plots.tension import tension_figure

    with style.context():
        return _write_figure(tension_figure(record, style.spec), data, _PROFILE_DPI)


def write_profile(record: ProfileRecord, folder: Path) -> None:
    """Write the files of :func:`profile_files` to a folder.

    Raises
    ------
    UnwritablePath
        The folder or a file cannot be written.
    """
    make_folder(folder)
    data = folder / profile_files([axis["name"] for axis in record["axes"]])[0]
    write_json(data, record)
    draw_profile(record, data)


def draw_profile(record: ProfileRecord, data: Path, style: FigureStyle = PLAIN) -> list[Path]:
    """Draw a profile beside its JSON file; return the files."""
    from zpfit.plots.profile import profile_figure

    with style.context():
        return _write_figure(profile_figure(record, style.spec), data, _PROFILE_DPI)


def write_exclusion(
    record: ExclusionMapRecord,
    folder: Path,
    stem: str = "exclusion",
    colours: Mapping[str, tuple[str, str]] | None = None,
) -> None:
    """Write JSON, table and figures of an exclusion map to a folder.

    Parameters
    ----------
    record
        The map.
    folder
        Folder, which is made if it is missing.
    stem
        Name of the files without their suffix.
    colours
        Colours by label, as :func:`zpfit.plots.exclusion.colours_of` gives them, so that
        several figures agree.

    Raises
    ------
    UnwritablePath
        The folder or a file cannot be written.
    InvalidInput
        A title or label holds a formula that cannot be drawn; the other files are written.
    """
    make_folder(folder)
    data = folder / f"{stem}.json"
    write_text(data, _one_line(record))
    write_text(folder / f"{stem}.csv", "\n".join(table_lines(record)) + "\n")
    draw_exclusion(record, data, colours=colours)


def draw_exclusion(
    record: ExclusionMapRecord,
    data: Path,
    style: FigureStyle = PLAIN,
    colours: Mapping[str, tuple[str, str]] | None = None,
) -> list[Path]:
    """Draw an exclusion map beside its JSON file.

    Parameters
    ----------
    record
        The map.
    data
        Path of its JSON file.
    style
        Description of the figure and style sheets.
    colours
        See :func:`write_exclusion`.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    InvalidInput
        A title or label holds a formula that cannot be drawn, or the description does not fit the
        map.
    """
    from zpfit.plots.exclusion import exclusion_figure

    try:
        with style.context():
            figure = exclusion_figure(record, style.spec, colours)
            return _write_figure(figure, data, _EXCLUSION_DPI)
    except InvalidInput:
        raise
    except ValueError as error:  # raised by matplotlib for invalid LaTeX
        reason = str(error).splitlines()[-1]
        remedy = "correct the formula in the title or label"
        image = data.with_suffix(".png")
        raise InvalidInput([f"{image}: cannot be drawn ({reason}); {remedy}"]) from error


def _write_figure(figure: "Figure", data: Path, dpi: int) -> list[Path]:
    """Write a figure as PNG and PDF beside a file."""
    from zpfit.plots.style import pdf, png

    image, vector = data.with_suffix(".png"), data.with_suffix(".pdf")
    write_whole(image, png(figure, dpi=dpi))
    write_whole(vector, pdf(figure))
    return [image, vector]


def _one_line(record: Mapping[str, Any]) -> str:
    """Return JSON without indent: a map holds thousands of corners."""
    return json.dumps(record, allow_nan=False) + "\n"
