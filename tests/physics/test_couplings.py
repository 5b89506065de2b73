"""Test the table of couplings, and the batches made from it."""

import pickle

import numpy as np
import pytest

from zpfit.physics.couplings import COUPLING_NAMES, QUARKS, TABLE, Couplings, LaterRows

N = 50
RNG = np.random.default_rng(1)
ROWS = {name: RNG.uniform(1, 2, N) for name in COUPLING_NAMES}


def test_annotations_name_every_row_of_the_table():
    annotated = [name for name in Couplings.__annotations__ if not name.startswith("_")]
    assert annotated == list(COUPLING_NAMES)


def test_rows_are_found_by_attribute_name_and_order():
    c = Couplings.of(**ROWS)
    assert list(c.items()) == list(zip(COUPLING_NAMES, c.rows(), strict=True))
    for name in COUPLING_NAMES:
        assert getattr(c, name) is c[name]
        np.testing.assert_array_equal(c[name], ROWS[name])
    with pytest.raises(KeyError):
        c["log_m"]


def test_absent_couplings_share_one_zero_without_memory():
    c = Couplings.of(m_Zp=np.full(N, 17.0), C_Ve=1e-4)
    assert c.C_Ae is c.C_nutau
    assert c.C_Ae.strides == (0,)
    np.testing.assert_array_equal(c.C_Ae, np.zeros(N))
    assert c.C_Ve.shape == (N,)
    part = c.take(np.array([3, 1, 4]))
    assert part.C_Ae.shape == (3,)
    assert part.C_Ae.strides == (0,)


def test_taking_points_keeps_their_order_and_logarithms():
    c = Couplings.of(**ROWS)
    where = np.array([5, 2, 2])
    late = c.take(where)
    assert "log_m" not in late.__dict__
    c.log_m  # noqa: B018
    early = c.take(where)
    assert "log_m" in early.__dict__
    np.testing.assert_array_equal(early.log_m, late.log_m)
    np.testing.assert_array_equal(early.C_Vtau, ROWS["C_Vtau"][where])


def test_couplings_are_checked_and_read_only():
    with pytest.raises(TypeError, match="m_Zp"):
        Couplings.of(C_Ve=1e-4)
    with pytest.raises(TypeError, match="C_Vx"):
        Couplings.of(m_Zp=17.0, C_Vx=1e-4)
    with pytest.raises(TypeError, match="missing 8"):
        Couplings(np.ones(1), np.ones(1))
    with pytest.raises(TypeError, match="too many"):
        Couplings(*[np.ones(1)] * (len(COUPLING_NAMES) + 1))
    with pytest.raises(ValueError, match="broadcast"):
        Couplings.of(m_Zp=[1.0, 2.0], C_Ve=[1.0, 2.0, 3.0])
    with pytest.raises(AttributeError, match="read-only"):
        Couplings.none().C_Ve = np.ones(1)


def test_couplings_can_be_sent_to_workers():
    c = Couplings.of(m_Zp=[17.0, 20.0], C_Ve=1e-4)
    copy = pickle.loads(pickle.dumps(c))  # noqa: S301 - of this test
    for name in COUPLING_NAMES:
        np.testing.assert_array_equal(copy[name], c[name])


def test_without_a_zprime_every_coupling_vanishes():
    c = Couplings.none()
    assert len(c) == 1
    assert not any(row.any() for name, row in c.items() if name != "m_Zp")


def test_widths_give_the_branching_ratios():
    mass = np.geomspace(0.1, 5000, N)
    c = Couplings.of(**(ROWS | {"m_Zp": mass}))
    widths = c.widths
    total = widths.e + widths.mu + widths.tau + widths.nu + widths.hadrons + widths.dark
    np.testing.assert_allclose(widths.total, total, rtol=1e-15)
    np.testing.assert_allclose(widths.dark * mass / (12 * np.pi), ROWS["width_dark"], rtol=1e-15)
    np.testing.assert_array_equal(c.br_ee, widths.e / widths.total)
    np.testing.assert_array_equal(c.br_mumu, widths.mu / widths.total)
    np.testing.assert_array_equal(c.br_inv, (widths.nu + widths.dark) / widths.total)


def test_plain_numbers_have_widths_and_ratios():
    batch = Couplings.of(m_Zp=300.0, C_Ve=1e-4, C_Vmu=1e-4, C_nue=1e-4)
    single = Couplings(**{name: float(row[0]) for name, row in batch.items()})
    assert single.br_ee == batch.br_ee[0]
    assert single.widths.total == batch.widths.total[0]


def test_the_table_names_the_leptons_before_the_quarks():
    leptons, quarks = TABLE[1:10], TABLE[10:20]
    kinds = {(row.fermion, row.kind) for row in leptons}
    assert kinds == {(f, k) for f in ("e", "mu", "tau") for k in ("vector", "axial", "neutrino")}
    assert {(row.fermion, row.kind) for row in quarks} == {
        (f, k) for f in QUARKS for k in ("vector", "axial")
    }
    assert [row.name for row in TABLE if row.unit] == ["m_Zp", "width_dark"]


def later_rows(charge, slope):
    return {"C_Vu": charge * slope, "C_Vd": charge + slope}


def late_couplings():
    charge = np.linspace(1e-5, 1e-4, N)
    later = LaterRows(("C_Vu", "C_Vd"), later_rows, charge, 2.0)
    rows = {"m_Zp": np.full(N, 17.0), "C_Ve": np.full(N, 1e-4)}
    return Couplings.deferring(later, **rows), charge


def test_later_rows_are_computed_together_when_one_is_read():
    c, charge = late_couplings()
    assert c.gives("C_Vd")
    assert [name for name, _ in c.computed()] == ["m_Zp", "C_Ve"]
    part = c.take(np.array([7, 3])).take(slice(1, 2))
    assert part.gives("C_Vd")
    np.testing.assert_array_equal(part.C_Vd, charge[[3]] + 2)
    assert set(dict(part.computed())) == {"m_Zp", "C_Ve", "C_Vu", "C_Vd"}
    assert [name for name, _ in c.computed()] == ["m_Zp", "C_Ve"]
    np.testing.assert_array_equal(dict(c.items())["C_Vu"], 2 * charge)
    assert c.C_Au.strides == (0,)
    with pytest.raises(AttributeError, match="no width"):
        c.width  # noqa: B018


def test_later_rows_can_be_sent_to_workers():
    c, _ = late_couplings()
    copy = pickle.loads(pickle.dumps(c))  # noqa: S301 - of this test
    for name in COUPLING_NAMES:
        np.testing.assert_array_equal(copy[name], c[name])
    assert copy.gives("C_Vu")


def test_widths_of_light_bosons_do_not_compute_later_rows():
    c, _ = late_couplings()
    assert not c.widths.hadrons.any()
    assert "C_Vu" not in dict(c.computed())
