"""Run files: from YAML to a posterior and the options of a fit."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field

from zpfit.added_limit import AddedLimit
from zpfit.assembly import Assembled, LikelihoodSpec, assemble
from zpfit.darkcast_file import SUFFIX
from zpfit.errors import InvalidInput, ProblemCollector, all_of, suggestion
from zpfit.library import LIMITS, Library
from zpfit.limit_option import with_limit
from zpfit.model_library import LoadedModel, ModelSpec, load_model, ready_for_batches
from zpfit.models.base import Model, Parameter
from zpfit.places import Kind
from zpfit.posterior import Posterior
from zpfit.priors import Fixed, FreePrior, Prior, Priors, Tied
from zpfit.run_folder import RunFolder
from zpfit.schema import AlsoAs, Positive, StrictModel, validate
from zpfit.yaml_file import SET, Document, KeyPath, parse_yaml, read_yaml

_PROBES = 20
"""Prior draws at which a user's model is tried out."""


class PriorFile(StrictModel):
    """Named priors of one model."""

    title: str
    model: str
    description: str
    parameters: dict[str, Prior]


class PriorsSpec(StrictModel):
    """What a run asks of the priors: named ones, and changes to them."""

    use: str | None = None
    """Name of a priors file; the model's own name if left out."""
    parameters: dict[str, Prior] = Field(default_factory=dict)
    """Replaces the named priors, parameter by parameter."""


class SamplerSpec(StrictModel):
    """How the posterior is sampled."""

    engine: Literal["emcee", "vegas", "dynesty"] = "emcee"
    """emcee's chains, vegas's or dynesty's weighted samples."""
    ensembles: Annotated[int, Field(ge=2, le=100)] = 2
    """Independent ensembles; R-hat compares them."""
    walkers: Annotated[int, Field(ge=4, le=100_000)] = 256
    """In each ensemble."""
    target_ess: Annotated[int, Field(ge=1, le=10**9)] = 5000
    """Effective samples of the worst parameter at which sampling stops."""
    max_steps: Annotated[int, Field(ge=20, le=10_000_000)] = 20_000
    """Steps of each ensemble after which sampling stops in any case."""


class VegasSpec(StrictModel):
    """Options of the evidence integral, which emcee's walkers start from as well."""

    adaptations: Annotated[int, Field(ge=2, le=20)] = 2
    """Independent adaptations, which must agree."""
    error: Annotated[float, Field(gt=0, le=1)] = 0.01
    """Of ln Z at which the integral stops."""
    max_evaluations: Annotated[int, Field(ge=300_000, le=10**9)] = 5_000_000
    """Points after which it stops in any case."""


class DynestySpec(StrictModel):
    """Options of nested sampling."""

    live_points: Annotated[int, Field(ge=50, le=100_000)] = 500
    tolerance: Annotated[float, Field(gt=0, le=1)] = 0.01
    """Of ln Z that may be left when the run stops."""


