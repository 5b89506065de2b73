"""Compare compiled densities with NumPy's search, interpolation and linear algebra."""

import numpy as np
import pytest

from zpfit.inference.densities.histograms import HistogramTable
from zpfit.inference.densities.students import densities, distances

RNG = np.random.default_rng(2)
EDGES = {
    "one interval": [0.0, 1.0],
    "equal": np.linspace(0, 1, 9),
    "many in one cell": [0.0, *(0.3 + 1e-9 * np.sort(RNG.random(500))), 1.0],
    "at random": [0.0, *np.sort(RNG.random(1000)), 1.0],
    "towards an end": [0.0, *np.geomspace(1e-12, 0.9, 99), 1.0],
}


@pytest.mark.parametrize("name", EDGES)
def test_densities_are_those_of_the_interval_that_numpy_finds(name: str) -> None:
    """Points between, on and beside edges, at the ends and outside; three axes at once."""
    edges = np.array(EDGES[name])
    inside = np.concatenate([edges, *(np.nextafter(edges, end) for end in (0, 1))])
    u = np.concatenate([inside, RNG.random(2_000), [-0.1, 1.1, 0.0, 1.0]])
    volume = np.diff(edges) * (len(edges) - 1)
    along = volume[np.searchsorted(edges[1:-1], u, side="right")]
    other = np.array([0.0, 0.2, 1.0])
    mixed = np.column_stack([u, np.full(len(u), 0.1), u])
    table = HistogramTable.of([edges, other, edges])
    np.testing.assert_array_equal(table.volumes(mixed), along * 0.4 * along)


@pytest.mark.parametrize("name", EDGES)
def test_draws_are_random_numbers_between_interpolated_edges(name: str) -> None:
    edges = np.array(EDGES[name])
    table = HistogramTable.of([edges, np.linspace(0, 1, 3)])
    found = table.draw(np.random.default_rng(3), 2_000)
    y = np.random.default_rng(3).random((2_000, 2))
    expected = np.interp(y[:, 0], np.linspace(0, 1, len(edges)), edges)
    np.testing.assert_allclose(found, np.column_stack([expected, y[:, 1]]), rtol=0, atol=1e-13)


@pytest.mark.parametrize("n", [0, 1, 127, 128, 300])  # blocks hold 128 points
def test_distances_are_those_of_linear_algebra(n: int) -> None:
    rng = np.random.default_rng(4)
    root = np.tril(rng.random((3, 3))) + np.eye(3)
    centre, width = np.array([0.4, 0.55, 0.6, 0.2]), np.array([0.0, 0.25, 0.0, 0.0])
    u = rng.random((n, 4))
    offset = np.linalg.solve(root, (u - centre)[:, [0, 2, 3]].T)
    same_step = np.floor(u[:, 1] * 4) == 2
    expected = np.where(same_step, np.sum(offset**2, axis=0), np.inf)
    found = distances(u, centre, np.linalg.inv(root), width)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("dimension", [0, 1, 2, 7])
def test_densities_fall_with_the_power_of_students_distribution(dimension: int) -> None:
    square = np.array([0.0, 1e-9, 0.3, 5.0, 1e4, 1e200, np.inf])
    expected = 3.0 * (1 + square / 5) ** (-0.5 * (5 + dimension))
    np.testing.assert_allclose(densities(square, 3.0, dimension), expected, rtol=1e-13)
