"""The numbers that arXiv:2102.07781 claims, and the same numbers computed by zpfit."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from math import hypot, sqrt
from typing import Any, Literal

from scipy.optimize import brentq

from zpfit.analysis.certify.bracket import below
from zpfit.io.library import Library
from zpfit.io.numbers import percent
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.physics.constants import ELECTRON_MASS, MUON_MASS
from zpfit.physics.couplings import Couplings
from zpfit.physics.magnetic_moment import delta_a
from zpfit.studies.paper_2021.target_regions import (
    BOTH,
    ELECTRON,
    FORMS,
    MUON,
    MUON_FREE_NEUTRINO,
    MUON_NEUTRINO,
    MUON_WITH_NEUTRINO,
    NEUTRINOS,
    RUBIDIUM,
    RUBIDIUM_MOMENTS,
    BoundedSigma,
    End,
    Form,
    TargetRegion,
)

Relation = Literal["=", "<~", ">~", "<", ">"]
_CAESIUM, _CAESIUM_ERROR = -8.7e-13, 3.6e-13
_RUBIDIUM, _RUBIDIUM_ERROR = 4.8e-13, 3.0e-13
_MUON, _MUON_ERROR = 2.51e-9, 5.9e-10
"""Anomalies of the moments and their errors that the paper uses, Eqs. (1) to (3)."""
_SHARED_ERROR = 2.8e-13
"""Error of the measured moment of the electron, Phys. Rev. Lett. 100, 120801 (2008)."""
_MOLLER = 1e-8
"""Limit on |C_Ve C_Ae| from Moller scattering, Eq. (12)."""
_BELLE2_MASS, _PROBE = 30.0, 1e-4
"""Mass in MeV and coupling at which Belle II's limit is read off."""
_EXACT, _ROUNDED, _ORDER = 0.05, 0.15, 0.5
"""Relative tolerances of a number given with two digits, with one digit, and as 'about'."""


@dataclass(frozen=True)
class Claim:
    """A number of the paper."""

    id: str
    place: str
    """Section, equation or figure."""
    statement: str
    paper: float | None
    """The paper's number; None where it says that nothing is allowed."""
    relation: Relation
    """Relation of the quantity to the paper's number."""
    tolerance: float
    unit: str = ""
    note: str = ""
    """Reason for which the computed number differs, or its assumptions."""
    one_sided: bool = False
    """The claim is only that the quantity exceeds the paper's number."""


@dataclass(frozen=True)
class Checked:
    """A claim and its computed numbers, one for each form of BaBar's limit.

    A number is None where nothing is allowed.
    """

    claim: Claim
    computed: Mapping[Form, float | None]

    def agrees(self, form: Form) -> bool:
        """Return whether the computed number agrees with the paper's."""
        value, claim = self.computed[form], self.claim
        if value is None or claim.paper is None:
            return value is claim.paper
        if claim.one_sided:
            return value > claim.paper
        return abs(value - claim.paper) <= claim.tolerance * abs(claim.paper)

    @property
    def own_form(self) -> Form:
        """The form of BaBar's limit that the paper's number is compared with."""
        return "curve" if self.claim.id.endswith("_curve") else "envelope"

    @property
    def note(self) -> str:
        """Reason for a difference, and the distance to a bound that is violated."""
        return " ".join(filter(None, [self._wrong_side(), self.claim.note]))

    def _wrong_side(self) -> str:
        value, claim = self.computed[self.own_form], self.claim
        if value is None or claim.paper is None or claim.one_sided:
            return ""
        above = value > claim.paper
        if (above and "<" in claim.relation) or (not above and ">" in claim.relation):
            distance = percent(abs(value / claim.paper - 1))
            return f"{distance} {'above' if above else 'below'} the bound."
        return ""


def as_json(checked: Sequence[Checked]) -> list[dict[str, Any]]:
    """Return one JSON object for each claim.

    ``computed`` and ``agrees`` use the paper's data with BaBar's envelope, except for the joint
    sigmas of the curve. ``computed_curve`` and ``agrees_curve`` use the published curve.
    """
    return [
        {
            "id": c.claim.id,
            "place": c.claim.place,
            "statement": c.claim.statement,
            "unit": c.claim.unit,
            "relation": c.claim.relation,
            "paper": c.claim.paper,
            "tolerance": c.claim.tolerance,
            "computed": c.computed[c.own_form],
            "agrees": c.agrees(c.own_form),
            "computed_curve": c.computed["curve"],
            "agrees_curve": c.agrees("curve"),
            "note": c.note,
        }
        for c in checked
    ]


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    return float(brentq(function, low, high, xtol=1e-300, rtol=1e-12))


