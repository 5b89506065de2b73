"""Screen of signatures: the least chi2 of each on a set of data.

Every signature has three parameters: the mass m, g' and the universal coupling c, which holds the
kinetic mixing (see :mod:`zpfit.analysis.atlas.signatures`). Couplings are those of leading order in
g' and c. Thousands of descents of hundreds of signatures share each call of the likelihood.

The third coordinate is c, or C_V of the electron or of the muon: a coupling that cancels to a small
value lies in a valley that is smooth only in that coupling itself. Every signature contains the
Standard Model and, for g' = 0, the dark photon; both are among the candidates, so that no result
lies above them. Jagged limit curves make basins that are narrow in m. Signatures whose own descents
miss a reference, and those that gain much against both, are searched again with m fixed at the
nodes of a grid.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import asinh, inf
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zpfit.analysis.atlas.signatures import LEPTONS, QUARKS
from zpfit.errors import InvalidInput
from zpfit.inference.search.descent import BLOCK, descend_rows
from zpfit.inference.search.kicks import kick
from zpfit.inference.search.selection import Index, best_of_each
from zpfit.inference.search.walls import descend_inside, walls
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.likelihood import Likelihood
from zpfit.models.gauge_mixing import Z_COUPLING
from zpfit.physics.constants import SIN2_THETA_W
from zpfit.physics.couplings import Couplings

MASSES: Final = (1.0, 100.0)
"""Ends of the range of masses, MeV."""
_COUPLINGS: Final = (1e-9, 0.3)
"""Ends of the range of g' times the largest integer of the signature."""
_SMALL: Final = 1e-9
"""Size below which the third coordinate is linear."""
_LARGE: Final = 0.1
"""Largest size of the third coordinate."""
CHARTS: Final = 3
"""Charts of the third coordinate: c, and C_V of the electron and of the muon."""
_WALLS: Final = walls(3.0, 4)
_DARK_STARTS: Final = 1000
"""Descents that find the best dark photon."""
_NESTED: Final = 0.05
"""Tolerance of the nesting test in chi2."""
_FAMILIES: Final = (0, 2)
"""Columns of N_e and N_mu; those of A follow."""


@dataclass(frozen=True)
class ScreenOptions:
    """Effort of a screen."""

    starts: int = 24
    """Random starts of each signature, a third in each chart."""
    steps: int = 25
    """Largest number of steps of a descent."""
    kept: int = 2
    """Best end points of each signature that are kicked."""
    kicks: int = 4
    """New starts around each of these."""
    gain: float = 9.0
    """Gain in chi2 against both references from which a signature is searched at fixed masses."""
    enough: float = inf
    """Gain from which it is not: for counts of signatures that gain as much."""
    masses: int = 100
    """Fixed masses of that search."""
    tolerance: float = 1e-3
    """Decrease of chi2 in one step below which a descent ends."""
    draws: int = 0
    """Draws of each part of the integral for the evidence, a power of two; 0 for no evidence."""
    joint_descents: int = 0
    """Descents towards each level of the joint sigma; 0 for no joint sigma."""


@dataclass(frozen=True)
class References:
    """Least chi2 that every signature reaches."""

    without: float
    """chi2 without a Z'."""
    dark: float
    """Least chi2 of the dark photon, at most ``without``."""
    point: tuple[float, float]
    """Mass (MeV) and c of that dark photon; c = 0 if none lowers chi2."""


@dataclass(frozen=True)
class Evidence:
    """ln Z of n signatures; every array has shape (n,)."""

    log_z: FloatArray
    log_z_error: FloatArray
    """Standard error from the scatter of four integrals, which settles it to 40 %. Signatures share
    their draws, so that their errors are correlated."""


@dataclass(frozen=True)
class Screened:
    """Best points of n signatures; every array has shape (n,)."""

    chi2: FloatArray
    """Least chi2; never above the references."""
    m_Zp: FloatArray
    """Mass in MeV."""
    g_prime: FloatArray
    c: FloatArray
    """Universal coupling."""
    nested: NDArray[np.bool_]
    """True if the descents from random starts met the references."""
    scanned: NDArray[np.bool_]
    """True if the signature was searched at fixed masses as well."""
    terms: Mapping[str, FloatArray]
    """chi2 of each measurement and soft exclusion at the best point."""
    evidence: Evidence | None = None
    """None without the option ``draws``."""
    joint_sigma: FloatArray | None = None
    """Standard errors within which every anomaly is met; None without ``joint_descents``."""


