"""Fixtures of the tests of zpfit's interfaces to other programs."""

import logging
import warnings
from collections.abc import Iterator

import pytest


@pytest.fixture
def quiet() -> Iterator[None]:
    """Ignore the warnings of other programs, and remove their handlers from the root logger."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    root.handlers[:] = handlers
    root.setLevel(level)
