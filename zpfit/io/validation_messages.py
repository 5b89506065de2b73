"""Messages about documents that do not fit their schema: place, value, what is wrong."""

from collections.abc import Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel, RootModel, ValidationError
from pydantic_core import ErrorDetails

from zpfit.errors import in_short, suggestion
from zpfit.io.document import Document

_MOST_PROBLEMS = 50
"""Number of problems listed for one file; more would fill the screen."""
_MESSAGES = {
    "missing": "is missing",
    "union_tag_not_found": "needs a key {discriminator}",
    "union_tag_invalid": "unknown {discriminator} {tag}; known: {expected_tags}",
    "model_attributes_type": "must be a mapping of keys to values, not {value}",
    "float_type": "must be a number, not {value}",
    "int_type": "must be an integer, not {value}",
    "int_from_float": "must be an integer, not {value}",
    "string_type": "must be text, not {value} (put it in quotes if it is meant as text)",
    "bool_type": "must be true or false, not {value}",
    "finite_number": "must be a finite number, not {value}",
    "model_type": "must be a mapping of keys to values, not {value}",
    "dict_type": "must be a mapping of keys to values, not {value}",
    "greater_than": "must be greater than {gt}, not {value}",
    "greater_than_equal": "must be at least {ge}, not {value}",
    "less_than": "must be less than {lt}, not {value}",
    "less_than_equal": "must be at most {le}, not {value}",
    "literal_error": "must be {expected}, not {value}",
    "too_short": "must have at least {min_length:,} items, not {actual_length:,}",
    "too_long": "must have at most {max_length:,} items, not {actual_length:,}",
    "tuple_type": "must be a list, not {value}",
    "value_error": "{error}",
}
"""Messages by pydantic's type of error; other types keep pydantic's message."""
UNKNOWN_KEY = "extra_forbidden"
"""pydantic's type of error for a key that the schema does not know."""


def problems_of(model: type[BaseModel], document: Document, error: ValidationError) -> list[str]:
    """Return every problem of a document, each with its place.

    Parameters
    ----------
    model : class
        Schema of the document.
    document : Document
    error : ValidationError
        Failure of ``model.model_validate(document.data)``.
    """
    details = error.errors(include_url=False)
    problems = [_problem(model, document, detail) for detail in details[:_MOST_PROBLEMS]]
    if len(details) > _MOST_PROBLEMS:
        problems.append(f"{document.path}: and {len(details) - _MOST_PROBLEMS:,} more problems")
    return list(dict.fromkeys(problems))


def _problem(model: type[BaseModel], document: Document, detail: ErrorDetails) -> str:
    keys = _keys(detail)
    place = document.place(keys_in_file(model, document, detail))
    if detail["type"] == UNKNOWN_KEY:
        return f"{place}: unknown key; {_remedy(str(keys[-1]), _models_at(model, keys[:-1]))}"
    template = _MESSAGES.get(detail["type"])
    if template is None:
        given = in_short(detail["input"])
        return f"{place}: {detail['msg'][0].lower()}{detail['msg'][1:]}, not {given}"
    context = {name: _short(value) for name, value in detail.get("ctx", {}).items()}
    if "tag" in context:
        context["tag"] = in_short(context["tag"])
    return f"{place}: " + template.format(value=in_short(detail["input"]), **context)


def _short(value: Any) -> Any:
    """Return a limit of a float that is an integer without its point."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _remedy(key: str, models: Sequence[type[BaseModel]]) -> str:
    """Return what to do about a key that none of the schemas in its place knows."""
    hints = [m.where_it_belongs(key) for m in models if hasattr(m, "where_it_belongs")]
    known = sorted({name for m in models for name in m.model_fields})
    return next(filter(None, hints), None) or suggestion(key, known)


def _keys(detail: ErrorDetails) -> list[str | int]:
    """Return the keys that lead to an error, which may include tags of unions."""
    return [key for key in detail["loc"] if not str(key).startswith(("function-", "tagged-"))]


def keys_in_file(
    model: type[BaseModel], document: Document, detail: ErrorDetails
) -> list[str | int]:
    """Return the keys of the file that lead to an error, and the key that is missing there."""
    keys = _keys(detail)
    # The first key of a union at the root is a tag, even where the file has such a key as well.
    own_keys = _without_tags(document.data, keys[1:] if issubclass(model, RootModel) else keys)
    if detail["type"] == "missing":
        own_keys.append(keys[-1])
    elif detail["type"].startswith("union_tag"):
        own_keys.append(str(detail["ctx"]["discriminator"]).strip("'"))
    return own_keys


def _without_tags(data: Any, keys: Sequence[str | int]) -> list[str | int]:
    """Return the keys that are in the file; pydantic adds names of union members to them."""
    result: list[str | int] = []
    for key in keys:
        in_dict = isinstance(data, dict) and key in data
        in_list = isinstance(data, list) and isinstance(key, int) and key < len(data)
        if in_dict or in_list:
            data = data[key]
            result.append(key)
    return result


def _models_at(model: type[BaseModel], keys: Sequence[str | int]) -> list[type[BaseModel]]:
    """Return the schemas of what stands below ``keys``."""
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
    return models


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
