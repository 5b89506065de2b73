"""Samplers and searches that take less time, for tests that run a whole fit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from zpfit.analysis.joint_sigma import joint_sigma_or_none
from zpfit.inference.samplers.importance import Integral, LogLikelihood, Target, integrate
from zpfit.inference.samplers.peak_search import PeakOptions
from zpfit.inference.samplers.peaks import add_peaks
from zpfit.inference.samplers.proposal_map import MixtureMap
from zpfit.inference.samplers.vegas_map import MapOptions, adapt_maps
from zpfit.inference.search.best_fit import SearchOptions, best_fit


def always(function: Callable[..., Any], **fixed: Any) -> Callable[..., Any]:
    """Return a function whose keyword arguments prevail over those of its calls."""

    def call(*args: Any, **given: Any) -> Any:
        return function(*args, **given | fixed)

    return call


def use_small_batches(patch: pytest.MonkeyPatch, adaptation: int, integral: int) -> None:
    """Let the engines adapt and integrate with this number of draws at a time."""
    small = always(adapt_maps, options=MapOptions(batch=adaptation))
    patch.setattr("zpfit.inference.samplers.vegas_map.adapt_maps", small)
    few = PeakOptions(adaptation, 1, 1, starts=10, descent_steps=6, fitted=500, pilot=2_000)
    patch.setattr("zpfit.inference.samplers.vegas.add_peaks", always(add_peaks, options=few))
    patch.setattr("zpfit.inference.samplers.vegas.integrate", partial(integrate, batch=integral))


def draw_blank(patch: pytest.MonkeyPatch) -> None:
    """Let runs make empty plots, and draw nothing into the files of other figures."""
    for name in ("corner", "pulls", "trace"):
        patch.setattr(f"zpfit.runs.drawing.{name}_figure", _blank)
    patch.setattr("zpfit.plots.style.StyledFigure.draw", lambda *_: None)


def _blank(*_: object) -> Figure:
    return Figure(figsize=(1, 1))


def roughly_integrated(
    log_likelihood: LogLikelihood,
    mixture: MixtureMap,
    rng: np.random.Generator,
    target: Target,
    *rest: Any,
) -> Integral:
    """Integrate with small batches until ln Z is known to 0.02."""
    rough = replace(target, error=max(target.error, 0.02))
    return integrate(log_likelihood, mixture, rng, rough, *rest, batch=8_000)


@contextmanager
def quick() -> Iterator[None]:
    """Let fits of this process take a tenth of their time.

    Small batches and a short search suffice for tests of what surrounds a fit. Tests of its
    numbers keep the defaults.
    """
    short = always(best_fit, options=SearchOptions(10, kept=5, max_rounds=2, quiet_rounds=1))
    with pytest.MonkeyPatch.context() as patch:
        use_small_batches(patch, 5_000, 15_000)
        patch.setattr("zpfit.inference.samplers.vegas.integrate", roughly_integrated)
        one = partial(joint_sigma_or_none, searches=1)
        for place in ("compare", "tension.tension", "toys.toys"):
            patch.setattr(f"zpfit.analysis.{place}.joint_sigma_or_none", one)
        for place in ("fit", "profile.profile", "tension.tension", "toys.toys"):
            patch.setattr(f"zpfit.analysis.{place}.best_fit", short)
        patch.setattr("zpfit.runs.comparison.cores", lambda: 1)  # others would not be patched
        yield


def first_fast(*values: object) -> list[Any]:
    """Return values of a test's parameter, or tuples of several parameters; all but the first
    run in the slow target only."""
    first, *others = (value if isinstance(value, tuple) else (value,) for value in values)
    slow = [pytest.param(*other, marks=pytest.mark.slow) for other in others]
    return [pytest.param(*first), *slow]
