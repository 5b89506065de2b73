"""Versions of Python and of the packages that numbers depend on."""

import importlib.metadata
import platform
from functools import cache

PACKAGES = ("zpfit", "numpy", "scipy", "numba", "arviz", "arviz-stats")
"""Packages whose versions every result records; sampling engines add theirs."""


@cache
def versions(others: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the version of Python, of each package in :data:`PACKAGES` and of others."""
    found = {name: importlib.metadata.version(name) for name in (*PACKAGES, *others)}
    return {"python": platform.python_version()} | found
