"""Model, priors and likelihood bound into one function on the unit cube."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zpfit.errors import NotANumber
from zpfit.likelihood import Likelihood
from zpfit.models.base import Model
from zpfit.physics.compiled import FloatArray
from zpfit.physics.couplings import Couplings
from zpfit.priors import Priors


@dataclass(frozen=True)
class Posterior:
    """What a sampler explores: a likelihood on the unit cube, whose prior is uniform."""

    model: Model
    priors: Priors
    likelihood: Likelihood

    @property
    def names(self) -> tuple[str, ...]:
        """Sampled parameters, one for each axis of the unit cube."""
        return tuple(self.priors.free)

    @property
    def dimension(self) -> int:
        """Number of axes."""
        return len(self.priors.free)

    def parameters(self, u: FloatArray) -> dict[str, FloatArray]:
        """Every parameter of the model, each of shape (n,), at points ``u`` of shape (n, d)."""
        return self.priors.transform(u)

    def couplings(self, u: FloatArray) -> Couplings:
        """Couplings at points ``u`` of shape (n, d)."""
        return self.model.couplings(self.parameters(u))

    def log_likelihood(self, u: FloatArray) -> FloatArray:
        """ln L, -inf where excluded, shape (n,), at points ``u`` of shape (n, d).

        Raises:
            NotANumber: the model or a term gives NaN; the message names the point.
        """
        result = self.likelihood.log_likelihood(self.couplings(u))
        undefined = np.flatnonzero(np.isnan(result))
        if len(undefined):
            first = self.parameters(u[undefined[:1]])
            raise NotANumber(self._culprit(first), _describe(first))
        return result

    def residuals(self, u: FloatArray, wall: float) -> FloatArray:
        """What :func:`zpfit.optimize.find_minimum` descends on, shape (n, k)."""
        return self.likelihood.residuals(self.couplings(u), wall)

    def _culprit(self, parameters: Mapping[str, FloatArray]) -> str:
        """The coupling or term that is NaN at one point."""
        c = self.model.couplings(parameters)
        for name, row in zip(Couplings.__dataclass_fields__, c.rows(), strict=True):
            if np.isnan(row).any():
                return f"coupling {name} of model {self.model.name!r}"
        terms = self.likelihood.chi2_by_term(c) | self.likelihood.ratios(c)
        broken = [name for name, values in terms.items() if np.isnan(values).any()]
        return f"term {broken[0]!r}" if broken else "the likelihood"


def _describe(parameters: Mapping[str, FloatArray]) -> str:
    return ", ".join(f"{name} = {float(value[0]):.6g}" for name, value in parameters.items())
