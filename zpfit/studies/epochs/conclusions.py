"""The conclusions of the page "What changed since the paper", and whether they still hold.

Each function writes one paragraph with its numbers, and tests that the numbers support the words.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, inf, isinf, sqrt

from zpfit.analysis.bayes_factors import verbal
from zpfit.analysis.compare import NO_ZPRIME
from zpfit.studies.epochs.numbers import CLASSES, COMPLETE, LEPTONS, Numbers, run_name

REACHED = 0.005
"""Joint sigma below which tables print 0.00."""
_MET = 1.0
"""Joint sigma up to which both moments are met, so that the no-go theorem does not hold."""
_ROUNDING = 1e-9
"""Tolerance of differences that are zero."""
_OPEN = 1e-3
"""Difference of joint sigmas that a search may leave open, as proofs end there."""
_FAR_BELOW = 10
"""Ratio of a limit to the best fit from which the search cannot matter."""
_HARDLY = 0.95
"""Fraction of the joint sigma without a Z' above which a model hardly lowers it."""
_EVERYWHERE = (LEPTONS, *CLASSES)
"""Models that are fitted to every data set."""
NAMES = {"sm_u1": "SM+U(1)'", "nhdm_u1": "NHDM", "froggatt_nielsen": "Froggatt-Nielsen"}
"""Names of the classes in prose."""


@dataclass(frozen=True)
class Conclusion:
    """A paragraph, and whether the numbers support it."""

    title: str
    text: str
    holds: bool


def draw_conclusions(found: Numbers) -> list[Conclusion]:
    """Return all conclusions with their numbers."""
    return [part(found) for part in _PARTS]


def _joints(found: Numbers, likelihood: str, models: Sequence[str] = CLASSES) -> str:
    return ", ".join("none" if isinf(n) else f"{n:.2f}" for n in found.joint(likelihood, models))


def _factors(found: Numbers, likelihood: str) -> str:
    return ", ".join(f"{b:+.2f}" for b in found.bayes(likelihood, _EVERYWHERE))


def _without(found: Numbers, likelihood: str) -> float:
    """Return the joint sigma without a Z', which always exists with the data of these sets."""
    sigma = found.fit(likelihood, NO_ZPRIME).joint_sigma
    return inf if sigma is None else sigma


def _paper(found: Numbers) -> Conclusion:
    sets = ("paper_2021_cs", "paper_2021_rb")
    proved = all(found.proved(name) > _MET for name in sets)
    answer = "The theorem is proved" if proved else "No class meets both moments"
    text = f"""{answer}. The joint sigmas are {_joints(found, sets[0])} (SM+U(1)', NHDM,
        Froggatt-Nielsen) for Caesium and {_joints(found, sets[1])} for Rubidium, the latter with
        the envelope of BaBar's limit. The effective couplings meet all data."""
    holds = min(n for name in sets for n in found.joint(name)) > _MET
    met = max(n for name in sets for n in found.joint(name, ["effective"])) < REACHED
    return Conclusion("The paper's data", text, holds and met)


_CLOSED = (("closed_2021_cs", "paper_2021_cs"), ("closed_2021_rb", "paper_2021_rb"))
"""Sets with what the paper left out, and the paper's."""


def _by_2021(found: Numbers) -> Conclusion:
    changes = [
        new - old
        for closed, paper in _CLOSED
        for new, old in zip(found.joint(closed), found.joint(paper), strict=True)
    ]
    caesium, rubidium = (
        ", ".join(f"{found.hidden[run_name(model, closed)]:.0f}" for model in CLASSES)
        for closed, _ in _CLOSED
    )
    sets = [closed for closed, _ in _CLOSED]
    text = f"""Missing energy, SINDRUM's rate of pi+ -> e+ nu e+ e-, the weak charges of Caesium and
        the proton, and dark photons from pions had been published and are not among the paper's
        data. With them, and with the charge of the quarks free, the joint sigmas of the classes are
        {_joints(found, sets[0])} for Caesium and {_joints(found, sets[1])} for Rubidium: up to
        {_rounded_up(max(changes))} higher than with the paper's data. Those of the effective
        couplings are {_joints(found, sets[0], [LEPTONS])} and {_joints(found, sets[1], [LEPTONS])}
        for a Z' of leptons alone, {_joints(found, sets[0], [COMPLETE])} and
        {_joints(found, sets[1], [COMPLETE])} if quarks conserve the charged current. At the best
        fits, the coupling of the electron that matters for missing energy is {caesium} (Caesium)
        and {rubidium} (Rubidium) times below NA64's limit of 2019."""
    higher = min(changes) > -_OPEN
    far = min(found.hidden.values()) > _FAR_BELOW
    above = min(n for name in sets for n in found.joint(name)) > _MET
    return Conclusion("What the paper left out", text, higher and far and above)


def _rounded_up(value: float) -> str:
    """Return a bound with two digits, never rounded below its value."""
    return f"{ceil(100 * value - _ROUNDING) / 100:.2f}"


