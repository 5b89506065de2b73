"""Accuracy of the screens: a sample is searched again at fixed masses, whatever it gains."""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zpfit.analysis.atlas.screen import ScreenOptions
from zpfit.analysis.atlas.signatures import HiggsPolicy, SignatureTable
from zpfit.studies.atlas.data import TODAY
from zpfit.studies.atlas.numbers import Accuracy, Screens
from zpfit.studies.atlas.screens import Screener, Signed

TOLERANCE: Final = 0.05
"""Difference in chi2 from which a signature counts as missed."""
_ALL: Final = ScreenOptions(gain=-1.0)
"""Effort that searches every signature at fixed masses."""


def measure_accuracy(screens: Screens, sample: int, screener: Screener) -> tuple[Accuracy, ...]:
    """Compare the screens of today's data with searches at fixed masses.

    Parameters
    ----------
    screens
        Screens of all epochs.
    sample
        Largest number of signatures of each policy, taken at random.
    screener
        Makes or reads the further screens.
    """
    return tuple(
        _accuracy(screens, policy, sample, screener)
        for policy in (HiggsPolicy.RENORMALISABLE, HiggsPolicy.ZERO)
    )


def _accuracy(screens: Screens, policy: HiggsPolicy, count: int, screener: Screener) -> Accuracy:
    whole = screens.by_epoch[TODAY.name, policy]
    signed, kept = whole.signed, whole.result
    chosen = _sample(len(signed.table), count)
    part = Signed(signed.sets, subset(signed.table, chosen))
    again = screener.screen(f"accuracy_{len(chosen)}", part, TODAY.data, _ALL).result
    excess = kept.screened.chi2[chosen] - again.screened.chi2
    return Accuracy(
        higgs=str(policy),
        qmax=signed.qmax,
        sample=len(chosen),
        missed=int((excess > TOLERANCE).sum()),
        worst=float(excess.max()),
        missed_by_scan=int((excess < -TOLERANCE).sum()),
        not_nested=int((~kept.screened.nested).sum()),
        signatures=len(signed.table),
    )


def _sample(total: int, count: int) -> NDArray[np.intp]:
    """Return some numbers below a total at random, in ascending order."""
    chosen = np.random.default_rng(1).permutation(total)[:count]
    return np.sort(chosen)


def subset(table: SignatureTable, chosen: NDArray[np.intp]) -> SignatureTable:
    """Return some rows of a table.

    Parameters
    ----------
    table
        Signatures.
    chosen
        Positions of the rows.
    """
    return replace(
        table,
        vectors=table.vectors[chosen],
        sets=table.sets[chosen],
        first=table.first[chosen],
        charges=table.charges[chosen],
    )
