"""Influence of unverified numbers on the evidence, by reweighting the samples of a fit."""

from dataclasses import replace

import numpy as np

from zpfit.inference.posterior import Posterior
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.exclusions import Exclusion
from zpfit.likelihood.likelihood import Likelihood
from zpfit.likelihood.measurements import AsymmetricTerm, GaussianTerm, Measurement
from zpfit.physics.couplings import Couplings

_MOST = 500
"""Largest number of samples that are reweighted; a few hundred suffice for changes of order 1."""
_STRONGER = 2.0
"""Factor by which a limit is made stronger."""


def influence_of(posterior: Posterior, u: FloatArray, entries: list[str]) -> dict[str, float]:
    """Return the largest change of ln B, against no Z', when the number of an entry varies.

    A measurement is shifted by its error to either side, a limit is made twice as strong.
    Counts, and tables of chi2, are left out instead. An entry without a term, which a model cannot
    predict, has no influence.

    Parameters
    ----------
    posterior : Posterior
    u : array, shape (n, d)
        Samples of equal weight in the unit cube; some hundred of them are used.
    entries : list of str
        Names of the entries.

    Returns
    -------
    dict
        Change of ln B by entry, with its sign.
    """
    stride = -(-len(u) // _MOST)
    c = posterior.couplings(u[::stride])
    return {name: _influence(posterior.likelihood, c, name) for name in entries}


def _influence(likelihood: Likelihood, c: Couplings, entry: str) -> float:
    changes = [0.0]
    for index, term in enumerate(likelihood.measurements):
        if _belongs(term.name, entry):
            varied = _varied(likelihood, index, term)
            changes += [_change(likelihood, other, c) for other in varied]
    for exclusion in likelihood.exclusions:
        if exclusion.name == entry:
            changes.append(_change_by_limit(exclusion, c))
    return max(changes, key=abs)


def _belongs(term: str, entry: str) -> bool:
    """Return True for the term of an entry, and for each term of a correlated one."""
    return term == entry or term.startswith(f"{entry}[")


def _varied(likelihood: Likelihood, index: int, term: Measurement) -> list[Likelihood]:
    """Return the likelihood with a measurement shifted to either side, or without it."""
    if not isinstance(term, GaussianTerm | AsymmetricTerm):
        rest = [t for i, t in enumerate(likelihood.measurements) if i != index]
        return [replace(likelihood, measurements=tuple(rest))]
    found = []
    for shift in (term.error, -term.error):
        terms = list(likelihood.measurements)
        terms[index] = term.with_datum(term.datum + shift)
        found.append(replace(likelihood, measurements=tuple(terms)))
    return found


def _change(likelihood: Likelihood, other: Likelihood, c: Couplings) -> float:
    """Return the change of ln B from one likelihood to another."""
    none = Couplings.none()
    gain = 0.5 * (likelihood.chi2(c) - other.chi2(c))
    without = 0.5 * (likelihood.chi2(none) - other.chi2(none))
    return _log_mean_exp(gain) - float(without[0])


def _change_by_limit(exclusion: Exclusion, c: Couplings) -> float:
    ratio = exclusion.ratio(c)
    if exclusion.soft:
        form = exclusion.soft_form
        return _log_mean_exp(0.5 * (form.chi2(ratio) - form.chi2(_STRONGER * ratio)))
    kept = float(np.mean(_STRONGER * ratio <= 1))
    return float(np.log(max(kept, 1 / len(ratio))))


def _log_mean_exp(values: FloatArray) -> float:
    largest = float(values.max())
    return largest + float(np.log(np.mean(np.exp(values - largest))))
