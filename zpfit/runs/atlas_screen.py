"""Screens of signatures in chunks, through any executor, with finished chunks on disk.

A chunk holds neighbouring signatures, and its number settles its random numbers. Results are
therefore the same to the last bit for any executor, and for a screen that was interrupted.
"""

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from zpfit.analysis.atlas.evidence import evidence
from zpfit.analysis.atlas.joint_sigma import joint_sigmas
from zpfit.analysis.atlas.screen import (
    Evidence,
    References,
    Screened,
    ScreenOptions,
    check_columns,
    find_references,
    screen,
)
from zpfit.analysis.atlas.signatures import SignatureTable
from zpfit.errors import NoAnomalies, Stopped, UnreadableFile
from zpfit.inference.progress import Progress
from zpfit.io.arrays import FloatArray
from zpfit.io.library import Library
from zpfit.io.writing import make_folder, partial_path, write_whole
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.likelihood.likelihood import Likelihood
from zpfit.runs.atlas_file import read_signatures, write_signatures
from zpfit.runs.executor_choice import ExecutorChoice
from zpfit.runs.signals import REPEAT_TO_RESUME, listening
from zpfit.runs.workers import open_workers

CHUNK: Final = 256
"""Signatures of a chunk: some seconds."""
_TERM: Final = "term:"
"""Prefix of the columns of chi2 by term in the file of a chunk."""
_EVIDENCE: Final = tuple(field.name for field in fields(Evidence))
"""Columns of the evidence, which a screen has on request."""
_JOINT: Final = "joint_sigma"
"""Column of the joint sigma, which a screen has on request."""
_NOT_PLAIN: Final = ("terms", "evidence", _JOINT)


@dataclass(frozen=True)
class ScreenResult:
    """Best points of all signatures of a table."""

    data: LikelihoodSpec
    """Choice of data."""
    references: References
    screened: Screened
    measurements: int
    """Number of measurements of the likelihood."""

    @property
    def likelihood(self) -> str:
        """Name of the likelihood: the set, and the changes to it."""
        return self.data.label


@dataclass(frozen=True)
class _Task:
    """One chunk, as a worker gets it."""

    vectors: NDArray[np.int8]
    data: str
    """Choice of data as JSON."""
    references: References
    seed: tuple[int, int]
    options: ScreenOptions


def screen_table(
    table: SignatureTable,
    data: LikelihoodSpec,
    choice: ExecutorChoice,
    progress: Progress,
    *,
    options: ScreenOptions,
    seed: int,
    target: Path | None = None,
) -> ScreenResult:
    """Find the best point of every signature of a table.

    Parameters
    ----------
    table
        The signatures.
    data
        Choice of data.
    choice
        Executor of the chunks.
    progress
        Gets the stages.
    options
        Effort of the searches.
    seed
        Seed of all random numbers.
    target
        File for :func:`write_screen`. Finished chunks are kept beside it.

    Raises
    ------
    UnknownName
        There is no such likelihood set.
    InvalidInput
        The likelihood reads couplings that the signatures leave open, or the set has no entry that
        is left out.
    NoAnomalies
        The likelihood has no anomaly that a joint sigma could meet.
    FailedTasks
        Chunks have failed.
    Stopped
        On SIGINT or SIGTERM; the screen can be resumed.
    UnwritablePath
        A chunk cannot be written.
    """
    text = data.model_dump_json()
    likelihood = _likelihood(text)
    check_columns(table.columns, likelihood)
    if options.joint_descents and not likelihood.anomalies:
        raise NoAnomalies(likelihood.name)
    progress.stage(f"References of {data.label}")
    references = find_references(likelihood, seed)
    tasks = [
        _Task(table.vectors[first : first + CHUNK], text, references, (seed, first), options)
        for first in range(0, len(table), CHUNK)
    ]
    progress.stage(f"{len(table):,} signatures in {len(tasks):,} chunks")
    folder = None if target is None else _folder_of(target, tasks)
    chunks = dict(_chunks(tasks, folder, choice, progress))
    screened = _joined([chunks[i] for i in range(len(tasks))])
    return ScreenResult(data, references, screened, len(likelihood.measurements))


def write_screen(table: SignatureTable, found: ScreenResult, target: Path) -> None:
    """Write the result of a screen as a NetCDF file, and remove the finished chunks of the file.

    Parameters
    ----------
    table
        The signatures.
    found
        Their best points.
    target
        The file; an existing one is replaced.

    Raises
    ------
    WrongSuffix
        The name does not end with ``.nc``.
    UnwritablePath
        The file cannot be written.
    """
    terms = {f"chi2_{n}": r.astype(np.float32) for n, r in found.screened.terms.items()}
    references = found.references
    attributes = {
        "likelihood": found.likelihood,
        "data": found.data.model_dump_json(),
        "chi2_without": references.without,
        "chi2_dark_photon": references.dark,
        "dark_photon": np.array(references.point),
        "measurements": found.measurements,
    }
    title = f"Least chi2 of signatures on {found.likelihood}, policy {table.higgs}"
    write_signatures(table, target, title, columns_of(found.screened) | terms, attributes)
    unfinished = partial_path(target)
    for folder in unfinished.parent.glob(f"{unfinished.stem}-screen-*"):
        shutil.rmtree(folder)


