"""Mass cells of proofs: limits that hold in the whole cell, and a search that skips no cell."""

from dataclasses import replace

import numpy as np
import pytest

import zpfit
from zpfit.analysis.certify.mass_cells import mass_cells
from zpfit.analysis.certify.proof import Prover, _finer, _Watch
from zpfit.analysis.certify.quantities import INVISIBLE, NO_LIMIT, VISIBLE
from zpfit.analysis.certify.structure import Anomaly, Domain, structure_of
from zpfit.inference.progress import SILENT, Silent
from zpfit.physics.constants import ELECTRON_MASS
from zpfit.physics.couplings import Couplings
from zpfit.physics.dark_photon_limits import invisible_ratio, prompt_ratio
from zpfit.physics.magnetic_moment import delta_a

LEAVES = 256


@pytest.mark.parametrize("data", ["paper_2021_cs", "today_leptons_cs"])
def test_limits_of_curves_hold_in_the_whole_cell(data):
    """Between 1.5 MeV and 10 GeV: off the curves, across their knots, and with decays to muons.

    The largest couplings that the likelihood allows at a mass must meet the limit of every
    cell around it. Contractors count no decays to muons, so that the limit must leave room.
    """
    rng, structure = np.random.default_rng(1), structure_of(zpfit.load("sm_u1_cs", likelihood=data))
    cells = mass_cells(structure, 1.5, 1e4, LEAVES)
    c, leaf = points_in_cells(cells.edges, 100_000, rng)
    nodes = leaf >> rng.integers(0, LEAVES.bit_length(), len(leaf))
    decays = {
        VISIBLE: (prompt_ratio, structure.visible, c.br_ee),
        INVISIBLE: (invisible_ratio, structure.invisible, c.br_inv),
    }
    assert structure.visible
    for column, (ratio, curves, part) in decays.items():
        over = np.max([ratio(c, curve) for curve in curves] or [np.zeros(len(c))], axis=0)
        share = part / (c.br_ee + c.br_inv)
        with np.errstate(divide="ignore"):
            largest = (c.C_Ve**2 + c.C_Ae**2) * share / over**2
        wanted = np.minimum(largest, NO_LIMIT) * (1 - 1e-9)
        assert np.all(cells.table[nodes, column, 1] >= wanted)


def points_in_cells(edges, n, rng):
    """Random masses and couplings, and the leaves of the masses."""
    mass = np.exp(rng.uniform(*np.log(edges[[0, -1]]), n))
    sizes = 10 ** rng.uniform(-6, -3, (6, n))
    names = ("C_Ve", "C_Ae", "C_nue", "C_numu", "C_Vmu", "C_Amu")
    c = Couplings.of(m_Zp=mass, **dict(zip(names, sizes, strict=True)))
    return c, np.searchsorted(edges, mass) - 1 + LEAVES


