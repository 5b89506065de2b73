"""New starts around known points: random kicks, and reflections of signs."""

import numpy as np
from numpy.typing import NDArray

from zpfit.inference.priors import Priors
from zpfit.io.arrays import FloatArray

KICKS = 8
"""Default number of new starts around each point."""
_SMALLEST, _LARGEST = -3, -0.5
"""log10 of the smallest and largest kick on the unit cube."""
_STOP_STEPPING = 0.6
"""Probability that a kick moves a discrete coordinate by no further step."""


def kick(
    points: FloatArray, step_width: FloatArray, rng: np.random.Generator, kicks: int = KICKS
) -> FloatArray:
    """Return ``kicks`` new points around each point, which differ in half of the coordinates.

    Smooth coordinates move by 0.001 to 0.3, discrete ones by a few steps.

    Parameters
    ----------
    points
        Points of the unit cube, shape (n, d).
    step_width
        Width of the steps of discrete coordinates on the unit cube, 0 for smooth ones; shape (d,).
    rng
        Generator of the kicks.
    kicks
        Number of new points around each point.

    Returns
    -------
    FloatArray
        New points, shape (n * kicks, d); those around one point are neighbours.

    Examples
    --------
    >>> kick(np.array([[0.5, 0.5]]), np.zeros(2), np.random.default_rng(1), 3).shape
    (3, 2)
    """
    repeated = np.repeat(points, kicks, axis=0)
    size = 10 ** rng.uniform(_SMALLEST, _LARGEST, (len(repeated), 1))
    chosen = rng.random(repeated.shape) < 0.5
    smooth = size * rng.normal(size=repeated.shape)
    steps = rng.geometric(_STOP_STEPPING, repeated.shape) * rng.choice([-1, 1], repeated.shape)
    kicked: FloatArray = np.clip(
        repeated + chosen * np.where(step_width > 0, step_width * steps, smooth), 0, 1
    )
    return kicked


def kick_and_reflect(
    points: FloatArray, priors: Priors, rng: np.random.Generator, kicks: int, reflections: int
) -> FloatArray:
    """Return new points around each point: kicked ones, then ones with some signs reversed.

    Most observables depend on products of couplings, so reversed signs are near-symmetries.

    Parameters
    ----------
    points
        Points of the unit cube, shape (n, d).
    priors
        Priors of the d parameters; signs change where a prior is symmetric about zero.
    rng
        Generator of kicks and signs.
    kicks, reflections
        Number of new points of either kind around each point.

    Returns
    -------
    FloatArray
        New points, shape (n * kicks + n * reflections, d); see :func:`repeated_like`.
    """
    near = kick(points, priors.step_width, rng, kicks)
    return np.concatenate([near, reflect(points, priors, rng, reflections)])


def reflect(
    points: FloatArray, priors: Priors, rng: np.random.Generator, reflections: int
) -> FloatArray:
    """Return new points at each point, with the signs of half of the parameters reversed.

    Parameters
    ----------
    points
        Points of the unit cube, shape (n, d).
    priors
        Priors of the d parameters; signs change where a prior is symmetric about zero.
    rng
        Generator of the signs.
    reflections
        Number of new points at each point.
    """
    repeated = np.repeat(points, reflections, axis=0)
    supports = [prior.support() for prior in priors.free.values()]
    symmetric = np.array([low == -high for low, high in supports])
    reversed_ = symmetric & (rng.random(repeated.shape) < 0.5)
    return np.where(reversed_, 1 - repeated, repeated)


def repeated_like(labels: NDArray[np.intp], kicks: int, reflections: int) -> NDArray[np.intp]:
    """Return the label of each point of :func:`kick_and_reflect`, from labels of shape (n,)."""
    return np.concatenate([np.repeat(labels, kicks), np.repeat(labels, reflections)])
