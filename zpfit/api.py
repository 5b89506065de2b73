"""The public Python API: what ``import zpfit`` offers.

A *source* says what to fit. It is the name of a packaged run, the path of a run file, a run
folder, a dictionary with the keys of a run file, or the :class:`~zpfit.inference.problem.Problem`
that :func:`load` returned. Keyword arguments replace keys of the source: ``seed=7``,
``likelihood="today_rb"``. A mapping given for an option block (``sampler``, ``vegas``,
``dynesty``, ``best_fit``, ``joint_sigma``, ``priors``) changes the keys it names and keeps the
others; ``model`` and ``likelihood`` are replaced as a whole.

Everything is computed in memory. Files are written only if ``output`` is given. Nothing is
printed: stages and notes go to the logger ``zpfit``. The seed settles every random number.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
import pandas as pd

from zpfit.analysis.compare import NO_ZPRIME, check_reference
from zpfit.analysis.compare import Comparison as ComparedFits
from zpfit.analysis.compare import compare as compare_fits
from zpfit.analysis.evaluate import evaluate as evaluate_likelihood
from zpfit.analysis.evaluate import evaluate_model, parameter_table
from zpfit.analysis.exclusion.exclusion import ExclusionMap as TracedMap
from zpfit.analysis.exclusion.exclusion import exclusion_map
from zpfit.analysis.exclusion.record import exclusion_record
from zpfit.analysis.exclusion.slice import Slice, resolve_slice
from zpfit.analysis.fit import FitResult
from zpfit.analysis.fit import fit as fit_in_memory
from zpfit.analysis.profile.axis import choose_axes
from zpfit.analysis.profile.profile import profile as profile_problem
from zpfit.analysis.profile.profile import profile_record
from zpfit.analysis.records import (
    ComparisonRow,
    ExclusionMapRecord,
    FitSummary,
    ProfileRecord,
    TensionRecord,
)
from zpfit.analysis.tension.tension import tension as tension_of
from zpfit.analysis.tension.tension import tension_record
from zpfit.errors import InvalidInput, ZpfitError
from zpfit.inference.problem import ModelOnly, Problem, resolve
from zpfit.inference.progress import Progress, Silent
from zpfit.inference.samplers.result import StoredSamples
from zpfit.io.library import Library
from zpfit.io.logging import LOGGER
from zpfit.io.schema import validate
from zpfit.io.writing import make_room
from zpfit.io.yaml import Document, read_yaml
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.likelihood.likelihood import Likelihood as TotalLikelihood
from zpfit.models.base import Model
from zpfit.models.library import load_model, ready_for_batches
from zpfit.runs.catalogue import LISTS, listed
from zpfit.runs.comparison import compare_all, write_comparison
from zpfit.runs.execution import Start, carry_out, claimed, keep_result
from zpfit.runs.finished_run import read_fit
from zpfit.runs.records import (
    EXCLUSION_FILES,
    TENSION_FILES,
    profile_files,
    write_exclusion,
    write_profile,
    write_tension,
)
from zpfit.runs.run_file import find_file, find_run_file, with_change
from zpfit.runs.run_folder import RunFolder

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from shapely import MultiPolygon

__all__ = [
    "Comparison",
    "ExclusionMap",
    "Likelihood",
    "Model",
    "Profile",
    "Result",
    "Tension",
    "ZpfitError",
    "available",
    "compare",
    "evaluate",
    "exclusion",
    "fit",
    "load",
    "profile",
    "tension",
]

Likelihood = LikelihoodSpec
Source = str | Path | Mapping[str, Any] | Problem
Points: TypeAlias = "Mapping[str, Any] | Sequence[Mapping[str, float]] | pd.DataFrame"
_IN_PYTHON = Path("<python>")
"""Name of a dictionary in messages, where a file would have its path."""
_MERGED = {"sampler", "vegas", "dynesty", "best_fit", "joint_sigma", "priors"}
"""Keys whose mappings change single options. ``priors.parameters`` is merged likewise."""


# --- Sources ----------------------------------------------------------------------------------


def load(source: Source, **changes: Any) -> Problem:
    """Read and check what to fit.

    Parameters
    ----------
    source
        Name of a packaged run, path of a run file, run folder, dictionary, or a problem.
    **changes
        Keys of a run file with new values, see the module's docstring.

    Returns
    -------
    Problem
        Model, priors and likelihood, with ``posterior``, ``settings``, ``notes``.

    Raises
    ------
    InvalidInput
        Something is wrong with the source; every problem is reported with its place.
    UnknownName
        No run has this name.

    Examples
    --------
    >>> import zpfit
    >>> problem = zpfit.load("quickstart", seed=7)
    >>> problem.posterior.dimension, problem.settings.seed
    (7, 7)
    """
    if isinstance(source, Problem):
        return source if not changes else _changed_problem(source, changes)
    if isinstance(source, Mapping):
        problem = resolve(_with_changes(_document(source), changes), Library.beside())
        return replace(problem, name=_name_of(problem))
    path = find_run_file(str(source))
    return resolve(_with_changes(read_yaml(path), changes), Library.beside(path))


def _name_of(problem: Problem) -> str:
    """Return a name for a problem without a file, which is fit for a folder."""
    name = problem.settings.title or (
        f"{problem.posterior.model.name}_{problem.posterior.likelihood.name}"
    )
    return re.sub(r"[^\w.+-]+", "_", name).strip("_") or "fit"


def _changed_problem(problem: Problem, changes: Mapping[str, Any]) -> Problem:
    if problem.document is None:
        raise TypeError("this problem was not read from a source, so that it takes no changes")
    document = _with_changes(problem.document, changes)
    changed = resolve(document, problem.library or Library.beside())
    return replace(changed, name=problem.name)


def _document(source: Mapping[str, Any]) -> Document:
    return Document(_IN_PYTHON, {key: _plain(key, value) for key, value in source.items()}, {})


def _with_changes(document: Document, changes: Mapping[str, Any]) -> Document:
    for keys, value in _flat((), changes):
        document = with_change(document, keys, value, ".".join(keys))
    return document


def _flat(above: tuple[str, ...], changes: Mapping[str, Any]) -> list[tuple[tuple[str, ...], Any]]:
    """Return single keys, as paths, and their values; mappings of option blocks are opened."""
    found: list[tuple[tuple[str, ...], Any]] = []
    for key, value in changes.items():
        keys = (*above, *key.split("."))
        opened = keys in {("priors", "parameters"), *((name,) for name in _MERGED)}
        if opened and isinstance(value, Mapping):
            found += _flat(keys, value)
        else:
            found.append((keys, _plain(keys[0], value) if len(keys) == 1 else value))
    return found


def _plain(key: str, value: Any) -> Any:
    """Return a value in the form of a run file."""
    if key == "model" and (callable(value) or isinstance(value, Model)):
        return {"python": value}
    if isinstance(value, LikelihoodSpec):
        return value.model_dump(exclude_unset=True)
    if isinstance(value, Mapping):
        return {inner: _plain("", content) for inner, content in value.items()}
    if isinstance(value, tuple):
        return [_plain("", item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


class _Logged:
    """Progress that goes to the logger."""

    def stage(self, title: str) -> None:
        """Log the title of a stage."""
        LOGGER.info(title)

    def update(self, fraction: float, note: str) -> None:
        """Log how much of a stage is done."""
        LOGGER.debug("%.0f %% %s", 100 * fraction, note)

    def note(self, text: str) -> None:
        """Log a note."""
        LOGGER.warning(text)


def _progress(progress: bool | Progress) -> Progress:  # noqa: FBT001 - a public keyword
    if isinstance(progress, bool):
        return _Logged() if progress else Silent()
    return progress


# --- Fit --------------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
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
        """All numbers, as ``summary.json`` holds them."""
        return self._fit.summary

    @property
    def samples(self) -> pd.DataFrame:
        """Posterior samples of equal weight: a column for each parameter that varies.

        ``log_likelihood`` is a column as well; the attribute ``units`` of the frame holds units.
        """
        return _frame(self._fit.samples)

    @property
    def weighted(self) -> pd.DataFrame:
        """Weighted samples behind the evidence; the column ``weight`` sums to 1."""
        return _frame(self._fit.weighted)

    @property
    def table(self) -> pd.DataFrame:
        """Best fit, posterior moments, quantiles, ESS and R-hat of each parameter."""
        best = self.best_fit
        rows = {
            name: {"best_fit": best[name], **record}
            for name, record in self.summary["posterior"].items()
        }
        return pd.DataFrame.from_dict(rows, orient="index")

    @property
    def terms(self) -> pd.DataFrame:
        """Measured value, error, prediction, pull and chi2 of each measurement at the best fit."""
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

    def corner(self) -> "Figure | None":
        """Return the corner plot; None if fewer than two parameters vary."""
        from zpfit.plots.corner import corner_figure
        from zpfit.plots.style import house_style

        with house_style():
            return corner_figure(self._fit.samples, self.best_fit, self.summary["title"])

    def pulls(self) -> "Figure":
        """Return the plot of the pulls and exclusion ratios at the best fit."""
        from zpfit.plots.pulls import pulls_figure
        from zpfit.plots.style import house_style

        with house_style():
            return pulls_figure(self.summary)

    def trace(self) -> "Figure":
        """Return the plot of the samples in the order of the chains."""
        from zpfit.plots.style import house_style
        from zpfit.plots.trace import trace_figure

        with house_style():
            return trace_figure(self._fit.samples, self.summary["title"])

    def to_arviz(self) -> Any:
        """Return the samples as ArviZ keeps them (InferenceData or DataTree)."""
        from zpfit.interfaces.arviz import to_arviz
        from zpfit.interfaces.sample_table import table_of

        return to_arviz(table_of(self._fit))

    def to_getdist(self) -> Any:
        """Return the samples as ``getdist.MCSamples``."""
        from zpfit.interfaces.getdist import to_getdist
        from zpfit.interfaces.sample_table import table_of

        return to_getdist(table_of(self._fit), self.name)

    def to_anesthetic(self) -> Any:
        """Return the samples as anesthetic's ``MCMCSamples``."""
        from zpfit.interfaces.anesthetic import to_anesthetic
        from zpfit.interfaces.sample_table import table_of

        return to_anesthetic(table_of(self._fit))

    def save(self, folder: str | Path, *, force: bool = False) -> Path:
        """Write the run folder that the command ``zpfit run`` would leave; return its path.

        Raises
        ------
        RunFolderExists, ForeignFiles
            The folder holds another run, or files that no run wrote, and ``force`` is not given.
        UnwritablePath
            The folder cannot be written.
        """
        keep_result(self._fit, RunFolder(Path(folder)), force=force)
        return Path(folder)

    @classmethod
    def read(cls, folder: str | Path) -> "Result":
        """Read the result in a run folder.

        Raises
        ------
        NotARunFolder
            The folder holds no finished run, or the data of the run have changed.
        """
        return cls(read_fit(RunFolder(Path(folder))), Path(folder))

    def __repr__(self) -> str:
        state = "converged" if self.converged else "NOT converged"
        return (
            f"<Result {self.name}: {self.summary['model']} on {self.summary['likelihood']}, "
            f"ln Z = {self.log_z:.3f} +- {self.log_z_error:.3f}, chi2 = {self.chi2:.2f}, {state}>"
        )

    def _repr_html_(self) -> str:
        without = self.summary["no_zprime"]["chi2"]
        notes = "".join(f"<br>Not converged: {_escaped(text)}" for text in self.shortcomings)
        return (
            f"<b>{_escaped(self.summary['title'])}</b>: {_escaped(self.summary['model'])} on "
            f"{_escaped(self.summary['likelihood'])}<br>ln Z = {self.log_z:.3f} &plusmn; "
            f"{self.log_z_error:.3f}, best-fit &chi;&sup2; = {self.chi2:.2f} "
            f"(without a Z&prime;: {without:.2f}){notes}"
            f"{self.table.to_html(float_format='%.3g')}"
        )


