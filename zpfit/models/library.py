"""Models by name: those of zpfit, files of charges, installed plug-ins and a user's Python."""

import importlib
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import EntryPoint
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, TypeGuard

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    model_validator,
)
from pydantic.functional_validators import ModelWrapValidatorHandler

from zpfit.errors import InvalidInput, InvalidModel, UnknownName
from zpfit.io.document import Document
from zpfit.io.library import Library
from zpfit.io.places import FOLDERS
from zpfit.io.python_code import (
    SESSION,
    ListedFiles,
    imported,
    is_of_session,
    load_object,
    names_an_object,
    read_by,
)
from zpfit.io.python_files import by_place, modules_beside
from zpfit.io.schema import StrictModel, validate
from zpfit.models.base import Model, Values
from zpfit.models.dark_width import with_dark_default
from zpfit.models.effective import Effective, EffectiveOptions
from zpfit.models.froggatt_nielsen import FroggattNielsen
from zpfit.models.gauge import GaugeOptions
from zpfit.models.model_file import (
    ChargesFile,
    ChargesModel,
    CouplingsFile,
    LinearModel,
    ModelFile,
)
from zpfit.models.names import names_of_models, plugins
from zpfit.models.nhdm_u1 import NHDMOptions, NHiggsDoubletU1
from zpfit.models.python_model import UserModel, as_user_model, in_batches
from zpfit.models.sm_u1 import StandardModelU1
from zpfit.models.x17 import X17, X17Options

PythonModel = Callable[..., Any] | type[Model] | Model
"""A model as a Python object: a function of the parameters, a class, or an instance of one."""


class NoOptions(StrictModel):
    """Options of a model that has none."""


@dataclass(frozen=True)
class BuiltIn:
    """A model of zpfit that is written in Python."""

    options: type[StrictModel]
    build: Callable[[Any], Model]
    """Makes the model from an instance of ``options``."""


BUILT_IN: Mapping[str, BuiltIn] = {
    "effective": BuiltIn(EffectiveOptions, Effective),
    "sm_u1": BuiltIn(GaugeOptions, StandardModelU1),
    "nhdm_u1": BuiltIn(NHDMOptions, NHiggsDoubletU1),
    "froggatt_nielsen": BuiltIn(GaugeOptions, FroggattNielsen),
    "x17": BuiltIn(X17Options, X17),
}
"""Models of zpfit that are written in Python, by name."""


class ModelSpec(StrictModel):
    """Choice of a model; a bare name is short for ``name``.

    From Python, ``python`` may also be the function, class or instance itself. A file can
    never hold one.

    Examples
    --------
    >>> def photon(m_Zp, eps):
    ...     return {"C_Ve": 0.303 * eps}
    >>> ModelSpec.model_validate({"python": photon}).given_object is photon
    True
    """

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["name"]}, {"required": ["python"]}]}
    )

    name: str | None = None
    """Name of a model of zpfit, of a file in ``models/`` or of an installed plug-in."""
    python: Annotated[str, AfterValidator(names_an_object)] | None = None
    """``file.py:object`` or ``package.module:object``."""
    files: ListedFiles = ()
    """Files that a Python model reads, relative to the folder of its ``file.py``. Modules that it
    imports from there need no mention."""
    options: dict[str, Any] = Field(default_factory=dict)
    """``zpfit show`` lists those of a model; a Python class takes them as arguments."""
    vectorised: bool | None = None
    """True if a Python model takes arrays; found out by a trial if not given."""

    _object: PythonModel | None = PrivateAttr(default=None)

    @classmethod
    def where_it_belongs(cls, key: str) -> str:
        """Return the remedy for an option that stands beside ``options``; empty for other keys."""
        is_option = any(key in model.options.model_fields for model in BUILT_IN.values())
        return f"it is an option of models; write options: {{{key}: ...}}" if is_option else ""

    @property
    def given_object(self) -> PythonModel | None:
        """The Python object that was given in place of a name."""
        return self._object

    @model_validator(mode="wrap")
    @classmethod
    def _accept_an_object(
        cls, data: Any, handler: ModelWrapValidatorHandler["ModelSpec"]
    ) -> "ModelSpec":
        given = data.get("python") if isinstance(data, dict) else data
        if not is_python_model(given):
            return handler(data)
        rest = data if isinstance(data, dict) else {}
        spec = handler({**rest, "python": _origin(given)})
        spec._object = given  # noqa: SLF001 - of this class
        return spec

    @model_validator(mode="after")
    def _names_one(self) -> "ModelSpec":
        if (self.name is None) == (self.python is None):
            raise ValueError("give either name or python; a bare model name replaces both")
        if self.files and self.python is None:
            raise ValueError("files are for Python models only; leave them out")
        return self