def reads_quarks(likelihood: Likelihood) -> bool:
    """Return True if couplings of quarks change a term of the likelihood."""
    lepton = {"m_Zp": 17.0, "C_Ve": 1e-4, "C_Ae": 1e-5, "C_nue": 1e-5, "C_Vmu": 1e-4}
    quarks = {"C_Vu": 1e-4, "C_Au": 2e-4, "C_Vd": 3e-4, "C_Ad": -1e-4, "tan_xi": 1e-4}
    points = (Couplings.of(**lepton), Couplings.of(**lepton, **quarks))
    before, after = ({**likelihood.chi2_by_term(c), **likelihood.ratios(c)} for c in points)
    return any(before[name][0] != after[name][0] for name in before)


def check_columns(columns: tuple[str, ...], likelihood: Likelihood) -> None:
    """Check that a table has all couplings that a likelihood reads.

    Raises
    ------
    InvalidInput
        The likelihood reads couplings of quarks, and the table has none.
    """
    if columns == LEPTONS and reads_quarks(likelihood):
        reason = "has data on quarks, which signatures of leptons leave open"
        remedy = "screen signatures with quarks, or give a set of leptonic data"
        raise InvalidInput([f"likelihood: {likelihood.name} {reason}; {remedy}"])


def couplings(vectors: FloatArray, m: FloatArray, g_prime: FloatArray, c: FloatArray) -> Couplings:
    """Return the couplings of signatures, each at one point.

    Parameters
    ----------
    vectors
        Integers of the signatures, shape (n, 5), or (n, 8) with quarks; both families of two that
        are alike have the couplings of the first one, and b those of d.
    m, g_prime, c
        Mass in MeV, g' and universal coupling, shape (n,).
    """
    n, a = vectors[:, [0, 2, 4]].T * g_prime, vectors[:, [1, 3]].T * (g_prime / 2)
    rows = {
        "C_Ve": n[0] + a[0] + c,
        "C_Ae": a[0],
        "C_nue": n[0],
        "C_Vmu": n[1] + a[1] + c,
        "C_Amu": a[1],
        "C_numu": n[1],
        "C_Vtau": n[2] + c,
        "C_nutau": n[2],
    }
    if vectors.shape[1] == len(LEPTONS) + len(QUARKS):
        rows |= _quarks(vectors[:, len(LEPTONS) :].T, g_prime, c)
    return Couplings(m_Zp=m, **rows)


def _quarks(integers: FloatArray, g_prime: FloatArray, c: FloatArray) -> dict[str, FloatArray]:
    """Return the couplings of quarks and the mixing with the Z, which c fixes too."""
    b, up, down = integers * g_prime
    vector_up, vector_down = b / 3 + up / 2 - 2 * c / 3, b / 3 + down / 2 + c / 3
    rows = {"tan_xi": c / ((1 - SIN2_THETA_W) * Z_COUPLING)}
    for name in ("u", "c"):
        rows |= {f"C_V{name}": vector_up, f"C_A{name}": up / 2}
    for name in ("d", "s", "b"):
        rows |= {f"C_V{name}": vector_down, f"C_A{name}": down / 2}
    return rows


