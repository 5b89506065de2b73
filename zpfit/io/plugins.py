"""Entry points by which installed packages offer models, observables, engines and data."""

import sys
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType


def plugins_of(group: str) -> Mapping[str, EntryPoint]:
    """Return the entry points of a group by name, in alphabetical order; imports nothing.

    Parameters
    ----------
    group : str
        A group such as ``zpfit.models``.

    Examples
    --------
    >>> dict(plugins_of("zpfit.no_such_group"))
    {}
    """
    return _plugins_of(group, tuple((folder, _modified(folder)) for folder in sys.path))


@lru_cache(maxsize=16)
def _plugins_of(
    group: str,
    installed: tuple[tuple[str, int], ...],  # noqa: ARG001 - key of the cache
) -> Mapping[str, EntryPoint]:
    """Return the entry points; cached, as reading the metadata of all packages takes 10 ms."""
    points = sorted(entry_points(group=group), key=lambda point: point.name)
    return MappingProxyType({point.name: point for point in points})


def _modified(folder: str) -> int:
    """Return when a folder last gained or lost a package, or 0 if it cannot be read."""
    try:
        return Path(folder or ".").stat().st_mtime_ns
    except OSError:
        return 0
