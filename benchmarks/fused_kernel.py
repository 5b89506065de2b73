"""The likelihood of the set ``paper_2021_cs`` written by hand as one compiled loop.

It serves only as a reference for zpfit's speed: it is zpfit without separate
terms. The terms are fixed here; their numbers come from the same entries, curves
and tables. All numbers are closure constants, so that the compiler knows each of
them and the shape of every table.
"""

from collections.abc import Callable, Mapping, Sequence
from math import exp, expm1, log, pi
from typing import Any

import numba
import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.likelihood.curves import PROMPT_COLUMNS, REGION_COLUMNS, read_curve
from zpfit.likelihood.entries import Entry, GaussianEntry
from zpfit.likelihood.exclusions import (
    BeamDumpEntry,
    MassFloorEntry,
    PromptLimitEntry,
    UpperLimitEntry,
)
from zpfit.likelihood.library import LoadedEntry
from zpfit.physics.constants import ELECTRON_MASS, FERMI_CONSTANT, MUON_MASS, TAU_MASS
from zpfit.physics.couplings import Couplings
from zpfit.physics.dark_photon_limits import edge_lifetime
from zpfit.physics.decays import reduced_width_ll, reduced_width_nunu
from zpfit.physics.electron_recoils import RecoilExperiment, recoil_table
from zpfit.physics.magnetic_moment import loop_table
from zpfit.physics.paper_2021 import CHARM2_NU, CHARM2_NUBAR
from zpfit.physics.spline import locate, polynomial

ENTRIES: Mapping[str, type[Entry]] = {
    "a_e_cs_2018": GaussianEntry,
    "a_mu_2021": GaussianEntry,
    "texono_2010": GaussianEntry,
    "borexino_2011": GaussianEntry,
    "charm2_nu_1993": GaussianEntry,
    "charm2_nubar_1993": GaussianEntry,
    "ccfr_1991": GaussianEntry,
    "bbn_2020": MassFloorEntry,
    "white_dwarf_2013": UpperLimitEntry,
    "moller_e158_2005": UpperLimitEntry,
    "babar_2014_envelope": PromptLimitEntry,
    "kloe_2015": PromptLimitEntry,
    "na64_2020": BeamDumpEntry,
}
"""Types of the entries that the kernel computes."""

LoadedEntries = Mapping[str, Any]
"""Entries of these types, by name."""
Compiled = Callable[..., Any]

_GUIDE_CELLS = 1024
"""Number of cells into which a curve's mass range is divided, so that no search is needed."""

# Allow fused multiply-adds only, which change the last digit; other options would break NaN.
_compile = numba.njit(error_model="numpy", fastmath={"contract"})


def fused_likelihood(entries: Sequence[LoadedEntry]) -> Callable[[Couplings], FloatArray]:
    """Compile the kernel, every exclusion hard; a batch of n points to ln L, shape (n,).

    Raises
    ------
    ValueError
        The entries are not those that the kernel is written for.
    """
    by_name = {loaded.name: loaded for loaded in entries}
    if {name: type(loaded.entry) for name, loaded in by_name.items()} != ENTRIES:
        raise ValueError(f"the fused kernel is written for the entries {', '.join(ENTRIES)}")
    kernel = _loop(_bounds(by_name), _searches(by_name), _chi2(by_name))

    def log_likelihood(c: Couplings) -> FloatArray:
        result: FloatArray = kernel(*c.rows()[:10])  # mass and leptons
        return result

    return log_likelihood


def _loop(bounds: Compiled, searches: Compiled, chi2: Compiled) -> Compiled:
    """Compile the loop over points: cheap exclusions, expensive ones, then measurements."""

    @_compile
    def kernel(  # type: ignore[no-untyped-def]
        m_Zp, c_ve, c_ae, c_nue, c_vmu, c_amu, c_numu, c_vtau, c_atau, c_nutau
    ):
        result = np.empty(m_Zp.size)
        for i in range(m_Zp.size):
            m, ve, ae = m_Zp[i], c_ve[i], c_ae[i]
            nue, numu, nutau = c_nue[i], c_numu[i], c_nutau[i]
            if bounds(m, ve, ae, nue, numu, nutau):
                result[i] = -np.inf
                continue
            log_m = log(m)
            vmu, amu = c_vmu[i], c_amu[i]
            other = reduced_width_nunu(nue, numu, nutau)
            if m > 2 * MUON_MASS:
                other += reduced_width_ll(m, vmu, amu, MUON_MASS)
            if m > 2 * TAU_MASS:
                other += reduced_width_ll(m, c_vtau[i], c_atau[i], TAU_MASS)
            if searches(m, log_m, ve, ae, other):
                result[i] = -np.inf
                continue
            result[i] = -0.5 * chi2(m, log_m, ve, ae, nue, vmu, amu, numu, nutau)
        return result

    return kernel


