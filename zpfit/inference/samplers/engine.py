"""Sampling engines: the interface that all of them share.

An engine is one module with a frozen options class, a function that samples, and a constant
:class:`Engine` that describes both. :mod:`zpfit.inference.samplers.registry` finds engines by
name; installed packages add theirs through entry points.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from zpfit.inference.checkpoint import Checkpoint
from zpfit.inference.progress import Progress
from zpfit.inference.samplers.result import Samples
from zpfit.inference.search.descent import Residuals
from zpfit.io.arrays import FloatArray
from zpfit.io.schema import StrictModel

LogLikelihood = Callable[[FloatArray], FloatArray]
"""Function from points of the unit cube, shape (n, d), to ln L, shape (n,)."""

OptionsType = TypeVar("OptionsType", bound=StrictModel)


@dataclass(frozen=True)
class SamplingTask:
    """A likelihood on the unit cube, whose prior is uniform, and the size of the sample."""

    log_likelihood: LogLikelihood
    """Batched ln L, -inf where a point is excluded."""
    dimension: int
    """Number of axes of the unit cube, d."""
    target_ess: int
    """Effective samples of the worst parameter at which sampling may stop."""
    options: tuple[StrictModel, ...] = ()
    """Options of all engines in the run file, for an engine that builds on another one."""
    residuals: Residuals | None = None
    """Residuals whose squares add up to chi2 and walls, if the likelihood has them."""
    step_width: FloatArray | None = None
    """Width of the steps of discrete axes, 0 for smooth ones, shape (d,); None if all are."""
    sign_axes: NDArray[np.bool_] | None = None
    """Mask of the axes whose reversal u -> 1 - u changes the sign of a parameter, shape (d,)."""
    starts: tuple[FloatArray, ...] = ()
    """Points of the unit cube, shape (d,) each, from which a search for peaks starts as well."""

    @property
    def steps(self) -> FloatArray:
        """Width of the steps of discrete axes, 0 for smooth ones; shape (d,)."""
        return np.zeros(self.dimension) if self.step_width is None else self.step_width

    @property
    def mirrors(self) -> list[NDArray[np.bool_]]:
        """Masks of axes under whose reversal the likelihood may be even, shape (d,) each."""
        every = np.ones(self.dimension, dtype=bool)
        if self.sign_axes is None or not self.sign_axes.any() or self.sign_axes.all():
            return [every]
        return [self.sign_axes, every]

    def options_of(self, kind: type[OptionsType]) -> OptionsType:
        """Return the options of a class, or its defaults if the run file has none."""
        return next((options for options in self.options if isinstance(options, kind)), kind())


def inside(log_likelihood: LogLikelihood, u: FloatArray) -> FloatArray:
    """Return ln L of points, shape (n,), -inf outside the unit cube."""
    if u.min(initial=0.0) >= 0 and u.max(initial=1.0) <= 1:  # faster than each point's test
        return log_likelihood(u)
    within = np.all((u >= 0) & (u <= 1), axis=1)
    result = np.full(len(u), -np.inf)
    if within.any():
        result[within] = log_likelihood(u[within])
    return result


SampleFunction = Callable[
    [SamplingTask, Any, np.random.Generator, Progress, Checkpoint],
    Samples,
]
"""Function ``sample(task, options, rng, progress, checkpoint)``; options as the engine has them."""


@dataclass(frozen=True)
class Engine:
    """A sampling engine: its options, its function, and facts about its results.

    Examples
    --------
    >>> from zpfit.inference.samplers.registry import find_engine
    >>> engine = find_engine("vegas")
    >>> engine.options().adaptations, engine.citations
    (2, ('Lepage:2020tgj',))
    """

    name: str
    """Value of ``sampler.engine`` in a run file."""
    options: type[StrictModel]
    """Frozen pydantic model of the engine's options; every option has a default."""
    sample: SampleFunction
    """Function that samples; it imports heavy libraries when it is called."""
    citations: tuple[str, ...] = ()
    """INSPIRE keys of the publications to cite."""
    packages: tuple[str, ...] = ()
    """Installed packages whose versions the fingerprint of a run holds."""
    independent_draws: bool = True
    """True if the weighted samples are independent draws, so that weights alone give errors."""
    chains: bool = False
    """True if the samples of equal weight are Markov chains with an autocorrelation time."""
    cross_check: str = "dynesty"
    """Name of the engine that recomputes ln Z independently."""
    precision_keys: tuple[str, ...] = ()
    """Keys of the run file that make ln Z more precise, for messages."""
    options_key: str = ""
    """Key of the run file that holds the options; the engine's name if empty."""

    @property
    def section(self) -> str:
        """Key of the run file that holds the options."""
        return self.options_key or self.name
