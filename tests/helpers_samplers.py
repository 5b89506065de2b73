"""Samplers and searches that take less time, for tests that run a whole fit."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from matplotlib.figure import Figure

from zpfit.inference.samplers.importance import integrate
from zpfit.inference.samplers.peak_search import PeakOptions
from zpfit.inference.samplers.peaks import add_peaks
from zpfit.inference.samplers.vegas_map import MapOptions, adapt_maps
from zpfit.inference.search.best_fit import SearchOptions, best_fit


def use_small_batches(patch: pytest.MonkeyPatch, adaptation: int, integral: int) -> None:
    """Let the engines adapt and integrate with this number of draws at a time."""
    small = partial(adapt_maps, options=MapOptions(batch=adaptation))
    patch.setattr("zpfit.inference.samplers.vegas_map.adapt_maps", small)
    few = PeakOptions(batch=adaptation, prior_batches=4, map_batches=2, starts=20, fitted=500)
    patch.setattr("zpfit.inference.samplers.vegas.add_peaks", partial(add_peaks, options=few))
    patch.setattr("zpfit.inference.samplers.vegas.integrate", partial(integrate, batch=integral))


def draw_blank(patch: pytest.MonkeyPatch) -> None:
    """Let runs draw empty plots."""
    for name in ("corner", "pulls", "trace"):
        patch.setattr(f"zpfit.runs.drawing.{name}_figure", _blank)


def _blank(*_: object) -> Figure:
    return Figure(figsize=(1, 1))


@contextmanager
def quick() -> Iterator[None]:
    """Let fits of this process take a quarter of their time.

    Small batches and a short search suffice for tests of what surrounds a fit. Tests of its
    numbers keep the defaults.
    """
    short = partial(best_fit, options=SearchOptions(max_rounds=2, quiet_rounds=1))
    with pytest.MonkeyPatch.context() as patch:
        use_small_batches(patch, 5_000, 30_000)
        for place in ("fit", "profile.profile", "tension.tension", "toys.toys"):
            patch.setattr(f"zpfit.analysis.{place}.best_fit", short)
        patch.setattr("zpfit.runs.comparison.cores", lambda: 1)  # others would not be patched
        yield


def first_fast(*values: object) -> list[Any]:
    """Return values of a test's parameter; all but the first run in the slow target only."""
    first, *others = values
    return [first, *(pytest.param(value, marks=pytest.mark.slow) for value in others)]
