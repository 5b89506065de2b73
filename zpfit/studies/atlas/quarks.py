"""Survivors with quarks: flavour-safe charge sets with neutral lepton doublets, on all data.

On leptonic data only signatures with neutral lepton doublets survive. Data on quarks are therefore
asked about these alone, and about sets with two families of quarks alike at least: others
have couplings that change flavour in K or D mesons.
"""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zpfit.analysis.atlas.charge_sets import SPECIES
from zpfit.analysis.atlas.flags import Flags
from zpfit.analysis.atlas.ranking import ranked
from zpfit.analysis.atlas.signatures import HiggsPolicy, SignatureTable, signatures
from zpfit.analysis.records import AtlasFitRecord
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.spec import LikelihoodSpec
from zpfit.physics.couplings import Couplings
from zpfit.runs.atlas_fits import prepare_fits, run_fits
from zpfit.studies.atlas.accuracy import subset
from zpfit.studies.atlas.lists import Numbered
from zpfit.studies.atlas.numbers import QuarkResult, QuarkRow, likelihood_of
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


def quark_result(safe: Numbered, fits: int, screener: Screener) -> QuarkResult:
    """Screen flavour-safe sets with neutral doublets on all data, and fit the best signatures.

    Parameters
    ----------
    safe
        Result of :func:`zpfit.studies.atlas.lists.neutral_doublets`.
    fits
        Number of fits.
    screener
        Makes or reads the screen.
    """
    whole = signatures(safe.sets, HiggsPolicy.ZERO, quarks=True)
    whole = replace(whole, first=safe.numbers[whole.first])
    table = subset(whole, np.flatnonzero(hopeful(whole.vectors)))
    kept = screener.screen("quarks", Signed(safe.sets, table), DATA, RANK)
    result = kept.result
    order = [int(n) for n in ranked(result.screened)[:_RANKED]]
    chi2 = [float(result.screened.chi2[n]) for n in order[:fits]]
    tasks = prepare_fits(table, order[:fits], chi2, DATA, screener.folder / "fits_quarks", SEED)
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
    )


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
