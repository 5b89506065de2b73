"""Publications that runs, slices, likelihood sets and entries rest on, as text or BibTeX.

Titles, authors and journals come from the packaged file ``likelihoods/references.bib``. Its keys
are those of INSPIRE, and a ``citations`` key of an entry file selects an item. A key that is not
in the file is cited by what the entry says: journal, arXiv number and DOI.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from zpfit.analysis.exclusion.slice import resolve_slice
from zpfit.errors import ProblemCollector, RunNotFound, UnknownName
from zpfit.inference.samplers.registry import find_engine
from zpfit.io.bibtex import BibItem, parse_bibtex, plain_text
from zpfit.io.document import Document
from zpfit.io.library import Library
from zpfit.io.places import Kind, packaged_data
from zpfit.io.schema import validate
from zpfit.io.yaml import read_text, read_yaml
from zpfit.likelihood.entries import EntryFile
from zpfit.likelihood.entry_base import Citation
from zpfit.likelihood.library import LoadedEntry, entries_of_set, read_entry
from zpfit.runs.run_file import find_run_file, load_run
from zpfit.runs.run_folder import RunFolder

FORMULAS = Citation(key="Bodas:2021fsy", arxiv="2102.07781")
"""The paper whose formulas zpfit uses; every bibliography cites it."""

_FILE = "likelihoods/references.bib"
_KINDS: tuple[Kind, ...] = ("run", "slice", "likelihood set", "entry")
_ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})")
_YEAR_FIRST = ("JHEP", "JCAP")
"""Journals that are quoted as "JHEP 06 (2018) 004"; others as "Phys. Rev. D 1, 2 (2003)"."""
_MOST_AUTHORS = 3
"""Longer lists of authors are shortened to the first one in text."""
_SPECIAL = str.maketrans({character: f"\\{character}" for character in "&%$#_"})
"""Characters of plain text that LaTeX reads as commands."""


@dataclass(frozen=True)
class Reference:
    """A publication and what it is cited for."""

    citation: Citation
    used_for: tuple[str, ...]
    """Names of data entries and sampling engines, or ``formulas``."""
    item: BibItem | None = None
    """The item of ``references.bib``; None for a key that is not in the file."""

    @property
    def title(self) -> str | None:
        """Title as text, with formulas in LaTeX; None if it is not known."""
        return plain_text(self.item.fields["title"]) if self.item else None

    @property
    def authors(self) -> str | None:
        """Authors as text, ``and others`` as "et al."; None if they are not known."""
        return _authors(self.item.fields["author"]) if self.item else None


@cache
def packaged_references() -> Mapping[str, BibItem]:
    """Return the items of the packaged ``references.bib`` by INSPIRE key.

    Examples
    --------
    >>> packaged_references()["Hanneke:2008tm"].fields["title"]
    'New Measurement of the Electron Magnetic Moment and the Fine Structure Constant'
    """
    return parse_bibtex((packaged_data() / _FILE).read_text(encoding="utf-8"))


def bibliography(names: Sequence[str]) -> list[Reference]:
    """Return the publications that files, run folders or packaged names rest on, each once.

    Parameters
    ----------
    names : sequence of str
        Paths or names of run files, slices, likelihood sets and entries, or run folders.

    Raises
    ------
    InvalidInput
        A name is unknown or a file is invalid; all problems are reported together.

    Examples
    --------
    >>> [reference.citation.key for reference in bibliography(["na64mu_2024"])][:2]
    ['Bodas:2021fsy', 'NA64:2024klw']
    """
    problems, used = ProblemCollector(), [(FORMULAS, "formulas")]
    for name in names:
        with problems.collecting():
            used += _uses(name)
    problems.raise_if_any()
    return [_complete(reference) for reference in merged(used)]


def merged(used: Iterable[tuple[Citation, str]]) -> list[Reference]:
    """Return one reference for each key, with every field that any of its citations has.

    A citation from the comment of a curve is known by its arXiv number alone. It joins the key
    that another citation or ``references.bib`` gives for this number.
    """
    used = list(used)
    key_of = {item.fields.get("eprint"): item.key for item in packaged_references().values()}
    key_of |= {c.arxiv: c.key for c, _ in reversed(used) if c.arxiv and not _is_nameless(c)}
    found: dict[str, Reference] = {}
    for citation, use in used:
        key = key_of.get(citation.arxiv or "", citation.key)
        known = found.get(key, Reference(Citation(key=key), ()))
        given = {k: v for k, v in citation.model_dump().items() if v is not None and k != "key"}
        found[key] = Reference(
            Citation(**(given | known.citation.model_dump(exclude_none=True))),
            tuple(dict.fromkeys((*known.used_for, use))),
        )
    return list(found.values())


def as_text(references: Sequence[Reference]) -> str:
    """Return one paragraph for each publication: key, authors, title, journal and use."""
    return "\n".join(
        f"{r.citation.key}: {_line(r)}\n    for {', '.join(r.used_for)}" for r in references
    )


def as_bibtex(references: Sequence[Reference]) -> str:
    """Return one BibTeX item for each publication."""
    return "\n\n".join(r.item.text if r.item else _own_item(r.citation) for r in references)


def as_record(reference: Reference) -> dict[str, Any]:
    """Return a publication as plain data, ready for JSON."""
    return {
        **reference.citation.model_dump(),
        "title": reference.title,
        "authors": reference.authors,
        "used_for": list(reference.used_for),
    }


def as_markdown(citation: Citation) -> str:
    """Return journal and arXiv number with links, or the key if there is neither."""
    parts = []
    if citation.journal:
        journal = citation.journal
        parts.append(f"[{journal}](https://doi.org/{citation.doi})" if citation.doi else journal)
    elif citation.doi:
        parts.append(f"[doi:{citation.doi}](https://doi.org/{citation.doi})")
    if citation.arxiv:
        parts.append(f"[arXiv:{citation.arxiv}](https://arxiv.org/abs/{citation.arxiv})")
    return ", ".join(parts) or citation.key


def cited_by_curve(loaded: LoadedEntry) -> list[Citation]:
    """Return what the comments of an entry's table cite; the arXiv number serves as the key."""
    if loaded.curve is None:
        return []
    lines = read_text(loaded.curve).splitlines()
    comments = "\n".join(line for line in lines if line.startswith("#"))
    numbers = dict.fromkeys(_ARXIV.findall(comments))
    return [Citation(key=f"arXiv:{number}", arxiv=number) for number in numbers]


