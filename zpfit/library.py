"""Find and read named files: data entries, sets of them, models, priors, runs, slices, campaigns.

A name is looked up in the user's own folders first (beside the run file, then
in the current folder), then among the packaged files.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from zpfit.darkcast_file import SUFFIX
from zpfit.entries import Entry, EntryFile, SetFile, curve_of, observables_of
from zpfit.errors import InvalidInput, UnknownName, suggestion
from zpfit.observables import OBSERVABLES
from zpfit.places import FOLDERS, Kind, names_in, packaged_data
from zpfit.schema import validate
from zpfit.yaml_file import Document, is_file, read_yaml

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


@dataclass(frozen=True)
class Library:
    """Where names are looked up; earlier roots win."""

    roots: tuple[Path, ...]

    @classmethod
    def beside(cls, run_file: Path | None = None) -> "Library":
        """The user's folders, beside ``run_file`` first, then the packaged files.

        A run file that lies in a run folder finds the data that run kept.
        """
        own = []
        if run_file is not None:
            beside = run_file.resolve().parent
            own = [beside, beside / "data"]
        return cls(tuple(dict.fromkeys([*own, Path.cwd(), packaged_data()])))

    def names(self, kind: Kind) -> list[str]:
        """All names of a kind, sorted."""
        return names_in(self.roots, kind)

    def find(self, kind: Kind, name: str, place: str = "") -> Path:
        """The file behind a name.

        Raises:
            UnknownName: nothing has that name; the message says what is close.
        """
        for root in self.roots:
            path = root / FOLDERS[kind] / f"{name}.yaml"
            if path.name == f"{name}.yaml" and is_file(path):
                return path
        raise UnknownName(kind, name, self.names(kind), place)

    def file(self, name: str, place: str) -> Path:
        """A file by its path, which may be relative to the user's folders.

        Raises:
            InvalidInput: there is none.
        """
        for root in self.roots:
            if is_file(root / name):
                return root / name
        remedy = "relative paths are relative to the run file, or to the current folder"
        raise InvalidInput([f"{place}: there is no file {name!r}; {remedy}"])

    def document(self, kind: Kind, name: str, place: str = "") -> Document:
        """The YAML document behind a name."""
        return read_yaml(self.find(kind, name, place))

    def likelihood_set(self, name: str, place: str = "") -> SetFile:
        """A named set of entries."""
        return validate(SetFile, self.document("likelihood set", name, place))

    def entry(self, name: str, place: str = "") -> LoadedEntry:
        """A data entry; its observable is known, its curve is read when a term is built.

        Raises:
            InvalidInput: the file breaks the schema or names an unknown observable.
        """
        document = self.document("entry", name, place)
        entry = validate(EntryFile, document).root
        for observable in observables_of(entry):
            _check_observable(document, observable)
        return LoadedEntry(name, document.path, entry)


def _check_observable(document: Document, name: str) -> None:
    if name not in OBSERVABLES:
        hint = suggestion(name, sorted(OBSERVABLES))
        key = "observable" if "observable" in document.data else "observables"
        raise InvalidInput([f"{document.place([key])}: unknown {name!r}; {hint}"])
