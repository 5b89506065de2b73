"""JSON Schemas of zpfit's files for editors, made from the models that validate them."""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from inspect import cleandoc, getsource
from itertools import pairwise
from textwrap import dedent
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import ModelSchema

from zpfit.analysis.exclusion.slice import SliceFile
from zpfit.inference.prior_files import PriorFile
from zpfit.inference.problem import RunFile, run_file_model
from zpfit.inference.samplers.registry import plugins
from zpfit.io.figure_spec import FigureSpec
from zpfit.io.library import Library
from zpfit.likelihood.entries import EntryFile, SetFile
from zpfit.models.library import model_names
from zpfit.models.model_file import ModelFile
from zpfit.physics.observables import observable_names
from zpfit.runs.campaign_file import CampaignFile

FILES: Mapping[str, type[BaseModel]] = {
    "run": RunFile,
    "entry": EntryFile,
    "set": SetFile,
    "model": ModelFile,
    "priors": PriorFile,
    "slice": SliceFile,
    "campaign": CampaignFile,
    "figure": FigureSpec,
}
"""Schema of each kind of file."""
KINDS = tuple(FILES)
"""Kinds of files that have a schema."""


def json_schema(kind: str, library: Library | None = None) -> dict[str, Any]:
    """Return the schema (draft 2020-12) of a kind of file.

    Parameters
    ----------
    kind : str
        One of :data:`KINDS`.
    library : Library, optional
        Its names become examples in the schema, which editors offer. By default that of the
        current folder.

    Examples
    --------
    >>> schema = json_schema("run")
    >>> schema["title"], sorted(schema["required"])
    ('zpfit run file', ['likelihood', 'model'])
    """
    model = run_file_model(plugins()) if kind == "run" else FILES[kind]
    made = model.model_json_schema(mode="validation", schema_generator=_Described)
    _require_tags(made)
    _offer_names(made, library or Library.beside())
    return {"$schema": GenerateJsonSchema.schema_dialect, **made, "title": f"zpfit {kind} file"}


class _Described(GenerateJsonSchema):
    """A generator that describes each key by the docstring of its field.

    Pydantic can do the same, but parses the source of every model in every process that imports
    it, which takes a tenth of a second of each command.
    """

    def model_schema(self, schema: ModelSchema) -> JsonSchemaValue:
        """Return the schema of a model, with descriptions."""
        made = super().model_schema(schema)
        docstrings = _docstrings(schema["cls"])
        for key, content in made.get("properties", {}).items():
            if key in docstrings:
                content.setdefault("description", docstrings[key])
        return made


def _docstrings(model: type[BaseModel]) -> dict[str, str]:
    """Return the docstrings below the fields of a model and of those it derives from."""
    found: dict[str, str] = {}
    for part in reversed(model.__mro__):
        if issubclass(part, BaseModel) and part is not BaseModel:
            found |= _own_docstrings(part)
    return found


@cache  # a schema asks for its models many times
def _own_docstrings(model: type[BaseModel]) -> dict[str, str]:
    try:
        source = dedent(getsource(model))
    except (OSError, TypeError):  # made while the program runs, so that it has no source
        return {}
    found = {}
    match ast.parse(source).body:
        case [ast.ClassDef(body=body)]:
            for field, below in pairwise(body):
                match field, below:
                    case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(ast.Constant(str(text))):
                        found[name] = cleandoc(text)
    return found


def _require_tags(schema: dict[str, Any]) -> None:
    """Require the key that distinguishes the members of a union; for pydantic it has a default."""
    for part in _objects(schema):
        if "discriminator" not in part:
            continue
        for form in part["oneOf"]:
            chosen = schema["$defs"][form["$ref"].removeprefix("#/$defs/")]
            tag = part["discriminator"]["propertyName"]
            chosen["required"] = sorted({*chosen.get("required", ()), tag})


def _offer_names(schema: dict[str, Any], library: Library) -> None:
    """Add known names as examples to the keys that take them."""
    entries, sets = library.names("entry"), library.names("likelihood set")
    known = {
        "model": model_names(library),
        "likelihood": sets,
        "priors": library.names("priors"),
        "set": sets,
        "use": library.names("priors"),
        "observable": observable_names(),
        "drop": entries,
        "add": entries,
        "entries": entries,
        "supersedes": entries,
    }
    for part in _objects(schema):
        # Of the keys called name, only that of a model takes a known name.
        names = {**known, "name": known["model"]} if part.get("title") == "ModelSpec" else known
        for key, content in part.get("properties", {}).items():
            for text in _texts(content) if key in names else ():
                text["examples"] = names[key]


def _objects(part: Any) -> Iterator[dict[str, Any]]:
    """Return every mapping in a schema."""
    if isinstance(part, dict):
        yield part
        for below in list(part.values()):
            yield from _objects(below)
    elif isinstance(part, list):
        for below in part:
            yield from _objects(below)


def _texts(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the parts of a key's schema that describe plain text."""
    return [part for part in _objects(content) if part.get("type") == "string"]
