"""Slices: planes through a model's parameters and the regions to draw, read from YAML."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal, NoReturn, cast

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from zpfit.analysis.exclusion.plane import Plane, Side, Solved
from zpfit.analysis.levels import delta_chi2, parse_level
from zpfit.errors import InvalidInput, ProblemCollector, all_of, suggestion
from zpfit.inference.prior_files import PriorsSpec, resolve_priors
from zpfit.inference.priors import FreePrior, LogUniform, Priors, SignedLogUniform, Uniform
from zpfit.inference.problem import (
    assemble_from,
    check_measurements,
    likelihood_place,
    width_notes,
)
from zpfit.io.document import Document
from zpfit.io.figure_spec import FigureSpec
from zpfit.io.library import Library
from zpfit.io.schema import (
    AlsoAs,
    Names,
    Number,
    Parts,
    Positive,
    StrictModel,
    name_as,
    validate_parts,
)
from zpfit.likelihood.build import Assembled, LikelihoodSpec
from zpfit.likelihood.exclusions import Exclusion, ExclusionBase
from zpfit.likelihood.mass_coverage import masses_beyond_formulas, useless_limits
from zpfit.models.base import Model, Parameter
from zpfit.models.dark_width import with_given
from zpfit.models.effective import MASS
from zpfit.models.library import LoadedModel, ModelSpec, load_model, ready_for_batches
from zpfit.physics.couplings import COUPLING_NAMES
from zpfit.physics.observables import find_observable, observable_names

_SIGMA = 2.0
"""Default number of standard errors beyond which a measurement excludes."""
_CL = 0.90
"""Default confidence level at which a measurement excludes."""
PARAMETERS = 2
"""Parameters of Delta chi2: those of the plane."""
_PROBES = 20


class AxisSpec(StrictModel):
    """A side of the plane. The default range is the positive range of the parameter's prior."""

    parameter: str
    lower: Number | None = None
    upper: Number | None = None
    scale: Literal["linear", "log"] = "linear"

    @model_validator(mode="after")
    def _in_order(self) -> "AxisSpec":
        if (self.lower is None) != (self.upper is None):
            raise ValueError("lower and upper go together; give both, or leave both out")
        if self.lower is None or self.upper is None:
            return self
        if self.lower >= self.upper:
            raise ValueError(f"lower ({self.lower:g}) must be below upper ({self.upper:g})")
        if self.scale == "log" and self.lower <= 0:
            raise ValueError(f"lower ({self.lower:g}) must be positive on a logarithmic axis")
        return self


class SolveSpec(StrictModel):
    """The condition on a solved parameter."""

    observable: str
    value: Number
    sign: Literal["positive", "negative"] = "positive"
    """Sign of the parameter."""
    nearest: bool = False
    """Take the closest value where the observable cannot have the required one."""

    @field_validator("observable")
    @classmethod
    def _is_known(cls, observable: str) -> str:
        try:
            find_observable(observable)
        except KeyError as error:
            hint = suggestion(observable, observable_names())
            raise ValueError(f"unknown observable {observable!r}; {hint}") from error
        except ImportError as error:
            raise ValueError(str(error)) from error
        return observable


def _not_empty(levels: tuple[float, ...]) -> tuple[float, ...]:
    if not levels:
        raise ValueError("has no levels; give at least one")
    return levels


Reference = Literal["no_zprime", "best_fit", "pull"]
"""What the chi2 of a measurement is compared with.

no_zprime: its chi2 without a Z'. best_fit: its least chi2 in the plane. pull: zero, so that a
measurement excludes what lies too many standard errors away.
"""
ConfidenceLevel = Annotated[float, BeforeValidator(parse_level), AlsoAs("string")]
"""A probability, or 1, 2 or 3 sigma."""
Levels = Annotated[tuple[Positive, ...], Field(strict=False), AfterValidator(_not_empty)]


