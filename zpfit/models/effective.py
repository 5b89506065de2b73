"""The model-independent Z': every effective coupling is a parameter."""

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.models.base import Model, Parameter, Values
from zpfit.physics.constants import MASS_RANGE
from zpfit.physics.couplings import TABLE, Coupling, Couplings

MASS = Parameter("m_Zp", "m_{Z'}", "MeV", MASS_RANGE, meaning="mass of the Z'")
"""The mass, under the name that every model uses."""

_FAMILIES = ("e", "mu", "tau")


def _parameter(coupling: Coupling) -> Parameter:
    # No packaged data constrain the tau, so that its couplings may be left out.
    default = 0.0 if coupling.fermion == "tau" else None
    meaning = f"{coupling.kind} coupling, {coupling.fermion} family"
    domain = (-1.0, 1.0)  # perturbative
    return Parameter(coupling.name, coupling.symbol, coupling.unit, domain, default, meaning, 0.0)


class Effective(Model):
    """Mass and couplings as in Eq. (6) of arXiv:2102.07781.

    Examples
    --------
    >>> [parameter.name for parameter in Effective().parameters][:4]
    ['m_Zp', 'C_Ve', 'C_Ae', 'C_nue']
    """

    name = "effective"
    description = (
        "A Z' with independent vector, axial and neutrino couplings to each lepton family, "
        "the tau's zero unless given."
    )
    reference = "Eq. (6) of arXiv:2102.07781"
    parameters = (MASS, *(_parameter(row) for row in TABLE if row.fermion in _FAMILIES))

    def couplings(self, values: Values) -> Couplings:
        """Return couplings at n points."""
        return Couplings(**values)

    def embed(self, smaller: Model, values: Values) -> dict[str, FloatArray]:
        """Return the couplings of any model."""
        found = smaller.couplings(values)
        return {p.name: np.asarray(found[p.name], dtype=float) for p in self.parameters}
