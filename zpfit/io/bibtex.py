"""Read BibTeX files that are written with one field a line."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

_ITEM = re.compile(r"(?ms)^@(?P<kind>\w+)\{(?P<key>[^,\s]+),\n(?P<body>.*?)^\}$")
_FIELD = re.compile(r"^\s+(?P<name>\w+) = \{(?P<value>.*)\},?$", re.MULTILINE)
_ACCENT = re.compile(r"""\{?\\(?P<accent>['"`^~c])\{?\\?(?P<letter>\w)\}?\}?""")
_COMBINING = {
    "'": "\u0301",
    '"': "\u0308",
    "`": "\u0300",
    "^": "\u0302",
    "~": "\u0303",
    "c": "\u0327",
}
"""Unicode's combining character for each accent of TeX."""


@dataclass(frozen=True)
class BibItem:
    """An item of a BibTeX file."""

    kind: str
    """``article``, ``misc`` and so on."""
    key: str
    fields: Mapping[str, str]
    """Values in LaTeX, without the outer braces."""
    text: str
    """The whole item as it is written in the file."""


def parse_bibtex(text: str) -> dict[str, BibItem]:
    r"""Return the items of a BibTeX file by key.

    Examples
    --------
    >>> items = parse_bibtex("@misc{Doe:2020,\n  title = {On {QED}},\n  year = {2020}\n}\n")
    >>> items["Doe:2020"].fields["title"]
    'On {QED}'
    """
    return {
        match["key"]: BibItem(
            match["kind"],
            match["key"],
            {field["name"]: field["value"] for field in _FIELD.finditer(match["body"])},
            match[0],
        )
        for match in _ITEM.finditer(text)
    }


def plain_text(latex: str) -> str:
    r"""Return a LaTeX value as text: accents become letters, formulas keep their dollar signs.

    Examples
    --------
    >>> plain_text(r"{M{\o}ller} scattering, Clad{\'e}")
    'Møller scattering, Cladé'
    """
    formulas = re.split(r"(\$[^$]*\$)", latex)
    return "".join(p if p.startswith("$") else _without_commands(p) for p in formulas)


def _without_commands(latex: str) -> str:
    latex = latex.replace(r"{\o}", "ø").replace("--", "-")
    accented = _ACCENT.sub(lambda m: m["letter"] + _COMBINING[m["accent"]], latex)
    return unicodedata.normalize("NFC", re.sub("[{}]", "", accented))
