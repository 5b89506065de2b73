"""Kinds of files that users write: recognised by their keys, and checked as what they are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from zpfit.errors import InvalidInput, UnknownName, ZpfitError
from zpfit.inference.prior_files import PriorFile, PriorsSpec, resolve_priors
from zpfit.inference.problem import Problem
from zpfit.io.document import Document
from zpfit.io.figure_spec import FigureSpec
from zpfit.io.library import Library
from zpfit.io.places import FOLDERS, Kind
from zpfit.io.schema import validate
from zpfit.io.yaml import read_yaml
from zpfit.likelihood.build import LikelihoodSpec, assemble, build_entry
from zpfit.likelihood.darkcast import SUFFIX, read_darkcast
from zpfit.likelihood.describe import describe_subject, describe_value
from zpfit.likelihood.library import entries_of_set, loaded_entry
from zpfit.models.library import ModelSpec, load_model, model_from_file, model_names
from zpfit.runs.campaign_file import Campaign, load_campaign
from zpfit.runs.json_schema import FILES
from zpfit.runs.run_file import find_run_file, load_run
from zpfit.runs.slice_file import load_slice


@dataclass(frozen=True)
class CheckedFile:
    """A file that has been read and found valid."""

    kind: str
    """Such as ``run``, ``slice`` or ``limit``."""
    name: str
    words: str
    """Sentence about its content."""
    notes: tuple[str, ...] = ()
    content: Problem | Campaign | None = None
    """Problem of a run, or campaign; None for other kinds."""


def kind_of(document: Document) -> str:
    """Return the kind of a YAML file, by the number of its keys that each kind knows.

    Examples
    --------
    >>> data = {"title": "mine", "entries": ["na64_2020"], "exclusions": "hard"}
    >>> kind_of(Document(Path("mine.yaml"), data, {}))
    'set'
    """
    given = set(document.data) if isinstance(document.data, dict) else set()
    known = {kind: len(given & _keys(model)) for kind, model in FILES.items()}
    return max(known, key=lambda kind: known[kind])  # of equal numbers the first: a run


def _keys(model: type[BaseModel]) -> set[str]:
    """Return the keys of a model; a root model has those of all of its alternatives."""
    root = model.model_fields.get("root")
    return set(model.model_fields) if root is None else _keys_of_union(root.annotation)


def _keys_of_union(members: Any) -> set[str]:
    """Return the keys of all models in a union, whose members may be unions and annotated."""
    if isinstance(members, type) and issubclass(members, BaseModel):
        return set(members.model_fields)
    return {key for member in get_args(members) for key in _keys_of_union(member)}


def check_files(name_or_path: str, changes: Mapping[str, Any] | None = None) -> list[CheckedFile]:
    """Read and check a file, a run folder, or every file that has a name.

    Parameters
    ----------
    name_or_path : str
        Path of a file of any kind, a run folder, or a name of zpfit's or of your own.
    changes : mapping of str to object, optional
        Keys of a run file with new values.

    Raises
    ------
    UnknownName
        Nothing has the name.
    InvalidInput
        A file has problems; each is reported with its place. Or the file is no run, and
        ``changes`` are given.
    """
    library, path = Library.beside(), Path(name_or_path)
    is_name = not path.exists() and path.suffix == "" and len(path.parts) == 1
    if not is_name:
        return [_check_file(find_run_file(name_or_path), changes)]
    kinds: list[Kind] = [kind for kind in FOLDERS if name_or_path in library.names(kind)]
    found = [_check_file(library.find(kind, name_or_path), changes) for kind in kinds]
    if "model" not in kinds and name_or_path in model_names(library):
        found.append(_built_in(name_or_path, library))
    if not found:
        known = {n for kind in FOLDERS for n in library.names(kind)} | set(model_names(library))
        raise UnknownName("name", name_or_path, known)
    return found


def _check_file(path: Path, changes: Mapping[str, Any] | None) -> CheckedFile:
    check: Callable[[Path], CheckedFile] = _limit
    kind = "limit"
    if path.suffix == ".py":
        remedy = "name it in a run file, as in model: {python: my_model.py:my_function}"
        raise InvalidInput([f"{path}: is Python code, which is not run here; {remedy}"])
    if path.suffix != SUFFIX:
        document = read_yaml(path)
        kind = kind_of(document)
        if kind == "run":
            return checked_run(load_run(path, changes))
        check = _CHECKS[kind]
    if changes:
        raise InvalidInput([f"{path}: is a {kind} file; only the keys of a run can be changed"])
    try:
        return check(path)
    except ZpfitError as error:
        found = error.all_problems if isinstance(error, InvalidInput) else [str(error)]
        read = f"{path}: was read as a {kind} file, by its keys"
        raise InvalidInput([*found, read], [error]) from error


def checked_run(problem: Problem) -> CheckedFile:
    """Return what is told about a valid run."""
    return CheckedFile("run", problem.name, _run_words(problem), problem.notes, problem)


def _run_words(problem: Problem) -> str:
    posterior = problem.posterior
    return (
        f"Model {posterior.model.name}, {posterior.dimension} sampled "
        f"parameters, likelihood {posterior.likelihood.name} with "
        f"{len(posterior.likelihood.measurements)} measurements and "
        f"{len(posterior.likelihood.exclusions)} exclusions"
    )


def _limit(path: Path) -> CheckedFile:
    table = read_darkcast(path)
    form = "A limit on prompt decays" if table.shape[1] == 2 else "The region of a beam dump"
    low, high = table[0, 0], table[-1, 0]
    words = f"{form}, {len(table)} masses from {low:g} to {high:g} MeV"
    return CheckedFile("limit", path.stem, words)


def _campaign(path: Path) -> CheckedFile:
    campaign = load_campaign(path)
    fits = sum(1 for _ in campaign.tasks())
    words = f"{fits:,} fits of {len(campaign.cells)} combinations"
    return CheckedFile("campaign", campaign.name, words, content=campaign)


def _slice(path: Path) -> CheckedFile:
    found = load_slice(str(path))
    entries, settings = len(found.assembled.entries), found.settings
    plane = f"The plane of {settings.x.parameter} and {settings.y.parameter}"
    return CheckedFile("slice", path.stem, f"{plane} with {entries} entries", found.notes)


def _figure(path: Path) -> CheckedFile:
    keys = validate(FigureSpec, read_yaml(path)).as_record()
    return CheckedFile("figure", path.stem, f"The look of figures: {', '.join(keys)}")


def _entry(path: Path) -> CheckedFile:
    loaded, library = loaded_entry(read_yaml(path)), Library.beside(path)
    assembled = build_entry(loaded, library)
    words = f"{describe_subject(loaded.entry)}, {describe_value(loaded)}"
    unverified = tuple(f"unverified: {text}" for text in assembled.unverified().values())
    return CheckedFile("entry", loaded.name, words, unverified)


def _set(path: Path) -> CheckedFile:
    document = read_yaml(path)
    library = Library.beside(path)
    assembled = assemble(
        LikelihoodSpec(add=entries_of_set(document, library)),
        library,
        lambda *_: document.place(["entries"]),
        allow_code=False,
    )
    likelihood = assembled.likelihood
    measured, excluded = len(likelihood.measurements), len(likelihood.exclusions)
    words = f"{measured} measurements and {excluded} exclusions"
    return CheckedFile("set", path.stem, words, assembled.notes())


def _model(path: Path) -> CheckedFile:
    model = model_from_file(read_yaml(path)).model
    return CheckedFile("model", model.name, _parameters([p.name for p in model.parameters]))


def _built_in(name: str, library: Library) -> CheckedFile:
    model = load_model(ModelSpec(name=name), Document(Path("model"), {}, {}), library).model
    return CheckedFile("model", name, _parameters([p.name for p in model.parameters]))


def _priors(path: Path) -> CheckedFile:
    document, library = read_yaml(path), Library.beside(path)
    file = validate(PriorFile, document)
    named = replace(document, data={"model": {"name": file.model}})
    model = load_model(ModelSpec(name=file.model), named, library).model
    # Places of a run file, in which priors stand under a key of their own.
    lines = {("priors", *keys): line for keys, line in document.lines.items()}
    inside = replace(document, data={"priors": document.data}, lines=lines)
    resolve_priors(PriorsSpec(parameters=file.parameters), model, inside, library)
    return CheckedFile("priors", path.stem, f"For {file.model}, {_parameters(file.parameters)}")


def _parameters(names: Any) -> str:
    return f"parameters {', '.join(names)}"


_CHECKS: Mapping[str, Callable[[Path], CheckedFile]] = {
    "entry": _entry,
    "set": _set,
    "model": _model,
    "priors": _priors,
    "slice": _slice,
    "campaign": _campaign,
    "figure": _figure,
}