class SliceFile(StrictModel):
    """A slice file."""

    title: str = ""
    model: Annotated[ModelSpec, name_as("name"), AlsoAs("string")] = ModelSpec(name="effective")
    likelihood: Annotated[LikelihoodSpec, name_as("set"), AlsoAs("string")]
    x: AxisSpec
    y: AxisSpec
    fix: dict[str, Number] = Field(default_factory=dict)
    """Values of parameters. Parameters without a role have their defaults; couplings are zero."""
    solve: dict[str, SolveSpec] = Field(default_factory=dict)
    """Parameters whose value follows from an observable."""
    profile: Names = ()
    """Parameters that take the best-fitting value within their priors."""
    priors: Annotated[PriorsSpec, name_as("use"), AlsoAs("string")] = PriorsSpec()
    """Ranges of the profiled parameters."""
    reference: Reference = "no_zprime"
    """What measurements are compared with: no Z', the best fit of each in the plane, or the
    datum, from which they count standard errors (``pull``)."""
    cl: ConfidenceLevel | None = None
    """Confidence level of Delta chi2 for the two parameters of the plane; 0.90 by default."""
    curves: Literal["published", "rescaled"] = "published"
    """Draw published limits at their own level, or rescaled to ``cl`` by their soft form."""
    sigma: Positive | None = None
    """Standard errors beyond which a measurement excludes, for ``pull``; 2 by default."""
    within: dict[str, Positive] = Field(default_factory=dict)
    """Standard errors of single entries, for ``pull``."""
    bands: dict[str, Positive] = Field(default_factory=dict)
    """Measurements drawn as bands, and the half-width of each in standard errors."""
    contours: dict[str, Levels] = Field(default_factory=dict)
    """Sizes of parameters or couplings at which lines are drawn."""
    figure: FigureSpec = FigureSpec()
    """Look of the figure."""


@dataclass(frozen=True)
class Slice:
    """A slice file with every name resolved."""

    name: str
    settings: SliceFile
    plane: Plane
    assembled: Assembled
    notes: tuple[str, ...] = ()
    """Remarks for the user."""

    @property
    def title(self) -> str:
        """Title of the figure."""
        return self.settings.title or self.name

    def sigma(self, entry: str) -> float:
        """Return the standard errors within which a band or a measurement must lie."""
        settings = self.settings
        return settings.bands.get(entry, settings.within.get(entry, self.usual_sigma))

    @property
    def usual_sigma(self) -> float:
        """Standard errors within which a measurement without its own number must lie."""
        return self.settings.sigma or _SIGMA

    @property
    def cl(self) -> float | None:
        """Confidence level of measurements; None for pulls."""
        settings = self.settings
        return None if settings.reference == "pull" else settings.cl or _CL

    @property
    def delta_chi2(self) -> float | None:
        """Delta chi2 above which a measurement excludes; None for pulls."""
        return None if self.cl is None else delta_chi2(self.cl, PARAMETERS)

    @property
    def published_levels(self) -> dict[str, float | None]:
        """Confidence levels of published limits by entry; None where none is stated."""
        return {
            name: entry.confidence_level
            for name, _, entry in self.assembled.entries
            if isinstance(entry, ExclusionBase)
        }

    def ratio_at(self, exclusion: Exclusion) -> float:
        """Return the ratio of signal to published limit above which a point is excluded."""
        if self.cl is None or self.settings.curves == "published":
            return 1.0
        return exclusion.soft_form.ratio_at(self.cl)


def resolve_slice(document: Document, library: Library) -> Slice:
    """Validate a slice document and build what it names.

    Raises
    ------
    InvalidInput
        The document does not fit the schema, or names something unknown or unusable. Lists
        all problems, each with its place.
    """
    parts = validate_parts(SliceFile, document)
    if parts.problems:
        _raise_problems(parts, document, library)
    settings = parts.values
    assembled, (built, notes), _ = all_of(
        lambda: _likelihood(settings, document, library),
        lambda: _checked_plane(settings, document, library),
        lambda: _check_reference(settings, document),
    )
    silent = _mass_notes(settings, assembled, built, document)
    middle = built.starting_parameters(np.full((1, 2 + len(built.profiled)), 0.5))
    assembled = assembled.for_model(built.model, middle)
    _check_entries(settings, assembled, document)
    return Slice(
        document.path.stem, settings, built, assembled, (*notes, *silent, *assembled.notes())
    )


def _mass_notes(
    settings: SliceFile, assembled: Assembled, plane: Plane, document: Document
) -> tuple[str, ...]:
    spec, place = settings.likelihood, likelihood_place(document)
    masses = [(s.lower, s.upper) for s in (plane.x, plane.y) if s.name == MASS.name]
    masses += [(m, m) for name, m in plane.fixed.items() if name == MASS.name]
    if not masses:
        return ()
    return (
        *useless_limits(spec, assembled.likelihood, masses[0], "plane", place),
        *masses_beyond_formulas(assembled.likelihood, masses[0], "plane"),
    )


def _likelihood(settings: SliceFile, document: Document, library: Library) -> Assembled:
    assembled = assemble_from(document, settings.likelihood, library)
    _check_entries(settings, assembled, document)
    return assembled


