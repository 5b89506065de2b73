"""Read named data entries and sets of entries."""

from pathlib import Path
from typing import NamedTuple

from zpfit.io.library import Library
from zpfit.io.places import FOLDERS
from zpfit.io.schema import validate
from zpfit.likelihood.darkcast import SUFFIX
from zpfit.likelihood.entries import Entry, EntryFile, SetFile, curve_of, observables_of
from zpfit.likelihood.observables import check_name

LIMITS = "limits"
"""Where a run folder keeps limit files that have no entry."""


class LoadedEntry(NamedTuple):
    """An entry, its name and the file it came from."""

    name: str
    path: Path
    """Of the entry, or of a limit file that stands for itself."""
    entry: Entry

    @property
    def curve(self) -> Path | None:
        """The table behind the entry, if it has one."""
        name = curve_of(self.entry)
        if self._is_limit:
            return self.path
        return None if name is None else self.path.parent / name

    def files(self) -> dict[str, Path]:
        """Entry and table, by where a library looks for them."""
        if self._is_limit:
            return {f"{LIMITS}/{self.name}{SUFFIX}": self.path}
        found = {f"{FOLDERS['entry']}/{self.path.name}": self.path}
        if self.curve is not None:
            found[f"{FOLDERS['entry']}/{curve_of(self.entry)}"] = self.curve
        return found

    @property
    def _is_limit(self) -> bool:
        return self.path.suffix == SUFFIX


def read_set(library: Library, name: str, place: str = "") -> SetFile:
    """Read a named set of entries."""
    return validate(SetFile, library.document("likelihood set", name, place))


def read_entry(library: Library, name: str, place: str = "") -> LoadedEntry:
    """Read a data entry; its curve is read when a term is built.

    Raises
    ------
    InvalidInput
        The file breaks the schema or names an unknown observable.
    """
    document = library.document("entry", name, place)
    entry = validate(EntryFile, document).root
    key = "observable" if "observable" in document.data else "observables"
    for observable in observables_of(entry):
        if isinstance(observable, str):
            check_name(observable, document.place([key]))
    return LoadedEntry(name, document.path, entry)
