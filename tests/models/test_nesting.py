"""Models inside models: embedded points do what the smaller model does."""

import numpy as np
import pytest

from zpfit.inference.search.embedding import embedded_points
from zpfit.models.effective import Effective
from zpfit.models.froggatt_nielsen import FroggattNielsen
from zpfit.models.nhdm_u1 import NHDMOptions, NHiggsDoubletU1
from zpfit.models.sm_u1 import StandardModelU1
from zpfit.physics.couplings import QUARK_NAMES, TABLE
from zpfit.runs.run_file import find_run_file, load_run

SM = {
    "m_Zp": [20.0, 60.0],
    "g_prime": [1e-3, 2e-3],
    "eps_Y": [1e-3, -2e-4],
    "z_H": [0.3, -0.1],
    "z_Le": [0.2, -0.4],
    "z_Lmu": [-0.7, 0.5],
    "z_Ltau": [0.1, 0.0],
}
VALUES = {name: np.array(column) for name, column in SM.items()}
LARGER = [
    FroggattNielsen(),
    NHiggsDoubletU1(),
    NHiggsDoubletU1(NHDMOptions(doublets=3)),
    Effective(),
    Effective().extended(QUARK_NAMES),
    StandardModelU1(),
    StandardModelU1().extended(["z_q"]),
]
LEPTONS = [row.name for row in TABLE if row.fermion in {"e", "mu", "tau"}]
ALL = [*LEPTONS, *QUARK_NAMES]


@pytest.mark.parametrize("larger", LARGER, ids=lambda model: model.name)
def test_an_embedded_point_has_the_same_couplings(larger):
    embedded = larger.embed(StandardModelU1(), VALUES)
    assert embedded is not None
    assert set(embedded) == {parameter.name for parameter in larger.parameters}
    found, expected = larger.couplings(embedded), StandardModelU1().couplings(VALUES)
    for name in LEPTONS if larger.name == "effective" and not larger.added else ALL:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-9, atol=1e-18)


def test_models_that_contain_no_other_say_so():
    assert StandardModelU1().embed(FroggattNielsen(), VALUES) is None
    assert FroggattNielsen().embed(NHiggsDoubletU1(), VALUES) is None


@pytest.mark.parametrize("name", ["nhdm_u1_cs", "froggatt_nielsen_cs", "quickstart"])
def test_embedded_points_of_packaged_runs(name):
    """What a logarithmic prior cannot do is to vanish: it adds couplings of 1e-8 at most."""
    small = load_run(find_run_file("sm_u1_cs")).posterior
    large = load_run(find_run_file(name)).posterior
    u = np.array([[0.6, 0.7, 0.2, 0.9]])
    point = {key: float(value[0]) for key, value in small.parameters(u).items()}
    points = embedded_points(large, small.model, point)
    assert len(points)
    found, expected = large.couplings(points), small.couplings(u)
    for coupling in ("m_Zp", "C_Ve", "C_Ae", "C_nue", "C_Vmu", "C_Amu", "C_numu"):
        np.testing.assert_allclose(found[coupling], expected[coupling][0], rtol=1e-7, atol=2e-8)


def test_whole_numbers_contain_no_continuous_charges():
    small = load_run(find_run_file("sm_u1_cs")).posterior
    integers = load_run(find_run_file("froggatt_nielsen_integers_rb")).posterior
    point = dict.fromkeys(SM, 0.5)
    assert len(embedded_points(integers, small.model, point)) == 0
