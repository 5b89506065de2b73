"""The engine ``dynesty``: nested sampling, for slow models and as a check of ln Z.

J. S. Speagle, Mon. Not. Roy. Astron. Soc. 493, 3132 (2020), arXiv:1904.02180.
"""

import importlib
import warnings
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from zpfit.errors import NoAllowedPoint
from zpfit.inference.checkpoint import NO_CHECKPOINT, Checkpoint, State
from zpfit.inference.progress import SILENT, Progress
from zpfit.inference.samplers.dynesty_state import frozen, revived
from zpfit.inference.samplers.engine import Engine, LogLikelihood, SamplingTask
from zpfit.inference.samplers.equal_weight import from_weighted
from zpfit.inference.samplers.result import DeadPoints, Evidence, Samples, WeightedSamples
from zpfit.io.arrays import FloatArray
from zpfit.io.schema import StrictModel

_ZERO = -1e300
"""Value that stands for ln 0, as dynesty requires finite values."""
_MOST_DRAWS = 1000
"""Prior draws for each live point after which the search for allowed ones ends."""
_REPORT_EVERY = 200
"""Iterations between two progress reports."""


class DynestyOptions(StrictModel):
    """Options of nested sampling."""

    live_points: Annotated[int, Field(ge=50, le=100_000)] = 500
    """Live points; the error of ln Z falls with their square root."""
    tolerance: Annotated[float, Field(gt=0, le=1)] = 0.01
    """Remaining contribution to ln Z at which the run stops."""


def sample(
    task: SamplingTask,
    options: DynestyOptions,
    rng: np.random.Generator,
    progress: Progress = SILENT,
    checkpoint: Checkpoint = NO_CHECKPOINT,
) -> Samples:
    """Run nested sampling and draw samples of equal weight from the dead points.

    Raises
    ------
    NoAllowedPoint
        Too few draws from the prior have a finite likelihood.
    """
    nested_rng, draw_rng = rng.spawn(2)
    progress.stage("Nested sampling")
    nested = nested_sampling(
        task.log_likelihood,
        task.dimension,
        options.live_points,
        options.tolerance,
        nested_rng,
        progress,
        checkpoint.part("nested"),
    )
    return from_weighted(
        ENGINE.name,
        nested.samples,
        nested.evidence,
        task.target_ess,
        draw_rng,
        remedy=ENGINE.precision_keys[0],
        dead_points=nested.dead_points,
    )


@dataclass(frozen=True)
class NestedRun:
    """A finished run of nested sampling."""

    samples: WeightedSamples
    evidence: Evidence
    dead_points: DeadPoints


