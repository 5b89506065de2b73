"""The folder of a set of pseudo-experiments, which can be extended later."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zpfit.analysis.records import ToysRecord
from zpfit.errors import DamagedRecord, FilesExist, ToysMismatch
from zpfit.io.arrays import FloatArray
from zpfit.io.writing import make_folder, write_json, write_text, write_whole
from zpfit.runs.fingerprint import first_difference

JSON, CSV = "toys.json", "toys.csv"
RESULTS = (JSON, CSV, "toys.png", "toys.pdf")
"""Names of the files with results."""
_KEY, _START = "origin.json", "start.npz"

Columns = Mapping[str, FloatArray]
"""Statistics and data of toys by name, each of shape (toys,)."""


@dataclass(frozen=True)
class ToyFolder:
    """Blocks of toys, the inputs they were computed from, and results."""

    path: Path

    def open(self, origin: Mapping[str, Any], *, force: bool) -> None:
        """Create the folder, or check that its toys were computed from the same inputs.

        Parameters
        ----------
        origin
            All inputs of the toys, as JSON allows.
        force
            Delete toys and results that are in the folder.

        Raises
        ------
        ToysMismatch
            The toys in the folder were computed from other inputs.
        FilesExist
            The folder holds files with the names of results, but no set of toys.
        UnwritablePath
            The folder cannot be created or written.
        """
        make_folder(self.path)
        key = self.path / _KEY
        if force:
            self._clear()
        elif key.exists():
            self._check(origin)
            return
        else:
            there = [name for name in (*RESULTS, _START) if (self.path / name).exists()]
            if there:
                raise FilesExist(self.path, there)
        write_text(self.path / _KEY, json.dumps(origin, indent=2) + "\n")

    def _check(self, origin: Mapping[str, Any]) -> None:
        try:
            stored = json.loads((self.path / _KEY).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise ToysMismatch(self.path, f"{_KEY} is damaged") from None
        difference = first_difference(stored, json.loads(json.dumps(origin)))
        if difference is not None:
            raise ToysMismatch(self.path, difference)

    def _clear(self) -> None:
        # The key goes last: without it, the other files would look like those of another program.
        for path in [*self.path.glob("block_*.csv"), *map(self.path.joinpath, (*RESULTS, _START))]:
            path.unlink(missing_ok=True)
        (self.path / _KEY).unlink(missing_ok=True)

    def write_start(self, arrays: Mapping[str, FloatArray]) -> None:
        """Write the arrays that every block starts from."""
        write_whole(self.path / _START, lambda path: np.savez(path, allow_pickle=False, **arrays))

    def start(self) -> dict[str, FloatArray] | None:
        """Return the arrays that every block starts from; None if absent or damaged."""
        try:
            with np.load(self.path / _START) as stored:
                return dict(stored)
        except (OSError, ValueError, KeyError, EOFError):
            return None

    def write_block(self, block: int, columns: Columns) -> None:
        """Write the toys of a block."""
        write_text(self.path / self._block_name(block), as_csv(columns))

    def block(self, block: int, names: Sequence[str], toys: int) -> dict[str, FloatArray] | None:
        """Return the toys of a block; None if its file is absent, damaged or of another shape.

        Parameters
        ----------
        block
            Number of the block.
        names
            Names that its columns must have.
        toys
            Number of rows that it must have at least.
        """
        try:
            text = (self.path / self._block_name(block)).read_text(encoding="utf-8")
            header, *rows = csv.reader(io.StringIO(text))
            table = np.array(rows, dtype=float)
        except (OSError, ValueError):
            return None
        if header != list(names) or table.ndim != 2 or len(table) < toys:
            return None
        return dict(zip(header, table[:toys].T, strict=True))

    @staticmethod
    def _block_name(block: int) -> str:
        return f"block_{block:05d}.csv"

    def write_results(self, record: ToysRecord, columns: Columns) -> None:
        """Write statistics and p-values, and a table with a row for each toy.

        Raises
        ------
        UnwritablePath
            A file cannot be written.
        """
        write_text(self.path / CSV, as_csv(columns))
        write_json(self.path / JSON, record)


def read_csv(path: Path) -> dict[str, FloatArray]:
    """Return the columns of a table that :func:`as_csv` has made.

    Raises
    ------
    DamagedRecord
        The table is missing or damaged.
    """
    try:
        header, *rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8")))
        table = np.array(rows, dtype=float).reshape(len(rows), len(header))
    except (OSError, ValueError) as error:
        raise DamagedRecord(path, str(error)) from error
    return dict(zip(header, table.T, strict=True))


def as_csv(columns: Columns) -> str:
    r"""Return a CSV table with a line for each toy.

    ``repr`` gives the shortest digits that restore each number to the last bit.

    Examples
    --------
    >>> as_csv({"toy": np.array([0.0]), "chi2": np.array([0.1])})
    'toy,chi2\n0.0,0.1\n'
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([repr(float(x)) for x in row] for row in zip(*columns.values(), strict=True))
    return out.getvalue()
