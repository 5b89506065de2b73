"""Run zpfit, nautilus, UltraNest and dynesty on a problem within a budget of evaluations."""

import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from time import process_time

import nautilus
import numpy as np
import ultranest
from ultranest.stepsampler import SliceSampler, generate_mixture_random_direction

from zpfit.errors import NoAllowedPoint, PoorProposal
from zpfit.inference.samplers import vegas
from zpfit.inference.samplers.dynesty import nested_sampling
from zpfit.inference.samplers.engine import SamplingTask
from zpfit.io.arrays import FloatArray

EXCLUDED = -1e100
"""Value that replaces ln 0 for UltraNest, which needs finite values."""
TOLERANCE = 0.01
"""Remaining contribution to ln Z at which dynesty stops."""
PILOT_LIVE, PILOT_DRAWS = 25, 3_000
"""Live points, and ``vegas.max_evaluations``, of the runs that tell which ones use the budget."""
SPARE = 0.75
"""Share of the budget for which they are chosen, as runs differ in length."""
LAST = 0.97
"""Share of the budget after which UltraNest is asked to stop; it finishes its step."""
NAUTILUS_LIVE, NAUTILUS_EFFECTIVE = 500, 10_000


class OverLimit(BaseException):
    """A run has reached its limit; not an Exception, because some samplers catch these."""


@dataclass(frozen=True)
class Limits:
    """Largest evaluations and CPU seconds of a run."""

    evaluations: float
    cpu: float


@dataclass(frozen=True)
class Found:
    """What an engine says of ln Z."""

    log_z: float | None
    """None if it has no value."""
    error: float | None
    sure: bool
    """True if the engine has finished by its own criterion and has no doubt about ln Z."""


@dataclass(frozen=True)
class Run:
    """One result and its cost."""

    found: Found
    evaluations: int
    cpu: float
    """CPU seconds."""
    cpu_likelihood: float
    """Part of them that ln L took."""


class Meter:
    """Count the points of a likelihood and its CPU seconds, and stop a run at its limits."""

    def __init__(self, task: SamplingTask, limits: Limits) -> None:
        self._limits = limits
        self._start = process_time()
        self.evaluations, self.seconds = 0, 0.0
        residuals = task.residuals
        self.task = replace(
            task,
            log_likelihood=partial(self._counted, task.log_likelihood),
            residuals=None if residuals is None else partial(self._counted, residuals),
        )

    @property
    def cpu(self) -> float:
        """Return the CPU seconds since the creation."""
        return process_time() - self._start

    def finite(self, u: FloatArray) -> FloatArray:
        """Return ln L of a batch, with a very small number where points are excluded."""
        return np.maximum(self.task.log_likelihood(u), EXCLUDED)

    def _counted(
        self, function: Callable[..., FloatArray], u: FloatArray, *rest: object
    ) -> FloatArray:
        over = self.evaluations + len(u) > self._limits.evaluations
        if over or self.cpu > self._limits.cpu:
            raise OverLimit
        self.evaluations += len(u)
        before = process_time()
        result = function(u, *rest)
        self.seconds += process_time() - before
        return result


Method = Callable[[Meter, int, Limits, int], Found]
"""Function of the meter, the seed, the limits and a size, such as a number of live points."""


@dataclass(frozen=True)
class Engine:
    """A way to compute ln Z."""

    run: Method
    pilot: int = 0
    """Smallest size; 0 if the engine obeys a limit of evaluations or needs none."""
    limited: bool = True
    """True if it is stopped at the budget; a chosen size may exceed it somewhat."""


def measured(method: Method, task: SamplingTask, seed: int, limits: Limits, size: int = 0) -> Run:
    """Run an engine once."""
    task.log_likelihood(np.random.default_rng(seed).random((100, task.dimension)))  # compiles
    meter = Meter(task, limits)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.ERROR)
        try:
            found = method(meter, seed, limits, size)
        except (OverLimit, PoorProposal, NoAllowedPoint, np.linalg.LinAlgError):
            found = Found(None, None, sure=False)
        finally:
            logging.disable(logging.NOTSET)
    return Run(found, meter.evaluations, meter.cpu, meter.seconds)


