"""Evidence of signatures: the mean likelihood over m, g' and the kinetic mixing.

The priors are those of the run files of the atlas: m from 1 to 100 MeV, g' and the kinetic mixing
eps from 1e-8 to 0.1, all log-uniform, eps with either sign. A shift along hypercharge makes z_H
vanish; g' and eps are those of the signature's integers after this shift, with which the universal
coupling is c = e cos(theta_w) eps at leading order. The evidence then belongs to the signature,
whatever the charge set.

Vector couplings of e or mu may cancel to small values, in valleys that few draws of eps meet. Draws
therefore are a mixture with three parts: log-uniform in eps, and in the vector coupling of the
electron and of the muon. Draws have weights up to three, as a third of them follows the prior.
"""

from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats.qmc import Sobol

from zpfit.analysis.atlas.screen import MASSES, Evidence, couplings
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.likelihood import Likelihood
from zpfit.physics.constants import ELECTRIC_CHARGE, SIN2_THETA_W
from zpfit.physics.couplings import Couplings

COUPLINGS: Final = (1e-8, 1e-1)
"""Ends of the priors of g' and of the size of eps."""
DRAWS: Final = 512
"""Draws of each part of an integral: ln Z of today's data then has an error of about 0.03."""
_INTEGRALS: Final = 4
"""Independent integrals, whose scatter gives the error."""
_PARTS: Final = 3
_MIXING: Final = ELECTRIC_CHARGE * sqrt(1 - SIN2_THETA_W)
"""c over eps."""


@dataclass(frozen=True)
class _Draws:
    """Draws of all integrals, the same for all signatures; every array has shape (draws,)."""

    m: FloatArray
    g_prime: FloatArray
    third: FloatArray
    """eps, or the vector coupling of the electron or the muon over e cos(theta_w)."""
    part: NDArray[np.intp]
    integral: NDArray[np.intp]


def evidence(vectors: FloatArray, likelihood: Likelihood, draws: int, seed: int) -> Evidence:
    """Return ln Z of each signature.

    Parameters
    ----------
    vectors
        Integers of the signatures as floats, shape (n, 5) or (n, 8).
    likelihood
        The data.
    draws
        Draws of each of three parts of four integrals, a power of two.
    seed
        Seed of the draws.

    Examples
    --------
    L_e - L_tau, which today's data disfavour by a factor of 14 against no Z':

    >>> from zpfit.io.library import Library
    >>> from zpfit.likelihood.build import LikelihoodSpec, assemble
    >>> data = assemble(LikelihoodSpec(set="today_leptons_cs"), Library.beside()).likelihood
    >>> found = evidence(np.array([[1.0, 0, 0, 0, 1]]), data, 256, 1)
    >>> without = data.log_likelihood(Couplings.none())[0]
    >>> bool(abs(found.log_z[0] - without + 2.67) < 0.1)
    True
    """
    without = float(likelihood.log_likelihood(Couplings.none())[0])
    drawn = _drawn(draws, seed)
    means = np.array([_means(row, likelihood, drawn, without) for row in vectors])
    z = means.mean(axis=1)
    error = means.std(axis=1, ddof=1) / (z * sqrt(_INTEGRALS))
    return Evidence(without + np.log(z), error)


def _drawn(draws: int, seed: int) -> _Draws:
    """Return scrambled Sobol points for each part of each integral."""
    blocks = [
        Sobol(3, rng=np.random.default_rng([seed, block])).random(draws)
        for block in range(_INTEGRALS * _PARTS)
    ]
    u = np.concatenate(blocks)
    block = np.repeat(np.arange(len(blocks)), draws)
    low, high = COUPLINGS
    x = 2 * u[:, 2] - 1
    return _Draws(
        m=MASSES[0] * (MASSES[1] / MASSES[0]) ** u[:, 0],
        g_prime=low * (high / low) ** u[:, 1],
        third=np.sign(x) * low * (high / low) ** np.abs(x),
        part=block % _PARTS,
        integral=block // _PARTS,
    )


def _means(row: FloatArray, likelihood: Likelihood, drawn: _Draws, without: float) -> FloatArray:
    """Return the mean likelihood over that without a Z', by integral."""
    charges = np.array([0, row[0] + row[1] / 2, row[2] + row[3] / 2]) / _MIXING
    eps = drawn.third - drawn.g_prime * charges[drawn.part]
    inside = np.flatnonzero(_density(eps))
    eps, g_prime = eps[inside], drawn.g_prime[inside]
    prior = _density(eps)
    mixture = np.mean([_density(eps + g_prime * charge) for charge in charges], axis=0)
    vectors = np.broadcast_to(row, (len(eps), len(row)))
    c = couplings(vectors, drawn.m[inside], g_prime, _MIXING * eps)
    values = prior / mixture * np.exp(likelihood.log_likelihood(c) - without)
    sums = np.bincount(drawn.integral[inside], values, minlength=_INTEGRALS)
    result: FloatArray = np.asarray(sums, dtype=float) * (_INTEGRALS / len(drawn.m))
    return result


def _density(x: FloatArray) -> FloatArray:
    """Return the density of a log-uniform size with either sign, up to a constant factor."""
    size = np.abs(x)
    low, high = COUPLINGS
    inside = (size > low) & (size < high)
    return np.where(inside, 1 / np.where(inside, size, 1.0), 0.0)
