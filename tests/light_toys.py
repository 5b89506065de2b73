"""A small pool of starting points, so that tests of toys take a second."""

import pytest

from zpfit.analysis.toys import refit

SMALL = {
    "_TRAINING": 10,
    "_RANDOM_STARTS": 60,
    "_RANDOM_STARTS_WITH_STEPS": 200,
    "_TRAINING_ROUNDS": 1,
    "_STARTS": 4,
    "_ROUNDS": 1,
}
"""Options of the fast refit that are enough for models with one minimum."""


def shrink_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SMALL.items():
        monkeypatch.setattr(refit, name, value)
