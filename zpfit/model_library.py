"""Models by name: those of zpfit, files of charges, installed plug-ins and a user's Python."""

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

from pydantic import Field, model_validator

from zpfit.errors import InvalidModel, UnknownName
from zpfit.library import FOLDERS, Library
from zpfit.models.base import Model, Values
from zpfit.models.gauge import GaugeOptions
from zpfit.models.model_file import ChargesFile, ChargesModel, LinearModel, ModelFile
from zpfit.models.python_model import FunctionModel, UserModel
from zpfit.models.registry import BUILT_IN, NoOptions
from zpfit.schema import StrictModel, validate
from zpfit.yaml_file import Document

PLUGINS = "zpfit.models"
"""Group of entry points under which an installed package offers models."""


class ModelSpec(StrictModel):
    """What a run file says of its model; a bare name is short for ``name``."""

    name: str | None = None
    """Of a model of zpfit, a file in ``models/`` or an installed plug-in."""
    python: Annotated[str, Field(pattern=r"^.+:\w+$")] | None = None
    """``file.py:object`` or ``package.module:object``."""
    options: dict[str, Any] = Field(default_factory=dict)
    """See ``zpfit show`` for those of a model; a Python class takes them as arguments."""
    vectorised: bool | None = None
    """Whether a Python model takes arrays; tried out if left open."""

    @model_validator(mode="after")
    def _names_one(self) -> "ModelSpec":
        if (self.name is None) == (self.python is None):
            raise ValueError("give either name or python")
        return self


@dataclass(frozen=True)
class LoadedModel:
    """A model and the files it was read from."""

    model: Model
    files: Mapping[str, Path] = field(default_factory=dict)
    """By where a library looks for them."""


def model_names(library: Library) -> list[str]:
    """All names, sorted."""
    return sorted({*BUILT_IN, *library.names("model"), *_plugins()})


def load_model(spec: ModelSpec, document: Document, library: Library) -> LoadedModel:
    """The model that ``spec``, which stands under ``model`` in ``document``, asks for.

    Raises:
        UnknownName: nothing has that name.
        InvalidInput: options or a model file with problems, each with its place.
        InvalidModel: Python code that cannot be imported or is no model.
    """
    options = document.below(("model", "options"))
    if spec.python is not None:
        target, files = _from_python(spec.python, library, document.place(["model", "python"]))
        return LoadedModel(_as_model(spec.python, target, options), files)
    name, place = spec.name or "", document.place(["model"])
    if name in BUILT_IN:
        built_in = BUILT_IN[name]
        return LoadedModel(built_in.build(validate(built_in.options, options)))
    if name in library.names("model"):
        return _from_file(library.document("model", name, place), options)
    if name in _plugins():
        return LoadedModel(_as_model(name, _imported(name, _plugins()[name].load), options))
    raise UnknownName("model", name, model_names(library), place)


def ready_for_batches(
    model: Model, spec: ModelSpec, values: Values
) -> tuple[Model, tuple[str, ...]]:
    """The model, in a loop over points if it does not take arrays, and a note that says so.

    ``values`` are a few points at which to try it out.

    Raises:
        InvalidModel: it fails even at a single point.
    """
    if not isinstance(model, UserModel):
        return model, ()
    takes_arrays = model.takes_batches(values) if spec.vectorised is None else spec.vectorised
    if takes_arrays:
        return model, ()
    note = (
        f"model {model.name!r} is called point by point, hundreds of times slower than a model "
        "that takes arrays"
    )
    return model.in_a_loop(), (note,)


def _from_file(document: Document, options: Document) -> LoadedModel:
    file, name = validate(ModelFile, document).root, document.path.stem
    files = {f"{FOLDERS['model']}/{document.path.name}": document.path}
    if isinstance(file, ChargesFile):
        return LoadedModel(ChargesModel(name, file, validate(GaugeOptions, options)), files)
    validate(NoOptions, options)
    return LoadedModel(LinearModel(name, file), files)


def _plugins() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=PLUGINS)}


def _from_python(source: str, library: Library, place: str) -> tuple[Any, dict[str, Path]]:
    """The object that ``file.py:object`` or ``package.module:object`` names, and its file."""
    module_name, _, attribute = source.rpartition(":")
    files = {}
    if module_name.endswith(".py"):
        path = next((r / module_name for r in library.roots if (r / module_name).is_file()), None)
        if path is None:
            raise InvalidModel(source, f"({place}) is not found; give its path from the run file")
        module = _imported(source, lambda: _module_from(path))
        files = {path.name if Path(module_name).is_absolute() else module_name: path}
    else:
        module = _imported(source, lambda: importlib.import_module(module_name))
    if not hasattr(module, attribute):
        raise InvalidModel(source, f"({place}): the module has no {attribute!r}")
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
    except Exception as error:
        kind = type(error).__name__
        raise InvalidModel(source, f"cannot be imported: {kind}: {error}") from error


def _as_model(source: str, target: Any, options: Document) -> UserModel:
    """A subclass of ``Model``, an instance of one, or a function, as a guarded model."""
    arguments = options.data or {}
    if inspect.isclass(target) and issubclass(target, Model):
        try:
            return UserModel(target(**arguments))
        except TypeError as error:
            raise InvalidModel(source, f"cannot be built: {error}; mend options") from error
    if arguments:
        raise InvalidModel(source, "takes no options; only a class does")
    if isinstance(target, Model):
        return UserModel(target)
    if callable(target) and not inspect.isclass(target):
        return UserModel(FunctionModel(source.rpartition(":")[2], target))
    raise InvalidModel(source, "is no function and no subclass of zpfit.models.base.Model")
