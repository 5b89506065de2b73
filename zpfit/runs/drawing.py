"""All plots of a run folder."""

from collections.abc import Callable, Mapping
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from zpfit.analysis.records import FitSummary
from zpfit.errors import UnwritablePath
from zpfit.inference.samplers.result import StoredSamples
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
    """Draw every plot of a finished run into its folder; return a message for each that failed.

    A plot that fails costs nothing but itself. ``before_each`` may end the drawing by raising.

    Parameters
    ----------
    folder
        Folder of the run. The block ``figure`` of its run file describes the plots.
    before_each
        Called before each file.
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
    plots = RunPlots(folder, summary["title"], samples, style)
    best_fit = summary["best_fit"]["parameters"]
    problems = []
    for draw in (
        partial(plots.corner_png, best_fit),
        partial(plots.corner_pdf, best_fit),
        partial(plots.pulls, summary),
        plots.trace,
    ):
        before_each()
        problems += draw()
    return list(dict.fromkeys(problems))


class RunPlots:
    """The plots of a run.

    Each method draws one file and returns a message if it failed. It raises
    :class:`~zpfit.errors.UnwritablePath` where the folder cannot be written.

    Parameters
    ----------
    folder
        Folder of the run. The block ``figure`` of its run file describes the plots.
    title
        Title of the run.
    samples
        Its samples of equal weight.
    style
        Style that prevails over the run file.
    """

    def __init__(
        self, folder: RunFolder, title: str, samples: StoredSamples, style: FigureStyle = PLAIN
    ) -> None:
        self._folder, self._title, self._samples, self._style = folder, title, samples, style
        self._spec = _of_run_file(folder.config_path).changed(style.spec)
        self._corner: Figure | None = None

    def corner(self, best_fit: Mapping[str, float]) -> list[str]:
        """Make the figure of the corner plot, which both of its files show."""

        def draw() -> None:
            self._corner = corner_figure(self._samples, best_fit, self._title, self._spec)

        return [] if self._corner is not None else self._attempted("corner", draw)

    def corner_png(self, best_fit: Mapping[str, float]) -> list[str]:
        """Draw ``corner.png``, unless no parameter varies."""
        return self.corner(best_fit) or self._written(
            "corner.png", lambda: self._corner, partial(png, dpi=_CORNER_DPI)
        )

    def corner_pdf(self, best_fit: Mapping[str, float]) -> list[str]:
        """Draw ``corner.pdf``, unless no parameter varies."""
        return self.corner(best_fit) or self._written("corner.pdf", lambda: self._corner, pdf)

    def pulls(self, summary: FitSummary) -> list[str]:
        """Draw ``pulls.png``."""
        return self._written(
            "pulls.png", lambda: pulls_figure(summary, self._spec), partial(png, dpi=_RUN_DPI)
        )

    def trace(self) -> list[str]:
        """Draw ``trace.png``."""
        return self._written(
            "trace.png",
            lambda: trace_figure(self._samples, self._title, self._spec),
            partial(png, dpi=_CORNER_DPI),
        )

    def _written(
        self,
        name: str,
        make: Callable[[], Figure | None],
        writer: Callable[[Figure], Callable[[Path], None]],
    ) -> list[str]:
        def draw() -> None:
            figure = make()
            if figure is not None:
                self._folder.write_figure(name, writer(figure))

        return self._attempted(Path(name).stem, draw)

    def _attempted(self, name: str, draw: Callable[[], None]) -> list[str]:
        with self._style.context():
            try:
                draw()
            except UnwritablePath:
                raise  # no fault of the plot
            except Exception as error:  # noqa: BLE001 - whatever breaks, the run must stand
                return [f"{name} plot failed: {type(error).__name__}: {error}"]
        return []


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
