"""Schemas of zpfit's files, and the validation of documents: every problem at once."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    NonNegativeFloat,
    PositiveFloat,
    ValidationError,
    create_model,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from zpfit.errors import InvalidInput, ProblemCollector, UnknownName
from zpfit.io.document import Document
from zpfit.io.validation_messages import UNKNOWN_KEY, keys_in_file, problems_of


class StrictModel(BaseModel):
    """A part of a file: unknown keys are errors, types are not converted, instances immutable."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
    )

    @classmethod
    def where_it_belongs(cls, key: str) -> str:  # noqa: ARG003 - for subclasses
        """Return where an unknown key belongs, for messages; empty if that is not known."""
        return ""


@dataclass(frozen=True)
class AlsoAs:
    """A short form that a file may use for a key, for the JSON Schema.

    A ``BeforeValidator`` expands the short form before pydantic sees it, so that pydantic's own
    schema does not contain it.
    """

    kind: Literal["string", "number", "array"]

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return a schema that accepts either form."""
        return {"anyOf": [{"type": self.kind}, handler(schema)]}


SMALLEST, LARGEST = 1e-60, 1e60
"""Smallest and largest magnitude of numbers in files.

Squares of such numbers, and of their ratios, do not overflow in double precision.
"""


def _in_range(value: float) -> float:
    if value and not SMALLEST <= abs(value) <= LARGEST:
        raise ValueError(
            f"{value:g} is out of range; magnitudes must be zero or between {SMALLEST:g} and "
            f"{LARGEST:g}"
        )
    return value


Number = Annotated[float, AfterValidator(_in_range)]
"""A number whose magnitude is zero or between :data:`SMALLEST` and :data:`LARGEST`."""
Positive = Annotated[PositiveFloat, AfterValidator(_in_range)]
NonNegative = Annotated[NonNegativeFloat, AfterValidator(_in_range)]

Names = Annotated[tuple[str, ...], Field(strict=False, max_length=1000)]
"""A list of names."""


def name_as(key: str) -> BeforeValidator:
    """Return a validator that expands a bare name to a mapping with one key.

    Examples
    --------
    >>> name_as("set").func("today_cs")
    {'set': 'today_cs'}
    """

    def expand(value: Any) -> Any:
        return {key: value} if isinstance(value, str) else value

    return BeforeValidator(expand)


Model = TypeVar("Model", bound=BaseModel)
Result = TypeVar("Result")


def validate(model: type[Model], document: Document) -> Model:
    """Return the content of a document as ``model``.

    Raises
    ------
    InvalidInput
        The content does not fit the schema; lists every problem with file, line and key.

    Examples
    --------
    >>> from pathlib import Path
    >>> from zpfit.io.yaml import parse_yaml
    >>> class Grid(StrictModel):
    ...     points: int
    >>> validate(Grid, parse_yaml("points: 3", Path("grid.yaml")))
    Grid(points=3)
    >>> validate(Grid, parse_yaml("pionts: 3", Path("grid.yaml")))
    Traceback (most recent call last):
        ...
    zpfit.errors.InvalidInput: grid.yaml: points: is missing
    grid.yaml:1: pionts: unknown key; did you mean 'points'?
    """
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        raise InvalidInput(problems_of(model, document, error)) from error


@dataclass(frozen=True)
class Parts(Generic[Model]):
    """A document whose valid parts can be used although others are invalid."""

    values: Model
    """Content of the readable keys, and defaults of others; required keys may be missing."""
    problems: tuple[str, ...]
    """Everything that is wrong with the document, each problem with its place."""
    sound: frozenset[str]
    """Keys of the first level without a problem."""
    readable: frozenset[str]
    """Sound keys, and keys that are valid once the unknown keys below them are left out."""

    def attempt(
        self, problems: ProblemCollector, keys: Sequence[str], step: Callable[[], Result]
    ) -> Result | None:
        """Run a step that reads some keys, and collect its problems.

        Parameters
        ----------
        problems : ProblemCollector
            Collects the problems of the step.
        keys : sequence of str
            Keys of the first level that the step reads. The step does not run unless all of them
            are readable. Unless all are sound, only unknown names are collected, as other
            problems may be consequences of one that is listed already.
        step : callable
            Takes no arguments.

        Returns
        -------
        object or None
            Result of the step; None if it did not run or failed.
        """
        if not self.readable.issuperset(keys):
            return None
        kinds = () if self.sound.issuperset(keys) else (UnknownName,)
        with problems.collecting(*kinds):
            return step()
        return None


def validate_parts(model: type[Model], document: Document) -> Parts[Model]:
    """Validate a document and keep its valid parts, so that these can be checked further.

    Parameters
    ----------
    model : class
        Schema of the document.
    document : Document

    Returns
    -------
    Parts
        Without problems if the document fits the schema.
    """
    fields = frozenset(model.model_fields)
    try:
        return Parts(model.model_validate(document.data), (), fields, fields)
    except ValidationError as error:
        problems = tuple(problems_of(model, document, error))
        details = error.errors(include_url=False)
    data = deepcopy(document.data) if isinstance(document.data, dict) else {}
    errors = [(d["type"] == UNKNOWN_KEY, keys_in_file(model, document, d)) for d in details]
    for is_unknown, keys in errors:
        if is_unknown:
            _drop(data, keys)
    invalid = {keys[0] for is_unknown, keys in errors if keys and not is_unknown}
    trimmed = {keys[0] for is_unknown, keys in errors if is_unknown and len(keys) > 1}
    values = _valid_fields(model, data, skip=invalid)
    # If a key of the first level is unknown, it may be meant for any key that is missing.
    certain = bool(data) and not any(is_unknown and len(keys) == 1 for is_unknown, keys in errors)
    optional = {n for n in fields - data.keys() if not model.model_fields[n].is_required()}
    readable = frozenset(values) | (optional if certain else set())
    return Parts(model.model_construct(**values), problems, readable - trimmed, readable)


def _valid_fields(
    model: type[BaseModel], data: Mapping[str, Any], skip: set[str | int]
) -> dict[str, Any]:
    """Return the content of those keys that are valid on their own."""
    values = {}
    for name, field in model.model_fields.items():
        if name in data and name not in skip:
            alone: type[StrictModel] = create_model(  # type: ignore[call-overload]
                model.__name__, __base__=StrictModel, **{name: (field.annotation, field)}
            )
            try:
                values[name] = getattr(alone.model_validate({name: data[name]}), name)
            except ValidationError:
                continue  # its problem is listed already
    return values


def _drop(data: Any, keys: Sequence[str | int]) -> None:
    """Remove a key from nested mappings and lists, if it is there."""
    for key in keys[:-1]:
        data = data[key]
    if isinstance(data, dict):
        data.pop(keys[-1], None)