def _axial_for(mass: float, moment: float) -> float:
    """Return the C_Ae that gives a moment to the electron with C_Ve = 0; mass in MeV."""
    return _root(lambda c: float(delta_a(ELECTRON_MASS, mass, 0.0, c)) - moment, 0.0, 10.0)


def _vector_for(mass: float, moment: float) -> float:
    """Return the C_Vmu that gives a moment to the muon with C_Amu = 0; mass in MeV."""
    return _root(lambda c: float(delta_a(MUON_MASS, mass, c, 0.0)) - moment, 0.0, 10.0)


def _plain_difference() -> float:
    return (_RUBIDIUM - _CAESIUM) / hypot(_CAESIUM_ERROR, _RUBIDIUM_ERROR)


def _alpha_difference() -> float:
    own = [error**2 - _SHARED_ERROR**2 for error in (_CAESIUM_ERROR, _RUBIDIUM_ERROR)]
    return (_RUBIDIUM - _CAESIUM) / sqrt(sum(own))


def _least_axial_share(mass: float) -> float:
    return _root(lambda share: float(delta_a(ELECTRON_MASS, mass, 1.0, share)), 0.0, 1.0)


@cache
def _meeting_in_fig4() -> tuple[float, float]:
    """Return mass (MeV) and C_Ve where a_e (Rubidium) + 1 sigma meets a_mu - 1 sigma."""

    def coupling(mass: float) -> float:
        def excess(c: float) -> float:
            moment = float(delta_a(ELECTRON_MASS, mass, c, _MOLLER / c))
            return moment - (_RUBIDIUM + _RUBIDIUM_ERROR)

        return _root(excess, 1e-5, 1.0)

    def missing(mass: float) -> float:
        c = coupling(mass)
        moment = float(delta_a(MUON_MASS, mass, c + _MOLLER / c, 0.0))
        return moment - (_MUON - _MUON_ERROR)

    mass = _root(missing, 10.0, 60.0)
    return mass, coupling(mass)


def _moment_of_vector_coupling() -> float:
    """Return how far below zero the moment of the electron gets with C_Ve = 1e-4, C_Ae = 0."""
    masses = (1e-3, 1.0, 17.0, 1e4)
    return max(0.0, -min(float(delta_a(ELECTRON_MASS, m, 1e-4, 0.0)) for m in masses))


_RATIO, _MASSES = abs(_CAESIUM / _MUON), ELECTRON_MASS / MUON_MASS
_FIG4 = "with C_Ae = -1e-8/C_Ve and Eq. (33), as in Fig. 4"


@dataclass(frozen=True)
class _ClosedClaim:
    """A claim about the moments alone, and the function that computes its number."""

    claim: Claim
    compute: Callable[[], float]


