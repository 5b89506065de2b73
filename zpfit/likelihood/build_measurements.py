"""Build the terms of measurements, and their correlations, from entries."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import assert_never

import numpy as np
from scipy.sparse.csgraph import connected_components

from zpfit.errors import InvalidInput
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.binned import BinnedTerm, SharedScale
from zpfit.likelihood.curves import check_bins, read_chi2_table, read_counts
from zpfit.likelihood.entries import (
    BinnedEntry,
    CorrelatedEntry,
    CountsEntry,
    Errors,
    GaussianEntry,
    MeasurementEntry,
    TableEntry,
)
from zpfit.likelihood.measurements import (
    AsymmetricTerm,
    Correlation,
    CountsTerm,
    GaussianTerm,
    Measurement,
    TabulatedTerm,
)
from zpfit.likelihood.observables import FindObservable, PythonObservable, named_observable
from zpfit.likelihood.theory import TheoryTerm, widths_of
from zpfit.physics.couplings import Couplings
from zpfit.physics.observables import Observable

NamedEntry = tuple[str, Path, MeasurementEntry]
"""Name, file and content of an entry."""


@dataclass(frozen=True)
class MeasurementTerms:
    """Terms of measurements, their correlations, and scales of signals that depend on others."""

    terms: tuple[Measurement, ...]
    correlations: tuple[Correlation, ...]
    shared_scales: tuple[SharedScale, ...] = ()


def build_measurements(
    entries: Sequence[NamedEntry],
    widths: Mapping[str, float],
    find: FindObservable = named_observable,
) -> MeasurementTerms:
    """Return terms in the order of the entries, with nuisance parameters marginalised.

    A nuisance parameter with a Gaussian prior shifts predictions linearly. Marginalising it adds
    s_i s_j to the covariance of the measurements, where s_i is the shift of prediction i by one
    standard deviation of the prior. The signals of binned counts have their scales shifted.

    Parameters
    ----------
    entries : sequence of NamedEntry
    widths : mapping of str to float
        Standard deviations of the priors of nuisance parameters; the default is 1.
    find : callable
        Returns the observable that an entry refers to.

    Raises
    ------
    InvalidCurve
        The table of an entry is invalid, or its bins have other edges than the observable's.
    InvalidInput
        The observable of binned counts has no spectrum or one of other bins, or two entries of
        binned counts share a nuisance parameter.
    """
    terms = [
        term for name, path, entry in entries for term in _terms(name, path, entry, find, widths)
    ]
    gaussian = [index for index, term in enumerate(terms) if isinstance(term, GaussianTerm)]
    covariance = _covariance(entries, [terms[i] for i in gaussian], widths)
    for row, index in enumerate(gaussian):
        old = terms[index]
        error = float(np.sqrt(covariance[row, row]))
        terms[index] = GaussianTerm(old.name, old.observable, old.value, error)
    names = [terms[index].name for index in gaussian]
    return MeasurementTerms(
        tuple(terms),
        tuple(_correlations(names, covariance)),
        tuple(_shared_scales(entries, names, covariance, widths)),
    )


def component_name(entry: str, observable: str | PythonObservable) -> str:
    """Return the name of the term of one observable of a correlated entry.

    Examples
    --------
    >>> component_name("my_entry", "delta_a_e")
    'my_entry[delta_a_e]'
    """
    return f"{entry}[{observable}]"


def _terms(
    name: str,
    path: Path,
    entry: MeasurementEntry,
    find: FindObservable,
    widths: Mapping[str, float],
) -> Sequence[Measurement]:
    """Return the terms of one entry; those with Gaussian errors lack nuisance parameters."""
    match entry:
        case GaussianEntry():
            return [_gaussian_term(name, path, entry, find(entry.observable), widths)]
        case CorrelatedEntry():
            rows = zip(entry.observables, entry.values, entry.errors, strict=True)
            return [
                GaussianTerm(component_name(name, o), find(o), value, error)
                for o, value, error in rows
            ]
        case CountsEntry():
            observable = find(entry.observable)
            counts = (entry.observed, entry.signal, entry.background)
            return [CountsTerm(name, observable, *counts)]
        case TableEntry():
            table = read_chi2_table(path.parent / entry.curve)
            columns = (tuple(map(float, column)) for column in table.T)
            return [TabulatedTerm(name, find(entry.observable), *columns)]
        case BinnedEntry():
            return [_binned_term(name, path, entry, find, widths)]
    assert_never(entry)


def _gaussian_term(
    name: str,
    path: Path,
    entry: GaussianEntry,
    observable: Observable,
    widths: Mapping[str, float],
) -> Measurement:
    inputs = widths_of(observable, widths)
    error = entry.error
    if inputs and (isinstance(error, Errors) or entry.nuisances):
        reason = f"{observable.name} has uncertain inputs: give one error, and no nuisances"
        raise InvalidInput([f"{path}: {reason}"])
    if isinstance(error, Errors):
        return AsymmetricTerm(name, observable, entry.value, error.up, error.down)
    if inputs:
        return TheoryTerm(name, observable, entry.value, error, inputs)
    return GaussianTerm(name, observable, entry.value, error)


def _binned_term(
    name: str,
    path: Path,
    entry: BinnedEntry,
    find: FindObservable,
    widths: Mapping[str, float],
) -> BinnedTerm:
    counts = read_counts(path.parent / entry.curve, tuple(entry.backgrounds))
    observed, *backgrounds = (tuple(map(float, row)) for row in counts)
    shifts = (shift * widths.get(nuisance, 1.0) for nuisance, shift in entry.nuisances.items())
    errors = (math.hypot(entry.signal_error, *shifts), *entry.backgrounds.values())
    term = BinnedTerm(name, find(entry.observable), observed, tuple(backgrounds), errors)
    spectrum = term.observable.spectrum
    if spectrum is None:
        raise InvalidInput([f"{path}: observable: {entry.observable!s} predicts no bins"])
    bins = np.shape(spectrum(Couplings.none()))
    if bins != (1, term.size):
        found = f"{entry.curve} has {term.size} bins, but {entry.observable!s} predicts {bins}"
        raise InvalidInput([f"{path}: curve: {found} for one point; they must agree"])
    if term.observable.axes:
        check_bins(path.parent / entry.curve, term.observable.axes)
    return term


def _shared_scales(
    entries: Sequence[NamedEntry],
    names: Sequence[str],
    covariance: FloatArray,
    widths: Mapping[str, float],
) -> list[SharedScale]:
    """Return how the scales of binned signals depend on Gaussian measurements.

    Raises
    ------
    InvalidInput
        Two entries of binned counts share a nuisance parameter, which has no closed form.
    """
    binned = {name: entry for name, _, entry in entries if isinstance(entry, BinnedEntry)}
    for (one, entry), (other, second) in combinations(binned.items(), 2):
        for nuisance in entry.nuisances.keys() & second.nuisances.keys():
            problem = f"{one!r} and {other!r} are binned and share nuisance {nuisance!r}"
            raise InvalidInput([f"{problem}, which is not possible; drop one of them"])
    found = []
    for name, entry in binned.items():
        shifts = {key: s * widths.get(key, 1.0) for key, s in entry.nuisances.items()}
        common = _common(entries, names, shifts, widths)
        if common.any():
            rows = tuple(tuple(map(float, row)) for row in covariance)
            error = math.hypot(entry.signal_error, *shifts.values())
            found.append(SharedScale(name, tuple(names), rows, tuple(map(float, common)), error))
    return found


def _common(
    entries: Sequence[NamedEntry],
    names: Sequence[str],
    shifts: Mapping[str, float],
    widths: Mapping[str, float],
) -> FloatArray:
    """Return the covariance of a binned signal's scale with the Gaussian measurements."""
    common = np.zeros(len(names))
    for name, _, entry in entries:
        if isinstance(entry, GaussianEntry) and name in names:
            common[names.index(name)] = sum(
                shift * widths.get(key, 1.0) * shifts.get(key, 0.0)
                for key, shift in entry.nuisances.items()
            )
    return common


