"""The table of a run's parameters: the texts that terminal, notebook and report show."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from zpfit.analysis.levels import in_percent
from zpfit.analysis.marginals import LEVEL, PRIOR_DOMINATED
from zpfit.analysis.records import FitSummary, ParameterRecord
from zpfit.io.numbers import apart, significant

Cell = tuple[str, float | None]
"""Text of a cell and the number behind it."""

NO_VALUE = "-"
"""Text in place of a number that does not exist."""
AT_END = "best fit at the end of the prior"
"""Note on a parameter whose best value is an end of its prior's range."""
DOMINATED = "prior-dominated"
"""Note on a parameter whose posterior is that of its prior."""
HEADINGS = ("best fit", "posterior", "gain", "ESS", "R-hat")
"""Headings of the columns of numbers."""
CAPTION = (
    f"posterior: median and central 68 %; if the sign is open, the {in_percent(LEVEL)} limit on "
    "the size. zpfit limit computes limits from the profile likelihood. gain: information in "
    f"bits; below {PRIOR_DOMINATED:g} the posterior is that of the prior"
)
"""Explanation of the columns."""


@dataclass(frozen=True)
class ParameterRow:
    """Texts about one parameter that varies, and the numbers by which they are sorted."""

    name: str
    texts: tuple[str, ...]
    """A text for each of :data:`HEADINGS`."""
    keys: tuple[float | None, ...]
    """Numbers behind the texts, None where there is none."""
    notes: tuple[str, ...]

    @property
    def note(self) -> str:
        """All notes."""
        return ", ".join(self.notes)


def parameter_rows(summary: FitSummary) -> Iterator[ParameterRow]:
    """Yield the row of each parameter that varies.

    Parameters
    ----------
    summary
        Results of a fit; those of older versions lack limits and information gain.
    """
    for name, record in summary["posterior"].items():
        best = summary["best_fit"]["parameters"][name]
        gain = record.get("information_gain")
        ess, rhat = record["ess"], record["rhat"]
        cells = [
            (significant(best), best),
            _posterior(record),
            *(
                _formatted(number, form)
                for number, form in ((gain, ".2f"), (ess, ".0f"), (rhat, ".4f"))
            ),
        ]
        texts, keys = zip(*cells, strict=True)
        yield ParameterRow(name, texts, keys, tuple(_notes(record)))


def flat(record: ParameterRecord) -> dict[str, Any]:
    """Return a record whose limits on the size are keys of their own.

    Examples
    --------
    >>> limit = {"probability": 0.95, "posterior": 2.0, "profile_at_least": 3.0}
    >>> flat({"median": 0.1, "size_limit": limit})
    {'median': 0.1, 'size_limit_posterior': 2.0, 'size_limit_profile_at_least': 3.0}
    """
    shown: dict[str, Any] = dict(record)
    limit = shown.pop("size_limit", None) or {}
    keys = ("posterior", "profile_at_least", "reaches_end_of_prior")
    return shown | {f"size_limit_{key}": limit[key] for key in keys if key in limit}


def _formatted(number: float | None, form: str) -> Cell:
    return (NO_VALUE if number is None else format(number, form)), number


def _posterior(record: ParameterRecord) -> Cell:
    if "size_limit" in record:
        limit = record["size_limit"]["posterior"]
        return f"< {significant(limit)}", limit
    median, low, high = apart(record["median"], record["q16"], record["q84"])
    return f"{median} ({low} to {high})", record["median"]


def _notes(record: ParameterRecord) -> Iterator[str]:
    if record.get("best_fit_at_end_of_prior"):
        yield AT_END
    if record.get("prior_dominated"):
        yield DOMINATED
