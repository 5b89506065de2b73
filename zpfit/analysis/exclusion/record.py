"""The record of an exclusion map, for JSON and tables."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from shapely import MultiPolygon, box, unary_union

from zpfit.analysis.exclusion.blocking import blocking
from zpfit.analysis.exclusion.exclusion import ExclusionMap, NamedRegion
from zpfit.analysis.exclusion.plane import Side
from zpfit.analysis.exclusion.slice import PARAMETERS, Slice
from zpfit.analysis.exclusion.statement import WITHOUT_LEVEL, statement
from zpfit.analysis.levels import in_percent
from zpfit.analysis.records import ExclusionMapRecord
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.entry_labels import entry_labels
from zpfit.models.base import Parameter
from zpfit.physics.observables import find_observable

_DIGITS = 7
"""Significant digits of coordinates."""
_SAME_LEVEL = 5e-4
"""Difference of confidence levels that have the same name: 0.954 and 2 sigma."""


def exclusion_record(chosen: Slice, traced: ExclusionMap) -> ExclusionMapRecord:
    """Return the regions and contours of a map, in values of the parameters.

    ``regions`` have ``name``, ``label``, ``kind``, ``sigma``, ``level``, ``share`` of the plane
    and ``polygons``, each an outer ring and its holes, each a list of [x, y]. ``contours`` have
    ``name``, ``level`` and ``lines``. ``allowed`` has the share and the reach in x and y of
    the allowed region and its ``stretches`` of x; it is null if nothing is allowed, and
    ``excluded_by`` then names the regions that exclude everything. ``reference`` says where
    measurements exclude: ``kind``, and ``cl``, ``delta_chi2``, ``parameters`` and ``curves``, or
    ``sigma`` and ``within`` of pulls. ``figure`` is
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
        "reference": _reference(chosen),
        "regions": [_region(chosen, region, labels) for region in traced.regions],
        "contours": [
            {"name": c.name, "level": c.level, "lines": [_values(chosen, line) for line in c.lines]}
            for c in traced.contours
        ],
        "allowed": _reach(chosen, traced.allowed),
        "notes": list(chosen.notes),
    }
    found = blocking(traced.regions) if record["allowed"] is None else None
    if found is not None:
        own = [_region_label(chosen, region, labels) for region in found.regions]
        names = [region.name for region in found.regions]
        record["excluded_by"] = {"names": names, "labels": own, "alone": found.alone}
    if figure:
        record["figure"] = figure
    return record


def _reference(chosen: Slice) -> dict[str, Any]:
    """Return where measurements exclude."""
    settings = chosen.settings
    if chosen.delta_chi2 is None:
        within = dict(settings.within)
        return {"kind": settings.reference, "sigma": chosen.usual_sigma, "within": within}
    return {
        "kind": settings.reference,
        "cl": chosen.cl,
        "delta_chi2": chosen.delta_chi2,
        "parameters": PARAMETERS,
        "curves": settings.curves,
    }


def _level(chosen: Slice, region: NamedRegion) -> float | None:
    """Return the confidence level of a region; None if it has none, as with pulls and bands."""
    if region.kind != "excluded":
        return None
    published = chosen.published_levels
    if region.name in published and chosen.settings.curves == "published":
        return published[region.name]
    return chosen.cl


def _marked(chosen: Slice, region: NamedRegion, label: str) -> str:
    """Return the label of a published limit with its level, where that is not the plane's.

    A label that ends in brackets takes the level into them.
    """
    published = chosen.published_levels
    if chosen.cl is None or chosen.settings.curves == "rescaled":
        return label
    if region.kind != "excluded" or region.name not in published:
        return label
    level = published[region.name]
    if level is not None and abs(level - chosen.cl) < _SAME_LEVEL:
        return label
    mark = WITHOUT_LEVEL if level is None else in_percent(level)
    return f"{label[:-1]}, {mark})" if label.endswith(")") else f"{label} ({mark})"


def _axis(axis: Side, parameter: Parameter) -> dict[str, Any]:
    return {
        "name": axis.name,
        "symbol": parameter.symbol,
        "unit": parameter.unit,
        "lower": axis.lower,
        "upper": axis.upper,
        "scale": axis.scale,
    }


def _region_label(chosen: Slice, region: NamedRegion, labels: Mapping[str, str]) -> str:
    if region.kind == "unreachable":
        observables = (find_observable(s.observable.name) for s in chosen.plane.solved)
        symbols = (f"${o.symbol}$" if o.symbol else o.name for o in observables)
        return f"{', '.join(symbols)} out of reach"
    if region.kind == "joint":
        return "not all data met at once"
    return _marked(chosen, region, labels.get(region.name, region.name))


def _region(chosen: Slice, region: NamedRegion, labels: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": region.name,
        "label": _region_label(chosen, region, labels),
        "kind": region.kind,
        "sigma": region.sigma,
        "level": _level(chosen, region),
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
    content = f"{record['title']}; model {record['model']}, likelihood {record['likelihood']}"
    yield f"# {'; '.join([content, *statement(record['reference'])])}"
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
