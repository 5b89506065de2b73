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
_BOUNDS = (
    "nue_texono_2010",
    "e158_2005",
    "q_w_cs_2021",
    "qweak_2018",
    "conus_plus_2025",
    "na64_2020",
    "e141_1987",
    "orsay_1989",
    "kloe_2015",
)
_FADING = ("na48_2015", "neutron_lead_1975", "sindrum_peak_1986")
"""Limits that count as halves of Gaussians in the rough fits."""
_NUCLEI = {
    "x17_be8": ("be8_1815_2018", "be8_mass_2018", "meg2_1764_2024", "meg2_1815_2024"),
    "x17_be8_he4": ("he4_2021", "he4_mass_2021"),
    "x17_2026": ("c12_2022", "c12_mass_2022"),
}


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


def rough_data(nuclei: str, isotope: str, *, free: bool) -> dict[str, Any]:
    """Return the data of an earlier rough fit of X17.

    Parameters
    ----------
    nuclei
        A key of :data:`NUCLEI`; its anomalies and those before it count.
    isotope
        A key of :data:`ISOTOPES`.
    free
        Profile uncertain inputs; by default they have their published values.
    """
    names = list(NUCLEI)
    entries = [e for key in names[: names.index(nuclei) + 1] for e in _NUCLEI[key]]
    widths = {name: 0.0 for name in INPUTS if name.startswith(_tested(entries))}
    return {
        "add": [f"a_e_{isotope}_2023", *_BOUNDS, *_FADING, *entries],
        "soft": list(_FADING),
        **({} if free else {"nuisances": widths}),
    }


def _tested(entries: list[str]) -> tuple[str, ...]:
    """Return the nuclei of some entries, as names of inputs begin."""
    return tuple({name.split("_")[0] for name in entries if name[:2] in ("be", "he", "c1")})


ROUGH: Mapping[str, tuple[Case, float, str]] = {
    f"rough/{name}": (Case(run, rough_data(nuclei, isotope, free=free)), chi2, words)
    for name, run, nuclei, isotope, free, chi2, words in (
        ("vector_be8_rb", "x17_vector", "x17_be8", "rb", False, 37.5, "Be-8, vector quarks"),
        ("be8_rb", "x17", "x17_be8", "rb", False, 2.1, "Be-8"),
        ("be8_he4_rb", "x17", "x17_be8_he4", "rb", False, 4.9, "Be-8 + He-4"),
        ("be8_he4_rb_free", "x17", "x17_be8_he4", "rb", True, 2.6, "Be-8 + He-4"),
        (
            "invariant_rb", "x17_gauge_invariant", "x17_be8_he4", "rb", False, 7.3,
            "Be-8 + He-4, charged current conserved",
        ),
        (
            "invariant_rb_free", "x17_gauge_invariant", "x17_be8_he4", "rb", True, 3.2,
            "Be-8 + He-4, charged current conserved",
        ),
        ("all_rb", "x17", "x17_2026", "rb", False, 103.0, "Be-8 + He-4 + C-12"),
        ("all_rb_free", "x17", "x17_2026", "rb", True, 16.0, "Be-8 + He-4 + C-12"),
        ("be8_cs", "x17", "x17_be8", "cs", False, 17.2, "Be-8"),
        ("be8_he4_cs", "x17", "x17_be8_he4", "cs", False, 18.1, "Be-8 + He-4"),
        ("be8_he4_cs_free", "x17", "x17_be8_he4", "cs", True, 13.7, "Be-8 + He-4"),
        ("all_cs", "x17", "x17_2026", "cs", False, 143.0, "Be-8 + He-4 + C-12"),
        ("all_cs_free", "x17", "x17_2026", "cs", True, 23.1, "Be-8 + He-4 + C-12"),
    )
}  # fmt: skip
"""Fits with the data of an earlier rough fit, its best chi2, and their words."""

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
    rough = {name: case for name, (case, _, _) in ROUGH.items()}
    varied = {name: case for name, (case, _) in VARIED.items()}
    return {**rough, **TODAY, **varied}
