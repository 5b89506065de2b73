"""Nested sampling with dynesty: the independent check of ln Z, and the engine for slow models."""

import importlib
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from zpfit.errors import NoAllowedPoint
from zpfit.physics.compiled import FloatArray
from zpfit.progress import Progress
from zpfit.samplers.result import DeadPoints, Evidence, WeightedSamples
from zpfit.samplers.vegas import LogLikelihood

_ZERO = -1e300
"""What dynesty takes for ln 0, as it wants finite values."""
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
) -> NestedRun:
    """Run until what is left of the evidence is below ``tolerance`` in ln Z.

    Random walks inside ellipsoids (Speagle, arXiv:1904.02180), as hard exclusions make
    regions that ellipsoids alone fill badly. Points of likelihood zero are part of the run.

    Raises:
        NoAllowedPoint: no live point ever had a finite likelihood.
    """
    dynesty: Any = importlib.import_module("dynesty")  # late: a second

    def one_point(u: FloatArray) -> float:
        return float(max(log_likelihood(u[None])[0], _ZERO))

    def report(results: Any, iteration: int, calls: int, **_: Any) -> None:
        if iteration % _REPORT_EVERY == 0:
            left = float(results.delta_logz)
            done = float(np.clip(tolerance / left, 0, 1)) if left > 0 else 1.0
            progress.update(done, f"{calls} calls, {left:.3g} of ln Z to come")

    with warnings.catch_warnings():
        # A plateau at the top ends a run as it should; the ellipsoids only guide the walks.
        warnings.filterwarnings("ignore", module="dynesty")
        sampler = dynesty.NestedSampler(
            one_point, _identity, dimension, nlive=live_points, sample="rwalk", rstate=rng
        )
        sampler.run_nested(dlogz=tolerance, print_progress=True, print_func=report)
    return _nested_run(sampler.results)


def _identity(u: FloatArray) -> FloatArray:
    return u


def _nested_run(results: Any) -> NestedRun:
    u, log_l = np.asarray(results.samples_u), np.asarray(results.logl)
    log_l = np.where(log_l > _ZERO, log_l, -np.inf)
    finite = np.isfinite(log_l)
    calls = int(np.sum(results.ncall))
    if not finite.any():
        raise NoAllowedPoint(calls)
    born = np.asarray(results.samples_it)  # the iteration, which removed the point before it
    log_birth = np.where(born > 0, log_l[np.maximum(born - 1, 0)], -np.inf)
    return NestedRun(
        WeightedSamples.normalised(u[finite], log_l[finite], np.asarray(results.logwt)[finite]),
        Evidence(float(results.logz[-1]), float(results.logzerr[-1]), calls),
        DeadPoints(u, log_l, log_birth),
    )
