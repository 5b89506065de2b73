"""chi2 and the strongest exclusion at many points, and the number of points that is fast."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.likelihood.likelihood import Likelihood
from zpfit.models.base import Model

GRIDS = (60, 50, 40, 30, 20, 15, 10)
"""Nodes along each axis of a slice, from fine to coarse."""
HUGE = 1e300
_BUDGET = 0.05
"""Seconds that a slice may take, so that the page has its answer within 0.1 s."""
_TIMED = 3
_FEWER = 8


Positions = np.ndarray[Any, np.dtype[np.intp]]


@dataclass(frozen=True)
class Surroundings:
    """chi2 and strongest exclusions of n points."""

    chi2: FloatArray
    """chi2, shape (n,); NaN where the model does not exist."""
    log_ratio: FloatArray
    """log10 of the largest ratio of an exclusion or a violated condition, (n,); NaN without any.

    Soft exclusions count where no hard one excludes the point.
    """
    by: Positions
    """Index of that exclusion or condition in ``names``, (n,); -1 without any."""
    names: tuple[str, ...]


def look_around(
    model: Model, likelihood: Likelihood, values: Mapping[str, FloatArray]
) -> Surroundings:
    """Evaluate chi2 and the strongest exclusion at points, each parameter of shape (n,).

    Raises
    ------
    InvalidModel
        A user's model fails.
    """
    size = len(next(iter(values.values())))
    with np.errstate(all="ignore"):  # NaN becomes null on the page
        conditions = model.conditions(values)
        exists = np.flatnonzero(model.exists(values))
        chi2 = np.full(size, np.nan)
        rows = [np.full(size, np.nan) for _ in likelihood.exclusions]
        if len(exists):
            c = model.couplings({name: column[exists] for name, column in values.items()})
            chi2[exists] = likelihood.chi2(c)
            for row, exclusion in zip(rows, likelihood.exclusions, strict=True):
                row[exists] = exclusion.ratio(c)
        rows += [np.where(ratio > 1, ratio, np.nan) for ratio in conditions.values()]
        soft = [exclusion.soft for exclusion in likelihood.exclusions]
        names = (*(exclusion.name for exclusion in likelihood.exclusions), *conditions)
        return Surroundings(chi2, *_strongest(rows, soft, size), names)


def _strongest(rows: list[FloatArray], soft: list[bool], size: int) -> tuple[FloatArray, Positions]:
    """Return log10 of the largest of several ratios and its index, each of shape (n,)."""
    if not rows:
        return np.full(size, np.nan), np.full(size, -1, dtype=np.intp)
    ratios = np.stack(rows)
    ratios[np.isnan(ratios)] = -1.0
    points = np.arange(size)
    by = np.argmax(ratios, axis=0)
    if any(soft):
        hard = ratios.copy()
        hard[np.flatnonzero(soft)] = -1.0
        hardest = np.argmax(hard, axis=0)
        by = np.where(hard[hardest, points] > 1, hardest, by)
    largest = ratios[by, points]
    none = largest < 0
    log_ratio = np.log10(np.where(none, np.nan, np.clip(largest, 1 / HUGE, HUGE)))
    return log_ratio, np.where(none, -1, by)


def quick_grid(model: Model, likelihood: Likelihood, values: Mapping[str, FloatArray]) -> int:
    """Return the nodes along each axis for which a slice is fast, from timings at some points."""
    many = len(next(iter(values.values())))
    few = max(many // _FEWER, 1)

    def seconds(n: int) -> float:
        some = {name: column[:n] for name, column in values.items()}
        began = perf_counter()
        look_around(model, likelihood, some)
        return perf_counter() - began

    least, most = (min(seconds(n) for _ in range(_TIMED)) for n in (few, many))
    per_node = max(most - least, 0.0) / (many - few)  # a call also has a constant cost
    return next((n for n in GRIDS if least + n * n * per_node <= _BUDGET), GRIDS[-1])