def _leptons(found: Numbers) -> Conclusion:
    cs, rb = "today_leptons_cs", "today_leptons_rb"
    without = _without(found, cs)
    muon = sqrt(found.fit(cs, NO_ZPRIME).chi2_by_term["a_mu_2025_wp2025"])
    caesium, rubidium = found.joint(cs), found.joint(rb)
    whole = found.whole(cs), found.whole(rb)
    whole_joint = found.whole_joint(cs, rb)
    text = f"""The muon's moment differs from its prediction of 2025 by {muon:.1f} standard errors
        and is no anomaly any more. The electron's moment remains: without a Z', the joint sigma is
        {without:.2f} for Caesium and {_without(found, rb):.2f} for Rubidium. If only data on
        leptons count, the joint sigmas of the classes are {_joints(found, cs)} for Caesium:
        SM+U(1)' and NHDM hardly lower a_e, while a Froggatt-Nielsen model can. They are
        {_joints(found, rb)} for Rubidium, which every class meets. With integer charges,
        Froggatt-Nielsen meets both isotopes as well ({whole_joint[0]:.2f} and
        {whole_joint[1]:.2f}, best chi2 {whole[0].best_fit_chi2:.2f} and
        {whole[1].best_fit_chi2:.2f})."""
    hardly = min(caesium[:2]) > _HARDLY * without > _MET
    met = max(caesium[2], *rubidium, *whole_joint) < _MET
    return Conclusion("Leptons today", text, muon < _MET and hardly and met)


def _quarks(found: Numbers) -> Conclusion:
    cs, rb = "today_cs", "today_rb"
    whole = found.whole_joint(cs, rb)
    text = f"""A Z' of leptons alone breaks the charged current, and the classes couple to quarks as
        strongly as to electrons. With these data, vacuum polarisation of both moments from the
        lattice, and the charge of the quarks free, the joint sigma without a Z' is
        {_without(found, cs):.2f} for Caesium and {_without(found, rb):.2f} for Rubidium. Those of
        the classes are {_joints(found, cs)} and {_joints(found, rb)}, those of effective couplings
        {_joints(found, cs, [LEPTONS])} and {_joints(found, rb, [LEPTONS])} for leptons alone,
        {_joints(found, cs, [COMPLETE])} and {_joints(found, rb, [COMPLETE])} if quarks conserve the
        charged current. Froggatt-Nielsen with integer charges, and thirds of integers for quarks,
        reaches {whole[0]:.2f} and {whole[1]:.2f}. **For Caesium no class meets both moments, and
        neither do effective couplings.** An axial coupling of the electron is the only one that
        lowers a_e; then parity violation in Caesium and in the proton leaves no vector couplings of
        quarks, which would have to make up for the broken current."""
    above = min(whole[0], *found.joint(cs, [LEPTONS, COMPLETE, *CLASSES])) > _MET
    return Conclusion("Quarks and charged currents", text, above)


def _evidence_today(found: Numbers) -> Conclusion:
    sets = ("today_leptons_cs", "today_leptons_rb")
    quarks = ("today_cs", "today_rb")
    factors = [b for name in (*sets, *quarks) for b in found.bayes(name, _EVERYWHERE)]
    whole = [found.whole(name).ln_bayes_factor for name in sets]
    words = [verbal(b) for b in sorted([*factors, *whole], reverse=True)]
    strength = " to ".join(dict.fromkeys(word.split()[0] for word in words))
    text = f"""Without an anomaly of the muon a Z' gains less. The ln B against no Z' of the
        effective couplings of leptons and the three classes are {_factors(found, sets[0])} for
        Caesium and {_factors(found, sets[1])} for Rubidium with data on leptons ({whole[0]:+.2f}
        and {whole[1]:+.2f} for Froggatt-Nielsen with integer charges), and
        {_factors(found, quarks[0])} and {_factors(found, quarks[1])} with all data. On the
        scale of arXiv:0803.4089 this is {strength} evidence against a Z', with the default
        priors."""
    return Conclusion("No model wins", text, all(word.endswith("against") for word in words))


def _old_prediction(found: Numbers) -> Conclusion:
    name, before = "today_leptons_cs_wp2020", "paper_2021_cs"
    without = _without(found, name)
    text = f"""With the muon's prediction of 2020 and Caesium, all of this is more pronounced:
        {without:.1f} standard errors without a Z', ln B of {_factors(found, name)} in favour of one
        (effective couplings and the three classes), and joint sigmas of {_joints(found, name)}.
        There is no such set for Rubidium."""
    larger = min(found.bayes(name, _EVERYWHERE)) > max(found.bayes(before, _EVERYWHERE))
    pairs = zip(found.joint(name), found.joint(before), strict=True)
    higher = min(new - old for new, old in pairs) > 0
    holds = larger and higher and without > _without(found, before)
    return Conclusion("The old prediction of the muon", text, holds)


def _projections(found: Numbers) -> Conclusion:
    [effective] = found.joint("forecast", ["effective"])
    able = [NAMES[m] for m in CLASSES if found.joint("forecast", [m])[0] < _MET]
    text = f"""Suppose that Belle II, MESA, NA64 and MOLLER find nothing (their projections; that of
        NA64 is a sketch) and everything else stays as it is, with Caesium. The joint sigma of the
        effective couplings then becomes {effective:.2f} and those of the classes become
        {_joints(found, "forecast")}: {", ".join(able) or "no class"} would meet both moments. The
        ln B would be {_factors(found, "forecast")}."""
    # The text makes no statement beyond the numbers, so that it always holds.
    return Conclusion("Projections", text, holds=True)


_PARTS: Sequence[Callable[[Numbers], Conclusion]] = (
    _paper,
    _by_2021,
    _leptons,
    _quarks,
    _evidence_today,
    _old_prediction,
    _projections,
)
