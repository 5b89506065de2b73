"""The Standard Model with a U(1)'."""

from collections.abc import Mapping
from dataclasses import replace

from zpfit.models.base import LeptonRelation, Parameter, Values
from zpfit.models.effective import MASS
from zpfit.models.gauge import (
    EPS_Y,
    G_PRIME,
    LEFT_CHARGES,
    Z_Q,
    GaugeModel,
    charge,
    fixed_to_zero,
    largest_mixing,
    reaches_hadrons,
)
from zpfit.models.gauge_mixing import BARE_Z_MASS, Charges, QuarkCharges
from zpfit.physics.constants import MASS_RANGE

QUARKS_OF_ONE_DOUBLET = (
    "C_Vu = (2/3) c_w^2 g_t + g' [z_q + (1 - 4/3 s_w^2) z_H],   "
    "C_Vd = -(1/3) c_w^2 g_t + g' [z_q - (1 - 2/3 s_w^2) z_H],   C_Au = C_Ad = 0"
)


class StandardModelU1(GaugeModel):
    """One Higgs doublet, whose Yukawa couplings respect U(1)'."""

    name = "sm_u1"
    description = (
        "The standard model with a U(1)' broken by a singlet; one doublet gives every lepton its "
        "mass, so z_R = z_L - z_H and axial couplings vanish at leading order."
    )
    reference = "Eqs. (18)-(24) and (32) of arXiv:2102.07781"
    formulas = (
        "C_V  = -c_w^2 g_t + g' [z_L - (1 - 2 s_w^2) z_H]",
        "C_A  = 0",
        "C_nu = g' (z_L + z_H)",
        "with g_t = -g_1 eps_Y / sqrt(1 - eps_Y^2); route exact adds terms in m_Zp^2/m_Z^2",
        "m_Zp = g' z_S v_S",
        QUARKS_OF_ONE_DOUBLET,
    )
    charge_parameters: tuple[Parameter, ...] = (
        G_PRIME,
        EPS_Y,
        charge("z_H", "z_H", "charge of the Higgs doublet"),
        *LEFT_CHARGES,
    )

    def charges(self, values: Values) -> Charges:
        """Return the gauge sector at n points."""
        return Charges(
            g_prime=values["g_prime"],
            eps=values["eps_Y"],
            z_higgs=values["z_H"],
            z_variance=0.0,
            z_left=(values["z_Le"], values["z_Lmu"], values["z_Ltau"]),
            mismatch=(0.0, 0.0, 0.0),
            quarks=QuarkCharges(values.get(Z_Q.name, 0.0)),
        )

    def lepton_relation(self, supports: Mapping[str, tuple[float, float]]) -> LeptonRelation | None:
        """Return the relations of one doublet, and that C_A is universal and almost zero."""
        if reaches_hadrons(supports):
            return None
        relation = self._of_one_doublet(supports)
        mass = supports[MASS.name][1] if MASS.name in supports else MASS_RANGE[1]
        share = mass**2 / (BARE_Z_MASS**2 - mass**2)
        axial = 0.5 * share * largest_mixing(supports, "z_H")
        vector, _, electron, muon = relation.largest
        largest = (vector, axial, electron, muon)
        return replace(relation, universal_axial=True, largest=largest)

    def _of_one_doublet(self, supports: Mapping[str, tuple[float, float]]) -> LeptonRelation:
        """Return the relations of every U(1)' with one doublet.

        C_uL - C_dL = C_nue - C_eL, as doublets of quarks and leptons have the same weak isospin.
        The axial couplings of quarks, which the doublet leaves, are -+ (C_uL - C_dL) m^2/(4 c_w^2
        M^2) by the exact route and zero at leading order. Without charges of the tau, the mixing
        is all that is left of C_nutau.
        """
        relation = replace(self.gauge_relation(supports), one_doublet=True)
        if not fixed_to_zero(supports, "z_H", "z_Ltau"):
            return relation
        return replace(relation, tau_slack=0.0, tau_mixing=largest_mixing(supports, "z_H"))
