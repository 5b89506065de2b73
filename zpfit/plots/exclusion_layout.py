"""Layout of an exclusion plot: sizes, fonts and the plane as fractions of the axes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.path import Path
from shapely import MultiPolygon, Polygon, make_valid
from shapely.geometry.base import BaseGeometry

from zpfit.analysis.records import ExclusionMapRecord
from zpfit.io.arrays import FloatArray

SIZE = (3.4, 3.1)
"""Inches: one column of a journal."""
LEFT, BOTTOM, RIGHT, TOP = 0.68, 0.44, 0.14, 0.36
"""Margins in inches."""
AXES_SIZE = (SIZE[0] - LEFT - RIGHT, SIZE[1] - BOTTOM - TOP)
"""Width and height of the axes in inches."""
FONT, SMALL = 8.0, 7.0
"""Sizes in points of labels, and of titles and legends."""


def as_path(polygons: Sequence[Sequence[FloatArray | Sequence[Sequence[float]]]]) -> Path:
    """Return polygons as one path; holes run against their outer ring and stay empty."""
    vertices: list[Any] = []
    codes: list[Any] = []
    for rings in polygons:
        for ring in rings:
            vertices.extend(ring)
            codes.extend([Path.MOVETO, *[Path.LINETO] * (len(ring) - 2), Path.CLOSEPOLY])
    return Path(vertices, codes)


def unit_points(record: ExclusionMapRecord, ring: Sequence[Sequence[float]]) -> FloatArray:
    """Return corners in fractions of the axes, shape (n, 2)."""
    columns = []
    for axis, values in zip((record["x"], record["y"]), np.array(ring).T, strict=True):
        lower, upper, scale = (axis[key] for key in ("lower", "upper", "scale"))
        if scale == "log":
            columns.append(np.log(values / lower) / np.log(upper / lower))
        else:
            columns.append((values - lower) / (upper - lower))
    return np.stack(columns, axis=1)


def region_shape(record: ExclusionMapRecord, region: Mapping[str, Any]) -> BaseGeometry:
    """Return a region of the plane as a shape in fractions of the axes."""
    polygons = [
        Polygon(unit_points(record, rings[0]), [unit_points(record, hole) for hole in rings[1:]])
        for rings in region["polygons"]
    ]
    return make_valid(MultiPolygon(polygons))


def path_in_axes(shape: BaseGeometry) -> Path:
    """Return a shape of the unit square as a path in fractions of the axes."""
    parts = [part for part in getattr(shape, "geoms", [shape]) if isinstance(part, Polygon)]
    return as_path([[np.asarray(r.coords) for r in (p.exterior, *p.interiors)] for p in parts])
