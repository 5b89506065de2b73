"""Signatures with neutral lepton doublets and without vector couplings of e, u and d.

Such a choice leaves atomic parity violation alone. First-family quarks may have any charge of their
species if couplings that change flavour are left aside.
"""

from dataclasses import dataclass
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from zpfit.analysis.atlas.charge_sets import SPECIES, IntArray
from zpfit.analysis.atlas.flags import Flags
from zpfit.analysis.atlas.signatures import (
    LEPTONS,
    QUARKS,
    HiggsPolicy,
    SignatureTable,
    normalised,
    quark_invariants,
)
from zpfit.io.arrays import FloatArray
from zpfit.studies.atlas.lists import Numbered


def hopeful(vectors: NDArray[np.int8]) -> Flags:
    """Return which signatures with neutral doublets leptonic data leave: A_mu below A_e / 2.

    Parameters
    ----------
    vectors
        Integers of the signatures, shape (n, 5) or more.
    """
    a_e, a_mu = np.abs(vectors[:, [1, 3]].T)
    result: Flags = (a_e > 0) & (2 * a_mu <= a_e)
    return result


def axial_in_quarks(vectors: FloatArray) -> Flags:
    """Return which signatures have no vector couplings of e, u and d for some mixing.

    Parameters
    ----------
    vectors
        Integers of signatures with quarks and neutral lepton doublets, shape (n, 8).

    Returns
    -------
    array of bool, shape (n,)
        True for 3 (z_Q + z_u) = -2 A_e and 3 (z_Q + z_d) = A_e.
    """
    a_e, (b, up, down) = vectors[:, 1], vectors[:, 5:].T
    c = -a_e / 2
    result: Flags = np.isclose(b / 3 + up / 2, 2 * c / 3) & np.isclose(b / 3 + down / 2, -c / 3)
    return result


@dataclass(frozen=True)
class AxialChoices:
    """Signatures without vector couplings of e, u and d, and the number of sets that have one."""

    table: SignatureTable
    sets: int


def axial_choices(neutral: Numbered) -> AxialChoices:
    """Return the signatures without vector couplings of e, u and d, for any choice of families.

    Parameters
    ----------
    neutral
        Result of :func:`zpfit.studies.atlas.lists.neutral_doublets`.

    Examples
    --------
    None of Qmax 2, and 33 sets of Qmax 3:

    >>> from zpfit.analysis.atlas.enumeration import enumerate_sets
    >>> from zpfit.studies.atlas.lists import neutral_doublets
    >>> [axial_choices(neutral_doublets(enumerate_sets(qmax))).sets for qmax in (2, 3)]
    [0, 33]
    """
    doublet, up, down, right = (neutral.sets.charges(name) for name in ("Q", "u", "d", "e"))
    none = np.zeros(len(neutral.numbers), dtype=np.int64)
    vectors, places = [], []
    families = (permutations(range(3), 2), range(3), range(3), range(3))
    for (electron, muon), i, j, k in product(*families):
        leptons = np.stack([none, right[:, electron], none, right[:, muon], none], axis=1)
        quarks = np.stack([doublet[:, i], up[:, j], down[:, k]], axis=1)
        rows = np.concatenate([leptons, quark_invariants(quarks, none)], axis=1)
        kept = np.flatnonzero(hopeful(rows) & axial_in_quarks(rows.astype(float)))
        vectors.append(normalised(rows[kept]))
        places.append(kept)
    return _choices(np.concatenate(vectors), np.concatenate(places), neutral)


def _choices(vectors: IntArray, places: IntArray, some: Numbered) -> AxialChoices:
    """Return the distinct signatures of the sets at some places, those of the first set first."""
    unique, index = np.unique(vectors, axis=0, return_inverse=True)
    signature, place = np.unique(np.stack([index.ravel(), places]), axis=1)
    first = place[np.searchsorted(signature, np.arange(len(unique)))]
    order = np.argsort(first, kind="stable")
    examples = some.sets.chosen(first[order])
    table = SignatureTable(
        higgs=HiggsPolicy.ZERO,
        columns=LEPTONS + QUARKS,
        vectors=unique[order].astype(np.int8),
        sets=np.bincount(signature, minlength=len(unique))[order],
        first=some.numbers[first[order]],
        charges=np.stack([examples.charges(name) for name in SPECIES], axis=1).astype(np.int8),
        neutrinos=some.sets.neutrinos,
    )
    return AxialChoices(table, len(np.unique(places)))
