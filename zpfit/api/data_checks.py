"""Checks of all data: :func:`check_data` with its :class:`DataCheck`, and a page about them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from zpfit.api.sources import folder_of
from zpfit.errors import InvalidInput
from zpfit.io.library import Library
from zpfit.likelihood.check import DataCheck as CheckedData
from zpfit.likelihood.check import check_data as check_library
from zpfit.likelihood.describe import describe_subject, describe_value

if TYPE_CHECKING:
    import pandas as pd


class DataRecord(TypedDict):
    """All entries and sets as plain data."""

    entries: dict[str, dict[str, Any]]
    """Content of each entry file."""
    sets: dict[str, dict[str, Any]]
    """Content of each set file."""
    problems: list[str]


@dataclass(frozen=True)
class CheckedEntry:
    """A data entry in a few words."""

    name: str
    subject: str
    """What is measured or bounded."""
    value: str
    """Value and error, the limit, or the range of a curve."""
    sets: tuple[str, ...]
    """Names of the sets that the entry belongs to."""
    unverified: bool
    """True if numbers were not checked against their source."""


@dataclass(frozen=True)
class CheckedSet:
    """A set of entries."""

    name: str
    title: str
    entries: tuple[str, ...]
    exclusions: str
    """Default form of the exclusions: "hard" or "soft"."""


@dataclass(frozen=True, repr=False)
class DataCheck:
    """All data entries and sets, and their problems. Made by :func:`check_data`."""

    _checked: CheckedData

    @property
    def entries(self) -> tuple[CheckedEntry, ...]:
        """The valid entries, sorted by name."""
        return tuple(self._entries())

    @property
    def sets(self) -> tuple[CheckedSet, ...]:
        """The sets that can be read."""
        return tuple(
            CheckedSet(name, chosen.title, tuple(chosen.entries), chosen.exclusions)
            for name, chosen in self._checked.sets.items()
        )

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything that is wrong, each with its place."""
        return self._checked.problems

    @property
    def frame(self) -> "pd.DataFrame":
        """A row for each entry: subject, value, sets and whether it is unverified."""
        import pandas as pd

        return pd.DataFrame([vars(entry) for entry in self.entries]).set_index("name")

    @property
    def record(self) -> DataRecord:
        """Content of all entries and sets as plain data."""
        checked = self._checked
        return {
            "entries": {e.name: e.entry.model_dump(mode="json") for e in checked.entries},
            "sets": {name: chosen.model_dump() for name, chosen in checked.sets.items()},
            "problems": list(checked.problems),
        }

    def write_page(self, folder: str | Path) -> tuple[Path, ...]:
        """Write a page about all entries and sets, with figures of the curves.

        Parameters
        ----------
        folder
            Folder for ``data.md`` and its images.

        Returns
        -------
        tuple of Path
            The files.

        Raises
        ------
        InvalidInput
            The data have problems.
        UnwritablePath
            The folder or a file cannot be written.
        """
        from zpfit.pages.data_page import write_page

        if self.problems:
            raise InvalidInput(self.problems)
        return tuple(write_page(self._checked, folder_of(folder)))

    def _entries(self) -> Iterator[CheckedEntry]:
        for loaded in self._checked.entries:
            yield CheckedEntry(
                loaded.name,
                describe_subject(loaded.entry),
                describe_value(loaded),
                tuple(self._checked.sets_with(loaded.name)),
                bool(loaded.entry.unverified),
            )

    def __repr__(self) -> str:
        checked = self._checked
        numbers = f"{len(checked.entries)} entries, {len(checked.sets)} sets"
        return f"<DataCheck of {numbers}, {len(self.problems)} problems>"

    def _repr_html_(self) -> str:
        return str(self.frame.to_html())


def check_data() -> DataCheck:
    """Read every data entry, curve, set and citation, packaged ones and your own.

    Returns
    -------
    DataCheck
        With ``entries``, ``sets``, ``problems``, ``frame`` and ``write_page()``.

    Examples
    --------
    >>> import zpfit
    >>> found = zpfit.check_data()
    >>> found.problems, found.frame.loc["a_mu_2021", "subject"]
    ((), 'delta_a_mu')
    """
    return DataCheck(check_library(Library.beside()))
