"""Regions of couplings in the paper's arguments, and the extremes of couplings in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from zpfit.analysis.certify.bound_below import proved_below
from zpfit.analysis.extremes import Sought, extremes
from zpfit.analysis.joint_sigma import joint_sigma
from zpfit.inference.problem import Problem, resolve
from zpfit.inference.settings import JointSigmaSpec
from zpfit.io.arrays import FloatArray
from zpfit.io.document import Document
from zpfit.io.library import Library
from zpfit.physics.couplings import Couplings
from zpfit.runs.run_file import load_run

Form = Literal["envelope", "curve"]
"""Forms of BaBar's limit: the envelope that the paper describes, or the published curve."""
FORMS: tuple[Form, ...] = ("envelope", "curve")


@dataclass(frozen=True)
class End:
    """The largest or smallest size of a linear combination of couplings, or of the mass."""

    quantity: Mapping[str, float]
    """Factors of the combination, by name of the coupling."""
    largest: bool


_SEED = 1
_LIMITS = {"borexino_2011": 1.0, "charm2_nu_1993": 1.0, "charm2_nubar_1993": 1.0}
"""The paper's 10 % and 6 % are one standard error of these entries; others may be two off."""
MASS = {"type": "log_uniform", "lower": 1.0, "upper": 100.0}
EITHER_SIGN = {"type": "signed_log_uniform", "lower": 1e-8, "upper": 1e-1}
POSITIVE = {"type": "log_uniform", "lower": 1e-8, "upper": 1.0}
COUPLINGS = ("C_Ve", "C_Ae", "C_nue", "C_Vmu", "C_Amu", "C_numu")


def babar(form: Form) -> dict[str, list[str]]:
    """Return the changes of the paper's data sets that select a form of BaBar's limit."""
    if form == "envelope":
        return {"drop": [], "add": []}
    return {"drop": ["babar_2014_envelope"], "add": ["babar_2014"]}


@dataclass(frozen=True)
class TargetRegion:
    """A region of couplings that meet some of the paper's data within one standard error."""

    free: Mapping[str, Any]
    """Priors of the couplings that are not zero, and of the mass unless it is :data:`MASS`."""
    likelihood: Mapping[str, Any]
    """Key ``likelihood`` of a run file, without the form of BaBar's limit."""
    model: str = "effective"

    def within(self, lower: float, upper: float) -> "TargetRegion":
        """Return the region for masses between two values in MeV."""
        mass = {"type": "log_uniform", "lower": lower, "upper": upper}
        return replace(self, free={**self.free, "m_Zp": mass})

    def run(self, form: Form) -> Problem:
        """Return the problem that a run file of the region describes."""
        changes = babar(form) if "set" in self.likelihood else {"drop": [], "add": []}
        likelihood = {
            **self.likelihood,
            **{key: [*self.likelihood.get(key, ()), *names] for key, names in changes.items()},
        }
        zeros = dict.fromkeys(COUPLINGS, 0.0) if self.model == "effective" else {}
        data = {
            "model": self.model,
            "likelihood": likelihood,
            "priors": {"parameters": {**zeros, "m_Zp": MASS, **self.free}},
        }
        return resolve(Document(Path("paper"), data, {}), Library.beside())

    def extremes(self, ends: Sequence[End], form: Form) -> list[float]:
        """Return the largest or smallest sizes of quantities in the region.

        Raises
        ------
        NoAllowedPoint
            The region is empty.
        """
        posterior = self.run(form).posterior
        names = [term.name for term in posterior.likelihood.anomalies]
        limits = JointSigmaSpec(
            within={**_LIMITS, **dict.fromkeys(names, 1.0)},
        )
        sought = [Sought(partial(_size, end.quantity), end.largest) for end in ends]
        found = extremes(posterior, sought, limits, np.random.default_rng(_SEED))
        return [each.value for each in found]


def _size(quantity: Mapping[str, float], c: Couplings) -> FloatArray:
    rows = dict(c.items())
    total = np.zeros(len(c))
    for name, factor in quantity.items():
        total += factor * rows[name]
    return np.abs(total)


