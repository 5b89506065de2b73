"""JSON Schemas of zpfit's files, from the definitions that validate them, for editors."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from zpfit.analysis.exclusion.slice import SliceFile
from zpfit.inference.prior_files import PriorFile
from zpfit.inference.problem import RunFile, run_file_model
from zpfit.inference.samplers.registry import plugins
from zpfit.io.library import Library
from zpfit.likelihood.entries import EntryFile, SetFile
from zpfit.models.library import model_names
from zpfit.models.model_file import ModelFile
from zpfit.physics.observables import OBSERVABLES
from zpfit.runs.campaign_file import CampaignFile

_FILES: Mapping[str, type[BaseModel]] = {
    "run": RunFile,
    "entry": EntryFile,
    "set": SetFile,
    "model": ModelFile,
    "priors": PriorFile,
    "slice": SliceFile,
    "campaign": CampaignFile,
}
KINDS = tuple(_FILES)


def json_schema(kind: str, library: Library | None = None) -> dict[str, Any]:
    """The schema (draft 2020-12) of a kind of file, one of :data:`KINDS`.

    Names that the library finds stand in it as examples, which editors offer.
    """
    model = run_file_model(plugins()) if kind == "run" else _FILES[kind]
    made = model.model_json_schema(mode="validation")
    _require_tags(made)
    _offer_names(made, library or Library.beside())
    return {"$schema": GenerateJsonSchema.schema_dialect, **made, "title": f"zpfit {kind} file"}


def _require_tags(schema: dict[str, Any]) -> None:
    """Demand what tells the forms of a choice apart, which pydantic takes for having a default."""
    for part in _objects(schema):
        if "discriminator" not in part:
            continue
        for form in part["oneOf"]:
            chosen = schema["$defs"][form["$ref"].removeprefix("#/$defs/")]
            tag = part["discriminator"]["propertyName"]
            chosen["required"] = sorted({*chosen.get("required", ()), tag})


def _offer_names(schema: dict[str, Any], library: Library) -> None:
    """Add the names that are known to the keys that take them."""
    entries, sets = library.names("entry"), library.names("likelihood set")
    known = {
        "model": model_names(library),
        "likelihood": sets,
        "priors": library.names("priors"),
        "set": sets,
        "use": library.names("priors"),
        "observable": sorted(OBSERVABLES),
        "drop": entries,
        "add": entries,
        "entries": entries,
        "supersedes": entries,
    }
    for part in _objects(schema):
        # Other parts have names as well.
        names = {**known, "name": known["model"]} if part.get("title") == "ModelSpec" else known
        for key, content in part.get("properties", {}).items():
            for text in _texts(content) if key in names else ():
                text["examples"] = names[key]


def _objects(part: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in a schema."""
    if isinstance(part, dict):
        yield part
        for below in list(part.values()):
            yield from _objects(below)
    elif isinstance(part, list):
        for below in part:
            yield from _objects(below)


def _texts(content: dict[str, Any]) -> list[dict[str, Any]]:
    """What of a key's content is plain text."""
    return [part for part in _objects(content) if part.get("type") == "string"]
