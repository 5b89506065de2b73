"""Fits whose best fit lies in a mode that sampling can miss."""

from math import log, pi, sqrt

import numpy as np
import pytest

import zpfit
from zpfit.physics.constants import MUON_MASS
from zpfit.physics.magnetic_moment import delta_a

MASS, VALUE, ERROR = 10.0, 2.51e-9, 5.9e-10
OFFSET = 60.0
"""A constant that keeps chi2 positive; ln Z falls by half of it."""
SPIKE, WIDTH = (0.37, 0.37, 0.37), 1e-3


def spike(a, b, c):
    """Couplings whose chi2 is that of a spike as heavy as the plateau around it."""
    inside = sum(
        -0.5 * ((u - m) / WIDTH) ** 2 - log(WIDTH * sqrt(2 * pi))
        for u, m in zip((a, b, c), SPIKE, strict=True)
    )
    chi2 = OFFSET - 2 * np.logaddexp(inside, 0)
    moment = VALUE + ERROR * np.sqrt(chi2)
    scale = float(delta_a(MUON_MASS, MASS, 1.0, 0.0))
    return {"m_Zp": np.full_like(moment, MASS), "C_Vmu": np.sqrt(moment / scale)}


LOG_Z = log(2) - OFFSET / 2
PROBLEM = {
    "model": spike,
    "likelihood": {"add": ["a_mu_2021"]},
    "priors": {"parameters": {name: {"type": "uniform", "lower": 0, "upper": 1} for name in "abc"}},
    "sampler": {"engine": "vegas", "target_ess": 500},
}


@pytest.mark.slow
def test_the_mode_of_the_best_fit_is_integrated() -> None:
    result = zpfit.fit(PROBLEM)
    assert result.converged
    assert abs(result.log_z - LOG_Z) < 4 * result.log_z_error < 0.02


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let vegas search no peaks, as if the search had failed."""
    monkeypatch.setattr(
        "zpfit.inference.samplers.vegas.add_peaks", lambda task, maps, *_args, **_options: maps
    )


@pytest.mark.usefixtures("blind", "quick_fits")
def test_a_missed_mode_is_reported_with_its_size_and_counts_in_the_error() -> None:
    """A second engine that misses the mode as well agrees, and must not hide it."""
    best = {"points": [dict(zip("abc", SPIKE, strict=True))], "starts": 50}
    dynesty = {"live_points": 50, "tolerance": 0.5}
    result = zpfit.fit(PROBLEM, best_fit=best, dynesty=dynesty, cross_check=True)
    assert abs(result.log_z - LOG_Z + log(2)) < 0.01  # the plateau alone
    assert result.summary["evidence"]["cross_check"]["agrees"]
    assert not result.converged
    [text] = [text for text in result.shortcomings if "samples lack" in text]
    assert "ln Z is 0.68 higher" in text  # within three standard deviations lie 97.1 %
    assert abs(result.log_z - LOG_Z) < 1.1 * result.log_z_error
