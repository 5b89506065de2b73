"""Bayes factors between the rows of a comparison, their strength in words, and ranks."""

from collections.abc import Sequence
from math import exp
from typing import Literal

import numpy as np

from zpfit.analysis.records import ComparisonRow, HypothesisRecord

_SCALE = ((1.0, "inconclusive"), (2.5, "weak"), (5.0, "moderate"))
"""Upper ends of |ln B| for each strength; above the last it is "strong". See SCALE_SOURCE."""
SCALE_SOURCE = "Trotta, Contemp. Phys. 49, 71 (2008), arXiv:0803.4089, Table 2"
_SIGNIFICANT = 2.0
"""Standard errors between two ln Z above which their order counts as known."""
Choice = Literal["default", "wider", "narrower"]
"""Priors under which models are ranked."""


_CHOICES: tuple[Choice, ...] = ("default", "wider", "narrower")


def against_reference(rows: Sequence[HypothesisRecord], reference: str) -> list[ComparisonRow]:
    """Return rows with Bayes factors, their strength, and ranks under each choice of priors.

    Parameters
    ----------
    rows
        Rows of one data set.
    reference
        Model in the denominator of each Bayes factor.
    """
    base = next(row for row in rows if row["model"] == reference)
    return [_against(row, base, rows) for row in rows]


def _against(
    row: HypothesisRecord, base: HypothesisRecord, rows: Sequence[HypothesisRecord]
) -> ComparisonRow:
    difference = row["lnZ"] - base["lnZ"]
    error = 0.0 if row is base else float(np.hypot(row["lnZ_err"], base["lnZ_err"]))
    return {
        **row,
        "reference": base["model"],
        "ln_bayes_factor": difference,
        "ln_bayes_factor_err": error,
        "bayes_factor": exp(min(difference, 700.0)),
        "evidence": verbal(difference),
        "ranks": {name: _rank(row, rows, name) for name in _CHOICES},
        "rank_changes": any(_swaps(row, other, name) for other in rows for name in _CHOICES[1:]),
    }


def _log_z(row: HypothesisRecord, priors: Choice) -> tuple[float | None, float | None]:
    if priors == "default":
        return row["lnZ"], row["lnZ_err"]
    varied = row["prior_sensitivity"][priors]
    return varied["lnZ"], varied["lnZ_err"]


def _rank(row: HypothesisRecord, rows: Sequence[HypothesisRecord], priors: Choice) -> int | None:
    own, _ = _log_z(row, priors)
    if own is None:
        return None
    return 1 + sum((_log_z(other, priors)[0] or -np.inf) > own for other in rows)


def _swaps(row: HypothesisRecord, other: HypothesisRecord, priors: Choice) -> bool:
    """Return whether other priors reverse the order of two rows by more than the errors."""
    signs = []
    choices: tuple[Choice, ...] = ("default", priors)
    for choice in choices:
        (one, one_err), (two, two_err) = _log_z(row, choice), _log_z(other, choice)
        if one is None or two is None or one_err is None or two_err is None:
            return False
        difference = one - two
        if abs(difference) <= _SIGNIFICANT * np.hypot(one_err, two_err):
            return False
        signs.append(difference > 0)
    return signs[0] != signs[1]


def verbal(log_bayes_factor: float) -> str:
    """Return the strength of the evidence in words, and for which side.

    The scale is that of :data:`SCALE_SOURCE`.

    Examples
    --------
    >>> verbal(-3.2)
    'moderate against'
    """
    strength = next((word for limit, word in _SCALE if abs(log_bayes_factor) < limit), "strong")
    if strength == "inconclusive":
        return strength
    return f"{strength} {'for' if log_bayes_factor > 0 else 'against'}"
