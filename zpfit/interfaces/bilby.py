"""zpfit's likelihood and priors in bilby (arXiv:1811.02042)."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from zpfit.errors import InvalidInput, MissingExtra
from zpfit.inference.priors import FreePrior, LogUniform, Normal, SignedLogUniform, Uniform
from zpfit.interfaces.point_likelihood import PointLikelihood, point_likelihood
from zpfit.io.arrays import FloatArray

try:
    from bilby.core import prior as bilby_prior
    from bilby.core.likelihood import Likelihood
except ImportError as error:
    raise MissingExtra("bilby", "bilby", str(error)) from error


_OF_BILBY = frozenset({"log_likelihood", "log_prior", "weights"})
"""Columns of a posterior that bilby hands over beside parameters when it weights samples anew."""


class ZpfitLikelihood(Likelihood):  # type: ignore[misc]  # bilby comes without types
    """ln L of a model and data of zpfit; parameters are those that a run file leaves free.

    Arguments are those of :func:`zpfit.interfaces.point_likelihood.point_likelihood`, and
    ``others``: parameters of other likelihoods, which bilby hands over to each one of a
    ``JointLikelihood``. Any further name is a mistake.

    Raises
    ------
    InvalidInput
        Everything that is wrong with them, each with its place.
    """

    def __init__(
        self,
        run_file: str | None = None,
        likelihood: str | None = None,
        model: str | None = None,
        changes: Mapping[str, Any] | None = None,
        others: Collection[str] = (),
    ) -> None:
        self._point: PointLikelihood = point_likelihood(run_file, likelihood, model, changes)
        self._passed_over = _OF_BILBY.union(others)
        super().__init__()

    def log_likelihood(self, parameters: dict[str, float]) -> float:
        """ln L at a point; bilby's samplers hold -inf for impossible.

        Raises
        ------
        InvalidInput
            A parameter is missing or unknown.
        """
        passed_over = self._passed_over
        return self._point.log_likelihood(
            {name: value for name, value in parameters.items() if name not in passed_over}
        )

    def noise_log_likelihood(self) -> float:
        """ln L without a Z', so that bilby's Bayes factors are against that."""
        return self._point.log_likelihood_without_zprime()

    def priors(self) -> Any:
        """The run file's priors of the free parameters, a ``bilby.core.prior.PriorDict``.

        Raises
        ------
        InvalidInput
            There is no run file.
        """
        found = self._point.priors
        if found is None:
            names = ", ".join(self._point.required)
            raise InvalidInput(
                [f"no priors without a run file: give run_file, or bilby's own priors of {names}"]
            )
        return bilby_prior.PriorDict(
            {
                name: _translated(name, prior, f"${self._point.symbols[name]}$")
                for name, prior in found.items()
            }
        )


class EitherSign(bilby_prior.Prior):  # type: ignore[misc]  # bilby comes without types
    """:class:`zpfit.inference.priors.SignedLogUniform` for bilby.

    bilby's own ``SymmetricLogUniform`` does not end at its bounds: its ``ln_prob`` is finite
    everywhere, and samplers that walk by it leave the prior.
    """

    def __init__(
        self, lower: float, upper: float, name: str | None = None, latex_label: str | None = None
    ) -> None:
        super().__init__(name=name, latex_label=latex_label, minimum=-upper, maximum=upper)
        # bilby reads them when it writes a prior to a file.
        self.lower, self.upper = lower, upper

    @property
    def _ours(self) -> SignedLogUniform:
        return SignedLogUniform(lower=self.lower, upper=self.upper)

    def rescale(self, val: FloatArray) -> FloatArray:
        """Value at cumulative probability ``val``."""
        return self._ours.ppf(val)

    def ln_prob(self, val: FloatArray) -> FloatArray:
        """ln of the probability density, -inf beyond the bounds and in the hole around zero."""
        return self._ours.log_density(val)

    def prob(self, val: FloatArray) -> FloatArray:
        """The probability density."""
        result: FloatArray = np.exp(self.ln_prob(val))
        return result

    def cdf(self, val: FloatArray) -> FloatArray:
        """Cumulative probability, 1/2 in the hole around zero."""
        size = np.log(np.clip(np.abs(val), self.lower, self.upper) / self.lower)
        result: FloatArray = 0.5 * (1 + np.sign(val) * size / np.log(self.upper / self.lower))
        return result


def _translated(name: str, prior: FreePrior, label: str) -> Any:
    words = {"name": name, "latex_label": label}
    match prior:
        case Uniform():
            return bilby_prior.Uniform(prior.lower, prior.upper, **words)
        case LogUniform():
            return bilby_prior.LogUniform(prior.lower, prior.upper, **words)
        case SignedLogUniform():
            return EitherSign(prior.lower, prior.upper, **words)
        case Normal():
            return bilby_prior.Gaussian(prior.mean, prior.sd, **words)
    values = prior.ppf(_middles(prior.step_width))
    return bilby_prior.DiscreteValues(values, boundary=None, **words)


def _middles(grain: float) -> FloatArray:
    """Of intervals of that width between 0 and 1."""
    result: FloatArray = np.arange(grain / 2, 1, grain, dtype=np.float64)
    return result
