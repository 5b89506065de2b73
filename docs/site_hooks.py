"""What MkDocs does with a page beyond Markdown: formulas to MathML, roles of docstrings to code.

MathML is drawn by the browser itself, so that the site needs no script and no network for it.
"""

import html
import re
from typing import Any

from latex2mathml.converter import convert

_FORMULA = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">\\(?:\(|\[)(?P<latex>.*?)\\(?:\)|\])</(?P=tag)>',
    re.DOTALL,
)
_ROLE = re.compile(r":(?:func|class|meth|mod|attr|command):(?=<code>)")


def on_page_content(content: str, **_: Any) -> str:
    """The page's HTML with every formula as MathML."""
    return _ROLE.sub("", _FORMULA.sub(_mathml, content))


def _mathml(found: re.Match[str]) -> str:
    display = "block" if found["tag"] == "div" else "inline"
    return convert(html.unescape(found["latex"]), display=display)
