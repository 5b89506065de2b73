"""Shared fixture of the examples in docstrings."""

from collections.abc import Iterator

import pytest
from helpers_samplers import quick


@pytest.fixture(autouse=True)
def quick_examples(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let the fits of examples take less time; their numbers are tested elsewhere."""
    if not isinstance(request.node, pytest.DoctestItem):
        yield
        return
    with quick():
        yield
