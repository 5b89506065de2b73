"""Evidence ratio and suspiciousness: whether groups of data agree within a model."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from zpfit.analysis.significance import chi2_tail, two_sided_sigma
from zpfit.inference.posterior import Posterior
from zpfit.inference.progress import Progress, Silent
from zpfit.inference.samplers.importance import Integral
from zpfit.inference.sampling import evidence_of
from zpfit.inference.settings import Settings
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.exclusions import EXCLUSIONS
from zpfit.likelihood.likelihood import Likelihood


@dataclass(frozen=True)
class Constraint:
    """ln Z, <ln L> and 2 Var(ln L) over the posterior of some of the data."""

    log_z: float
    mean_log_likelihood: float
    dimensionality: float
    """Bayesian model dimensionality d (arXiv:1903.06682)."""
    covariance: FloatArray
    """Covariance of the estimates of these three numbers, shape (3, 3)."""
    log_possible: float = 0.0
    """ln of the fraction of the prior in which the model can exist."""

    @classmethod
    def of(cls, integral: Integral, log_possible: float = 0.0) -> "Constraint":
        """Estimate the numbers from independent weighted draws.

        The covariance follows from the delta method for ratios of means over draws. A bootstrap
        over the draws has the same expectation, with noise.
        """
        weight, log_l = integral.samples.weight, integral.samples.log_likelihood
        mean = float(np.sum(weight * log_l))
        square = (log_l - mean) ** 2
        variance = float(np.sum(weight * square))
        influence = np.stack([weight, weight * (log_l - mean), 2 * weight * (square - variance)])
        covariance = influence @ influence.T
        covariance[0, 0] = integral.evidence.error**2  # includes the draws of weight zero
        return cls(integral.evidence.log_z, mean, 2 * variance, covariance, log_possible)

    @property
    def error(self) -> float:
        """Standard error of ln Z."""
        return float(np.sqrt(self.covariance[0, 0]))

    @property
    def information(self) -> float:
        """Kullback-Leibler divergence of posterior from prior D = <ln L> - ln Z, in nats.

        The prior is that part of it in which the model can exist.
        """
        return self.mean_log_likelihood - self.log_z + self.log_possible

    @property
    def information_error(self) -> float:
        """Standard error of D."""
        c = self.covariance
        return float(np.sqrt(max(c[0, 0] + c[1, 1] - 2 * c[0, 1], 0.0)))

    @property
    def dimensionality_error(self) -> float:
        """Standard error of d."""
        return float(np.sqrt(self.covariance[2, 2]))


@dataclass(frozen=True)
class EvidenceTension:
    """Agreement of groups r of data, from the evidences of each group and of all data.

    - ln R = ln Z - sum ln Z_r, the factor by which one group increases the probability of
      the others; it depends on the prior's width (Marshall, Rajguru & Slosar, astro-ph/0412535).
    - ln I = sum D_r - D, the part of ln R that depends on the width of the prior.
    - Suspiciousness ln S = ln R - ln I = <ln L> - sum <ln L_r>, each mean over the posterior of the
      same data. It does not depend on the width of a prior that is much wider than the posterior
      (Handley & Lemos, arXiv:1902.04029).
    - d = sum d_r - d_all, the number of directions that groups share, with
      d = 2 Var(ln L) (Handley & Lemos, arXiv:1903.06682).
    - p = probability that a chi2 of d degrees exceeds d - 2 ln S: exact where likelihoods are
      Gaussian in the parameters and priors wide (arXiv:1902.04029; Lemos et al.,
      arXiv:2012.09554). Its sigma is that of a two-sided normal tail.

    With d <= 0 there is no p. Then groups share no direction, or posteriors are so far from
    Gaussian that 2 Var(ln L) does not count directions: data and exclusions can leave several
    regions of different ln L. A hard exclusion has d_r = 0, because its likelihood is 0 or 1. It
    enters ln S and d through the posterior of all data only.
    """

    together: Constraint
    by_group: Mapping[str, Constraint]
    possible_error: float = 0.0
    """Standard error of ``log_possible``."""

    @property
    def log_r(self) -> float:
        """ln R."""
        groups = self.by_group.values()
        # Relative to the possible part of the prior, each ln Z is larger by -log_possible.
        separate = sum(group.log_z for group in groups)
        spare = (len(groups) - 1) * self.together.log_possible
        return self.together.log_z - separate + spare

    @property
    def log_s(self) -> float:
        """ln S."""
        separate = sum(group.mean_log_likelihood for group in self.by_group.values())
        return self.together.mean_log_likelihood - separate

    @property
    def log_i(self) -> float:
        """ln I."""
        return self.log_r - self.log_s

    @property
    def dimensionality(self) -> float:
        """Shared directions d."""
        separate = sum(group.dimensionality for group in self.by_group.values())
        return separate - self.together.dimensionality

    @property
    def covariance(self) -> FloatArray:
        """Covariance of the estimates of ln R, ln S and d, shape (3, 3)."""
        if len(self.by_group) < 2:  # numerator and denominator are the same integral
            return np.zeros((3, 3))
        parts = [self.together, *self.by_group.values()]
        sign = np.array([1.0, 1.0, -1.0])
        total: FloatArray = np.outer(sign, sign) * sum(part.covariance for part in parts)
        total[0, 0] += ((len(self.by_group) - 1) * self.possible_error) ** 2
        return total

    @property
    def errors(self) -> FloatArray:
        """Standard errors of ln R, ln S and d."""
        result: FloatArray = np.sqrt(np.diag(self.covariance))
        return result

    @property
    def log_i_error(self) -> float:
        """Standard error of ln I."""
        c = self.covariance
        return float(np.sqrt(max(c[0, 0] + c[1, 1] - 2 * c[0, 1], 0.0)))

    @property
    def p_value(self) -> float | None:
        """Probability of a worse agreement by chance; None with d <= 0."""
        return _p_value(self.log_s, self.dimensionality)

    @property
    def sigma(self) -> float | None:
        """Number of standard deviations of a two-sided normal tail with this p-value."""
        return _sigma(self.log_s, self.dimensionality)

    @property
    def sigma_error(self) -> float | None:
        """Standard error of :attr:`sigma`, from the errors of ln S and d and their correlation."""
        _, step_s, step_d = self.errors
        gradient = []
        for shift_s, shift_d in ((step_s, 0.0), (0.0, step_d)):
            ends = [
                _sigma(self.log_s + sign * shift_s, self.dimensionality + sign * shift_d)
                for sign in (1, -1)
            ]
            if ends[0] is None or ends[1] is None:
                return None
            step = shift_s + shift_d
            gradient.append((ends[0] - ends[1]) / (2 * step) if step else 0.0)
        return float(np.sqrt(gradient @ self.covariance[1:, 1:] @ gradient))


def _p_value(log_s: float, dimensionality: float) -> float | None:
    return chi2_tail(dimensionality - 2 * log_s, dimensionality)


def _sigma(log_s: float, dimensionality: float) -> float | None:
    p_value = _p_value(log_s, dimensionality)
    return None if p_value is None else two_sided_sigma(p_value)


@dataclass(frozen=True)
class EvidenceByGroup:
    """Result of :func:`evidence_tension`."""

    tension: EvidenceTension
    integral: Integral
    """Integral over the likelihood of all data."""
    shortcomings: tuple[str, ...]
    """Integrals that have not converged, and the remedy."""


def evidence_tension(
    posterior: Posterior, settings: Settings, rng: np.random.Generator, progress: Progress
) -> EvidenceByGroup:
    """Integrate the likelihood of all data, of each group of measurements and of all exclusions.

    The measurements of a group are integrated without exclusions. The exclusions, hard or soft as
    in the set, are a group of their own; if all are hard, its Z is the fraction of the prior that
    they allow. Groups without data are left out.

    The prior does not include points where the model cannot exist: evidences are divided by the
    fraction of the prior in which it can. Otherwise every group would seem to confirm the others.

    Parameters
    ----------
    posterior
        Posterior of all data.
    settings
        Options of the integrals.
    rng
        Random numbers of the integrals.
    progress
        Receiver of stages.

    Raises
    ------
    NoAllowedPoint, PoorProposal, UndefinedValue
        See :func:`zpfit.inference.sampling.evidence_of`.
    """
    groups = _groups(posterior.likelihood)
    possible_rng, *rngs = rng.spawn(2 + len(groups))
    shortcomings: list[str] = []

    def integrate(name: str, likelihood: Likelihood, own: np.random.Generator) -> Integral:
        progress.stage(f"Evidence of {name}")
        result = evidence_of(replace(posterior, likelihood=likelihood), settings, own, Silent())
        shortcomings.extend(f"{name}: {text}" for text in result.shortcomings)
        return result

    log_possible, possible_error = 0.0, 0.0
    if posterior.model.conditions(posterior.parameters(np.full((1, posterior.dimension), 0.5))):
        nothing = replace(posterior.likelihood, measurements=(), exclusions=())
        possible = integrate("no data", nothing, possible_rng).evidence
        log_possible, possible_error = possible.log_z, possible.error
    integral = integrate("all data", posterior.likelihood, rngs[0])
    together = Constraint.of(integral, log_possible)
    if len(groups) == 1:
        by_group = dict.fromkeys(groups, together)
    else:
        by_group = {
            name: Constraint.of(integrate(name, part, own), log_possible)
            for (name, part), own in zip(groups.items(), rngs[1:], strict=True)
        }
    tension = EvidenceTension(together, by_group, possible_error)
    return EvidenceByGroup(tension, integral, tuple(shortcomings))


def _groups(likelihood: Likelihood) -> dict[str, Likelihood]:
    groups = {
        name: replace(likelihood, measurements=terms, exclusions=())
        for name, terms in likelihood.by_group.items()
    }
    if likelihood.exclusions:
        groups[EXCLUSIONS] = replace(likelihood, measurements=())
    return groups
