"""Parts of tables that several commands print."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zpfit.cli.output import print_table, table
from zpfit.io.numbers import beside_errors, published, significant, with_error

if TYPE_CHECKING:
    from rich.table import Table

_VISIBLE = 5e-4
"""Smallest difference in chi2 that a table with three digits shows."""

_LEAST_INFLUENCE = 0.01
"""Smallest change of ln B that a line of text gives as a number."""


def or_dash(value: float | None, form: str) -> str:
    """Return a formatted number, or a dash if there is none.

    Examples
    --------
    >>> or_dash(1.234, ".1f"), or_dash(None, ".1f")
    ('1.2', '-')
    """
    return "-" if value is None else format(value, form)


def error_or_dash(value: float | None, error: float | None) -> str:
    """Return a value with its standard error, or a dash if there is no value.

    A value without an error is exact and has three decimals.

    Examples
    --------
    >>> error_or_dash(-10.271, 0.005), error_or_dash(-10.271, None), error_or_dash(None, None)
    ('-10.271 ± 0.005', '-10.271', '-')
    """
    if value is None:
        return "-"
    return with_error(value, error) if error else f"{value:.3f}"


def print_terms(point: Mapping[str, Any]) -> None:
    """Print a table of the measurements and one of the exclusions at a point.

    Parameters
    ----------
    point
        A record with ``terms`` and ``exclusions``, as
        :class:`~zpfit.api.records.PointRecord` has them.
    """
    if point["terms"]:
        print_table(_measurements_table(point["terms"]))
    if point["exclusions"]:
        print_table(_exclusions_table(point["exclusions"]))


def _measurements_table(terms: Mapping[str, Any]) -> "Table":
    caption = None
    if any(abs(t["chi2"] - t["pull"] ** 2) > _VISIBLE for t in terms.values()):
        caption = "chi2 of correlated measurements: increase over the measurements above"
    result = table(padding=0, caption=caption)
    for heading in ("measurement", "measured", "predicted", "pull", "chi2"):
        result.add_column(heading, justify="left" if heading == "measurement" else "right")
    for name, term in terms.items():
        prediction = f"{beside_errors(term['prediction'], *term['errors']):.4g}"
        pull = f"{term['pull']:+.2f}"
        result.add_row(
            name,
            published(term["measured"], *term["errors"]),
            prediction,
            pull,
            f"{term['chi2']:.3f}",
        )
    return result


def _exclusions_table(exclusions: Mapping[str, Any]) -> "Table":
    soft = any("chi2" in exclusion for exclusion in exclusions.values())
    result = table(padding=0, caption="ratio: signal over limit, above 1 is excluded")
    for heading in ("exclusion", "ratio", *(["chi2"] if soft else [])):
        result.add_column(heading, justify="left" if heading == "exclusion" else "right")
    for name, exclusion in exclusions.items():
        chi2 = [f"{exclusion['chi2']:.3f}"] if "chi2" in exclusion else []
        result.add_row(name, f"{exclusion['ratio']:.3g}", *chi2)
    return result


def unverified_words(summary: Mapping[str, Any]) -> str:
    """Return one line on the unverified numbers of a run and their influence."""
    count, influence = len(summary["unverified"]), summary.get("unverified_influence")
    entries = "1 entry holds" if count == 1 else f"{count} entries hold"
    if not influence:
        return f"{entries} unverified numbers."
    name = max(influence, key=lambda entry: abs(influence[entry]))
    change = f"at most {significant(influence[name], 2, sign='+')} ({name})"
    if abs(influence[name]) < _LEAST_INFLUENCE:
        change = f"less than {_LEAST_INFLUENCE:g}"
    return (
        f"{entries} unverified numbers; ln B changes by {change} if "
        "one measurement is shifted by its error, or one limit is twice as strong (zpfit report "
        "has all)."
    )
