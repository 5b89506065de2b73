"""Find extremes of the paper's couplings by differential evolution and in closed form."""

from functools import cache
from math import log, sqrt

import numpy as np
from paper_by_hand import (
    A_E,
    A_MU,
    M_E,
    M_MU,
    axial,
    excesses,
    least,
    loop_factors,
    loops,
    vector,
)
from scipy.optimize import brentq

MASS = {"m_Zp": 1.0}
LOW, HIGH = A_E["cs"][0] - A_E["cs"][1], A_E["cs"][0] + A_E["cs"][1]
MU_LOW, MU_HIGH = A_MU[0] - A_MU[1], A_MU[0] + A_MU[1]

# In these coordinates every point meets the moments and the Moller limit.
ELECTRON_BOX = [(9.8, 100), (LOW / 1e-13, HIGH / 1e-13), (-1, 1)]
NEUTRINO_BOX = (-1, 1)
"""Range of couplings to neutrinos in 1e-4, several times Borexino's limit."""


def from_electron_box(m, moment, share):
    return m, *axial(m, moment * 1e-13, share)


@cache
def electron_extreme(name, form):
    """Return the extreme of a quantity over C_Ve, C_Ae, C_nue and C_numu that meet a_e."""
    sign, with_nue, with_numu, quantity = ELECTRON_QUANTITIES[name]

    def couplings(m, moment, share, *neutrinos):
        given = iter(neutrinos)
        nue = next(given) * 1e-4 if with_nue else 0 * m
        numu = next(given) * 1e-4 if with_numu else 0 * m
        return *from_electron_box(m, moment, share), nue, numu

    def demands(*x):
        m, ve, ae, nue, numu = couplings(*x)
        return excesses(form, m, ve, ae, nue, 0 * m, 0 * m, numu)

    shares = (0, 0) if name in NO_VECTOR else (-1, 1)
    box = [*ELECTRON_BOX[:2], shares] + [NEUTRINO_BOX] * (with_nue + with_numu)
    value, _ = least(lambda *x: -sign * quantity(*couplings(*x)), demands, box)
    return -sign * value


ELECTRON_QUANTITIES = {
    # quantity, largest or least, and whether C_nue and C_numu are free
    "mass_min": (-1, True, False, lambda m, ve, ae, nue, numu: m),
    "mass_max": (1, True, False, lambda m, ve, ae, nue, numu: m),
    "c_ae_min": (-1, True, False, lambda m, ve, ae, nue, numu: ae),
    "c_ae_max": (1, True, False, lambda m, ve, ae, nue, numu: ae),
    "c_ve_max": (1, True, False, lambda m, ve, ae, nue, numu: abs(ve)),
    "c_nue_max": (1, True, False, lambda m, ve, ae, nue, numu: abs(nue)),
    "fn_left_max": (1, True, False, lambda m, ve, ae, nue, numu: abs(ve - ae - nue)),
    "c_numu_max": (1, False, True, lambda m, ve, ae, nue, numu: abs(numu)),
    "nhdm_difference_max": (1, True, True, lambda m, ve, ae, nue, numu: abs(nue - numu)),
}

NO_VECTOR = {"c_numu_max"}
"""Claims with C_Ve = 0, as in Fig. 3 (c, d)."""


def both_extreme(form):
    """Return the smallest |C_Ve - C_Vmu| that meets both moments, without neutrinos."""

    def couplings(m, moment, share, mu_moment, amu):
        vmu = vector(m, mu_moment * 1e-9, amu * 1e-2)
        return *from_electron_box(m, moment, share), vmu, amu * 1e-2

    def demands(*x):
        m, ve, ae, vmu, amu = couplings(*x)
        return excesses(form, m, ve, ae, 0 * m, vmu, amu, 0 * m)

    def difference(*x):
        _, ve, _, vmu, _ = couplings(*x)
        return abs(ve - vmu)

    return least(difference, demands, [*ELECTRON_BOX, (MU_LOW / 1e-9, MU_HIGH / 1e-9), (-1, 1)])[0]


def muon_extremes(form):
    """Return extremes of the muon's couplings, in closed form at each mass of the window."""
    ends = electron_extreme("mass_min", form), electron_extreme("mass_max", form)
    m = np.geomspace(*ends, 2001)
    k_v, k_a = loops(M_MU, m)
    # C_numu = 1e-5 and CCFR two standard errors up: a quadratic in the product of couplings.
    second, excess = 1.3e11 * 2 * np.log(M_MU / m), 0.82 + 2 * 0.28 - 1
    largest = (-5.6e5 + np.sqrt(5.6e5**2 + 4 * second * excess)) / (2 * second) / 1e-5
    smallest = np.sqrt(MU_LOW / k_v)
    return {
        "c_vmu_min": smallest.min(),
        "c_vmu_max": largest.max(),
        "c_amu_max": np.sqrt((largest**2 * k_v - MU_LOW) / k_a).max(),
        # C_V - C_A at a given moment is smallest for C_A = C_V k_V/k_A.
        "fn_right_min": (smallest * np.sqrt(1 - k_v / k_a)).min() - 2e-5,
    }


@cache
def meeting_of_bands():
    """Return mass and coupling where the upper end of a_e (Rb) meets the lower end of a_mu."""
    top = sum(A_E["rb"])

    def difference(m):
        return log(top / loop_factors(M_E, m)[0]) - log(MU_LOW / loop_factors(M_MU, m)[0])

    m = brentq(difference, 10, 60)
    return m, sqrt(top / loop_factors(M_E, m)[0])


def meeting_in_fig4():
    """Return mass and coupling for C_Ae = -1e-8/C_Ve, C_Vmu = C_Ve + 1e-8/C_Ve: quadratic in
    C_Ve^2."""
    top = sum(A_E["rb"])

    def electron(m):
        k_v, k_a = loop_factors(M_E, m)
        return sqrt((top + sqrt(top**2 + 4 * k_v * k_a * 1e-16)) / (2 * k_v))

    def difference(m):
        c = electron(m)
        return (c + 1e-8 / c) ** 2 * loop_factors(M_MU, m)[0] / MU_LOW - 1

    m = brentq(difference, 10, 60)
    return m, electron(m)
