r"""Production of a Z' by electrons, protons and mesons, relative to a dark photon.

A limit on a dark photon constrains any Z' once the two production rates are compared. The *ratio*
of a channel is the rate of the Z' over that of a dark photon with kinetic mixing 1 and the same
mass, which couples to e Q. It is 1 for that dark photon and quadratic in the couplings.

Meson decays P -> P' Z' follow vector-meson dominance with the U(3) flavour matrices T of ideal
mixing and eta-eta' mixing at sin(theta) = -1/3,

    A = sum_V Tr(T_P T_P' T_V) Tr(T_V C_V) B_V(m),   V = rho, omega, phi,

where C_V = diag(C_Vu, C_Vd, C_Vs) and B_V = M^2/[M^2 - m^2 - i m Gamma(m)] with running p-wave
widths. The mesons have J^PC = 0^-+, so axial couplings do not contribute. Bremsstrahlung of protons
counts their vector coupling only: the estimate of the axial part in the literature uses
2 C_Au + C_Ad, which is not the axial charge of the nucleon.

References
----------
P. Ilten, Y. Soreq, M. Williams and W. Xue, JHEP 06 (2018) 004, arXiv:1801.04847, Sec. 2;
C. Baruch et al., JHEP 11 (2022) 124, arXiv:2206.08563, Eqs. (2.3)-(2.11) and (A.1)-(A.3).
"""

from collections.abc import Callable
from typing import Final, Literal, get_args

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import inline, ufunc
from zpfit.physics.constants import ELECTRIC_CHARGE
from zpfit.physics.couplings import Couplings
from zpfit.physics.nucleons import proton_coupling

Channel = Literal[
    "electron",
    "proton_bremsstrahlung",
    "nucleon_dipole",
    "pi0_gamma",
    "eta_gamma",
    "eta_prime_gamma",
    "phi_eta",
    "rho_mixing",
    "omega_mixing",
    "phi_mixing",
]
"""Process that makes the Z': bremsstrahlung of electrons, of protons or of protons that
scatter on neutrons, a meson decay such as pi0 -> gamma Z', or mixing with a vector meson."""

CHANNELS: Final[tuple[Channel, ...]] = get_args(Channel)

DESCRIPTIONS: Final[dict[Channel, str]] = {
    "electron": "radiated by electrons",
    "proton_bremsstrahlung": "radiated by protons",
    "nucleon_dipole": "radiated by protons and neutrons",
    "pi0_gamma": "from π⁰ → γ Z'",
    "eta_gamma": "from η → γ Z'",
    "eta_prime_gamma": "from η' → γ Z'",
    "phi_eta": "from φ → η Z'",
    "rho_mixing": "from mixing with the ρ",
    "omega_mixing": "from mixing with the ω",
    "phi_mixing": "from mixing with the φ",
}
"""Text for tables."""

# Masses and widths in MeV and branching fractions (PDG), rounded as in DarkCast, so that its
# results can be reproduced. zpfit.physics.hadrons has the present values for widths. Each final
# state of a vector meson counts as two bodies; the pi+ pi- of omega -> pi+ pi- pi0 is one of them.
_PION, _PI0, _KAON, _K0, _ETA = 139.57, 134.98, 493.68, 497.61, 547.85
_RHO: Final = (775.49, 149.10)
_OMEGA: Final = (782.65, 8.49)
_PHI: Final = (1019.46, 4.26)
_RHO_BR: Final = 0.9988447
_OMEGA_BRS: Final = (0.8994773, 0.0834941, 0.0154283)
_PHI_BRS: Final = (0.4893042, 0.3422127, 0.0130981)


@inline
def _phase_space(m: float, mass: float, first: float, second: float) -> float:
    """Return (p/p_0)^3 of a decay into two bodies at mass ``m``, zero below threshold."""
    threshold, difference = (first + second) ** 2, (first - second) ** 2
    m2, mass2 = m * m, mass * mass
    if m2 <= threshold:
        return 0.0
    squared = (m2 - threshold) * (m2 - difference) * mass2
    squared /= (mass2 - threshold) * (mass2 - difference) * m2
    return float(squared**1.5)


