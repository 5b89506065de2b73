"""Parameter goodness of fit: the chi2 that groups of data lose by sharing parameters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from zpfit.analysis.significance import chi2_tail, two_sided_sigma
from zpfit.errors import NoAllowedPoint
from zpfit.inference.posterior import Posterior
from zpfit.inference.priors import Fractions, Priors, Uniform
from zpfit.inference.search.best_fit import Minimum, find_minimum
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.exclusions import EXCLUSIONS, Exclusion
from zpfit.likelihood.likelihood import Likelihood
from zpfit.physics.couplings import Couplings

_DRAWS = 20_000
"""Prior draws, from which points where the model exists are taken."""
_GENERIC_POINTS = 1000
"""Points at which Jacobians are computed."""
_RARE = 0.01
"""Fraction of the generic points that must reach a rank.

A single point at the kink of a curve must not decide.
"""
_STEP = 1e-6
"""Step size of the finite differences, on the unit cube."""
_ROUNDING = 1e-14
"""Relative error of a prediction."""
_RANK_TOLERANCE = 1e-5
"""Largest singular value that counts as zero, for rows of length 1."""


@dataclass(frozen=True)
class GroupFit:
    """A group of data fitted on its own."""

    chi2: float
    """chi2 at the minimum."""
    rank: int
    """Number of directions in parameter space that the group measures, P_r."""
    terms: int
    """Number of measurements, or of soft exclusions."""


@dataclass(frozen=True)
class ParameterGoodness:
    """Result of :func:`parameter_goodness`."""

    chi2_together: float
    rank_together: int
    """Number of directions that all groups measure together, P."""
    by_group: Mapping[str, GroupFit]

    @property
    def chi2(self) -> float:
        """chi2_PG, negative only where correlated data are in different groups."""
        return self.chi2_together - sum(group.chi2 for group in self.by_group.values())

    @property
    def degrees(self) -> int:
        """Degrees of freedom, sum P_r - P."""
        return sum(group.rank for group in self.by_group.values()) - self.rank_together

    @property
    def p_value(self) -> float | None:
        """Tail probability of the chi2 distribution; None without degrees of freedom."""
        return chi2_tail(self.chi2, self.degrees)

    @property
    def sigma(self) -> float | None:
        """Number of standard deviations of a two-sided normal tail with this p-value."""
        return None if self.p_value is None else two_sided_sigma(self.p_value)


def parameter_goodness(
    posterior: Posterior, best: Minimum, starts: FloatArray, rng: np.random.Generator
) -> ParameterGoodness:
    """Compute chi2_PG = chi2_min(all) - sum_r chi2_min(r) between the groups r of data.

    If the predictions were linear in the parameters, errors Gaussian and parameters unbounded,
    chi2_PG would follow a chi2
    distribution with sum_r P_r - P degrees of freedom. P_r is the number of
    directions that group r measures: the rank of the Jacobian of its predictions with respect to
    the sampled parameters. It is the largest rank that one in a hundred generic prior points
    reaches; discrete charges count as real numbers. P is the rank of all groups together.

    Where a nuisance parameter or a correlation connects groups, each group alone has its
    marginal likelihood, and chi2_PG contains the effect of the connection.

    Groups are those of the measurements (:class:`zpfit.physics.observables.Group`).

    - *Hard exclusions* are no group. They are kept in every fit, of all data and of each group,
      as are the bounds of the priors and the model's conditions: they limit the parameters.
    - *Soft exclusions* have a chi2, so they are data and are counted once: together they are the
      group ``exclusions`` and enter no other group's fit. The rank counts each as a measurement of
      its signal strength.

    The distribution is not exactly that of chi2 if a minimum touches an exclusion or the end of a
    prior, if a limit is one-sided, and because all predictions are quadratic. The degrees of
    freedom are those without bounds, and p is then a guide. Without degrees of freedom (as many
    free directions as measurements) there is nothing to test: p is None, and chi2_PG comes from
    exclusions, bounds and curvature alone.

    Parameters
    ----------
    posterior
        Posterior of all data.
    best
        The global best fit. Each group can use it, so that chi2_PG >= 0.
    starts
        Starting points of the searches on the unit cube, shape (n, d).
    rng
        Random numbers of the searches and the generic points.

    Raises
    ------
    NoAllowedPoint
        A search finds no allowed point, or the model exists almost nowhere.

    References
    ----------
    Maltoni & Schwetz, hep-ph/0304176.
    """
    groups = _groups(posterior.likelihood)
    if not groups:
        return ParameterGoodness(best.chi2, 0, {})
    rank_rng, *search_rngs = rng.spawn(1 + len(groups))
    jacobian = _Jacobian(posterior, _predictions(groups), rank_rng)
    fits = {
        name: GroupFit(
            chi2=_least_chi2(replace(posterior, likelihood=part), best, starts, search_rng),
            rank=jacobian.rank([term.name for term in part.smooth]),
            terms=len(part.smooth),
        )
        for (name, part), search_rng in zip(groups.items(), search_rngs, strict=True)
    }
    return ParameterGoodness(best.chi2, jacobian.rank(), fits)


def _groups(likelihood: Likelihood) -> dict[str, Likelihood]:
    """Return the groups of data, each with all hard exclusions; soft ones are a further group."""
    groups = {
        name: replace(likelihood, measurements=terms, exclusions=likelihood.hard)
        for name, terms in likelihood.by_group.items()
    }
    if any(exclusion.soft for exclusion in likelihood.exclusions):
        groups[EXCLUSIONS] = replace(likelihood, measurements=())
    return groups


def _least_chi2(
    posterior: Posterior, best: Minimum, starts: FloatArray, rng: np.random.Generator
) -> float:
    def chi2(u: FloatArray) -> FloatArray:
        return -2 * posterior.log_likelihood(u)

    grain = posterior.priors.step_width
    found = find_minimum(posterior.residuals, chi2, np.vstack([starts, best.u]), rng, grain)
    return min(found.chi2, float(chi2(best.u[None])[0]))


Prediction = Callable[[Couplings], FloatArray]
"""Function of n points that returns shape (n,), or (n, bins) for binned counts."""


def _predictions(groups: Mapping[str, Likelihood]) -> dict[str, Prediction]:
    """Return the predictions of each term, or the pull of a soft exclusion."""
    return {
        term.name: _root(term.chi2) if isinstance(term, Exclusion) else term.expectation
        for part in groups.values()
        for term in part.smooth
    }


def _root(chi2: Prediction) -> Prediction:
    return lambda c: np.sqrt(chi2(c))


class _Jacobian:
    """Derivatives of predictions at generic prior points, each row scaled to length 1."""

    def __init__(
        self,
        posterior: Posterior,
        predictions: Mapping[str, Prediction],
        rng: np.random.Generator,
    ) -> None:
        posterior = replace(posterior, priors=_without_steps(posterior.priors))
        u = _generic_points(posterior, rng)
        n, d = u.shape
        steps = _STEP * np.eye(d)
        shifted = u[:, None, None] + np.stack([steps, -steps])
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            c = posterior.couplings(shifted.reshape(-1, d))
            # Binned counts have a prediction for each bin.
            values = [p(c).reshape(n, 2, d, -1) for p in predictions.values()]
        lengths = [value.shape[-1] for value in values]
        self._names = np.repeat(list(predictions), lengths)
        # Shape (n, k, 2, d). A prediction that does not exist has no derivative.
        together = np.moveaxis(np.concatenate(values, axis=3), 3, 1)
        table = np.nan_to_num(together, nan=0, posinf=0, neginf=0)
        slope = (table[:, :, 0] - table[:, :, 1]) / (2 * _STEP)
        length = np.linalg.norm(slope, axis=2)
        noise = _ROUNDING * np.abs(table).max(axis=(2, 3)) / _STEP
        resolved = length > noise
        scale = np.where(resolved, length, np.inf)
        self._rows, self._noise = slope / scale[:, :, None], noise / scale

    def rank(self, names: Sequence[str] | None = None) -> int:
        """Return the rank of the rows of some predictions, or of all."""
        wanted = self._names if names is None else np.array(names)
        chosen = np.flatnonzero(np.isin(self._names, wanted))
        singular = np.linalg.svd(self._rows[:, chosen], compute_uv=False)
        tolerance = np.maximum(_RANK_TOLERANCE, 10 * self._noise[:, chosen].max(axis=1))
        ranks = np.sort(np.sum(singular > tolerance[:, None], axis=1))
        return int(ranks[-max(round(_RARE * len(ranks)), 1)])


def _generic_points(posterior: Posterior, rng: np.random.Generator) -> FloatArray:
    u = rng.uniform(2 * _STEP, 1 - 2 * _STEP, (_DRAWS, posterior.dimension))
    u = u[posterior.model.exists(posterior.parameters(u))]
    if not len(u):
        raise NoAllowedPoint(_DRAWS)
    return u[:_GENERIC_POINTS]


def _without_steps(priors: Priors) -> Priors:
    return Priors(
        {
            name: Uniform(lower=prior.support()[0], upper=prior.support()[1])
            if isinstance(prior, Fractions)
            else prior
            for name, prior in priors.by_name.items()
        }
    )
