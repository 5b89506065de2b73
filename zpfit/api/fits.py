"""Fits: :func:`fit` and its :class:`Result`."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from zpfit.analysis.fit import FitResult
from zpfit.analysis.fit import fit as fit_in_memory
from zpfit.analysis.parameter_table import CAPTION, HEADINGS, flat, parameter_rows
from zpfit.analysis.records import FitSummary
from zpfit.api.sources import Source, escaped, folder_of, load, progress_of
from zpfit.errors import InvalidInput, WrongType
from zpfit.inference.problem import Problem
from zpfit.inference.progress import Progress
from zpfit.inference.samplers.result import StoredSamples
from zpfit.runs.execution import CHECKPOINT_INTERVAL, Start, carry_out, claimed, keep_result
from zpfit.runs.figure_file import FigureChoice, figure_style
from zpfit.runs.run_folder import RunFolder

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["CAPTION", "HEADINGS", "Result", "fit", "fit_in_folder", "parameter_rows"]

P = TypeVar("P", bound=Progress)


@dataclass(frozen=True, repr=False, eq=False)
class Result:
    """A finished fit: samples, evidence and best fit.

    Made by :func:`fit` and :meth:`read`.
    """

    _fit: FitResult
    folder: Path | None = None
    """Run folder, if the fit was written."""

    @property
    def name(self) -> str:
        """Name of the run."""
        return self._fit.name

    @property
    def problem(self) -> Problem:
        """Model, priors, likelihood and settings that were fitted."""
        return self._fit.problem

    @property
    def summary(self) -> FitSummary:
        """A copy of all numbers, as ``summary.json`` holds them."""
        return deepcopy(self._fit.summary)

    @property
    def samples(self) -> "pd.DataFrame":
        """Posterior samples of equal weight: a column for each parameter that varies.

        ``log_likelihood`` is a column as well; the attribute ``units`` of the frame holds units.
        """
        return _frame(self._fit.samples)

    @property
    def weighted(self) -> "pd.DataFrame":
        """Weighted samples behind the evidence; the column ``weight`` sums to 1."""
        return _frame(self._fit.weighted)

    @property
    def table(self) -> "pd.DataFrame":
        """Best fit, posterior moments, quantiles, limits and diagnostics of each parameter.

        A parameter whose sign is open has limits on its size at 95 %; the columns
        ``information_gain`` (bits) and ``prior_dominated`` compare the posterior with the prior.
        """
        import pandas as pd

        best = self.best_fit
        rows = {
            name: {"best_fit": best[name], **flat(record)}
            for name, record in self.summary["posterior"].items()
        }
        return pd.DataFrame.from_dict(rows, orient="index")

    @property
    def terms(self) -> "pd.DataFrame":
        """Measured value, error, prediction, pull and chi2 of each measurement at the best fit."""
        import pandas as pd

        terms = self.summary["best_fit"]["terms"]
        return pd.DataFrame.from_dict(cast(Any, terms), orient="index")

    @property
    def log_z(self) -> float:
        """Natural logarithm of the evidence."""
        return self.summary["evidence"]["log_z"]

    @property
    def log_z_error(self) -> float:
        """Standard error of :attr:`log_z`."""
        return self.summary["evidence"]["error"]

    @property
    def best_fit(self) -> dict[str, float]:
        """Value of each parameter at the lowest chi2."""
        return dict(self.summary["best_fit"]["parameters"])

    @property
    def chi2(self) -> float:
        """The lowest chi2."""
        return self.summary["best_fit"]["chi2"]

    @property
    def converged(self) -> bool:
        """True if no shortcoming was found."""
        return self.summary["converged"]

    @property
    def shortcomings(self) -> tuple[str, ...]:
        """Reasons why the result is not converged, with remedies."""
        return tuple(self.summary["shortcomings"])

    def corner(self, figure: FigureChoice = None) -> "Figure | None":
        """Return the corner plot; None if no parameter varies.

        Parameters
        ----------
        figure
            Description of the figure, see :class:`zpfit.Figure`.
        """
        from zpfit.plots.corner import corner_figure

        style = figure_style(figure)
        with style.context():
            return corner_figure(
                self._fit.samples, self.best_fit, self.summary["title"], style.spec
            )

    def pulls(self, figure: FigureChoice = None) -> "Figure":
        """Return the plot of the pulls and exclusion ratios at the best fit.

        Parameters
        ----------
        figure
            Description of the figure, see :class:`zpfit.Figure`.
        """
        from zpfit.plots.pulls import pulls_figure

        style = figure_style(figure)
        with style.context():
            return pulls_figure(self.summary, style.spec)

    def trace(self, figure: FigureChoice = None) -> "Figure":
        """Return the plot of the samples in the order of the chains.

        Parameters
        ----------
        figure
            Description of the figure, see :class:`zpfit.Figure`.
        """
        from zpfit.plots.trace import trace_figure

        style = figure_style(figure)
        with style.context():
            return trace_figure(self._fit.samples, self.summary["title"], style.spec)

    def to_arviz(self) -> Any:
        """Return the samples as ArviZ keeps them (InferenceData or DataTree)."""
        from zpfit.interfaces.arviz import to_arviz
        from zpfit.interfaces.sample_table import table_of

        return to_arviz(table_of(self._fit))

    def to_getdist(self) -> Any:
        """Return the samples as ``getdist.MCSamples``."""
        from zpfit.interfaces.getdist import to_getdist
        from zpfit.interfaces.sample_table import table_of

        return to_getdist(table_of(self._fit))

    def to_anesthetic(self) -> Any:
        """Return anesthetic's ``NestedSamples`` if there are dead points, else ``MCMCSamples``."""
        from zpfit.interfaces.anesthetic import dead_points_to_anesthetic, to_anesthetic
        from zpfit.interfaces.sample_table import table_of

        if self._fit.dead_points is not None:
            return dead_points_to_anesthetic(self.problem.posterior, self._fit.dead_points)
        return to_anesthetic(table_of(self._fit))

    def save(self, folder: str | Path, *, force: bool = False) -> Path:
        """Write the run folder that the command ``zpfit run`` would leave; return its path.

        A folder that holds this very run is left alone.

        Raises
        ------
        RunMismatch, UnfinishedRun, UnrelatedFilesExist
            The folder holds another run, a part of one, or files that no run wrote, and ``force``
            is not given.
        UnwritablePath
            The folder cannot be written.
        """
        path = folder_of(folder)
        keep_result(self._fit, RunFolder(path), force=force)
        return path

    @classmethod
    def read(cls, folder: str | Path) -> "Result":
        """Read the result in a run folder.

        A model that was defined in a Python session cannot be read back. Samples and numbers of
        its run can; whatever needs the model raises :class:`~zpfit.errors.InvalidModel`.

        Raises
        ------
        RunNotFound
            The folder holds no finished run.
        DamagedRecord
            ``summary.json`` lacks a key, or a value has another type.
        ChangedData
            The data that the run was fitted to have changed.
        """
        from zpfit.runs.finished_run import read_fit  # imports the records of all analyses

        path = folder_of(folder)
        return cls(read_fit(RunFolder(path)), path)

    def __repr__(self) -> str:
        state = "converged" if self.converged else "NOT converged"
        return (
            f"<Result {self.name}: {self.summary['model']} on {self.summary['likelihood']}, "
            f"ln Z = {self.log_z:.3f} +- {self.log_z_error:.3f}, chi2 = {self.chi2:.2f}, {state}>"
        )

    def _repr_html_(self) -> str:
        without = self.summary["no_zprime"]["chi2"]
        notes = "".join(f"<br>Not converged: {escaped(text)}" for text in self.shortcomings)
        return (
            f"<b>{escaped(self.summary['title'])}</b>: {escaped(self.summary['model'])} on "
            f"{escaped(self.summary['likelihood'])}<br>ln Z = {self.log_z:.3f} &plusmn; "
            f"{self.log_z_error:.3f}, best-fit &chi;&sup2; = {self.chi2:.2f} "
            f"(without a Z&prime;: {without:.2f}){notes}"
            f"{_shown_table(self.summary)}"
        )


