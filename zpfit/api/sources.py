"""Sources: what to fit, given by name, path, run folder, dictionary or problem."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from html import escape
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from zpfit.errors import InvalidInput, WrongType
from zpfit.inference.problem import Problem, resolve
from zpfit.inference.progress import Progress, Silent
from zpfit.io.document import Document, Given, plain_data
from zpfit.io.document import Source as Origin
from zpfit.io.library import Library
from zpfit.io.logging import LOGGER
from zpfit.io.yaml import read_yaml
from zpfit.models.base import Model
from zpfit.runs.run_file import find_run_file, items_of, with_change, with_entries

Source = str | Path | Mapping[str, Any] | Problem
IN_PYTHON = Path("<python>")
"""Name of a dictionary in messages, where a file would have its path."""
_KINDS = "the name of a run, a path, a run folder, a dictionary, a problem or a result"
_MERGED = {"sampler", "vegas", "dynesty", "best_fit", "joint_sigma", "priors"}
"""Keys whose mappings change single options. ``priors.parameters`` is merged likewise."""


def load(source: Source, **changes: Any) -> Problem:
    """Read and check what to fit.

    Parameters
    ----------
    source
        Name of a packaged run, path of a run file, run folder, dictionary, a problem, or a
        result, whose problem is taken.
    **changes
        Keys of a run file with new values, see the module's docstring. ``sampler`` can be the
        name of an engine. ``add`` and ``drop`` name entries to add to the data or to leave out.

    Returns
    -------
    Problem
        Model, priors and likelihood, with ``posterior``, ``settings``, ``notes``.

    Raises
    ------
    InvalidInput
        Something is wrong with the source; every problem is reported with its place.
    UnknownName
        No run has this name.
    WrongType
        The source is of a kind that cannot be loaded.

    Examples
    --------
    >>> import zpfit
    >>> problem = zpfit.load("quickstart", seed=7)
    >>> problem.posterior.dimension, problem.settings.seed
    (7, 7)
    """
    if isinstance(changes.get("sampler"), str):
        changes["sampler"] = {"engine": changes["sampler"]}
    # A result holds its problem; its class is not named here, as it is defined above this module.
    source = getattr(source, "problem", source)
    if isinstance(source, Problem):
        return source if not changes else _changed_problem(source, changes)
    if isinstance(source, Mapping):
        problem = resolve(_with_changes(_document(source), changes), Library.beside())
        return replace(problem, name=_name_of(problem))
    if not isinstance(source, (str, Path)):
        raise WrongType("source", source, _KINDS)
    path = find_run_file(str(source))
    problem = resolve(_with_changes(read_yaml(path), changes), Library.beside(path))
    folder = Path(source)
    return replace(problem, name=folder.resolve().name) if folder.is_dir() else problem


def _name_of(problem: Problem) -> str:
    """Return a name for a problem without a file, which is fit for a folder."""
    name = problem.settings.title or (
        f"{problem.posterior.model.name}_{problem.posterior.likelihood.name}"
    )
    return re.sub(r"[^\w.+-]+", "_", name).strip("_") or "fit"


def _changed_problem(problem: Problem, changes: Mapping[str, Any]) -> Problem:
    if problem.document is None:
        raise TypeError("this problem was not read from a source, so that it takes no changes")
    document = _with_changes(problem.document, changes)
    changed = resolve(document, problem.library or Library.beside())
    return replace(changed, name=problem.name)


def _document(source: Mapping[str, Any]) -> Document:
    try:
        data = {key: plain_value(key, value) for key, value in source.items()}
    except RecursionError:
        raise InvalidInput(["source: a dictionary that contains itself; give plain data"]) from None
    return Document(IN_PYTHON, data, {})


def _with_changes(document: Document, changes: Mapping[str, Any]) -> Document:
    for keys, value in flat_changes(changes):
        if keys not in {("add",), ("drop",)}:
            document = with_change(document, keys, value)
    return with_entries(document, *(named_entries(changes, key) for key in ("add", "drop")))


def named_entries(changes: Mapping[str, Any], key: str) -> list[Given]:
    """Return the entries that ``add`` or ``drop`` names in keyword arguments.

    Examples
    --------
    >>> [given.value for given in named_entries({"drop": ["a_e_cs_2018", "a_mu_2021"]}, "drop")]
    ['a_e_cs_2018', 'a_mu_2021']
    """
    value = changes.get(key, ())
    given = value if isinstance(value, Given) else Given(value, Origin(key))
    if not isinstance(given.value, (str, Path, Mapping, Sequence)):
        raise WrongType(key, given.value, "a name or a list of names")
    return items_of(replace(given, value=plain_data(given.value)))


def fixed(values: Mapping[str, float] | None) -> dict[str, float]:
    """Return the changes of a run file that fix parameters.

    Examples
    --------
    >>> fixed({"m_Zp": 20.0})
    {'priors.parameters.m_Zp': 20.0}
    """
    if values is not None and not isinstance(values, Mapping):
        raise WrongType("fix", values, "a mapping of parameters to numbers")
    return {f"priors.parameters.{name}": value for name, value in (values or {}).items()}


def flat_changes(
    changes: Mapping[str, Any], above: tuple[str, ...] = ()
) -> list[tuple[tuple[str, ...], Any]]:
    """Return single keys, as paths, and their values; mappings of option blocks are opened."""
    found: list[tuple[tuple[str, ...], Any]] = []
    for key, value in changes.items():
        keys = (*above, *key.split("."))
        opened = keys in {("priors", "parameters"), *((name,) for name in _MERGED)}
        if opened and isinstance(value, Mapping):
            found += flat_changes(value, keys)
        else:
            found.append((keys, plain_value(keys[0] if len(keys) == 1 else "", value)))
    return found


def plain_value(key: str, value: Any) -> Any:
    """Return the value of a key in the form of a run file, without types of Python or NumPy."""
    if key == "model" and (callable(value) or isinstance(value, Model)):
        return {"python": value}
    return plain_data(value)


class LoggedProgress:
    """Progress that goes to the logger."""

    def stage(self, title: str) -> None:
        """Log the title of a stage."""
        LOGGER.info(title)

    def update(self, fraction: float, note: str) -> None:
        """Log how much of a stage is done."""
        LOGGER.debug("%.0f %% %s", 100 * fraction, note)

    def note(self, text: str) -> None:
        """Log a note."""
        LOGGER.warning(text)


def progress_of(progress: bool | Progress) -> Progress:  # noqa: FBT001 - a public keyword
    """Return an object that receives progress: the logger for True, nothing for False."""
    if isinstance(progress, bool):
        return LoggedProgress() if progress else Silent()
    if not all(callable(getattr(progress, name, None)) for name in ("stage", "update", "note")):
        raise WrongType("progress", progress, "True, False or an object of the Progress protocol")
    return progress


def check_point(point: object, argument: str) -> None:
    """Check that an argument gives numbers by names of parameters.

    Raises
    ------
    WrongType
        It is no mapping, or a value is no number.
    """
    if not isinstance(point, Mapping):
        raise WrongType(argument, point, "a mapping of parameters to numbers")
    for name, value in point.items():
        if isinstance(value, bool) or not isinstance(value, Real):
            raise WrongType(f"{argument}: {name}", value, "a number")


def check_number(n: object) -> None:
    """Check that a number of pseudo-experiments is one.

    Raises
    ------
    WrongType
        It is no integer.
    InvalidInput
        It is below 1.
    """
    if isinstance(n, bool) or not isinstance(n, Integral):
        raise WrongType("n", n, "an integer of at least 1")
    if n < 1:
        raise InvalidInput([f"n: {n} toys cannot be drawn; give at least 1"])


def folder_of(folder: str | Path, argument: str = "folder") -> Path:
    """Return the path of a folder or file, refusing what is no path.

    Parameters
    ----------
    folder
        The path.
    argument
        Name of the argument, for the message.
    """
    if not isinstance(folder, (str, Path)):
        raise WrongType(argument, folder, "a path")
    return Path(folder)


def files_in(folder: str | Path | None, names: Iterable[str]) -> tuple[Path, ...]:
    """Return the paths of files in a folder; none without a folder."""
    return () if folder is None else tuple(Path(folder) / name for name in names)


def escaped(text: str) -> str:
    """Return text for HTML."""
    return escape(text)
