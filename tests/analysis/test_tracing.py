"""Compare traced regions of the unit square with known shapes."""

import numpy as np
import pytest
import shapely
from numpy.testing import assert_allclose
from shapely import MultiPolygon, Polygon, box, unary_union
from shapely.geometry.base import BaseGeometry

from zpfit.analysis.exclusion.tracing import SQUARE, inner_lines, mesh_nodes, trace, without_slivers

NARROW = 1e-5
"""Tolerance of corners and areas."""
STRAIGHT = 3e-5
"""Tolerance of the boundary between corners."""


def traced(*shapes, mesh=200) -> list[BaseGeometry]:
    """Return the regions in which functions of x and y are positive."""

    def depth(u, which):
        values = np.stack([shape(*u.T) for shape in shapes])
        return values[which, np.arange(len(u))]

    nodes = mesh_nodes(mesh)
    return trace(depth, np.stack([shape(*nodes.T) for shape in shapes]))


def corners(region: BaseGeometry) -> np.ndarray:
    """Return the corners of the boundary inside the square."""
    return np.concatenate(inner_lines(region))


def along(region: BaseGeometry, shares=(0.0, 0.25, 0.5, 0.75)) -> np.ndarray:
    """Return points on the boundary inside the square, at corners and between them."""
    points = [
        line[:-1] + share * np.diff(line, axis=0)
        for line in inner_lines(region)
        for share in shares
    ]
    return np.concatenate(points)


def distances(points: np.ndarray, region: BaseGeometry) -> np.ndarray:
    """Return the distance of points from the boundary of a region."""
    return shapely.distance(shapely.points(points), region.boundary)


def circle(x, y, radius=0.3):
    return radius**2 - (x - 0.5) ** 2 - (y - 0.5) ** 2


def ring(x, y):
    return np.minimum(circle(x, y, 0.4), -circle(x, y, 0.1))


def half_plane(x, y):
    return 0.3 + 0.21 * x - y


def everywhere(x, y):
    return np.ones_like(x)


def nowhere(x, y):
    return -np.ones_like(x)


def outline(nodes):
    """Return a function that is positive below the straight lines between nodes."""
    xs, ys = np.array(nodes).T
    return lambda x, y: np.interp(x, xs, ys) - y


STEP = [(0, 0.3), (0.3141, 0.3), (0.3141, 0.7123), (1, 0.7123)]
"""Nodes of a jump between two lines of the mesh."""
ZIGZAG = [(0, 0.5), (0.1234, 0.7), (0.2345, 0.3), (0.4567, 0.62), (0.4711, 0.4), (1, 0.55)]


def step(x, y):
    return np.where(x < 0.3141, 0.3, 0.7123) - y


def below(nodes):
    """Return the polygon below a line from the left to the right side."""
    return Polygon([*nodes, (1, 0), (0, 0)])


def test_depth_zero_is_outside():
    """The logarithm of a condition that is 1 in the allowed region is zero there."""

    def condition(x, y):
        return np.log(np.where(circle(x, y) > 0, 2.0, 1.0))

    [region] = traced(condition)
    assert len(getattr(region, "geoms", [region])) == 1
    assert region.area == pytest.approx(np.pi * 0.3**2, abs=10 * NARROW)
    assert_allclose(np.hypot(*(corners(region) - 0.5).T), 0.3, atol=NARROW)


def test_infinite_depths():
    [region] = traced(lambda x, y: np.where(half_plane(x, y) > 0, np.inf, -np.inf))
    [exact] = traced(half_plane)
    assert region.symmetric_difference(exact).area < NARROW


def test_nodes_of_the_mesh_run_row_by_row():
    assert_allclose(mesh_nodes(1), [[0, 0], [1, 0], [0, 1], [1, 1]])


def test_circle():
    [region] = traced(circle)
    assert isinstance(region, Polygon)
    assert not region.interiors
    assert_allclose(np.hypot(*(corners(region) - 0.5).T), 0.3, atol=NARROW)
    assert_allclose(np.hypot(*(along(region) - 0.5).T), 0.3, atol=STRAIGHT)
    assert region.area == pytest.approx(np.pi * 0.3**2, abs=STRAIGHT)


@pytest.mark.parametrize("mesh", [20, 50, 333])
def test_the_mesh_does_not_matter(mesh: int):
    [region] = traced(circle, mesh=mesh)
    assert_allclose(np.hypot(*(along(region) - 0.5).T), 0.3, atol=STRAIGHT)


def test_the_scale_of_the_depth_does_not_matter():
    small, large = traced(lambda x, y: 1e-9 * circle(x, y), lambda x, y: 1e9 * circle(x, y))
    for region in (small, large):
        assert_allclose(np.hypot(*(along(region) - 0.5).T), 0.3, atol=STRAIGHT)


def test_sign_alone_is_enough():
    [region] = traced(lambda x, y: np.sign(circle(x, y)))
    assert_allclose(np.hypot(*(along(region) - 0.5).T), 0.3, atol=STRAIGHT)


def test_ring_has_a_hole():
    [region] = traced(ring)
    assert isinstance(region, Polygon)
    [hole] = region.interiors
    assert_allclose(np.hypot(*(np.array(hole.coords) - 0.5).T), 0.1, atol=NARROW)
    assert_allclose(np.hypot(*(np.array(region.exterior.coords) - 0.5).T), 0.4, atol=NARROW)
    assert region.area == pytest.approx(np.pi * (0.4**2 - 0.1**2), abs=2 * STRAIGHT)


