"""Proved bounds of the joint sigma: :func:`certify` and its :class:`Certificate`."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from sys import float_info
from typing import Any

import numpy as np

from zpfit.analysis.certify.bracket import (
    above,
    below,
    certificate_record,
    certify_bracket,
    certify_level,
)
from zpfit.analysis.certify.witness import upper_end
from zpfit.analysis.joint_sigma import AnomalyConstraints, JointSigma
from zpfit.analysis.records import CertificateRecord
from zpfit.api.sources import Source, check_point, escaped, folder_of, load, progress_of
from zpfit.errors import InvalidInput, in_short
from zpfit.inference.checkpoint import NO_CHECKPOINT, Checkpoint
from zpfit.inference.problem import Problem
from zpfit.inference.progress import Progress
from zpfit.io.writing import make_room, write_json
from zpfit.runs.proof_files import proofs_beside


@dataclass(frozen=True, repr=False)
class Certificate:
    """Bounds of a joint sigma, the lower one proved. Made by :func:`certify`."""

    record: CertificateRecord
    """All numbers, as the JSON file holds them."""

    @property
    def lower(self) -> float:
        """No point of the domain has a smaller joint sigma; 0 if nothing was proved."""
        return self.record["lower"]

    @property
    def upper(self) -> float | None:
        """Joint sigma of the best point found; None if no point was looked for or found."""
        return self.record["upper"]

    @property
    def point(self) -> dict[str, float] | None:
        """Mass (MeV) and couplings of the best point."""
        return self.record["point"]

    @property
    def parameters(self) -> dict[str, float] | None:
        """Parameters of the model at the best point."""
        return self.record["parameters"]

    @property
    def boxes(self) -> int:
        """Number of boxes that were examined."""
        return self.record["boxes"]

    @property
    def domain(self) -> dict[str, list[float]]:
        """Smallest and largest mass (MeV) and couplings for which the proof holds."""
        return self.record["domain"]

    @property
    def left_out(self) -> dict[str, str]:
        """Terms of the likelihood that the proof does not use, and why."""
        return self.record["left_out"]

    @property
    def converged(self) -> bool:
        """True if the bounds are within the tolerance, or answer the question about a level."""
        return self.record["converged"]

    @property
    def shortcomings(self) -> tuple[str, ...]:
        """Reason why the question is not answered, with a remedy."""
        record = self.record
        if record["converged"]:
            return ()
        if record["sigma"] is not None:
            level = f"{record['sigma']:g} sigma is neither excluded nor met by a point"
            return (f"{level}; bracket the joint sigma instead",)
        return (f"the bounds are further apart than {record['tolerance']:g}: {_cause(record)}",)

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write the certificate as JSON.

        Parameters
        ----------
        path
            The file.
        force
            Replace an existing file.
        """
        target = folder_of(path, "path")
        make_room(target.parent, [target.name], force=force)
        write_json(target, self.record)

    def __repr__(self) -> str:
        upper = "" if self.upper is None else f" <= {above(self.upper)}"
        where = f"{self.record['model']} on {self.record['likelihood']}"
        return f"<Certificate of {where}: {below(self.lower)} < joint sigma{upper}>"

    def _repr_html_(self) -> str:
        return escaped(repr(self))


