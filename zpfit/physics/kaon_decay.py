r"""K+ -> mu+ nu Z' at tree level, for any vector and axial couplings and a massive muon.

The amplitude is that of a pointlike meson (leading order of chiral perturbation theory): the Z'
is radiated by muon, neutrino and kaon, and by the vertex. With momenta l, n, k of muon, neutrino
and Z', and after the Dirac equation, it is

    A ubar(n) eps-slash P_L v(l) + ubar(n) P_R v(l) (B.eps) + E ubar(n) k-slash eps-slash P_R v(l).
"""

from functools import cache
from math import pi, sqrt
from typing import Any, Final

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import gufunc, inline
from zpfit.physics.constants import MUON_MASS
from zpfit.physics.couplings import Couplings
from zpfit.physics.observables import Group, observable
from zpfit.physics.spline import UniformSpline, locate, tabulate

KAON_MASS: Final = 493.677
"""Mass of the charged kaon, MeV (PDG 2022)."""
_BR_KAON_MUON: Final = 0.6356
"""BR(K+ -> mu+ nu) (PDG 2022)."""
_LIGHTEST: Final = 1.0
"""MeV; lighter Z' are taken to have the limit 1/m^2 of the enhanced terms."""
_NODES: Final = 24
"""Gauss-Legendre nodes for each of two rapidities: accurate to 1e-6 from 3 MeV, 3e-6 at 1 MeV."""

_DECAYS: Final = (
    "m_Zp", "C_Ve", "C_Ae", "C_nue", "C_Vmu", "C_Amu", "C_numu", "C_nutau", "C_Vd", "width_dark",
)  # fmt: skip
"""Inputs of the branching ratio below the endpoint of the decay, besides the kaon's quarks."""
_QUARKS: Final = ("C_Vu", "C_Au", "C_Vs", "C_As")


@observable(
    reads=(*_DECAYS, *_QUARKS),
    group=Group.OTHER,
    symbol=r"\mathrm{BR}(K \to \mu \nu Z'_\mathrm{inv})",
    bound_only=True,
)
def k_munu_inv(c: Couplings) -> FloatArray:
    r"""Return BR(K+ -> mu+ nu Z') BR(Z' -> invisible); shape (n,).

    The rate is enhanced by m_K^2/m^2 if the W changes the charge, C_numu differs from
    C_Lmu + (C_Ru - C_Rs), or if the muon or the quarks have axial couplings.

    References
    ----------
    S. Karshenboim, D. McKeen, M. Pospelov, arXiv:1401.6154, for the enhancement.

    Examples
    --------
    >>> c = Couplings.of(m_Zp=[20.0, 40.0, 400.0], C_Vmu=1e-3, width_dark=1.0)
    >>> print([f"{rate:.2e}" for rate in k_munu_inv(c)])
    ['2.25e-06', '5.31e-07', '0.00e+00']
    """
    lepton = (c.m_Zp, c.log_m, c.C_Vmu, c.C_Amu, c.C_numu)
    if not c.vanish(*_QUARKS):
        vertex = c.C_Vu + c.C_Au - c.C_Vs - c.C_As
        rate = _rate(*lepton, c.C_Vu - c.C_Vs, vertex, *_table().arguments())
    else:
        rate = _lepton_rate(*lepton, *_lepton_table().arguments())
    result: FloatArray = rate * c.br_inv
    return result


def coupling_basis(c_v: Any, c_a: Any, c_nu: Any, c_meson: Any, c_vertex: Any) -> tuple[Any, ...]:
    """Return the couplings as three that break the conservation of the current, and two that don't.

    Parameters
    ----------
    c_v, c_a, c_nu : array_like
        Vector and axial coupling of the charged lepton, and the neutrino's.
    c_meson : array_like
        Vector coupling of the meson, C_Vu - C_Vs for K+.
    c_vertex : array_like
        Coupling of the right-handed quarks, C_Ru - C_Rs, that radiates from the vertex.

    Returns
    -------
    tuple of five arrays
        C_nu - C_L - c_vertex, c_meson - c_vertex, 2 C_A, C_L, C_nu. The first three vanish for a
        conserved current.
    """
    c_left = c_v - c_a
    return c_nu - c_left - c_vertex, c_meson - c_vertex, 2 * c_a, c_left, c_nu


