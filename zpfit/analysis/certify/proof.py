"""Proofs at a fixed level: no point of the domain meets every constraint, or boxes remain."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from zpfit.analysis.certify.branch_and_bound import search
from zpfit.analysis.certify.mass_cells import MassCells, mass_cells
from zpfit.analysis.certify.quantities import N_COUPLINGS, NO_LIMIT, A, V
from zpfit.analysis.certify.structure import Quarks, Structure
from zpfit.io.arrays import FloatArray

_LEAVES: Final = 4096
"""Mass cells of the whole domain."""
_ZOOMS: Final = 2
"""Times that a range of masses is divided; each makes its cells smaller by the factor below."""
_FACTOR: Final = 32
_NARROWEST: Final = 1e-9
"""Width in ln m of the smallest cells, a thousand times the widening of their ends."""
_NEAR: Final = 4.5
"""Widths of a cell between two open ones that are divided together."""
_OPEN: Final = 16
"""Open cells after which these are searched on a finer scale."""
_KEPT: Final = 64
"""Ranges whose bounds are kept in memory."""
_STACK: Final = 4096
"""Boxes that a depth-first search can hold; it needs a few hundred."""
_SMALLEST: Final = 2e-4
"""Relative width of the couplings of an undecided box."""
_AT_ONCE: Final = 200_000
"""Boxes of one compiled call, about a second; interrupts wait for its end."""
ALL_BOXES: Final = 15_000_000
"""Boxes of all levels together."""
_NEGLIGIBLE: Final = 1e-6
"""Size of C_Ae below which its sign does not help to choose the common sign."""


@dataclass(frozen=True)
class Proof:
    """Outcome of the branch and bound at one level."""

    sigma: float
    """Level: pulls of the anomalies are allowed up to this size."""
    boxes: int
    """Boxes that were examined."""
    undecided: FloatArray
    """Boxes that could not be excluded: mass (MeV) and couplings, shape (n, 5, 2)."""
    unfinished: bool = False
    """True if the largest number of boxes was reached."""

    @property
    def proved(self) -> bool:
        """True if no point of the domain meets every constraint."""
        return not len(self.undecided) and not self.unfinished


class Prover:
    """Branch and bound for one structure; keeps the bounds of mass cells between levels.

    Parameters
    ----------
    structure : Structure
        Terms of the data.
    most, most_of_all : int
        Largest number of boxes of one level, and of all levels together.
    report : callable, optional
        Receives the number of boxes of each compiled call of a long search.
    """

    def __init__(
        self,
        structure: Structure,
        *,
        most: int = 5_000_000,
        most_of_all: int = ALL_BOXES,
        report: Callable[[int], None] | None = None,
    ) -> None:
        self.structure = structure
        self._most, self._left = most, most_of_all
        self._report = report
        self._cells: dict[tuple[float, float, int], MassCells] = {}

    def prove(self, sigma: float) -> Proof:
        """Try to exclude every point with pulls of the anomalies below a level.

        Mass cells in which boxes remain are divided further, several times.

        Parameters
        ----------
        sigma : float
            Level in standard errors, not negative.
        """
        low, high = self.structure.domain.mass
        most = min(self._most, self._left)
        proof = self._divide(sigma, low, high, _leaves(low, high), _ZOOMS, most)
        self._left = max(self._left - proof.boxes, 0)
        return proof

    def _divide(
        self, sigma: float, low: float, high: float, leaves: int, zooms: int, most: int
    ) -> Proof:
        """Search a range of masses, and on a finer scale the cells in which boxes remain."""
        ranges = _Search(self.structure, self._bounds(low, high, leaves), sigma)
        if np.log(high / low) < leaves * _FACTOR * _NARROWEST:
            zooms = 0
        boxes = 0
        while True:
            whole = ranges.go_on(most - boxes, self._report)
            boxes += whole.boxes
            if zooms == 0 or whole.unfinished or whole.proved:
                return replace(whole, boxes=boxes)
            for part in _finer(whole.undecided[:, 0]):
                found = self._divide(sigma, *part, zooms - 1, most - boxes)
                boxes += found.boxes
                if not found.proved:
                    return replace(found, boxes=boxes)

    def _bounds(self, low: float, high: float, leaves: int) -> MassCells:
        key = (low, high, leaves)
        if key not in self._cells:
            if len(self._cells) > _KEPT:
                self._cells.pop(list(self._cells)[1])
            self._cells[key] = mass_cells(self.structure, low, high, leaves)
        return self._cells[key]


def _leaves(low: float, high: float) -> int:
    """Return the number of mass cells of the domain, a power of two; 1 for a fixed mass."""
    most = max(1, int(np.log(high / low) / _NARROWEST))
    return int(min(_LEAVES, 1 << (most.bit_length() - 1)))


class _Search:
    """A depth-first search of a range of masses that can be continued."""

    def __init__(self, structure: Structure, cells: MassCells, sigma: float) -> None:
        self._cells = cells
        self._stack = np.empty((_STACK, N_COUPLINGS, 2))
        self._nodes = np.empty(_STACK, dtype=np.int64)
        self._stack[0], self._nodes[0] = first_box(structure), 1
        self._left = 1
        self._open = np.zeros(len(cells.table), dtype=bool)
        self._structure = structure
        self._sigma = sigma

    def go_on(self, most: int, report: Callable[[int], None] | None = None) -> Proof:
        """Search until every box is excluded, several cells are open, or ``most`` are done."""
        cells, structure = self._cells, self._structure
        size = min(_OPEN, len(cells.table) // 2)
        found, where = np.empty((size, N_COUPLINGS, 2)), np.empty(size, dtype=np.int64)
        arguments = (
            level_of(structure, self._sigma), tau_of(structure), cells.products, cells.blocks,
            targets_of(structure), cells.dumps,
        )  # fmt: skip
        done = n = 0
        while self._left > 0 and n < size and done < most:
            more, self._left, new = search(
                self._stack, self._nodes, self._left, found[n:], where[n:], self._open,
                cells.table, cells.log_width, _SMALLEST, min(most - done, _AT_ONCE), *arguments,
            )  # fmt: skip
            done, n = done + more, n + new
            if more >= _AT_ONCE and report is not None:
                report(more)
        first = where[:n] - (len(cells.edges) - 1)
        order = np.argsort(first)
        masses = np.stack([cells.edges[first], cells.edges[first + 1]], axis=1)
        boxes = np.concatenate([masses[:, None], found[:n]], axis=1)[order]
        return Proof(self._sigma, done, boxes, self._left > 0 and n < size)


def _finer(open_cells: FloatArray) -> list[tuple[float, float, int]]:
    """Return ranges that cover sorted cells, shape (n, 2), and the number of their leaves."""
    width = float(np.log(open_cells[0, 1] / open_cells[0, 0]))
    gaps = np.log(open_cells[1:, 0] / open_cells[:-1, 1]) > _NEAR * width
    groups = np.split(open_cells, 1 + np.flatnonzero(gaps))
    ranges = []
    for group in groups:
        low, high = float(group[0, 0]), float(group[-1, 1])
        count = round(float(np.log(high / low)) / width) * _FACTOR
        ranges.append((low, high, 1 << (count - 1).bit_length()))
    return ranges


def first_box(structure: Structure) -> FloatArray:
    """Return the domain of the couplings with a common sign chosen, shape (4, 2).

    No prediction changes if all couplings change sign. The sign is fixed where the data on the
    electron ask for a coupling that is not zero.
    """
    box = structure.domain.couplings.copy()
    lowers = any(anomaly.value < 0 for anomaly in structure.electron)
    row = A if lowers and box[A, 1] > _NEGLIGIBLE else V
    box[row, 0] = 0.0
    return box


def level_of(structure: Structure, sigma: float) -> FloatArray:
    """Return the numbers that a level fixes, in the order that the kernel reads."""
    ends = []
    for anomalies in (structure.electron, structure.muon):
        targets = [anomaly.target(sigma) for anomaly in anomalies]
        ends.append(max((low for low, _ in targets), default=-NO_LIMIT))
        ends.append(min((high for _, high in targets), default=NO_LIMIT))
    trident = np.clip(structure.trident, -NO_LIMIT, NO_LIMIT)
    free = 0.0 if structure.relation.universal_axial else 1.0
    quarks = structure.quarks
    charges = np.clip([*quarks.caesium, *quarks.proton], -NO_LIMIT, NO_LIMIT)
    return np.array([*ends, *trident, structure.contact, free, *charges, quarks != Quarks()])


def tau_of(structure: Structure) -> FloatArray:
    """Return the factors of the couplings in C_nutau, shape (4,)."""
    return np.array(structure.relation.tau)


def targets_of(structure: Structure) -> FloatArray:
    """Return the limits of every rate of recoils, shape (k, 2)."""
    return np.array([recoil.target for recoil in structure.recoils]).reshape(-1, 2)
