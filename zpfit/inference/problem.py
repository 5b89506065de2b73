"""The problem of a fit: model, priors and likelihood by name, and all of them resolved."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, NoReturn

import numpy as np
from pydantic import Field, ValidationError, create_model

from zpfit.errors import InvalidInput, ProblemCollector, all_of, suggestion
from zpfit.inference.posterior import Posterior
from zpfit.inference.prior_files import PriorsSpec, resolve_priors
from zpfit.inference.priors import Priors
from zpfit.inference.samplers.engine import Engine
from zpfit.inference.samplers.registry import BUILT_IN, find_engine, plugins
from zpfit.inference.settings import Settings
from zpfit.io.arrays import FloatArray
from zpfit.io.document import Document, KeyPath
from zpfit.io.figure_spec import FigureSpec
from zpfit.io.library import Library
from zpfit.io.schema import AlsoAs, Parts, StrictModel, name_as, validate_parts
from zpfit.likelihood.build import Assembled, LikelihoodSpec, assemble
from zpfit.likelihood.mass_coverage import masses_beyond_formulas, useless_limits
from zpfit.likelihood.spec import Place
from zpfit.models.base import Model, Values
from zpfit.models.dark_width import with_given
from zpfit.models.effective import MASS
from zpfit.models.library import LoadedModel, ModelSpec, load_model, ready_for_batches
from zpfit.models.quantities import problems_of_names
from zpfit.physics.branching_ratios import notes_about_widths

_PROBES = 20
"""Prior draws at which a user's model is tested."""

SHORTHANDS = {"model": "name", "likelihood": "set", "priors": "use"}
"""Keys whose value may be a bare name, and the key of the mapping that it stands for."""


class ModelOnly(StrictModel):
    """The model of a run file."""

    model: Annotated[ModelSpec, name_as(SHORTHANDS["model"]), AlsoAs("string")]


class RunFile(ModelOnly, Settings):
    """A run file."""

    title: str = ""
    """Title of plots and pages; default is the name of the file."""
    likelihood: Annotated[LikelihoodSpec, name_as(SHORTHANDS["likelihood"]), AlsoAs("string")]
    """Set of data, and changes to it."""
    priors: Annotated[PriorsSpec, name_as(SHORTHANDS["priors"]), AlsoAs("string")] = PriorsSpec()
    """File of priors, and priors of single parameters."""
    figure: FigureSpec = FigureSpec()
    """Look of the figures of the run, its profiles and limits."""


def run_file_model(engines: Iterable[str]) -> type[RunFile]:
    """Return the schema of run files with the options of some plug-in engines.

    Parameters
    ----------
    engines
        Names of engines. Those whose options :class:`RunFile` has, and unknown ones, add nothing.
    """
    found = [_plugin_engine(name) for name in engines]
    fields: dict[str, Any] = {
        engine.section: (engine.options, _default(engine))
        for engine in found
        if engine is not None and engine.section not in RunFile.model_fields
    }
    if not fields:
        return RunFile
    return create_model("RunFile", __base__=RunFile, __doc__=RunFile.__doc__, **fields)


def _plugin_engine(name: str) -> Engine | None:
    """Return a plug-in engine, or None; the key ``sampler.engine`` reports what is wrong."""
    try:
        return find_engine(name) if name in plugins() else None
    except Exception:  # noqa: BLE001 - code of another package can fail in any way
        return None


def _default(engine: Engine) -> Any:
    """Return the engine's default options, or a required field if they have no defaults."""
    try:
        return engine.options()
    except ValidationError:
        return Field()


def _engines_in(document: Document) -> list[str]:
    """Return all names in a run file that may be those of engines with options."""
    data = document.data if isinstance(document.data, dict) else {}
    sampler = data.get("sampler")
    chosen = sampler.get("engine") if isinstance(sampler, dict) else None
    return [name for name in (*data, chosen) if isinstance(name, str)]


