"""Files for other programs: :func:`export` with its :class:`Export`, and :func:`schema`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from zpfit.api.fits import Result
from zpfit.api.sources import folder_of
from zpfit.errors import InvalidInput, UnknownName, WrongType
from zpfit.interfaces.export import FORMATS, export_cobaya
from zpfit.interfaces.export import export as export_samples
from zpfit.runs.json_schema import KINDS, json_schema

Program = Literal["getdist", "anesthetic", "arviz", "csv", "cobaya"]
"""A program that reads samples, a format of samples, or cobaya, which gets an input file."""


@dataclass(frozen=True)
class Export:
    """Files for another program. Made by :func:`export`."""

    to: Program
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()
    """What the files lack, and why."""


def export(
    run: str | Path | Result,
    to: Program,
    *,
    weighted: bool = False,
    output: str | Path | None = None,
    force: bool = False,
) -> Export:
    """Write the samples of a run for another program, or an input file of cobaya.

    Parameters
    ----------
    run
        Folder of a finished run, or a result with a folder. For cobaya also a run file or the name
        of a packaged run.
    to
        "getdist", "anesthetic", "arviz", "csv" or "cobaya". anesthetic gets the dead points of
        nested sampling if the run has them.
    weighted
        Write the weighted samples of the evidence integral, not those of equal weight.
    output
        Folder for the files; ``export`` inside the run folder by default.
    force
        Replace files of an earlier export.

    Returns
    -------
    Export
        The files, and notes about what they lack.

    Raises
    ------
    UnknownName
        There is no such program.
    InvalidInput
        ``weighted`` is set for cobaya, or the result was not written to a folder.
    RunNotFound
        The folder holds no finished run.
    FilesExist
        Files would be replaced and ``force`` is false.
    UnwritablePath
        The folder cannot be written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import zpfit
    >>> with TemporaryDirectory() as folder:
    ...     [path.name for path in zpfit.export("quickstart", "cobaya", output=folder).files]
    ['quickstart.cobaya.yaml']
    """
    source, target = _folder(run), None if output is None else folder_of(output, "output")
    if to == "cobaya":
        if weighted:
            raise InvalidInput(["weighted: an input file of cobaya has no samples; leave it out"])
        return Export(to, export_cobaya(source, target, force=force))
    if to not in FORMATS:
        raise UnknownName("program", str(to), (*FORMATS, "cobaya"))
    notes: list[str] = []
    files = export_samples(source, to, target, force=force, weighted=weighted, warn=notes.append)
    return Export(to, files, tuple(notes))


def _folder(run: str | Path | Result) -> str:
    if not isinstance(run, Result):
        if not isinstance(run, (str, Path)):
            raise WrongType("run", run, "a run folder, the name of a run or a result")
        return str(run)
    if run.folder is None:
        raise InvalidInput([f"run: {run.name} was not written to a folder; call its save() first"])
    return str(run.folder)


def schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema of a kind of file, which editors use to check and complete files.

    Parameters
    ----------
    kind
        "run", "entry", "set", "model", "priors", "slice" or "campaign".

    Returns
    -------
    dict
        The schema (draft 2020-12). Known names are examples in it.

    Raises
    ------
    UnknownName
        There is no such kind of file.

    Examples
    --------
    >>> import zpfit
    >>> sorted(zpfit.schema("run")["required"])
    ['likelihood', 'model']
    """
    if kind not in KINDS:
        raise UnknownName("kind of file", str(kind), KINDS)
    return json_schema(kind)
