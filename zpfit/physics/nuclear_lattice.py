"""Pairs from excited nuclei, with spins of quarks from the lattice instead of the literature.

Only axial couplings of nucleons depend on the set: the lattice's isoscalar sum Du + Dd is 0.34,
that of the literature on X17 is 0.52. Each rate here is that of
:mod:`zpfit.physics.nuclear_experiments` at the quark couplings that give nucleons the same axial
couplings there. Its observable has the same name, with ``_lattice`` at the end.

Examples
--------
Equal couplings of u and d count 0.34 instead of 0.52 times:

>>> from zpfit.physics.observables import find_observable
>>> c = Couplings.of(m_Zp=17.0, C_Ve=2e-4, C_Au=6e-5, C_Ad=6e-5)
>>> lattice = find_observable("be8_1815_lattice").function(c)
>>> print((lattice / usual.be8_1815(c)).round(3), round((0.341 / 0.521) ** 2, 3))
[0.428] 0.428
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from zpfit.io.arrays import FloatArray
from zpfit.physics import nuclear_experiments as usual
from zpfit.physics.couplings import Couplings
from zpfit.physics.nuclear_experiments import READS, Deviations
from zpfit.physics.nucleons import (
    AXIAL_INPUTS,
    LATTICE_SPINS,
    axial_couplings,
    quark_axial_couplings,
)
from zpfit.physics.observables import Observable, Profile, Targets, declaration_of, declare

_SUFFIX: Final = "_lattice"
_NONE: Final[Deviations] = MappingProxyType({})
_AXIAL_RATES: Final = (usual.be8_1815, usual.be8_1764, usual.he4_pairs, usual.c12_1723)


def _with_equal_nucleons(c: Couplings) -> Couplings:
    """Return quark couplings with which the literature's spins give the lattice's a_p and a_n."""
    if not any(c.gives(name) for name in AXIAL_INPUTS):
        return c
    up, down = quark_axial_couplings(*axial_couplings(c, LATTICE_SPINS))
    return c.with_rows(C_Au=up, C_Ad=down, C_As=0.0 * up)


# Classes rather than closures: workers get functions by their names.


@dataclass(frozen=True)
class LatticeRate:
    """A rate with spins of quarks from the lattice."""

    usual: Callable[[Couplings, Deviations], FloatArray]
    """The rate with those of the literature."""

    def __call__(self, c: Couplings, deviations: Deviations = _NONE) -> FloatArray:
        """Return the rate at n points, shape (n,); see :mod:`zpfit.physics.nuclear_experiments`."""
        return self.usual(_with_equal_nucleons(c), deviations)


@dataclass(frozen=True)
class LatticeProfile:
    """Best inputs of such rates; rates that share their inputs have equal profiles."""

    usual: Profile
    """The profile of rates with spins from the literature."""

    def __call__(
        self, c: Couplings, targets: Targets, widths: Mapping[str, float]
    ) -> Mapping[str, FloatArray]:
        """Return the deviations of uncertain inputs at n points; see ``Profile``."""
        renamed = {name.removesuffix(_SUFFIX): target for name, target in targets.items()}
        return self.usual(_with_equal_nucleons(c), renamed, widths)


def _with_lattice(function: Callable[..., FloatArray]) -> Observable:
    """Return the observable of a rate, with the lattice's spins."""
    literature = declaration_of(function)
    if literature is None or literature.profile is None:
        raise ValueError(f"{function} is no observable with uncertain inputs")
    return replace(
        literature,
        name=literature.name + _SUFFIX,
        reads=READS,
        function=LatticeRate(function),
        profile=LatticeProfile(literature.profile),
    )


_LATTICE: Final = tuple(declare(_with_lattice(function)) for function in _AXIAL_RATES)

NUCLEAR: Final = (
    *(function.__name__ for function in (*_AXIAL_RATES, usual.he4_capture)),
    *(one.name for one in _LATTICE),
)
"""Names of all rates of pairs from excited nuclei."""
