"""Answers to requests of the page: a point, and a slice through it."""

from collections.abc import Mapping
from typing import Any, get_args

import numpy as np
from annotated_types import Ge, Le
from pydantic.fields import FieldInfo

from zpfit.analysis.evaluate import describe_point, evaluate_model, parameter_table
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.entry_labels import entry_labels
from zpfit.likelihood.labels import distinct_labels
from zpfit.pages.explore.grid import GRIDS, HUGE, look_around
from zpfit.pages.explore.sliders import Slider
from zpfit.pages.explore.subject import Subject
from zpfit.pages.report.symbols import label_html, symbol_html
from zpfit.physics.couplings import TABLE, Couplings
from zpfit.physics.observables import predictions, predictions_for

LARGEST_GRID = 200
_DECIMALS = 4
"""Significant digits of numbers in a slice."""


def as_json(subject: Subject) -> dict[str, Any]:
    """Return the description of the controls of a model with data."""
    return {
        "model": subject.text,
        "model_name": subject.model.name,
        "description": subject.model.description,
        "options": [_option(subject, n, f) for n, f in subject.options.model_fields.items()],
        "likelihood": subject.likelihood.name,
        "sliders": [chosen.as_json() for chosen in subject.sliders.values()],
        "start": dict(subject.start),
        "notes": list(subject.notes),
        "soft": [e.name for e in subject.likelihood.exclusions if e.soft],
        "labels": _labels(subject),
        "symbols": _symbols(subject),
        "titles": {entry.name: entry.entry.title for entry in subject.assembled.entries},
        "grid": subject.grid,
        "finest_grid": GRIDS[0],
    }


def _labels(subject: Subject) -> dict[str, str]:
    """Return HTML of the label of each entry and each component of one."""
    labels = distinct_labels(entry_labels(subject.assembled))
    return {name: str(label_html(label)) for name, label in labels.items()}


def _symbols(subject: Subject) -> dict[str, str]:
    """Return HTML of the symbols of couplings and observables that have one."""
    measured = {term.observable.name: term.observable for term in subject.likelihood.measurements}
    observables = {**predictions(), **measured}
    symbols = {row.name: row.symbol for row in TABLE}
    symbols |= {name: observable.symbol for name, observable in observables.items()}
    return {name: str(symbol_html(symbol)) for name, symbol in symbols.items() if symbol}


def _option(subject: Subject, name: str, field: FieldInfo) -> dict[str, Any]:
    """Return the choices of an option of a model, and the chosen one."""
    choices = list(get_args(field.annotation))
    if not choices:
        low = next(int(str(m.ge)) for m in field.metadata if isinstance(m, Ge))
        high = next(int(str(m.le)) for m in field.metadata if isinstance(m, Le))
        choices = list(range(low, high + 1))
    return {
        "name": name,
        "choices": choices,
        "default": field.default,
        "value": subject.spec.options.get(name, field.default),
    }


def point_answer(subject: Subject, point: Mapping[str, float]) -> dict[str, Any]:
    """Evaluate couplings, derived quantities, measurements and exclusions at a point.

    Numbers that are not finite are None. A point at which the model cannot
    exist has only ``impossible``: the conditions it breaks, each a ratio.

    Raises
    ------
    InvalidInput
        Unknown parameters, missing ones, or values outside a domain.
    UndefinedValue, InvalidModel
        The model has no couplings there.
    """
    table, model = parameter_table([point], subject.model, ["point"])
    parameters = {name: float(values[0]) for name, values in table.items()}
    known = {"parameters": parameters, "chi2_no_zprime": subject.chi2_no_zprime}
    with np.errstate(all="ignore"):
        evaluated = evaluate_model(model, table)
        if evaluated.impossible[0]:
            return _finite(known | {"impossible": evaluated.impossible[0]})
        return _finite(
            known
            | {"impossible": {}, "derived": _only(evaluated.derived)}
            | _of_couplings(subject, evaluated.couplings)
        )