def size_of(engine: Engine, task: SamplingTask, limits: Limits) -> int:
    """Return the size that uses the budget, from a run with the smallest one."""
    if not engine.pilot:
        return 0
    pilot = measured(engine.run, task, 99, Limits(inf, limits.cpu), engine.pilot)
    return max(engine.pilot, int(SPARE * engine.pilot * limits.evaluations / pilot.evaluations))


# Engines


def zpfit_default(meter: Meter, seed: int, _: Limits, __: int) -> Found:
    """Run vegas with its peaks as a fit does, which the budget does not limit."""
    return _vegas(meter, seed, vegas.VegasOptions())


def zpfit_small(meter: Meter, seed: int, _: Limits, size: int) -> Found:
    """Run the same with ``vegas.max_evaluations`` so small that the whole fits in the budget."""
    return _vegas(meter, seed, vegas.VegasOptions(max_evaluations=size))


def _vegas(meter: Meter, seed: int, options: vegas.VegasOptions) -> Found:
    rng = np.random.default_rng(seed)
    _, integral = vegas.adapt_and_integrate(meter.task, options, rng)
    evidence = integral.evidence
    return Found(evidence.log_z, evidence.error, sure=not integral.shortcomings)


def by_nautilus(meter: Meter, seed: int, limits: Limits, _: int) -> Found:
    """Run nautilus in batches without neural networks, whose training takes most of its time.

    The error is 1 / sqrt(n_eff), as for importance sampling; nautilus states none.
    """
    sampler = nautilus.Sampler(
        _unchanged,
        meter.task.log_likelihood,
        meter.task.dimension,
        pass_dict=False,
        vectorized=True,
        n_live=NAUTILUS_LIVE,
        n_networks=0,
        seed=seed,
    )
    try:
        finished = sampler.run(n_eff=NAUTILUS_EFFECTIVE, n_like_max=limits.evaluations)
    except OverLimit:
        finished = False
    return Found(float(sampler.log_z), float(sampler.n_eff**-0.5), sure=bool(finished))


def by_ultranest(meter: Meter, seed: int, limits: Limits, size: int) -> Found:
    """Run UltraNest with slices of two steps for each parameter."""
    np.random.seed(seed)  # noqa: NPY002 - what UltraNest draws from
    names = [f"u{axis}" for axis in range(meter.task.dimension)]
    sampler = ultranest.ReactiveNestedSampler(
        names, meter.finite, _unchanged, vectorized=True, log_dir=None
    )
    sampler.stepsampler = SliceSampler(
        nsteps=2 * len(names), generate_direction=generate_mixture_random_direction
    )
    most = inf if limits.evaluations == inf else int(LAST * limits.evaluations)
    result = sampler.run(
        min_num_live_points=size,
        max_ncalls=None if most == inf else most,
        show_status=False,
        viz_callback=False,
    )
    finished = meter.evaluations < most
    return Found(float(result["logz"]), float(result["logzerr"]), sure=finished)


def by_dynesty(meter: Meter, seed: int, _: Limits, size: int) -> Found:
    """Run zpfit's engine ``dynesty``, whose live points start inside the exclusions."""
    nested = nested_sampling(
        meter.task.log_likelihood,
        meter.task.dimension,
        size,
        TOLERANCE,
        np.random.default_rng(seed),
    )
    return Found(nested.evidence.log_z, nested.evidence.error, sure=True)


def _unchanged(u: FloatArray) -> FloatArray:
    return u


ENGINES = {
    "zpfit": Engine(zpfit_default, limited=False),
    "zpfit, small": Engine(zpfit_small, PILOT_DRAWS, limited=False),
    "nautilus": Engine(by_nautilus),
    "UltraNest": Engine(by_ultranest, PILOT_LIVE),
    "dynesty": Engine(by_dynesty, PILOT_LIVE, limited=False),
}
