"""Samples of equal weight from weighted ones, laid out as chains are."""

import numpy as np

from zpfit.inference.diagnostics import Diagnostics, diagnose
from zpfit.inference.samplers.result import DeadPoints, Evidence, Samples, WeightedSamples

_MAX_EQUAL, _COLUMNS = 50_000, 100
"""Largest number of samples of equal weight, and of columns ("walkers") in which they lie.

The file of samples stays small, and every column is long enough for R-hat.
"""


def from_weighted(
    engine: str,
    samples: WeightedSamples,
    evidence: Evidence,
    target_ess: int,
    rng: np.random.Generator,
    *,
    remedy: str,
    shortcomings: tuple[str, ...] = (),
    dead_points: DeadPoints | None = None,
) -> Samples:
    """Return the result of an engine that draws weighted samples.

    Samples of equal weight are drawn from two halves of the weighted ones. The halves share no
    draw, so that R-hat compares independent sets.

    Parameters
    ----------
    engine
        Name of the engine.
    samples
        Weighted samples, n points in d dimensions.
    evidence
        ln Z with its standard error.
    target_ess
        Effective samples that the run file demands.
    rng
        Generator for the resampling.
    remedy
        Key of the run file to raise if there are too few effective samples.
    shortcomings
        Reasons why the result is not converged, found so far.
    dead_points
        Dead points of nested sampling.

    Returns
    -------
    Samples
        Samples of equal weight have shape (2, steps, 100, d).
    """
    effective = samples.effective
    steps = max(min(int(effective), _MAX_EQUAL) // (2 * _COLUMNS), 4)
    halves = [half.resampled(rng, steps * _COLUMNS) for half in split(samples, 2)]
    u = np.stack([points.reshape(steps, _COLUMNS, -1) for points, _ in halves])
    log_l = np.stack([values.reshape(steps, _COLUMNS) for _, values in halves])
    rhat = diagnose(u, 1).rhat
    ess = np.full(u.shape[-1], effective)
    if effective < target_ess:
        text = f"{effective:.0f} effective samples of {target_ess} wanted: raise {remedy}"
        shortcomings = (*shortcomings, text)
    return Samples(
        engine=engine,
        weighted=samples,
        evidence=evidence,
        u=u,
        log_likelihood=log_l,
        thin=1,
        acceptance=(),
        diagnostics=Diagnostics(ess, rhat, np.ones_like(ess), steps),
        shortcomings=shortcomings,
        dead_points=dead_points,
    )


def split(samples: WeightedSamples, parts: int) -> list[WeightedSamples]:
    """Return ``parts`` disjoint sets: sample i goes into set i modulo ``parts``."""
    return [
        WeightedSamples.normalised(
            samples.u[i::parts], samples.log_likelihood[i::parts], samples.log_weight[i::parts]
        )
        for i in range(parts)
    ]
