"""Parts of tables that several commands print."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zpfit.cli.output import table

if TYPE_CHECKING:
    from rich.table import Table

_VISIBLE = 5e-4
"""Smallest difference in chi2 that a table with three digits shows."""


def or_dash(value: float | None, form: str) -> str:
    """Return a formatted number, or a dash if there is none.

    Examples
    --------
    >>> or_dash(1.234, ".1f"), or_dash(None, ".1f")
    ('1.2', '-')
    """
    return "-" if value is None else format(value, form)


def with_error(value: float | None, error: float | None) -> str:
    """Return a value with its standard error, or a dash if there is no value.

    Examples
    --------
    >>> with_error(-10.271, 0.005), with_error(-10.271, None)
    ('-10.271 ± 0.005', '-10.271')
    """
    if value is None:
        return "-"
    return f"{value:.3f}" + (f" ± {error:.3f}" if error is not None else "")


def terms_table(point: Mapping[str, Any]) -> "Table":
    """Return a table of measurements and exclusions at a point.

    Parameters
    ----------
    point
        A record with ``terms`` and ``exclusions``, as
        :func:`zpfit.analysis.evaluate.describe_point` returns it.
    """
    caption = "ratio: signal over limit, above 1 is excluded"
    if any(abs(t["chi2"] - t["pull"] ** 2) > _VISIBLE for t in point["terms"].values()):
        caption += "\nchi2 of correlated measurements: increase over the measurements above"
    result = table(padding=0, caption=caption)
    for heading in ("entry", "measured", "predicted", "pull", "chi2", "ratio"):
        result.add_column(heading, justify="left" if heading == "entry" else "right", no_wrap=True)
    for name, term in point["terms"].items():
        prediction, pull = f"{term['prediction']:.4g}", f"{term['pull']:+.2f}"
        result.add_row(name, _measured(term), prediction, pull, f"{term['chi2']:.3f}", "")
    for name, exclusion in point["exclusions"].items():
        chi2 = f"{exclusion['chi2']:.3f}" if "chi2" in exclusion else ""
        result.add_row(name, "", "", "", chi2, f"{exclusion['ratio']:.3g}")
    return result


def _measured(term: Mapping[str, Any]) -> str:
    up, down = (f"{error:.2g}" for error in term["errors"])
    spread = f"± {up}" if up == down else f"+{up} -{down}"
    return f"{term['measured']:.3g} {spread}"


def unverified_words(summary: Mapping[str, Any]) -> str:
    """Return one line on the unverified numbers of a run and their influence."""
    count, influence = len(summary["unverified"]), summary.get("unverified_influence")
    entries = "1 entry holds" if count == 1 else f"{count} entries hold"
    if not influence:
        return f"{entries} unverified numbers."
    name = max(influence, key=lambda entry: abs(influence[entry]))
    return (
        f"{entries} unverified numbers; ln B changes by at most {influence[name]:+.1f} ({name}) if "
        "one measurement is shifted by its error, or one limit is twice as strong (zpfit report "
        "has all)."
    )
