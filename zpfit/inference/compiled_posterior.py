"""Model, priors and likelihood recorded together, from the unit cube to ln L in one call."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from zpfit.inference.priors import Priors
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.exclusions import wall_residual
from zpfit.likelihood.likelihood import Likelihood
from zpfit.likelihood.recorded import Parts
from zpfit.models.base import Model
from zpfit.physics.couplings import Couplings
from zpfit.physics.program import Plan, Program
from zpfit.physics.tracing import Trace, Untraceable


class CompiledPosterior:
    """Programs (:mod:`zpfit.physics.program`) that compute what samplers and searches ask for.

    Terms that cannot be recorded are called at the points that the others leave.

    Raises
    ------
    Untraceable
        The model cannot be recorded, or formulas are interpreted.
    """

    def __init__(self, model: Model, priors: Priors, likelihood: Likelihood) -> None:
        self._model, self._priors = model, priors
        trace = Trace()
        try:
            c = self._couplings([trace.input() for _ in priors.free])
            self._parts = Parts.of(likelihood, c)
        except Exception as error:
            raise Untraceable(str(error)) from error
        self._dimension = len(priors.free)
        self._log_likelihood = Program(self._dimension, self._plan)

    def _couplings(self, u: Sequence[Any]) -> Couplings:
        return self._model.couplings(self._priors.of_axes(u))

    def _plan(self, *u: Any) -> Plan:
        """Return conditions of the model, exclusions and ln L."""
        parameters = self._priors.of_axes(u)
        conditions = self._model.conditions(parameters)
        c = self._model.couplings(parameters)
        plan = self._parts.log_likelihood(c)
        # A sum is NaN if any of its terms is; as a ratio it then drops no point.
        defined = np.minimum(sum(row for _, row in c.computed()), 0.0)
        return Plan([*conditions.values(), defined, *plan.stages], plan.outputs)

    def log_likelihood(self, axes: FloatArray) -> FloatArray | None:
        """Return ln L, shape (n,), at points of shape (d, n); None if a value is undefined."""
        results = self._log_likelihood(axes)
        if results.undefined:
            return None
        log_likelihood = results.outputs[0]
        if len(log_likelihood) and not self._parts.complete:
            others = self._parts.others
            log_likelihood += others.log_likelihood(self._couplings([*axes[:, results.points]]))
            if np.isnan(log_likelihood).any():
                return None
        found = np.full(axes.shape[1], -np.inf)
        found[results.points] = log_likelihood
        return found

    def residuals(self, axes: FloatArray, wall: float, data: FloatArray | None) -> FloatArray:
        """Return the residuals of a search, shape (n, k), at points of shape (d, n)."""
        own = np.empty((0, axes.shape[1])) if data is None else data.T[self._parts.recorded_data]
        walls = np.full((1, axes.shape[1]), wall)
        program = self._residuals if data is None else self._residuals_of_data
        columns = program(np.vstack([axes, walls, own])).outputs.T
        if self._parts.complete:
            return columns
        data = None if data is None else data[:, self._parts.data]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            others = self._parts.others.residuals(self._couplings([*axes]), wall, data)
        return np.hstack([columns, others])

    @cached_property
    def _residuals(self) -> Program:
        return Program(self._dimension + 1, self._plan_of_residuals)

    @cached_property
    def _residuals_of_data(self) -> Program:
        return Program(
            self._dimension + 1 + len(self._parts.recorded_data), self._plan_of_residuals
        )

    def _plan_of_residuals(self, *inputs: Any) -> Plan:
        """Return residuals of measurements, exclusions and conditions, in this order."""
        u, wall, data = (
            inputs[: self._dimension],
            inputs[self._dimension],
            inputs[1 + self._dimension :],
        )
        parameters = self._priors.of_axes(u)
        c = self._model.couplings(parameters)
        columns = self._parts.recorded.residual_columns(c, wall, data or None)
        conditions = self._model.conditions(parameters).values()
        return Plan([], [*columns, *(wall_residual(ratio, wall) for ratio in conditions)])