def _of_couplings(subject: Subject, c: Couplings) -> dict[str, Any]:
    likelihood = subject.likelihood
    described = describe_point(likelihood, c)
    mass = float(c.m_Zp[0])
    exclusions: dict[str, dict[str, Any]] = {}
    for exclusion in likelihood.exclusions:
        row = described["exclusions"][exclusion.name]
        low, high = exclusion.mass_range or (mass, mass)
        exclusions[exclusion.name] = {
            **row,
            "excluded": bool(row["ratio"] > 1),
            "soft": exclusion.soft,
            "silent": not low <= mass <= high,
        }
    [excluded_by] = likelihood.excluded_by(c)
    measured = {term.observable.name for term in likelihood.measurements}
    return {
        **described,
        "exclusions": exclusions,
        "excluded_by": excluded_by,
        "couplings": _only(dict(c.items())),
        "predictions": {
            name: float(observable.function(c)[0])
            for name, observable in predictions_for(c).items()
            if name not in measured
        },
    }


def slice_answer(
    subject: Subject, point: Mapping[str, float], x: str, y: str, n: int
) -> dict[str, Any]:
    """Evaluate chi2 and the strongest exclusion on a grid of two parameters.

    Other parameters have the values of ``point``.

    ``chi2``, ``log_ratio`` (decimal, of the strongest exclusion, or of the condition that is
    broken) and ``by`` (its position in ``names``, -1 without any) are lists over y, then x; None
    where there is no number.

    Raises
    ------
    InvalidInput
        Unknown parameters, missing ones, or values outside a domain.
    InvalidModel
        A user's model fails.
    """
    table, model = parameter_table([point], subject.model, ["point"])
    axes = [subject.sliders[name] for name in (x, y)]
    positions = [axis.nodes(n) for axis in axes]
    columns = [axis.values(u) for axis, u in zip(axes, positions, strict=True)]
    along_x, along_y = (c.ravel() for c in np.meshgrid(*columns))
    values = {name: np.full(along_x.size, one[0]) for name, one in table.items()}
    values |= {y: along_y, x: along_x}
    found = look_around(model, subject.likelihood, values)
    rows, length = len(columns[1]), len(columns[0])
    return {
        "x": _axis(axes[0], positions[0], columns[0]),
        "y": _axis(axes[1], positions[1], columns[1]),
        "names": list(found.names),
        "chi2": _rounded(found.chi2.reshape(rows, length)),
        "log_ratio": _rounded(found.log_ratio.reshape(rows, length)),
        "by": found.by.reshape(rows, length).tolist(),
        "chi2_no_zprime": subject.chi2_no_zprime,
        "grid": n,
    }


def _rounded(numbers: FloatArray) -> list[list[float | None]]:
    """Return rows of rounded numbers, with None for numbers that do not exist."""
    tamed = np.clip(numbers, -HUGE, HUGE).round(_DECIMALS)
    nested = tamed.astype(object)
    nested[np.isnan(tamed)] = None
    result: list[list[float | None]] = nested.tolist()
    return result


def _axis(slider: Slider, positions: FloatArray, values: FloatArray) -> dict[str, Any]:
    return {
        "name": slider.parameter.name,
        "positions": positions.tolist(),
        "values": values.tolist(),
    }


def _only(columns: Mapping[str, FloatArray]) -> dict[str, float]:
    """Return the only point of some columns."""
    return {name: float(values[0]) for name, values in columns.items()}


def _finite(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return data with None for numbers that JSON lacks."""
    return {key: _sayable(value) for key, value in answer.items()}


def _sayable(value: Any) -> Any:
    if isinstance(value, dict):
        return _finite(value)
    if isinstance(value, list):
        return [_sayable(item) for item in value]
    if isinstance(value, float):
        return value + 0.0 if np.isfinite(value) else None
    return value
