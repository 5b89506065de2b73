"""Catalogue of named files and models: a line about each, and the content behind a name."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from zpfit.errors import UnknownName, ZpfitError
from zpfit.io.document import Document
from zpfit.io.library import Library
from zpfit.io.places import Kind
from zpfit.io.yaml import read_text, read_yaml
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.likelihood.library import read_set
from zpfit.models.base import Parameter
from zpfit.models.dark_width import optional_parameters
from zpfit.models.library import LoadedModel, ModelSpec, load_model, model_names

LISTS: dict[str, tuple[Kind, ...]] = {
    "models": ("model",),
    "likelihoods": ("likelihood set", "entry"),
    "priors": ("priors",),
    "runs": ("run",),
    "slices": ("slice",),
    "campaigns": ("campaign",),
}
_SHOWN: tuple[Kind, ...] = ("likelihood set", "entry", "priors", "run", "slice", "campaign")


@dataclass(frozen=True)
class Listed:
    """A name with a line about it."""

    kind: Kind
    name: str
    title: str
    """Title, description of a model, or the problem of something that cannot be used."""
    usable: bool = True
    unverified: bool = False
    """True for an entry with numbers that were not checked against their source."""


@dataclass(frozen=True)
class NamedFile:
    """A file behind a name."""

    kind: Kind
    name: str
    path: Path
    text: str
    notes: tuple[str, ...]
    """Warnings, such as unverified numbers."""


@dataclass(frozen=True)
class ModelOption:
    """An option of a model."""

    name: str
    choices: tuple[Any, ...]
    """Allowed values; empty for any integer."""
    default: Any


@dataclass(frozen=True)
class NamedModel:
    """A model behind a name, with its default options."""

    name: str
    description: str
    reference: str
    formulas: tuple[str, ...]
    """Formulas of the couplings, as text."""
    parameters: tuple[Parameter, ...]
    optional: tuple[str, ...]
    """Further parameters, which the model has only where they are given."""
    options: tuple[ModelOption, ...]


@dataclass(frozen=True)
class Named:
    """Everything behind a name."""

    name: str
    model: NamedModel | None
    files: tuple[NamedFile, ...]


def listed(what: str, library: Library) -> list[Listed]:
    """Return every name of a group of kinds.

    Parameters
    ----------
    what : str
        ``models``, ``likelihoods``, ``priors``, ``runs``, ``slices`` or ``campaigns``.
    library : Library
        Folders in which names are looked up.

    Examples
    --------
    >>> names = [found.name for found in listed("likelihoods", Library.beside())]
    >>> "paper_2021_cs" in names
    True
    """
    return [
        _listed_model(name, library) if kind == "model" else _listed_file(kind, name, library)
        for kind in LISTS[what]
        for name in (model_names(library) if kind == "model" else library.names(kind))
    ]


def _listed_model(name: str, library: Library) -> Listed:
    try:
        return Listed("model", name, named_model(name, library).model.description)
    except ZpfitError as error:
        return Listed("model", name, f"unusable: {error}", usable=False)


def _listed_file(kind: Kind, name: str, library: Library) -> Listed:
    try:
        data = library.document(kind, name).data
    except ZpfitError as error:
        return Listed(kind, name, f"unreadable: {error}", usable=False)
    if not isinstance(data, dict):
        return Listed(kind, name, "", usable=False)
    return Listed(kind, name, str(data.get("title", "")), unverified=bool(data.get("unverified")))


def named_model(name: str, library: Library) -> LoadedModel:
    """Return a model with its default options.

    Raises
    ------
    InvalidInput, UnknownName
        The model cannot be used, or no model has that name.
    """
    document = Document(Path("model"), {"model": {"name": name}}, {})
    return load_model(ModelSpec(name=name), document, library)


def named(name: str, library: Library) -> Named:
    """Return the model and the files that have a name.

    Raises
    ------
    UnknownName
        No model and no file has that name.
    """
    known = model_names(library)
    model = _described(named_model(name, library)) if name in known else None
    files = tuple(_file(kind, name, library) for kind in _SHOWN if name in library.names(kind))
    if model is None and not files:
        names = {n for kind in _SHOWN for n in library.names(kind)} | set(known)
        raise UnknownName("name", name, names)
    return Named(name, model, files)


def _file(kind: Kind, name: str, library: Library) -> NamedFile:
    path = library.find(kind, name)
    return NamedFile(kind, name, path, read_text(path), _notes(kind, name, library))


def _notes(kind: Kind, name: str, library: Library) -> tuple[str, ...]:
    """Return warnings about an entry or set; an invalid one is shown with its problem."""
    specs = {
        "entry": LikelihoodSpec(add=(name,)),
        "likelihood set": LikelihoodSpec(set=name),
    }
    if kind not in specs:
        return ()
    try:
        assembled = assemble(specs[kind], library, allow_code=False)
    except ZpfitError as error:
        return (f"cannot be used: {error}",)
    is_set = kind == "likelihood set"
    notes = (*_inherited(name, library), *assembled.notes()) if is_set else ()
    texts = assembled.unverified()
    return *notes, *(f"entry {entry} is unverified: {text}" for entry, text in texts.items())


def _inherited(name: str, library: Library) -> tuple[str, ...]:
    """Return a note with all entries of a set that is based on another."""
    chosen = read_set(library, name)
    if chosen.base is None:
        return ()
    return (f"with the entries of {chosen.base}: {', '.join(chosen.entries)}",)


def _described(loaded: LoadedModel) -> NamedModel:
    model = loaded.model
    return NamedModel(
        model.name,
        model.description,
        model.reference,
        tuple(model.formulas),
        tuple(model.parameters),
        tuple(parameter.name for parameter in optional_parameters(model)),
        tuple(
            ModelOption(name, get_args(field.annotation), field.default)
            for name, field in loaded.options.model_fields.items()
        ),
    )


def as_json(found: Named) -> list[dict[str, Any]]:
    """Return everything about a name as plain data for JSON.

    Raises
    ------
    InvalidYaml
        A file cannot be parsed.
    """
    model = [] if found.model is None else [_model_as_json(found.model)]
    return [*model, *map(_file_as_json, found.files)]


def _model_as_json(model: NamedModel) -> dict[str, Any]:
    return {
        "kind": "model",
        "name": model.name,
        "description": model.description,
        "reference": model.reference,
        "formulas": list(model.formulas),
        "parameters": [
            {
                "name": parameter.name,
                "symbol": parameter.symbol,
                "unit": parameter.unit,
                "domain": list(parameter.domain),
                "default": parameter.default,
                "meaning": parameter.meaning,
            }
            for parameter in model.parameters
        ],
        "optional": list(model.optional),
        "options": {
            option.name: {"choices": list(option.choices), "default": option.default}
            for option in model.options
        },
    }


def _file_as_json(file: NamedFile) -> dict[str, Any]:
    return {
        "kind": file.kind,
        "name": file.name,
        "path": str(file.path),
        "content": _plain(read_yaml(file.path).data),
        "notes": list(file.notes),
    }


def _plain(value: Any) -> Any:
    """Return data with infinities and NaN as text, which JSON does not have."""
    if isinstance(value, dict):
        return {str(key): _plain(below) for key, below in value.items()}
    if isinstance(value, list):
        return [_plain(below) for below in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
