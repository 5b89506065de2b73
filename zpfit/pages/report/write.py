"""Write a report: read folders, write one file."""

from collections.abc import Sequence
from pathlib import Path

from zpfit.errors import FilesExist, WrongSuffix
from zpfit.io.writing import check_writable, write_whole
from zpfit.pages.report.page import page
from zpfit.pages.report.read_folders import read_contents

_SUFFIXES = {".html", ".htm"}


def write_report(folders: Sequence[Path], output: Path | None, *, force: bool = False) -> Path:
    """Write the page about some folders; return its path.

    Parameters
    ----------
    folders
        Folders of runs, comparisons and campaigns.
    output
        Path of the page. The default is ``NAME.html`` beside the folder NAME, and ``report.html``
        in the current folder for several folders.
    force
        Replace an existing page.

    Raises
    ------
    WrongSuffix
        The output's name does not end with .html.
    InvalidInput
        A folder has problems; the message lists all of them.
    FilesExist
        The output exists, and ``force`` is false.
    UnwritablePath
        The output cannot be written.
    """
    target = output or _default(folders)
    if target.suffix.lower() not in _SUFFIXES:
        raise WrongSuffix(target, ".html")
    if target.is_file() and not force:
        raise FilesExist(target.parent, [target.name])
    contents = read_contents(folders)
    check_writable(target)
    html = page(contents)
    write_whole(target, lambda path: path.write_text(html, encoding="utf-8"))
    return target


def _default(folders: Sequence[Path]) -> Path:
    if len(folders) > 1:
        return Path("report.html")
    folder = folders[0].resolve()
    return folder.parent / f"{folder.name}.html"
