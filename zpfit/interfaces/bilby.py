"""Likelihood and priors of zpfit in bilby (Ashton et al., arXiv:1811.02042)."""

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
"""Names that bilby passes beside the parameters when it reweights the samples of a result."""


class ZpfitLikelihood(Likelihood):  # type: ignore[misc]  # bilby comes without types
    """Likelihood of a model and data as bilby calls it.

    Its parameters are those that the run file leaves free.

    Parameters
    ----------
    run_file, likelihood, model, changes
        See :func:`zpfit.interfaces.point_likelihood.point_likelihood`.
    others : collection of str
        Parameters of other likelihoods, which a ``JointLikelihood`` passes to all of its members.
        Any other unknown name raises an error.

    Raises
    ------
    InvalidInput
        An argument or a file is invalid; all problems are reported together.
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
        """Return ln L at a point; -inf at an excluded one.

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
        """Return ln L without a Z', the reference of bilby's Bayes factors."""
        return self._point.log_likelihood_without_zprime()

    def priors(self) -> Any:
        """Return the priors of the free parameters as ``bilby.core.prior.PriorDict``.

        Raises
        ------
        InvalidInput
            The likelihood was made without a run file and has no priors.
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
    """Prior of a bilby parameter with a log-uniform size and either sign.

    It is :class:`zpfit.inference.priors.SignedLogUniform`. bilby's own ``SymmetricLogUniform`` has
    a finite ``ln_prob`` beyond its bounds, so that samplers which use ``ln_prob`` leave the prior.

    Parameters
    ----------
    lower, upper : float
        Bounds of the absolute value, both positive.
    name, latex_label : str, optional
        As for every prior of bilby.
    """

    def __init__(
        self, lower: float, upper: float, name: str | None = None, latex_label: str | None = None
    ) -> None:
        super().__init__(name=name, latex_label=latex_label, minimum=-upper, maximum=upper)
        # bilby reads the arguments of a prior from its attributes when it writes a file.
        self.lower, self.upper = lower, upper

    @property
    def _ours(self) -> SignedLogUniform:
        return SignedLogUniform(lower=self.lower, upper=self.upper)

    def rescale(self, val: FloatArray) -> FloatArray:
        """Return the value at the cumulative probability ``val``."""
        return self._ours.ppf(val)

    def ln_prob(self, val: FloatArray) -> FloatArray:
        """Return ln of the density; -inf beyond the bounds and in the gap around zero."""
        return self._ours.log_density(val)

    def prob(self, val: FloatArray) -> FloatArray:
        """Return the probability density."""
        result: FloatArray = np.exp(self.ln_prob(val))
        return result

    def cdf(self, val: FloatArray) -> FloatArray:
        """Return the cumulative probability; 1/2 in the gap around zero."""
        size = np.log(np.clip(np.abs(val), self.lower, self.upper) / self.lower)
        result: FloatArray = 0.5 * (1 + np.sign(val) * size / np.log(self.upper / self.lower))
        return result


def _translated(name: str, prior: FreePrior, label: str) -> Any:
    """Return a prior of zpfit as a prior of bilby."""
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
    """Return the middles of intervals of width ``grain`` between 0 and 1."""
    result: FloatArray = np.arange(grain / 2, 1, grain, dtype=np.float64)
    return result
