r"""Shifts at the Z pole by the mixing of the Z with a light Z'.

Inputs of the Standard Model are alpha, G_F and m_Z. Mixing with a lighter boson by the angle xi
makes the Z heavier: without it the mass would be m_Z cos(xi). The s^2 = sin^2(theta_w) that goes
with the inputs, s0^2 without mixing, and the mass of the W become

    s^2 c^2 = s0^2 c0^2/cos(xi)^2,    m_W = c m_Z cos(xi),

and the Z couples to each chiral fermion with

    g = g_Z (T3 - s^2 Q) + tan(xi) C,

where C is the coupling of the light Z' to the same fermion, C_R,L = C_V +- C_A. All three relations
are exact at tree level for m << m_Z. The shifts are added to predictions of the Standard Model that
have loops.
"""

from math import sqrt
from typing import Final

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import inline, ufunc
from zpfit.physics.constants import ELECTRIC_CHARGE, SIN2_THETA_W
from zpfit.physics.couplings import COUPLING_NAMES, Couplings
from zpfit.physics.observables import Group, observable

M_Z: Final = 91188.0
"""Mass of the Z, MeV (PDG 2025)."""
_M_W: Final = 80355.2
"""Mass of the W in the Standard Model, MeV."""
_WIDTH: Final = 2494.1
"""Width of the Z in the Standard Model, MeV."""

_S2: Final = SIN2_THETA_W
_C2: Final = 1 - SIN2_THETA_W
_SIN2_2THETA: Final = 4 * _S2 * _C2
_Z_COUPLING: Final = ELECTRIC_CHARGE / sqrt(_S2 * _C2)
"""g_Z = e/(s_w c_w), the normalisation in which models give the couplings of the light state."""


def _sum_of_squares(n: int, t3: float, q: float) -> float:
    """Return the sum of g_L^2 + g_R^2 over n fermions, in units of g_Z^2."""
    return n * ((t3 - _S2 * q) ** 2 + (_S2 * q) ** 2)


_SQUARES: Final = (
    3 * 0.25
    + _sum_of_squares(3, -0.5, -1)
    + _sum_of_squares(6, 0.5, 2 / 3)
    + _sum_of_squares(9, -0.5, -1 / 3)
)
"""Sum over all decays of the Z, colours counted."""
_LINEAR: Final = 3 * (4 * _S2 - 1) + 6 * (16 / 9 * _S2 - 2 / 3) + 9 * (4 / 9 * _S2 - 1 / 3)
"""Its derivative with respect to s^2, the sum of 4 Q^2 s^2 - 2 Q T3."""
_QUADRATIC: Final = 2 * (3 + 6 * 4 / 9 + 9 / 9)
"""Half of its second derivative, the sum of 2 Q^2."""

_LEPTONS: Final = COUPLING_NAMES[1:10]
_QUARKS: Final = COUPLING_NAMES[10:20]
_NEEDS: Final = ("tan_xi",)
"""Effective couplings alone do not tell the mixing."""


@observable(
    reads=("tan_xi", "C_Ve", "C_Ae"), needs=_NEEDS, group=Group.OTHER, symbol=r"\delta s^2_\ell"
)
def z_pole_s2_eff(c: Couplings) -> FloatArray:
    """Return the shift of the electron's effective sin^2(theta) at the Z pole; shape (n,).

    s2_eff = g_R/(2 (g_R - g_L)) of the electron.

    Examples
    --------
    >>> c = Couplings.of(m_Zp=17.0, tan_xi=0.01)
    >>> print(f"{z_pole_s2_eff(c)[0] / 0.01**2:.3f}")
    0.331
    """
    if not c.gives("tan_xi"):
        return c.tan_xi
    result: FloatArray = _s2_eff(c.tan_xi, c.C_Ve, c.C_Ae)
    return result


