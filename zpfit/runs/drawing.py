"""All plots of a run folder."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from zpfit.errors import UnwritablePath
from zpfit.inference.samplers.result import StoredSamples
from zpfit.io.figure_spec import FigureSpec
from zpfit.io.schema import validate
from zpfit.io.yaml import read_yaml
from zpfit.plots.corner import Corner, corner_figure, corner_panels
from zpfit.plots.pulls import pulls_figure
from zpfit.plots.style import pdf, png
from zpfit.plots.trace import trace_figure
from zpfit.runs.figure_file import PLAIN, FigureStyle
from zpfit.runs.run_folder import RunFolder

_RUN_DPI, _CORNER_DPI = 200, 160
"""Dots per inch of the plots of a run."""


@dataclass(frozen=True)
class Begun:
    """What has been drawn of a run before its best fit is known."""

    corner: Corner | None
    """Panels of the corner plot."""
    trace: list[str] | None
    """What failed in the trace plot, in words; None if it is not drawn."""


NOTHING = Begun(None, None)


def begin_run(folder: RunFolder, title: str, enough: Callable[[], bool]) -> Begun:
    """Draw what needs no best fit: the panels of the corner plot, and the trace plot.

    Parameters
    ----------
    folder
        Folder of the run with its run file and samples.
    title
        Title of the run.
    enough
        Called between plots: whether the best fit is known.

    Raises
    ------
    RunNotFound
        The folder holds no samples.
    UnwritablePath
        The folder cannot be written.
    """
    samples, spec = folder.samples(), _of_run_file(folder.config_path)
    with PLAIN.context():
        try:
            corner = corner_panels(samples, title, spec)
            if corner is not None and not enough():
                # Ticks and labels are made when a figure is drawn, which takes half of the time.
                corner.grid.figure.set_dpi(_CORNER_DPI)
                corner.grid.figure.draw_without_rendering()
        except Exception:  # noqa: BLE001 - fails again, and is reported, when it is finished
            corner = None
        trace = None if enough() else _attempt(_trace(folder, samples, title, spec))
    return Begun(corner, trace)


def draw_run(
    folder: RunFolder, before_each: Callable[[], None] = lambda: None, style: FigureStyle = PLAIN
) -> list[str]:
    """Draw every plot of a finished run into its folder; returns what failed, in words.

    A plot that fails costs nothing but itself. ``before_each`` may end the drawing by raising.

    Parameters
    ----------
    folder
        Folder of the run. The block ``figure`` of its run file describes the plots.
    before_each
        Called before each plot.
    style
        Style that prevails over the run file.

    Raises
    ------
    RunNotFound
        The folder holds no finished run.
    UnwritablePath
        The folder cannot be written.
    """
    problems = []
    for draw in plots_to_draw(folder, style):
        before_each()
        problems += draw()
    return problems


def plots_to_draw(
    folder: RunFolder, style: FigureStyle = PLAIN, begun: Begun = NOTHING
) -> list[Callable[[], list[str]]]:
    """Return functions that draw the plots of a run; each returns what failed, in words.

    Parameters
    ----------
    folder, style
        See :func:`draw_run`.
    begun
        What :func:`begin_run` has drawn, in the plain style.
    """
    summary, samples = folder.summary(), folder.samples()
    spec = _of_run_file(folder.config_path).changed(style.spec)

    def corner() -> None:
        parameters = summary["best_fit"]["parameters"]
        if begun.corner is not None and begun.corner.holds(parameters):
            figure: Figure | None = begun.corner.marked(parameters)
        else:
            figure = corner_figure(samples, parameters, summary["title"], spec)
        if figure is not None:
            folder.write_figure("corner.png", png(figure, dpi=_CORNER_DPI))
            folder.write_figure("corner.pdf", pdf(figure))

    def pulls() -> None:
        folder.write_figure("pulls.png", png(pulls_figure(summary, spec), dpi=_RUN_DPI))

    def styled(draw: Callable[[], None]) -> list[str]:
        with style.context():
            return _attempt(draw)

    trace = _trace(folder, samples, summary["title"], spec)
    return [
        partial(styled, corner),
        partial(styled, pulls),
        partial(styled, trace) if begun.trace is None else partial(list, begun.trace),
    ]


def _trace(
    folder: RunFolder, samples: StoredSamples, title: str, spec: FigureSpec
) -> Callable[[], None]:
    """Return a function that draws the trace plot."""

    def trace() -> None:
        figure = trace_figure(samples, title, spec)
        folder.write_figure("trace.png", png(figure, dpi=_CORNER_DPI))

    return trace


def warm_up() -> None:
    """Draw a small figure into memory: the first one takes a second more than those after it.

    Fonts are read, and the parsers of formulas and the writers of both formats are made.
    """
    rng = np.random.default_rng(0)
    shape = (2, 2, 500)
    attributes = {"symbol": r"C_{V \mu}", "unit": "MeV", "scale": "signed_log", "lower": 1e-6}
    values = {name: rng.normal(0, 1e-3, shape) for name in ("x", "y")}
    samples = StoredSamples(values, np.zeros(shape), dict.fromkeys(values, attributes))
    with PLAIN.context():
        figure = corner_figure(samples, dict.fromkeys(values, 0.0), "")
        if figure is not None:
            figure.savefig(BytesIO(), format="png")
            figure.savefig(BytesIO(), format="pdf")
        trace_figure(samples, "").savefig(BytesIO(), format="png")


def _of_run_file(path: Path) -> FigureSpec:
    """Return the description of figures in the run file of a folder."""
    return validate(FigureSpec, read_yaml(path).below(("figure",)))


def _attempt(draw: Callable[[], None]) -> list[str]:
    try:
        draw()
    except UnwritablePath:
        raise  # no fault of the plot
    except Exception as error:  # noqa: BLE001 - whatever breaks in a plot, the run must stand
        return [f"{draw.__name__} plot failed: {type(error).__name__}: {error}"]
    return []
