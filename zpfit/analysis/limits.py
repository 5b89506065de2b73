r"""Upper limits and intervals of one parameter: profile likelihood and posterior.

Two definitions stand side by side:

- *Profile likelihood.* The limit is the largest size of the parameter at which the least chi2
  over all other parameters exceeds the global minimum by at most Delta chi2. For a one-sided
  limit Delta chi2 is the square of the normal quantile of the level, for a two-sided interval the
  quantile of chi2 with one degree of freedom.
- *Posterior.* A one-sided limit is the quantile of the size of the parameter; a two-sided interval
  is that of highest density on the prior's scale. Both depend on the prior.

The size of a parameter of either sign is its absolute value.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zpfit.analysis.levels import delta_chi2
from zpfit.analysis.profile.axis import Axis, AxisRequest, choose_axes
from zpfit.analysis.profile.profile import Level, Profile, in_values, profile
from zpfit.analysis.profile.regions import Density, intervals
from zpfit.analysis.records import LimitLevel, LimitPoint, LimitRecord
from zpfit.errors import ModelNeverValid, NoAllowedPoint
from zpfit.inference.problem import Problem
from zpfit.inference.progress import Progress
from zpfit.inference.samplers.result import weighted_quantile
from zpfit.io.arrays import FloatArray
from zpfit.models.base import Parameter

_AT_END = 1e-3
"""Distance from the end of the prior, as a fraction of the axis, that counts as the end."""


@dataclass(frozen=True)
class LimitRequest:
    """The parameter to limit, and what is wanted."""

    parameter: str
    levels: tuple[float, ...]
    """Confidence levels in increasing order."""
    one_sided: bool
    """True for upper limits on the size of the parameter, False for intervals."""
    place: str = "parameter"
    """Origin of the parameter's name, for messages."""


def limits_at(
    run: Problem, request: LimitRequest, fixed: dict[str, float], progress: Progress
) -> LimitPoint:
    """Return the limits with some parameters fixed already in the problem.

    Parameters
    ----------
    run
        Problem; its seed settles every random number.
    request
        Parameter and levels.
    fixed
        Values of the parameters of a scan, for the record.
    progress
        Receiver of stages and notes.

    Returns
    -------
    LimitPoint
        If nothing is allowed, there are no limits and ``allowed`` is False.

    Raises
    ------
    InvalidInput
        The parameter is not sampled.
    PoorProposal, UndefinedValue
        See :func:`zpfit.analysis.fit.fit`.
    """
    axis = choose_axes(run.posterior.priors, [AxisRequest(request.parameter, None, request.place)])
    levels = [
        Level(level, delta_chi2(level, one_sided=request.one_sided)) for level in request.levels
    ]
    try:
        found = profile(run, axis, None, progress, levels=levels)
    except (NoAllowedPoint, ModelNeverValid):
        return {"fixed": fixed, "allowed": False, "levels": [], "shortcomings": []}
    best = found.likelihood.best
    values = run.posterior.parameters(best.u[None])
    return {
        "fixed": fixed,
        "allowed": True,
        "best_fit": {
            "chi2": best.chi2,
            "parameters": {name: float(value[0]) for name, value in values.items()},
        },
        "levels": [_limit(found, level, one_sided=request.one_sided) for level in levels],
        "shortcomings": list(found.shortcomings),
    }


def _limit(found: Profile, level: Level, *, one_sided: bool) -> LimitLevel:
    [axis], curve, density = found.likelihood.axes, found.likelihood, found.density
    row: LimitLevel = {"probability": level.probability, "delta_chi2": level.delta_chi2}
    pieces = intervals(curve.coordinates[0], curve.delta_chi2, level.delta_chi2)
    if one_sided:
        ends = np.array(pieces).ravel()
        sizes = np.abs(axis.values(ends))
        row["profile"] = float(sizes.max())
        row["at_end_of_prior"] = _at_end(axis, ends)
        own = np.abs(axis.values(found.samples[:, 0]))
        row["posterior"] = weighted_quantile(own, density.weight, level.probability)
    elif isinstance(density, Density):
        row["profile_intervals"] = in_values(axis, pieces)
        row["posterior_intervals"] = in_values(axis, density.intervals(level.probability))
    return row


def _at_end(axis: Axis, ends: FloatArray) -> bool:
    """Return True if an interval reaches an end of the prior beyond which the size would grow.

    The lower end of a positive parameter is no such end.
    """
    low, high = axis.values(np.array([axis.low, axis.high]))
    tolerance = _AT_END * (axis.high - axis.low)
    below = low < 0 and bool((ends < axis.low + tolerance).any())
    above = high > 0 and bool((ends > axis.high - tolerance).any())
    return below or above


def quantity_of(parameter: Parameter) -> dict[str, Any]:
    """Return name, symbol and unit of a parameter, for records."""
    return {"name": parameter.name, "symbol": parameter.symbol, "unit": parameter.unit}


def limit_rows(record: LimitRecord) -> Iterator[dict[str, Any]]:
    """Yield a row of a table for each point and level.

    Limits are None where nothing is allowed, or where the prior ends before the profile
    likelihood sets a limit. An interval that consists of pieces is given from the lowest to the
    highest end.
    """
    levels = {level["probability"] for point in record["points"] for level in point["levels"]}
    rows: list[float | None] = [*sorted(levels)]
    for point in record["points"]:
        for probability in rows or [None]:  # at least one row for each point
            own = [level for level in point["levels"] if level["probability"] == probability]
            head = {**record["fixed"], **point["fixed"], "cl": probability}
            columns = _one_sided(own) if record["one_sided"] else _two_sided(own)
            yield {**head, "allowed": point["allowed"], **columns}


def _one_sided(found: Sequence[LimitLevel]) -> dict[str, float | None]:
    if not found:
        return {"profile": None, "posterior": None}
    [level] = found
    profiled = None if level["at_end_of_prior"] else level["profile"]
    return {"profile": profiled, "posterior": level["posterior"]}


def _two_sided(found: Sequence[LimitLevel]) -> dict[str, float | None]:
    columns: dict[str, float | None] = {}
    for name, key in (("profile", "profile_intervals"), ("posterior", "posterior_intervals")):
        ends = np.array(found[0].get(key, [])).ravel() if found else np.empty(0)
        columns[f"{name}_low"] = float(ends.min()) if len(ends) else None
        columns[f"{name}_high"] = float(ends.max()) if len(ends) else None
    return columns
