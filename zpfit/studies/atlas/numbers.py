"""Numbers of the survey: who survives in each epoch, who kills whom, and the survivors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from zpfit.analysis.atlas.charge_sets import SPECIES
from zpfit.analysis.atlas.flags import QuarkFlavour, quark_flavour
from zpfit.analysis.atlas.look_elsewhere import look_elsewhere
from zpfit.analysis.atlas.pairings import Pairing, chosen_pairing
from zpfit.analysis.atlas.ranking import bayes_factors, evidence_record, ranked
from zpfit.analysis.atlas.screen import couplings, find_references
from zpfit.analysis.atlas.signatures import HiggsPolicy, least_of_sets
from zpfit.analysis.atlas.survival import BAR, Survival, could_survive, gain_of_sets, survival_of
from zpfit.analysis.records import AtlasEvidenceRecord, AtlasFitRecord
from zpfit.io.library import Library
from zpfit.likelihood.build import assemble
from zpfit.likelihood.likelihood import Likelihood
from zpfit.likelihood.spec import LikelihoodSpec
from zpfit.runs.atlas_fits import prepare_fits, run_fits
from zpfit.studies.atlas.data import (
    EPOCHS,
    EXPERIMENTS,
    RUBIDIUM,
    TODAY,
    alone,
    epochs_of,
    first,
    without,
)
from zpfit.studies.atlas.lists import Lists, Numbered
from zpfit.studies.atlas.screens import COUNT, RANK, SEED, Kept, Screener, Signed

_POLICIES: Final = (HiggsPolicy.RENORMALISABLE, HiggsPolicy.ZERO)
"""In the order of the page."""
LEAST_GAIN: Final = 4.0
"""Gain from which signatures are listed and fitted."""


@dataclass(frozen=True)
class Survey:
    """Extent of a survey."""

    qmax: int = 6
    """Largest charge of the list with z_H = 0, for all data but today's."""
    qmax_today: int = 10
    """Largest charge of the list with z_H = 0 for today's data."""
    qmax_experiments: int = 3
    """Largest charge of the list, with z_H = 0, to which experiments are applied one by one."""
    qmax_renormalisable: int = 10
    """Largest charge of the list with renormalisable lepton masses."""
    fits: int = 40
    """Largest number of signatures that are fitted."""
    quark_fits: int = 2
    """Number of signatures with quarks that are fitted."""
    real_starts: int = 3000
    """Random starts of the fit of real charges."""
    sample: int = 3000
    """Largest number of signatures of each policy whose accuracy is measured."""


@dataclass(frozen=True)
class EpochResult:
    """Survivors of one data set under one policy."""

    epoch: str
    words: str
    higgs: str
    qmax: int
    chi2_without: float
    chi2_dark_photon: float
    best: float
    """Least chi2 of all signatures."""
    median: float
    """Median over charge sets of their least chi2."""
    survival: Survival
    evidence: AtlasEvidenceRecord | None
    """ln B of all signatures; None where only chi2 is screened."""


@dataclass(frozen=True)
class Hopeless:
    """Data on which no theory can gain as much as the bar."""

    words: str
    likelihood: str
    chi2_without: float
    chi2_dark_photon: float
    could_survive: bool


@dataclass(frozen=True)
class ExperimentResult:
    """Signatures and charge sets that survive with and without some experiments."""

    words: str
    entries: tuple[str, ...]
    added: Survival
    """With the anomaly, all experiments before these, and these."""
    alone: Survival
    """With the anomaly and these experiments alone."""
    dropped: Survival
    """With all data but these."""


@dataclass(frozen=True)
class Survivor:
    """A signature that gains, as the first charge set that has it."""

    signature: int
    integers: Mapping[str, int]
    gain: float
    """In the screen, against no Z' and the dark photon."""
    sets: int
    flavours: Mapping[str, int]
    """Number of its charge sets by the flavour structure of their quarks."""
    set: int
    """The first charge set that has the signature."""
    charges: Mapping[str, tuple[int, ...]]
    flavour: str
    """Flavour structure of the quarks of that set."""
    pairing: int
    left: tuple[int, ...]
    """Charges of the lepton doublets of e, mu and tau."""
    right: tuple[int, ...]
    """Charges of right-handed e, mu and tau."""
    powers: tuple[int, ...]
    """Powers of the flavon in the masses of e, mu and tau."""
    safe_set: int | None
    """The first of its charge sets with two families of quarks alike at least."""
    safe_charges: Mapping[str, tuple[int, ...]]
    """Charges of that set; empty without one."""
    pulls: Mapping[str, float]
    """Pull of each measurement at the best point of the screen."""
    fit: AtlasFitRecord
    """Fit by the exact diagonalisation."""
    ln_bayes_screen: float | None
    """ln B against no Z' in the screen; None if it has no evidence."""
    local_p: float
    """Probability of the gain against no Z' by chance, for this signature alone."""
    corrected_p: float
    """Upper limit of it for the best of all signatures."""

    @property
    def qmax(self) -> int:
        """Largest charge of the first set."""
        return max(abs(z) for row in self.charges.values() for z in row)


