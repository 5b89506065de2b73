"""From named entries to a likelihood."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import assert_never

from zpfit.entries import (
    BeamDumpEntry,
    Entry,
    ExclusionEntry,
    GaussianEntry,
    HalfGaussianSpec,
    MassFloorEntry,
    PromptLimitEntry,
    SoftSpec,
    UpperLimitEntry,
    ZeroBackgroundSpec,
)
from zpfit.errors import ConflictingEntries, EmptyLikelihood, ProblemCollector, suggestion
from zpfit.library import Library, LoadedEntry
from zpfit.likelihood import (
    Exclusion,
    GaussianTerm,
    HalfGaussian,
    Likelihood,
    SoftForm,
    ZeroBackground,
)
from zpfit.limit_curve import PROMPT_COLUMNS, REGION_COLUMNS, read_curve
from zpfit.observables import OBSERVABLES
from zpfit.physics.compiled import FloatArray
from zpfit.physics.cosmology import mass_floor_ratio
from zpfit.physics.couplings import Couplings
from zpfit.physics.recasting import dump_ratio, prompt_ratio
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


@dataclass(frozen=True)
class Assembled:
    """A likelihood and the entries it was made of."""

    likelihood: Likelihood
    entries: tuple[LoadedEntry, ...]

    def data_hash(self) -> str:
        """SHA-256 over the content of every entry and curve."""
        digest = hashlib.sha256()
        for name, path, entry in sorted(self.entries):
            digest.update(f"{name}:{entry.model_dump_json()}\n".encode())
            if isinstance(entry, PromptLimitEntry | BeamDumpEntry):
                digest.update((path.parent / entry.curve).read_bytes())
        return digest.hexdigest()


def assemble(spec: LikelihoodSpec, library: Library, place: str = "likelihood") -> Assembled:
    """Build the likelihood that ``spec`` describes; ``place`` is named in messages.

    Raises:
        InvalidInput: lists every unknown name, invalid entry, clash between
            entries and wrong switch.
        EmptyLikelihood: nothing is left.
    """
    problems = ProblemCollector()
    names: list[str] = []
    exclusions_soft = False
    if spec.set is not None:
        with problems.collecting():
            chosen = library.likelihood_set(spec.set, f"{place}.set")
            names, exclusions_soft = list(chosen.entries), chosen.exclusions == "soft"
    problems.raise_if_any()
    for name in spec.drop:
        if name not in names:
            problems.add(f"{place}.drop: {name!r} is not in the set; {suggestion(name, names)}")
    names = [name for name in names if name not in spec.drop] + list(spec.add)
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.add(f"{place}: entry {name!r} is listed twice; keep one")

    entries = []
    for name in dict.fromkeys(names):
        with problems.collecting():
            entries.append(library.entry(name, place))
    problems.raise_if_any()
    if not entries:
        raise EmptyLikelihood(place)

    for error in _clashes(entries):
        problems.add(f"{place}: {error}")
    exclusion_names = [e.name for e in entries if not isinstance(e.entry, GaussianEntry)]
    for switch in ("hard", "soft"):
        for name in getattr(spec, switch):
            if name not in exclusion_names:
                hint = suggestion(name, exclusion_names)
                problems.add(f"{place}.{switch}: {name!r} is no exclusion of this likelihood; {hint}")
    for name in sorted(set(spec.hard) & set(spec.soft)):
        problems.add(f"{place}: {name!r} is asked to be both hard and soft; choose one")

    measurements, exclusions = [], []
    for loaded in entries:
        with problems.collecting():
            if isinstance(loaded.entry, GaussianEntry):
                measurements.append(_measurement(loaded.name, loaded.entry))
            else:
                soft = loaded.name in spec.soft or (exclusions_soft and loaded.name not in spec.hard)
                exclusions.append(_exclusion(loaded, loaded.entry, soft))
    problems.raise_if_any()
    likelihood = Likelihood(_label(spec), tuple(measurements), tuple(exclusions))
    return Assembled(likelihood, tuple(entries))


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


def _measurement(name: str, entry: GaussianEntry) -> GaussianTerm:
    return GaussianTerm(name, OBSERVABLES[entry.observable], entry.value, entry.error)


def _exclusion(loaded: LoadedEntry, entry: ExclusionEntry, soft: bool) -> Exclusion:
    ratio, cost = _ratio(loaded, entry)
    return Exclusion(loaded.name, ratio, _soft_form(entry.soft), soft, cost)


def _ratio(
    loaded: LoadedEntry, entry: ExclusionEntry
) -> tuple[Callable[[Couplings], FloatArray], int]:
    """The ratio of signal to limit, and its rank by computing time."""
    match entry:
        case MassFloorEntry():
            return partial(
                mass_floor_ratio,
                electrophilic=entry.electrophilic,
                neutrinophilic=entry.neutrinophilic,
                contact=entry.contact,
            ), 0
        case UpperLimitEntry():
            return _OverLimit(OBSERVABLES[entry.observable].function, entry.limit), 1
        case PromptLimitEntry():
            curve = read_curve(loaded.path.parent / entry.curve, PROMPT_COLUMNS)
            return partial(prompt_ratio, curve=curve), 2
        case BeamDumpEntry():
            region = read_curve(loaded.path.parent / entry.curve, REGION_COLUMNS)
            return partial(dump_ratio, region=region, length_ratio=entry.length_ratio), 3
    assert_never(entry)


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
