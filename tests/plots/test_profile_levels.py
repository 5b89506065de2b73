"""Labels of levels in the figure of a profile: none lies on a curve."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.path import Path
from records import profile

from zpfit.plots.profile import profile_figure
from zpfit.plots.style import house_style

pytestmark = pytest.mark.drawn


@pytest.mark.parametrize("minimum", [16.0, 20.0, 26.0])
def test_labels_of_levels_lie_beside_the_curve(minimum: float) -> None:
    record = profile()
    values = np.array(record["profile"]["values"][0])
    record["profile"]["delta_chi2"] = list((values - minimum) ** 2 / 4)
    with house_style():
        figure = profile_figure(record)
        renderer = FigureCanvasAgg(figure).get_renderer()
        figure.draw(renderer)
        panel = figure.axes[0]
        curve = max(panel.lines, key=lambda line: len(line.get_xdata()))
        path = Path(panel.transData.transform(curve.get_xydata()))
        boxes = {t.get_text(): t.get_window_extent(renderer) for t in panel.texts}
    assert set(boxes) == {"68.3 %", "95.4 %"}
    assert not [name for name, box in boxes.items() if path.intersects_bbox(box, filled=False)]
    frame = panel.get_window_extent(renderer)
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 for box in boxes.values())