def _checked_plane(
    settings: SliceFile, document: Document, library: Library
) -> tuple[Plane, tuple[str, ...]]:
    loaded = load_model(settings.model, document, library)
    used = {name for _, name in _uses(settings)}
    loaded = replace(loaded, model=with_given(loaded.model, used))
    _check_parameters(settings, loaded.model, document)
    return _plane(settings, loaded, document, library)


_PLANE_KEYS = ("model", "x", "y", "fix", "solve", "profile", "priors", "contours")
"""Keys of a slice file that describe its plane."""
_LEVEL_KEYS = ("reference", "cl", "curves", "sigma", "within")
"""Keys that say where measurements and limits exclude."""


def _raise_problems(parts: Parts[SliceFile], document: Document, library: Library) -> NoReturn:
    """Raise the problems of a document, and those of the names in its valid parts."""
    problems, settings = ProblemCollector(), parts.values
    problems.add(*parts.problems)

    def attempt(keys: Sequence[str], step: Callable[[], object]) -> None:
        parts.attempt(problems, keys, step)

    # Smaller steps first: each needs fewer keys, and repeated problems are listed once.
    attempt(["likelihood"], lambda: assemble_from(document, settings.likelihood, library))
    attempt(["likelihood", "within", "bands"], lambda: _likelihood(settings, document, library))
    attempt(["model"], lambda: load_model(settings.model, document, library))
    attempt(_LEVEL_KEYS, lambda: _check_reference(settings, document))
    attempt(_PLANE_KEYS, lambda: _checked_plane(settings, document, library))
    raise InvalidInput(problems.found, problems.causes)


def _plane(
    settings: SliceFile, loaded: LoadedModel, document: Document, library: Library
) -> tuple[Plane, tuple[str, ...]]:
    by_name = {parameter.name: parameter for parameter in loaded.model.parameters}
    profiled = _profiled(settings, loaded.model, document, library)
    taken = {settings.x.parameter, settings.y.parameter, *settings.solve, *profiled}
    fixed = {name: _value(p, settings.fix) for name, p in by_name.items() if name not in taken}
    solved = tuple(_solved(by_name[name], spec) for name, spec in settings.solve.items())
    axes = [
        _side(key, spec, settings, loaded.model, document, library)
        for key, spec in (("x", settings.x), ("y", settings.y))
    ]
    plane = Plane(loaded.model, axes[0], axes[1], fixed, solved, profiled)
    probes = np.random.default_rng(0).random((_PROBES, 2 + len(profiled)))
    values = plane.starting_parameters(probes)
    place = document.place(["model"])
    model, notes = ready_for_batches(loaded.model, settings.model, values, place)
    largest = max((side.upper for side in axes if side.name == MASS.name), default=0.0)
    notes = (*notes, *width_notes(model, values, largest))
    return Plane(model, axes[0], axes[1], fixed, solved, profiled), notes


def _side(
    key: str,
    spec: AxisSpec,
    settings: SliceFile,
    model: Model,
    document: Document,
    library: Library,
) -> Side:
    """Return the side of a file, by default the positive range of the parameter's prior."""
    if spec.lower is not None and spec.upper is not None:
        return Side(spec.parameter, spec.lower, spec.upper, spec.scale)
    prior = resolve_priors(settings.priors, model, document, library).by_name[spec.parameter]
    match prior:
        case Uniform():
            return Side(spec.parameter, prior.lower, prior.upper, spec.scale)
        case LogUniform() | SignedLogUniform():
            return Side(spec.parameter, prior.lower, prior.upper, "log")
    place = document.place([key])
    raise InvalidInput(
        [f"{place}: the prior of {spec.parameter!r} has no two bounds; give lower and upper"]
    )


def _value(parameter: Parameter, fixed: Mapping[str, float]) -> float:
    value = fixed.get(parameter.name, parameter.default)
    value = parameter.left_out if value is None else value
    return cast(float, value)  # _check_roles has seen to it


def _solved(parameter: Parameter, spec: SolveSpec) -> Solved:
    low, high = parameter.domain
    start, end = (max(low, 0.0), high) if spec.sign == "positive" else (min(high, 0.0), low)
    observable = find_observable(spec.observable)
    return Solved(parameter.name, observable, spec.value, start, end, spec.nearest)


