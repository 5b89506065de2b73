"""A likelihood of one point at a time, given as a mapping, as other programs call it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from zpfit.errors import InvalidInput, all_of, suggestion
from zpfit.inference.posterior import Posterior
from zpfit.inference.priors import Fixed, FreePrior, Priors, Tied, Uniform
from zpfit.io.arrays import FloatArray
from zpfit.io.library import Library
from zpfit.io.logging import LOGGER
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.models.library import ready_for_batches
from zpfit.physics.couplings import Couplings
from zpfit.runs.run_file import find_run_file, load_run, load_single_model

_DEFAULT_MODEL = "effective"
_DRAWS = 1000
"""Draws from the prior among which a point is searched at which the model exists.

A model that exists in less than about 0.1 % of its prior may have none among them.
"""


@dataclass(frozen=True)
class PointLikelihood:
    """Likelihood of a model and data, one point at a time.

    Parameters that a run file fixes or ties take their values from the others.

    Examples
    --------
    >>> likelihood = point_likelihood(likelihood="paper_2021_cs")
    >>> likelihood.required
    ('m_Zp',)
    >>> round(likelihood.log_likelihood({"m_Zp": 18.0, "C_Vmu": 5e-4}), 2)
    -3.41
    """

    posterior: Posterior
    optional: tuple[str, ...] = ()
    """Parameters with a default value, which a point may omit."""
    has_priors: bool = True
    """True if the priors come from a run file; without one they are placeholders."""

    @property
    def required(self) -> tuple[str, ...]:
        """Parameters that every point must give."""
        return self.posterior.names

    @property
    def priors(self) -> Mapping[str, FreePrior] | None:
        """Priors of the required parameters; None without a run file."""
        return self.posterior.priors.free if self.has_priors else None

    @cached_property
    def symbols(self) -> dict[str, str]:
        """LaTeX symbol of each parameter, without dollar signs."""
        return {p.name: p.symbol or p.name for p in self.posterior.model.parameters}

    @cached_property
    def derived_names(self) -> tuple[str, ...]:
        """Names of the fixed and tied parameters, the couplings and the derived quantities."""
        return tuple(self._derived(self._somewhere()))

    def log_likelihood(self, point: Mapping[str, float]) -> float:
        """Return ln L; -inf at an excluded point and outside the domain of a parameter.

        Parameters
        ----------
        point : mapping of str to float
            A value for each required parameter and any of the optional ones.

        Raises
        ------
        InvalidInput
            A parameter is missing or unknown.
        UndefinedValue
            The model or a term gives NaN.
        """
        values = self._values(point)
        if not self._in_domain(values):
            return -np.inf
        return float(self.posterior.log_likelihood_at(values)[0])

    def log_likelihood_without_zprime(self) -> float:
        """Return ln L with all couplings zero."""
        return float(self.posterior.likelihood.log_likelihood(Couplings.none())[0])

    def derived(self, point: Mapping[str, float]) -> dict[str, float]:
        """Return the values of :attr:`derived_names` at a point.

        All of them are NaN where the model does not exist and outside the domain of a parameter.

        Parameters
        ----------
        point : mapping of str to float
            A value for each required parameter and any of the optional ones.

        Raises
        ------
        InvalidInput
            A parameter is missing or unknown.
        """
        values = self._values(point)
        # The code of a user's model may fail where the model does not exist, which ends a chain.
        if not self._in_domain(values) or not self.posterior.model.exists(values)[0]:
            return dict.fromkeys(self.derived_names, np.nan)
        return {name: float(rows[0]) for name, rows in self._derived(values).items()}

    def _in_domain(self, values: Mapping[str, FloatArray]) -> bool:
        """Return whether all parameters are inside their domains; NaN is outside."""
        return all(
            parameter.domain[0] <= values[parameter.name][0] <= parameter.domain[1]
            for parameter in self.posterior.model.parameters
        )

    def _somewhere(self) -> dict[str, FloatArray]:
        """Return the middle of the prior, or the first draw at which the model exists."""
        middle = np.full((1, self.posterior.dimension), 0.5)
        draws = np.random.default_rng(0).random((_DRAWS, *middle.shape))
        for u in (middle, *draws):
            values = self.posterior.parameters(u)
            if self.posterior.model.exists(values)[0]:
                return values
        return self.posterior.parameters(middle)

    def _derived(self, values: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
        """Return all quantities but the required and optional parameters."""
        model = self.posterior.model
        # A quantity can be undefined where the model does not exist.
        with np.errstate(all="ignore"):
            couplings = model.couplings(values).items()
            found = {**dict(couplings), **model.derived(values)}
        ours = (*self.required, *self.optional)
        return {name: rows for name, rows in {**found, **values}.items() if name not in ours}

    def _values(self, point: Mapping[str, float]) -> dict[str, FloatArray]:
        """Return the values of all parameters, each of shape (1,)."""
        self._check(point)
        given = {name: np.array([value], dtype=float) for name, value in point.items()}
        return {**self.posterior.priors.complete(given, 1), **given}

    def _check(self, point: Mapping[str, float]) -> None:
        """Raise InvalidInput if a parameter is missing or unknown."""
        known = (*self.required, *self.optional)
        missing = [name for name in self.required if name not in point]
        problems = [f"parameter {name!r} has no value; give it one" for name in missing]
        problems += [
            f"{name!r} is not a free parameter; {suggestion(name, known)}"
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
    """Return the likelihood of a run, or of a likelihood set and a model.

    Remarks on the data, such as unverified numbers, are logged as warnings.

    Parameters
    ----------
    run_file : str, optional
        Path of a run file or run folder, or name of a packaged run.
    likelihood : str, optional
        Name of a likelihood set; replaces that of the run file.
    model : str, optional
        Name of a model, or a YAML mapping with its options; replaces that of the run file. Without
        a run file the default is ``effective``.
    changes : mapping, optional
        Keys of the run file, such as ``likelihood.drop``, with their new values. A value can also
        be YAML text.

    Returns
    -------
    PointLikelihood
        Without a run file, a point must give every parameter of the model that has no default.
        Couplings of the model ``effective`` have the default zero.

    Raises
    ------
    InvalidInput
        An argument or a file is invalid; all problems are reported together.
    """
    if run_file is not None:
        replaced = {"likelihood.set": likelihood, "model": model}
        settings = {key: value for key, value in replaced.items() if value is not None}
        run = load_run(find_run_file(run_file), settings | _checked(changes or {}))
        _warn(run.notes)
        return PointLikelihood(run.posterior)
    if likelihood is None:
        raise InvalidInput(["no data: give run_file, or the name of a likelihood set"])
    if changes:
        raise InvalidInput(["changes apply to a run file: give run_file as well"])
    return _of_set_and_model(likelihood, model or _DEFAULT_MODEL)


def _warn(notes: Iterable[str]) -> None:
    for note in notes:
        LOGGER.warning(note)


def _checked(changes: Any) -> dict[str, Any]:
    """Return valid changes; those in the input file of another program can have any type."""
    example = "give keys of the run file with their values, like {seed: 5}"
    if not isinstance(changes, Mapping):
        raise InvalidInput([f"changes: {changes!r} is not a mapping; {example}"])
    problems = [
        f"changes: {key!r} is not a text; {example}" for key in changes if not isinstance(key, str)
    ]
    if problems:
        raise InvalidInput(problems)
    return dict(changes)


def _of_set_and_model(likelihood: str, model_text: str) -> PointLikelihood:
    """Return the likelihood of a set and a model."""
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
    # The calling program has its own priors. These only tell which parameters are required.
    by_name: dict[str, FreePrior | Fixed | Tied] = {
        parameter.name: Fixed(value=optional[parameter.name])
        if parameter.name in optional
        else Uniform(lower=parameter.domain[0], upper=parameter.domain[1])
        for parameter in model.parameters
    }
    priors = Priors(by_name)
    middle = priors.transform(np.full((1, len(priors.free)), 0.5))
    model, notes = ready_for_batches(model, spec, middle, "model")
    _warn([*notes, *assembled.for_model(model, middle).notes()])
    posterior = Posterior(model, priors, assembled.likelihood)
    return PointLikelihood(posterior, tuple(optional), has_priors=False)
