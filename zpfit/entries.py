"""What a data entry and a named set of entries hold: one YAML file per published result."""

from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveFloat, RootModel

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


def _below_the_entry(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{name!r} must lie beside the entry or in a folder below it")
    return name


CurveFile = Annotated[str, AfterValidator(_below_the_entry)]


class GaussianEntry(_Entry):
    """A measurement with a symmetric Gaussian error."""

    type: Literal["gaussian"]
    observable: str
    value: float
    error: PositiveFloat


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
    """An upper limit on the kinetic mixing of a promptly and visibly decaying dark photon."""

    type: Literal["prompt_limit"]
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
Entry = GaussianEntry | ExclusionEntry


class EntryFile(RootModel[Annotated[Entry, Field(discriminator="type")]]):
    """An entry file."""


class SetFile(StrictModel):
    """A named set of entries."""

    title: str
    description: str
    entries: Names
    exclusions: Literal["hard", "soft"]
    """Form of the exclusions unless a run says otherwise."""
