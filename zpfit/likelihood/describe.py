"""Short descriptions of entries for tables: subject, value, curve."""

from typing import assert_never

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.io.numbers import percent, published
from zpfit.likelihood.curves import (
    PROMPT_COLUMNS,
    REGION_COLUMNS,
    read_chi2_table,
    read_counts,
    read_curve,
)
from zpfit.likelihood.entries import (
    BinnedEntry,
    CorrelatedEntry,
    CountsEntry,
    Entry,
    Errors,
    GaussianEntry,
    MeasurementEntry,
    TableEntry,
    observables_of,
)
from zpfit.likelihood.exclusions import (
    BeamDumpEntry,
    ClosedRegionEntry,
    CurveEntry,
    MassFloorEntry,
    PromptLimitEntry,
    UpperLimitEntry,
)
from zpfit.likelihood.library import LoadedEntry
from zpfit.physics.constants import ELECTRIC_CHARGE
from zpfit.physics.production import DESCRIPTIONS


def describe_subject(entry: Entry) -> str:
    """Return what is measured or bounded: observables, or the kind of search."""
    match entry:
        case PromptLimitEntry():
            return f"{entry.search.replace('_', ' ')} decays{_origin(entry)}"
        case BeamDumpEntry():
            into = "" if entry.final_state == "electrons" else f" to {entry.final_state}"
            ratio = f"length ratio {entry.length_ratio:g}"
            return f"decays{into} behind a dump{_origin(entry)}, {ratio}"
        case ClosedRegionEntry():
            return f"closed region{_origin(entry)}"
        case MassFloorEntry():
            mixed = entry.applies_to == "mixed"
            return "mass in thermal contact" + (" with both sectors" if mixed else "")
    return ", ".join(map(str, observables_of(entry)))


def _origin(entry: CurveEntry) -> str:
    """Return the process that makes the Z', for searches where it is no electron."""
    return "" if entry.production == "electron" else f", {DESCRIPTIONS[entry.production]}"


def is_projection(entry: Entry) -> bool:
    """Return True if the entry is an expected result and not a measured one."""
    return entry.measurement.startswith("projection")


def describe_value(loaded: LoadedEntry) -> str:
    """Return value and error, the limit, or the range of a curve.

    Raises
    ------
    UnreadableFile, InvalidCurve
        The curve cannot be read.
    """
    entry = loaded.entry
    match entry:
        case UpperLimitEntry():
            return f"< {entry.limit:.3g}{_masses(entry.mass_range)}"
        case MassFloorEntry():
            return (
                f"> {entry.electrophilic:g} MeV with electrons, {entry.neutrinophilic:g} MeV "
                f"with neutrinos, above C = {entry.contact:.1g}"
            )
        case PromptLimitEntry() | BeamDumpEntry() | ClosedRegionEntry():
            on_muons = isinstance(entry, PromptLimitEntry) and entry.search.startswith("muon")
            return _span(curve_in_mixing(loaded), "|C_μ|/e" if on_muons else "ε")
        case _:
            return _measured(loaded, entry)


def _measured(loaded: LoadedEntry, entry: MeasurementEntry) -> str:
    match entry:
        case GaussianEntry():
            return f"{_with_error(entry.value, entry.error)}{_nuisances(entry)}"
        case CorrelatedEntry():
            pairs = zip(entry.values, entry.errors, strict=True)
            return ", ".join(published(v, e) for v, e in pairs) + ", correlated"
        case CountsEntry():
            expected = f"{entry.signal:.3g} × signal + {entry.background:.3g}"
            return f"{entry.observed} events, {expected} expected"
        case TableEntry():
            table = read_chi2_table(loaded.path.parent / entry.curve)
            return f"χ² from {table[0, 0]:.3g} to {table[-1, 0]:.3g}"
        case BinnedEntry():
            return _binned(loaded, entry)
    assert_never(entry)


def curve_in_mixing(loaded: LoadedEntry) -> FloatArray:
    """Return mass (MeV) and limit or edges in the mixing, shape (n, 2 or 3).

    Entries without such a curve give no rows.

    Raises
    ------
    UnreadableFile, InvalidCurve
        The curve cannot be read.
    """
    if loaded.curve is None or not isinstance(loaded.entry, CurveEntry):
        return np.empty((0, 2))
    prompt = isinstance(loaded.entry, PromptLimitEntry)
    table: FloatArray = np.exp(
        read_curve(
            loaded.curve,
            PROMPT_COLUMNS if prompt else REGION_COLUMNS,
            loaded.entry.quantity,
        )
    )
    table[:, 1:] /= ELECTRIC_CHARGE
    return table


def _with_error(value: float, error: float | Errors) -> str:
    if isinstance(error, Errors):
        return published(value, error.up, error.down)
    return published(value, error)


def _binned(loaded: LoadedEntry, entry: BinnedEntry) -> str:
    counts = read_counts(loaded.path.parent / entry.curve, tuple(entry.backgrounds))
    observed, *backgrounds = counts.sum(axis=1)
    shared = (f" ± {percent(abs(s))} ({name})" for name, s in entry.nuisances.items())
    signal = f"signal ± {percent(entry.signal_error)}{''.join(shared)}"
    rest = [
        f"{total:.4g} ± {percent(error)} {name.replace('_', ' ')}"
        for total, (name, error) in zip(backgrounds, entry.backgrounds.items(), strict=True)
    ]
    return f"{observed:g} events in {counts.shape[1]} bins, {', '.join([signal, *rest])}"


def _nuisances(entry: GaussianEntry) -> str:
    return "".join(f" ± {abs(s):.2g} ({name})" for name, s in entry.nuisances.items())


def _masses(covered: tuple[float, float] | None) -> str:
    return "" if covered is None else f" at {covered[0]:g} to {covered[1]:g} MeV"


def _span(curve: FloatArray, symbol: str) -> str:
    low, high = curve[[0, -1], 0]
    lowest, highest = curve[:, 1].min(), curve[:, -1].max()
    if curve.shape[1] == 3:
        return f"{low:.3g} to {high:.3g} MeV, {symbol} between {lowest:.2g} and {highest:.2g}"
    return f"{low:.3g} to {high:.3g} MeV, {symbol} < {lowest:.2g} at best"
