"""Neutral lepton doublets with real charges: a bound on the gain for all lists and flavours.

With z_H = 0 and neutral doublets a theory has the parameters m, C_Ae, A_mu / A_e, C_Ve, and three
charges of first-family quarks, which is seven real numbers. Their least chi2 is a lower limit of
that of all charge sets, whatever their largest charge and the flavour structure of their quarks.
"""

from math import asinh
from typing import Final

import numpy as np

from zpfit.analysis.atlas.screen import MASSES, couplings
from zpfit.inference.search.descent import BLOCK, descend_rows
from zpfit.inference.search.kicks import kick
from zpfit.inference.search.selection import Index
from zpfit.inference.search.walls import descend_inside, walls
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.likelihood import Likelihood
from zpfit.physics.couplings import Couplings
from zpfit.studies.atlas.numbers import RealCharges

_AXIAL: Final = (1e-6, 1e-2)
"""Ends of the range of C_Ae."""
_VECTOR: Final = (1e-8, 1e-2)
"""Size below which C_Ve is linear, and its largest size."""
_QUARK: Final = (1e-4, 1.0)
"""The same for the vector couplings of u and d over C_Ae."""
_DOUBLET: Final = (1e-2, 2.0)
"""The same for z_Q over A_e."""
_STEPS: Final = 40
_TOLERANCE: Final = 1e-3
_WALLS: Final = walls(3.0, 4)
_KEPT, _KICKS, _ROUNDS = 60, 20, 2
_CHANGE: Final = 0.5
"""Change of chi2 of a term from which the page names it."""


def neutral_couplings(u: FloatArray) -> Couplings:
    """Return the couplings of points of the unit cube, shape (n, 7).

    The vector couplings of e, u and d are coordinates, so that their cancellations are no narrow
    valleys.
    """
    low, high = MASSES
    m = low * (high / low) ** u[:, 0]
    axial = _AXIAL[0] * (_AXIAL[1] / _AXIAL[0]) ** u[:, 1]
    up, down = (_signed(u[:, i], *_QUARK) * axial for i in (4, 5))
    doublet = _signed(u[:, 6], *_DOUBLET)
    g_prime = 2 * axial
    c = _signed(u[:, 3], *_VECTOR) - axial
    a_up = 2 * ((up + 2 * c / 3) / g_prime - doublet)
    a_down = 2 * ((down - c / 3) / g_prime - doublet)
    none = np.zeros_like(m)
    columns = (none, none + 1, none, 2 * u[:, 2] - 1, none, 3 * doublet, a_up, a_down)
    return couplings(np.stack(columns, axis=1), m, g_prime, c)


def _signed(u: FloatArray, small: float, large: float) -> FloatArray:
    result: FloatArray = small * np.sinh((2 * u - 1) * asinh(large / small))
    return result


def fit_real_charges(likelihood: Likelihood, starts: int, seed: int) -> RealCharges:
    """Return the least chi2 of neutral lepton doublets with any real charges.

    Parameters
    ----------
    likelihood
        The data.
    starts
        Random starts.
    seed
        Seed of the search.
    """
    rng = np.random.default_rng(seed)
    u, chi2 = _descend(likelihood, rng.random((starts, 7)))
    for _ in range(_ROUNDS):
        kept = np.argsort(chi2, kind="stable")[:_KEPT]
        ends = _descend(likelihood, kick(u[kept], np.zeros(7), rng, _KICKS))
        u, chi2 = np.concatenate([u, ends[0]]), np.concatenate([chi2, ends[1]])
    best = int(np.argmin(chi2))
    c = neutral_couplings(u[[best]])
    terms, without = (likelihood.chi2_by_term(point) for point in (c, Couplings.none()))
    changes = {name: float(terms[name][0] - without[name][0]) for name in terms}
    return RealCharges(
        chi2=float(chi2[best]),
        m_Zp=float(c["m_Zp"][0]),
        C_Ae=float(c["C_Ae"][0]),
        changes={name: value for name, value in changes.items() if abs(value) > _CHANGE},
    )


def _descend(likelihood: Likelihood, starts: FloatArray) -> tuple[FloatArray, FloatArray]:
    def from_rows(u: FloatArray, _: Index, wall: float) -> tuple[FloatArray, FloatArray]:
        return descend_rows(
            lambda points, height, _own: likelihood.residuals(neutral_couplings(points), height),
            u,
            wall,
            _STEPS,
            None,
            _TOLERANCE,
            BLOCK,
        )

    def chi2(u: FloatArray, _: Index) -> FloatArray:
        result: FloatArray = -2 * likelihood.log_likelihood(neutral_couplings(u))
        return result

    return descend_inside(starts, _WALLS, from_rows, chi2)