def is_python_model(value: Any) -> TypeGuard[PythonModel]:
    """Return True for a function, a class or a model, which a file cannot hold."""
    return isinstance(value, Model) or (callable(value) and not isinstance(value, ModelSpec))


def _name_of(given: Any) -> str:
    name: str = getattr(given, "__name__", type(given).__name__)
    return name if name.isidentifier() else "function"


def _source_file(given: Any) -> Path | None:
    """Return the file that holds the object under its name, None if there is none.

    A copy of the file must give the object again. Objects made inside functions and
    those of notebooks or packages therefore have no file here.
    """
    module = sys.modules.get(getattr(given, "__module__", ""))
    if module is None or module.__package__:
        return None
    if getattr(module, _name_of(given), None) is not given:
        return None
    try:
        path = Path(inspect.getsourcefile(module) or "")
    except TypeError:  # a module without a file
        return None
    return path if path.suffix == ".py" and path.is_file() else None


def _origin(given: Any) -> str:
    """Return ``file.py:object`` or ``package.module:object`` of an object, as far as it goes."""
    name, path = _name_of(given), _source_file(given)
    if path is not None:
        return f"{path.name}:{name}"
    module = sys.modules.get(getattr(given, "__module__", ""))
    if module is not None and module.__package__ and getattr(module, name, None) is given:
        return f"{given.__module__}:{name}"
    return f"{SESSION}:{name}"


@dataclass(frozen=True)
class LoadedModel:
    """A model and the files it was read from."""

    model: Model
    files: Mapping[str, Path] = field(default_factory=dict)
    """By their path in a library; that of a Python model itself comes first."""
    options: type[StrictModel] = NoOptions
    """The options that exist; a Python class has its own."""
    code: str = ""
    """The key of the file that names Python code, and the code; empty if none does."""
    notes: tuple[str, ...] = ()
    """Facts to know before a run."""


def model_names(library: Library) -> list[str]:
    """Return the names of all models, sorted."""
    return names_of_models(library.roots)


def load_model(spec: ModelSpec, document: Document, library: Library) -> LoadedModel:
    """Load a model by name or from Python.

    Parameters
    ----------
    spec : ModelSpec
        The choice, validated.
    document : Document
        The file that holds ``spec`` under the key ``model``, for messages.
    library : Library
        Folders in which names and Python files are looked up.

    Raises
    ------
    UnknownName
        No model has the name.
    InvalidInput
        An option or model file is invalid, a file has the name of a model of zpfit, or
        Python code cannot be imported or is no model.
    """
    options = document.below(("model", "options"))
    if spec.python is not None:
        with _at(document.place(["model", "python"])):
            return _from_python(spec, spec.python, options, library)
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
            target = imported(partial(_named_by, point), partial(InvalidModel, name))
            code = f"model = {name}, which is {point.value} of an installed package"
            return LoadedModel(as_user_model(name, target, options.data or {}), code=code)
    raise UnknownName("model", name, model_names(library), place)


