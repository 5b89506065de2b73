"""How the fits of a campaign are stored: a folder for each, or columns."""

from enum import StrEnum
from pathlib import Path

from zpfit.errors import OtherStore

RUNS = "runs"
"""Folder of the folders of fits, inside the folder of the campaign."""
PARTS = "fits"
"""Folder of the columns, inside the folder of the campaign."""


class Store(StrEnum):
    """The ways to store fits."""

    FOLDERS = "folders"
    PARQUET = "parquet"


_PLACES = {Store.FOLDERS: RUNS, Store.PARQUET: PARTS}


def store_in(output: Path) -> Store | None:
    """Return how a folder stores its fits; None if it holds none.

    Examples
    --------
    >>> store_in(Path("no such folder")) is None
    True
    """
    return next((store for store, name in _PLACES.items() if (output / name).is_dir()), None)


def check_store(output: Path, store: Store) -> None:
    """Check that a folder can take fits that are stored in one way.

    Raises
    ------
    OtherStore
        It holds fits that are stored in another way.
    """
    found = store_in(output)
    if found not in {None, store}:
        raise OtherStore(output, str(found))
