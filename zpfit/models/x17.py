"""A Z' for the anomalies of excited nuclei, in the combinations of couplings that data constrain.

Pions, Caesium and nuclei each measure one combination of quark couplings, to a part in 100 to
10,000 of its terms. A sampler finds such valleys only if the combinations are its parameters.
"""

from collections.abc import Mapping
from typing import Literal, Self

import numpy as np
from pydantic import model_validator

from zpfit.io.arrays import FloatArray
from zpfit.io.schema import StrictModel
from zpfit.models.base import Model, Parameter, Values
from zpfit.models.effective import MASS
from zpfit.physics.couplings import TABLE, Couplings
from zpfit.physics.kaon_to_pion import VECTOR_WEIGHT
from zpfit.physics.nucleons import LATTICE_SPINS, LITERATURE_SPINS

_PROTONS, _NEUTRONS = 55, 78
"""Of Caesium-133."""
_UNIT = (-1.0, 1.0)
_LEPTONS = {"C_Ve": None, "C_Ae": None, "C_nue": None, "C_Vmu": 0.0, "C_Amu": 0.0, "C_numu": 0.0}
"""Couplings of leptons with their defaults."""
_SYMBOLS = {row.name: row.symbol for row in TABLE}
_VECTOR = (
    Parameter("D_pi", r"\Delta_\pi", "", _UNIT, None, "charge that pi+ -> e+ nu does not conserve"),
    Parameter("Q_Cs", r"55 C_{Vp} + 78 C_{Vn}", "", (-300.0, 300.0), None, "charge of Caesium"),
)
_AXIAL = (
    Parameter("a_p", "a_p", "", _UNIT, None, "axial coupling of the proton"),
    Parameter("a_n", "a_n", "", _UNIT, None, "axial coupling of the neutron"),
)
_STRANGE = Parameter("D_K", r"\Delta_K", "", _UNIT, None, "charge that K+ -> pi+ does not conserve")

_SPINS = {"literature": LITERATURE_SPINS, "lattice": LATTICE_SPINS}


class X17Options(StrictModel):
    """Options of the model of X17."""

    quarks: Literal["both", "vector", "axial"] = "both"
    """Couplings of quarks that are not zero."""
    completion: Literal["free", "gauge_invariant"] = "free"
    """``gauge_invariant``: the charged current is conserved, C_uL - C_dL = C_nue - C_eL, so that
    D_pi = 2 (C_Au - C_Ad) is no parameter."""
    spins: Literal["literature", "lattice"] = "literature"
    """Set of quark spin fractions that relates a_p and a_n to quarks; the data on excited nuclei
    must have the same, in entries whose names end in ``_lattice``."""
    strange: Literal["zero", "down", "free"] = "zero"
    """Couplings of the strange quark: ``down``, those of the down quark; ``free``, an axial one by
    the parameter D_K."""

    @model_validator(mode="after")
    def _strange_is_axial(self) -> Self:
        if self.strange == "free" and self.quarks == "vector":
            raise ValueError("strange: free needs axial couplings, but quarks is vector")
        return self