def _escaped(text: str) -> str:
    from html import escape

    return escape(text)


def _frame(stored: StoredSamples) -> pd.DataFrame:
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
    checkpoint_every: float = 10.0,
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
    NoAllowedPoint
        The likelihood excludes all but a few points of the prior.
    RunFolderExists, UnfinishedRun, DifferentRun
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
        changes["sampler"] = {"engine": sampler} if isinstance(sampler, str) else sampler
    if seed is not None:
        changes["seed"] = seed
    problem, reporter = load(source, **changes), _progress(progress)
    if output is None:
        return Result(fit_in_memory(problem, reporter, check=cross_check))
    folder = RunFolder(Path(output))
    start = Start.RESUME if resume else Start.REPLACE if force else Start.NEW
    with claimed(problem, folder, start, cross_check=cross_check) as claim:
        if not claim.finished:
            carry_out(claim, reporter, plots=plots, checkpoint_interval=checkpoint_every)
    return Result.read(folder.path)


# --- Points -----------------------------------------------------------------------------------


def evaluate(points: Points, *, model: Any = "effective", likelihood: Any = None) -> pd.DataFrame:
    """Predict observables at given points and compare them with data.

    Parameters
    ----------
    points
        One mapping from parameters to values (numbers, or arrays of equal length), a list of
        mappings, or a frame with a column for each parameter. Missing parameters have their
        defaults; couplings of the model "effective" are then zero. Masses are in MeV.
    model
        Name of a model, what a run file says under ``model``, or a Python function or class.
    likelihood
        Name of a set of entries, or what a run file says under ``likelihood``; none by default.

    Returns
    -------
    DataFrame
        A row for each point. Columns: ``couplings.*``, ``derived.*``, ``predictions.*`` by
        observable, ``chi2.*`` and ``pulls.*`` by entry, ``ratios.*`` by exclusion (excluded
        above 1), ``chi2_total`` and ``excluded_by`` (hard exclusions that exclude the point).

    Raises
    ------
    InvalidInput
        A parameter is unknown or outside its domain.

    Examples
    --------
    >>> import zpfit
    >>> frame = zpfit.evaluate({"m_Zp": [18, 22], "C_Ae": 1.6e-4}, likelihood="paper_2021_cs")
    >>> frame["excluded_by"].tolist()
    [['na64_2020'], []]
    """
    rows = _rows(points)
    document = Document(_IN_PYTHON, {"model": _plain("model", model)}, {})
    spec = validate(ModelOnly, document).model
    loaded = load_model(spec, document, Library.beside()).model
    table = parameter_table(rows, loaded, [f"point {index}" for index in range(len(rows))])
    ready, notes = ready_for_batches(loaded, spec, table, "model")
    for note in notes:
        LOGGER.warning(note)
    return pd.json_normalize(
        evaluate_likelihood(_total_likelihood(likelihood), evaluate_model(ready, table))
    )


