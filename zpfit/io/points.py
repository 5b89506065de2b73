"""Points of a model's parameters in CSV files: one column for each parameter."""

import csv
import io
from pathlib import Path

from zpfit.errors import InvalidInput
from zpfit.io.letters import with_one_mu
from zpfit.io.yaml import read_text


def read_points(path: Path) -> tuple[list[dict[str, float]], list[str]]:
    """Return the points of a file.

    Returns
    -------
    points : list of dict
        Values by parameter, one dict for each row.
    places : list of str
        Place of each point in the file, for messages.

    Raises
    ------
    UnreadableFile
        The file is missing or not text.
    InvalidInput
        The file has no header or no rows, a row has the wrong length, or a value is no number.
        Lists all such problems.
    """
    rows = _rows(path)
    header = [with_one_mu(name) for name in rows[0][1]]
    problems = [
        f"{path}:{rows[0][0]}: column {name!r} appears twice"
        for name in sorted({name for name in header if header.count(name) > 1})
    ]
    if len(rows) == 1:
        problems.append(f"{path}: has no points below its header")
    points, places = [], []
    for line, cells in rows[1:]:
        if len(cells) != len(header):
            problems.append(f"{path}:{line}: {len(cells)} values for {len(header)} columns")
            continue
        point = {}
        for name, cell in zip(header, cells, strict=True):
            try:
                point[name] = float(cell)
            except ValueError:
                problems.append(f"{path}:{line}: {name} = {cell!r} is no number")
        points.append(point)
        places.append(f"{path}:{line}")
    if problems:
        raise InvalidInput(problems)
    return points, places


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Return line number and cells of every row that is not empty, at least one."""
    reader = csv.reader(io.StringIO(read_text(path)))
    try:
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(row)]
    except csv.Error as error:
        raise InvalidInput([f"{path}:{reader.line_num}: not valid CSV: {error}"]) from error
    if not rows:
        raise InvalidInput([f"{path}: is empty; the first line names the parameters"])
    return rows
