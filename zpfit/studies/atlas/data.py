"""Data of the survey: sets of 2021 and of today, and today's entries by experiment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from zpfit.analysis.atlas.signatures import HiggsPolicy
from zpfit.likelihood.spec import LikelihoodSpec

_QUARKS: Final = ("q_w_cs_2021", "qweak_2018", "sindrum_rate_1989", "na48_2015")
"""Entries of ``closed_2021_*`` that read quarks, which signatures of leptons leave open."""


@dataclass(frozen=True)
class Epoch:
    """Leptonic data of one time."""

    name: str
    words: str
    """Name in tables and figures."""
    data: LikelihoodSpec
    policies: tuple[HiggsPolicy, ...] = tuple(HiggsPolicy)
    """Policies whose signatures are screened on the data."""


EPOCHS: Final = (
    Epoch("paper_2021", "2021, as in the paper", LikelihoodSpec(set="paper_2021_cs")),
    Epoch(
        "closed_2021",
        "2021, with what it left out",
        LikelihoodSpec(set="closed_2021_cs", drop=_QUARKS),
    ),
    Epoch("today", "today", LikelihoodSpec(set="today_leptons_cs")),
    Epoch(
        "today_wp2020",
        "today, muon theory of 2020",
        LikelihoodSpec(set="today_leptons_cs_wp2020"),
        # With z_H = 0 random starts of a third of the signatures miss the dark photon, and searches
        # at fixed masses would take most of the time of the survey.
        policies=(HiggsPolicy.RENORMALISABLE,),
    ),
)
"""Data with the fine-structure constant from Caesium."""


def epochs_of(policy: HiggsPolicy) -> tuple[Epoch, ...]:
    """Return the data on which the signatures of a policy are screened."""
    return tuple(epoch for epoch in EPOCHS if policy in epoch.policies)


TODAY: Final = EPOCHS[2]
"""The data that decide."""
RUBIDIUM: Final = (
    Epoch("paper_2021_rb", "2021, as in the paper", LikelihoodSpec(set="paper_2021_rb")),
    Epoch("today_rb", "today", LikelihoodSpec(set="today_leptons_rb")),
)
"""Data with the fine-structure constant from Rubidium."""


@dataclass(frozen=True)
class Experiments:
    """Entries of today's data that see the same."""

    words: str
    entries: tuple[str, ...]


ANOMALY: Final = Experiments("electron g-2", ("a_e_cs_2023",))
"""What a theory has to explain."""
EXPERIMENTS: Final = (
    Experiments("muon g-2", ("a_mu_2025_wp2025",)),
    Experiments(
        "neutrino-electron scattering",
        (
            *("nue_texono_2010", "nue_borexino_2011", "nue_borexino_2018"),
            *("nue_charm2_nu_1993", "nue_charm2_nubar_1993", "nue_lsnd_2001"),
        ),
    ),
    Experiments(
        "neutrino tridents", ("trident_ccfr_1991", "trident_charm2_1990", "trident_nutev_1998")
    ),
    Experiments("Moller scattering", ("e158_2005",)),
    Experiments("nucleosynthesis", ("bbn_2020",)),
    Experiments("white dwarfs", ("white_dwarf_2013",)),
    Experiments(
        "visible decays",
        ("babar_2014", "kloe_2015", "a1_2014", "apex_2011", "hps_2018", "na64_2020"),
    ),
    Experiments("beam dumps", ("e141_1987", "e137_1988", "e774_1991", "orsay_1989", "kek_1986")),
    Experiments("missing energy", ("na64_invisible_2023", "babar_invisible_2017")),
    Experiments("muon beams", ("na64mu_2024", "belle2_invisible_2020", "babar_muons_2016")),
)
"""All other entries of today's data, in the order in which they are added."""


def first(count: int) -> LikelihoodSpec:
    """Return the anomaly and the first experiments alone.

    Examples
    --------
    >>> first(1).add
    ('a_e_cs_2023', 'a_mu_2025_wp2025')
    """
    return _of([ANOMALY, *EXPERIMENTS[:count]])


def alone(experiments: Experiments) -> LikelihoodSpec:
    """Return the anomaly and one kind of experiments."""
    return _of([ANOMALY, experiments])


def without(experiments: Experiments) -> LikelihoodSpec:
    """Return today's data without one kind of experiments."""
    return LikelihoodSpec(set=TODAY.data.set, drop=experiments.entries)


def _of(chosen: Sequence[Experiments]) -> LikelihoodSpec:
    return LikelihoodSpec(add=tuple(entry for group in chosen for entry in group.entries))