def ready_for_batches(
    model: Model, spec: ModelSpec, values: Values, place: str
) -> tuple[Model, tuple[str, ...]]:
    """Return the model as it is called for batches, and notes for the user.

    A Python model that takes no arrays is called point by point, which a note says.

    Parameters
    ----------
    model : Model
        As :func:`load_model` gives it.
    spec : ModelSpec
        Says whether a Python model takes arrays.
    values : mapping of str to numpy.ndarray, shape (n,)
        A few points at which a Python model is tried out.
    place : str
        Place of the model in a file, for messages.

    Raises
    ------
    InvalidInput
        A Python model fails, or ``vectorised`` is given for another model.
    """
    if not isinstance(model, UserModel):
        if spec.vectorised is not None:
            raise InvalidInput([f"{place}: vectorised is for Python models only; leave it out"])
        return model, ()
    with _at(place):
        chosen = in_batches(model, values, vectorised=spec.vectorised)
    if not chosen.pointwise or len(next(iter(values.values()))) == 1:
        return chosen, ()
    note = (
        f"model {model.name!r} is called point by point, hundreds of times slower than a model "
        "that takes arrays"
    )
    return chosen, (note,)


@contextmanager
def _at(place: str) -> Iterator[None]:
    """Add the place of a model to its failure."""
    try:
        yield
    except InvalidModel as error:
        raise InvalidInput([f"{place}: {error}"], [error]) from error


def model_from_file(document: Document) -> LoadedModel:
    """Return the model of a model file, with its default options.

    Raises
    ------
    InvalidInput
        The file does not fit the schema.
    """
    return _from_file(document, Document(document.path, {}, {}))


def _from_file(document: Document, options: Document) -> LoadedModel:
    file, name = validate(ModelFile, document).root, document.path.stem
    files = {f"{FOLDERS['model']}/{document.path.name}": document.path}
    if isinstance(file, ChargesFile):
        charges = ChargesModel(name, file, validate(GaugeOptions, options))
        return LoadedModel(_with_dark_sector(charges, file), files, GaugeOptions)
    validate(NoOptions, options)
    return LoadedModel(_with_dark_sector(LinearModel(name, file), file), files)


def _with_dark_sector(model: Model, file: ChargesFile | CouplingsFile) -> Model:
    return with_dark_default(model, file.width_dark, file.br_dark)


def _from_python(spec: ModelSpec, source: str, options: Document, library: Library) -> LoadedModel:
    if spec.given_object is not None:
        return _from_object(spec.given_object, source, spec)
    loaded = load_object(source, library.roots, partial(InvalidModel, source), spec.files)
    model = as_user_model(source, loaded.target, options.data or {})
    return LoadedModel(model, loaded.files, code=f"model.python = {source}")


def _from_object(given: PythonModel, source: str, spec: ModelSpec) -> LoadedModel:
    path, name = _source_file(given), _name_of(given)
    model = as_user_model(source, given, spec.options)
    notes: tuple[str, ...] = ()
    if is_of_session(source):
        note = (
            f"model {model.name!r} is a Python object without a file of its own, so that the run "
            "cannot be repeated from its folder; write it to a file"
        )
        notes = (note,)
    files = _files_of_object(path, source, spec.files)
    return LoadedModel(model, files, code=f"model.python = {name}", notes=notes)


def _files_of_object(path: Path | None, source: str, reads: Sequence[str]) -> dict[str, Path]:
    """Return the files behind a Python object that was given in place of a name."""
    fail = partial(InvalidModel, source)
    if path is None:
        if reads:
            raise fail("lists files, but has no file of its own; leave them out")
        return {}
    beside = [file for files in modules_beside(path).values() for file in files]
    return by_place(path.name, path, [*beside, *read_by(path, reads, fail)])


def _named_by(point: EntryPoint) -> Any:
    """Import the object behind an entry point, without frames of the packaging machinery."""
    return attrgetter(point.attr)(importlib.import_module(point.module))
