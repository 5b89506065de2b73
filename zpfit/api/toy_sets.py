"""Pseudo-experiments: :func:`toys` and its :class:`Toys`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from zpfit.analysis.records import ToysRecord
from zpfit.analysis.toys.statistics import Hypothesis
from zpfit.analysis.toys.statistics import Toys as DrawnToys
from zpfit.analysis.toys.toys import toys as draw_toys
from zpfit.api.executors import ExecutorChoice, chosen
from zpfit.api.sources import Source, check_number, escaped, files_in, folder_of, load, progress_of
from zpfit.api.worker_sources import checked, readable
from zpfit.errors import InvalidInput, in_short
from zpfit.inference.progress import Progress
from zpfit.runs.figure_file import FigureChoice, figure_style
from zpfit.runs.toy_folder import RESULTS, ToyFolder
from zpfit.runs.toys import ToyRequest, toys_in_folder, toys_in_memory

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_SHARED = ("likelihood", "seed", "add", "drop")
"""Keys whose changes apply to the smaller model as well: both need the same data."""


@dataclass(frozen=True, repr=False)
class Toys:
    """Pseudo-experiments and the p-values that they calibrate. Made by :func:`toys`."""

    _drawn: DrawnToys
    record: ToysRecord
    """All numbers, as ``toys.json`` holds them."""
    files: tuple[Path, ...] = ()
    """Files that were written; none without ``output``."""

    @property
    def frame(self) -> "pd.DataFrame":
        """A row for each toy: test statistics and data."""
        return self._drawn.frame

    @property
    def p_values(self) -> "pd.DataFrame":
        """A row for each test statistic: observed value, p-value and its interval.

        Without an extreme toy ``p_upper_limit`` bounds the p-value, and ``sigma`` is a lower bound.
        """
        import pandas as pd

        rows = pd.DataFrame.from_dict(dict(self.record["statistics"]), orient="index")
        columns = ["observed", "extreme", "p_value", "p_interval", "p_upper_limit", "sigma"]
        return rows[columns]

    @property
    def shortcomings(self) -> tuple[str, ...]:
        """Reasons not to trust the p-values, with remedies."""
        return self._drawn.shortcomings

    @property
    def converged(self) -> bool:
        """True if no shortcoming was found."""
        return not self.shortcomings

    def plot(self, figure: FigureChoice = None) -> "Figure":
        """Return the histograms of the test statistics.

        Parameters
        ----------
        figure
            Description of the figure, see :class:`zpfit.Figure`.
        """
        from zpfit.plots.toys import toys_figure

        style = figure_style(figure)
        with style.context():
            return toys_figure(self.record, self._drawn.columns, style.spec)

    def __len__(self) -> int:
        """Return the number of toys."""
        return len(self._drawn)

    def __repr__(self) -> str:
        return f"<{self._drawn!r}>"

    def _repr_html_(self) -> str:
        return escaped(repr(self)) + str(self.p_values.to_html(float_format="%.3g"))


def toys(
    source: Source,
    n: int,
    *,
    hypothesis: Hypothesis = "no-zprime",
    nested: Source | None = None,
    joint_sigma: bool = True,
    output: str | Path | None = None,
    executor: ExecutorChoice | None = None,
    progress: bool | Progress = True,
    force: bool = False,
    **changes: Any,
) -> Toys:
    """Draw pseudo-experiments, refit each, and count how extreme the data are.

    Parameters
    ----------
    source
        Name of a packaged run, path of a run file, run folder, dictionary, or a problem.
    n
        Number of toys, at least 1.
    hypothesis
        Where toys are drawn: "no-zprime", "best-fit", or "nested" (best fit of ``nested``).
    nested
        Source of a smaller model on the same data.
    joint_sigma
        Compute the joint sigma of each toy as well.
    output
        Folder that keeps the toys. Toys in it are reused, so that a set can be extended.
    executor
        Processes, Dask or MPI, see :class:`~zpfit.ExecutorChoice`; this process by
        default. ``ExecutorChoice()`` uses all cores.
    progress, force
        See :func:`zpfit.fit`.
    **changes
        Keys of a run file with new values. Those of data and seed apply to ``nested`` as well.

    Returns
    -------
    Toys
        With ``p_values``, ``frame`` and ``plot()``.

    Raises
    ------
    InvalidModel
        A model was defined in a Python session, and ``output`` or ``executor`` needs its file.
    InvalidInput
        ``n`` is below 1, or the hypothesis is unknown.
    WrongType
        ``n`` is no integer.
    ModelsNotNested
        ``nested`` has other data, or as many parameters as the source.
    NoSamplingDistribution
        A measurement is a table of chi2, from which no pseudo-data can be drawn.

    Examples
    --------
    >>> import zpfit
    >>> muon = {"m_Zp": 20, "eps": 0}  # one free parameter, g_prime
    >>> run = {"model": "L_mu-L_tau", "likelihood": "paper_2021_cs", "sampler": {"engine": "vegas"}}
    >>> found = zpfit.toys({**run, "priors": {"parameters": muon}}, 2, joint_sigma=False)
    >>> len(found), list(found.p_values.index)
    (2, ['chi2', 'delta_chi2'])
    """
    shared = {key: value for key, value in changes.items() if key.split(".")[0] in _SHARED}
    reporter = progress_of(progress)
    _check_request(n, hypothesis)
    if output is None and executor is None:
        smaller = None if nested is None else load(nested, **shared)
        problem = load(source, **changes)
        drawn = draw_toys(
            problem,
            n,
            hypothesis=hypothesis,
            nested=smaller,
            joint_sigma=joint_sigma,
            progress=reporter,
        )
        return Toys(drawn, drawn.record())
    choice = chosen(executor)
    given = checked(source, changes)
    given_nested = None if nested is None else checked(nested, shared)
    with readable(given, output) as run:
        if given_nested is None:
            request = ToyRequest(run, n, hypothesis, None, joint_sigma)
            return _drawn(request, output, choice, reporter, force=force)
        with readable(given_nested, output) as smaller_run:
            request = ToyRequest(run, n, hypothesis, smaller_run, joint_sigma)
            return _drawn(request, output, choice, reporter, force=force)


def _check_request(n: int, hypothesis: str) -> None:
    check_number(n)
    known = get_args(Hypothesis)
    if hypothesis not in known:
        names = ", ".join(map(repr, known))
        raise InvalidInput([f"hypothesis: {in_short(hypothesis)} is unknown; give one of {names}"])


def _drawn(
    request: ToyRequest,
    output: str | Path | None,
    choice: ExecutorChoice,
    progress: Progress,
    *,
    force: bool,
) -> Toys:
    if output is None:
        drawn = toys_in_memory(request, choice, progress)
        return Toys(drawn, drawn.record())
    folder = ToyFolder(folder_of(output, "output"))
    record, drawn = toys_in_folder(request, folder, choice, progress, force=force)
    return Toys(drawn, record, files_in(output, RESULTS))
