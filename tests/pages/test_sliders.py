"""Sliders have the scale of a prior or of a domain."""

import numpy as np
import pytest

from zpfit.inference.priors import Fixed, Fractions, LogUniform, Normal, SignedLogUniform, Uniform
from zpfit.models.base import Parameter
from zpfit.models.gauge import SINGLET
from zpfit.pages.explore.sliders import Slider, slider


def parameter(low=-1.0, high=1.0, name="p"):
    return Parameter(name, name, domain=(low, high))


@pytest.mark.parametrize(
    "prior",
    [
        Uniform(lower=-1, upper=1),
        LogUniform(lower=1e-3, upper=1),
        SignedLogUniform(lower=1e-8, upper=0.1),
        Fractions(largest=1, denominator=2),
    ],
)
def test_a_slider_has_the_scale_of_its_prior(prior):
    assert slider(parameter(), prior).scale == prior


def test_a_normal_prior_becomes_a_range_within_the_domain():
    chosen = slider(parameter(-10, 10), Normal(mean=1, sd=0.5)).scale
    assert chosen == Uniform(lower=-1, upper=3)
    assert isinstance(slider(parameter(), Normal(mean=0, sd=1)).scale, SignedLogUniform)


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ((-1e4, 1e4), SignedLogUniform(lower=1e-8, upper=100)),
        ((0, 12), LogUniform(lower=1e-8, upper=12)),
        ((-2, -1), Uniform(lower=-2, upper=-1)),
    ],
)
def test_what_is_fixed_moves_through_its_domain(domain, expected):
    for prior in (None, Fixed(value=domain[1])):
        assert slider(parameter(*domain), prior).scale == expected


def test_the_singlet_reaches_masses_of_searches():
    low, high = slider(SINGLET, None).scale.support()
    assert low * 1e-1 <= 100
    assert high * 1e-8 >= 1


def test_whole_numbers_are_nodes_of_their_own():
    steps = Slider(parameter(-10, 10), Fractions(largest=10))
    np.testing.assert_array_equal(steps.values(steps.nodes(60)), np.arange(-10, 11))
    assert len(set(steps.values(steps.nodes(7)))) == 7
