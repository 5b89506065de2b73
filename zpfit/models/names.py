"""Names of all models, without importing them, so that shells complete names at once."""

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint
from pathlib import Path

from zpfit.io.places import names_in
from zpfit.io.plugins import plugins_of

PLUGINS = "zpfit.models"
"""Group of entry points through which installed packages offer models."""
BUILT_IN_NAMES = ("effective", "sm_u1", "nhdm_u1", "froggatt_nielsen", "x17")
"""Names of the models that are part of zpfit."""


def names_of_models(roots: Iterable[Path]) -> list[str]:
    """Return the names of built-in models, of files and of installed packages, sorted."""
    return sorted({*BUILT_IN_NAMES, *names_in(roots, "model"), *plugins()})


def plugins() -> Mapping[str, EntryPoint]:
    """Return the models of installed packages by name."""
    return plugins_of(PLUGINS)
