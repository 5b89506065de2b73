"""Models written as YAML: charges of leptons and quarks, or couplings linear in parameters."""

from collections.abc import Mapping
from dataclasses import replace
from math import sqrt
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import (
    BeforeValidator,
    Field,
    RootModel,
    ValidationInfo,
    field_validator,
    model_validator,
)

from zpfit.io.arrays import FloatArray
from zpfit.io.schema import AlsoAs, Number, StrictModel
from zpfit.models.base import LeptonRelation, Model, Parameter, Values
from zpfit.models.effective import MASS
from zpfit.models.gauge import (
    G_PRIME,
    LARGEST_CHARGES,
    GaugeModel,
    GaugeOptions,
    reaches_hadrons,
)
from zpfit.models.gauge_mixing import FAMILIES, Charges, QuarkCharges
from zpfit.physics.constants import SIN2_THETA_W
from zpfit.physics.couplings import QUARK_NAMES, TABLE, Couplings

EPS = Parameter(
    "eps",
    r"\epsilon",
    "",
    (-0.8, 0.8),
    0.0,
    meaning="kinetic mixing with the photon, c_w times that with hypercharge",
)


_COUPLINGS = tuple(row.name for row in TABLE if row.fermion)
"""Names of the couplings that a file may give."""

ChargeValue = Annotated[float, Field(ge=LARGEST_CHARGES[0], le=LARGEST_CHARGES[1])]


class LeptonCharges(StrictModel):
    """U(1)' charges of a family's doublet (L) and of its right-handed charged lepton (R)."""

    L: ChargeValue
    R: ChargeValue


def _both_charges(value: Any) -> Any:
    if isinstance(value, int | float):
        return {"L": value, "R": value}
    if isinstance(value, dict):
        return value
    raise ValueError(f"must be a number, or a mapping with L and R, not {value!r}")


Charge = Annotated[LeptonCharges, BeforeValidator(_both_charges), AlsoAs("number")]
"""Charges of a family; a number stands for both."""


class QuarkChargesTable(StrictModel):
    """U(1)' charges of the left-handed doublet (L) and of the right-handed u and d (R) quarks."""

    L: ChargeValue
    u: ChargeValue
    d: ChargeValue


def _all_charges(value: Any) -> Any:
    if isinstance(value, int | float):
        return {"L": value, "u": value, "d": value}
    if isinstance(value, dict):
        return value
    raise ValueError(f"must be a number, or a mapping with L, u and d, not {value!r}")


QuarkCharge = Annotated[QuarkChargesTable, BeforeValidator(_all_charges), AlsoAs("number")]
"""Charges of the quarks of all families; a number stands for all three."""


class ChargesTable(StrictModel):
    """Charges under U(1)'."""

    e: Charge
    mu: Charge
    tau: Charge
    H: ChargeValue = 0.0
    """Charge of the Higgs doublet."""
    quarks: QuarkCharge = QuarkChargesTable(L=0.0, u=0.0, d=0.0)
    """Charges of the quarks of all families, or of the first one."""
    quarks_second: QuarkCharge | None = None
    """Charges of c and s, where they differ from those of u and d."""
    quarks_third: QuarkCharge | None = None
    """Charges of t and b, where they differ from those of u and d."""

    def families_of_quarks(self) -> tuple[QuarkChargesTable, ...]:
        """Return the charges of all families in one table, or one table for each."""
        if self.quarks_second is None and self.quarks_third is None:
            return (self.quarks,)
        return self.quarks, self.quarks_second or self.quarks, self.quarks_third or self.quarks


class _DarkSector(StrictModel):
    """The dark sector of a model; runs may change the number."""

    width_dark: Annotated[float, Field(ge=0, le=1e4)] | None = None
    """Width into a dark sector, MeV."""
    br_dark: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Branching ratio into a dark sector."""

    @model_validator(mode="after")
    def _one_dark_width(self) -> Self:
        if self.width_dark is not None and self.br_dark is not None:
            raise ValueError("width_dark and br_dark are both given; drop one of them")
        return self


class ChargesFile(_DarkSector):
    """A U(1)' with given charges."""

    type: Literal["charges"]
    title: str
    description: str
    reference: str
    charges: ChargesTable