def _rows(points: Points) -> list[dict[str, float]]:
    if isinstance(points, Mapping):
        columns: dict[str, Any] = dict(
            zip(points, np.broadcast_arrays(*map(np.atleast_1d, points.values())), strict=True)
        )
        points = pd.DataFrame(columns)
    if isinstance(points, pd.DataFrame):
        points = points.to_dict("records")
    return [{str(name): float(value) for name, value in row.items()} for row in points]


def _total_likelihood(likelihood: Any) -> TotalLikelihood:
    if likelihood is None:
        return TotalLikelihood("", (), ())
    return assemble(_likelihood_spec(likelihood), Library.beside()).likelihood


def _likelihood_spec(likelihood: Any) -> LikelihoodSpec:
    if isinstance(likelihood, LikelihoodSpec):
        return likelihood
    given = {"set": likelihood} if isinstance(likelihood, str) else dict(likelihood)
    return validate(LikelihoodSpec, Document(_IN_PYTHON, given, {}, parents=("likelihood",)))


# --- Comparison -------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Comparison:
    """Fits side by side. Made by :func:`compare`."""

    _compared: ComparedFits
    seed: int

    @property
    def rows(self) -> tuple[ComparisonRow, ...]:
        """A row for each fit and for the hypothesis without a Z', as ``compare.json`` has them."""
        return self._compared.rows

    @property
    def results(self) -> tuple[Result, ...]:
        """The fits that are compared."""
        return tuple(Result(fitted) for fitted in self._compared.fits)

    @property
    def frame(self) -> pd.DataFrame:
        """The numbers of each row: best-fit chi2, ln Z, Bayes factor, joint sigma and others."""
        nested = {"joint_sigma_at", "chi2_by_term", "prior_sensitivity", "ranks", "shortcomings"}
        rows = [{k: v for k, v in row.items() if k not in nested} for row in self.rows]
        return pd.DataFrame(rows).set_index("run")

    @property
    def converged(self) -> bool:
        """True if every fit has converged."""
        return all(row["converged"] for row in self.rows)

    def plot(self) -> "Figure":
        """Return the plot of the evidences."""
        from zpfit.plots.comparison import evidence_figure
        from zpfit.plots.style import house_style

        with house_style():
            return evidence_figure(list(self.rows))

    def __repr__(self) -> str:
        return f"<Comparison of {', '.join(row['run'] for row in self.rows)}>"

    def _repr_html_(self) -> str:
        return str(self.frame.to_html(float_format="%.4g"))


