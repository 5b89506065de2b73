"""Which signatures and charge sets survive a set of data.

Without couplings of its own, that is for g' = 0, every charge set is the Standard Model or a dark
photon, so that an allowed point does not test the charges. A signature *survives* if its least chi2
is lower than both references by more than a bar: it explains what neither the Standard Model nor a
dark photon explains, and no exclusion forbids that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from zpfit.analysis.atlas.charge_sets import ChargeSets
from zpfit.analysis.atlas.flags import Flags, QuarkFlavour, quark_flavour
from zpfit.analysis.atlas.screen import References, Screened
from zpfit.analysis.atlas.signatures import SignatureTable, least_of_sets
from zpfit.io.arrays import FloatArray

BAR: Final = 9.0
"""Gain from which a signature survives: 3 sigma for g', the parameter that a dark photon lacks."""
BARS: Final = (4.0, BAR, 16.0)
"""Gains that tables count."""


@dataclass(frozen=True)
class Survival:
    """Numbers of signatures and of charge sets that survive."""

    signatures: int
    """Number of signatures that were screened."""
    surviving: Mapping[float, int]
    """Number of signatures that gain more than a bar, by bar."""
    sets: int
    """Number of charge sets that the policy admits."""
    surviving_sets: Mapping[float, int]
    """Number of sets with a signature that gains more than a bar, by bar."""
    bar: float
    """Gain from which a set survives."""
    flavours: Mapping[str, int]
    """Number of sets that survive, by the flavour structure of their quarks."""

    def fraction(self, bar: float) -> float:
        """Return the share of charge sets that gain more than a bar."""
        return self.surviving_sets[bar] / self.sets if self.sets else 0.0


def gains(screened: Screened, references: References) -> FloatArray:
    """Return how far each signature lies below both references, shape (n,).

    Parameters
    ----------
    screened, references
        Results of a screen.

    Returns
    -------
    array, shape (n,)
        The lower one of chi2 without a Z' and of the dark photon, minus chi2; never negative.
    """
    result: FloatArray = min(references.without, references.dark) - screened.chi2
    return result


def could_survive(references: References, bar: float = BAR) -> bool:
    """Return False if no signature can gain as much, as chi2 is not negative.

    Parameters
    ----------
    references
        Least chi2 that every signature reaches.
    bar
        Gain.

    Examples
    --------
    >>> could_survive(References(9.8, 3.2, (17.0, 1e-4)))
    False
    """
    return min(references.without, references.dark) > bar


def gain_of_sets(sets: ChargeSets, table: SignatureTable, gain: FloatArray) -> FloatArray:
    """Return the largest gain of the pairings of each charge set, shape (number of sets,).

    Parameters
    ----------
    sets
        The list of charge sets.
    table
        Their signatures under one policy.
    gain
        Gain of each signature, see :func:`gains`, shape (n,).

    Returns
    -------
    array, shape (number of sets,)
        Minus infinity for sets that the policy does not admit.

    Raises
    ------
    InvalidInput
        The table is not that of the list.
    """
    return -least_of_sets(sets, table, -gain)


def survival_of(
    sets: ChargeSets,
    gain: FloatArray,
    of_sets: FloatArray,
    bar: float = BAR,
    bars: Sequence[float] = BARS,
) -> Survival:
    """Count the signatures and charge sets that survive.

    Parameters
    ----------
    sets
        The list of charge sets.
    gain
        Gain of each signature, see :func:`gains`, shape (n,).
    of_sets
        Gain of each set, see :func:`gain_of_sets`.
    bar
        Bar for the counts by flavour structure.
    bars
        Bars for the other counts.

    Examples
    --------
    >>> from zpfit.analysis.atlas.enumeration import enumerate_sets
    >>> from zpfit.analysis.atlas.signatures import HiggsPolicy, signatures
    >>> sets = enumerate_sets(1)
    >>> table = signatures(sets, HiggsPolicy.ZERO)
    >>> gain = 15.0 * (table.vectors == [0, 1, 0, 0, 0]).all(axis=1)
    >>> found = survival_of(sets, gain, gain_of_sets(sets, table, gain))
    >>> found.surviving, found.surviving_sets, found.sets, found.flavours["two_alike"]
    ({4.0: 1, 9.0: 1, 16.0: 0}, {4.0: 9, 9.0: 9, 16.0: 0}, 38, 3)
    """
    return Survival(
        len(gain),
        {value: int((gain > value).sum()) for value in bars},
        int(np.isfinite(of_sets).sum()),
        {value: int((of_sets > value).sum()) for value in bars},
        bar,
        flavours_of(sets, of_sets > bar),
    )


def flavours_of(sets: ChargeSets, chosen: Flags) -> dict[str, int]:
    """Return the number of chosen sets by the flavour structure of their quarks.

    Parameters
    ----------
    sets
        Charge sets.
    chosen
        The chosen ones, shape (number of sets,).
    """
    labels = quark_flavour(sets.chosen(np.flatnonzero(chosen)))
    return {label.name.lower(): int((labels == label).sum()) for label in QuarkFlavour}
