r"""Signatures: everything that data can see of a charge set, as integers.

With free kinetic mixing, data see of each family of leptons

    N = z_L + z_H          (C_nu = g' N)
    A = z_H + z_e - z_L    (C_A = g' A / 2)

and one universal coupling c, which holds the mixing:

    C_V = g' (N + A/2) + c,

which is Eq. (33) of arXiv:2102.07781. First-family quarks add B = 3 z_Q - z_H,
A_u = z_u - z_Q - z_H and A_d = z_d - z_Q + z_H:

    C_Vu = g' (B/3 + A_u/2) - 2c/3,   C_Vd = g' (B/3 + A_d/2) + c/3,   C_Aq = g' A_q / 2.

Shifts of all charges along hypercharge change c alone. A signature is a vector of these integers up
to sign and common factor. Below the threshold of tau pairs A_tau is invisible, and N_tau enters by
the invisible width, so that only \|N_tau\| counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import permutations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zpfit.analysis.atlas.charge_sets import SPECIES, ChargeSet, ChargeSets, IntArray, multisets
from zpfit.analysis.atlas.flags import Flags, QuarkFlavour, quark_flavour, renormalisable_leptons
from zpfit.errors import InvalidInput
from zpfit.io.arrays import FloatArray

LEPTONS: Final = ("N_e", "A_e", "N_mu", "A_mu", "N_tau")
"""Columns of a lepton signature."""
QUARKS: Final = ("B", "A_u", "A_d")
"""Columns that first-family quarks add."""
_N_TAU: Final = LEPTONS.index("N_tau")
_ORDERS: Final = np.array(list(permutations(range(3))))
"""Ways to assign three charges to families."""
_ANY: Final = (np.repeat(_ORDERS, 6, axis=0), np.tile(_ORDERS, (6, 1)))
"""All 36 ways to assign charges of L and of e."""
_MATCHED: Final = (_ORDERS, _ORDERS)
"""The six ways in which each e keeps the partner of its renormalisable Yukawa coupling."""
_AT_ONCE: Final = 1 << 13
"""Contents that are assigned at once: some tens of megabytes."""
_DIGIT: Final = 7
"""Bits for each integer of a packed vector; all are below 64 up to the largest Qmax."""
_HALF: Final = 1 << (_DIGIT - 1)


class HiggsPolicy(StrEnum):
    """Charge of the Higgs doublet that gives leptons their masses."""

    ZERO = "zero"
    """z_H = 0 and any pairing of L with e; pairs of different charges get their masses from powers
    of a flavon (Froggatt-Nielsen)."""
    RENORMALISABLE = "renormalisable"
    """z_H = z_H*, for which every lepton gets its mass without flavons; sets without such masses
    are left out."""


@dataclass(frozen=True)
class SignatureTable:
    """Distinct signatures of a list of charge sets.

    They are ordered by the first set that has them, so that the number of a signature, its
    position, is the same for any Qmax.
    """

    higgs: HiggsPolicy
    columns: tuple[str, ...]
    """Names of the integers: :data:`LEPTONS`, and :data:`QUARKS` if the table has quarks."""
    vectors: NDArray[np.int8]
    """The integers, shape (n, columns)."""
    sets: IntArray
    """Number of charge sets that have the signature in some assignment of families, shape (n,)."""
    first: IntArray
    """Number of the first of these sets, shape (n,)."""
    charges: NDArray[np.int8]
    """Charges of that first set by species and family, shape (n, 6, 3)."""
    neutrinos: bool
    """True if the sets are those of the list with right-handed neutrinos."""

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def qmax(self) -> IntArray:
        """Smallest Qmax whose list has the signature, shape (n,)."""
        largest: IntArray = np.abs(self.charges).max(axis=(1, 2)).astype(np.int64)
        return largest

    def example(self, number: int) -> ChargeSet:
        """Return the first set that has a signature.

        Parameters
        ----------
        number
            Number of the signature.
        """
        rows = zip(SPECIES, self.charges[number].tolist(), strict=True)
        return ChargeSet(**{name: tuple(row) for name, row in rows})


def signatures(
    sets: ChargeSets,
    higgs: HiggsPolicy,
    *,
    flavour: QuarkFlavour = QuarkFlavour.GENERAL,
    quarks: bool = False,
) -> SignatureTable:
    """Return all distinct signatures of charge sets under one policy.

    Parameters
    ----------
    sets
        Charge sets of one list, from its first set on.
    higgs
        Policy for the charge of the Higgs doublet.
    flavour
        Least safe flavour structure of quarks that is kept, two families alike at most where
        ``quarks`` is set.
    quarks
        Add first-family quarks, whose charges are those that two families share.

    Examples
    --------
    >>> from zpfit.analysis.atlas.enumeration import enumerate_sets
    >>> sets = enumerate_sets(2)
    >>> [len(signatures(sets, policy)) for policy in HiggsPolicy]
    [359, 17]
    """
    if quarks:
        flavour = min(flavour, QuarkFlavour.TWO_ALIKE)
    contents = _contents(sets, higgs, flavour, quarks=quarks)
    columns = LEPTONS + (QUARKS if quarks else ())
    found = _summed(list(_assigned_contents(contents, sets.qmax, higgs, len(columns))))
    order = np.lexsort((found.keys, found.first))
    vectors = _unpacked(found.keys[order], len(columns)).astype(np.int8)
    first = found.first[order]
    examples = sets.chosen(first)
    charges = np.stack([examples.charges(name) for name in SPECIES], axis=1).astype(np.int8)
    return SignatureTable(
        higgs, columns, vectors, found.count[order], first, charges, sets.neutrinos
    )


def least_of_sets(sets: ChargeSets, table: SignatureTable, values: FloatArray) -> FloatArray:
    """Return for each charge set the least value among the signatures of all its pairings.

    Parameters
    ----------
    sets
        Charge sets of the list that the signatures are from.
    table
        All signatures of the list under one policy, in any order.
    values
        A value for each signature, shape (n,).

    Returns
    -------
    array, shape (number of sets,)
        Infinite for sets that the policy does not admit, and with quarks for those without two
        families of quarks alike.

    Raises
    ------
    InvalidInput
        A pairing of a set has a signature that the table lacks.

    Examples
    --------
    The sets with a pairing in which the electron alone has an axial coupling:

    >>> from zpfit.analysis.atlas.enumeration import enumerate_sets
    >>> sets = enumerate_sets(1)
    >>> table = signatures(sets, HiggsPolicy.ZERO)
    >>> wanted = (table.vectors == [0, 1, 0, 0, 0]).all(axis=1)
    >>> int((least_of_sets(sets, table, np.where(wanted, 0.0, 1.0)) == 0).sum())
    9
    """
    width = len(table.columns)
    quarks = width > len(LEPTONS)
    flavour = QuarkFlavour.TWO_ALIKE if quarks else QuarkFlavour.GENERAL
    known = _packed(table.vectors.astype(np.int64))
    order = np.argsort(known)
    known, values = known[order], np.append(values[order], np.nan)
    result = np.full(len(sets), np.inf)
    for start, part in sets.chunks():
        kept = np.flatnonzero(_kept(part, table.higgs, flavour))
        contents, content = np.unique(
            _content_keys(part.chosen(kept), table.higgs, quarks=quarks), return_inverse=True
        )
        keys = [_signature_keys(rows, sets.qmax, table.higgs, width) for rows in _some(contents)]
        least = [_looked_up(row, known, values).min(axis=1) for row in keys]
        if least:
            result[start + kept] = np.concatenate(least)[content]
    if np.isnan(result).any():
        reason = "the table has not all signatures of the charge sets"
        raise InvalidInput([f"signatures: {reason}; give the list that the table was made from"])
    return result


def _some(contents: IntArray) -> Iterator[IntArray]:
    """Yield some contents at a time."""
    for start in range(0, len(contents), _AT_ONCE):
        yield contents[start : start + _AT_ONCE]


def _looked_up(keys: IntArray, known: IntArray, values: FloatArray) -> FloatArray:
    """Return the values of keys, and the last value for unknown keys, in the shape of the keys."""
    where = np.searchsorted(known, keys)
    found = known[np.minimum(where, len(known) - 1)] == keys
    result: FloatArray = values[np.where(found, where, len(known))]
    return result


def invariants(left: IntArray, right: IntArray, z_higgs: IntArray) -> IntArray:
    """Return N and A of the families of leptons.

    Parameters
    ----------
    left, right
        Charges z_L and z_e of e, mu and tau, shape (..., 3).
    z_higgs
        Charge of the Higgs doublet, an integer, shape (...).

    Returns
    -------
    array, shape (..., 5)
        N_e, A_e, N_mu, A_mu and N_tau, not normalised.

    Examples
    --------
    >>> import numpy as np
    >>> invariants(np.array([1, 0, -1]), np.array([1, 0, -1]), np.array(0)).tolist()
    [1, 0, 0, 0, -1]
    """
    shift = np.asarray(z_higgs)[..., None]
    n, a = left + shift, shift + right - left
    return np.stack([n[..., 0], a[..., 0], n[..., 1], a[..., 1], n[..., 2]], axis=-1)


def quark_invariants(charges: IntArray, z_higgs: IntArray) -> IntArray:
    """Return B, A_u and A_d of first-family quarks, not normalised.

    Parameters
    ----------
    charges
        Charges z_Q, z_u and z_d, shape (..., 3).
    z_higgs
        Charge of the Higgs doublet, shape (...).
    """
    doublet, up, down = np.moveaxis(charges, -1, 0)
    return np.stack(
        [3 * doublet - z_higgs, up - doublet - z_higgs, down - doublet + z_higgs], axis=-1
    )


def normalised(vectors: IntArray) -> IntArray:
    r"""Return signatures: common factors removed, N_tau not negative, one of both signs.

    The first integer other than N_tau that does not vanish is positive.

    Parameters
    ----------
    vectors
        Invariants, shape (n, columns).

    Examples
    --------
    >>> import numpy as np
    >>> normalised(np.array([[-2, 0, 4, 0, -6]])).tolist()
    [[1, 0, -2, 0, 3]]
    """
    factor = np.maximum(np.gcd.reduce(vectors, axis=1), 1)
    result: IntArray = vectors // factor[:, None]
    others = np.delete(result, _N_TAU, axis=1)
    first = (others != 0).argmax(axis=1)
    result[others[np.arange(len(result)), first] < 0] *= -1
    result[:, _N_TAU] = np.abs(result[:, _N_TAU])
    return result


def repeated(charges: IntArray) -> IntArray:
    """Return the charge that at least two families share, from sorted charges of shape (n, 3)."""
    return charges[:, 1]


@dataclass(frozen=True)
class _Counted:
    """Distinct keys with the number of sets of each and the first one; shape (n,) each."""

    keys: IntArray
    count: IntArray
    first: IntArray


def _summed(parts: list[_Counted]) -> _Counted:
    """Return the distinct keys of several parts, with the sums of their counts."""
    if not parts:
        empty = np.zeros(0, dtype=np.int64)
        return _Counted(empty, empty, empty)
    keys, index = np.unique(np.concatenate([part.keys for part in parts]), return_inverse=True)
    count, first = np.zeros_like(keys), np.full_like(keys, np.iinfo(np.int64).max)
    np.add.at(count, index, np.concatenate([part.count for part in parts]))
    np.minimum.at(first, index, np.concatenate([part.first for part in parts]))
    return _Counted(keys, count, first)


def _contents(
    sets: ChargeSets, higgs: HiggsPolicy, flavour: QuarkFlavour, *, quarks: bool
) -> _Counted:
    """Return the distinct contents: what of a set enters its signatures, packed in one number."""
    parts = []
    for start, part in sets.chunks():
        kept = np.flatnonzero(_kept(part, higgs, flavour))
        keys = _content_keys(part.chosen(kept), higgs, quarks=quarks)
        unique, first, count = np.unique(keys, return_index=True, return_counts=True)
        parts.append(_Counted(unique, count, start + kept[first]))
    return _summed(parts)


def _kept(sets: ChargeSets, higgs: HiggsPolicy, flavour: QuarkFlavour) -> Flags:
    kept = quark_flavour(sets) <= flavour
    return kept & renormalisable_leptons(sets) if higgs is HiggsPolicy.RENORMALISABLE else kept


def _content_keys(sets: ChargeSets, higgs: HiggsPolicy, *, quarks: bool) -> IntArray:
    """Return the multisets of L and e, the Higgs charge, and first-family quarks as one number."""
    members = sets.members.astype(np.int64)
    left, right = members[SPECIES.index("L")], members[SPECIES.index("e")]
    z_higgs = np.zeros_like(left)
    if higgs is HiggsPolicy.RENORMALISABLE:
        z_higgs = sets.triple_higgs_charge() // 3
    key: IntArray = (left << 12) | right
    rows = [repeated(sets.charges(s)) for s in ("Q", "u", "d")] if quarks else []
    for integer in (z_higgs, *rows):
        key = (key << _DIGIT) | (integer + _HALF)
    return key


def _assigned_contents(
    contents: _Counted, qmax: int, higgs: HiggsPolicy, width: int
) -> Iterator[_Counted]:
    """Yield the signatures of some contents at a time, each once for each content."""
    for start in range(0, len(contents.keys), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        keys = _signature_keys(contents.keys[part], qmax, higgs, width)
        ways = keys.shape[1]
        unique, index = np.unique(keys.ravel(), return_inverse=True)
        pairs = np.unique(index * _AT_ONCE + np.repeat(np.arange(len(keys)), ways))
        content = pairs % _AT_ONCE
        found = _Counted(
            unique[pairs // _AT_ONCE], contents.count[part][content], contents.first[part][content]
        )
        yield _summed([found])


def _signature_keys(keys: IntArray, qmax: int, higgs: HiggsPolicy, width: int) -> IntArray:
    """Return the packed signatures of contents in all assignments, shape (n, assignments)."""
    orders = _MATCHED if higgs is HiggsPolicy.RENORMALISABLE else _ANY
    vectors = _assigned(keys, qmax, orders, quarks=width > len(LEPTONS))
    return _packed(normalised(vectors.reshape(-1, width))).reshape(vectors.shape[:2])


def _assigned(
    keys: IntArray, qmax: int, orders: tuple[IntArray, IntArray], *, quarks: bool
) -> IntArray:
    """Return the invariants of contents in all assignments, shape (n, assignments, columns)."""
    values = multisets(qmax).values
    rows, keys = (_unpacked(keys, 3), keys >> 3 * _DIGIT) if quarks else (None, keys)
    z_higgs, keys = _unpacked(keys, 1)[:, 0], keys >> _DIGIT
    left, right = values[keys >> 12], values[keys & 0xFFF]
    leptons = invariants(left[:, orders[0]], right[:, orders[1]], z_higgs[:, None])
    if rows is None:
        return leptons
    added = quark_invariants(rows, z_higgs)[:, None, :]
    return np.concatenate([leptons, np.broadcast_to(added, (*leptons.shape[:2], 3))], axis=2)


def _packed(vectors: IntArray) -> IntArray:
    """Return vectors of integers below 64 as one number each."""
    key = np.zeros(len(vectors), dtype=np.int64)
    for column in vectors.T:
        key = (key << _DIGIT) | (column + _HALF)
    return key


def _unpacked(keys: IntArray, width: int) -> IntArray:
    """Return the last ``width`` integers of packed numbers, shape (n, width)."""
    shifts = _DIGIT * np.arange(width - 1, -1, -1)
    digits: IntArray = ((keys[:, None] >> shifts) & (2 * _HALF - 1)) - _HALF
    return digits
