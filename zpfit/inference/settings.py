"""Options of samplers and searches."""

from typing import Annotated, Literal

from pydantic import Field

from zpfit.io.schema import Positive, StrictModel


class SamplerSpec(StrictModel):
    """How the posterior is sampled."""

    engine: Literal["emcee", "vegas", "dynesty"] = "emcee"
    """emcee's chains, vegas's or dynesty's weighted samples."""
    ensembles: Annotated[int, Field(ge=2, le=100)] = 2
    """Independent ensembles; R-hat compares them."""
    walkers: Annotated[int, Field(ge=4, le=100_000)] = 256
    """In each ensemble."""
    target_ess: Annotated[int, Field(ge=1, le=10**9)] = 5000
    """Effective samples of the worst parameter at which sampling stops."""
    max_steps: Annotated[int, Field(ge=20, le=10_000_000)] = 20_000
    """Steps of each ensemble after which sampling stops in any case."""


class VegasSpec(StrictModel):
    """Options of the evidence integral, which emcee's walkers start from as well."""

    adaptations: Annotated[int, Field(ge=2, le=20)] = 2
    """Independent adaptations, which must agree."""
    error: Annotated[float, Field(gt=0, le=1)] = 0.01
    """Of ln Z at which the integral stops."""
    max_evaluations: Annotated[int, Field(ge=300_000, le=10**9)] = 5_000_000
    """Points after which it stops in any case."""


class DynestySpec(StrictModel):
    """Options of nested sampling."""

    live_points: Annotated[int, Field(ge=50, le=100_000)] = 500
    tolerance: Annotated[float, Field(gt=0, le=1)] = 0.01
    """Of ln Z that may be left when the run stops."""


class BestFitSpec(StrictModel):
    """Options of the search for the best fit."""

    starts: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Random points from which descents start: 2,000, or 20,000 if some priors have steps."""
    points: Annotated[tuple[dict[str, float], ...], Field(strict=False)] = ()
    """Further starting points, each with every sampled parameter."""


class JointSigmaSpec(StrictModel):
    """How far off measurements may be, in standard errors, while the anomalies are met."""

    others: Positive = 2.0
    """Measurements that are no anomalies and have no limit of their own."""
    within: dict[str, Positive] = Field(default_factory=dict)
    """By entry."""

    def limit(self, entry: str) -> float:
        """The limit of an entry."""
        return self.within.get(entry, self.others)


class Settings(StrictModel):
    """Options of everything that an analysis computes, and the seed of its random numbers."""

    seed: Annotated[int, Field(ge=0, le=2**64 - 1)] = 1
    sampler: SamplerSpec = SamplerSpec()
    vegas: VegasSpec = VegasSpec()
    dynesty: DynestySpec = DynestySpec()
    best_fit: BestFitSpec = BestFitSpec()
    joint_sigma: JointSigmaSpec = JointSigmaSpec()
