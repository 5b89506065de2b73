"""Several Higgs doublets with a U(1)'."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from zpfit.io.arrays import FloatArray
from zpfit.models.base import LeptonRelation, Model, Parameter, Values
from zpfit.models.gauge import (
    EPS_Y,
    G_PRIME,
    LEFT_CHARGES,
    Z_Q,
    GaugeModel,
    GaugeOptions,
    charge,
    fixed_to_zero,
    reaches_hadrons,
)
from zpfit.models.gauge_mixing import Charges, QuarkCharges
from zpfit.models.sm_u1 import StandardModelU1

_LARGEST_RATIO = 1e6
"""Largest ratio of vevs for which the model is defined; its inverse is the smallest."""


class NHDMOptions(GaugeOptions):
    """Options of a model with several doublets."""

    doublets: Annotated[int, Field(ge=2, le=10)] = 2
    """Number of doublets; the last one gives the leptons their mass."""
    u_doublet: Annotated[int, Field(ge=1, le=10)] = 1
    """Number of the doublet that gives up-type quarks their mass."""
    d_doublet: Annotated[int, Field(ge=1, le=10)] = 1
    """Number of the doublet that gives down-type quarks their mass."""

    @model_validator(mode="after")
    def _quarks_have_a_doublet(self) -> "NHDMOptions":
        for name in ("u_doublet", "d_doublet"):
            if getattr(self, name) > self.doublets:
                raise ValueError(f"{name} ({getattr(self, name)}) exceeds doublets; lower it")
        return self


class NHiggsDoubletU1(GaugeModel):
    """N doublets of different charges; the last one gives the leptons their mass."""

    name = "nhdm_u1"
    description = (
        "Higgs doublets H_1 to H_N (two unless the option doublets says more) with a U(1)' broken "
        "by them and a singlet; H_N alone couples to leptons, so z_R = z_L - z_N and the axial "
        "coupling is the same for all families. Vevs: v_1 = v cos(beta_1), v_2 = v sin(beta_1) "
        "cos(beta_2), ..., v_N = v sin(beta_1) ... sin(beta_N-1)."
    )
    reference = "Eqs. (25)-(30) of arXiv:2102.07781"
    formulas = (
        (
            "C_V  = -c_w^2 g_t + g' [z_L + a/2 - (1 - 2 s_w^2) z],   C_A = g' a / 2,   "
            "C_nu = g' (z_L + z)"
        ),
        "with z = sum v_i^2 z_i / v^2 and a = z - z_N; two doublets: a = cos^2(beta) (z_1 - z_2)",
        "with g_t = -g_1 eps_Y / sqrt(1 - eps_Y^2); route exact adds terms in m_Zp^2/m_Z^2",
        (
            "m_Zp^2 = (g' z_S v_S)^2 + g'^2 v^2 Var(z): a smaller m_Zp is impossible; two "
            "doublets: m_Zp >= 2 |C_A| v tan(beta)"
        ),
        (
            "C_Vu = (2/3) c_w^2 g_t + g' [z_q + (z_Hu - z)/2 + (1 - 4/3 s_w^2) z],   "
            "C_Au = g' (z_Hu - z)/2,   C_Vd = -(1/3) c_w^2 g_t + g' [z_q + (z - z_Hd)/2 - "
            "(1 - 2/3 s_w^2) z],   C_Ad = g' (z - z_Hd)/2"
        ),
        "with z_Hu and z_Hd the charges of the doublets of the options u_doublet and d_doublet",
    )

    def __init__(self, options: NHDMOptions | None = None) -> None:
        super().__init__(options)
        options = options or NHDMOptions()
        self._n = options.doublets
        self._u, self._d = options.u_doublet - 1, options.d_doublet - 1

    @property
    def charge_parameters(self) -> tuple[Parameter, ...]:
        """g', mixing, the doublets' charges, ratios of their vevs, and the leptons' charges."""
        numbers = range(1, self._n + 1)
        return (
            G_PRIME,
            EPS_Y,
            *(charge(f"z_{i}", f"z_{i}", f"charge of the doublet H_{i}") for i in numbers),
            *(_vev_ratio(name, i) for i, name in enumerate(self._tan_betas, start=1)),
            *LEFT_CHARGES,
        )

    def charges(self, values: Values) -> Charges:
        """Return the gauge sector at n points."""
        z = [values[f"z_{i}"] for i in range(1, self._n + 1)]
        share = self._vev_shares(values)
        mismatch = sum(f * (z_i - z[-1]) for f, z_i in zip(share[:-1], z[:-1], strict=True))
        pairs = combinations(range(self._n), 2)
        return Charges(
            g_prime=values["g_prime"],
            eps=values["eps_Y"],
            z_higgs=z[-1] + mismatch,
            # A sum over pairs avoids cancellation when charges differ by little.
            z_variance=sum(share[i] * share[j] * (z[i] - z[j]) ** 2 for i, j in pairs),
            z_left=(values["z_Le"], values["z_Lmu"], values["z_Ltau"]),
            mismatch=(mismatch, mismatch, mismatch),
            quarks=QuarkCharges(values.get(Z_Q.name, 0.0), z[self._u], z[self._d]),
        )

    def embed(self, smaller: Model, values: Values) -> dict[str, FloatArray] | None:
        """Return the parameters of the standard model with a U(1)': doublets of one charge.

        The largest ratios of vevs leave the doublet that couples to leptons alone, so that other
        charges of the others hardly matter.
        """
        if type(smaller) is not StandardModelU1:
            return super().embed(smaller, values)
        own = {name: column for name, column in values.items() if name != "z_H"}
        alike = {f"z_{i}": values["z_H"] for i in range(1, self._n + 1)}
        alone = {name: np.full_like(values["z_H"], _LARGEST_RATIO) for name in self._tan_betas}
        embedded = self.with_defaults(own) | alike | alone
        return embedded if self._named(embedded) else None

    def lepton_relation(self, supports: Mapping[str, tuple[float, float]]) -> LeptonRelation | None:
        """Return the relations of every U(1)', and that C_A is universal.

        Without charges of the tau and of the leptons' doublet, C_nutau = 2 C_A.
        """
        if reaches_hadrons(supports):
            return None
        relation = replace(self.gauge_relation(supports), universal_axial=True)
        if not fixed_to_zero(supports, f"z_{self._n}", "z_Ltau"):
            return relation
        return replace(relation, tau=(0.0, 2.0, 0.0, 0.0), tau_slack=0.0)

    @property
    def _tan_betas(self) -> list[str]:
        if self._n == 2:
            return ["tan_beta"]
        return [f"tan_beta_{i}" for i in range(1, self._n)]

    def _vev_shares(self, values: Values) -> list[FloatArray]:
        """Return v_i^2 / v^2 of each doublet."""
        shares: list[FloatArray] = []
        rest = np.ones(())
        for name in self._tan_betas:
            square = values[name] ** 2
            shares.append(rest / (1 + square))
            rest = shares[-1] * square
        return [*shares, rest]


def _vev_ratio(name: str, number: int) -> Parameter:
    symbol = r"\tan\beta" + (f"_{number}" if name != "tan_beta" else "")
    meaning = f"vevs of the doublets after H_{number} over that of H_{number}"
    domain = (1 / _LARGEST_RATIO, _LARGEST_RATIO)
    return Parameter(name, symbol, "", domain, meaning=meaning)
