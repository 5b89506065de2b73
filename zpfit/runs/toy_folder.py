"""What a set of pseudo-experiments leaves behind, so that it can be continued."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from zpfit.errors import FilesExist, OtherToys
from zpfit.io.arrays import FloatArray
from zpfit.io.writing import make_folder, write_whole
from zpfit.runs.fingerprint import first_difference

RESULTS = ("toys.json", "toys.csv", "toys.png", "toys.pdf")
_KEY, _START = "origin.json", "start.npz"

Columns = Mapping[str, FloatArray]
"""Statistics and data of toys by name, each of shape (toys,)."""


@dataclass(frozen=True)
class ToyFolder:
    """Blocks of toys, where they come from, and what is found from them."""

    path: Path

    def open(self, origin: Mapping[str, Any], *, force: bool) -> None:
        """Make the folder, or see that its toys come from the same; ``force`` starts again.

        Raises
        ------
        OtherToys
            They come from something else.
        FilesExist
            It holds files of these names that are no set of toys.
        UnwritablePath
            It cannot be made or written.
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
        self._write_text(_KEY, json.dumps(origin, indent=2) + "\n")

    def _check(self, origin: Mapping[str, Any]) -> None:
        try:
            stored = json.loads((self.path / _KEY).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise OtherToys(self.path, f"{_KEY} is damaged") from None
        difference = first_difference(stored, json.loads(json.dumps(origin)))
        if difference is not None:
            raise OtherToys(self.path, difference)

    def _clear(self) -> None:
        # The key last: without it the rest could not be told from somebody else's.
        for path in [*self.path.glob("block_*.csv"), *map(self.path.joinpath, (*RESULTS, _START))]:
            path.unlink(missing_ok=True)
        (self.path / _KEY).unlink(missing_ok=True)

    def write_start(self, arrays: Mapping[str, FloatArray]) -> None:
        """Keep what every block starts from."""
        write_whole(self.path / _START, lambda path: np.savez(path, allow_pickle=False, **arrays))

    def start(self) -> dict[str, FloatArray] | None:
        """What every block starts from; None if it is not there or damaged."""
        try:
            with np.load(self.path / _START) as stored:
                return dict(stored)
        except (OSError, ValueError, KeyError, EOFError):
            return None

    def write_block(self, block: int, columns: Columns) -> None:
        """Keep the toys of a block."""
        self._write_text(self._block_name(block), as_csv(columns))

    def block(self, block: int, names: Sequence[str], toys: int) -> dict[str, FloatArray] | None:
        """The toys of a block; None if there are none, or not these columns and as many."""
        try:
            text = (self.path / self._block_name(block)).read_text(encoding="utf-8")
            header, *rows = csv.reader(io.StringIO(text))
            table = np.array(rows, dtype=float)
        except (OSError, ValueError):
            return None
        if header != list(names) or table.shape != (toys, len(header)):
            return None
        return dict(zip(header, table.T, strict=True))

    @staticmethod
    def _block_name(block: int) -> str:
        return f"block_{block:05d}.csv"

    def write_results(self, result: Mapping[str, Any], columns: Columns) -> None:
        """Keep what is found from the toys, and a row for each."""
        self._write_text("toys.csv", as_csv(columns))
        self._write_text("toys.json", json.dumps(result, indent=2, allow_nan=False) + "\n")

    def _write_text(self, name: str, text: str) -> None:
        write_whole(self.path / name, partial(Path.write_text, data=text, encoding="utf-8"))


def as_csv(columns: Columns) -> str:
    """A line for each toy, numbers to the last bit."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([repr(float(x)) for x in row] for row in zip(*columns.values(), strict=True))
    return out.getvalue()
