"""Labels of runs and folders in figures: what tells their titles apart."""

from collections.abc import Mapping, Sequence
from typing import Any

from zpfit.analysis.compare import NO_ZPRIME
from zpfit.analysis.records import CampaignCell
from zpfit.io.formulas import as_formulas

_SEPARATOR = ", "


def run_labels(rows: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> list[str]:
    """Return a label for each row of a comparison.

    Parts that all titles have in common are left out. Runs without titles, or with the same one,
    keep their names.

    Parameters
    ----------
    rows
        Rows with ``run``, ``model``, ``likelihood`` and ``title``.
    names
        Labels of runs in place of these.

    Examples
    --------
    >>> rows = [
    ...     {"run": "a", "model": "m", "likelihood": "cs", "title": "With a U(1)', Caesium"},
    ...     {"run": "b", "model": "n", "likelihood": "cs", "title": "With two doublets, Caesium"},
    ... ]
    >>> run_labels(rows, {"b": "2HDM"})
    ["With a $U(1)'$", '2HDM']
    """
    fitted = [row for row in rows if row["model"] != NO_ZPRIME]
    short = distinct_titles([row["run"] for row in fitted], [row.get("title") for row in fitted])
    own = {_key(row): label for row, label in zip(fitted, short, strict=True)}
    several = len({row["likelihood"] for row in rows}) > 1

    def label(row: Mapping[str, Any]) -> str:
        found = names.get(row["run"], own.get(_key(row), row["run"]))
        return f"{found}, {row['likelihood']}" if several and found == row["run"] else found

    return [as_formulas(label(row)) for row in rows]


def _key(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["run"], row["likelihood"]


def cell_labels(cells: Sequence[CampaignCell]) -> list[str]:
    """Return what tells the titles of combinations of a campaign apart, or their names."""
    names = [cell["name"] for cell in cells]
    return distinct_titles(names, [cell.get("title") for cell in cells])


def distinct_titles(names: Sequence[str], titles: Sequence[str | None]) -> list[str]:
    """Return titles without the parts that all have, or the names if these are not distinct.

    Examples
    --------
    >>> distinct_titles(["a", "b"], ["Muons, data of 2021", "Muons, data of 2026"])
    ['data of 2021', 'data of 2026']
    """
    parts = [(title or "").split(_SEPARATOR) for title in titles]
    common = set.intersection(*map(set, parts)) if len(parts) > 1 else set()
    short = [_SEPARATOR.join(part for part in own if part not in common) for own in parts]
    distinct = len(set(short)) == len(short) and all(short)
    return short if distinct else list(names)
