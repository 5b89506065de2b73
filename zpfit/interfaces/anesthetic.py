"""Dead points of nested sampling, which anesthetic turns into evidences by itself."""

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

_ENDINGS = ("_dead-birth.txt", ".paramnames")


def files(nested: tuple[Path, Path], root: str) -> Iterator[tuple[str, Callable[[Path], object]]]:
    """Copies of what a run keeps, under the name of the run."""
    for source, ending in zip(nested, _ENDINGS, strict=True):
        yield f"{root}{ending}", partial(shutil.copyfile, source)
