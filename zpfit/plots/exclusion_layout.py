"""Layout of an exclusion plot: sizes, fonts and the plane as fractions of the axes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.path import Path
from shapely import MultiPolygon, Polygon, make_valid
from shapely.geometry.base import BaseGeometry

from zpfit.analysis.records import ExclusionMapRecord
from zpfit.io.arrays import FloatArray
from zpfit.io.figure_spec import FigureSpec
from zpfit.plots.labels import wrapped
from zpfit.plots.style import COLUMN, points

_LEFT_GAP, _TOP, _RIGHT = 0.08, 0.06, 0.14
"""Margins in inches beside labels, and above a plane without a title."""
_ASPECT = 0.91
"""Height of the figure over its width, before a legend is added."""
_BESIDE = 0.95
"""Width in inches of the labels beside the plane."""


@dataclass(frozen=True)
class Layout:
    """Sizes of an exclusion plot in inches, and of its texts in points."""

    width: float
    """Width of the figure."""
    height: float
    """Height of the figure without the legend below it."""
    left: float
    right: float
    bottom: float
    top: float
    """Margins."""
    font: float
    """Size of labels of regions."""
    small: float
    """Size of titles, legends and crowded labels."""
    title: str = ""
    """Title in lines that fit."""

    @property
    def axes(self) -> tuple[float, float]:
        """Width and height of the axes."""
        return self.width - self.left - self.right, self.height - self.bottom - self.top

    def fraction(self, length: float) -> float:
        """Return a length in points as a fraction of the shorter side of the axes."""
        return length / 72 / min(self.axes)


def layout_of(record: ExclusionMapRecord, spec: FigureSpec, y_label: float) -> Layout:
    """Return the layout of a figure.

    Parameters
    ----------
    record
        The map.
    spec
        Description of the figure.
    y_label
        Length in inches of the longest tick label of the y axis.
    """
    small, label = points("legend.fontsize"), points("axes.labelsize")
    width = spec.width or COLUMN
    left = y_label + 1.6 * label / 72 + _LEFT_GAP
    right = _BESIDE if spec.labels == "outside" else _RIGHT
    title = wrapped(spec.titled(record["title"]), small, width - left - right)
    rows = title.count("\n") + 1 if title else 0
    top = _TOP + 1.35 * small * rows / 72
    bottom = (1.6 * points("xtick.labelsize") + 1.8 * label) / 72
    if spec.height is not None or spec.aspect is not None:
        height = spec.size(width, width)[1]
    else:
        height = _ASPECT * (width - right + _RIGHT)
    return Layout(width, height, left, right, bottom, top, points("axes.labelsize"), small, title)


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
