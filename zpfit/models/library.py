"""Models by name: those of zpfit, files of charges, installed plug-ins and a user's Python."""

import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import EntryPoint
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, ConfigDict, Field, model_validator

from zpfit.errors import InvalidInput, InvalidModel, UnknownName, suggestion
from zpfit.io.document import Document
from zpfit.io.library import Library
from zpfit.io.places import FOLDERS
from zpfit.io.schema import StrictModel, validate
from zpfit.io.yaml import is_file
from zpfit.models.base import Model, Parameter, Values, in_words
from zpfit.models.gauge import GaugeOptions
from zpfit.models.model_file import ChargesFile, ChargesModel, LinearModel, ModelFile
from zpfit.models.names import names_of_models, plugins
from zpfit.models.python_model import FunctionModel, UserModel, where_failed
from zpfit.models.registry import BUILT_IN, NoOptions
from zpfit.physics.couplings import COUPLING_NAMES

_NAN_REMEDY = "mend it, restrict the priors to where it is defined, or state a condition"


def _names_an_object(source: str) -> str:
    if not re.fullmatch(r".+:\w+", source):
        raise ValueError(f"must be file.py:object or package.module:object, not {source!r}")
    return source


class ModelSpec(StrictModel):
    """What a run file says of its model; a bare name is short for ``name``."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["name"]}, {"required": ["python"]}]}
    )

    name: str | None = None
    """Of a model of zpfit, a file in ``models/`` or an installed plug-in."""
    python: Annotated[str, AfterValidator(_names_an_object)] | None = None
    """``file.py:object`` or ``package.module:object``."""
    options: dict[str, Any] = Field(default_factory=dict)
    """See ``zpfit show`` for those of a model; a Python class takes them as arguments."""
    vectorised: bool | None = None
    """Whether a Python model takes arrays; tried out if left open."""

    @model_validator(mode="after")
    def _names_one(self) -> "ModelSpec":
        if (self.name is None) == (self.python is None):
            raise ValueError("give either name or python; --set model=NAME replaces both")
        return self


@dataclass(frozen=True)
class LoadedModel:
    """A model and the files it was read from."""

    model: Model
    files: Mapping[str, Path] = field(default_factory=dict)
    """By where a library looks for them."""
    options: type[StrictModel] = NoOptions
    """What options there are; a Python class knows its own."""
    code: str = ""
    """Which key of the file names Python code, and what it names; empty if none does."""


def model_names(library: Library) -> list[str]:
    """All names, sorted."""
    return names_of_models(library.roots)


def load_model(spec: ModelSpec, document: Document, library: Library) -> LoadedModel:
    """The model that ``spec``, which stands under ``model`` in ``document``, asks for.

    Raises
    ------
    UnknownName
        Nothing has that name.
    InvalidInput
        Options or a model file with problems, each with its place; a file that
        has the name of a model of zpfit; Python code that cannot be imported or is no model.
    """
    options = document.below(("model", "options"))
    if spec.python is not None:
        with _at(document.place(["model", "python"])):
            target, files = _from_python(spec.python, library)
            code = f"model.python = {spec.python}"
            return LoadedModel(_as_model(spec.python, target, options), files, code=code)
    name, place = spec.name or "", document.place(["model"])
    in_files = name in library.names("model")
    if name in BUILT_IN:
        if in_files:
            path = library.find("model", name)
            raise InvalidInput([f"{path}: zpfit has a model {name!r} of its own; rename the file"])
        built_in = BUILT_IN[name]
        model = built_in.build(validate(built_in.options, options))
        return LoadedModel(model, options=built_in.options)
    if in_files:
        return _from_file(library.document("model", name, place), options)
    point = plugins().get(name)
    if point is not None:
        with _at(place):
            target = _imported(name, partial(_named_by, point))
            code = f"model = {name}, which is {point.value} of an installed package"
            return LoadedModel(_as_model(name, target, options), code=code)
    raise UnknownName("model", name, model_names(library), place)


def ready_for_batches(
    model: Model, spec: ModelSpec, values: Values, place: str
) -> tuple[Model, tuple[str, ...]]:
    """The model, in a loop over points if it does not take arrays, and a note that says so.

    ``values`` are a few points at which to try it out, ``place`` is where it is asked for.

    Raises
    ------
    InvalidInput
        It fails, or is no Python model and yet ``vectorised`` is given.
    """
    if not isinstance(model, UserModel):
        if spec.vectorised is not None:
            raise InvalidInput([f"{place}: vectorised is for Python models only; leave it out"])
        return model, ()
    with _at(place):
        takes_arrays = model.takes_batches(values) if spec.vectorised is None else spec.vectorised
        chosen = model if takes_arrays else model.in_a_loop()
        exists = chosen.exists(values)
        if exists.any():
            some = {name: column[exists] for name, column in values.items()}
            with np.errstate(invalid="ignore"):
                c = chosen.couplings(some)
                chosen.derived(some)
            for name, row in zip(COUPLING_NAMES, c.rows(), strict=True):
                if np.isnan(row).any():
                    at = in_words(some, int(np.argmax(np.isnan(row))))
                    raise InvalidModel(model.name, f"gives NaN as {name} at {at}; {_NAN_REMEDY}")
    if takes_arrays or len(exists) == 1:
        return chosen, ()
    note = (
        f"model {model.name!r} is called point by point, hundreds of times slower than a model "
        "that takes arrays"
    )
    return chosen, (note,)


@contextmanager
def _at(place: str) -> Iterator[None]:
    """Say of a model that fails where it is asked for."""
    try:
        yield
    except InvalidModel as error:
        raise InvalidInput([f"{place}: {error}"]) from error


def _from_file(document: Document, options: Document) -> LoadedModel:
    file, name = validate(ModelFile, document).root, document.path.stem
    files = {f"{FOLDERS['model']}/{document.path.name}": document.path}
    if isinstance(file, ChargesFile):
        model = ChargesModel(name, file, validate(GaugeOptions, options))
        return LoadedModel(model, files, GaugeOptions)
    validate(NoOptions, options)
    return LoadedModel(LinearModel(name, file), files)


def _named_by(point: EntryPoint) -> Any:
    """The object behind an entry point, imported without a frame of the packaging machinery."""
    return attrgetter(point.attr)(importlib.import_module(point.module))


def _from_python(source: str, library: Library) -> tuple[Any, dict[str, Path]]:
    """The object that ``file.py:object`` or ``package.module:object`` names, and its file."""
    module_name, _, attribute = source.rpartition(":")
    files = {}
    if module_name.endswith(".py"):
        path = next((r / module_name for r in library.roots if is_file(r / module_name)), None)
        if path is None:
            raise InvalidModel(source, "is not found; give its path from the run file")
        module = _imported(source, lambda: _module_from(path))
        given = Path(module_name)
        inside = not given.is_absolute() and ".." not in given.parts
        files = {module_name if inside else path.name: path}
    else:
        module = _imported(source, lambda: importlib.import_module(module_name))
    if not hasattr(module, attribute):
        known = [name for name in vars(module) if not name.startswith("_")]
        hint = suggestion(attribute, known)
        raise InvalidModel(source, f"names nothing: the module has no {attribute!r}; {hint}")
    return getattr(module, attribute), files


def _module_from(path: Path) -> ModuleType:
    name = f"zpfit_model_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _imported(source: str, load: Callable[[], Any]) -> Any:
    try:
        return load()
    except (Exception, SystemExit) as error:
        where, kind = where_failed(error), type(error).__name__
        raise InvalidModel(source, f"cannot be imported{where}: {kind}: {error}") from error


def _as_model(source: str, target: Any, options: Document) -> UserModel:
    """A subclass of ``Model``, an instance of one, or a function, as a guarded model."""
    arguments = options.data or {}
    if inspect.isclass(target) and issubclass(target, Model):
        try:
            target = target(**arguments)
        except Exception as error:
            where, kind = where_failed(error), type(error).__name__
            raise InvalidModel(
                source, f"cannot be built{where}: {kind}: {error}; mend options or the class"
            ) from error
    elif arguments:
        raise InvalidModel(source, "takes no options; only a class does")
    if isinstance(target, Model):
        _check_declarations(source, target)
        return UserModel(target)
    if callable(target) and not inspect.isclass(target):
        return UserModel(FunctionModel(source.rpartition(":")[2], target))
    raise InvalidModel(source, "is no function and no subclass of zpfit.models.base.Model")


def _check_declarations(source: str, model: Model) -> None:
    """Of what types a model's name and parameters are."""
    if not isinstance(model.name, str) or not model.name:
        raise InvalidModel(source, f"has the name {model.name!r}; make it text")
    parameters = model.parameters
    if not isinstance(parameters, tuple) or not all(isinstance(p, Parameter) for p in parameters):
        raise InvalidModel(source, "has parameters other than a tuple of Parameter")
    names = [parameter.name for parameter in parameters]
    if not names or len(set(names)) < len(names):
        reason = f"has parameters {', '.join(names) or 'none'}; name at least one, each once"
        raise InvalidModel(source, reason)
