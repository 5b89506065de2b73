"""Reading of data entries and sets of entries by name."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from zpfit.errors import InvalidInput, suggestion
from zpfit.io.document import Document
from zpfit.io.letters import with_one_mu
from zpfit.io.library import Library
from zpfit.io.places import FOLDERS
from zpfit.io.schema import validate
from zpfit.likelihood.darkcast import SUFFIX
from zpfit.likelihood.entries import Entry, EntryFile, SetFile, curve_of, observables_of
from zpfit.likelihood.observables import check_name

LIMITS = "limits"
"""Folder in a run's data for limit files that have no entry."""


class LoadedEntry(NamedTuple):
    """An entry with its name and file."""

    name: str
    path: Path
    """File of the entry, or a limit file without an entry."""
    entry: Entry

    @property
    def curve(self) -> Path | None:
        """File with the table of the entry, if it has one."""
        name = curve_of(self.entry)
        if self._is_limit:
            return self.path
        return None if name is None else self.path.parent / name

    def files(self) -> dict[str, Path]:
        """Return the files of entry and table, by their paths in a library."""
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
    """Return a named set; its entries include those of the sets that it is based on.

    Raises
    ------
    UnknownName
        No set has that name; ``place`` says where it is named.
    InvalidInput
        A file does not fit the schema, or a set is based on itself.

    Examples
    --------
    >>> library = Library.beside()
    >>> soft, hard = (read_set(library, name) for name in ("today_cs_soft", "today_cs"))
    >>> soft.entries == hard.entries, soft.exclusions
    (True, 'soft')
    """
    return _with_entries(_chain(library, library.document("likelihood set", name, place)))


def entries_of_set(document: Document, library: Library) -> tuple[str, ...]:
    """Return the entries of the set in a file; the library holds the sets that it is based on."""
    return _with_entries(_chain(library, document)).entries


def set_files(library: Library, name: str) -> tuple[Path, ...]:
    """Return the file of a set and those of the sets that it is based on."""
    document = library.document("likelihood set", name)
    return tuple(path for path, _ in _chain(library, document))


def _with_entries(chain: Sequence[tuple[Path, SetFile]]) -> SetFile:
    """Return the first set with the entries of all, less those that one of them drops.

    Raises
    ------
    InvalidInput
        A set drops an entry that the set it is based on lacks.
    """
    entries: tuple[str, ...] = ()
    for path, chosen in reversed(chain):
        for name in chosen.drop:
            if name not in entries:
                hint = suggestion(name, entries)
                raise InvalidInput([f"{path}: drop: {name!r} is not in the base; {hint}"])
        entries = tuple(e for e in entries if e not in chosen.drop) + chosen.entries
    return chain[0][1].model_copy(update={"entries": entries})


def _chain(library: Library, document: Document) -> list[tuple[Path, SetFile]]:
    """Return a set and the sets that it is based on, with their files."""
    found = [(document.path, validate(SetFile, document))]
    while (base := found[-1][1].base) is not None:
        place = document.place(["base"])
        document = library.document("likelihood set", base, place)
        if document.path in [path for path, _ in found]:
            raise InvalidInput([f"{place}: set {base!r} is based on itself; name another"])
        found.append((document.path, validate(SetFile, document)))
    return found


def read_entry(library: Library, name: str, place: str = "") -> LoadedEntry:
    """Return a data entry; its table is read when a term is built.

    Parameters
    ----------
    library : Library
        Folders in which the name is looked up.
    name : str
    place : str, optional
        Place of the name in a file, for messages.

    Raises
    ------
    UnknownName
        No entry has that name.
    InvalidInput
        The file does not fit the schema or names an unknown observable.

    Examples
    --------
    >>> loaded = read_entry(Library.beside(), "a_e_cs_2018")
    >>> loaded.entry.observable, loaded.entry.value
    ('delta_a_e', -8.7e-13)
    """
    return loaded_entry(library.document("entry", name, place))


def loaded_entry(document: Document) -> LoadedEntry:
    """Return the entry of a file.

    Raises
    ------
    InvalidInput
        The file does not fit the schema or names an unknown observable.
    """
    entry = validate(EntryFile, document).root
    key = "observable" if "observable" in document.data else "observables"
    for observable in observables_of(entry):
        if isinstance(observable, str):
            check_name(observable, document.place([key]))
    return LoadedEntry(with_one_mu(document.path.stem), document.path, entry)
