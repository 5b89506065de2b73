"""Find named files: data entries, sets of them, models, priors, runs, slices, campaigns.

A name is looked up in the user's own folders first (beside the run file, then
in the current folder), then among the packaged files.
"""

from dataclasses import dataclass
from pathlib import Path

from zpfit.errors import InvalidInput, UnknownName
from zpfit.io.places import FOLDERS, Kind, names_in, packaged_data
from zpfit.io.yaml import Document, is_file, read_yaml


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

        Raises
        ------
        UnknownName
            Nothing has that name; the message says what is close.
        """
        for root in self.roots:
            path = root / FOLDERS[kind] / f"{name}.yaml"
            if path.name == f"{name}.yaml" and is_file(path):
                return path
        raise UnknownName(kind, name, self.names(kind), place)

    def file(self, name: str, place: str) -> Path:
        """A file by its path, which may be relative to the user's folders.

        Raises
        ------
        InvalidInput
            There is none.
        """
        for root in self.roots:
            if is_file(root / name):
                return root / name
        remedy = "relative paths are relative to the run file, or to the current folder"
        raise InvalidInput([f"{place}: there is no file {name!r}; {remedy}"])

    def document(self, kind: Kind, name: str, place: str = "") -> Document:
        """The YAML document behind a name."""
        return read_yaml(self.find(kind, name, place))