def nested_sampling(
    log_likelihood: LogLikelihood,
    dimension: int,
    live_points: int,
    tolerance: float,
    rng: np.random.Generator,
    progress: Progress = SILENT,
    checkpoint: Checkpoint = NO_CHECKPOINT,
) -> NestedRun:
    """Run nested sampling until the remaining contribution to ln Z is below ``tolerance``.

    New points come from random walks inside ellipsoids, as hard exclusions make regions that
    ellipsoids alone fill badly. The run starts inside the hard exclusions. The draws that found
    the live points give the allowed fraction of the prior, whose counting error dynesty's own
    error does not contain.

    Parameters
    ----------
    log_likelihood
        Points of the unit cube, shape (n, d), to ln L, shape (n,).
    dimension
        Number of axes, d.
    live_points
        Number of live points.
    tolerance
        Remaining contribution to ln Z at which to stop.
    rng
        Generator of all random numbers.
    progress
        Receiver of calls and ln Z.
    checkpoint
        Store of the sampler's state.

    Raises
    ------
    NoAllowedPoint
        Too few draws from the prior have a finite likelihood.

    References
    ----------
    J. S. Speagle, Mon. Not. Roy. Astron. Soc. 493, 3132 (2020), arXiv:1904.02180.
    """
    dynesty: Any = importlib.import_module("dynesty")  # here, as it takes a second

    def one_point(u: FloatArray) -> float:
        return float(max(log_likelihood(u[None])[0], _ZERO))

    kept = checkpoint.load()
    with warnings.catch_warnings():
        # dynesty warns of a plateau at the top, which ends a run correctly, and of ellipsoids,
        # which only guide the walks.
        warnings.filterwarnings("ignore", module="dynesty")
        if kept is None:
            first_u, first_log_l = _first_points(log_likelihood, dimension, live_points, rng)
            allowed = np.isfinite(first_log_l)
            live, excluded = first_u[allowed], first_u[~allowed]
            sampler = dynesty.NestedSampler(
                one_point,
                _identity,
                dimension,
                nlive=live_points,
                sample="rwalk",
                rstate=rng,
                live_points=(live, live.copy(), first_log_l[allowed]),
            )
            sampler.loglikelihood.loglikelihood = one_point  # the wrapper prints exceptions
            sampler.ncall = live_points  # dynesty divides by it, and counts given points as 0
        else:
            sampler, excluded = revived(kept["sampler"], one_point, _identity), kept["excluded"]

        def state() -> State:
            return {
                "sampler": frozen(sampler, one_point, _identity),
                "excluded": excluded,
                "u": sampler.live_u,
                "log_likelihood": sampler.live_logl,
            }

        def report(
            results: Any, iteration: int, calls: int, add_live_it: int | None = None, **_: Any
        ) -> None:
            if add_live_it is None:
                checkpoint.save(state)
            if iteration % _REPORT_EVERY == 0:
                left = float(results.delta_logz)
                done = float(np.clip(tolerance / left, 0, 1)) if left > 0 else 1.0
                words = f"{calls:,} calls, ln Z {float(results.logz):.2f} with {left:.3g} remaining"
                progress.update(done, words)

        sampler.run_nested(
            dlogz=tolerance, print_progress=True, print_func=report, resume=kept is not None
        )
    return _nested_run(sampler.results, excluded, live_points)


def _identity(u: FloatArray) -> FloatArray:
    return u


def _first_points(
    log_likelihood: LogLikelihood, dimension: int, wanted: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return prior draws and their ln L, up to the last of the ``wanted`` allowed ones."""
    points, values, found = [], [], 0
    for _ in range(_MOST_DRAWS):
        points.append(rng.random((wanted, dimension)))
        values.append(log_likelihood(points[-1]))
        found += int(np.isfinite(values[-1]).sum())
        if found >= wanted:
            break
    else:
        raise NoAllowedPoint(_MOST_DRAWS * wanted, found)
    u, log_l = np.concatenate(points), np.concatenate(values)
    last = np.flatnonzero(np.isfinite(log_l))[wanted - 1]
    return u[: last + 1], log_l[: last + 1]


def _nested_run(results: Any, excluded: FloatArray, live_points: int) -> NestedRun:
    u, log_l = np.asarray(results.samples_u), np.asarray(results.logl)
    born = np.asarray(results.samples_it)  # iteration of birth, which removed the point before it
    log_birth = np.where(born > 0, log_l[np.maximum(born - 1, 0)], -np.inf)
    draws = live_points + len(excluded)
    # Allowed fraction of the prior f = live/draws; its relative variance is (1 - f)/live.
    error = np.sqrt(float(results.logzerr[-1]) ** 2 + 1 / live_points - 1 / draws)
    evidence = Evidence(
        float(results.logz[-1]) + np.log(live_points / draws),
        float(error),
        int(np.sum(results.ncall)) + len(excluded),
    )
    zero = np.full(len(excluded), -np.inf)
    dead = DeadPoints(
        np.concatenate([excluded, u]),
        np.concatenate([zero, log_l]),
        np.concatenate([zero, log_birth]),
    )
    return NestedRun(
        WeightedSamples.normalised(u, log_l, np.asarray(results.logwt)), evidence, dead
    )


ENGINE = Engine(
    name="dynesty",
    options=DynestyOptions,
    sample=sample,
    citations=("Speagle:2019ivv",),
    packages=("dynesty",),
    independent_draws=False,
    cross_check="vegas",
    precision_keys=("dynesty.live_points",),
)
"""The engine ``dynesty``; dead points are ordered, so weights alone do not give errors."""
