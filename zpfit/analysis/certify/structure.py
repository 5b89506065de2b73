"""Input of a proof: relations between couplings, and terms in closed form."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf, sqrt
from typing import Any

import numpy as np

from zpfit.errors import NoStructure
from zpfit.inference.posterior import Posterior
from zpfit.inference.problem import Problem
from zpfit.inference.settings import JointSigmaSpec
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.exclusions import Exclusion, OverLimit
from zpfit.likelihood.measurements import AsymmetricTerm, GaussianTerm, Measurement
from zpfit.models.base import LeptonRelation
from zpfit.models.effective import MASS
from zpfit.physics import paper_2021, recoil_experiments
from zpfit.physics.atomic_parity import delta_q_w_cs, delta_q_w_p
from zpfit.physics.charged_current import pi_enu_ee
from zpfit.physics.constants import MASS_RANGE, MUON_MASS
from zpfit.physics.cosmology import mass_floor_ratio, mixed_mass_floor_ratio
from zpfit.physics.couplings import Couplings
from zpfit.physics.dark_photon_limits import dump_ratio, invisible_ratio, prompt_ratio
from zpfit.physics.electron_recoils import RecoilExperiment
from zpfit.physics.enclosures import Bounds, recoil_bounds
from zpfit.physics.magnetic_moment import delta_a_e, delta_a_mu
from zpfit.physics.moller import e158_sin2_theta
from zpfit.physics.neutrino_decoupling import CONTACT, n_eff
from zpfit.physics.recast import displaced_ratio, signal_ratio
from zpfit.physics.stars import white_dwarf_cooling

COUPLINGS = ("C_Ve", "C_Ae", "C_nue", "C_numu")
"""The couplings of a box, in their order."""
_MARGIN = 1e-12
"""Relative widening of closed formulas, a thousand times their rounding."""

_SPLINE = 1e-6
"""Relative widening of N_eff, a thousand times the error of its table."""

Observed = Callable[[Couplings], FloatArray]
Blocks = Callable[[FloatArray], list[tuple[int, Bounds]]]
"""Function from edges of mass cells (MeV) to flavours and bounds of five coefficients, shape
(5, n), see :func:`zpfit.physics.enclosures.recoil_bounds`."""


@dataclass(frozen=True)
class Anomaly:
    """A magnetic moment."""

    name: str
    value: float
    up: float
    """Standard error towards larger predictions."""
    down: float
    """Standard error towards smaller predictions."""

    def target(self, sigma: float) -> tuple[float, float]:
        """Return the predictions within ``sigma`` standard errors, rounded outwards."""
        low, high = self.value - sigma * self.down, self.value + sigma * self.up
        slack = _MARGIN * (abs(self.value) + sigma * (self.up + self.down))
        return low - slack, high + slack


@dataclass(frozen=True)
class Recoil:
    """A rate of electron recoils over the Standard Model's, and its limits."""

    name: str
    target: tuple[float, float]
    blocks: Blocks


@dataclass(frozen=True)
class Product:
    """A factor of the mass times C_Ve C_Ae, and its limits."""

    name: str
    target: tuple[float, float]
    factor: Callable[[FloatArray], Bounds]
    kind: str
    """Name of the formula of the factor."""


@dataclass(frozen=True)
class Dump:
    """A region that a beam dump excludes."""

    region: FloatArray
    """Rows of ln mass (MeV) and ln of both edges, see :func:`dump_ratio`."""
    length_ratio: float
    """Length of the decay volume over that of the shielding."""


@dataclass(frozen=True)
class Quarks:
    """Data on quarks, whose couplings one Higgs doublet relates to those of leptons."""

    caesium: tuple[float, float] = (-inf, inf)
    """Shifts of the weak charge of Caesium."""
    proton: tuple[float, float] = (-inf, inf)
    """Shifts of the weak charge of the proton."""
    visible: tuple[FloatArray, ...] = ()
    """Limits on pi0 -> gamma Z' with decays to electrons; rows of ln mass (MeV) and ln coupling."""
    invisible: tuple[FloatArray, ...] = ()
    """The same with decays to neutrinos."""


@dataclass(frozen=True)
class Domain:
    """Masses and couplings for which a proof holds."""

    mass: tuple[float, float]
    """MeV."""
    couplings: FloatArray
    """Lower and upper end of :data:`COUPLINGS`, shape (4, 2), symmetric about zero."""

    def record(self) -> dict[str, list[float]]:
        """Return the ends by name."""
        boxes = {
            name: list(map(float, row)) for name, row in zip(COUPLINGS, self.couplings, strict=True)
        }
        return {MASS.name: list(self.mass), **boxes}


