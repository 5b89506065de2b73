"""Recast dark-photon limits for any production channel and final state.

The signal of a search is the production ratio rho (:mod:`zpfit.physics.production`) times the
branching ratio, and times the fraction of decays in the detector where the Z' is displaced. Each
function compares it with that of a dark photon at the published limit, so that recasting a limit
onto a dark photon returns it.

References
----------
P. Ilten, Y. Soreq, M. Williams and W. Xue, JHEP 06 (2018) 004, arXiv:1801.04847, Sec. 2.
"""

from math import log
from typing import Final, Literal

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import gufunc, ufunc
from zpfit.physics.constants import ELECTRIC_CHARGE, MUON_MASS
from zpfit.physics.couplings import Couplings
from zpfit.physics.dark_photon_limits import decays_over_edge, edge_lifetime, interpolate
from zpfit.physics.production import Channel, dark_photon, is_produced, production_ratio
from zpfit.physics.tracing import any_of

FinalState = Literal["electrons", "muons", "invisible"]
"""Final states in the detector."""

_BRANCHING: Final[dict[FinalState, str]] = {
    "electrons": "br_ee",
    "muons": "br_mumu",
    "invisible": "br_inv",
}


_TWO_MUONS: Final = log(2 * MUON_MASS)
"""ln(mass in MeV) above which a dark photon does not decay to electrons alone."""
_STEP: Final = 0.005
"""Step in ln(mass) and in the muons' velocity, for BR(ee) of a dark photon to 1e-4."""


def signal_ratio(
    c: Couplings, curve: FloatArray, *, channel: Channel, final_state: FinalState
) -> FloatArray:
    """Return sqrt(rho BR) over its limit, for prompt or invisible decays; shape (n,).

    Parameters
    ----------
    c : Couplings
        n points.
    curve : numpy.ndarray, shape (k, 2)
        Rows of ln(mass in MeV) and ln(e epsilon) of the limit, masses increasing.
    channel : str
        Process that makes the Z'.
    final_state : str
        Limits on visible decays hold for the branching ratio of a dark photon, limits on
        invisible ones for a dark photon that always decays invisibly.

    Examples
    --------
    >>> curve = np.log([[10.0, ELECTRIC_CHARGE * 1e-3], [100.0, ELECTRIC_CHARGE * 1e-3]])
    >>> c = Couplings.of(m_Zp=20.0, C_Ve=1e-4, C_Vu=[1e-3, 1e-3], C_Vd=[1e-3, -2e-3])
    >>> signal_ratio(c, curve, channel="pi0_gamma", final_state="electrons").round(3).tolist()
    [9.907, 0.0]
    """
    if not is_produced(c, channel):
        return np.zeros(len(c))
    share: FloatArray = getattr(c, _BRANCHING[final_state])
    if final_state != "invisible":
        share = _over(share, getattr(c.once(_photon), _BRANCHING[final_state]))
    coupling = ELECTRIC_CHARGE * np.sqrt(production_ratio(c, channel) * share)
    result: FloatArray = coupling * np.exp(-interpolate(c.log_m, curve, 1, np.inf))
    return result


def displaced_ratio(
    c: Couplings,
    region: FloatArray,
    length_ratio: float,
    *,
    channel: Channel,
    final_state: FinalState,
) -> FloatArray:
    """Return the decays seen behind a shielding over their number at the edge; shape (n,).

    The number of decays is rho BR [exp(-t0 Gamma) - exp(-(1 + length_ratio) t0 Gamma)], where
    Gamma is the total width. The time t0(m) to cross the shielding follows from equal numbers at
    both edges of the excluded region of a dark photon.

    Parameters
    ----------
    c : Couplings
        n points.
    region : numpy.ndarray, shape (k, 3)
        Rows of ln(mass in MeV) and ln(e epsilon) of the lower and of the upper edge, as in
        :func:`zpfit.physics.dark_photon_limits.dump_ratio`.
    length_ratio : float
        Length of the decay volume over that of the shielding.
    channel, final_state : str
        Process that makes the Z', and its decay in the detector.

    Examples
    --------
    >>> edges = ELECTRIC_CHARGE * np.array([1e-7, 1e-5])
    >>> region = np.log([[10.0, *edges], [100.0, *edges]])
    >>> charge = ELECTRIC_CHARGE * np.array([1e-7, 1e-6, 1e-5])
    >>> c = Couplings.of(m_Zp=20.0, C_Ve=-charge, C_Vu=2 * charge / 3, C_Vd=-charge / 3)
    >>> choice = {"channel": "pi0_gamma", "final_state": "electrons"}
    >>> displaced_ratio(c, region, 0.3, **choice).round().tolist()  # both edges give 1
    [1.0, 8260.0, 1.0]
    """
    if not is_produced(c, channel):
        return np.zeros(len(c))
    photon = c.once(_photon)
    result: FloatArray = _displaced_ratio(
        c.log_m,
        ELECTRIC_CHARGE**2 * production_ratio(c, channel),
        getattr(c, _BRANCHING[final_state]),
        c.widths.total,
        getattr(photon, _BRANCHING[final_state]),
        photon.widths.total,
        length_ratio,
        *edge_lifetime(length_ratio).arguments(),
        region,
    )
    return result


