"""Write the samples of a run folder in the formats of other programs."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from zpfit.interfaces import anesthetic, arviz, cobaya_input, csv, getdist
from zpfit.interfaces.sample_table import SampleTable, read_table
from zpfit.io.logging import LOGGER
from zpfit.io.writing import make_room, write_together
from zpfit.runs.run_file import find_run_file, load_run
from zpfit.runs.run_folder import RunFolder

Format = Literal["getdist", "anesthetic", "arviz", "csv"]
FORMATS: tuple[Format, ...] = get_args(Format)
Writers = Iterator[tuple[str, Callable[[Path], object]]]
_WRITERS: Mapping[Format, Callable[[SampleTable, str], Writers]] = {
    "getdist": getdist.files,
    "anesthetic": getdist.files,
    "arviz": arviz.files,
    "csv": csv.files,
}
_CHAINS: tuple[Format, ...] = ("getdist", "anesthetic")
"""Formats whose readers read all files of a name together."""


def export(
    run_folder: str | Path,
    to: Format,
    output: str | Path | None = None,
    *,
    force: bool = False,
    weighted: bool = False,
    warn: Callable[[str], None] = LOGGER.warning,
) -> tuple[Path, ...]:
    """Write the samples of a finished run for another program.

    Parameters
    ----------
    run_folder : path
        Folder of the run.
    to : {"getdist", "anesthetic", "arviz", "csv"}
        The program, or ``csv``. anesthetic receives the dead points of nested sampling if the run
        has them, else chains.
    output : path, optional
        Folder for the files; ``export`` inside the run folder by default. The files are named
        after the run folder.
    force : bool
        Replace an earlier export. Files of an earlier export for GetDist or anesthetic are
        removed, because both programs read all files of a name together.
    weighted : bool
        Write the weighted samples of the evidence integral and not those of equal weight.
    warn : callable
        Gets the reason if couplings and derived quantities are left out, because the model of the
        run cannot be loaded any more.

    Returns
    -------
    tuple of Path
        The files.

    Raises
    ------
    RunNotFound
        The folder holds no finished run.
    FilesExist
        Files would be replaced or removed and ``force`` is false.
    UnwritablePath
        The folder cannot be written.
    """
    folder = RunFolder(Path(run_folder))
    target = folder.path / "export" if output is None else Path(output)
    name = folder.path.resolve().name
    nested = folder.nested_files() if to == "anesthetic" and not weighted else None
    if nested is not None:
        writers = list(anesthetic.files(nested, name))
    else:
        writers = list(_WRITERS[to](read_table(folder, weighted=weighted, warn=warn), name))
    earlier = getdist.files_there(target, name) if to in _CHAINS else []
    return _write(writers, target, earlier, force=force)


def export_cobaya(
    run_file: str, output: str | Path | None = None, *, force: bool = False
) -> tuple[Path, ...]:
    """Write an input file of cobaya with the model, priors and likelihood of a run.

    Chains start at the best fit of a finished run. Rounding can move the best fit across the edge
    of an exclusion; chains then start at the best sample that cobaya accepts.

    Parameters
    ----------
    run_file : str
        Path of a run file or run folder, or name of a packaged run.
    output : path, optional
        Folder for the file; ``export`` inside the run folder, or ``output/export`` by default.
    force : bool
        Replace an existing file.

    Returns
    -------
    tuple of Path
        The file.

    Raises
    ------
    InvalidInput
        The run file is invalid; all problems are reported together.
    FilesExist
        The file exists and ``force`` is false.
    UnwritablePath
        The folder cannot be written.
    """
    path = find_run_file(run_file)
    run, folder = load_run(path), RunFolder(Path(run_file))
    starts: Iterable[Mapping[str, float]] = ()
    target, name = Path("output") / "export", run.name
    if folder.is_finished:
        target, name = folder.path / "export", folder.path.resolve().name
        starts = cobaya_input.starts(folder, run.posterior.names)
    # A packaged name works on any machine; a path must work from any folder cobaya runs in.
    source = str(path.resolve()) if Path(run_file).exists() else run_file
    writers = list(cobaya_input.files(run, source, starts, name))
    return _write(writers, target if output is None else Path(output), [], force=force)


def _write(
    writers: list[tuple[str, Callable[[Path], object]]],
    target: Path,
    earlier: list[str],
    *,
    force: bool,
) -> tuple[Path, ...]:
    make_room(target, list(dict.fromkeys([*(file for file, _ in writers), *earlier])), force=force)
    return write_together(target, writers, earlier)


def frame(run_folder: str | Path, *, weighted: bool = False) -> Any:
    """Return the samples of a finished run as a pandas DataFrame.

    Parameters
    ----------
    run_folder : path
        Folder of the run.
    weighted : bool
        Return the weighted samples of the evidence integral and not those of equal weight.

    Returns
    -------
    DataFrame
        Columns are ``chain``, ``weight``, ``log_likelihood``, every parameter, the couplings and
        the derived quantities of the model. ``attrs`` holds ``title``, ``model``, ``likelihood``,
        ``log_z`` and ``log_z_error``.

    Raises
    ------
    RunNotFound
        The folder holds no finished run.
    """
    return csv.frame(read_table(RunFolder(Path(run_folder)), weighted=weighted))