@dataclass(frozen=True)
class ChargedDoublets:
    """The signature with charged lepton doublets that gains most on today's data."""

    integers: Mapping[str, int]
    gain: float
    """Against no Z' and the dark photon."""


@dataclass(frozen=True)
class Accuracy:
    """A screen of today's data beside a search of a sample at fixed masses."""

    higgs: str
    qmax: int
    sample: int
    missed: int
    """Signatures of the sample whose chi2 the search at fixed masses lowers by more than 0.05."""
    worst: float
    """Largest decrease of chi2."""
    missed_by_scan: int
    """Signatures of the sample for which the screen lies lower by more than 0.05."""
    not_nested: int
    """Signatures of the whole screen whose random starts miss the references."""
    signatures: int
    """Signatures of the whole screen."""


@dataclass(frozen=True)
class QuarkRow:
    """A signature with quarks on all data."""

    integers: Mapping[str, int]
    set_charges: Mapping[str, tuple[int, ...]]
    """Charges of the first set that has it."""
    gain: float
    """Against no Z' and the dark photon."""
    chi2: float
    m_Zp: float
    g_prime: float
    axial: bool
    """True if e, u and d can all be without vector couplings."""
    changes: Mapping[str, float]
    """Changes of chi2 against no Z' of the terms that change most."""
    fit: AtlasFitRecord | None
    """Fit by the exact diagonalisation, of the best signatures."""


@dataclass(frozen=True)
class QuarkChoice:
    """The leptonic best fit with some charges of first-family quarks."""

    words: str
    charges: Mapping[str, float]
    """z_Q, z_u and z_d over A_e."""
    changes: Mapping[str, float]
    """Changes of chi2 against no Z' of the terms that change most."""
    excluded: Mapping[str, float]
    """Ratio of signal and limit of each exclusion that forbids the point."""


@dataclass(frozen=True)
class RealCharges:
    """Best point of neutral lepton doublets with any real charges."""

    chi2: float
    m_Zp: float
    C_Ae: float
    changes: Mapping[str, float]
    """Changes of chi2 against no Z' of the terms that change most."""


@dataclass(frozen=True)
class AnyFamily:
    """Sets with neutral doublets in which some e, u and d can be without vector couplings."""

    sets: int
    signatures: int
    gain: float
    """Largest gain on all data, against no Z' and the dark photon."""
    integers: Mapping[str, int]
    """The signature with that gain."""
    set: int
    """The first set that has it."""
    charges: Mapping[str, tuple[int, ...]]
    """Charges of that set."""


@dataclass(frozen=True)
class QuarkResult:
    """Flavour-safe charge sets with neutral lepton doublets on all data."""

    qmax: int
    sets: int
    signatures: int
    """Those whose electron has an axial charge at least twice that of the muon."""
    axial: int
    """Signatures that can be without vector couplings of e, u and d."""
    chi2_without: float
    chi2_dark_photon: float
    rows: tuple[QuarkRow, ...]
    """The lowest chi2 first."""
    choices: tuple[QuarkChoice, ...]
    """Charges of quarks at the best leptonic point."""
    any_family: AnyFamily | None
    """Sets whose quarks of any family can be purely axial; None if there are none."""
    real: RealCharges
    """A bound for all charges."""

    @property
    def largest_gain(self) -> float:
        """Gain of real charges against no Z' and the dark photon."""
        return min(self.chi2_without, self.chi2_dark_photon) - self.real.chi2


