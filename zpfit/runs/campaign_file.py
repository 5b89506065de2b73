"""Campaign files: a grid of fits, and the tasks that it comes to."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Annotated, Any, NamedTuple, NoReturn

from pydantic import BeforeValidator, Field, NonNegativeInt

from zpfit.errors import InvalidInput, ProblemCollector, UnknownName
from zpfit.inference.problem import Problem, resolve
from zpfit.io.library import Library
from zpfit.io.schema import AlsoAs, Parts, StrictModel, validate_parts
from zpfit.io.yaml import Document, KeyPath, read_yaml
from zpfit.runs.run_file import find_file, with_change

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
_MOST_TASKS = 10_000_000
"""Beyond which a list of them does not fit in memory."""


def _by_label(value: Any) -> Any:
    """A list of names is short for a mapping in which each stands for itself."""
    if not isinstance(value, list):
        return value
    labels = [_label(item) for item in value]
    for label in labels:
        if labels.count(label) > 1:
            raise ValueError(f"{label!r} is there twice; give labels, as in {{mine: ...}}")
    return dict(zip(labels, value, strict=True))


def _label(item: Any) -> str:
    """A name, or the name of a file without its folder and suffix."""
    path = Path(str(item))
    return path.stem if path.suffix in {".yaml", ".yml"} else str(item)


Axis = Annotated[dict[str, Any], BeforeValidator(_by_label), AlsoAs("array")]
"""Choices by label, which becomes a part of the names of tasks."""


class Seeds(StrictModel):
    """Seeds one after the other, or those of a list."""

    first: NonNegativeInt = 1
    count: Annotated[int, Field(ge=1, le=_MOST_TASKS)] = 1
    listed: Annotated[tuple[NonNegativeInt, ...], Field(strict=False, min_length=1)] | None = None

    def all(self) -> tuple[int, ...]:
        """In order, each once."""
        if self.listed is not None:
            return tuple(dict.fromkeys(self.listed))
        return tuple(range(self.first, self.first + self.count))


def _listed(value: Any) -> Any:
    """A bare list is short for a mapping."""
    return {"listed": value} if isinstance(value, list) else value


class CampaignFile(StrictModel):
    """A campaign file: every combination of what its axes list is a fit."""

    title: str = ""
    description: str = ""
    runs: Annotated[Axis, Field(min_length=1)]
    """Run files, names of packaged runs, or what a run file would hold: the other axes change
    them."""
    models: Axis = Field(default_factory=dict)
    """What run files would have under ``model``."""
    data: Axis = Field(default_factory=dict)
    """Likewise under ``likelihood``."""
    priors: Axis = Field(default_factory=dict)
    """Likewise under ``priors``."""
    overrides: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """By label, values of any keys of run files, such as ``sampler.target_ess``."""
    seeds: Annotated[Seeds, BeforeValidator(_listed), AlsoAs("array")] | None = None
    """Those of the runs if left out."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Values of keys of run files for every fit."""
    cross_check: bool = False
    """Compute ln Z with a second engine as well."""
    plots: bool = False
    """Draw the plots of every fit."""


class Change(NamedTuple):
    """A key of a run file with another value."""

    keys: KeyPath
    value: Any
    source: str
    """What asks for it, for messages."""


@dataclass(frozen=True)
class Cell:
    """A combination of everything but the seed."""

    labels: Mapping[str, str]
    """By axis; of those axes that are there."""
    base: Document
    """The run file."""
    changes: tuple[Change, ...]

    @property
    def name(self) -> str:
        """Labels of all axes."""
        return "-".join(self.labels.values())

    def __hash__(self) -> int:
        return hash((self.base.path, repr(self.labels), repr(self.changes)))

    def run(self) -> Problem:
        """The run file with its changes, resolved.

        Raises
        ------
        InvalidInput
            Everything that is wrong with it, each with its place.
        """
        document = self.base
        for keys, value, source in self.changes:
            document = with_change(document, keys, value, source)
        return replace(resolve(document, Library.beside(self.base.path)), name=self.name)


@dataclass(frozen=True)
class Campaign:
    """A campaign file, read."""

    name: str
    settings: CampaignFile
    cells: tuple[Cell, ...]
    seeds: tuple[int, ...] | None
    """None for those of the runs."""
    code: tuple[str, ...] = ()
    """Python code that its runs name, each with its key."""

    def tasks(self) -> Iterator[tuple[Cell, int | None, str]]:
        """Every fit: its cell, its seed and its name, which is that of its folder."""
        for cell in self.cells:
            for seed in self.seeds or (None,):
                yield cell, seed, cell.name if seed is None else f"{cell.name}-s{seed}"


def load_campaign(path: Path) -> Campaign:
    """Read a campaign file and try out every combination of its axes.

    Raises
    ------
    InvalidInput
        Everything that is wrong with it or with a combination.
    """
    document = read_yaml(path)
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
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.add(f"{path}: {name!r} would be the name of several fits; change labels")
    code: dict[str, None] = {}
    for cell in cells:
        with problems.collecting():
            code[cell.run().code] = None
    problems.raise_if_any()
    seeds = None if settings.seeds is None else settings.seeds.all()
    if len(cells) * len(seeds or (None,)) > _MOST_TASKS:
        raise InvalidInput([f"{path}: more than {_MOST_TASKS:,} fits; split the campaign"])
    return Campaign(path.stem, settings, cells, seeds, tuple(filter(None, code)))


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


def is_campaign(path: Path) -> bool:
    """Whether a file is a campaign file and no run file.

    Raises
    ------
    UnreadableFile, InvalidYaml
        It is neither.
    """
    data = read_yaml(path).data
    return isinstance(data, dict) and "runs" in data and "model" not in data


_AXES = {"models": "model", "data": "likelihood", "priors": "priors"}
"""Axes that give one key of a run file its value."""
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
    for (run, base), *chosen in product(runs.items(), *axes):
        labels = {"runs": run}
        changes = list(everywhere)
        for axis, label, more in chosen:
            if label:
                labels[axis] = label
            changes += more
        yield Cell(labels, base, tuple(changes))


def _axis(
    settings: CampaignFile, document: Document, axis: str
) -> list[tuple[str, str, list[Change]]]:
    """Axis, label and changes of every choice; one that changes nothing if there are none."""
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
    """A run file beside the campaign file, a named one, or one that is written out.

    Raises
    ------
    UnknownName, UnreadableFile, InvalidYaml, InvalidInput
        None of them.
    """
    if isinstance(given, dict):
        return document.below(("runs", label))
    place = document.place(["runs", label])
    if not isinstance(given, str):
        raise InvalidInput([f"{place}: {given!r} is no path, no name and no content of a run"])
    beside = document.path.parent / given
    return read_yaml(beside if beside.is_file() else find_file("run", given, place))
