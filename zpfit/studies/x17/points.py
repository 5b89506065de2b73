"""Closed-form numbers of the study of X17: couplings that data want, and what excludes them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import sqrt
from typing import Any

from zpfit.io.library import Library
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.physics.charged_current import pion_charge
from zpfit.physics.constants import ELECTRIC_CHARGE as E
from zpfit.physics.couplings import Couplings
from zpfit.physics.nuclear import (
    BE8_1764,
    BE8_1815,
    MixedStates,
    carbon_axial,
    electric_dipole,
    helium_axial,
    helium_vector,
    magnetic_dipole_axial,
    magnetic_dipole_vector,
)
from zpfit.physics.nucleons import LITERATURE_SPINS as SPINS
from zpfit.studies.x17.fits import Record

MASS = 17.0
"""Mass of the tables, MeV."""
_BE8, _C12 = 6.0e-6, 3.6e-6
"""Rates over that of photons."""
_VECTOR, _AXIAL = 0.20, 0.87
"""ATOMKI's rate of He-4 over the pair width, read as either transition."""
_CAPTURE = 5.1e-6
"""The same rate over that of photons."""
_MUCH = 4.0
"""Rise of chi2 of a measurement that tables name: two standard errors."""


@dataclass(frozen=True)
class Wanted:
    """A coupling at which a rate is the measured one."""

    datum: str
    kind: str
    symbol: str
    value: float


def wanted(m_Zp: float = MASS) -> list[Wanted]:
    """Return the couplings that each datum wants, all others being zero.

    Parameters
    ----------
    m_Zp
        Mass, MeV.

    Examples
    --------
    >>> row = wanted(17.0)[0]
    >>> row.symbol, round(row.value, 4)
    ('|ε_n|, broken isospin', 0.0132)
    """
    mixed = replace(BE8_1815, isoscalar=MixedStates(breaking=0.0).isoscalar_1815)
    usual, n = BE8_1815, (0.0, E)  # the neutron alone, with a mixing of 1
    rows: Sequence[tuple[str, str, str, float, Any]] = (
        ("Be-8", "vector", "|ε_n|, broken isospin", _BE8, magnetic_dipole_vector(m_Zp, *n, usual)),
        ("Be-8", "vector", "|ε_n|, mixed isospin", _BE8, magnetic_dipole_vector(m_Zp, *n, mixed)),
        ("He-4", "vector", "|ε_p + ε_n|", _VECTOR, helium_vector(m_Zp, *n)),
        ("He-4, capture", "vector", "|ε_p - ε_n|", _CAPTURE, electric_dipole(m_Zp, *n, 20.32)),
        ("C-12, 17.23 MeV", "vector", "|ε_p - ε_n|", _C12, electric_dipole(m_Zp, *n, 17.23)),
        ("C-12, 17.8 MeV", "vector", "|ε_p - ε_n|", _C12, electric_dipole(m_Zp, *n, 17.8)),
        ("Be-8", "axial", "a_p = a_n", _BE8, magnetic_dipole_axial(m_Zp, 1, 1, usual)),
        ("He-4", "axial", "|a_p + a_n|/2", _AXIAL, helium_axial(m_Zp, 1, 1)),
        ("C-12, 17.23 MeV", "axial", "|a_p - a_n|", _C12, carbon_axial(m_Zp, 1, 0)),
    )
    return [Wanted(d, kind, s, sqrt(rate / float(unit))) for d, kind, s, rate, unit in rows]


def ratio_of_lines(m_Zp: float) -> float:
    """Return the rate at 17.64 MeV over that at 18.15 MeV for a protophobic vector."""
    rates = [float(magnetic_dipole_vector(m_Zp, 0, E, s)) for s in (BE8_1764, BE8_1815)]
    return rates[0] / rates[1]


@dataclass(frozen=True)
class Verdict:
    """Judgement of a point by single entries."""

    title: str
    couplings: Mapping[str, float]
    excluded: Mapping[str, float]
    """Signal over limit of the entries that exclude it, the largest first."""
    worse: Mapping[str, float]
    """Rise of chi2 over no Z' of measurements that disfavour it, the largest first."""
    better: Mapping[str, float]
    """Decrease of chi2 of measurements that favour it."""

    def record(self) -> dict[str, Any]:
        """Return the verdict as plain data."""
        return asdict(self)


def benchmarks(best: Mapping[str, Record]) -> dict[str, dict[str, float]]:
    """Return the couplings of points that tables discuss.

    Parameters
    ----------
    best
        Best fits by title, whose points are added.
    """
    electron, eps_n, isovector = 2.5e-4, 0.0129 * E, 4.0e-3 * E
    protophobic = {"C_Vu": -eps_n / 3, "C_Vd": 2 * eps_n / 3}
    tuned = pion_charge(Couplings.of(m_Zp=MASS, C_Ve=electron, **protophobic))[0]
    a_p = 4.7e-3 / 2
    up = a_p / (SPINS.up - SPINS.down)
    points: dict[str, dict[str, float]] = {
        "protophobic vector for Be-8": {"C_Ve": electron, **protophobic},
        "the same, C_nue conserves the pion's charge": {
            "C_Ve": electron, "C_nue": float(tuned), **protophobic,
        },
        "protophobic vector for C-12": {
            "C_Ve": electron, "C_Vu": -isovector / 3, "C_Vd": 2 * isovector / 3,
        },
        "axial quarks for C-12, a_p = -a_n": {"C_Ve": electron, "C_Au": up, "C_Ad": -up},
        "electrons alone at PADME's coupling": {"C_Ve": 5.6e-4},
    }  # fmt: skip
    found = {title: {"m_Zp": MASS, **point} for title, point in points.items()}
    return found | {title: dict(record.couplings) for title, record in best.items()}


def verdicts(points: Mapping[str, Mapping[str, float]], likelihood: str) -> list[Verdict]:
    """Return the judgement of points by each entry of a set.

    Parameters
    ----------
    points
        Couplings by title.
    likelihood
        Name of the set.
    """
    built = assemble(LikelihoodSpec(set=likelihood), Library.beside()).likelihood
    without = built.chi2_by_term(Couplings.none())
    rows = []
    for title, point in points.items():
        c = Couplings.of(**point)
        ratios = {name: float(row[0]) for name, row in built.ratios(c).items()}
        changes = {
            name: float(row[0] - without[name][0]) for name, row in built.chi2_by_term(c).items()
        }
        rows.append(
            Verdict(
                title,
                point,
                _largest(ratios, lambda ratio: ratio > 1),
                _largest(changes, lambda change: change > _MUCH),
                _largest({n: -v for n, v in changes.items()}, lambda change: change > 1),
            )
        )
    return rows


def _largest(values: Mapping[str, float], chosen: Callable[[float], bool]) -> dict[str, float]:
    """Return the chosen values, the largest first."""
    kept = {name: value for name, value in values.items() if chosen(value)}
    return dict(sorted(kept.items(), key=lambda item: -item[1]))