def rate_matrix(m_Zp: FloatArray, meson_mass: float, lepton_mass: float) -> FloatArray:
    """Compute Gamma(P+ -> l+ nu Z')/Gamma(P+ -> l+ nu) as a quadratic form.

    Parameters
    ----------
    m_Zp : numpy.ndarray, shape (n,)
        Mass of the Z', MeV, below ``meson_mass - lepton_mass``.
    meson_mass, lepton_mass : float
        MeV.

    Returns
    -------
    numpy.ndarray, shape (5, 5, n)
        Symmetric coefficients of the products of :func:`coupling_basis`.
    """
    mass2 = m_Zp[:, None, None] ** 2
    weight, *products = _phase_space(m_Zp, meson_mass, lepton_mass)
    amplitudes = list(zip(*_amplitudes(lepton_mass, mass2, *products[1:]), strict=True))
    matrix = np.empty((5, 5, len(m_Zp)))
    for i, first in enumerate(amplitudes):
        for j, second in enumerate(amplitudes):
            squared = _squared(first, second, lepton_mass, mass2, *products)
            matrix[i, j] = np.sum(weight * squared, axis=(1, 2))
    ratio = (lepton_mass / meson_mass) ** 2
    two_body = lepton_mass**2 * meson_mass**2 * (1 - ratio) ** 2 / (8 * pi)
    result: FloatArray = (matrix + matrix.swapaxes(0, 1)) / (2 * two_body)
    return result


def _squared(first: Any, second: Any, m: float, mass2: Any, nl: Any, nk: Any, lk: Any) -> Any:
    """Return the spin sum of two amplitudes; its symmetric part is that of their product.

    The polarisations project B on what is orthogonal to k: ``n_b`` and ``l_b`` are the products of
    n and l with the projected B.
    """
    a, b_l, b_n, e = first
    a2, b_l2, b_n2, e2 = second
    npl, npn, lpl = -nl + nk * lk / mass2, nk**2 / mass2, -(m**2) + lk**2 / mass2
    n_b, l_b = b_l2 * npl + b_n2 * npn, b_l2 * lpl + b_n2 * npl
    diagonal = a * a2 * (nl + 2 * nk * lk / mass2) + nl * (b_l * l_b + b_n * n_b)
    diagonal = diagonal + e * e2 * (4 * nk * lk - mass2 * nl)
    mixed = a * (6 * m * nk * e2 - 2 * m * n_b) + 2 * e * (nk * l_b - lk * n_b)
    return 2 * (diagonal + mixed)


_BASIS: Final = np.array(
    [  # C_L, C_R, C_nu, meson, vertex for each element of the basis
        [0, 0, 0, -1, -1],
        [0, 0, 0, 1, 0],
        [0, 1, 0, 0, 0],
        [1, 1, 0, -1, -1],
        [0, 0, 1, 1, 1],
    ]
)


def _amplitudes(m: float, mass2: FloatArray, nk: FloatArray, lk: FloatArray) -> tuple[Any, ...]:
    """Return A, the components of B along l and n, and E, each of shape (5, n, ...)."""
    left, right, nu, meson, vertex = _BASIS.T[..., None, None, None]
    d_lepton, d_nu, d_meson = mass2 + 2 * lk, mass2 + 2 * nk, mass2 + 2 * (nk + lk)
    a = nu - left - vertex + (right - left) * m**2 / d_lepton
    b = 2 * m * meson / d_meson
    b_l, b_n = b + 2 * m * right / d_lepton, b - 2 * m * nu / d_nu
    return a, b_l, b_n, m * (right / d_lepton + nu / d_nu)


def _phase_space(m_Zp: FloatArray, meson_mass: float, lepton_mass: float) -> tuple[Any, ...]:
    """Return weights and the products n.l, n.k and l.k at the nodes, shape (n, nodes, nodes).

    The nodes are spread over two rapidities: of muon and Z' relative to each other, and of the Z'
    seen from their rest frame along the neutrino. Both make the integrand smooth for a light Z'.
    """
    x, w = np.polynomial.legendre.leggauss(_NODES)
    m, k = lepton_mass, m_Zp[:, None, None]
    end = np.arccosh((meson_mass**2 - m**2 - k**2) / (2 * m * k))
    left = ((1 - x) / 2)[:, None]
    eta = end * (1 - left**3)  # close to the end the neutrino is soft, and its propagator steep
    lk = m * k * np.cosh(eta)
    s = m**2 + k**2 + 2 * lk
    omega = (meson_mass**2 - s) / (2 * np.sqrt(s))
    chi = np.arcsinh(m * np.sinh(eta) / np.sqrt(s))  # rapidity of the Z' in the frame of the pair
    light_cone = k * np.exp(chi * x)
    nk = omega * light_cone
    nl = omega * np.sqrt(s) - nk
    ds = 3 * left**2 * end * w[:, None] * m * k * np.sinh(eta)
    weight = ds * 2 * omega * chi * w * light_cone / ((2 * pi) ** 3 * 16 * meson_mass**2)
    return weight, nl, nk, lk + 0 * nk


