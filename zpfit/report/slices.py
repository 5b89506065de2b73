"""Planes of two parameters through a run's best fit: what excludes each point, and chi2 where none.

All other parameters stay at the best fit, and those that are tied follow.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zpfit.config import Run
from zpfit.physics.compiled import FloatArray
from zpfit.posterior import Posterior
from zpfit.report.records import Point

NODES = 80
"""Along each side."""
_MASS = "m_Zp"
_MOST = 3
"""Planes of a page."""
_EDGE = 1e-6
"""Distance from the ends of a prior, where a normal one is infinite."""
_PULLED = 4.0
"""chi2 above that of the best fit from which data disfavour a point: 2 standard errors."""


@dataclass(frozen=True)
class SlicePlane:
    """Arrays of shape (ny, nx) unless said otherwise."""

    x: str
    y: str
    x_values: FloatArray
    """Shape (nx,)."""
    y_values: FloatArray
    """Shape (ny,)."""
    names: tuple[str, ...]
    """Of exclusions, then of the model's conditions."""
    is_hard: NDArray[np.bool_]
    """Of these names, shape (k,): soft exclusions enter chi2 and cut nothing off."""
    ratios: FloatArray
    """Signal over limit by name, shape (k, ny, nx); NaN where the model gives no number."""
    measurements: tuple[str, ...]
    pulls: FloatArray
    """Shape (number of measurements, ny, nx)."""
    chi2: FloatArray

    @property
    def strongest(self) -> NDArray[np.intp]:
        """Index of the hard name with the largest ratio, -1 where it allows the point."""
        if not self.is_hard.any():
            return np.full(self.chi2.shape, -1)
        ratios = np.where(self.is_hard[:, None, None], np.nan_to_num(self.ratios, nan=-1), -2)
        index = np.argmax(ratios, axis=0)
        return np.where(np.max(ratios, axis=0) > 1, index, -1)

    @property
    def allowed_share(self) -> float:
        """Of the plane."""
        return float(np.mean(self.strongest < 0))


def slices_of(run: Run, best: Point) -> list[SlicePlane]:
    """The mass against the parameters that the data hold tightest, or these among each other.

    None if fewer than two parameters are sampled.

    Raises:
        OutsidePrior: the best fit does not belong to the run.
    """
    posterior = run.posterior
    u = posterior.priors.to_unit_cube(best.parameters)
    return [_plane(posterior, u, x, y) for x, y in _pairs(posterior, u, best.chi2)]


def _pairs(posterior: Posterior, u: FloatArray, chi2: float) -> list[tuple[str, str]]:
    names = posterior.names
    held = {name: _held(posterior, u, axis, chi2) for axis, name in enumerate(names)}
    tightest = sorted(names, key=lambda name: held[name], reverse=True)
    if _MASS in names:
        return [(_MASS, name) for name in tightest if name != _MASS][:_MOST]
    return [(x, y) for i, y in enumerate(tightest) for x in tightest[:i]][:_MOST]


def _held(posterior: Posterior, u: FloatArray, axis: int, chi2: float) -> tuple[float, float]:
    """Shares of the prior along an axis that data exclude and disfavour, the rest at the best fit.

    Exclusions count first: a plane shows who they are.
    """
    scan = np.tile(u, (NODES, 1))
    scan[:, axis] = _nodes(NODES)
    log_likelihood = posterior.log_likelihood(scan)
    excluded = float(np.mean(np.isneginf(log_likelihood)))
    return excluded, float(np.mean(-2 * log_likelihood > chi2 + _PULLED))


def _plane(posterior: Posterior, u: FloatArray, x: str, y: str) -> SlicePlane:
    names = posterior.names
    i, j = names.index(x), names.index(y)
    ux, uy = _distinct(posterior, x, u[i]), _distinct(posterior, y, u[j])
    points = np.tile(u, (len(ux) * len(uy), 1))
    points[:, i], points[:, j] = np.tile(ux, len(uy)), np.repeat(uy, len(ux))
    shape = (len(uy), len(ux))
    parameters = posterior.parameters(points)
    likelihood = posterior.likelihood
    # Where the model cannot exist, couplings may be no numbers.
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        c = posterior.model.couplings(parameters)
        ratios = likelihood.ratios(c)
        conditions = posterior.model.conditions(parameters)
        pulls = {term.name: term.pull(c) for term in likelihood.measurements}
        chi2 = likelihood.chi2(c)
    hard = [not exclusion.soft for exclusion in likelihood.exclusions]
    return SlicePlane(
        x=x,
        y=y,
        x_values=parameters[x].reshape(shape)[0],
        y_values=parameters[y].reshape(shape)[:, 0],
        names=(*ratios, *conditions),
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


def _nodes(n: int) -> FloatArray:
    return np.asarray(np.linspace(_EDGE, 1 - _EDGE, n))


def _distinct(posterior: Posterior, name: str, best: float) -> FloatArray:
    """Nodes along an axis, one at the best fit, each value of a prior with steps once."""
    u = _nodes(NODES)
    u[np.argmin(np.abs(u - best))] = best
    values = posterior.parameters(np.tile(u[:, None], (1, posterior.dimension)))[name]
    return u[np.unique(values, return_index=True)[1]]