_CAESIUM = "paper_2021_cs"
# C_Ae > 0 without loss of generality: no observable changes if all couplings change their signs.
ELECTRON = TargetRegion(
    {"C_Ve": EITHER_SIGN, "C_Ae": POSITIVE, "C_nue": EITHER_SIGN},
    {"set": _CAESIUM, "drop": ["a_mu_2021"]},
)
"""Couplings to electrons and their neutrinos that meet a_e, Sec. III A."""
MUON_NEUTRINO = TargetRegion(
    {"C_Ae": POSITIVE, "C_numu": EITHER_SIGN}, {"set": _CAESIUM, "drop": ["a_mu_2021"]}
)
"""The axial coupling to electrons and the coupling to muon neutrinos, Fig. 3 (c, d)."""
NEUTRINOS = TargetRegion(
    {"C_Ve": EITHER_SIGN, "C_Ae": POSITIVE, "C_nue": EITHER_SIGN, "C_numu": EITHER_SIGN},
    {"set": _CAESIUM, "drop": ["a_mu_2021"]},
)
"""All couplings of :data:`ELECTRON` and that to muon neutrinos, for Eq. (30)."""
MUON = TargetRegion(
    {"C_Vmu": POSITIVE, "C_Amu": EITHER_SIGN}, {"set": _CAESIUM, "drop": ["a_e_cs_2018"]}
)
"""Couplings to muons that meet a_mu, Sec. III B."""
MUON_WITH_NEUTRINO = replace(MUON, free={**MUON.free, "C_numu": 1e-5})
""":data:`MUON` with C_numu = 1e-5, Fig. 3 (a)."""
MUON_FREE_NEUTRINO = replace(
    MUON,
    free={**MUON.free, "C_numu": {"type": "signed_log_uniform", "lower": 1e-8, "upper": 2e-5}},
)
""":data:`MUON` with |C_numu| up to 2e-5, for Eq. (33)."""
BOTH = TargetRegion(
    {"C_Ve": EITHER_SIGN, "C_Ae": POSITIVE, "C_Vmu": POSITIVE, "C_Amu": EITHER_SIGN},
    {"set": _CAESIUM},
)
"""Both anomalies met, no couplings to neutrinos, for Eq. (30)."""
RUBIDIUM_MOMENTS = TargetRegion(
    {"C_Ve": POSITIVE}, {"add": ["a_e_rb_2020", "a_mu_2021"]}, model="paper_sm_u1"
)
"""C_Ve = C_Vmu that meets the Rubidium a_e and a_mu, without exclusions, Sec. V."""
RUBIDIUM = TargetRegion({"C_Ve": POSITIVE}, {"set": "paper_2021_rb"}, model="paper_sm_u1")
""":data:`RUBIDIUM_MOMENTS` with every exclusion."""

CLASSES = {"sm_u1": "paper_sm_u1", "nhdm": "paper_nhdm_u1", "fn": "paper_froggatt_nielsen"}
"""Runs of the model classes, by short name."""


class BoundedSigma(NamedTuple):
    """A joint sigma."""

    found: float
    """Joint sigma of the best point found, an upper bound."""
    proved: float | None
    """Proved lower bound; None if there is no proof."""


def joint_sigma_of(model_class: str, isotope: str, form: Form) -> BoundedSigma:
    """Return the joint sigma of a class of models, and a proved lower bound.

    Parameters
    ----------
    model_class
        A key of :data:`CLASSES`.
    isotope
        ``"cs"`` or ``"rb"``: the determination of alpha behind a_e.
    form
        The form of BaBar's limit.
    """
    path = Library.beside().find("run", CLASSES[model_class])
    changes = {f"likelihood.{key}": f"[{', '.join(v)}]" for key, v in babar(form).items()}
    run = load_run(path, {"likelihood.set": f"paper_2021_{isotope}", **changes})
    rng = np.random.default_rng(_SEED)
    found = joint_sigma(run.posterior, rng, run.settings.joint_sigma).sigma
    return BoundedSigma(found, proved_below(run, found))