class ParameterSpec(StrictModel):
    """A parameter on which couplings depend linearly."""

    symbol: str
    """LaTeX, without dollar signs."""
    unit: str = ""
    """Unit in labels; empty if dimensionless."""
    meaning: str = ""
    largest: Annotated[float, Field(gt=0, le=1e30)] = 1.0
    """Largest absolute value."""
    default: float | None = None

    @model_validator(mode="after")
    def _default_is_in_the_domain(self) -> "ParameterSpec":
        if self.default is not None and abs(self.default) > self.largest:
            raise ValueError(f"default ({self.default:g}) is beyond largest ({self.largest:g})")
        return self


class CouplingsFile(_DarkSector):
    """A Z' whose couplings are sums of parameters with given coefficients."""

    type: Literal["couplings"]
    title: str
    description: str
    reference: str
    parameters: dict[str, ParameterSpec]
    couplings: dict[str, dict[str, Number]]

    @field_validator("parameters")
    @classmethod
    def _mass_is_left_out(cls, parameters: dict[str, ParameterSpec]) -> dict[str, ParameterSpec]:
        if MASS.name in parameters:
            raise ValueError(f"{MASS.name} is a parameter of every model; leave it out")
        return parameters

    @field_validator("couplings")
    @classmethod
    def _names_are_known(
        cls, couplings: dict[str, dict[str, float]], info: ValidationInfo
    ) -> dict[str, dict[str, float]]:
        parameters = info.data.get("parameters")
        known = _COUPLINGS
        if not couplings:
            raise ValueError(f"there are no couplings; give some of {', '.join(known)}")
        for coupling, terms in couplings.items():
            if coupling not in known:
                raise ValueError(f"unknown coupling {coupling!r}; known: {', '.join(known)}")
            if not terms:
                raise ValueError(f"coupling {coupling} has no terms; leave it out if it is zero")
            for name in terms:
                if parameters is not None and name not in parameters:
                    raise ValueError(
                        f"coupling {coupling} uses {name!r}, which is not among the parameters "
                        f"({', '.join(parameters)})"
                    )
        unused = set(parameters or ()) - {name for terms in couplings.values() for name in terms}
        if unused:
            raise ValueError(f"no coupling uses {', '.join(sorted(unused))}; leave it out")
        return couplings


class ModelFile(RootModel[Annotated[ChargesFile | CouplingsFile, Field(discriminator="type")]]):
    """Content of a model file."""


class _FileModel(Model):
    """A model with name, description and reference from a file."""

    name = ""
    description = ""
    reference = ""

    def _set_texts(self, name: str, file: ChargesFile | CouplingsFile) -> None:
        self.name, self.description, self.reference = name, file.description, file.reference


class ChargesModel(_FileModel, GaugeModel):
    """A U(1)' with charges from a file."""

    def __init__(self, name: str, file: ChargesFile, options: GaugeOptions | None = None) -> None:
        super().__init__(options)
        self._set_texts(name, file)
        self._file = file
        table = file.charges
        rows = [table.e, table.mu, table.tau]
        self._left = (table.e.L, table.mu.L, table.tau.L)
        mismatches = [table.H + row.R - row.L for row in rows]
        self._mismatch = (mismatches[0], mismatches[1], mismatches[2])
        families = table.families_of_quarks()
        self._quarks, *heavier = (QuarkCharges(q.L, q.u - q.L, q.L - q.d) for q in families)
        self._heavier = (heavier[0], heavier[1]) if heavier else None
        charges = (
            table.H,
            *(z for quarks in families for z in (quarks.L, quarks.u, quarks.d)),
            *(z for row in rows for z in (row.L, row.R)),
        )
        self._neutral = not any(charges)

    @property
    def formulas(self) -> tuple[str, ...]:
        """The charges, and the couplings that follow."""
        mixing = (
            "g_t = -g_1 eps_Y / sqrt(1 - eps_Y^2) and eps_Y = eps / c_w, so that the mixing "
            "couples as -e eps Q; route exact adds terms in m_Zp^2/m_Z^2"
        )
        if self._neutral:
            return (
                "C_V  = -c_w^2 g_t = e eps,   C_A = 0,   C_nu = 0",
                "C_Vu = -(2/3) e eps,   C_Vd = (1/3) e eps",
                f"with {mixing}",
            )
        return (
            *_charges_in_words(self._file.charges),
            "C_V  = -c_w^2 g_t + g' [(z_L + z_R)/2 - (1/2 - 2 s_w^2) z_H]",
            "C_A  = g' (z_H + z_R - z_L) / 2",
            "C_nu = g' (z_L + z_H)",
            (
                "C_Vu = (2/3) c_w^2 g_t + g' [(z_q + z_u)/2 + (1/2 - 4/3 s_w^2) z_H],   "
                "C_Au = g' (z_u - z_q - z_H) / 2"
            ),
            (
                "C_Vd = -(1/3) c_w^2 g_t + g' [(z_q + z_d)/2 - (1/2 - 2/3 s_w^2) z_H],   "
                "C_Ad = g' (z_d - z_q + z_H) / 2"
            ),
            f"with {mixing}",
        )

    @property
    def charge_parameters(self) -> tuple[Parameter, ...]:
        """Mixing, and g' unless every charge is zero."""
        if self._neutral:
            return (replace(EPS, default=None),)
        return (G_PRIME, EPS)

    @property
    def optional(self) -> tuple[Parameter, ...]:
        """No further parameters, as the file gives the quarks' charges."""
        return ()

    def lepton_relation(
        self,
        supports: Mapping[str, tuple[float, float]],  # noqa: ARG002 - of the base
    ) -> None:
        """Return None: with every charge given, the couplings have fixed ratios."""
        return

    def charges(self, values: Values) -> Charges:
        """Return the gauge sector at n points."""
        eps = values["eps"] / sqrt(1 - SIN2_THETA_W)
        # Without charges of leptons and Higgs, g' and the singlet's charge enter as a product.
        g_prime = np.ones_like(eps) if self._neutral else values["g_prime"]
        z_higgs = self._file.charges.H
        quarks = self._quarks, self._heavier
        return Charges(g_prime, eps, z_higgs, 0.0, self._left, self._mismatch, *quarks)


