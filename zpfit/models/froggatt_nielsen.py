"""The Froggatt-Nielsen model: a flavon of charge 1 in the Yukawa couplings."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.models.base import LeptonRelation, Model, Parameter, Values
from zpfit.models.gauge import charge, reaches_hadrons
from zpfit.models.gauge_mixing import Charges
from zpfit.models.sm_u1 import QUARKS_OF_ONE_DOUBLET, StandardModelU1


class FroggattNielsen(StandardModelU1):
    """One Higgs doublet, and flavons that balance the charges of the Yukawa couplings."""

    name = "froggatt_nielsen"
    description = (
        "One Higgs doublet and a flavon of charge 1, whose power n in the Yukawa coupling of each "
        "family frees the right-handed lepton's charge: z_H + z_R - z_L = -n. "
        "Quarks have no flavons."
    )
    reference = "Eqs. (22)-(24) and (31)-(32) of arXiv:2102.07781"
    formulas = (
        "C_V  = -c_w^2 g_t + g' [z_L - n/2 - (1 - 2 s_w^2) z_H]",
        "C_A  = -g' n / 2",
        "C_nu = g' (z_L + z_H)",
        "with g_t = -g_1 eps_Y / sqrt(1 - eps_Y^2); route exact adds terms in m_Zp^2/m_Z^2",
        "m_Zp = g' z_S v_S, where z_S v_S adds up all singlets in quadrature, the flavon included",
        QUARKS_OF_ONE_DOUBLET,
    )
    charge_parameters: tuple[Parameter, ...] = (
        *StandardModelU1.charge_parameters,
        charge("n_e", "n_e", "flavons in the electron's Yukawa coupling"),
        charge("n_mu", r"n_\mu", "flavons in the muon's Yukawa coupling"),
        charge("n_tau", r"n_\tau", "flavons in the tau's Yukawa coupling", 0.0),
    )

    def charges(self, values: Values) -> Charges:
        """Return the gauge sector at n points."""
        powers = (values["n_e"], values["n_mu"], values["n_tau"])
        return replace(super().charges(values), mismatch=(-powers[0], -powers[1], -powers[2]))

    def embed(self, smaller: Model, values: Values) -> dict[str, FloatArray] | None:
        """Return the parameters of the standard model with a U(1)': no flavon in any coupling."""
        if type(smaller) is not StandardModelU1:
            return super().embed(smaller, values)
        zero = np.zeros_like(values["g_prime"])
        embedded = {**self.with_defaults(values), "n_e": zero, "n_mu": zero, "n_tau": zero}
        return embedded if self._named(embedded) else None

    def lepton_relation(self, supports: Mapping[str, tuple[float, float]]) -> LeptonRelation | None:
        """Return the relations of every U(1)'; axial couplings are free."""
        if reaches_hadrons(supports):
            return None
        return self._of_one_doublet(supports)
