"""Subjects: a model with data, and the sliders of its parameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zpfit.errors import InvalidInput, ZpfitError
from zpfit.inference.posterior import Posterior
from zpfit.inference.prior_files import PriorFile
from zpfit.inference.priors import Fixed, Prior, Priors
from zpfit.inference.problem import ModelOnly
from zpfit.io.document import Document
from zpfit.io.library import Library
from zpfit.io.schema import StrictModel, validate
from zpfit.io.yaml import parse_yaml
from zpfit.likelihood.build import Assembled
from zpfit.likelihood.likelihood import Likelihood
from zpfit.models.base import Model
from zpfit.models.dark_width import optional_parameters, with_given
from zpfit.models.library import LoadedModel, ModelSpec, load_model, ready_for_batches
from zpfit.pages.explore.grid import quick_grid
from zpfit.pages.explore.sliders import Slider, slider
from zpfit.physics.couplings import Couplings

_DRAWS = 4096
"""Prior draws among which the starting point is chosen."""
_PROBES = 20
_TIMED = 256
"""Points at which the cost of a slice is measured."""
_DIGITS = 6
"""Significant digits of the values at the start."""


@dataclass(frozen=True)
class Subject:
    """A model with data, and sliders for the model's parameters."""

    text: str
    """The model, as a run file describes it."""
    model: Model
    spec: ModelSpec
    options: type[StrictModel]
    assembled: Assembled
    sliders: Mapping[str, Slider]
    start: Mapping[str, float]
    notes: tuple[str, ...]
    chi2_no_zprime: float
    grid: int
    """Nodes along each axis of a slice that is fast."""

    @property
    def likelihood(self) -> Likelihood:
        """Likelihood of the data."""
        return self.assembled.likelihood


@dataclass(frozen=True)
class NamedModel:
    """A model and the text that names it."""

    text: str
    spec: ModelSpec
    document: Document
    loaded: LoadedModel


def named_model(
    text: str, library: Library, allow_code: Callable[[str], bool], place: str = "request"
) -> NamedModel:
    """Load a model from the text that a run file has under ``model``.

    Parameters
    ----------
    text
        The model, as a run file describes it.
    library
        Named files.
    allow_code
        Returns whether Python code that a text names is loaded.
    place
        Place of the text in messages.

    Raises
    ------
    UnknownName, InvalidInput, InvalidYaml
        No model has that name, or options are wrong.
    InvalidInput
        The text names a Python file, and ``allow_code`` refuses it.
    """
    value = parse_yaml(text, Path(place)).data
    document = Document(Path(place), {"model": value}, {})
    spec = validate(ModelOnly, document).model
    if spec.python is not None and not allow_code(text):
        raise InvalidInput(
            ["model: Python code is loaded only if the command names it; start with it"]
        )
    return NamedModel(text, spec, document, load_model(spec, document, library))


def named_priors(model: Model, library: Library) -> Mapping[str, Prior]:
    """Return packaged or own priors of the model's parameters that have some.

    Priors with the model's name come first, then those that fit its options.
    """
    known = {parameter.name for parameter in (*model.parameters, *optional_parameters(model))}
    names = library.names("priors")
    best: Mapping[str, Prior] = {}
    for name in sorted(names, key=lambda name: name != model.name):
        source = library.document("priors", name)
        if isinstance(source.data, dict) and source.data.get("model") == model.name:
            priors = validate(PriorFile, source).parameters
            if set(priors) <= known:
                return priors
            best = best or {key: prior for key, prior in priors.items() if key in known}
    return best


def build(
    named: NamedModel,
    assembled: Assembled,
    given: Mapping[str, Any],
    start: Mapping[str, float] | None = None,
) -> Subject:
    """Build a subject.

    ``given`` holds priors by parameter. The default start is the best of some prior draws.

    Raises
    ------
    InvalidInput
        A user's model fails where it is tried out.
    """
    model = with_given(named.loaded.model, given)
    sliders = {p.name: slider(p, given.get(p.name)) for p in model.parameters}
    priors = Priors({name: _prior(s, given.get(name)) for name, s in sliders.items()})
    random = np.random.default_rng(0).random((_DRAWS, len(priors.free)))
    with np.errstate(all="ignore"):
        probes = priors.transform(random[:_PROBES])
        model, notes = ready_for_batches(model, named.spec, probes, "model")
        assembled = assembled.for_model(model, probes)
        if start is None:
            start = _best_of(Posterior(model, priors, assembled.likelihood), random, sliders)
        grid = quick_grid(model, assembled.likelihood, priors.transform(random[:_TIMED]))
        alone = float(assembled.likelihood.chi2(Couplings.none())[0])
    return Subject(
        named.text,
        model,
        named.spec,
        named.loaded.options,
        assembled,
        sliders,
        start,
        (*notes, *assembled.notes()),
        alone,
        grid,
    )


def _prior(chosen: Slider, prior: Any) -> Any:
    """Return the prior of a parameter, or its fixed value."""
    if prior is not None:
        return prior
    parameter = chosen.parameter
    default = parameter.left_out if parameter.default is None else parameter.default
    return Fixed(value=chosen.middle if default is None else default)


def _best_of(
    posterior: Posterior, u: np.ndarray[Any, np.dtype[np.float64]], sliders: Mapping[str, Slider]
) -> dict[str, float]:
    """Return the point of highest likelihood, or the middle of all sliders if none is allowed."""
    middle = {name: chosen.middle for name, chosen in sliders.items()}
    if not posterior.dimension:
        parameters = posterior.parameters(u[:1])
        return {name: float(values[0]) for name, values in parameters.items()}
    try:
        heights = posterior.log_likelihood(u)
    except ZpfitError:  # the page shows the reason at the point itself
        return middle
    best = int(np.argmax(heights))
    if np.isneginf(heights[best]):
        return middle
    parameters = posterior.parameters(u[best : best + 1])
    return {name: float(f"{values[0]:.{_DIGITS}g}") for name, values in parameters.items()}
