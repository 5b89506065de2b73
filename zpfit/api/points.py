"""Predictions and exclusions at given points: :func:`evaluate`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from zpfit.analysis.evaluate import EvaluatedPoints, evaluate_model, parameter_table
from zpfit.analysis.evaluate import evaluate as evaluate_likelihood
from zpfit.api.sources import IN_PYTHON, named_entries, plain_value
from zpfit.errors import InvalidInput, WrongType, in_short
from zpfit.inference.problem import ModelOnly
from zpfit.io.arrays import FloatArray
from zpfit.io.document import Document, plain_data
from zpfit.io.library import Library
from zpfit.io.logging import LOGGER
from zpfit.io.schema import validate
from zpfit.likelihood.build import LikelihoodSpec
from zpfit.likelihood.likelihood import Likelihood as TotalLikelihood
from zpfit.likelihood.unknown_terms import leptons_alone, unknown_terms
from zpfit.models.base import Model
from zpfit.models.library import ModelSpec, load_model, ready_for_batches
from zpfit.physics.branching_ratios import notes_about_widths
from zpfit.runs.run_file import load_likelihood

if TYPE_CHECKING:
    import pandas as pd

Points: TypeAlias = "Mapping[str, Any] | Sequence[Mapping[str, float]] | pd.DataFrame"


_KINDS = "a mapping from parameters to values, a list of mappings, or a frame"


def evaluate(
    points: Points,
    *,
    model: Any = "effective",
    likelihood: Any = None,
    add: str | Sequence[str] = (),
    drop: str | Sequence[str] = (),
) -> "pd.DataFrame":
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
    add, drop
        Entries to add to the likelihood or to leave out.

    Returns
    -------
    DataFrame
        A row for each point, with the index of ``points`` if that is a frame.
        Columns: ``couplings.*``, ``derived.*``, ``predictions.*`` by
        observable, ``chi2.*`` and ``pulls.*`` by entry, ``ratios.*`` by exclusion (excluded
        above 1), ``chi2_total`` and ``excluded_by`` (hard exclusions that exclude the point).

    Raises
    ------
    InvalidInput
        A parameter is unknown, outside its domain or not a number.
    WrongType
        ``points`` or ``likelihood`` is of a kind that cannot be used.

    Examples
    --------
    >>> import zpfit
    >>> frame = zpfit.evaluate({"m_Zp": [18, 22], "C_Ae": 1.6e-4}, likelihood="paper_2021_cs")
    >>> frame["excluded_by"].tolist()
    [['na64_2020'], []]
    """
    import pandas as pd

    rows = _rows(points)
    if not rows:
        return pd.DataFrame(columns=["chi2_total", "excluded_by"])
    document = Document(IN_PYTHON, {"model": plain_value("model", model)}, {})
    spec = validate(ModelOnly, document).model
    loaded = load_model(spec, document, Library.beside()).model
    places = [f"point {index}" for index in range(len(rows))]
    data = _total_likelihood(likelihood, {"add": add, "drop": drop})
    found = evaluate_rows(rows, places, (spec, loaded), data, "model")
    for note in found.notes:
        LOGGER.warning(note)
    frame = pd.json_normalize(found.records)
    return frame.set_axis(points.index) if isinstance(points, pd.DataFrame) else frame


@dataclass(frozen=True)
class Evaluation:
    """Predictions at points. Made by :func:`evaluate_rows`."""

    records: list[dict[str, Any]]
    """One record for each point, see :func:`zpfit.analysis.evaluate.evaluate`."""
    points: EvaluatedPoints
    """Couplings and derived quantities where the model exists."""
    likelihood: TotalLikelihood
    """The terms that were evaluated."""
    notes: tuple[str, ...]
    """Remarks for the user."""


def evaluate_rows(
    rows: Sequence[Mapping[str, float]],
    places: Sequence[str],
    model: tuple[ModelSpec, Model],
    likelihood: TotalLikelihood,
    model_place: str,
) -> Evaluation:
    """Evaluate points of a loaded model; this is what ``zpfit evaluate`` does.

    Parameters
    ----------
    rows
        Parameters of each point.
    places
        Name of each point in messages.
    model
        Description of the model, and the model.
    likelihood
        Sum of measurements and exclusions; it can be empty.
    model_place
        Name of the model's origin in messages.

    Raises
    ------
    InvalidInput
        A parameter is unknown or outside its domain.
    InvalidModel, UndefinedValue
        The model fails or gives NaN.
    """
    spec, loaded = model
    table, extended = parameter_table(rows, loaded, places)
    ready, notes = ready_for_batches(extended, spec, table, model_place)
    points = evaluate_model(ready, table)
    masses = points.couplings.m_Zp
    if len(masses):  # points that cannot exist do not tell what the model gives
        c = points.couplings
        widths = notes_about_widths(c, float(masses.max()))
        notes = (*notes, *unknown_terms(likelihood, c), *leptons_alone(likelihood, c), *widths)
    return Evaluation(evaluate_likelihood(likelihood, points), points, likelihood, notes)


def _rows(points: Points) -> list[dict[str, float]]:
    import pandas as pd

    if isinstance(points, Mapping):
        points = pd.DataFrame(_columns(points))
    if isinstance(points, pd.DataFrame):
        points = points.to_dict("records")
    if isinstance(points, (str, bytes)) or not isinstance(points, Sequence):
        raise WrongType("points", points, _KINDS)
    return [_row(index, row) for index, row in enumerate(points)]


def _row(index: int, row: Any) -> dict[str, float]:
    if not isinstance(row, Mapping):
        raise WrongType(f"point {index}", row, "a mapping from parameters to numbers")
    return {str(name): _number(f"point {index}: {name}", value) for name, value in row.items()}


def _number(place: str, value: Any) -> float:
    # float() takes text, truth values and complex arrays as well, which are mistakes here.
    try:
        if not isinstance(value, (str, bytes, bool, np.bool_, complex, np.complexfloating)):
            return float(value)
    except (TypeError, ValueError, OverflowError):
        pass
    raise InvalidInput([f"{place}: {in_short(value)} is not a number; give a finite number"])


def _columns(points: Mapping[str, Any]) -> dict[str, Any]:
    for name, values in points.items():
        if np.ndim(values) > 1:
            reason = f"{in_short(values)} has more than one dimension; give one value a point"
            raise InvalidInput([f"points: {name}: {reason}"])
    _check_lengths(points)
    arrays = np.broadcast_arrays(*(_numbers(f"points: {name}", v) for name, v in points.items()))
    return dict(zip(points, arrays, strict=True))


def _numbers(place: str, values: Any) -> FloatArray:
    return np.array([_number(place, value) for value in np.atleast_1d(values)], dtype=float)


def _check_lengths(columns: Mapping[str, Any]) -> None:
    lengths = {name: np.size(values) for name, values in columns.items()}
    if len(set(lengths.values()) - {1}) > 1:
        found = ", ".join(f"{name} has {length}" for name, length in lengths.items() if length > 1)
        raise InvalidInput([f"points: arrays differ in length: {found}; give one for each point"])


def _total_likelihood(likelihood: Any, entries: Mapping[str, Any]) -> TotalLikelihood:
    if not isinstance(likelihood, str | Mapping | LikelihoodSpec | None):
        raise WrongType("likelihood", likelihood, "the name of a set, or a mapping")
    given = {"set": likelihood} if isinstance(likelihood, str) else plain_data(likelihood or {})
    document = Document(IN_PYTHON, {"likelihood": given}, {})
    return load_likelihood(document, *(named_entries(entries, key) for key in ("add", "drop")))
