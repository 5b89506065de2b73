"""LaTeX symbols as HTML for pages and Plotly's labels, and numbers in a few digits.

latex2mathml is not used: Plotly shows only sub, sup and i elements.
"""

import re
import unicodedata
from html import escape

from markupsafe import Markup

from zpfit.io.formulas import as_formulas

_TOKEN = re.compile(r"\\[A-Za-z]+ ?|\\.|[{}_^]|.", re.DOTALL)
_WORDS = {
    "ell": "\u2113", "to": "\u2192", "times": "\u00d7", "pm": "\u00b1", "bar": "anti-",
    "lesssim": "\u2272", "approx": "\u2248", ",": " ", ";": " ", "rm": "", "mathrm": "", "text": "",
}  # fmt: skip
_WRITTEN_OUT = 1e6
_RAISED = str.maketrans(
    "-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
)
_SIGNS = str.maketrans({"'": "\u2032", "-": "\u2212"})
_TAGS = {"_": "sub", "^": "sup"}


def symbol_html(latex: str) -> Markup:
    """Return HTML of a formula without dollar signs; unknown commands are shown by name.

    Groups, subscripts, superscripts and Greek letters are supported; symbols of parameters have
    nothing else.
    """
    return Markup(_group(list(_TOKEN.findall(latex))))  # noqa: S704 - escaped letter by letter


def label_html(label: str) -> Markup:
    """Return HTML of text with formulas between dollar signs."""
    parts = label.split("$")
    if len(parts) % 2 == 0:  # a lone dollar sign
        return Markup(escape(label))  # noqa: S704 - escaped
    return Markup("").join(
        symbol_html(part) if i % 2 else Markup(escape(part))  # noqa: S704 - escaped
        for i, part in enumerate(parts)
    )


def title_html(title: str) -> Markup:
    """Return HTML of a title with its formulas and its symbols in ASCII.

    Examples
    --------
    >>> print(title_html("Gauged L_mu - L_tau"))
    Gauged L<sub>μ</sub>−L<sub>τ</sub>
    """
    return label_html(as_formulas(title))


def plain(label: str) -> str:
    """Return plain text of text with formulas, for sentences and screen readers."""
    return label_html(label).striptags()


def number(value: float | None, digits: int = 3) -> str:
    """Return a number in a few digits; a dash for None."""
    if value is None:
        return "\u2013"
    text = f"{value:.{digits}g}"
    if "e+" in text and abs(value) < _WRITTEN_OUT:
        text = f"{float(text):,.0f}"
    mantissa, _, exponent = text.partition("e")
    return mantissa.replace("-", "\u2212") + (_power(exponent) if exponent else "")


def _power(exponent: str) -> str:
    return f"\u00d710{str(int(exponent)).translate(_RAISED)}"


def typeset(text: str) -> Markup:
    """Return HTML of a sentence of plain ASCII with its powers, signs and arrows.

    Examples
    --------
    >>> print(typeset("1 +- 0.06, sin^2(theta_w), 1e-9, 2 -> 4"))
    1 ± 0.06, sin<sup>2</sup>(θ<sub>w</sub>), 10⁻⁹, 2 → 4
    >>> print(typeset("(-8.7 +- 3.6)e-13, m_Zp above 3 MeV"))
    (−8.7 ± 3.6)×10⁻¹³, m<sub>Z′</sub> above 3 MeV
    """
    html = (
        str(title_html(text.replace("Z'", "Z\u2032")))
        .replace("+-", "\u00b1")
        .replace("-&gt;", "\u2192")
    )
    html = re.sub(r"(?<![\w)>])-(?=\d)", "\u2212", html)
    html = re.sub(r"\b1e([-+]?\d+)\b", lambda m: _power(m[1])[1:], html)
    html = re.sub(r"(?<=[\d)])e([-+]?\d+)\b", lambda m: _power(m[1]), html)
    html = re.sub(r"\^(-?\d+)", lambda m: f"<sup>{m[1]}</sup>".replace("-", "\u2212"), html)
    return Markup(re.sub(r"\btheta_(w|13|W)\b", "\u03b8<sub>\\1</sub>", html))  # noqa: S704 - escaped


def _group(tokens: list[str]) -> str:
    """Return HTML of tokens up to the end of a group, and remove them from the list."""
    html = ""
    while tokens:
        sign = tokens.pop(0)
        if sign == "}":
            break
        html += _one(sign, tokens)
    return html


def _one(sign: str, tokens: list[str]) -> str:
    if sign == "{":
        return _group(tokens)
    if sign in _TAGS:
        inner = _one(tokens.pop(0), tokens) if tokens else ""
        return f"<{_TAGS[sign]}>{inner}</{_TAGS[sign]}>"
    if sign.startswith("\\") and len(sign) > 1:
        return _named(sign[1:].strip())
    return "" if sign == " " else escape(sign.translate(_SIGNS))


def _named(name: str) -> str:
    if name in _WORDS:
        return _WORDS[name]
    size = "CAPITAL" if name[0].isupper() else "SMALL"
    try:
        return unicodedata.lookup(f"GREEK {size} LETTER {name.upper()}")
    except KeyError:
        return escape(name)
