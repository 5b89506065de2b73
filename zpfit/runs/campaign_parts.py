"""Parts of a campaign's columns: Parquet files with a row for each fit.

A part is written when enough fits have ended or enough time has passed, and never changed. Killed
at any moment, a campaign leaves whole parts, and repeats the fits that no part holds.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from zpfit.analysis.records import CampaignRow
from zpfit.errors import UnreadableFile
from zpfit.io.extras import import_extra
from zpfit.io.writing import write_whole
from zpfit.runs.campaign_store import PARTS

EXTRA: Final = "parquet"
"""Extra that installs pyarrow."""
BEST_FIT: Final = "best_fit."
"""Prefix of the columns of the best fit."""
_PATTERN: Final = "part-*.parquet"
ROWS: Final = 1000
"""Rows of a part: 4 MB in memory, and a thousand files for a million fits."""
_SECONDS: Final = 30.0
"""Seconds after which a part is written with the rows that have come: what a killed campaign
loses, and 20,000 files in a week of slow fits."""


class PartWriter:
    """Collects rows and writes them as parts."""

    def __init__(
        self,
        output: Path,
        parameters: Sequence[str],
        rows: int = ROWS,
        seconds: float = _SECONDS,
    ) -> None:
        self._folder, self._parameters = output / PARTS, tuple(parameters)
        self._most, self._seconds = rows, seconds
        self._rows: list[CampaignRow] = []
        self._written = time.monotonic()
        names = [path.stem for path in part_paths(output)]
        self._next = max((int(name.partition("-")[2]) for name in names), default=0) + 1

    def add(self, row: CampaignRow) -> None:
        """Add a row, and write a part if it is time."""
        self._rows.append(row)
        late = time.monotonic() - self._written > self._seconds
        if late or len(self._rows) >= self._most:
            self.flush()

    def flush(self) -> None:
        """Write the rows that are waiting.

        Raises
        ------
        UnwritablePath
            The part cannot be written.
        """
        if self._rows:
            table = _table(self._rows, self._parameters)
            pq = import_extra("pyarrow.parquet", EXTRA)
            target = self._folder / f"part-{self._next:06d}.parquet"
            write_whole(target, lambda path: pq.write_table(table, path, compression="zstd"))
            self._next += 1
        self._rows, self._written = [], time.monotonic()


def _table(rows: Sequence[CampaignRow], parameters: Sequence[str]) -> Any:
    """Return rows as a table of pyarrow."""
    pa = import_extra("pyarrow", EXTRA)
    # Few rows differ in these texts, which are stored once in each part.
    words = pa.dictionary(pa.int32(), pa.string())
    types = {
        "number": pa.int64(),
        "name": pa.string(),
        "combination": words,
        **dict.fromkeys(("title", "runs", "models", "data", "priors"), words),
        **dict.fromkeys(("overrides", "changes"), words),
        "seed": pa.uint64(),
        **dict.fromkeys(("chi2", "chi2_no_zprime", "log_z", "log_z_error"), pa.float64()),
        "log_bayes_factor": pa.float64(),
        "evaluations": pa.int64(),
        "converged": pa.bool_(),
        "shortcomings": pa.list_(pa.string()),
        "joint_sigma": pa.float64(),
        "seconds": pa.float64(),
        "fingerprint": words,
    }
    columns = {name: [row[name] for row in rows] for name in types}  # type: ignore[literal-required]
    best = {BEST_FIT + name: [row["best_fit"].get(name) for row in rows] for name in parameters}
    schema = pa.schema([*types.items(), *((name, pa.float64()) for name in best)])
    return pa.table(columns | best, schema=schema)


def part_paths(output: Path) -> list[Path]:
    """Return the parts in a folder of a campaign, in the order in which they were written.

    Examples
    --------
    >>> part_paths(Path("no such folder"))
    []
    """
    return sorted((output / PARTS).glob(_PATTERN))


def read_parts(output: Path, columns: Sequence[str] | None = None) -> Iterator[Any]:
    """Yield the parts of a campaign as tables of pyarrow, one after the other.

    Parameters
    ----------
    output
        Folder of the campaign.
    columns
        Columns to read, all by default; parts of an earlier version of the campaign file lack
        parameters of models that were added later.

    Raises
    ------
    MissingExtra
        pyarrow is not installed.
    UnreadableFile
        A part is damaged.
    """
    pa, pq = import_extra("pyarrow", EXTRA), import_extra("pyarrow.parquet", EXTRA)
    for path in part_paths(output):
        try:
            with pq.ParquetFile(path) as file:
                there = file.schema_arrow.names
                wanted = None if columns is None else [name for name in columns if name in there]
                yield file.read(wanted)
        except (OSError, pa.ArrowException) as error:
            reason = f"{error}; without it, the campaign repeats its fits"
            raise UnreadableFile(path, reason) from error
