"""Compare the search for the best fit with known minima."""

import numpy as np
import pytest
from helpers_samplers import first_fast

from zpfit.errors import NoAllowedPoint
from zpfit.inference.search.best_fit import find_minimum
from zpfit.inference.search.descent import descend
from zpfit.io.places import packaged_data
from zpfit.likelihood.exclusions import wall_residual
from zpfit.runs.run_file import load_run


def search(residuals, dimension, seed=0, allowed=lambda u: np.full(len(u), True), starts=300):
    rng = np.random.default_rng(seed)

    def objective(u):
        return np.where(allowed(u), np.sum(residuals(u, 0.0) ** 2, axis=1), np.inf)

    return find_minimum(residuals, objective, rng.random((starts, dimension)), rng)


@pytest.mark.parametrize("dimension", [1, 2, 7])
def test_a_bowl(dimension):
    centre = np.linspace(0.2, 0.9, dimension)
    found = search(lambda u, wall: 30 * (u - centre), dimension)
    np.testing.assert_allclose(found.u, centre, atol=1e-6)
    assert found.chi2 == pytest.approx(0, abs=1e-9)


def test_a_curved_valley():
    """Rosenbrock's function, x and y from -2 to 2, minimum at (1, 1)."""

    def residuals(u, wall):
        x, y = (4 * u - 2).T
        return np.stack([10 * (y - x**2), 1 - x], axis=1)

    found = search(residuals, 2)
    np.testing.assert_allclose(4 * found.u - 2, [1, 1], atol=1e-4)


def test_the_global_one_of_many_minima():
    """Rastrigin's function in three dimensions: a thousand minima, one of them at chi2 = 0."""

    def residuals(u, wall):
        x = 10.24 * (u - 0.47)
        return np.concatenate([x, np.sqrt(10 * (1 - np.cos(2 * np.pi * x)) + 1e-12)], axis=1)

    found = search(residuals, 3, starts=2000)
    np.testing.assert_allclose(found.u, 0.47, atol=1e-4)


def test_a_minimum_on_a_wall():
    """The nearest point to (0.8, 0.3) with x + y < 0.8 is (0.65, 0.15)."""
    target = np.array([0.8, 0.3])

    def residuals(u, wall):
        return np.column_stack([20 * (u - target), wall_residual(u.sum(axis=1) / 0.8, wall)])

    found = search(residuals, 2, allowed=lambda u: u.sum(axis=1) <= 0.8)
    np.testing.assert_allclose(found.u, [0.65, 0.15], atol=2e-3)
    assert found.u.sum() <= 0.8
    assert found.chi2 == pytest.approx(400 * 2 * 0.15**2, rel=1e-2)


def test_a_minimum_in_a_corner_of_the_cube():
    found = search(lambda u, wall: 10 * (u - np.array([1.5, -0.5])), 2)
    np.testing.assert_allclose(found.u, [1, 0], atol=1e-9)


def test_nothing_allowed_is_an_error():
    with pytest.raises(NoAllowedPoint):
        search(lambda u, wall: u, 2, allowed=lambda u: np.full(len(u), False))


def test_a_parameter_that_nothing_depends_on():
    found = search(lambda u, wall: 10 * (u[:, :1] - 0.3), 2)
    assert found.u[0] == pytest.approx(0.3, abs=1e-6)


def test_descents_do_not_depend_on_their_neighbours():
    rng = np.random.default_rng(2)
    starts = rng.random((40, 3))

    def residuals(u, wall):
        return np.stack([np.sin(7 * u[:, 0]) - u[:, 1], u[:, 1] * u[:, 2] - 0.2], axis=1)

    together, _ = descend(residuals, starts, 1.0)
    alone, _ = descend(residuals, starts[3:4], 1.0)
    np.testing.assert_allclose(alone[0], together[3], rtol=1e-9)


def test_held_coordinates_stay_and_cost_no_evaluations():
    """chi2 is 20 |u - c|^2; with the middle coordinate fixed, three points per step find the
    others."""
    centre, asked = np.array([0.2, 0.9, 0.6]), []

    def residuals(u, wall):
        asked.append(u)
        return 20 * (u - centre)

    starts = np.full((4, 3), 0.5)
    starts[:, 1] = [0.0, 0.3, 0.7, 1.0]
    points, costs = descend(residuals, starts, 1.0, held=np.array([False, True, False]))
    np.testing.assert_array_equal(points[:, 1], starts[:, 1])
    np.testing.assert_allclose(points[:, [0, 2]], np.tile(centre[[0, 2]], (4, 1)), atol=1e-6)
    np.testing.assert_allclose(costs, 400 * (starts[:, 1] - 0.9) ** 2, atol=1e-9)
    assert all(set(u[:, 1]) <= set(starts[:, 1]) for u in asked)
    assert len(asked[1]) == 2 * len(starts)


def test_with_every_coordinate_held_points_stay():
    starts = np.random.default_rng(0).random((5, 2))
    points, costs = descend(lambda u, wall: u, starts, 1.0, held=np.array([True, True]))
    np.testing.assert_array_equal(points, starts)
    np.testing.assert_allclose(costs, np.sum(starts**2, axis=1))


@pytest.mark.parametrize(
    ("run_name", "goal"), first_fast(("quickstart", 0.15), ("effective_rb", 0.10)), ids=["cs", "rb"]
)
@pytest.mark.parametrize("seed", first_fast(1, 2, 3))
def test_the_best_fit_of_the_paper_is_the_global_one(run_name, goal, seed):
    """Local minima near 0.33-0.44 differ in the signs of the couplings."""
    posterior = load_run(packaged_data() / "runs" / f"{run_name}.yaml").posterior
    rng = np.random.default_rng(seed)
    starts = rng.random((2000, posterior.dimension))
    found = find_minimum(
        posterior.residuals, lambda u: -2 * posterior.log_likelihood(u), starts, rng
    )
    assert found.chi2 <= goal
    couplings = posterior.couplings(found.u[None])
    assert posterior.likelihood.excluded_by(couplings) == [[]]
    assert found.chi2 == pytest.approx(posterior.likelihood.chi2(couplings)[0])


def test_descents_that_are_given_up_do_not_change_the_best():
    """Narrow wells of different depths: most descents end in one that is not the deepest."""
    calls = []

    def residuals(u, _):
        calls.append(len(u))
        wells = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
        nearest = np.argmin(np.abs(u[:, :1] - wells), axis=1)
        depth = np.array([2.0, 1.5, 1.8, 0.3, 1.7])[nearest]
        return np.column_stack([30 * np.tanh(u[:, 0] - wells[nearest]), u[:, 1] - 0.4, depth])

    starts = np.random.default_rng(1).random((200, 2))
    _, whole = descend(residuals, starts, 1.0)
    slow, calls[:] = sum(calls), []
    _, given_up = descend(residuals, starts, 1.0, tolerance=1e-5, margin=1.0)
    assert given_up.min() == pytest.approx(whole.min(), abs=1e-5)
    assert sum(calls) < 0.7 * slow
