"""Read slices from a file, changed by further values."""

from collections.abc import Sequence
from pathlib import Path

from zpfit.analysis.exclusion.slice import Slice, resolve_slice
from zpfit.io.document import Document, Given, KeyPath
from zpfit.io.library import Library
from zpfit.io.yaml import read_yaml
from zpfit.runs.run_file import find_file, with_change, with_entries

_NAME = "slice"
"""Place in messages of a slice without a file."""


def load_slice(
    file: str | None,
    changes: Sequence[tuple[KeyPath, Given]] = (),
    added: Sequence[Given] = (),
    title: str = "",
    *,
    dropped: Sequence[Given] = (),
) -> Slice:
    """Read a slice, make changes to it, and check the result.

    Parameters
    ----------
    file
        A path or the name of a packaged slice; None if ``changes`` hold all of it.
    changes
        Keys of the slice file with new values, in the order in which they are made.
    added
        Entries and limit files that are added to the likelihood.
    title
        Title of a slice without a file.
    dropped
        Entries to leave out.

    Raises
    ------
    UnknownName
        No slice has that name.
    InvalidInput
        The slice has problems; each is reported with its place.
    """
    path = None if file is None else find_file("slice", file)
    document = Document(Path(_NAME), {"title": title}, {}) if path is None else read_yaml(path)
    for keys, given in changes:
        document = with_change(document, keys, given.value, given.source)
    return resolve_slice(with_entries(document, added, dropped), Library.beside(path))
