"""Versions of Python and of the packages that numbers depend on."""

import importlib.metadata
import platform
from functools import cache

PACKAGES = ("zpfit", "numpy", "scipy", "numba", "vegas", "emcee", "dynesty", "arviz")
"""Packages whose versions a result records."""


@cache
def versions() -> dict[str, str]:
    """Return the version of Python and of each package in :data:`PACKAGES`."""
    found = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version()} | found
