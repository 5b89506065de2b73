"""Joint sigma of signatures: standard errors within which every anomaly is met at once.

The definition is that of :mod:`zpfit.analysis.joint_sigma`: every other measurement lies within 2
standard errors, and no exclusion, hard or soft, is exceeded. Descents of hundreds of signatures
share each call of the likelihood. Each aims at a level below the best one of its signature.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from zpfit.analysis.atlas.screen import CHARTS, Best, Screened, ScreenOptions, Search, couplings
from zpfit.analysis.joint_sigma import PullConstraints
from zpfit.errors import NoAnomalies
from zpfit.inference.search.descent import BLOCK, descend_rows
from zpfit.inference.search.kicks import kick
from zpfit.inference.search.minmax import Constraints
from zpfit.inference.search.selection import Index
from zpfit.inference.settings import JointSigmaSpec
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.likelihood import Likelihood

DESCENTS: Final = 24
"""Descents of each signature towards each level."""
_LEVELS: Final = (0.0, 0.5, 0.8, 0.9, 0.95, 0.9, 0.97, 0.97, 0.99)
"""Levels at which descents aim, as fractions of the best one so far."""
_FROM_ANYWHERE: Final = 5
"""Levels for which half of the descents start at random; later ones start around the best point."""
_MET: Final = 1e-3
"""Level that counts as zero."""
_WALL, _INSIDE = 30.0, 1e-4
"""Steepness of exclusions, and margin inside, as descents end on edges."""
_STEPS: Final = 25
_TOLERANCE: Final = 1e-8
"""Decrease of the sum of squares in one step below which a descent ends."""


def joint_sigmas(
    vectors: FloatArray,
    likelihood: Likelihood,
    found: Screened,
    seed: Sequence[int],
    descents: int = DESCENTS,
) -> FloatArray:
    """Return the joint sigma of each signature, shape (n,).

    Results of a search, and so upper limits. Every signature contains no Z', so that none is above
    the joint sigma without a Z'.

    Parameters
    ----------
    vectors
        Integers of the signatures as floats, shape (n, 5) or (n, 8).
    likelihood
        The data.
    found
        Best points of the screen, from which the search starts.
    seed
        Numbers that settle the starts.
    descents
        Descents of each signature towards each level.

    Returns
    -------
    array, shape (n,)
        Infinite where no point meets the other measurements and the exclusions.

    Raises
    ------
    NoAnomalies
        The likelihood has no anomaly.
    """
    if not likelihood.anomalies:
        raise NoAnomalies(likelihood.name)
    levels = _Levels(vectors, likelihood)
    levels.start(found)
    rng = np.random.default_rng([*seed, len(_LEVELS)])
    for number, share in enumerate(_LEVELS):
        scattered = descents // 2 if number < _FROM_ANYWHERE else 0
        levels.lower(share, scattered, descents - scattered, rng)
    return levels.best.value


class _Levels:
    """The lowest level of each signature so far, and its point in a chart."""

    def __init__(self, vectors: FloatArray, likelihood: Likelihood) -> None:
        self.search = Search(vectors, likelihood, ScreenOptions())
        self._of_pulls = PullConstraints(likelihood, JointSigmaSpec())
        self.best = Best.empty(len(vectors))

    def start(self, found: Screened) -> None:
        """Begin with no Z', and with the best points of the screen in all charts."""
        label = np.arange(len(self.best.value))
        none = np.zeros(len(label))
        for chart in range(CHARTS):
            charts = np.full(len(label), chart)
            for m, g_prime, c in ((found.m_Zp, none, none), (found.m_Zp, found.g_prime, found.c)):
                self._improve(self.search.cube(m, g_prime, c, label, charts), label, charts)

    def lower(self, share: float, scattered: int, near: int, rng: np.random.Generator) -> None:
        """Descend towards a share of each level, from random starts and from kicks."""
        level = self.best.value
        todo = np.flatnonzero(level > _MET)
        label = np.concatenate([np.repeat(todo, scattered), np.repeat(todo, near)])
        kicks = kick(self.best.u[todo], np.zeros(3), rng, near)
        u = np.concatenate([rng.random((len(todo) * scattered, 3)), kicks])
        charts = np.tile(np.arange(scattered) % CHARTS, len(todo))
        chart = np.concatenate([charts, np.repeat(self.best.chart[todo], near)])
        # Without a level every excess counts, as for a level of zero.
        target = share * np.where(np.isfinite(level), level, 0.0)

        def residuals(points: FloatArray, wall: float, rows: Index) -> FloatArray:
            found = self._constraints(points, label[rows], chart[rows], _INSIDE)
            return found.residuals(target[label[rows]], wall)

        ends = descend_rows(residuals, u, _WALL, _STEPS, None, _TOLERANCE, BLOCK)[0]
        self._improve(ends, label, chart)

    def _improve(self, u: FloatArray, label: Index, chart: Index) -> None:
        levels = self._constraints(u, label, chart, 0.0).largest()
        self.best.improve(label, u, chart, levels)

    def _constraints(self, u: FloatArray, label: Index, chart: Index, inside: float) -> Constraints:
        c = couplings(self.search.vectors[label], *self.search.point(u, label, chart))
        likelihood = self.search.likelihood
        pulls, ratios = likelihood.pulls(c), likelihood.ratios(c).values()
        stacked = (np.array([*rows]).reshape(-1, len(u)) for rows in (pulls, ratios))
        found = self._of_pulls(*stacked)
        return Constraints(found.objectives, found.excesses + inside, found.ratios * (1 + inside))