def _shown_table(summary: FitSummary) -> str:
    """Return the table of the parameters as HTML, with the texts that the terminal shows."""
    import pandas as pd

    rows = {row.name: [*row.texts, row.note] for row in parameter_rows(summary)}
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=[*HEADINGS, "note"])
    return f"{frame.to_html()}<small>{escaped(CAPTION)}</small>"


def _frame(stored: StoredSamples) -> "pd.DataFrame":
    import pandas as pd

    columns = {name: values.ravel() for name, values in stored.values.items()}
    columns["log_likelihood"] = stored.log_likelihood.ravel()
    if stored.log_weight is not None:
        columns["weight"] = np.exp(stored.log_weight.ravel())
    frame = pd.DataFrame(columns)
    frame.attrs["units"] = {name: row["unit"] for name, row in stored.attributes.items()}
    return frame


def fit(
    source: Source,
    *,
    sampler: Mapping[str, Any] | str | None = None,
    seed: int | None = None,
    output: str | Path | None = None,
    cross_check: bool = False,
    progress: bool | Progress = True,
    force: bool = False,
    resume: bool = False,
    plots: bool = True,
    checkpoint_every: float = CHECKPOINT_INTERVAL,
    **changes: Any,
) -> Result:
    """Sample the posterior and search the best fit.

    Parameters
    ----------
    source
        Name of a packaged run, path of a run file, run folder, dictionary, or a problem.
    sampler
        Options of the sampler, or the name of an engine: "emcee", "vegas", "dynesty".
    seed
        Seed of all random numbers; that of the source by default.
    output
        Run folder to write. With it, the fit is checkpointed and can be resumed.
    cross_check
        Compute ln Z with a second engine as well.
    progress
        True logs stages and notes, False discards them; or an object with the methods of
        :class:`~zpfit.inference.progress.Progress`.
    force
        Replace a run in the output folder.
    resume
        Resume a run in the output folder that was stopped.
    plots
        Draw the plots into the output folder.
    checkpoint_every
        Seconds between checkpoints.
    **changes
        Keys of a run file with new values, see the module's docstring.

    Returns
    -------
    Result
        Samples, evidence and best fit.

    Raises
    ------
    InvalidInput
        Something is wrong with the source or the changes.
    WrongType
        An argument has another type.
    NoAllowedPoint
        The likelihood excludes all but a few points of the prior.
    RunFolderExists, UnfinishedRun, RunMismatch
        The output folder holds another run.

    Examples
    --------
    >>> import zpfit
    >>> small = {"engine": "vegas"}
    >>> result = zpfit.fit("L_mu-L_tau_cs", sampler=small, best_fit={"starts": 50}, seed=1)
    >>> sorted(result.best_fit)
    ['eps', 'g_prime', 'm_Zp']
    """
    if sampler is not None:
        changes["sampler"] = sampler
    if seed is not None:
        changes["seed"] = seed
    if not isinstance(checkpoint_every, Real) or np.isnan(checkpoint_every):
        raise WrongType("checkpoint_every", checkpoint_every, "a number of seconds")
    problem, reporter = load(source, **changes), progress_of(progress)
    if output is None:
        if resume:
            raise InvalidInput(["resume: needs output, the folder of the run that was stopped"])
        return Result(fit_in_memory(problem, reporter, check=cross_check))
    result, _ = fit_in_folder(
        problem,
        folder_of(output, "output"),
        lambda _: nullcontext(reporter),
        lambda *_: None,
        cross_check=cross_check,
        force=force,
        resume=resume,
        plots=plots,
        checkpoint_every=checkpoint_every,
    )
    return result


