"""Samples as a table with a row for each: CSV files and pandas frames."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from zpfit.interfaces.sample_table import SampleTable
from zpfit.io.arrays import FloatArray


def columns(table: SampleTable) -> dict[str, FloatArray]:
    """Everything by name, each of shape (chains x draws,)."""
    chains, draws = table.log_likelihood.shape
    return {
        "chain": np.repeat(np.arange(chains), draws),
        "weight": table.weight.ravel(),
        "log_likelihood": table.log_likelihood.ravel(),
        **{column.name: column.values.ravel() for column in table.columns},
    }


def files(table: SampleTable, root: str) -> Iterator[tuple[str, Callable[[Path], object]]]:
    """Name of the file and how to write it."""

    def write(path: Path) -> None:
        found = columns(table)
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(found)
            # Python's own numbers: their shortest form that reads back as the same.
            writer.writerows(zip(*(column.tolist() for column in found.values()), strict=True))

    yield f"{root}.csv", write


def frame(table: SampleTable) -> Any:
    """A pandas DataFrame."""
    import pandas as pd

    result = pd.DataFrame(columns(table))
    result.attrs.update(table.attributes)
    return result
