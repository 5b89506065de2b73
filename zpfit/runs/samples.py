"""Samples in NetCDF files, in the layout of ArviZ.

A file is an xarray ``DataTree`` with the groups ``posterior`` and ``sample_stats``. ArviZ 0.x opens
it as InferenceData and ArviZ 1.x as the tree, both with ``arviz.from_netcdf``.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import h5netcdf
import numpy as np

from zpfit.inference.samplers.result import StoredSamples
from zpfit.io.arrays import FloatArray

if TYPE_CHECKING:
    import xarray as xr

ENGINE: Final = "h5netcdf"
"""xarray's backend: the only one for NetCDF 4 that needs no C library beside HDF5."""
DIMENSIONS = ("chain", "draw")
"""ArviZ's names of the dimensions of every variable."""


_COMPRESSION: Mapping[str, Any] = {"zlib": True}
"""Encoding of every variable. Compression makes a file of samples a third smaller."""


def save(samples: StoredSamples, path: Path, title: str) -> None:
    """Write samples to a NetCDF file that ``arviz.from_netcdf`` opens.

    Each ensemble becomes a chain, because ArviZ's R-hat compares independent chains. The draws of
    a chain are the steps of its first walker, then those of the second, and so on.

    Parameters
    ----------
    samples : StoredSamples
        Parameters, ln L and, for weighted samples, ln of the weights.
    path : Path
        File to write; an existing one is replaced.
    title : str
        Title of the run, an attribute of the file.
    """
    _, steps, walkers = samples.log_likelihood.shape
    statistics = {"lp": samples.log_likelihood}
    if samples.log_weight is not None:
        statistics["log_weight"] = samples.log_weight
    # xarray would write the same file, but takes two seconds to import.
    with h5netcdf.File(path, "w") as file:
        file.attrs.update({"title": title, "steps": steps, "walkers": walkers})
        _write_group(file.create_group("posterior"), samples.values, samples.attributes)
        _write_group(file.create_group("sample_stats"), statistics, {})


def _write_group(
    group: Any, variables: Mapping[str, FloatArray], attributes: Mapping[str, Mapping[str, Any]]
) -> None:
    columns = {name: by_chain(values) for name, values in variables.items()}
    shape = next(iter(columns.values())).shape
    group.dimensions = dict(zip(DIMENSIONS, shape, strict=True))
    for dimension, size in zip(DIMENSIONS, shape, strict=True):
        group.create_variable(dimension, (dimension,), data=np.arange(size))
    for name, values in columns.items():
        variable = group.create_variable(name, DIMENSIONS, data=values, compression="gzip")
        variable.attrs.update(attributes.get(name, {}))


def load(path: Path) -> StoredSamples:
    """Read a file that :func:`save` wrote.

    Raises
    ------
    OSError
        The file cannot be read.
    ValueError, KeyError
        The file holds no samples, or is damaged.
    """
    with h5netcdf.File(path, "r") as file:
        shape = int(file.attrs["walkers"]), int(file.attrs["steps"])
        posterior, statistics = (_variables(file[name]) for name in ("posterior", "sample_stats"))
        weight = statistics.get("log_weight")
        return StoredSamples(
            values={name: _by_step(variable, *shape) for name, variable in posterior.items()},
            log_likelihood=_by_step(statistics["lp"], *shape),
            log_weight=None if weight is None else _by_step(weight, *shape),
            attributes={name: _attributes(variable) for name, variable in posterior.items()},
        )


def _variables(group: Any) -> dict[str, Any]:
    """Return the variables of a group without the coordinates of its dimensions."""
    return {name: v for name, v in group.variables.items() if name not in DIMENSIONS}


def _attributes(variable: Any) -> dict[str, Any]:
    """Return the attributes of a variable without those of the file format."""
    return {name: value for name, value in variable.attrs.items() if name != "_FillValue"}


def sample_tree(
    posterior: Mapping[str, FloatArray],
    sample_stats: Mapping[str, FloatArray],
    attributes: Mapping[str, Any],
    variable_attributes: Mapping[str, Mapping[str, Any]],
) -> "xr.DataTree":
    """Return samples as a tree in the layout of ArviZ.

    Parameters
    ----------
    posterior, sample_stats : mapping of str to array, shape (chains, draws)
        Variables of the two groups.
    attributes : mapping
        Attributes of the root of the tree.
    variable_attributes : mapping
        Attributes of the variables of ``posterior``, by name; a variable may have none.

    Examples
    --------
    >>> import numpy as np
    >>> tree = sample_tree({"x": np.ones((2, 5))}, {"lp": np.zeros((2, 5))}, {"title": "t"}, {})
    >>> dict(tree["posterior"].sizes), tree.attrs["title"]
    ({'chain': 2, 'draw': 5}, 't')
    """
    import xarray as xr

    groups = {"/": xr.Dataset(attrs=dict(attributes))}
    for group, variables in (("posterior", posterior), ("sample_stats", sample_stats)):
        given = {n: (DIMENSIONS, v, variable_attributes.get(n, {})) for n, v in variables.items()}
        data = xr.Dataset(given)
        groups[group] = data.assign_coords({d: np.arange(data.sizes[d]) for d in DIMENSIONS})
    return xr.DataTree.from_dict(groups)


def write_tree(tree: "xr.DataTree", path: Path) -> None:
    """Write a tree of samples to a compressed NetCDF file."""
    encoding = {
        group.path: {str(name): dict(_COMPRESSION) for name in group.data_vars}
        for group in tree.children.values()
    }
    tree.to_netcdf(path, engine=ENGINE, encoding=encoding)


def by_chain(values: FloatArray) -> FloatArray:
    """Return an array of shape (ensembles, steps, walkers) as (chains, draws).

    The draws of a chain are the steps of its first walker, then those of the second, and so on.

    Examples
    --------
    >>> import numpy as np
    >>> by_chain(np.array([[[1.0, 10.0], [2.0, 20.0]]])).tolist()
    [[1.0, 2.0, 10.0, 20.0]]
    """
    return values.transpose(0, 2, 1).reshape(len(values), -1)


def _by_step(array: Any, walkers: int, steps: int) -> FloatArray:
    """Return a variable of shape (chains, draws) as (ensembles, steps, walkers)."""
    values = np.asarray(array[...])
    return values.reshape(len(values), walkers, steps).transpose(0, 2, 1)
