"""Build a likelihood from the names of data entries."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np

from zpfit.errors import EmptyLikelihood, ProblemCollector, suggestion
from zpfit.io.library import Library
from zpfit.io.places import FOLDERS
from zpfit.likelihood.build_measurements import MeasurementTerms, build_measurements
from zpfit.likelihood.consistency import (
    check_consistency,
    check_nuisances,
    mixed_vacuum_polarisation,
)
from zpfit.likelihood.entries import (
    MEASUREMENTS,
    Entry,
    MeasurementEntry,
    SetFile,
    observables_of,
)
from zpfit.likelihood.exclusions import Exclusion
from zpfit.likelihood.library import LoadedEntry, read_entry, read_set, set_files
from zpfit.likelihood.likelihood import Likelihood
from zpfit.likelihood.limit_file import AddedLimit, has_no_source, load_limit, name_of
from zpfit.likelihood.observables import ResolvedObservables, renamed, resolve_observables
from zpfit.likelihood.spec import LikelihoodSpec, Place
from zpfit.likelihood.unknown_terms import (
    depends_on_the_model,
    leptons_alone,
    missing_kaons,
    unknown_terms,
)
from zpfit.models.base import Model, Values
from zpfit.physics.observables import ANOMALIES, find_observable

__all__ = ["Assembled", "LikelihoodSpec", "assemble"]


@dataclass(frozen=True)
class Assembled:
    """A likelihood and the entries that it was built from."""

    likelihood: Likelihood
    entries: tuple[LoadedEntry, ...]
    set_paths: tuple[Path, ...]
    """Files of the set and of the sets that it is based on."""
    nuisances: Mapping[str, float] = field(default_factory=dict)
    """Standard deviations of the priors of nuisance parameters that are not 1."""
    observables: ResolvedObservables = field(default_factory=ResolvedObservables)
    """Python functions that entries name as observables."""
    remarks: tuple[str, ...] = ()
    """Remarks on the meaning of the data for a model, which change no number; :meth:`for_model`."""

    def for_model(self, model: Model, values: Values) -> "Assembled":
        """Return the same likelihood with remarks on its meaning for a model.

        Parameters
        ----------
        model : Model
        values : mapping of str to numpy.ndarray, shape (n,)
            Every parameter at some points.
        """
        if not depends_on_the_model(self.likelihood):
            return self
        exists = model.exists(values)
        some = {name: v[exists] for name, v in values.items()} if exists.any() else values
        with np.errstate(all="ignore"):
            c = model.couplings(some)
        data = self.likelihood
        return replace(self, remarks=(*unknown_terms(data, c), *leptons_alone(data, c)))

    @property
    def code(self) -> tuple[str, ...]:
        """Entries that name Python code, and the code that they name."""
        return self.observables.code

    def files(self) -> dict[str, Path]:
        """Return every file behind the likelihood, by its path in a library."""
        found = {}
        for path in self.set_paths:
            found[f"{FOLDERS['likelihood set']}/{path.name}"] = path
        for loaded in self.entries:
            found.update(loaded.files())
        return found | dict(self.observables.files)

    def unverified(self) -> dict[str, str]:
        """Return the entries with unverified numbers, and the text that names these numbers."""
        return {e.name: e.entry.unverified for e in self.entries if e.entry.unverified}

    def notes(self) -> tuple[str, ...]:
        """Return warnings about the data, one line for each kind of problem."""
        notes, names = self._shared_moments(), list(self.unverified())
        notes += [*self.remarks, *mixed_vacuum_polarisation(self.entries)]
        notes += missing_kaons(self.likelihood)
        notes += [*self._former_names(), *self.observables.notes]
        if names:
            holds = f"{len(names)} of {len(self.entries)} entries hold unverified numbers"
            where = f": {', '.join(names)}" if not self.set_paths else ""
            shown = "NAME" if not self.set_paths else self.set_paths[0].stem
            notes.append(f"{holds} (zpfit show {shown} says which){where}")
        files = [e.name for e in self.entries if has_no_source(e.entry)]
        if files:
            notes.append(
                f"limit files without citations: {', '.join(files)}; they may duplicate other "
                "data, and zpfit cite names only DarkCast for them; give citations"
            )
        return tuple(notes)

    def _former_names(self) -> list[str]:
        """Return a note for each entry that gives an observable by its former name."""
        return [
            f"entry {loaded.name!r}: observable {old!r} is now called {new!r}; rename it in the "
            "entry"
            for loaded in self.entries
            for old, new in renamed(map(str, observables_of(loaded.entry))).items()
        ]

    def _shared_moments(self) -> list[str]:
        """Return a warning for each magnetic moment that two entries measure.

        Measurements of one moment are rarely independent, as they share its prediction.
        """
        pairs = combinations(self.entries, 2)
        return [
            f"{one.name!r} and {two.name!r} both measure {name} and count as independent, except "
            "for nuisance parameters that they share; drop one, or let one supersede the other"
            for one, two in pairs
            for name in sorted(_moments(one.entry) & _moments(two.entry))
        ]

    def data_hash(self) -> str:
        """Return the SHA-256 of every entry and curve, and of the priors of nuisance parameters."""
        digest = hashlib.sha256()
        for loaded in sorted(self.entries, key=lambda loaded: loaded.name):
            digest.update(f"{loaded.name}:{loaded.entry.model_dump_json()}\n".encode())
            if loaded.curve is not None:
                digest.update(loaded.curve.read_bytes())
        for name, width in sorted(self.nuisances.items()):
            digest.update(f"{name}:{width!r}\n".encode())
        for name, path in sorted(self.observables.files.items()):
            digest.update(name.encode() + path.read_bytes())
        return digest.hexdigest()


def _unplaced(*keys: str | int) -> str:
    return ".".join(["likelihood", *map(str, keys)])


def assemble(
    spec: LikelihoodSpec,
    library: Library,
    place: Place = _unplaced,
    *,
    allow_code: bool = True,
) -> Assembled:
    """Build the likelihood that ``spec`` describes.

    Parameters
    ----------
    spec : LikelihoodSpec
        Names of a set and of entries.
    library : Library
        Folders in which names are looked up.
    place : callable
        Returns the place of a key of ``spec``, for messages.
    allow_code : bool
        Import Python functions that entries name as observables; refuse such entries if False.

    Returns
    -------
    Assembled
        The likelihood, with the entries and files that it was built from.

    Raises
    ------
    InvalidInput
        A name is unknown, an entry is invalid, two entries hold the same data, or ``hard`` or
        ``soft`` names an entry that is no exclusion. Lists all such problems.
    EmptyLikelihood
        No entry is chosen.

    Examples
    --------
    >>> built = assemble(LikelihoodSpec(add=("a_e_cs_2018",)), Library.beside())
    >>> [term.name for term in built.likelihood.measurements]
    ['a_e_cs_2018']
    """
    entries, chosen = _chosen_entries(spec, library, place)
    if not entries:
        raise EmptyLikelihood(place())
    check_consistency(spec, entries, library, place)
    observables = resolve_observables(
        ((e.name, str(e.path), observables_of(e.entry)) for e in entries),
        library,
        allow_code=allow_code,
    )
    likelihood = _build_terms(spec, entries, place, observables, chosen)
    set_paths = () if spec.set is None else set_files(library, spec.set)
    widths = {name: width for name, width in spec.nuisances.items() if width != 1}
    return Assembled(likelihood, tuple(entries), set_paths, widths, observables)


def build_entry(loaded: LoadedEntry, library: Library) -> Assembled:
    """Build the likelihood of one entry, which need not lie in a folder of the library.

    Raises
    ------
    InvalidInput
        The entry or its table is invalid, or it names Python code, which only a run imports.
    """
    named = [(loaded.name, str(loaded.path), observables_of(loaded.entry))]
    observables = resolve_observables(named, library, allow_code=False)
    spec = LikelihoodSpec(add=(loaded.name,))
    likelihood = _build_terms(spec, [loaded], _unplaced, observables, None)
    return Assembled(likelihood, (loaded,), (), observables=observables)


def _build_terms(
    spec: LikelihoodSpec,
    entries: Sequence[LoadedEntry],
    place: Place,
    observables: ResolvedObservables,
    chosen: SetFile | None,
) -> Likelihood:
    problems = ProblemCollector()
    measured = [(e.name, e.path, e.entry) for e in entries if isinstance(e.entry, MEASUREMENTS)]
    inputs: set[str] = set()
    with problems.collecting():
        inputs = _uncertain_inputs([entry for _, _, entry in measured], observables)
    check_nuisances(spec, [entry for _, _, entry in measured], inputs, place, problems)
    measurements = MeasurementTerms((), ())
    with problems.collecting():
        measurements = build_measurements(measured, spec.nuisances, observables.find)
    exclusions, set_is_soft = [], chosen is not None and chosen.exclusions == "soft"
    for loaded in entries:
        soft = spec.makes_soft(loaded.name, by_default=set_is_soft)
        with problems.collecting():
            exclusions += _exclusions_of(loaded, observables, soft=soft)
    anomalies = _anomalies(spec, chosen, measurements, place, problems)
    problems.raise_if_any()
    return Likelihood(
        spec.label,
        measurements.terms,
        tuple(exclusions),
        measurements.correlations,
        measurements.shared_scales,
        anomalies,
    )


def _anomalies(
    spec: LikelihoodSpec,
    chosen: SetFile | None,
    measurements: MeasurementTerms,
    place: Place,
    problems: ProblemCollector,
) -> tuple[str, ...]:
    """Return the anomalies that the run names, or those of its set that it does not drop."""
    known = [term.name for term in measurements.terms]
    for index, name in enumerate(spec.anomalies):
        if known and name not in known:
            hint = suggestion(name, known)
            where = place("anomalies", index)
            problems.add(f"{where}: {name!r} is no measurement of this likelihood; {hint}")
    by_set = () if chosen is None else chosen.anomalies
    return spec.anomalies or tuple(name for name in by_set if name in known)


def _uncertain_inputs(
    entries: Iterable[MeasurementEntry], observables: ResolvedObservables
) -> set[str]:
    """Return the names of the uncertain inputs of predictions."""
    found = [observables.find(o) for entry in entries for o in observables_of(entry)]
    return {name for observable in found for name in observable.theory}


def _exclusions_of(
    loaded: LoadedEntry, observables: ResolvedObservables, *, soft: bool
) -> list[Exclusion]:
    """Return the exclusion of an entry, none if it is a measurement."""
    if isinstance(loaded.entry, MEASUREMENTS):
        return []
    table = loaded.curve or loaded.path
    return [loaded.entry.exclusion(loaded.name, table, soft=soft, find=observables.find)]


def _chosen_entries(
    spec: LikelihoodSpec, library: Library, place: Place
) -> tuple[list[LoadedEntry], SetFile | None]:
    """Return all entries, and the set, if one is named."""
    chosen = None if spec.set is None else read_set(library, spec.set, place("set"))
    names = [] if chosen is None else list(chosen.entries)
    problems = ProblemCollector()
    names = _without_dropped(spec, names, place, problems)
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
    return entries, chosen


def _without_dropped(
    spec: LikelihoodSpec, names: Sequence[str], place: Place, problems: ProblemCollector
) -> list[str]:
    for index, name in enumerate(spec.drop):
        if name not in names:
            hint = suggestion(name, names)
            problems.add(f"{place('drop', index)}: {name!r} is not in the set; {hint}")
    kept = [name for name in names if name not in spec.drop]
    for name in sorted({name for name in kept if kept.count(name) > 1}):
        problems.add(f"{place('set')}: the set lists entry {name!r} twice; keep one")
    return kept


def _added(addition: str | AddedLimit, library: Library, place: Place) -> LoadedEntry:
    if isinstance(addition, str):
        return read_entry(library, addition, place())
    return load_limit(addition, library, place)


def _moments(entry: Entry) -> set[str]:
    """Return the names of the magnetic moments that an entry measures."""
    if not isinstance(entry, MEASUREMENTS):
        return set()
    known = (find_observable(name) for name in observables_of(entry) if isinstance(name, str))
    return {observable.name for observable in known if observable.group in ANOMALIES}
