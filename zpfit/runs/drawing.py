"""All plots of a run folder."""

from collections.abc import Callable
from pathlib import Path

from zpfit.errors import UnwritablePath
from zpfit.io.figure_spec import FigureSpec
from zpfit.io.schema import validate
from zpfit.io.yaml import read_yaml
from zpfit.plots.corner import corner_figure
from zpfit.plots.pulls import pulls_figure
from zpfit.plots.style import pdf, png
from zpfit.plots.trace import trace_figure
from zpfit.runs.figure_file import PLAIN, FigureStyle
from zpfit.runs.run_folder import RunFolder

_RUN_DPI, _CORNER_DPI = 200, 160
"""Dots per inch of the plots of a run."""


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
    summary, samples = folder.summary(), folder.samples()
    spec = _of_run_file(folder.config_path).changed(style.spec)

    def corner() -> None:
        parameters = summary["best_fit"]["parameters"]
        figure = corner_figure(samples, parameters, summary["title"], spec)
        if figure is not None:
            folder.write_figure("corner.png", png(figure, dpi=_CORNER_DPI))
            folder.write_figure("corner.pdf", pdf(figure))

    def pulls() -> None:
        folder.write_figure("pulls.png", png(pulls_figure(summary, spec), dpi=_RUN_DPI))

    def trace() -> None:
        figure = trace_figure(samples, summary["title"], spec)
        folder.write_figure("trace.png", png(figure, dpi=_CORNER_DPI))

    with style.context():
        problems = []
        for draw in (corner, pulls, trace):
            before_each()
            problems += _attempt(draw)
    return problems


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
