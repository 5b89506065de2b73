"""From named entries to a likelihood."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import assert_never

from pydantic import Field, NonNegativeFloat

from zpfit.entries import (
    MEASUREMENTS,
    BeamDumpEntry,
    ExclusionEntry,
    GaussianEntry,
    HalfGaussianSpec,
    MassFloorEntry,
    MeasurementEntry,
    PromptLimitEntry,
    SoftSpec,
    UpperLimitEntry,
    ZeroBackgroundSpec,
    curve_of,
)
from zpfit.errors import ConflictingEntries, EmptyLikelihood, ProblemCollector, suggestion
from zpfit.library import FOLDERS, Library, LoadedEntry
from zpfit.likelihood import (
    Exclusion,
    HalfGaussian,
    Likelihood,
    SoftForm,
    ZeroBackground,
)
from zpfit.limit_curve import PROMPT_COLUMNS, REGION_COLUMNS, read_curve
from zpfit.measurement_assembly import Measurements, assemble_measurements
from zpfit.observables import OBSERVABLES
from zpfit.physics.compiled import FloatArray
from zpfit.physics.cosmology import mass_floor_ratio
from zpfit.physics.couplings import Couplings
from zpfit.physics.recasting import (
    dump_ratio,
    invisible_ratio,
    muon_invisible_ratio,
    muon_pair_ratio,
    prompt_ratio,
)
from zpfit.schema import Names, StrictModel


class LikelihoodSpec(StrictModel):
    """What a run asks of the data: a set, and how it departs from it."""

    set: str | None = None
    add: Names = ()
    drop: Names = ()
    hard: Names = ()
    """Exclusions that cut off, whatever the set says."""
    soft: Names = ()
    """Exclusions that fade, whatever the set says."""
    nuisances: dict[str, NonNegativeFloat] = Field(default_factory=dict)
    """Standard deviations of the priors of nuisance parameters, 1 unless given here."""


@dataclass(frozen=True)
class Assembled:
    """A likelihood and the entries it was made of."""

    likelihood: Likelihood
    entries: tuple[LoadedEntry, ...]
    set_path: Path | None

    def files(self) -> dict[str, Path]:
        """Every file behind the likelihood, by where a library looks for it."""
        found = {}
        if self.set_path is not None:
            found[f"{FOLDERS['likelihood set']}/{self.set_path.name}"] = self.set_path
        for _, path, entry in self.entries:
            found[f"{FOLDERS['entry']}/{path.name}"] = path
            if curve := curve_of(entry):
                found[f"{FOLDERS['entry']}/{curve}"] = path.parent / curve
        return found

    def data_hash(self) -> str:
        """SHA-256 over the content of every entry and curve."""
        digest = hashlib.sha256()
        for name, path, entry in sorted(self.entries):
            digest.update(f"{name}:{entry.model_dump_json()}\n".encode())
            if curve := curve_of(entry):
                digest.update((path.parent / curve).read_bytes())
        return digest.hexdigest()


Place = Callable[..., str]
"""Keys below the likelihood to where they stand, for messages."""


def _unplaced(*keys: str | int) -> str:
    return ".".join(["likelihood", *map(str, keys)])


def assemble(spec: LikelihoodSpec, library: Library, place: Place = _unplaced) -> Assembled:
    """Build the likelihood that ``spec`` describes; ``place`` says where its keys stand.

    Raises:
        InvalidInput: lists every unknown name, invalid entry, clash between
            entries and wrong switch.
        EmptyLikelihood: nothing is left.
    """
    names, set_is_soft = _chosen_names(spec, library, place)
    entries = [library.entry(name) for name in names]
    if not entries:
        raise EmptyLikelihood(place())
    _check_consistency(spec, entries, place)
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
    return Assembled(likelihood, tuple(entries), set_path)


def _chosen_names(spec: LikelihoodSpec, library: Library, place: Place) -> tuple[list[str], bool]:
    """Names of all entries, and whether the set makes exclusions soft."""
    names: list[str] = []
    soft = False
    if spec.set is not None:
        chosen = library.likelihood_set(spec.set, place("set"))
        names, soft = list(chosen.entries), chosen.exclusions == "soft"
    problems = ProblemCollector()
    for index, name in enumerate(spec.drop):
        if name not in names:
            hint = suggestion(name, names)
            problems.add(f"{place('drop', index)}: {name!r} is not in the set; {hint}")
    names = [name for name in names if name not in spec.drop]
    for index, name in enumerate(spec.add):
        if name in names:
            problems.add(f"{place('add', index)}: entry {name!r} is already there; add it once")
        names.append(name)
    for name in sorted({name for name in names if names.count(name) > 1} - set(spec.add)):
        problems.add(f"{place('set')}: the set lists entry {name!r} twice; keep one")
    for name in dict.fromkeys(names):
        with problems.collecting():
            added = ("add", spec.add.index(name)) if name in spec.add else ("set",)
            library.entry(name, place(*added))
    problems.raise_if_any()
    return names, soft


def _check_consistency(spec: LikelihoodSpec, entries: Sequence[LoadedEntry], place: Place) -> None:
    problems = ProblemCollector()
    for error in _clashes(entries):
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
    changes = [f"+{name}" for name in spec.add] + [f"-{name}" for name in spec.drop]
    changes += [f"{name}:hard" for name in spec.hard] + [f"{name}:soft" for name in spec.soft]
    return " ".join([spec.set or "entries", *changes])


def _clashes(entries: Sequence[LoadedEntry]) -> Iterable[ConflictingEntries]:
    for index, (name, _, entry) in enumerate(entries):
        for other_name, _, other in entries[index + 1 :]:
            if other_name in entry.supersedes:
                yield ConflictingEntries(name, other_name, f"clash: {name!r} supersedes the other")
            elif name in other.supersedes:
                yield ConflictingEntries(
                    name, other_name, f"clash: {other_name!r} supersedes the other"
                )
            elif entry.measurement == other.measurement:
                yield ConflictingEntries(
                    name, other_name, f"both stand for the measurement {entry.measurement!r}"
                )


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
    ratio, stage = _ratio(loaded, entry)
    return Exclusion(loaded.name, ratio, _soft_form(entry.soft), soft, stage)


def _ratio(
    loaded: LoadedEntry, entry: ExclusionEntry
) -> tuple[Callable[[Couplings], FloatArray], int]:
    """The ratio of signal to limit, and the stage: closed formulas before curves."""
    match entry:
        case MassFloorEntry():
            return partial(
                mass_floor_ratio,
                electrophilic=entry.electrophilic,
                neutrinophilic=entry.neutrinophilic,
                contact=entry.contact,
            ), 0
        case UpperLimitEntry():
            function = OBSERVABLES[entry.observable].function
            # Nothing to divide by where the observable is a ratio already.
            return (function if entry.limit == 1 else _OverLimit(function, entry.limit)), 0
        case PromptLimitEntry():
            curve = read_curve(loaded.path.parent / entry.curve, PROMPT_COLUMNS)
            return partial(_SEARCHES[entry.search], curve=curve), 1
        case BeamDumpEntry():
            region = read_curve(loaded.path.parent / entry.curve, REGION_COLUMNS)
            return partial(dump_ratio, region=region, length_ratio=entry.length_ratio), 1
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
