"""Tail probabilities and the equivalent numbers of standard deviations."""

from scipy.special import chdtrc, ndtri

_SMALLEST = 1e-300
"""Smallest tail probability, 37 standard deviations; smaller ones underflow."""


def two_sided_sigma(p_value: float) -> float:
    """Return the standard deviations beyond which both normal tails have a probability.

    The largest value is 37. Two-sided tails are the convention of the sources of
    :mod:`zpfit.analysis.tension.parameter_goodness` and
    :mod:`zpfit.analysis.tension.suspiciousness`.

    Examples
    --------
    >>> round(two_sided_sigma(0.0455), 3)
    2.0
    """
    return float(-ndtri(max(p_value, _SMALLEST) / 2))


def chi2_tail(value: float, degrees: float) -> float | None:
    """Return the probability that chi2 exceeds a value; None without degrees of freedom.

    Examples
    --------
    >>> round(chi2_tail(3.84, 1), 3)
    0.05
    """
    return float(chdtrc(degrees, value)) if degrees > 0 else None