class BestFitSpec(StrictModel):
    """Options of the search for the best fit."""

    starts: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Random points from which descents start: 2,000, or 20,000 if some priors have steps."""
    points: Annotated[tuple[dict[str, float], ...], Field(strict=False)] = ()
    """Further starting points, each with every sampled parameter."""


class JointSigmaSpec(StrictModel):
    """How far off measurements may be, in standard errors, while the anomalies are met."""

    others: Positive = 2.0
    """Measurements that are no anomalies and have no limit of their own."""
    within: dict[str, Positive] = Field(default_factory=dict)
    """By entry."""

    def limit(self, entry: str) -> float:
        """The limit of an entry."""
        return self.within.get(entry, self.others)


_SHORTHANDS = {"model": "name", "likelihood": "set", "priors": "use"}
"""Keys whose value may be a bare name, short for a mapping with one key."""


def name_as(key: str) -> BeforeValidator:
    """A bare name is short for a mapping with that one key."""

    def expand(value: Any) -> Any:
        return {key: value} if isinstance(value, str) else value

    return BeforeValidator(expand)


class ModelOnly(StrictModel):
    """The model of a run file."""

    model: Annotated[ModelSpec, name_as(_SHORTHANDS["model"]), AlsoAs("string")]


class RunFile(ModelOnly):
    """A run file."""

    title: str = ""
    likelihood: Annotated[LikelihoodSpec, name_as(_SHORTHANDS["likelihood"]), AlsoAs("string")]
    priors: Annotated[PriorsSpec, name_as(_SHORTHANDS["priors"]), AlsoAs("string")] = PriorsSpec()
    seed: Annotated[int, Field(ge=0, le=2**64 - 1)] = 1
    sampler: SamplerSpec = SamplerSpec()
    vegas: VegasSpec = VegasSpec()
    dynesty: DynestySpec = DynestySpec()
    best_fit: BestFitSpec = BestFitSpec()
    joint_sigma: JointSigmaSpec = JointSigmaSpec()


@dataclass(frozen=True)
class Run:
    """A run file with every name resolved: all that a fit needs."""

    name: str
    settings: RunFile
    posterior: Posterior
    assembled: Assembled
    model_files: Mapping[str, Path]
    """Files of a user's model, by where a library looks for them."""
    notes: tuple[str, ...] = ()
    """What the user should know before the run."""
    code: str = ""
    """Which key of the run file names Python code, and what it names; empty if none does."""

    def files(self) -> dict[str, Path]:
        """Every file behind the run but its run file and priors, which it holds in full."""
        return {**self.assembled.files(), **self.model_files}

    def data_hash(self) -> str:
        """SHA-256 over the content of the likelihood's entries and curves and the model's files."""
        digest = hashlib.sha256(self.assembled.data_hash().encode())
        for name, path in sorted(self.model_files.items()):
            digest.update(name.encode() + path.read_bytes())
        return digest.hexdigest()


def find_run_file(name_or_path: str) -> Path:
    """A path that exists, the resolved file of a run folder, or the file of a named run.

    Raises:
        UnknownName: neither.
    """
    path = Path(name_or_path)
    if path.is_dir() and (path / "config.yaml").is_file():
        return path / "config.yaml"
    return find_file("run", name_or_path)


def find_unfinished(name_or_path: str) -> Path:
    """As :func:`find_run_file`, but of a folder the file of the run on its way, if there is one.

    Raises:
        UnknownName: nothing is found.
    """
    folder = RunFolder(Path(name_or_path))
    return find_run_file(str(folder.unfinished.path if folder.is_unfinished else name_or_path))


def find_file(kind: Kind, name_or_path: str) -> Path:
    """A path that exists or looks like one, or the file behind a name.

    Raises:
        UnknownName: neither.
    """
    path = Path(name_or_path)
    if path.is_file() or path.suffix in {".yaml", ".yml"} or len(path.parts) > 1:
        return path
    return Library.beside().find(kind, name_or_path)


def load_run(
    path: Path, changes: Mapping[str, Any] | None = None, limits: Sequence[str] = ()
) -> Run:
    """Read and resolve a run file; ``changes`` maps dotted keys to values, texts read as YAML.

    ``limits`` are files as :func:`zpfit.limit_option.with_limit` takes them.

    Raises:
        InvalidInput: everything that is wrong with the file, each with its place.
    """
    document = read_yaml(path)
    for key, given in (changes or {}).items():
        is_text = isinstance(given, str)
        value = parse_yaml(given, Path(f"--set {key}")).data if is_text else given
        document = with_change(document, tuple(key.split(".")), value)
    return resolve(with_limits(document, limits), Library.beside(path))


def with_limits(document: Document, limits: Sequence[str]) -> Document:
    """A run or slice document with limit files added to its data.

    Raises:
        InvalidInput: every text that has not the form of :func:`zpfit.limit_option.with_limit`.
    """
    problems = ProblemCollector()
    if limits:
        document = _written_out(document, "likelihood")
    for text in limits:
        with problems.collecting():
            document = with_limit(document, text)
    problems.raise_if_any()
    return document