def _covariance(
    entries: Sequence[NamedEntry], terms: Sequence[Measurement], widths: Mapping[str, float]
) -> FloatArray:
    """Return the covariance of the Gaussian terms, nuisance parameters included."""
    index = {term.name: i for i, term in enumerate(terms)}
    errors = np.array([term.error for term in terms])
    correlation = np.eye(len(terms))
    shifts: dict[str, FloatArray] = {}
    for name, _, entry in entries:
        if isinstance(entry, CorrelatedEntry):
            block = [index[component_name(name, o)] for o in entry.observables]
            correlation[np.ix_(block, block)] = entry.correlation
        elif isinstance(entry, GaussianEntry):
            for nuisance, shift in entry.nuisances.items():
                row = shifts.setdefault(nuisance, np.zeros(len(terms)))
                row[index[name]] = shift * widths.get(nuisance, 1.0)
    result: FloatArray = correlation * np.outer(errors, errors)
    for row in shifts.values():
        result += np.outer(row, row)
    return result


def _correlations(names: Sequence[str], covariance: FloatArray) -> list[Correlation]:
    """Return one correlation for each connected group of measurements."""
    if not len(names):
        return []
    count, group = connected_components(covariance != 0, directed=False)
    found = []
    for label in range(count):
        members = np.flatnonzero(group == label).tolist()
        if len(members) > 1:
            block = covariance[np.ix_(members, members)]
            rows = tuple(tuple(map(float, row)) for row in block)
            found.append(Correlation(tuple(names[i] for i in members), rows))
    return found
