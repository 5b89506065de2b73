"""Files of a proof: the store of its finished levels beside the certificate."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zpfit.errors import NoRunToResume, UnfinishedRun
from zpfit.inference.checkpoint import Checkpoint
from zpfit.io.writing import make_room
from zpfit.runs.checkpoint_files import CheckpointFiles

_NAME = "proofs"


@contextmanager
def proofs_beside(path: Path, *, resume: bool, force: bool) -> Iterator[Checkpoint]:
    """Yield the store of the proofs of a certificate, and remove it when the body has ended.

    The store is a folder beside the certificate. It stays if the body is interrupted.

    Parameters
    ----------
    path
        File of the certificate.
    resume
        Start from the stored proofs.
    force
        Replace an existing certificate, and discard stored proofs.

    Raises
    ------
    FilesExist
        The certificate exists and ``force`` is not given.
    UnfinishedRun
        Proofs are stored, and neither ``resume`` nor ``force`` is given.
    NoRunToResume
        No proofs are stored.
    UnwritablePath
        The folder cannot be written.
    """
    make_room(path.parent, [path.name], force=force)
    folder = path.with_name(f"{path.name}.unfinished")
    stored = folder / f"{_NAME}.npz"
    if resume and not stored.exists():
        raise NoRunToResume(folder)
    if stored.exists() and not resume:
        if not force:
            raise UnfinishedRun(folder)
        stored.unlink()
    yield CheckpointFiles(folder, interval=0.0, name=_NAME)
    stored.unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
