"""The fits of the study of X17: models, data and what is varied."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ISOTOPES = {"rb": "Rubidium", "cs": "Caesium"}
"""Isotope of the fine-structure constant behind the electron's moment."""
NUCLEI = {
    "x17_be8": "Be-8",
    "x17_be8_he4": "Be-8 + He-4",
    "x17_2026": "Be-8 + He-4 + C-12",
}
"""Sets of data without their isotope."""
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
    evidence: bool = False
    """Compute ln Z and the joint sigma too."""


_WITH_EVIDENCE = ("x17", "x17_gauge_invariant", *CLASSES)
_CHOSEN = "x17_be8_he4"
"""Set with which classes of models are fitted, and with which evidences are computed."""
TODAY: Mapping[str, Case] = {
    f"today/{run}_{nuclei}_{isotope}": Case(
        run,
        {"set": f"{nuclei}_{isotope}"},
        evidence=run in _WITH_EVIDENCE and nuclei == _CHOSEN,
    )
    for nuclei in NUCLEI
    for run in (*COUPLINGS, *CLASSES)
    for isotope in ISOTOPES
    if run in COUPLINGS or nuclei == _CHOSEN
}
"""Fits of free couplings to every set, and of classes of models to that of two nuclei."""


def today(run: str, nuclei: str, isotope: str) -> str:
    """Return the name of the fit of a model to a set."""
    return f"today/{run}_{nuclei}_{isotope}"


_BASE = {isotope: {"set": f"x17_be8_he4_{isotope}"} for isotope in ISOTOPES}
_RATES = ("be8_1815_2018", "meg2_1764_2024", "meg2_1815_2024", "he4_2021")
_SINDRUM = "sindrum_peak_1986"
_VARIED: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "strong": ("pion limit 1e-10", {"drop": [_SINDRUM], "add": [f"{_SINDRUM}_strong"]}),
    "weak": ("pion limit 1e-9", {"drop": [_SINDRUM], "add": [f"{_SINDRUM}_weak"]}),
    "rate": ("inclusive pion rate only", {"drop": [_SINDRUM], "add": ["sindrum_rate_1989"]}),
    "fixed": (
        "nuclear inputs at their published values",
        {"nuisances": {name: 0.0 for name in INPUTS if not name.startswith("c12")}},
    ),
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
)
"""Fits of both kinds of couplings with one thing changed."""


def all_cases() -> dict[str, Case]:
    """Return every fit by name."""
    return {**TODAY, **{name: case for name, (case, _) in VARIED.items()}}
