r"""Proved bounds of what depends on the Z' mass alone: loop integrals and scattering integrals.

Each function takes increasing masses and returns an interval for every one of them. Between
two masses the values lie between those at the ends, as every function is monotone.

**Loop integrals of (g-2)/2.** With r = m_l^2/m_Zp^2 the moment is k_V C_V^2 - k_A C_A^2, and
k = r/(4 pi^2) int dx (a + b r)/(c + d r) with a, b, c, d >= 0 for each x. Its derivative has
the sign of a c + 2 b c r + b d r^2 >= 0: both increase with r, so that they fall with the
mass. In s = ln(x/(1-x)) = -ln q the integrands are

    f_V = q^2/[(1 + q)^3 (q^2 + q + r)],    f_A = q [q (3 + 4 q) + 2 r]/[(1 + q)^3 (q^2 + q + r)].

The trapezoidal rule of step h errs by at most 2 M/[exp(2 pi d/h) - 1], if f is analytic for
\|Im s\| < d and the integral of \|f\| along each line of constant Im s is at most M (L. N.
Trefethen and J. A. C. Weideman, SIAM Review 56, 385 (2014), Theorem 5.1). Take d = pi/3, so
that \|arg q\| <= pi/3. With t = \|q\|, \|1 + q\| >= max(1, t), and the projection on arg q
gives \|q^2 + q + r\| >= (t^2 + 2 t + r)/2. Hence \|f_V\| <= t/max(1, t)^3 and \|f_A\| <= 8
times that, so that M = 3/2 and 12. The roots of q^2 + q + r have no positive real part, so
that f is analytic in the strip. The same inequalities bound the terms that are cut off.

**Scattering integrals.** Sums of positive weights over (m^2 + 2 m_e T)^k fall with the mass.
"""

from dataclasses import dataclass
from math import exp, pi, sqrt
from typing import Final

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.physics.atomic_parity import caesium_factor, factor_table
from zpfit.physics.compiled import contiguous, loop, merged_sum
from zpfit.physics.constants import ELECTRIC_CHARGE, ELECTRON_MASS, FERMI_CONSTANT
from zpfit.physics.couplings import Couplings
from zpfit.physics.electron_recoils import (
    RECOIL_NODES,
    RecoilExperiment,
    phase_space,
)
from zpfit.physics.neutrino_spectra import Line
from zpfit.physics.production import production_ratio

_STEP: Final = 0.1875
"""Step in s; the error of the rule is below 2e-14 of the integrals."""
_REACH: Final = 60.0
"""Largest abs(s); terms beyond are below exp(-60)."""
_ROUNDING: Final = 1e-12
"""Relative error of floating-point sums of up to a thousand positive terms, generously."""
_TABLES: Final = 1e-9
"""Relative error of the splines with which the likelihood evaluates the same functions.

Bounds are widened by it, so that a proof also holds for the numbers that zpfit computes.
"""


@dataclass(frozen=True)
class Bounds:
    """Lower and upper bounds of the same shape."""

    lower: FloatArray
    upper: FloatArray

    def between(self) -> "Bounds":
        """Return bounds on the cells between neighbours of the last axis, if monotone."""
        lower = np.minimum(self.lower[..., :-1], self.lower[..., 1:])
        return Bounds(lower, np.maximum(self.upper[..., :-1], self.upper[..., 1:]))

    def widened(self, relative: float) -> "Bounds":
        """Return bounds moved outwards by a fraction of their sizes."""
        low, high = np.abs(self.lower) * relative, np.abs(self.upper) * relative
        return Bounds(self.lower - low, self.upper + high)


def loop_bounds(lepton_mass: float, masses: FloatArray) -> Bounds:
    """Return bounds of k_V and k_A, with which (g-2)/2 shifts by k_V C_V^2 - k_A C_A^2.

    Parameters
    ----------
    lepton_mass : float
        MeV.
    masses : numpy.ndarray, shape (n,)
        m_Zp in MeV.

    Returns
    -------
    Bounds
        Arrays of shape (2, n), widened by the error of zpfit's own tables.

    Examples
    --------
    >>> bounds = loop_bounds(0.51099895, np.array([17.0]))
    >>> bool(np.all(bounds.lower < bounds.upper)), f"{bounds.lower[0, 0]:.6e}"
    (True, '7.526419e-06')
    """
    r = (lepton_mass / masses) ** 2
    sums = _loop_sums(r)
    error = np.array([[3.0], [24.0]]) / (exp(2 * pi * (pi / 3) / _STEP) - 1)
    cut = 64 * exp(-_REACH) * (1 + 1 / _STEP)
    lower = np.maximum(sums * (1 - _ROUNDING) - error - cut, 0.0)
    upper = sums * (1 + _ROUNDING) + error + cut
    factor = r / (4 * pi**2)
    return Bounds(factor * lower, factor * upper).widened(_ROUNDING + _TABLES)