@dataclass(frozen=True)
class Numbers:
    """All numbers of the page."""

    survey: Survey
    epochs: tuple[EpochResult, ...]
    rubidium: tuple[Hopeless, ...]
    anomaly: Survival
    """With the electron's moment alone."""
    experiments: tuple[ExperimentResult, ...]
    complete: Survival
    """With all of today's data, for the same list."""
    survivors: tuple[Survivor, ...]
    charged: ChargedDoublets
    accuracy: tuple[Accuracy, ...]
    quarks: QuarkResult

    @property
    def smallest(self) -> Survivor | None:
        """The survivor whose charge set has the lowest number."""
        found = [one for one in self.survivors if one.gain > BAR]
        return min(found, key=lambda one: one.set) if found else None


@dataclass(frozen=True)
class Screens:
    """Screens of all epochs under both policies."""

    by_epoch: Mapping[tuple[str, str], Kept]
    """By the names of epoch and policy."""
    today_cut: Kept
    """Today's data and z_H = 0, for the shorter list of the other data."""


def screen_epochs(lists: Lists, screener: Screener) -> Screens:
    """Screen the signatures of both policies on the data of all epochs."""
    found = {}
    for policy in _POLICIES:
        for epoch in epochs_of(policy):
            options = RANK if epoch is TODAY else COUNT
            signed = lists.of(policy, today=epoch is TODAY)
            found[epoch.name, str(policy)] = screener.screen(
                epoch.name, signed, epoch.data, options
            )
    return Screens(found, found[TODAY.name, HiggsPolicy.ZERO].cut(lists.zero))


def epoch_results(screens: Screens) -> tuple[EpochResult, ...]:
    """Return what survives each epoch under each policy; longer lists follow shorter ones."""
    rows = []
    for policy in _POLICIES:
        for epoch in epochs_of(policy):
            kept = screens.by_epoch[epoch.name, str(policy)]
            shorter = screens.today_cut
            if (
                epoch is TODAY
                and policy is HiggsPolicy.ZERO
                and shorter.signed.qmax < kept.signed.qmax
            ):
                rows.append(_epoch_result(shorter, epoch.name))
            rows.append(_epoch_result(kept, epoch.name))
    return tuple(rows)


def _epoch_result(kept: Kept, name: str) -> EpochResult:
    references, chi2, signed = kept.result.references, kept.result.screened.chi2, kept.signed
    of_sets = gain_of_sets(signed.sets, signed.table, kept.gain)
    median = float(np.median(of_sets[np.isfinite(of_sets)]))
    return EpochResult(
        epoch=name,
        words=next(epoch.words for epoch in EPOCHS if epoch.name == name),
        higgs=str(signed.table.higgs),
        qmax=signed.qmax,
        chi2_without=references.without,
        chi2_dark_photon=references.dark,
        best=float(chi2.min()),
        median=min(references.without, references.dark) - median,
        survival=survival_of(signed.sets, kept.gain, of_sets),
        evidence=evidence_record(signed.table, references, kept.result.screened),
    )


def rubidium() -> tuple[Hopeless, ...]:
    """Return the references of data with Rubidium."""
    found = []
    for epoch in RUBIDIUM:
        references = find_references(likelihood_of(epoch.data), SEED)
        possible = could_survive(references)
        label = epoch.data.label
        found.append(Hopeless(epoch.words, label, references.without, references.dark, possible))
    return tuple(found)


def experiment_results(
    signed: Signed, screener: Screener
) -> tuple[Survival, tuple[ExperimentResult, ...], Survival]:
    """Return what survives the anomaly alone, with experiments added and left out, and all data."""

    def survival(name: str, data: LikelihoodSpec) -> Survival:
        gain = screener.screen(name, signed, data, COUNT).gain
        return survival_of(signed.sets, gain, gain_of_sets(signed.sets, signed.table, gain))

    results = []
    for place, one in enumerate(EXPERIMENTS, 1):
        added = survival(f"first_{place:02d}", first(place))
        only = survival(f"alone_{place:02d}", alone(one)) if place > 1 else added
        dropped = survival(f"without_{place:02d}", without(one))
        results.append(ExperimentResult(one.words, one.entries, added, only, dropped))
    return survival("first_00", first(0)), tuple(results), survival(TODAY.name, TODAY.data)


