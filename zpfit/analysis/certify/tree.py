"""Trees of boxes that a reader can check: every leaf names the term that excludes it."""

import hashlib
import json
from functools import lru_cache
from typing import Any, Final, cast

import numpy as np

from zpfit.analysis.certify.branch_and_bound import halving_point
from zpfit.analysis.certify.contractors import survives
from zpfit.analysis.certify.leaves import DUMP, PRODUCT, QUARKS, RATE, excluding_term
from zpfit.analysis.certify.mass_cells import MassCells, mass_cells
from zpfit.analysis.certify.proof import first_box, level_of, targets_of, tau_of
from zpfit.analysis.certify.quantities import CAESIUM, FLOOR, N_COUPLINGS
from zpfit.analysis.certify.structure import Quarks, Structure
from zpfit.analysis.records import TreeRecord
from zpfit.inference.progress import SILENT, Progress
from zpfit.io.arrays import FloatArray
from zpfit.models.gauge_mixing import BARE_Z_MASS
from zpfit.physics.constants import MUON_MASS
from zpfit.physics.curve_bounds import dump_bounds

_DEPTH: Final = 12
"""Halvings of the mass in one table of bounds."""
_DEEPEST: Final = 24
"""Halvings of the mass in all."""
_AXES: Final = "VANM"
"""Letters of the couplings of a box in a tree."""
_TERMS: Final = " embvistdq"
"""Letters of the terms, by code."""
_WORTH: Final = 0.1
"""Part of a box that a contraction must remove to become a node of the tree."""
_BACK: Final = (1e-3, 0.1)
"""Parts of what a contraction removes that are kept, so that a term excludes it by a margin."""
_STEPS: Final = (0.0, 0.01, 0.04, 0.16)
"""Steps in standard errors below a proved level at which a smaller tree is looked for."""
_WIDENING: Final = 1e-12
"""Relative widening of a box that a term is asked to exclude, for other roundings."""
_MASS_WEIGHT: Final = 6.0
"""Relative width of a coupling that is halved as soon as ln m of this part of it."""


_REPORTED: Final = 500
"""Nodes between reports; some tenths of a second."""


class TreeTooLarge(ArithmeticError):
    """A proof takes more boxes than a certificate should hold."""


def tree_record(
    structure: Structure, sigma: float, most: int = 400_000, progress: Progress = SILENT
) -> TreeRecord:
    """Return the tree of a proof and every number that its check needs.

    Parameters
    ----------
    structure : Structure
        Terms of the data.
    sigma : float
        Level in standard errors that is proved.
    most : int
        Largest number of nodes.
    progress : Progress
        Receives a stage, and the number of nodes with the share of ``most``.

    Raises
    ------
    TreeTooLarge
        There are more nodes, or a box cannot be excluded.
    """
    progress.stage(f"Tree at {sigma:.6g} sigma")
    maker = _Maker(structure, sigma, most)
    tokens = maker.tokens(progress)
    inputs = _inputs(structure, sigma, maker)
    stated = json.dumps(inputs, sort_keys=True).encode()
    record: Any = {
        **inputs,
        "nodes": len(tokens),
        "sha256": hashlib.sha256(stated).hexdigest(),
        "tree": " ".join(tokens),
    }
    return cast("TreeRecord", record)


def tree_below(
    structure: Structure, sigma: float, progress: Progress = SILENT
) -> TreeRecord | None:
    """Return a tree for a proved level, or for one a little below if its tree is too large."""
    for step in _STEPS:
        if sigma - step > 0:
            try:
                return tree_record(structure, sigma - step, progress=progress)
            except TreeTooLarge:
                continue
    return None


def _inputs(structure: Structure, sigma: float, maker: "_Maker") -> dict[str, object]:
    relation = structure.relation
    return {
        "sigma": sigma,
        "mass": list(structure.domain.mass),
        "box": first_box(structure).tolist(),
        "universal_axial": relation.universal_axial,
        "tau": [*relation.tau, relation.tau_slack, relation.tau_mixing],
        "z_mass": BARE_Z_MASS,
        "electron": [[a.value, a.up, a.down] for a in structure.electron],
        "muon": [[a.value, a.up, a.down] for a in structure.muon],
        "products": [[p.kind, *p.target] for p in structure.products],
        "trident": list(structure.trident) if np.isfinite(structure.trident[0]) else None,
        "visible": [curve.tolist() for curve in structure.visible],
        "invisible": [curve.tolist() for curve in structure.invisible],
        "dumps": [[dump.length_ratio, _knots(dump.region)] for dump in structure.dumps],
        "stars": structure.stars,
        "floors": [*structure.floors, structure.contact],
        "quarks": _quarks(structure),
        "rates": [list(recoil.target) for recoil in structure.recoils],
        "blocks": _blocks(structure),
        "coefficients": maker.coefficients,
        "caesium_factors": maker.caesium,
    }


