"""Samples as ArviZ InferenceData in NetCDF files.

All that depends on ArviZ 0.23 and would change with 1.x is here. ArviZ is
imported late: it takes over a second.
"""

import importlib
from pathlib import Path
from typing import Any

import numpy as np

from zpfit.inference.samplers.result import StoredSamples
from zpfit.io.arrays import FloatArray


def save(samples: StoredSamples, path: Path, title: str) -> None:
    """Write a NetCDF file that ``arviz.from_netcdf`` opens.

    An ensemble is a chain, because R-hat must compare what is independent; its
    draws run through the steps of one walker after the other.
    """
    arviz = _arviz()
    _, steps, walkers = samples.log_likelihood.shape
    statistics = {"lp": samples.log_likelihood}
    if samples.log_weight is not None:
        statistics["log_weight"] = samples.log_weight
    data = arviz.from_dict(
        posterior={name: _by_walker(values) for name, values in samples.values.items()},
        sample_stats={name: _by_walker(values) for name, values in statistics.items()},
        attrs={"title": title, "steps": steps, "walkers": walkers},
    )
    for name, attributes in samples.attributes.items():
        data.posterior[name].attrs.update(attributes)
    data.to_netcdf(str(path))


def load(path: Path) -> StoredSamples:
    """Read what :func:`save` wrote."""
    arviz = _arviz()
    data = arviz.from_netcdf(str(path))
    steps, walkers = int(data.attrs["steps"]), int(data.attrs["walkers"])

    def unfold(array: Any) -> FloatArray:
        values = np.asarray(array)
        return values.reshape(len(values), walkers, steps).transpose(0, 2, 1)

    result = StoredSamples(
        values={str(name): unfold(data.posterior[name]) for name in data.posterior.data_vars},
        log_likelihood=unfold(data.sample_stats["lp"]),
        log_weight=(
            unfold(data.sample_stats["log_weight"]) if "log_weight" in data.sample_stats else None
        ),
        attributes={
            str(name): dict(data.posterior[name].attrs) for name in data.posterior.data_vars
        },
    )
    data.close()
    return result


def _arviz() -> Any:
    """ArviZ, imported late and without its type hints, which are incomplete."""
    return importlib.import_module("arviz")


def _by_walker(values: FloatArray) -> FloatArray:
    ensembles, steps, walkers = values.shape
    return values.transpose(0, 2, 1).reshape(ensembles, walkers * steps)
