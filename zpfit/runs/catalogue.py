"""What there is to use: names with a line about each, and everything about a name."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from zpfit.errors import UnknownName, ZpfitError
from zpfit.io.library import Library
from zpfit.io.places import Kind
from zpfit.io.yaml import Document, read_text, read_yaml
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.models.library import LoadedModel, ModelSpec, load_model, model_names

_LISTS: dict[str, tuple[Kind, ...]] = {
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
    """A name and a line about it."""

    kind: Kind
    name: str
    title: str
    """Of a model its description, of something broken what is wrong."""
    usable: bool = True
    unverified: bool = False


@dataclass(frozen=True)
class NamedFile:
    """A file behind a name."""

    kind: Kind
    name: str
    path: Path
    text: str
    notes: tuple[str, ...]
    """What a user should know of it."""


def listed(what: str, library: Library) -> list[Listed]:
    """Everything of a kind in the words of ``zpfit list``: models, likelihoods, runs and so on."""
    return [
        _listed_model(name, library) if kind == "model" else _listed_file(kind, name, library)
        for kind in _LISTS[what]
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
    """A model with its default options.

    Raises
    ------
    InvalidInput
        It cannot be used.
    """
    document = Document(Path("model"), {"model": {"name": name}}, {})
    return load_model(ModelSpec(name=name), document, library)


def named(name: str, library: Library) -> tuple[LoadedModel | None, list[NamedFile]]:
    """The model and the files that have a name.

    Raises
    ------
    UnknownName
        Nothing has it.
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
    """What is unverified in an entry or set; one that is broken is shown all the same."""
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
    if kind == "likelihood set":  # a line for each entry would fill the screen
        return assembled.notes()
    texts = assembled.unverified()
    return tuple(f"entry {entry} is unverified: {text}" for entry, text in texts.items())


def as_json(model: LoadedModel | None, files: list[NamedFile]) -> list[dict[str, Any]]:
    """Everything about a name, ready for JSON.

    Raises
    ------
    InvalidYaml
        A file cannot be read.
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
    """JSON has no infinities and no NaN."""
    if isinstance(value, dict):
        return {str(key): _plain(below) for key, below in value.items()}
    if isinstance(value, list):
        return [_plain(below) for below in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
