"""Global minimum of a sum of squares on the unit cube.

Levenberg-Marquardt descents from thousands of points at once, the best of them
kicked and let down again until nothing improves, and a simplex polish of the
winner. All descents share each call of the residuals, which makes a global
search as cheap as a few single ones.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from zpfit.errors import NoAllowedPoint
from zpfit.inference.checkpoint import NO_CHECKPOINT, Checkpoint, State
from zpfit.io.arrays import FloatArray

Residuals = Callable[[FloatArray, float], FloatArray]
"""Points (n, d) and the steepness of walls to residuals (n, k), whose squares add up to chi2.

A wall's residual is zero where the point is allowed and grows outside it.
"""
RowResiduals = Callable[[FloatArray, float, NDArray[np.intp]], FloatArray]
"""The same, where the third argument says which start each point (n,) has come from."""
Objective = Callable[[FloatArray], FloatArray]
"""Points (n, d) to chi2 (n,), infinite where excluded."""

_STEP = 1e-7
"""Of the finite differences."""
_DESCENT_STEPS = 40
_SOFT_WALL, _STEEP_WALL, _MAX_WALL = 3.0, 30.0, 3e6
_KEPT = 60
"""Best points that go into the next round."""
_KICKS = 8
"""New starts around each kept point."""
_STOP_STEPPING = 0.6
"""Probability that a kick moves a coordinate by no further step."""
_MAX_ROUNDS = 20
_QUIET_ROUNDS = 4
"""Rounds without progress after which the search ends."""
_PROGRESS = 1e-4
"""Fall in chi2 that counts as progress."""
_POLISHED, _FRUITLESS = 1e-6, 2
"""Fall in chi2 that makes it worth another simplex, and those without it that end the polish."""
_HOPELESS_DAMPING = 1e8


@dataclass(frozen=True)
class Minimum:
    """Result of a search."""

    u: FloatArray
    """Where, shape (d,)."""
    chi2: float


def find_minimum(
    residuals: Residuals,
    objective: Objective,
    starts: FloatArray,
    rng: np.random.Generator,
    grain: FloatArray | None = None,
    checkpoint: Checkpoint = NO_CHECKPOINT,
) -> Minimum:
    """Search the unit cube from ``starts``, shape (n, d), for the least allowed chi2.

    ``grain``, shape (d,), is the width of the steps in which the function depends on a
    coordinate, zero where it is smooth. Descents go along smooth coordinates alone; the others
    move by whole steps between descents, each combination of steps kept once.

    Raises
    ------
    NoAllowedPoint
        Every descent ends outside the walls.
    """
    grain = np.zeros(starts.shape[1]) if grain is None else grain
    kept_state = checkpoint.load()
    if kept_state is None:
        points, costs = descend(residuals, starts, _SOFT_WALL)
        wall, best_cost, quiet, rounds = _STEEP_WALL, np.inf, 0, 0
    else:
        points, costs = kept_state["points"], kept_state["costs"]
        wall, best_cost = kept_state["wall"], kept_state["best_cost"]
        quiet, rounds = kept_state["quiet"], kept_state["rounds"]
        rng.bit_generator.state = kept_state["rng"]

    def state() -> State:
        return {
            "u": points[:_KEPT],
            "log_likelihood": -0.5 * objective(points[:_KEPT]),
            "points": points,
            "costs": costs,
            "wall": wall,
            "best_cost": best_cost,
            "quiet": quiet,
            "rounds": rounds,
            "rng": rng.bit_generator.state,
        }

    while rounds < _MAX_ROUNDS and quiet < _QUIET_ROUNDS:
        checkpoint.save(state)
        rounds += 1
        kept = points[best_points(points, costs, grain)]
        kicked, kicked_costs = descend(residuals, kick(kept, grain, rng), wall)
        points = np.concatenate([kept, kicked])
        costs = np.concatenate([cost(residuals(kept, wall)), kicked_costs])
        quiet = quiet + 1 if costs.min() > best_cost - _PROGRESS else 0
        best_cost = min(best_cost, costs.min())
        if wall < _MAX_WALL and not np.isfinite(objective(points[[np.argmin(costs)]])[0]):
            # chi2 pushes through the wall: a steeper one stops it nearer to the edge.
            wall, best_cost, quiet = 10 * wall, np.inf, 0
    checkpoint.finish(state)
    chi2 = objective(points)
    if not np.isfinite(chi2).any():
        raise NoAllowedPoint(len(starts) + rounds * _KEPT * _KICKS)
    best = int(np.argmin(chi2))
    u, value = _polish(objective, points[best], float(chi2[best]))
    return Minimum(u, value)


def best_points(points: FloatArray, costs: FloatArray, grain: FloatArray) -> NDArray[np.intp]:
    """Indices of the points to go on from, in each combination of steps the best alone."""
    order = np.argsort(costs)
    if grain.any():
        steps = np.floor(points[order][:, grain > 0] / grain[grain > 0])
        _, first = np.unique(steps, axis=0, return_index=True)
        order = order[np.sort(first)]
    return order[:_KEPT]


def kick(
    points: FloatArray, grain: FloatArray, rng: np.random.Generator, kicks: int = _KICKS
) -> FloatArray:
    """Around each point ``kicks`` others that differ in about half of the coordinates.

    Smooth ones move by 0.001 to 0.3, the others by a few steps.
    """
    repeated = np.repeat(points, kicks, axis=0)
    size = 10 ** rng.uniform(-3, -0.5, (len(repeated), 1))
    chosen = rng.random(repeated.shape) < 0.5
    smooth = size * rng.normal(size=repeated.shape)
    steps = rng.geometric(_STOP_STEPPING, repeated.shape) * rng.choice([-1, 1], repeated.shape)
    kicked: FloatArray = np.clip(
        repeated + chosen * np.where(grain > 0, grain * steps, smooth), 0, 1
    )
    return kicked


def descend(
    residuals: Residuals,
    starts: FloatArray,
    wall: float,
    steps: int = _DESCENT_STEPS,
    held: NDArray[np.bool_] | None = None,
    settled: float = 0.0,
) -> tuple[FloatArray, FloatArray]:
    """Levenberg-Marquardt from every start at once, kept inside the unit cube.

    Marquardt's scaling of the damping (SIAM J. Appl. Math. 11, 431 (1963));
    coordinates that push against a face of the cube are held there, and those
    of the mask ``held``, shape (d,), stay where they start. A descent ends with a step that
    lowers its sum by less than ``settled``.

    Returns
    -------
    End points (n, d) and their sums of squares (n,).
    """
    return descend_rows(lambda u, wall, _: residuals(u, wall), starts, wall, steps, held, settled)


def descend_rows(
    residuals: RowResiduals,
    starts: FloatArray,
    wall: float,
    steps: int = _DESCENT_STEPS,
    held: NDArray[np.bool_] | None = None,
    settled: float = 0.0,
) -> tuple[FloatArray, FloatArray]:
    """As :func:`descend`, where each start has a sum of squares of its own."""
    points = starts.copy()
    rows = np.arange(len(points))
    current = residuals(points, wall, rows)
    costs = cost(current)
    free = np.arange(points.shape[1]) if held is None else np.flatnonzero(~held)
    if not len(free):
        return points, costs
    damping = np.full(len(points), 1e-2)
    live = rows
    for _ in range(steps):
        step = _damped_step(residuals, points[live], live, current[live], wall, damping[live], free)
        trial = np.clip(points[live] + step, 0, 1)
        trial_residuals = residuals(trial, wall, live)
        trial_costs = cost(trial_residuals)
        better = trial_costs < costs[live]
        arrived = better & (trial_costs > costs[live] - settled)
        moved = live[better]
        points[moved], current[moved] = trial[better], trial_residuals[better]
        costs[moved] = trial_costs[better]
        damping[live] = np.maximum(damping[live] * np.where(better, 0.3, 5.0), 1e-9)
        live = live[(damping[live] < _HOPELESS_DAMPING) & (costs[live] > 0) & ~arrived]
        if not len(live):
            break
    return points, costs


def cost(residuals: FloatArray) -> FloatArray:
    """Sum of squares; infinite where the function is not defined, so that nobody goes there."""
    total = np.einsum("nk,nk->n", residuals, residuals)
    return np.where(np.isnan(total), np.inf, total)


def _damped_step(
    residuals: RowResiduals,
    points: FloatArray,
    rows: NDArray[np.intp],
    current: FloatArray,
    wall: float,
    damping: FloatArray,
    free: NDArray[np.intp],
) -> FloatArray:
    """Step along the coordinates ``free``, zero along the others; shape (n, d)."""
    jacobian = _jacobian(residuals, points, rows, current, wall, free)
    gradient = np.einsum("ndk,nk->nd", jacobian, current)
    hessian = jacobian @ jacobian.transpose(0, 2, 1)  # several times as fast as einsum
    at = points[:, free]
    held = ((at <= 0) & (gradient > 0)) | ((at >= 1) & (gradient < 0))
    gradient[held] = 0
    hessian[held[:, :, None] | held[:, None, :]] = 0
    axis = np.arange(len(free))
    scale = hessian[:, axis, axis]
    # A coordinate that nothing depends on gets a small share of the largest scale, so
    # that the matrix stays regular; a held one gets 1.
    floor = 1e-6 * scale.max(axis=1, keepdims=True) + 1e-12
    hessian[:, axis, axis] += damping[:, None] * (scale + floor) + floor * 1e-6 + held
    step = -np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
    longest = np.abs(step).max(axis=1, keepdims=True)
    limited = np.zeros_like(points)
    limited[:, free] = step * np.minimum(1, 0.3 / np.maximum(longest, 1e-300))
    return limited


def _jacobian(
    residuals: RowResiduals,
    points: FloatArray,
    rows: NDArray[np.intp],
    current: FloatArray,
    wall: float,
    free: NDArray[np.intp],
) -> FloatArray:
    """d residual k/d free coordinate f by one-sided differences into the cube; shape (n, f, k)."""
    n, d = points.shape
    f = len(free)
    step = np.where(points[:, free] > 0.5, -_STEP, _STEP)
    shifted = np.repeat(points[:, None, :], f, axis=1)
    shifted[:, np.arange(f), free] += step
    values = residuals(shifted.reshape(n * f, d), wall, np.repeat(rows, f)).reshape(n, f, -1)
    result: FloatArray = (values - current[:, None, :]) / step[:, :, None]
    return result


def _polish(objective: Objective, u: FloatArray, value: float) -> tuple[FloatArray, float]:
    """Nelder-Mead on the true chi2, restarted from simplices of several sizes."""

    def inside(point: FloatArray) -> float:
        if np.any((point < 0) | (point > 1)):
            return float("inf")
        return float(objective(point[None])[0])

    d, fruitless = len(u), 0
    for size in (1e-2, 1e-3, 1e-4, 1e-5):
        inwards = np.where(u > 0.5, -size, size)
        simplex = u + np.vstack([np.zeros(d), np.diag(inwards)])
        result = minimize(
            inside,
            u,
            method="Nelder-Mead",
            options={
                "adaptive": d > 1,
                "initial_simplex": simplex,
                "xatol": np.inf,  # along some coordinates nothing changes
                "fatol": 1e-9,
                "maxfev": 300 * d,
            },
        )
        fruitless = 0 if result.fun < value - _POLISHED else fruitless + 1
        if result.fun < value:
            u, value = result.x, float(result.fun)
        if fruitless == _FRUITLESS:
            break
    return u, value
