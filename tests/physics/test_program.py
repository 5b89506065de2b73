"""Recorded formulas give what the formulas give, and leave out what has no effect."""

import numpy as np
import pytest

from zpfit.physics.program import Plan, Program
from zpfit.physics.tracing import Trace, Traced, Untraceable
from zpfit.runs.run_file import load_single_model


def outputs(program: Program, *rows: list[float]) -> list[list[float]]:
    return program(np.array(rows)).outputs.tolist()


def test_a_product_with_zeros_is_known_before_the_points():
    product = Trace().input() * np.zeros(1)
    assert isinstance(product, np.ndarray)
    assert product.tolist() == [0.0]


def test_zeros_in_a_product_in_place_and_in_a_sum():
    def plan(x: Traced) -> Plan:
        changed = x + 0.0
        changed *= np.zeros(1)
        return Plan([], [changed, x * 0.0 + 2.0, x + np.zeros(1)])

    assert outputs(Program(1, plan), [3.0, 4.0]) == [[0.0, 0.0], [2.0, 2.0], [3.0, 4.0]]


def test_points_are_dropped_stage_by_stage():
    """A ratio of exactly 1 is allowed; a NaN drops no point and is reported."""
    program = Program(2, lambda x, y: Plan([x, y], [x + y]))
    results = program(np.array([[1.0, 1.5, 0.5, 0.0], [1.0, 0.0, 2.0, 0.5]]))
    assert results.points.tolist() == [0, 3]
    assert results.outputs.tolist() == [[2.0, 0.5]]
    assert not results.undefined
    assert program(np.array([[np.nan, 0.0], [0.0, 0.0]])).undefined


@pytest.mark.parametrize("fraction", [0.0, 0.05, 0.4, 1.0])
def test_outputs_that_wait_for_more_points_stay_with_their_points(fraction: float):
    """Truth values, and numbers that take their place in a later stage, are used behind it."""

    def plan(x: Traced, y: Traced) -> Plan:
        large = x > 0.5
        total, product, sum_ = np.hypot(x, y), x * y, x + y
        ratio = np.where(x > 2.0, x, y / fraction if fraction else y + 2.0)
        stages = [ratio, total - 3.0, product - 3.0, sum_ - 3.0]
        return Plan(stages, [np.where(large, total, y), total, product, sum_])

    x, y = np.random.default_rng(4).random((2, 3000))
    results = Program(2, plan)(np.array([x, y]))
    left = np.flatnonzero((y <= fraction) & (fraction > 0))
    assert results.points.tolist() == left.tolist()
    total = np.hypot(x, y)[left]
    expected = [np.where(x[left] > 0.5, total, y[left]), total, (x * y)[left], (x + y)[left]]
    np.testing.assert_array_equal(results.outputs, expected)


def test_a_decision_by_values_cannot_be_recorded():
    with pytest.raises(Untraceable, match="a decision by values"):
        Program(1, lambda x: Plan([], [x if x > 1 else -x]))


@pytest.mark.parametrize(("eps", "vanishes"), [(0.0, True), (1e-3, False)])
def test_couplings_that_no_charge_and_no_mixing_give_are_known_to_vanish(
    eps: float, *, vanishes: bool
):
    """Muons and taus are charged under L_mu - L_tau, quarks and electrons by mixing alone."""
    _, model = load_single_model("L_mu-L_tau")
    trace = Trace()
    values = {"m_Zp": trace.input(), "g_prime": trace.input(), "eps": np.array([eps])}
    c = model.couplings(values)
    assert c.vanish("C_Vu", "C_Vd", "C_Ve", "C_Vb") is vanishes
    assert c.vanish("C_nue", "C_Ad", "C_Amu") is vanishes
    assert not c.vanish("C_Vmu")
    at_points = model.couplings(
        {"m_Zp": np.array([17.0]), "g_prime": np.array([1e-3]), "eps": np.array([eps])}
    )
    assert bool(at_points.C_Vu[0] == 0) is vanishes
