"""The model-independent Z': every effective coupling is a parameter."""

from collections.abc import Mapping
from dataclasses import dataclass

from zpfit.models.base import Parameter
from zpfit.physics.compiled import FloatArray
from zpfit.physics.constants import MASS_RANGE
from zpfit.physics.couplings import Couplings

_FLAVOURS = {"e": "e", "mu": r"\mu", "tau": r"\tau"}


def _coupling(kind: str, flavour: str) -> Parameter:
    symbol = _FLAVOURS[flavour]
    lepton = rf"{kind} {symbol}" if kind != "nu" else rf"\nu_{{{symbol}}}"
    # The tau is beyond the reach of the data at hand, so its couplings may be left out.
    default = 0.0 if flavour == "tau" else None
    return Parameter(f"C_{kind}{flavour}", f"C_{{{lepton}}}", "", (-1.0, 1.0), default)


@dataclass(frozen=True)
class Effective:
    """Mass and couplings as in Eq. (6) of arXiv:2102.07781."""

    name: str = "effective"
    description: str = (
        "A Z' with independent vector, axial and neutrino couplings to each lepton family, "
        "the tau's zero unless given."
    )
    reference: str = "Eq. (6) of arXiv:2102.07781"
    parameters: tuple[Parameter, ...] = (
        Parameter("m_Zp", "m_{Z'}", "MeV", MASS_RANGE),
        *(_coupling(kind, flavour) for flavour in _FLAVOURS for kind in ("V", "A", "nu")),
    )

    def couplings(self, values: Mapping[str, FloatArray]) -> Couplings:
        """Couplings at n points; ``values`` holds every parameter, shape (n,)."""
        return Couplings(**values)