@dataclass
class Structure:
    """Everything that the branch and bound reads."""

    domain: Domain
    relation: LeptonRelation
    electron: list[Anomaly] = field(default_factory=list)
    muon: list[Anomaly] = field(default_factory=list)
    recoils: list[Recoil] = field(default_factory=list)
    products: list[Product] = field(default_factory=list)
    trident: tuple[float, float] = (-inf, inf)
    visible: tuple[FloatArray, ...] = ()
    invisible: tuple[FloatArray, ...] = ()
    dumps: tuple[Dump, ...] = ()
    stars: float | None = None
    floors: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Masses (MeV) below which nucleosynthesis forbids thermal contact by electrons alone, by
    neutrinos alone, and by both."""
    contact: float = 0.0
    """Coupling of thermal contact."""
    quarks: Quarks = Quarks()
    used: list[str] = field(default_factory=list)
    """Terms that the proof uses."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Terms that it does not use, and why; the bound holds without them."""


def structure_of(problem: Problem) -> Structure:
    """Return the structure of a problem.

    Raises
    ------
    NoStructure
        The model declares no relation between its couplings, its mass is no parameter, or a
        magnetic moment has a form for which there are no bounds. The message names it.
    """
    posterior = problem.posterior
    structure = Structure(*_domain(posterior))
    limits = problem.settings.joint_sigma
    anomalies = {term.name for term in posterior.likelihood.anomalies}
    if not anomalies:
        raise NoStructure(posterior.likelihood.name, "it has no magnetic moment")
    for term in posterior.likelihood.measurements:
        if term.name in anomalies:
            _add_anomaly(structure, term)
        else:
            _add_measurement(structure, term, limits)
    for exclusion in posterior.likelihood.exclusions:
        _add_exclusion(structure, exclusion)
    return structure


def _domain(posterior: Posterior) -> tuple[Domain, LeptonRelation]:
    names = posterior.priors.by_name
    supports = {name: posterior.priors.support(name) for name in names}
    if MASS.name not in supports:
        raise NoStructure(posterior.model.name, f"{MASS.name} is not among its parameters")
    relation = posterior.model.lepton_relation(supports)
    if relation is None:
        raise NoStructure(posterior.model.name, "it declares no relation between its couplings")
    ends = np.array(relation.largest) * (1 + _MARGIN)
    low, high = supports[MASS.name]
    return Domain((low, high), np.stack([-ends, ends], axis=1)), relation


def _add_anomaly(structure: Structure, term: Measurement) -> None:
    lists: dict[Observed, list[Anomaly]] = {
        delta_a_e: structure.electron,
        delta_a_mu: structure.muon,
    }
    chosen = lists.get(term.observable.function)
    if chosen is None or not isinstance(term, GaussianTerm | AsymmetricTerm):
        raise NoStructure(term.name, "there are no bounds for this form of a magnetic moment")
    up, down = term.errors
    chosen.append(Anomaly(term.name, term.value, up, down))
    structure.used.append(term.name)


def _add_measurement(structure: Structure, term: Measurement, limits: JointSigmaSpec) -> None:
    if not isinstance(term, GaussianTerm | AsymmetricTerm):
        structure.left_out[term.name] = "its likelihood is not Gaussian"
        return
    if term.observable.function is pi_enu_ee and structure.relation.one_doublet:
        structure.left_out[term.name] = "one Higgs doublet conserves the charged current"
        return
    up, down = term.errors
    target = Anomaly(term.name, term.value, up, down).target(limits.limit(term.name))
    adders = (_add_scattering, _add_weak_charge, _add_n_eff)
    if any(add(structure, term, target) for add in adders):
        structure.used.append(term.name)
    else:
        structure.left_out[term.name] = "there are no bounds for its observable"


def _add_scattering(structure: Structure, term: Measurement, target: tuple[float, float]) -> bool:
    """Add a rate, a product of couplings or the paper's trident; return False for others."""
    function = term.observable.function
    if function in _RECOILS:
        structure.recoils.append(Recoil(term.name, target, _RECOILS[function]))
    elif function is e158_sin2_theta:
        structure.products.append(Product(term.name, target, _e158, "e158"))
    elif function is paper_2021.paper_ccfr and structure.relation.universal_axial:
        structure.trident = _overlap(structure.trident, target)
    else:
        return False
    return True


