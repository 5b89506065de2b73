"""Survivors with quarks: flavour-safe charge sets with neutral lepton doublets, on all data.

On leptonic data only signatures with neutral lepton doublets survive. Data on quarks are therefore
asked about these alone, and about sets with two families of quarks alike at least: others
have couplings that change flavour in K or D mesons.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zpfit.analysis.atlas.charge_sets import SPECIES
from zpfit.analysis.atlas.flags import Flags
from zpfit.analysis.atlas.ranking import ranked
from zpfit.analysis.atlas.screen import couplings
from zpfit.analysis.atlas.signatures import HiggsPolicy, SignatureTable, signatures
from zpfit.analysis.records import AtlasFitRecord
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.spec import LikelihoodSpec
from zpfit.physics.couplings import Couplings
from zpfit.runs.atlas_fits import prepare_fits, run_fits
from zpfit.studies.atlas.accuracy import subset
from zpfit.studies.atlas.lists import Numbered
from zpfit.studies.atlas.numbers import (
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


def hopeful(vectors: NDArray[np.int8]) -> Flags:
    """Return which signatures with neutral doublets leptonic data leave: A_mu below A_e / 2.

    Parameters
    ----------
    vectors
        Integers of the signatures, shape (n, 5) or more.
    """
    a_e, a_mu = np.abs(vectors[:, [1, 3]].T)
    result: Flags = (a_e > 0) & (2 * a_mu <= a_e)
    return result


def axial_in_quarks(vectors: FloatArray) -> Flags:
    """Return which signatures have no vector couplings of e, u and d for some mixing.

    Parameters
    ----------
    vectors
        Integers of signatures with quarks and neutral lepton doublets, shape (n, 8).

    Returns
    -------
    array of bool, shape (n,)
        True for 3 (z_Q + z_u) = -2 A_e and 3 (z_Q + z_d) = A_e.
    """
    a_e, (b, up, down) = vectors[:, 1], vectors[:, 5:].T
    c = -a_e / 2
    result: Flags = np.isclose(b / 3 + up / 2, 2 * c / 3) & np.isclose(b / 3 + down / 2, -c / 3)
    return result


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
    safe: Numbered, survivors: Sequence[Survivor], survey: Survey, screener: Screener
) -> QuarkResult:
    """Screen flavour-safe sets with neutral doublets on all data, and fit the best signatures.

    Parameters
    ----------
    safe
        Result of :func:`zpfit.studies.atlas.lists.neutral_doublets`.
    survivors
        Best signatures of leptonic data.
    survey
        Numbers of fits and of starts.
    screener
        Makes or reads the screen.
    """
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
        real=fit_real_charges(likelihood_of(DATA), survey.real_starts, SEED),
    )


def best_leptonic(survivors: Sequence[Survivor]) -> tuple[float, float]:
    """Return mass (MeV) and C_Ae of the best fit of the signature with the lowest chi2."""
    best = min(survivors, key=lambda one: one.fit["chi2"])
    parameters = best.fit["parameters"]
    return parameters["m_Zp"], parameters["g_prime"] * abs(best.integers["A_e"]) / 2


def _row(table: SignatureTable, kept: Kept, number: int, fit: AtlasFitRecord | None) -> QuarkRow:
    found = kept.result.screened
    without = likelihood_of(DATA).chi2_by_term(Couplings.none())
    changes = {name: float(row[number] - without[name][0]) for name, row in found.terms.items()}
    charges = zip(SPECIES, table.charges[number].tolist(), strict=True)
    return QuarkRow(
        integers=dict(zip(table.columns, table.vectors[number].tolist(), strict=True)),
        set_charges={name: tuple(row) for name, row in charges},
        gain=float(kept.gain[number]),
        chi2=float(found.chi2[number]),
        m_Zp=float(found.m_Zp[number]),
        g_prime=float(found.g_prime[number]),
        axial=bool(axial_in_quarks(table.vectors[[number]].astype(float))[0]),
        changes={name: value for name, value in changes.items() if abs(value) > _CHANGE},
        fit=fit,
    )
