"""Checks of run files without a fit: :func:`validate` and its :class:`Validated`."""

from dataclasses import dataclass
from typing import Any, TypedDict

from zpfit.api.sources import Source, load
from zpfit.inference.problem import Problem


class ValidatedRecord(TypedDict):
    """Content of a valid run file as plain data."""

    name: str
    valid: bool
    model: str
    parameters: list[str]
    likelihood: str
    measurements: list[str]
    exclusions: list[str]
    code: str
    notes: list[str]


@dataclass(frozen=True)
class Validated:
    """What a valid run file describes. Made by :func:`validate`."""

    name: str
    model: str
    parameters: tuple[str, ...]
    """Sampled parameters."""
    likelihood: str
    measurements: tuple[str, ...]
    exclusions: tuple[str, ...]
    code: str
    """Keys that name Python code, and the code; empty if there are none."""
    notes: tuple[str, ...]
    """Remarks, such as unverified numbers."""

    @property
    def record(self) -> ValidatedRecord:
        """All of it as plain data."""
        return {
            "name": self.name,
            "valid": True,
            "model": self.model,
            "parameters": list(self.parameters),
            "likelihood": self.likelihood,
            "measurements": list(self.measurements),
            "exclusions": list(self.exclusions),
            "code": self.code,
            "notes": list(self.notes),
        }


def validate(source: Source, **changes: Any) -> Validated:
    """Check what to fit, without a fit.

    Every file that it names is read. A model in Python code is imported and called.

    Parameters
    ----------
    source
        Name of a packaged run, path of a run file, run folder, dictionary, or a problem.
    **changes
        Keys of a run file with new values, see the module's docstring.

    Returns
    -------
    Validated
        Model, parameters, terms of the likelihood, and notes.

    Raises
    ------
    InvalidInput
        Something is wrong; every problem is reported with its place.
    UnknownName
        No run has this name.

    Examples
    --------
    >>> import zpfit
    >>> found = zpfit.validate("L_mu-L_tau_cs")
    >>> found.model, found.parameters
    ('L_mu-L_tau', ('m_Zp', 'g_prime', 'eps'))
    """
    return _described(load(source, **changes))


def _described(problem: Problem) -> Validated:
    posterior = problem.posterior
    return Validated(
        name=problem.name,
        model=posterior.model.name,
        parameters=posterior.names,
        likelihood=posterior.likelihood.name,
        measurements=tuple(term.name for term in posterior.likelihood.measurements),
        exclusions=tuple(term.name for term in posterior.likelihood.exclusions),
        code=problem.code,
        notes=tuple(problem.notes),
    )
