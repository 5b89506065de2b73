"""Limits that a run adds from a file of DarkCast's form, without an entry of their own."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from zpfit.errors import InvalidInput
from zpfit.io.library import Library
from zpfit.io.schema import Positive, StrictModel
from zpfit.likelihood.darkcast import SUFFIX, columns_of
from zpfit.likelihood.entries import (
    BeamDumpEntry,
    Citation,
    Entry,
    ExclusionEntry,
    Fraction,
    HalfGaussianSpec,
    PromptLimitEntry,
    Search,
    ZeroBackgroundSpec,
)
from zpfit.likelihood.library import LoadedEntry

_DARKCAST = Citation(key="Ilten:2018crw", arxiv="1801.04847", journal="JHEP 06 (2018) 004")
"""Whose form of limits it is, and mostly whose digitisation."""

_MEASUREMENT = "limit file "
"""How the measurement of an entry begins that is made of a file."""


def _names_a_file(name: str) -> str:
    if name in {"", ".", ".."} or set(name) & set("/\\"):
        raise ValueError(f"{name!r} must do as a file's name: no folders, and not empty")
    return name


class AddedLimit(StrictModel):
    """A file of DarkCast's form, and what it does not say."""

    curve: str
    """Path, relative to the run file."""
    name: Annotated[str, AfterValidator(_names_a_file)] | None = None
    """Stands for the limit in tables; the file's name if left out."""
    search: Search | None = None
    """Of a file of two columns; visible if left out."""
    length_ratio: Positive | None = None
    """Of a file of three columns: length of the decay volume over that of the shielding."""
    confidence_level: Fraction = 0.9
    """Counts only where the exclusion fades."""
    citations: Annotated[tuple[Citation, ...], Field(strict=False)] = ()
    """Whoever measured."""

    @property
    def entry_name(self) -> str:
        """Of the entry that is made of it."""
        return self.name or Path(self.curve).stem


def _path_is_short(value: Any) -> Any:
    """A bare path is short for a mapping with that one key."""
    return {"curve": value} if isinstance(value, str) and value.endswith(SUFFIX) else value


def _kind(value: Any) -> str:
    return "limit" if isinstance(value, dict | AddedLimit) else "name"


Addition = Annotated[
    Annotated[str, Tag("name")] | Annotated[AddedLimit, Tag("limit")],
    Discriminator(_kind),
    BeforeValidator(_path_is_short),
]
"""The name of an entry, or a limit."""


def name_of(addition: str | AddedLimit) -> str:
    """Of the entry that is added."""
    return addition if isinstance(addition, str) else addition.entry_name


def has_no_source(entry: Entry) -> bool:
    """Whether an entry was made of a file that nothing says who measured."""
    return entry.measurement.startswith(_MEASUREMENT) and entry.citations == (_DARKCAST,)


def load_limit(limit: AddedLimit, library: Library, place: Callable[..., str]) -> LoadedEntry:
    """The entry that a file stands for; ``place`` says where the keys of the limit stand.

    Raises
    ------
    InvalidInput
        The file is nowhere, or something that its kind needs is missing.
    InvalidCurve
        The file is broken.
    """
    if not limit.curve.endswith(SUFFIX):
        raise InvalidInput([f"{place('curve')}: {limit.curve!r} must end in {SUFFIX}"])
    path = library.file(limit.curve, place("curve"))
    make = _prompt if columns_of(path) == 2 else _dump
    return LoadedEntry(limit.entry_name, path, make(limit, path, place))


def _prompt(limit: AddedLimit, path: Path, place: Callable[..., str]) -> ExclusionEntry:
    if limit.length_ratio is not None:
        problem = f"{path} has two columns, a limit on decays at once, without length_ratio"
        raise InvalidInput([f"{place('length_ratio')}: {problem}; drop it"])
    level = limit.confidence_level
    return PromptLimitEntry(
        type="prompt_limit",
        search=limit.search or "visible",
        soft=HalfGaussianSpec(form="half_gaussian", power=2.0, confidence_level=level),
        **_common(limit),
    )


def _dump(limit: AddedLimit, path: Path, place: Callable[..., str]) -> ExclusionEntry:
    dump = f"{path} has three columns, a beam dump"
    if limit.search is not None:
        raise InvalidInput([f"{place('search')}: {dump}; search goes with two columns"])
    if limit.length_ratio is None:
        meaning = "the length of the decay volume over that of the shielding"
        raise InvalidInput([f"{place()}: {dump}, which needs length_ratio: {meaning}"])
    return BeamDumpEntry(
        type="beam_dump",
        length_ratio=limit.length_ratio,
        soft=ZeroBackgroundSpec(form="zero_background", confidence_level=limit.confidence_level),
        **_common(limit),
    )


def _common(limit: AddedLimit) -> dict[str, Any]:
    """Independent of where the file lies, so that a copy of it is the same data."""
    name = limit.entry_name
    return {
        "title": f"Limit of the file {name}{SUFFIX}",
        "measurement": f"{_MEASUREMENT}{name}",
        "citations": limit.citations or (_DARKCAST,),
        "confidence_level": limit.confidence_level,
        "approximations": "As the file has it; recast like the packaged limits.",
        "curve": f"{name}{SUFFIX}",
    }
