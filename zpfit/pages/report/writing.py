"""Write a report: read folders, write one file."""

from collections.abc import Sequence
from pathlib import Path

from zpfit.errors import FilesExist, InvalidInput
from zpfit.io.writing import check_writable, write_whole
from zpfit.pages.report.gather import gather
from zpfit.pages.report.page import page

_SUFFIXES = {".html", ".htm"}


def write_report(folders: Sequence[Path], output: Path | None, *, force: bool = False) -> Path:
    """Write the page about some folders; return its path.

    The default path lies beside the folder and has its name; for several folders it is
    ``report.html`` in the current folder.

    Raises
    ------
    InvalidInput
        Everything that is wrong with the folders or the output's name.
    FilesExist
        The output is there and ``force`` is not given.
    UnwritablePath
        It cannot be written.
    """
    target = output or _default(folders)
    if target.suffix.lower() not in _SUFFIXES:
        raise InvalidInput([f"--output {target}: a page's name ends with .html"])
    if target.is_file() and not force:
        raise FilesExist(target.parent, [target.name])
    contents = gather(folders)
    check_writable(target)
    html = page(contents)
    write_whole(target, lambda path: path.write_text(html, encoding="utf-8"))
    return target


def _default(folders: Sequence[Path]) -> Path:
    if len(folders) > 1:
        return Path("report.html")
    folder = folders[0].resolve()
    return folder.parent / f"{folder.name}.html"
