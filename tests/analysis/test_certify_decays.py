"""Limits on decays in proofs: beam dumps, and the sum of visible and invisible ones."""

import numpy as np
import pytest

import zpfit
from zpfit.analysis.certify.contractors import survives
from zpfit.analysis.certify.decays import dump_that_fails, limit_of_both
from zpfit.analysis.certify.mass_cells import mass_cells
from zpfit.analysis.certify.proof import level_of, targets_of, tau_of
from zpfit.analysis.certify.quantities import INVISIBLE, NO_LIMIT, STARS, VISIBLE
from zpfit.analysis.certify.structure import structure_of
from zpfit.physics.couplings import Couplings
from zpfit.physics.dark_photon_limits import dump_ratio

LEAVES = 4096


@pytest.fixture(scope="module")
def structure():
    return structure_of(zpfit.load("nhdm_u1_forecast"))


@pytest.fixture(scope="module")
def cells(structure):
    return mass_cells(structure, 1.0, 100.0, LEAVES)


def points(structure, n, seed):
    """Couplings where dumps see decays; C_nutau as the proof has it."""
    rng = np.random.default_rng(seed)
    v, a, nue, numu = 10 ** rng.uniform(-7, -4, (4, n)) * rng.choice([-1, 1], (4, n))
    third = np.array(structure.relation.tau) @ np.array([v, a, nue, numu])
    c = Couplings.of(
        m_Zp=np.exp(rng.uniform(np.log(1.6), np.log(25), n)),
        C_Ve=v, C_Ae=a, C_nue=nue, C_numu=numu, C_nutau=third,
    )  # fmt: skip
    return c, np.stack([v, a, nue, numu], axis=1), rng


def test_no_allowed_point_is_cut_by_a_dump_and_excluded_ones_are(structure, cells):
    c, rows, rng = points(structure, 20_000, 1)
    ratios = np.array([dump_ratio(c, d.region, d.length_ratio) for d in structure.dumps])
    leaf = np.searchsorted(cells.edges, c.m_Zp) - 1 + LEAVES
    nodes = leaf >> rng.integers(0, 4, len(leaf))
    reach = np.abs(rows) * 10 ** rng.uniform(-9, 0, (len(leaf), 1))
    tau = tau_of(structure)
    cut = [
        dump_that_fails(
            np.stack([rows[i] - reach[i], rows[i] + reach[i]], axis=1),
            cells.table, nodes[i], tau, cells.dumps,
        )
        for i in range(len(leaf))
    ]  # fmt: skip
    largest = ratios.max(axis=0)
    found = np.array(cut) >= 0
    assert len(structure.dumps) == 7
    assert not found[largest <= 1].any()
    narrow = (reach.max(axis=1) < 1e-6) & (nodes == leaf)
    clear = narrow & (largest > 1.5)
    assert clear.sum() > 100
    assert found[clear].mean() > 0.95  # the others lie in cells with a tip or an end


@pytest.mark.parametrize("column", [0, 1])
def test_wrong_bounds_of_a_dump_are_noticed(structure, cells, column):
    """Five per cent of error in either factor cuts points that the likelihood allows."""
    dump, tau = structure.dumps[0], tau_of(structure)
    c, rows, _ = points(structure, 50_000, 2)
    ratio = dump_ratio(c, dump.region, dump.length_ratio)
    close = (ratio > 0.95) & (ratio <= 1)
    leaf = np.searchsorted(cells.edges, c.m_Zp) - 1 + LEAVES

    def cuts(table):
        boxes = np.repeat(rows[:, :, None], 2, axis=2)
        return any(
            dump_that_fails(boxes[i], table, leaf[i], tau, cells.dumps[:1]) >= 0
            for i in np.flatnonzero(close)
        )

    wrong = cells.table.copy()
    wrong[:, int(cells.dumps[0, 0]) + column] *= 1.05 if column == 0 else 0.95
    assert close.sum() > 20
    assert not cuts(cells.table)
    assert cuts(wrong)


@pytest.mark.parametrize("factor", [0.99, 1.01])
def test_electrons_are_limited_by_the_sum_of_both_limits(structure, cells, factor):
    """With P = C_Ae^2 above the sum, no couplings to neutrinos help; below it, some do."""
    table = cells.table.copy()
    table[:, STARS, 1] = NO_LIMIT
    node = np.searchsorted(cells.edges, 60.0) - 1 + LEAVES
    both = cells.table[node, [VISIBLE, INVISIBLE], 1]
    assert limit_of_both(cells.table, node) == pytest.approx(both.sum(), rel=1e-12)
    a = np.sqrt(factor * both.sum())
    box = np.array([[-1e-12, 1e-12], [a, a * (1 + 1e-12)], [-1.0, 1.0], [-1.0, 1.0]])
    level = level_of(structure, 1e6)
    kept = survives(
        box, node, table, level, np.zeros(4), cells.products[:0], cells.blocks[:0],
        targets_of(structure)[:0], cells.dumps[:0],
    )  # fmt: skip
    assert kept == (factor < 1)


def test_below_the_threshold_for_electrons_the_limits_do_not_add_up(cells):
    """A Z' of 1.01 MeV without couplings to neutrinos does not decay at all."""
    node = np.searchsorted(cells.edges, 1.01) - 1 + LEAVES
    assert limit_of_both(cells.table, node) == NO_LIMIT