def region_ratio(c: Couplings, region: FloatArray, *, channel: Channel) -> FloatArray:
    """Return how far a coupling lies inside a closed region, as a ratio; shape (n,).

    The smaller of coupling over lower edge and upper edge over coupling: 1 on both edges, larger
    inside, zero beyond the masses of the region. The coupling is e sqrt(rho).

    Parameters
    ----------
    c : Couplings
        n points.
    region : numpy.ndarray, shape (k, 3)
        Rows of ln(mass in MeV) and ln(e epsilon) of the lower and of the upper edge.
    channel : str
        Process that makes the Z'; "proton_bremsstrahlung" counts |C_Vp|.

    Examples
    --------
    >>> region = np.log([[1.0, 1e-10, 1e-8], [100.0, 1e-10, 1e-8]])
    >>> c = Couplings.of(m_Zp=10.0, C_Vu=[1e-11, 5e-10, 1e-5])
    >>> region_ratio(c, region, channel="proton_bremsstrahlung").round(4).tolist()
    [0.2, 10.0, 0.0005]
    """
    if not is_produced(c, channel):
        return np.zeros(len(c))
    with np.errstate(divide="ignore"):  # no coupling: infinitely far below the region
        log_coupling = np.log(ELECTRIC_CHARGE * np.sqrt(production_ratio(c, channel)))
    lower, upper = (interpolate(c.log_m, region, column, np.nan) for column in (1, 2))
    depth = np.minimum(log_coupling - lower, upper - log_coupling)
    result: FloatArray = np.where(np.isnan(lower), 0.0, np.exp(depth))
    return result


def visible_limit(curve: FloatArray) -> FloatArray:
    """Return a limit on the coupling times sqrt(BR(ee)), from one on a dark photon's coupling.

    Above 2 m_mu a dark photon decays to muons, and above 2 m_pi to hadrons too, so that its
    coupling may be larger than that of a Z' which decays to electrons alone.

    Parameters
    ----------
    curve : numpy.ndarray, shape (k, 2)
        Rows of ln(mass in MeV) and ln(e epsilon), masses increasing.

    Returns
    -------
    numpy.ndarray, shape (n, 2)
        The same rows if the curve ends below 2 m_mu, where a dark photon decays to electrons
        alone; otherwise with more rows above, between which BR(ee) changes little.

    Examples
    --------
    >>> curve = np.log([[20.0, 1e-3], [250.0, 1e-3]])
    >>> np.exp(visible_limit(curve))[[0, -1], 1].round(5).tolist()
    [0.001, 0.00076]
    """
    if curve[-1, 0] < _TWO_MUONS:
        return curve
    log_m = np.unique(np.concatenate([curve[:, 0], _between(*curve[[0, -1], 0])]))
    share = dark_photon(np.exp(log_m)).br_ee
    log_share = np.log(np.where(share > 0, share, 1.0))
    limit = np.interp(log_m, curve[:, 0], curve[:, 1])
    return np.stack([log_m, limit + 0.5 * log_share], axis=1)


def _between(first: float, last: float) -> FloatArray:
    """Return values of ln(mass) above 2 m_mu, closest to each other at the threshold."""
    start = max(first, _TWO_MUONS)
    even = np.arange(start, last, _STEP)
    # The muons' share grows with the velocity, so that equal steps of it are best there.
    velocity = np.arange(0.0, np.sqrt(-np.expm1(2 * (_TWO_MUONS - last))), _STEP)
    slow = _TWO_MUONS - 0.5 * np.log1p(-(velocity**2))
    result: FloatArray = np.concatenate([even, slow[slow > start]])
    return result


def _photon(c: Couplings) -> Couplings:
    """Return a dark photon at the same masses; without channels that are closed at all of them."""
    if any_of(c.m_Zp >= 2 * MUON_MASS):
        return dark_photon(c.m_Zp)
    return Couplings(m_Zp=c.m_Zp, C_Ve=np.broadcast_to(ELECTRIC_CHARGE, len(c)))


@ufunc
def _over(share, photon):  # type: ignore[no-untyped-def]
    """Return a branching ratio over that of a dark photon, zero below the threshold."""
    return share / photon if photon > 0 else 0.0


@gufunc("(p),(p),(p),(p),(p),(p),(),(),(),(n,f,k),(j,l)->(p)")
def _displaced_ratio(  # type: ignore[no-untyped-def]
    log_m, produced, br, width, photon_br, photon_width, length_ratio, start, inverse_step, table,
    region, out,
):  # fmt: skip
    for i in range(log_m.shape[0]):
        out[i] = 0.0
        if log_m[i] < region[0, 0] or log_m[i] > region[-1, 0]:
            continue
        if produced[i] == 0.0 or br[i] == 0.0 or photon_br[i] == 0.0:
            continue
        strength = produced[i] * br[i] / photon_br[i]
        # That photon has epsilon = 1, so that its coupling is e.
        relative = width[i] * ELECTRIC_CHARGE * ELECTRIC_CHARGE / photon_width[i]
        out[i] = decays_over_edge(
            log_m[i], strength, relative, length_ratio, start, inverse_step, table, region
        )
