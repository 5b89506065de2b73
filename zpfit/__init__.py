"""Bayesian global fits of a light Z' boson.

``import zpfit`` is fast: the names below are imported when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zpfit.api import Likelihood as Likelihood
    from zpfit.api import Model as Model
    from zpfit.api import Result as Result
    from zpfit.api import ZpfitError as ZpfitError
    from zpfit.api import available as available
    from zpfit.api import compare as compare
    from zpfit.api import evaluate as evaluate
    from zpfit.api import exclusion as exclusion
    from zpfit.api import fit as fit
    from zpfit.api import load as load
    from zpfit.api import profile as profile
    from zpfit.api import tension as tension

_PUBLIC = (
    "Likelihood",
    "Model",
    "Result",
    "ZpfitError",
    "available",
    "compare",
    "evaluate",
    "exclusion",
    "fit",
    "load",
    "profile",
    "tension",
)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name in _PUBLIC:
        value = getattr(import_module("zpfit.api"), name)
        globals()[name] = value
        return value
    if name == "__version__":
        from importlib.metadata import version

        return version("zpfit")
    raise AttributeError(f"module 'zpfit' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names."""
    return sorted([*_PUBLIC, "__version__"])
