"""Check the joint sigma of signatures against what physics allows and against ordinary searches."""

from pathlib import Path

import numpy as np
import pytest

import zpfit
from zpfit.analysis.atlas.joint_sigma import joint_sigmas
from zpfit.analysis.atlas.screen import (
    CHARTS,
    Screened,
    ScreenOptions,
    Search,
    find_references,
    screen,
)
from zpfit.analysis.joint_sigma import joint_sigma_or_none
from zpfit.errors import NoAnomalies
from zpfit.io.arrays import FloatArray
from zpfit.io.library import Library
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.likelihood.likelihood import Likelihood
from zpfit.physics.couplings import Couplings

TODAY = "today_leptons_cs"


def data(spec: LikelihoodSpec) -> Likelihood:
    return assemble(spec, Library.beside()).likelihood


def screened(vectors: FloatArray, likelihood: Likelihood) -> Screened:
    options = ScreenOptions(starts=12, kept=1, gain=np.inf)
    return screen(vectors, likelihood, find_references(likelihood), (1, 0), options)


def test_axial_couplings_alone_lower_the_joint_sigma_of_caesium() -> None:
    """Caesium wants a lower moment of the electron, and vector couplings raise it.

    Without axial charges no Z' is the best, for any charges. Right-handed electrons meet both.
    """
    likelihood = data(LikelihoodSpec(set=TODAY))
    vectors = np.array([[1.0, 0, -1, 0, 0], [1, 0, 0, 0, 1], [0, 1, 0, 0, 0]])
    found = joint_sigmas(vectors, likelihood, screened(vectors, likelihood), (1, 0), 12)
    pulls = likelihood.pulls(Couplings.none())
    names = [term.name for term in likelihood.measurements]
    without = max(abs(float(pulls[names.index(term.name)][0])) for term in likelihood.anomalies)
    assert found[:2] == pytest.approx(without, abs=1e-6)
    assert found[2] == pytest.approx(0, abs=0.02)


def test_data_without_an_anomaly_have_none() -> None:
    likelihood = data(LikelihoodSpec(add=("e158_2005",)))
    vectors = np.array([[1.0, 0, -1, 0, 0]])
    with pytest.raises(NoAnomalies):
        joint_sigmas(vectors, likelihood, screened(vectors, likelihood), (1, 0))
    with pytest.raises(NoAnomalies):
        zpfit.atlas(1).signatures("renormalisable").screen(
            zpfit.Likelihood(None, add=("e158_2005",)), joint_sigma=True, progress=False
        )


def test_points_come_back_from_the_cube() -> None:
    vectors = np.array([[1.0, -3, 2, 4, 0]])
    search = Search(vectors, data(LikelihoodSpec(add=("e158_2005",))), ScreenOptions())
    label, chart = np.zeros(CHARTS, dtype=np.intp), np.arange(CHARTS)
    point = [np.full(CHARTS, value) for value in (20.0, 3e-4, -2e-4)]
    found = search.point(search.cube(*point, label, chart), label, chart)
    np.testing.assert_allclose(found, point, rtol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "signature"), [(378, (0, 3, 0, -1, 0)), (4177, (0, 4, 0, -1, 0))]
)
def test_ordinary_searches_agree(number: int, signature: tuple[int, ...], tmp_path: Path) -> None:
    """The exact diagonalisation, one signature at a time, with constrained searches."""
    likelihood = data(LikelihoodSpec(set=TODAY))
    vectors = np.array([signature], dtype=float)
    found = joint_sigmas(vectors, likelihood, screened(vectors, likelihood), (1, 0))
    chosen = zpfit.atlas(4)[number]
    frame = chosen.pairings("zero")
    columns = frame[["N_e", "A_e", "N_mu", "A_mu", "N_tau"]].to_numpy()
    pairing = int(frame.index[(columns == signature).all(axis=1)][0])
    written = chosen.write(tmp_path, "zero", pairing=pairing, likelihood=TODAY)
    posterior = zpfit.load(str(written[0])).posterior
    expected, _ = joint_sigma_or_none(posterior, np.random.default_rng(1))
    assert expected is not None
    assert found[0] == pytest.approx(expected.sigma, abs=0.1)
