"""Publications as plain text, Markdown and BibTeX, with nothing that the data do not say."""

import re
from collections.abc import Sequence

from zpfit.likelihood.entry_base import Citation
from zpfit.runs.bibliography import Reference

_PARTS = (
    re.compile(r"(?P<journal>.+) (?P<volume>\d+), (?P<pages>\w+) \((?P<year>\d{4})\)"),
    re.compile(r"(?P<journal>JHEP|JCAP) (?P<volume>\d+) \((?P<year>\d{4})\) (?P<pages>\w+)"),
)
"""How journals are quoted: Phys. Rev. D 1, 2 (2003) and JHEP 01 (2003) 002."""
_SPECIAL = str.maketrans({character: f"\\{character}" for character in "&%$#_"})


def as_text(references: Sequence[Reference]) -> str:
    """One publication a paragraph: key, where it is, and what uses it."""
    return "\n".join(
        f"{r.citation.key}: {_where(r.citation)}\n    for {', '.join(r.used_for)}"
        for r in references
    )


def as_bibtex(references: Sequence[Reference]) -> str:
    """One ``@article`` or ``@misc`` each; titles and authors are INSPIRE's to add, by the keys."""
    return "\n\n".join(_item(reference.citation) for reference in references)


def as_markdown(citation: Citation) -> str:
    """Journal and arXiv number with links."""
    parts = []
    if citation.journal:
        journal = citation.journal
        parts.append(f"[{journal}](https://doi.org/{citation.doi})" if citation.doi else journal)
    elif citation.doi:
        parts.append(f"[doi:{citation.doi}](https://doi.org/{citation.doi})")
    if citation.arxiv:
        parts.append(f"[arXiv:{citation.arxiv}](https://arxiv.org/abs/{citation.arxiv})")
    return ", ".join(parts) or citation.key


def _where(citation: Citation) -> str:
    arxiv = citation.arxiv and f"arXiv:{citation.arxiv}"
    doi = citation.doi and f"doi:{citation.doi}"
    return ", ".join(part for part in (citation.journal, arxiv, doi) if part) or "no reference"


def _item(citation: Citation) -> str:
    found = (form.fullmatch(citation.journal or "") for form in _PARTS)
    parts = next((match.groupdict() for match in found if match), None)
    published = parts or ({"note": citation.journal} if citation.journal else {})
    fields = {name: text.translate(_SPECIAL) for name, text in published.items()} | {
        "eprint": citation.arxiv,
        "archivePrefix": citation.arxiv and "arXiv",
        "doi": citation.doi,
    }
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value]
    return f"@{'article' if parts else 'misc'}{{" + ",\n".join([citation.key, *lines]) + "\n}"
