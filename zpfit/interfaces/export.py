"""Run folders in the formats of other programs: ``export(folder, "getdist")`` and the like."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from zpfit.interfaces import anesthetic, arviz, cobaya_input, csv, getdist
from zpfit.interfaces.sample_table import SampleTable, read_table
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
"""Formats whose readers take every file of a name together."""


def export(
    run_folder: str | Path,
    to: Format,
    output: str | Path | None = None,
    *,
    force: bool = False,
    weighted: bool = False,
) -> tuple[Path, ...]:
    """Write the samples of a finished run for another program; returns the files.

    They lie in ``output``, by default in ``export`` inside the run folder, and are named after
    the run folder. With ``weighted`` they are the weighted samples behind the evidence instead
    of those of equal weight that the summary describes. anesthetic gets the dead points of
    nested sampling where the run has them.

    GetDist and anesthetic read all files of a name together, so ``force`` removes those of an
    earlier export for either, which would mix with the new ones.

    Raises
    ------
    NotARunFolder
        There is no finished run.
    FilesExist
        Files would be replaced or removed and ``force`` is not given.
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
        writers = list(_WRITERS[to](read_table(folder, weighted=weighted), name))
    earlier = getdist.files_there(target, name) if to in _CHAINS else []
    return _write(writers, target, earlier, force=force)


def export_cobaya(
    run_file: str, output: str | Path | None = None, *, force: bool = False
) -> tuple[Path, ...]:
    """Write a run file, the run of a folder or a packaged run as an input file of cobaya.

    It lies in ``output``, by default in ``export`` inside the run folder or ``output/export``.
    Chains begin at the best fit of a finished run, or at the best sample that cobaya finds possible
    where rounding leads the best fit across the edge of an exclusion.

    Raises
    ------
    InvalidInput
        Everything that is wrong with the run file.
    FilesExist
        The file is there and ``force`` is not given.
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
    # A name stays one, so that the input works elsewhere; a path must, wherever cobaya runs.
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
    """The samples of a finished run as a pandas DataFrame.

    Columns are ``chain``, ``weight``, ``log_likelihood``, every parameter, the couplings and the
    model's derived quantities; ``attrs`` holds title, model, likelihood, ln Z and its error.

    Raises
    ------
    NotARunFolder
        There is no finished run.
    """
    return csv.frame(read_table(RunFolder(Path(run_folder)), weighted=weighted))