class X17(Model):
    """Couplings of leptons, of the pion, of Caesium and of nucleons; those of quarks follow.

    Examples
    --------
    >>> point = {"m_Zp": 17.0, "C_Ve": 2e-4, "C_Ae": 0.0, "C_nue": 0.0, "D_pi": 0.0, "Q_Cs": 0.0}
    >>> point |= {"a_p": 0.0, "a_n": 0.0, "C_Vmu": 0.0, "C_Amu": 0.0, "C_numu": 0.0}
    >>> c = X17().couplings({name: np.array([value]) for name, value in point.items()})
    >>> print((c.C_Vd - c.C_Vu).round(9))
    [0.0002]
    """

    name = "x17"
    reference = "arXiv:1608.03591, arXiv:1612.01525, arXiv:2306.15077"

    def __init__(self, options: X17Options | None = None) -> None:
        self._options = options or X17Options()
        self._spins = _SPINS[self._options.spins]

    @property
    def description(self) -> str:
        """The couplings that there are."""
        kinds = {"both": "vector and axial", "vector": "vector", "axial": "axial"}
        return (
            f"A Z' with {kinds[self._options.quarks]} couplings to up and down quarks, in "
            "combinations that pions, Caesium and nuclei measure, and to leptons."
        )

    @property
    def formulas(self) -> tuple[str, ...]:
        """How couplings of quarks follow."""
        vector = (
            "C_Vu - C_Vd = D_pi - (C_Au - C_Ad) - (C_Ve - C_Ae) + C_nue = C_Vp - C_Vn",
            "Q_Cs = 55 C_Vp + 78 C_Vn",
        )
        up, down = self._spins.up, self._spins.down
        strange = 0.0 if self._options.strange == "zero" else self._spins.strange
        axial = (
            f"a_p = {_sum_of(up, down, strange)}, a_n = {_sum_of(down, up, strange)}",
            {
                "zero": "other quarks zero",
                "down": "strange quarks as down quarks, others zero",
                "free": f"D_K = 2 C_Au + C_Ad + C_As + {VECTOR_WEIGHT:.3f} C_Vd, others zero",
            }[self._options.strange],
        )
        chosen = {"both": vector + axial, "vector": vector, "axial": axial}[self._options.quarks]
        invariant = self._gauge_invariant and self._options.quarks != "axial"
        return (*chosen, *(("D_pi = 2 (C_Au - C_Ad)",) if invariant else ()))

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The mass, the leptons' couplings and the combinations of those of quarks."""
        leptons = (
            Parameter(name, _SYMBOLS[name], "", _UNIT, default, left_out=0.0)
            for name, default in _LEPTONS.items()
        )
        vector = _VECTOR[1:] if self._gauge_invariant else _VECTOR
        axial = (*_AXIAL, _STRANGE) if self._options.strange == "free" else _AXIAL
        kinds = {"both": (*vector, *axial), "vector": vector, "axial": axial}
        return (MASS, *leptons, *kinds[self._options.quarks])

    def couplings(self, values: Values) -> Couplings:
        """Return couplings at n points."""
        leptons = {name: values[name] for name in _LEPTONS}
        vector = self._vector(values)
        quarks = self._axial(values, vector) | vector
        return Couplings.of(m_Zp=values["m_Zp"], **leptons, **quarks)

    @property
    def _gauge_invariant(self) -> bool:
        return self._options.completion == "gauge_invariant"

    def _axial(self, values: Values, vector: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
        """Return axial couplings of quarks that give nucleons theirs."""
        if self._options.quarks == "vector":
            return {}
        spins, half = self._spins, self._isovector_axial(values) / 2
        sums, of_both = values["a_p"] + values["a_n"], spins.up + spins.down
        if self._options.strange == "zero":
            mean = sums / of_both / 2
            return {"C_Au": mean + half, "C_Ad": mean - half}
        if self._options.strange == "down":
            mean = (sums / 2 + spins.strange * half) / (of_both + spins.strange)
            return {"C_Au": mean + half, "C_Ad": mean - half, "C_As": mean - half}
        # Kaons give C_As + 3 (C_Au + C_Ad)/2, nucleons another combination of both.
        kaon = values["D_K"] - half
        if vector:
            kaon = kaon - VECTOR_WEIGHT * vector["C_Vd"]
        mean = (sums / 2 - spins.strange * kaon) / (of_both - 3 * spins.strange)
        return {"C_Au": mean + half, "C_Ad": mean - half, "C_As": kaon - 3 * mean}

    def _vector(self, values: Values) -> dict[str, FloatArray]:
        if self._options.quarks == "axial":
            return {}
        isovector = self._isovector_axial(values)
        leptons = values["C_Ve"] - values["C_Ae"] - values["C_nue"]
        pion = 2 * isovector if self._gauge_invariant else values["D_pi"]
        split = pion - isovector - leptons
        nucleons = _PROTONS + _NEUTRONS
        c_vp = (values["Q_Cs"] + _NEUTRONS * split) / nucleons
        c_vn = (values["Q_Cs"] - _PROTONS * split) / nucleons
        vector = {"C_Vu": (2 * c_vp - c_vn) / 3, "C_Vd": (2 * c_vn - c_vp) / 3}
        return vector | ({"C_Vs": vector["C_Vd"]} if self._options.strange == "down" else {})

    def _isovector_axial(self, values: Values) -> FloatArray:
        """Return C_Au - C_Ad, shape (n,)."""
        if self._options.quarks == "vector":
            return np.zeros_like(values["m_Zp"])
        result: FloatArray = (values["a_p"] - values["a_n"]) / (self._spins.up - self._spins.down)
        return result


def _sum_of(up: float, down: float, strange: float) -> str:
    """Return a sum of axial couplings of quarks in words."""
    terms = {"C_Au": up, "C_Ad": down, "C_As": strange}
    words = " ".join(f"{'-' if x < 0 else '+'} {abs(x)} {name}" for name, x in terms.items() if x)
    return words.removeprefix("+ ")
