"""Samplers with small batches, for tests that run a whole fit."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from zpfit.inference.samplers.importance import integrate
from zpfit.inference.samplers.peak_search import PeakOptions
from zpfit.inference.samplers.peaks import add_peaks
from zpfit.inference.samplers.vegas_map import MapOptions, adapt_maps


def use_small_batches(patch: pytest.MonkeyPatch, adaptation: int, integral: int) -> None:
    """Let the engines adapt and integrate with this number of draws at a time."""
    small = partial(adapt_maps, options=MapOptions(batch=adaptation))
    patch.setattr("zpfit.inference.samplers.vegas_map.adapt_maps", small)
    few = PeakOptions(batch=adaptation, prior_batches=4, map_batches=2, starts=20, fitted=500)
    patch.setattr("zpfit.inference.samplers.vegas.add_peaks", partial(add_peaks, options=few))
    patch.setattr("zpfit.inference.samplers.vegas.integrate", partial(integrate, batch=integral))


@contextmanager
def quick() -> Iterator[None]:
    """Let fits of this process take a third of their time.

    Small batches suffice for tests of what surrounds a fit. Tests of its numbers keep the
    defaults.
    """
    with pytest.MonkeyPatch.context() as patch:
        use_small_batches(patch, 5_000, 30_000)
        yield


def first_fast(*values: object) -> list[Any]:
    """Return values of a test's parameter; all but the first run in the slow target only."""
    first, *others = values
    return [first, *(pytest.param(value, marks=pytest.mark.slow) for value in others)]
