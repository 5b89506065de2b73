"""Checks that the chosen entries fit together."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from zpfit.errors import ConflictingEntries, ProblemCollector, suggestion
from zpfit.io.library import Library
from zpfit.likelihood.entries import (
    MEASUREMENTS,
    BinnedEntry,
    Entry,
    GaussianEntry,
    MeasurementEntry,
)
from zpfit.likelihood.library import LoadedEntry, read_entry
from zpfit.likelihood.spec import ALL, LikelihoodSpec, Place


def check_consistency(
    spec: LikelihoodSpec, entries: Sequence[LoadedEntry], library: Library, place: Place
) -> None:
    """Check that no data count twice, and that hard and soft entries are exclusions.

    Parameters
    ----------
    spec : LikelihoodSpec
    entries : sequence of LoadedEntry
        All entries of the likelihood.
    library : Library
        Folders in which superseded entries are looked up.
    place : callable
        Returns the place of a key of ``spec``, for messages.

    Raises
    ------
    InvalidInput
        Lists all such problems.
    """
    problems = ProblemCollector()
    for error in _clashes(entries, library):
        problems.add(f"{place()}: {error}", cause=error)
    exclusions = [e.name for e in entries if not isinstance(e.entry, MEASUREMENTS)]
    for switch, names in (("hard", spec.hard), ("soft", spec.soft)):
        for index, name in enumerate(names):
            if name not in [*exclusions, ALL]:
                hint = suggestion(name, exclusions)
                where = place(switch, index)
                problems.add(f"{where}: {name!r} is no exclusion of this likelihood; {hint}")
    for name in sorted(set(spec.hard) & set(spec.soft)):
        problems.add(f"{place('soft')}: {name!r} is listed as both hard and soft; choose one")
    problems.raise_if_any()


def _clashes(entries: Sequence[LoadedEntry], library: Library) -> Iterator[ConflictingEntries]:
    """Return an exception for each pair of entries that hold the same data."""
    older = {loaded.name: superseded(loaded.entry, library) for loaded in entries}
    for (name, _, entry), (other_name, _, other) in combinations(entries, 2):
        if other_name in older[name]:
            yield ConflictingEntries(name, other_name, f"clash: {name!r} supersedes the other")
        elif name in older[other_name]:
            yield ConflictingEntries(
                name, other_name, f"clash: {other_name!r} supersedes the other"
            )
        elif entry.measurement == other.measurement:
            yield ConflictingEntries(
                name, other_name, f"both stand for the measurement {entry.measurement!r}"
            )


def superseded(entry: Entry, library: Library) -> set[str]:
    """Return all entries that an entry replaces, directly or through others."""
    found: set[str] = set()
    left = list(entry.supersedes)
    known = set(library.names("entry")) if left else set()
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += read_entry(library, name).entry.supersedes if name in known else ()
    return found


def mixed_vacuum_polarisation(entries: Sequence[LoadedEntry]) -> list[str]:
    """Return a warning if predictions of magnetic moments contradict each other.

    The moments of electron and muon share the hadronic vacuum polarisation. Lattice QCD and e+ e-
    data disagree about it, so that a likelihood with both assumes two theories at once.
    """
    users: dict[str, list[str]] = {}
    for name, _, entry in entries:
        if isinstance(entry, GaussianEntry) and entry.vacuum_polarisation is not None:
            users.setdefault(entry.vacuum_polarisation, []).append(name)
    if len(users) < 2:
        return []
    origins = ", ".join(f"{kind} in {' and '.join(users[kind])}" for kind in sorted(users))
    contradiction = f"hadronic vacuum polarisation: {origins}; these predictions contradict"
    return [f"{contradiction} each other; take entries of one kind for all magnetic moments"]


def check_nuisances(
    spec: LikelihoodSpec,
    entries: Sequence[MeasurementEntry],
    inputs: Iterable[str],
    place: Place,
    problems: ProblemCollector,
) -> None:
    """Note names of nuisance parameters that neither an entry nor the inputs of one have."""
    with_nuisances = [e for e in entries if isinstance(e, GaussianEntry | BinnedEntry)]
    known = sorted({*inputs, *(name for entry in with_nuisances for name in entry.nuisances)})
    for name in spec.nuisances:
        if name not in known:
            hint = suggestion(name, known)
            problems.add(f"{place('nuisances', name)}: no entry has nuisance {name!r}; {hint}")
