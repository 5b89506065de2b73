"""The effective couplings of a batch of points, which every observable reads."""

from collections.abc import Callable, ItemsView, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zpfit.io.arrays import FloatArray
from zpfit.physics.decays import branching_ratio, reduced_widths
from zpfit.physics.hadrons import THRESHOLD, reduced_hadronic_width
from zpfit.physics.tracing import any_of

T = TypeVar("T")


@dataclass(frozen=True)
class Coupling:
    """A row of :data:`TABLE`: one property of the Z' that a model may set."""

    name: str
    """Attribute of :class:`Couplings` and name in files and tables."""
    symbol: str
    """LaTeX, without dollar signs."""
    unit: str = ""
    """Empty if dimensionless."""
    fermion: str = ""
    """The fermion that couples: a charged lepton, which stands for its family, or a quark;
    empty for all other rows."""
    kind: Literal["", "vector", "axial", "neutrino"] = ""
    """``neutrino`` is the coupling to the left-handed neutrino of the family."""


TABLE: Final = (
    Coupling("m_Zp", "m_{Z'}", "MeV"),
    Coupling("C_Ve", "C_{V e}", fermion="e", kind="vector"),
    Coupling("C_Ae", "C_{A e}", fermion="e", kind="axial"),
    Coupling("C_nue", r"C_{\nu_{e}}", fermion="e", kind="neutrino"),
    Coupling("C_Vmu", r"C_{V \mu}", fermion="mu", kind="vector"),
    Coupling("C_Amu", r"C_{A \mu}", fermion="mu", kind="axial"),
    Coupling("C_numu", r"C_{\nu_{\mu}}", fermion="mu", kind="neutrino"),
    Coupling("C_Vtau", r"C_{V \tau}", fermion="tau", kind="vector"),
    Coupling("C_Atau", r"C_{A \tau}", fermion="tau", kind="axial"),
    Coupling("C_nutau", r"C_{\nu_{\tau}}", fermion="tau", kind="neutrino"),
    Coupling("C_Vu", "C_{V u}", fermion="u", kind="vector"),
    Coupling("C_Au", "C_{A u}", fermion="u", kind="axial"),
    Coupling("C_Vd", "C_{V d}", fermion="d", kind="vector"),
    Coupling("C_Ad", "C_{A d}", fermion="d", kind="axial"),
    Coupling("C_Vs", "C_{V s}", fermion="s", kind="vector"),
    Coupling("C_As", "C_{A s}", fermion="s", kind="axial"),
    Coupling("C_Vc", "C_{V c}", fermion="c", kind="vector"),
    Coupling("C_Ac", "C_{A c}", fermion="c", kind="axial"),
    Coupling("C_Vb", "C_{V b}", fermion="b", kind="vector"),
    Coupling("C_Ab", "C_{A b}", fermion="b", kind="axial"),
    Coupling("width_dark", r"\Gamma_\mathrm{dark}", "MeV"),
    Coupling("tan_xi", r"\tan\xi"),
)
"""The mass, every coupling, the dark width and the mixing, in the order of tables and files.

Names, storage, :meth:`Couplings.items` and :meth:`Couplings.take` follow from this
table. A new row also needs an annotation in :class:`Couplings`, for type checkers only.
"""

COUPLING_NAMES: Final = tuple(row.name for row in TABLE)
"""Names of all rows, in the order of :data:`TABLE`."""

QUARKS: Final = ("u", "d", "s", "c", "b")
"""Quarks lighter than the top, in the order of :data:`TABLE`."""

QUARK_NAMES: Final = tuple(row.name for row in TABLE if row.fermion in QUARKS)
"""Vector and axial coupling of each quark, in the order of :data:`TABLE`."""

WIDTH_INPUTS: Final = tuple(name for name in COUPLING_NAMES if name != "tan_xi")
"""Everything that branching ratios depend on."""

_POSITIONAL: Final = 10
"""Rows that must be given together if any is given by position: the mass and all leptons."""

_KNOWN = frozenset(COUPLING_NAMES)

_ZEROS: FloatArray = np.broadcast_to(0.0, 2**48)
"""One zero with stride 0: slices of any batch size that occupy no memory of their own."""

_NO_ZPRIME_MASS = 17.0
"""MeV, within all curves. No prediction depends on it, as every coupling is zero."""