_CLOSED = (
    _ClosedClaim(
        Claim("moment_ratio", "Eq. (4)", "|Delta a_e / Delta a_mu|", 3.5e-4, "=", _EXACT),
        lambda: _RATIO),
    _ClosedClaim(
        Claim("moment_ratio_low", "Eq. (4)", "|Delta a_e / Delta a_mu| over m_e^2/m_mu^2", 1.0, ">",
              0.0, one_sided=True),
        lambda: _RATIO / _MASSES**2),
    _ClosedClaim(
        Claim("moment_ratio_high", "Eq. (4)", "m_e/m_mu over |Delta a_e / Delta a_mu|", 1.0, ">",
              0.0, one_sided=True),
        lambda: _MASSES / _RATIO),
    _ClosedClaim(
        Claim("cs_rb_difference", "Sec. I", "difference between Caesium and Rubidium", 5.0, ">",
              _EXACT, "sigma", "The two values of a_e share the measured moment, whose error of "
              "2.8e-13 must be subtracted in quadrature; the plain difference is "
              f"{_plain_difference():.1f} sigma.", one_sided=True),
        _alpha_difference),
    _ClosedClaim(
        Claim("universality", "Sec. II B", "smallest |C_Ae / C_Ve| for Delta a_e < 0", 0.45, "=",
              _EXACT, "", "The heavy limit is 1/sqrt(5); here at 20 MeV."),
        lambda: _least_axial_share(20.0)),
    _ClosedClaim(
        Claim("sm_u1_moment", "Sec. IV A", "how far below zero a vector coupling takes Delta a_e",
              0.0, "=", _EXACT, "", "For C_Ve = 1e-4 from 1 keV to 10 GeV."),
        _moment_of_vector_coupling),
    _ClosedClaim(
        Claim("c_ae_per_mev", "Sec. III A", "smallest |C_Ae| per mass", 9e-6, "=", _EXACT, "1/MeV",
              "At 20 MeV, with C_Ve = 0."),
        lambda: _axial_for(20.0, _CAESIUM) / 20.0),
    _ClosedClaim(
        Claim("c_ae_10gev", "Sec. II B", "smallest |C_Ae| at 10 GeV", 0.1, ">~", _ROUNDED, "",
              "With C_Ve = 0."),
        lambda: _axial_for(1e4, _CAESIUM)),
    _ClosedClaim(
        Claim("light_mass_max", "footnote 4", "mass below which |C_Ae| < 1e-9 suffices", 100.0,
              "<~", _ROUNDED, "eV", "Central value, C_Ve = 0."),
        lambda: 1e6 * _root(lambda m: _axial_for(m, _CAESIUM) - 1e-9, 1e-6, 1e-2)),
    _ClosedClaim(
        Claim("c_vmu_light", "Sec. III B", "smallest |C_Vmu| of a light Z'", 4e-4, ">~", _ROUNDED,
              "", "At 1 keV, a_mu within 1 sigma."),
        lambda: _vector_for(1e-3, _MUON - _MUON_ERROR)),
    _ClosedClaim(
        Claim("rb_mass_fig4", "Sec. V", f"smallest mass that meets both {_FIG4}", 25.0, ">~",
              _EXACT, "MeV"),
        lambda: _meeting_in_fig4()[0]),
    _ClosedClaim(
        Claim("rb_coupling_fig4", "Sec. V", f"C_Ve there, {_FIG4}", 5e-4, ">~", _EXACT),
        lambda: _meeting_in_fig4()[1]),
)  # fmt: skip
"""Claims about the moments alone, which depend on no exclusion."""


def closed_claims() -> list[Checked]:
    """Return the claims about the moments alone with their computed numbers."""
    return [Checked(one.claim, dict.fromkeys(FORMS, one.compute())) for one in _CLOSED]


def projection_claims() -> Iterator[Checked]:
    """Yield the claims about future searches, computed from the packaged projections."""
    library = Library.beside()
    belle2, na64 = (
        assemble(LikelihoodSpec(add=(name,)), library).likelihood.exclusions[0]
        for name in ("belle2_projection_2019", "na64_projection_2020")
    )
    point = Couplings.of(m_Zp=_BELLE2_MASS, C_Ve=_PROBE)
    limit = _PROBE / float(belle2.ratio(point)[0])
    yield Checked(
        Claim("belle2_reach", "Eq. (17)", "|C_e| that Belle II reaches with 50/ab", 9e-5, "=",
              _ROUNDED, "", f"The Belle II Physics Book's curve at {_BELLE2_MASS:g} MeV, "
              "C = e eps; the paper quotes an earlier projection."),
        dict.fromkeys(FORMS, limit),
    )  # fmt: skip
    reach = na64.mass_range
    yield Checked(
        Claim("na64_reach", "Sec. III C", "mass that NA64 reaches after LS2", 20.0, "=",
              _ROUNDED, "MeV", "No check: the packaged projection is made of the paper's words, "
              "as no curve is published."),
        dict.fromkeys(FORMS, None if reach is None else reach[1]),
    )  # fmt: skip


@dataclass(frozen=True)
class _ExtremeClaim:
    claim: Claim
    region: TargetRegion
    end: End
    in_window: bool = False
    """Restrict masses to those between the smallest and largest that meet a_e."""


