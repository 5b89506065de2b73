"""Files of priors, and the changes to them in a run file."""

import unicodedata
from collections.abc import Mapping, Sequence

from pydantic import Field

from zpfit.errors import InvalidInput, ProblemCollector, suggestion
from zpfit.inference.priors import Fixed, FreePrior, Prior, Priors, Tied
from zpfit.io.document import Document
from zpfit.io.library import Library
from zpfit.io.schema import StrictModel, validate
from zpfit.models.base import Model, Parameter
from zpfit.models.dark_width import optional_parameters


class PriorFile(StrictModel):
    """A file of priors of one model."""

    title: str
    model: str
    description: str
    parameters: dict[str, Prior]


class PriorsSpec(StrictModel):
    """Priors of a run: a file of priors, and priors of single parameters."""

    use: str | None = None
    """Name of a file of priors; default is the model's name."""
    parameters: dict[str, Prior] = Field(default_factory=dict)
    """Priors that replace those of the file, by parameter."""


def resolve_priors(spec: PriorsSpec, model: Model, document: Document, library: Library) -> Priors:
    """Return the prior of every parameter of a model, and of optional ones that have one.

    :func:`zpfit.models.dark_width.with_given` gives the model that has all of them.

    Parameters
    ----------
    spec
        File of priors, and priors of single parameters.
    model
        Model whose parameters need priors.
    document
        Run file, for the places in messages.
    library
        Library that finds the file of priors.

    Raises
    ------
    UnknownName, InvalidInput
        There are problems; the message lists all of them with their places.
    """
    problems = ProblemCollector()
    chosen: dict[str, FreePrior | Fixed | Tied] = {}
    places: dict[str, str] = {}
    optional = optional_parameters(model)
    required = {parameter.name for parameter in model.parameters}
    known = [parameter.name for parameter in (*model.parameters, *optional)]
    covers_all = {as_parameter(name, known) for name in spec.parameters} >= required
    has_named = model.name in library.names("priors")
    if spec.use is not None or (has_named and not covers_all):
        with problems.collecting():
            named, source = _named_priors(spec, model, document, library)
            chosen.update(named.parameters)
            places.update({name: source.place(["parameters", name]) for name in chosen})
    for written, prior in spec.parameters.items():
        name = as_parameter(written, known)
        chosen[name] = prior
        places[name] = document.place(["priors", "parameters", written])
    problems.raise_if_any()
    for name in chosen:
        if name not in known:
            hint = suggestion(name, known)
            problems.add(f"{places[name]}: model {model.name!r} has no parameter {name!r}; {hint}")
    parameters = (*model.parameters, *(p for p in optional if p.name in chosen))
    for parameter in parameters:
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
            for parameter in parameters
        }
    )


def as_parameter(written: str, known: Sequence[str]) -> str:
    """Return the parameter that a written name means.

    Python turns the letters of arguments into their normal form (NFKC), such as the micro sign
    into the Greek letter.

    Examples
    --------
    >>> as_parameter("\N{MICRO SIGN}", ["\N{GREEK SMALL LETTER MU}"])
    '\N{GREEK SMALL LETTER MU}'
    """
    if written in known:
        return written
    normal = {unicodedata.normalize("NFKC", name): name for name in known}
    return normal.get(unicodedata.normalize("NFKC", written), written)


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
    """Return the problem of one parameter's prior, or None."""
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
            f"{reach} lies outside the domain of {parameter.name} "
            f"({parameter.allowed}); narrow the prior"
        )
    return None
