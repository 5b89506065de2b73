"""Test measurements with uncertain inputs against closed forms and another minimiser."""

import numpy as np
import pytest
from scipy.optimize import minimize

from zpfit.errors import InvalidInput
from zpfit.io.library import Library
from zpfit.io.places import packaged_data
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.likelihood.likelihood import Likelihood
from zpfit.likelihood.theory import TheoryTerm, theory_groups
from zpfit.physics.couplings import Couplings
from zpfit.physics.observables import Group, Observable


def shifted(c, deviations=None):
    """A prediction that an input shifts linearly, by half a unit per standard error."""
    z = 0.0 if deviations is None else deviations.get("shift", 0.0)
    return c.C_Ve + 0.5 * z


def squared(c, deviations=None):
    """A prediction that is even in an amplitude, which two inputs move."""
    deviations = deviations or {}
    amplitude = c.C_Ae + 0.3 * deviations.get("shift", 0.0) + 0.2 * deviations.get("own", 0.0)
    return amplitude**2


LINEAR = TheoryTerm(
    "linear", Observable("shifted", shifted, Group.OTHER, theory=("shift",)), 2.0, 0.4,
    (("shift", 1.0),),
)  # fmt: skip
SQUARE = TheoryTerm(
    "square", Observable("squared", squared, Group.OTHER, theory=("shift", "own")), 0.8, 0.1,
    (("shift", 1.0), ("own", 1.0)),
)  # fmt: skip
POINTS = Couplings.of(m_Zp=17.0, C_Ve=[0.0, 1.0, 5.0, -3.0, 2.0], C_Ae=[0.5, 0.9, 0.01, 1.5, 30.0])


def test_a_linear_input_widens_the_error():
    """chi2 = (x - d)^2/(error^2 + shift^2), the closed form of a Gaussian nuisance."""
    expected = (POINTS.C_Ve - 2.0) ** 2 / (0.4**2 + 0.5**2)
    np.testing.assert_allclose(LINEAR.chi2(POINTS), expected, rtol=1e-9, atol=1e-15)
    signs = np.sign(LINEAR.pull(POINTS))[:4]
    np.testing.assert_array_equal(signs, np.sign(2.0 - POINTS.C_Ve)[:4])


def least(v, a, terms):
    """Return the least chi2 at one point from many starts of another minimiser."""

    def chi2(z):
        inputs = {"shift": z[0], "own": z[1]}
        c = Couplings.of(m_Zp=17.0, C_Ve=v, C_Ae=a)
        pulls = [(t.value - t.observable.function(c, inputs)[0]) / t.error for t in terms]
        return sum(p**2 for p in pulls) + z[0] ** 2 + z[1] ** 2

    starts = [(x, y) for x in (-8, -2, 0.5, 2, 8) for y in (-8, 0.5, 8)]
    options = {"xatol": 1e-10, "fatol": 1e-13, "maxiter": 4000}
    return min(minimize(chi2, z, method="Nelder-Mead", options=options).fun for z in starts)


def test_measurements_share_their_inputs():
    likelihood = Likelihood("both", (LINEAR, SQUARE), ())
    found = likelihood.chi2(POINTS)
    points = zip(POINTS.C_Ve[:4], POINTS.C_Ae[:4], strict=True)
    expected = [least(v, a, (LINEAR, SQUARE)) for v, a in points]
    np.testing.assert_allclose(found[:4], expected, rtol=1e-6)
    by_term = likelihood.chi2_by_term(POINTS)
    np.testing.assert_allclose(by_term["linear"] + by_term["square"], found, rtol=1e-12)
    residuals = likelihood.residuals(POINTS, 1.0)
    np.testing.assert_allclose((residuals**2).sum(axis=1), found, rtol=1e-12)
    assert residuals.shape == (5, 4)  # two pulls and two inputs


def test_points_do_not_depend_on_their_batch():
    likelihood = Likelihood("both", (LINEAR, SQUARE), ())
    single = [likelihood.chi2(POINTS.take([i]))[0] for i in range(len(POINTS))]
    np.testing.assert_allclose(likelihood.chi2(POINTS), single, rtol=1e-9)


def test_other_data_are_profiled_too():
    likelihood = Likelihood("both", (LINEAR, SQUARE), ())
    data = np.tile([1.0, 0.5], (len(POINTS), 1))
    other = likelihood.with_data(np.array([1.0, 0.5]))
    for one, two in zip(likelihood.pulls(POINTS, data), other.pulls(POINTS), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-9)
    found = (likelihood.residuals(POINTS, 1.0, data) ** 2).sum(axis=1)
    np.testing.assert_allclose(found, other.chi2(POINTS), rtol=1e-9)


def test_groups_share_inputs():
    third = TheoryTerm("third", LINEAR.observable, 1.0, 1.0, (("other", 1.0),))
    assert theory_groups([LINEAR, third, SQUARE]) == [[0, 2], [1]]


LIBRARY = Library((packaged_data(),))


def test_a_width_of_zero_fixes_an_input():
    names = ("be8_vector", "be8_spins_1815", "be8_spins_1764")
    spec = LikelihoodSpec(add=("be8_1815_2018", "meg2_1764_2024"))
    free = assemble(spec, LIBRARY).likelihood
    fixed = assemble(spec.model_copy(update={"nuisances": dict.fromkeys(names, 0.0)}), LIBRARY)
    c = Couplings.of(m_Zp=17.0, C_Ve=2e-4, C_Au=[1e-5, 4e-5], C_Ad=1e-5)
    plain = [t.value - t.observable.function(c) for t in fixed.likelihood.measurements]
    errors = [t.error for t in fixed.likelihood.measurements]
    expected = sum((p / e) ** 2 for p, e in zip(plain, errors, strict=True))
    np.testing.assert_allclose(fixed.likelihood.chi2(c), expected, rtol=1e-12)
    assert (free.chi2(c) < fixed.likelihood.chi2(c)).all()


def test_unknown_inputs_are_refused():
    spec = LikelihoodSpec(add=("be8_1815_2018",), nuisances={"be8_vectr": 0.0})
    with pytest.raises(InvalidInput, match="be8_vector"):
        assemble(spec, LIBRARY)
