"""Options of sampling engines and searches, as a run file gives them."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from zpfit.errors import UnknownName
from zpfit.inference.samplers.dynesty import DynestyOptions
from zpfit.inference.samplers.emcee import EmceeOptions
from zpfit.inference.samplers.registry import engine_names, find_engine
from zpfit.inference.samplers.vegas import VegasOptions
from zpfit.io.schema import Positive, StrictModel


def _known_engine(name: str) -> str:
    try:
        find_engine(name)
    except UnknownName as error:
        raise ValueError(str(error)) from error
    except Exception as error:  # code of another package can fail in any way
        raise ValueError(f"sampling engine {name!r} cannot be loaded: {error}") from error
    return name


class _EngineNames:
    """Names of all installed engines for JSON Schemas."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Add the names to the schema of a text."""
        return {**handler(schema), "enum": engine_names()}


class _EngineChoice(StrictModel):
    """Keys of ``sampler`` that all engines share."""

    engine: Annotated[str, AfterValidator(_known_engine), _EngineNames()] = "emcee"
    """Sampling engine: emcee's chains, weighted samples of vegas or dynesty, or a plug-in."""
    target_ess: Annotated[int, Field(ge=1, le=10**9)] = 5000
    """Effective samples of the worst parameter at which sampling stops."""


class SamplerSpec(EmceeOptions, _EngineChoice):
    """How the posterior is sampled."""


class BestFitSpec(StrictModel):
    """Options of the search for the best fit."""

    starts: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Random starts of descents; default 2,000, or 20,000 if a prior is discrete."""
    points: Annotated[tuple[dict[str, float], ...], Field(strict=False)] = ()
    """Further starting points, each with a value of every sampled parameter."""
    quiet_rounds: Annotated[int, Field(ge=1, le=100)] = 8
    """Successive rounds without progress that end the search; fewer suit small problems."""


class JointSigmaSpec(StrictModel):
    """Largest pulls of the other measurements while the anomalies are fitted."""

    others: Positive = 2.0
    """Limit in standard errors for measurements without a limit of their own."""
    within: dict[str, Positive] = Field(default_factory=dict)
    """Limits in standard errors by entry."""

    def limit(self, entry: str) -> float:
        """Return the limit of an entry in standard errors."""
        return self.within.get(entry, self.others)


class Settings(StrictModel):
    """Options of everything that an analysis computes, and the seed of its random numbers.

    Options of a plug-in engine are a further field with the engine's name, which
    :func:`zpfit.inference.problem.run_file_model` adds.
    """

    seed: Annotated[int, Field(ge=0, le=2**64 - 1)] = 1
    """Seed of all random numbers."""
    sampler: SamplerSpec = SamplerSpec()
    """Engine, sample size, and options of emcee."""
    vegas: VegasOptions = VegasOptions()
    """Options of the evidence integral."""
    dynesty: DynestyOptions = DynestyOptions()
    """Options of nested sampling."""
    best_fit: BestFitSpec = BestFitSpec()
    """Options of the search for the best fit."""
    joint_sigma: JointSigmaSpec = JointSigmaSpec()
    """Limits on other measurements while the anomalies are fitted."""

    def engine_options(self, engine: str) -> StrictModel:
        """Return the options of an engine; its defaults if the run file has none.

        Examples
        --------
        >>> Settings().engine_options("dynesty").live_points
        500
        """
        found = find_engine(engine)
        options: StrictModel | None = getattr(self, found.section, None)
        return found.options() if options is None else options

    def all_engine_options(self) -> tuple[StrictModel, ...]:
        """Return the options of every engine that the run file holds."""
        values = [getattr(self, name) for name in type(self).model_fields]
        return tuple(value for value in values if isinstance(value, StrictModel))

    def with_engine(self, engine: str) -> Self:
        """Return the same settings with another sampling engine."""
        sampler = self.sampler.model_copy(update={"engine": engine})
        return self.model_copy(update={"sampler": sampler})
