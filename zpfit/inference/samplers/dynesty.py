"""Nested sampling with dynesty: the independent check of ln Z, and the engine for slow models."""

import importlib
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from zpfit.errors import NoAllowedPoint
from zpfit.inference.checkpoint import FORGETFUL, Checkpoint, State
from zpfit.inference.progress import Progress
from zpfit.inference.samplers.dynesty_state import frozen, revived
from zpfit.inference.samplers.result import DeadPoints, Evidence, WeightedSamples
from zpfit.inference.samplers.vegas import LogLikelihood
from zpfit.io.arrays import FloatArray

_ZERO = -1e300
"""What dynesty takes for ln 0, as it wants finite values."""
_MOST_DRAWS = 1000
"""Prior draws for each live point after which the search for the first ones is given up."""
_REPORT_EVERY = 200


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
    progress: Progress,
    checkpoint: Checkpoint = FORGETFUL,
) -> NestedRun:
    """Run until what is left of the evidence is below ``tolerance`` in ln Z.

    Random walks inside ellipsoids (Speagle, arXiv:1904.02180), as hard exclusions make
    regions that ellipsoids alone fill badly. The run starts inside the hard exclusions: the
    share of the prior that they leave is known from the draws that found the live points, to
    an error that dynesty's own does not hold.

    Raises
    ------
    NoAllowedPoint
        Too few draws from the prior have a finite likelihood.
    """
    dynesty: Any = importlib.import_module("dynesty")  # late: a second

    def one_point(u: FloatArray) -> float:
        return float(max(log_likelihood(u[None])[0], _ZERO))

    kept = checkpoint.load()
    with warnings.catch_warnings():
        # A plateau at the top ends a run as it should; the ellipsoids only guide the walks.
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
            sampler.loglikelihood.loglikelihood = one_point  # the wrapper prints what fails
            sampler.ncall = live_points  # by which it divides, and counts 0 for points given
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
                words = f"{calls:,} calls, ln Z {float(results.logz):.2f} with {left:.3g} to come"
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
    """Prior draws and their ln L, up to and with the last of the ``wanted`` allowed ones."""
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
    born = np.asarray(results.samples_it)  # the iteration, which removed the point before it
    log_birth = np.where(born > 0, log_l[np.maximum(born - 1, 0)], -np.inf)
    draws = live_points + len(excluded)
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
