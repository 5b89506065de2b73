"""Coverage of intervals: :func:`coverage` and its :class:`Coverage`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zpfit.analysis.coverage import Coverage as MeasuredCoverage
from zpfit.analysis.coverage import coverage as measure
from zpfit.analysis.records import CoverageRecord
from zpfit.api.executors import ExecutorChoice, chosen
from zpfit.api.sources import (
    Source,
    check_number,
    check_point,
    escaped,
    files_in,
    folder_of,
    load,
    progress_of,
)
from zpfit.api.worker_sources import checked, readable
from zpfit.inference.progress import Progress
from zpfit.runs.coverage import (
    RESULTS,
    CoverageRequest,
    coverage_in_folder,
    coverage_in_processes,
    coverage_record,
)
from zpfit.runs.figure_file import FigureChoice, figure_style
from zpfit.runs.toys import run_from

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class Coverage:
    """Fractions of pseudo-experiments whose intervals contain the truth.

    Made by :func:`coverage`.
    """

    _measured: MeasuredCoverage
    record: CoverageRecord
    """All numbers, as ``coverage.json`` holds them."""
    files: tuple[Path, ...] = ()
    """Files that were written; none without ``output``."""

    @property
    def table(self) -> "pd.DataFrame":
        """A row for each parameter, kind of interval and level."""
        import pandas as pd

        rows = [
            {"parameter": name, "kind": kind, "level": level, **found}
            for name, kinds in self.record["parameters"].items()
            for kind, levels in kinds.items()
            for level, found in levels.items()  # type: ignore[attr-defined]
        ]
        return pd.DataFrame(rows).set_index(["parameter", "kind", "level"])

    @property
    def frame(self) -> "pd.DataFrame":
        """A row for each toy: Delta chi2 of the truth, and the posterior probability below it."""
        return self._measured.frame

    @property
    def shortcomings(self) -> tuple[str, ...]:
        """Reasons not to trust the fractions, with remedies."""
        return self._measured.shortcomings

    @property
    def converged(self) -> bool:
        """True if no shortcoming was found."""
        return not self.shortcomings

    def plot(self, figure: FigureChoice = None) -> "Figure":
        """Return the plot of the covered fractions.

        Parameters
        ----------
        figure
            Description of the figure, see :class:`zpfit.Figure`.
        """
        from zpfit.plots.coverage import coverage_figure

        style = figure_style(figure)
        with style.context():
            return coverage_figure(self.record, style.spec)

    def __len__(self) -> int:
        """Return the number of toys."""
        return len(self._measured)

    def __repr__(self) -> str:
        return f"<{self._measured!r}>"

    def _repr_html_(self) -> str:
        return escaped(repr(self)) + str(self.table.to_html(float_format="%.3g"))


def coverage(
    source: Source,
    at: Mapping[str, float],
    n: int,
    *,
    credible: bool = True,
    output: str | Path | None = None,
    executor: ExecutorChoice | None = None,
    progress: bool | Progress = True,
    force: bool = False,
    **changes: Any,
) -> Coverage:
    """Measure how often intervals of pseudo-experiments contain the true parameters.

    Parameters
    ----------
    source
        Name of a packaged run, path of a run file, run folder, dictionary, or a problem.
    at
        True value of every sampled parameter.
    n
        Number of pseudo-experiments, at least 1.
    credible
        Sample the posterior of each as well, which takes a second or two each.
    output
        Folder that keeps the toys, ``coverage.json``, ``coverage.csv`` and the figure. Toys in
        it are reused, so that a coverage can be resumed and extended.
    executor
        Processes, Dask or MPI, see :class:`~zpfit.ExecutorChoice`; this process by
        default.
    progress
        See :func:`zpfit.fit`.
    force
        Replace toys of another problem in the folder.
    **changes
        Keys of a run file with new values.

    Returns
    -------
    Coverage
        With ``table``, ``frame`` and ``record``.

    Raises
    ------
    InvalidInput
        The point is incomplete, names other parameters, or is excluded, or ``n`` is below 1.
    WrongType
        ``n`` is no integer, or a value of the point is no number.
    NoSamplingDistribution
        A measurement is a table of chi2, from which no pseudo-data can be drawn.
    ToysMismatch, FilesExist
        The folder holds other toys or files, and ``force`` is false.
    InvalidModel
        A model was defined in a Python session, and ``output`` or ``executor`` needs its file.

    Examples
    --------
    >>> import zpfit
    >>> muon = {"m_Zp": 20, "eps": 0}  # one free parameter, g_prime
    >>> run = {"model": "L_mu-L_tau", "likelihood": "paper_2021_cs"}
    >>> run["priors"] = {"parameters": muon}
    >>> found = zpfit.coverage(run, {"g_prime": 5e-4}, 2, credible=False)
    >>> found.record["parameters"]["g_prime"]["profile"]["95"]["of"]
    2
    """
    check_point(at, "at")
    check_number(n)
    reporter = progress_of(progress)
    if output is None and executor is None:
        problem = load(source, **changes)
        found = measure(problem, at, n, credible=credible, progress=reporter)
        return Coverage(found, coverage_record(found, problem.settings.sampler.engine))
    choice = chosen(executor)
    with readable(checked(source, changes), output) as file:
        request = CoverageRequest(file, at, n, credible)
        if output is not None:
            record, found = coverage_in_folder(
                request, folder_of(output, "output"), choice, reporter, force=force
            )
            return Coverage(found, record, files_in(output, RESULTS))
        found = coverage_in_processes(request, choice, reporter)
        return Coverage(found, coverage_record(found, run_from(file).settings.sampler.engine))
