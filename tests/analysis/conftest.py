"""Exclusion maps shared by several test files."""

import pytest
from drawn_planes import Drawn, packaged


@pytest.fixture(scope="module")
def fig2a() -> Drawn:
    return packaged("paper_fig2a")


@pytest.fixture(scope="module")
def fig2c() -> Drawn:
    return packaged("paper_fig2c")