def fit_in_folder(
    problem: Problem,
    path: Path,
    open_progress: Callable[[Path], AbstractContextManager[P]],
    finish: Callable[[P, FitSummary], None],
    *,
    cross_check: bool = False,
    force: bool = False,
    resume: bool = False,
    plots: bool = True,
    checkpoint_every: float = CHECKPOINT_INTERVAL,
) -> tuple[Result, bool]:
    """Fit a problem in a run folder; this is what ``zpfit run`` does.

    Parameters
    ----------
    problem
        Model, priors, likelihood and settings.
    path
        Run folder.
    open_progress
        Opens the receiver of progress, given the path of the log.
    finish
        Called with the receiver of progress and the results when a fit has finished.
    cross_check, force, resume, plots, checkpoint_every
        See :func:`fit`.

    Returns
    -------
    result : Result
        The finished fit.
    was_finished : bool
        True if the folder held the finished run before.

    Raises
    ------
    RunFolderExists, UnfinishedRun, RunMismatch, NoRunToResume
        The folder does not hold what ``force`` and ``resume`` require.
    Stopped
        A signal arrived; the run can be resumed.
    """
    folder = RunFolder(path)
    start = Start.RESUME if resume else Start.REPLACE if force else Start.NEW
    with claimed(problem, folder, start, cross_check=cross_check) as claim:
        if claim.finished:
            return Result.read(path), True
        with open_progress(folder.log_path) as progress:
            result = carry_out(
                claim,
                progress,
                plots=plots,
                plots_beside=True,
                checkpoint_interval=checkpoint_every,
            )
            finish(progress, result.summary)
            return Result(result, path), False
