"""All plots of a run folder."""

from collections.abc import Callable

from zpfit.plots.corner import corner_figure
from zpfit.plots.pulls import pulls_figure
from zpfit.plots.style import house_style, pdf, png
from zpfit.plots.trace import trace_figure
from zpfit.run_folder import RunFolder


def draw_run(folder: RunFolder) -> list[str]:
    """Draw every plot of a finished run into its folder; returns what failed, in words.

    A plot that fails costs nothing but itself.

    Raises:
        NotARunFolder: the folder holds no finished run.
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
        return [problem for draw in (corner, pulls, trace) if (problem := _attempt(draw))]


def _attempt(draw: Callable[[], None]) -> str | None:
    try:
        draw()
    except Exception as error:  # noqa: BLE001 - whatever breaks in a plot, the run must stand
        return f"{draw.__name__} plot failed: {type(error).__name__}: {error}"
    return None
