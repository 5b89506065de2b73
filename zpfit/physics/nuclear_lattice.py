"""Pairs from excited nuclei, with spins of quarks from the lattice instead of the literature.

Only axial couplings of nucleons depend on the set: the lattice's isoscalar sum Du + Dd is 0.34,
that of the literature on X17 is 0.52. Each rate here is that of
:mod:`zpfit.physics.nuclear_experiments` at the quark couplings that give nucleons the same axial
couplings there.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from zpfit.io.arrays import FloatArray
from zpfit.physics import nuclear_experiments as usual
from zpfit.physics.couplings import Couplings
from zpfit.physics.nuclear_experiments import MASSES, READS, Deviations
from zpfit.physics.nucleons import (
    AXIAL_INPUTS,
    LATTICE_SPINS,
    axial_couplings,
    quark_axial_couplings,
)
from zpfit.physics.observables import Group, Profile, Targets, observable

_SUFFIX: Final = "_lattice"
_NONE: Final[Deviations] = MappingProxyType({})

NUCLEAR: Final = (
    "be8_1815",
    "be8_1764",
    "he4_pairs",
    "he4_capture",
    "c12_1723",
    "be8_1815_lattice",
    "be8_1764_lattice",
    "he4_pairs_lattice",
    "c12_1723_lattice",
)
"""Names of all rates of pairs from excited nuclei."""


def _with_equal_nucleons(c: Couplings) -> Couplings:
    """Return quark couplings with which the literature's spins give the lattice's a_p and a_n."""
    if not any(c.gives(name) for name in AXIAL_INPUTS):
        return c
    up, down = quark_axial_couplings(*axial_couplings(c, LATTICE_SPINS))
    return c.with_rows(C_Au=up, C_Ad=down, C_As=0.0 * up)


def _profiled(profile: Profile) -> Profile:
    """Return the profile of the same observables with the lattice's spins."""

    def found(
        c: Couplings, targets: Targets, widths: Mapping[str, float]
    ) -> Mapping[str, FloatArray]:
        renamed = {name.removesuffix(_SUFFIX): target for name, target in targets.items()}
        return profile(_with_equal_nucleons(c), renamed, widths)

    return found


_BERYLLIUM: Final = _profiled(usual.profiled_beryllium)
"""One function, so that both lines share their inputs."""


@observable(
    reads=READS,
    group=Group.OTHER,
    symbol=r"B_{18.15}(^8\mathrm{Be})",
    bound_only=True,
    masses=MASSES,
    theory=("be8_vector", "be8_spins_1815"),
    profile=_BERYLLIUM,
)
def be8_1815_lattice(c: Couplings, deviations: Deviations = _NONE) -> FloatArray:
    """Return the rate of Be-8 at 18.15 MeV over that of photons, shape (n,).

    Examples
    --------
    Equal couplings of u and d count 0.34 instead of 0.52 times:

    >>> c = Couplings.of(m_Zp=17.0, C_Ve=2e-4, C_Au=6e-5, C_Ad=6e-5)
    >>> print((be8_1815_lattice(c) / usual.be8_1815(c)).round(3), round((0.341 / 0.521) ** 2, 3))
    [0.428] 0.428
    """
    return usual.be8_1815(_with_equal_nucleons(c), deviations)


@observable(
    reads=READS,
    group=Group.OTHER,
    symbol=r"B_{17.64}(^8\mathrm{Be})",
    bound_only=True,
    masses=MASSES,
    theory=("be8_vector", "be8_spins_1764"),
    profile=_BERYLLIUM,
)
def be8_1764_lattice(c: Couplings, deviations: Deviations = _NONE) -> FloatArray:
    """Return the rate of Be-8 at 17.64 MeV over that of photons, shape (n,)."""
    return usual.be8_1764(_with_equal_nucleons(c), deviations)


@observable(
    reads=READS,
    group=Group.OTHER,
    symbol=r"H(^4\mathrm{He})",
    bound_only=True,
    masses=MASSES,
    theory=("he4_axial",),
    profile=_profiled(usual.profiled_helium),
)
def he4_pairs_lattice(c: Couplings, deviations: Deviations = _NONE) -> FloatArray:
    """Return the rate of He-4 over that of ATOMKI, shape (n,)."""
    return usual.he4_pairs(_with_equal_nucleons(c), deviations)


@observable(
    reads=READS,
    group=Group.OTHER,
    symbol=r"B(^{12}\mathrm{C})",
    bound_only=True,
    masses=MASSES,
    theory=("c12_axial", "c12_energy"),
    profile=_profiled(usual.profiled_carbon),
)
def c12_1723_lattice(c: Couplings, deviations: Deviations = _NONE) -> FloatArray:
    """Return the rate of C-12 over that of photons, shape (n,)."""
    return usual.c12_1723(_with_equal_nucleons(c), deviations)
