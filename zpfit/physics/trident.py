"""Neutrino trident production nu_mu N -> nu_mu mu+ mu- N with a Z'."""

from functools import cache
from math import sqrt
from typing import Any

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import flat, gufunc
from zpfit.physics.constants import FERMI_CONSTANT, MASS_RANGE, MUON_MASS, SIN2_THETA_W
from zpfit.physics.couplings import Couplings
from zpfit.physics.observables import Group, observable
from zpfit.physics.spline import UniformSpline, locate, polynomial, tabulate
from zpfit.physics.trident_spectra import (
    CCFR,
    CHARM2,
    MOMENTUM_TRANSFER,
    NUTEV,
    TridentSpectrum,
)

_SCALE = MUON_MASS**2
"""MeV^2, the typical momentum transfer: coefficients times (m^2 + scale) vary slowly with the mass,
which keeps their splines accurate."""

_READS = ("m_Zp", "C_Vmu", "C_Amu", "C_numu")


@observable(reads=_READS, group=Group.SCATTERING)
def trident_ccfr(c: Couplings) -> FloatArray:
    """Return sigma/sigma_SM of tridents at CCFR; shape (n,). See :func:`trident_ratio`."""
    return _ratio(CCFR, c.m_Zp, c.log_m, c.C_Vmu, c.C_Amu, c.C_numu)


@observable(reads=_READS, group=Group.SCATTERING)
def trident_charm2(c: Couplings) -> FloatArray:
    """Return sigma/sigma_SM of tridents at CHARM-II; shape (n,). See :func:`trident_ratio`."""
    return _ratio(CHARM2, c.m_Zp, c.log_m, c.C_Vmu, c.C_Amu, c.C_numu)


@observable(reads=_READS, group=Group.SCATTERING)
def trident_nutev(c: Couplings) -> FloatArray:
    """Return sigma/sigma_SM of tridents at NuTeV; shape (n,). See :func:`trident_ratio`."""
    return _ratio(NUTEV, c.m_Zp, c.log_m, c.C_Vmu, c.C_Amu, c.C_numu)


def trident_ratio(
    spectrum: TridentSpectrum, m_Zp: Any, c_vmu: Any, c_amu: Any, c_numu: Any
) -> FloatArray:
    """Return sigma/sigma_SM by the 2 -> 4 cross-section in the target's Coulomb field.

    1 + a_V x_V + b_V x_V^2 + a_A x_A + b_A x_A^2, x_V = C_Vmu C_numu and
    x_A = C_Amu C_numu. The currents do not interfere in the total rate, and antineutrinos
    have the same rate. The coefficients depend on the mass alone: see
    :func:`trident_coefficients`.

    A reference function for users and tests; fits use the observables of this module.

    Parameters
    ----------
    spectrum : TridentSpectrum
        Momentum transfers at the experiment.
    m_Zp : array_like
        Mass in MeV, at least 1 MeV. Below, the rise of b_A with 1/m^2 ends too early.
    c_vmu, c_amu, c_numu : array_like
        Couplings, dimensionless; arrays and numbers broadcast together.

    Returns
    -------
    numpy.ndarray
        The ratio, with the broadcast shape. Spectrum, incoherent scattering and cuts make
        a_V uncertain by 13 % and b_V by 18 %.

    Examples
    --------
    The exact linear coefficient at CCFR and 17 MeV is 2.283e5:

    >>> x = 1e-8
    >>> ratio = trident_ratio(CCFR, 17.0, [x, -x], 0.0, 1.0)
    >>> print(f"{(ratio[0] - ratio[1]) / (2 * x):.4g}")
    2.283e+05
    """
    (m, c_vmu, c_amu, c_numu), shape = flat(m_Zp, c_vmu, c_amu, c_numu)
    return _ratio(spectrum, m, np.log(m), c_vmu, c_amu, c_numu).reshape(shape)


def trident_coefficients(spectrum: TridentSpectrum, m2: FloatArray) -> FloatArray:
    """Return a_V, b_V, a_A and b_A at m_Zp^2 = ``m2`` in MeV^2; shape (4, len(m2)).

    They follow from g_V -> g_V + v^2 x_V/(m^2 + t) and g_A -> g_A - v^2 x_A/(m^2 + t) in the
    couplings of the Standard Model, averaged over the momentum transfer t.
    """
    g_vector, g_axial = 0.5 + 2 * SIN2_THETA_W, 0.5
    shift = 1 / (sqrt(2) * FERMI_CONSTANT * (m2[:, None] + MOMENTUM_TRANSFER))
    vector, axial = np.array(spectrum.vector), np.array(spectrum.axial)
    return np.stack(
        [
            2 * g_vector * shift @ vector,
            shift**2 @ vector,
            -2 * g_axial * shift @ axial,
            shift**2 @ axial,
        ]
    )


@cache
def trident_table(spectrum: TridentSpectrum) -> UniformSpline:
    """Return splines of the four scaled :func:`trident_coefficients` against ln m_Zp."""

    def scaled(log_m: FloatArray) -> FloatArray:
        m2 = np.exp(2 * log_m)
        powers = np.array([1, 2, 1, 2])[:, None]
        scaled_coefficients: FloatArray = (
            trident_coefficients(spectrum, m2) * (m2 + _SCALE) ** powers
        )
        return scaled_coefficients

    return tabulate(scaled, *np.log(MASS_RANGE))


def _ratio(
    spectrum: TridentSpectrum,
    m_Zp: FloatArray,
    log_m: FloatArray,
    c_vmu: FloatArray,
    c_amu: FloatArray,
    c_numu: FloatArray,
) -> FloatArray:
    arguments = trident_table(spectrum).arguments()
    result: FloatArray = _trident_ratio(m_Zp, log_m, c_vmu, c_amu, c_numu, _SCALE, *arguments)
    return result


@gufunc("(p),(p),(p),(p),(p),(),(),(),(n,f,k)->(p)")
def _trident_ratio(  # type: ignore[no-untyped-def]
    m_Zp, log_m, c_vmu, c_amu, c_numu, scale, start, inverse_step, table, out
):
    # The table holds coefficients times (m^2 + scale)^power; z takes the factors out again.
    for i in range(m_Zp.shape[0]):
        interval, offset = locate(log_m[i], start, inverse_step, table)
        z = c_numu[i] / (m_Zp[i] * m_Zp[i] + scale)
        vector, axial = z * c_vmu[i], z * c_amu[i]
        ratio = 1 + vector * polynomial(table, interval, 0, offset)
        ratio += vector * vector * polynomial(table, interval, 1, offset)
        ratio += axial * polynomial(table, interval, 2, offset)
        out[i] = ratio + axial * axial * polynomial(table, interval, 3, offset)
