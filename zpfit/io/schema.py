"""Validation of YAML documents: every problem at once, each with its place."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    NonNegativeFloat,
    PositiveFloat,
    RootModel,
    ValidationError,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, ErrorDetails

from zpfit.errors import InvalidInput, in_short, suggestion
from zpfit.io.yaml import Document


class StrictModel(BaseModel):
    """A part of a file: no unknown keys, no coercion of types, immutable."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,  # they describe the keys in JSON Schemas
    )


@dataclass(frozen=True)
class AlsoAs:
    """Another form of a part of a file, which a ``BeforeValidator`` expands, for JSON Schemas.

    pydantic sees what it becomes, and not what may stand in the file.
    """

    kind: Literal["string", "number", "array"]

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Either form."""
        return {"anyOf": [{"type": self.kind}, handler(schema)]}


SMALLEST, LARGEST = 1e-60, 1e60
"""Sizes whose squares, and those of their ratios, computers can hold."""


def _in_reach(value: float) -> float:
    if value and not SMALLEST <= abs(value) <= LARGEST:
        raise ValueError(
            f"{value:g} is out of reach; sizes go from {SMALLEST:g} to {LARGEST:g}, or are zero"
        )
    return value


Number = Annotated[float, AfterValidator(_in_reach)]
"""A number of such a size, or zero."""
Positive = Annotated[PositiveFloat, AfterValidator(_in_reach)]
NonNegative = Annotated[NonNegativeFloat, AfterValidator(_in_reach)]

Names = Annotated[tuple[str, ...], Field(strict=False, max_length=1000)]
"""A list of names."""

Model = TypeVar("Model", bound=BaseModel)

_MOST_PROBLEMS = 50
"""That are told of one file."""
_MESSAGES = {
    "missing": "is missing",
    "union_tag_not_found": "needs a key {discriminator}",
    "union_tag_invalid": "unknown {discriminator} {tag}; known: {expected_tags}",
    "model_attributes_type": "must be a number or a mapping of keys to values, not {value}",
    "float_type": "must be a number, not {value}",
    "int_type": "must be an integer, not {value}",
    "int_from_float": "must be an integer, not {value}",
    "string_type": "must be text, not {value} (put it in quotes if it is meant as text)",
    "bool_type": "must be true or false, not {value}",
    "finite_number": "must be a finite number, not {value}",
    "model_type": "must be a mapping of keys to values, not {value}",
    "dict_type": "must be a mapping of keys to values, not {value}",
    "too_long": "must have at most {max_length:,} items, not {actual_length:,}",
    "tuple_type": "must be a list, not {value}",
    "value_error": "{error}",
}


def validate(model: type[Model], document: Document) -> Model:
    """The document as ``model``.

    Raises
    ------
    InvalidInput
        Names every problem with file, line and key.
    """
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        details = error.errors(include_url=False)
        problems = [_problem(model, document, detail) for detail in details[:_MOST_PROBLEMS]]
        if len(details) > _MOST_PROBLEMS:
            problems.append(f"{document.path}: and {len(details) - _MOST_PROBLEMS:,} more problems")
        raise InvalidInput(list(dict.fromkeys(problems))) from error


def _problem(model: type[BaseModel], document: Document, detail: ErrorDetails) -> str:
    keys = [key for key in detail["loc"] if not str(key).startswith(("function-", "tagged-"))]
    # The first key of a union at the root is a tag, even where the file has such a key as well.
    own_keys = _without_tags(document.data, keys[1:] if issubclass(model, RootModel) else keys)
    if detail["type"] == "missing":
        own_keys.append(keys[-1])
    elif detail["type"].startswith("union_tag"):
        own_keys.append(str(detail["ctx"]["discriminator"]).strip("'"))
    place = document.place(own_keys)
    if detail["type"] == "extra_forbidden":
        known = sorted(_keys_at(model, keys[:-1]))
        return f"{place}: unknown key; {suggestion(str(keys[-1]), known)}"
    at_root = detail["type"] == "model_attributes_type" and not keys
    template = _MESSAGES.get("dict_type" if at_root else detail["type"])
    if template is None:
        given = in_short(detail["input"])
        return f"{place}: {detail['msg'][0].lower()}{detail['msg'][1:]}, not {given}"
    context = dict(detail.get("ctx", {}))
    if "tag" in context:
        context["tag"] = in_short(context["tag"])
    return f"{place}: " + template.format(value=in_short(detail["input"]), **context)


def _without_tags(data: Any, keys: Sequence[str | int]) -> list[str | int]:
    """The keys that stand in the file; pydantic puts names of union members between them."""
    result: list[str | int] = []
    for key in keys:
        in_dict = isinstance(data, dict) and key in data
        in_list = isinstance(data, list) and isinstance(key, int) and key < len(data)
        if in_dict or in_list:
            data = data[key]
            result.append(key)
    return result


def _keys_at(model: type[BaseModel], keys: Sequence[str | int]) -> set[str]:
    """Keys that the schema knows below ``keys``."""
    models = [model]
    if issubclass(model, RootModel):
        members = list(_models_in(model.model_fields["root"].annotation))
        models = [m for m in members if keys and keys[0] in _tags(m)] or members
        keys = keys[1:]
    for key in keys:
        fields = [m.model_fields[key] for m in models if key in m.model_fields]
        if fields:
            models = [m for field in fields for m in _models_in(field.annotation)]
        else:
            tagged = [m for m in models if key in _tags(m)]
            models = tagged or models
    return {name for m in models for name in m.model_fields}


def _tags(model: type[BaseModel]) -> set[str]:
    return {
        str(value)
        for field in model.model_fields.values()
        if field.annotation is not None
        for value in get_args(field.annotation)
        if isinstance(value, str)
    }


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
