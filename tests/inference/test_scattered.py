"""Random starts of min-max searches: how many there are, and which are followed to their ends."""

import numpy as np
import pytest

from zpfit.inference.search.minmax import Constraints, scattered, starts_for
from zpfit.inference.search.selection import Space


def distance(u):
    """Return ten times the distance of each coordinate from that of a point."""
    at = np.array([0.35, 0.7, 0.2])
    return Constraints.of(list(10 * np.abs(u - at).T), [], [])


@pytest.mark.parametrize("fraction", [1.0, 0.4])
@pytest.mark.parametrize("steps", [0.0, 0.1])
def test_some_points_reach_the_level_whether_all_starts_are_followed_or_a_quarter(fraction, steps):
    space = Space(np.array([steps, 0.0, 0.0]))
    found = scattered(distance, 0.0, space, np.random.default_rng(1), fraction)
    assert len(found) == pytest.approx(fraction * starts_for(space), abs=1)
    off = distance(found).largest()
    assert off.min() < 1e-3
    # One start in ten is in the right step.
    assert (off < 1e-3).mean() > (0.01 if steps else 0.9)
