"""Folders of pseudo-experiments, which can be resumed and extended: toys and coverage."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zpfit.analysis.records import ToysRecord
from zpfit.analysis.toys.block import blocks_of
from zpfit.errors import DamagedRecord, FilesExist, Stopped, ToysMismatch
from zpfit.inference.posterior import Posterior
from zpfit.inference.progress import Progress
from zpfit.io.arrays import FloatArray
from zpfit.io.writing import make_folder, write_json, write_text, write_whole
from zpfit.runs.executor_choice import ExecutorChoice
from zpfit.runs.fingerprint import first_difference
from zpfit.runs.signals import REPEAT_TO_RESUME, listening
from zpfit.runs.workers import Workers, open_workers

JSON, CSV = "toys.json", "toys.csv"
RESULTS = (JSON, CSV, "toys.png", "toys.pdf")
"""Names of the files with results."""
_KEY, _START = "origin.json", "start.npz"
POOL, _POOL_CHI2 = "pool", "pool_chi2"
"""Names of the arrays of starting points, and of their chi2."""
_SAME = 1e-9
"""Relative tolerance of chi2 at stored points; another processor may round differently."""

Columns = Mapping[str, FloatArray]
"""Statistics and data of toys by name, each of shape (toys,)."""
ComputeBlocks = Callable[[Sequence[range]], Iterator[tuple[range, Columns]]]
"""Computes blocks of toys and yields each with the numbers of its toys, in any order."""


@dataclass(frozen=True)
class ToyFolder:
    """Blocks of toys, the inputs they were computed from, and results."""

    path: Path
    results: tuple[str, ...] = RESULTS
    """Names of the files with results."""

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
            there = [name for name in (*self.results, _START) if (self.path / name).exists()]
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
        named = map(self.path.joinpath, (*self.results, _START))
        for path in [*self.path.glob("block_*.csv"), *named]:
            path.unlink(missing_ok=True)
        (self.path / _KEY).unlink(missing_ok=True)

    def write_start(self, posterior: Posterior, arrays: Mapping[str, FloatArray]) -> None:
        """Write the arrays that every block starts from, :data:`POOL` among them."""
        stored = {**arrays, _POOL_CHI2: _chi2_of(posterior, arrays[POOL])}
        write_whole(self.path / _START, lambda path: np.savez(path, allow_pickle=False, **stored))

    def start(self, posterior: Posterior, *names: str) -> dict[str, FloatArray] | None:
        """Return the arrays that every block starts from.

        Parameters
        ----------
        posterior
            Posterior of the toys.
        *names
            Arrays that there must be.

        Returns
        -------
        dict of str to array, or None
            None if an array is absent or the file is damaged.

        Raises
        ------
        ToysMismatch
            chi2 of the stored points has changed, although no recorded input has.
        """
        try:
            with np.load(self.path / _START) as stored:
                arrays = dict(stored)
        except (OSError, ValueError, KeyError, EOFError):
            return None
        if not {POOL, _POOL_CHI2, *names} <= arrays.keys():
            return None
        if not np.allclose(_chi2_of(posterior, arrays[POOL]), arrays.pop(_POOL_CHI2), rtol=_SAME):
            raise ToysMismatch(
                self.path, "chi2 of the same points has changed, perhaps with the program's code"
            )
        return arrays

    def complete(
        self,
        toys: int,
        size: int,
        names: Sequence[str],
        compute: ComputeBlocks,
        progress: Progress,
    ) -> dict[str, FloatArray]:
        """Return the columns of all toys; blocks that are missing are computed and stored.

        Parameters
        ----------
        toys
            Number of toys.
        size
            Number of toys of a block.
        names
            Names of the columns.
        compute
            Computes blocks.
        progress
            Gets the number of finished toys.
        """
        wanted = blocks_of(toys, size)
        stored: dict[range, Columns | None] = {
            block: self.block(block.start // size, names, len(block)) for block in wanted
        }
        missing = [block for block in wanted if stored[block] is None]
        left = sum(map(len, missing))
        before = toys - left
        progress.stage(f"{toys} toys" + (f", {before} from before" if before else ""))
        computed = 0
        for block, columns in compute(missing):
            self.write_block(block.start // size, columns)
            stored[block] = columns
            computed += len(block)
            progress.update(computed / left, f"{before + computed} toys")
        whole = [found for block in wanted if (found := stored[block]) is not None]
        return {name: np.concatenate([found[name] for found in whole]) for name in names}

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


def _chi2_of(posterior: Posterior, u: FloatArray) -> FloatArray:
    residuals = posterior.residuals(u, 0.0)
    result: FloatArray = np.einsum("nk,nk->n", residuals, residuals)
    return result


@contextmanager
def resumable_workers(choice: ExecutorChoice) -> Iterator[Workers]:
    """Open workers for blocks of toys, which the same command resumes after a signal.

    Raises
    ------
    Stopped
        On SIGINT or SIGTERM.
    MissingExtra, SchedulerUnreachable, MultithreadedWorkers
        The executor cannot be opened, see :func:`zpfit.runs.workers.open_workers`.
    """
    try:
        with listening() as stop, open_workers(choice, stop) as workers:
            yield workers
    except Stopped as error:
        raise Stopped(error.signal, error.number, REPEAT_TO_RESUME) from error


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
