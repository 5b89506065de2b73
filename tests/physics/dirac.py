"""Dirac matrices and spin sums for explicit amplitudes in tests."""

import numpy as np

_S = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
_ZERO, _ONE = np.zeros((2, 2)), np.eye(2)
GAMMA = np.array(
    [np.block([[_ZERO, _ONE], [_ONE, _ZERO]])] + [np.block([[_ZERO, s], [-s, _ZERO]]) for s in _S]
)
"""gamma^mu in the chiral representation, shape (4, 4, 4)."""
METRIC = np.diag([1.0, -1, -1, -1])
GAMMA5 = np.diag([-1.0, -1, 1, 1])
LEFT = (np.eye(4) - GAMMA5) / 2


def dot(a, b):
    return np.einsum("...m,mn,...n->...", a, METRIC, b)


def slash(p):
    """Return p-slash for four-vectors of shape (..., 4)."""
    return np.einsum("...m,mn,nij->...ij", p, METRIC, GAMMA)


def polarisations(k, mass2):
    """Return the spin sum of a massive vector, indices lowered."""
    low = k @ METRIC
    return -METRIC + low[..., :, None] * low[..., None, :] / mass2


def bar(vertex):
    """Return gamma0 Gamma^dagger gamma0."""
    return GAMMA[0] @ np.conj(np.swapaxes(vertex, -1, -2)) @ GAMMA[0]


def dalitz(masses, total, nodes):
    """Return momenta of three particles in a plane and weights of dPhi3, by Gauss quadrature.

    Spin-averaged rates depend on two invariants only, so that one orientation is enough.
    """
    m1, m2, m3 = masses
    x, w = np.polynomial.legendre.leggauss(nodes)
    # s = (p1 + p2)^2, in a variable that makes both momenta smooth at their roots.
    low, high = (m1 + m2) ** 2, (total - m3) ** 2
    u = ((x + 1) / 2)[:, None]
    s = low + (high - low) * u**2 * (3 - 2 * u)
    ds = (high - low) * 3 * u * (1 - u) * w[:, None]
    p = _momentum(np.sqrt(s), m1, m2)
    q = _momentum(total, np.sqrt(s), m3)
    e1 = np.sqrt(p**2 + m1**2)
    boost, energy = q / np.sqrt(s), np.sqrt(q**2 + s) / np.sqrt(s)
    px, pz = p * np.sqrt(1 - x**2), p * x
    zero = 0 * px
    p1 = np.stack([energy * e1 + boost * pz, px, zero, energy * pz + boost * e1], axis=-1)
    whole = np.stack([np.sqrt(q**2 + s) + zero, zero, zero, q + zero], axis=-1)
    p3 = np.stack([np.sqrt(q**2 + m3**2) + zero, zero, zero, -q + zero], axis=-1)
    weight = ds / (2 * np.pi) * q / (4 * np.pi * total) * p / (4 * np.pi * np.sqrt(s)) * w / 2
    return p1, whole - p1, p3, weight


def _momentum(total, m1, m2):
    return np.sqrt((total**2 - (m1 + m2) ** 2) * (total**2 - (m1 - m2) ** 2)) / (2 * total)
