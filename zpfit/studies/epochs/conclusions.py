"""The conclusions of the page "What changed since the paper", and whether they still hold.

Each function writes one paragraph with its numbers, and tests that the numbers support the words.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, inf, isinf, sqrt

from zpfit.analysis.bayes_factors import verbal
from zpfit.analysis.compare import NO_ZPRIME
from zpfit.studies.epochs.numbers import CLASSES, MODELS, Numbers, run_name

REACHED = 0.005
"""Joint sigma below which tables print 0.00."""
_MET = 1.0
"""Joint sigma up to which both moments are met, so that the no-go theorem does not hold."""
_ROUNDING = 1e-9
"""Tolerance of differences that are zero."""
_SMALL = 0.05
"""Change of a joint sigma or of ln B that counts as small: five times the last printed digit."""
_FAR_BELOW = 10
"""Ratio of a limit to the best fit from which the search cannot matter."""
_VISIBLE = 0.01
"""Branching ratio to neutrinos below which a Z' counts as visible."""
_HARDLY = 0.95
"""Fraction of the joint sigma without a Z' above which a model hardly lowers it."""
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


def _joints(found: Numbers, likelihood: str) -> str:
    return ", ".join("none" if isinf(n) else f"{n:.2f}" for n in found.joint(likelihood))


def _factors(found: Numbers, likelihood: str) -> str:
    return ", ".join(f"{b:+.2f}" for b in found.bayes(likelihood, MODELS))


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
"""Sets with searches for missing energy, and the same without."""


def _missing_energy(found: Numbers) -> Conclusion:
    raised = max(
        new - old
        for closed, paper in _CLOSED
        for new, old in zip(found.joint(closed), found.joint(paper), strict=True)
    )
    lowered = min(
        new - old
        for closed, paper in _CLOSED
        for new, old in zip(found.joint(closed), found.joint(paper), strict=True)
    )
    shift = max(
        abs(new - old)
        for closed, paper in _CLOSED
        for new, old in zip(found.bayes(closed, MODELS), found.bayes(paper, MODELS), strict=True)
    )
    caesium, rubidium = (
        ", ".join(f"{found.hidden[run_name(model, closed)]:.0f}" for model in CLASSES)
        for closed, _ in _CLOSED
    )
    visible = _visible(found)
    text = f"""Searches for visible decays do not see a Z' that decays to neutrinos, and the paper
        uses no others. Searches for missing energy hardly change its result: they raise no joint
        sigma by more than {_rounded_up(raised)}
        ({_joints(found, _CLOSED[0][0])} and {_joints(found, _CLOSED[1][0])})
        and change no ln B by more than {_rounded_up(shift)}. At the best fits, the coupling of the
        electron that matters for missing energy is {caesium} (Caesium) and {rubidium} (Rubidium)
        times below NA64's limit of 2019. The joint sigmas can be reached elsewhere: fewer than 1 %
        of the decays are to neutrinos at those of {", ".join(visible)}."""
    small = lowered > -_ROUNDING and raised < _SMALL and shift < _SMALL
    far = min(found.hidden.values()) > _FAR_BELOW
    return Conclusion("Missing energy", text, small and far and bool(visible))


def _visible(found: Numbers) -> list[str]:
    """Return the classes and isotopes whose joint sigma is reached with visible decays."""
    return [
        f"{NAMES[model]} with {isotope}"
        for (closed, _), isotope in zip(_CLOSED, ("Caesium", "Rubidium"), strict=True)
        for model in CLASSES
        if found.spots[run_name(model, closed)].invisible < _VISIBLE
    ]


def _rounded_up(value: float) -> str:
    """Return a bound with two digits, never rounded below its value."""
    return f"{ceil(100 * value - _ROUNDING) / 100:.2f}"


def _today(found: Numbers) -> Conclusion:
    without = _without(found, "today_cs")
    muon = sqrt(found.fit("today_cs", NO_ZPRIME).chi2_by_term["a_mu_2025_wp2025"])
    caesium, rubidium = found.joint("today_cs"), found.joint("today_rb")
    whole = found.whole("today_cs"), found.whole("today_rb")
    whole_joint = [inf if fit.joint_sigma is None else fit.joint_sigma for fit in whole]
    text = f"""The muon's moment differs from its prediction of 2025 by {muon:.1f} standard errors
        and is no anomaly any more. The electron's moment remains: without a Z', the joint sigma is
        {without:.2f} for Caesium and {_without(found, "today_rb"):.2f} for Rubidium. The joint
        sigmas of the classes are {_joints(found, "today_cs")} for Caesium: SM+U(1)' and NHDM hardly
        lower a_e, while a Froggatt-Nielsen model now can. They are {_joints(found, "today_rb")}
        for Rubidium, which every class meets. With integer charges, Froggatt-Nielsen meets both
        isotopes as well ({whole_joint[0]:.2f} and {whole_joint[1]:.2f}, best chi2
        {whole[0].best_fit_chi2:.2f} and {whole[1].best_fit_chi2:.2f}). **The no-go theorem of three
        classes and two isotopes has become one of two classes, for Caesium alone.**"""
    hardly = min(caesium[:2]) > _HARDLY * without > _MET
    met = max(caesium[2], *rubidium, *whole_joint) < _MET
    return Conclusion("Today", text, muon < _MET and hardly and met)


def _evidence_today(found: Numbers) -> Conclusion:
    sets = ("today_cs", "today_rb")
    factors = [b for name in sets for b in found.bayes(name, MODELS)]
    whole = [found.whole(name).ln_bayes_factor for name in sets]
    words = [verbal(b) for b in sorted([*factors, *whole], reverse=True)]
    strength = " to ".join(dict.fromkeys(word.split()[0] for word in words))
    text = f"""Without an anomaly of the muon a Z' gains less. The ln B against no Z' of the
        effective couplings and the three classes are {_factors(found, sets[0])} for Caesium and
        {_factors(found, sets[1])} for Rubidium ({whole[0]:+.2f} and {whole[1]:+.2f} for
        Froggatt-Nielsen with integer charges). On the scale of arXiv:0803.4089 this is {strength}
        evidence against a Z', with the default priors."""
    return Conclusion("No model wins", text, all(word.endswith("against") for word in words))


def _old_prediction(found: Numbers) -> Conclusion:
    name, before = "today_cs_wp2020", "paper_2021_cs"
    without = _without(found, name)
    text = f"""With the muon's prediction of 2020 and Caesium, all of this is more pronounced:
        {without:.1f} standard errors without a Z', ln B of {_factors(found, name)} in favour of one
        (effective couplings and the three classes), and joint sigmas of {_joints(found, name)}.
        There is no such set for Rubidium."""
    larger = min(found.bayes(name, MODELS)) > max(found.bayes(before, MODELS))
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
    _missing_energy,
    _today,
    _evidence_today,
    _old_prediction,
    _projections,
)
