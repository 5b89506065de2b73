"""Model, priors and likelihood bound into one function on the unit cube."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from zpfit.errors import InvalidInput, ModelNeverValid, UndefinedValue, WrongType
from zpfit.inference.compiled_posterior import CompiledPosterior
from zpfit.inference.priors import Priors
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.exclusions import wall_residual
from zpfit.likelihood.likelihood import Likelihood
from zpfit.models.base import Model, in_words
from zpfit.physics.couplings import Couplings
from zpfit.physics.tracing import Untraceable


@dataclass(frozen=True)
class PullsAndRatios:
    """Pulls of all measurements and ratios of all exclusions at n points."""

    couplings: Callable[[], Couplings]
    """Returns the couplings; most callers need none."""
    pulls: FloatArray
    """(Prediction - value)/error of each measurement, shape (m, n)."""
    ratios: FloatArray
    """Predicted over allowed value of all exclusions, hard or soft, and of the model's conditions.

    Shape (k, n). A ratio above 1 is forbidden.
    """


@dataclass(frozen=True)
class Posterior:
    """Posterior on the unit cube, where the prior is uniform.

    Parameters
    ----------
    model
        Map from parameters to couplings, with the conditions under which the model exists.
    priors
        Prior of every parameter; those of the free ones map the unit cube to values.
    likelihood
        Measurements and exclusions.

    Examples
    --------
    >>> from zpfit.runs.run_file import find_run_file, load_run
    >>> posterior = load_run(find_run_file("quickstart")).posterior
    >>> posterior.names[:2], posterior.dimension
    (('m_Zp', 'C_Ve'), 7)
    >>> posterior.log_likelihood(np.full((3, 7), 0.5)).shape
    (3,)
    """

    model: Model
    priors: Priors
    likelihood: Likelihood

    @cached_property
    def _compiled(self) -> CompiledPosterior | None:
        """The posterior as lists of steps, or None if the model cannot be recorded."""
        try:
            return CompiledPosterior(self.model, self.priors, self.likelihood)
        except Untraceable:
            return None

    def __getstate__(self) -> dict[str, Any]:
        """Return what is sent to other processes, which compile the posterior again."""
        return {name: value for name, value in self.__dict__.items() if name != "_compiled"}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the sampled parameters, one for each axis of the unit cube."""
        return tuple(self.priors.free)

    @property
    def dimension(self) -> int:
        """Number of axes of the unit cube, d."""
        return len(self.priors.free)

    def parameters(self, u: FloatArray) -> dict[str, FloatArray]:
        """Return every parameter of the model, shape (n,) each, at points ``u``, shape (n, d)."""
        return self.priors.transform(u)

    def couplings(self, u: FloatArray) -> Couplings:
        """Return the couplings at points ``u``, shape (n, d)."""
        return self.model.couplings(self.parameters(u))

    def log_likelihood(self, u: FloatArray) -> FloatArray:
        """Return ln L at points of the unit cube.

        Parameters
        ----------
        u
            Points, shape (n, d), between 0 and 1.

        Returns
        -------
        FloatArray
            ln L up to a constant, shape (n,); -inf where excluded or where no model exists.

        Raises
        ------
        WrongType, InvalidInput
            ``u`` is no array, or has another shape.
        UndefinedValue
            The model or a term gives NaN where no exclusion forbids the point, which the message
            names.
        """
        d = self.dimension
        if not isinstance(u, np.ndarray):
            raise WrongType("u", u, f"an array of shape (n, {d})")
        if u.ndim != 2 or u.shape[1] != d:
            given = f"an array of shape {u.shape}"
            raise InvalidInput([f"u: {given} holds no points; give one of shape (n, {d})"])
        if not len(u):
            return np.empty(0)
        found = None if self._compiled is None else self._compiled.log_likelihood(u)
        return self._term_by_term(self.parameters(u)) if found is None else found

    def log_likelihood_at(self, parameters: Mapping[str, FloatArray]) -> FloatArray:
        """Return ln L at given values of every parameter, shape (n,) each with n >= 1.

        Raises
        ------
        UndefinedValue
            The model or a term gives NaN where no exclusion forbids the point, which the message
            names.
        """
        found = None if self._compiled is None else self._compiled.log_likelihood_at(parameters)
        return self._term_by_term(parameters) if found is None else found

    def _term_by_term(self, parameters: Mapping[str, FloatArray]) -> FloatArray:
        """Return ln L from one call for each term, which reports an undefined value."""
        exists = self.model.exists(parameters)
        if exists.all():
            return self._log_likelihood(parameters)
        result = np.full(len(exists), -np.inf)
        index = np.flatnonzero(exists)  # several times faster than a mask
        if len(index):
            some = {name: values[index] for name, values in parameters.items()}
            result[index] = self._log_likelihood(some)
        return result

    def _log_likelihood(self, parameters: Mapping[str, FloatArray]) -> FloatArray:
        c = self.model.couplings(parameters)
        with np.errstate(invalid="ignore"):  # reported below with the point
            result = self.likelihood.log_likelihood(c)
            # A sum is NaN if any of its terms is. The sum over couplings also finds NaN in
            # couplings that no term uses, at points that no exclusion forbids.
            total = result + sum(row for _, row in c.computed())
            if (np.isnan(total) & (result != -np.inf)).any():
                self._refuse_nan(parameters, c, result)
        return result

    def residuals(self, u: FloatArray, wall: float, data: FloatArray | None = None) -> FloatArray:
        """Return the residuals of a search, shape (n, k), whose squares add up to chi2 and walls.

        Parameters
        ----------
        u
            Points of the unit cube, shape (n, d).
        wall
            Steepness of the walls of hard exclusions and of the model's conditions.
        data
            Data that replace the observed ones, as in ``Likelihood.residuals``.
        """
        if self._compiled is not None:
            return self._compiled.residuals(u, wall, data)
        parameters = self.parameters(u)
        # Impossible points may give NaN, which the search counts as an infinite cost.
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            terms = self.likelihood.residuals(self.model.couplings(parameters), wall, data)
        conditions = self.model.conditions(parameters).values()
        walls = [wall_residual(ratio, wall)[:, None] for ratio in conditions]
        return np.hstack([terms, *walls])

    def pulls_and_ratios(self, u: FloatArray, data: FloatArray | None = None) -> PullsAndRatios:
        """Return pulls and ratios at points, shape (n, d); see :meth:`residuals` for ``data``."""
        if self._compiled is not None:
            return PullsAndRatios(
                lambda: self.couplings(u), *self._compiled.pulls_and_ratios(u, data)
            )
        parameters = self.parameters(u)
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            c = self.model.couplings(parameters)
            pulls = self.likelihood.pulls(c, data)
            ratios = [*self.likelihood.ratios(c).values()]
        ratios += self.model.conditions(parameters).values()
        stacked = (np.array(rows).reshape(-1, len(u)) for rows in (pulls, ratios))
        return PullsAndRatios(lambda: c, *stacked)

    def impossible_fraction(self, draws: int, rng: np.random.Generator) -> float:
        """Return the fraction of the prior where the model cannot exist.

        Parameters
        ----------
        draws
            Number of draws from the prior.
        rng
            Generator of the draws.

        Raises
        ------
        ModelNeverValid
            The model exists at none of the draws.
        """
        parameters = self.parameters(rng.random((draws, self.dimension)))
        exists = self.model.exists(parameters)
        if not exists.any():
            least = {
                n: float(ratio.min()) for n, ratio in self.model.conditions(parameters).items()
            }
            raise ModelNeverValid(self.model.name, draws, least)
        return 1 - float(np.mean(exists))

    def _refuse_nan(
        self, parameters: Mapping[str, FloatArray], c: Couplings, result: FloatArray
    ) -> None:
        for name, row in c.items():
            undefined = np.isnan(row) & (result != -np.inf)
            if undefined.any():
                source = f"coupling {name} of model {self.model.name!r}"
                raise UndefinedValue(source, in_words(parameters, int(np.argmax(undefined))))
        if np.isnan(result).any():
            index = int(np.argmax(np.isnan(result)))
            one = c.take(np.array([index]))
            terms = self.likelihood.chi2_by_term(one) | self.likelihood.ratios(one)
            broken = next((name for name, values in terms.items() if np.isnan(values[0])), "?")
            raise UndefinedValue(f"term {broken!r}", in_words(parameters, index))
