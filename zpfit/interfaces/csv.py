"""Samples as a table with one row for each sample: a pandas frame or a CSV file."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zpfit.interfaces.sample_table import SampleTable
from zpfit.io.arrays import FloatArray

if TYPE_CHECKING:
    import pandas as pd


def frame(table: SampleTable) -> "pd.DataFrame":
    """Return samples as a pandas frame, with the attributes of the table in ``attrs``."""
    import pandas as pd

    result = pd.DataFrame(columns(table))
    result.attrs.update(table.attributes)
    return result


def files(table: SampleTable, root: str) -> Iterator[tuple[str, Callable[[Path], object]]]:
    """Yield the name of the file and a function that writes it."""

    def write(path: Path) -> None:
        found = columns(table)
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(found)
            # Python floats are written in the shortest form that reads back to the same number.
            writer.writerows(zip(*(column.tolist() for column in found.values()), strict=True))

    yield f"{root}.csv", write


def columns(table: SampleTable) -> dict[str, FloatArray]:
    """Return the columns by name, each of shape (chains x draws,)."""
    chains, draws = table.log_likelihood.shape
    return {
        "chain": np.repeat(np.arange(chains), draws),
        "weight": table.weight.ravel(),
        "log_likelihood": table.log_likelihood.ravel(),
        **{column.name: column.values.ravel() for column in table.columns},
    }
