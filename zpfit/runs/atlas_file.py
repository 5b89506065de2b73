"""Files of the atlas: NetCDF files with a column for each species, and model files of one set.

A list is computed slab by slab. Finished slabs are kept in a folder beside the file until it is
complete, so that an interrupted enumeration continues when it is repeated.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from zpfit.analysis.atlas.charge_sets import CHUNK, SPECIES, ChargeSets, IndexArray, multisets
from zpfit.analysis.atlas.enumeration import check_qmax, slab, slab_sums
from zpfit.analysis.atlas.pairings import REFERENCE
from zpfit.analysis.atlas.signatures import LEPTONS, QUARKS, HiggsPolicy, SignatureTable
from zpfit.errors import FilesExist, MissingFile, UnreadableFile, WrongSuffix
from zpfit.inference.progress import Progress
from zpfit.io.writing import check_writable, make_folder, partial_path, write_whole

if TYPE_CHECKING:
    import h5netcdf

SUFFIX: Final = ".nc"
_LAYOUT: Final = 1
"""Version of the columns and of the order of the sets."""
_COMPRESSED: Final = {"compression": "gzip", "compression_opts": 4, "shuffle": True}
"""Bytes of one significance together: 3 bytes a set instead of 12."""
CHARGES: Final = [(j, name, i) for j, name in enumerate(SPECIES) for i in range(3)]
"""Columns of the charges of a set: position and name of the species, and the family."""
_SPECIES_IN_WORDS: Final = {
    "Q": "left-handed quark doublets",
    "u": "right-handed up-type quarks",
    "d": "right-handed down-type quarks",
    "L": "left-handed lepton doublets",
    "e": "right-handed charged leptons",
    "nu": "right-handed neutrinos",
}


def write_atlas(path: Path, qmax: int, progress: Progress, *, neutrinos: bool = True) -> None:
    """Enumerate all charge sets into a file; continue if an earlier call was interrupted.

    Parameters
    ----------
    path
        NetCDF file; an existing one is replaced when the new one is complete.
    qmax
        Largest absolute charge.
    progress
        Gets the stages.
    neutrinos
        Allow charges of right-handed neutrinos.

    Raises
    ------
    InvalidInput, WrongType
        Qmax is out of range or no integer.
    WrongSuffix
        The name does not end with ``.nc``.
    UnwritablePath
        The file cannot be written.
    """
    check_target(path)
    check_qmax(qmax)
    unfinished = partial_path(path)
    kind = "nu" if neutrinos else "sm"
    folder = unfinished.with_name(f"{unfinished.stem}-{_LAYOUT}-{kind}-{qmax}")
    make_folder(folder)
    progress.stage(f"Charge sets up to {qmax}")
    parts = []
    for total in slab_sums(qmax):
        progress.update(total / (qmax + 1), f"sum of the charges of Q: {total}")
        parts.append(_finished_slab(folder / f"{total:02d}.npz", qmax, total, neutrinos=neutrinos))
    progress.stage(f"Writing {path}")
    write_whole(path, partial(_write_sets, parts=parts, qmax=qmax, neutrinos=neutrinos))
    shutil.rmtree(folder)


def check_target(path: Path) -> None:
    """Check that a NetCDF file can be written.

    Raises
    ------
    WrongSuffix
        The name does not end with ``.nc``.
    UnwritablePath
        The file cannot be written.
    """
    if path.suffix != SUFFIX:
        raise WrongSuffix(path, SUFFIX)
    check_writable(path)


def output_file(output: str | Path | None, *, force: bool) -> Path | None:
    """Return the file to write, or None; an existing file needs ``force``.

    Raises
    ------
    FilesExist
        The file exists and ``force`` is false.
    WrongSuffix, UnwritablePath
        The file cannot be written.
    """
    if output is None:
        return None
    target = Path(output)
    make_folder(target.parent)
    check_target(target)
    if target.exists() and not force:
        raise FilesExist(target.parent, (target.name,))
    return target


def read_atlas(path: Path) -> ChargeSets:
    """Read a list of charge sets.

    Raises
    ------
    MissingFile
        There is no such file.
    UnreadableFile
        The file cannot be read, or holds no list of charge sets.
    """
    import h5netcdf

    with _readable(path, "list of charge sets"), h5netcdf.File(path, "r") as file:
        return _sets_in(file)


def read_signatures(path: Path) -> tuple[SignatureTable, dict[str, NDArray[Any]], dict[str, Any]]:
    """Read a file of :func:`write_signatures`.

    Returns
    -------
    SignatureTable
        The signatures.
    dict
        Further columns, each of shape (n,).
    dict
        Attributes of the file.

    Raises
    ------
    MissingFile
        There is no such file.
    UnreadableFile
        The file cannot be read, or holds no signatures.
    """
    import h5netcdf

    with _readable(path, "table of signatures"):
        with h5netcdf.File(path, "r") as file:
            columns = {name: file[name][...] for name in file.variables}
            marks = dict(file.attrs)
        rows = [[columns.pop(f"{name}_{i + 1}") for i in range(3)] for name in SPECIES]
        charges = np.moveaxis(np.array(rows, dtype=np.int8), 2, 0)
        names = LEPTONS + (QUARKS if QUARKS[0] in columns else ())
        vectors = np.stack([columns.pop(name) for name in names], axis=1)
        table = SignatureTable(
            higgs=HiggsPolicy(marks["higgs"]),
            columns=names,
            vectors=vectors,
            sets=columns.pop("sets"),
            first=columns.pop("first"),
            charges=charges,
            neutrinos=bool(marks["neutrinos"]),
        )
    return table, columns, marks


@contextmanager
def _readable(path: Path, content: str) -> Iterator[None]:
    """Report a file that does not hold what is read from it.

    Raises
    ------
    MissingFile
        There is no such file.
    UnreadableFile
        Reading fails.
    """
    if not path.is_file():
        raise MissingFile(path, "no such file")
    try:
        yield
    except (OSError, KeyError, ValueError) as error:
        raise UnreadableFile(path, f"no {content}: {error}") from error


def write_signatures(
    table: SignatureTable,
    path: Path,
    title: str,
    columns: Mapping[str, NDArray[Any]] | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> None:
    """Write a table of signatures as a NetCDF file; an existing one is replaced.

    Parameters
    ----------
    table
        The signatures.
    path
        The file.
    title
        Title of the file.
    columns
        Further columns, such as the result of a screen, each of shape (n,).
    attributes
        Further attributes of the file.

    Raises
    ------
    WrongSuffix
        The name does not end with ``.nc``.
    UnwritablePath
        The file cannot be written.
    """
    check_target(path)
    rows: dict[str, NDArray[Any]] = dict(zip(table.columns, table.vectors.T, strict=True))
    rows |= {"sets": table.sets, "first": table.first}
    rows |= {f"{name}_{i + 1}": table.charges[:, j, i] for j, name, i in CHARGES}
    rows |= columns or {}
    marks = {"title": title, "higgs": str(table.higgs), "neutrinos": int(table.neutrinos)}
    marks |= attributes or {}
    write_whole(path, partial(_write_columns, columns=rows, attributes=marks))


def _finished_slab(path: Path, qmax: int, total: int, *, neutrinos: bool) -> Path:
    """Compute a slab and write its sets by their largest charge, unless the file is there."""
    if not _is_whole(path, qmax):
        found = slab(qmax, total, neutrinos=neutrinos)
        sizes = {str(size): found.of_size(size) for size in range(qmax + 1)}
        write_whole(path, lambda target: np.savez(target, **sizes))  # type: ignore[arg-type]
    return path


def _is_whole(path: Path, qmax: int) -> bool:
    try:
        with np.load(path) as stored:
            return {*stored.files} == {str(size) for size in range(qmax + 1)}
    except (OSError, ValueError, EOFError, BadZipFile):
        return False


def _in_order(parts: list[Path], qmax: int) -> Iterator[IndexArray]:
    """Yield the sets of all slabs in the order of their numbers."""
    for size in range(qmax + 1):
        for path in parts:
            with np.load(path) as stored:
                yield stored[str(size)]


def _write_sets(path: Path, parts: list[Path], qmax: int, *, neutrinos: bool) -> None:
    """Write the file of a list; two passes need no memory for the whole list."""
    import h5netcdf

    count = sum(members.shape[1] for members in _in_order(parts, qmax))
    values = multisets(qmax).values.astype(np.int8)
    with h5netcdf.File(path, "w") as file:
        title = f"Anomaly-free charge sets up to {qmax}"
        file.attrs.update(title=title, references=REFERENCE)
        file.attrs.update(qmax=qmax, neutrinos=int(neutrinos), layout=_LAYOUT)
        file.dimensions = {"set": count, "multiset": len(values), "family": 3}
        table = file.create_variable("charges", ("multiset", "family"), data=values)
        table.attrs["long_name"] = "charges of a multiset in ascending order"
        columns = [_column(file, name, count) for name in SPECIES]
        first = 0
        for members in _in_order(parts, qmax):
            last = first + members.shape[1]
            for column, row in zip(columns, members, strict=True):
                column[first:last] = row
            first = last


def _column(file: "h5netcdf.File", name: str, count: int) -> Any:
    chunks = (min(CHUNK, count),)
    column = file.create_variable(name, ("set",), dtype=np.uint16, chunks=chunks, **_COMPRESSED)
    column.attrs["long_name"] = f"multiset of the charges of {_SPECIES_IN_WORDS[name]}"
    return column


def _write_columns(
    path: Path, columns: Mapping[str, NDArray[Any]], attributes: Mapping[str, Any]
) -> None:
    import h5netcdf

    with h5netcdf.File(path, "w") as file:
        file.attrs.update(references=REFERENCE, **attributes)
        file.dimensions = {"signature": len(columns["first"])}
        for name, values in columns.items():
            stored = values.astype(np.int8) if values.dtype == np.bool_ else values
            file.create_variable(name, ("signature",), data=stored, **_COMPRESSED)


def _sets_in(file: "h5netcdf.File") -> ChargeSets:
    """Return the sets of an open file.

    Raises
    ------
    ValueError
        The file has another layout.
    """
    layout, qmax = int(file.attrs["layout"]), int(file.attrs["qmax"])
    if layout != _LAYOUT or not np.array_equal(file["charges"][...], multisets(qmax).values):
        raise ValueError("it has the layout of another version; enumerate the sets again")
    members = np.empty((len(SPECIES), file.dimensions["set"].size), dtype=np.uint16)
    for row, name in zip(members, SPECIES, strict=True):
        row[:] = file[name][...]
    return ChargeSets(qmax, bool(file.attrs["neutrinos"]), members)
