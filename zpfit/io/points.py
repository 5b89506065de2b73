"""Points in CSV files: one column per parameter."""

import csv
import io
from pathlib import Path

from zpfit.errors import InvalidInput
from zpfit.io.yaml import read_text


def read_points(path: Path) -> tuple[list[dict[str, float]], list[str]]:
    """The points of a file, and for each its place in the file.

    Raises
    ------
    UnreadableFile
        The file is missing or not text.
    InvalidInput
        No header, no rows, a row of the wrong length, or a value
        that is no number.
    """
    reader = csv.reader(io.StringIO(read_text(path)))
    try:
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(row)]
    except csv.Error as error:
        raise InvalidInput([f"{path}:{reader.line_num}: not valid CSV: {error}"]) from error
    if not rows:
        raise InvalidInput([f"{path}: is empty; the first line names the parameters"])
    header = rows[0][1]
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