def journal_text(fields: Mapping[str, str]) -> str | None:
    """Return the journal of a BibTeX item as it is quoted in text; None without a journal.

    Examples
    --------
    >>> journal_text({"journal": "Nature", "volume": "588", "pages": "61--65", "year": "2020"})
    'Nature 588, 61 (2020)'
    """
    if "journal" not in fields:
        return None
    journal, volume, year = fields["journal"], fields["volume"], fields["year"]
    first_page = fields["pages"].split("--")[0]
    if journal in _YEAR_FIRST:
        return f"{journal} {volume} ({year}) {first_page}"
    return f"{journal} {volume}, {first_page} ({year})"


def _complete(reference: Reference) -> Reference:
    """Add the item of ``references.bib`` and the fields that the citation lacks."""
    item = packaged_references().get(reference.citation.key)
    if item is None:
        return reference
    known = {
        "arxiv": item.fields.get("eprint"),
        "journal": journal_text(item.fields),
        "doi": item.fields.get("doi"),
    }
    citation = Citation(**(known | reference.citation.model_dump(exclude_none=True)))
    return Reference(citation, reference.used_for, item)


def _uses(name: str) -> list[tuple[Citation, str]]:
    """Return the citations of one argument, each with the entry or engine it belongs to."""
    kind, path = _find(name)
    if kind == "run":
        run = load_run(path)
        engines = (run.settings.sampler.engine, *_cross_checked(path.parent))
        software = [
            (Citation(key=key), engine)
            for engine in engines
            for key in find_engine(engine).citations
        ]
        return [*_of_entries(run.assembled.entries), *software]
    if kind == "slice":
        chosen = resolve_slice(read_yaml(path), Library.beside(path))
        return list(_of_entries(chosen.assembled.entries))
    if kind == "entry":
        entry = validate(EntryFile, read_yaml(path)).root
        return list(_of_entries([LoadedEntry(path.stem, path, entry)]))
    # The entries of a set are in a folder beside the set's own, below the same root.
    root = list(path.resolve().parents)[:3][-1]
    library = Library.beside(root / path.name)
    names = entries_of_set(read_yaml(path), library)
    return list(_of_entries([read_entry(library, entry, str(path)) for entry in names]))


