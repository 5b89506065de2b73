"""Exclusions: their entries, the ratio of signal to limit, and the soft forms.

An exclusion compares the signal at a point with a published limit. A *ratio* above 1 is excluded.
A hard exclusion removes such points; a soft one adds a chi2 that grows with the ratio.

To add a soft form, write a subclass of :class:`SoftForm` here and add it to :data:`AnySoftForm`;
the schema of entries and the likelihood then know it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import log
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
)
from scipy.special import ndtri

from zpfit.io.arrays import FloatArray
from zpfit.io.schema import Positive, StrictModel
from zpfit.likelihood.curves import PROMPT_COLUMNS, REGION_COLUMNS, Quantity, read_curve
from zpfit.likelihood.entry_base import CurveFile, EntryBase, Fraction
from zpfit.likelihood.observables import FindObservable, ObservableRef, named_observable
from zpfit.physics.constants import MUON_MASS
from zpfit.physics.cosmology import mass_floor_ratio, mixed_mass_floor_ratio
from zpfit.physics.couplings import QUARK_NAMES, Couplings
from zpfit.physics.dark_photon_limits import (
    dump_ratio,
    invisible_ratio,
    muon_invisible_ratio,
    muon_pair_ratio,
    prompt_ratio,
)
from zpfit.physics.production import Channel
from zpfit.physics.recast import (
    FinalState,
    displaced_ratio,
    region_ratio,
    signal_ratio,
    visible_limit,
)

EXCLUSIONS = "exclusions"
"""Name of all exclusions together, where groups of data are compared."""

_WALL_MARGIN = 1e-4
"""Distance in ln(ratio) that a minimiser keeps from a hard exclusion until its last step.

