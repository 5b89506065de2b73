"""Model, priors and likelihood bound into one function on the unit cube."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zpfit.errors import NeverExists, NotANumber
from zpfit.inference.priors import Priors
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.exclusions import wall_residual
from zpfit.likelihood.likelihood import Likelihood
from zpfit.models.base import Model, in_words
from zpfit.physics.couplings import Couplings


@dataclass(frozen=True)
class Standing:
    """How n points stand to every measurement and exclusion; arrays have shape (n,)."""

    couplings: Couplings
    pulls: Mapping[str, FloatArray]
    """By measurement."""
    ratios: Sequence[FloatArray]
    """Of all exclusions, hard or soft, and of the model's conditions; above 1 is forbidden."""


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
        """ln L, -inf where excluded or impossible, shape (n,), at points ``u`` of shape (n, d).

        Raises
        ------
        NotANumber
            The model or a term gives NaN; the message names the point.
        """
        return self.log_likelihood_at(self.parameters(u)) if len(u) else np.empty(0)

    def log_likelihood_at(self, parameters: Mapping[str, FloatArray]) -> FloatArray:
        """The same at given values of every parameter, each of shape (n,), n at least 1.

        Raises
        ------
        NotANumber
            As :meth:`log_likelihood`.
        """
        exists = self.model.exists(parameters)
        if exists.all():
            return self._log_likelihood(parameters)
        result = np.full(len(exists), -np.inf)
        index = np.flatnonzero(exists)  # several times faster to take from than a mask
        if len(index):
            some = {name: values[index] for name, values in parameters.items()}
            result[index] = self._log_likelihood(some)
        return result

    def _log_likelihood(self, parameters: Mapping[str, FloatArray]) -> FloatArray:
        c = self.model.couplings(parameters)
        with np.errstate(invalid="ignore"):  # reported below, in words
            result = self.likelihood.log_likelihood(c)
            # A sum is NaN if any of its terms is: one pass finds what a term may not even use.
            if np.isnan(sum(row.sum() for row in c.rows()) + result.max()):
                self._refuse_nan(parameters, c, result)
        return result

    def residuals(self, u: FloatArray, wall: float, data: FloatArray | None = None) -> FloatArray:
        """What :func:`zpfit.inference.search.descent.find_minimum` descends on, shape (n, k).

        ``data`` replaces the observed data, as in ``Likelihood.residuals``.
        """
        parameters = self.parameters(u)
        # Impossible points may have no number, which the search takes for a bad one.
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            terms = self.likelihood.residuals(self.model.couplings(parameters), wall, data)
        conditions = self.model.conditions(parameters).values()
        walls = [wall_residual(ratio, wall)[:, None] for ratio in conditions]
        return np.hstack([terms, *walls])

    def standing(self, u: FloatArray, data: FloatArray | None = None) -> "Standing":
        """How points ``u``, shape (n, d), stand to the data; ``data`` as in :meth:`residuals`."""
        parameters = self.parameters(u)
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            c = self.model.couplings(parameters)
            names = [term.name for term in self.likelihood.measurements]
            pulls = dict(zip(names, self.likelihood.pulls(c, data), strict=True))
            ratios = [*self.likelihood.ratios(c).values()]
        return Standing(c, pulls, [*ratios, *self.model.conditions(parameters).values()])

    def impossible_fraction(self, draws: int, rng: np.random.Generator) -> float:
        """Share of the prior at which the model cannot exist, from that many draws.

        Raises
        ------
        NeverExists
            It exists at none of them.
        """
        parameters = self.parameters(rng.random((draws, self.dimension)))
        exists = self.model.exists(parameters)
        if not exists.any():
            least = {
                n: float(ratio.min()) for n, ratio in self.model.conditions(parameters).items()
            }
            raise NeverExists(self.model.name, draws, least)
        return 1 - float(np.mean(exists))

    def _refuse_nan(
        self, parameters: Mapping[str, FloatArray], c: Couplings, result: FloatArray
    ) -> None:
        for name, row in c.items():
            if np.isnan(row).any():
                source = f"coupling {name} of model {self.model.name!r}"
                raise NotANumber(source, in_words(parameters, int(np.argmax(np.isnan(row)))))
        if np.isnan(result).any():
            index = int(np.argmax(np.isnan(result)))
            one = c.take(np.array([index]))
            terms = self.likelihood.chi2_by_term(one) | self.likelihood.ratios(one)
            broken = next((name for name, values in terms.items() if np.isnan(values[0])), "?")
            raise NotANumber(f"term {broken!r}", in_words(parameters, index))
