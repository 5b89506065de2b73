"""Sources in a form that worker processes can read."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from zpfit.api.sources import Source, flat_changes, load
from zpfit.inference.problem import Problem
from zpfit.io.document import Given
from zpfit.io.yaml import dump_yaml
from zpfit.runs.run_file import find_run_file, resolved_settings
from zpfit.runs.run_folder import RunFolder
from zpfit.runs.toys import RunSource


@contextmanager
def readable(
    source: Source, changes: Mapping[str, Any], folder: str | Path | None
) -> Iterator[RunSource]:
    """Yield a file that worker processes can read: the source's own, or a resolved copy.

    Parameters
    ----------
    source
        What to fit.
    changes
        Keys of the run file with new values.
    folder
        Folder of the copy; a temporary one by default.
    """
    if isinstance(source, str | Path):
        texts = {".".join(keys): _text(value) for keys, value in flat_changes(changes)}
        path = find_run_file(str(source)).resolve()
        yield RunSource(path, tuple(sorted(texts.items(), key=itemgetter(0))), uuid4().hex)
        return
    problem = load(source, **changes)
    if folder is not None:
        yield _written(problem, Path(folder))
        return
    with TemporaryDirectory() as scratch:
        yield _written(problem, Path(scratch))


def _text(value: Any) -> Given:
    """Return a value as text that worker processes can read."""
    return value if isinstance(value, Given) else Given(json.dumps(value))


def _written(problem: Problem, folder: Path) -> RunSource:
    run_folder = RunFolder(folder)
    run_folder.write_config(dump_yaml(resolved_settings(problem)))
    run_folder.copy_data(problem.files())
    return RunSource(run_folder.config_path.resolve(), (), uuid4().hex)
