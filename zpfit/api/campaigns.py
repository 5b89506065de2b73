"""Many fits from one file: :func:`campaign` with its :class:`Campaign`, and :func:`plan`."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from zpfit.analysis.records import CampaignRecord
from zpfit.api.executors import ExecutorChoice, Kind
from zpfit.api.sources import IN_PYTHON, escaped, plain_value, progress_of
from zpfit.errors import FailedTasks, InvalidInput, WrongType
from zpfit.inference.progress import Progress
from zpfit.io.document import Document
from zpfit.runs.campaign import campaign_in_folder as carry_out_in_folder
from zpfit.runs.campaign_file import Campaign as PlannedCampaign
from zpfit.runs.campaign_file import load_campaign, resolve_campaign
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

    @property
    def fits(self) -> "pd.DataFrame":
        """A row for each finished fit: labels, seed, chi2, ln Z, Bayes factor and convergence."""
        return _frame(self.record["fits"])

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
        fits = self.record["fits"]
        return (*failed, *(f"{f['name']}: {text}" for f in fits for text in f["shortcomings"]))

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

    Returns
    -------
    Campaign
        With ``fits``, ``frame`` and ``record``. A failed fit does not end the others:
        ``failure`` and ``shortcomings`` tell which have failed.

    Raises
    ------
    UnknownName
        No campaign has this name.
    InvalidInput
        The file or a combination is invalid.
    FolderInUse
        Another process works on the campaign.
    Stopped
        On SIGINT or SIGTERM; the campaign in a folder can be resumed.
    MissingExtra, SchedulerUnreachable, MultithreadedWorkers
        The executor cannot be opened.

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
            planned, folder, executor or ExecutorChoice(Kind.HERE),
            lambda _: nullcontext(reporter), force=force,
        )  # fmt: skip

    if output is not None:
        return in_folder(Path(output))
    with TemporaryDirectory() as scratch:
        return Campaign(in_folder(Path(scratch)).record)


def campaign_in_folder(
    planned: Plan,
    folder: Path,
    executor: ExecutorChoice,
    open_progress: Callable[[Path], AbstractContextManager[Progress]],
    *,
    force: bool = False,
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

    Raises
    ------
    FolderInUse, Stopped, MissingExtra, SchedulerUnreachable, MultithreadedWorkers
        See :func:`campaign`.
    """
    record, notes, _ = carry_out_in_folder(
        planned._planned,  # noqa: SLF001 - of this module
        folder,
        executor,
        open_progress,
        force=force,
    )
    return Campaign(record, tuple(notes), folder)


def _frame(rows: Any) -> "pd.DataFrame":
    import pandas as pd

    nested = {"best_fit", "shortcomings", "log_bayes_factors"}
    flat = [{k: v for k, v in row.items() if k not in nested} for row in rows]
    frame = pd.DataFrame(flat)
    return frame.set_index("name") if flat else frame