def _profiled(
    settings: SliceFile, model: Model, document: Document, library: Library
) -> dict[str, FreePrior]:
    if not settings.profile:
        return {}
    priors: Priors = resolve_priors(settings.priors, model, document, library)
    problems = ProblemCollector()
    for index, name in enumerate(settings.profile):
        if name not in priors.free:
            place = document.place(["profile", index])
            problems.add(f"{place}: the prior of {name!r} is fixed or tied; free it")
    problems.raise_if_any()
    return {name: priors.free[name] for name in settings.profile}


def _check_entries(settings: SliceFile, assembled: Assembled, document: Document) -> None:
    problems = ProblemCollector()
    for key, given in (("within", settings.within), ("bands", settings.bands)):
        with problems.collecting():
            check_measurements(given, assembled, document, (key,))
    for name in set(settings.within) & set(settings.bands):
        place = document.place(["within", name])
        problems.add(f"{place}: {name!r} stands under bands as well; give it once")
    problems.raise_if_any()


def _check_reference(settings: SliceFile, document: Document) -> None:
    """Check that levels and standard errors are given where the reference uses them."""
    problems = ProblemCollector()
    if settings.reference == "pull":
        given: dict[tuple[str, ...], bool] = {
            ("cl",): settings.cl is not None,
            ("curves",): settings.curves == "rescaled",
        }
        reason = "pull counts standard errors and has no level; drop it or give sigma"
    else:
        given = {("sigma",): settings.sigma is not None}
        given |= {("within", name): True for name in settings.within}
        reason = "only pull counts standard errors; set reference to pull, or give cl"
    for keys in (keys for keys, wrong in given.items() if wrong):
        problems.add(f"{document.place(list(keys))}: reference {settings.reference}: {reason}")
    problems.raise_if_any()


def _check_parameters(settings: SliceFile, model: Model, document: Document) -> None:
    """Check that each parameter is known, has one role, and a value inside its domain."""
    by_name = {parameter.name: parameter for parameter in model.parameters}
    problems = ProblemCollector()
    _check_roles(settings, model, document, problems)
    for keys, name, values in _given_values(settings):
        parameter = by_name.get(name, Parameter(name, "", domain=(-np.inf, np.inf)))
        low, high = parameter.domain
        for value in values:
            if not low <= value <= high:
                place = document.place(list(keys))
                problems.add(f"{place}: {name} = {value:g} must be {parameter.allowed}")
    if settings.contours and settings.profile:
        problems.add(f"{document.place(['contours'])}: a profile has no contours; drop one of them")
    if settings.solve and settings.profile:
        problems.add(
            f"{document.place(['solve'])}: a profile meets measurements within their errors "
            "already; profile the solved parameter as well"
        )
    quantities = [*by_name, *COUPLING_NAMES]
    for name in settings.contours:
        if name not in quantities:
            hint = suggestion(name, quantities)
            problems.add(f"{document.place(['contours', name])}: unknown {name!r}; {hint}")
    problems.raise_if_any()


def _check_roles(
    settings: SliceFile, model: Model, document: Document, problems: ProblemCollector
) -> None:
    known, used = [parameter.name for parameter in model.parameters], set[str]()
    for keys, name in _uses(settings):
        place = document.place(list(keys))
        if name not in known:
            hint = suggestion(name, known)
            problems.add(f"{place}: model {model.name!r} has no parameter {name!r}; {hint}")
        elif name in used:
            problems.add(f"{place}: {name} has another role already; give it one")
        used.add(name)
    if not used <= set(known):
        return  # a parameter without a value may only be misspelt
    for parameter in model.parameters:
        has_value = parameter.default is not None or parameter.left_out is not None
        if parameter.name not in used and not has_value:
            place = document.place(["fix"])
            problems.add(f"{place}: {parameter.name} has no value; fix, solve or profile it")


def _uses(settings: SliceFile) -> list[tuple[tuple[str | int, ...], str]]:
    """Yield the keys that give a parameter a role."""
    return [
        (("x", "parameter"), settings.x.parameter),
        (("y", "parameter"), settings.y.parameter),
        *((("fix", name), name) for name in settings.fix),
        *((("solve", name), name) for name in settings.solve),
        *((("profile", index), name) for index, name in enumerate(settings.profile)),
    ]


def _given_values(
    settings: SliceFile,
) -> list[tuple[tuple[str | int, ...], str, tuple[float, ...]]]:
    """Yield the keys that give parameters values."""
    axes = (("x", settings.x), ("y", settings.y))
    return [
        *(
            ((key,), axis.parameter, (axis.lower, axis.upper))
            for key, axis in axes
            if axis.lower is not None and axis.upper is not None
        ),
        *((("fix", name), name, (value,)) for name, value in settings.fix.items()),
    ]