def _find(name: str) -> tuple[Kind, Path]:
    """Return the kind of file that a path or a name stands for, and its path."""
    path = Path(name)
    if path.is_dir():
        if not (path / "config.yaml").is_file():
            raise RunNotFound(path, "config.yaml")
        return "run", find_run_file(name)
    if path.suffix in {".yaml", ".yml"} or path.is_file() or len(path.parts) > 1:
        return _kind_of(read_yaml(path)), path
    library = Library.beside()
    for kind in _KINDS:
        if name in library.names(kind):
            return kind, library.find(kind, name)
    known = {known for kind in _KINDS for known in library.names(kind)}
    raise UnknownName("run, slice, set or entry", name, known)


def _kind_of(document: Document) -> Kind:
    """Return the kind of a file, by keys that only this kind has."""
    keys = set(document.data) if isinstance(document.data, dict) else set()
    if {"x", "y"} <= keys:
        return "slice"
    if "citations" in keys:
        return "entry"
    return "likelihood set" if "exclusions" in keys else "run"


def _cross_checked(folder: Path) -> tuple[str, ...]:
    """Return the engine that cross-checked the run of a folder, if there was one."""
    try:
        check = RunFolder(folder).summary().get("evidence", {}).get("cross_check")
    except RunNotFound:
        return ()
    return (check["engine"],) if check else ()


def _of_entries(entries: Iterable[LoadedEntry]) -> Iterator[tuple[Citation, str]]:
    """Yield the citations of entries and of their tables, each with the entry's name."""
    for loaded in entries:
        yield from ((citation, loaded.name) for citation in loaded.entry.citations)
        yield from ((citation, loaded.name) for citation in cited_by_curve(loaded))


def _is_nameless(citation: Citation) -> bool:
    return citation.key == f"arXiv:{citation.arxiv}"


def _line(reference: Reference) -> str:
    """Return authors, title, journal, arXiv number and DOI as far as they are known."""
    citation = reference.citation
    arxiv = citation.arxiv and f"arXiv:{citation.arxiv}"
    doi = citation.doi and f"doi:{citation.doi}"
    parts = (reference.authors, reference.title, citation.journal, arxiv, doi)
    return ", ".join(part for part in parts if part) or "no reference"


def _authors(field: str) -> str:
    """Return BibTeX authors ("Last, First and Last, First") as text."""
    names = [" ".join(reversed(name.split(", "))) for name in plain_text(field).split(" and ")]
    if names[-1] == "others" or len(names) > _MOST_AUTHORS:
        return f"{names[0]} et al."
    return ", ".join(names)


def _own_item(citation: Citation) -> str:
    """Return a BibTeX item for a key that is not in ``references.bib``."""
    fields = {
        "note": citation.journal and citation.journal.translate(_SPECIAL),
        "eprint": citation.arxiv,
        "archivePrefix": citation.arxiv and "arXiv",
        "doi": citation.doi,
    }
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value]
    return f"@misc{{{citation.key},\n" + ",\n".join(lines) + "\n}"