@dataclass(frozen=True, repr=False)
class Problem:
    """A run file with every name resolved: everything that a fit needs."""

    name: str
    settings: RunFile
    posterior: Posterior
    assembled: Assembled
    model_files: Mapping[str, Path]
    """Files of a user's model, by their place in a library."""
    notes: tuple[str, ...] = ()
    """Remarks for the user before the run."""
    document: Document | None = None
    """Source that the problem was resolved from; None if it was built by hand."""
    library: Library | None = None
    """Folders in which names were looked up."""
    code: str = ""
    """Keys of the run file that name Python code, and the code; empty if there are none."""

    @property
    def title(self) -> str:
        """Title of the run file, or the name."""
        return self.settings.title or self.name

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the sampled parameters, one for each axis of the unit cube."""
        return self.posterior.names

    def log_likelihood(self, u: FloatArray) -> FloatArray:
        """Return ln L at points of the unit cube, shape (n, d); see the posterior's method."""
        return self.posterior.log_likelihood(u)

    def files(self) -> dict[str, Path]:
        """Return all files that the run depends on, by their place in a library.

        The run file and the priors are not among them: ``settings`` holds them in full.
        """
        return {**self.assembled.files(), **self.model_files}

    def data_hash(self) -> str:
        """Return the SHA-256 of the likelihood's entries and curves and of the model's files."""
        digest = hashlib.sha256(self.assembled.data_hash().encode())
        for name, path in sorted(self.model_files.items()):
            digest.update(name.encode() + path.read_bytes())
        return digest.hexdigest()

    def __repr__(self) -> str:
        posterior = self.posterior
        where = f"{posterior.model.name} on {posterior.likelihood.name}"
        return f"<Problem {self.name}: {where}, samples {', '.join(self.names)}>"


def resolve(document: Document, library: Library) -> Problem:
    """Validate a run document and build the model, priors and likelihood that it names.

    Parameters
    ----------
    document : Document
        Content of a run file.
    library : Library
        Folders in which names are looked up.

    Raises
    ------
    InvalidInput
        The document does not fit the schema, or names something unknown or unusable. Lists
        all problems, each with its place.
    """
    parts = validate_parts(run_file_model(_engines_in(document)), document)
    if parts.problems:
        _raise_problems(parts, document, library)
    settings = parts.values
    assembled, (loaded, notes, priors), _ = all_of(
        lambda: _likelihood(settings, document, library),
        lambda: _model_and_priors(settings, document, library),
        lambda: _find_priors(settings, document, library),
    )
    silent = _mass_notes(settings, assembled, priors, document)
    assembled = assembled.for_model(loaded.model, _probes(priors))
    _check_joint_sigma(settings, assembled, document)
    return Problem(
        name=document.path.stem,
        settings=settings,
        posterior=Posterior(loaded.model, priors, assembled.likelihood),
        assembled=assembled,
        model_files=loaded.files,
        notes=(*loaded.notes, *notes, *silent, *assembled.notes()),
        code="; ".join(filter(None, (loaded.code, *assembled.code, _engine_code(settings)))),
        document=document,
        library=library,
    )


def _mass_notes(
    settings: RunFile, assembled: Assembled, priors: Priors, document: Document
) -> tuple[str, ...]:
    if MASS.name not in priors.by_name:
        return ()
    masses = priors.support(MASS.name)
    spec, place = settings.likelihood, likelihood_place(document)
    return (
        *useless_limits(spec, assembled.likelihood, masses, "prior", place),
        *masses_beyond_formulas(assembled.likelihood, masses, "prior"),
    )


def _likelihood(settings: RunFile, document: Document, library: Library) -> Assembled:
    assembled = assemble_from(document, settings.likelihood, library)
    _check_joint_sigma(settings, assembled, document)
    return assembled


def _check_joint_sigma(settings: RunFile, assembled: Assembled, document: Document) -> None:
    check_measurements(settings.joint_sigma.within, assembled, document, ("joint_sigma", "within"))


def _probes(priors: Priors) -> Values:
    """Return every parameter at some draws from the prior."""
    return priors.transform(np.random.default_rng(0).random((_PROBES, len(priors.free))))


