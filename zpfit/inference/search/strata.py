"""Strata of a search: masses and decays of the Z' that are searched side by side.

Each data set cuts out narrow intervals of the mass, and a Z' that decays to electrons meets other
limits than one that decays to neutrinos. A search that keeps the best points of all strata
together ends in the widest basin.
"""

import numpy as np

from zpfit.inference.posterior import Posterior
from zpfit.inference.search.selection import Index, Space, Stratum
from zpfit.io.arrays import FloatArray

_MASS_BINS = 24
"""Strata in the logarithm of the mass, over the masses that the priors allow."""
_VISIBLE = 0.5
"""BR(Z' -> e+ e-) that separates visible from invisible decays."""
_PRIOR_POINTS, _SEED = 1000, 1
"""Points of the prior that give the range of masses, and their seed."""


def search_space(posterior: Posterior) -> Space:
    """Return the unit cube of a posterior with its strata.

    The mass is that of the couplings, so that models of any parameters are stratified.

    Parameters
    ----------
    posterior
        Model and priors.

    Examples
    --------
    >>> from zpfit.runs.run_file import find_run_file, load_run
    >>> space = search_space(load_run(find_run_file("quickstart")).posterior)
    >>> points = np.random.default_rng(1).random((5000, 7))
    >>> len(np.unique(space.stratum(points)))
    48
    """
    return Space(posterior.priors.step_width, _stratum(posterior))


def _stratum(posterior: Posterior) -> Stratum:
    edges = _mass_edges(posterior)

    def stratum(u: FloatArray) -> Index:
        # Impossible points may give NaN, which counts as the heaviest mass.
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            c = posterior.couplings(u)
            bins = np.searchsorted(edges, c.m_Zp)
            result: Index = 2 * bins + (c.br_ee > _VISIBLE)
        return result

    return stratum


def _mass_edges(posterior: Posterior) -> FloatArray:
    """Return the masses in MeV that separate the strata, shape (m,)."""
    u = np.random.default_rng(_SEED).random((_PRIOR_POINTS, posterior.dimension))
    parameters = posterior.parameters(u)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        mass = posterior.model.couplings(parameters).m_Zp
        mass = mass[posterior.model.exists(parameters) & np.isfinite(mass) & (mass > 0)]
    if not len(mass):
        return np.empty(0)
    return np.geomspace(mass.min(), mass.max(), _MASS_BINS + 1)[1:-1]