def with_change(document: Document, keys: KeyPath, value: Any, source: str = SET) -> Document:
    """Set a value; a bare name that stands above it becomes the mapping it is short for.

    Messages name the ``source`` of the change.
    """
    if len(keys) > 1:
        document = _written_out(document, str(keys[0]))
    return document.with_value(keys, value, source)


def _written_out(document: Document, key: str) -> Document:
    """A bare name under a key as the mapping that it is short for."""
    short = _SHORTHANDS.get(key)
    name = document.data.get(key) if isinstance(document.data, dict) else None
    if short and isinstance(name, str):
        longer = document.with_value((key,), {short: name})
        return replace(longer, lines=document.lines, changed=document.changed)
    return document


def load_single_model(text: str) -> tuple[ModelSpec, Model]:
    """A model as ``--model`` names it: what a run file would have under ``model``.

    Raises:
        InvalidInput, UnknownName, InvalidModel: see :func:`zpfit.model_library.load_model`.
    """
    value = parse_yaml(text, Path("--model")).data
    document = Document(Path("--model"), {"model": value}, {})
    spec = validate(ModelOnly, document).model
    return spec, load_model(spec, document, Library.beside()).model


def resolve(document: Document, library: Library) -> Run:
    """Validate a run document and build what it names.

    Raises:
        InvalidInput: everything that is wrong, each with its place.
    """
    settings = validate(RunFile, document)

    def likelihood() -> Assembled:
        assembled = assemble(
            settings.likelihood, library, lambda *keys: document.place(["likelihood", *keys])
        )
        check_measurements(
            settings.joint_sigma.within, assembled, document, ("joint_sigma", "within")
        )
        return assembled

    def model_and_priors() -> tuple[LoadedModel, tuple[str, ...], Priors]:
        loaded = load_model(settings.model, document, library)
        priors = resolve_priors(settings.priors, loaded.model, document, library)
        _check_sampling(settings, priors, document)
        probes = priors.transform(np.random.default_rng(0).random((_PROBES, len(priors.free))))
        place = document.place(["model"])
        model, notes = ready_for_batches(loaded.model, settings.model, probes, place)
        return replace(loaded, model=model), notes, priors

    assembled, (loaded, notes, priors) = all_of(likelihood, model_and_priors)
    return Run(
        name=document.path.stem,
        settings=settings,
        posterior=Posterior(loaded.model, priors, assembled.likelihood),
        assembled=assembled,
        model_files=loaded.files,
        notes=(*notes, *assembled.notes()),
        code=loaded.code,
    )


def check_measurements(
    given: Iterable[str], assembled: Assembled, document: Document, keys: KeyPath
) -> None:
    """See that every name is a measurement of the likelihood.

    Raises:
        InvalidInput: all that are not, each with its place below ``keys``.
    """
    known = [term.name for term in assembled.likelihood.measurements]
    problems = ProblemCollector()
    for name in given:
        if name not in known:
            place, hint = document.place([*keys, name]), suggestion(name, known)
            problems.add(f"{place}: {name!r} is no measurement of this likelihood; {hint}")
    problems.raise_if_any()


def resolved_settings(run: Run) -> dict[str, Any]:
    """The run file with every default and prior written out; itself a valid run file."""
    data = run.settings.model_dump(mode="json")
    if run.settings.model.python is not None and run.model_files:
        # The run folder's own copy of the Python file.
        [file] = run.model_files
        data["model"]["python"] = f"{file}:{run.settings.model.python.rpartition(':')[2]}"
    # Likewise of limit files.
    for addition, kept in zip(run.settings.likelihood.add, data["likelihood"]["add"], strict=True):
        if isinstance(addition, AddedLimit):
            name = addition.entry_name
            kept |= {"name": name, "curve": f"{LIMITS}/{name}{SUFFIX}"}
    priors = run.posterior.priors.by_name
    data["priors"]["parameters"] = {name: prior.model_dump() for name, prior in priors.items()}
    data["priors"]["use"] = None
    data["title"] = run.settings.title or run.name
    return data


