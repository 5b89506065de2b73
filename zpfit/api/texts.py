"""Values that users type, each with its origin, for programs that read them.

A message about a wrong value names the origin, such as an option of a command.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zpfit.analysis.exclusion.slice import Slice
from zpfit.inference.problem import Problem
from zpfit.io.document import Document, Given, KeyPath, Source
from zpfit.io.points import read_points
from zpfit.io.writing import check_writable, make_folder, write_text
from zpfit.io.yaml import parse_yaml
from zpfit.likelihood.likelihood import Likelihood as TotalLikelihood
from zpfit.models.base import Model
from zpfit.models.library import ModelSpec
from zpfit.runs.run_file import (
    find_run_file,
    find_unfinished,
    items_of,
    load_likelihood,
    load_run,
    load_single_model,
)
from zpfit.runs.slice_file import load_slice

__all__ = ["Given", "KeyPath", "check_writable", "items_of"]


def given(value: Any, origin: str, *, names_key: bool = True) -> Given:
    """Return a value with its origin.

    Parameters
    ----------
    value
        Plain data, or a text that is read as YAML.
    origin
        Name of the origin in messages.
    names_key
        Let messages add the key to the origin.

    Examples
    --------
    >>> given("7", "form").source.place("seed")
    'form seed'
    """
    return Given(value, Source(origin, names_key=names_key))


def from_yaml(text: str, place: str) -> Any:
    """Return the data of a YAML text.

    Parameters
    ----------
    text
        YAML 1.2.
    place
        Name of the text in messages.

    Raises
    ------
    InvalidYaml
        The text is no YAML.

    Examples
    --------
    >>> from_yaml("{name: B-L}", "form")
    {'name': 'B-L'}
    """
    return parse_yaml(text, Path(place)).data


def problem_of(
    file: str,
    changes: Mapping[str, Given] | None = None,
    limits: Sequence[Given] = (),
    *,
    resume: bool = False,
) -> tuple[Problem, Path]:
    """Read a run file that a user names.

    Parameters
    ----------
    file
        Path of a run file, run folder, or name of a packaged run.
    changes
        New values by dotted key.
    limits
        Items that are added to ``likelihood.add``.
    resume
        Read the file of the unfinished run if a folder holds one.

    Returns
    -------
    problem : Problem
        Model, priors and likelihood.
    path : Path
        The run file that was read.

    Raises
    ------
    UnknownName
        No run has this name.
    InvalidInput
        The file or a change has problems; each is reported with its place.

    Examples
    --------
    >>> problem, path = problem_of("quickstart", {"seed": given("7", "form")})
    >>> problem.settings.seed, path.name
    (7, 'quickstart.yaml')
    """
    path = (find_unfinished if resume else find_run_file)(file)
    return load_run(path, changes, limits), path


def slice_of(
    file: str | None,
    changes: Sequence[tuple[KeyPath, Given]],
    added: Sequence[Given] = (),
    *,
    dropped: Sequence[Given] = (),
    title: str = "",
) -> Slice:
    """Read a slice file that a user names, and change it.

    Parameters
    ----------
    file
        Path, or name of a packaged slice; None if ``changes`` hold all of it.
    changes
        Keys of the slice file with new values, in the order in which they are made.
    added
        Entries and limit files that are added to the likelihood.
    dropped
        Entries to leave out.
    title
        Title of a slice without a file.

    Raises
    ------
    UnknownName
        No slice has this name.
    InvalidInput
        The slice has problems; each is reported with its place.

    Examples
    --------
    >>> slice_of("paper_fig2a", []).plane.x.name
    'm_Zp'
    """
    return load_slice(file, changes, added, dropped=dropped, title=title)


def model_of(text: str, place: str) -> tuple[ModelSpec, Model]:
    """Load a model that a user names.

    Parameters
    ----------
    text
        Name, or a mapping as in a run file, in YAML.
    place
        Name of the text in messages.

    Raises
    ------
    InvalidInput, UnknownName, InvalidModel
        The model cannot be loaded.

    Examples
    --------
    >>> model_of("{name: B-L}", "form")[1].name
    'B-L'
    """
    return load_single_model(text, place)


def likelihood_of(
    name: Given | None, added: Sequence[Given] = (), dropped: Sequence[Given] = ()
) -> TotalLikelihood:
    """Load a likelihood set that a user names; an empty likelihood without a name.

    Parameters
    ----------
    name
        Name of a set, with its origin.
    added, dropped
        Names of entries to add to the set and to leave out.

    Raises
    ------
    InvalidInput
        A name is unknown; all problems are reported.

    Examples
    --------
    >>> likelihood_of(given("paper_2021_cs", "form")).name
    'paper_2021_cs'
    """
    document = Document(Path("" if name is None else name.source.name), {}, {})
    if name is not None:
        document = document.with_value(("likelihood",), {"set": name.value}, name.source)
    return load_likelihood(document, added, dropped)


def save_text(path: Path, text: str) -> None:
    """Write a text to a file; missing folders are made and an existing file is replaced.

    Parameters
    ----------
    path
        The file.
    text
        Its content.

    Raises
    ------
    UnwritablePath
        The folder or the file cannot be written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     save_text(Path(folder) / "new" / "notes.txt", "first")
    ...     (Path(folder) / "new" / "notes.txt").read_text()
    'first'
    """
    make_folder(path.parent)
    write_text(path, text)


def points_of(path: Path) -> tuple[list[dict[str, float]], list[str]]:
    r"""Read points from a CSV file with a column for each parameter.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    points : list of dict
        Values by parameter, one mapping for each row.
    places : list of str
        File and line of each point, for messages.

    Raises
    ------
    UnreadableFile
        The file is missing or not text.
    InvalidInput
        The file has no rows, or rows with faults; all are reported.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "points.csv"
    ...     _ = path.write_text("m_Zp,C_Ae\n18,1e-4\n")
    ...     points_of(path)[0]
    [{'m_Zp': 18.0, 'C_Ae': 0.0001}]
    """
    return read_points(path)
