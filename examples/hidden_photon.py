"""Two ways to write a model in Python; both take arrays of points."""

from zpfit.models.base import Model, Parameter
from zpfit.physics.couplings import Couplings


def photon_with_dark_width(m_Zp, eps, ratio=0.0):
    """A dark photon that also decays to neutrinos, with ratio times the electron's coupling."""
    c = 0.3028 * eps
    return {"C_Ve": c, "C_Vmu": c, "C_Vtau": c, "C_nue": ratio * c, "C_numu": ratio * c}


class TunedPhoton(Model):
    """A dark photon with another muon coupling, defined above a smallest mass only."""

    name = "tuned_photon"
    description = "A dark photon with a factor on the muon's coupling."
    reference = "none, an example"
    formulas = ("C_Ve = e eps", "C_Vmu = factor e eps")
    parameters = (
        Parameter("m_Zp", "m_{Z'}", "MeV", (0.1, 1e3), meaning="mass of the Z'"),
        Parameter("eps", r"\epsilon", domain=(-1, 1), meaning="kinetic mixing with the photon"),
    )

    def __init__(self, factor=1.0, lightest=5.0):
        self._factor, self._lightest = factor, lightest

    def couplings(self, values):
        """Return couplings at n points."""
        c = 0.3028 * values["eps"]
        return Couplings.of(m_Zp=values["m_Zp"], C_Ve=c, C_Vmu=self._factor * c)

    def conditions(self, values):
        """Return the lightest mass over m_Zp, which must not exceed 1."""
        return {"lightest mass": self._lightest / values["m_Zp"]}
