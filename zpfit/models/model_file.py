"""Models written as YAML: charges of the leptons, or couplings linear in parameters."""

from collections.abc import Mapping
from dataclasses import replace
from math import sqrt
from typing import Annotated, Any, Literal

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
from zpfit.models.gauge import G_PRIME, LARGEST_CHARGES, GaugeModel, GaugeOptions
from zpfit.models.gauge_mixing import FAMILIES, Charges
from zpfit.physics.constants import SIN2_THETA_W
from zpfit.physics.couplings import COUPLING_NAMES, Couplings

EPS = Parameter(
    "eps",
    r"\epsilon",
    "",
    (-0.8, 0.8),
    0.0,
    meaning="kinetic mixing with the photon, c_w times that with hypercharge",
)


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


class ChargesTable(StrictModel):
    """Charges under U(1)'."""

    e: Charge
    mu: Charge
    tau: Charge
    H: ChargeValue = 0.0
    """Charge of the Higgs doublet."""


class ChargesFile(StrictModel):
    """A U(1)' with given charges."""

    type: Literal["charges"]
    title: str
    description: str
    reference: str
    charges: ChargesTable


class ParameterSpec(StrictModel):
    """A parameter on which couplings depend linearly."""

    symbol: str
    meaning: str = ""
    largest: Annotated[float, Field(gt=0, le=1e30)] = 1.0
    """Largest absolute value."""
    default: float | None = None

    @model_validator(mode="after")
    def _default_is_in_the_domain(self) -> "ParameterSpec":
        if self.default is not None and abs(self.default) > self.largest:
            raise ValueError(f"default ({self.default:g}) is beyond largest ({self.largest:g})")
        return self


class CouplingsFile(StrictModel):
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
        known = COUPLING_NAMES[1:]
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
        self._neutral = not table.H and not any(row.L or row.R for row in rows)

    @property
    def formulas(self) -> tuple[str, ...]:
        """The charges, and the couplings that follow."""
        mixing = (
            "g_t = -g_1 eps_Y / sqrt(1 - eps_Y^2) and eps_Y = eps / c_w, so that the mixing "
            "couples as -e eps Q; route exact adds terms in m_Zp^2/m_Z^2"
        )
        if self._neutral:
            return ("C_V  = -c_w^2 g_t = e eps,   C_A = 0,   C_nu = 0", f"with {mixing}")
        table = self._file.charges
        rows = zip(FAMILIES, (table.e, table.mu, table.tau), strict=True)
        charges = ", ".join(f"{family}: L {row.L:g}, R {row.R:g}" for family, row in rows)
        return (
            f"charges {charges}; H {table.H:g}",
            "C_V  = -c_w^2 g_t + g' [(z_L + z_R)/2 - (1/2 - 2 s_w^2) z_H]",
            "C_A  = g' (z_H + z_R - z_L) / 2",
            "C_nu = g' (z_L + z_H)",
            f"with {mixing}",
        )

    @property
    def charge_parameters(self) -> tuple[Parameter, ...]:
        """Mixing, and g' unless every charge is zero."""
        if self._neutral:
            return (replace(EPS, default=None),)
        return (G_PRIME, EPS)

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
        return Charges(g_prime, eps, self._file.charges.H, 0.0, self._left, self._mismatch)


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
                name, spec.symbol, "", (-spec.largest, spec.largest), spec.default, spec.meaning
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
        rows = {name: self._row(name) for name in COUPLING_NAMES[1:]}
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
