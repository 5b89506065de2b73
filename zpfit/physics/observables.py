r"""The registry of observables: numbers that a point predicts, by the names that entries use.

Each module of :mod:`zpfit.physics` declares its observables beside its functions with
the decorator :func:`observable`. Installed packages add their own through entry points
of the group ``zpfit.observables``, whose target is such a function::

    [project.entry-points."zpfit.observables"]
    my_asymmetry = "my_package.parity:my_asymmetry"

They are imported when their name is first looked up.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint
from types import MappingProxyType
from typing import TypeVar

from zpfit.io.arrays import FloatArray
from zpfit.io.plugins import plugins_of
from zpfit.io.python_code import FILE_MODULE
from zpfit.physics.couplings import COUPLING_NAMES, Couplings

PLUGINS = "zpfit.observables"
"""Group of entry points through which installed packages offer observables."""

_MODULES = (
    "magnetic_moment",
    "paper_2021",
    "recoil_experiments",
    "coherent_experiments",
    "trident",
    "moller",
    "branching_ratios",
    "stars",
    "charged_current",
    "kaon_decay",
    "kaon_to_pion",
    "atomic_parity",
    "neutron_lead",
    "neutrino_decoupling",
    "padme",
    "nuclear_experiments",
    "nuclear_lattice",
    "z_pole",
    "longitudinal",
)
"""Modules of this package with observables, in the order of tables and JSON records."""

Axes = tuple[tuple[str, tuple[float, ...]], ...]
"""Name and increasing edges of each axis of binned events; the last axis runs fastest."""

RENAMED: Mapping[str, str] = MappingProxyType(
    {
        "texono": "paper_texono",
        "borexino": "paper_borexino",
        "charm2_nu": "paper_charm2_nu",
        "charm2_nubar": "paper_charm2_nubar",
        "ccfr": "paper_ccfr",
        "moller_parity_violation": "paper_moller",
    }
)
"""Former names that users' entries may still hold, and the present ones."""


Targets = Mapping[str, tuple[FloatArray | float, float]]
"""By observable: the datum, one or of shape (n,), and the inverse of its variance."""
Profile = Callable[[Couplings, Targets, Mapping[str, float]], Mapping[str, FloatArray]]
"""Maps n points, data of some observables and widths of uncertain inputs, in published errors, to
the deviations of these inputs, in units of their widths, that minimise chi2; each of shape (n,).
An input without a width is certain."""


class Group(Enum):
    """The kind of data an observable belongs to, for tension between kinds."""

    ELECTRON = "electron g-2"
    MUON = "muon g-2"
    SCATTERING = "scattering"
    OTHER = "other"


ANOMALIES = (Group.ELECTRON, Group.MUON)
"""Measurements that a Z' may explain."""


@dataclass(frozen=True)
class Observable:
    """A number that a point predicts."""

    name: str
    function: Callable[..., FloatArray]
    """Maps a batch of n points to predictions of shape (n,). With uncertain inputs it takes their
    deviations as an optional second argument, a mapping from names to arrays of shape (n,)."""
    group: Group
    symbol: str = ""
    """LaTeX, without dollar signs; empty if there is none."""
    reads: tuple[str, ...] = COUPLING_NAMES
    """Names of the couplings that the prediction depends on."""
    bound_only: bool = False
    """True if tables of predictions leave it out, as it matters to few entries only."""
    needs: tuple[str, ...] = ()
    """Couplings that a model must give, as a missing one is unknown rather than zero."""
    spectrum: Callable[[Couplings], FloatArray] | None = None
    """Maps a batch of n points to expected events in bins, shape (n, bins), where data are binned.
    The observable itself is then their number over that without a Z'. Rows that share their memory
    (``numpy.broadcast_to``) are evaluated once."""
    axes: Axes = ()
    """Edges of the bins of ``spectrum``, with which tables of counts must agree; empty if they are
    not compared."""
    theory: tuple[str, ...] = ()
    """Names of uncertain inputs with Gaussian priors, which enter the prediction non-linearly."""
    profile: Profile | None = None
    """Returns their deviations of least chi2. Observables that share inputs share the function."""
    masses: tuple[float, float] | None = None
    """Smallest and largest mass (MeV) for which the formula holds; None if it holds for all."""

    def known_for(self, c: Couplings) -> bool:
        """Return True if the model behind ``c`` gives all that the prediction needs.

        Examples
        --------
        >>> find_observable("z_pole_m_W").known_for(Couplings.of(m_Zp=17.0, C_Ve=1e-4))
        False
        """
        return all(c.gives(name) for name in self.needs)


F = TypeVar("F", bound=Callable[..., FloatArray])

_DECLARED: dict[str, Observable] = {}
"""Filled by :func:`observable` when a module with observables is imported."""


