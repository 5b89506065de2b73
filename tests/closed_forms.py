"""Likelihoods on the unit cube whose evidence is known and whose modes are easy to miss."""

from collections.abc import Callable
from dataclasses import dataclass
from math import gamma, log, pi, sqrt

import numpy as np
from scipy.integrate import quad
from scipy.special import ndtr


@dataclass(frozen=True)
class ClosedForm:
    """A likelihood and its ln Z."""

    dimension: int
    log_likelihood: Callable[[np.ndarray], np.ndarray]
    log_z: float


def gaussian(u, mean, sd):
    """ln of a normalised Gaussian, equally wide along all axes."""
    d = u.shape[1]
    return -0.5 * np.sum(((u - mean) / sd) ** 2, axis=1) - d * log(sd * sqrt(2 * pi))


def gaussians(dimension, *modes):
    """Modes (weight, mean, sd)."""

    def log_likelihood(u):
        parts = [log(weight) + gaussian(u, mean, sd) for weight, mean, sd in modes]
        return np.logaddexp.reduce(parts, axis=0)

    inside = (weight * share_inside(dimension, mean, sd) for weight, mean, sd in modes)
    return ClosedForm(dimension, log_likelihood, log(sum(inside)))


def share_inside(dimension, mean, sd):
    """Return the part of a Gaussian that lies inside the cube."""
    means = np.broadcast_to(mean, dimension)
    return float(np.prod(ndtr((1 - means) / sd) - ndtr(-means / sd)))


def thin_beside_broad(dimension, sd, weight=1.0, low=0.3):
    """A broad Gaussian, and a thin one 0.4 away along every axis."""
    return gaussians(dimension, (1.0, low, 0.08), (weight, low + 0.4, sd))


def slab_and_spike(dimension, sd=0.01, offset=0.0):
    """A spike ten times as heavy as the slab around it."""
    return gaussians(dimension, (1.0, 0.5, 0.1), (10.0, 0.5 + offset, sd))


def spike_on_plateau(dimension, sd):
    """A spike as heavy as the flat likelihood around it."""

    def log_likelihood(u):
        return np.logaddexp(gaussian(u, 0.37, sd), 0)

    return ClosedForm(dimension, log_likelihood, log(2))


def mirror_modes(dimension, sd, mean=0.3):
    return gaussians(dimension, (1.0, mean, sd), (1.0, 1 - mean, sd))


def scattered(dimension, number, sd, seed=0):
    means = np.random.default_rng(seed).uniform(0.15, 0.85, (number, dimension))
    return gaussians(dimension, *((1.0, mean, sd) for mean in means))


def crowd(dimension, number, widths, concentration=np.inf, seed=0, low=0.15):
    """Many round Gaussians, with widths between two limits; equal weights by default."""
    rng = np.random.default_rng(seed)
    means = rng.uniform(low, 1 - low, (number, dimension))
    sd = np.exp(rng.uniform(*np.log(widths), number))
    share = np.full(number, 1 / number)
    if np.isfinite(concentration):
        share = rng.dirichlet(np.full(number, concentration))
    inside = [share_inside(dimension, *mode) for mode in zip(means, sd, strict=True)]
    # (u - mean)^2 expanded, so that one product of matrices serves all Gaussians.
    factors = means.T / sd**2
    height = np.log(share) - dimension * np.log(sd * sqrt(2 * pi))
    height -= 0.5 * np.sum((means / sd[:, None]) ** 2, axis=1)

    def log_likelihood(u):
        parts = u @ factors - 0.5 * np.square(u).sum(axis=1)[:, None] / sd**2 + height
        top = parts.max(axis=1)
        return top + np.log(np.exp(parts - top[:, None]).sum(axis=1))

    return ClosedForm(dimension, log_likelihood, log(share @ inside))


def equicorrelated(dimension, correlation, sd):
    """Every pair of parameters has the same correlation."""
    covariance = sd**2 * ((1 - correlation) * np.eye(dimension) + correlation)
    precision = np.linalg.inv(covariance)
    norm = 0.5 * np.linalg.slogdet(2 * pi * covariance)[1]

    def log_likelihood(u):
        return -0.5 * np.einsum("ni,ij,nj->n", u - 0.5, precision, u - 0.5) - norm

    return ClosedForm(dimension, log_likelihood, 0.0)


def banana(dimension, sd, width=0.1):
    """A Gaussian sheared along parabolas, which keeps its volume."""

    def log_likelihood(u):
        bent = u[:, 1:] - 1.5 * (u[:, :1] - 0.5) ** 2
        return gaussian(u[:, :1], 0.5, width) + gaussian(bent, 0.4, sd)

    return ClosedForm(dimension, log_likelihood, 0.0)


def shell(dimension, radius, sd):
    """A Gaussian in the distance from the middle."""

    def log_likelihood(u):
        distance = np.sqrt(np.sum((u - 0.5) ** 2, axis=1))
        return -0.5 * ((distance - radius) / sd) ** 2

    def radial(r):
        return r ** (dimension - 1) * np.exp(-0.5 * ((r - radius) / sd) ** 2)

    integral = quad(radial, max(radius - 10 * sd, 0), radius + 10 * sd)[0]
    sphere = 2 * pi ** (dimension / 2) / gamma(dimension / 2)
    return ClosedForm(dimension, log_likelihood, log(sphere * integral))


