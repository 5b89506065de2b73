"""Colours, settings of figures, sizes and spelling of text, and functions that write figures."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
from matplotlib import style as mpl_style
from matplotlib.artist import Artist
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text

from zpfit.io.formulas import as_formulas

ENSEMBLE_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9")
"""Okabe and Ito's palette, safe for colour-blind readers."""
SERIES_COLOURS = (*ENSEMBLE_COLOURS, "#D55E00", "#F0E442", "#000000")
"""The whole palette, for figures that compare many things."""
BEST_FIT_COLOUR = "#D55E00"
MUTED = "#666666"
SMALLEST_TEXT = 6.0
"""Smallest size of text in points; journals ask for it at the printed width."""
COLUMN, PAGE = 3.375, 7.0
"""Widths of one and of two columns of a journal, in inches."""
_NOTEBOOK_DPI = 150
"""Dots per inch in notebooks: a column is then about as wide as 60 letters of text."""

_SETTINGS: dict[Any, Any] = {
    "font.family": ["serif"],
    "font.serif": ["STIXGeneral", "DejaVu Serif"],
    "font.size": 8.5,
    "mathtext.fontset": "stix",
    "axes.linewidth": 0.8,
    "axes.titlesize": "medium",
    "figure.titlesize": "medium",
    "xtick.labelsize": "small",
    "ytick.labelsize": "small",
    "legend.fontsize": "small",
    "xtick.direction": "in",
    "ytick.direction": "in",
    "legend.frameon": False,
    "hatch.linewidth": 0.5,
}


@contextmanager
def house_style(sheets: Sequence[str | Path] = ()) -> Iterator[None]:
    """Draw the enclosed figures in zpfit's style.

    What the user's matplotlibrc or style context sets prevails over zpfit's settings.

    Parameters
    ----------
    sheets
        Style sheets of matplotlib, which prevail over both: names or files.
    """
    with mpl.rc_context():
        mpl.rcParams.update({key: value for key, value in _SETTINGS.items() if _untouched(key)})
        mpl_style.use([str(sheet) for sheet in sheets])
        yield


class StyledFigure(Figure):
    """A figure that is drawn with the settings with which it was made.

    matplotlib looks up fonts when it draws, which may be after :func:`house_style` has ended.
    """

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._settings: dict[Any, Any] = {key: mpl.rcParams[key] for key in _SETTINGS}

    def draw(self, renderer: Any) -> None:
        """Draw the figure."""
        with mpl.rc_context(self._settings):
            super().draw(renderer)

    def get_tightbbox(self, *arguments: Any, **keywords: Any) -> Any:
        """Return the bounding box of everything that is drawn."""
        with mpl.rc_context(self._settings):
            return super().get_tightbbox(*arguments, **keywords)

    def _repr_png_(self) -> bytes:
        """Return the picture that a notebook shows, also without matplotlib's inline backend."""
        picture = BytesIO()
        self.savefig(picture, format="png", dpi=_NOTEBOOK_DPI)
        return picture.getvalue()


def _untouched(key: Any) -> bool:
    """Return whether a setting has matplotlib's own default."""
    return bool(mpl.rcParams[key] == mpl.rcParamsDefault[key])


TextKind = Literal["axes.labelsize", "axes.titlesize", "figure.titlesize", "legend.fontsize",
               "xtick.labelsize", "ytick.labelsize"]  # fmt: skip


def points(kind: TextKind) -> float:
    """Return the size of a kind of text in points, which is never illegible.

    Examples
    --------
    >>> with house_style():
    ...     round(points("legend.fontsize"), 2)
    7.08
    """
    size = FontProperties(size=mpl.rcParams[kind]).get_size_in_points()
    return max(float(size), SMALLEST_TEXT)


_FORMULAS = re.compile(r"(\$[^$]*\$)")
_PRIME = re.compile(r"(?:'|\^\{?\\prime\}?)(?![_^'])")
_APOSTROPHE = re.compile(r"(?<=[a-z])'(?=s\b)")
_BARE_PRIME = re.compile(r"\b([A-Za-z])'(?![A-Za-z])")
_SPECIAL = re.compile(r"(?<!\\)([%&#_])")


def typeset(text: str) -> str:
    r"""Return a text with primes as the font in use draws them best.

    The prime of STIX is raised already: as a superscript it floats above its letter. A letter with
    a prime outside of formulas becomes a formula, and so do :func:`symbols in ASCII
    <zpfit.io.formulas.as_formulas>`.

    Examples
    --------
    >>> with house_style():
    ...     typeset("no Z' ($m_{Z'}$)")
    'no $Z\\prime$ ($m_{Z\\prime}$)'
    """
    text = as_formulas(text)
    raised = str(mpl.rcParams["mathtext.fontset"]).startswith("stix")
    on_line = raised and not mpl.rcParams["text.usetex"]
    text = _outside(text, lambda words: _APOSTROPHE.sub("\N{RIGHT SINGLE QUOTATION MARK}", words))
    parts = _FORMULAS.split(_outside(text, lambda words: _BARE_PRIME.sub(r"$\1'$", words)))
    if on_line:
        parts[1::2] = [_PRIME.sub(r"\\prime", formula) for formula in parts[1::2]]
    joined = "".join(parts)
    if mpl.rcParams["text.usetex"]:
        return _outside(joined, lambda words: _SPECIAL.sub(r"\\\1", words))
    return joined


def _outside(text: str, change: Callable[[str], str]) -> str:
    """Return a text with its parts outside of formulas changed."""
    parts = _FORMULAS.split(text)
    parts[::2] = [change(words) for words in parts[::2]]
    return "".join(parts)


def set_words(
    axis: Axis, places: Sequence[float] | range, words: Sequence[str], **look: Any
) -> None:
    """Label places of an axis with words, after :func:`typeset`."""
    axis.set_ticks(list(places), [typeset(text) for text in words], **look)


def finished(figure: Figure) -> Figure:
    """Return a figure after :func:`typeset` of all its texts but the labels of ticks.

    Formatters write those again when the figure is drawn, and making all minor ticks takes as
    long as the rest of a corner plot. Words at ticks need :func:`set_words`.
    """
    for text in _texts(figure):
        if text.get_text():
            text.set_text(typeset(text.get_text()))
    return figure


def _texts(artist: Artist) -> Iterator[Text]:
    """Yield the texts of an artist, without the labels of ticks."""
    for child in [artist.label] if isinstance(artist, Axis) else artist.get_children():
        if isinstance(child, Text):
            yield child
        yield from _texts(child)


def png(figure: Figure, dpi: int = 150) -> Callable[[Path], None]:
    """Return a function that writes a figure as PNG to a path.

    A resolution in the user's settings prevails over ``dpi``.
    """
    own = mpl.rcParams["savefig.dpi"]
    chosen = dpi if own == "figure" else own
    return lambda path: figure.savefig(path, format="png", dpi=chosen)


def pdf(figure: Figure) -> Callable[[Path], None]:
    """Return a function that writes a figure as PDF to a path."""
    return lambda path: figure.savefig(path, format="pdf", metadata={"CreationDate": None})