def _bounds(entries: LoadedEntries) -> Compiled:
    """Compile the exclusions that need only arithmetic."""
    cosmology = entries["bbn_2020"].entry
    electrophilic, neutrinophilic = cosmology.electrophilic, cosmology.neutrinophilic
    contact = cosmology.contact
    contact2 = contact**2
    # G_Z'/G_F = sqrt(electron2 * neutrino2)/(m^2 G_F), compared without the root and division.
    cooling2 = (entries["white_dwarf_2013"].entry.limit * FERMI_CONSTANT) ** 2
    parity_violation = entries["moller_e158_2005"].entry.limit

    @_compile
    def excluded(m, ve, ae, nue, numu, nutau):  # type: ignore[no-untyped-def]
        electron2 = ve * ve + ae * ae
        if m < electrophilic and electron2 > contact2:
            return True
        if m < neutrinophilic and max(abs(nue), abs(numu), abs(nutau)) > contact:
            return True
        m2 = m * m
        neutrino2 = nue * nue + numu * numu + nutau * nutau
        if electron2 * neutrino2 > cooling2 * m2 * m2:
            return True
        return abs(ve * ae) > parity_violation

    return excluded


def _searches(entries: LoadedEntries) -> Compiled:
    """Recast searches for dark photons; they share the visible width and the branching ratio."""
    babar = _prompt(entries["babar_2014_envelope"])
    kloe = _prompt(entries["kloe_2015"])
    na64 = _dump(entries["na64_2020"])

    @_compile
    def excluded(m, log_m, ve, ae, other):  # type: ignore[no-untyped-def]
        visible = reduced_width_ll(m, ve, ae, ELECTRON_MASS)
        if visible == 0.0:
            return False
        width = visible + other
        signal = (ve * ve + ae * ae) * visible / width
        log_signal = log(signal)
        return babar(log_m, log_signal) or kloe(log_m, log_signal) or na64(m, log_m, signal, width)

    return excluded


def _prompt(loaded: Any) -> Compiled:
    curve = _curve(loaded, PROMPT_COLUMNS)
    lowest, highest = curve[0, 0], curve[-1, 0]
    row_below = _row_below(curve[:, 0])
    slope = _slopes(curve)

    @_compile
    def excluded(log_m, log_signal):  # type: ignore[no-untyped-def]
        if not lowest <= log_m <= highest:
            return False
        row = row_below(log_m)
        log_limit = curve[row, 1] + slope[row, 1] * (log_m - curve[row, 0])
        return log_signal > 2 * log_limit

    return excluded


def _dump(loaded: Any) -> Compiled:
    region = _curve(loaded, REGION_COLUMNS)
    lowest, highest = region[0, 0], region[-1, 0]
    row_below = _row_below(region[:, 0])
    slope = _slopes(region)
    length_ratio = loaded.entry.length_ratio
    start, inverse_step, table = edge_lifetime(length_ratio).arguments()

    @_compile
    def excluded(m, log_m, signal, width):  # type: ignore[no-untyped-def]
        if not lowest <= log_m <= highest:
            return False
        row = row_below(log_m)
        distance = log_m - region[row, 0]
        log_lower = region[row, 1] + slope[row, 1] * distance
        log_q = 2 * (region[row, 2] + slope[row, 2] * distance - log_lower)
        interval, offset = locate(log_q, start, inverse_step, table)
        edge_tau = exp(polynomial(table, interval, 0, offset) - 0.5 * log_q)
        edge_coupling2 = exp(2 * log_lower)
        tau = edge_tau * width / (edge_coupling2 * reduced_width_ll(m, 1.0, 0.0, ELECTRON_MASS))
        decays = signal * exp(edge_tau - tau) * expm1(-length_ratio * tau)
        # Both sides are negative, as expm1 is.
        return decays < edge_coupling2 * expm1(-length_ratio * edge_tau)

    return excluded


def _curve(loaded: Any, columns: tuple[str, ...]) -> FloatArray:
    return read_curve(loaded.path.parent / loaded.entry.curve, columns)


def _slopes(curve: FloatArray) -> FloatArray:
    """Return the slopes of every column between each row and the next."""
    steps = np.diff(curve, axis=0)
    return steps / steps[:, :1]


def _row_below(log_masses: FloatArray) -> Compiled:
    """Find the row below a mass inside a curve: a table gives this row or one just below it."""
    start, last = log_masses[0], len(log_masses) - 2
    cells_per_unit = _GUIDE_CELLS / (log_masses[-1] - start)
    # Start half a cell below the lower edge, so that rounding cannot lead too far.
    cells = start + (np.arange(_GUIDE_CELLS + 1) - 0.5) / cells_per_unit
    guide = np.clip(np.searchsorted(log_masses, cells) - 1, 0, last)

    @_compile
    def row_below(log_m):  # type: ignore[no-untyped-def]
        row = guide[int((log_m - start) * cells_per_unit)]
        while row < last and log_masses[row + 1] <= log_m:
            row += 1
        return row

    return row_below


