"""Common part of all models with a U(1)' gauge group: from charges to couplings."""

from abc import abstractmethod
from collections.abc import Mapping
from math import sqrt
from typing import Literal

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.io.schema import StrictModel
from zpfit.models.base import LeptonRelation, Model, Parameter, Values
from zpfit.models.effective import MASS
from zpfit.models.gauge_mixing import (
    HYPERCHARGE_COUPLING,
    Charges,
    Exact,
    LeadingOrder,
    Route,
)
from zpfit.physics.constants import MASS_RANGE
from zpfit.physics.couplings import Couplings
from zpfit.physics.hadrons import THRESHOLD
from zpfit.physics.z_pole import M_Z

LARGEST_CHARGES = (-1e4, 1e4)
"""Domain of U(1)' charges. Only products with g' matter, so that wider ones add nothing."""
_ROUTES: dict[str, Route] = {"exact": Exact(), "leading_order": LeadingOrder()}

G_PRIME = Parameter("g_prime", "g'", "", (0.0, 12.0), meaning="gauge coupling of U(1)'")
EPS_Y = Parameter(
    "eps_Y",
    r"\epsilon_Y",
    "",
    (-0.99, 0.99),
    0.0,
    meaning="kinetic mixing with hypercharge, Eq. (18)",
)
SINGLET = Parameter(
    "zS_vS",
    "z_S v_S",
    "MeV",
    (0.0, 1e20),
    meaning="charge times vev of the singlet, for m_Zp to follow",
)


class GaugeOptions(StrictModel):
    """Options of every gauge model."""

    route: Literal["exact", "leading_order"] = "exact"
    """``exact`` diagonalises kinetic and mass mixing to all orders."""
    mass: Literal["m_Zp", "zS_vS"] = "m_Zp"
    """The parameter that sets the mass; the other one follows from it."""


def fixed_to_zero(supports: Mapping[str, tuple[float, float]], *names: str) -> bool:
    """Return True if every named parameter is zero."""
    return all(supports[name] == (0.0, 0.0) for name in names)


def largest_mixing(supports: Mapping[str, tuple[float, float]], higgs: str) -> float:
    """Return a bound of cos(phi) gbar, to which the exact corrections of couplings are in ratio.

    They are this number times m^2/(M^2 - m^2), see :mod:`zpfit.models.gauge_mixing`.
    """
    sizes = {name: max(abs(low), abs(high)) for name, (low, high) in supports.items()}
    eps = sizes[EPS_Y.name]
    norm = 1 / sqrt(1 - eps * eps)
    charge_part = sizes[G_PRIME.name] * sizes[higgs]
    return 1.000001 * norm * (0.5 * HYPERCHARGE_COUPLING * eps + charge_part)


def reaches_hadrons(supports: Mapping[str, tuple[float, float]]) -> bool:
    """Return True if the Z' may decay to hadrons, whose width no relation of leptons bounds."""
    return supports.get(MASS.name, MASS_RANGE)[1] > THRESHOLD


def _reach(supports: Mapping[str, tuple[float, float]]) -> float:
    """Return a bound of the size of every coupling, from the sizes of charges and mixing."""
    sizes = {name: max(abs(low), abs(high)) for name, (low, high) in supports.items()}
    eps = sizes[EPS_Y.name]
    norm = 1 / sqrt(1 - eps * eps)
    charges = sum(size for name, size in sizes.items() if name.startswith(("z_", "n_")))
    mixing = HYPERCHARGE_COUPLING * eps
    return 1.01 * norm * (mixing + 2 * sizes[G_PRIME.name] * charges)


def charge(name: str, symbol: str, meaning: str, default: float | None = None) -> Parameter:
    """Return a parameter for a charge under U(1)'."""
    return Parameter(name, symbol, "", LARGEST_CHARGES, default, meaning)


LEFT_CHARGES = (
    charge("z_Le", r"z_{L e}", "charge of the electron's doublet"),
    charge("z_Lmu", r"z_{L\mu}", "charge of the muon's doublet"),
    charge("z_Ltau", r"z_{L\tau}", "charge of the tau's doublet", 0.0),
)


