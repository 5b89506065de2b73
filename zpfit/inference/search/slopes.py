"""Derivatives of many sums of squares at once, and damped steps that lower them.

A descent moves few coordinates, so that NumPy's routines for stacks of matrices would spend most of
their time on each small matrix. Compiled loops take a fraction of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np

from zpfit.inference.search.selection import Index
from zpfit.io.arrays import FloatArray
from zpfit.physics.compiled import contiguous, inline, loop, merged_sum

RowResiduals = Callable[[FloatArray, float, Index], FloatArray]
"""Residuals that differ from start to start.

Points (n, d), the steepness of walls and the number (n,) of each point's start, to residuals
(n, k).
"""

_STEP = 1e-7
"""Step size of finite differences on the unit cube: about the root of the rounding error."""
_FLOOR: Final = 1e-6
"""Scale of a coordinate without influence, relative to the largest scale."""
_LEAST: Final = 1e-12
"""Smallest such scale."""


@dataclass(frozen=True)
class Slopes:
    """Derivatives of the residuals of n descents, and of half their sums of squares."""

    free: Index
    """Coordinates that move, shape (f,)."""
    jacobian: FloatArray
    """Derivatives of the residuals, shape (n, f, k): sums over residuals then use vectors."""
    gradient: FloatArray
    """First derivatives of half the sum of squares, shape (n, f)."""
    hessian: FloatArray
    """Approximate second derivatives: the product of the Jacobian with itself, (n, f, f)."""

    @classmethod
    def empty(cls, current: FloatArray, free: Index) -> "Slopes":
        """Return slopes that are not computed yet, of descents with residuals (n, k)."""
        (n, k), f = current.shape, len(free)
        return cls(free, np.empty((n, f, k)), np.empty((n, f)), np.empty((n, f, f)))

    def update(
        self,
        residuals: RowResiduals,
        points: FloatArray,
        rows: Index,
        current: FloatArray,
        wall: float,
    ) -> None:
        """Compute the slopes of some descents from finite differences.

        Differences are one-sided and point into the cube, as residuals may not exist outside.

        Parameters
        ----------
        residuals
            Residuals of points of any descents.
        points
            Points of all descents, shape (n, d).
        rows
            Numbers of the descents, shape (m,).
        current
            Residuals of all descents, shape (n, k).
        wall
            Steepness of the walls.
        """
        if not len(rows):
            return
        m, f = len(rows), len(self.free)
        at = points[rows].T
        step = np.where(at[self.free] > 0.5, -_STEP, _STEP)
        shifted = np.repeat(at, f, axis=1)
        shifted.reshape(-1, m, f)[self.free, :, np.arange(f)] += step
        values = residuals(shifted.T, wall, np.repeat(rows, f)).T.reshape(-1, m, f)
        values, step = contiguous(values, step.T)
        _differences(values, current, step, rows, self.jacobian, self.gradient, self.hessian)

    def correct(
        self, rows: Index, step: FloatArray, before: FloatArray, current: FloatArray
    ) -> None:
        """Correct the slopes of some descents by what their last step has shown.

        No new residuals are needed. The slopes get worse with each such step.

        Parameters
        ----------
        rows
            Numbers of the descents, shape (m,).
        step
            Last step of the free coordinates, shape (m, f).
        before, current
            Residuals before and after it, shape (m, k).

        References
        ----------
        C. G. Broyden, Math. Comp. 19, 577 (1965).
        """
        arrays = contiguous(step, before, current)
        _correct(*arrays, rows, self.jacobian, self.gradient, self.hessian)

    def damped_step(
        self, at: FloatArray, rows: Index, damping: FloatArray, longest: float
    ) -> tuple[FloatArray, FloatArray]:
        """Return steps of some descents, and the decreases that slopes promise.

        Parameters
        ----------
        at
            Free coordinates of these descents, shape (m, f).
        rows
            Numbers of the descents, shape (m,).
        damping
            Damping of each, shape (m,).
        longest
            Largest change of a coordinate.

        Returns
        -------
        tuple of FloatArray
            Steps, shape (m, f), and decreases of the sum of squares, shape (m,).
        """
        step, gain = np.empty(at.shape), np.empty(len(at))
        arrays = contiguous(at, damping)
        _damped_steps(*arrays, rows, self.gradient, self.hessian, longest, step, gain)
        return step, gain


@merged_sum
def _sum_of_products(first: FloatArray, second: FloatArray) -> float:
    total = 0.0
    for k in range(first.shape[0]):
        total += first[k] * second[k]
    return total


@inline
def _product(
    jacobian: FloatArray, residuals: FloatArray, gradient: FloatArray, hessian: FloatArray
) -> None:
    """Fill in the gradient and the lower triangle of the Hessian of one descent."""
    for a in range(jacobian.shape[0]):
        gradient[a] = _sum_of_products(jacobian[a], residuals)
        for b in range(a + 1):
            hessian[a, b] = _sum_of_products(jacobian[a], jacobian[b])


@loop("(k,m,f)", "(n,k)", "(m,f)", "i8(m)", "(n,f,k)", "(n,f)", "(n,f,f)")
def _differences(
    values: FloatArray,
    current: FloatArray,
    step: FloatArray,
    rows: Index,
    jacobian: FloatArray,
    gradient: FloatArray,
    hessian: FloatArray,
) -> None:
    """Fill in the slopes from residuals after a step along each coordinate."""
    n_residuals, m, f = values.shape
    per_step = np.empty(f)
    for i in range(m):
        row = rows[i]
        for a in range(f):
            per_step[a] = 1 / step[i, a]
        for k in range(n_residuals):
            for a in range(f):
                jacobian[row, a, k] = (values[k, i, a] - current[row, k]) * per_step[a]
        _product(jacobian[row], current[row], gradient[row], hessian[row])


@loop("(m,f)", "(m,k)", "(m,k)", "i8(m)", "(n,f,k)", "(n,f)", "(n,f,f)")
def _correct(
    step: FloatArray,
    before: FloatArray,
    current: FloatArray,
    rows: Index,
    jacobian: FloatArray,
    gradient: FloatArray,
    hessian: FloatArray,
) -> None:
    """Change each Jacobian along the last step, so that it predicts what the step has done."""
    missed = np.empty(current.shape[1])
    for i in range(step.shape[0]):
        row = rows[i]
        _correct_one(step[i], before[i], current[i], jacobian[row], missed)
        _product(jacobian[row], current[i], gradient[row], hessian[row])


@inline
def _correct_one(
    step: FloatArray,
    before: FloatArray,
    current: FloatArray,
    jacobian: FloatArray,
    missed: FloatArray,
) -> None:
    """Correct one Jacobian; ``missed`` is a place for what it did not predict."""
    for k in range(missed.shape[0]):
        missed[k] = current[k] - before[k]
    for a in range(step.shape[0]):
        row, size = jacobian[a], step[a]
        for k in range(missed.shape[0]):
            missed[k] -= row[k] * size
    square = _sum_of_products(step, step)
    for a in range(step.shape[0]):
        row, part = jacobian[a], step[a] / square
        for k in range(missed.shape[0]):
            row[k] += missed[k] * part


@inline
def _hold(
    at: FloatArray, gradient: FloatArray, hessian: FloatArray, g: FloatArray, h: FloatArray
) -> None:
    """Copy slopes, the lower triangle of the Hessian alone, without the coordinates that are held.

    A coordinate that pushes against a face of the cube is held. It gets 1 on the diagonal.
    """
    for a in range(len(at)):
        held = (at[a] <= 0 and gradient[a] > 0) or (at[a] >= 1 and gradient[a] < 0)
        g[a] = 0.0 if held else gradient[a]
        for b in range(a):
            h[a, b] = 0.0 if held or h[b, b] < 0 else hessian[a, b]
        h[a, a] = -1.0 if held else hessian[a, a]  # a mark until every row is filled


@inline
def _damp(damping: float, h: FloatArray, added: FloatArray) -> None:
    """Add the damping, which is kept in ``added``, to the diagonal."""
    largest = 0.0
    for a in range(len(added)):
        largest = max(largest, h[a, a])
    # A coordinate without influence gets a small fraction of the largest scale, so that the matrix
    # stays regular.
    floor = _FLOOR * largest + _LEAST
    for a in range(len(added)):
        scale = max(h[a, a], 0.0)
        added[a] = damping * (scale + floor) + floor * _FLOOR + (1.0 if h[a, a] < 0 else 0.0)
        h[a, a] = scale + added[a]


@inline
def _solve(h: FloatArray, g: FloatArray, s: FloatArray) -> None:
    """Fill in the solution of h s = -g. Cholesky's factor replaces the lower triangle of ``h``.

    Its diagonal holds inverses, as a division takes as long as ten products.
    """
    f = len(g)
    for a in range(f):
        for b in range(a + 1):
            total = h[a, b]
            for c in range(b):
                total -= h[a, c] * h[b, c]
            h[a, b] = 1 / sqrt(total) if a == b else total * h[b, b]
    for a in range(f):
        total = -g[a]
        for b in range(a):
            total -= h[a, b] * s[b]
        s[a] = total * h[a, a]
    for a in range(f - 1, -1, -1):
        total = s[a]
        for b in range(a + 1, f):
            total -= h[b, a] * s[b]
        s[a] = total * h[a, a]


@loop("(m,f)", "(m)", "i8(m)", "(n,f)", "(n,f,f)", "()", "(m,f)", "(m)")
def _damped_steps(
    at: FloatArray,
    damping: FloatArray,
    rows: Index,
    gradient: FloatArray,
    hessian: FloatArray,
    longest: float,
    step: FloatArray,
    gain: FloatArray,
) -> None:
    """Fill in steps and expected decreases."""
    m, f = at.shape
    g, added, h = np.empty(f), np.empty(f), np.empty((f, f))
    for i in range(m):
        row, s = rows[i], step[i]
        _hold(at[i], gradient[row], hessian[row], g, h)
        _damp(damping[i], h, added)
        _solve(h, g, s)
        # The sum of squares falls by -(2 g.s + s.H.s), where (H + added) s = -g.
        size, slope, curved = 0.0, 0.0, 0.0
        for a in range(f):
            size = max(size, abs(s[a]))
            slope -= g[a] * s[a]
            curved += added[a] * s[a] * s[a]
        part = min(1.0, longest / max(size, 1e-300))
        gain[i] = 2 * part * slope - part * part * (slope - curved)
        for a in range(f):
            s[a] *= part
