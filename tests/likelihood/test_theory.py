"""Test measurements with uncertain inputs against closed forms and another minimiser."""

import numpy as np
import pytest
from scipy.optimize import least_squares

from zpfit.errors import InvalidInput
from zpfit.io.library import Library
from zpfit.io.places import packaged_data
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.likelihood.likelihood import Likelihood
from zpfit.likelihood.theory import TheoryTerm, theory_groups
from zpfit.physics.couplings import Couplings
from zpfit.physics.observables import Group, find_observable, observable

WIDTHS = {
    "be8_1815": (("be8_vector", 1.0), ("be8_spins_1815", 1.0)),
    "be8_1764": (("be8_vector", 1.0), ("be8_spins_1764", 1.0)),
    "he4_pairs": (("he4_axial", 1.0),),
}


def term(name, observable, value, error):
    return TheoryTerm(name, find_observable(observable), value, error, WIDTHS[observable])


BERYLLIUM = (
    term("seen", "be8_1815", 6e-6, 1e-6),
    term("limit", "be8_1815", 0.0, 9.4e-6),
    term("other", "be8_1764", 0.0, 1.4e-6),
)
POINTS = Couplings.of(
    m_Zp=[16.9, 17.0, 16.7, 17.2, 18.0],
    C_Ve=2e-4,
    C_Vu=[1e-3, 0.0, -3e-3, 1e-4, 2e-3],
    C_Vd=[1e-3, 0.0, 1e-3, 0.0, 0.0],
    C_Au=[0.0, 2e-5, 1e-4, 3e-4, 0.0],
    C_Ad=[0.0, 1e-5, 2e-5, -1e-4, 1e-5],
)


def least(index, terms):
    """Return the least chi2 at one point from several starts of another minimiser."""
    c, names = POINTS.take([index]), list(dict.fromkeys(n for t in terms for n, _ in t.widths))

    def residuals(z):
        inputs = {name: np.array([value]) for name, value in zip(names, z, strict=True)}
        predicted = [t.observable.function(c, inputs)[0] for t in terms]
        return np.array(
            [(t.value - p) / t.error for t, p in zip(terms, predicted, strict=True)] + [*z]
        )

    starts = [np.full(len(names), start) for start in (-2.0, 0.1)]
    close = {"xtol": 1e-12, "ftol": 1e-14, "gtol": 1e-12}
    return min(2 * least_squares(residuals, z, **close).cost for z in starts)


def test_measurements_share_their_inputs():
    likelihood = Likelihood("beryllium", BERYLLIUM, ())
    found = likelihood.chi2(POINTS)
    expected = [least(i, BERYLLIUM) for i in range(len(POINTS))]
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8)
    by_term = likelihood.chi2_by_term(POINTS)
    np.testing.assert_allclose(sum(by_term.values()), found, rtol=1e-12)
    residuals = likelihood.residuals(POINTS, 1.0)
    np.testing.assert_allclose((residuals**2).sum(axis=1), found, rtol=1e-12)
    assert residuals.shape == (5, 6)  # three pulls and three inputs


def test_pull_of_one_measurement_alone():
    helium = term("he", "he4_pairs", 1.0, 0.33)
    found = helium.pull(POINTS)
    np.testing.assert_allclose(found**2, [least(i, (helium,)) for i in range(5)], rtol=1e-8)
    assert (np.sign(found) == np.sign(1.0 - helium.prediction(POINTS))).all()


def test_points_do_not_depend_on_their_batch():
    likelihood = Likelihood("beryllium", BERYLLIUM, ())
    single = [likelihood.chi2(POINTS.take([i]))[0] for i in range(len(POINTS))]
    np.testing.assert_allclose(likelihood.chi2(POINTS), single, rtol=1e-12)


def test_other_data_are_profiled_too():
    likelihood = Likelihood("beryllium", BERYLLIUM, ())
    new = np.array([3e-6, 1e-6, 2e-6])
    data = np.tile(new, (len(POINTS), 1))
    other = likelihood.with_data(new)
    for one, two in zip(likelihood.pulls(POINTS, data), other.pulls(POINTS), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-9)
    found = (likelihood.residuals(POINTS, 1.0, data) ** 2).sum(axis=1)
    np.testing.assert_allclose(found, other.chi2(POINTS), rtol=1e-9)


def test_groups_share_inputs():
    helium = term("he", "he4_pairs", 1.0, 0.33)
    assert theory_groups([BERYLLIUM[0], helium, BERYLLIUM[2]]) == [[0, 2], [1]]


def test_inputs_need_a_profile():
    with pytest.raises(ValueError, match="both theory and profile"):
        observable(reads=(), group=Group.OTHER, name="lacking", theory=("one",))(lambda c: c.m_Zp)


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
