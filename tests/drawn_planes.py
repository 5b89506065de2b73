"""Slices, their exclusion maps, and closed forms of some boundaries."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from zpfit.analysis.exclusion.exclusion import (
    ExclusionMap,
    NamedRegion,
    ProfileOptions,
    exclusion_map,
)
from zpfit.analysis.exclusion.record import exclusion_record
from zpfit.analysis.exclusion.slice import Slice, resolve_slice
from zpfit.analysis.exclusion.tracing import Tolerance, inner_lines
from zpfit.io.library import Library
from zpfit.io.places import packaged_data
from zpfit.io.yaml import dump_yaml, parse_yaml, read_yaml
from zpfit.physics.constants import ELECTRIC_CHARGE, ELECTRON_MASS
from zpfit.physics.magnetic_moment import loop_integrals

Command = Callable[..., str]

MASS = {"parameter": "m_Zp", "lower": 5, "upper": 50}
C_AE = {"parameter": "C_Ae", "lower": 5e-5, "upper": 1e-3, "scale": "log"}
C_VE = C_AE | {"parameter": "C_Ve"}
C_NUE = {"parameter": "C_nue", "lower": -5e-5, "upper": 5e-5}
A_E = -1.23e-12
BELOW = {"C_Ve": {"observable": "delta_a_e", "value": A_E}}
CLOSE = 5e-4
"""Relative tolerance of coordinates on boundaries, ten times better than 0.5 %."""


@dataclass(frozen=True)
class Drawn:
    """Slice and its map."""

    chosen: Slice
    traced: ExclusionMap

    def region(self, name: str) -> NamedRegion:
        [found] = [region for region in self.traced.regions if region.name == name]
        return found

    def edge(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return x and y on the boundary, at corners and halfway between them."""
        lines = inner_lines(self.region(name).region)
        halfway = [(line[1:] + line[:-1]) / 2 for line in lines]
        u = np.concatenate([*lines, *halfway])
        plane = self.chosen.plane
        return plane.x.values(u[:, 0]), plane.y.values(u[:, 1])

    def record(self) -> dict:
        return exclusion_record(self.chosen, self.traced)


def resolved(*entries: str, **settings) -> Slice:
    """Return a slice of some entries; measurements count standard errors unless settings differ."""
    defaults = {"likelihood": {"add": list(entries)}, "x": MASS, "y": C_AE, "reference": "pull"}
    document = parse_yaml(dump_yaml(defaults | settings), Path("mine.yaml"))
    return resolve_slice(document, Library.beside())


def drawn(*entries: str, **settings) -> Drawn:
    chosen = resolved(*entries, **settings)
    return Drawn(chosen, exclusion_map(chosen))


COARSE = ProfileOptions(
    mesh=12, tolerance=Tolerance(corner=5e-5, sag=2e-4, max_divisions=2), starts=4
)
"""Profile with few starts on a coarse mesh, which does not move boundaries."""


def profiled_coarsely(*entries: str, **settings) -> Drawn:
    chosen = resolved(*entries, **settings)
    return Drawn(chosen, exclusion_map(chosen, COARSE))


@cache
def packaged(name: str) -> Drawn:
    path = packaged_data() / "slices" / f"{name}.yaml"
    chosen = resolve_slice(read_yaml(path), Library.beside())
    return Drawn(chosen, exclusion_map(chosen))


def curve(entry: str) -> np.ndarray:
    """Return the columns of a published curve: mass in MeV, and the electron coupling at its
    edges."""
    text = (packaged_data() / "likelihoods" / "entries" / f"{entry}.csv").read_text("utf-8")
    rows = [line for line in text.splitlines() if not line.startswith("#")][1:]
    table = np.array([row.split(",") for row in rows], dtype=float).T
    table[1:] *= ELECTRIC_CHARGE
    return table


def limit(entry: str, m: np.ndarray, column: int = 1) -> np.ndarray:
    """Return the electron coupling at a published edge."""
    table = curve(entry)
    return np.exp(np.interp(np.log(m), np.log(table[0]), np.log(table[column])))


def loop(m: np.ndarray, lepton_mass: float = ELECTRON_MASS) -> tuple[np.ndarray, np.ndarray]:
    """Return the coefficients of C_V^2 and -C_A^2 in the shift of a magnetic moment."""
    r = (lepton_mass / m) ** 2
    vector, axial = r / (4 * np.pi**2) * loop_integrals(r)
    return vector, axial


def off(values: np.ndarray, *expected: np.ndarray) -> np.ndarray:
    """Return the relative distance from the nearest of several curves."""
    return np.min([np.abs(values / curve - 1) for curve in expected], axis=0)