@observable(reads=("tan_xi",), needs=_NEEDS, group=Group.OTHER, symbol=r"\delta m_W")
def z_pole_m_W(c: Couplings) -> FloatArray:  # noqa: N802 - the symbol of the field
    """Return the shift of the W's mass in MeV; shape (n,).

    Examples
    --------
    >>> c = Couplings.of(m_Zp=17.0, tan_xi=0.01)
    >>> print(f"{z_pole_m_W(c)[0]:.2f}")
    -5.75
    """
    if not c.gives("tan_xi"):
        return c.tan_xi
    result: FloatArray = _m_w(c.tan_xi)
    return result


@observable(
    reads=("tan_xi", *_LEPTONS, *_QUARKS),
    needs=_NEEDS,
    group=Group.OTHER,
    symbol=r"\delta \Gamma_Z",
)
def z_pole_width(c: Couplings) -> FloatArray:
    """Return the shift of the Z's width in MeV; shape (n,).

    Relative shift of the sum of squared couplings to all fermions but the top, massless, times
    2494.1 MeV. Quark couplings that a model does not give count as zero.

    Examples
    --------
    >>> c = Couplings.of(m_Zp=17.0, tan_xi=0.01)
    >>> print(f"{z_pole_width(c)[0]:.3f}")
    -0.087
    """
    if not c.gives("tan_xi"):
        return c.tan_xi
    result: FloatArray = _width(c.tan_xi, *(c[name] for name in (*_LEPTONS, *_QUARKS)))
    return result


@inline
def _shift(t: float) -> float:
    """Return the shift of s^2; where the mixing is too large for a solution, its largest value."""
    cos_2theta = _C2 - _S2
    more = min(_SIN2_2THETA * t * t, cos_2theta * cos_2theta)
    return 0.5 * more / (cos_2theta + sqrt(cos_2theta * cos_2theta - more))


@inline
def _vertex(t: float, v: float, a: float, t3: float, q: float, shift: float) -> float:
    """Return the change of g_L^2 + g_R^2 by the vertex of one fermion, in units of g_Z^2."""
    ratio = t / _Z_COUPLING
    interference = v * (t3 - 2 * (_S2 + shift) * q) - a * t3
    return 2 * ratio * (interference + ratio * (v * v + a * a))


@ufunc
def _s2_eff(t, c_v, c_a):  # type: ignore[no-untyped-def]
    right, left = t * (c_v + c_a) / _Z_COUPLING, t * (c_v - c_a) / _Z_COUPLING
    split = 2 * (right - left)
    return (_shift(t) + right - _S2 * split) / (1 + split)


@ufunc
def _m_w(t):  # type: ignore[no-untyped-def]
    shift, t2 = _shift(t), t * t
    square = -(shift / _C2 + t2) / (1 + t2)  # m_W^2 over that of the Standard Model, minus 1
    return _M_W * square / (1 + sqrt(1 + square))


@ufunc
def _width(  # type: ignore[no-untyped-def]
    t, v_e, a_e, nu_e, v_mu, a_mu, nu_mu, v_tau, a_tau, nu_tau,
    v_u, a_u, v_d, a_d, v_s, a_s, v_c, a_c, v_b, a_b,
):  # fmt: skip
    shift, ratio = _shift(t), t / _Z_COUPLING
    change = shift * (_LINEAR + _QUADRATIC * shift)
    for v, a in ((v_e, a_e), (v_mu, a_mu), (v_tau, a_tau)):
        change += _vertex(t, v, a, -0.5, -1.0, shift)
    for v, a in ((v_u, a_u), (v_c, a_c)):
        change += 3 * _vertex(t, v, a, 0.5, 2 / 3, shift)
    for v, a in ((v_d, a_d), (v_s, a_s), (v_b, a_b)):
        change += 3 * _vertex(t, v, a, -0.5, -1 / 3, shift)
    for nu in (nu_e, nu_mu, nu_tau):
        change += ratio * nu * (1 + ratio * nu)
    return _WIDTH * change / _SQUARES
