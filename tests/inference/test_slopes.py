"""Compare slopes and steps of descents with linear algebra, corrected slopes with exact ones."""

import numpy as np
import pytest

from zpfit.inference.search.descent import TRUST, descend, descend_rows
from zpfit.inference.search.slopes import Slopes
from zpfit.likelihood.exclusions import wall_residual

MATRIX = np.array([[3.0, 1.0, 0.0], [0.0, 2.0, -1.0], [1.0, 1.0, 5.0], [0.0, 0.0, 0.0]])
TARGET = np.array([0.5, 0.3, 2.0, 0.0])
FREE = np.arange(3)


def linear(u, wall, rows):
    return u @ MATRIX.T - TARGET


def slopes_at(points, residuals=linear):
    rows = np.arange(len(points))
    current = residuals(points, 1.0, rows)
    slopes = Slopes.empty(current, FREE)
    slopes.update(residuals, points, rows, current, 1.0)
    return slopes, current, rows


def test_slopes_of_linear_residuals_are_products_of_their_matrix():
    points = np.random.default_rng(1).random((6, 3))
    slopes, current, _ = slopes_at(points)
    np.testing.assert_allclose(slopes.jacobian, np.tile(MATRIX.T, (6, 1, 1)), atol=1e-7)
    np.testing.assert_allclose(slopes.gradient, current @ MATRIX, atol=1e-6)
    lower = np.tril_indices(3)
    expected = (MATRIX.T @ MATRIX)[lower]
    np.testing.assert_allclose(slopes.hessian[:, *lower], np.tile(expected, (6, 1)), atol=1e-6)


def test_an_undamped_step_solves_linear_least_squares():
    points = np.full((1, 3), 0.4)
    slopes, current, rows = slopes_at(points)
    step, gain = slopes.damped_step(points, rows, np.array([1e-12]), 10.0)
    least = np.linalg.lstsq(MATRIX, TARGET)[0]
    np.testing.assert_allclose(points[0] + step[0], least, rtol=1e-6)
    left = np.sum((MATRIX @ least - TARGET) ** 2)
    assert gain[0] == pytest.approx(np.sum(current**2) - left, rel=1e-6)


def test_a_damped_step_is_that_of_numpy_with_a_held_coordinate_and_a_longest_step():
    """At u = 0 the first coordinate pushes outwards, as its gradient is positive."""
    points = np.array([[0.0, 0.9, 0.1]])
    slopes, current, rows = slopes_at(points)
    gradient = (current @ MATRIX)[0, 1:]
    assert slopes.gradient[0, 0] > 0
    hessian = (MATRIX.T @ MATRIX)[1:, 1:]
    damped = hessian + 0.5 * np.diag(np.diag(hessian))
    expected = -np.linalg.solve(damped, gradient)
    whole, _ = slopes.damped_step(points, rows, np.array([0.5]), 10.0)
    np.testing.assert_allclose(whole[0], [0, *expected], atol=1e-5)
    longest = 0.5 * np.abs(expected).max()
    part, gain = slopes.damped_step(points, rows, np.array([0.5]), longest)
    np.testing.assert_allclose(part[0], 0.5 * whole[0], rtol=1e-5)
    after = current[0] + MATRIX @ part[0]
    assert gain[0] == pytest.approx(np.sum(current**2) - np.sum(after**2), rel=1e-5)


def test_a_corrected_jacobian_predicts_the_last_step_and_keeps_other_directions():
    """Broyden's formula, C. G. Broyden, Math. Comp. 19, 577 (1965), eq. (4.5)."""
    points = np.full((1, 3), 0.4)

    def curved(u, wall, rows):
        return linear(u, wall, rows) ** 2

    slopes, before, rows = slopes_at(points, curved)
    old = slopes.jacobian.copy()
    step = np.array([[0.1, 0.0, -0.2]])
    current = curved(points + step, 1.0, rows)
    slopes.correct(rows, step, before, current)
    np.testing.assert_allclose(step[0] @ slopes.jacobian[0], (current - before)[0], atol=1e-9)
    for across in ([0.0, 1.0, 0.0], [2.0, 0.0, 1.0]):
        np.testing.assert_allclose(across @ slopes.jacobian[0], across @ old[0], atol=1e-12)
    np.testing.assert_allclose(slopes.gradient[0], slopes.jacobian[0] @ current[0])


def walled(u, wall):
    """Residuals of six coordinates that are curved, with a wall on which their minimum lies."""
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(2, 9, 6))
    curved = (u - 0.6) @ a.T + 0.3 * ((u - 0.6) @ b.T) ** 2
    return np.column_stack([10 * curved, wall_residual(u.sum(axis=1) / 3, wall)])


def test_corrected_slopes_end_where_exact_ones_do_with_fewer_residuals():
    asked = []

    def residuals(u, wall):
        asked.append(len(u))
        return walled(u, wall)

    starts = np.random.default_rng(3).random((100, 6))
    fast, fast_costs = descend(residuals, starts, 30.0, 200, tolerance=1e-9, trust=TRUST)
    fast_asked, asked[:] = sum(asked), []
    slow, slow_costs = descend(residuals, starts, 30.0, 200, tolerance=1e-9)
    np.testing.assert_allclose(fast_costs, slow_costs, atol=1e-8)
    np.testing.assert_allclose(fast, slow, atol=1e-5)
    assert fast_asked < 0.9 * sum(asked)


def test_descents_are_given_up_for_others_of_their_label_alone():
    """Label 0 has the least sum 0, label 1 the least sum 9: its descents go on to their ends."""
    label = np.repeat([0, 1], 20)

    def residuals(u, wall, rows):
        depth = np.where(label[rows] == 1, 3.0, 0.0)
        return np.column_stack([np.tanh(9 * (u[:, 0] - 0.3)), u[:, 1] - 0.6, depth])

    starts = np.random.default_rng(4).random((40, 2))
    _, together = descend_rows(residuals, starts, 1.0, margin=0.1, trust=TRUST)
    _, apart = descend_rows(residuals, starts, 1.0, margin=0.1, label=label, trust=TRUST)
    np.testing.assert_allclose(apart[:20], 0, atol=1e-6)
    np.testing.assert_allclose(apart[20:], 9, atol=1e-6)
    assert together[20:].max() > 9.001
