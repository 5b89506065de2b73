"""The engine ``vegas``: importance sampling from adapted maps.

G. P. Lepage, J. Comput. Phys. 439, 110386 (2021), arXiv:2009.05112.
"""

from dataclasses import replace
from typing import Annotated

import numpy as np
from pydantic import Field

from zpfit.inference.checkpoint import NO_CHECKPOINT, Checkpoint
from zpfit.inference.progress import SILENT, Progress
from zpfit.inference.samplers.engine import Engine, SamplingTask
from zpfit.inference.samplers.equal_weight import from_weighted
from zpfit.inference.samplers.importance import BATCH, FALLBACK, Integral, Target, integrate
from zpfit.inference.samplers.peak_search import PeakOptions
from zpfit.inference.samplers.peaks import add_peaks
from zpfit.inference.samplers.proposal_map import MixtureMap
from zpfit.inference.samplers.result import Samples
from zpfit.io.arrays import FloatArray
from zpfit.io.schema import StrictModel

CITATION = "Lepage:2020tgj"
"""INSPIRE key of vegas's publication."""
PRECISION_KEYS = ("vegas.max_evaluations", "vegas.adaptations")
"""Keys of the run file that make the integral more precise."""


_USUAL_EVALUATIONS = 5_000_000
"""Default limit of evaluations, at which the search for peaks has its usual effort."""
_WHOLE_BATCHES = 3 * BATCH
"""Smallest limit of evaluations with batches of the usual size. A smaller limit means smaller
batches everywhere: the usual ones cost 0.3 s, a hundred times what one parameter needs."""
_FEWEST_STARTS, _FEWEST_FITTED = 10, 200
"""Fewest starts of ascents of each kind, and draws that fit the shape of a peak."""
_KNOWN_EFFORT, _KNOWN_STARTS = 0.2, 0.5
"""Fractions of effort and starts that suffice where points of the posterior are known."""


class VegasOptions(StrictModel):
    """Options of the evidence integral; emcee's walkers start from its draws."""

    adaptations: Annotated[int, Field(ge=2, le=20)] = 2
    """Independent adaptations of the map; their values of ln Z must agree."""
    error: Annotated[float, Field(gt=0, le=1)] = 0.01
    """Target standard error of ln Z."""
    max_evaluations: Annotated[int, Field(ge=3_000, le=10**9)] = _USUAL_EVALUATIONS
    """Largest number of likelihood evaluations of the integral. The search for peaks follows it,
    and below 300,000 also the draws of each adaptation."""

    @property
    def share_of_batches(self) -> float:
        """Size of batches over their usual size, at most 1.

        Examples
        --------
        >>> VegasOptions().share_of_batches, VegasOptions(max_evaluations=3_000).share_of_batches
        (1.0, 0.01)
        """
        return min(1.0, self.max_evaluations / _WHOLE_BATCHES)


def sample(
    task: SamplingTask,
    options: VegasOptions,
    rng: np.random.Generator,
    progress: Progress = SILENT,
    checkpoint: Checkpoint = NO_CHECKPOINT,
) -> Samples:
    """Draw weighted samples until ln Z and the effective sample size are precise enough.

    Raises
    ------
    NoAllowedPoint
        The likelihood excludes all but a few points of the prior.
    PoorProposal
        The posterior is too narrow for the adapted maps.
    """
    integral_rng, draw_rng = rng.spawn(2)
    _, integral = adapt_and_integrate(
        task,
        options,
        integral_rng,
        effective=task.target_ess,
        progress=progress,
        checkpoint=checkpoint,
    )
    return from_weighted(
        ENGINE.name,
        integral.samples,
        integral.evidence,
        task.target_ess,
        draw_rng,
        remedy=PRECISION_KEYS[0],
        shortcomings=integral.shortcomings,
    )


def adapt_and_integrate(
    task: SamplingTask,
    options: VegasOptions,
    rng: np.random.Generator,
    *,
    effective: float = 0.0,
    progress: Progress = SILENT,
    checkpoint: Checkpoint = NO_CHECKPOINT,
    known: FloatArray | None = None,
) -> tuple[MixtureMap, Integral]:
    """Adapt maps to a likelihood, add its peaks, and compute ln Z with draws from the mixture.

    Parameters
    ----------
    task
        Likelihood on the unit cube.
    options
        Number of adaptations and when the integral stops.
    rng
        Generator of all draws.
    effective
        Effective number of weighted samples to reach, if evaluations allow.
    progress, checkpoint
        Receiver of stages; store of intermediate states.
    known
        Points of a similar posterior, shape (m, d), which shorten adaptation and search for peaks;
        half of the draws suffice.

    Raises
    ------
    NoAllowedPoint
        The likelihood excludes all but a few points of the prior.
    PoorProposal
        The posterior is too narrow for the adapted maps.
    """
    from zpfit.inference.samplers.vegas_map import (  # imports vegas, which is slow
        MapOptions,
        adapt_maps,
    )

    share = options.share_of_batches
    map_rng, draw_rng, peak_rng = rng.spawn(3)
    progress.stage("Adapting to the posterior")
    maps = adapt_maps(
        task.log_likelihood,
        task.dimension,
        options.adaptations,
        map_rng,
        checkpoint.part("map"),
        options=MapOptions().smaller(share),
        known=known,
    )
    progress.stage("Searching peaks")
    effort = options.max_evaluations / _USUAL_EVALUATIONS * (1 if known is None else _KNOWN_EFFORT)
    sizes = _smaller(PeakOptions(), share)
    if known is not None:
        sizes = replace(sizes, starts=round(_KNOWN_STARTS * sizes.starts))
    mixture = add_peaks(task, maps, peak_rng, checkpoint.part("peaks"), effort, options=sizes)
    progress.stage("Integrating the evidence")
    batch = int(share * (BATCH if known is None else BATCH // 2))
    target = Target(options.error, effective, options.max_evaluations, batch)
    integral = integrate(
        task.log_likelihood, mixture, draw_rng, target, progress, checkpoint.part("integral")
    )
    return mixture, integral


def _smaller(options: PeakOptions, share: float) -> PeakOptions:
    """Return the sizes of a search for peaks that costs a share of the usual one."""
    if share == 1:
        return options
    return replace(
        options,
        batch=int(share * options.batch),
        starts=max(int(share * options.starts), _FEWEST_STARTS),
        fitted=max(int(share * options.fitted), _FEWEST_FITTED),
        pilot=int(share * options.pilot),
    )


ENGINE = Engine(
    name="vegas",
    options=VegasOptions,
    sample=sample,
    citations=(CITATION,),
    packages=("vegas",),
    cross_check=FALLBACK,
    precision_keys=PRECISION_KEYS,
)
"""The engine ``vegas``."""
