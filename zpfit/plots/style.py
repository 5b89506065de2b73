"""Colours, settings of figures, and functions that write figures."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

ENSEMBLE_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9")
"""Okabe and Ito's palette, safe for colour-blind readers."""
SERIES_COLOURS = (*ENSEMBLE_COLOURS, "#D55E00", "#F0E442", "#000000")
"""The whole palette, for figures that compare many things."""
BEST_FIT_COLOUR = "#D55E00"
MUTED = "#666666"

_SETTINGS: dict[Any, Any] = {
    "font.family": "serif",
    "font.serif": ["STIXGeneral", "DejaVu Serif"],
    "mathtext.fontset": "stix",
    "axes.linewidth": 0.8,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "legend.frameon": False,
    "hatch.linewidth": 0.5,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw the enclosed figures in zpfit's style, independent of the user's matplotlibrc."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        yield


def png(figure: Figure, dpi: int = 150) -> Callable[[Path], None]:
    """Return a function that writes a figure as PNG to a path."""
    return lambda path: figure.savefig(path, format="png", dpi=dpi)


def pdf(figure: Figure) -> Callable[[Path], None]:
    """Return a function that writes a figure as PDF to a path."""
    return lambda path: figure.savefig(path, format="pdf", metadata={"CreationDate": None})
