"""Test numbers in text: digits follow errors, and nothing vanishes by rounding."""

import re
from pathlib import Path

import numpy as np
import pytest

import zpfit
from zpfit.io.numbers import apart, interval, percent, significant, with_error


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        # Particle Data Group, Sec. 5.3: 0.827 +- 0.119, 0.827 +- 0.367 and 0.827 +- 0.95 ... 0.999
        (0.827, 0.119, "0.83 ± 0.12"),
        (0.827, 0.367, "0.8 ± 0.4"),
        (14.674, 0.964, "14.7 ± 1.0"),
        (-1e-9, 0.01, "0.000 ± 0.010"),
        (1.5e7, 2.4e5, "(1.500 ± 0.024)e+07"),
        (3.0, 40.0, "0 ± 40"),
    ],
)
def test_an_error_sets_the_decimals(value: float, error: float, text: str):
    assert with_error(value, error) == text


def test_an_infinite_error_is_no_error():
    assert with_error(1.5, float("inf")) == "1.50"


def test_intervals_of_different_ends_never_look_like_points():
    rng = np.random.default_rng(1)
    for power, log_width in rng.uniform((-9, -6), (5, 3), (500, 2)):
        low, width = 10**power, 10**log_width
        first, last = interval(low, low * (1 + width)).split(" to ")
        assert float(first) < float(last)
        shown = (float(last) - float(first)) / (low * width)
        assert shown == pytest.approx(1, abs=0.11)


def test_signs_and_zero_in_an_interval():
    assert interval(-0.4012, 0.4087) == "-0.401 to 0.409"
    assert interval(0.0, 0.4) == "0 to 0.400"
    assert apart(0.6827, 0.6801, 0.6853) == ("0.6827", "0.6801", "0.6853")
    assert significant(-0.0) == "0"


def test_shares_never_round_to_nothing_or_all():
    rng = np.random.default_rng(2)
    small = 10 ** rng.uniform(-9, -0.3, 500)
    for share in [*small, *(1 - small)]:
        number = float(percent(share).removesuffix(" %").lstrip("<> "))
        assert 0 < number < 100
    assert [percent(share) for share in (0.0, 1.0, 0.5)] == ["0 %", "100 %", "50 %"]


def test_no_module_formats_shares_itself():
    """A share printed with fixed decimals can read 0.0 %; numbers.percent never does."""
    form = re.compile(r":[+]?\.[0-9]+%\}|100 \* [^}\n]*:\.[0-9]f\} ?%")
    folder = Path(zpfit.__file__).parent
    assert not [
        path.name for path in folder.rglob("*.py") if form.search(path.read_text(encoding="utf-8"))
    ]
