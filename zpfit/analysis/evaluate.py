"""Predictions, pulls and exclusions at given points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zpfit.analysis.records import ExclusionRatioRecord, PointRecord
from zpfit.errors import InvalidInput, UndefinedValue, suggestion
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.exclusions import Exclusion
from zpfit.likelihood.likelihood import Likelihood
from zpfit.models.base import Model, in_words
from zpfit.models.dark_width import optional_parameters, with_given
from zpfit.physics.couplings import Couplings
from zpfit.physics.observables import predictions_for


def parameter_table(
    points: Sequence[Mapping[str, float]], model: Model, places: Sequence[str]
) -> tuple[dict[str, FloatArray], Model]:
    """Return points as columns, one for each parameter; missing ones have their defaults.

    The model gains the optional parameters that a point gives.

    Parameters
    ----------
    points
        Parameters of each point by name.
    model
        Model of the points.
    places
        Name of each point in messages.

    Returns
    -------
    dict
        Columns of shape (n,) by parameter.
    Model
        The model with all of these parameters.

    Raises
    ------
    InvalidInput
        Unknown parameters, missing ones without a default, and values outside a
        parameter's domain.
    """
    known = [p.name for p in (*model.parameters, *optional_parameters(model))]
    first_place = {
        name: place
        for point, place in reversed(list(zip(points, places, strict=True)))
        for name in point
    }
    problems = [
        f"{place}: model {model.name!r} has no parameter {name!r}; {suggestion(name, known)}"
        for name, place in first_place.items()
        if name not in known
    ]
    model, table = with_given(model, first_place), {}
    for parameter in model.parameters:
        low, high = parameter.domain
        default = parameter.left_out if parameter.default is None else parameter.default
        missing = np.nan if default is None else default
        column = np.array([point.get(parameter.name, missing) for point in points])
        for value, point, place in zip(column, points, places, strict=True):
            if not low <= value <= high:
                given = f"= {value:g}" if parameter.name in point else "is missing; it"
                problems.append(f"{place}: {parameter.name} {given} must be {parameter.allowed}")
        table[parameter.name] = column
    if problems:
        raise InvalidInput(list(dict.fromkeys(problems)))
    return table, model


@dataclass(frozen=True)
class EvaluatedPoints:
    """Points of a model, and its couplings where the model exists."""

    impossible: tuple[dict[str, float], ...]
    """Ratio of each violated condition (above 1) at each point; empty where the model exists."""
    couplings: Couplings
    """Couplings at the points where the model exists, in their order."""
    derived: dict[str, FloatArray]
    """Derived quantities of the model at these points."""


def evaluate_model(model: Model, table: Mapping[str, FloatArray]) -> EvaluatedPoints:
    """Evaluate a model at the points of a table.

    Raises
    ------
    InvalidModel
        A user's model fails.
    UndefinedValue
        A coupling is NaN at a point that exists.
    """
    conditions = model.conditions(table)
    exists = model.exists(table)
    some = {name: column[exists] for name, column in table.items()}
    impossible = tuple(
        {name: float(ratio[i]) for name, ratio in conditions.items() if ratio[i] > 1}
        for i in range(len(exists))
    )
    if not exists.any():
        nowhere = np.empty(0)
        return EvaluatedPoints(impossible, Couplings.of(m_Zp=nowhere), {})
    couplings = model.couplings(some)
    for name, row in couplings.items():
        if np.isnan(row).any():
            source = f"coupling {name} of model {model.name!r}"
            raise UndefinedValue(source, in_words(some, int(np.argmax(np.isnan(row)))))
    return EvaluatedPoints(impossible, couplings, model.derived(some))


def evaluate(likelihood: Likelihood, points: EvaluatedPoints) -> list[dict[str, Any]]:
    """Evaluate predictions and likelihood at each point.

    Each has ``couplings`` and ``derived`` of the model, ``predictions`` by
    observable, ``chi2`` and ``pulls`` by entry, ``ratios`` by exclusion (above 1
    is excluded), ``chi2_total`` over measurements and soft exclusions, and
    ``excluded_by``, the hard exclusions that forbid the point. A point that
    cannot exist has only ``impossible``: the conditions it breaks, each a ratio.
    """
    existing = iter(_evaluate_existing(likelihood, points))
    return [
        {"impossible": broken} if broken else {"impossible": {}} | next(existing)
        for broken in points.impossible
    ]


def _evaluate_existing(likelihood: Likelihood, points: EvaluatedPoints) -> list[dict[str, Any]]:
    c = points.couplings
    if not len(c):
        return []
    couplings = dict(c.items())
    predicted = {name: observable.function(c) for name, observable in predictions_for(c).items()}
    chi2 = likelihood.chi2_by_term(c)
    pulls = {term.name: term.pull(c) for term in likelihood.measurements}
    ratios = likelihood.ratios(c)
    total = likelihood.chi2(c)
    excluded_by = likelihood.excluded_by(c)
    return [
        {
            "couplings": _at(couplings, index),
            "derived": _at(points.derived, index),
            "predictions": _at(predicted, index),
            "chi2": _at(chi2, index),
            "pulls": _at(pulls, index),
            "ratios": _at(ratios, index),
            "chi2_total": float(total[index]),
            "excluded_by": excluded_by[index],
        }
        for index in range(len(c))
    ]


def describe_point(likelihood: Likelihood, c: Couplings) -> PointRecord:
    """Return chi2, every measurement and every exclusion at one point.

    The chi2 of the terms add up: that of a correlated measurement is what it adds to those before
    it, while its pull is its own. Only soft exclusions have a chi2.
    """
    chi2 = likelihood.chi2_by_term(c)
    return {
        "chi2": float(likelihood.chi2(c)[0]),
        "terms": {
            term.name: {
                "observable": term.observable.name,
                "measured": term.value,
                "error": term.error,
                "errors": list(term.errors),
                "prediction": float(term.prediction(c)[0]),
                "pull": float(term.pull(c)[0]),
                "chi2": float(chi2[term.name][0]),
            }
            for term in likelihood.measurements
        },
        "exclusions": {
            exclusion.name: _exclusion_record(exclusion, c, chi2)
            for exclusion in likelihood.exclusions
        },
    }


def _exclusion_record(
    exclusion: Exclusion, c: Couplings, chi2: Mapping[str, FloatArray]
) -> ExclusionRatioRecord:
    ratio = float(exclusion.ratio(c)[0])
    if not exclusion.soft:
        return {"ratio": ratio}
    return {"ratio": ratio, "chi2": float(chi2[exclusion.name][0])}


def _at(columns: Mapping[str, FloatArray], index: int) -> dict[str, float | None]:
    """Return one point of some columns, with None for NaN, which JSON lacks."""
    return {
        name: float(values[index]) + 0.0 if np.isfinite(values[index]) else None
        for name, values in columns.items()
    }
