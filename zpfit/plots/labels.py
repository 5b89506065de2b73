"""Placement of labels in the regions of a figure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from matplotlib import cbook
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, uniform_filter
from shapely.geometry.base import BaseGeometry

from zpfit.io.arrays import FloatArray
from zpfit.io.formulas import as_formulas

Mask = NDArray[np.bool_]

_PIXELS = 240
"""Pixels along each side of the axes."""
_FULL = 1 - 1e-6
_CENTRING = 0.2
"""Weight of the distance from the middle of an edge, beside that from its nearest point."""
_CROSSING = 0.6
"""Cost of a label that lies wholly on crossed pixels, in sides of the axes."""


@dataclass(frozen=True)
class Place:
    """Place of a label, in fractions of the axes."""

    x: float
    y: float
    rotation: float
    """Rotation in degrees, 0 or 90."""


class LabelBoard:
    """Map of the parts of the axes that labels occupy."""

    def __init__(self) -> None:
        side = (np.arange(_PIXELS) + 0.5) / _PIXELS
        self._x, self._y = np.meshgrid(side, side)
        self._taken = np.zeros((_PIXELS, _PIXELS), dtype=bool)

    def mask(self, region: BaseGeometry) -> Mask:
        """Return the pixels that a region of the unit square covers."""
        shapely.prepare(region)
        covered: Mask = shapely.contains_xy(region, self._x, self._y)
        return covered

    def take(self, mask: Mask) -> None:
        """Mark pixels as occupied."""
        self._taken |= mask

    def take_box(self, x: float, y: float, size: tuple[float, float]) -> None:
        """Mark a box of (width, height) around a point as occupied."""
        self.take((np.abs(self._x - x) <= size[0] / 2) & (np.abs(self._y - y) <= size[1] / 2))

    def take_frame(self, width: float) -> None:
        """Mark a strip of some width along the frame as occupied."""
        sides = np.minimum(np.minimum(self._x, 1 - self._x), np.minimum(self._y, 1 - self._y))
        self.take(sides < width)

    def place(self, mask: Mask, size: tuple[float, float]) -> Place | None:
        """Return the place with most space for a label, upright or rotated; None without space."""
        free = mask & ~self._taken
        for rotation, box in ((0.0, size), (90.0, size[::-1])):
            centres = self._centres(free, box)
            if centres.any():
                room = distance_transform_edt(np.pad(free, 1))[1:-1, 1:-1]
                return self._put(np.where(centres, room, -1.0), box, rotation)
        return None

    def place_near(self, target: tuple[float, float], size: tuple[float, float]) -> Place | None:
        """Return the free place nearest to a point, but not on it."""
        away = np.hypot(self._x - target[0], self._y - target[1])
        centres = self._centres(~self._taken, size) & (away > 2 * size[1] + 0.5 * size[0])
        if not centres.any():
            return None
        return self._put(np.where(centres, -away, -np.inf), size, 0.0)

    def place_beside(
        self, points: FloatArray, size: tuple[float, float], crossed: Mask, barred: Mask
    ) -> Place | None:
        """Return a free place near some points, rather near their middle; None without space.

        The place stays free until :meth:`take_box` takes it.

        Parameters
        ----------
        points
            Places in fractions of the axes, shape (n, 2), in the order of a line.
        size
            Width and height of the label in fractions of the axes.
        crossed
            Pixels that the label should not cover, but may.
        barred
            Pixels where the centre of the label cannot be.
        """
        centres = self._centres(~self._taken, size) & ~barred
        if not centres.any():
            return None
        x, y = self._x[centres][:, None], self._y[centres][:, None]
        across = np.maximum(np.abs(x - points[:, 0]) - size[0] / 2, 0)
        along = np.maximum(np.abs(y - points[:, 1]) - size[1] / 2, 0)
        middle = points[len(points) // 2]
        away = np.hypot(x[:, 0] - middle[0], y[:, 0] - middle[1])
        cost = np.hypot(across, along).min(axis=1) + _CENTRING * away
        cost += _CROSSING * self._share(crossed, size)[centres]
        row, column = np.argwhere(centres)[np.argmin(cost)]
        return Place(float(self._x[row, column]), float(self._y[row, column]), 0.0)

    def empty(self) -> Mask:
        """Return a mask without pixels."""
        return np.zeros_like(self._taken)

    def _centres(self, free: Mask, box: tuple[float, float]) -> Mask:
        """Return the pixels where the centre of a box can be with all of the box free."""
        fits: Mask = self._share(free, box) > _FULL
        return fits

    @staticmethod
    def _share(mask: Mask, box: tuple[float, float]) -> FloatArray:
        """Return the fraction of a box around each pixel that a mask covers."""
        width, height = (max(round(length * _PIXELS), 1) for length in box)
        return np.asarray(uniform_filter(mask.astype(float), (height, width), mode="constant"))

    def _put(self, merit: NDArray[np.float64], box: tuple[float, float], rotation: float) -> Place:
        row, column = np.unravel_index(int(np.argmax(merit)), merit.shape)
        x, y = float(self._x[row, column]), float(self._y[row, column])
        self.take_box(x, y, box)
        return Place(x, y, rotation)


def text_width(text: str, points: float) -> float:
    """Return the length of the longest line of a text in inches."""
    font, measure = FontProperties(size=points), text_to_path.get_text_width_height_descent
    widths = (measure(line, font, cbook.is_math_text(line))[0] for line in text.split("\n"))
    return float(max(widths)) / 72


def text_size(text: str, points: float, axes_inches: tuple[float, float]) -> tuple[float, float]:
    """Return the size of a label with a margin, in fractions of the axes."""
    width = text_width(text, points) + points / 72
    return width / axes_inches[0], 1.4 * points / 72 / axes_inches[1]


_BREAKS = re.compile(r" (?=[^$]*(?:\$[^$]*\$[^$]*)*$)")
"""Blanks outside formulas, where a title can wrap."""


def wrapped(title: str, size: float, width: float) -> str:
    """Return a title in lines of at most ``width`` inches at a font size; formulas stay whole."""
    return "\n".join(in_lines(_BREAKS.split(as_formulas(title)), " ", size, width))


def in_lines(words: Sequence[str], separator: str, points: float, width: float) -> list[str]:
    """Return words as lines of at most ``width`` inches, unless a single word is longer."""
    lines: list[str] = []
    filled, gap = 0.0, text_width(separator, points)
    for word in words:
        own = text_width(word, points)  # one by one, as figures have words in common
        if lines and filled + gap + own <= width:
            lines[-1] += separator + word
            filled += gap + own
            continue
        if lines:
            lines[-1] += separator.rstrip()
        lines.append(word)
        filled = own
    return lines