_MASS = {"m_Zp": 1.0}
# Claims about one region are neighbours, as it is searched once. Masses come before claims that
# need the window of masses.
_EXTREMES = (
    _ExtremeClaim(
        Claim("mass_min", "Sec. III A", "smallest mass that meets a_e", 16.0, "=", _EXACT, "MeV",
              "NA64's curve with C = e eps ends at 17 MeV; the paper's 16 fits an eps normalised "
              "to hypercharge."),
        ELECTRON, End(_MASS, largest=False)),
    _ExtremeClaim(
        Claim("mass_max", "Sec. III A", "largest mass that meets a_e", 38.0, "=", _EXACT, "MeV",
              "BaBar's curve fluctuates above its envelope and leaves heavier islands."),
        ELECTRON, End(_MASS, largest=True)),
    _ExtremeClaim(
        Claim("c_ae_min", "Sec. III A", "smallest |C_Ae|", 1.3e-4, "=", _EXACT),
        ELECTRON, End({"C_Ae": 1.0}, largest=False)),
    _ExtremeClaim(
        Claim("c_ae_max", "Sec. III A", "largest |C_Ae|", 3.2e-4, "=", _EXACT, "",
              "Larger with BaBar's curve, which leaves heavier masses."),
        ELECTRON, End({"C_Ae": 1.0}, largest=True)),
    _ExtremeClaim(
        Claim("c_ve_max", "Sec. III A", "largest |C_Ve|", 7.7e-5, "<~", _EXACT, "",
              "1e-8 over the smallest |C_Ae|."),
        ELECTRON, End({"C_Ve": 1.0}, largest=True)),
    _ExtremeClaim(
        Claim("c_nue_max", "Sec. III A", "largest |C_nue|", 1e-5, "<~", _ORDER, "",
              "Borexino stops it, as the paper says, which states an order of magnitude."),
        ELECTRON, End({"C_nue": 1.0}, largest=True)),
    _ExtremeClaim(
        Claim("fn_left_max", "Sec. IV C", "largest |C_Ve - C_Ae - C_nue|", 3.5e-4, "<", _EXACT, "",
              "With the envelope it stays below the smallest right side, as the "
              "argument requires. With BaBar's curve it is larger than that, though at heavier "
              "masses, where the right side is larger as well: the joint sigma decides."),
        ELECTRON, End({"C_Ve": 1.0, "C_Ae": -1.0, "C_nue": -1.0}, largest=True)),
    _ExtremeClaim(
        Claim("c_numu_max", "Sec. III B", "largest |C_numu|", 2e-5, "<~", _ORDER, "",
              "With C_Ve = 0; the paper states an order of magnitude."),
        MUON_NEUTRINO, End({"C_numu": 1.0}, largest=True)),
    _ExtremeClaim(
        Claim("nhdm_difference_max", "Sec. IV B", "largest |C_nue - C_numu|", 1e-5, "<~", _ORDER,
              "", "The paper's is an order of magnitude; couplings of opposite signs go beyond it, "
              "and still fall short of what Eq. (30) needs by more than a factor of twenty."),
        NEUTRINOS, End({"C_nue": 1.0, "C_numu": -1.0}, largest=True)),
    _ExtremeClaim(
        Claim("nhdm_difference_min", "Sec. IV B", "smallest |C_Ve - C_Vmu|", 4e-4, ">~", _ROUNDED),
        BOTH, End({"C_Ve": 1.0, "C_Vmu": -1.0}, largest=False)),
    _ExtremeClaim(
        Claim("c_vmu_min", "Sec. IV C", "smallest |C_Vmu| at the smallest mass", 4.8e-4, ">~",
              _EXACT),
        MUON, End({"C_Vmu": 1.0}, largest=False), in_window=True),
    _ExtremeClaim(
        Claim("c_vmu_max", "Sec. III B", "largest |C_Vmu| with C_numu = 1e-5", 0.05, "<~",
              _ROUNDED, "", "CCFR at 2 sigma, couplings of one sign, in the window of masses that "
              "meet a_e, whose upper end decides: BaBar's curve leaves heavier ones."),
        MUON_WITH_NEUTRINO, End({"C_Vmu": 1.0}, largest=True), in_window=True),
    _ExtremeClaim(
        Claim("c_amu_max", "Sec. VI", "largest |C_Amu|", 8e-3, "<~", _ROUNDED, "",
              "Where |C_Vmu| is largest, which the paper rounds to 0.05; BaBar's curve leaves "
              "heavier masses and with them larger couplings."),
        MUON_WITH_NEUTRINO, End({"C_Amu": 1.0}, largest=True), in_window=True),
    _ExtremeClaim(
        Claim("fn_right_min", "Sec. IV C", "smallest |C_Vmu - C_Amu - C_numu|", 4.6e-4, ">",
              _EXACT, "", "With |C_numu| up to 2e-5."),
        MUON_FREE_NEUTRINO, End({"C_Vmu": 1.0, "C_Amu": -1.0, "C_numu": -1.0}, largest=False),
        in_window=True),
    _ExtremeClaim(
        Claim("rb_mass_min", "Sec. V", "smallest mass with C_Ve = C_Vmu that meets both", 25.0,
              ">~", _EXACT, "MeV", "Where the upper end of the electron's band meets the lower end "
              "of the muon's; the paper's number is probably that of Fig. 4, see rb_mass_fig4."),
        RUBIDIUM_MOMENTS, End(_MASS, largest=False)),
    _ExtremeClaim(
        Claim("rb_coupling_min", "Sec. V", "smallest C_Ve = C_Vmu that meets both", 5e-4, ">~",
              _ROUNDED),
        RUBIDIUM_MOMENTS, End({"C_Ve": 1.0}, largest=False)),
)  # fmt: skip


