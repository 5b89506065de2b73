"""Test how the report writes symbols and numbers, and its colours."""

import re
from pathlib import Path

import numpy as np
import pytest

from zpfit.pages.report.symbols import label_html, number, plain, symbol_html
from zpfit.pages.report.tables import fixed, value, with_error


@pytest.mark.parametrize(
    ("latex", "html"),
    [
        ("m_{Z'}", "m<sub>Z\u2032</sub>"),
        (r"C_{\nu_{\mu}}", "C<sub>\u03bd<sub>\u03bc</sub></sub>"),
        (r"10^{-5}", "10<sup>−5</sup>"),
        (r"\Delta a_e", "\u0394a<sub>e</sub>"),
        ("<b>", "&lt;b&gt;"),
        (r"\unknown", "unknown"),
        ("x_", "x<sub></sub>"),
        ("", ""),
        ("}{", ""),
    ],
)
def test_symbols(latex, html):
    assert symbol_html(latex) == html


def test_labels_and_numbers():
    assert label_html("NA64$\\mu$ <x>") == "NA64\u03bc &lt;x&gt;"
    assert label_html("5 $") == "5 $"
    assert plain("$a_e$ (Cs)") == "ae (Cs)"
    assert number(-1.5e-7) == "\u22121.5\u00d710\u207b\u2077"
    assert number(2234.0, 2) == "2,200"
    assert number(2.2e7) == "2.2\u00d710\u2077"
    assert number(None) == "\u2013"
    assert value(None).sort_key == "\u2013"
    assert with_error(1.0, 0.004).text == "+1.000 \u00b1 0.004"
    assert fixed(-1e-9, 2).text == "0.00"


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def test_contrast():
    # WCAG 2.2, 1.4.3: 4.5 to 1.
    css = (Path(__file__).parents[2] / "zpfit" / "pages" / "report" / "page.css").read_text()
    schemes = re.findall(r"--back:[^}]*", css)
    assert len(schemes) == 3
    assert schemes[1].split() == schemes[2].split()
    for scheme in schemes:
        colours = dict(re.findall(r"--(\w+): (#\w{6})", scheme))
        for front in ("text", "muted", "accent", "good", "bad"):
            for back in ("back", "stripe", "card"):
                light, dark = sorted(luminance(colours[c]) for c in (front, back))[::-1]
                assert (light + 0.05) / (dark + 0.05) > 4.5
