"""Publications as plain text, Markdown and BibTeX, with nothing that the data do not say."""

from collections.abc import Sequence

from zpfit.bibliography import Reference
from zpfit.entries import Citation

_SPECIAL = str.maketrans({character: f"\\{character}" for character in "&%$#_"})


def as_text(references: Sequence[Reference]) -> str:
    """One publication a paragraph: key, where it is, and what uses it."""
    return "\n".join(
        f"{r.citation.key}: {_where(r.citation)}\n    for {', '.join(r.used_for)}"
        for r in references
    )


def as_bibtex(references: Sequence[Reference]) -> str:
    """One ``@article`` each; titles and authors are INSPIRE's to add, by the keys."""
    return "\n\n".join(_article(reference.citation) for reference in references)


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


def _article(citation: Citation) -> str:
    fields = {
        "journal": citation.journal and citation.journal.translate(_SPECIAL),
        "eprint": citation.arxiv,
        "archivePrefix": citation.arxiv and "arXiv",
        "doi": citation.doi,
    }
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value]
    return "@article{" + ",\n".join([citation.key, *lines]) + "\n}"
