"""Planes of two parameters through the best fit of a run.

Each point shows its strongest exclusion, or chi2 if none excludes it. Other parameters stay at the
best fit; tied ones follow the parameter that they are tied to.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zpfit.analysis.records import BestFitRecord
from zpfit.inference.posterior import Posterior
from zpfit.inference.problem import Problem
from zpfit.io.arrays import FloatArray

NODES = 80
"""Points along each side."""
_MASS = "m_Zp"
_MOST = 3
"""Number of planes of a page."""
_EDGE = 1e-6
"""Distance from the ends of the unit cube, where a normal prior is infinite."""
_PULLED = 4.0
"""Difference in chi2 from the best fit above which data disfavour a point: 2 standard errors."""


@dataclass(frozen=True)
class SlicePlane:
    """A plane; arrays have the shape (ny, nx) unless stated otherwise."""

    x: str
    y: str
    x_values: FloatArray
    """Values along x, shape (nx,)."""
    y_values: FloatArray
    """Values along y, shape (ny,)."""
    names: tuple[str, ...]
    """Names of exclusions, then of the model's conditions."""
    conditions: tuple[str, ...]
    """Names of the model's conditions."""
    is_hard: NDArray[np.bool_]
    """True for hard exclusions and conditions, shape (k,); soft exclusions enter chi2."""
    ratios: FloatArray
    """Signal over limit by name, shape (k, ny, nx); NaN where the model gives no number."""
    measurements: tuple[str, ...]
    pulls: FloatArray
    """Pulls, shape (number of measurements, ny, nx)."""
    chi2: FloatArray

    @property
    def strongest(self) -> NDArray[np.intp]:
        """Index of the strongest hard exclusion; -1 where the point is allowed."""
        if not self.is_hard.any():
            return np.full(self.chi2.shape, -1)
        ratios = np.where(self.is_hard[:, None, None], np.nan_to_num(self.ratios, nan=-1), -2)
        index = np.argmax(ratios, axis=0)
        return np.where(np.max(ratios, axis=0) > 1, index, -1)

    @property
    def allowed_share(self) -> float:
        """Allowed fraction of the plane."""
        return float(np.mean(self.strongest < 0))


def slices_of(run: Problem, best: BestFitRecord) -> list[SlicePlane]:
    """Compute planes of the mass and the most constrained parameters, or of these parameters.

    None if fewer than two parameters are sampled.

    Raises
    ------
    OutsidePrior
        The best fit does not belong to the run.
    """
    through = _Through(run.posterior, best, _nodes(run.posterior, best))
    return [through.plane(x, y) for x, y in through.pairs()]


def _nodes(posterior: Posterior, best: BestFitRecord) -> dict[str, FloatArray]:
    """Return values along each axis, the best fit included; each value of a discrete prior once."""
    at_best = posterior.priors.to_unit_cube(best["parameters"])
    nodes = {}
    for (name, prior), u in zip(posterior.priors.free.items(), at_best, strict=True):
        even = np.linspace(_EDGE, 1 - _EDGE, NODES)
        values = prior.ppf(even)
        # To the last bit, as it may lie on the edge of an exclusion.
        values[np.argmin(np.abs(even - u))] = best["parameters"][name]
        nodes[name] = np.unique(values)
    return nodes


@dataclass(frozen=True)
class _Through:
    """Points that differ from the best fit in one or two parameters."""

    posterior: Posterior
    best: BestFitRecord
    nodes: dict[str, FloatArray]

    def pairs(self) -> list[tuple[str, str]]:
        """Return the names along x and y of the planes to show."""
        held = {name: self._held(name) for name in self.nodes}
        tightest = sorted(held, key=lambda name: held[name], reverse=True)
        if _MASS in tightest:
            return [(_MASS, name) for name in tightest if name != _MASS][:_MOST]
        return [(x, y) for i, y in enumerate(tightest) for x in tightest[:i]][:_MOST]

    def _parameters(self, changed: dict[str, FloatArray]) -> dict[str, FloatArray]:
        """Return every parameter at the points, tied ones included, each of shape (n,)."""
        n = len(next(iter(changed.values())))
        free = {name: np.full(n, self.best["parameters"][name]) for name in self.nodes}
        return self.posterior.priors.complete(free | changed, n)

    def _held(self, name: str) -> tuple[float, float]:
        """Return fractions of an axis that data exclude and disfavour, the rest at the best fit.

        Exclusions count first, because a plane shows their names.
        """
        parameters = self._parameters({name: self.nodes[name]})
        exists = self.posterior.model.exists(parameters)
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            c = self.posterior.model.couplings(parameters)
            log_likelihood = self.posterior.likelihood.log_likelihood(c)
        excluded = ~exists | np.isneginf(log_likelihood)
        disfavoured = excluded | (-2 * log_likelihood > self.best["chi2"] + _PULLED)
        return float(np.mean(excluded)), float(np.mean(disfavoured))

    def plane(self, x: str, y: str) -> SlicePlane:
        """Evaluate model and likelihood on a plane."""
        x_values, y_values = self.nodes[x], self.nodes[y]
        shape = (len(y_values), len(x_values))
        along = {x: np.tile(x_values, shape[0]), y: np.repeat(y_values, shape[1])}
        parameters = self._parameters(along)
        model, likelihood = self.posterior.model, self.posterior.likelihood
        # Where the model cannot exist, couplings may be no numbers.
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            c = model.couplings(parameters)
            ratios = likelihood.ratios(c)
            conditions = model.conditions(parameters)
            pulls = {term.name: term.pull(c) for term in likelihood.measurements}
            chi2 = likelihood.chi2(c)
        hard = [not exclusion.soft for exclusion in likelihood.exclusions]
        return SlicePlane(
            x=x,
            y=y,
            x_values=x_values,
            y_values=y_values,
            names=(*ratios, *conditions),
            conditions=tuple(conditions),
            is_hard=np.array([*hard, *[True] * len(conditions)], dtype=bool),
            ratios=_stacked([*ratios.values(), *conditions.values()], shape),
            measurements=tuple(pulls),
            pulls=_stacked(list(pulls.values()), shape),
            chi2=chi2.reshape(shape),
        )


def _stacked(columns: Sequence[FloatArray], shape: tuple[int, int]) -> FloatArray:
    if not columns:
        return np.empty((0, *shape))
    return np.stack([column.reshape(shape) for column in columns])
