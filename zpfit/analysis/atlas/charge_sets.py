"""Charge sets: integer charges of the six species of fermions in three families.

Charges are those of the *right-handed* fields for u, d, e and nu. Two sets are the same if they
differ by the order of the families within a species, by the sign of all charges, or by a common
factor. The set without any charge counts as one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations_with_replacement
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from zpfit.errors import InvalidInput

IntArray = NDArray[np.int64]
"""An array of integers of any shape."""
IndexArray = NDArray[np.uint16]
"""Numbers of multisets, see :class:`Multisets`."""
Triple = tuple[int, int, int]

SPECIES: Final = ("Q", "u", "d", "L", "e", "nu")
"""Left-handed quark doublets, right-handed u and d, lepton doublets, right-handed charged leptons
and neutrinos: the order of all columns."""
LARGEST_QMAX: Final = 12
"""Largest charge of an atlas. Qmax 10 has 2e7 sets, and their number grows as the ninth power."""
CHUNK: Final = 1 << 18
"""Number of sets that analyses treat at once: some megabytes."""


@dataclass(frozen=True)
class Multisets:
    """All choices of three integer charges, regardless of their order.

    They are ordered by their largest absolute charge, then by their charges in ascending order. A
    multiset therefore has the same number for any Qmax.

    Examples
    --------
    >>> table = multisets(1)
    >>> table.values[:3].tolist(), table.number((1, 0, -1))
    ([[0, 0, 0], [-1, -1, -1], [-1, -1, 0]], 5)
    """

    values: IntArray
    """Charges in ascending order, shape (n, 3)."""
    size: NDArray[np.uint8]
    """Largest absolute charge of each, shape (n,)."""

    def number(self, charges: Triple) -> int:
        """Return the number of the multiset of three charges."""
        return int(np.flatnonzero((self.values == np.sort(charges)).all(axis=1))[0])


@cache
def multisets(qmax: int) -> Multisets:
    """Return all multisets of three charges up to a largest one.

    Parameters
    ----------
    qmax
        Largest absolute charge, at least 0.
    """
    triples = combinations_with_replacement(range(-qmax, qmax + 1), 3)
    rows = np.array(list(triples), dtype=np.int64)
    size = np.abs(rows).max(axis=1)
    order = np.lexsort((*rows.T[::-1], size))
    values, size = rows[order], size[order].astype(np.uint8)
    values.flags.writeable = size.flags.writeable = False
    return Multisets(values, size)


def largest(table: NDArray[np.uint8], members: IndexArray) -> NDArray[np.uint8]:
    """Return the largest number that a table has for the six multisets of each set, shape (n,)."""
    result: NDArray[np.uint8] = table[members[0]]
    for row in members[1:]:
        np.maximum(result, table[row], out=result)
    return result


@dataclass(frozen=True)
class ChargeSets:
    """Charge sets in the order of their numbers, which start at 0 and are the same for any Qmax."""

    qmax: int
    """Largest absolute charge of the list."""
    neutrinos: bool
    """True if right-handed neutrinos may have charges."""
    members: IndexArray
    """Number of the multiset of each species and set, shape (6, n)."""

    def __len__(self) -> int:
        return int(self.members.shape[1])

    def charges(self, species: str) -> IntArray:
        """Return the charges of a species in ascending order, shape (n, 3)."""
        members = self.members[SPECIES.index(species)]
        result: IntArray = np.take(multisets(self.qmax).values, members, axis=0)
        return result

    def sums(self, species: str) -> IntArray:
        """Return the sum of the charges of a species over families, shape (n,)."""
        totals = multisets(self.qmax).values.sum(axis=1)
        result: IntArray = np.take(totals, self.members[SPECIES.index(species)])
        return result

    def triple_higgs_charge(self) -> IntArray:
        """Return three times the Higgs charge z_H* of renormalisable Yukawa couplings.

        The linear conditions give sum u - sum Q = sum Q - sum d = sum L - sum e = 3 z_H*. Yukawa
        couplings of a species can therefore all be renormalisable for this charge alone.
        """
        return self.sums("u") - self.sums("Q")

    def sizes(self) -> NDArray[np.uint8]:
        """Return the largest absolute charge of each set, shape (n,)."""
        return largest(multisets(self.qmax).size, self.members)

    def part(self, first: int, last: int) -> "ChargeSets":
        """Return the sets with numbers from ``first`` to before ``last``."""
        return ChargeSets(self.qmax, self.neutrinos, self.members[:, first:last])

    def chosen(self, numbers: NDArray[np.intp]) -> "ChargeSets":
        """Return some of the sets."""
        return ChargeSets(self.qmax, self.neutrinos, self.members[:, numbers])

    def chunks(self) -> Iterator[tuple[int, "ChargeSets"]]:
        """Yield the number of the first set and the sets, a chunk at a time."""
        for first in range(0, len(self), CHUNK):
            yield first, self.part(first, first + CHUNK)

    def row(self, number: int) -> "ChargeSet":
        """Return one set.

        Raises
        ------
        InvalidInput
            No set has this number.
        """
        if not 0 <= number < len(self):
            reason = f"the list has numbers 0 to {len(self) - 1}"
            raise InvalidInput([f"set {number}: {reason}; give one of them, or raise Qmax"])
        values = multisets(self.qmax).values[self.members[:, number]].tolist()
        return ChargeSet(*(tuple(row) for row in values))

    def find(self, wanted: "ChargeSet") -> int | None:
        """Return the number of a set in any order of families, sign and normalisation.

        Returns
        -------
        int or None
            None if the list does not hold the set, as an anomaly does not cancel or a charge
            exceeds Qmax.
        """
        for form in (wanted.primitive(), wanted.primitive().negative()):
            if form.size > self.qmax:
                return None
            table = multisets(self.qmax)
            numbers = [table.number(form.species(name)) for name in SPECIES]
            found = np.ones(len(self), dtype=bool)
            for row, number in zip(self.members, numbers, strict=True):
                found &= row == number
            if found.any():
                return int(np.argmax(found))
        return None


@dataclass(frozen=True)
class ChargeSet:
    """One charge set; the charges of each species have no order.

    Examples
    --------
    Baryon minus lepton number has no anomaly with three right-handed neutrinos:

    >>> quarks, leptons = (1, 1, 1), (-3, -3, -3)
    >>> ChargeSet(quarks, quarks, quarks, leptons, leptons, leptons).anomalies()
    {'SU(3)': 0, 'SU(2)': 0, 'U(1)_Y': 0, 'gravity': 0, 'U(1)_Y quadratic': 0, 'cubic': 0}
    """

    Q: Triple
    u: Triple
    d: Triple
    L: Triple
    e: Triple
    nu: Triple = (0, 0, 0)

    def species(self, name: str) -> Triple:
        """Return the charges of a species, one of :data:`SPECIES`."""
        charges: Triple = getattr(self, name)
        return charges

    @property
    def size(self) -> int:
        """Largest absolute charge."""
        return max(abs(z) for name in SPECIES for z in self.species(name))

    @property
    def triple_higgs_charge(self) -> int:
        """Three times the Higgs charge of renormalisable Yukawa couplings."""
        return sum(self.u) - sum(self.Q)

    def negative(self) -> "ChargeSet":
        """Return the set with the sign of all charges changed."""
        return self._changed(lambda z: -z)

    def primitive(self) -> "ChargeSet":
        """Return the set without a common factor, families in ascending order."""
        factor = int(np.gcd.reduce([z for name in SPECIES for z in self.species(name)])) or 1
        return self._changed(lambda z: z // factor)

    def _changed(self, change: Any) -> "ChargeSet":
        rows = (tuple(sorted(change(z) for z in self.species(name))) for name in SPECIES)
        return ChargeSet(*rows)

    def anomalies(self) -> Mapping[str, int]:
        """Return the sums that vanish if the theory has no anomaly.

        References
        ----------
        B. C. Allanach, J. Davighi, S. Melville, JHEP 02 (2019) 082, arXiv:1812.04602
        """
        one, two, three = (
            {s: sum(z**n for z in self.species(s)) for s in SPECIES} for n in (1, 2, 3)
        )
        return {
            "SU(3)": 2 * one["Q"] - one["u"] - one["d"],
            "SU(2)": 3 * one["Q"] + one["L"],
            "U(1)_Y": one["Q"] - 8 * one["u"] - 2 * one["d"] + 3 * one["L"] - 6 * one["e"],
            "gravity": 6 * one["Q"]
            - 3 * one["u"]
            - 3 * one["d"]
            + 2 * one["L"]
            - one["e"]
            - one["nu"],
            "U(1)_Y quadratic": two["Q"] - 2 * two["u"] + two["d"] - two["L"] + two["e"],
            "cubic": (
                6 * three["Q"]
                - 3 * three["u"]
                - 3 * three["d"]
                + 2 * three["L"]
                - three["e"]
                - three["nu"]
            ),
        }
