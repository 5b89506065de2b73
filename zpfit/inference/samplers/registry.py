"""Sampling engines by name: those of zpfit and those of installed packages.

A package offers an engine by an entry point of the group ``zpfit.samplers`` that names an
:class:`~zpfit.inference.samplers.engine.Engine`. It is imported when a run file uses its name.
"""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint

from zpfit.errors import UnknownName
from zpfit.inference.samplers import dynesty, emcee, vegas
from zpfit.inference.samplers.engine import Engine
from zpfit.io.plugins import plugins_of

ENTRY_POINTS = "zpfit.samplers"
"""Group of entry points by which installed packages offer engines."""
BUILT_IN = {engine.name: engine for engine in (emcee.ENGINE, vegas.ENGINE, dynesty.ENGINE)}
"""Engines that are part of zpfit, by name."""


def find_engine(name: str) -> Engine:
    """Return an engine of zpfit or of an installed package.

    Raises
    ------
    UnknownName
        No engine has this name.
    TypeError
        The entry point does not name an :class:`Engine`.

    Examples
    --------
    >>> find_engine("emcee").cross_check
    'dynesty'
    """
    if name in BUILT_IN:
        return BUILT_IN[name]
    point = plugins().get(name)
    if point is None:
        raise UnknownName("sampling engine", name, engine_names())
    return _loaded(point)


def engine_names() -> list[str]:
    """Return the names of all engines, those of zpfit first; imports no plug-in."""
    return list(dict.fromkeys([*BUILT_IN, *sorted(plugins())]))


def packages_behind(name: str) -> tuple[str, ...]:
    """Return the packages of all engines of zpfit and of one more engine, each once."""
    engines = (*BUILT_IN.values(), find_engine(name))
    return tuple(dict.fromkeys(package for engine in engines for package in engine.packages))


def plugins() -> Mapping[str, EntryPoint]:
    """Return the entry points of installed packages by engine name."""
    return plugins_of(ENTRY_POINTS)


@cache
def _loaded(point: EntryPoint) -> Engine:
    engine = point.load()
    if not isinstance(engine, Engine) or engine.name != point.name:
        raise TypeError(
            f"entry point {point.name!r} of group {ENTRY_POINTS}: {point.value} is no Engine of "
            "that name; let it name a zpfit.inference.samplers.engine.Engine"
        )
    return engine
