"""From named entries to a likelihood."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Annotated, assert_never

import numpy as np
from pydantic import Field

from zpfit.errors import ConflictingEntries, EmptyLikelihood, ProblemCollector, suggestion
from zpfit.io.arrays import FloatArray
from zpfit.io.library import Library
from zpfit.io.places import FOLDERS
from zpfit.io.schema import Names, NonNegative, StrictModel
from zpfit.likelihood.build_measurements import Measurements, assemble_measurements
from zpfit.likelihood.curves import PROMPT_COLUMNS, REGION_COLUMNS, read_curve
from zpfit.likelihood.entries import (
    MEASUREMENTS,
    BeamDumpEntry,
    Entry,
    ExclusionEntry,
    GaussianEntry,
    HalfGaussianSpec,
    MassFloorEntry,
    MeasurementEntry,
    PromptLimitEntry,
    SoftSpec,
    UpperLimitEntry,
    ZeroBackgroundSpec,
    observables_of,
)
from zpfit.likelihood.library import LoadedEntry, read_entry, read_set
from zpfit.likelihood.likelihood import (
    Exclusion,
    HalfGaussian,
    Likelihood,
    SoftForm,
    ZeroBackground,
)
from zpfit.likelihood.limit_file import AddedLimit, Addition, has_no_source, load_limit, name_of
from zpfit.physics.cosmology import mass_floor_ratio
from zpfit.physics.couplings import Couplings
from zpfit.physics.dark_photon_limits import (
    dump_ratio,
    invisible_ratio,
    muon_invisible_ratio,
    muon_pair_ratio,
    prompt_ratio,
)
from zpfit.physics.observables import ANOMALIES, OBSERVABLES


class LikelihoodSpec(StrictModel):
    """What a run asks of the data: a set, and how it departs from it."""

    set: str | None = None
    add: Annotated[tuple[Addition, ...], Field(strict=False, max_length=1000)] = ()
    """Names of entries, and files of limits."""
    drop: Names = ()
    hard: Names = ()
    """Exclusions that cut off, whatever the set says."""
    soft: Names = ()
    """Exclusions that fade, whatever the set says."""
    nuisances: dict[str, NonNegative] = Field(default_factory=dict)
    """Standard deviations of the priors of nuisance parameters, 1 unless given here."""


@dataclass(frozen=True)
class Assembled:
    """A likelihood and the entries it was made of."""

    likelihood: Likelihood
    entries: tuple[LoadedEntry, ...]
    set_path: Path | None
    nuisances: Mapping[str, float] = field(default_factory=dict)
    """Standard deviations of the priors of nuisance parameters that are not 1."""

    def files(self) -> dict[str, Path]:
        """Every file behind the likelihood, by where a library looks for it."""
        found = {}
        if self.set_path is not None:
            found[f"{FOLDERS['likelihood set']}/{self.set_path.name}"] = self.set_path
        for loaded in self.entries:
            found.update(loaded.files())
        return found

    def unverified(self) -> dict[str, str]:
        """Entries with numbers that only memory supports, and which these are."""
        return {e.name: e.entry.unverified for e in self.entries if e.entry.unverified}

    def notes(self) -> tuple[str, ...]:
        """What a user of the likelihood should know, in a line however many entries there are."""
        notes, names = self._shared_moments(), list(self.unverified())
        if names:
            holds = f"{len(names)} of {len(self.entries)} entries hold unverified numbers"
            notes.append(f"{holds} (zpfit show NAME says which): {', '.join(names)}")
        files = [e.name for e in self.entries if has_no_source(e.entry)]
        if files:
            notes.append(
                f"limits of files without citations: {', '.join(files)}; nothing tells whether the "
                "other data hold them already, and zpfit cite knows only DarkCast: give citations"
            )
        return tuple(notes)

    def _shared_moments(self) -> list[str]:
        """Magnetic moments that several entries measure, whatever these call it.

        Measurements of one moment are rarely independent, and share its prediction.
        """
        pairs = combinations(self.entries, 2)
        return [
            f"{one.name!r} and {two.name!r} both measure {name}, and count as independent but for "
            "nuisances that they share: drop one, or let it supersede the other"
            for one, two in pairs
            for name in sorted(_moments(one.entry) & _moments(two.entry))
        ]

    def data_hash(self) -> str:
        """SHA-256 over every entry and curve, and the priors of nuisance parameters."""
        digest = hashlib.sha256()
        for loaded in sorted(self.entries, key=lambda loaded: loaded.name):
            digest.update(f"{loaded.name}:{loaded.entry.model_dump_json()}\n".encode())
            if loaded.curve is not None:
                digest.update(loaded.curve.read_bytes())
        for name, width in sorted(self.nuisances.items()):
            digest.update(f"{name}:{width!r}\n".encode())
        return digest.hexdigest()


Ratio = Callable[[Couplings], FloatArray]
"""Signal over limit, shape (n,)."""

Place = Callable[..., str]
"""Keys below the likelihood to where they stand, for messages."""


def _unplaced(*keys: str | int) -> str:
    return ".".join(["likelihood", *map(str, keys)])


def assemble(spec: LikelihoodSpec, library: Library, place: Place = _unplaced) -> Assembled:
    """Build the likelihood that ``spec`` describes; ``place`` says where its keys stand.

    Raises
    ------
    InvalidInput
        Lists every unknown name, invalid entry, clash between
        entries and wrong switch.
    EmptyLikelihood
        Nothing is left.
    """
    entries, set_is_soft = _chosen_entries(spec, library, place)
    if not entries:
        raise EmptyLikelihood(place())
    _check_consistency(spec, entries, library, place)
    measured = [(e.name, e.path, e.entry) for e in entries if isinstance(e.entry, MEASUREMENTS)]
    problems = ProblemCollector()
    _check_nuisances(spec, [entry for _, _, entry in measured], place, problems)
    measurements, exclusions = Measurements((), ()), []
    with problems.collecting():
        measurements = assemble_measurements(measured, spec.nuisances)
    for loaded in entries:
        if not isinstance(loaded.entry, MEASUREMENTS):
            soft = loaded.name in spec.soft or (set_is_soft and loaded.name not in spec.hard)
            with problems.collecting():
                exclusions.append(_exclusion(loaded, loaded.entry, soft=soft))
    problems.raise_if_any()
    likelihood = Likelihood(
        _label(spec), measurements.terms, tuple(exclusions), measurements.correlations
    )
    set_path = None if spec.set is None else library.find("likelihood set", spec.set)
    widths = {name: width for name, width in spec.nuisances.items() if width != 1}
    return Assembled(likelihood, tuple(entries), set_path, widths)


def _chosen_entries(
    spec: LikelihoodSpec, library: Library, place: Place
) -> tuple[list[LoadedEntry], bool]:
    """All entries, and whether the set makes exclusions soft."""
    names: list[str] = []
    soft = False
    if spec.set is not None:
        chosen = read_set(library, spec.set, place("set"))
        names, soft = list(chosen.entries), chosen.exclusions == "soft"
    problems = ProblemCollector()
    for index, name in enumerate(spec.drop):
        if name not in names:
            hint = suggestion(name, names)
            problems.add(f"{place('drop', index)}: {name!r} is not in the set; {hint}")
    names = [name for name in names if name not in spec.drop]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.add(f"{place('set')}: the set lists entry {name!r} twice; keep one")
    entries: list[LoadedEntry] = []
    for name in dict.fromkeys(names):
        with problems.collecting():
            entries.append(read_entry(library, name, place("set")))
    for index, addition in enumerate(spec.add):
        name, where = name_of(addition), partial(place, "add", index)
        if name in names:
            remedy = "add it once" if isinstance(addition, str) else "give it another name"
            problems.add(f"{where()}: entry {name!r} is already there; {remedy}")
        names.append(name)
        with problems.collecting():
            entries.append(_added(addition, library, where))
    problems.raise_if_any()
    return entries, soft


def _added(addition: str | AddedLimit, library: Library, place: Place) -> LoadedEntry:
    if isinstance(addition, str):
        return read_entry(library, addition, place())
    return load_limit(addition, library, place)


def _check_consistency(
    spec: LikelihoodSpec, entries: Sequence[LoadedEntry], library: Library, place: Place
) -> None:
    problems = ProblemCollector()
    for error in _clashes(entries, library):
        problems.add(f"{place()}: {error}")
    exclusions = [e.name for e in entries if not isinstance(e.entry, MEASUREMENTS)]
    for switch, names in (("hard", spec.hard), ("soft", spec.soft)):
        for index, name in enumerate(names):
            if name not in exclusions:
                hint = suggestion(name, exclusions)
                where = place(switch, index)
                problems.add(f"{where}: {name!r} is no exclusion of this likelihood; {hint}")
    for name in sorted(set(spec.hard) & set(spec.soft)):
        problems.add(f"{place('soft')}: {name!r} is asked to be both hard and soft; choose one")
    problems.raise_if_any()


def _label(spec: LikelihoodSpec) -> str:
    changes = [f"+{name_of(addition)}" for addition in spec.add]
    changes += [f"-{name}" for name in spec.drop]
    changes += [f"{name}:hard" for name in spec.hard] + [f"{name}:soft" for name in spec.soft]
    changes += [f"{name}:{width:g}" for name, width in spec.nuisances.items()]
    return " ".join([spec.set or "entries", *changes])


def _clashes(entries: Sequence[LoadedEntry], library: Library) -> Iterator[ConflictingEntries]:
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


def _moments(entry: Entry) -> set[str]:
    """Magnetic moments that an entry measures."""
    if not isinstance(entry, MEASUREMENTS):
        return set()
    known = (OBSERVABLES[name] for name in observables_of(entry) if name in OBSERVABLES)
    return {observable.name for observable in known if observable.group in ANOMALIES}


def superseded(entry: Entry, library: Library) -> set[str]:
    """All older entries, also those that only these supersede."""
    found: set[str] = set()
    left = list(entry.supersedes)
    known = set(library.names("entry"))
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += read_entry(library, name).entry.supersedes if name in known else ()
    return found


def _check_nuisances(
    spec: LikelihoodSpec,
    entries: Sequence[MeasurementEntry],
    place: Place,
    problems: ProblemCollector,
) -> None:
    known = sorted({n for e in entries if isinstance(e, GaussianEntry) for n in e.nuisances})
    for name in spec.nuisances:
        if name not in known:
            hint = suggestion(name, known)
            problems.add(f"{place('nuisances', name)}: no entry has nuisance {name!r}; {hint}")


def _exclusion(loaded: LoadedEntry, entry: ExclusionEntry, *, soft: bool) -> Exclusion:
    form = _soft_form(entry.soft)
    match entry:
        case PromptLimitEntry() | BeamDumpEntry():
            columns = PROMPT_COLUMNS if isinstance(entry, PromptLimitEntry) else REGION_COLUMNS
            curve = read_curve(loaded.curve or loaded.path, columns)
            first, last = np.exp(curve[[0, -1], 0])
            reach = (float(first), float(last))
            return Exclusion(loaded.name, _recast(entry, curve), form, soft, 1, reach)
        case MassFloorEntry() | UpperLimitEntry():
            return Exclusion(loaded.name, _closed_formula(entry), form, soft, 0)
    assert_never(entry)


def _closed_formula(entry: MassFloorEntry | UpperLimitEntry) -> Ratio:
    """The ratio of signal to limit where no curve is needed; it goes before those with one."""
    match entry:
        case MassFloorEntry():
            return partial(
                mass_floor_ratio,
                electrophilic=entry.electrophilic,
                neutrinophilic=entry.neutrinophilic,
                contact=entry.contact,
            )
        case UpperLimitEntry():
            function = OBSERVABLES[entry.observable].function
            # Nothing to divide by where the observable is a ratio already.
            return function if entry.limit == 1 else _OverLimit(function, entry.limit)
    assert_never(entry)


def _recast(entry: PromptLimitEntry | BeamDumpEntry, curve: FloatArray) -> Ratio:
    """The ratio of signal to limit from a curve."""
    match entry:
        case PromptLimitEntry():
            return partial(_SEARCHES[entry.search], curve=curve)
        case BeamDumpEntry():
            return partial(dump_ratio, region=curve, length_ratio=entry.length_ratio)
    assert_never(entry)


_SEARCHES = {
    "visible": prompt_ratio,
    "invisible": invisible_ratio,
    "muon_invisible": muon_invisible_ratio,
    "muon_pair": muon_pair_ratio,
}


@dataclass(frozen=True)
class _OverLimit:
    function: Callable[[Couplings], FloatArray]
    limit: float

    def __call__(self, c: Couplings) -> FloatArray:
        return self.function(c) / self.limit


def _soft_form(spec: SoftSpec) -> SoftForm:
    match spec:
        case HalfGaussianSpec():
            return HalfGaussian(spec.power, spec.confidence_level)
        case ZeroBackgroundSpec():
            return ZeroBackground(spec.confidence_level)
    assert_never(spec)