class LaterRows:
    """Rows of :class:`Couplings` that are computed when one of them is read.

    Most fits read no quark couplings, which models of gauge groups give through this class.

    Parameters
    ----------
    names : tuple of str
        Names of the rows.
    compute : callable
        Function of a module, which returns these rows from ``inputs``, each of shape (n,).
    *inputs : numpy.ndarray, shape (n,), or float
        Arguments of ``compute``.

    Examples
    --------
    >>> later = LaterRows(("C_Vu",), lambda charge: {"C_Vu": 2 * charge}, np.array([1e-4, 2e-4]))
    >>> later.take(slice(1, 2)).rows()
    {'C_Vu': array([0.0004])}
    """

    def __init__(
        self, names: tuple[str, ...], compute: Callable[..., Mapping[str, FloatArray]], *inputs: Any
    ) -> None:
        self.names = names
        self._compute, self._inputs = compute, inputs
        self._taken: tuple[slice | NDArray[np.intp], ...] = ()

    def take(self, indices: slice | NDArray[np.intp]) -> "LaterRows":
        """Return the rows at some of the points; nothing is computed or copied."""
        result = LaterRows(self.names, self._compute, *self._inputs)
        result._taken = (*self._taken, indices)
        return result

    def rows(self) -> Mapping[str, FloatArray]:
        """Compute the rows, each of shape (n,)."""
        return self._compute(*map(self._at_points, self._inputs))

    def _at_points(self, values: Any) -> Any:
        for indices in self._taken if np.ndim(values) else ():
            values = values[indices]
        return values


_NOTHING = LaterRows((), dict)


@dataclass(frozen=True)
class Widths:
    """Partial widths and total width in units of m_Zp/(12 pi), each of shape (n,).

    Examples
    --------
    >>> widths = Couplings.of(m_Zp=17.0, C_Ve=1e-4, C_nue=1e-4).widths
    >>> print(f"{float(widths.nu[0] / widths.total[0]):.3f}")
    0.333
    """

    e: FloatArray
    mu: FloatArray
    tau: FloatArray
    nu: FloatArray
    """Sum over the three flavours."""
    hadrons: FloatArray
    """Into hadrons, see :mod:`zpfit.physics.hadrons`; zero below the mass of the pi0."""
    dark: FloatArray
    """Into a dark sector, which no detector sees."""
    total: FloatArray


