"""Data entries and named sets of entries: one YAML file per published result."""

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import (
    Discriminator,
    Field,
    RootModel,
    Tag,
    ValidationInfo,
    field_validator,
)

from zpfit.io.schema import Names, NonNegative, Number, Positive, StrictModel
from zpfit.likelihood.entry_base import CurveFile, EntryBase
from zpfit.likelihood.exclusions import ExclusionEntry
from zpfit.likelihood.observables import ObservableRef, PythonObservable

Rows = tuple[Any, ...]
Matrix = tuple[Annotated[tuple[Number, ...], Field(strict=False)], ...]
_LEAST_EIGENVALUE = 1e-9
"""Smallest eigenvalue allowed for a matrix of correlation coefficients.

Inverting the matrix loses about as many digits as 1 over this has; 1e-9 leaves seven.
"""


class Errors(StrictModel):
    """Unequal standard errors, upwards and downwards."""

    up: Positive
    down: Positive


class GaussianEntry(EntryBase):
    """A measurement with a Gaussian error, or with two halves of Gaussians."""

    type: Literal["gaussian"]
    observable: ObservableRef
    value: Number
    error: Annotated[
        Annotated[Positive, Tag("one")] | Annotated[Errors, Tag("two")],
        Discriminator(lambda error: "two" if isinstance(error, dict | Errors) else "one"),
    ]
    nuisances: dict[str, Number] = Field(default_factory=dict)
    """Shift of the prediction by one standard deviation of each nuisance parameter.

    Entries that name the same nuisance parameter share it. It has a Gaussian prior of mean 0 and
    standard deviation 1, unless a run sets another width, and is marginalised analytically.
    """
    vacuum_polarisation: Literal["lattice", "dispersive"] | None = None
    """Origin of the hadronic vacuum polarisation in the prediction of a magnetic moment: lattice
    QCD, or e+ e- data by dispersion relations. One likelihood takes one for all moments."""

    @field_validator("nuisances")
    @classmethod
    def _need_one_error(cls, given: dict[str, float], info: ValidationInfo) -> dict[str, float]:
        if given and isinstance(info.data.get("error"), Errors):
            raise ValueError("nuisances go with one symmetric error; give one, or drop them")
        return given


class CorrelatedEntry(EntryBase):
    """Several observables measured together, with a multivariate Gaussian."""

    type: Literal["correlated"]
    observables: Annotated[tuple[ObservableRef, ...], Field(strict=False, max_length=1000)]
    values: Annotated[tuple[Number, ...], Field(strict=False)]
    errors: Annotated[tuple[Positive, ...], Field(strict=False)]
    correlation: Annotated[Matrix, Field(strict=False)]
    """Matrix of correlation coefficients, row by row."""

    @field_validator("observables")
    @classmethod
    def _are_several(
        cls, observables: tuple[str | PythonObservable, ...]
    ) -> tuple[str | PythonObservable, ...]:
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
        # A linear combination with almost no error would be determined by rounding alone.
        if np.linalg.eigvalsh(matrix).min() < _LEAST_EIGENVALUE:
            raise ValueError("must be positive definite; leave out what follows from the rest")
        return rows


class CountsEntry(EntryBase):
    """Poisson counts."""

    type: Literal["counts"]
    observable: ObservableRef
    observed: Annotated[int, Field(ge=0, le=10**12)]
    signal: Positive
    """Expected events per unit of the observable."""
    background: NonNegative = 0.0


class TableEntry(EntryBase):
    """A published chi2 as a function of an observable."""

    type: Literal["table"]
    observable: ObservableRef
    curve: CurveFile
    """CSV table beside the entry: value, chi2."""


class BinnedEntry(EntryBase):
    """Poisson counts in bins, with templates of backgrounds.

    The observable has a spectrum: it predicts the signal's events in each bin. The scales of
    signal and backgrounds are profiled.
    """

    type: Literal["binned"]
    observable: ObservableRef
    curve: CurveFile
    """CSV table beside the entry with a row for each bin: ``observed`` and one column for each
    background, by its name. Further columns describe the bins."""
    signal_error: Positive
    """Relative error of the signal, without the nuisance parameters."""
    backgrounds: dict[str, Positive] = Field(default_factory=dict)
    """Relative error of each background."""
    nuisances: dict[str, Number] = Field(default_factory=dict)
    """Relative change of the signal by one standard deviation of each nuisance parameter, which
    Gaussian entries may share."""


MeasurementEntry = GaussianEntry | CorrelatedEntry | CountsEntry | TableEntry | BinnedEntry
Entry = MeasurementEntry | ExclusionEntry
MEASUREMENTS = (GaussianEntry, CorrelatedEntry, CountsEntry, TableEntry, BinnedEntry)
"""Classes of entries that hold a measurement, for ``isinstance``."""


def curve_of(entry: Entry) -> str | None:
    """Return the name of the table beside an entry, if it has one."""
    return getattr(entry, "curve", None)


def observables_of(entry: Entry) -> tuple[str | PythonObservable, ...]:
    """Return the observables that an entry refers to."""
    if isinstance(entry, CorrelatedEntry):
        return entry.observables
    name = getattr(entry, "observable", None)
    return () if name is None else (name,)


class EntryFile(RootModel[Annotated[Entry, Field(discriminator="type")]]):
    """Content of an entry file."""


class SetFile(StrictModel):
    """A named set of entries."""

    title: str
    description: str
    base: str | None = None
    """Another set, whose entries this one has as well."""
    drop: Names = ()
    """Entries of the other set that are left out."""
    entries: Names = ()
    exclusions: Literal["hard", "soft"]
    """Default form of the exclusions, which a run can change."""
    anomalies: Names = ()
    """Measurements that the joint sigma is about; by default the magnetic moments."""