Z_Q = charge("z_q", "z_q", "charge of the left-handed quark doublets of all families", 0.0)


class GaugeModel(Model):
    """A model defined by its :meth:`charges`, with mass, g' and mixing among its parameters."""

    def __init__(self, options: GaugeOptions | None = None) -> None:
        options = options or GaugeOptions()
        self._route = _ROUTES[options.route]
        self._by_singlet = options.mass == SINGLET.name

    @property
    @abstractmethod
    def charge_parameters(self) -> tuple[Parameter, ...]:
        """Parameters that :meth:`charges` reads, g' and mixing included."""

    @abstractmethod
    def charges(self, values: Values) -> Charges:
        """Return the gauge sector at n points."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The mass or the singlet's z_S v_S, followed by :attr:`charge_parameters`."""
        return (SINGLET if self._by_singlet else MASS, *self.charge_parameters, *self.added)

    @property
    def optional(self) -> tuple[Parameter, ...]:
        """The charge of the quarks."""
        return (Z_Q,)

    def couplings(self, values: Values) -> Couplings:
        """Return couplings at n points."""
        charges = self.charges(values)
        return self._route.couplings(charges, self._mass(values, charges))

    def conditions(self, values: Values) -> dict[str, FloatArray]:
        """Return the conditions on the mass, as ratios.

        The vevs of the doublets must not force a larger mass than ``m_Zp``. If the mass
        follows from the singlet, it must lie in the range of the formulas.
        """
        charges = self.charges(values)
        if self._by_singlet:
            m = self._mass(values, charges)
            low, high = MASS_RANGE
            with np.errstate(divide="ignore"):
                return {"mass in reach of the formulas": np.maximum(low / m, m / high)}
        if np.ndim(charges.z_variance) == 0 and charges.z_variance == 0:
            return {}
        return {
            "mass forced by the doublets": self._route.doublets_share(charges, values[MASS.name])
        }

    def lepton_relation(self, supports: Mapping[str, tuple[float, float]]) -> LeptonRelation | None:
        """Return the relations of every U(1)', or None where hadrons open."""
        return None if reaches_hadrons(supports) else self.gauge_relation(supports)

    @staticmethod
    def gauge_relation(supports: Mapping[str, tuple[float, float]]) -> LeptonRelation:
        """Return the relations of every U(1)', which hold to all orders in the mixing.

        Charges enter C_V - C_A - C_nu of a family only through z_L + (z_R - z_L + z_H)/2, from
        which C_A and C_nu take away what differs between families.
        """
        reach = _reach(supports)
        largest = max(1.0, reach)
        return LeptonRelation(
            universal_axial=False, largest=(largest, largest, largest, largest), tau_slack=reach
        )

    def derived(self, values: Values) -> dict[str, FloatArray]:
        """Return masses, mixing angle and shifts of the Z's couplings, each of shape (n,).

        ``delta`` is tan(phi) m_Z/m, on which the emission of longitudinal Z' bosons depends.
        """
        charges = self.charges(values)
        m = self._mass(values, charges)
        z = self._route.z_boson(charges, m)
        with np.errstate(divide="ignore", invalid="ignore"):
            singlet = self._route.singlet_mass(charges, m) / charges.g_prime
        return {
            "m_Zp": m,
            "zS_vS": singlet,
            "m_doublets": self._forced_mass(charges),
            "m_Z": z.mass,
            "m_Z_shift": z.mass_shift,
            "phi": z.phi,
            "delta": np.tan(z.phi) * M_Z / m,
            **{f"shift_{name}": shift for name, shift in z.coupling_shifts.items()},
        }

    def _mass(self, values: Values, charges: Charges) -> FloatArray:
        if not self._by_singlet:
            return values[MASS.name]
        return self._route.light_mass(charges, charges.g_prime * values[SINGLET.name])

    def _forced_mass(self, charges: Charges) -> FloatArray:
        """Return m_Zp without a singlet, which the doublets force."""
        return np.broadcast_to(self._route.light_mass(charges, 0.0), charges.g_prime.shape)
