"""Samples and dead points for anesthetic: objects in memory or text files."""

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from zpfit.inference.posterior import Posterior
from zpfit.inference.samplers.result import StoredDeadPoints
from zpfit.interfaces.sample_table import SampleTable
from zpfit.io.extras import import_extra
from zpfit.runs.nested import BORN_IN_PRIOR, EXCLUDED

_ENDINGS = ("_dead-birth.txt", ".paramnames")
"""Endings of the two files with dead points."""


def to_anesthetic(table: SampleTable) -> Any:
    """Return the varying columns of a table as ``anesthetic.MCMCSamples``.

    Raises
    ------
    MissingExtra
        anesthetic is not installed.
    """
    anesthetic = import_extra("anesthetic", "anesthetic")
    columns = table.varying
    return anesthetic.MCMCSamples(
        data=np.column_stack([column.values.ravel() for column in columns]),
        columns=[column.name for column in columns],
        labels=[f"${column.symbol}$" for column in columns],
        weights=table.weight.ravel(),
        logL=table.log_likelihood.ravel(),
        label=str(table.attributes["title"]),
    )


def dead_points_to_anesthetic(posterior: Posterior, points: StoredDeadPoints) -> Any:
    """Return the dead points of nested sampling as ``anesthetic.NestedSamples``.

    anesthetic computes the evidence and its error from them.

    Parameters
    ----------
    posterior : Posterior
        The posterior that was sampled; its model has the symbols.
    points : StoredDeadPoints
        Dead points of the run.

    Raises
    ------
    MissingExtra
        anesthetic is not installed.
    """
    anesthetic = import_extra("anesthetic", "anesthetic")
    symbols = {parameter.name: parameter.symbol for parameter in posterior.model.parameters}
    names = list(points.values)
    return anesthetic.NestedSamples(
        data=np.column_stack(list(points.values.values())),
        columns=names,
        labels=[f"${symbols[name]}$" for name in names],
        logL=np.maximum(points.log_likelihood, EXCLUDED),
        logL_birth=np.maximum(points.log_birth, BORN_IN_PRIOR),
    )


def files(nested: tuple[Path, Path], root: str) -> Iterator[tuple[str, Callable[[Path], object]]]:
    """Yield the name of each file and a function that copies it from the run folder."""
    for source, ending in zip(nested, _ENDINGS, strict=True):
        yield f"{root}{ending}", partial(shutil.copyfile, source)
