"""Publications that an analysis uses: :func:`cite` and its :class:`Bibliography`."""

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from zpfit.api.sources import folder_of
from zpfit.api.texts import save_text
from zpfit.errors import InvalidInput, WrongType
from zpfit.runs.bibliography import (
    Reference,
    ReferenceRecord,
    as_bibtex,
    as_record,
    as_text,
    bibliography,
)

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class Bibliography:
    """Publications, each with what it is cited for. Made by :func:`cite`."""

    references: tuple[Reference, ...]

    @property
    def text(self) -> str:
        """Two lines for each publication: reference, and what it is cited for."""
        return as_text(self.references)

    @property
    def bibtex(self) -> str:
        """One BibTeX item for each publication; the keys are those of INSPIRE."""
        return as_bibtex(self.references)

    @property
    def record(self) -> list[ReferenceRecord]:
        """The publications as plain data."""
        return [as_record(reference) for reference in self.references]

    @property
    def frame(self) -> "pd.DataFrame":
        """A row for each publication, by its INSPIRE key."""
        import pandas as pd

        return pd.DataFrame(self.record).set_index("key")

    def save(self, path: str | Path, *, bibtex: bool = True) -> Path:
        """Write the bibliography to a file, and return its path.

        Parameters
        ----------
        path
            The file; an existing one is replaced.
        bibtex
            Write BibTeX; otherwise the text.

        Raises
        ------
        UnwritablePath
            The folder or the file cannot be written.
        """
        target = folder_of(path, "path")
        save_text(target, (self.bibtex if bibtex else self.text) + "\n")
        return target

    def __len__(self) -> int:
        """Return the number of publications."""
        return len(self.references)

    def __repr__(self) -> str:
        return f"<Bibliography of {len(self)} publications>"

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self.text)}</pre>"


def cite(*sources: str | Path) -> Bibliography:
    """Collect the publications that runs, slices, sets or entries use.

    Parameters
    ----------
    *sources
        Paths or names of run files, slices, likelihood sets and entries, or run folders.

    Returns
    -------
    Bibliography
        With ``text``, ``bibtex``, ``frame`` and ``save()``.

    Raises
    ------
    InvalidInput
        No source is given, a name is unknown, or a file is invalid; all problems are reported.
    WrongType
        A source is neither a name nor a path.

    Examples
    --------
    >>> import zpfit
    >>> list(zpfit.cite("na64mu_2024").frame.index)[:2]
    ['Bodas:2021fsy', 'NA64:2024klw']
    """
    if not sources:
        raise InvalidInput(["sources: none is given; give at least one name or path"])
    for source in sources:
        if not isinstance(source, (str, Path)):
            raise WrongType("source", source, "a name or a path")
    return Bibliography(tuple(bibliography([str(source) for source in sources])))