Rounding may move the minimum across the edge of the allowed region without it.
"""
_MIN_RATIO = 1e-300
"""Ratios are raised to this before their logarithm is taken: without a signal they are zero."""

Ratio = Callable[[Couplings], FloatArray]
"""Function from a batch of n points to signal over limit, shape (n,)."""


class SoftForm(StrictModel, ABC):
    """chi2 of a soft exclusion as a function of the ratio of signal to limit."""

    @abstractmethod
    def chi2(self, ratio: FloatArray) -> FloatArray:
        """Return chi2 where the signal is ``ratio`` times the limit; shapes agree."""

    @abstractmethod
    def ratio_at(self, level: float) -> float:
        """Return the ratio at which a limit of another confidence level lies."""


class HalfGaussian(SoftForm):
    """chi2 = (z ratio^power)^2, z one-sided at the confidence level (1.2816 at 90 %).

    A search without a signal measures a signal strength of zero. The error follows from the
    limit: at a ratio of 1, the strength is z standard errors away.

    Examples
    --------
    >>> form = HalfGaussian(power=2.0, confidence_level=0.9)
    >>> form.chi2(np.array([0.5, 1.0])).round(3).tolist()
    [0.103, 1.642]
    >>> round(form.ratio_at(0.95), 3)  # (1.645 / 1.282)^(1/2)
    1.133
    """

    form: Literal["half_gaussian"] = "half_gaussian"
    power: Annotated[float, Field(gt=0, le=20)]
    """Power of the ratio to which the signal strength is proportional: 2 for a rate that grows
    with the square of the coupling."""
    confidence_level: Fraction

    def chi2(self, ratio: FloatArray) -> FloatArray:
        """Return chi2 where the signal is ``ratio`` times the limit."""
        return (float(ndtri(self.confidence_level)) * ratio**self.power) ** 2

    def ratio_at(self, level: float) -> float:
        """Return the ratio at which the strength is as many errors away as the level says."""
        return float((ndtri(level) / ndtri(self.confidence_level)) ** (1 / self.power))


class ZeroBackground(SoftForm):
    """chi2 = 2 N for N expected events in a search that saw none and expected no background.

    At the edge of the excluded region N = -ln(1 - confidence level), which is 2.30 at 90 %.

    Examples
    --------
    >>> form = ZeroBackground(confidence_level=0.9)
    >>> form.chi2(np.array([0.5, 1.0])).round(3).tolist()
    [2.303, 4.605]
    >>> round(form.ratio_at(0.95), 3)  # 3.00 events over 2.30
    1.301
    """

    form: Literal["zero_background"] = "zero_background"
    confidence_level: Fraction

    def chi2(self, ratio: FloatArray) -> FloatArray:
        """Return chi2 where ``ratio`` times the expected count at the edge is expected."""
        return -2 * log(1 - self.confidence_level) * ratio

    def ratio_at(self, level: float) -> float:
        """Return the ratio of the events that the two levels exclude."""
        return log(1 - level) / log(1 - self.confidence_level)


AnySoftForm = Annotated[HalfGaussian | ZeroBackground, Field(discriminator="form")]
"""A soft form as it is written in an entry."""


@dataclass(frozen=True)
class Exclusion:
    """A published limit or excluded region; a ratio above 1 is excluded."""

    name: str
    ratio: Ratio
    """Function from a batch of n points to signal over limit, shape (n,)."""
    soft_form: SoftForm
    soft: bool = False
    """Add the chi2 of ``soft_form`` instead of removing points with a ratio above 1."""
    stage: int = 0
    """Order of evaluation: cheap exclusions come first, so that expensive ones see fewer points."""
    mass_range: tuple[float, float] | None = None
    """Masses (MeV) that the limit covers; None if it covers all."""
    needs: tuple[str, ...] = ()
    """Couplings that a model must give, see :mod:`zpfit.likelihood.unknown_terms`."""

    def chi2(self, c: Couplings) -> FloatArray:
        """Return the chi2 of the soft form, shape (n,)."""
        return self.soft_form.chi2(self.ratio(c))


def wall_residual(ratio: FloatArray, wall: float) -> FloatArray:
    """Return the penalty residual of a hard exclusion, ``wall * max(ln(ratio) + 1e-4, 0)``.

    Parameters
    ----------
    ratio : array
        Signal over limit, of any shape.
    wall : float
        Height of the penalty. Minimisers raise it until their minimum is allowed.

    Returns
    -------
    array
        Residuals of the same shape. They are continuous and grow into the excluded region, so
        that a minimiser can follow them back.

    Examples
    --------
    >>> wall_residual(np.array([0.5, 1.0, 2.0]), 10.0).round(3).tolist()
    [0.0, 0.001, 6.932]
    """
    depth = np.log(np.maximum(ratio, _MIN_RATIO)) + _WALL_MARGIN
    return wall * np.maximum(depth, 0)


class ExclusionBase(EntryBase, ABC):
    """Keys of every entry of an exclusion."""

    soft: AnySoftForm
    """Form of the exclusion where a run asks for a soft one."""

    @abstractmethod
    def exclusion(
        self,
        name: str,
        table: Path,
        *,
        soft: bool,
        find: FindObservable = named_observable,
    ) -> Exclusion:
        """Return the term that this entry adds to a likelihood.

        Parameters
        ----------
        name : str
            Name of the entry.
        table : Path
            File with the table of the entry; not read if the entry needs none.
        soft : bool
            Use the soft form.
        find : callable
            Returns the observable that the entry refers to.

        Raises
        ------
        UnreadableFile, InvalidCurve
            The table cannot be read.
        """


class UpperLimitEntry(ExclusionBase):
    """An upper limit on an observable."""

    type: Literal["upper_limit"]
    observable: ObservableRef
    limit: Positive
    mass_range: Annotated[tuple[Positive, Positive], Field(strict=False)] | None = None
    """Smallest and largest mass of the Z' (MeV) that the search covers; null if it covers all."""

    @field_validator("mass_range")
    @classmethod
    def _is_ordered(cls, given: tuple[float, float] | None) -> tuple[float, float] | None:
        if given is not None and given[0] >= given[1]:
            raise ValueError(f"{given[0]:g} is not below {given[1]:g}; give the smaller mass first")
        return given

    def exclusion(
        self,
        name: str,
        table: Path,  # noqa: ARG002
        *,
        soft: bool,
        find: FindObservable = named_observable,
    ) -> Exclusion:
        """Return the term: the observable over its limit."""
        observable = find(self.observable)
        function = observable.function
        # No division where the observable is a ratio already.
        ratio: Ratio = function if self.limit == 1 else OverLimit(function, self.limit)
        if self.mass_range is not None:
            ratio = WithinMasses(ratio, *self.mass_range)
        stage = 0 if _COSTLY_ROWS.isdisjoint(observable.reads) else _RECAST_STAGE
        return Exclusion(
            name, ratio, self.soft, soft, stage, self.mass_range, needs=observable.needs
        )


