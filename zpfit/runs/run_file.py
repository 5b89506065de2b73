"""Run files: finding, changing and reading them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from zpfit.errors import ProblemCollector
from zpfit.inference.problem import SHORTHANDS, ModelOnly, Problem, resolve
from zpfit.io.document import Document, KeyPath, Source
from zpfit.io.library import Library
from zpfit.io.places import Kind
from zpfit.io.schema import validate
from zpfit.io.yaml import parse_yaml, read_yaml
from zpfit.likelihood.darkcast import SUFFIX
from zpfit.likelihood.library import LIMITS
from zpfit.likelihood.limit_file import AddedLimit
from zpfit.likelihood.limit_option import with_limit
from zpfit.models.base import Model
from zpfit.models.library import ModelSpec, load_model
from zpfit.runs.run_folder import RunFolder

SET = Source("--set")
"""Origin of a changed value, for messages."""


def find_run_file(name_or_path: str) -> Path:
    """A path that exists, the resolved file of a run folder, or the file of a named run.

    Raises
    ------
    UnknownName
        Neither.
    """
    path = Path(name_or_path)
    if path.is_dir() and (path / "config.yaml").is_file():
        return path / "config.yaml"
    return find_file("run", name_or_path)


def find_unfinished(name_or_path: str) -> Path:
    """As :func:`find_run_file`, but of a folder the file of the run on its way, if there is one.

    Raises
    ------
    UnknownName
        Nothing is found.
    """
    folder = RunFolder(Path(name_or_path))
    return find_run_file(str(folder.unfinished.path if folder.is_unfinished else name_or_path))


def find_file(kind: Kind, name_or_path: str, place: str = "") -> Path:
    """Return a path that exists or looks like one, or the file behind a name.

    Parameters
    ----------
    kind : str
        Kind of file, see :data:`zpfit.io.places.FOLDERS`.
    name_or_path : str
    place : str, optional
        Place of the name in a file, for messages.

    Raises
    ------
    UnknownName
        It is neither.
    """
    path = Path(name_or_path)
    if path.is_file() or path.suffix in {".yaml", ".yml"} or len(path.parts) > 1:
        return path
    return Library.beside().find(kind, name_or_path, place)


def load_run(
    path: Path, changes: Mapping[str, Any] | None = None, limits: Sequence[str] = ()
) -> Problem:
    """Read and resolve a run file; ``changes`` maps dotted keys to values, texts read as YAML.

    ``limits`` are files as :func:`zpfit.likelihood.limit_option.with_limit` takes them.

    Raises
    ------
    InvalidInput
        Everything that is wrong with the file, each with its place.
    """
    document = read_yaml(path)
    for key, given in (changes or {}).items():
        is_text = isinstance(given, str)
        value = parse_yaml(given, Path(f"--set {key}")).data if is_text else given
        document = with_change(document, tuple(key.split(".")), value)
    return resolve(with_limits(document, limits), Library.beside(path))


def with_limits(document: Document, limits: Sequence[str]) -> Document:
    """A run or slice document with limit files added to its data.

    Raises
    ------
    InvalidInput
        Every text that has not the form of :func:`zpfit.likelihood.limit_option.with_limit`.
    """
    problems = ProblemCollector()
    if limits:
        document = _written_out(document, "likelihood")
    for text in limits:
        with problems.collecting():
            document = with_limit(document, text)
    problems.raise_if_any()
    return document


def with_change(document: Document, keys: KeyPath, value: Any, source: Source = SET) -> Document:
    """Set a value; a bare name that stands above it becomes the mapping it is short for.

    Messages name the ``source`` of the change.
    """
    if len(keys) > 1:
        document = _written_out(document, str(keys[0]))
    return document.with_value(keys, value, source)


def _written_out(document: Document, key: str) -> Document:
    """A bare name under a key as the mapping that it is short for."""
    short = SHORTHANDS.get(key)
    name = document.data.get(key) if isinstance(document.data, dict) else None
    if short and isinstance(name, str):
        longer = document.with_value((key,), {short: name})
        return replace(longer, lines=document.lines, changed=document.changed)
    return document


def load_single_model(text: str) -> tuple[ModelSpec, Model]:
    """A model as ``--model`` names it: what a run file would have under ``model``.

    Raises
    ------
    InvalidInput, UnknownName, InvalidModel
        See :func:`zpfit.models.library.load_model`.
    """
    value = parse_yaml(text, Path("--model")).data
    document = Document(Path("--model"), {"model": value}, {})
    spec = validate(ModelOnly, document).model
    return spec, load_model(spec, document, Library.beside()).model


def resolved_settings(run: Problem) -> dict[str, Any]:
    """The run file with every default and prior written out; itself a valid run file."""
    data = run.settings.model_dump(mode="json")
    if run.settings.model.python is not None and run.model_files:
        # The run folder's own copy of the Python file.
        [file] = run.model_files
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
    return data
