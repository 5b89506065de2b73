"""Upper limits and intervals of one parameter: :func:`limit` and its :class:`Limit`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zpfit.analysis.levels import check_levels
from zpfit.analysis.limits import LimitRequest, limit_rows, limits_at, quantity_of
from zpfit.analysis.records import LimitPoint, LimitRecord
from zpfit.api.reported import Reported
from zpfit.api.sources import Source, escaped, files_in, fixed, folder_of, load, progress_of
from zpfit.errors import WrongType
from zpfit.inference.progress import NotesOnce, Progress
from zpfit.io.document import plain_data
from zpfit.io.writing import make_room
from zpfit.runs.figure_file import FigureChoice, figure_style
from zpfit.runs.records import limit_files, write_limit

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

LEVELS = (0.90, 0.95)
"""Default confidence levels of limits."""
Scan = tuple[str, Sequence[float]]
"""A parameter and the values at which limits are computed."""


@dataclass(frozen=True, repr=False)
class Limit(Reported):
    """Limits on one parameter, at one point or along a scan. Made by :func:`limit`."""

    record: LimitRecord
    """All numbers, as the JSON file of the limits holds them."""
    files: tuple[Path, ...] = ()
    """Files that were written; none without ``output``."""

    @property
    def frame(self) -> "pd.DataFrame":
        """One row for each point and level: limits, or ends of the intervals that hull them.

        ``allowed`` is False, and the limits are NaN, where the data exclude every value.
        """
        import pandas as pd

        frame = pd.DataFrame(limit_rows(self.record))
        return frame.astype({name: float for name in frame if name != "allowed"})

    def plot(self, figure: FigureChoice = None) -> "Figure":
        """Return the plot of the limits along the scan.

        Parameters
        ----------
        figure
            Description of the figure, see :class:`zpfit.Figure`.
        """
        from zpfit.plots.limits import limit_figure

        style = figure_style(figure)
        with style.context():
            return limit_figure(self.record, style.spec)

    def __repr__(self) -> str:
        record = self.record
        points, name = len(record["points"]), record["parameter"]["name"]
        where = f" at {points} values of {record['scan']['name']}" if record["scan"] else ""
        return f"<Limit on {name}{where}: {record['model']} on {record['likelihood']}>"

    def _repr_html_(self) -> str:
        return escaped(repr(self))


def limit(
    source: Source,
    parameter: str,
    *,
    cl: float | str | Sequence[float | str] = LEVELS,
    one_sided: bool = True,
    fix: Mapping[str, float] | None = None,
    scan: Scan | None = None,
    output: str | Path | None = None,
    progress: bool | Progress = True,
    force: bool = False,
    **changes: Any,
) -> Limit:
    """Compute limits on a parameter, from the profile likelihood and from the posterior.

    :mod:`zpfit.analysis.limits` defines both.

    Parameters
    ----------
    source
        Name of a packaged run, path of a run file, run folder, dictionary, or a problem.
    parameter
        A sampled parameter. For one of either sign, one-sided limits are on its absolute value.
    cl
        Confidence levels.
    one_sided
        True for upper limits, False for intervals.
    fix
        Parameters with fixed values in place of their priors.
    scan
        A parameter and its values; it is fixed to each of them in turn.
    output
        Folder for JSON, a table, and with a scan the plot.
    progress, force
        See :func:`fit`.
    **changes
        Keys of a run file with new values, see the module's docstring.

    Raises
    ------
    WrongType
        An argument has another type, such as ``parameter`` that is no text.
    InvalidInput
        The parameter is not sampled, or a level or a value is out of range.

    Examples
    --------
    >>> import zpfit
    >>> run = {"model": "L_mu-L_tau", "likelihood": "paper_2021_cs", "sampler": {"engine": "vegas"}}
    >>> found = zpfit.limit(run, "g_prime", cl=0.95, fix={"eps": 0}, scan=("m_Zp", [20, 60]))
    >>> found.frame[["m_Zp", "cl", "allowed"]].values.tolist()
    [[20.0, 0.95, True], [60.0, 0.95, True]]
    """
    if not isinstance(parameter, str):
        raise WrongType("parameter", parameter, "the name of a sampled parameter")
    parameter, scan, fix = (plain_data(given) for given in (parameter, scan, fix))
    levels = check_levels([cl] if isinstance(cl, (Real, str)) else cl, "cl")
    values = _scanned(scan)
    same = fixed(fix)
    request = LimitRequest(parameter, levels, one_sided)
    problems = [load(source, **{**changes, **same, **fixed(own)}) for own in values]
    names = limit_files(parameter, scan=scan is not None)
    if output is not None:
        make_room(folder_of(output, "output"), names, force=force)
    reporter, points = NotesOnce(progress_of(progress)), []
    for number, (problem, own) in enumerate(zip(problems, values, strict=True)):
        if scan is not None:
            reporter.stage(f"{_in_words(own)} ({number + 1} of {len(values)})")
        points.append(limits_at(problem, request, own, reporter))
    attributes = {p.name: p for p in problems[0].posterior.model.parameters}
    shortcomings = list(_shortcomings(points))
    record: LimitRecord = {
        "title": problems[0].title,
        "model": problems[0].posterior.model.name,
        "likelihood": problems[0].posterior.likelihood.name,
        "seed": problems[0].settings.seed,
        "parameter": quantity_of(attributes[parameter]),
        "one_sided": one_sided,
        "fixed": {name: float(value) for name, value in (fix or {}).items()},
        "scan": None if scan is None else quantity_of(attributes[scan[0]]),
        "points": points,
        "converged": not shortcomings,
        "shortcomings": shortcomings,
    }
    if figure := problems[0].settings.figure.as_record():
        record["figure"] = figure
    if output is not None:
        write_limit(record, folder_of(output, "output"))
    return Limit(record, files_in(output, names))


def _scanned(scan: Scan | None) -> list[dict[str, float]]:
    """Return the parameters that each point of a scan fixes."""
    if scan is None:
        return [{}]
    if not isinstance(scan, (tuple, list)) or len(scan) != 2 or not isinstance(scan[0], str):
        raise WrongType("scan", scan, "a name and values, such as ('m_Zp', [10, 20, 40])")
    name, values = scan
    try:
        column = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        column = np.empty(0)
    if column.ndim != 1 or not len(column):
        raise WrongType("scan", scan, "a name and a list of numbers")
    return [{name: float(value)} for value in column]


def _in_words(point: Mapping[str, float]) -> str:
    return ", ".join(f"{name} = {value:.4g}" for name, value in point.items())


def _shortcomings(points: Sequence[LimitPoint]) -> Iterator[str]:
    for point in points:
        place = f"{_in_words(point['fixed'])}: " if point["fixed"] else ""
        yield from (f"{place}{text}" for text in point["shortcomings"])
