"""Shared fixture of the examples in docstrings."""

from collections.abc import Iterator

import pytest
from helpers_samplers import quick
from light_toys import shrink_pool


@pytest.fixture(autouse=True)
def quick_examples(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Let the fits of examples take less time; their numbers are tested elsewhere."""
    if not isinstance(request.node, pytest.DoctestItem):
        yield
        return
    shrink_pool(monkeypatch)
    with quick():
        yield