def _model_and_priors(
    settings: RunFile, document: Document, library: Library
) -> tuple[LoadedModel, tuple[str, ...], Priors]:
    """Return the model, notes about it, and the priors of its parameters."""
    loaded = load_model(settings.model, document, library)
    priors = resolve_priors(settings.priors, loaded.model, document, library)
    extended = with_given(loaded.model, priors.by_name)
    _check_sampling(settings, priors, document)
    probes = _probes(priors)
    place = document.place(["model"])
    model, notes = ready_for_batches(extended, settings.model, probes, place)
    problems = ProblemCollector()
    problems.add(*(f"{place}: {found}" for found in problems_of_names(model, probes)))
    problems.raise_if_any()
    known = MASS.name in priors.by_name
    largest = priors.support(MASS.name)[1] if known else 0.0
    return replace(loaded, model=model), (*notes, *width_notes(model, probes, largest)), priors


def width_notes(model: Model, values: Values, largest_mass: float) -> tuple[str, ...]:
    """Return remarks about hadronic widths of results up to a mass (MeV), if not of the points.

    Parameters
    ----------
    model
        The model, as it is called for batches.
    values
        Every parameter at some points, shape (n,) each.
    largest_mass
        Largest mass of the results, if it is a parameter; zero otherwise.
    """
    exists = model.exists(values)
    if not exists.any():
        return ()
    c = model.couplings({name: column[exists] for name, column in values.items()})
    return notes_about_widths(c, max(largest_mass, float(c.m_Zp.max())))


def _find_priors(settings: RunFile, document: Document, library: Library) -> None:
    """Check the name of the priors, which an unknown model would hide.

    Raises
    ------
    UnknownName
        No file has that name.
    """
    if settings.priors.use is not None:
        library.find("priors", settings.priors.use, document.place(["priors", "use"]))


def _raise_problems(parts: Parts[RunFile], document: Document, library: Library) -> NoReturn:
    """Raise the problems of a document, and those of the names in its valid parts."""
    problems, settings = ProblemCollector(), parts.values
    problems.add(*parts.problems)

    def priors() -> None:
        model = load_model(settings.model, document, library).model
        resolve_priors(settings.priors, model, document, library)

    def attempt(keys: Sequence[str], step: Callable[[], object]) -> None:
        parts.attempt(problems, keys, step)

    # Smaller steps first: each needs fewer keys, and repeated problems are listed once.
    attempt(["likelihood"], lambda: assemble_from(document, settings.likelihood, library))
    attempt(["likelihood", "joint_sigma"], lambda: _likelihood(settings, document, library))
    attempt(["model"], lambda: load_model(settings.model, document, library))
    attempt(["priors"], lambda: _find_priors(settings, document, library))
    attempt(["model", "priors"], priors)
    attempt(
        ["model", "priors", "sampler", "best_fit"],
        lambda: _model_and_priors(settings, document, library),
    )
    raise InvalidInput(problems.found, problems.causes)


def assemble_from(document: Document, spec: LikelihoodSpec, library: Library) -> Assembled:
    """Build the likelihood under the key ``likelihood`` of a document.

    Raises
    ------
    InvalidInput, EmptyLikelihood
        See :func:`zpfit.likelihood.build.assemble`; places are those of the document.
    """
    return assemble(spec, library, likelihood_place(document))


def likelihood_place(document: Document) -> Place:
    """Return a function from keys below ``likelihood`` to their place in a document."""
    return lambda *keys: document.place(["likelihood", *keys])


def _engine_code(settings: RunFile) -> str:
    """Return which package the sampling engine comes from; empty for engines of zpfit."""
    name = settings.sampler.engine
    point = plugins().get(name) if name not in BUILT_IN else None
    where = f"sampler.engine = {name}, which is"
    return f"{where} {point.value} of an installed package" if point else ""


def check_measurements(
    given: Iterable[str], assembled: Assembled, document: Document, keys: KeyPath
) -> None:
    """Check that every name is a measurement of the likelihood.

    Raises
    ------
    InvalidInput
        Some are not; the message lists them with their places below ``keys``.
    """
    known = [term.name for term in assembled.likelihood.measurements]
    problems = ProblemCollector()
    for name in given:
        if name not in known:
            place, hint = document.place([*keys, name]), suggestion(name, known)
            problems.add(f"{place}: {name!r} is not a measurement of this likelihood; {hint}")
    problems.raise_if_any()


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
