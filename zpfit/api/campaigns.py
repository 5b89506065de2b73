"""Many fits from one file: :func:`campaign` with its :class:`Campaign`, and :func:`plan`.

:func:`campaign_fits` reads their results.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from zpfit.analysis.records import CampaignRecord
from zpfit.api.executors import ExecutorChoice, chosen
from zpfit.api.sources import IN_PYTHON, escaped, folder_of, plain_value, progress_of
from zpfit.errors import FailedTasks, InvalidInput, UnknownName, WrongType
from zpfit.inference.progress import Progress
from zpfit.io.document import Document
from zpfit.runs.campaign import JSON as RECORD
from zpfit.runs.campaign import campaign_in_folder as carry_out_in_folder
from zpfit.runs.campaign_columns import campaign_in_columns
from zpfit.runs.campaign_file import Campaign as PlannedCampaign
from zpfit.runs.campaign_file import load_campaign, resolve_campaign
from zpfit.runs.campaign_store import Store, store_in
from zpfit.runs.campaign_table import columns_of, fits_in_parts
from zpfit.runs.folder_kinds import CAMPAIGN, require_kind
from zpfit.runs.records import read_record
from zpfit.runs.run_file import find_file

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class Plan:
    """The fits of a campaign. Made by :func:`plan`."""

    _planned: PlannedCampaign

    @property
    def name(self) -> str:
        """Name of the campaign."""
        return self._planned.name

    @property
    def fits(self) -> tuple[str, ...]:
        """Names of all fits, which are those of their folders."""
        return tuple(name for _, _, name in self._planned.tasks())

    @property
    def combinations(self) -> tuple[str, ...]:
        """Names of all combinations; each is fitted once for each seed."""
        return tuple(cell.name for cell in self._planned.cells)

    @property
    def code(self) -> tuple[str, ...]:
        """Python code that the fits run, each with its key in the run file."""
        return self._planned.code

    def __len__(self) -> int:
        """Return the number of fits."""
        return len(self._planned.cells) * len(self._planned.seeds or (None,))

    def __repr__(self) -> str:
        return f"<Plan of {self.name}: {len(self)} fits of {len(self.combinations)} combinations>"


CampaignSource = str | Path | Mapping[str, Any] | Plan
"""Name or path of a campaign file, its content, or its plan."""


@dataclass(frozen=True, repr=False)
class Campaign:
    """Fits of all combinations. Made by :func:`campaign`."""

    record: CampaignRecord
    """All numbers, as ``campaign.json`` holds them."""
    notes: tuple[str, ...] = ()
    """Reason why there is no plot in the folder."""
    folder: Path | None = None
    """Folder of the campaign, if it was written."""
    _columns: "pd.DataFrame | None" = None
    """Fits that were stored in columns, in a folder that is gone."""

    @property
    def fits(self) -> "pd.DataFrame":
        """A row for each finished fit: labels, seed, chi2, ln Z, Bayes factor and convergence.

        Fits in columns have the further columns of :func:`campaign_fits`.
        """
        if self._columns is not None:
            return self._columns
        if self.folder is not None and self._in_columns:
            return fits_in_parts(self.folder)
        return _frame(self.record["fits"])

    @property
    def _in_columns(self) -> bool:
        return self.record.get("store") == Store.PARQUET

    @property
    def frame(self) -> "pd.DataFrame":
        """A row for each combination, with means over its seeds."""
        return _frame(self.record["cells"])

    @property
    def failure(self) -> FailedTasks | None:
        """Exception that lists the failed fits; None if all are finished."""
        failed = self.record["failed"]
        return FailedTasks(failed, self.record["finished"] + len(failed)) if failed else None

    @property
    def shortcomings(self) -> tuple[str, ...]:
        """Failures, and reasons why fits are not converged, with the names of the fits."""
        failed = [f"{name}: {reason}" for name, reason in self.record["failed"].items()]
        if self._in_columns:
            reasons = self.fits["shortcomings"].items()
        else:
            reasons = ((fit["name"], fit["shortcomings"]) for fit in self.record["fits"])
        return (*failed, *(f"{name}: {text}" for name, texts in reasons for text in texts))

    @property
    def converged(self) -> bool:
        """True if every fit is finished and has converged."""
        return not self.shortcomings

    def plot(self) -> "Figure":
        """Return the plot of ln B and chi2 of each combination.

        Raises
        ------
        InvalidInput
            No fit is finished, or there are more combinations than a plot shows.
        """
        from zpfit.plots.campaign import MOST_ROWS, campaign_figure
        from zpfit.plots.style import house_style

        cells = self.record["cells"]
        if not 0 < len(cells) <= MOST_ROWS:
            problem = f"campaign: {len(cells)} combinations cannot be drawn"
            raise InvalidInput([f"{problem}; plot a campaign of 1 to {MOST_ROWS}"])
        with house_style():
            return campaign_figure(self.record["title"], cells)

    def __repr__(self) -> str:
        finished, failed = self.record["finished"], len(self.record["failed"])
        cells = len(self.record["cells"])
        return f"<Campaign: {finished} fits of {cells} combinations, {failed} failed>"

    def _repr_html_(self) -> str:
        return escaped(repr(self)) + str(self.frame.to_html(float_format="%.4g"))


def plan(source: CampaignSource) -> Plan:
    """Read and check a campaign file, without a fit.

    Parameters
    ----------
    source
        Name of a packaged campaign, path of a campaign file, or a dictionary with its keys.

    Returns
    -------
    Plan
        Names of the fits and combinations.

    Raises
    ------
    UnknownName
        No campaign has this name.
    InvalidInput
        The file or a combination is invalid; all faults are reported.
    WrongType
        The source is of another kind.

    Examples
    --------
    >>> import zpfit
    >>> small = {"model": "L_mu-L_tau", "likelihood": "paper_2021_cs"}
    >>> zpfit.plan({"runs": {"muon": small}, "seeds": [1, 2]}).fits
    ('muon-s1', 'muon-s2')
    """
    if isinstance(source, Plan):
        return source
    if isinstance(source, Mapping):
        content = {key: plain_value("", value) for key, value in source.items()}
        return Plan(resolve_campaign(Document(IN_PYTHON, content, {}), "campaign"))
    if not isinstance(source, (str, Path)):
        raise WrongType("source", source, "the name of a campaign, a path, a dictionary or a plan")
    return Plan(load_campaign(find_file("campaign", str(source))))


def campaign(
    source: CampaignSource,
    *,
    output: str | Path | None = None,
    executor: ExecutorChoice | None = None,
    progress: bool | Progress = True,
    force: bool = False,
    store: str = "folders",
) -> Campaign:
    """Fit all combinations of models, data, priors, seeds and overrides.

    Parameters
    ----------
    source
        Name of a packaged campaign, path of a campaign file, a dictionary with its keys, or a plan.
    output
        Folder for the fits, tables and plots. Finished fits in it are kept.
    executor
        Processes, Dask or MPI, see :func:`zpfit.toys`; this process by default.
    progress
        See :func:`zpfit.fit`.
    force
        Repeat finished fits.
    store
        "folders": each fit is a run folder. "parquet": each fit is a row of columnar files, for
        many small fits; needs the extra ``parquet``.

    Returns
    -------
    Campaign
        With ``fits``, ``frame`` and ``record``. A failed fit does not end the others:
        ``failure`` and ``shortcomings`` tell which have failed.

    Raises
    ------
    UnknownName
        No campaign has this name, or the store is unknown.
    InvalidInput
        The file or a combination is invalid.
    OtherStore
        The folder holds fits that are stored in the other way.
    RunMismatch
        The folder holds fits in columns that had other inputs.
    FolderInUse
        Another process works on the campaign.
    Stopped
        On SIGINT or SIGTERM; the campaign in a folder can be resumed.
    MissingExtra, SchedulerUnreachable, MultithreadedWorkers
        pyarrow is not installed, or the executor cannot be opened.

    Examples
    --------
    >>> import zpfit
    >>> small = {"model": "L_mu-L_tau", "likelihood": "paper_2021_cs", "best_fit": {"starts": 50}}
    >>> runs = {"muon": {**small, "sampler": {"engine": "vegas"}}}
    >>> found = zpfit.campaign({"runs": runs, "seeds": [1]})
    >>> int(found.frame.loc["muon", "fits"]), int(found.frame.loc["muon", "converged"])
    (1, 1)
    """
    reporter = progress_of(progress)
    planned = plan(source)

    def in_folder(folder: Path) -> Campaign:
        return campaign_in_folder(
            planned, folder, chosen(executor),
            lambda _: nullcontext(reporter), force=force, store=store,
        )  # fmt: skip

    if output is not None:
        return in_folder(folder_of(output, "output"))
    with TemporaryDirectory() as scratch:
        found = in_folder(Path(scratch))
        return Campaign(found.record, _columns=found.fits if store == Store.PARQUET else None)


def campaign_in_folder(
    planned: Plan,
    folder: Path,
    executor: ExecutorChoice,
    open_progress: Callable[[Path], AbstractContextManager[Progress]],
    *,
    force: bool = False,
    store: str = Store.FOLDERS,
) -> Campaign:
    """Fit all combinations in a folder; this is what ``zpfit campaign`` does.

    Parameters
    ----------
    planned
        The fits.
    folder
        Folder of the campaign.
    executor
        Executor and its number of workers.
    open_progress
        Opens the receiver of progress, given the path of the log.
    force
        Repeat finished fits.
    store
        How the fits are stored, see :func:`campaign`.

    Raises
    ------
    UnknownName, OtherStore, RunMismatch, FolderInUse, Stopped, MissingExtra
        See :func:`campaign`.
    SchedulerUnreachable, MultithreadedWorkers
        See :func:`campaign`.
    """
    if store not in set(Store):
        raise UnknownName("store", store, map(str, Store))
    carry_out = campaign_in_columns if store == Store.PARQUET else carry_out_in_folder
    record, notes, _ = carry_out(
        planned._planned,  # noqa: SLF001 - of this module
        folder,
        executor,
        open_progress,
        force=force,
    )
    return Campaign(record, tuple(notes), folder)


def campaign_fits(folder: str | Path, columns: Sequence[str] | None = None) -> "pd.DataFrame":
    """Read the fits of a campaign, also of one that was stopped or is still running.

    Parameters
    ----------
    folder
        Folder of a campaign. One with a folder for each fit must have ended once.
    columns
        Columns to read; all by default.

    Returns
    -------
    DataFrame
        A row for each finished fit, indexed by its name, in the order of the campaign file: labels
        of the axes, ``seed``, ``chi2``, ``chi2_no_zprime``, ``log_z``, ``log_z_error``,
        ``log_bayes_factor``, ``evaluations``, ``converged``, ``shortcomings``, and the best fit as
        ``best_fit.NAME``. Fits in columns also have ``number``, ``combination``, ``changes`` (JSON
        of the changed keys), ``joint_sigma``, ``seconds`` and ``fingerprint``.

    Raises
    ------
    UnusableFolder
        The folder holds no campaign.
    UnknownName
        There is no such column.
    MissingExtra
        The fits are in columns and pyarrow is not installed.
    UnreadableFile, DamagedRecord
        A file is damaged.

    Examples
    --------
    >>> import zpfit
    >>> from tempfile import TemporaryDirectory
    >>> small = {"model": "L_mu-L_tau", "likelihood": "paper_2021_cs", "best_fit": {"starts": 1}}
    >>> quick = {"sampler": {"engine": "vegas"}, "vegas": {"max_evaluations": 6000}}
    >>> with TemporaryDirectory() as folder:
    ...     _ = zpfit.campaign({"runs": {"muon": small | quick}, "seeds": [1]}, output=folder)
    ...     fits = zpfit.campaign_fits(folder, ["seed", "chi2", "best_fit.g_prime"])
    >>> fits["seed"].to_dict()
    {'muon-s1': 1}
    """
    path = folder_of(folder)
    if store_in(path) is Store.PARQUET:
        return fits_in_parts(path, columns)
    require_kind(path, CAMPAIGN)
    return columns_of(read_record(CampaignRecord, path / RECORD)["fits"], columns)


def _frame(rows: Any) -> "pd.DataFrame":
    import pandas as pd

    nested = {"best_fit", "shortcomings", "log_bayes_factors"}
    flat = [{k: v for k, v in row.items() if k not in nested} for row in rows]
    frame = pd.DataFrame(flat)
    return frame.set_index("name") if flat else frame
