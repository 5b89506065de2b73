"""Proposal densities around single peaks: multivariate t-distributions."""

from dataclasses import dataclass, replace
from functools import cached_property
from math import exp, lgamma, log, pi

import numpy as np
from numpy.typing import NDArray

from zpfit.inference.densities.students import DEGREES, densities, distances
from zpfit.io.arrays import FloatArray


@dataclass(frozen=True)
class PeakMap:
    """A multivariate t-distribution, times a uniform density in the steps of discrete axes.

    Draws may lie outside the unit cube, where the likelihood is zero. They keep their density, so
    that a peak at a face of the cube needs no normalisation.

    Parameters
    ----------
    centre
        Point of the unit cube, shape (d,).
    covariance
        Scale matrix along the smooth axes, shape (f, f).
    step_width
        Width of the steps of discrete axes on the unit cube, 0 for the f smooth axes; shape (d,).

    Examples
    --------
    The density of one dimension is that of Student's t:

    >>> from scipy.stats import t
    >>> peak = PeakMap(np.array([0.5]), np.array([[0.01]]), np.zeros(1))
    >>> u = np.array([[0.7]])
    >>> bool(np.isclose(peak.log_density(u)[0], t.logpdf(0.7, 5, loc=0.5, scale=0.1)))
    True
    """

    centre: FloatArray
    covariance: FloatArray
    step_width: FloatArray

    @cached_property
    def smooth(self) -> NDArray[np.intp]:
        """Indices of the smooth axes, shape (f,)."""
        return np.flatnonzero(self.step_width == 0)

    @cached_property
    def _root(self) -> FloatArray:
        return np.linalg.cholesky(self.covariance).astype(float)

    @cached_property
    def _inverse_root(self) -> FloatArray:
        return np.linalg.inv(self._root).astype(float)

    @cached_property
    def _log_norm(self) -> float:
        f = len(self.smooth)
        steps = self.step_width[self.step_width > 0]
        scale = float(np.log(np.diag(self._root)).sum() + np.log(steps).sum())
        half = 0.5 * (DEGREES + f)
        return lgamma(half) - lgamma(DEGREES / 2) - 0.5 * f * log(DEGREES * pi) - scale

    @property
    def log_volume(self) -> float:
        """ln of the integral of a Gaussian of height 1 with this covariance."""
        steps = self.step_width[self.step_width > 0]
        root = float(np.log(np.diag(self._root)).sum() + np.log(steps).sum())
        return 0.5 * len(self.smooth) * log(2 * pi) + root

    def draw(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Draw ``n`` points, shape (n, d); some may lie outside the unit cube."""
        normal = rng.normal(size=(n, len(self.smooth)))
        stretch = np.sqrt(DEGREES / rng.chisquare(DEGREES, n))
        smooth = self.centre[self.smooth] + stretch[:, None] * (normal @ self._root.T)
        if len(self.smooth) == len(self.centre):
            return smooth
        low = self._steps(self.centre[None]) * self.step_width
        u = low + self.step_width * rng.random((n, len(self.centre)))
        u[:, self.smooth] = smooth
        return u

    def distance(self, u: FloatArray) -> FloatArray:
        """Return the squared distance from the centre in standard deviations, shape (n,).

        It is infinite at other steps of discrete axes.
        """
        return distances(u, self.centre, self._inverse_root, self.step_width)

    def density(self, u: FloatArray) -> FloatArray:
        """Return the density at points of shape (n, d)."""
        return densities(self.distance(u), exp(self._log_norm), len(self.smooth))

    def log_density(self, u: FloatArray) -> FloatArray:
        """Return ln of the density at points of shape (n, d), also where the density is tiny."""
        half = 0.5 * (DEGREES + len(self.smooth))
        result: FloatArray = self._log_norm - half * np.log1p(self.distance(u) / DEGREES)
        return result

    def mirrored(self, axes: NDArray[np.bool_]) -> "PeakMap":
        """Return the image under u -> 1 - u along some axes, given as a mask of shape (d,)."""
        sign = np.where(axes[self.smooth], -1.0, 1.0)
        centre = np.where(axes, 1 - self.centre, self.centre)
        return replace(self, centre=centre, covariance=self.covariance * np.outer(sign, sign))

    def _steps(self, u: FloatArray) -> FloatArray:
        """Return the numbers of the steps of discrete axes, 0 for smooth ones; shape (n, d)."""
        width = np.where(self.step_width > 0, self.step_width, np.inf)
        # A point at the upper end belongs to the last step.
        last = np.where(self.step_width > 0, np.round(1 / width) - 1, 0.0)
        steps: FloatArray = np.minimum(np.floor(u / width), last)
        return steps
