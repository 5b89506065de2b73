"""Samples in groups of a NetCDF file, as ArviZ reads them: 0.x as InferenceData, 1.x as DataTree.

Both lay their files out as xarray's DataTree does, with ``posterior`` and ``sample_stats``.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from zpfit.interfaces.sample_table import SampleTable

_DIMENSIONS = ("chain", "draw")


def files(table: SampleTable, root: str) -> Iterator[tuple[str, Callable[[Path], object]]]:
    """Name of the file and how to write it."""

    def write(path: Path) -> None:
        tree(table).to_netcdf(path, engine="h5netcdf")

    yield f"{root}.nc", write


def tree(table: SampleTable) -> Any:
    """An ``xarray.DataTree``."""
    import xarray as xr

    chains, draws = table.log_likelihood.shape
    coordinates = {"chain": np.arange(chains), "draw": np.arange(draws)}
    posterior = {
        column.name: (_DIMENSIONS, column.values, {"symbol": column.symbol, "unit": column.unit})
        for column in table.columns
    }
    statistics = {
        "lp": (_DIMENSIONS, table.log_likelihood),
        "weight": (_DIMENSIONS, table.weight),
    }
    groups = {
        "/": xr.Dataset(attrs=dict(table.attributes)),
        "posterior": xr.Dataset(posterior, coordinates),
        "sample_stats": xr.Dataset(statistics, coordinates),
    }
    return xr.DataTree.from_dict(groups)
