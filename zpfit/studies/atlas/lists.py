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
    renormalisable: Signed
    """Sets that the policy admits, with numbers of their own."""
    neutral: Numbered
    """Sets of :func:`neutral_doublets`."""


def make_lists(qmax: int, qmax_renormalisable: int) -> Lists:
    """Enumerate the charge sets of a survey and their signatures.

    Parameters
    ----------
    qmax
        Largest charge with z_H = 0.
    qmax_renormalisable
        Largest charge with renormalisable lepton masses, and of the sets with quarks.
    """
    few, many = enumerate_sets(qmax), enumerate_sets(qmax_renormalisable)
    table = signatures(many, HiggsPolicy.RENORMALISABLE)
    admitted = np.concatenate(
        [start + np.flatnonzero(renormalisable_leptons(part)) for start, part in many.chunks()]
    )
    return Lists(
        Signed(few, signatures(few, HiggsPolicy.ZERO)),
        Signed(many.chosen(admitted), table),
        neutral_doublets(many),
    )


def neutral_doublets(sets: ChargeSets) -> Numbered:
    """Return the sets with neutral lepton doublets and two families of quarks alike at least.

    Parameters
    ----------
    sets
        Charge sets of one list.

    Examples
    --------
    >>> found = neutral_doublets(enumerate_sets(1))
    >>> found.numbers.tolist(), found.sets.row(5).e
    ([0, 1, 16, 17, 20, 21, 32, 34], (-1, 0, 0))
    """
    neutral = np.all(multisets(sets.qmax).values == 0, axis=1)
    numbers = np.flatnonzero(neutral[sets.members[SPECIES.index("L")]])
    safe = quark_flavour(sets.chosen(numbers)) <= QuarkFlavour.TWO_ALIKE
    return Numbered(sets.chosen(numbers[safe]), numbers[safe])