def find_survivors(kept: Kept, most: int, screener: Screener) -> tuple[Survivor, ...]:
    """Fit the best signatures of a screen that gain, and describe them.

    Parameters
    ----------
    kept
        Screen on the data that decide.
    most
        Largest number of fits.
    screener
        Holder of folder, executor and progress.
    """
    result, signed, table = kept.result, kept.signed, kept.signed.table
    order = [n for n in ranked(result.screened)[:most] if kept.gain[n] > LEAST_GAIN]
    chi2 = [float(result.screened.chi2[n]) for n in order]
    numbers = [int(n) for n in order]
    tasks = prepare_fits(table, numbers, chi2, result.data, screener.folder / "fits", SEED)
    fits = dict(run_fits(tasks, screener.choice, screener.progress)) if tasks else {}
    likelihood = likelihood_of(result.data)
    chosen = np.isin(np.arange(len(table)), numbers)
    having = least_of_sets(signed.sets, table, np.where(chosen, 0.0, 1.0)) == 0
    some = Numbered(signed.sets.chosen(np.flatnonzero(having)), np.flatnonzero(having))
    return tuple(
        _survivor(some, kept, likelihood, number, fits[place])
        for place, number in enumerate(numbers)
    )


def best_charged(kept: Kept) -> ChargedDoublets:
    """Return the signature with charged lepton doublets that gains most.

    Parameters
    ----------
    kept
        Screen with z_H = 0, where N is the charge of the doublets.
    """
    table = kept.signed.table
    doublets = [table.columns.index(name) for name in ("N_e", "N_mu", "N_tau")]
    charged = np.any(table.vectors[:, doublets] != 0, axis=1)
    best = int(np.argmax(np.where(charged, kept.gain, -np.inf)))
    integers = dict(zip(table.columns, table.vectors[best].tolist(), strict=True))
    return ChargedDoublets(integers, float(kept.gain[best]))


def _survivor(
    some: Numbered, kept: Kept, likelihood: Likelihood, number: int, fit: AtlasFitRecord
) -> Survivor:
    signed, table, result = kept.signed, kept.signed.table, kept.result
    wanted = np.where(np.arange(len(table)) == number, 0.0, 1.0)
    own = np.flatnonzero(least_of_sets(some.sets, table, wanted) == 0)
    having, labels = some.numbers[own], quark_flavour(some.sets.chosen(own))
    safe = having[labels <= QuarkFlavour.TWO_ALIKE]
    first_set = int(table.first[number])
    paired = _pairing(signed, first_set, fit["pairing"])
    found = look_elsewhere(result.references.without - fit["chi2"], len(table), result.measurements)
    integrals = result.screened.evidence
    factors = None if integrals is None else bayes_factors(result.references, integrals)
    return Survivor(
        signature=number,
        integers=fit["integers"],
        gain=float(kept.gain[number]),
        sets=len(having),
        flavours={kind.name.lower(): int((labels == kind).sum()) for kind in QuarkFlavour},
        set=first_set,
        charges=_charges(signed, first_set),
        flavour=QuarkFlavour(labels[having == first_set][0]).name.lower(),
        pairing=fit["pairing"],
        left=paired.L,
        right=paired.e,
        powers=paired.powers,
        safe_set=int(safe[0]) if len(safe) else None,
        safe_charges=_charges(signed, int(safe[0])) if len(safe) else {},
        pulls=_pulls(likelihood, kept, table.vectors[number], number),
        fit=fit,
        ln_bayes_screen=None if factors is None else float(factors[number]),
        local_p=found.local,
        corrected_p=found.probability,
    )


def _pairing(signed: Signed, number: int, choice: int) -> Pairing:
    return chosen_pairing(number, signed.sets.row(number), signed.table.higgs, choice)


def _charges(signed: Signed, number: int) -> dict[str, tuple[int, ...]]:
    row = signed.sets.row(number)
    return {name: row.species(name) for name in SPECIES}


def _pulls(likelihood: Likelihood, kept: Kept, vector: np.ndarray, number: int) -> dict[str, float]:
    found = kept.result.screened
    point = (np.array([row[number]]) for row in (found.m_Zp, found.g_prime, found.c))
    c = couplings(vector[None].astype(float), *point)
    pulls = likelihood.pulls(c)
    return {
        term.name: float(pull[0]) for term, pull in zip(likelihood.measurements, pulls, strict=True)
    }


def likelihood_of(data: LikelihoodSpec) -> Likelihood:
    """Return the likelihood of a choice of data."""
    return assemble(data, Library.beside()).likelihood