class MassFloorEntry(ExclusionBase):
    """A lower bound on the mass of particles in thermal contact."""

    type: Literal["mass_floor"]
    electrophilic: Positive
    """MeV, applies if sqrt(C_Ve^2 + C_Ae^2) > contact."""
    neutrinophilic: Positive
    """MeV, applies if any |C_nu| > contact."""
    contact: Positive
    """Coupling above which the Z' is in thermal contact."""
    applies_to: Literal["all", "mixed"] = "all"
    """``mixed``: only where electrons and neutrinos both couple, beside a measurement of N_eff."""

    def exclusion(
        self,
        name: str,
        table: Path,  # noqa: ARG002
        *,
        soft: bool,
        find: FindObservable = named_observable,  # noqa: ARG002
    ) -> Exclusion:
        """Return the term: the lowest allowed mass over the mass."""
        ratio = partial(
            mass_floor_ratio if self.applies_to == "all" else mixed_mass_floor_ratio,
            electrophilic=self.electrophilic,
            neutrinophilic=self.neutrinophilic,
            contact=self.contact,
        )
        return Exclusion(name, ratio, self.soft, soft)


Search = Literal["visible", "invisible", "muon_invisible", "muon_pair"]

_PROMPT_RATIOS: dict[Search, Callable[..., FloatArray]] = {
    "visible": prompt_ratio,
    "invisible": invisible_ratio,
    "muon_invisible": muon_invisible_ratio,
    "muon_pair": muon_pair_ratio,
}
FINAL_STATES: dict[Search, FinalState] = {"visible": "electrons", "invisible": "invisible"}
"""Final states of the searches that allow any production."""


