"""Proofs at a fixed level: no point of the domain meets every constraint, or boxes remain."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from zpfit.analysis.certify.branch_and_bound import search
from zpfit.analysis.certify.mass_cells import MassCells, mass_cells
from zpfit.analysis.certify.quantities import N_COUPLINGS, NO_LIMIT, A, IntArray, V
from zpfit.analysis.certify.structure import Quarks, Structure
from zpfit.inference.progress import SILENT, Progress
from zpfit.io.arrays import FloatArray
from zpfit.io.numbers import percent

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


def outcome(proof: Proof) -> str:
    """Return level, outcome and number of boxes of a proof in words.

    Examples
    --------
    >>> outcome(Proof(2.5, 1200, np.empty((0, 5, 2))))
    '2.5 sigma excluded after 1200 boxes'
    """
    words = "excluded" if proof.proved else "not excluded"
    return f"{proof.sigma:.6g} sigma {words} after {proof.boxes} boxes"


class Prover:
    """Branch and bound for one structure; keeps the bounds of mass cells between levels.

    Parameters
    ----------
    structure : Structure
        Terms of the data.
    most, most_of_all : int
        Largest number of boxes of one level, and of all levels together.
    progress : Progress, optional
        Receives a stage for what each level needs, and within a level the fraction of the range of
        ln m that is decided, with the number of boxes.
    """

    def __init__(
        self,
        structure: Structure,
        *,
        most: int = 5_000_000,
        most_of_all: int = ALL_BOXES,
        progress: Progress = SILENT,
    ) -> None:
        self.structure = structure
        self._most, self._left = most, most_of_all
        self._progress = progress
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
        most, leaves = min(self._most, self._left), _leaves(low, high)
        self._prepare(low, high, leaves)
        self._progress.stage(f"Dividing at {sigma:.6g} sigma")
        watch = _Watch(self._progress, self._bounds(low, high, leaves).log_width)
        proof = self._divide(sigma, low, high, leaves, _ZOOMS, most, watch)
        self._left = max(self._left - proof.boxes, 0)
        return proof

    def _prepare(self, low: float, high: float, leaves: int) -> None:
        """Compute the bounds of the mass cells, and compile the search (or load it)."""
        if (low, high, leaves) in self._cells:
            return
        self._progress.stage(f"Enclosing {leaves} cells of mass")
        cells = self._bounds(low, high, leaves)
        if not getattr(search, "signatures", True):  # plain functions have no signatures
            self._progress.stage("Compiling the search, once")
            _Search(self.structure, cells, 0.0).compile()

    def _divide(
        self, sigma: float, low: float, high: float, leaves: int, zooms: int, most: int,
        watch: "_Watch",
    ) -> Proof:  # fmt: skip
        """Search a range of masses, and on a finer scale the cells in which boxes remain."""
        ranges = _Search(self.structure, self._bounds(low, high, leaves), sigma)
        if np.log(high / low) < leaves * _FACTOR * _NARROWEST:
            zooms = 0
        boxes = 0
        while True:
            whole = ranges.go_on(most - boxes, watch)
            boxes += whole.boxes
            if zooms == 0 or whole.unfinished or whole.proved:
                return replace(whole, boxes=boxes)
            parts = _finer(whole.undecided[:, 0])
            left = ranges.left + sum(float(np.log(high / low)) for low, high, _ in parts)
            for part in parts:
                left -= float(np.log(part[1] / part[0]))
                with watch.beside(left):
                    found = self._divide(sigma, *part, zooms - 1, most - boxes, watch)
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


class _Watch:
    """Adds up the boxes of a level, and reports them with the share of the masses excluded.

    Parameters
    ----------
    progress : Progress
        Receiver.
    whole : float
        Width of the domain in ln m.
    """

    def __init__(self, progress: Progress, whole: float) -> None:
        self._progress, self._whole = progress, whole
        self._boxes = 0
        self._outside = 0.0

    @contextmanager
    def beside(self, left: float) -> Iterator[None]:
        """Search a smaller range of masses, outside which a width in ln m is left."""
        self._outside += left
        yield
        self._outside -= left

    def report(self, boxes: int, left: float) -> None:
        """Report a compiled call: its boxes, and the width in ln m that its range has left."""
        self._boxes += boxes
        share = max(1 - (self._outside + left) / self._whole, 0.0)
        if share < 1:  # the outcome of the level follows otherwise
            words = f"{self._boxes} boxes, {percent(share)} of the masses excluded"
            self._progress.update(share, words)


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

    def compile(self) -> None:
        """Compile or load the search, which examines no box."""
        self._call(*self._room(0), 0)

    def go_on(self, most: int, watch: _Watch) -> Proof:
        """Search until every box is excluded, several cells are open, or ``most`` are done."""
        cells = self._cells
        size = min(_OPEN, len(cells.table) // 2)
        found, where = self._room(size)
        done = n = 0
        while self._left > 0 and n < size and done < most:
            more, new = self._call(found[n:], where[n:], min(most - done, _AT_ONCE))
            done, n = done + more, n + new
            watch.report(more, self._left_with(where[:n]))
        first = where[:n] - (len(cells.edges) - 1)
        order = np.argsort(first)
        masses = np.stack([cells.edges[first], cells.edges[first + 1]], axis=1)
        boxes = np.concatenate([masses[:, None], found[:n]], axis=1)[order]
        return Proof(self._sigma, done, boxes, self._left > 0 and n < size)

    def _room(self, size: int) -> tuple[FloatArray, IntArray]:
        """Return arrays for boxes of open leaves and for these leaves."""
        return np.empty((size, N_COUPLINGS, 2)), np.empty(size, dtype=np.int64)

    def _call(self, found: FloatArray, where: IntArray, most: int) -> tuple[int, int]:
        """Work on the stack; return the number of boxes done and of open leaves found."""
        cells, structure = self._cells, self._structure
        done, self._left, new = search(
            self._stack, self._nodes, self._left, found, where, self._open,
            cells.table, cells.log_width, _SMALLEST, most,
            level_of(structure, self._sigma), tau_of(structure), cells.products, cells.blocks,
            targets_of(structure), cells.dumps,
        )  # fmt: skip
        return done, new

    @property
    def left(self) -> float:
        """Width in ln m of the masses of boxes that are left on the stack."""
        return self._left_with(np.empty(0, dtype=np.int64))

    def _left_with(self, leaves: IntArray) -> float:
        """Return the width in ln m of boxes on the stack and of leaves of the mass tree."""
        n = len(self._cells.table) // 2
        is_left = np.zeros(n, dtype=bool)
        for node in np.unique([*self._nodes[: self._left], *leaves]):
            size = n >> (int(node).bit_length() - 1)
            is_left[size * node - n : size * (node + 1) - n] = True
        return float(is_left.mean()) * self._cells.log_width


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