def resolve_priors(spec: PriorsSpec, model: Model, document: Document, library: Library) -> Priors:
    """The prior of every parameter of a model, from named priors and changes to them.

    Raises:
        UnknownName, InvalidInput: everything that is wrong, each with its place.
    """
    problems = ProblemCollector()
    chosen: dict[str, FreePrior | Fixed | Tied] = {}
    places: dict[str, str] = {}
    known = [parameter.name for parameter in model.parameters]
    covers_all = set(spec.parameters) >= set(known)
    has_named = model.name in library.names("priors")
    if spec.use is not None or (has_named and not covers_all):
        with problems.collecting():
            named, source = _named_priors(spec, model, document, library)
            chosen.update(named.parameters)
            places.update({name: source.place(["parameters", name]) for name in chosen})
    chosen.update(spec.parameters)
    places.update(
        {name: document.place(["priors", "parameters", name]) for name in spec.parameters}
    )
    problems.raise_if_any()
    for name in chosen:
        if name not in known:
            hint = suggestion(name, known)
            problems.add(f"{places[name]}: model {model.name!r} has no parameter {name!r}; {hint}")
    for parameter in model.parameters:
        if parameter.name in chosen:
            problem = _prior_problem(parameter, chosen)
            if problem:
                problems.add(f"{places[parameter.name]}: {problem}")
        elif parameter.default is None:
            problems.add(
                f"{document.place(['priors'])}: parameter {parameter.name!r} has no prior; "
                "give it one, or a value to fix it"
            )
    problems.raise_if_any()
    return Priors(
        {
            parameter.name: chosen.get(parameter.name, Fixed(value=parameter.default or 0.0))
            for parameter in model.parameters
        }
    )


def _named_priors(
    spec: PriorsSpec, model: Model, document: Document, library: Library
) -> tuple[PriorFile, Document]:
    source = library.document("priors", spec.use or model.name, document.place(["priors", "use"]))
    named = validate(PriorFile, source)
    if named.model != model.name:
        place = document.place(["priors", "use"])
        raise InvalidInput(
            [f"{place}: {source.path} is for model {named.model!r}, not for {model.name!r}"]
        )
    return named, source


def _prior_problem(
    parameter: Parameter, chosen: Mapping[str, FreePrior | Fixed | Tied]
) -> str | None:
    """What is wrong with one parameter's prior, if anything."""
    prior = chosen[parameter.name]
    if isinstance(prior, Tied):
        target = chosen.get(prior.to)
        if target is None:
            return f"tied to {prior.to!r}, which has no prior; {suggestion(prior.to, list(chosen))}"
        if isinstance(target, Tied):
            return f"tied to {prior.to!r}, which is itself tied; tie both to the same parameter"
    low, high = Priors(chosen).support(parameter.name)
    if low < parameter.domain[0] or high > parameter.domain[1]:
        reach = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        return (
            f"{reach} lies outside what {parameter.name} may be "
            f"({parameter.domain[0]:g} to {parameter.domain[1]:g}); narrow the prior"
        )
    return None


def _check_sampling(settings: RunFile, priors: Priors, document: Document) -> None:
    problems = ProblemCollector()
    dimension = len(priors.free)
    if dimension == 0:
        problems.add(f"{document.place(['priors'])}: every parameter is fixed; free at least one")
    if settings.sampler.walkers < 2 * dimension:
        problems.add(
            f"{document.place(['sampler', 'walkers'])}: {dimension} sampled parameters need at "
            f"least {2 * dimension} walkers, not {settings.sampler.walkers}"
        )
    for index, point in enumerate(settings.best_fit.points):
        place = document.place(["best_fit", "points", index])
        for name in point:
            if name not in priors.free:
                hint = suggestion(name, list(priors.free))
                problems.add(f"{place}: {name!r} is not sampled; {hint}")
        missing = [name for name in priors.free if name not in point]
        if missing:
            problems.add(f"{place}: no value for {', '.join(missing)}; give all or leave it out")
        else:
            with problems.collecting():
                priors.to_unit_cube(point, place)
    problems.raise_if_any()
