"""Ranking of the signatures of a screen."""

import numpy as np
from numpy.typing import NDArray

from zpfit.analysis.atlas.charge_sets import SPECIES
from zpfit.analysis.atlas.look_elsewhere import gain_of, look_elsewhere
from zpfit.analysis.atlas.screen import Evidence, References, Screened
from zpfit.analysis.atlas.signatures import SignatureTable
from zpfit.analysis.records import (
    AtlasEvidenceRecord,
    AtlasScreenRecord,
    AtlasSignatureRecord,
    LookElsewhereRecord,
)
from zpfit.io.arrays import FloatArray

_BAR = 3.0
"""Local significance of the bar that figures show."""


def ranked(screened: Screened) -> NDArray[np.intp]:
    """Return the numbers of all signatures, the lowest chi2 first, shape (n,)."""
    return np.argsort(screened.chi2, kind="stable")


def screen_record(
    table: SignatureTable,
    likelihood: str,
    measurements: int,
    references: References,
    screened: Screened,
    best: int,
) -> AtlasScreenRecord:
    """Return the record of a screen.

    Parameters
    ----------
    table
        The signatures.
    likelihood
        Name of the likelihood set.
    measurements
        Number of measurements in it.
    references, screened
        Results of the screen.
    best
        Number of signatures that the record describes.
    """
    chosen = ranked(screened)[:best]
    gain = references.without - float(screened.chi2.min())
    return {
        "title": f"Signatures on {likelihood}, policy {table.higgs}",
        "likelihood": likelihood,
        "higgs": str(table.higgs),
        "signatures": len(table),
        "chi2_without": references.without,
        "chi2_dark_photon": references.dark,
        "gain_of_3_sigma": gain_of(_BAR),
        "look_elsewhere": _look_elsewhere(gain, len(table), measurements),
        "evidence": evidence_record(table, references, screened),
        "best": [_row(table, references, screened, int(number)) for number in chosen],
    }


def bayes_factors(references: References, found: Evidence) -> FloatArray:
    """Return ln B of each signature against no Z', shape (n,).

    Parameters
    ----------
    references, found
        Results of a screen. Without a Z' there is no parameter: ln Z = -chi2 / 2.
    """
    result: FloatArray = found.log_z + references.without / 2
    return result


def evidence_record(
    table: SignatureTable, references: References, screened: Screened
) -> AtlasEvidenceRecord | None:
    """Return the largest ln B and its signature; None without evidence.

    Parameters
    ----------
    table
        The signatures.
    references, screened
        Results of a screen.
    """
    if screened.evidence is None:
        return None
    factors = bayes_factors(references, screened.evidence)
    best = int(np.argmax(factors))
    return {
        "log_z_without": -references.without / 2,
        "largest": float(factors[best]),
        "largest_error": float(screened.evidence.log_z_error[best]),
        "integers": _integers(table, best),
        "median": float(np.median(factors)),
        "positive": int((factors > 0).sum()),
    }


def _integers(table: SignatureTable, number: int) -> dict[str, int]:
    return dict(zip(table.columns, table.vectors[number].tolist(), strict=True))


def _look_elsewhere(gain: float, signatures: int, measurements: int) -> LookElsewhereRecord:
    found = look_elsewhere(gain, signatures, measurements)
    return {
        "gain": gain,
        "signatures": signatures,
        "measurements": measurements,
        "local_p": found.local,
        "local_sigma": found.local_sigma,
        "p_by_signatures": found.by_signatures,
        "p_by_data": found.by_data,
        "p_upper_limit": found.probability,
        "sigma_lower_limit": found.sigma,
    }


def _row(
    table: SignatureTable, references: References, screened: Screened, number: int
) -> AtlasSignatureRecord:
    chi2, charges = float(screened.chi2[number]), table.charges[number]
    found, joint = screened.evidence, screened.joint_sigma
    factor = None if found is None else float(bayes_factors(references, found)[number])
    row: AtlasSignatureRecord = {
        "signature": number,
        "integers": _integers(table, number),
        "chi2": chi2,
        "delta_chi2": references.without - chi2,
        "delta_chi2_dark_photon": references.dark - chi2,
        "m_Zp": float(screened.m_Zp[number]),
        "g_prime": float(screened.g_prime[number]),
        "c": float(screened.c[number]),
        "qmax": int(table.qmax[number]),
        "sets": int(table.sets[number]),
        "first": int(table.first[number]),
        "charges": dict(zip(SPECIES, charges.tolist(), strict=True)),
        "ln_bayes_factor": factor,
        "scanned": bool(screened.scanned[number]),
        "chi2_by_term": {name: float(term[number]) for name, term in screened.terms.items()},
    }
    if joint is not None:
        row["joint_sigma"] = float(joint[number]) if np.isfinite(joint[number]) else None
    return row
