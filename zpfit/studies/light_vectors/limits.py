"""Leading limits on the coupling of a light vector at some masses."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from zpfit.analysis.exclusion.along import Interval, excluded_intervals
from zpfit.analysis.exclusion.slice import Slice

MASSES = (2.0, 10.0, 17.0, 30.0, 100.0, 300.0)
"""Masses of the tables in MeV."""
_NO_LABORATORY = ("bbn_mixed_2020", "n_eff_2025", "white_dwarf_2013")
"""Entries from cosmology and stars, which the tables give a column of their own."""


@dataclass(frozen=True)
class Limit:
    """An upper limit on the coupling."""

    name: str
    """Name of the entry."""
    value: float


@dataclass(frozen=True)
class Closed:
    """A range of couplings, below the leading limit, that searches for displaced decays exclude."""

    lower: float
    upper: float
    first: str
    """Entry at the lower end."""
    last: str
    """Entry at the upper end."""
    to_bottom: bool
    """True if it reaches the lower end of the plane."""
    to_limit: bool
    """True if it reaches the leading upper limit."""


@dataclass(frozen=True)
class Row:
    """Limits at one mass."""

    mass: float
    """MeV."""
    leading: Limit | None
    """Strongest upper limit of a laboratory; None if there is none in the plane."""
    second: Limit | None
    closed: tuple[Closed, ...]
    everything: tuple[str, ...]
    """Entries from cosmology that exclude every coupling of the plane."""
    others: tuple[Limit, ...]
    """Further upper limits from cosmology and stars."""

    def record(self) -> dict[str, Any]:
        """Return the row as plain data."""
        return asdict(self)


def limit_rows(chosen: Slice, masses: Sequence[float] = MASSES) -> list[Row]:
    """Return the leading limits of a slice of mass and coupling at some masses in MeV."""
    found = excluded_intervals(chosen, masses)
    return [_row(mass, intervals) for mass, intervals in zip(masses, found, strict=True)]


def _row(mass: float, intervals: Sequence[Interval]) -> Row:
    outside = [one for one in intervals if one.name in _NO_LABORATORY]
    laboratory = [one for one in intervals if one.name not in _NO_LABORATORY]
    upper = sorted(_upper_limits(laboratory), key=lambda limit: limit.value)
    ceiling = upper[0].value if upper else float("inf")
    below = [one for one in laboratory if not one.reaches_top and one.lower < ceiling]
    return Row(
        mass=mass,
        leading=upper[0] if upper else None,
        second=upper[1] if len(upper) > 1 else None,
        closed=tuple(_joined(sorted(below, key=lambda one: one.lower), ceiling)),
        everything=tuple(one.name for one in outside if one.reaches_bottom and one.reaches_top),
        others=tuple(_upper_limits([one for one in outside if not one.reaches_bottom])),
    )


def _upper_limits(intervals: Sequence[Interval]) -> Iterator[Limit]:
    return (Limit(one.name, one.lower) for one in intervals if one.reaches_top)


def _joined(intervals: Sequence[Interval], ceiling: float) -> Iterator[Closed]:
    """Yield the union of intervals in the order of their lower ends, up to the leading limit."""
    groups: list[list[Interval]] = []
    for one in intervals:
        if groups and one.lower <= max(known.upper for known in groups[-1]):
            groups[-1].append(one)
        else:
            groups.append([one])
    for group in groups:
        last = max(group, key=lambda one: one.upper)
        reaches = last.upper >= ceiling
        upper = ceiling if reaches else last.upper
        first = group[0]
        yield Closed(first.lower, upper, first.name, last.name, first.reaches_bottom, reaches)


def labels_of(chosen: Slice) -> Mapping[str, str]:
    """Return the labels of the entries of a slice by name."""
    return {name: entry.label or name for name, _, entry in chosen.assembled.entries}