@pytest.mark.parametrize("seed", range(50))
def test_every_open_cell_is_searched_on_the_finer_scale(seed):
    rng = np.random.default_rng(seed)
    edges = np.geomspace(1, 100, 4097)
    first = np.sort(rng.choice(4096, rng.integers(1, 17), replace=False))
    if seed % 2:
        first = np.unique(first // 64)
    cells = np.stack([edges[first], edges[first + 1]], axis=1)
    ranges = _finer(cells)
    for low, high in cells:
        assert any(start <= low and high <= end for start, end, _ in ranges)
    for start, end, leaves in ranges:
        assert leaves & (leaves - 1) == 0
        assert np.log(end / start) / leaves < np.log(edges[1] / edges[0]) / 31


SPOTS = (3.0, 8.0, 20.0, 50.0)
"""Masses (MeV) at which a limit almost allows what the moment of the electron needs."""


def structure_with_spots(rooms):
    """C_Ve alone, a moment of the electron, and a curve that leaves room at the spots.

    A room is the largest coupling at a spot over the least that the moment needs within one
    standard error. Elsewhere it is one half.
    """
    structure = structure_of(zpfit.load("sm_u1_cs"))
    knots = np.log([1.0, 100.0])
    masses = np.unique(np.concatenate([np.linspace(*knots, 2000), np.log(SPOTS)]))
    needed = 0.5 * np.log(9e-13 / delta_a(ELECTRON_MASS, np.exp(masses), 1.0, 0.0))
    room = np.full(len(masses), 0.5)
    room[np.searchsorted(masses, np.log(SPOTS))] = rooms
    couplings = np.zeros((4, 2))
    couplings[0] = -1.0, 1.0
    return replace(
        structure,
        domain=Domain((2.0, 90.0), couplings),
        electron=[Anomaly("moment", 1e-12, 1e-13, 1e-13)],
        muon=[], recoils=[], products=[], trident=(-np.inf, np.inf),
        visible=(np.stack([masses, needed + np.log(room)], axis=1),), invisible=(),
        dumps=(), stars=None, floors=(0.0, 0.0, 0.0),
    )  # fmt: skip


TIGHT = 1 - 3e-5


def test_rooms_that_are_too_small_are_excluded_on_the_finer_scale():
    structure = structure_with_spots([TIGHT] * len(SPOTS))
    assert Prover(structure).prove(1.0).proved
    coarse = Prover(structure)._divide(1.0, 2.0, 90.0, 4096, 0, 10**6, _Watch(SILENT, 1.0))
    assert len(coarse.undecided) >= len(SPOTS)


@pytest.mark.parametrize("allowed", range(len(SPOTS)))
def test_a_point_in_any_group_of_masses_is_not_lost(allowed):
    """One spot allows a point; the others look alike until the cells are small."""
    rooms = [TIGHT] * len(SPOTS)
    rooms[allowed] = 1 + 3e-5
    proof = Prover(structure_with_spots(rooms)).prove(1.0)
    assert not proof.proved
    np.testing.assert_allclose(proof.undecided[:, 0], SPOTS[allowed], rtol=1e-3)


def test_a_search_in_small_steps_finds_the_same(monkeypatch):
    """Between two calls no open cell is forgotten."""
    structure = structure_with_spots([TIGHT] * 3 + [1 + 3e-5])
    whole = Prover(structure).prove(1.0)
    monkeypatch.setattr("zpfit.analysis.certify.proof._AT_ONCE", 3)
    steps = Prover(structure).prove(1.0)
    assert not steps.proved
    np.testing.assert_allclose(steps.undecided[:, 0], SPOTS[-1], rtol=1e-3)
    assert steps.boxes == whole.boxes


class Recorded(Silent):
    """Progress that keeps what it is told."""

    def __init__(self):
        self.stages, self.updates = [], []

    def stage(self, title):
        self.stages.append(title)

    def update(self, fraction, note):
        self.updates.append((fraction, note))


@pytest.mark.parametrize("last", [TIGHT, 1 + 3e-5], ids=["excluded", "allowed"])
def test_a_proof_tells_its_phases_its_boxes_and_the_masses_excluded(monkeypatch, last):
    """One of 4096 cells around each spot remains at first, and ends on the finer scale."""
    monkeypatch.setattr("zpfit.analysis.certify.proof._AT_ONCE", 30)
    progress = Recorded()
    prover = Prover(structure_with_spots([TIGHT] * 3 + [last]), progress=progress)
    proof = prover.prove(1.0)
    first, *_, dividing = progress.stages
    assert first == "Enclosing 4096 cells of mass"
    assert dividing == "Dividing at 1 sigma"
    shares = np.array([share for share, _ in progress.updates])
    assert np.all(np.diff(shares) >= -1e-12)
    assert 0 < shares[0] < 0.9
    assert shares[-1] < 1
    for cells in (4, 3, 2) if proof.proved else (4,):
        assert np.min(np.abs(shares - (1 - cells / 4096))) < 1e-9
    boxes = [int(note.split()[0]) for _, note in progress.updates]
    assert boxes == sorted(boxes)
    assert boxes[-1] <= proof.boxes
    progress.stages.clear()
    prover.prove(1.0)
    assert progress.stages == ["Dividing at 1 sigma"]  # bounds are kept


def test_the_boxes_of_all_levels_are_limited():
    structure = structure_with_spots([TIGHT] * len(SPOTS))
    prover = Prover(structure, most_of_all=Prover(structure).prove(1.0).boxes + 10)
    assert prover.prove(1.0).proved
    second = prover.prove(1.0)
    assert second.unfinished
    assert not second.proved
    assert second.boxes <= 10
    assert not prover.prove(0.1).proved
