"""Use a small pool of starting points, so that tests of toys take a second."""

from functools import partial

import pytest

from zpfit.analysis.toys.refit import RefitOptions, refit, solution_pool

LIGHT = RefitOptions(
    training=10,
    random_starts=60,
    random_starts_with_steps=200,
    training_rounds=1,
    starts=4,
    rounds=1,
)
"""Options of the fast refit that suffice for models with one minimum."""


def shrink_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fit whole sets of toys with :data:`LIGHT`."""
    small_pool = partial(solution_pool, options=LIGHT)
    monkeypatch.setattr("zpfit.analysis.toys.toys.solution_pool", small_pool)
    monkeypatch.setattr("zpfit.analysis.toys.block.refit", partial(refit, options=LIGHT))
