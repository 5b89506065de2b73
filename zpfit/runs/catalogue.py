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


def named(name: str, library: Library) -> tuple[LoadedModel | None, list[NamedFile]]:
    """Return the model and the files that have a name.

    Raises
    ------
    UnknownName
        No model and no file has that name.
    """
    model = named_model(name, library) if name in model_names(library) else None
    files = [_file(kind, name, library) for kind in _SHOWN if name in library.names(kind)]
    if model is None and not files:
        known = {n for kind in _SHOWN for n in library.names(kind)} | set(model_names(library))
        raise UnknownName("name", name, known)
    return model, files


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
    if kind == "likelihood set":  # one line for each entry would fill the screen
        return (*_inherited(name, library), *assembled.notes())
    texts = assembled.unverified()
    return tuple(f"entry {entry} is unverified: {text}" for entry, text in texts.items())


def _inherited(name: str, library: Library) -> tuple[str, ...]:
    """Return a note with all entries of a set that is based on another."""
    chosen = read_set(library, name)
    if chosen.base is None:
        return ()
    return (f"with the entries of {chosen.base}: {', '.join(chosen.entries)}",)


def as_json(model: LoadedModel | None, files: list[NamedFile]) -> list[dict[str, Any]]:
    """Return everything about a name as plain data for JSON.

    Raises
    ------
    InvalidYaml
        A file cannot be parsed.
    """
    return [*([] if model is None else [_model_as_json(model)]), *map(_file_as_json, files)]


def _model_as_json(loaded: LoadedModel) -> dict[str, Any]:
    model = loaded.model
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
        "optional": [parameter.name for parameter in optional_parameters(model)],
        "options": {
            name: {"choices": list(get_args(field.annotation)), "default": field.default}
            for name, field in loaded.options.model_fields.items()
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
