"""The fits of the study of X17: models, data and what is varied."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

ISOTOPES = {"rb": "Rubidium", "cs": "Caesium"}
"""Isotope of the fine-structure constant behind the electron's moment."""
NUCLEI = {
    "x17_be8": "Be-8",
    "x17_be8_he4": "Be-8 + He-4",
    "x17_2026": "Be-8 + He-4 + C-12",
}
"""Sets of data without their isotope."""
CHOSEN = "x17_be8_he4"
"""Set of the anomalies that free couplings can meet."""
COUPLINGS = {
    "x17_vector": "vector quarks",
    "x17_axial": "axial quarks",
    "x17": "vector and axial quarks",
    "x17_gauge_invariant": "both, charged current conserved",
}
"""Runs with free couplings."""
CLASSES = {
    "x17_sm_u1": "SM+U(1)'",
    "x17_nhdm_u1": "two doublets, NHDM",
    "x17_froggatt_nielsen": "Froggatt-Nielsen",
    "x17_B-L": "B - L with kinetic mixing",
    "x17_protophobic": "protophobic vector",
}
"""Runs of classes of models, whose quark couplings follow from charges."""
INPUTS = (
    "be8_vector",
    "be8_spins_1815",
    "be8_spins_1764",
    "he4_axial",
    "c12_axial",
    "c12_energy",
)
"""Uncertain inputs of nuclei."""


@dataclass(frozen=True)
class Case:
    """A fit of a packaged run to other data."""

    run: str
    likelihood: Mapping[str, Any]
    """The key ``likelihood`` of the run file."""
    model: Mapping[str, Any] = field(default_factory=dict)
    """Options of the model that differ from those of the run."""
    priors: Mapping[str, Any] = field(default_factory=dict)
    """Priors of parameters that the run has not."""
    evidence: bool = False
    """Compute ln Z."""
    joint: bool = False
    """Search the joint sigma."""


def today(run: str, nuclei: str, isotope: str) -> str:
    """Return the name of the fit of a model to a set."""
    return f"today/{run}_{nuclei}_{isotope}"


def fixed(run: str, nuclei: str, isotope: str) -> str:
    """Return the name of the same fit without nuisance parameters."""
    return f"fixed/{run}_{nuclei}_{isotope}"


TODAY: Mapping[str, Case] = {
    today(run, nuclei, isotope): Case(
        run, {"set": f"{nuclei}_{isotope}"}, evidence=True, joint=True
    )
    for nuclei in NUCLEI
    for run in (*COUPLINGS, *CLASSES)
    for isotope in ISOTOPES
}
"""Fits of every model to every set."""


def _inputs_of(nuclei: str) -> list[str]:
    """Return the uncertain inputs of the nuclei of a set."""
    holds = {"be8": True, "he4": nuclei != "x17_be8", "c12": nuclei == "x17_2026"}
    return [name for name in INPUTS if holds[name[:3]]]


FIXED: Mapping[str, Case] = {
    fixed(run, nuclei, isotope): Case(
        run,
        {"set": f"{nuclei}_{isotope}", "nuisances": dict.fromkeys(_inputs_of(nuclei), 0.0)},
        evidence=True,
        joint=True,
    )
    for nuclei in NUCLEI
    for run in COUPLINGS
    for isotope in ISOTOPES
}
"""Fits of free couplings with the inputs of nuclei at their published values."""

_ANOMALIES = {"be8": "be8_1815_2018", "he4": "he4_2021", "c12": "c12_2022"}
_MASSES = {"be8": "be8_mass_2018", "he4": "he4_mass_2021", "c12": "c12_mass_2022"}
SUBSETS: Mapping[str, str] = {
    "be8": "Be-8",
    "he4": "He-4",
    "c12": "C-12",
    "be8+he4": "Be-8, He-4",
    "be8+c12": "Be-8, C-12",
    "he4+c12": "He-4, C-12",
    "be8+he4+c12": "Be-8, He-4, C-12",
}
"""Subsets of the anomalies of nuclei."""
_MOMENTS = {
    "rb": ("a_e_rb_2023_lattice", "a_mu_2025_wp2025"),
    "cs": ("a_e_cs_2023_lattice", "a_mu_2025_wp2025"),
}