class Couplings:
    """Mass and couplings of the Z' at n points; every attribute has shape (n,).

    L = -Z'_mu sum_l [lbar gamma^mu (C_V + C_A gamma5) l + C_nu nubar gamma^mu P_L nu],
    Eq. (6) of arXiv:2102.07781. ``m_Zp`` is in MeV, couplings are dimensionless.

    The constructor stores its arrays unchecked, since samplers call it millions of
    times. Prefer :meth:`of`, which accepts numbers and checks names. Couplings that are
    not given are zero and share one row of zeros.

    Parameters
    ----------
    *rows : numpy.ndarray, shape (n,)
        The mass and all lepton couplings in the order of :data:`TABLE`.
    **named : numpy.ndarray, shape (n,)
        Couplings by name. The mass is required.

    Examples
    --------
    >>> c = Couplings.of(m_Zp=[17.0, 20.0], C_Ve=1e-4, C_nue=1e-4)
    >>> len(c), c.C_Amu.tolist()
    (2, [0.0, 0.0])
    >>> c.br_ee.round(3).tolist()  # one vector coupling: e+ e- is twice nu nubar
    [0.667, 0.667]
    """

    m_Zp: FloatArray
    C_Ve: FloatArray
    C_Ae: FloatArray
    C_nue: FloatArray
    C_Vmu: FloatArray
    C_Amu: FloatArray
    C_numu: FloatArray
    C_Vtau: FloatArray
    C_Atau: FloatArray
    C_nutau: FloatArray
    C_Vu: FloatArray
    C_Au: FloatArray
    C_Vd: FloatArray
    C_Ad: FloatArray
    C_Vs: FloatArray
    C_As: FloatArray
    C_Vc: FloatArray
    C_Ac: FloatArray
    C_Vb: FloatArray
    C_Ab: FloatArray
    width_dark: FloatArray
    """Width into an invisible dark sector, in MeV."""
    tan_xi: FloatArray
    """Mixing of Z and Z', the off-diagonal element of the squared mass matrix over that of the Z.
    Models of effective couplings do not know it; see :meth:`gives`."""

    _given: Mapping[str, FloatArray]
    """Rows with a memory of their own; all others are zero, or in ``_later``."""
    _later: LaterRows

    def __init__(self, *rows: Any, **named: Any) -> None:
        given = dict(zip(COUPLING_NAMES, rows, strict=False)) if rows else named
        if rows and named:
            given |= named
        # The dictionary is filled directly, as attributes are read-only.
        own = self.__dict__
        if len(given) < len(COUPLING_NAMES):
            if 0 < len(rows) < _POSITIONAL:  # rather a forgotten row than a zero that is meant
                missing = _POSITIONAL - len(rows)
                raise TypeError(f"missing {missing} required rows; give couplings by name")
            mass = given.get("m_Zp")
            if mass is None:
                raise TypeError("couplings need the mass m_Zp")
            own.update(dict.fromkeys(COUPLING_NAMES, _ZEROS[: len(mass)] if np.ndim(mass) else 0.0))
        own.update(given)
        own["_given"], own["_later"] = given, _NOTHING
        if len(rows) > len(COUPLING_NAMES) or (named and not named.keys() <= _KNOWN):
            self._refuse(len(rows), given)

    @staticmethod
    def _refuse(n_rows: int, given: Mapping[str, Any]) -> None:
        if n_rows > len(COUPLING_NAMES):
            raise TypeError(f"{n_rows} rows are too many; there are {len(COUPLING_NAMES)}")
        unknown = ", ".join(sorted(given.keys() - _KNOWN))
        raise TypeError(f"unknown couplings: {unknown}; known: {', '.join(COUPLING_NAMES)}")

    @classmethod
    def of(cls, **values: ArrayLike) -> "Couplings":
        """Return couplings from numbers or arrays; those that are not given are zero.

        Parameters
        ----------
        **values : array_like, shape () or (n,)
            Mass in MeV (required) and dimensionless couplings, by name. A number stands
            for all points.

        Returns
        -------
        Couplings
            n points; one point if every value is a number.

        Raises
        ------
        TypeError
            The mass is missing, or a name is not in :data:`TABLE`.
        ValueError
            The arrays have different lengths.

        Examples
        --------
        >>> Couplings.of(m_Zp=17.0, C_Ae=1.6e-4)["C_Ae"]
        array([0.00016])
        """
        arrays = (np.atleast_1d(np.asarray(value, dtype=float)) for value in values.values())
        return cls(**dict(zip(values, np.broadcast_arrays(*arrays), strict=True)))

    @classmethod
    def deferring(cls, later: LaterRows, /, **named: Any) -> "Couplings":
        """Return couplings by name, unchecked, and rows that are computed when one is read.

        Examples
        --------
        >>> later = LaterRows(("C_Vu",), lambda charge: {"C_Vu": 2 * charge}, np.array([1e-4]))
        >>> c = Couplings.deferring(later, m_Zp=np.array([17.0]))
        >>> c.gives("C_Vu"), c.C_Vu
        (True, array([0.0002]))
        """
        result = cls(**named)
        own = result.__dict__
        own["_later"] = later
        for name in later.names:
            del own[name]  # so that __getattr__ is called for it
        return result

    def with_rows(self, **rows: FloatArray) -> "Couplings":
        """Return these couplings with further or other rows, each of shape (n,).

        Examples
        --------
        >>> Couplings.of(m_Zp=17.0, C_Ve=1e-4).with_rows(C_Ve=np.array([2e-4])).C_Ve
        array([0.0002])
        """
        later = self._later
        given = {**self._given, **rows}
        result = Couplings.deferring(later, **given) if later.names else Couplings(**given)
        own = self.__dict__
        result.__dict__.update({n: own[n] for n in later.names if n in own and n not in given})
        return result

    def with_dark_branching(self, branching: FloatArray) -> "Couplings":
        """Return these couplings, which have no dark width, with one of given branching ratio.

        Parameters
        ----------
        branching : numpy.ndarray, shape (n,)
            At least 0 and below 1. It is a share of the other widths: where no other channel is
            open, the dark width is zero.

        Examples
        --------
        >>> c = Couplings.of(m_Zp=[17.0, 0.5], C_Ve=1e-4)  # 0.5 MeV is below 2 m_e
        >>> c.with_dark_branching(np.array([0.25, 0.25])).br_inv.round(12)
        array([0.25, 0.  ])
        """
        others = self.widths
        dark = branching / (1 - branching) * others.total
        result = self.with_rows(width_dark=dark * self.m_Zp / (12 * np.pi))
        result.__dict__["widths"] = replace(others, dark=dark, total=others.total + dark)
        return result

    @classmethod
    def none(cls) -> "Couplings":
        """Return the hypothesis without a Z': one point whose couplings all vanish.

        Examples
        --------
        >>> float(Couplings.none().C_Ve[0])
        0.0
        """
        return cls.of(m_Zp=_NO_ZPRIME_MASS)

    def __getattr__(self, name: str) -> Any:
        """Return a row that is not computed yet."""
        later: LaterRows = self.__dict__.get("_later", _NOTHING)
        if name not in later.names:
            raise AttributeError(f"couplings have no {name}")
        self.__dict__.update(later.rows())
        return self.__dict__[name]

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle with all rows computed."""
        rows = {name: getattr(self, name) for name in self._later.names}
        return _unpickled, ({**self._given, **rows},)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"couplings are read-only; cannot set {name}")

    def __getitem__(self, name: str) -> FloatArray:
        """Return the mass or a coupling by name, shape (n,)."""
        if name not in _KNOWN:
            raise KeyError(name)
        row: FloatArray = getattr(self, name)
        return row

    def gives(self, name: str) -> bool:
        """Return True if the row was given; all other rows are zero, or unknown for ``tan_xi``.

        Examples
        --------
        >>> Couplings.of(m_Zp=17.0, C_Ve=1e-4).gives("C_Vu")
        False
        """
        return name in self._given or name in self._later.names

    def vanish(self, *names: str) -> bool:
        """Return True if these couplings are zero at all points.

        Examples
        --------
        >>> c = Couplings.of(m_Zp=17.0, C_Ve=[0.0, 1e-4], C_Ae=0.0)
        >>> c.vanish("C_Ae", "C_nue"), c.vanish("C_Ve", "C_Ae")
        (True, False)
        """
        found = self._vanishing
        for name in names:
            if name not in found:
                found[name] = not (self.gives(name) and any_of(getattr(self, name)))
            if not found[name]:
                return False
        return True

    @cached_property
    def _vanishing(self) -> dict[str, bool]:
        """Results of :meth:`vanish` for single rows."""
        return {}

    def __len__(self) -> int:
        return len(self.m_Zp)

    def __repr__(self) -> str:
        names = ", ".join([*self._given, *self._later.names])
        return f"<Couplings of {np.size(self.m_Zp)} points: {names}>"

    def rows(self) -> tuple[FloatArray, ...]:
        """Return all arrays in the order of :data:`TABLE`."""
        return tuple(getattr(self, name) for name in COUPLING_NAMES)

    def items(self) -> ItemsView[str, FloatArray]:
        """Return pairs of name and array in the order of :data:`TABLE`.

        The mass and the leptons are always among them, other rows where they were given.

        Examples
        --------
        >>> [name for name, row in Couplings.of(m_Zp=17, C_Ae=1e-4).items() if row.any()]
        ['m_Zp', 'C_Ae']
        """
        leptons, others = COUPLING_NAMES[:_POSITIONAL], COUPLING_NAMES[_POSITIONAL:]
        names = (*leptons, *(name for name in others if self.gives(name)))
        return {name: getattr(self, name) for name in names}.items()

    def computed(self) -> ItemsView[str, FloatArray]:
        """Return pairs of name and array of all rows that are given and computed already.

        Examples
        --------
        >>> [name for name, _ in Couplings.of(m_Zp=17, C_Ae=1e-4).computed()]
        ['m_Zp', 'C_Ae']
        """
        own = self.__dict__
        later = {name: own[name] for name in self._later.names if name in own}
        return {**self._given, **later}.items()

    def take(self, indices: slice | NDArray[np.intp]) -> "Couplings":
        """Return the points at ``indices``, a slice or an integer array of shape (k,)."""
        rows = {name: row[indices] for name, row in self._given.items()}
        later, own = self._later, self.__dict__
        taken = (
            Couplings.deferring(later.take(indices), **rows) if later.names else Couplings(**rows)
        )
        # What is computed already is gathered, which is cheaper than computing it once more.
        computed = [name for name in (*later.names, "log_m") if name in own]
        taken.__dict__.update({name: own[name][indices] for name in computed})
        return taken

    def once(self, function: Callable[["Couplings"], T]) -> T:
        """Return ``function(self)``, computed at the first call only.

        Several terms may share a quantity through this. Do not change its arrays.

        Parameters
        ----------
        function : callable
            Function of a module, not one made anew for each call.

        Examples
        --------
        >>> c = Couplings.of(m_Zp=17.0, C_Ve=1e-4)
        >>> c.once(Couplings.rows) is c.once(Couplings.rows)
        True
        """
        found = self._found
        if function not in found:
            found[function] = function(self)
        result: T = found[function]
        return result

    @cached_property
    def _found(self) -> dict[Callable[..., Any], Any]:
        """Results of :meth:`once`, by function."""
        return {}

    @cached_property
    def log_m(self) -> FloatArray:
        """ln of the mass in MeV, the variable of every tabulated function."""
        result: FloatArray = np.log(self.m_Zp)
        return result

    @cached_property
    def widths(self) -> Widths:
        """All widths in units of m_Zp/(12 pi), computed together at the first use."""
        single = np.ndim(self.m_Zp) == 0
        own = self.__dict__
        leptons = tuple(own[name] for name in COUPLING_NAMES[:_POSITIONAL])
        rows = (*leptons, self._reduced_hadronic_width(), self._reduced_dark_width())
        if single:  # a user's function may be called with plain numbers
            rows = tuple(np.atleast_1d(row) for row in rows)
        *leptonic, total = reduced_widths(*rows)
        found = (*leptonic, *rows[_POSITIONAL:], total)
        return Widths(*(width[0] for width in found) if single else found)

    def _reduced_hadronic_width(self) -> FloatArray:
        """Return the hadronic width in units of m_Zp/(12 pi).

        Quark couplings are not even computed if no hadronic channel is open.
        """
        quarks = self._later.names or not self._given.keys().isdisjoint(QUARK_NAMES)
        if not (quarks and any_of(self.m_Zp > THRESHOLD)):
            return _ZEROS[: np.size(self.m_Zp)]
        rows = (np.atleast_1d(self[name]) for name in ("m_Zp", *QUARK_NAMES))
        return reduced_hadronic_width(*rows)

    def _reduced_dark_width(self) -> FloatArray:
        """Return the dark width in units of m_Zp/(12 pi); the shared row of zeros without one."""
        if not self.gives("width_dark"):
            return self.width_dark
        result: FloatArray = 12 * np.pi * self.width_dark / self.m_Zp
        return result

    @cached_property
    def br_ee(self) -> FloatArray:
        """BR(Z' -> e+ e-), zero below threshold."""
        result: FloatArray = branching_ratio(self.widths.e, self.widths.total)
        return result

    @cached_property
    def br_inv(self) -> FloatArray:
        """BR(Z' -> invisible): neutrinos of all flavours and the dark sector."""
        invisible = self.widths.nu
        if self.gives("width_dark"):
            invisible = invisible + self.widths.dark
        result: FloatArray = branching_ratio(invisible, self.widths.total)
        return result

    @cached_property
    def br_mumu(self) -> FloatArray:
        """BR(Z' -> mu+ mu-), zero below threshold."""
        result: FloatArray = branching_ratio(self.widths.mu, self.widths.total)
        return result

    @cached_property
    def visible_coupling(self) -> FloatArray:
        """sqrt((C_Ve^2 + C_Ae^2) BR(Z' -> e+ e-)), Eq. (10) of arXiv:2102.07781."""
        result: FloatArray = np.sqrt((self.C_Ve**2 + self.C_Ae**2) * self.br_ee)
        return result

    @cached_property
    def invisible_coupling(self) -> FloatArray:
        """sqrt((C_Ve^2 + C_Ae^2) BR(Z' -> invisible)), for missing energy with electrons."""
        result: FloatArray = np.sqrt((self.C_Ve**2 + self.C_Ae**2) * self.br_inv)
        return result

    @cached_property
    def muon_invisible_coupling(self) -> FloatArray:
        """|C_Vmu| sqrt(BR(Z' -> invisible)), for missing energy with muons; neglects C_Amu."""
        result: FloatArray = np.abs(self.C_Vmu) * np.sqrt(self.br_inv)
        return result

    @cached_property
    def muon_pair_coupling(self) -> FloatArray:
        """sqrt((C_Vmu^2 + C_Amu^2) BR(Z' -> mu+ mu-)), for a Z' radiated by muons."""
        result: FloatArray = np.sqrt((self.C_Vmu**2 + self.C_Amu**2) * self.br_mumu)
        return result


def _unpickled(rows: Mapping[str, FloatArray]) -> Couplings:
    return Couplings(**rows)
