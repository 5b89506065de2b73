"""Campaign files: a grid of fits, and the list of fits that it describes."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Annotated, Any, NamedTuple, NoReturn

from pydantic import BeforeValidator, Field, NonNegativeInt

from zpfit.errors import InvalidInput, ProblemCollector, UnknownName
from zpfit.inference.problem import Problem, resolve
from zpfit.io.document import Document, KeyPath, Source
from zpfit.io.library import Library
from zpfit.io.places import Kind
from zpfit.io.schema import AlsoAs, Parts, StrictModel, validate_parts
from zpfit.io.yaml import read_yaml
from zpfit.runs.run_file import find_file, with_change

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
_MOST_TASKS = 10_000_000
"""Largest number of fits; a longer list does not fit in memory."""


def _by_label(value: Any) -> Any:
    """Turn a list of names into a mapping from each label to its name."""
    if not isinstance(value, list):
        return value
    labels = [_label(item) for item in value]
    for label in labels:
        if labels.count(label) > 1:
            raise ValueError(f"{label!r} occurs twice; give labels, as in {{mine: ...}}")
    return dict(zip(labels, value, strict=True))


def _label(item: Any) -> str:
    """Return a name, or the name of a file without folder and suffix."""
    path = Path(str(item))
    return path.stem if path.suffix in {".yaml", ".yml"} else str(item)


Axis = Annotated[dict[str, Any], BeforeValidator(_by_label), AlsoAs("array")]
"""Choices by label; labels become parts of the names of fits."""


class Seeds(StrictModel):
    """A range of seeds, or a list of seeds.

    Examples
    --------
    >>> Seeds(first=5, count=3).all()
    (5, 6, 7)
    """

    first: NonNegativeInt = 1
    count: Annotated[int, Field(ge=1, le=_MOST_TASKS)] = 1
    listed: Annotated[tuple[NonNegativeInt, ...], Field(strict=False, min_length=1)] | None = None

    def all(self) -> tuple[int, ...]:
        """Return the seeds in order, without repetitions."""
        if self.listed is not None:
            return tuple(dict.fromkeys(self.listed))
        return tuple(range(self.first, self.first + self.count))


def _listed(value: Any) -> Any:
    """Turn a bare list of seeds into a mapping."""
    return {"listed": value} if isinstance(value, list) else value


class CampaignFile(StrictModel):
    """The content of a campaign file: every combination of its axes is a fit."""

    title: str = ""
    description: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    """Words for labels of the axes in figures. The default is the title of the run, model or set
    that a label names, or the label."""
    runs: Annotated[Axis, Field(min_length=1)]
    """Run files, names of packaged runs, or contents of run files. The other axes change them."""
    models: Axis = Field(default_factory=dict)
    """Values of the key ``model`` of a run file."""
    data: Axis = Field(default_factory=dict)
    """Values of the key ``likelihood`` of a run file."""
    priors: Axis = Field(default_factory=dict)
    """Values of the key ``priors`` of a run file."""
    overrides: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Values of any keys of run files, such as ``sampler.target_ess``, by label."""
    seeds: Annotated[Seeds, BeforeValidator(_listed), AlsoAs("array")] | None = None
    """Seeds of each combination. The default is the seed of each run file."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Values of any keys of run files, for every fit."""
    cross_check: bool = False
    """Compute ln Z with a second sampler as well."""
    plots: bool = False
    """Draw the plots of every fit."""
    joint_sigma: bool = False
    """Search the joint sigma of every fit as well, if the fits are stored in columns."""


class Change(NamedTuple):
    """A key of a run file with another value."""

    keys: KeyPath
    value: Any
    source: str
    """Place of the change in the campaign file, for messages."""


@dataclass(frozen=True)
class Cell:
    """A combination of all axes but the seed."""

    labels: Mapping[str, str]
    """Label of the chosen value, for each axis that the file has."""
    base: Document
    """The run file."""
    changes: tuple[Change, ...]
    title: str = ""
    """Titles of the values on each axis with several, for figures."""

    @property
    def name(self) -> str:
        """The labels, joined by hyphens."""
        return "-".join(self.labels.values())

    def __hash__(self) -> int:
        return hash((self.base.path, repr(self.labels), repr(self.changes)))

    def run(self) -> Problem:
        """Apply the changes to the run file and resolve it.

        Raises
        ------
        InvalidInput
            The run file is invalid; the exception lists every fault with its place.
        """
        document = self.base
        for keys, value, source in self.changes:
            document = with_change(document, keys, value, Source(source, names_key=False))
        return replace(resolve(document, Library.beside(self.base.path)), name=self.name)


@dataclass(frozen=True)
class Campaign:
    """A campaign file that has been read and checked."""

    name: str
    settings: CampaignFile
    cells: tuple[Cell, ...]
    seeds: tuple[int, ...] | None
    """Seeds of each combination; None to use the seed of each run file."""
    code: tuple[str, ...] = ()
    """Python code that the runs execute, each with its key in the run file."""
    parameters: tuple[str, ...] = ()
    """Names of the parameters of all models."""

    def tasks(self) -> Iterator[tuple[Cell, int | None, str]]:
        """Yield cell, seed and name of every fit; the name is also that of its folder."""
        for cell in self.cells:
            for seed in self.seeds or (None,):
                yield cell, seed, cell.name if seed is None else f"{cell.name}-s{seed}"


def load_campaign(path: Path) -> Campaign:
    """Read a campaign file and check every combination of its axes.

    Raises
    ------
    InvalidInput
        The file or a combination is invalid; the exception lists every fault.
    """
    return resolve_campaign(read_yaml(path), path.stem)