def compare(
    *sources: Source | Result,
    reference: str = NO_ZPRIME,
    seed: int = 1,
    output: str | Path | None = None,
    progress: bool | Progress = True,
    force: bool = False,
) -> Comparison:
    """Compare models by best fit, evidence and tension.

    Parameters
    ----------
    *sources
        Results, folders of finished runs, and sources that are fitted first.
    reference
        Model in the denominator of the Bayes factors.
    seed
        Seed of what the comparison computes; fits have their own.
    output
        Folder for the rows, the plots and the runs that are fitted.
    progress
        See :func:`fit`.
    force
        Replace files in the output folder.

    Returns
    -------
    Comparison
        A row for each fit and, for each data set, one for the hypothesis without a Z'.

    Raises
    ------
    UnknownName, MixedReference
        A data set has no fit of the reference, or several.
    """
    reporter = _progress(progress)
    if output is not None and all(isinstance(source, str | Path) for source in sources):
        names = [str(source) for source in sources]
        result, problems = compare_all(names, Path(output), reference, seed, reporter, force=force)
        for problem in problems:
            LOGGER.warning(problem)
        return Comparison(result, seed)
    planned = [_fitted_or_problem(source) for source in sources]
    problems_only = [p.problem if isinstance(p, FitResult) else p for p in planned]
    _check_names([p.name for p in planned])
    check_reference(problems_only, reference)
    fits = [p if isinstance(p, FitResult) else fit_in_memory(p, reporter) for p in planned]
    result = compare_fits(fits, reference, seed, reporter)
    if output is not None:
        make_room(Path(output), ("compare.json",), force=force)
        folders = {}
        for fitted in fits:
            keep_result(fitted, RunFolder(Path(output) / "runs" / fitted.name), force=force)
            folders[fitted.name] = f"runs/{fitted.name}"
        write_comparison(result, Path(output), folders, seed)
    return Comparison(result, seed)


