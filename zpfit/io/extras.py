"""Optional dependencies, which an extra of the package installs."""

import importlib
from typing import Any

from zpfit.errors import MissingExtra


def import_extra(module: str, extra: str) -> Any:
    """Return a module of an optional dependency.

    Parameters
    ----------
    module : str
        Full name of the module.
    extra : str
        Name of the extra that installs it, as in ``pip install 'zpfit[extra]'``.

    Raises
    ------
    MissingExtra
        The module cannot be imported.

    Examples
    --------
    >>> import_extra("json", "report").dumps([1])
    '[1]'
    >>> import_extra("no_such_module", "report")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
        ...
    zpfit.errors.MissingExtra: no_such_module cannot be used
    """
    try:
        return importlib.import_module(module)
    except (ImportError, RuntimeError) as error:  # mpi4py without an MPI raises RuntimeError
        raise MissingExtra(module, extra, str(error)) from error


def require(extra: str, *modules: str) -> None:
    """Check that the modules of an extra can be imported.

    A package that needs an extra calls this before its own imports, so that a missing
    dependency gives :class:`MissingExtra`, which names the extra.

    Raises
    ------
    MissingExtra
        One of the modules cannot be imported.
    """
    for module in modules:
        import_extra(module, extra)
