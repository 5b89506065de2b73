"""Folders in which named files are looked up.

Shell completion uses this module, so it imports nothing slow and reads no file's content.
"""

import sys
from collections.abc import Iterable
from functools import lru_cache
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from zpfit.io.letters import with_one_mu
from zpfit.io.logging import LOGGER
from zpfit.io.plugins import plugins_of

Kind = Literal["entry", "likelihood set", "model", "priors", "run", "slice", "campaign"]
"""Kind of a named file."""

FOLDERS: dict[Kind, str] = {
    "entry": "likelihoods/entries",
    "likelihood set": "likelihoods/sets",
    "model": "models",
    "priors": "priors",
    "run": "runs",
    "slice": "slices",
    "campaign": "campaigns",
}
"""Folder of each kind of file, relative to a root."""

DATA = "zpfit.data"
"""Group of entry points by which installed packages offer named files.

An entry point names a package, whose folder contains ``likelihoods``, ``priors``, ``models``,
``runs`` and so on, or a ``package:attribute`` that holds the path of such a folder.
"""


def packaged_data() -> Path:
    """Return the folder with zpfit's own ``likelihoods``, ``models``, ``runs`` and so on."""
    package = Path(__file__).parent.parent
    installed = package / "data"
    return installed if installed.is_dir() else package.parent


def data_packages() -> tuple[Path, ...]:
    """Return the folders that installed packages offer in the group :data:`DATA`.

    Folders are in the order of the names of their entry points. A package that cannot be found is
    logged as a warning and left out, so that it does not stop the use of other data.
    """
    return _data_packages(tuple(sys.path))


@lru_cache(maxsize=1)
def _data_packages(path: tuple[str, ...]) -> tuple[Path, ...]:  # noqa: ARG001 - key of the cache
    """Return the folders; cached, so that a package that cannot be found is reported once."""
    found = []
    for point in plugins_of(DATA).values():
        try:
            found.append(_folder_of(point))
        except Exception as error:  # noqa: BLE001 - importing a package may fail in any way
            reason = f"{type(error).__name__}: {error}"
            LOGGER.warning("data package %s = %s: %s", point.name, point.value, reason)
    return tuple(dict.fromkeys(found))


def _folder_of(point: EntryPoint) -> Path:
    """Return the folder of an entry point; a package without an attribute is not imported.

    Raises
    ------
    FileNotFoundError
        There is no such package or folder.
    """
    if point.attr:
        folder = Path(point.load())
    else:
        spec = find_spec(point.module)
        folders = spec.submodule_search_locations if spec is not None else None
        if not folders:
            raise FileNotFoundError(f"{point.module!r} is not an installed package")
        folder = Path(next(iter(folders)))
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder")
    return folder


def search_roots(*own: Path) -> tuple[Path, ...]:
    """Return the folders in which names are looked up; earlier ones have priority.

    Parameters
    ----------
    *own : Path
        Folders of the user, such as that of a run file.

    Returns
    -------
    tuple of Path
        The user's folders, the current folder, data packages, and zpfit's own files.
    """
    return tuple(dict.fromkeys([*own, Path.cwd(), *data_packages(), packaged_data()]))


def names_in(roots: Iterable[Path], kind: Kind) -> list[str]:
    """Return all names of a kind below some folders, sorted.

    Examples
    --------
    >>> "paper_2021_cs" in names_in([packaged_data()], "likelihood set")
    True
    """
    return sorted(
        {with_one_mu(path.stem) for root in roots for path in (root / FOLDERS[kind]).glob("*.yaml")}
    )
