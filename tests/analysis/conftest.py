"""Exclusion maps that several files of tests share."""

import pytest
from drawn_planes import Drawn, packaged


@pytest.fixture(scope="module")
def fig2a() -> Drawn:
    return packaged("paper_fig2a")


@pytest.fixture(scope="module")
def fig2c() -> Drawn:
    return packaged("paper_fig2c")
