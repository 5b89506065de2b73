"""All plots of a run folder."""

from collections.abc import Callable

from zpfit.errors import UnwritablePath
from zpfit.plots.corner import corner_figure
from zpfit.plots.pulls import pulls_figure
from zpfit.plots.style import house_style, pdf, png
from zpfit.plots.trace import trace_figure
from zpfit.runs.run_folder import RunFolder


def draw_run(folder: RunFolder, before_each: Callable[[], None] = lambda: None) -> list[str]:
    """Draw every plot of a finished run into its folder; returns what failed, in words.

    A plot that fails costs nothing but itself. ``before_each`` may end the drawing by raising.

    Raises
    ------
    RunNotFound
        The folder holds no finished run.
    UnwritablePath
        The folder cannot be written.
    """
    summary, samples = folder.summary(), folder.samples()

    def corner() -> None:
        figure = corner_figure(samples, summary["best_fit"]["parameters"], summary["title"])
        if figure is not None:
            folder.write_figure("corner.png", png(figure, dpi=110))
            folder.write_figure("corner.pdf", pdf(figure))

    def pulls() -> None:
        folder.write_figure("pulls.png", png(pulls_figure(summary)))

    def trace() -> None:
        folder.write_figure("trace.png", png(trace_figure(samples, summary["title"])))

    with house_style():
        problems = []
        for draw in (corner, pulls, trace):
            before_each()
            problems += _attempt(draw)
    return problems


def _attempt(draw: Callable[[], None]) -> list[str]:
    try:
        draw()
    except UnwritablePath:
        raise  # no fault of the plot
    except Exception as error:  # noqa: BLE001 - whatever breaks in a plot, the run must stand
        return [f"{draw.__name__} plot failed: {type(error).__name__}: {error}"]
    return []
