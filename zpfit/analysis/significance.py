"""Tail probabilities, and the standard deviations that they are equivalent to."""

from scipy.stats import chi2, norm

_SMALLEST = 1e-300
"""Tail probabilities below are beyond what a double can tell apart: 37 standard deviations."""


def two_sided_sigma(p_value: float) -> float:
    """Standard deviations beyond which, on both sides, a normal variable has that probability.

    p = 1 is 0, p = 0.3173 is 1 and p = 0.0455 is 2; 37 at most. This is the
    convention of both sources of :mod:`zpfit.analysis.tension.parameter_goodness` and
    :mod:`zpfit.analysis.tension.suspiciousness`.
    """
    return float(norm.isf(max(p_value, _SMALLEST) / 2))


def chi2_tail(value: float, degrees: float) -> float | None:
    """Probability that a chi2 of that many degrees of freedom exceeds ``value``.

    None without degrees of freedom, when there is nothing to test.
    """
    return float(chi2.sf(value, degrees)) if degrees > 0 else None
