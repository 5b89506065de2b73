"""Check the limits on what chance gives the best of many signatures."""

import numpy as np
import pytest

from zpfit.analysis.atlas.look_elsewhere import gain_of, look_elsewhere, sigma_of


@pytest.mark.parametrize(("signatures", "measurements"), [(5, 40), (2000, 4)])
def test_both_limits_lie_above_the_frequency_in_toys(signatures: int, measurements: int) -> None:
    """Signatures are random planes of three dimensions, in which the fit projects the data."""
    rng = np.random.default_rng(1)
    data = rng.standard_normal((2000, measurements))
    best = np.zeros(len(data))
    for _ in range(signatures):
        plane, _ = np.linalg.qr(rng.standard_normal((measurements, 3)))
        best = np.maximum(best, ((data @ plane) ** 2).sum(axis=1))
    for gain in (8.0, 12.0):
        found = look_elsewhere(gain, signatures, measurements)
        frequency = np.mean(best >= gain)
        assert frequency <= found.probability + 3 * np.sqrt(found.probability / len(data))
        assert found.local <= found.probability
    assert found.probability == (found.by_signatures if signatures == 5 else found.by_data)


def test_sigmas_are_two_sided() -> None:
    assert sigma_of(0.0455) == pytest.approx(2, abs=1e-3)
    found = look_elsewhere(gain_of(2), 1, 3)
    assert found.local_sigma == pytest.approx(2)
    # With one signature of three parameters and three measurements both limits are exact.
    assert found.by_signatures == pytest.approx(found.by_data)
