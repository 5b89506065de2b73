"""Records of JSON files of runs, comparisons and campaigns, checked field by field."""

import json
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from zpfit.errors import DamagedRecord

T = TypeVar("T")


class _Record(BaseModel):
    """Base of records; files of later versions can have further fields."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Term(_Record):
    """A measurement at one point."""

    observable: str
    measured: float | None
    errors: tuple[float | None, ...]
    """Standard errors towards larger and smaller predictions."""
    prediction: float | None
    pull: float
    chi2: float


class Limit(_Record):
    """An exclusion at one point."""

    ratio: float
    """Signal over limit; above 1 the point is excluded."""
    chi2: float | None = None
    """chi2 of a soft exclusion."""


class Point(_Record):
    """A point with its chi2, measurements and exclusions."""

    chi2: float
    terms: dict[str, Term]
    exclusions: dict[str, Limit]
    parameters: dict[str, float] = {}
    couplings: dict[str, float | None] = {}
    derived: dict[str, float | None] = {}


class CrossCheck(_Record):
    """ln Z by a second engine."""

    engine: str
    log_z: float
    error: float
    sigma: float
    agrees: bool


class Evidence(_Record):
    """ln Z and its quality."""

    log_z: float
    error: float
    spread: float | None
    evaluations: int
    effective_fraction: float
    largest_weight: float
    information: float
    dimensionality: float
    cross_check: CrossCheck | None = None


class Marginal(_Record):
    """The posterior of one parameter."""

    median: float
    q05: float
    q16: float
    q84: float
    q95: float
    ess: float | None
    rhat: float | None


class Reach(_Record):
    """Coverage of a limit curve."""

    mass_range_MeV: tuple[float, float]
    posterior_outside: float
    best_fit_outside: bool


class Sampler(_Record):
    """The sampler and its diagnostics."""

    engine: str
    ensembles: int
    walkers: int
    steps: int
    acceptance: tuple[float, ...]
    autocorrelation_time: dict[str, float | None]


class Summary(_Record):
    """``summary.json`` of a run."""

    title: str
    model: str
    likelihood: str
    seed: int
    best_fit: Point
    no_zprime: Point
    evidence: Evidence
    posterior: dict[str, Marginal]
    curve_reach: dict[str, Reach]
    unverified: dict[str, str]
    sampler: Sampler
    versions: dict[str, str]
    converged: bool
    shortcomings: tuple[str, ...]
    impossible_prior_fraction: float

    @property
    def silent(self) -> list[str]:
        """Exclusions whose curves do not cover the mass of the best fit."""
        exclusions = self.best_fit.exclusions
        return [n for n, r in self.curve_reach.items() if r.best_fit_outside and n in exclusions]


class VariedEvidence(_Record):
    """ln Z under other priors."""

    lnZ: float | None
    lnZ_err: float | None


class ComparedModel(_Record):
    """A row of ``compare.json``."""

    run: str
    folder: str | None = None
    """Folder of the run, relative to that of the comparison."""
    model: str
    title: str
    likelihood: str
    data: int
    parameters: int
    best_fit_chi2: float
    delta_chi2: float
    aic: float
    bic: float | None
    lnZ: float
    lnZ_err: float
    reference: str
    ln_bayes_factor: float
    ln_bayes_factor_err: float
    evidence: str
    information: float
    dimensionality: float
    joint_sigma: float | None
    chi2_by_term: dict[str, float]
    prior_sensitivity: dict[str, VariedEvidence]
    rank_changes: bool
    shortcomings: tuple[str, ...]
    converged: bool


class Fit(_Record):
    """A fit of ``campaign.json``."""

    name: str
    runs: str | None
    models: str | None
    data: str | None
    priors: str | None
    overrides: str | None
    seed: int
    chi2: float
    log_z: float
    log_z_error: float
    log_bayes_factor: float
    converged: bool
    shortcomings: tuple[str, ...]


class Cell(_Record):
    """Fits of ``campaign.json`` that differ by their seeds."""

    name: str
    fits: int
    converged: int
    chi2: float
    chi2_worst_seed: float
    chi2_no_zprime: float
    log_z: float
    log_z_error: float
    log_z_error_of_one: float
    log_z_scatter: float | None
    log_bayes_factor: float
    log_bayes_factors: tuple[float, ...]


class Campaign(_Record):
    """``campaign.json``."""

    title: str
    finished: int
    failed: dict[str, str]
    cells: tuple[Cell, ...]
    fits: tuple[Fit, ...]


def read_record(kind: type[T], path: Path) -> T:
    """Read a JSON file as a record of a kind.

    Raises
    ------
    DamagedRecord
        The file cannot be read, or lacks a field of the record.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return TypeAdapter(kind).validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "all of it"
        raise DamagedRecord(path, f"{place}: {first['msg']}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedRecord(path, str(error)) from error
