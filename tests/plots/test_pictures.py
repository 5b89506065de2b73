"""Three figures compared with kept pictures, so that a change of their look is seen.

``pytest tests/plots/test_pictures.py --mpl`` compares them. With
``--mpl-generate-path=tests/plots/pictures`` it draws the kept ones again. The tolerance allows for
other versions of FreeType, which hint text differently.
"""

import pytest
from matplotlib.figure import Figure
from records import ROWS, TITLE, plane, samples

from zpfit.io.figure_spec import FigureSpec
from zpfit.plots.comparison import evidence_figure
from zpfit.plots.corner import corner_figure
from zpfit.plots.exclusion import exclusion_figure
from zpfit.plots.style import house_style

pytestmark = pytest.mark.drawn

pytest.importorskip("pytest_mpl")

compared = pytest.mark.mpl_image_compare(
    baseline_dir="pictures", tolerance=12, savefig_kwargs={"dpi": 80}, style="default"
)


@compared
def test_plane() -> Figure:
    with house_style():
        return exclusion_figure(plane(12), FigureSpec(highlight=("Search 3",)))


@compared
def test_corner() -> Figure:
    stored, best = samples(2)
    with house_style():
        figure = corner_figure(stored, best, TITLE)
    assert figure is not None
    return figure


@compared
def test_comparison() -> Figure:
    with house_style():
        return evidence_figure(ROWS)