def _loop_sums(r: FloatArray) -> FloatArray:
    """Return the trapezoidal sums of f_V and f_A, shape (2, n)."""
    q = np.exp(-np.arange(-_REACH, _REACH + _STEP / 2, _STEP))
    common = _STEP * q / (1 + q) ** 3
    vector, axial = np.zeros_like(r), np.zeros_like(r)
    for size, weight in zip(q, common, strict=True):  # a row at a time stays in the cache
        share = weight / (size * size + size + r)
        vector += share * size
        axial += share * (size * (3 + 4 * size) + 2 * r)
    return np.stack([vector, axial])


def caesium_bounds(masses: FloatArray) -> Bounds:
    """Return bounds over mass cells of the factor K of the range of the Z' in Caesium.

    K is the spline of the likelihood. It rises with the mass, which is checked for every piece:
    its linear coefficient exceeds what the others can add to the slope.

    Parameters
    ----------
    masses : numpy.ndarray, shape (n + 1,)
        Edges of the cells in MeV, increasing.

    Raises
    ------
    ArithmeticError
        The spline does not rise, which would be a mistake in the table of zpfit.
    """
    table = factor_table()
    powers = np.arange(table.coefficients.shape[2])[::-1]  # the highest comes first
    slopes = table.coefficients[:, 0] * powers * table.inverse_step ** (1.0 - powers)
    if np.any(slopes[:, -2] <= np.sum(np.abs(slopes[:, :-2]), axis=1)):
        raise ArithmeticError("the factor of Caesium does not rise with the mass")
    value = caesium_factor(masses)
    return Bounds(value, value).widened(_ROUNDING + _TABLES).between()


def rho_share_bounds(masses: FloatArray) -> Bounds:
    """Return bounds over mass cells of (B_rho - B_omega)/(B_rho + B_omega) in pi0 -> gamma Z'.

    With a = m^2/M_rho^2 and b = m^2/M_omega^2 it is (a - b)/(2 - a - b), which rises with the
    mass. It follows from the production for C_Vu = -C_Vd = 1/2, whose root is
    B_rho/(B_rho + B_omega).

    Parameters
    ----------
    masses : numpy.ndarray, shape (n + 1,)
        Edges of the cells in MeV, increasing, below the mass of the pi0.
    """
    c = Couplings.of(m_Zp=masses, C_Vu=0.5, C_Vd=-0.5)
    value = 2 * ELECTRIC_CHARGE * np.sqrt(production_ratio(c, "pi0_gamma")) - 1
    return Bounds(value - _ROUNDING, value + _ROUNDING).between()


def recoil_bounds(experiment: RecoilExperiment, masses: FloatArray) -> Bounds:
    """Return bounds over mass cells of the coefficients of electron recoils.

    Parameters
    ----------
    experiment : RecoilExperiment
        Beam and window of recoils. For a beam of one energy the integral over the recoil is
        enclosed. For a spectrum the sum over the energies of its quadrature stands for the
        integral, as in the prediction itself.
    masses : numpy.ndarray, shape (n + 1,)
        Edges of the cells in MeV, increasing.

    Returns
    -------
    Bounds
        Arrays of shape (5, n): coefficients of C_V, C_A, C_V^2, C_V C_A, C_A^2 as in
        :func:`zpfit.physics.electron_recoils.recoil_coefficients`.
    """
    _, kinds = phase_space(experiment)
    linear, square = (bounds.between() for bounds in _integrals(experiment, masses))
    g_left, g_right = experiment.g_left(), experiment.sin2_theta_w
    rows = np.array(
        [
            [2 * g_left, 2 * g_right, -(g_left + g_right)],
            [-2 * g_left, 2 * g_right, -(g_left - g_right)],
            [1, 1, -1],
            [-2, 2, 0],
            [1, 1, 1],
        ]
    )
    totals = kinds.sum(axis=1)
    standard_model = float(np.dot([g_left**2, g_right**2, -g_left * g_right], totals))
    parts = [_combined(row, linear) for row in rows[:2]] + [
        _combined(row, square) for row in rows[2:]
    ]
    lower = np.stack([part.lower for part in parts]) / standard_model
    upper = np.stack([part.upper for part in parts]) / standard_model
    return Bounds(lower, upper)


