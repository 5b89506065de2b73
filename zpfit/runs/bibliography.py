"""Which publications stand behind runs, slices, sets and entries."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from zpfit.analysis.exclusion.slice import resolve_slice
from zpfit.errors import NotARunFolder, ProblemCollector, UnknownName
from zpfit.inference.samplers.registry import find_engine
from zpfit.io.library import Library
from zpfit.io.places import Kind
from zpfit.io.schema import validate
from zpfit.io.yaml import Document, read_text, read_yaml
from zpfit.likelihood.entries import Citation, EntryFile, SetFile
from zpfit.likelihood.library import LoadedEntry, read_entry
from zpfit.runs.run_file import find_run_file, load_run
from zpfit.runs.run_folder import RunFolder

FORMULAS = Citation(key="Bodas:2021fsy", arxiv="2102.07781")
"""The paper that the formulas of zpfit come from."""
_EMCEE = Citation(
    key="Foreman-Mackey:2012ig",
    arxiv="1202.3665",
    journal="Publ. Astron. Soc. Pac. 125, 306 (2013)",
    doi="10.1086/670067",
)
_VEGAS = Citation(
    key="Lepage:2020tgj", arxiv="2009.05112", journal="J. Comput. Phys. 439, 110386 (2021)"
)
_DYNESTY = Citation(
    key="Speagle:2019ivv",
    arxiv="1904.02180",
    journal="Mon. Not. Roy. Astron. Soc. 493, 3132 (2020)",
)
_SOFTWARE = {citation.key: citation for citation in (_EMCEE, _VEGAS, _DYNESTY)}
"""Publications of sampling engines by INSPIRE key."""

_KINDS: tuple[Kind, ...] = ("run", "slice", "likelihood set", "entry")
_ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})")


@dataclass(frozen=True)
class Reference:
    """A publication and what it stands behind."""

    citation: Citation
    used_for: tuple[str, ...]
    """Names of entries and engines."""


def bibliography(names: Sequence[str]) -> list[Reference]:
    """Every publication behind run files, run folders, slices, sets and entries, each once.

    Raises
    ------
    InvalidInput
        Everything that is wrong with them.
    """
    problems, used = ProblemCollector(), [(FORMULAS, "formulas")]
    for name in names:
        with problems.collecting():
            used += _uses(name)
    problems.raise_if_any()
    return merged(used)


def merged(used: Iterable[tuple[Citation, str]]) -> list[Reference]:
    """Citations with the same key as one, which has every field that any of them has.

    One without a key of its own, from the comment of a curve, is known by its arXiv number.
    """
    used = list(used)
    key_of = {c.arxiv: c.key for c, _ in reversed(used) if c.arxiv and not _is_nameless(c)}
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


def _uses(name: str) -> list[tuple[Citation, str]]:
    """Citations behind one argument, and the entry or engine that each belongs to."""
    kind, path = _find(name)
    if kind == "run":
        run = load_run(path)
        engines = (run.settings.sampler.engine, *_cross_checked(path.parent))
        software = [
            (_SOFTWARE.get(key, Citation(key=key)), engine)
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
    names = validate(SetFile, read_yaml(path)).entries
    # Entries lie beside the set's own folder, below the same root.
    root = list(path.resolve().parents)[:3][-1]
    library = Library.beside(root / path.name)
    return list(_of_entries([read_entry(library, entry, str(path)) for entry in names]))


def _find(name: str) -> tuple[Kind, Path]:
    """What a path or a name stands for."""
    path = Path(name)
    if path.is_dir():
        if not (path / "config.yaml").is_file():
            raise NotARunFolder(path, "config.yaml")
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
    """By the keys that only files of a kind have."""
    keys = set(document.data) if isinstance(document.data, dict) else set()
    if {"x", "y"} <= keys:
        return "slice"
    if "citations" in keys:
        return "entry"
    return "likelihood set" if "entries" in keys else "run"


def _cross_checked(folder: Path) -> tuple[str, ...]:
    """The second engine of a run folder, if there was one."""
    try:
        check = RunFolder(folder).summary().get("evidence", {}).get("cross_check")
    except NotARunFolder:
        return ()
    return (check["engine"],) if check else ()


def _of_entries(entries: Iterable[LoadedEntry]) -> Iterator[tuple[Citation, str]]:
    for loaded in entries:
        yield from ((citation, loaded.name) for citation in loaded.entry.citations)
        yield from ((citation, loaded.name) for citation in cited_by_curve(loaded))


def cited_by_curve(loaded: LoadedEntry) -> list[Citation]:
    """What the comments of an entry's table name, known by arXiv number alone."""
    if loaded.curve is None:
        return []
    lines = read_text(loaded.curve).splitlines()
    comments = "\n".join(line for line in lines if line.startswith("#"))
    numbers = dict.fromkeys(_ARXIV.findall(comments))
    return [Citation(key=f"arXiv:{number}", arxiv=number) for number in numbers]


def _is_nameless(citation: Citation) -> bool:
    return citation.key == f"arXiv:{citation.arxiv}"