def _check_names(names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidInput(
            [f"{name!r} is given twice; give the fits different titles" for name in twice]
        )


def _fitted_or_problem(source: Source | Result) -> FitResult | Problem:
    if isinstance(source, Result):
        return source._fit  # noqa: SLF001 - of this module
    if isinstance(source, str | Path) and Path(source).is_dir():
        return read_fit(RunFolder(Path(source)))
    return load(source)


# --- Tension, profile, exclusion --------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Tension:
    """Agreement between groups of data. Made by :func:`tension`."""

    record: TensionRecord
    """All numbers, as ``tension.json`` holds them."""

    @property
    def pulls(self) -> pd.DataFrame:
        """Pull of each measurement: at the best fit, and of the posterior prediction."""
        return pd.DataFrame.from_dict(self.record["pulls"], orient="index")

    @property
    def joint_sigma(self) -> float | None:
        """Smallest number of standard errors within which both anomalies can be met at once."""
        return self.record["joint_sigma"]

    @property
    def shortcomings(self) -> tuple[str, ...]:
        """Reasons why the result is not converged, with remedies."""
        return tuple(self.record["shortcomings"])

    @property
    def converged(self) -> bool:
        """True if no shortcoming was found."""
        return self.record["converged"]

    def plot(self) -> "Figure":
        """Return the plot of pulls and tension."""
        from zpfit.plots.style import house_style
        from zpfit.plots.tension import tension_figure

        with house_style():
            return tension_figure(self.record)

    def __repr__(self) -> str:
        return f"<Tension of {self.record['model']} on {self.record['likelihood']}>"

    def _repr_html_(self) -> str:
        return str(self.pulls.to_html(float_format="%.3g"))


def tension(
    source: Source,
    *,
    output: str | Path | None = None,
    progress: bool | Progress = True,
    force: bool = False,
    **changes: Any,
) -> Tension:
    """Measure how well groups of data agree within a model.

    Parameters
    ----------
    source
        Name of a packaged run, path of a run file, run folder, dictionary, or a problem.
    output
        Folder for JSON and plot.
    progress, force
        See :func:`fit`.
    **changes
        Keys of a run file with new values, see the module's docstring.

    Returns
    -------
    Tension
        Pulls, joint sigma, parameter goodness of fit and suspiciousness.
    """
    problem = load(source, **changes)
    if output is not None:
        make_room(Path(output), TENSION_FILES, force=force)
    record = tension_record(problem, tension_of(problem, _progress(progress)))
    if output is not None:
        write_tension(record, Path(output))
    return Tension(record)


@dataclass(frozen=True, repr=False)
class Profile:
    """Profile likelihood and posterior of one or two parameters. Made by :func:`profile`."""

    record: ProfileRecord
    """All numbers, as the JSON file of the profile holds them."""

    @property
    def frame(self) -> pd.DataFrame:
        """Delta chi2 at each node of the grid, a column for each axis; NaN where excluded."""
        names = [axis["name"] for axis in self.record["axes"]]
        grids = np.meshgrid(*self.record["profile"]["values"], indexing="ij")
        delta = np.array(self.record["profile"]["delta_chi2"], dtype=float)
        columns = {name: grid.ravel() for name, grid in zip(names, grids, strict=True)}
        return pd.DataFrame({**columns, "delta_chi2": delta.ravel()})

    @property
    def shortcomings(self) -> tuple[str, ...]:
        """Reasons why the result is not converged, with remedies."""
        return tuple(self.record["shortcomings"])

    @property
    def converged(self) -> bool:
        """True if no shortcoming was found."""
        return self.record["converged"]

    def plot(self) -> "Figure":
        """Return the plot of profile likelihood and posterior."""
        from zpfit.plots.profile import profile_figure
        from zpfit.plots.style import house_style

        with house_style():
            return profile_figure(self.record)

    def __repr__(self) -> str:
        names = ", ".join(axis["name"] for axis in self.record["axes"])
        return f"<Profile of {names}: {self.record['model']} on {self.record['likelihood']}>"

    def _repr_html_(self) -> str:
        return _escaped(repr(self))


AxisChoice = str | tuple[str, float, float]
"""Name of a parameter, or name, lower and upper end of its range."""


def profile(
    source: Source,
    x: AxisChoice,
    y: AxisChoice | None = None,
    *,
    points: int | None = None,
    output: str | Path | None = None,
    progress: bool | Progress = True,
    force: bool = False,
    **changes: Any,
) -> Profile:
    """Compute the profile likelihood and the posterior density of one or two parameters.

    Parameters
    ----------
    source
        Name of a packaged run, path of a run file, run folder, dictionary, or a problem.
    x, y
        Sampled parameters, each a name or ``(name, lower, upper)``.
    points
        Nodes on each axis: 60 with one axis, 40 with two by default.
    output
        Folder for JSON and plots.
    progress, force
        See :func:`fit`.
    **changes
        Keys of a run file with new values, see the module's docstring.

    Raises
    ------
    InvalidInput
        An axis is no sampled parameter, or its range leaves the prior.
    """
    problem = load(source, **changes)
    chosen = [("x", x)] if y is None else [("x", x), ("y", y)]
    axes = choose_axes(problem.posterior.priors, [(name, _axis_text(a)) for name, a in chosen])
    if output is not None:
        make_room(Path(output), profile_files([axis.name for axis in axes]), force=force)
    found = profile_problem(problem, axes, points, _progress(progress))
    record = profile_record(problem, found)
    if output is not None:
        write_profile(record, Path(output))
    return Profile(record)


def _axis_text(axis: AxisChoice) -> str:
    if isinstance(axis, str):
        return axis
    name, lower, upper = axis
    return f"{name}={lower!r}:{upper!r}"


@dataclass(frozen=True, repr=False)
class ExclusionMap:
    """Regions of a plane that experiments exclude. Made by :func:`exclusion`."""

    record: ExclusionMapRecord
    """All regions in values of the parameters, as ``exclusion.json`` holds them."""
    _traced: TracedMap
    _slice: Slice

    @property
    def allowed(self) -> "MultiPolygon":
        """Allowed region in values of the parameters."""
        from shapely import transform

        x, y = self._slice.plane.x, self._slice.plane.y

        def to_values(corners: Any) -> Any:
            return np.column_stack([x.values(corners[:, 0]), y.values(corners[:, 1])])

        return transform(self._traced.allowed, to_values)

    @property
    def frame(self) -> pd.DataFrame:
        """Name, label, kind and fraction of the plane of each region."""
        keys = ("name", "label", "kind", "sigma", "share")
        rows = [{key: region[key] for key in keys} for region in self.record["regions"]]
        return pd.DataFrame(rows, columns=list(keys))

    def plot(self) -> "Figure":
        """Return the exclusion plot."""
        from zpfit.plots.exclusion import exclusion_figure
        from zpfit.plots.style import house_style

        with house_style():
            return exclusion_figure(self.record)

    def __repr__(self) -> str:
        allowed = self.record["allowed"]
        share = 0.0 if allowed is None else allowed["share"]
        x, y = self.record["x"]["name"], self.record["y"]["name"]
        return f"<ExclusionMap of {x}, {y}: {100 * share:.3g} % allowed>"

    def _repr_html_(self) -> str:
        return _escaped(repr(self)) + str(self.frame.to_html(float_format="%.3g"))


Side = tuple[str, float, float] | tuple[str, float, float, str] | str


def exclusion(
    x: Side | None = None,
    y: Side | None = None,
    *,
    source: str | Path | None = None,
    likelihood: Any = None,
    model: Any = None,
    fix: Mapping[str, float] | None = None,
    solve: Mapping[str, tuple[str, float]] | None = None,
    profile: Sequence[str] = (),
    output: str | Path | None = None,
    force: bool = False,
    **changes: Any,
) -> ExclusionMap:
    """Trace the regions of a plane of two parameters that each experiment excludes.

    Parameters
    ----------
    x, y
        Sides of the plane: ``(name, lower, upper)`` or ``(name, lower, upper, "log")``.
    source
        Name or path of a slice file whose keys the other arguments replace.
    likelihood
        Name of a set of entries, or what a run file says under ``likelihood``.
    model
        Name of a model, or what a run file says under ``model``; "effective" by default.
    fix
        Values of parameters. Others have their defaults; couplings are then zero.
    solve
        Parameters that follow from an observable: ``{parameter: (observable, value)}``.
    profile
        Parameters that take the value that fits best.
    output
        Folder for JSON, table and figures.
    force
        Replace files in the output folder.
    **changes
        Further keys of a slice file, such as ``sigma``, ``within``, ``bands``, ``contours``.

    Returns
    -------
    ExclusionMap
        With ``allowed`` (a shapely geometry), ``frame``, ``record`` and ``plot()``.

    Raises
    ------
    InvalidInput
        Something is wrong with the arguments or the slice file.

    Examples
    --------
    >>> import zpfit
    >>> found = zpfit.exclusion(
    ...     x=("m_Zp", 5, 50), y=("C_Ae", 5e-5, 1e-3, "log"), likelihood="paper_2021_cs",
    ...     solve={"C_Ve": ("delta_a_e", -8.7e-13)},
    ... )
    >>> "babar_2014_envelope" in set(found.frame["name"])
    True
    """
    document, library = _slice_source(source)
    asked: dict[str, Any] = {**changes, "likelihood": likelihood, "model": model}
    asked |= {"fix": dict(fix) if fix else None, "profile": list(profile) or None}
    asked |= {"x": x if x is None else _side(x), "y": y if y is None else _side(y)}
    if solve:
        asked["solve"] = {
            name: {"observable": observable, "value": value, "sign": "positive"}
            for name, (observable, value) in solve.items()
        }
    for key, value in asked.items():
        if value is not None:
            document = document.with_value((key,), _plain(key, value), key)
    chosen = resolve_slice(document, library)
    if output is not None:
        make_room(Path(output), EXCLUSION_FILES, force=force)
    traced = exclusion_map(chosen)
    record = exclusion_record(chosen, traced)
    if output is not None:
        write_exclusion(record, Path(output))
    return ExclusionMap(record, traced, chosen)


def _slice_source(source: str | Path | None) -> tuple[Document, Library]:
    if source is None:
        return Document(_IN_PYTHON, {}, {}), Library.beside()
    path = find_file("slice", str(source))
    return read_yaml(path), Library.beside(path)


def _side(side: Side) -> dict[str, Any]:
    if isinstance(side, str):
        return {"parameter": side}
    name, lower, upper, *scale = side
    return {
        "parameter": name,
        "lower": lower,
        "upper": upper,
        "scale": scale[0] if scale else "linear",
    }


# --- Names ------------------------------------------------------------------------------------


def available(kind: str | None = None) -> pd.DataFrame:
    """List what can be used by name.

    Parameters
    ----------
    kind
        "models", "likelihoods", "priors", "runs", "slices" or "campaigns"; all by default.

    Returns
    -------
    DataFrame
        A row for each name, with ``kind``, ``name``, ``title`` and ``unverified``.

    Examples
    --------
    >>> import zpfit
    >>> "sm_u1" in set(zpfit.available("models")["name"])
    True
    """
    if kind is not None and kind not in LISTS:
        raise ValueError(f"kind must be one of {', '.join(LISTS)}, not {kind!r}")
    kinds = [kind] if kind else list(LISTS)
    rows = [row for one in kinds for row in listed(one, Library.beside())]
    columns = ("kind", "name", "title", "unverified")
    return pd.DataFrame([{c: getattr(row, c) for c in columns} for row in rows])
