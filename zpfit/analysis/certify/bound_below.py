"""Proved lower bounds next to a joint sigma that a search has found."""

from typing import Final

from zpfit.analysis.certify.proof import Prover
from zpfit.analysis.certify.structure import structure_of
from zpfit.errors import NoStructure
from zpfit.inference.problem import Problem

_STEPS: Final = (0.001, 0.004, 0.016, 0.064)
"""Distances below the point at which a proof is tried, in standard errors."""
_MOST: Final = 300_000
"""Boxes of one attempt; about two seconds."""


def proved_below(problem: Problem, sigma: float | None) -> float | None:
    """Return a level below a joint sigma that is proved, or None if there is none.

    Parameters
    ----------
    problem : Problem
        Model, priors and likelihood.
    sigma : float or None
        Joint sigma of the best point found.
    """
    prover = None if sigma is None or sigma <= _STEPS[0] else _prover(problem)
    if sigma is None or prover is None:
        return None
    levels = (sigma - step for step in _STEPS)
    return next((n for n in levels if n > 0 and prover.prove(n).proved), None)


def is_least(problem: Problem, sigma: float) -> bool:
    """Return True if it is proved that no joint sigma is lower by more than 0.001."""
    prover = None if sigma <= _STEPS[0] else _prover(problem)
    return prover is not None and prover.prove(sigma - _STEPS[0]).proved


def _prover(problem: Problem) -> Prover | None:
    try:
        return Prover(structure_of(problem), most=_MOST)
    except NoStructure:
        return None
