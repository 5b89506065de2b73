"""Map of signatures: angles of known directions, and what is drawn."""

import numpy as np
import pytest
from matplotlib.collections import PathCollection

from zpfit.analysis.atlas.signatures import HiggsPolicy
from zpfit.io.figure_spec import FigureSpec
from zpfit.plots.atlas_map import MapPanel, angles, map_figure
from zpfit.plots.style import house_style


@pytest.mark.parametrize(
    ("policy", "integers", "expected"),
    [
        (HiggsPolicy.RENORMALISABLE, (1, 0, 1, 0, 1), (45, np.degrees(np.arctan(0.5**0.5)))),
        (HiggsPolicy.RENORMALISABLE, (1, 0, -1, 0, 0), (-45, 0)),
        (HiggsPolicy.RENORMALISABLE, (0, 0, 1, 0, 0), (90, 0)),
        (HiggsPolicy.RENORMALISABLE, (0, 0, -1, 0, 0), (90, 0)),
        (HiggsPolicy.RENORMALISABLE, (0, 0, 0, 0, 1), (0, 90)),
        (HiggsPolicy.ZERO, (0, 3, 0, -3, 0), (-45, 0)),
        (HiggsPolicy.ZERO, (0, -1, 0, 1, 0), (-45, 0)),
        (HiggsPolicy.ZERO, (3, 3, 0, 4, 4), (np.degrees(np.arctan(4 / 3)), 45)),
        (HiggsPolicy.ZERO, (1, 0, 0, 0, 1), (0, 90)),
    ],
)
def test_angles_of_known_directions(
    policy: HiggsPolicy, integers: tuple[int, ...], expected: tuple[float, float]
) -> None:
    found = angles(np.array([integers], dtype=float), policy)
    np.testing.assert_allclose(np.ravel(found), expected, atol=1e-12)


def test_the_largest_gain_is_on_top_and_survivors_are_marked() -> None:
    rng = np.random.default_rng(1)
    vectors = rng.integers(-3, 4, (40, 5)).astype(float)
    gain = rng.random(40)
    gain[[3, 7]] = 11.0, 12.0
    panel = MapPanel("mine", HiggsPolicy.ZERO, vectors, gain)
    with house_style():
        figure = map_figure([panel, panel], "Title", FigureSpec(width=3.375))
        figure.draw_without_rendering()
    first, second, _ = figure.axes
    assert (first.get_xlim(), second.get_xlim()) == ((-90, 90), (-90, 90))
    points, edges = (c for c in first.collections if isinstance(c, PathCollection))
    drawn = np.asarray(points.get_array())
    np.testing.assert_array_equal(drawn, np.sort(gain))
    x, y = angles(vectors[[3, 7]], HiggsPolicy.ZERO)
    np.testing.assert_allclose(np.asarray(edges.get_offsets()), np.stack([x, y], axis=1))
