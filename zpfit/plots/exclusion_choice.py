"""Choice of the regions that an exclusion plot shows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np
import shapely
from shapely import Polygon, box, unary_union
from shapely.geometry.base import BaseGeometry

from zpfit.analysis.records import ExclusionMapRecord
from zpfit.errors import InvalidInput, ProblemCollector, suggestion
from zpfit.io.arrays import FloatArray
from zpfit.io.figure_spec import AxisLook, FigureSpec
from zpfit.plots.exclusion_layout import region_shape

SQUARE = box(0, 0, 1, 1)
"""The plane in fractions of its axes."""
_FINE = 0.01
"""Longest edge, in fractions of the axes, of a region that gets another scale."""
_ROUNDING = 1e-9

Region = Mapping[str, Any]


def arranged(record: ExclusionMapRecord, spec: FigureSpec) -> ExclusionMapRecord:
    """Return a map with the axes, groups, bands and lines of a figure, and without hidden entries.

    A region to highlight has the key ``bold``. Regions drawn as their edge
    alone have the kind ``line``.

    Raises
    ------
    InvalidInput
        The figure names entries or parameters that the map does not have, or a larger plane.
    """
    _check_names(record, spec)
    framed = _framed(record, spec)
    zoomed = (framed["x"], framed["y"]) != (record["x"], record["y"])
    grouped = {name for names in spec.groups.values() for name in names}
    regions: list[dict[str, Any]] = []
    for region in record["regions"]:
        if _is_among(region, (*spec.hide, *grouped)):
            continue
        shape = _shape(record, framed, region) if zoomed else None
        regions.append(_changed(region, shape, record, framed, spec))
    for label, names in spec.groups.items():
        members = [r for r in record["regions"] if _is_among(r, names) and r["kind"] != "allowed"]
        shape = _union(_shape(record, framed, region) for region in members)
        group = {**members[0], "name": label, "label": label, "kind": "excluded"}
        regions.insert(0, _changed(_with_shape(group, shape, framed), shape, record, framed, spec))
    contours = record["contours"]
    if zoomed:
        contours = [_clipped(framed, contour) for contour in contours]
    return {**framed, "regions": regions, "contours": contours}


def _check_names(record: ExclusionMapRecord, spec: FigureSpec) -> None:
    problems = ProblemCollector()
    known = list(_names(record["regions"]))
    asked: dict[str, Iterable[str]] = {
        "hide": spec.hide,
        "highlight": [name for name in spec.highlight if name not in spec.groups],
        "bands": spec.bands,
        "lines": [name for name in spec.lines if name not in spec.groups],
    }
    asked |= {f"groups.{label}": names for label, names in spec.groups.items()}
    for key, names in asked.items():
        for name in names:
            if name not in known:
                hint = suggestion(name, known)
                problems.add(f"figure.{key}: {name!r} is no region of the plane; {hint}")
    sides = [record["x"]["name"], record["y"]["name"]]
    for name in spec.axes:
        if name not in sides:
            problems.add(f"figure.axes: {name!r} is no axis; {suggestion(name, sides)}")
    problems.raise_if_any()


def _names(regions: Sequence[Region]) -> Iterator[str]:
    for region in regions:
        if region["kind"] != "allowed":
            yield from dict.fromkeys((region["name"], _entry(region["name"]), region["label"]))


def _entry(name: str) -> str:
    """Return the entry of a component of correlated measurements, which names both."""
    return name.partition("[")[0]


def _is_among(region: Region, names: Iterable[str]) -> bool:
    own = {region["name"], _entry(region["name"]), region["label"]}
    return region["kind"] != "allowed" and not own.isdisjoint(names)


def _changed(
    region: Region,
    shape: BaseGeometry | None,
    record: ExclusionMapRecord,
    framed: ExclusionMapRecord,
    spec: FigureSpec,
) -> dict[str, Any]:
    """Return a region in the form and on the axes that a figure asks for."""
    changed = dict(region)
    if shape is not None:
        changed = _with_shape(changed, shape, framed)
    if _is_among(region, spec.bands) and region["kind"] != "band":
        inside = SQUARE.difference(_shape(record, framed, region) if shape is None else shape)
        changed = {**_with_shape(changed, inside, framed), "kind": "band"}
    if _is_among(region, spec.lines):
        changed["kind"] = "line"
    if _is_among(region, spec.highlight):
        changed["bold"] = True
    return changed


def _framed(record: ExclusionMapRecord, spec: FigureSpec) -> ExclusionMapRecord:
    """Return a map with other ends, scales and labels of its axes."""
    sides = {
        side: _side(cast(Any, record)[side], spec.axes.get(cast(Any, record)[side]["name"]))
        for side in ("x", "y")
    }
    return {**record, "x": sides["x"], "y": sides["y"]}


def _side(side: Mapping[str, Any], look: AxisLook | None) -> dict[str, Any]:
    if look is None:
        return dict(side)
    given = look.model_dump(exclude_none=True)
    changed = {**side, **given}
    name = f"figure.axes.{side['name']}"
    low, high = changed["lower"], changed["upper"]
    reach = side["upper"] - side["lower"]
    if low < side["lower"] - _ROUNDING * reach or high > side["upper"] + _ROUNDING * reach:
        raise InvalidInput(
            [
                (
                    f"{name}: {low:g} to {high:g} leaves the plane, which was computed from "
                    f"{side['lower']:g} to {side['upper']:g}; compute a larger one"
                )
            ]
        )
    if low >= high:
        raise InvalidInput([f"{name}: lower ({low:g}) must be below upper ({high:g})"])
    if changed["scale"] == "log" and low <= 0:
        raise InvalidInput([f"{name}: a logarithmic axis from {low:g}; give a positive lower end"])
    return changed


def _shape(record: ExclusionMapRecord, framed: ExclusionMapRecord, region: Region) -> BaseGeometry:
    """Return a region in fractions of the new axes, clipped to them."""
    shape = region_shape(record, region)
    if (record["x"], record["y"]) == (framed["x"], framed["y"]):
        return shape
    clipped = shapely.segmentize(shape.intersection(_window(record, framed)), _FINE)
    moved = shapely.transform(clipped, lambda points: _fractions(framed, _values(record, points)))
    inside: BaseGeometry = shapely.make_valid(moved).intersection(SQUARE)
    return inside


def _window(record: ExclusionMapRecord, framed: ExclusionMapRecord) -> BaseGeometry:
    """Return the part of a plane that the new axes show, in fractions of the old ones."""
    ends = np.array([[framed["x"][end], framed["y"][end]] for end in ("lower", "upper")])
    (left, bottom), (right, top) = _fractions(record, ends)
    window: BaseGeometry = box(left, bottom, right, top)
    return window


def _values(record: ExclusionMapRecord, points: FloatArray) -> FloatArray:
    """Return values of the parameters at fractions of the axes, shape (n, 2)."""
    columns = []
    for axis, own in zip((record["x"], record["y"]), points.T, strict=True):
        low, high = axis["lower"], axis["upper"]
        if axis["scale"] == "log":
            columns.append(low * (high / low) ** own)
        else:
            columns.append(low + (high - low) * own)
    return np.stack(columns, axis=1)


def _fractions(record: ExclusionMapRecord, values: FloatArray) -> FloatArray:
    columns = []
    for axis, own in zip((record["x"], record["y"]), values.T, strict=True):
        low, high = axis["lower"], axis["upper"]
        if axis["scale"] == "log":
            columns.append(np.log(own / low) / np.log(high / low))
        else:
            columns.append((own - low) / (high - low))
    return np.stack(columns, axis=1)


def _with_shape(region: Region, shape: BaseGeometry, framed: ExclusionMapRecord) -> dict[str, Any]:
    polygons = [
        [_values(framed, np.asarray(ring.coords)) for ring in (part.exterior, *part.interiors)]
        for part in _polygons(shape)
    ]
    return {**region, "polygons": polygons, "share": float(shape.area)}


def _union(shapes: Iterable[BaseGeometry]) -> BaseGeometry:
    joined: BaseGeometry = unary_union([part for shape in shapes for part in _polygons(shape)])
    return joined


def _polygons(shape: BaseGeometry) -> Iterator[Polygon]:
    if isinstance(shape, Polygon):
        if not shape.is_empty:
            yield shape
        return
    for part in getattr(shape, "geoms", ()):
        yield from _polygons(part)


def _clipped(framed: ExclusionMapRecord, contour: Mapping[str, Any]) -> dict[str, Any]:
    """Return a contour whose lines lie inside the new axes."""
    kept: list[Any] = []
    for line in contour["lines"]:
        points = _fractions(framed, np.array(line, dtype=float))
        inside = shapely.LineString(points).intersection(SQUARE)
        kept += [
            _values(framed, np.asarray(part.coords)).tolist()
            for part in getattr(inside, "geoms", [inside])
            if isinstance(part, shapely.LineString) and not part.is_empty
        ]
    return {**contour, "lines": kept}


def joined(record: ExclusionMapRecord, kinds: Sequence[str]) -> list[list[FloatArray]]:
    """Return the union of the regions of some kinds, as polygons in values of the parameters."""
    found = _union(region_shape(record, r) for r in record["regions"] if r["kind"] in kinds)
    polygons: list[list[FloatArray]] = _with_shape({}, found, record)["polygons"]
    return polygons