def resolve_campaign(document: Document, name: str) -> Campaign:
    """Check every combination of the axes of a campaign.

    Parameters
    ----------
    document
        Content of a campaign file.
    name
        Name of the campaign.

    Raises
    ------
    InvalidInput
        The content or a combination is invalid; the exception lists every fault.
    """
    path = document.path
    parts = validate_parts(CampaignFile, document)
    if parts.problems:
        _raise_problems(parts, document)
    settings = parts.values
    problems = ProblemCollector()
    for problem in _bad_labels(settings, document):
        problems.add(problem)
    problems.raise_if_any()
    cells = tuple(_cells(settings, document, problems))
    problems.raise_if_any()
    names = [cell.name for cell in cells]
    for repeated in sorted({own for own in names if names.count(own) > 1}):
        problems.add(f"{path}: {repeated!r} would be the name of several fits; change the labels")
    code: dict[str, None] = {}
    parameters: dict[str, None] = {}
    for cell in cells:
        with problems.collecting():
            run = cell.run()
            code[run.code] = None
            parameters |= dict.fromkeys(run.posterior.priors.by_name)
    problems.raise_if_any()
    seeds = None if settings.seeds is None else settings.seeds.all()
    if len(cells) * len(seeds or (None,)) > _MOST_TASKS:
        raise InvalidInput([f"{path}: more than {_MOST_TASKS:,} fits; split the campaign"])
    return Campaign(name, settings, cells, seeds, tuple(filter(None, code)), tuple(parameters))


def _raise_problems(parts: Parts[CampaignFile], document: Document) -> NoReturn:
    """Raise the problems of a document, and those of the names in its valid parts."""
    problems, settings = ProblemCollector(), parts.values
    problems.add(*parts.problems)
    # Combinations without an invalid axis may lack keys of run files: check their names alone.
    kinds = () if parts.sound.issuperset(_CELL_KEYS) else (UnknownName,)
    if "runs" in parts.readable:
        for cell in _cells(settings, document, problems):
            with problems.collecting(*kinds):
                cell.run()
    raise InvalidInput(problems.found, problems.causes)


_AXES = {"models": "model", "data": "likelihood", "priors": "priors"}
"""Axes that set one key of a run file, and the key."""
_KINDS: Mapping[str, Kind] = {"models": "model", "data": "likelihood set"}
"""Axes whose values can be names of files with titles, and the kind of the files."""
_CELL_KEYS = ("runs", *_AXES, "overrides", "settings")
"""Keys of a campaign file that describe its combinations."""


def _bad_labels(settings: CampaignFile, document: Document) -> Iterator[str]:
    for axis in ("runs", *_AXES, "overrides"):
        for label in getattr(settings, axis):
            if not _LABEL.fullmatch(label):
                yield (
                    f"{document.place([axis, label])}: {label!r} cannot be part of a folder's "
                    "name; give a label of letters, digits and _ . + -, as in {label: value}"
                )


def _cells(
    settings: CampaignFile, document: Document, problems: ProblemCollector
) -> Iterator[Cell]:
    runs: dict[str, Document] = {}
    for label, given in settings.runs.items():
        with problems.collecting():
            runs[label] = _base(given, label, document)
    everywhere = _changes(settings.settings, document.place(["settings"]))
    axes = [_axis(settings, document, axis) for axis in (*_AXES, "overrides")]
    library = Library.beside(document.path)
    for (run, base), *chosen in product(runs.items(), *axes):
        labels = {"runs": run}
        changes = list(everywhere)
        for axis, label, more in chosen:
            if label:
                labels[axis] = label
            changes += more
        several = {axis: own for axis, own in labels.items() if len(getattr(settings, axis)) > 1}
        titles = [_title(settings, base, library, *one) for one in (several or labels).items()]
        yield Cell(labels, base, tuple(changes), ": ".join(titles))


def _title(settings: CampaignFile, base: Document, library: Library, axis: str, label: str) -> str:
    """Return words for the value of an axis with some label."""
    if label in settings.labels:
        return settings.labels[label]
    if axis == "runs":
        return _title_of(base.data, label)
    kind, value = _KINDS.get(axis), getattr(settings, axis)[label]
    if kind is None or not isinstance(value, str) or value not in library.names(kind):
        return label
    return _title_of(library.document(kind, value).data, label)


def _title_of(data: Any, label: str) -> str:
    return str(data.get("title") or label) if isinstance(data, dict) else label


def _axis(
    settings: CampaignFile, document: Document, axis: str
) -> list[tuple[str, str, list[Change]]]:
    """Return axis, label and changes of every choice; one empty choice if the axis is absent."""
    choices = getattr(settings, axis)
    if not choices:
        return [(axis, "", [])]
    found = []
    for label, value in choices.items():
        place = document.place([axis, label])
        if axis in _AXES:
            changes = [Change((_AXES[axis],), value, place)]
        else:
            changes = _changes(value, place)
        found.append((axis, label, changes))
    return found


def _changes(values: Mapping[str, Any], place: str) -> list[Change]:
    return [Change(tuple(key.split(".")), value, f"{place}.{key}") for key, value in values.items()]


def _base(given: Any, label: str, document: Document) -> Document:
    """Return a run file: one beside the campaign file, a packaged one, or one in the file.

    Raises
    ------
    UnknownName, UnreadableFile, InvalidYaml
        No run file of this name can be read.
    InvalidInput
        The value is neither a name nor the content of a run file.
    """
    if isinstance(given, dict):
        return document.below(("runs", label))
    place = document.place(["runs", label])
    if not isinstance(given, str):
        raise InvalidInput(
            [f"{place}: {given!r} is not a path, a name or the content of a run file"]
        )
    beside = document.path.parent / given
    return read_yaml(beside if beside.is_file() else find_file("run", given, place))