class CurveBase(ExclusionBase, ABC):
    """Keys of every entry with a curve in the kinetic mixing."""

    quantity: Quantity = "epsilon"
    """``epsilon2`` if the table holds squares of the kinetic mixing."""

    @model_serializer(mode="wrap")
    def _without_default(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out the usual quantity, so that entries without the key keep their hash."""
        content: dict[str, Any] = handler(self)
        if self.quantity == "epsilon":
            del content["quantity"]
        return content


class PromptLimitEntry(CurveBase):
    """An upper limit on the kinetic mixing of a dark photon with prompt or invisible decays."""

    type: Literal["prompt_limit"]
    search: Search = "visible"
    """Radiation from electrons with decays to electrons (visible) or neutrinos (invisible);
    radiation from muons with decays to neutrinos (muon_invisible) or muons (muon_pair)."""
    production: Channel = "electron"
    """Process that makes the Z' of a visible or invisible search, where it is not radiation from
    electrons."""
    curve: CurveFile
    """Table beside the entry: CSV with mass_MeV, epsilon, or a DarkCast file of two columns."""

    @field_validator("production")
    @classmethod
    def _suits_the_search(cls, given: Channel, info: ValidationInfo) -> Channel:
        search = info.data.get("search", "visible")
        if given != "electron" and search not in FINAL_STATES:
            raise ValueError(f"in the search {search} muons radiate the Z'; drop production")
        return given

    def exclusion(
        self,
        name: str,
        table: Path,
        *,
        soft: bool,
        find: FindObservable = named_observable,  # noqa: ARG002
    ) -> Exclusion:
        """Return the term: the limit recast to a point's couplings and branching ratios."""
        curve = read_curve(table, PROMPT_COLUMNS, self.quantity)
        coupling = visible_limit(curve) if self.search == "visible" else curve
        ratio = partial(_PROMPT_RATIOS[self.search], curve=coupling)
        stage = _CURVE_STAGE
        if self.production != "electron":
            final_state = FINAL_STATES[self.search]
            ratio = partial(
                signal_ratio, curve=curve, channel=self.production, final_state=final_state
            )
            stage = _RECAST_STAGE
        return Exclusion(name, ratio, self.soft, soft, stage, _mass_range(curve))

    @staticmethod
    def default_soft_form(confidence_level: float) -> AnySoftForm:
        """Return the form for a limit whose file states none: a rate grows with coupling^2."""
        return HalfGaussian(power=2.0, confidence_level=confidence_level)


VisibleState = Literal["electrons", "muons"]
"""Decay of the Z' in a detector behind a dump."""


class BeamDumpEntry(CurveBase):
    """A closed region in the kinetic mixing of a dark photon that decays behind a dump."""

    type: Literal["beam_dump"]
    curve: CurveFile
    """Table beside the entry: CSV with mass_MeV, epsilon_lower, epsilon_upper, or a DarkCast file
    of three columns."""
    length_ratio: Positive
    """Length of the decay volume over that of the shielding."""
    production: Channel = "electron"
    """Process that makes the Z'."""
    final_state: VisibleState = "electrons"
    """Decay of the Z' in the detector."""

    def exclusion(
        self,
        name: str,
        table: Path,
        *,
        soft: bool,
        find: FindObservable = named_observable,  # noqa: ARG002
    ) -> Exclusion:
        """Return the term: expected events over those at the edge of the region."""
        region = read_curve(table, REGION_COLUMNS, self.quantity)
        ratio = partial(dump_ratio, region=region, length_ratio=self.length_ratio)
        stage = _CURVE_STAGE
        only_electrons = self.final_state == "electrons" and region[-1, 0] < log(2 * MUON_MASS)
        if self.production != "electron" or not only_electrons:
            ratio = partial(
                displaced_ratio,
                region=region,
                length_ratio=self.length_ratio,
                channel=self.production,
                final_state=self.final_state,
            )
            stage = _RECAST_STAGE
        return Exclusion(name, ratio, self.soft, soft, stage, _mass_range(region))

    @staticmethod
    def default_soft_form(confidence_level: float) -> AnySoftForm:
        """Return the form for a region whose file states none: no background is expected."""
        return ZeroBackground(confidence_level=confidence_level)


class ClosedRegionEntry(CurveBase):
    """A closed region in the kinetic mixing of a dark photon that does not depend on its decays."""

    type: Literal["closed_region"]
    curve: CurveFile
    """Table beside the entry: CSV with mass_MeV, epsilon_lower, epsilon_upper, or a DarkCast file
    of three columns."""
    production: Channel
    """Process that makes the Z'."""

    def exclusion(
        self,
        name: str,
        table: Path,
        *,
        soft: bool,
        find: FindObservable = named_observable,  # noqa: ARG002
    ) -> Exclusion:
        """Return the term: how far the coupling lies inside the region."""
        region = read_curve(table, REGION_COLUMNS, self.quantity)
        ratio = partial(region_ratio, region=region, channel=self.production)
        return Exclusion(name, ratio, self.soft, soft, _RECAST_STAGE, _mass_range(region))


CurveEntry = PromptLimitEntry | BeamDumpEntry | ClosedRegionEntry
"""Entries with a curve in the kinetic mixing."""

ExclusionEntry = UpperLimitEntry | MassFloorEntry | CurveEntry

_CURVE_STAGE = 1
"""Stage of exclusions that interpolate a curve; closed formulas are cheaper and come first."""
_RECAST_STAGE = 2
"""Stage of exclusions that also compute a production ratio, or read :data:`_COSTLY_ROWS`."""
_COSTLY_ROWS = frozenset({"width_dark", *QUARK_NAMES})
"""Inputs that cost more than a closed formula: branching ratios, which read the dark width, need
all widths, and models compute quark couplings only when one is read."""


@dataclass(frozen=True)
class OverLimit:
    """An observable over its limit; a class, as closures cannot be sent to worker processes."""

    function: Callable[[Couplings], FloatArray]
    limit: float

    def __call__(self, c: Couplings) -> FloatArray:
        """Return the ratio at n points."""
        return self.function(c) / self.limit


@dataclass(frozen=True)
class WithinMasses:
    """A ratio that is zero at masses (MeV) that the search does not cover."""

    ratio: Ratio
    lowest: float
    highest: float

    def __call__(self, c: Couplings) -> FloatArray:
        """Return the ratio at n points."""
        covered = (c.m_Zp >= self.lowest) & (c.m_Zp <= self.highest)
        return np.where(covered, self.ratio(c), 0.0)


def _mass_range(table: FloatArray) -> tuple[float, float]:
    """Return the smallest and largest mass (MeV) of a table whose first column is ln(mass)."""
    first, last = np.exp(table[[0, -1], 0])
    return float(first), float(last)
