"""Samples for ArviZ: an object in memory or a NetCDF file."""

import importlib
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zpfit.interfaces.sample_table import SampleTable
from zpfit.runs.samples import sample_tree, write_tree

if TYPE_CHECKING:
    import xarray as xr


def to_arviz(table: SampleTable) -> Any:
    """Return samples as the object that the installed ArviZ works with.

    Returns
    -------
    arviz.InferenceData or xarray.DataTree
        InferenceData for ArviZ 0.x, a tree for ArviZ 1.x. Both have the groups ``posterior`` and
        ``sample_stats`` (``lp``, which is ln L, and ``weight``).
    """
    return from_tree(tree(table))


def from_tree(found: "xr.DataTree") -> Any:
    """Return a tree of samples as the object that the installed ArviZ works with."""
    if int(version("arviz").split(".")[0]) >= 1:
        return found
    with warnings.catch_warnings():
        # Once a day the import of ArviZ 0.23 announces ArviZ 1.
        warnings.simplefilter("ignore", FutureWarning)
        arviz: Any = importlib.import_module("arviz")  # one to two seconds
    groups = {name: group.to_dataset() for name, group in found.children.items()}
    return arviz.InferenceData(attrs=dict(found.attrs), **groups)


def files(table: SampleTable, root: str) -> Iterator[tuple[str, Callable[[Path], object]]]:
    """Yield the name of the file and a function that writes it."""
    yield f"{root}.nc", partial(write_tree, tree(table))


def tree(table: SampleTable) -> "xr.DataTree":
    """Return samples as a tree in the layout of ArviZ."""
    return sample_tree(
        {column.name: column.values for column in table.columns},
        {"lp": table.log_likelihood, "weight": table.weight},
        table.attributes,
        {column.name: {"symbol": column.symbol, "unit": column.unit} for column in table.columns},
    )