def subset(nuclei: str, isotope: str) -> str:
    """Return the name of the fit to a subset of the anomalies of nuclei."""
    return f"subset/{nuclei}_{isotope}"


def _case_of_subset(nuclei: str, isotope: str) -> Case:
    chosen = nuclei.split("+")
    others = [name for name in _ANOMALIES if name not in chosen]
    return Case(
        "x17",
        {
            "set": f"x17_2026_{isotope}",
            "drop": [kept[name] for name in others for kept in (_ANOMALIES, _MASSES)],
            "anomalies": [*(_ANOMALIES[name] for name in chosen), *_MOMENTS[isotope]],
        },
        joint=True,
    )


SUBSET: Mapping[str, Case] = {
    subset(nuclei, isotope): _case_of_subset(nuclei, isotope)
    for nuclei in SUBSETS
    for isotope in ISOTOPES
}
"""Joint sigmas of both kinds of couplings for the moments and subsets of the nuclei, without the
data on the others."""

_BASE = {isotope: {"set": f"x17_be8_he4_{isotope}"} for isotope in ISOTOPES}
_RATES = ("be8_1815_2018", "meg2_1764_2024", "meg2_1815_2024", "he4_2021")
_SINDRUM = "sindrum_peak_1986"
_KAON = "k_pi_ee_bnl_1987"
_STRANGE = {
    "zero": "strange quarks without couplings",
    "down": "strange quarks as down quarks",
    "free": "free axial coupling of strange quarks",
}
_KAON_PRIORS = {"D_K": {"type": "signed_log_uniform", "lower": 1e-7, "upper": 1e-1}}
_VARIED: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "strong": ("pion limit 1e-10", {"drop": [_SINDRUM], "add": [f"{_SINDRUM}_strong"]}),
    "weak": ("pion limit 1e-9", {"drop": [_SINDRUM], "add": [f"{_SINDRUM}_weak"]}),
    "rate": ("inclusive pion rate only", {"drop": [_SINDRUM], "add": ["sindrum_rate_1989"]}),
    "padme": ("with PADME's excess", {"add": ["padme_2025"]}),
    "capture": (
        "He-4 as direct capture",
        {"drop": ["he4_2021"], "add": ["he4_capture_2021"]},
    ),
}
VARIED: Mapping[str, tuple[Case, str]] = (
    {
        f"varied/{name}_{isotope}": (Case("x17", {**_BASE[isotope], **changes}), words)
        for isotope in ISOTOPES
        for name, (words, changes) in _VARIED.items()
    }
    | {
        f"varied/inflated_{isotope}": (
            Case(
                "x17",
                {"set": f"x17_2026_{isotope}", "drop": ["c12_2022"], "add": ["c12_2022_inflated"]},
            ),
            "three nuclei, C-12 with four times its error",
        )
        for isotope in ISOTOPES
    }
    | {
        f"varied/lattice_{isotope}": (
            Case(
                "x17",
                {
                    **_BASE[isotope],
                    "drop": list(_RATES),
                    "add": [f"{name}_lattice" for name in _RATES],
                },
                {"spins": "lattice"},
            ),
            "spins of quarks from the lattice",
        )
        for isotope in ISOTOPES
    }
    | {
        f"varied/kaon_{strange}_{isotope}": (
            Case(
                "x17",
                {**_BASE[isotope], "add": [_KAON]},
                {"strange": strange},
                _KAON_PRIORS if strange == "free" else {},
            ),
            f"limit on K → π X, {words}",
        )
        for isotope in ISOTOPES
        for strange, words in _STRANGE.items()
    }
)
"""Fits of both kinds of couplings with one thing changed."""


def all_cases() -> dict[str, Case]:
    """Return every fit by name."""
    return {**TODAY, **FIXED, **SUBSET, **{name: case for name, (case, _) in VARIED.items()}}


def best_fits_alone(cases: Mapping[str, Case]) -> dict[str, Case]:
    """Return cases without evidences and joint sigmas, which take most of the time."""
    return {name: replace(case, evidence=False, joint=False) for name, case in cases.items()}