def test_half_plane():
    [region] = traced(half_plane)
    x, y = along(region).T
    assert_allclose(y, 0.3 + 0.21 * x, atol=NARROW)
    assert region.area == pytest.approx(0.3 + 0.21 / 2, abs=NARROW)
    assert_allclose(region.bounds, [0, 0, 1, 0.51], atol=NARROW)


def test_jump():
    [region] = traced(step)
    assert region.area == pytest.approx(below(STEP).area, abs=NARROW)
    assert region.boundary.hausdorff_distance(below(STEP).boundary) < STRAIGHT


def test_kinks_between_the_lines_of_the_mesh():
    [region] = traced(outline(ZIGZAG))
    expected = below(ZIGZAG)
    assert_allclose(distances(corners(region), expected), 0, atol=NARROW)
    assert_allclose(distances(along(region), expected), 0, atol=2e-4)
    assert_allclose(distances(np.array(ZIGZAG), region), 0, atol=4e-4)
    assert region.symmetric_difference(expected).area < NARROW


def test_strip_much_narrower_than_a_cell():
    """A narrow strip between two wide regions has the correct width."""
    width = 2e-4
    low, high = traced(half_plane, lambda x, y: -half_plane(x, y) - width)
    strip = without_slivers(SQUARE.difference(unary_union([low, high])))
    assert strip.area == pytest.approx(width, rel=0.05)
    assert_allclose(strip.bounds, [0, 0.3, 1, 0.51 + width], atol=NARROW)
    assert len(strip.geoms) == 1


def test_strip_that_closes_at_a_point():
    low, high = traced(lambda x, y: 0.5 - 0.01 * x - y, lambda x, y: y - 0.479 - 0.01 * x)
    strip = without_slivers(SQUARE.difference(unary_union([low, high])))
    assert strip.is_empty
    low, high = traced(lambda x, y: 0.5 - 0.01 * x - y, lambda x, y: y - 0.495 - 0.01 * x)
    strip = without_slivers(SQUARE.difference(unary_union([low, high])))
    assert strip.bounds[0] == pytest.approx(0.25, abs=0.01)
    assert strip.bounds[2] == pytest.approx(1, abs=NARROW)


SHAPES = (circle, ring, half_plane, nowhere, step, everywhere, outline(ZIGZAG))


def test_regions_traced_together_equal_those_traced_alone():
    for shape, region in zip(SHAPES, traced(*SHAPES), strict=True):
        [alone] = traced(shape)
        assert region.symmetric_difference(alone).area < 1e-6
        assert region.is_empty or region.hausdorff_distance(alone) < NARROW


def test_everywhere_and_nowhere():
    full, empty = traced(everywhere, nowhere)
    assert full.equals(SQUARE)
    assert empty.is_empty
    assert inner_lines(full) == inner_lines(empty) == []
    assert without_slivers(empty).is_empty
    assert without_slivers(full).equals(SQUARE)


def test_several_pieces():
    [region] = traced(lambda x, y: np.sin(4 * np.pi * x) * np.sin(2 * np.pi * y))
    assert isinstance(region, MultiPolygon)
    assert region.area == pytest.approx(0.5, abs=NARROW)


def test_region_that_touches_the_border():
    [region] = traced(lambda x, y: 0.25 - x**2 - (y - 0.5) ** 2)
    assert region.area == pytest.approx(np.pi * 0.25 / 2, abs=STRAIGHT)
    [line] = inner_lines(region)
    assert_allclose(np.hypot(line[:, 0], line[:, 1] - 0.5), 0.5, atol=NARROW)
    assert_allclose(np.sort(line[[0, -1], 1]), [0, 1], atol=1e-3)


def test_corner_of_the_square():
    [region] = traced(lambda x, y: x + y - 1.9)
    assert region.area == pytest.approx(0.1**2 / 2, abs=NARROW)
    assert region.bounds == pytest.approx((0.9, 0.9, 1, 1), abs=NARROW)


def test_inner_lines_leave_out_the_border():
    [line] = inner_lines(Polygon([(0, 0), (0.5, 0), (0.5, 1), (0, 1)]))
    assert_allclose(line[:, 0], 0.5)
    assert_allclose(np.sort(line[:, 1]), [0, 1], atol=NARROW)


def test_inner_lines_keep_a_closed_line_whole():
    [line] = inner_lines(box(0.2, 0.3, 0.4, 0.5))
    assert_allclose(line[0], line[-1])
    assert len(line) == 5


def test_slivers_are_dropped_and_the_rest_is_kept():
    fat, sliver = box(0.1, 0.1, 0.4, 0.4), box(0.5, 0.1, 0.50002, 0.9)
    kept = without_slivers(unary_union([fat, sliver]))
    assert kept.symmetric_difference(fat).area < 1e-9
    assert without_slivers(sliver).is_empty


def test_a_tail_that_is_a_sliver_is_cut_off():
    fat, tail = box(0.1, 0.1, 0.4, 0.4), box(0.4, 0.2, 0.9, 0.20002)
    assert without_slivers(unary_union([fat, tail])).bounds[2] < 0.401


def test_narrow_strips_that_are_no_slivers_are_kept():
    strip = box(0.1, 0.1, 0.9, 0.1002)
    assert without_slivers(strip).area == pytest.approx(strip.area, rel=1e-6)


def test_sharp_tips_are_kept():
    wedge = Polygon([(0.1, 0.5), (0.9, 0.46), (0.9, 0.54)])
    assert without_slivers(wedge).symmetric_difference(wedge).area < 1e-9
    assert without_slivers(wedge).bounds[0] == pytest.approx(0.1, abs=NARROW)