def _combined(row: FloatArray, parts: Bounds) -> Bounds:
    """Return bounds of a sum with given factors, widened by its rounding."""
    positive, negative = np.maximum(row, 0)[:, None], np.minimum(row, 0)[:, None]
    lower = np.sum(positive * parts.lower + negative * parts.upper, axis=0)
    upper = np.sum(positive * parts.upper + negative * parts.lower, axis=0)
    size = np.sum(np.abs(row)[:, None] * parts.upper, axis=0) * (_ROUNDING + _TABLES)
    return Bounds(lower - size, upper + size)


def _integrals(experiment: RecoilExperiment, masses: FloatArray) -> list[Bounds]:
    """Return bounds at each mass of the weighted integrals of the propagator and of its square."""
    recoils, kinds = phase_space(experiment)
    scale = 2 * sqrt(2) * FERMI_CONSTANT
    m2, sums = masses**2, np.empty((2, len(kinds), len(masses)))
    _propagator_sums(*contiguous(m2, 2 * ELECTRON_MASS * recoils, kinds), scale, *sums)
    found = []
    for power, values in enumerate(sums, 1):
        error = _recoil_error(experiment, m2, power) / scale**power
        lower = np.maximum(values * (1 - _ROUNDING) - error, 0.0)
        found.append(Bounds(lower, values * (1 + _ROUNDING) + error))
    return found


@loop("(n)", "(r)", "(k,r)", "()", "(k,n)", "(k,n)")
def _propagator_sums(  # type: ignore[no-untyped-def]
    m2, recoils, kinds, scale, linear, square
):
    """Fill in sums over the recoils of weights times the propagator, and times its square."""
    propagator = np.empty(recoils.shape[0])
    for i in range(m2.shape[0]):
        for r in range(recoils.shape[0]):
            propagator[r] = 1 / (scale * (m2[i] + recoils[r]))
        for kind in range(kinds.shape[0]):
            linear[kind, i], square[kind, i] = _weighted(kinds[kind], propagator)


@merged_sum
def _weighted(weights: FloatArray, values: FloatArray) -> tuple[float, float]:
    """Return the sums of weights times values, and times their squares."""
    first = second = 0.0
    for r in range(weights.shape[0]):
        product = weights[r] * values[r]
        first += product
        second += product * values[r]
    return first, second


def _recoil_error(experiment: RecoilExperiment, m2: FloatArray, power: int) -> FloatArray:
    r"""Return bounds of the error of the quadrature over the recoil, shape (3, n).

    Gauss-Legendre with n nodes on [c - h, c + h] errs by at most
    (64/15) h M rho^(-2n)/(1 - rho^-2), if \|f\| <= M inside the ellipse of sum of half axes rho
    (Trefethen, Approximation Theory and Approximation Practice, Theorem 19.3). The half axis
    along the recoil is chosen to stay on the side of positive recoils.
    """
    beam = experiment.neutrinos or experiment.antineutrinos
    if not isinstance(beam, Line):
        return np.zeros((3, len(m2)))
    energy, low, high = beam.energy, experiment.recoil_min, experiment.recoil_end()
    centre, half = 0.5 * (low + high), 0.5 * (high - low)
    axis = 1 + 0.9 * (centre / half - 1)
    rho = axis + sqrt(axis * axis - 1)
    reach = centre + half * axis
    weights = np.array([1.0, (1 + reach / energy) ** 2, ELECTRON_MASS * reach / energy**2])
    if experiment.antineutrinos is not None:
        weights = weights[[1, 0, 2]]
    largest = (m2 + 2 * ELECTRON_MASS * (centre - half * axis)) ** -float(power)
    share = 64 / 15 * half * rho ** (-2.0 * RECOIL_NODES) / (1 - rho**-2)
    result: FloatArray = share * weights[:, None] * largest * (1 + _ROUNDING)
    return result
