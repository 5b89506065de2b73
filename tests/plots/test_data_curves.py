"""Pictures of data: panels are named by labels of the field, at a size that a reader sees."""

import re

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from zpfit.io.library import Library
from zpfit.likelihood.describe import curve_in_mixing
from zpfit.likelihood.labels import distinct_labels
from zpfit.likelihood.library import read_entry
from zpfit.plots.data_curves import NamedCurve, curves_figure
from zpfit.plots.style import house_style

pytestmark = pytest.mark.drawn

NAMES = ("babar_2014", "babar_2014_envelope", "kloe_phi_2013", "a1_2014", "na62_invisible_2019")


def test_panels_have_labels_of_the_field() -> None:
    entries = {name: read_entry(Library.beside(), name) for name in NAMES}
    labels = distinct_labels({name: own.entry.label for name, own in entries.items()})
    curves = [NamedCurve(labels[name], curve_in_mixing(own)) for name, own in entries.items()]
    with house_style():
        figure = curves_figure("Searches", curves, r"\varepsilon")
        figure.draw(FigureCanvasAgg(figure).get_renderer())
    titles = [" ".join(axes.get_title().split()) for axes in figure.axes]
    assert titles == [
        "BaBar (2014)",
        "BaBar (2014, envelope)",
        r"KLOE ($\phi$, 2013)",
        "A1 (2014)",
        "NA62 (invisible, 2019)",
    ]
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text) and text.get_text()]
    assert figure.get_suptitle() == "Searches"
    assert min(text.get_fontsize() for text in texts) >= 6.0
    assert not [text for text in texts if re.search(r"[a-z]_[a-z0-9]", text.get_text())]