def _add_weak_charge(structure: Structure, term: Measurement, target: tuple[float, float]) -> bool:
    """Add the weak charge of Caesium or the proton if one doublet relates quarks to leptons."""
    function, quarks = term.observable.function, structure.quarks
    if not structure.relation.one_doublet:
        return False
    if function is delta_q_w_cs:
        structure.quarks = replace(quarks, caesium=_overlap(quarks.caesium, target))
    elif function is delta_q_w_p:
        structure.quarks = replace(quarks, proton=_overlap(quarks.proton, target))
    else:
        return False
    return True


def _add_n_eff(structure: Structure, term: Measurement, target: tuple[float, float]) -> bool:
    """Add N_eff as floors of the mass."""
    if term.observable.function is not n_eff:
        return False
    return _add_floors(structure, n_eff_floors(target), CONTACT)


def _overlap(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return max(one[0], other[0]), min(one[1], other[1])


def _add_exclusion(structure: Structure, exclusion: Exclusion) -> None:
    ratio: Any = exclusion.ratio
    keywords: Mapping[str, Any] = ratio.keywords if isinstance(ratio, partial) else {}
    function, limit = ratio.func if isinstance(ratio, partial) else ratio, 1.0
    if isinstance(ratio, OverLimit):
        function, limit = ratio.function, ratio.limit
    if (
        _add_upper_limit(structure, exclusion.name, function, limit)
        or _add_curve(structure, function, keywords)
        or _add_mass_floor(structure, function, keywords)
    ):
        structure.used.append(exclusion.name)
    else:
        structure.left_out[exclusion.name] = "there are no bounds for this kind of limit"


def _add_upper_limit(structure: Structure, name: str, function: object, limit: float) -> bool:
    """Add white dwarfs or the paper's limit on C_Ve C_Ae; return False for others."""
    if function is white_dwarf_cooling:
        structure.stars = min(limit, structure.stars or inf)
    elif function is paper_2021.paper_moller:
        end = limit * (1 + _MARGIN)
        structure.products.append(Product(name, (-end, end), _one, "one"))
    else:
        return False
    return True


def _add_curve(structure: Structure, function: object, keywords: Mapping[str, Any]) -> bool:
    """Add a limit on decays or a beam dump; return False for others."""
    if function is prompt_ratio:
        structure.visible = (*structure.visible, keywords["curve"])
    elif function is invisible_ratio:
        structure.invisible = (*structure.invisible, keywords["curve"])
    elif function is dump_ratio or (
        function is displaced_ratio and _is_electron_dump(keywords, structure.domain)
    ):
        structure.dumps = (*structure.dumps, Dump(keywords["region"], keywords["length_ratio"]))
    elif function is signal_ratio and _is_pion(keywords) and structure.relation.one_doublet:
        kind = "visible" if keywords["final_state"] == "electrons" else "invisible"
        curves = (*getattr(structure.quarks, kind), keywords["curve"])
        structure.quarks = replace(structure.quarks, **{kind: curves})
    else:
        return False
    return True


def _add_mass_floor(structure: Structure, function: object, keywords: Mapping[str, Any]) -> bool:
    """Add floors of the mass; return False for other limits."""
    if function not in (mass_floor_ratio, mixed_mass_floor_ratio):
        return False
    floors = mass_floors(keywords, mixed=function is mixed_mass_floor_ratio)
    return _add_floors(structure, floors, keywords["contact"])


def _is_pion(keywords: Mapping[str, Any]) -> bool:
    """Return True for a limit on pi0 -> gamma Z'; decays to muons are closed."""
    return bool(keywords["channel"] == "pi0_gamma" and keywords["final_state"] != "muons")


def mass_floors(keywords: Mapping[str, Any], *, mixed: bool) -> tuple[float, float, float]:
    """Return the floors of an entry: for electrons alone, neutrinos alone, and both."""
    one, other = keywords["electrophilic"], keywords["neutrinophilic"]
    return (0.0, 0.0, max(one, other)) if mixed else (one, other, max(one, other))


def n_eff_floors(target: tuple[float, float]) -> tuple[float, float, float]:
    """Return the masses below which N_eff lies outside its limits, by bisection.

    Entropy at a fixed temperature falls with the mass, so that N_eff approaches that of the
    Standard Model from below (electrons) and from above (neutrinos).

    Examples
    --------
    >>> print([round(mass, 1) for mass in n_eff_floors((2.6, 3.12))])
    [7.9, 13.8, 0.0]
    """

    def fails(mass: float, name: str) -> bool:
        found = float(n_eff(Couplings.of(m_Zp=mass, **{name: 1.0}))[0])
        return not target[0] * (1 - _SPLINE) <= found <= target[1] * (1 + _SPLINE)

    floors = []
    for name in ("C_Ve", "C_nue"):
        low, high = MASS_RANGE[0], 1e3
        for _ in range(60):
            middle = sqrt(low * high)
            low, high = (middle, high) if fails(middle, name) else (low, middle)
        floors.append(low if fails(MASS_RANGE[0], name) else 0.0)
    return floors[0], floors[1], 0.0


def _add_floors(structure: Structure, floors: tuple[float, float, float], contact: float) -> bool:
    """Raise the floors of a structure; return False if it has another coupling of contact."""
    if structure.contact not in (0.0, contact):
        return False
    old = structure.floors
    structure.floors = max(old[0], floors[0]), max(old[1], floors[1]), max(old[2], floors[2])
    structure.contact = contact
    return True


def _is_electron_dump(keywords: Mapping[str, Any], domain: Domain) -> bool:
    """Return True if a displaced limit is that of :func:`dump_ratio` at all masses of a domain.

    Below two muon masses a dark photon decays to electrons alone.
    """
    by_electrons = keywords["channel"] == "electron" and keywords["final_state"] == "electrons"
    return by_electrons and domain.mass[1] < 2 * MUON_MASS


def _one(edges: FloatArray) -> Bounds:
    ones = np.ones(len(edges) - 1)
    return Bounds(ones, ones)


def _e158(edges: FloatArray) -> Bounds:
    """Return the factor of C_Ve C_Ae, which falls with the mass."""
    value = e158_sin2_theta(Couplings.of(m_Zp=edges, C_Ve=1.0, C_Ae=1.0))
    return Bounds(value, value).widened(_MARGIN).between()


def _contact(
    flavours: Mapping[int, tuple[float, ...]], edges: FloatArray
) -> list[tuple[int, Bounds]]:
    """Return coefficients that fall as m^-2 (two linear ones) and m^-4 (three squares)."""
    powers = np.stack([edges ** (-2.0 * power) for power in (1, 1, 2, 2, 2)])
    found = []
    for flavour, factors in flavours.items():
        values = np.array(factors)[:, None] * powers
        found.append((flavour, Bounds(values, values).widened(_MARGIN).between()))
    return found


def _recoils(
    shares: Mapping[int, tuple[RecoilExperiment, float]], edges: FloatArray
) -> list[tuple[int, Bounds]]:
    found = []
    for flavour, (experiment, share) in shares.items():
        bounds = recoil_bounds(experiment, edges)
        scaled = Bounds(share * bounds.lower, share * bounds.upper).widened(_MARGIN)
        found.append((flavour, scaled))
    return found


def _borexino(edges: FloatArray) -> list[tuple[int, Bounds]]:
    electron, other = recoil_experiments.solar_shares(recoil_experiments.SURVIVAL_PROBABILITY)
    rest = (recoil_experiments.BOREXINO_OTHER, other)
    shares = {0: (recoil_experiments.BOREXINO_NUE, electron), 1: rest, 2: rest}
    return _recoils(shares, edges)


def _single(flavour: int, experiment: RecoilExperiment) -> Blocks:
    return partial(_recoils, {flavour: (experiment, 1.0)})


_TEXONO = {0: (2.07e11, 1.39e11, 1.37e22, 2.62e22, 1.64e22)}
"""Eq. (13) of arXiv:2102.07781."""
_OTHER = (-1.16e10, 2.22e10, 0.81e21, -1.38e21, 1.38e21)
_BOREXINO = {0: (6.86e10, -8.27e10, 1.62e21, -2.76e21, 2.76e21), 1: _OTHER, 2: _OTHER}
"""Eq. (14) of arXiv:2102.07781."""

_RECOILS: dict[Observed, Blocks] = {
    paper_2021.paper_texono: partial(_contact, _TEXONO),
    paper_2021.paper_borexino: partial(_contact, _BOREXINO),
    paper_2021.paper_charm2_nu: _single(1, paper_2021.CHARM2_NU),
    paper_2021.paper_charm2_nubar: _single(1, paper_2021.CHARM2_NUBAR),
    recoil_experiments.nue_texono: _single(0, recoil_experiments.TEXONO),
    recoil_experiments.nue_lsnd: _single(0, recoil_experiments.LSND),
    recoil_experiments.nue_charm2_nu: _single(1, recoil_experiments.CHARM2_NU),
    recoil_experiments.nue_charm2_nubar: _single(1, recoil_experiments.CHARM2_NUBAR),
    recoil_experiments.nue_borexino: _borexino,
}
"""Rates of electron recoils whose coefficients have proved bounds."""
