"""The engine ``emcee``: Markov chains that start from draws of vegas.

D. Foreman-Mackey et al., Publ. Astron. Soc. Pac. 125, 306 (2013), arXiv:1202.3665. vegas gives
the evidence, and most moves choose among points from its map.
"""

from typing import Annotated

import numpy as np
from pydantic import Field

from zpfit.inference.checkpoint import NO_CHECKPOINT, Checkpoint
from zpfit.inference.progress import SILENT, Progress
from zpfit.inference.samplers import vegas
from zpfit.inference.samplers.engine import Engine, SamplingTask
from zpfit.inference.samplers.equal_weight import split
from zpfit.inference.samplers.result import Samples, WeightedSamples
from zpfit.io.schema import StrictModel

_SPARE = 10
"""Effective weighted samples for each walker that starts from them, so that few are copies."""


class EmceeOptions(StrictModel):
    """Options of emcee's ensembles, under the key ``sampler`` of a run file."""

    ensembles: Annotated[int, Field(ge=2, le=100)] = 2
    """Independent ensembles; R-hat compares them."""
    walkers: Annotated[int, Field(ge=4, le=100_000)] = 256
    """Walkers of each ensemble."""
    max_steps: Annotated[int, Field(ge=20, le=10_000_000)] = 20_000
    """Largest number of steps of each ensemble."""


def sample(
    task: SamplingTask,
    options: EmceeOptions,
    rng: np.random.Generator,
    progress: Progress = SILENT,
    checkpoint: Checkpoint = NO_CHECKPOINT,
) -> Samples:
    """Run ensembles until the worst parameter has the target number of effective samples.

    Raises
    ------
    NoAllowedPoint
        The likelihood excludes all but a few points of the prior.
    PoorProposal
        The posterior is too narrow for vegas's maps.
    """
    from zpfit.inference.samplers.emcee_chains import run_chains  # imports emcee, which is slow

    integral_rng, start_rng, chain_rng = rng.spawn(3)
    maps, integral = vegas.adapt_and_integrate(
        task,
        task.options_of(vegas.VegasOptions),
        integral_rng,
        effective=_SPARE * options.walkers * options.ensembles,
        progress=progress,
        checkpoint=checkpoint,
    )
    draws = split(integral.samples, options.ensembles)
    starts = [draw.resampled(start_rng, options.walkers)[0] for draw in draws]
    progress.stage("Sampling the posterior")
    chains = run_chains(
        task.log_likelihood,
        maps,
        np.stack(starts),
        task.target_ess,
        options.max_steps,
        chain_rng,
        progress,
        checkpoint.part("chains"),
    )
    return Samples(
        engine=ENGINE.name,
        weighted=integral.samples,
        evidence=integral.evidence,
        u=chains.u,
        log_likelihood=chains.log_likelihood,
        thin=chains.thin,
        acceptance=tuple(float(value) for value in chains.acceptance),
        diagnostics=chains.diagnostics,
        shortcomings=(
            *chains.shortcomings,
            *_poor_starts(draws, options.walkers),
            *integral.shortcomings,
        ),
    )


def _poor_starts(draws: list[WeightedSamples], walkers: int) -> list[str]:
    """Return a shortcoming for each ensemble with more walkers than independent starts.

    Walkers that start from copies of few points cannot show that a mode is missing.
    """
    return [
        f"the {walkers} walkers of ensemble {index + 1} start from {draw.effective:.0f} "
        "independent points: narrow the priors to where the data allow"
        for index, draw in enumerate(draws)
        if draw.effective < walkers
    ]


ENGINE = Engine(
    name="emcee",
    options=EmceeOptions,
    sample=sample,
    citations=("Foreman-Mackey:2012ig", vegas.CITATION),
    packages=("vegas", "emcee"),
    chains=True,
    cross_check=vegas.ENGINE.cross_check,
    precision_keys=vegas.PRECISION_KEYS,
    options_key="sampler",
)
"""The engine ``emcee``."""