def certify(
    source: Source,
    *,
    sigma: float | None = None,
    tolerance: float = 1e-3,
    point: Mapping[str, float] | None = None,
    tree: bool = False,
    output: str | Path | None = None,
    progress: bool | Progress = True,
    force: bool = False,
    resume: bool = False,
    **changes: Any,
) -> Certificate:
    """Prove a lower bound of the joint sigma, and find a point close above it.

    Branch and bound with outward rounding shows that no point of the domain meets every
    anomaly within the bound, with the other measurements within their limits and no exclusion
    violated. See the page "Proofs".

    Parameters
    ----------
    source
        Name of a packaged run, path of a run file, run folder, dictionary, or a problem.
    sigma
        Level in standard errors to prove. The default brackets the joint sigma instead.
    tolerance
        Largest distance of the bounds, in standard errors.
    point
        Parameters of a point that a search has found, such as ``joint_sigma_at`` of a comparison.
        The upper bound is at most its joint sigma. Without it, zpfit searches by itself where a
        proof next to the best point fails.
    tree
        Add the tree of the proof to the record, which the script of the page "Proofs" checks
        without zpfit.
    output
        JSON file of the certificate. With it, a proof that is stopped can be resumed: its
        finished levels are stored beside the file.
    progress
        See :func:`fit`.
    force
        Replace an existing file and stored levels.
    resume
        Start from the stored levels of a proof that was stopped.
    **changes
        Keys of a run file with new values, see the module's docstring.

    Returns
    -------
    Certificate
        Bounds, point, domain, and the terms that the proof leaves out.

    Raises
    ------
    InvalidInput
        ``sigma`` or ``tolerance`` is not a finite positive number, or ``point`` lacks a parameter.
    OutsidePrior
        The prior does not contain a value of ``point``.
    NoStructure
        The model or a magnetic moment has a form for which there are no bounds.
    FilesExist, UnfinishedRun, NoRunToResume, OtherProof
        The output holds a certificate, or levels of a proof that ``force`` and ``resume`` do not
        fit to.

    Examples
    --------
    No standard model with a U(1)' meets both anomalies of the paper's Caesium data:

    >>> import zpfit
    >>> theorem = zpfit.certify("sm_u1_cs", sigma=1.0, progress=False)
    >>> theorem.lower, theorem.converged
    (1.0, True)
    """
    numbers = (
        {"tolerance": tolerance} if sigma is None else {"sigma": sigma, "tolerance": tolerance}
    )
    wrong = {name: value for name, value in numbers.items() if not _is_positive(value)}
    if wrong:
        reason = "is not a finite number above 0; give one, in standard errors"
        raise InvalidInput([f"{name}: {in_short(value)} {reason}" for name, value in wrong.items()])
    problem, reporter = load(source, **changes), progress_of(progress)
    known = None if point is None else _known(problem, point)

    def prove(checkpoint: Checkpoint) -> Certificate:
        if sigma is not None:
            bracket = certify_level(problem, sigma, checkpoint, reporter)
        else:
            bracket = certify_bracket(problem, tolerance, reporter, checkpoint, known)
        return Certificate(certificate_record(problem, bracket, tree=tree, progress=reporter))

    if output is None:
        if resume:
            raise InvalidInput(["resume: needs output, the file of the proof that was stopped"])
        return prove(NO_CHECKPOINT)
    with proofs_beside(folder_of(output, "output"), resume=resume, force=force) as checkpoint:
        found = prove(checkpoint)
        write_json(folder_of(output, "output"), found.record)
    return found


def _known(problem: Problem, point: Mapping[str, float]) -> JointSigma:
    """Return the best result of a search around a point, which may lack digits."""
    check_point(point, "point")
    posterior = problem.posterior
    missing = [name for name in posterior.priors.free if name not in point]
    if missing:
        raise InvalidInput([f"point: {name} is missing; give every parameter" for name in missing])
    u = posterior.priors.to_unit_cube(point, "point")
    rng = np.random.default_rng(problem.settings.seed)
    limits = problem.settings.joint_sigma
    level = float(np.max(AnomalyConstraints(posterior, limits)(u[None]).objectives))
    return upper_end(posterior, u[None], level, limits, rng)


def _is_positive(value: Any) -> bool:
    """Return True for a finite number above zero; truth values are no numbers here."""
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    return is_number and bool(0 < value <= float_info.max)


def _cause(record: CertificateRecord) -> str:
    """Return what can keep the bounds apart, and what to do."""
    if record["upper"] is None:
        return "no point was found; check that the priors allow one"
    left_out = ", ".join(record["left_out"])
    terms = f", or terms that it leaves out ({left_out})" if left_out else ""
    return (
        "the proof allows more points than the model, such as charges that are no whole "
        f"numbers{terms}; the lower bound holds, and a longer search may lower the upper one"
    )
