"""Check of all data that a library finds: entries, curves, sets and citations."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zpfit.errors import ProblemCollector, suggestion
from zpfit.io.library import Library
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.likelihood.consistency import superseded
from zpfit.likelihood.entries import SetFile, observables_of
from zpfit.likelihood.library import LoadedEntry, read_entry, read_set
from zpfit.likelihood.observables import PythonObservable

_ARXIV = re.compile(r"\d{4}\.\d{4,5}|[a-z-]+(\.[A-Z]{2})?/\d{7}")
_DOI = re.compile(r"10\.\d{4,9}/\S+")
_FIELDS = ("arxiv", "journal", "doi")


@dataclass(frozen=True)
class DataCheck:
    """Data that could be read, and all problems."""

    entries: tuple[LoadedEntry, ...]
    """Valid entries, sorted by name."""
    sets: Mapping[str, SetFile]
    """Sets that can be read, by name."""
    problems: tuple[str, ...]
    """Everything that is wrong, each with its place."""

    def sets_with(self, entry: str) -> list[str]:
        """Return the names of the sets that an entry belongs to."""
        return [name for name, chosen in self.sets.items() if entry in chosen.entries]


def check_data(library: Library) -> DataCheck:
    """Read every entry and set that a library finds, and build a likelihood from each.

    Parameters
    ----------
    library : Library
        Folders in which entries and sets are looked up.

    Examples
    --------
    >>> from zpfit.io.places import packaged_data
    >>> check_data(Library((packaged_data(),))).problems
    ()
    """
    problems = ProblemCollector()
    entries: list[LoadedEntry] = []
    sets: dict[str, SetFile] = {}
    for name in library.names("entry"):
        with problems.collecting():
            loaded = read_entry(library, name)
            if not _names_code(loaded):
                # Building a likelihood of this entry alone reads its table and needs its
                # observable.
                assemble(LikelihoodSpec(add=(name,)), library, _place(loaded.path))
            entries.append(loaded)
    for loaded in entries:
        _check_supersedes(loaded, library, problems)
    for name in library.names("likelihood set"):
        path = library.find("likelihood set", name)
        with problems.collecting():
            sets[name] = read_set(library, name)
            if not any(_names_code(e) for e in entries if e.name in sets[name].entries):
                assemble(LikelihoodSpec(set=name), library, _place(path))
    _check_citations(entries, problems)
    return DataCheck(tuple(entries), sets, tuple(problems.found))


def _names_code(loaded: LoadedEntry) -> bool:
    """Return True if an entry names Python code, which only a run may import."""
    return any(isinstance(o, PythonObservable) for o in observables_of(loaded.entry))


def _place(path: Path) -> Callable[..., str]:
    return lambda *_: str(path)


def _check_supersedes(loaded: LoadedEntry, library: Library, problems: ProblemCollector) -> None:
    if not loaded.entry.supersedes:
        return
    known = library.names("entry")
    for name in loaded.entry.supersedes:
        if name not in known:
            hint = suggestion(name, known)
            problems.add(f"{loaded.path}: supersedes: unknown entry {name!r}; {hint}")
    with problems.collecting():
        if loaded.name in superseded(loaded.entry, library):
            problems.add(f"{loaded.path}: supersedes: {loaded.name!r} supersedes itself indirectly")


def _check_citations(entries: Sequence[LoadedEntry], problems: ProblemCollector) -> None:
    """Note citations without a reference, and keys that do not match publications one to one."""
    by_key: dict[tuple[str, str], tuple[str, str]] = {}
    key_of: dict[tuple[str, str], tuple[str, str]] = {}
    for loaded in entries:
        for index, citation in enumerate(loaded.entry.citations):
            place = f"{loaded.path}: citations.{index}: {citation.key!r}"
            given = {field: getattr(citation, field) for field in _FIELDS}
            if not any(given.values()):
                problems.add(f"{place} has no arxiv, journal or doi; give one")
            for field, form in (("arxiv", _ARXIV), ("doi", _DOI)):
                if given[field] and not form.fullmatch(given[field]):
                    problems.add(f"{place}: {given[field]!r} is no {field} number")
            for field, value in given.items():
                # A text without digits, such as "in preparation", identifies no publication.
                if not value or not re.search(r"\d", value):
                    continue
                known, where = by_key.setdefault((citation.key, field), (value, loaded.name))
                if known != value:
                    problems.add(f"{place} has {field} {value!r}, but {known!r} in {where}")
                key, where = key_of.setdefault((field, value), (citation.key, loaded.name))
                if key != citation.key:
                    problems.add(f"{place} and {key!r} of {where} are both {value!r}; keep one key")
