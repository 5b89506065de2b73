"""p-values counted in pseudo-experiments, with the error of having drawn finitely many."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import beta

from zpfit.analysis.significance import two_sided_sigma
from zpfit.io.arrays import FloatArray

_CENTRAL = 0.6827
"""Probability content of the interval."""
_UPPER = 0.95
"""Confidence level of the limit that is left where no experiment is as extreme."""


@dataclass(frozen=True)
class EmpiricalP:
    """How many of the pseudo-experiments are at least as extreme as the data."""

    extreme: int
    toys: int

    @property
    def p_value(self) -> float:
        """Their share."""
        return self.extreme / self.toys

    @property
    def interval(self) -> tuple[float, float]:
        """Clopper & Pearson's (Biometrika 26, 404 (1934)), 68.27 % at least."""
        k, n, tail = self.extreme, self.toys, (1 - _CENTRAL) / 2
        low = float(beta.ppf(tail, k, n - k + 1)) if k else 0.0
        high = float(beta.isf(tail, k + 1, n - k)) if k < n else 1.0
        return low, high

    @property
    def upper_limit(self) -> float | None:
        """At 95 % confidence, where no experiment is as extreme; None elsewhere."""
        return None if self.extreme else float(1 - (1 - _UPPER) ** (1 / self.toys))

    @property
    def sigma(self) -> float:
        """Two-sided normal equivalent; where there is but an upper limit, of that: at least."""
        limit = self.upper_limit
        return two_sided_sigma(self.p_value if limit is None else limit)

    @property
    def sigma_interval(self) -> tuple[float, float | None]:
        """Of the ends of the interval, the smaller first; None where p may be zero."""
        low, high = self.interval
        return two_sided_sigma(high), two_sided_sigma(low) if low else None


def empirical_p(toys: FloatArray, observed: float, tie: float) -> EmpiricalP:
    """Count experiments whose statistic is at least the observed one.

    What is smaller by ``tie`` at most counts as equal, on the safe side: searches are that precise.
    """
    return EmpiricalP(int(np.sum(toys >= observed - tie)), len(toys))