def behind_a_wall(dimension, sd):
    """A Gaussian cut in half at its centre."""
    whole = gaussians(dimension, (1.0, 0.4, sd))

    def log_likelihood(u):
        return np.where(u[:, 0] > 0.4, whole.log_likelihood(u), -np.inf)

    return ClosedForm(dimension, log_likelihood, -log(2))


CLOSED_FORMS = {
    "thin at the image, 2d": thin_beside_broad(2, 1e-4),
    "thin at the image, 3d": thin_beside_broad(3, 1e-3),
    "thin at the image, 4d": thin_beside_broad(4, 2e-3),
    "thin at the image, 5d": thin_beside_broad(5, 4e-3),
    "thin at the image, 6d": thin_beside_broad(6, 8e-3),
    "thin and heavy, 6d": thin_beside_broad(6, 4e-3, weight=3.0),
    "thin anywhere, 2d": thin_beside_broad(2, 3e-4, low=0.36),
    "thin anywhere, 3d": thin_beside_broad(3, 2e-3, low=0.36),
    "thin anywhere, 4d": thin_beside_broad(4, 4e-3, low=0.36),
    "thin anywhere, 5d": thin_beside_broad(5, 8e-3, low=0.36),
    "thin anywhere, 6d": thin_beside_broad(6, 0.012, low=0.36),
    "slab and spike, 4d": slab_and_spike(4),
    "slab and spike, 6d": slab_and_spike(6),
    "slab and spike, 8d": slab_and_spike(8),
    "slab and spike, 10d": slab_and_spike(10),
    "spike aside, 3d": slab_and_spike(3, 0.002, 0.12),
    "spike aside, 4d": slab_and_spike(4, 0.004, 0.12),
    "spike on a plateau, 3d": spike_on_plateau(3, 2e-3),
    "spike on a plateau, 4d": spike_on_plateau(4, 2e-3),
    "mirror modes, 2d": mirror_modes(2, 1e-4),
    "mirror modes, 6d": mirror_modes(6, 0.02),
    "mirror modes, 10d": mirror_modes(10, 0.02),
    "mirror modes, 14d": mirror_modes(14, 0.02),
    "equicorrelated 0.9, 6d": equicorrelated(6, 0.9, 0.1),
    "equicorrelated 0.99, 6d": equicorrelated(6, 0.99, 0.08),
    "equicorrelated 0.5, 12d": equicorrelated(12, 0.5, 0.08),
    "equicorrelated 0.9, 12d": equicorrelated(12, 0.9, 0.08),
    "4 modes, 4d": scattered(4, 4, 0.02),
    "4 modes, 8d": scattered(8, 4, 0.02),
    "8 modes, 6d": scattered(6, 8, 0.01),
    "unequal modes, 3d": gaussians(3, (1, 0.2, 0.03), (5, 0.6, 0.003), (0.2, 0.85, 0.01)),
    "banana, 2d": banana(2, 1e-3),
    "banana, 4d": banana(4, 0.01),
    "banana, 10d": banana(10, 0.03, 0.05),
    "shell, 2d": shell(2, 0.3, 5e-4),
    "shell, 4d": shell(4, 0.3, 3e-3),
    "shell, 8d": shell(8, 0.3, 0.02),
    "shell, 12d": shell(12, 0.35, 0.03),
    "ridge, 2d": equicorrelated(2, 1 - 1e-6, 0.08),
    "ridge, 3d": equicorrelated(3, 0.9999, 0.08),
    "half, 3d": behind_a_wall(3, 0.01),
    "narrow, 4d": gaussians(4, (1.0, 0.1234567, 1e-5)),
}
"""Of a thin mode the region that the broad one does not outshine fills 1e-6 of the cube, or less if
its image under u -> 1 - u is the broad one, and 7e-6 or more elsewhere."""

CROWDS = {
    "30 equal peaks, 2d": lambda seed: crowd(2, 30, (5e-3, 5e-3), seed=seed),
    "100 equal peaks, 5d": lambda seed: crowd(5, 100, (0.01, 0.01), seed=seed),
    "30 peaks, 8d": lambda seed: crowd(8, 30, (0.01, 0.05), 2.0, seed),
    "30 equal peaks, 12d": lambda seed: crowd(12, 30, (0.02, 0.02), seed=seed),
    "30 equal peaks, 20d": lambda seed: crowd(20, 30, (0.02, 0.02), seed=seed),
    "100 equal peaks, 12d": lambda seed: crowd(12, 100, (0.02, 0.02), seed=seed),
    "30 peaks close together, 7d": lambda seed: crowd(7, 30, (0.01, 0.05), 2.0, seed, 0.3),
    "30 peaks close together, 12d": lambda seed: crowd(12, 30, (0.01, 0.05), 2.0, seed, 0.3),
    "30 peaks close together, 20d": lambda seed: crowd(20, 30, (0.01, 0.05), 2.0, seed, 0.3),
}
"""Functions of a seed. No search meets the narrow ones of peaks that are close together."""
