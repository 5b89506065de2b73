"""The page "Limits on light vectors" in Markdown, from its numbers and a template."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from zpfit.studies.light_vectors.limits import Closed, Limit, Row
from zpfit.studies.light_vectors.planes import DARK, Vector
from zpfit.studies.light_vectors.published import N_EFF_FLOOR, Agreement

_TEMPLATE = Path(__file__).with_name("page.md.jinja")


@dataclass(frozen=True)
class Plane:
    """A slice of the page: limits at some masses, and all constraints of the plane."""

    vector: Vector
    dark: bool
    rows: tuple[Row, ...]
    constraints: tuple[str, ...]
    """Labels of the entries that exclude a part of the plane."""
    labels: Mapping[str, str]
    """Labels of entries by name."""

    @property
    def name(self) -> str:
        """Name of the slice."""
        return self.vector.slice_name(dark=self.dark)


def render_page(
    planes: Sequence[tuple[Plane, Plane]], agreements: Sequence[Agreement], floor: float
) -> str:
    """Return the page.

    Parameters
    ----------
    planes
        For each model the plane without and with a dark width.
    agreements
        Published limits beside those of zpfit.
    floor
        Least mass in MeV of a dark photon by N_eff.
    """
    # Nothing is escaped: the page is Markdown.
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True)  # noqa: S701
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        dark=f"{100 * DARK:g}",
        planes=planes,
        table=limit_table,
        summary=_summary([one for one, _ in planes]),
        dark_summary=_summary([one for _, one in planes]),
        constraints=lambda plane: ", ".join(plane.constraints),
        agreements="\n".join(_agreement_lines(agreements)),
        floor=f"{floor:.1f}",
        published_floor=f"{N_EFF_FLOOR:g}",
        floor_off=f"{100 * (floor / N_EFF_FLOOR - 1):+.0f}",
    )


def _summary(planes: Sequence[Plane]) -> str:
    """Return the leading limits of all models as one table."""
    masses = [f"{row.mass:g} MeV" for row in planes[0].rows]
    lines = [["model", *masses], ["---"] * (len(masses) + 1)]
    for plane in planes:
        cells = [_limit(row.leading, plane.labels) for row in plane.rows]
        lines.append([f"{plane.vector.title}, {plane.vector.symbol}", *cells])
    return _joined(lines)


def _joined(lines: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def limit_table(plane: Plane) -> str:
    """Return the limits of a plane as a table."""
    symbol = plane.vector.symbol
    heads = ["m [MeV]", f"{symbol} below", "next", "also excluded", "cosmology and stars"]
    lines = [heads, ["---"] * len(heads), *(_cells(row, plane.labels) for row in plane.rows)]
    return _joined(lines)


def _cells(row: Row, labels: Mapping[str, str]) -> list[str]:
    closed = "; ".join(_closed(one, labels) for one in row.closed)
    outside = [f"all by {labels[name]}" for name in row.everything]
    outside += [f"{number(limit.value)} {labels[limit.name]}" for limit in row.others]
    return [
        f"{row.mass:g}",
        _limit(row.leading, labels, bold=True),
        _limit(row.second, labels),
        closed or "nothing",
        ", ".join(outside) or "nothing",
    ]


def _limit(limit: Limit | None, labels: Mapping[str, str], *, bold: bool = False) -> str:
    if limit is None:
        return "no limit"
    value = number(limit.value)
    return f"{f'**{value}**' if bold else value} {labels[limit.name]}"


def _closed(one: Closed, labels: Mapping[str, str]) -> str:
    start = "" if one.to_bottom else f"{number(one.lower)} "
    end = "to the limit" if one.to_limit else f"to {number(one.upper)}"
    first, last = labels[one.first], labels[one.last]
    names = first if first == last else f"{first} … {last}"
    return f"{start}{end} ({names})"


def number(value: float) -> str:
    """Return a coupling with two digits.

    Examples
    --------
    >>> number(8.7e-6), number(1.04e-10)
    ('8.7e-6', '1.0e-10')
    """
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def _agreement_lines(agreements: Sequence[Agreement]) -> Iterator[str]:
    level = "at 1.645 standard errors"
    yield f"| limit | masses [MeV] | here / published − 1 | {level} | published by, remark |"
    yield "| --- | --- | --- | --- | --- |"
    for one in agreements:
        published = one.published
        masses = f"{published.points[0][0]:.3g} to {published.points[-1][0]:.3g}"
        edge = " (upper edge)" if published.edge == "upper" else ""
        level = "" if one.ratios_90 is None else _span(one.ratios_90)
        yield (
            f"| {one.label}{edge}, `{published.entry}` | {masses} | {_span(one.ratios)} | {level} "
            f"| {published.source}; {published.remark} |"
        )


def _span(ratios: Sequence[float]) -> str:
    """Return the range of differences in per cent."""
    low, high = (100 * (value - 1) for value in (min(ratios), max(ratios)))
    if max(abs(low), abs(high)) < 0.5:
        return f"within {max(abs(low), abs(high), 0.1):.1f} %"
    return f"{low:+.0f} to {high:+.0f} %"
