"""Sources in a form that worker processes can read."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from zpfit.api.sources import Source, flat_changes, folder_of, load
from zpfit.errors import InvalidModel, UnwritablePath
from zpfit.inference.problem import Problem
from zpfit.io.document import Given
from zpfit.io.python_code import is_of_session, unsaved
from zpfit.io.writing import make_folder
from zpfit.io.yaml import dump_yaml
from zpfit.runs.run_file import find_run_file, resolved_settings
from zpfit.runs.run_folder import RunFolder
from zpfit.runs.toys import RunSource


def checked(source: Source, changes: Mapping[str, Any]) -> RunSource | Problem:
    """Return a file that worker processes can read, or a problem that can be written for them.

    Parameters
    ----------
    source
        What to fit.
    changes
        Keys of the run file with new values.

    Raises
    ------
    InvalidModel
        No file holds the model.
    """
    if isinstance(source, str | Path):
        texts = {".".join(keys): _text(value) for keys, value in flat_changes(changes)}
        path = find_run_file(str(source)).resolve()
        return RunSource(path, tuple(sorted(texts.items(), key=itemgetter(0))), uuid4().hex)
    problem = load(source, **changes)
    if is_of_session(model := problem.settings.model.python or ""):
        raise unsaved(partial(InvalidModel, model))
    return problem


@contextmanager
def readable(given: RunSource | Problem, folder: str | Path | None) -> Iterator[RunSource]:
    """Yield a file that worker processes can read: the given one, or a copy of a problem.

    Parameters
    ----------
    given
        Result of :func:`checked`.
    folder
        Output folder, which workers on other machines can read; the copy lies in a temporary
        folder in it, so that it replaces no file there.
    """
    if isinstance(given, RunSource):
        yield given
        return
    with _scratch(folder) as scratch:
        yield _written(given, Path(scratch))


def _scratch(folder: str | Path | None) -> "TemporaryDirectory[str]":
    """Return a new temporary folder, which lies in ``folder`` if one is given."""
    if folder is None:
        return TemporaryDirectory()
    place = folder_of(folder, "output")
    make_folder(place)
    try:
        return TemporaryDirectory(prefix=".zpfit-source-", dir=place)
    except OSError as error:
        raise UnwritablePath(place, error.strerror or str(error)) from error


def _text(value: Any) -> Given:
    """Return a value as text that worker processes can read."""
    return value if isinstance(value, Given) else Given(json.dumps(value))


def _written(problem: Problem, folder: Path) -> RunSource:
    run_folder = RunFolder(folder)
    run_folder.write_config(dump_yaml(resolved_settings(problem)))
    run_folder.copy_data(problem.files())
    return RunSource(run_folder.config_path.resolve(), (), uuid4().hex)
