"""The Standard Model with a U(1)'."""

from zpfit.models.base import Parameter, Values
from zpfit.models.gauge import EPS_Y, G_PRIME, LEFT_CHARGES, GaugeModel, charge
from zpfit.models.gauge_mixing import Charges


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
        )
