"""Survivors with quarks: flavour-safe charge sets with neutral lepton doublets, on all data.

On leptonic data only signatures with neutral lepton doublets survive. Data on quarks are therefore
asked about these alone, and about sets with two families of quarks alike at least: others
have couplings that change flavour in K or D mesons.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from zpfit.analysis.atlas.charge_sets import SPECIES
from zpfit.analysis.atlas.ranking import ranked
from zpfit.analysis.atlas.screen import couplings
from zpfit.analysis.atlas.signatures import HiggsPolicy, SignatureTable, signatures
from zpfit.analysis.records import AtlasFitRecord
from zpfit.likelihood.spec import LikelihoodSpec
from zpfit.physics.couplings import Couplings
from zpfit.runs.atlas_fits import prepare_fits, run_fits
from zpfit.studies.atlas.accuracy import subset
from zpfit.studies.atlas.axial_quarks import axial_choices, axial_in_quarks, hopeful
from zpfit.studies.atlas.lists import Numbered, flavour_safe
from zpfit.studies.atlas.numbers import (
    AnyFamily,
    QuarkChoice,
    QuarkResult,
    QuarkRow,
    Survey,
    Survivor,
    likelihood_of,
)
from zpfit.studies.atlas.real_charges import fit_real_charges
from zpfit.studies.atlas.screens import RANK, SEED, Kept, Screener, Signed

DATA: Final = LikelihoodSpec(set="today_cs")
"""All data of today, with those on quarks."""
_CHANGE: Final = 0.5
"""Change of chi2 of a term, against no Z', from which the page names it."""
_RANKED: Final = 5


CHOICES: Final[Mapping[str, tuple[float, float, float]]] = {
    "neutral": (0.0, 0.0, 0.0),
    "no vector couplings": (0.0, -2 / 3, 1 / 3),
    "no pion charge, neutral Caesium": (0.0, -55 / 399, -55 / 399),
}
"""Charges z_Q, z_u and z_d over A_e. The weak charge of Caesium sees 188 C_Vu + 211 C_Vd."""


def quark_choices(m: float, axial: float) -> tuple[QuarkChoice, ...]:
    """Return the data on quarks at a point with neutral doublets and C_Ve = 0.

    Parameters
    ----------
    m
        Mass in MeV.
    axial
        Coupling C_Ae.

    Examples
    --------
    Without vector couplings the pion is left with the charge of the electron:

    >>> found = quark_choices(24.4, 2.3e-4)[1]
    >>> [name for name, change in found.changes.items() if change > 10]
    ['sindrum_rate_1989']
    """
    likelihood = likelihood_of(DATA)
    without = likelihood.chi2_by_term(Couplings.none())
    found = []
    for words, (doublet, up, down) in CHOICES.items():
        vector = np.array([[0, 1, 0, 0, 0, 3 * doublet, up - doublet, down - doublet]])
        point = (np.array([value]) for value in (m, 2 * axial, -axial))
        c = couplings(vector, *point)
        terms = {n: float(v[0] - without[n][0]) for n, v in likelihood.chi2_by_term(c).items()}
        changes = {name: value for name, value in terms.items() if abs(value) > _CHANGE}
        ratios = {name: float(v[0]) for name, v in likelihood.ratios(c).items() if v[0] > 1}
        charges = {"Q": doublet, "u": up, "d": down}
        found.append(QuarkChoice(words, charges, changes, ratios))
    return tuple(found)


def quark_result(
    neutral: Numbered, survivors: Sequence[Survivor], survey: Survey, screener: Screener
) -> QuarkResult:
    """Screen sets with neutral doublets on all data, and fit the best signatures.

    Flavour-safe sets have the quarks that two families share. Sets that can be without vector
    couplings of e, u and d are screened with quarks of any family.

    Parameters
    ----------
    neutral
        Result of :func:`zpfit.studies.atlas.lists.neutral_doublets`.
    survivors
        Best signatures of leptonic data.
    survey
        Numbers of fits and of starts.
    screener
        Makes or reads the screen.
    """
    safe = flavour_safe(neutral)
    whole = signatures(safe.sets, HiggsPolicy.ZERO, quarks=True)
    whole = replace(whole, first=safe.numbers[whole.first])
    table = subset(whole, np.flatnonzero(hopeful(whole.vectors)))
    kept = screener.screen("quarks", Signed(safe.sets, table), DATA, RANK)
    result = kept.result
    order = [int(n) for n in ranked(result.screened)[:_RANKED]]
    chi2 = [float(result.screened.chi2[n]) for n in order[: survey.quark_fits]]
    tasks = prepare_fits(
        table, order[: survey.quark_fits], chi2, DATA, screener.folder / "fits_quarks", SEED
    )
    found = dict(run_fits(tasks, screener.choice, screener.progress)) if tasks else {}
    rows = tuple(_row(table, kept, number, found.get(place)) for place, number in enumerate(order))
    axial = axial_in_quarks(table.vectors.astype(float))
    return QuarkResult(
        qmax=safe.sets.qmax,
        sets=len(safe.sets),
        signatures=len(table),
        axial=int(axial.sum()),
        chi2_without=result.references.without,
        chi2_dark_photon=result.references.dark,
        rows=rows,
        choices=quark_choices(*best_leptonic(survivors)) if survivors else (),
        any_family=_any_family(neutral, screener),
        real=fit_real_charges(likelihood_of(DATA), survey.real_starts, SEED),
    )


def _any_family(neutral: Numbered, screener: Screener) -> AnyFamily | None:
    """Return what sets gain that can be without vector couplings for quarks of any family."""
    found = axial_choices(neutral)
    if not found.sets:
        return None
    table = found.table
    kept = screener.screen("quarks_of_any_family", Signed(neutral.sets, table), DATA, RANK)
    best = int(np.argmax(kept.gain))
    return AnyFamily(
        sets=found.sets,
        signatures=len(table),
        gain=float(kept.gain[best]),
        integers=dict(zip(table.columns, table.vectors[best].tolist(), strict=True)),
        set=int(table.first[best]),
        charges=_charges(table, best),
    )


def _charges(table: SignatureTable, number: int) -> dict[str, tuple[int, ...]]:
    rows = zip(SPECIES, table.charges[number].tolist(), strict=True)
    return {name: tuple(row) for name, row in rows}


def best_leptonic(survivors: Sequence[Survivor]) -> tuple[float, float]:
    """Return mass (MeV) and C_Ae of the best fit of the signature with the lowest chi2."""
    # Of equal ones the smallest set, whatever the rounding.
    best = min(survivors, key=lambda one: (round(one.fit["chi2"], 2), one.set))
    parameters = best.fit["parameters"]
    return parameters["m_Zp"], parameters["g_prime"] * abs(best.integers["A_e"]) / 2


def _row(table: SignatureTable, kept: Kept, number: int, fit: AtlasFitRecord | None) -> QuarkRow:
    found = kept.result.screened
    without = likelihood_of(DATA).chi2_by_term(Couplings.none())
    changes = {name: float(row[number] - without[name][0]) for name, row in found.terms.items()}
    return QuarkRow(
        integers=dict(zip(table.columns, table.vectors[number].tolist(), strict=True)),
        set_charges=_charges(table, number),
        gain=float(kept.gain[number]),
        chi2=float(found.chi2[number]),
        m_Zp=float(found.m_Zp[number]),
        g_prime=float(found.g_prime[number]),
        axial=bool(axial_in_quarks(table.vectors[[number]].astype(float))[0]),
        changes={name: value for name, value in changes.items() if abs(value) > _CHANGE},
        fit=fit,
    )
