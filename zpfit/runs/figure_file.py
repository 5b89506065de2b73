"""Files that describe figures, and the style in which figures are drawn."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zpfit.errors import InvalidInput, MissingFile, WrongType
from zpfit.io.document import Document, plain_data
from zpfit.io.figure_spec import FigureSpec
from zpfit.io.schema import validate
from zpfit.io.yaml import read_yaml

SHEET = ".mplstyle"
"""Suffix of matplotlib's style sheets."""


@dataclass(frozen=True)
class FigureStyle:
    """How figures are drawn: their description and style sheets of matplotlib."""

    spec: FigureSpec = field(default_factory=FigureSpec)
    sheets: tuple[str, ...] = ()

    def context(self) -> AbstractContextManager[None]:
        """Return the context in which figures have this style."""
        from zpfit.plots.style import house_style  # imports matplotlib

        return house_style(self.sheets)


PLAIN = FigureStyle()
"""Default style of figures."""


def read_style(files: Sequence[str | Path]) -> FigureStyle:
    """Read files that describe figures; later ones prevail.

    Parameters
    ----------
    files
        YAML files with the keys of a ``figure`` block, style sheets of matplotlib
        (``.mplstyle``), and names of its styles.

    Raises
    ------
    InvalidInput
        A file does not fit the schema, or matplotlib does not know a style.
    UnreadableFile
        A file does not exist or cannot be read.
    """
    spec, sheets = FigureSpec(), list[str]()
    for file in files:
        path = Path(file)
        if path.suffix in {".yaml", ".yml"}:
            spec = spec.changed(validate(FigureSpec, read_yaml(path)))
        else:
            sheets.append(_sheet(file))
    return FigureStyle(spec, tuple(sheets))


def _sheet(file: str | Path) -> str:
    """Return a style sheet that matplotlib can use."""
    import matplotlib as mpl
    from matplotlib import style

    if Path(file).suffix == SHEET and not Path(file).is_file():
        raise MissingFile(Path(file), "No such file or directory")
    # matplotlib reads any file as a sheet, and only warns of lines that it does not know.
    if Path(file).suffix != SHEET and Path(file).is_file():
        raise _no_style(file)
    try:
        with mpl.rc_context():
            style.use(str(file))
    except (OSError, ValueError, KeyError) as error:
        raise _no_style(file) from error
    return str(file)


def _no_style(file: str | Path) -> InvalidInput:
    remedy = "give FILE.yaml, FILE.mplstyle or the name of a style"
    return InvalidInput([f"{file}: neither a YAML file nor a style of matplotlib; {remedy}"])


FigureChoice = FigureSpec | Mapping[str, Any] | str | Path | None
"""Description of a figure, a mapping of its keys, or a file as :func:`read_style` takes it."""


def figure_style(given: FigureChoice) -> FigureStyle:
    """Return the style that an argument ``figure`` of a function stands for.

    Parameters
    ----------
    given
        The argument.

    Raises
    ------
    WrongType
        It is none of these.
    InvalidInput
        See :func:`read_style`.
    """
    if given is None:
        return FigureStyle()
    if isinstance(given, FigureSpec):
        return FigureStyle(given)
    if isinstance(given, Mapping):
        return FigureStyle(validate(FigureSpec, Document(Path("figure"), plain_data(given), {})))
    if not isinstance(given, (str, Path)):
        raise WrongType("figure", given, "a zpfit.Figure, a mapping of its keys, or a path")
    return read_style([given])
