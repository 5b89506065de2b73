"""Compare exclusion maps with profiled parameters with closed forms."""

import numpy as np
import pytest
import shapely
from drawn_planes import C_AE, MASS, Drawn, drawn, limit, loop, off, profiled_coarsely
from numpy.testing import assert_allclose
from paper_by_hand import excesses, least, moments

from zpfit.analysis.exclusion.tracing import SQUARE

# Profiles


def test_profile_over_a_coupling_that_undoes_an_exclusion():
    """Visible searches do not exclude a Z' that decays to neutrinos."""
    profiled = profiled_coarsely("kloe_2015", profile=["C_nue"])
    assert profiled.region("kloe_2015").region.is_empty
    assert profiled.traced.allowed.equals(SQUARE)


def test_profile_over_a_coupling_that_does_not_matter_is_the_slice():
    profiled = profiled_coarsely("kloe_2015", profile=["C_Vmu"])
    expected = drawn("kloe_2015").region("kloe_2015").region
    assert profiled.region("kloe_2015").region.symmetric_difference(expected).area < 1e-4


@pytest.mark.slow
def test_profile_over_the_vector_coupling():
    """C_Ve compensates an a_e that C_Ae lowers too much, up to the limit of KLOE."""
    heavy = MASS | {"lower": 25}
    profiled = profiled_coarsely("a_e_cs_2018", "kloe_2015", x=heavy, profile=["C_Ve"])
    low, high = (-8.7e-13 + side * 2 * 3.6e-13 for side in (-1, 1))

    m, c = profiled.edge("a_e_cs_2018")
    assert_allclose(c, np.sqrt(-high / loop(m)[1]), rtol=1e-3)

    m, c = profiled.edge("kloe_2015")
    assert_allclose(c, limit("kloe_2015", m), rtol=1e-3)

    m, c = profiled.edge("allowed")
    vector, axial = loop(m)
    weakest = np.sqrt(-high / axial)
    kloe = limit("kloe_2015", m)
    together = np.sqrt((kloe**2 - low / vector) / (1 + axial / vector))
    strongest = np.minimum(together, kloe)
    assert off(c, weakest, strongest).max() < 2e-3
    assert (off(c, strongest) < 2e-3).sum() > 20

    joint = profiled.region("all at once")
    assert joint.kind == "joint"
    m = np.linspace(26, 49, 30)
    vector, axial = loop(m)
    kloe = limit("kloe_2015", m)
    strongest = np.sqrt((kloe**2 - low / vector) / (1 + axial / vector))
    weakest = np.sqrt(-high / axial)
    between = np.maximum(strongest, weakest) < 0.98 * kloe  # each alone, but not both
    assert between.sum() > 10
    for c, expected in ((np.sqrt(strongest * kloe), True), (1.02 * kloe, False)):
        u = np.stack([(m - 25) / 25, np.log(c / 5e-5) / np.log(20)], axis=1)[between]
        assert (shapely.contains(joint.region, shapely.points(u)) == expected).all()


def test_without_profile_there_is_no_joint_exclusion(fig2a: Drawn):
    assert "joint" not in {region.kind for region in fig2a.traced.regions}


def beyond_two_sigma(m, ae, ve, nue) -> list[np.ndarray]:
    """Return the excess over each constraint of the paper's data except a_mu; positive is
    excluded."""
    low, high = (-8.7e-13 + side * 2 * 3.6e-13 for side in (-1, 1))
    zero = 0 * ae
    found = excesses("envelope", zero + m, ve, ae, nue, zero, zero, zero)
    *exact, texono, borexino, charm, charm_bar, ccfr = found
    e, _ = moments(zero + m, ve, ae, zero, zero)
    # excesses() applies one standard error to Borexino and CHARM-II; this test applies two.
    within_two = [texono, borexino - 1, charm - 1, charm_bar - 1, ccfr]
    return [*exact, *within_two, (low - e) / 1e-13, (e - high) / 1e-13]


def least_axial(m: float) -> tuple[float, float, float]:
    """Return the smallest C_Ae that meets these data at a mass, with its C_Ve and C_nue."""

    def scaled(ae, ve, nue):
        return ae * 1e-4, ve * 1e-4, nue * 1e-5

    box = [(0.6, 1.2), (-1.2, 1.2), (-5, 5)]
    _, x = least(lambda ae, ve, nue: ae, lambda *x: beyond_two_sigma(m, *scaled(*x)), box)
    return scaled(*x)


@pytest.mark.slow
def test_profile_that_ends_where_what_is_allowed_shrinks_to_a_corner():
    """Several limits meet at the corner; descents from a few random starts would miss the allowed
    part."""
    profiled = drawn(
        likelihood={"set": "paper_2021_cs", "drop": ["a_mu_2021"]},
        x=MASS | {"lower": 18, "upper": 28},
        y=C_AE | {"lower": 7e-5, "upper": 2e-4},
        profile=["C_Ve", "C_nue"],
    )
    plane, allowed = profiled.chosen.plane, profiled.traced.allowed
    for m in (21.0, 22.5, 23.7):
        least_ae, ve, nue = least_axial(m)
        assert all(excess <= 0 for excess in beyond_two_sigma(m, np.array(least_ae), ve, nue))
        x = (m - plane.x.lower) / (plane.x.upper - plane.x.lower)
        column = shapely.LineString([(x, 0), (x, 1)]).intersection(allowed)
        found = plane.y.values(np.array(column.bounds[1]))
        assert found == pytest.approx(least_ae, rel=5e-3)
