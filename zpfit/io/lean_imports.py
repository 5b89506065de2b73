"""Import a package without another one that it uses only if it is there.

ArviZ's packages load xarray and pandas for data that zpfit does not give them, which takes as long
as all plots of a run.
"""

import sys
from functools import cache
from importlib import import_module
from threading import Lock
from types import ModuleType
from typing import Final, cast

_lock: Final = Lock()


@cache
def import_without(module: str, hidden: str) -> ModuleType:
    """Return a module, imported as if another one were not installed.

    A later ``import`` elsewhere loads the whole package. If the other one is loaded already, so is
    the module, as usual.

    Parameters
    ----------
    module : str
        Full name of the module.
    hidden : str
        Name of what its package can do without.

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
        try:
            return import_module(module)
        finally:
            del sys.modules[hidden]
            for name in set(sys.modules) - before:
                if name.partition(".")[0] == package:
                    del sys.modules[name]
