"""Masses that limit curves and formulas cover, and those of a prior, a plane or a posterior."""

from dataclasses import dataclass

import numpy as np

from zpfit.errors import InvalidInput
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.likelihood import Likelihood
from zpfit.likelihood.limit_file import AddedLimit, name_of
from zpfit.likelihood.spec import LikelihoodSpec, Place

_MEV = 1e3
"""MeV per GeV."""


@dataclass(frozen=True)
class MassCoverage:
    """Posterior and best fit relative to the masses that one curve covers."""

    mass_range: tuple[float, float]
    """Smallest and largest mass of the curve, in MeV."""
    posterior_outside: float
    """Fraction of the posterior at other masses, where the curve sets no limit."""
    best_fit_outside: bool
    """True if the curve does not cover the mass of the best fit."""


def mass_coverage(
    likelihood: Likelihood, masses: FloatArray, best_fit_mass: float
) -> dict[str, MassCoverage]:
    """Return the coverage of every limit curve, by entry.

    Parameters
    ----------
    likelihood : Likelihood
    masses : array, shape (n,)
        Masses (MeV) of posterior samples of equal weight.
    best_fit_mass : float
        Mass (MeV) of the best fit.
    """
    return {
        exclusion.name: MassCoverage(
            (low, high),
            float(np.mean((masses < low) | (masses > high))),
            not low <= best_fit_mass <= high,
        )
        for exclusion in likelihood.exclusions
        if exclusion.mass_range is not None
        for low, high in [exclusion.mass_range]
    }


def useless_limits(
    spec: LikelihoodSpec,
    likelihood: Likelihood,
    masses: tuple[float, float],
    what: str,
    place: Place,
) -> tuple[str, ...]:
    """Return a note for each added limit that covers no mass of a prior or a plane.

    Parameters
    ----------
    spec : LikelihoodSpec
        Choice of data, whose added entries are checked.
    likelihood : Likelihood
        The likelihood that was built from it.
    masses : tuple of float
        Smallest and largest mass (MeV) of the prior or plane.
    what : str
        ``prior`` or ``plane``, for messages.
    place : callable
        Returns the place of a key of ``spec``, for messages.

    Raises
    ------
    InvalidInput
        A limit file would cover some of the masses if its own were in MeV instead of GeV.
    """
    ranges = {e.name: e.mass_range for e in likelihood.exclusions if e.mass_range is not None}
    notes, problems = [], []
    for index, addition in enumerate(spec.add):
        covered = ranges.get(name_of(addition))
        if covered is None or _overlap(covered, masses):
            continue
        text = (
            f"{name_of(addition)} covers {covered[0]:g} to {covered[1]:g} MeV, and no mass of the "
            f"{what} ({_span(masses)} MeV)"
        )
        in_mev = covered[0] / _MEV, covered[1] / _MEV
        if isinstance(addition, AddedLimit) and _overlap(in_mev, masses):
            remedy = "masses of limit files are in GeV; divide these by 1000, as they are in MeV"
            problems.append(f"{place('add', index)}: {text}; {remedy}")
        notes.append(f"{text}: it has no effect")
    if problems:
        raise InvalidInput(problems)
    return tuple(notes)


def masses_beyond_formulas(
    likelihood: Likelihood, masses: tuple[float, float], what: str
) -> tuple[str, ...]:
    """Return a note about measurements whose formulas do not hold for all masses.

    Parameters
    ----------
    likelihood : Likelihood
        Its measurements are checked.
    masses : tuple of float
        Smallest and largest mass (MeV) of the prior or plane.
    what : str
        ``prior`` or ``plane``, for messages.
    """
    names: dict[tuple[float, float], list[str]] = {}
    for term in likelihood.measurements:
        valid = term.observable.masses
        if valid is not None and not valid[0] <= masses[0] <= masses[1] <= valid[1]:
            names.setdefault(valid, []).append(term.name)
    return tuple(
        f"no coverage by {', '.join(found)} outside {_span(valid)} MeV, where the formulas do not "
        f"hold; the {what} has masses of {_span(masses)} MeV"
        for valid, found in names.items()
    )


def _overlap(one: tuple[float, float], two: tuple[float, float]) -> bool:
    return one[0] <= two[1] and two[0] <= one[1]


def _span(masses: tuple[float, float]) -> str:
    low, high = masses
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"
