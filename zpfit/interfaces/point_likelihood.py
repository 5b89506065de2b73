"""A likelihood that takes one point at a time as a mapping, which is what other programs call."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from zpfit.analysis.summary import no_zprime
from zpfit.errors import InvalidInput, all_of, suggestion
from zpfit.inference.posterior import Posterior
from zpfit.inference.priors import Fixed, FreePrior, Priors, Tied, Uniform
from zpfit.io.arrays import FloatArray
from zpfit.io.library import Library
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.models.library import ready_for_batches
from zpfit.runs.run_file import find_run_file, load_run, load_single_model

_DEFAULT_MODEL = "effective"
_DRAWS = 1000
"""Of the prior, among which a point is sought at which the model exists."""


@dataclass(frozen=True)
class PointLikelihood:
    """A model and data; what a run file fixes or ties has its value by itself."""

    posterior: Posterior
    optional: tuple[str, ...] = ()
    """Parameters that a point may leave out."""
    has_priors: bool = True
    """Whether the posterior's priors are a run file's, not what only says which are required."""

    @property
    def required(self) -> tuple[str, ...]:
        """Parameters that each point has to give."""
        return self.posterior.names

    @property
    def priors(self) -> Mapping[str, FreePrior] | None:
        """Of the required parameters; None without a run file, which alone has any."""
        return self.posterior.priors.free if self.has_priors else None

    @cached_property
    def symbols(self) -> dict[str, str]:
        """LaTeX of each parameter, without dollar signs."""
        return {p.name: p.symbol or p.name for p in self.posterior.model.parameters}

    @cached_property
    def derived_names(self) -> tuple[str, ...]:
        """Whatever follows: fixed and tied parameters, couplings and derived quantities."""
        return tuple(self._derived(self._somewhere()))

    def log_likelihood(self, point: Mapping[str, float]) -> float:
        """ln L, -inf where excluded, impossible or outside the domain of a parameter.

        Raises
        ------
        InvalidInput
            A parameter is missing or unknown.
        NotANumber
            The model or a term gives NaN.
        """
        values = self._values(point)
        if not self._in_domain(values):
            return -np.inf
        return float(self.posterior.log_likelihood_at(values)[0])

    def log_likelihood_without_zprime(self) -> float:
        """ln L where every coupling is zero."""
        return float(self.posterior.likelihood.log_likelihood(no_zprime())[0])

    def derived(self, point: Mapping[str, float]) -> dict[str, float]:
        """Whatever :attr:`derived_names` names, at a point; NaN where there is none.

        All are NaN where the model cannot exist or a value is outside the domain of a parameter.

        Raises
        ------
        InvalidInput
            A parameter is missing or unknown.
        """
        values = self._values(point)
        # A user's code need not work there, and may end the chain of whoever asks.
        if not self._in_domain(values) or not self.posterior.model.exists(values)[0]:
            return dict.fromkeys(self.derived_names, np.nan)
        return {name: float(rows[0]) for name, rows in self._derived(values).items()}

    def _in_domain(self, values: Mapping[str, FloatArray]) -> bool:
        """Whether the model is defined there; it is not for NaN."""
        return all(
            parameter.domain[0] <= values[parameter.name][0] <= parameter.domain[1]
            for parameter in self.posterior.model.parameters
        )

    def _somewhere(self) -> dict[str, FloatArray]:
        """The middle of the prior, or the first of some draws if the model exists only there."""
        middle = np.full((1, self.posterior.dimension), 0.5)
        draws = np.random.default_rng(0).random((_DRAWS, *middle.shape))
        for u in (middle, *draws):
            values = self.posterior.parameters(u)
            if self.posterior.model.exists(values)[0]:
                return values
        return self.posterior.parameters(middle)

    def _derived(self, values: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
        model = self.posterior.model
        # A point that cannot exist may have no number there.
        with np.errstate(all="ignore"):
            couplings = model.couplings(values).items()
            found = {**dict(couplings), **model.derived(values)}
        ours = (*self.required, *self.optional)
        # What a run file fixes or ties follows as well.
        return {name: rows for name, rows in {**found, **values}.items() if name not in ours}

    def _values(self, point: Mapping[str, float]) -> dict[str, FloatArray]:
        self._check(point)
        given = {name: np.array([value], dtype=float) for name, value in point.items()}
        return {**self.posterior.priors.complete(given, 1), **given}

    def _check(self, point: Mapping[str, float]) -> None:
        known = (*self.required, *self.optional)
        missing = [name for name in self.required if name not in point]
        problems = [f"parameter {name!r} has no value; give it one" for name in missing]
        problems += [
            f"{name!r} is no free parameter; {suggestion(name, known)}"
            for name in point
            if name not in known
        ]
        if problems:
            raise InvalidInput(problems)


def point_likelihood(
    run_file: str | None = None,
    likelihood: str | None = None,
    model: str | None = None,
    changes: Mapping[str, Any] | None = None,
) -> PointLikelihood:
    """The likelihood of a run file, a run folder or a packaged run, or of a set and a model.

    With ``run_file``, ``likelihood`` and ``model`` replace what it says, and so do ``changes``,
    keys with values, or with texts as ``--set`` takes them. Without it every parameter of the model
    has to be given, but for those with a default and, of the model ``effective``, couplings, which
    are then zero.

    Raises
    ------
    InvalidInput
        Everything that is wrong, each with its place.
    """
    if run_file is not None:
        replaced = {"likelihood.set": likelihood, "model": model}
        settings = {key: value for key, value in replaced.items() if value is not None}
        run = load_run(find_run_file(run_file), settings | _checked(changes or {}))
        return PointLikelihood(run.posterior)
    if likelihood is None:
        raise InvalidInput(["no data: give run_file, or the name of a likelihood set"])
    if changes:
        raise InvalidInput(["changes are made to a run file: give run_file as well"])
    return _of_set_and_model(likelihood, model or _DEFAULT_MODEL)


def _checked(changes: Any) -> dict[str, Any]:
    """Changes, which may come out of another program's input file."""
    example = "give keys of the run file with their values, like {seed: 5}"
    if not isinstance(changes, Mapping):
        raise InvalidInput([f"changes: {changes!r} is no mapping; {example}"])
    problems = [
        f"changes: {key!r} is no text; {example}" for key in changes if not isinstance(key, str)
    ]
    if problems:
        raise InvalidInput(problems)
    return dict(changes)


def _of_set_and_model(likelihood: str, model_text: str) -> PointLikelihood:
    assembled, (spec, model) = all_of(
        lambda: assemble(LikelihoodSpec(set=likelihood), Library.beside(), lambda *_: "set"),
        lambda: load_single_model(model_text),
    )
    optional = {
        parameter.name: value
        for parameter in model.parameters
        for value in (parameter.left_out if parameter.default is None else parameter.default,)
        if value is not None
    }
    # Whoever calls has priors of their own: these only say what has to be given.
    by_name: dict[str, FreePrior | Fixed | Tied] = {
        parameter.name: Fixed(value=optional[parameter.name])
        if parameter.name in optional
        else Uniform(lower=parameter.domain[0], upper=parameter.domain[1])
        for parameter in model.parameters
    }
    priors = Priors(by_name)
    middle = priors.transform(np.full((1, len(priors.free)), 0.5))
    model, _ = ready_for_batches(model, spec, middle, "model")
    posterior = Posterior(model, priors, assembled.likelihood)
    return PointLikelihood(posterior, tuple(optional), has_priors=False)