@inline
def _propagator(m: float, meson: tuple[float, float], width_ratio: float) -> complex:
    """Return M^2/[M^2 - m^2 - i M^2 Gamma k/m], where k sums BR (p/p_0)^3 over final states."""
    mass, width = meson
    mass2 = mass * mass
    if width_ratio == 0.0:  # below all thresholds, without a division of complex numbers
        return complex(mass2 / (mass2 - m * m), 0.0)
    return mass2 / complex(mass2 - m * m, -mass2 * width * width_ratio / m)


@inline
def rho_propagator(m: float) -> complex:
    """Return B_rho(m), which is 1 at m = 0; ``m`` in MeV."""
    return _propagator(m, _RHO, _RHO_BR * _phase_space(m, _RHO[0], _PION, _PION))


@inline
def omega_propagator(m: float) -> complex:
    """Return B_omega(m), which is 1 at m = 0; ``m`` in MeV."""
    three = _OMEGA_BRS[0] * _phase_space(m, _OMEGA[0], 2 * _PION, _PI0)
    photon = _OMEGA_BRS[1] * _phase_space(m, _OMEGA[0], _PI0, 0.0)
    two = _OMEGA_BRS[2] * _phase_space(m, _OMEGA[0], _PION, _PION)
    return _propagator(m, _OMEGA, three + photon + two)


@inline
def phi_propagator(m: float) -> complex:
    """Return B_phi(m), which is 1 at m = 0; ``m`` in MeV."""
    charged = _PHI_BRS[0] * _phase_space(m, _PHI[0], _KAON, _KAON)
    neutral = _PHI_BRS[1] * _phase_space(m, _PHI[0], _K0, _K0)
    photon = _PHI_BRS[2] * _phase_space(m, _PHI[0], _ETA, 0.0)
    return _propagator(m, _PHI, charged + neutral + photon)


@inline
def _squared(amplitude: complex) -> float:
    return amplitude.real * amplitude.real + amplitude.imag * amplitude.imag


@ufunc
def _pi0_gamma(m, c_u, c_d):  # type: ignore[no-untyped-def]
    rho, omega = rho_propagator(m), omega_propagator(m)
    charge = ELECTRIC_CHARGE * (rho + omega)
    return _squared((c_u - c_d) * rho + 3 * (c_u + c_d) * omega) / _squared(charge)


@ufunc
def _eta_gamma(m, c_u, c_d, c_s):  # type: ignore[no-untyped-def]
    rho, omega, phi = rho_propagator(m), omega_propagator(m), phi_propagator(m)
    charge = ELECTRIC_CHARGE * (9 * rho + omega - 2 * phi)
    flavours = 3 * (c_u - c_d) * rho + (c_u + c_d) * omega + 2 * c_s * phi
    return 9 * _squared(flavours) / _squared(charge)


@ufunc
def _eta_prime_gamma(m, c_u, c_d, c_s):  # type: ignore[no-untyped-def]
    rho, omega, phi = rho_propagator(m), omega_propagator(m), phi_propagator(m)
    charge = ELECTRIC_CHARGE * (9 * rho + omega + 4 * phi)
    flavours = 3 * (c_u - c_d) * rho + (c_u + c_d) * omega - 4 * c_s * phi
    return 9 * _squared(flavours) / _squared(charge)


def _over_charge(coupling: FloatArray) -> FloatArray:
    result: FloatArray = (coupling / ELECTRIC_CHARGE) ** 2
    return result


