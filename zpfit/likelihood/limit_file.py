"""Limit files in DarkCast's format that a run adds without writing an entry."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from zpfit.errors import InvalidInput
from zpfit.io.library import Library
from zpfit.io.schema import Positive, StrictModel
from zpfit.likelihood.curves import Quantity
from zpfit.likelihood.darkcast import SUFFIX, count_columns
from zpfit.likelihood.entries import Entry
from zpfit.likelihood.entry_base import Citation, Fraction
from zpfit.likelihood.exclusions import (
    FINAL_STATES,
    BeamDumpEntry,
    PromptLimitEntry,
    Search,
    VisibleState,
)
from zpfit.likelihood.library import LoadedEntry
from zpfit.physics.production import Channel

_DARKCAST = Citation(key="Ilten:2018crw", arxiv="1801.04847", journal="JHEP 06 (2018) 004")
"""Source of the file format and of most digitised limits, cited unless a run names another."""

_MEASUREMENT = "limit file "
"""Prefix of the ``measurement`` of an entry that is made from a limit file."""


def _names_a_file(name: str) -> str:
    if name in {"", ".", ".."} or set(name) & set("/\\"):
        raise ValueError(f"{name!r} is no file name; it must not be empty or contain a folder")
    return name


class AddedLimit(StrictModel):
    """A limit file in DarkCast's format, and facts that the file does not contain."""

    curve: str
    """Path, relative to the run file."""
    name: Annotated[str, AfterValidator(_names_a_file)] | None = None
    """Name of the limit in tables; the default is the file's name."""
    search: Search | None = None
    """Kind of search, for a file of two columns; the default is visible."""
    length_ratio: Positive | None = None
    """Length of the decay volume over that of the shielding, for a file of three columns."""
    production: Channel = "electron"
    """Process that makes the Z', unless muons radiate it."""
    final_state: VisibleState | None = None
    """Decay of the Z' in the detector, for a file of three columns; the default is electrons."""
    quantity: Quantity = "epsilon"
    """``epsilon2`` if the file holds squares of the kinetic mixing."""
    confidence_level: Fraction = 0.9
    """Confidence level of the limit; only soft exclusions use it."""
    citations: Annotated[tuple[Citation, ...], Field(strict=False)] = ()
    """Publications of the limit."""

    @property
    def entry_name(self) -> str:
        """Name of the entry that is made from the file."""
        return self.name or Path(self.curve).stem


def _path_is_short(value: Any) -> Any:
    """Expand a bare path to the mapping that it abbreviates."""
    return {"curve": value} if isinstance(value, str) and value.endswith(SUFFIX) else value


def _kind(value: Any) -> str:
    return "limit" if isinstance(value, dict | AddedLimit) else "name"


Addition = Annotated[
    Annotated[str, Tag("name")] | Annotated[AddedLimit, Tag("limit")],
    Discriminator(_kind),
    BeforeValidator(_path_is_short),
]
"""The name of an entry, or a limit file."""


def name_of(addition: str | AddedLimit) -> str:
    """Return the name of the entry that is added."""
    return addition if isinstance(addition, str) else addition.entry_name


def has_no_source(entry: Entry) -> bool:
    """Return True if an entry was made from a limit file without citations."""
    return entry.measurement.startswith(_MEASUREMENT) and entry.citations == (_DARKCAST,)


def load_limit(limit: AddedLimit, library: Library, place: Callable[..., str]) -> LoadedEntry:
    """Return the entry that a limit file abbreviates.

    Parameters
    ----------
    limit : AddedLimit
    library : Library
        Folders in which the file is looked up.
    place : callable
        Returns the place of a key of ``limit``, for messages.

    Raises
    ------
    InvalidInput
        The file is missing, or a key is missing or does not suit its number of columns.
    InvalidCurve
        The content of the file is invalid.
    """
    if not limit.curve.endswith(SUFFIX):
        raise InvalidInput([f"{place('curve')}: {limit.curve!r} must end in {SUFFIX}"])
    path = library.file(limit.curve, place("curve"))
    make = _prompt_limit if count_columns(path) == 2 else _beam_dump
    return LoadedEntry(limit.entry_name, path, make(limit, path, place))


def _prompt_limit(limit: AddedLimit, path: Path, place: Callable[..., str]) -> Entry:
    if limit.length_ratio is not None:
        problem = f"{path} has two columns, a limit on prompt decays, which has no length_ratio"
        raise InvalidInput([f"{place('length_ratio')}: {problem}; drop it"])
    if limit.final_state is not None:
        remedy = "drop final_state, which is for files of three columns, and give search"
        raise InvalidInput([f"{place('final_state')}: {path} has two columns; {remedy}"])
    search = limit.search or "visible"
    if limit.production != "electron" and search not in FINAL_STATES:
        problem = f"in the search {search} muons radiate the Z'"
        raise InvalidInput([f"{place('production')}: {problem}; drop production"])
    return PromptLimitEntry(
        type="prompt_limit",
        search=search,
        production=limit.production,
        soft=PromptLimitEntry.default_soft_form(limit.confidence_level),
        **_common(limit),
    )


def _beam_dump(limit: AddedLimit, path: Path, place: Callable[..., str]) -> Entry:
    dump = f"{path} has three columns, a beam dump"
    if limit.search is not None:
        raise InvalidInput(
            [f"{place('search')}: {dump}; drop search, which is for files of two columns"]
        )
    if limit.length_ratio is None:
        meaning = "the length of the decay volume over that of the shielding"
        raise InvalidInput([f"{place()}: {dump}, which needs length_ratio: {meaning}"])
    return BeamDumpEntry(
        type="beam_dump",
        length_ratio=limit.length_ratio,
        production=limit.production,
        final_state=limit.final_state or "electrons",
        soft=BeamDumpEntry.default_soft_form(limit.confidence_level),
        **_common(limit),
    )


def _common(limit: AddedLimit) -> dict[str, Any]:
    """Return the keys common to both kinds of entry.

    They do not depend on the folder of the file, so that a copy of it counts as the same data.
    """
    name = limit.entry_name
    return {
        "title": f"Limit of the file {name}{SUFFIX}",
        "measurement": f"{_MEASUREMENT}{name}",
        "citations": limit.citations or (_DARKCAST,),
        "confidence_level": limit.confidence_level,
        "approximations": "As the file has it; recast like the packaged limits.",
        "curve": f"{name}{SUFFIX}",
        "quantity": limit.quantity,
    }