def read_screen(path: Path) -> tuple[SignatureTable, ScreenResult]:
    """Read the result of a screen.

    Raises
    ------
    MissingFile
        There is no such file.
    UnreadableFile
        The file cannot be read, or holds no screen.
    """
    table, columns, marks = read_signatures(path)
    try:
        asked = (name for name in (*_EVIDENCE, _JOINT) if name in columns)
        own = (*_plain_fields(), *asked)
        plain = {name: columns.pop(name) for name in own}
        without, dark = float(marks["chi2_without"]), float(marks["chi2_dark_photon"])
        mass, mixing = map(float, marks["dark_photon"])
        text, measurements = str(marks["data"]), int(marks["measurements"])
    except KeyError as error:
        raise UnreadableFile(path, f"no screen of signatures: {error}") from error
    plain |= {name: plain[name].astype(bool) for name in ("nested", "scanned")}
    terms = {name.removeprefix("chi2_"): row.astype(float) for name, row in columns.items()}
    found = screened_of(plain, terms)
    references = References(without, dark, (mass, mixing))
    data = LikelihoodSpec.model_validate_json(text)
    return table, ScreenResult(data, references, found, measurements)


def _folder_of(target: Path, tasks: list[_Task]) -> Path:
    """Return the folder of chunks, whose name depends on all that settles the results."""
    digest = hashlib.sha256()
    for task in tasks:
        digest.update(task.vectors.tobytes())
    digest.update(repr((tasks[0].data, tasks[0].references, tasks[0].seed)).encode())
    digest.update(repr((tasks[0].options, CHUNK)).encode())
    unfinished = partial_path(target)
    folder = unfinished.with_name(f"{unfinished.stem}-screen-{digest.hexdigest()[:16]}")
    make_folder(folder)
    return folder


def _chunks(
    tasks: list[_Task], folder: Path | None, choice: ExecutorChoice, progress: Progress
) -> Iterator[tuple[int, Screened]]:
    """Yield number and result of each chunk: stored ones first, then new ones."""
    missing = []
    for number in range(len(tasks)):
        stored = None if folder is None else _stored(_path_of(folder, number))
        if stored is None:
            missing.append(number)
        else:
            yield number, stored
    if not missing:
        return
    with ExitStack() as stack:
        stop = stack.enter_context(listening())
        workers = stack.enter_context(open_workers(choice, stop))
        names = [f"chunk {number}" for number in missing]
        new = workers.run_all(_screen_task, [tasks[n] for n in missing], names, "chunks")
        try:
            for done, (index, found) in enumerate(new, 1):
                if folder is not None:
                    _store(_path_of(folder, missing[index]), found)
                progress.update(1 - (len(missing) - done) / len(tasks), f"{done} new chunks")
                yield missing[index], found
        except Stopped as error:
            raise Stopped(error.signal, error.number, REPEAT_TO_RESUME) from error


def _screen_task(task: _Task) -> Screened:
    data, vectors, options = _likelihood(task.data), task.vectors.astype(float), task.options
    found = screen(vectors, data, task.references, task.seed, options)
    if options.draws:
        # All chunks have the same draws, so that signatures differ by their charges alone.
        found = replace(found, evidence=evidence(vectors, data, options.draws, task.seed[0]))
    if options.joint_descents:
        joint = joint_sigmas(vectors, data, found, task.seed, options.joint_descents)
        found = replace(found, joint_sigma=joint)
    return found


@cache
def _likelihood(data: str) -> Likelihood:
    """Return a likelihood, which each process assembles once, from the choice of data as JSON."""
    return assemble(LikelihoodSpec.model_validate_json(data), Library.beside()).likelihood


def _path_of(folder: Path, number: int) -> Path:
    return folder / f"{number:06d}.npz"


def _plain_fields() -> list[str]:
    return [field.name for field in fields(Screened) if field.name not in _NOT_PLAIN]


def columns_of(found: Screened) -> dict[str, NDArray[Any]]:
    """Return the columns of a result except those of the terms."""
    columns = {name: getattr(found, name) for name in _plain_fields()}
    if found.evidence is not None:
        columns |= {name: getattr(found.evidence, name) for name in _EVIDENCE}
    if found.joint_sigma is not None:
        columns[_JOINT] = found.joint_sigma
    return columns


def screened_of(columns: Mapping[str, NDArray[Any]], terms: Mapping[str, FloatArray]) -> Screened:
    """Return the result with some columns, those of options if they are among them.

    Parameters
    ----------
    columns
        Result of :func:`columns_of`; further ones are ignored.
    terms
        chi2 by term.
    """
    plain = {name: columns[name] for name in _plain_fields()}
    integrals = {name: columns[name] for name in _EVIDENCE if name in columns}
    return Screened(
        **plain,
        terms=terms,
        evidence=Evidence(**integrals) if integrals else None,
        joint_sigma=columns.get(_JOINT),
    )


def _store(path: Path, found: Screened) -> None:
    columns = columns_of(found) | {_TERM + name: row for name, row in found.terms.items()}
    write_whole(path, lambda target: np.savez(target, **columns))  # type: ignore[arg-type]


def _stored(path: Path) -> Screened | None:
    """Return a stored chunk; None if there is none, or a damaged one."""
    try:
        with np.load(path) as arrays:
            terms = {n.removeprefix(_TERM): arrays[n] for n in arrays.files if n.startswith(_TERM)}
            columns = {n: arrays[n] for n in arrays.files if not n.startswith(_TERM)}
            return screened_of(columns, terms)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None


def _joined(chunks: list[Screened]) -> Screened:
    parts = [columns_of(chunk) for chunk in chunks]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    names = chunks[0].terms
    terms = {name: np.concatenate([chunk.terms[name] for chunk in chunks]) for name in names}
    return screened_of(columns, terms)
