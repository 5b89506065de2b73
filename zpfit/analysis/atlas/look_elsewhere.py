"""How often chance alone gives the best of many signatures its gain.

Two upper limits hold for any number of signatures, however much alike they are:

- the sum over signatures of the probability of each to gain as much (Bonferroni);
- a theory can gain at most what all measurements cost without a Z'. If there is no Z', that cost
  follows a chi2 distribution with as many degrees of freedom as there are measurements.

The second one needs no refit, and does not grow with the number of signatures.
"""

from dataclasses import dataclass
from typing import Final

from scipy.stats import chi2, norm

PARAMETERS: Final = 3
"""Parameters of a signature: m, g' and c."""


@dataclass(frozen=True)
class LookElsewhere:
    """Probability that chance gives the best of many signatures at least its gain."""

    gain: float
    """chi2 without a Z' minus that of the best signature."""
    local: float
    """Probability of that gain for one signature chosen beforehand, with three linear parameters
    and no bound on them."""
    by_signatures: float
    """Upper limit from the number of signatures, at most 1."""
    by_data: float
    """Upper limit from the number of measurements."""

    @property
    def probability(self) -> float:
        """The lower of the two upper limits."""
        return min(self.by_signatures, self.by_data)

    @property
    def sigma(self) -> float:
        """Two-sided standard deviations of that limit."""
        return sigma_of(self.probability)

    @property
    def local_sigma(self) -> float:
        """Two-sided standard deviations of the local probability."""
        return sigma_of(self.local)


def look_elsewhere(gain: float, signatures: int, measurements: int) -> LookElsewhere:
    """Bound the probability that the best of many signatures gains as much by chance.

    Parameters
    ----------
    gain
        chi2 without a Z' minus that of the best signature, not negative.
    signatures
        Number of signatures that were tried.
    measurements
        Number of measurements, taken as Gaussian.

    Examples
    --------
    >>> found = look_elsewhere(15.2, 7000, 4)
    >>> found.by_signatures, round(found.by_data, 4), round(found.sigma, 1)
    (1.0, 0.0043, 2.9)
    """
    local = float(chi2.sf(gain, PARAMETERS))
    by_data = float(chi2.sf(gain, measurements))
    return LookElsewhere(gain, local, min(1.0, signatures * local), by_data)


def sigma_of(probability: float) -> float:
    """Return the two-sided standard deviations of a probability.

    Examples
    --------
    >>> round(sigma_of(0.0027), 2), sigma_of(1.0)
    (3.0, 0.0)
    """
    return float(norm.isf(probability / 2))


def gain_of(sigma: float) -> float:
    """Return the gain whose local probability has a number of two-sided standard deviations.

    Examples
    --------
    >>> round(gain_of(3), 2)
    14.16
    """
    return float(chi2.isf(2 * norm.sf(sigma), PARAMETERS))
