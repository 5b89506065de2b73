"""Enumeration of all anomaly-free charge sets up to a largest charge.

The four linear conditions leave two free sums over families, a = sum z_Q and b = sum z_u:

    sum z_d = 2 a - b,  sum z_L = -3 a,  sum z_e = -2 a - b,  sum z_nu = b - 4 a.

For each (a, b), a *block*, the quadratic and the cubic condition have quarks on one side and
leptons on the other,

    Q2 - 2 u2 + d2 = L2 - e2,   6 Q3 - 3 u3 - 3 d3 = e3 + nu3 - 2 L3,

where X2 and X3 are sums of squares and cubes. Both sides are computed for all multisets with the
right sums, and equal ones are paired.

Sets are numbered by their largest absolute charge, then by a, b, quarks and leptons, so that
numbers are the same for any Qmax.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zpfit.analysis.atlas.charge_sets import (
    LARGEST_QMAX,
    ChargeSets,
    IndexArray,
    IntArray,
    largest,
    multisets,
)
from zpfit.errors import InvalidInput, WrongType

_BITS: Final = 24
"""Bits for the position of a combination of multisets in a block; there are at most 3e6."""
_BUCKETS: Final = 1 << 20
"""Buckets in which a first comparison of both sides finds most combinations without a partner."""


@dataclass(frozen=True)
class Slab:
    """All sets with the same sum of the charges of Q, ordered by their largest charge."""

    counts: IntArray
    """Number of sets with largest charge 0, 1, ..., Qmax."""
    members: IndexArray
    """Number of the multiset of each species and set, shape (6, n)."""

    def of_size(self, size: int) -> IndexArray:
        """Return the sets with a given largest charge, shape (6, number of them)."""
        ends = np.cumsum(self.counts)
        return self.members[:, ends[size] - self.counts[size] : ends[size]]


def check_qmax(qmax: object) -> None:
    """Check that a list up to a largest charge can be enumerated.

    Raises
    ------
    WrongType
        It is no integer.
    InvalidInput
        It is below 1 or above :data:`LARGEST_QMAX`.
    """
    if not isinstance(qmax, Integral) or isinstance(qmax, bool):
        raise WrongType("qmax", qmax, f"an integer from 1 to {LARGEST_QMAX}")
    if not 1 <= int(qmax) <= LARGEST_QMAX:
        raise InvalidInput([f"qmax: {qmax} is out of range; give 1 to {LARGEST_QMAX}"])


def enumerate_sets(qmax: int, *, neutrinos: bool = True) -> ChargeSets:
    """Return all anomaly-free charge sets in memory.

    Parameters
    ----------
    qmax
        Largest absolute charge, 1 to :data:`LARGEST_QMAX`.
    neutrinos
        Allow charges of three right-handed neutrinos.

    Returns
    -------
    ChargeSets
        Their number grows from 38 at Qmax 1 to 2e7 (260 MB) at Qmax 10.

    Raises
    ------
    WrongType, InvalidInput
        See :func:`check_qmax`.

    References
    ----------
    B. C. Allanach, J. Davighi, S. Melville, JHEP 02 (2019) 082, arXiv:1812.04602

    Examples
    --------
    >>> len(enumerate_sets(2)), len(enumerate_sets(2, neutrinos=False))
    (358, 22)
    """
    check_qmax(qmax)
    slabs = [slab(qmax, total, neutrinos=neutrinos) for total in slab_sums(qmax)]
    return ChargeSets(qmax, neutrinos, np.concatenate([*in_order(slabs)], axis=1))


def in_order(slabs: Sequence[Slab]) -> Iterator[IndexArray]:
    """Yield the sets of all slabs in the order of their numbers, some at a time."""
    for size in range(len(slabs[0].counts)):
        for found in slabs:
            yield found.of_size(size)


def slab_sums(qmax: int) -> range:
    """Return the sums a of the charges of Q for which there are sets.

    |2 a +- b| and |b - 4 a| are at most 3 Qmax, hence 6 a <= 6 Qmax. Negative sums repeat the
    sets with the other sign.
    """
    return range(qmax + 1)


def slab(qmax: int, total: int, *, neutrinos: bool = True) -> Slab:
    """Return all sets whose charges of Q have a given sum.

    Parameters
    ----------
    qmax
        Largest absolute charge.
    total
        Sum of the charges of Q, one of :func:`slab_sums`.
    neutrinos
        Allow charges of right-handed neutrinos.
    """
    blocks = [_block(qmax, sums, neutrinos=neutrinos) for sums in _blocks(qmax, total, neutrinos)]
    members = np.concatenate([np.zeros((6, 0), np.uint16), *blocks], axis=1)
    sizes = largest(multisets(qmax).size, members)
    order = np.argsort(sizes, kind="stable")
    return Slab(np.bincount(sizes, minlength=qmax + 1), members[:, order])


def _blocks(qmax: int, a: int, neutrinos: bool) -> Iterator[tuple[int, ...]]:  # noqa: FBT001
    """Yield the sums of the six species for each b."""
    for b in range(0 if a == 0 else -3 * qmax, 3 * qmax + 1):
        sums = (a, b, 2 * a - b, -3 * a, -2 * a - b, b - 4 * a)
        if max(map(abs, sums)) <= 3 * qmax and (neutrinos or b == 4 * a):
            yield sums


def _block(qmax: int, sums: tuple[int, ...], *, neutrinos: bool) -> IndexArray:
    """Return the sets of a block, ordered by quarks and leptons, shape (6, n)."""
    table = multisets(qmax)
    totals = table.values.sum(axis=1)
    choices = [np.flatnonzero(totals == total) for total in sums]
    if not neutrinos:
        choices[5] = np.zeros(1, dtype=np.intp)
    quarks, leptons = _pairs(*_sides(table.values, choices))
    members = np.array(
        [*_unravelled(quarks, choices[:3]), *_unravelled(leptons, choices[3:])], dtype=np.uint16
    )
    kept = np.gcd.reduce(np.gcd.reduce(table.values, axis=1)[members]) <= 1
    if not any(sums):
        kept &= _has_chosen_sign(table.values, members)
    return members[:, kept]


def _sides(values: IntArray, choices: list[NDArray[np.intp]]) -> tuple[IntArray, IntArray]:
    """Return both sides of the conditions as one number for each combination of multisets.

    The number is the cubic sum times a factor that exceeds every difference of quadratic sums.
    """
    squares, cubes = (values**2).sum(axis=1), (values**3).sum(axis=1)
    factor = 9 * int(squares.max()) + 1
    weights = ((6, 1), (-3, -2), (-3, 1), (-2, 1), (1, -1), (1, 0))
    rows = [
        factor * cubic * cubes[chosen] + quadratic * squares[chosen]
        for chosen, (cubic, quadratic) in zip(choices, weights, strict=True)
    ]
    quarks, leptons = rows[:3], rows[3:]
    return _all_sums(quarks), _all_sums(leptons)


def _all_sums(rows: Iterable[IntArray]) -> IntArray:
    """Return the sum of each combination of elements, one from each row."""
    first, second, third = rows
    return np.add.outer(np.add.outer(first, second), third).ravel()


def _pairs(left: IntArray, right: IntArray) -> tuple[IntArray, IntArray]:
    """Return the positions of all pairs of equal numbers, ordered by left, then by right."""
    lefts = np.flatnonzero(_meets(left, right))
    rights = np.flatnonzero(_meets(right, left[lefts]))
    # One sort orders equal numbers by their positions.
    packed = np.sort((right[rights] << _BITS) | rights)
    keys = packed >> _BITS
    first = np.searchsorted(keys, left[lefts], "left")
    count = np.searchsorted(keys, left[lefts], "right") - first
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    partners = packed[np.repeat(first, count) + within] & ((1 << _BITS) - 1)
    return np.repeat(lefts, count), partners


def _meets(numbers: IntArray, others: IntArray) -> NDArray[np.bool_]:
    """Return False for most numbers that are not among the others."""
    seen = np.zeros(_BUCKETS, dtype=bool)
    seen[others & (_BUCKETS - 1)] = True
    found: NDArray[np.bool_] = seen[numbers & (_BUCKETS - 1)]
    return found


def _unravelled(positions: IntArray, choices: list[NDArray[np.intp]]) -> list[NDArray[np.intp]]:
    """Return the numbers of the multisets at positions among all combinations."""
    indices = np.unravel_index(positions, tuple(map(len, choices)))
    return [chosen[index] for chosen, index in zip(choices, indices, strict=True)]


def _has_chosen_sign(values: IntArray, members: IndexArray) -> NDArray[np.bool_]:
    """Return True for one of each set and its negative, if all sums over families vanish.

    The middle charge of the first species in which it is not zero must be negative, or, if all
    are zero, each set is its own negative.
    """
    middle = np.sign(values[:, 1])[members]
    first = (middle != 0).argmax(axis=0)
    chosen: NDArray[np.bool_] = middle[first, np.arange(members.shape[1])] <= 0
    return chosen