_LEPTONS: Final = np.array([[1, 0, 0, 0, 1], [0, 0, 1, 0, 0], [0, 0, 0, 1, 1]])
"""C_nu - C_L, 2 C_A and C_L of leptons alone in the basis of all couplings."""


@cache
def _table() -> UniformSpline:
    """Return splines of the coefficients of :func:`coupling_basis`."""
    return _splines(np.eye(5))


@cache
def _lepton_table() -> UniformSpline:
    """Return splines of the coefficients of :data:`_LEPTONS`."""
    return _splines(_LEPTONS)


def _splines(basis: Any) -> UniformSpline:
    """Return splines against ln m of a quadratic form without 1/m^2 and the threshold.

    The functions are the elements of the triangle from the diagonal upwards, row by row.
    """
    last = KAON_MASS - MUON_MASS
    rows, columns = np.triu_indices(len(basis))

    def slowly_varying(log_m: FloatArray) -> FloatArray:
        m = np.exp(log_m)
        # Near threshold the neutrino and two slow particles make the rate vanish like this.
        factor = _BR_KAON_MUON * (m / last) ** 2 / (1 - m / last) ** 3.5
        form = np.einsum("ai,bj,ijn->abn", basis, basis, rate_matrix(m, KAON_MASS, MUON_MASS))
        coefficients: FloatArray = factor * form[rows, columns]
        return coefficients

    return tabulate(slowly_varying, np.log(_LIGHTEST), np.log(0.999 * last))


@gufunc("(p),(p),(p),(p),(p),(p),(p),(),(),(n,f,k)->(p)")
def _rate(  # type: ignore[no-untyped-def]
    m_Zp, log_m, c_v, c_a, c_nu, meson, vertex, start, inverse_step, table, out
):
    for i in range(m_Zp.shape[0]):
        interval, offset = locate(log_m[i], start, inverse_step, table)
        left = c_v[i] - c_a[i]
        change = c_nu[i] - left - vertex[i]
        basis = (change, meson[i] - vertex[i], 2 * c_a[i], left, c_nu[i])
        out[i] = _shape(m_Zp[i]) * _form(table, interval, offset, basis)


@gufunc("(p),(p),(p),(p),(p),(),(),(n,f,k)->(p)")
def _lepton_rate(  # type: ignore[no-untyped-def]
    m_Zp, log_m, c_v, c_a, c_nu, start, inverse_step, table, out
):
    for i in range(m_Zp.shape[0]):
        interval, offset = locate(log_m[i], start, inverse_step, table)
        left = c_v[i] - c_a[i]
        basis = (c_nu[i] - left, 2 * c_a[i], left)
        out[i] = _shape(m_Zp[i]) * _form(table, interval, offset, basis)


@inline
def _form(table: FloatArray, interval: int, offset: float, basis: tuple[float, ...]) -> float:
    """Return the quadratic form of a tuple; its fixed length lets the compiler unroll the loops."""
    total = 0.0
    for power in range(table.shape[2]):  # Horner's scheme for the sum of all coefficients
        coefficient = 0.0
        function = 0
        for j in range(len(basis)):
            for k in range(j, len(basis)):
                both = basis[j] * basis[k] * (1.0 if j == k else 2.0)
                coefficient += both * table[interval, function, power]
                function += 1
        total = total * offset + coefficient
    return float(total)


@inline
def _shape(m_Zp: float) -> float:
    """Return the factor that the splines leave out, zero above threshold."""
    rest = max(1 - m_Zp / (KAON_MASS - MUON_MASS), 0.0)
    ratio = (KAON_MASS - MUON_MASS) / m_Zp
    return float(ratio * ratio * rest**3 * sqrt(rest))
