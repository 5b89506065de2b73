"""Lists of the survey: charge sets of both policies, and flavour-safe ones for quarks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zpfit.analysis.atlas.charge_sets import SPECIES, ChargeSets, multisets
from zpfit.analysis.atlas.enumeration import enumerate_sets
from zpfit.analysis.atlas.flags import QuarkFlavour, quark_flavour, renormalisable_leptons
from zpfit.analysis.atlas.signatures import HiggsPolicy, signatures
from zpfit.studies.atlas.screens import Signed


@dataclass(frozen=True)
class Numbered:
    """Some charge sets of a list."""

    sets: ChargeSets
    numbers: NDArray[np.intp]
    """Their numbers in the list, shape (number of sets,)."""


@dataclass(frozen=True)
class Lists:
    """All charge sets of a survey."""

    zero: Signed
    """Sets with z_H = 0 for all data but today's."""
    zero_today: Signed
    """The longer list for today's data; its first signatures are those of ``zero``."""
    renormalisable: Signed
    """Sets that the policy admits, with numbers of their own."""
    neutral: Numbered
    """Sets of :func:`neutral_doublets`, up to the largest charge of ``renormalisable``."""

    def of(self, policy: HiggsPolicy, *, today: bool) -> Signed:
        """Return the sets of a policy for today's data or others."""
        if policy is HiggsPolicy.RENORMALISABLE:
            return self.renormalisable
        return self.zero_today if today else self.zero


def make_lists(qmax: int, qmax_today: int, qmax_renormalisable: int) -> Lists:
    """Enumerate the charge sets of a survey and their signatures.

    Parameters
    ----------
    qmax
        Largest charge with z_H = 0.
    qmax_today
        The same for today's data.
    qmax_renormalisable
        Largest charge with renormalisable lepton masses, and of the sets with quarks.
    """
    made = {size: enumerate_sets(size) for size in {qmax, qmax_today, qmax_renormalisable}}
    many = made[qmax_renormalisable]
    table = signatures(many, HiggsPolicy.RENORMALISABLE)
    admitted = np.concatenate(
        [start + np.flatnonzero(renormalisable_leptons(part)) for start, part in many.chunks()]
    )
    return Lists(
        Signed(made[qmax], signatures(made[qmax], HiggsPolicy.ZERO)),
        Signed(made[qmax_today], signatures(made[qmax_today], HiggsPolicy.ZERO)),
        Signed(many.chosen(admitted), table),
        neutral_doublets(many),
    )


def neutral_doublets(sets: ChargeSets) -> Numbered:
    """Return the sets with neutral lepton doublets.

    Parameters
    ----------
    sets
        Charge sets of one list.
    """
    neutral = np.all(multisets(sets.qmax).values == 0, axis=1)
    numbers = np.flatnonzero(neutral[sets.members[SPECIES.index("L")]])
    return Numbered(sets.chosen(numbers), numbers)


def flavour_safe(some: Numbered) -> Numbered:
    """Return the sets with two families of quarks alike at least.

    Parameters
    ----------
    some
        Some charge sets of a list.

    Examples
    --------
    >>> found = flavour_safe(neutral_doublets(enumerate_sets(1)))
    >>> found.numbers.tolist(), found.sets.row(5).e
    ([0, 1, 16, 17, 20, 21, 32, 34], (-1, 0, 0))
    """
    safe = np.flatnonzero(quark_flavour(some.sets) <= QuarkFlavour.TWO_ALIKE)
    return Numbered(some.sets.chosen(safe), some.numbers[safe])
