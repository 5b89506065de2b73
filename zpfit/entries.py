"""What a data entry and a named set of entries hold: one YAML file per published result."""

from pathlib import PurePosixPath
from typing import Annotated, Literal

import numpy as np
from pydantic import (
    AfterValidator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    RootModel,
    model_validator,
)

from zpfit.schema import Names, StrictModel

Fraction = Annotated[float, Field(gt=0, lt=1)]


class Citation(StrictModel):
    """A publication."""

    key: str
    """Label for a bibliography."""
    arxiv: str | None = None
    journal: str | None = None
    doi: str | None = None


class HalfGaussianSpec(StrictModel):
    """chi2 = (z ratio^power)^2, z one-sided at the confidence level."""

    form: Literal["half_gaussian"]
    power: PositiveFloat
    """How the signal strength grows with the ratio to the limit: 2 for a rate in the coupling."""
    confidence_level: Fraction


class ZeroBackgroundSpec(StrictModel):
    """chi2 = 2 N, N events expected where none were seen."""

    form: Literal["zero_background"]
    confidence_level: Fraction


SoftSpec = Annotated[HalfGaussianSpec | ZeroBackgroundSpec, Field(discriminator="form")]


class _Entry(StrictModel):
    title: str
    label: str = ""
    """Short name for figures, LaTeX between dollar signs; the entry's name if left out."""
    measurement: str
    """What was measured; a likelihood holds one entry of each."""
    citations: Annotated[tuple[Citation, ...], Field(strict=False, min_length=1)]
    supersedes: Names = ()
    """Older entries of the same or overlapping data."""
    confidence_level: Fraction | None
    """As published; null where the publication states none."""
    approximations: str
    """What this entry leaves out or simplifies."""
    unverified: str = ""
    """Which numbers only memory supports, and so must be checked; empty if there are none."""


def _below_the_entry(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{name!r} must lie beside the entry or in a folder below it")
    return name


CurveFile = Annotated[str, AfterValidator(_below_the_entry)]


class Errors(StrictModel):
    """Unequal standard errors, towards larger and smaller values."""

    up: PositiveFloat
    down: PositiveFloat


class GaussianEntry(_Entry):
    """A measurement with a Gaussian error, or with two halves of Gaussians."""

    type: Literal["gaussian"]
    observable: str
    value: float
    error: PositiveFloat | Errors
    nuisances: dict[str, float] = Field(default_factory=dict)
    """By how much one standard deviation of a nuisance parameter shifts the prediction.

    Entries that name the same nuisance parameter share it; it has a Gaussian prior of mean 0 and
    standard deviation 1 unless a run says otherwise, and is marginalised analytically.
    """

    @model_validator(mode="after")
    def _nuisances_need_one_error(self) -> "GaussianEntry":
        if self.nuisances and isinstance(self.error, Errors):
            raise ValueError("nuisances go with one symmetric error; give one, or drop them")
        return self


class CorrelatedEntry(_Entry):
    """Several observables measured together, with a multivariate Gaussian."""

    type: Literal["correlated"]
    observables: Names
    values: Annotated[tuple[float, ...], Field(strict=False)]
    errors: Annotated[tuple[PositiveFloat, ...], Field(strict=False)]
    correlation: Annotated[
        tuple[Annotated[tuple[float, ...], Field(strict=False)], ...], Field(strict=False)
    ]
    """Matrix of correlation coefficients, row by row."""

    @model_validator(mode="after")
    def _is_a_covariance(self) -> "CorrelatedEntry":
        n = len(self.observables)
        if n < 2 or len(set(self.observables)) < n:
            raise ValueError("at least two different observables are needed")
        if not len(self.values) == len(self.errors) == len(self.correlation) == n:
            raise ValueError(f"values, errors and rows of correlation must be {n} each")
        if any(len(row) != n for row in self.correlation):
            raise ValueError(f"each row of correlation must have {n} numbers")
        matrix = np.array(self.correlation)
        if not (np.allclose(matrix, matrix.T) and np.allclose(np.diag(matrix), 1)):
            raise ValueError("correlation must be symmetric with ones on its diagonal")
        if np.linalg.eigvalsh(matrix).min() <= 0:
            raise ValueError("correlation must be positive definite")
        return self


class CountsEntry(_Entry):
    """Poisson counts."""

    type: Literal["counts"]
    observable: str
    observed: NonNegativeInt
    signal: PositiveFloat
    """Events expected for each unit of the observable."""
    background: NonNegativeFloat = 0.0


class TableEntry(_Entry):
    """A published chi2 as a function of an observable."""

    type: Literal["table"]
    observable: str
    curve: CurveFile
    """CSV table beside the entry: value, chi2."""


class _Exclusion(_Entry):
    soft: SoftSpec
    """How the exclusion fades if a run asks for its soft form."""


class UpperLimitEntry(_Exclusion):
    """An upper limit on an observable."""

    type: Literal["upper_limit"]
    observable: str
    limit: PositiveFloat


class MassFloorEntry(_Exclusion):
    """A lower bound on the mass of particles in thermal contact."""

    type: Literal["mass_floor"]
    electrophilic: PositiveFloat
    """MeV, applies if sqrt(C_Ve^2 + C_Ae^2) > contact."""
    neutrinophilic: PositiveFloat
    """MeV, applies if any |C_nu| > contact."""
    contact: PositiveFloat
    """Coupling above which the Z' is in thermal contact."""


class PromptLimitEntry(_Exclusion):
    """An upper limit on the kinetic mixing of a dark photon that decays at once or unseen."""

    type: Literal["prompt_limit"]
    search: Literal["visible", "invisible", "muon_invisible", "muon_pair"] = "visible"
    """From electrons to electrons, to neutrinos; from muons to neutrinos, to muons."""
    curve: CurveFile
    """CSV table beside the entry: mass_MeV, epsilon."""


class BeamDumpEntry(_Exclusion):
    """A closed region in the kinetic mixing of a dark photon that decays behind a dump."""

    type: Literal["beam_dump"]
    curve: CurveFile
    """CSV table beside the entry: mass_MeV, epsilon_lower, epsilon_upper."""
    length_ratio: PositiveFloat
    """Length of the decay volume over that of the shielding."""


ExclusionEntry = UpperLimitEntry | MassFloorEntry | PromptLimitEntry | BeamDumpEntry
MeasurementEntry = GaussianEntry | CorrelatedEntry | CountsEntry | TableEntry
Entry = MeasurementEntry | ExclusionEntry
MEASUREMENTS = (GaussianEntry, CorrelatedEntry, CountsEntry, TableEntry)


def curve_of(entry: Entry) -> str | None:
    """Name of the table beside an entry, if it has one."""
    return getattr(entry, "curve", None)


def observables_of(entry: Entry) -> tuple[str, ...]:
    """Names of the observables that an entry refers to."""
    if isinstance(entry, CorrelatedEntry):
        return entry.observables
    name = getattr(entry, "observable", None)
    return () if name is None else (name,)


class EntryFile(RootModel[Annotated[Entry, Field(discriminator="type")]]):
    """An entry file."""


class SetFile(StrictModel):
    """A named set of entries."""

    title: str
    description: str
    entries: Names
    exclusions: Literal["hard", "soft"]
    """Form of the exclusions unless a run says otherwise."""
