"""Named files: data entries, sets of them, models, priors, runs, slices, campaigns.

A name is looked up in the user's own folders first (that of the run file, then the current
folder), then in installed packages of data, and then among zpfit's own files.
"""

from dataclasses import dataclass
from itertools import product
from pathlib import Path

from zpfit.errors import InvalidInput, UnknownName
from zpfit.io.document import Document
from zpfit.io.letters import with_micro_sign
from zpfit.io.places import FOLDERS, Kind, names_in, search_roots
from zpfit.io.yaml import is_file, read_yaml


@dataclass(frozen=True)
class Library:
    """Folders in which names are looked up.

    Examples
    --------
    >>> library = Library.beside()
    >>> library.find("run", "quickstart").name
    'quickstart.yaml'
    """

    roots: tuple[Path, ...]
    """Folders; earlier ones have priority."""

    @classmethod
    def beside(cls, run_file: Path | None = None) -> "Library":
        """Return the user's folders, then those of data packages, then zpfit's own files.

        Parameters
        ----------
        run_file : Path, optional
            File whose folder comes first. The folder ``data`` beside it comes next, as a run
            folder keeps a copy of its data there.
        """
        if run_file is None:
            return cls(search_roots())
        folder = run_file.resolve().parent
        return cls(search_roots(folder, folder / "data"))

    def names(self, kind: Kind) -> list[str]:
        """Return all names of a kind, sorted."""
        return names_in(self.roots, kind)

    def find(self, kind: Kind, name: str, place: str = "") -> Path:
        """Return the file behind a name.

        Parameters
        ----------
        kind : str
            Kind of file, a key of :data:`zpfit.io.places.FOLDERS`.
        name : str
        place : str, optional
            Place of the name in a file, for messages.

        Raises
        ------
        UnknownName
            No file has that name.
        """
        spellings = dict.fromkeys((name, with_micro_sign(name)))
        for root, stem in product(self.roots, spellings):
            path: Path = root / FOLDERS[kind] / f"{stem}.yaml"
            # A name with a folder in it, such as ../x, would leave the folder of its kind.
            if path.name == f"{stem}.yaml" and is_file(path):
                return path
        raise UnknownName(kind, name, self.names(kind), place)

    def file(self, name: str, place: str) -> Path:
        """Return a file by its path, absolute or relative to one of the folders.

        Raises
        ------
        InvalidInput
            The file does not exist; ``place`` says where it is named.
        """
        for root in self.roots:
            if is_file(root / name):
                return root / name
        remedy = "relative paths are relative to the run file, or to the current folder"
        raise InvalidInput([f"{place}: there is no file {name!r}; {remedy}"])

    def document(self, kind: Kind, name: str, place: str = "") -> Document:
        """Return the content of the file behind a name; parameters are those of :meth:`find`.

        Raises
        ------
        UnknownName
            No file has that name.
        UnreadableFile, InvalidYaml
            The file cannot be read.
        """
        return read_yaml(self.find(kind, name, place))
