"""p-values from pseudo-experiments, with the error from their finite number."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import beta

from zpfit.analysis.significance import two_sided_sigma
from zpfit.io.arrays import FloatArray

_CENTRAL = 0.6827
"""Probability content of the interval."""
_UPPER = 0.95
"""Confidence level of the upper limit if no experiment is as extreme."""


def clopper_pearson(k: int, n: int) -> tuple[float, float]:
    """Return the central interval of a probability with at least 68.27 % coverage.

    Parameters
    ----------
    k
        Number of successes.
    n
        Number of trials, at least 1.

    References
    ----------
    C. J. Clopper, E. S. Pearson, Biometrika 26, 404 (1934).

    Examples
    --------
    >>> [round(end, 3) for end in clopper_pearson(0, 10)]
    [0.0, 0.168]
    """
    tail = (1 - _CENTRAL) / 2
    low = float(beta.ppf(tail, k, n - k + 1)) if k else 0.0
    high = float(beta.isf(tail, k + 1, n - k)) if k < n else 1.0
    return low, high


@dataclass(frozen=True)
class EmpiricalP:
    """Number of pseudo-experiments that are at least as extreme as the data.

    Examples
    --------
    >>> EmpiricalP(extreme=50, toys=1000).p_value
    0.05
    >>> EmpiricalP(extreme=0, toys=1000).text()
    '< 0.003'
    """

    extreme: int
    """Number of experiments at least as extreme as the data."""
    toys: int
    """Number of all experiments."""

    @property
    def p_value(self) -> float:
        """Fraction of experiments at least as extreme as the data."""
        return self.extreme / self.toys

    @property
    def interval(self) -> tuple[float, float]:
        """Central interval of p with at least 68.27 % coverage."""
        return clopper_pearson(self.extreme, self.toys)

    @property
    def upper_limit(self) -> float | None:
        """Upper limit of p at 95 % confidence if no experiment is as extreme; None otherwise."""
        return None if self.extreme else float(1 - (1 - _UPPER) ** (1 / self.toys))

    def text(self) -> str:
        """Return p for a line of text, with its sign of relation."""
        limit = self.upper_limit
        return f"= {self.p_value:.3g}" if limit is None else f"< {limit:.2g}"

    @property
    def sigma(self) -> float:
        """Two-sided significance of p, or of its upper limit, in standard deviations."""
        limit = self.upper_limit
        return two_sided_sigma(self.p_value if limit is None else limit)

    @property
    def sigma_interval(self) -> tuple[float, float | None]:
        """Significances of the ends of the interval, the smaller first; None if p may be zero."""
        low, high = self.interval
        return two_sided_sigma(high), two_sided_sigma(low) if low else None


def empirical_p(toys: FloatArray, observed: float, tie: float) -> EmpiricalP:
    """Count experiments whose statistic is at least the observed one.

    Parameters
    ----------
    toys
        Statistic of each experiment, shape (toys,).
    observed
        Statistic of the data.
    tie
        Precision of the statistic: values lower by at most this much count as equal, which is
        conservative.
    """
    return EmpiricalP(int(np.sum(toys >= observed - tie)), len(toys))