def observable(
    *,
    reads: tuple[str, ...],
    group: Group,
    symbol: str = "",
    bound_only: bool = False,
    needs: tuple[str, ...] = (),
    name: str = "",
    spectrum: Callable[[Couplings], FloatArray] | None = None,
    axes: Axes = (),
    theory: tuple[str, ...] = (),
    profile: Profile | None = None,
    masses: tuple[float, float] | None = None,
) -> Callable[[F], F]:
    r"""Declare a function of the couplings as an observable; it stays a plain function.

    Parameters
    ----------
    reads : tuple of str
        Every coupling that the prediction depends on, the mass included.
    group : Group
        The kind of data it belongs to.
    symbol : str
        LaTeX without dollar signs, for axes.
    bound_only : bool
        Leave it out of tables of predictions.
    needs : tuple of str
        Couplings that a model must give. Without them the prediction is unknown: tables of
        predictions leave it out, and terms of the likelihood count them as zero, with a remark.
    name : str
        Name in entries; the function's name if not given.
    spectrum : callable, optional
        Returns expected events in bins, shape (n, bins), for entries of type ``binned``.
    axes : tuple of (str, tuple of float)
        Edges of these bins: name and edges of each axis, the last one running fastest.
    theory : tuple of str
        Uncertain inputs of the prediction. Measurements profile their deviations, in standard
        errors, which the function takes as an optional second argument.
    profile : callable, optional
        Finds these deviations, see :data:`Profile`; needed with ``theory``.
        :mod:`zpfit.physics.rate_profile` has the minimisers.
    masses : tuple of float, optional
        Smallest and largest mass (MeV) for which the formula holds. Runs and planes that reach
        beyond print a note.

    Raises
    ------
    ValueError
        ``reads`` names no coupling, another function already has the name, or one of ``theory``
        and ``profile`` is missing.

    Examples
    --------
    >>> @observable(reads=("C_Ve", "C_Vmu"), group=Group.OTHER, symbol=r"C_{Ve}/C_{V\mu}")
    ... def electron_over_muon(c):
    ...     return c.C_Ve / c.C_Vmu
    >>> find_observable("electron_over_muon").reads
    ('C_Ve', 'C_Vmu')
    """

    def declared(function: F) -> F:
        known_as = name or function.__name__
        kinds = (tuple(reads), bound_only, tuple(needs), spectrum, axes, tuple(theory), profile)
        declare(Observable(known_as, function, group, symbol, *kinds, masses))
        return function

    return declared


def declare(declared: Observable) -> Observable:
    """Add an observable to those that :func:`find_observable` finds, and return it.

    Raises
    ------
    ValueError
        See :func:`observable`.
    """
    unknown = {*declared.reads, *declared.needs} - set(COUPLING_NAMES)
    if unknown:
        raise ValueError(f"observable {declared.name!r} reads unknown {sorted(unknown)}")
    if bool(declared.theory) != (declared.profile is not None):
        raise ValueError(f"observable {declared.name!r} needs both theory and profile")
    other, module = _DECLARED.get(declared.name), declared.function.__module__
    if other is not None and not _may_replace(other.function.__module__, module):
        raise ValueError(f"two observables are called {declared.name!r}")
    _DECLARED[declared.name] = declared
    return declared


def _may_replace(old: str, new: str) -> bool:
    """Return True if a module may declare a name again; the later declaration holds.

    Notebooks import a module again. A run folder holds a copy of a user's file, which is a module
    of its own.
    """
    return old == new or (old.startswith(FILE_MODULE) and new.startswith(FILE_MODULE))


def declaration_of(function: object) -> Observable | None:
    """Return the declaration of a function, or None if it was not declared.

    Examples
    --------
    >>> from zpfit.physics.stars import white_dwarf_cooling
    >>> declaration_of(white_dwarf_cooling).group
    <Group.OTHER: 'other'>
    >>> declaration_of(len) is None
    True
    """
    return next((o for o in _DECLARED.values() if o.function is function), None)


@cache
def built_in_observables() -> Mapping[str, Observable]:
    """Return the observables of zpfit by name, in the order of tables."""
    modules = [import_module(f"zpfit.physics.{name}").__name__ for name in _MODULES]
    own = [o for o in _DECLARED.values() if o.function.__module__ in modules]
    # Imports by others may have come in any order.
    own.sort(key=lambda o: modules.index(o.function.__module__))
    return MappingProxyType({o.name: o for o in own})


@cache
def predictions() -> Mapping[str, Observable]:
    """Return the observables that tables of predictions report, in their order.

    Examples
    --------
    >>> list(predictions())[:3]
    ['delta_a_e', 'delta_a_mu', 'paper_texono']
    """
    return MappingProxyType(
        {name: o for name, o in built_in_observables().items() if not o.bound_only}
    )


def predictions_for(c: Couplings) -> Mapping[str, Observable]:
    """Return those of :func:`predictions` that are known for the model behind some couplings.

    Examples
    --------
    >>> "z_pole_m_W" in predictions_for(Couplings.of(m_Zp=17.0, C_Ve=1e-4))
    False
    """
    return {name: o for name, o in predictions().items() if o.known_for(c)}


def plugins() -> Mapping[str, EntryPoint]:
    """Return the entry points of installed packages by name."""
    return plugins_of(PLUGINS)


def observable_names() -> list[str]:
    """Return every name that :func:`find_observable` finds, sorted; imports no plug-in."""
    return sorted({*built_in_observables(), *_DECLARED, *plugins()})


def find_observable(name: str) -> Observable:
    """Return an observable by its present or former name.

    Parameters
    ----------
    name : str
        A name of zpfit, one declared with :func:`observable`, or that of an entry point.

    Raises
    ------
    KeyError
        No observable has the name.
    ImportError
        The package behind an entry point cannot be imported or declares no such observable.

    Examples
    --------
    >>> find_observable("texono").name
    'paper_texono'
    """
    name = RENAMED.get(name, name)
    found = built_in_observables().get(name) or _DECLARED.get(name)
    return _from_plugin(name) if found is None else found


def _from_plugin(name: str) -> Observable:
    point = plugins().get(name)
    if point is None:
        raise KeyError(name)
    try:
        point.load()
    except Exception as error:  # whatever a package's import raises
        raise ImportError(
            f"observable {name!r} of an installed package ({point.value}) cannot be imported: "
            f"{type(error).__name__}: {error}"
        ) from error
    if name not in _DECLARED:
        raise ImportError(
            f"{point.value} of an installed package declares no observable {name!r}; "
            "decorate the function with zpfit.physics.observables.observable"
        )
    return _DECLARED[name]
