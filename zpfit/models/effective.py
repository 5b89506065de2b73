"""The model-independent Z': every effective coupling is a parameter."""

from zpfit.models.base import Model, Parameter, Values
from zpfit.physics.constants import MASS_RANGE
from zpfit.physics.couplings import Couplings

_FLAVOURS = {"e": "e", "mu": r"\mu", "tau": r"\tau"}
_KINDS = {"V": "vector coupling", "A": "axial coupling", "nu": "neutrino coupling"}

MASS = Parameter("m_Zp", "m_{Z'}", "MeV", MASS_RANGE, meaning="mass of the Z'")
"""The mass, as every model calls it."""


def _coupling(kind: str, flavour: str) -> Parameter:
    symbol = _FLAVOURS[flavour]
    lepton = rf"{kind} {symbol}" if kind != "nu" else rf"\nu_{{{symbol}}}"
    # The tau is beyond the reach of the data at hand, so its couplings may be left out.
    default = 0.0 if flavour == "tau" else None
    meaning = f"{_KINDS[kind]}, {flavour} family"
    return Parameter(
        f"C_{kind}{flavour}", f"C_{{{lepton}}}", "", (-1.0, 1.0), default, meaning, 0.0
    )


class Effective(Model):
    """Mass and couplings as in Eq. (6) of arXiv:2102.07781."""

    name = "effective"
    description = (
        "A Z' with independent vector, axial and neutrino couplings to each lepton family, "
        "the tau's zero unless given."
    )
    reference = "Eq. (6) of arXiv:2102.07781"
    parameters = (
        MASS,
        *(_coupling(kind, flavour) for flavour in _FLAVOURS for kind in ("V", "A", "nu")),
    )

    def couplings(self, values: Values) -> Couplings:
        """Couplings at n points."""
        return Couplings(**values)