class Search:
    """Descents of the signatures of a chunk.

    A point of the unit cube is (ln m, ln g', third coordinate) of one row: a signature in a chart.

    Parameters
    ----------
    vectors
        Integers of the signatures, shape (n, 5) or (n, 8).
    likelihood
        The data.
    options
        Effort.
    """

    def __init__(self, vectors: FloatArray, likelihood: Likelihood, options: ScreenOptions) -> None:
        self.vectors, self.options = vectors, options
        self.likelihood = likelihood
        self._size = np.maximum(np.abs(vectors).max(axis=1), 1)

    def point(self, u: FloatArray, label: Index, chart: Index) -> tuple[FloatArray, ...]:
        """Return m, g' and c of points of the unit cube.

        Parameters
        ----------
        u
            Points, shape (n, 3).
        label, chart
            Signature and chart of each, shape (n,).
        """
        low, high = _COUPLINGS
        m = MASSES[0] * (MASSES[1] / MASSES[0]) ** u[:, 0]
        g_prime = low * (high / low) ** u[:, 1] / self._size[label]
        third = _SMALL * np.sinh((2 * u[:, 2] - 1) * asinh(_LARGE / _SMALL))
        return m, g_prime, third - g_prime * self._offset(label, chart)

    def cube(
        self, m: FloatArray, g_prime: FloatArray, c: FloatArray, label: Index, chart: Index
    ) -> FloatArray:
        """Return the points of the unit cube, shape (n, 3); the smallest g' stands for zero.

        Parameters
        ----------
        m, g_prime, c
            Mass in MeV, g' and universal coupling, shape (n,).
        label, chart
            Signature and chart of each, shape (n,).
        """
        low, high = _COUPLINGS
        scaled = np.clip(g_prime * self._size[label], low, high)
        third = c + g_prime * self._offset(label, chart)
        third = np.arcsinh(third / _SMALL) / asinh(_LARGE / _SMALL)
        mass = np.log(m / MASSES[0]) / np.log(MASSES[1] / MASSES[0])
        columns = [mass, np.log(scaled / low) / np.log(high / low), (third + 1) / 2]
        result: FloatArray = np.clip(np.stack(columns, axis=1), 0, 1)
        return result

    def _offset(self, label: Index, chart: Index) -> FloatArray:
        """Return the third coordinate minus c, over g'."""
        vectors = self.vectors[label]
        charges = [vectors[:, i] + vectors[:, i + 1] / 2 for i in _FAMILIES]
        result: FloatArray = np.choose(chart, [np.zeros(len(label)), *charges])
        return result

    def chi2(self, u: FloatArray, label: Index, chart: Index) -> FloatArray:
        """Return chi2, infinite where a hard exclusion forbids the point."""
        c = couplings(self.vectors[label], *self.point(u, label, chart))
        result: FloatArray = -2 * self.likelihood.log_likelihood(c)
        return result

    def descend(
        self, starts: FloatArray, label: Index, chart: Index, held: NDArray[np.bool_] | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Return end points and their chi2, for starts of signatures ``label`` in charts."""

        def residuals(u: FloatArray, wall: float, rows: Index) -> FloatArray:
            c = couplings(self.vectors[label[rows]], *self.point(u, label[rows], chart[rows]))
            return self.likelihood.residuals(c, wall)

        def from_rows(u: FloatArray, rows: Index, wall: float) -> tuple[FloatArray, FloatArray]:
            return descend_rows(
                lambda points, height, own: residuals(points, height, rows[own]),
                u,
                wall,
                self.options.steps,
                held,
                self.options.tolerance,
                BLOCK,
            )

        return descend_inside(
            starts, _WALLS, from_rows, lambda u, rows: self.chi2(u, label[rows], chart[rows])
        )


@dataclass
class Best:
    """The best point of each of n signatures so far."""

    value: FloatArray
    """What is searched for, such as chi2; infinite without a point. Shape (n,)."""
    u: FloatArray
    """Points of the unit cube, shape (n, 3)."""
    chart: Index
    """Chart of each, shape (n,)."""

    @classmethod
    def empty(cls, n: int) -> "Best":
        """Return the state before any point is known."""
        return cls(np.full(n, np.inf), np.full((n, 3), 0.5), np.zeros(n, dtype=np.intp))

    def improve(self, label: Index, u: FloatArray, chart: Index, value: FloatArray) -> None:
        """Take over points with lower values."""
        best = best_of_each(label, value, 1)
        best = best[value[best] < self.value[label[best]]]
        where = label[best]
        self.value[where], self.u[where], self.chart[where] = value[best], u[best], chart[best]


def find_references(likelihood: Likelihood, seed: int = 0) -> References:
    """Return the least chi2 without a Z' and of the dark photon.

    Parameters
    ----------
    likelihood
        The data.
    seed
        Seed of the search.
    """
    without = float(-2 * likelihood.log_likelihood(Couplings.none())[0])
    width = len(LEPTONS) + (len(QUARKS) if reads_quarks(likelihood) else 0)
    search = Search(np.zeros((1, width)), likelihood, ScreenOptions())
    starts = np.random.default_rng(seed).random((_DARK_STARTS, 3))
    where = np.zeros(len(starts), dtype=np.intp)
    u, chi2 = search.descend(starts, where, where)
    best = int(np.argmin(chi2))
    m, _, c = (float(row[best]) for row in search.point(u, where, where))
    if chi2[best] >= without:
        return References(without, without, (MASSES[1], 0.0))
    return References(without, float(chi2[best]), (m, c))


def screen(
    vectors: FloatArray,
    likelihood: Likelihood,
    references: References,
    seed: Sequence[int],
    options: ScreenOptions,
) -> Screened:
    """Return the best point of each signature.

    Parameters
    ----------
    vectors
        Integers of the signatures as floats, shape (n, 5) or (n, 8).
    likelihood
        The data.
    references
        Result of :func:`find_references` for the same data.
    seed
        Numbers that settle the starts.
    options
        Effort.

    Returns
    -------
    Screened
        Best points in the order of ``vectors``.
    """
    search, rng = Search(vectors, likelihood, options), np.random.default_rng(seed)
    best = _free_descents(search, rng)
    bound = min(references.without, references.dark)
    nested = best.value <= bound + _NESTED
    _with_references(search, best, references)
    gain = bound - best.value
    again = ~nested | ((gain > options.gain) & (gain < options.enough))
    if again.any():
        _at_fixed_masses(search, best, np.flatnonzero(again), rng)
    return _screened(search, best, references, nested, again)


def _free_descents(search: Search, rng: np.random.Generator) -> Best:
    """Descend from random starts, then from kicks of the best end points."""
    n, options = len(search.vectors), search.options
    best = Best.empty(n)
    label = np.repeat(np.arange(n), options.starts)
    chart = np.tile(np.arange(options.starts) % CHARTS, n)
    u, chi2 = search.descend(rng.random((len(label), 3)), label, chart)
    best.improve(label, u, chart, chi2)
    kept = best_of_each(label, chi2, options.kept)
    kicked = kick(u[kept], np.zeros(3), rng, options.kicks)
    label, chart = (np.repeat(row[kept], options.kicks) for row in (label, chart))
    u, chi2 = search.descend(kicked, label, chart)
    best.improve(label, u, chart, chi2)
    return best


def _with_references(search: Search, best: Best, references: References) -> None:
    """Descend from the dark photon and from no Z' as well, with the smallest g'."""
    n = len(search.vectors)
    masses, mixings = np.array([references.point[0], MASSES[1]]), np.array([references.point[1], 0])
    label, chart = np.repeat(np.arange(n), 2), np.zeros(2 * n, dtype=np.intp)
    u = search.cube(np.tile(masses, n), np.zeros(2 * n), np.tile(mixings, n), label, chart)
    best.improve(label, u, chart, search.chi2(u, label, chart))
    best.improve(label, *_with_chart(search.descend(u, label, chart), chart))


def _with_chart(
    ends: tuple[FloatArray, FloatArray], chart: Index
) -> tuple[FloatArray, Index, FloatArray]:
    return ends[0], chart, ends[1]


def _at_fixed_masses(search: Search, best: Best, chosen: Index, rng: np.random.Generator) -> None:
    """Search with m fixed at the nodes of a grid, then with m free from the best of them."""
    nodes = search.options.masses
    held = np.array([True, False, False])
    for which in chosen:
        count = nodes * CHARTS
        label, chart = np.full(count, which), np.arange(count) % CHARTS
        starts = rng.random((count, 3))
        starts[:, 0] = np.repeat((np.arange(nodes) + 0.5) / nodes, CHARTS)
        u, chi2 = search.descend(starts, label, chart, held)
        best.improve(label, u, chart, chi2)
        order = np.argsort(chi2, kind="stable")[: 4 * search.options.kept]
        ends = search.descend(u[order], label[order], chart[order])
        best.improve(label[order], *_with_chart(ends, chart[order]))


def _screened(
    search: Search,
    best: Best,
    references: References,
    nested: NDArray[np.bool_],
    again: NDArray[np.bool_],
) -> Screened:
    """Return the best points; where a reference is lower, its limit g' = 0."""
    label = np.arange(len(search.vectors))
    m, g_prime, c = search.point(best.u, label, best.chart)
    bound = min(references.without, references.dark)
    limit = best.value > bound
    m, g_prime = np.where(limit, references.point[0], m), np.where(limit, 0.0, g_prime)
    c = np.where(limit, references.point[1], c)
    terms = search.likelihood.chi2_by_term(couplings(search.vectors, m, g_prime, c))
    chi2 = np.minimum(best.value, bound)
    return Screened(chi2, m, g_prime, c, nested, again, terms)
