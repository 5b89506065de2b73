"""Checks of files without a fit: :func:`validate` and its :class:`Validated`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from zpfit.api.campaigns import Plan
from zpfit.api.sources import Source, load
from zpfit.inference.problem import Problem
from zpfit.runs.campaign_file import Campaign
from zpfit.runs.file_kinds import CheckedFile, check_files, checked_run


class _RunRecord(TypedDict, total=False):
    model: str
    parameters: list[str]
    likelihood: str
    measurements: list[str]
    exclusions: list[str]
    code: str


class ValidatedRecord(_RunRecord):
    """Content of a valid file as plain data; only a run has the keys of :class:`_RunRecord`."""

    name: str
    kind: str
    valid: bool
    notes: list[str]


@dataclass(frozen=True, repr=False)
class Validated:
    """A valid file. Made by :func:`validate`."""

    _checked: CheckedFile

    @property
    def kind(self) -> str:
        """Such as "run", "slice", "entry" or "limit"."""
        return self._checked.kind

    @property
    def name(self) -> str:
        """Name of the file."""
        return self._checked.name

    @property
    def words(self) -> str:
        """Sentence about the content."""
        return self._checked.words

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks, such as unverified numbers."""
        return tuple(self._checked.notes)

    @property
    def problem(self) -> Problem | None:
        """Model, priors and likelihood of a run; None for other kinds."""
        content = self._checked.content
        return content if isinstance(content, Problem) else None

    @property
    def plan(self) -> Plan | None:
        """The fits of a campaign; None for other kinds."""
        content = self._checked.content
        return Plan(content) if isinstance(content, Campaign) else None

    @property
    def code(self) -> str:
        """Keys of a run that name Python code, and the code; empty if there are none."""
        return "" if self.problem is None else self.problem.code

    @property
    def record(self) -> ValidatedRecord:
        """All of it as plain data."""
        record: ValidatedRecord = {
            "name": self.name,
            "kind": self.kind,
            "valid": True,
            "notes": list(self.notes),
        }
        return record if self.problem is None else {**record, **_of_run(self.problem)}

    def __repr__(self) -> str:
        return f"<Valid {self.kind} {self.name}: {self.words}>"


def validate(source: Source, **changes: Any) -> tuple[Validated, ...]:
    """Check a file of any kind without a fit.

    Every file that it names is read. A model in Python code is imported and called.

    Parameters
    ----------
    source
        Path of a run, slice, campaign, model, priors, entry, set, figure or limit file, which its
        keys tell apart; a run folder; a name; or a dictionary or problem of a run.
    **changes
        Keys of a run file with new values, see the module's docstring.

    Returns
    -------
    tuple of Validated
        The file, or every file that has the name.

    Raises
    ------
    InvalidInput
        Something is wrong; every problem is reported with its place.
    UnknownName
        Nothing has this name.

    Examples
    --------
    >>> import zpfit
    >>> [run] = zpfit.validate("L_mu-L_tau_cs")
    >>> run.kind, run.problem.names
    ('run', ('m_Zp', 'g_prime', 'eps'))
    """
    if isinstance(source, (str, Path)):
        return tuple(map(Validated, check_files(str(source), changes)))
    return (Validated(checked_run(load(source, **changes))),)


def _of_run(problem: Problem) -> _RunRecord:
    posterior = problem.posterior
    return {
        "model": posterior.model.name,
        "parameters": list(posterior.names),
        "likelihood": posterior.likelihood.name,
        "measurements": [term.name for term in posterior.likelihood.measurements],
        "exclusions": [term.name for term in posterior.likelihood.exclusions],
        "code": problem.code,
    }
