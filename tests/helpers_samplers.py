"""Samplers with small batches, for tests that run a whole fit."""

from functools import partial

import pytest

from zpfit.inference.samplers.importance import integrate
from zpfit.inference.samplers.vegas_map import MapOptions, adapt_maps


def use_small_batches(patch: pytest.MonkeyPatch, adaptation: int, integral: int) -> None:
    """Let the engines adapt and integrate with so many draws at a time."""
    small = partial(adapt_maps, options=MapOptions(batch=adaptation))
    patch.setattr("zpfit.inference.samplers.vegas_map.adapt_maps", small)
    patch.setattr("zpfit.inference.samplers.vegas.integrate", partial(integrate, batch=integral))
