"""Model, priors and likelihood recorded together, from the unit cube to ln L in one call."""

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np

from zpfit.inference.priors import Priors
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.exclusions import wall_residual
from zpfit.likelihood.likelihood import Likelihood
from zpfit.likelihood.recorded import Parts
from zpfit.models.base import Model, Values
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
        self._model, self._priors, self._likelihood = model, priors, likelihood
        self._names, self._dimension = tuple(priors.by_name), len(priors.free)
        trace = Trace()
        try:
            u: list[Any] = [trace.input() for _ in priors.free]
            c = model.couplings(priors.of_axes(u))
        except Exception as error:  # the model is called again with numbers
            raise Untraceable(str(error)) from error
        self._parts = Parts.of(likelihood, c, apart=likelihood.uncertain)
        # Counts of pseudo-experiments differ between points, and are no constants.
        self._parts_of_data = Parts.of(likelihood, c, apart=likelihood.apart)
        self._of_cube = Program(self._dimension, lambda *u: self._plan(priors.of_axes(u)))

    @cached_property
    def _of_values(self) -> Program:
        names = self._names
        return Program(len(names), lambda *v: self._plan(dict(zip(names, v, strict=True))))

    @cached_property
    def _residuals(self) -> Program:
        return Program(self._dimension + 1, partial(self._plan_of_residuals, self._parts))

    @cached_property
    def _pulls(self) -> tuple[Parts, Program]:
        return self._recorded_pulls(with_data=False)

    @cached_property
    def _pulls_of_data(self) -> tuple[Parts, Program]:
        return self._recorded_pulls(with_data=True)

    def _recorded_pulls(self, *, with_data: bool) -> tuple[Parts, Program]:
        trace = Trace()
        u: list[Any] = [trace.input() for _ in self._priors.free]
        c = self._model.couplings(self._priors.of_axes(u))
        parts = Parts.of_pulls(self._likelihood, c, with_data=with_data)
        n_data = len(parts.recorded_data) if with_data else 0
        return parts, Program(self._dimension + n_data, partial(self._plan_of_pulls, parts))

    @cached_property
    def _residuals_of_data(self) -> Program:
        parts = self._parts_of_data
        n_inputs = self._dimension + 1 + len(parts.recorded_data)
        return Program(n_inputs, partial(self._plan_of_residuals, parts))

    def log_likelihood(self, u: FloatArray) -> FloatArray | None:
        """Return ln L, shape (n,), at points of shape (n, d); None if a value is undefined."""
        return self._completed(self._of_cube, u.T, self._priors.of_axes)

    def log_likelihood_at(self, values: Values) -> FloatArray | None:
        """Return ln L, shape (n,), at values of every parameter; None if one is undefined."""
        names = self._names
        rows = np.array([values[name] for name in names])
        return self._completed(self._of_values, rows, lambda v: dict(zip(names, v, strict=True)))

    def residuals(self, u: FloatArray, wall: float, data: FloatArray | None) -> FloatArray:
        """Return the residuals of a search, shape (n, k), at points of shape (n, d).

        Their order differs from that of ``Likelihood.residuals``.
        """
        walls = np.full((1, len(u)), wall)
        if data is None:
            parts, program, rest = self._parts, self._residuals, None
            inputs = np.vstack([u.T, walls])
        else:
            parts, program = self._parts_of_data, self._residuals_of_data
            rest, own = data[:, parts.data], data.T[parts.recorded_data]
            inputs = np.vstack([u.T, walls, own])
        columns = program(inputs).outputs.T
        if parts.complete:
            return columns
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            c = self._model.couplings(self._priors.of_axes([*u.T]))
            return np.hstack([columns, parts.others.residuals(c, wall, rest)])

    def pulls_and_ratios(
        self, u: FloatArray, data: FloatArray | None
    ) -> tuple[FloatArray, FloatArray]:
        """Return pulls of measurements (m, n), and ratios of exclusions and conditions (k, n).

        Points have shape (n, d). The ratios have an order of their own.
        """
        parts, program = self._pulls if data is None else self._pulls_of_data
        own = () if data is None else (data.T[parts.recorded_data],)
        rows = program(np.vstack([u.T, *own])).outputs
        recorded = parts.recorded.measurements
        pulls, ratios = rows[: len(recorded)], rows[len(recorded) :]
        if parts.complete:
            return pulls, ratios
        rest = None if data is None else data[:, parts.data]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            c = self._model.couplings(self._priors.of_axes([*u.T]))
            found = dict(zip([term.name for term in recorded], pulls, strict=True))
            names = [term.name for term in parts.others.measurements]
            found |= zip(names, parts.others.pulls(c, rest), strict=True)
            ratios = np.array([*ratios, *parts.others.ratios(c).values()]).reshape(-1, len(u))
        rows = np.array([found[term.name] for term in self._likelihood.measurements])
        return rows.reshape(-1, len(u)), ratios

    def _completed(self, program: Program, inputs: FloatArray, values: Any) -> FloatArray | None:
        """Return ln L with the terms that are not recorded; ``values`` gives the parameters."""
        results = program(inputs)
        if results.undefined:
            return None
        log_likelihood = results.outputs[0]
        if len(log_likelihood) and not self._parts.complete:
            c = self._model.couplings(values([*inputs[:, results.points]]))
            log_likelihood += self._parts.others.log_likelihood(c)
            if np.isnan(log_likelihood).any():
                return None
        found = np.full(inputs.shape[1], -np.inf)
        found[results.points] = log_likelihood
        return found

    def _plan(self, parameters: Mapping[str, Any]) -> Plan:
        """Return conditions of the model, exclusions and ln L.

        Couplings are looked at last: those that no exclusion needs are then computed at few points.
        """
        conditions = self._model.conditions(parameters).values()
        c = self._model.couplings(parameters)
        stages, log_likelihood = self._parts.log_likelihood(c)
        return Plan([*conditions, *stages, _defined(c)], [log_likelihood])

    def _plan_of_pulls(self, parts: Parts, *inputs: Any) -> Plan:
        """Return pulls of measurements, ratios of exclusions and conditions, in this order."""
        u, data = inputs[: self._dimension], inputs[self._dimension :]
        parameters = self._priors.of_axes(u)
        c = self._model.couplings(parameters)
        pulls = parts.recorded.pulls_of_rows(c, data or None)
        ratios = parts.recorded.ratios(c).values()
        return Plan([], [*pulls, *ratios, *self._model.conditions(parameters).values()])

    def _plan_of_residuals(self, parts: Parts, *inputs: Any) -> Plan:
        """Return residuals of measurements, exclusions and conditions, in this order."""
        u, (wall, *data) = inputs[: self._dimension], inputs[self._dimension :]
        parameters = self._priors.of_axes(u)
        c = self._model.couplings(parameters)
        columns = parts.recorded.residual_columns(c, wall, data or None)
        conditions: Sequence[Any] = [*self._model.conditions(parameters).values()]
        return Plan([], [*columns, *(wall_residual(ratio, wall) for ratio in conditions)])


def _defined(c: Couplings) -> Any:
    """Return a ratio that drops no point, and is NaN where a coupling is: a sum is if a term is."""
    return np.minimum(sum(row for _, row in c.computed()), 0.0)