def _charges_in_words(table: ChargesTable) -> tuple[str, str]:
    """Return a line on the charges of leptons and Higgs, and one on those of quarks by family."""
    rows = zip(FAMILIES, (table.e, table.mu, table.tau), strict=True)
    leptons = ", ".join(f"{family}: L {row.L:g}, R {row.R:g}" for family, row in rows)
    families = table.families_of_quarks()
    quarks = "; ".join(f"L {q.L:g}, u {q.u:g}, d {q.d:g}" for q in families)
    return f"charges {leptons}; H {table.H:g}", f"charges of quarks: {quarks}"


class LinearModel(_FileModel):
    """Couplings that are linear in a few parameters, from a file."""

    def __init__(self, name: str, file: CouplingsFile) -> None:
        self._set_texts(name, file)
        self._file = file

    @property
    def formulas(self) -> tuple[str, ...]:
        """The sums of the file."""
        return tuple(
            f"{coupling} = " + " + ".join(f"{factor:g} {name}" for name, factor in terms.items())
            for coupling, terms in self._file.couplings.items()
        )

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The mass and the file's parameters."""
        own = (
            Parameter(
                name,
                spec.symbol,
                spec.unit,
                (-spec.largest, spec.largest),
                spec.default,
                spec.meaning,
            )
            for name, spec in self._file.parameters.items()
        )
        return (MASS, *own)

    def couplings(self, values: Values) -> Couplings:
        """Return couplings at n points."""
        rows: dict[str, Any] = {
            coupling: sum(factor * values[name] for name, factor in terms.items())
            for coupling, terms in self._file.couplings.items()
        }
        return Couplings(m_Zp=values[MASS.name], **rows)

    def lepton_relation(self, supports: Mapping[str, tuple[float, float]]) -> LeptonRelation | None:
        """Return the relations that the factors of the file obey, or None."""
        if reaches_hadrons(supports) and not self._file.couplings.keys().isdisjoint(QUARK_NAMES):
            return None
        rows = {name: self._row(name) for name in _COUPLINGS}
        electron = rows["C_Ve"] - rows["C_Ae"] - rows["C_nue"]
        muon = rows["C_Vmu"] - rows["C_Amu"] - rows["C_numu"]
        if np.any(electron != muon) or np.any(rows["C_nutau"]):
            return None
        sizes = np.array([max(map(abs, supports[name])) for name in self._file.parameters])
        reach = {name: float(np.abs(row) @ sizes) for name, row in rows.items()}
        return LeptonRelation(
            universal_axial=bool(np.all(rows["C_Ae"] == rows["C_Amu"])),
            largest=(reach["C_Ve"], reach["C_Ae"], reach["C_nue"], reach["C_numu"]),
        )

    def _row(self, coupling: str) -> FloatArray:
        """Return the factors of the parameters in a coupling."""
        terms = self._file.couplings.get(coupling, {})
        return np.array([terms.get(name, 0.0) for name in self._file.parameters])
