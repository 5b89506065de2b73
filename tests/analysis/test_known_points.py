"""Searches for joint sigmas that begin with points of other data, beside closed forms."""

from functools import partial
from math import sqrt

import numpy as np
import pytest
from helpers_samplers import first_fast
from test_compare import X, Y, plane

from zpfit.analysis.joint_sigma import joint_sigma, joint_sigma_or_none
from zpfit.likelihood.measurements import GaussianTerm
from zpfit.runs.run_file import find_run_file, load_run
from zpfit.studies.epochs.numbers import VARIANTS, varied_joint_sigma

RADIUS = 0.3
FAR = (GaussianTerm("x", X, 1.0, 0.1), GaussianTerm("y", Y, 1.0, 0.1))


def disc(c, radius=RADIUS):
    """Return the ratio of an exclusion that allows a disc around (0.5, 0.5)."""
    return ((c.C_Ve - 0.5) ** 2 + (c.C_Vmu - 0.5) ** 2) / radius**2


def with_a_smaller_disc(c):
    """Allow a second disc, of radius 0.1 around (0.9, 0.9), beside the first one."""
    return np.minimum(disc(c), ((c.C_Ve - 0.9) ** 2 + (c.C_Vmu - 0.9) ** 2) / 0.1**2)


def reached(posterior, known, seed):
    found, notes = joint_sigma_or_none(posterior, np.random.default_rng(seed), known=known)
    assert not notes
    return found.sigma


@pytest.mark.parametrize("seed", first_fast(*range(1, 7)))
@pytest.mark.parametrize("before", [0.2, 0.6])
def test_edge_that_other_data_have_moved(before, seed):
    """The end of a search in another disc is inside this one, or excluded, but leads to its edge.

    From within the disc x = y = 1 +- 0.1 is (0.5 - r/sqrt2)/0.1 errors off.
    """
    posterior = plane(FAR, partial(disc, radius=before))
    known = joint_sigma(posterior, np.random.default_rng(seed)).u[None]
    expected = (0.5 - RADIUS / sqrt(2)) / 0.1
    assert reached(plane(FAR, disc), known, seed) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("seed", first_fast(*range(1, 7)))
def test_another_region_that_is_better_than_the_known_one(seed):
    """Random starts find the disc whose points are closest, (0.1 - 0.1/sqrt2)/0.1 errors off."""
    known = joint_sigma(plane(FAR, disc), np.random.default_rng(seed)).u[None]
    expected = (0.1 - 0.1 / sqrt(2)) / 0.1
    found = reached(plane(FAR, with_a_smaller_disc), known, seed)
    assert found == pytest.approx(expected, abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.words)
def test_other_readings_have_the_joint_sigmas_of_searches_that_begin_with_nothing(variant):
    name = "froggatt_nielsen_today_cs"
    run = load_run(find_run_file(name))
    posterior, limits = run.posterior, run.settings.joint_sigma
    known = joint_sigma(posterior, np.random.default_rng(1), limits)
    at = {n: float(v[0]) for n, v in posterior.parameters(known.u[None]).items()}
    changes = variant.changes("today_cs")
    alone = load_run(find_run_file(name), changes).posterior
    searched = min(joint_sigma(alone, np.random.default_rng(s), limits).sigma for s in (2, 3))
    assert varied_joint_sigma(name, changes, at) == pytest.approx(searched, abs=1e-3)
