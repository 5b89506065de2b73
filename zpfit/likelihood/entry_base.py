"""Keys that every data entry has, whatever it measures or excludes."""

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, Field

from zpfit.io.schema import Names, StrictModel

Fraction = Annotated[float, Field(gt=0, lt=1)]
"""A number between 0 and 1, such as a confidence level."""


class Citation(StrictModel):
    """A publication."""

    key: str
    """Label for a bibliography."""
    arxiv: str | None = None
    journal: str | None = None
    doi: str | None = None


class EntryBase(StrictModel):
    """Keys of every entry."""

    title: str
    label: str = ""
    """Short name for figures, LaTeX between dollar signs; the default is the entry's name."""
    measurement: str
    """Identifier of the measured quantity; a likelihood holds one entry of each."""
    citations: Annotated[tuple[Citation, ...], Field(strict=False, min_length=1)]
    supersedes: Names = ()
    """Older entries of the same or overlapping data."""
    confidence_level: Fraction | None
    """Level in the publication; null if it states none."""
    approximations: str
    """Effects that this entry neglects or simplifies."""
    unverified: str = ""
    """Numbers that were not checked against their source; empty if there are none."""


def _below_the_entry(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{name!r} must lie beside the entry or in a folder below it")
    return name


CurveFile = Annotated[str, AfterValidator(_below_the_entry)]
"""Name of a table beside an entry, or in a folder below it."""
