"""Two-sided brackets of the joint sigma: a proof below, a point above."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from math import inf
from typing import Final

from zpfit.analysis.certify.proof import Proof
from zpfit.analysis.certify.resumable import ResumableProver
from zpfit.analysis.certify.structure import Structure, structure_of
from zpfit.analysis.certify.tree import tree_below
from zpfit.analysis.certify.witness import NO_POINT, Points
from zpfit.analysis.joint_sigma import JointSigma
from zpfit.analysis.records import CertificateRecord
from zpfit.inference.checkpoint import NO_CHECKPOINT, Checkpoint
from zpfit.inference.problem import Problem
from zpfit.inference.progress import SILENT, Progress
from zpfit.io.arrays import FloatArray
from zpfit.io.versions import versions
from zpfit.physics import constants

_FIRST: Final = 4.0
"""Level in standard errors at which the first points are looked for."""
_LARGEST: Final = 32.0
"""Level beyond which no points are looked for."""
_ROUNDS: Final = 12
"""Attempts to lower the upper end before it is kept."""
_BISECTIONS: Final = 12
"""Attempts to raise the lower end where proof and point do not meet."""
_DECIMALS: Final = Decimal("1e-4")
"""Unit of the last digit of a printed bound."""


def below(bound: float) -> str:
    """Return a lower bound with four decimals, rounded down so that it still holds.

    Examples
    --------
    >>> below(2.41577), above(2.33180360)
    ('2.4157', '2.3319')
    """
    return str(Decimal(bound).quantize(_DECIMALS, ROUND_FLOOR))


def above(bound: float) -> str:
    """Return an upper bound with four decimals, rounded up so that it still holds."""
    return str(Decimal(bound).quantize(_DECIMALS, ROUND_CEILING))


MET = 1e-3
"""Joint sigma that counts as zero, as points are known to a thousandth of a standard error."""


def is_met(sigma: float | None) -> bool:
    """Return True if the point of a joint sigma itself proves it: none can be lower than zero.

    Examples
    --------
    >>> is_met(0.0002), is_met(1.3), is_met(None)
    (True, False, False)
    """
    return sigma is not None and sigma < MET


@dataclass(frozen=True)
class Bracket:
    """Bounds of the joint sigma: no point of the domain lies below ``lower``."""

    lower: float
    """Proved lower bound in standard errors; 0 if nothing is proved."""
    upper: float
    """Joint sigma of the point; infinite if none was found."""
    u: FloatArray | None
    """Point of the unit cube, shape (d,)."""
    proof: Proof | None
    """Proof of the lower bound."""
    boxes: int
    """Boxes examined in all proofs and attempts."""
    structure: Structure
    tolerance: float
    level: float | None = None
    """Level that was asked about; None if the joint sigma was to be bracketed."""

    @property
    def converged(self) -> bool:
        """True if the bounds are within the tolerance, or answer the question about a level."""
        if self.level is not None:
            return self.lower >= self.level or self.upper <= self.level
        return self.upper - self.lower <= self.tolerance


def certify_level(
    problem: Problem,
    sigma: float,
    checkpoint: Checkpoint = NO_CHECKPOINT,
    progress: Progress = SILENT,
) -> Bracket:
    """Try to prove that no point has a joint sigma of at most ``sigma``.

    Parameters
    ----------
    problem : Problem
        Model, priors and likelihood.
    sigma : float
        Level in standard errors.
    checkpoint : Checkpoint
        Store of the proof.
    progress : Progress
        Receives a stage for each phase.

    Returns
    -------
    Bracket
        ``lower`` is ``sigma`` if the proof succeeds, otherwise 0. If it fails, a search from the
        undecided boxes looks for a point, and one from everywhere if these lead to none below
        the level. The point gives ``upper``.
    """
    structure = structure_of(problem)
    proof = ResumableProver(problem, structure, checkpoint, progress).prove(sigma)
    if proof.proved:
        return Bracket(sigma, inf, None, proof, proof.boxes, structure, 0.0, sigma)
    found = Points(problem, structure, progress=progress).below(proof, sigma)
    u = found.u if found.sigma < inf else None
    return Bracket(0.0, found.sigma, u, None, proof.boxes, structure, 0.0, sigma)


def certify_bracket(
    problem: Problem,
    tolerance: float = 1e-3,
    progress: Progress = SILENT,
    checkpoint: Checkpoint = NO_CHECKPOINT,
    known: JointSigma | None = None,
) -> Bracket:
    """Bracket the joint sigma.

    A proof at the upper end less the tolerance leaves either nothing or undecided boxes, from
    which a search starts that lowers the upper end. Where it does not, a search from everywhere
    follows, once. If the joint sigma is at most the tolerance, there is nothing to prove.

    Parameters
    ----------
    problem : Problem
        Model, priors and likelihood.
    tolerance : float
        Largest distance of the bounds, in standard errors.
    progress : Progress
        Receives a stage for each phase of each level.
    checkpoint : Checkpoint
        Store of the proofs of levels.
    known : JointSigma, optional
        Point that a search has found. The upper end is at most its joint sigma, and no search
        from everywhere follows.

    Raises
    ------
    NoStructure
        See :func:`zpfit.analysis.certify.structure.structure_of`.
    """
    structure = structure_of(problem)
    levels = _Levels(ResumableProver(problem, structure, checkpoint, progress))
    points = Points(problem, structure, known, progress)
    best = _lowered(levels, points, known or NO_POINT, tolerance)
    if tolerance < best.sigma and levels.failed < inf:
        _raised(levels, tolerance)
    lower = levels.lower.sigma if levels.lower else 0.0
    u = best.u if best.sigma < inf else None
    return Bracket(lower, best.sigma, u, levels.lower, levels.boxes, structure, tolerance)


class _Levels:
    """Levels that proofs were tried at."""

    def __init__(self, prover: ResumableProver) -> None:
        self._prover = prover
        self.lower: Proof | None = None
        """Best proof that succeeded."""
        self.failed = inf
        """Lowest level that is not excluded, unless a later proof succeeded above it."""
        self.boxes = 0
        """Boxes of all proofs and attempts."""

    def prove(self, level: float) -> Proof:
        """Try a level, and keep the outcome."""
        proof = self._prover.prove(level)
        self.boxes += proof.boxes
        if proof.proved:
            self.lower, self.failed = proof, inf
        else:
            self.failed = level
        return proof


def _lowered(levels: _Levels, points: "Points", best: JointSigma, tolerance: float) -> JointSigma:
    """Return the best point found while proofs are tried just below it."""
    level = _FIRST
    for _ in range(_ROUNDS):
        if best.sigma <= tolerance:
            break
        if best.sigma < inf:
            level = best.sigma - 0.9 * tolerance
        proof = levels.prove(level)
        if proof.proved:
            if best.sigma < inf or level >= _LARGEST:
                break
            level *= 2
            continue
        found = points.below(proof, best.sigma - 0.05 * tolerance)
        if found.sigma >= best.sigma - 0.05 * tolerance:
            break
        best = found
    return best


def _raised(levels: _Levels, tolerance: float) -> None:
    """Raise the lower bound by bisection where the level next to the point is not excluded."""
    low, high = (levels.lower.sigma if levels.lower else 0.0), levels.failed
    step = 4 * tolerance
    for _ in range(_BISECTIONS):
        if high - low <= tolerance:
            break
        level = max(high - step, 0.5 * (low + high))
        step *= 4
        if levels.prove(level).proved:
            low = level
        else:
            high = level


def certificate_record(
    problem: Problem, bracket: Bracket, *, tree: bool = False, progress: Progress = SILENT
) -> CertificateRecord:
    """Return the record of a certificate, with the tree of its proof if asked for."""
    structure = bracket.structure
    return {
        "model": problem.posterior.model.name,
        "likelihood": problem.posterior.likelihood.name,
        "title": problem.title,
        "lower": bracket.lower,
        "upper": bracket.upper if bracket.upper < inf else None,
        "sigma": bracket.level,
        "converged": bracket.converged,
        "tolerance": bracket.tolerance,
        "point": _couplings(problem, bracket),
        "parameters": _parameters(problem, bracket),
        "boxes": bracket.boxes,
        "boxes_of_proof": bracket.proof.boxes if bracket.proof else None,
        "domain": structure.domain.record(),
        "relation": {
            "universal_axial": structure.relation.universal_axial,
            "tau": list(structure.relation.tau),
            "tau_slack": structure.relation.tau_slack,
            "tau_mixing": structure.relation.tau_mixing,
            "one_doublet": structure.relation.one_doublet,
        },
        "anomalies": {
            a.name: {"value": a.value, "up": a.up, "down": a.down}
            for a in (*structure.electron, *structure.muon)
        },
        "targets": _targets(structure),
        "used": list(structure.used),
        "left_out": dict(structure.left_out),
        "constants": {
            name: getattr(constants, name)
            for name in ("ELECTRON_MASS", "MUON_MASS", "FERMI_CONSTANT", "SIN2_THETA_W")
        },
        "proof": tree_below(structure, bracket.lower, progress) if tree else None,
        "data_hash": problem.data_hash(),
        "version": versions()["zpfit"],
    }


def _targets(structure: Structure) -> dict[str, list[float]]:
    """Return the limits of rates and products by term."""
    rates = {recoil.name: list(recoil.target) for recoil in structure.recoils}
    return rates | {product.name: list(product.target) for product in structure.products}


def _couplings(problem: Problem, bracket: Bracket) -> dict[str, float] | None:
    if bracket.u is None:
        return None
    c = problem.posterior.couplings(bracket.u[None])
    return {name: float(row[0]) for name, row in c.items()}


def _parameters(problem: Problem, bracket: Bracket) -> dict[str, float] | None:
    if bracket.u is None:
        return None
    values = problem.posterior.parameters(bracket.u[None])
    return {name: float(column[0]) for name, column in values.items()}