def _chi2(entries: LoadedEntries) -> Compiled:
    """Compile the chi2 of the seven measurements."""
    electron_moment = _magnetic_moment(entries["a_e_cs_2018"], ELECTRON_MASS)
    muon_moment = _magnetic_moment(entries["a_mu_2021"], MUON_MASS)
    texono = _texono(entries["texono_2010"])
    borexino = _borexino(entries["borexino_2011"])
    charm2_nu = _scattering(entries["charm2_nu_1993"], CHARM2_NU)
    charm2_nubar = _scattering(entries["charm2_nubar_1993"], CHARM2_NUBAR)
    ccfr = _trident(entries["ccfr_1991"])
    start, inverse_step, table = recoil_table(CHARM2_NU).arguments()

    @_compile
    def chi2(m, log_m, ve, ae, nue, vmu, amu, numu, nutau):  # type: ignore[no-untyped-def]
        m2 = m * m
        inverse_m2 = 1 / m2
        vv, va, aa = ve * ve, ve * ae, ae * ae
        # The tables of both beams have the same grid.
        interval, offset = locate(log_m, start, inverse_step, table)
        return (
            electron_moment(log_m, inverse_m2, vv, aa)
            + muon_moment(log_m, inverse_m2, vmu * vmu, amu * amu)
            + texono(inverse_m2, ve, ae, vv, va, aa, nue)
            + borexino(inverse_m2, ve, ae, vv, va, aa, nue, numu, nutau)
            + charm2_nu(interval, offset, m2, ve, ae, vv, va, aa, numu)
            + charm2_nubar(interval, offset, m2, ve, ae, vv, va, aa, numu)
            + ccfr(log_m, vmu * numu)
        )

    return chi2


def _chi2_of(loaded: Any) -> Compiled:
    value, inverse_error = loaded.entry.value, 1 / loaded.entry.error

    @_compile
    def chi2_of(prediction):  # type: ignore[no-untyped-def]
        pull = (value - prediction) * inverse_error
        return pull * pull

    return chi2_of


def _magnetic_moment(loaded: Any, lepton_mass: float) -> Compiled:
    chi2_of = _chi2_of(loaded)
    start, inverse_step, table = loop_table().arguments()
    lepton_mass2, log_mass = lepton_mass**2, log(lepton_mass)

    @_compile
    def chi2(log_m, inverse_m2, vv, aa):  # type: ignore[no-untyped-def]
        r = lepton_mass2 * inverse_m2
        interval, offset = locate(2 * (log_mass - log_m), start, inverse_step, table)
        vector = polynomial(table, interval, 0, offset) / (1 + 2 * r / 3)
        axial = polynomial(table, interval, 1, offset)
        return chi2_of(r * (1 / (4 * pi**2)) * (vv * vector - aa * axial))

    return chi2


def _texono(loaded: Any) -> Compiled:
    chi2_of = _chi2_of(loaded)

    @_compile
    def chi2(inverse_m2, ve, ae, vv, va, aa, nue):  # type: ignore[no-untyped-def]
        z = 1e11 * nue * inverse_m2
        linear = 2.07 * ve + 1.39 * ae
        quadratic = 1.37 * vv + 2.62 * va + 1.64 * aa
        return chi2_of(1 + z * (linear + z * quadratic))

    return chi2


def _borexino(loaded: Any) -> Compiled:
    chi2_of = _chi2_of(loaded)

    @_compile
    def chi2(inverse_m2, ve, ae, vv, va, aa, nue, numu, nutau):  # type: ignore[no-untyped-def]
        other = numu + nutau
        linear = ve * (6.86 * nue - 1.16 * other) + ae * (2.22 * other - 8.27 * nue)
        charged = 1.38 * (aa - va) + 0.81 * vv
        neutral = 2 * nue * nue + numu * numu + nutau * nutau
        return chi2_of(1 + inverse_m2 * (1e10 * linear + 1e21 * inverse_m2 * charged * neutral))

    return chi2


def _scattering(loaded: Any, beam: RecoilExperiment) -> Compiled:
    chi2_of = _chi2_of(loaded)
    table = recoil_table(beam).coefficients
    scale = ELECTRON_MASS * (beam.recoil_min + beam.recoil_end())

    @_compile
    def chi2(interval, offset, m2, ve, ae, vv, va, aa, nu):  # type: ignore[no-untyped-def]
        z = nu / (m2 + scale)
        linear = ve * polynomial(table, interval, 0, offset)
        linear += ae * polynomial(table, interval, 1, offset)
        quadratic = vv * polynomial(table, interval, 2, offset)
        quadratic += va * polynomial(table, interval, 3, offset)
        quadratic += aa * polynomial(table, interval, 4, offset)
        return chi2_of(1 + z * (linear + z * quadratic))

    return chi2


def _trident(loaded: Any) -> Compiled:
    chi2_of = _chi2_of(loaded)
    log_mass = log(MUON_MASS)

    @_compile
    def chi2(log_m, x):  # type: ignore[no-untyped-def]
        return chi2_of(1 + x * (5.6e5 + 2 * 1.3e11 * x * (log_mass - log_m)))

    return chi2