def _quarks(structure: Structure) -> dict[str, Any] | None:
    """Return targets and curves of data on quarks; None if there are none."""
    quarks = structure.quarks
    if quarks == Quarks():
        return None
    ends = {"caesium": quarks.caesium, "proton": quarks.proton}
    curves = {"visible": quarks.visible, "invisible": quarks.invisible}
    return {
        **{name: list(pair) if np.isfinite(pair[0]) else None for name, pair in ends.items()},
        **{name: [curve.tolist() for curve in of_kind] for name, of_kind in curves.items()},
    }


def _knots(region: FloatArray) -> list[list[float | None]]:
    """Return the rows of a region; JSON has no NaN, which marks gaps."""
    return [[float(x) if np.isfinite(x) else None for x in row] for row in region]


def _blocks(structure: Structure) -> list[list[int]]:
    """Return rate and flavour of each block of coefficients."""
    edges = np.array([MUON_MASS, 1.01 * MUON_MASS])
    return [
        [rate, flavour]
        for rate, recoil in enumerate(structure.recoils)
        for flavour, _ in recoil.blocks(edges)
    ]


class _Maker:
    """Depth-first search that writes down what it does."""

    def __init__(self, structure: Structure, sigma: float, most: int) -> None:
        self.coefficients: dict[str, list[float]] = {}
        self.caesium: dict[str, list[float]] = {}
        self._structure, self._most = structure, most
        low, high = structure.domain.mass
        self._log_width = float(np.log(high / low))
        self._cells = lru_cache(maxsize=64)(self._make_cells)
        self._row = lru_cache(maxsize=4096)(self._make_row)
        self._level, self._tau = level_of(structure, sigma), tau_of(structure)
        self._targets = targets_of(structure)

    def tokens(self, progress: Progress) -> list[str]:
        """Return the tree, a node before its parts and the lower part first."""
        found: list[str] = []
        stack = [(first_box(self._structure), 1)]
        while stack:
            if len(found) + len(stack) > self._most:
                raise TreeTooLarge(f"the tree has more than {self._most} nodes")
            box, node = stack.pop()
            token, parts = self._node(box, node)
            found.append(token)
            stack += reversed(parts)
            if len(found) % _REPORTED == 0:
                words = f"{len(found)} nodes; from {self._most} on, the tree is too large"
                progress.update(len(found) / self._most, words)
        return found

    def _make_cells(self, root: int) -> MassCells:
        """Return the bounds below a node of the mass tree."""
        depth = root.bit_length() - 1
        width = self._log_width / (1 << depth)
        low = self._structure.domain.mass[0] * np.exp(width * (root - (1 << depth)))
        return mass_cells(self._structure, low, low * np.exp(width), 1 << _DEPTH)

    def _arguments(self, node: int) -> tuple[int, MassCells]:
        """Return the row of a node in its table, and the table."""
        depth = node.bit_length() - 1
        above = max(0, (depth - 1) // _DEPTH) * _DEPTH
        root = node >> (depth - above)
        row = (1 << (depth - above)) + node - (root << (depth - above))
        return row, self._cells(root)

    def _make_row(self, node: int) -> FloatArray:
        """Return the bounds of a node of the mass tree, shape (1, columns, 2).

        Those of beam dumps are computed for the whole node, as a reader of the tree does. The
        hull of small cells, which the table holds, is narrower.
        """
        row, cells = self._arguments(node)
        table = cells.table[row : row + 1].copy()
        depth = node.bit_length() - 1
        parts = node - (1 << depth) + np.arange(2)
        edges = self._structure.domain.mass[0] * np.exp(self._log_width / (1 << depth) * parts)
        edges *= 1 + _WIDENING * np.array([-1, 1])
        for (column, _), dump in zip(cells.dumps, self._structure.dumps, strict=True):
            for shift, bounds in enumerate(dump_bounds(dump.region, dump.length_ratio, edges)):
                ends = bounds.lower[0], bounds.upper[0]
                table[0, int(column) + shift] = ends
        return table

    def _node(self, box: FloatArray, node: int) -> tuple[str, list[tuple[FloatArray, int]]]:
        """Return the token of a box, and its parts unless it is a leaf."""
        row, cells = self._arguments(node)
        code = self._code(box, node, cells)
        if code >= RATE:
            self._keep_coefficients(node, row, cells)
        if code == QUARKS:
            self.caesium[str(node)] = cells.table[row, CAESIUM].tolist()
        if code:
            return _token(code), []
        axis, point = self._contraction(box, node)
        if axis < 0:
            axis, point = self._halving(box, node)
        if axis == N_COUPLINGS:
            return "/", [(box, 2 * node), (box, 2 * node + 1)]
        lower, upper = box.copy(), box.copy()
        lower[axis, 1] = upper[axis, 0] = point
        return f"{_AXES[axis]}{point!r}", [(lower, node), (upper, node)]

    def _rest(self, cells: MassCells) -> tuple[Any, ...]:
        return self._level, self._tau, cells.products, cells.blocks, self._targets, cells.dumps

    def _code(self, box: FloatArray, node: int, cells: MassCells) -> int:
        wider = box + np.abs(box) * np.array([-_WIDENING, _WIDENING])
        return int(excluding_term(wider, 0, self._row(node), *self._rest(cells)))

    def _contraction(self, box: FloatArray, node: int) -> tuple[int, float]:
        """Return a cut that leaves a part which one term excludes; -1 if there is none."""
        row, cells = self._arguments(node)
        inner = box.copy()
        survives(inner, row, cells.table, *self._rest(cells))
        for axis, end, point in _candidates(box, inner):
            removed = box.copy()
            removed[axis, 1 - end] = point
            if self._code(removed, node, cells):
                return axis, point
        return -1, 0.0

    def _halving(self, box: FloatArray, node: int) -> tuple[int, float]:
        depth = node.bit_length() - 1
        widths = (box[:, 1] - box[:, 0]) / (np.abs(box).max(axis=1) + FLOOR)
        axis = int(np.argmax(widths))
        if depth < _DEEPEST and _MASS_WEIGHT * self._log_width / (1 << depth) > widths[axis]:
            return N_COUPLINGS, 0.0
        if widths[axis] < 1e-9:
            raise TreeTooLarge("a box of the tree cannot be excluded")
        return axis, _short(halving_point(box[axis, 0], box[axis, 1]), *box[axis])

    def _keep_coefficients(self, node: int, row: int, cells: MassCells) -> None:
        columns = [column for start in cells.blocks[:, 2] for column in range(start, start + 5)]
        self.coefficients[str(node)] = cells.table[row, columns].ravel().tolist()


def _token(code: int) -> str:
    if code >= RATE:
        return f"r{code - RATE}"
    if code >= DUMP:
        return f"x{code - DUMP}"
    return f"p{code - PRODUCT}" if code >= PRODUCT else _TERMS[code]


def _candidates(box: FloatArray, inner: FloatArray) -> list[tuple[int, int, float]]:
    """Return axis, end and point of cuts that contraction suggests, the largest first."""
    sizes = box[:, 1] - box[:, 0] + FLOOR * 1e-6
    inside = np.clip(inner, box[:, :1], box[:, 1:])
    removed = np.abs(inside - box) / sizes[:, None]
    found = []
    for index in np.argsort(-removed, axis=None):
        axis, end = divmod(int(index), 2)
        if removed[axis, end] < _WORTH:
            break
        outer, cut = float(box[axis, end]), float(inside[axis, end])
        for share in _BACK:
            point = _short(cut + share * (outer - cut), *sorted((outer, cut)))
            if box[axis, 0] < point < box[axis, 1]:
                found.append((axis, end, point))
    return found


def _short(value: float, low: float, high: float) -> float:
    """Return a number of few digits close to a value, strictly between two ends if possible."""
    for digits in range(4, 17):
        rounded = float(f"{value:.{digits - 1}e}")
        if abs(rounded - value) < 0.01 * min(value - low, high - value):
            return rounded
    return value
