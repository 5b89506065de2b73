"""JSON Schemas of zpfit's files, from the definitions that validate them, for editors."""

import ast
import inspect
import textwrap
from collections.abc import Iterable
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from zpfit.campaign_file import CampaignFile
from zpfit.config import PriorFile, RunFile
from zpfit.entries import EntryFile, SetFile
from zpfit.library import Library
from zpfit.model_library import model_names
from zpfit.models.model_file import ModelFile
from zpfit.observables import OBSERVABLES
from zpfit.physics.couplings import COUPLING_NAMES
from zpfit.slice_file import SliceFile

Kind = Literal["run", "entry", "set", "model", "priors", "slice", "campaign"]
_FILES: dict[str, type[BaseModel]] = {
    "run": RunFile,
    "entry": EntryFile,
    "set": SetFile,
    "model": ModelFile,
    "priors": PriorFile,
    "slice": SliceFile,
    "campaign": CampaignFile,
}
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(kind: str) -> dict[str, Any]:
    """The schema (draft 2020-12) of a kind of file.

    Names that a library finds now stand in it as examples, which editors offer; others are valid.
    """
    made = _FILES[kind].model_json_schema(mode="validation", schema_generator=_Described)
    return {"$schema": _DIALECT, **made, "title": f"zpfit {kind} file"}
