"""What a data entry and a named set of entries hold: one YAML file per published result."""

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    RootModel,
    Tag,
    ValidationInfo,
    field_validator,
)

from zpfit.io.schema import Names, NonNegative, Number, Positive, StrictModel

Fraction = Annotated[float, Field(gt=0, lt=1)]


Rows = tuple[Any, ...]
Matrix = tuple[Annotated[tuple[Number, ...], Field(strict=False)], ...]
_LEAST_EIGENVALUE = 1e-9
"""Of a matrix of correlation coefficients."""


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
    power: Annotated[float, Field(gt=0, le=20)]
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

    up: Positive
    down: Positive


class GaussianEntry(_Entry):
    """A measurement with a Gaussian error, or with two halves of Gaussians."""

    type: Literal["gaussian"]
    observable: str
    value: Number
    error: Annotated[
        Annotated[Positive, Tag("one")] | Annotated[Errors, Tag("two")],
        Discriminator(lambda error: "two" if isinstance(error, dict | Errors) else "one"),
    ]
    nuisances: dict[str, Number] = Field(default_factory=dict)
    """By how much one standard deviation of a nuisance parameter shifts the prediction.

    Entries that name the same nuisance parameter share it; it has a Gaussian prior of mean 0 and
    standard deviation 1 unless a run says otherwise, and is marginalised analytically.
    """

    @field_validator("nuisances")
    @classmethod
    def _need_one_error(cls, given: dict[str, float], info: ValidationInfo) -> dict[str, float]:
        if given and isinstance(info.data.get("error"), Errors):
            raise ValueError("nuisances go with one symmetric error; give one, or drop them")
        return given


class CorrelatedEntry(_Entry):
    """Several observables measured together, with a multivariate Gaussian."""

    type: Literal["correlated"]
    observables: Names
    values: Annotated[tuple[Number, ...], Field(strict=False)]
    errors: Annotated[tuple[Positive, ...], Field(strict=False)]
    correlation: Annotated[Matrix, Field(strict=False)]
    """Matrix of correlation coefficients, row by row."""

    @field_validator("observables")
    @classmethod
    def _are_several(cls, observables: tuple[str, ...]) -> tuple[str, ...]:
        if len(observables) < 2 or len(set(observables)) < len(observables):
            raise ValueError("at least two different observables are needed")
        return observables

    @field_validator("values", "errors", "correlation")
    @classmethod
    def _one_for_each_observable(cls, given: Rows, info: ValidationInfo) -> Rows:
        n = len(info.data.get("observables", given))
        if len(given) != n:
            raise ValueError(f"{n} are needed, one for each observable, not {len(given)}")
        return given

    @field_validator("correlation")
    @classmethod
    def _is_positive_definite(cls, rows: Matrix) -> Matrix:
        if any(len(row) != len(rows) for row in rows):
            raise ValueError(f"each row must have {len(rows)} numbers")
        matrix = np.array(rows)
        if not (np.allclose(matrix, matrix.T) and np.allclose(np.diag(matrix), 1)):
            raise ValueError("must be symmetric with ones on its diagonal")
        # What is left of a deviation must not drown in the rounding of the coefficients.
        if np.linalg.eigvalsh(matrix).min() < _LEAST_EIGENVALUE:
            raise ValueError("must be positive definite; leave out what follows from the rest")
        return rows


class CountsEntry(_Entry):
    """Poisson counts."""

    type: Literal["counts"]
    observable: str
    observed: Annotated[int, Field(ge=0, le=10**12)]
    signal: Positive
    """Events expected for each unit of the observable."""
    background: NonNegative = 0.0


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
    limit: Positive


class MassFloorEntry(_Exclusion):
    """A lower bound on the mass of particles in thermal contact."""

    type: Literal["mass_floor"]
    electrophilic: Positive
    """MeV, applies if sqrt(C_Ve^2 + C_Ae^2) > contact."""
    neutrinophilic: Positive
    """MeV, applies if any |C_nu| > contact."""
    contact: Positive
    """Coupling above which the Z' is in thermal contact."""


Search = Literal["visible", "invisible", "muon_invisible", "muon_pair"]


class PromptLimitEntry(_Exclusion):
    """An upper limit on the kinetic mixing of a dark photon that decays at once or unseen."""

    type: Literal["prompt_limit"]
    search: Search = "visible"
    """From electrons to electrons, to neutrinos; from muons to neutrinos, to muons."""
    curve: CurveFile
    """Table beside the entry: CSV with mass_MeV, epsilon, or a DarkCast file of two columns."""


class BeamDumpEntry(_Exclusion):
    """A closed region in the kinetic mixing of a dark photon that decays behind a dump."""

    type: Literal["beam_dump"]
    curve: CurveFile
    """Table beside the entry: CSV with mass_MeV, epsilon_lower, epsilon_upper, or a DarkCast file
    of three columns."""
    length_ratio: Positive
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
