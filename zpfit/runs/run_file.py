"""Find, change and read run files."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from zpfit.errors import UnknownName
from zpfit.inference.problem import SHORTHANDS, ModelOnly, Problem, resolve
from zpfit.io.document import UNNAMED, Document, Given, KeyPath, Source
from zpfit.io.library import Library
from zpfit.io.places import Kind
from zpfit.io.python_code import is_of_session
from zpfit.io.schema import validate
from zpfit.io.yaml import parse_yaml, read_yaml
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.likelihood.darkcast import SUFFIX
from zpfit.likelihood.library import LIMITS
from zpfit.likelihood.likelihood import Likelihood
from zpfit.likelihood.limit_file import AddedLimit
from zpfit.models.base import Model
from zpfit.models.library import ModelSpec, load_model
from zpfit.runs.folder_kinds import RUN, unusable
from zpfit.runs.run_folder import RunFolder

_SUFFIXES = {".yaml", ".yml"}
"""Suffixes of run files."""


def find_run_file(name_or_path: str) -> Path:
    """Return the path of a run file.

    Parameters
    ----------
    name_or_path
        A path, a run folder (its resolved run file is returned), or the name of a run.

    Raises
    ------
    UnknownName
        No run has this name.
    UnusableFolder
        The folder holds no run.
    """
    path = Path(name_or_path)
    if not name_or_path or not path.is_dir() or path.suffix in _SUFFIXES:
        return find_file("run", name_or_path)
    if (path / "config.yaml").is_file():
        return path / "config.yaml"
    try:
        return Library.beside().find("run", name_or_path)
    except UnknownName:
        raise unusable(path, RUN) from None


def find_unfinished(name_or_path: str) -> Path:
    """Return the path of the run file to resume.

    In a folder with an unfinished run it is the file of that run; otherwise see
    :func:`find_run_file`.

    Raises
    ------
    UnknownName
        No run has this name.
    """
    folder = RunFolder(Path(name_or_path))
    return find_run_file(str(folder.unfinished.path if folder.is_unfinished else name_or_path))


def find_file(kind: Kind, name_or_path: str, place: str = "") -> Path:
    """Return a text that looks like a path as a path, otherwise the file of a name.

    Parameters
    ----------
    kind
        Kind of file, see :data:`zpfit.io.places.FOLDERS`.
    name_or_path
        Path, or the name of a packaged or own file.
    place
        Place of the name in a file, for messages.

    Raises
    ------
    UnknownName
        No file of this kind has the name.
    """
    path = Path(name_or_path)
    if path.is_file() or path.suffix in _SUFFIXES or len(path.parts) > 1:
        return path
    return Library.beside().find(kind, name_or_path, place)


def load_run(
    path: Path, changes: Mapping[str, Any] | None = None, limits: Sequence[Given] = ()
) -> Problem:
    """Read and resolve a run file.

    Parameters
    ----------
    path
        The run file.
    changes
        New values by dotted key, such as ``{"sampler.walkers": 64}``. A text is read as YAML. A
        :class:`~zpfit.io.document.Given` names its origin in messages. ``add`` and ``drop`` are
        lists of entries to add to the likelihood or to leave out.
    limits
        Items that are added to ``likelihood.add``, such as
        ``Given({"curve": "/absolute/path/to/prompt.lmt"})``.

    Raises
    ------
    InvalidInput
        The file or a change has problems; each is reported with its place.
    """
    document = read_yaml(path)
    names: dict[str, list[Given]] = {"add": [], "drop": []}
    for key, value in (changes or {}).items():
        given = value if isinstance(value, Given) else Given(value)
        plain = _plain(key, given)
        if key in names:
            names[key] = items_of(Given(plain, given.source))
        else:
            document = with_change(document, tuple(key.split(".")), plain, given.source)
    changed = with_entries(document, [*limits, *names["add"]], names["drop"])
    return resolve(changed, Library.beside(path))


def _plain(key: str, given: Given) -> Any:
    """Return a value as plain data; a text is YAML, as it would be in the file."""
    if not isinstance(given.value, str):
        return given.value
    return parse_yaml(given.value, Path(given.source.place(key))).data


def items_of(given: Given) -> list[Given]:
    """Return the items of a list as values that messages name one by one.

    Examples
    --------
    >>> [item.source.place("") for item in items_of(Given(["a", "b"], Source("--drop")))]
    ['--drop a', '--drop b']
    """
    values = given.value if isinstance(given.value, list) else [given.value]
    if given.source == UNNAMED:
        return [Given(value) for value in values]
    return [
        Given(value, Source(f"{given.source.name} {value}", names_key=False)) for value in values
    ]


def with_entries(document: Document, added: Sequence[Given], dropped: Sequence[Given]) -> Document:
    """Return a run or slice document with entries added to its data, and others left out.

    Parameters
    ----------
    document
        The content of a run or slice file.
    added
        Names of entries, or limit files in the form of ``likelihood.add``. One that the document
        leaves out is no longer left out.
    dropped
        Names of entries to leave out. One that the document adds is no longer added.
    """
    if added or dropped:
        document = _written_out(document, "likelihood")
    for name in dropped:
        document = _moved(document, name, "add", "drop")
    for name in added:
        document = _moved(document, name, "drop", "add")
    return document


def _moved(document: Document, name: Given, source: str, target: str) -> Document:
    """Return a document with a name removed from one list of the data or appended to another."""
    held = document.below(("likelihood", source)).data
    if isinstance(held, list) and name.value in held:
        rest = [value for value in held if value != name.value]
        return document.with_value(("likelihood", source), rest, name.source)
    return document.with_item(("likelihood", target), name)


def with_change(
    document: Document, keys: KeyPath, value: Any, source: Source = UNNAMED
) -> Document:
    """Return a copy of a document with one value set.

    A bare name above the key becomes the mapping that it abbreviates: ``model: B-L`` becomes
    ``model: {name: B-L}``.

    Parameters
    ----------
    document
        The content of a file.
    keys
        Path of the value; missing parents are made.
    value
        Plain data.
    source
        Origin of the value, for messages.
    """
    if len(keys) > 1:
        document = _written_out(document, str(keys[0]))
    return document.with_value(keys, value, source)


def _written_out(document: Document, key: str) -> Document:
    """Return the document with a bare name under a key replaced by its mapping."""
    short = SHORTHANDS.get(key)
    name = document.data.get(key) if isinstance(document.data, dict) else None
    if short and isinstance(name, str):
        longer = document.with_value((key,), {short: name})
        return replace(longer, lines=document.lines, changed=document.changed)
    return document


def load_single_model(text: str, place: str = "model") -> tuple[ModelSpec, Model]:
    """Load the model that a run file would have under ``model``.

    Parameters
    ----------
    text
        A name or a mapping, in YAML.
    place
        How messages name the origin of the text.

    Raises
    ------
    InvalidInput, UnknownName, InvalidModel
        See :func:`zpfit.models.library.load_model`.
    """
    value = parse_yaml(text, Path(place)).data
    document = Document(Path(place), {"model": value}, {})
    spec = validate(ModelOnly, document).model
    return spec, load_model(spec, document, Library.beside()).model


def load_likelihood(
    document: Document, added: Sequence[Given], dropped: Sequence[Given]
) -> Likelihood:
    """Return the likelihood that a document holds under ``likelihood``.

    Parameters
    ----------
    document
        Plain data; without a set and entries the likelihood is empty.
    added, dropped
        See :func:`with_entries`.

    Raises
    ------
    InvalidInput
        The description has problems; each is reported with its place.
    """
    chosen = with_entries(document, added, dropped).below(("likelihood",))
    spec = validate(LikelihoodSpec, chosen)
    if spec == LikelihoodSpec():
        return Likelihood("", (), ())
    return assemble(spec, Library.beside(), lambda *keys: chosen.place(keys)).likelihood


def session_model(path: Path) -> str | None:
    """Return the model of a resolved run file if it was defined in a Python session."""
    data = read_yaml(path).data
    model = data.get("model") if isinstance(data, dict) else None
    source = model.get("python") if isinstance(model, dict) else None
    return source if isinstance(source, str) and is_of_session(source) else None


def resolved_settings(run: Problem) -> dict[str, Any]:
    """Return the run file with every default and prior written out; it is a valid run file."""
    data = run.settings.model_dump(mode="json")
    if run.settings.model.python is not None and run.model_files:
        # The run folder's own copy of the Python file.
        file = next(iter(run.model_files))
        data["model"]["python"] = f"{file}:{run.settings.model.python.rpartition(':')[2]}"
    # Likewise of limit files.
    for addition, kept in zip(run.settings.likelihood.add, data["likelihood"]["add"], strict=True):
        if isinstance(addition, AddedLimit):
            name = addition.entry_name
            kept |= {"name": name, "curve": f"{LIMITS}/{name}{SUFFIX}"}
    priors = run.posterior.priors.by_name
    data["priors"]["parameters"] = {name: prior.model_dump() for name, prior in priors.items()}
    data["priors"]["use"] = None
    data["title"] = run.title
    data["figure"] = run.settings.figure.as_record()
    return data
