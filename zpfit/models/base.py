"""The interface of a model: parameters to couplings."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from zpfit.io.arrays import FloatArray
from zpfit.physics.couplings import Couplings

Values = Mapping[str, FloatArray]
"""Values of every parameter at n points, each of shape (n,)."""


@dataclass(frozen=True)
class Parameter:
    """A parameter of a model."""

    name: str
    symbol: str
    """LaTeX, without dollar signs."""
    unit: str = ""
    """Empty if dimensionless."""
    domain: tuple[float, float] = (-1e30, 1e30)
    """Smallest and largest value for which the model is defined."""
    default: float | None = None
    """Value if neither priors nor point give one; None if it is required."""
    meaning: str = ""
    """A few words for tables."""
    left_out: float | None = None
    """Value at a single point that does not give the parameter, if it has no default."""

    @property
    def allowed(self) -> str:
        """The domain in words, for messages.

        Examples
        --------
        >>> Parameter("z", "z", domain=(-1, 1)).allowed
        'between -1 and 1'
        >>> Parameter("br", "b", domain=(0, 1 - 1e-9)).allowed
        'at least 0 and below 1'
        """
        low, high = self.domain
        if float(f"{high:g}") > high:  # as printed, the end is outside
            return f"at least {low:g} and below {high:g}"
        return f"between {low:g} and {high:g}"


def in_words(values: Values, index: int) -> str:
    """Return one of the points as text, for messages.

    Examples
    --------
    >>> in_words({"m_Zp": np.array([17.0]), "g": np.array([1e-4])}, 0)
    'm_Zp = 17, g = 0.0001'
    """
    return ", ".join(f"{name} = {float(column[index]):.6g}" for name, column in values.items())


@dataclass(frozen=True)
class LeptonRelation:
    """Relations between the couplings of a model, for proofs.

    C_V - C_A - C_nu is one number for all families.

    References
    ----------
    Eqs. (30) and (33) of arXiv:2102.07781.
    """

    universal_axial: bool
    """True if C_A is one number for all families too."""
    largest: tuple[float, float, float, float]
    """Largest sizes of C_Ve, C_Ae, C_nue and C_numu inside the supports of the priors."""
    tau: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    """Factors of C_Ve, C_Ae, C_nue and C_numu in C_nutau."""
    tau_slack: float = 0.0
    """Largest distance of C_nutau from this sum."""
    tau_mixing: float = 0.0
    """A further distance is at most this number times m^2/(M^2 - m^2), with the Z's mass M."""
    one_doublet: bool = False
    """True if one Higgs doublet gives all quarks their mass. C_Vu - C_Vd is then
    C_nue - C_Ve + C_Ae times a number between 1 - m^2/(2 c_w^2 M^2) and 1."""


