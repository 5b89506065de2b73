"""Import a module without packages that the caller does not use.

ArviZ's packages load xarray and pandas for data that zpfit does not give them, which takes as long
as all plots of a run, and scipy.signal for densities that zpfit does not draw.
"""

import sys
from functools import cache
from importlib import import_module
from threading import Lock
from types import ModuleType
from typing import Final, cast

_lock: Final = Lock()


class _Unused(ModuleType):
    """A module whose functions are imported by name and never called."""

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


@cache
def import_without(module: str, hidden: str, *unused: str) -> ModuleType:
    """Return a module, imported as if another one were not installed.

    A later ``import`` elsewhere loads the whole package. If the other one is loaded already, so is
    the module, as usual.

    Parameters
    ----------
    module : str
        Full name of the module.
    hidden : str
        Name of what its package can do without.
    *unused : str
        Names of modules from which its package takes functions that the caller never uses, each
        parent before its children. They are None in the result.

    Examples
    --------
    >>> import_without("json.decoder", "xarray").JSONDecoder().decode("[1]")
    [1]
    """
    with _lock:
        if hidden in sys.modules:
            return import_module(module)
        package = module.partition(".")[0]
        before = set(sys.modules)
        sys.modules[hidden] = cast(ModuleType, None)  # an import then fails
        spared = [name for name in unused if name not in before]
        sys.modules |= {name: _Unused(name) for name in spared}
        try:
            return import_module(module)
        finally:
            for name in (hidden, *spared):
                del sys.modules[name]
            for name in set(sys.modules) - before:
                if name.partition(".")[0] == package:
                    del sys.modules[name]
