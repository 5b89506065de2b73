"""Confidence levels, and the Delta chi2 that belongs to each."""

import re
from collections.abc import Sequence
from math import erf, sqrt
from numbers import Real

import numpy as np
from scipy.special import chdtri, ndtri

from zpfit.errors import ProblemCollector, WrongType

SIGMAS = tuple(erf(n / sqrt(2)) for n in (1, 2, 3))
"""Probabilities within 1, 2 and 3 standard errors."""
REGIONS = SIGMAS[:2]
"""Default levels of intervals and regions."""
_SMALLEST, _LARGEST = 0.5, 0.9999
"""Range of levels: no region below, and no samples in the tail above."""
SMALLEST_REGION = 0.3
"""Smallest level of the region of a profile: 1 sigma of a Gaussian in two dimensions is 0.393."""
_SIGMA_TEXT = re.compile(r"\s*([123])\s*sigma\s*")


def delta_chi2(level: float, dimension: int = 1, *, one_sided: bool = False) -> float:
    """Return the Delta chi2 of a confidence level by Wilks' theorem.

    Parameters
    ----------
    level
        Confidence level, above 0.5 and below 1.
    dimension
        Number of parameters of the profile.
    one_sided
        True for an upper limit on one parameter: the estimate lies above the limit in a fraction
        1 - level of experiments, so that Delta chi2 is the square of the normal quantile.

    References
    ----------
    S. S. Wilks, Ann. Math. Statist. 9, 60 (1938); for upper limits Sec. 2.4 of
    arXiv:1007.1727.

    Examples
    --------
    >>> print(f"{delta_chi2(0.95):.3f} {delta_chi2(0.95, one_sided=True):.3f}")
    3.841 2.706
    >>> print(f"{delta_chi2(SIGMAS[1]):.3f} {delta_chi2(SIGMAS[0], 2):.3f}")
    4.000 2.296
    """
    if one_sided:
        return float(ndtri(level) ** 2)
    return float(chdtri(dimension, 1 - level))


def read_level(given: float | str) -> float:
    """Return the number that a level stands for, in whatever range.

    Parameters
    ----------
    given
        A number or its text, or ``1 sigma``, ``2 sigma`` or ``3 sigma``.

    Raises
    ------
    ValueError
        It is neither; the message says what to give.

    Examples
    --------
    >>> read_level("0.95"), round(read_level("2 sigma"), 4)
    (0.95, 0.9545)
    """
    known = _SIGMA_TEXT.fullmatch(str(given))
    if known:
        return SIGMAS[int(known[1]) - 1]
    try:
        return float(given)
    except (TypeError, ValueError):
        remedy = "give a probability such as 0.95, or 1, 2 or 3 sigma"
        raise ValueError(f"{given!r} is no confidence level; {remedy}") from None


def parse_level(given: float | str) -> float:
    """Return the probability that a level stands for, from 0.5 to 0.9999.

    Raises
    ------
    ValueError
        As :func:`read_level`, or the level is out of range.
    """
    level = read_level(given)
    problem = _out_of_range(level, _SMALLEST)
    if problem:
        raise ValueError(problem)
    return level


def _out_of_range(level: float, smallest: float) -> str | None:
    """Return what is wrong with a level, or None."""
    if smallest <= level <= _LARGEST:
        return None
    meant = f"; {level:g} % is {level / 100:g}" if 1 < level < 100 else ""
    return f"{level:g}: give a probability from {smallest:g} to {_LARGEST:g}{meant}"


def check_levels(levels: object, place: str, smallest: float = _SMALLEST) -> tuple[float, ...]:
    """Return levels in increasing order, without repetitions.

    Parameters
    ----------
    levels
        Sequence or array of probabilities, each a number or ``1 sigma``, ``2 sigma`` or
        ``3 sigma``.
    place
        Start of messages.
    smallest
        Smallest level.

    Raises
    ------
    WrongType
        It is no sequence of levels.
    InvalidInput
        There is none, or one is out of range; the message lists each after ``place``.

    Examples
    --------
    >>> check_levels([0.95, "1 sigma"], "levels")
    (0.6826894921370859, 0.95)
    """
    expected = "a sequence of levels, such as (0.9, 0.95)"
    if isinstance(levels, np.ndarray):
        levels = levels.tolist()
    if isinstance(levels, str) or not isinstance(levels, Sequence):
        raise WrongType(place, levels, expected)
    if not all(isinstance(own, (Real, str)) for own in levels):
        raise WrongType(place, levels, expected)
    problems, found = ProblemCollector(), list[float]()
    if not levels:
        problems.add(f"{place}: there is no level; give at least one, such as 0.95")
    for given in levels:
        try:
            level = read_level(given)
        except ValueError as error:
            problems.add(f"{place}: {error}")
            continue
        found.append(level)
        problem = _out_of_range(level, smallest)
        if problem:
            problems.add(f"{place} {problem}")
    problems.raise_if_any()
    return tuple(sorted(set(found)))


def in_percent(level: float) -> str:
    """Return a level with as many digits as distinguish it.

    Examples
    --------
    >>> in_percent(0.9), in_percent(SIGMAS[0]), in_percent(SIGMAS[2])
    ('90 %', '68.3 %', '99.73 %')
    """
    digits = 2 if level > SIGMAS[1] + 0.04 else 1
    return f"{round(100 * level, digits):g} %"
