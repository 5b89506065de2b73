"""Properties of charge sets that do not depend on the data."""

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from zpfit.analysis.atlas.charge_sets import SPECIES, ChargeSets, IntArray, multisets

Flags = NDArray[np.bool_]
"""A property of n charge sets, shape (n,)."""


class QuarkFlavour(IntEnum):
    """Families of quarks that can have equal charges, from the safest to the least safe.

    A light Z' with other charges has flavour-changing couplings after the rotation to mass
    eigenstates, which decays such as K -> pi Z' and B -> K Z' exclude by orders of magnitude
    unless the rotations are aligned.
    """

    UNIVERSAL = 0
    """Three families alike in Q, u and d: no flavour change."""
    TWO_ALIKE = 1
    """Two families alike in Q, u and d: safe in K and D mesons, aligned in the third family."""
    UNIVERSAL_DOUBLETS = 2
    """Families of Q alike: rotations of u and d are free of the CKM matrix and can be aligned."""
    GENERAL = 3
    """None of these: needs exact alignment."""


def _constant(sets: ChargeSets, *species: str) -> Flags:
    """Return True where the three charges of each species are equal."""
    return _by_multiset(sets, species, lambda z: np.all(z == z[:, :1], axis=1))


def _two_equal(sets: ChargeSets, *species: str) -> Flags:
    """Return True where at least two charges of each species are equal."""
    return _by_multiset(sets, species, lambda z: (np.diff(z, axis=1) == 0).any(axis=1))


def _neutral(sets: ChargeSets, *species: str) -> Flags:
    """Return True where all charges of each species vanish."""
    return _by_multiset(sets, species, lambda z: ~z.any(axis=1))


def _by_multiset(
    sets: ChargeSets, species: tuple[str, ...], has: Callable[[IntArray], Any]
) -> Flags:
    """Return True where the multisets of all species have a property."""
    table: Flags = has(multisets(sets.qmax).values)
    found: Flags = np.all([table[sets.members[SPECIES.index(name)]] for name in species], axis=0)
    return found


def _differ_by_higgs(sets: ChargeSets, lower: str, upper: str) -> Flags:
    """Return True where each charge of ``upper`` is one of ``lower`` plus z_H*."""
    shift = sets.triple_higgs_charge()[:, None]
    found: Flags = (3 * sets.charges(lower) + shift == 3 * sets.charges(upper)).all(axis=1)
    return found


def renormalisable_leptons(sets: ChargeSets) -> Flags:
    """Return True where a Higgs doublet of charge z_H* gives all charged leptons their masses."""
    return _differ_by_higgs(sets, "e", "L")


def _renormalisable_quarks(sets: ChargeSets) -> Flags:
    return _differ_by_higgs(sets, "Q", "u") & _differ_by_higgs(sets, "d", "Q")


def _renormalisable(sets: ChargeSets) -> Flags:
    return renormalisable_leptons(sets) & _renormalisable_quarks(sets)


FLAGS: Final[Mapping[str, Callable[[ChargeSets], Flags]]] = {
    "sm_only": lambda sets: _neutral(sets, "nu"),
    "renormalisable_leptons": renormalisable_leptons,
    "renormalisable_quarks": _renormalisable_quarks,
    "renormalisable": _renormalisable,
    "renormalisable_with_neutrinos": lambda sets: (
        _renormalisable(sets) & _differ_by_higgs(sets, "L", "nu")
    ),
    "quarks_universal": lambda sets: _constant(sets, "Q", "u", "d"),
    "two_quark_families_alike": lambda sets: _two_equal(sets, "Q", "u", "d"),
    "quark_doublets_universal": lambda sets: _constant(sets, "Q"),
    "leptophilic": lambda sets: _neutral(sets, "Q", "u", "d"),
    "charged_leptons_neutral": lambda sets: _neutral(sets, "L", "e"),
    "vectorlike_leptons": lambda sets: sets.members[3] == sets.members[4],
    "integer_higgs_charge": lambda sets: sets.triple_higgs_charge() % 3 == 0,
    "zero_higgs_charge": lambda sets: sets.triple_higgs_charge() == 0,
}
"""Functions that return each property.

``sm_only``: right-handed neutrinos have no charge. ``renormalisable_leptons`` and
``renormalisable_quarks``: masses from one Higgs doublet of charge z_H*, without flavons;
``renormalisable`` is both, ``renormalisable_with_neutrinos`` adds Dirac masses of neutrinos.
``leptophilic``: quarks have no charge. ``vectorlike_leptons``: L and e have the same charges.
``integer_higgs_charge`` and ``zero_higgs_charge``: of z_H*.
"""


def quark_flavour(sets: ChargeSets) -> NDArray[np.uint8]:
    """Return the :class:`QuarkFlavour` of each set, shape (n,)."""
    label = np.full(len(sets), QuarkFlavour.GENERAL, dtype=np.uint8)
    label[_constant(sets, "Q")] = QuarkFlavour.UNIVERSAL_DOUBLETS
    label[_two_equal(sets, "Q", "u", "d")] = QuarkFlavour.TWO_ALIKE
    label[_constant(sets, "Q", "u", "d")] = QuarkFlavour.UNIVERSAL
    return label


def least_powers(sets: ChargeSets) -> NDArray[np.uint8]:
    """Return the smallest sum over leptons of the Froggatt-Nielsen powers, shape (n,).

    With z_H = 0, a lepton mass carries the power |z_e - z_L| of a flavon of charge 1. Pairs in
    ascending order have the smallest sum.
    """
    powers = np.abs(sets.charges("L") - sets.charges("e")).sum(axis=1, dtype=np.uint8)
    return np.asarray(powers)


def count_flags(sets: ChargeSets) -> dict[str, IntArray]:
    """Return the number of sets up to each largest charge that have each property.

    Returns
    -------
    dict of str to array, shape (Qmax + 1,)
        Cumulative counts for largest charges 0, 1, ..., Qmax, by the names of :data:`FLAGS` and
        for ``all`` sets.

    Examples
    --------
    >>> from zpfit.analysis.atlas.enumeration import enumerate_sets
    >>> counts = count_flags(enumerate_sets(2))
    >>> counts["all"].tolist(), counts["renormalisable"].tolist()
    ([1, 38, 358], [1, 11, 60])
    """
    counts = {name: np.zeros(sets.qmax + 1, dtype=np.int64) for name in ("all", *FLAGS)}
    for _, part in sets.chunks():
        sizes = part.sizes()
        counts["all"] += np.bincount(sizes, minlength=sets.qmax + 1)
        for name, flag in FLAGS.items():
            counts[name] += np.bincount(sizes[flag(part)], minlength=sets.qmax + 1)
    return {name: np.cumsum(found) for name, found in counts.items()}