def form_claims(form: Form) -> dict[str, float]:
    """Return the numbers of all claims about regions, by id, with a form of BaBar's limit."""
    values: dict[str, float] = {}
    for (whole, in_window), of_region in groupby(_EXTREMES, lambda e: (e.region, e.in_window)):
        claims = list(of_region)
        region = whole.within(values["mass_min"], values["mass_max"]) if in_window else whole
        found = region.extremes([e.end for e in claims], form)
        values |= zip([e.claim.id for e in claims], found, strict=True)
    return values


def region_claims(by_form: Mapping[Form, Mapping[str, float]]) -> list[Checked]:
    """Return the claims about regions with their computed numbers."""
    return [
        Checked(e.claim, {form: by_form[form][e.claim.id] for form in FORMS}) for e in _EXTREMES
    ]


def rubidium_window() -> tuple[float, float]:
    """Return the masses (MeV) between which BaBar's published curve allows C_Ve = C_Vmu.

    Both moments are then met within one standard error.
    """
    low, high = RUBIDIUM.extremes([End(_MASS, largest=False), End(_MASS, largest=True)], "curve")
    return low, high


def window_claims(window: tuple[float, float]) -> list[Checked]:
    """Return the claims of Sec. V, by which BaBar excludes every common solution."""
    note = (
        "With the envelope nothing is allowed, as the paper says. The published curve allows "
        "C_Ve = C_Vmu between these masses."
    )
    return [
        Checked(
            Claim(f"rb_window_{end}", "Sec. V", f"{end} mass of a common solution", None, "=", 0.0,
                  "MeV", note),
            {"envelope": None, "curve": mass},
        )
        for end, mass in zip(("min", "max"), window, strict=True)
    ]  # fmt: skip


_CLASS_NAMES = {"sm_u1": "SM+U(1)'", "nhdm": "NHDM+U(1)'", "fn": "Froggatt-Nielsen"}
_PLACES = {"sm_u1": "Sec. IV A", "nhdm": "Sec. IV B", "fn": "Sec. IV C"}
JOINT_SIGMAS = tuple(
    (model_class, isotope, form)
    for model_class in _CLASS_NAMES
    for isotope in ("cs", "rb")
    for form in FORMS
)
"""Every joint sigma: class, isotope and form of BaBar's limit."""


def joint_sigma_claims(values: Mapping[tuple[str, str, Form], BoundedSigma]) -> list[Checked]:
    """Return the claims that n = 1 is impossible, n being the joint sigma.

    Parameters
    ----------
    values
        Joint sigmas by the cases of :data:`JOINT_SIGMAS`.
    """
    return [
        Checked(
            _joint_sigma_claim(model_class, isotope, form, values),
            {each: values[model_class, isotope, each].found for each in FORMS},
        )
        for model_class, isotope, form in JOINT_SIGMAS
    ]


def _joint_sigma_claim(
    model_class: str, isotope: str, form: Form, values: Mapping[tuple[str, str, Form], BoundedSigma]
) -> Claim:
    value, proved = values[model_class, isotope, form]
    curve = values[model_class, isotope, "curve"].found
    place = _PLACES[model_class] if isotope == "cs" else "Sec. V"
    data = "Caesium" if isotope == "cs" else "Rubidium"
    notes = [] if proved is None else [f"Proved to be at least {below(proved)}."]
    if form == "envelope" and value >= 1 > curve:
        notes.append("The published curve leaves both anomalies within one sigma.")
    if form == "curve":
        notes.append("The paper uses the envelope of BaBar's limit; this is the published curve.")
    if value < 1:
        notes.append("It leaves both anomalies within one sigma: the no-go rests on the envelope.")
    return Claim(
        f"joint_sigma_{model_class}_{isotope}_{form}", place,
        f"joint sigma of {_CLASS_NAMES[model_class]}, {data}", 1.0, ">", 0.0, "sigma",
        " ".join(notes), one_sided=True,
    )  # fmt: skip
