"""Sentences that say at which level, and against what, the regions of a plane are excluded."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from zpfit.analysis.levels import in_percent

WITHOUT_LEVEL = "no CL"
"""Mark of a published limit whose publication states no level."""


def statement(
    reference: Mapping[str, Any],
    symbol: str = "Delta chi2",
    none: str = "no Z'",
    *,
    marked: bool = False,
) -> list[str]:
    """Return what measurements and published limits exclude, one sentence each.

    Parameters
    ----------
    reference
        Item ``reference`` of an exclusion record.
    symbol
        Symbol of Delta chi2.
    none
        Words for the hypothesis without a Z'.
    marked
        True where the names of published limits of other levels stand with these levels.

    Examples
    --------
    >>> known = {"kind": "no_zprime", "cl": 0.9, "delta_chi2": 4.605, "parameters": 2}
    >>> statement({**known, "curves": "published"})[0]
    "measurements: Delta chi2 > 4.61 against no Z' (90 %, 2 parameters)"
    """
    measurements = f"measurements: {_of_measurements(reference, symbol, none)}"
    return [measurements, f"published limits: {_of_limits(reference, marked=marked)}"]


def _of_measurements(reference: Mapping[str, Any], symbol: str, none: str) -> str:
    if reference["kind"] == "pull":
        usual = f"more than {reference['sigma']:g} standard errors from the datum"
        return "; ".join([usual, *_exceptions(reference["within"])])
    against = none if reference["kind"] == "no_zprime" else "the best fit of each"
    level = f"{in_percent(reference['cl'])}, {reference['parameters']} parameters"
    return f"{symbol} > {reference['delta_chi2']:.2f} against {against} ({level})"


def _exceptions(within: Mapping[str, float]) -> Iterator[str]:
    """Yield the standard errors of measurements that have their own, and which ones these are."""
    for sigma in sorted(set(within.values())):
        names = ", ".join(name for name, own in within.items() if own == sigma)
        yield f"more than {sigma:g} for {names}"


def _of_limits(reference: Mapping[str, Any], *, marked: bool) -> str:
    if reference["kind"] != "pull" and reference["curves"] == "rescaled":
        return f"rescaled to {in_percent(reference['cl'])}"
    if reference["kind"] == "pull" or not marked:
        return "each at its own level"
    return f"{in_percent(reference['cl'])}, unless the name has another level"


def blocking_words(
    record: Mapping[str, Any], words: Literal["names", "labels"] = "labels"
) -> Iterator[str]:
    """Yield what excludes a whole plane, as far as the record knows.

    Parameters
    ----------
    record
        Record of the map.
    words
        Labels, which may contain formulas, or names of entries.

    Examples
    --------
    >>> found = {"names": ["a_e_rb", "kloe", "bbn"], "labels": ["Rb", "KLOE", "BBN"]}
    >>> list(blocking_words({"excluded_by": {**found, "alone": False}}))
    ['Rb, KLOE and BBN together exclude everything']
    >>> list(blocking_words({"excluded_by": {**found, "alone": True}}, "names"))
    ['a_e_rb, kloe and bbn each exclude everything alone']
    """
    found = record.get("excluded_by")
    if found is None:
        return
    *first, last = found[words]
    if not first:
        yield f"{last} alone excludes everything"
        return
    how = "each exclude everything alone" if found["alone"] else "together exclude everything"
    yield f"{', '.join(first)} and {last} {how}"