class Model(ABC):
    r"""A map from parameters to the mass and couplings of the Z'.

    Write a subclass with ``name``, ``parameters`` and :meth:`couplings`. Everything else
    is optional. A plain function of the parameters is a model too, without domains,
    conditions and derived quantities.

    Attributes
    ----------
    name : str
        Name in run files, tables and run folders.
    parameters : tuple of Parameter
        In the order of priors, tables and plots.

    Examples
    --------
    >>> class HeavyPhoton(Model):
    ...     name = "heavy_photon"
    ...     parameters = (
    ...         Parameter("m_Zp", "m_{Z'}", "MeV", (1.0, 1e3)),
    ...         Parameter("eps", r"\epsilon", domain=(-1.0, 1.0)),
    ...     )
    ...
    ...     def couplings(self, values):
    ...         charge = 0.3028 * values["eps"]
    ...         return Couplings.of(m_Zp=values["m_Zp"], C_Ve=charge, C_Vmu=charge)
    ...
    ...     def conditions(self, values):
    ...         return {"above 5 MeV": 5.0 / values["m_Zp"]}
    >>> values = {"m_Zp": np.array([4.0, 20.0]), "eps": np.array([1e-3, 1e-3])}
    >>> HeavyPhoton().exists(values).tolist()
    [False, True]
    >>> HeavyPhoton().couplings(values).C_Vmu.round(7).tolist()
    [0.0003028, 0.0003028]
    """

    _chosen: frozenset[str] = frozenset()

    @property
    @abstractmethod
    def name(self) -> str:
        """Name in run files, tables and run folders."""

    @property
    @abstractmethod
    def parameters(self) -> tuple[Parameter, ...]:
        """Parameters in the order of priors, tables and plots."""

    @property
    def optional(self) -> tuple[Parameter, ...]:
        """Further parameters, each with a default, which the model has only where they are given.

        A fit that does not give them has no column for them.
        """
        return ()

    def extended(self, names: Collection[str]) -> Self:
        """Return the model with those of :attr:`optional` that are among ``names``.

        They follow its own parameters if :attr:`parameters` ends with :attr:`added`.
        """
        found = {parameter.name for parameter in self.optional if parameter.name in names}
        if found <= self._chosen:
            return self
        result = copy(self)
        result._chosen = self._chosen | found  # noqa: SLF001 - of this class
        return result

    @property
    def added(self) -> tuple[Parameter, ...]:
        """Parameters among :attr:`optional` that the model has."""
        return tuple(p for p in self.optional if p.name in self._chosen)

    @property
    def description(self) -> str:
        """The model in a sentence or two."""
        return ""

    @property
    def reference(self) -> str:
        """Equations or publications."""
        return ""

    @property
    def formulas(self) -> tuple[str, ...]:
        """The couplings in terms of the parameters, a line each."""
        return ()

    @abstractmethod
    def couplings(self, values: Values) -> Couplings:
        """Return couplings at n points.

        Parameters
        ----------
        values : mapping of str to numpy.ndarray, shape (n,)
            Every parameter.

        Returns
        -------
        Couplings
            n points; mass in MeV.
        """

    def conditions(self, values: Values) -> dict[str, FloatArray]:  # noqa: ARG002 - for subclasses
        """Return the conditions for a point to exist, as ratios that must not exceed 1.

        Points that break a condition have likelihood zero; a run reports their fraction of
        the prior. The search for the best fit evaluates couplings at such points too,
        where NaN is allowed.

        Parameters
        ----------
        values : mapping of str to numpy.ndarray, shape (n,)
            Every parameter.

        Returns
        -------
        dict of str to numpy.ndarray, shape (n,)
            Ratios by name of the condition.
        """
        return {}

    def exists(self, values: Values) -> NDArray[np.bool_]:
        """Return True where every condition holds, shape (n,)."""
        result = np.ones(len(next(iter(values.values()))), dtype=bool)
        for ratio in self.conditions(values).values():
            result &= ratio <= 1
        return result

    def embed(self, smaller: "Model", values: Values) -> dict[str, FloatArray] | None:
        """Return the parameters at which this model has the couplings of a smaller one.

        A larger model can do whatever a smaller one in it does, so that its search may start from
        the best points of the smaller one. Override it for models that contain others.

        Parameters
        ----------
        smaller : Model
            Another model.
        values : mapping of str to numpy.ndarray, shape (n,)
            Every parameter of the smaller model.

        Returns
        -------
        dict of str to numpy.ndarray, shape (n,), or None
            Every parameter of this model; None if it does not contain the other one. The same
            model contains itself. Couplings that the smaller model lacks are zero, which a
            prior in the logarithm lacks; the caller then takes the smallest size.
        """
        alike = (type(smaller), smaller.name) == (type(self), self.name)
        embedded = self.with_defaults(values)
        return embedded if alike and self._named(embedded) else None

    def with_defaults(self, values: Values) -> dict[str, FloatArray]:
        """Return values with the defaults of parameters among :attr:`added` that have none."""
        like = next(iter(values.values()))
        defaults = {p.name: np.full_like(like, p.default or 0.0) for p in self.added}
        return {**defaults, **values}

    def _named(self, values: Values) -> bool:
        """Return True if values have exactly the names of the parameters."""
        return {parameter.name for parameter in self.parameters} == set(values)

    def lepton_relation(
        self,
        supports: Mapping[str, tuple[float, float]],  # noqa: ARG002 - for subclasses
    ) -> LeptonRelation | None:
        """Return relations that hold between the couplings, or None if none is declared.

        Parameters
        ----------
        supports : mapping of str to (float, float)
            Smallest and largest value of every parameter.
        """
        return None

    def derived(self, values: Values) -> dict[str, FloatArray]:  # noqa: ARG002 - for subclasses
        """Return further quantities for tables, each of shape (n,); NaN if undefined."""
        return {}