_RATIOS: Final[dict[Channel, Callable[[Couplings], FloatArray]]] = {
    "electron": lambda c: (c.C_Ve**2 + c.C_Ae**2) / ELECTRIC_CHARGE**2,
    "proton_bremsstrahlung": lambda c: _over_charge(proton_coupling(c)),
    "nucleon_dipole": lambda c: _over_charge(c.C_Vu - c.C_Vd),  # proton less neutron
    "pi0_gamma": lambda c: _pi0_gamma(c.m_Zp, c.C_Vu, c.C_Vd),
    "eta_gamma": lambda c: _eta_gamma(c.m_Zp, c.C_Vu, c.C_Vd, c.C_Vs),
    "eta_prime_gamma": lambda c: _eta_prime_gamma(c.m_Zp, c.C_Vu, c.C_Vd, c.C_Vs),
    "phi_eta": lambda c: _over_charge(3 * c.C_Vs),  # the phi's propagator cancels
    "rho_mixing": lambda c: _over_charge(c.C_Vu - c.C_Vd),
    "omega_mixing": lambda c: _over_charge(3 * (c.C_Vu + c.C_Vd)),
    "phi_mixing": lambda c: _over_charge(3 * c.C_Vs),
}
_LIGHT, _STRANGE = ("C_Vu", "C_Vd"), ("C_Vs",)
_READS: Final[dict[Channel, tuple[str, ...]]] = {
    "electron": ("C_Ve", "C_Ae"),
    "proton_bremsstrahlung": _LIGHT,
    "nucleon_dipole": _LIGHT,
    "pi0_gamma": _LIGHT,
    "eta_gamma": _LIGHT + _STRANGE,
    "eta_prime_gamma": _LIGHT + _STRANGE,
    "phi_eta": _STRANGE,
    "rho_mixing": _LIGHT,
    "omega_mixing": _LIGHT,
    "phi_mixing": _STRANGE,
}


def is_produced(c: Couplings, channel: Channel) -> bool:
    """Return True unless every coupling that the channel needs vanishes at all points.

    Examples
    --------
    >>> is_produced(Couplings.of(m_Zp=17.0, C_Ve=1e-4), "pi0_gamma")
    False
    """
    return not c.vanish(*_READS[channel])


def production_ratio(c: Couplings, channel: Channel) -> FloatArray:
    """Return the production rate over that of a dark photon with kinetic mixing 1.

    Parameters
    ----------
    c : Couplings
        n points.
    channel : str
        One of :data:`CHANNELS`.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Zero or positive, dimensionless.

    References
    ----------
    Eqs. (2.3)-(2.11) of arXiv:2206.08563, without axial couplings of quarks.

    Examples
    --------
    Far below the vector mesons pi0 -> gamma Z' counts the proton's coupling, and a protophobic
    boson is not produced:

    >>> c = Couplings.of(m_Zp=10.0, C_Vu=[1e-3, 1e-3], C_Vd=[1e-3, -2e-3])
    >>> print(*(f"{ratio:.3e}" for ratio in production_ratio(c, "pi0_gamma")))
    9.814e-05 2.251e-16
    >>> print(f"{(3e-3 / ELECTRIC_CHARGE)**2:.3e}")
    9.814e-05
    """
    return c.once(_RATIOS[channel])


def dark_photon(m_Zp: FloatArray) -> Couplings:
    """Return a dark photon with kinetic mixing 1: it couples to e times the electric charge.

    Parameters
    ----------
    m_Zp : array, shape (n,)
        Mass in MeV.

    Examples
    --------
    >>> import numpy as np
    >>> photon = dark_photon(np.array([100.0]))
    >>> production_ratio(photon, "eta_gamma").round(12).tolist()
    [1.0]
    """
    up, down = 2 / 3, -1 / 3
    charges = dict.fromkeys(("C_Ve", "C_Vmu", "C_Vtau"), -1.0)
    charges |= dict.fromkeys(("C_Vu", "C_Vc"), up) | dict.fromkeys(("C_Vd", "C_Vs", "C_Vb"), down)
    shape = np.shape(m_Zp)
    rows = {name: np.broadcast_to(ELECTRIC_CHARGE * q, shape) for name, q in charges.items()}
    return Couplings(m_Zp=m_Zp, **rows)
