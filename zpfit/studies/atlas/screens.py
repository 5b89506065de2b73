"""Screens of the survey, each kept as a file so that the study can be resumed."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from zpfit.analysis.atlas.charge_sets import ChargeSets
from zpfit.analysis.atlas.evidence import DRAWS
from zpfit.analysis.atlas.screen import ScreenOptions
from zpfit.analysis.atlas.signatures import SignatureTable
from zpfit.analysis.atlas.survival import BAR, gains
from zpfit.errors import UnreadableFile
from zpfit.inference.progress import Progress
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.spec import LikelihoodSpec
from zpfit.runs.atlas_screen import (
    ScreenResult,
    columns_of,
    read_screen,
    screen_table,
    screened_of,
    write_screen,
)
from zpfit.runs.executor_choice import ExecutorChoice

SEED: Final = 1
RANK: Final = ScreenOptions(gain=4.0, draws=DRAWS)
"""Effort where signatures are ranked: all that gain more than 4 are searched at fixed masses, and
all have an evidence."""
COUNT: Final = ScreenOptions(gain=5.0, enough=BAR)
"""Effort where they are counted: only those that may yet pass the bar are."""


@dataclass(frozen=True)
class Signed:
    """Charge sets up to a largest charge, and their signatures under one policy."""

    sets: ChargeSets
    table: SignatureTable

    @property
    def qmax(self) -> int:
        """Largest charge."""
        return self.sets.qmax


@dataclass(frozen=True)
class Kept:
    """A screen, its signatures, and the file that holds it."""

    signed: Signed
    result: ScreenResult
    path: Path

    @property
    def gain(self) -> FloatArray:
        """Gain of each signature against no Z' and the dark photon, shape (n,)."""
        return gains(self.result.screened, self.result.references)

    def cut(self, shorter: Signed) -> "Kept":
        """Return the rows of a shorter list, whose signatures are the first of this one."""
        found, number = self.result.screened, len(shorter.table)
        columns = {name: row[:number] for name, row in columns_of(found).items()}
        terms = {name: row[:number] for name, row in found.terms.items()}
        rows = screened_of(columns, terms)
        return Kept(shorter, replace(self.result, screened=rows), self.path)


class Screener:
    """Screens tables of signatures into a folder; screens that it holds are read."""

    def __init__(self, folder: Path, choice: ExecutorChoice, progress: Progress) -> None:
        self.folder, self.choice, self.progress = folder, choice, progress

    def screen(
        self, name: str, signed: Signed, data: LikelihoodSpec, options: ScreenOptions
    ) -> Kept:
        """Return the screen of a table on some data; a stored one is read, a damaged one repeated.

        Parameters
        ----------
        name
            Name of the file, to which the policy and the largest charge are added.
        signed
            The signatures.
        data
            Choice of data.
        options
            Effort of the searches.

        Raises
        ------
        Stopped
            On SIGINT or SIGTERM; the screen can be resumed.
        """
        table = signed.table
        path = self.folder / f"{name}_{table.higgs}_{signed.qmax}.nc"
        stored = self._stored(path)
        if stored is not None:
            kept, result = stored
            complete = not options.draws or result.screened.evidence is not None
            if np.array_equal(kept.vectors, table.vectors) and result.data == data and complete:
                return Kept(signed, result, path)
        found = screen_table(
            table, data, self.choice, self.progress, options=options, seed=SEED, target=path
        )
        write_screen(table, found, path)
        return Kept(signed, found, path)

    def _stored(self, path: Path) -> tuple[SignatureTable, ScreenResult] | None:
        """Return the screen in a file; None if there is none, or a damaged one."""
        if not path.is_file():
            return None
        try:
            return read_screen(path)
        except UnreadableFile:
            self.progress.note(f"{path} is damaged, and the screen is repeated")
            return None
