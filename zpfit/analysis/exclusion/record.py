"""The record of an exclusion map, for JSON and tables."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from shapely import MultiPolygon, box, unary_union

from zpfit.analysis.exclusion.exclusion import ExclusionMap, NamedRegion
from zpfit.analysis.exclusion.plane import Side
from zpfit.analysis.exclusion.slice import Slice
from zpfit.analysis.records import ExclusionMapRecord
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.labels import entry_labels
from zpfit.models.base import Parameter
from zpfit.physics.observables import find_observable

_DIGITS = 7
"""Significant digits of coordinates."""


def exclusion_record(chosen: Slice, traced: ExclusionMap) -> ExclusionMapRecord:
    """Return the regions and contours of a map, in values of the parameters.

    ``regions`` have ``name``, ``label``, ``kind``, ``sigma``, ``share`` of the plane and
    ``polygons``, each an outer ring and its holes, each a list of [x, y]. ``contours`` have
    ``name``, ``level`` and ``lines``. ``allowed`` has the share and the reach in x and y of
    the allowed region and its ``stretches`` of x; it is null if nothing is allowed. ``figure`` is
    absent unless the slice describes its figure.
    """
    plane = chosen.plane
    figure = chosen.settings.figure.as_record()
    by_name = {parameter.name: parameter for parameter in plane.model.parameters}
    labels = entry_labels(chosen.assembled)
    record: ExclusionMapRecord = {
        "title": chosen.title,
        "model": plane.model.name,
        "likelihood": chosen.assembled.likelihood.name,
        "x": _axis(plane.x, by_name[plane.x.name]),
        "y": _axis(plane.y, by_name[plane.y.name]),
        "fixed": dict(plane.fixed),
        "solved": [
            {"name": s.name, "observable": s.observable.name, "value": s.value}
            for s in plane.solved
        ],
        "profiled": list(plane.profiled),
        "regions": [_region(chosen, region, labels) for region in traced.regions],
        "contours": [
            {"name": c.name, "level": c.level, "lines": [_values(chosen, line) for line in c.lines]}
            for c in traced.contours
        ],
        "allowed": _reach(chosen, traced.allowed),
        "notes": list(chosen.notes),
    }
    if figure:
        record["figure"] = figure
    return record


def _axis(axis: Side, parameter: Parameter) -> dict[str, Any]:
    return {
        "name": axis.name,
        "symbol": parameter.symbol,
        "unit": parameter.unit,
        "lower": axis.lower,
        "upper": axis.upper,
        "scale": axis.scale,
    }


def _region(chosen: Slice, region: NamedRegion, labels: Mapping[str, str]) -> dict[str, Any]:
    label = labels.get(region.name, region.name)
    if region.kind == "unreachable":
        observables = (find_observable(s.observable.name) for s in chosen.plane.solved)
        symbols = (f"${o.symbol}$" if o.symbol else o.name for o in observables)
        label = f"{', '.join(symbols)} out of reach"
    if region.kind == "joint":
        label = "not all data met at once"
    return {
        "name": region.name,
        "label": label,
        "kind": region.kind,
        "sigma": region.sigma,
        "share": round(region.region.area, _DIGITS),
        "polygons": [
            [_values(chosen, ring.coords) for ring in (polygon.exterior, *polygon.interiors)]
            for polygon in region.region.geoms
        ],
    }


def _values(chosen: Slice, line: Any) -> list[list[float]]:
    coordinates = np.asarray(line)
    x, y = chosen.plane.x, chosen.plane.y
    values = np.stack([x.values(coordinates[:, 0]), y.values(coordinates[:, 1])], axis=1)
    rounded: list[list[float]] = _rounded(values).tolist()
    return rounded


def _rounded(values: FloatArray) -> FloatArray:
    """Round to significant digits; correctly rounded for sizes from 1e-16 to 1e28."""
    size = np.abs(np.where(values == 0, 1.0, values))
    decimals = _DIGITS - 1 - np.floor(np.log10(size)).astype(int)
    # Powers of ten below 1e23 are exact, so that a product or quotient is rounded once.
    larger, smaller = 10.0 ** np.maximum(decimals, 0), 10.0 ** np.maximum(-decimals, 0)
    return np.asarray(np.rint(values * larger / smaller) * smaller / larger)


def _reach(chosen: Slice, allowed: MultiPolygon) -> dict[str, Any] | None:
    if allowed.is_empty:
        return None
    left, bottom, right, top = allowed.bounds
    corners: FloatArray = np.array([[left, bottom], [right, top]])
    low, high = _values(chosen, corners)
    return {
        "share": round(allowed.area, _DIGITS),
        "x": [low[0], high[0]],
        "y": [low[1], high[1]],
        "stretches": [_rounded(ends).tolist() for ends in _stretches(chosen, allowed)],
    }


def _stretches(chosen: Slice, allowed: MultiPolygon) -> list[FloatArray]:
    """Return the intervals of x in which something is allowed."""
    shadow = unary_union([box(p.bounds[0], 0, p.bounds[2], 1) for p in allowed.geoms])
    parts = sorted(part.bounds for part in getattr(shadow, "geoms", [shadow]))
    return [chosen.plane.x.values(np.array([left, right])) for left, _, right, _ in parts]


def table_lines(record: ExclusionMapRecord) -> Iterator[str]:
    """Yield the boundaries as lines of a CSV file, one corner each."""
    x, y = record["x"]["name"], record["y"]["name"]
    yield f"# {record['title']}; model {record['model']}, likelihood {record['likelihood']}"
    yield f"kind,name,piece,ring,{x},{y}"
    for region in record["regions"]:
        for piece, rings in enumerate(region["polygons"]):
            for ring, corners in enumerate(rings):
                start = f"{region['kind']},{_quoted(region['name'])},{piece},{ring}"
                yield from (f"{start},{a:.7g},{b:.7g}" for a, b in corners)
    for contour in record["contours"]:
        for piece, line in enumerate(contour["lines"]):
            start = f"contour,{contour['name']}={contour['level']:g},{piece},0"
            yield from (f"{start},{a:.7g},{b:.7g}" for a, b in line)


def _quoted(name: str) -> str:
    return f'"{name}"' if "," in name else name
