"""The result of a set of pseudo-experiments: test statistics, p-values and shortcomings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from zpfit.analysis.records import ToyRatesRecord, ToysRecord, ToyStatisticRecord
from zpfit.analysis.significance import chi2_tail, two_sided_sigma
from zpfit.analysis.toys.block import (
    CHI2,
    DELTA_CHI2,
    DELTA_CHI2_NESTED,
    JOINT_SIGMA,
    BlockResult,
)
from zpfit.analysis.toys.p_value import EmpiricalP, empirical_p
from zpfit.inference.posterior import Posterior
from zpfit.io.arrays import FloatArray

if TYPE_CHECKING:
    from pandas import DataFrame

Hypothesis = Literal["no-zprime", "best-fit", "nested"]
"""Where toys are drawn: no Z', the best fit of the model, or that of the smaller model."""
STATISTICS = (CHI2, DELTA_CHI2, DELTA_CHI2_NESTED, JOINT_SIGMA)
"""Columns that are test statistics, in the order of tables."""
_TIE = 1e-3
"""Difference of a statistic below which two values count as equal: the precision of searches."""
_AGREEMENT = 0.1
"""Difference in chi2 between fast refit and global search of the data above which the result has a
shortcoming; the largest one of 150 toys was 0.06 (docs/toys.md)."""
_QUANTILES = {"q16": 0.16, "median": 0.5, "q84": 0.84, "q95": 0.95, "q99": 0.99}


@dataclass(frozen=True)
class Statistic:
    """One test statistic: its value for the data, its values for the toys, and the p-value.

    Examples
    --------
    >>> toys = np.array([1.0, 2.0, 5.0, 7.0])
    >>> chi2 = Statistic(4.0, 4.0, toys, empirical_p(toys, 4.0, 0.0), naive_degrees=2)
    >>> chi2.p.p_value, round(chi2.naive_p, 3)
    (0.5, 0.135)
    """

    observed: float
    """Value of the data by the fast refit, which the toys have too. It is infinite where the joint
    sigma does not exist."""
    by_global_search: float
    """Value of the data by the global search."""
    toys: FloatArray
    """Values of the toys, shape (toys,)."""
    p: EmpiricalP
    """Fraction of toys that are at least as extreme as the data."""
    naive_degrees: int | None
    """Degrees of freedom of the chi2 distribution that linear models without bounds would follow;
    None where there is no such distribution."""

    @property
    def naive_p(self) -> float | None:
        """Tail probability of that chi2 distribution."""
        if self.naive_degrees is None:
            return None
        return chi2_tail(self.by_global_search, self.naive_degrees)

    def record(self) -> ToyStatisticRecord:
        """Return the statistic as JSON allows; None replaces infinite numbers."""
        naive = self.naive_p
        return {
            "observed": _finite(self.observed),
            "observed_global": _finite(self.by_global_search),
            "extreme": self.p.extreme,
            "p_value": self.p.p_value,
            "p_interval": list(self.p.interval),
            "p_upper_limit": self.p.upper_limit,
            "sigma": self.p.sigma,
            "sigma_interval": list(self.p.sigma_interval),
            "naive_dof": self.naive_degrees,
            "naive_p_value": naive,
            "naive_sigma": None if naive is None else two_sided_sigma(naive),
            "toys_mean": _finite(float(np.mean(self.toys))),
            # Some joint sigmas are infinite, so that quantiles must not interpolate.
            "toys_quantiles": {
                name: _finite(float(np.quantile(self.toys, q, method="inverted_cdf")))
                for name, q in _QUANTILES.items()
            },
        }


@dataclass(frozen=True)
class Rates:
    """The computing time of the toys that were not read from a folder."""

    toys: int = 0
    """Number of toys that were computed."""
    fit_seconds: float = 0.0
    """Processor time of their refits."""
    joint_sigma_seconds: float = 0.0
    """Processor time of their joint sigmas."""

    @classmethod
    def of(cls, blocks: Sequence[BlockResult]) -> "Rates":
        """Add up the computing time of blocks."""
        return cls(
            sum(len(block.columns["toy"]) for block in blocks),
            sum(block.fit_seconds for block in blocks),
            sum(block.joint_sigma_seconds for block in blocks),
        )

    def record(self) -> ToyRatesRecord:
        """Return the rates as JSON allows, in toys per second of one core."""
        both = self.fit_seconds + self.joint_sigma_seconds
        return {
            "computed_now": self.toys,
            "toys_per_second_per_core": self.toys / both if self.toys else None,
            "toys_per_second_per_core_without_joint_sigma": (
                self.toys / self.fit_seconds if self.toys else None
            ),
        }


@dataclass(frozen=True, eq=False)
class Toys:
    """Pseudo-experiments of one hypothesis, and the p-values that they give."""

    title: str
    """Title of the run."""
    model: str
    """Name of the tested model."""
    nested: str | None
    """Name of the smaller model; None without one."""
    likelihood: str
    """Name of the likelihood."""
    hypothesis: Hypothesis
    """Where the toys were drawn."""
    seed: int
    """Seed of the data and searches."""
    statistics: Mapping[str, Statistic]
    """Test statistics by name, see :data:`STATISTICS`."""
    columns: Mapping[str, FloatArray]
    """Statistics and data of the toys by name, each of shape (toys,)."""
    rates: Rates
    """Computing time."""
    shortcomings: tuple[str, ...]
    """Reasons not to trust the p-values, each with a remedy; empty if there is none."""
    figure: Mapping[str, Any] = field(default_factory=dict)
    """Description of the figure in the run file."""

    def __len__(self) -> int:
        """Return the number of toys."""
        return len(self.columns["toy"])

    def __repr__(self) -> str:
        """Return one line with the p-values."""
        p_values = ", ".join(f"p({name}) {s.p.text()}" for name, s in self.statistics.items())
        return f"Toys({self.title!r}, {len(self)} toys of {self.hypothesis}: {p_values})"

    @property
    def frame(self) -> "DataFrame":
        """One row for each toy: statistics and data."""
        from pandas import DataFrame

        return DataFrame(dict(self.columns))

    def record(self) -> ToysRecord:
        """Return the result as JSON allows; None replaces numbers that do not exist."""
        record: ToysRecord = {
            "title": self.title,
            "model": self.model,
            "nested": self.nested,
            "likelihood": self.likelihood,
            "hypothesis": self.hypothesis,
            "seed": self.seed,
            "toys": len(self),
            "statistics": {name: one.record() for name, one in self.statistics.items()},
            "rates": self.rates.record(),
            "shortcomings": list(self.shortcomings),
        }
        if self.figure:
            record["figure"] = dict(self.figure)
        return record


def compare_with_data(
    columns: Mapping[str, FloatArray],
    observed: Mapping[str, float],
    by_global_search: Mapping[str, float],
    degrees: Mapping[str, int],
) -> dict[str, Statistic]:
    """Return each test statistic with its p-value.

    Parameters
    ----------
    columns
        Columns of the toys, each of shape (toys,).
    observed
        Statistics of the data by the fast refit.
    by_global_search
        Statistics of the data by the global search.
    degrees
        Naive degrees of freedom of some statistics, see :func:`naive_degrees`.
    """
    return {
        name: Statistic(
            observed=observed[name],
            by_global_search=by_global_search[name],
            toys=columns[name],
            p=empirical_p(columns[name], observed[name], _TIE),
            naive_degrees=degrees.get(name),
        )
        for name in STATISTICS
        if name in columns
    }


def naive_degrees(
    posterior: Posterior, smaller: Posterior | None, hypothesis: Hypothesis
) -> dict[str, int]:
    """Return the degrees of freedom that linear models without bounds would have.

    A difference of two chi2 follows a chi2 distribution only where toys come from the smaller of
    the two models (S. S. Wilks, Ann. Math. Statist. 9, 60 (1938)). Statistics without degrees of
    freedom are left out.
    """
    data = len(posterior.likelihood.data)
    fitted = min(posterior.dimension, data)
    degrees = {CHI2: data - fitted}
    if hypothesis == "no-zprime":
        degrees[DELTA_CHI2] = fitted
    if smaller is not None and hypothesis != "best-fit":
        degrees[DELTA_CHI2_NESTED] = fitted - min(smaller.dimension, data)
    return {name: number for name, number in degrees.items() if number}


def find_shortcomings(
    statistics: Mapping[str, Statistic], unaided: Mapping[str, float]
) -> tuple[str, ...]:
    """Return the reasons not to trust the p-values, each with a remedy.

    Parameters
    ----------
    statistics
        The statistics of data and toys.
    unaided
        Statistics of the data by a fast refit that does not know their best fit.
    """
    found = [
        _disagreement(name, off)
        for name, row in statistics.items()
        if abs(off := _difference_from_global(row, unaided.get(name))) > _AGREEMENT
    ]
    infinite = int(np.sum(~np.isfinite(statistics[CHI2].toys)))
    if infinite:
        found.append(f"no allowed point was found for {infinite} toys; they count as extreme")
    if DELTA_CHI2_NESTED in statistics:
        negative = int(np.sum(statistics[DELTA_CHI2_NESTED].toys < -_AGREEMENT))
        if negative:
            found.append(
                f"the smaller model fits {negative} toys better than the larger one: it is not "
                "contained in the larger one, or the refit of the larger one misses minima"
            )
    return tuple(found)


def _difference_from_global(row: Statistic, unaided: float | None) -> float:
    """Return how far the fast refit of the data is from the global search."""
    fast = row.observed if unaided is None else unaided
    # Both are infinite where a joint sigma does not exist.
    return 0.0 if fast == row.by_global_search else fast - row.by_global_search


def _disagreement(name: str, off: float) -> str:
    remedy = "change the seed, or raise best_fit.starts"
    if not np.isfinite(off):
        return (
            f"the fast refit of the data finds no allowed point for the {name}, unless it starts "
            f"from the best fit; that of toys may fail as well: {remedy}"
        )
    return (
        f"the fast refit of the data gives a {name} that differs by {off:+.3f} from the global "
        f"search, and that of toys may be as wrong: {remedy}"
    )


def _finite(value: float) -> float | None:
    """Return None for infinity, which JSON does not have."""
    return value if np.isfinite(value) else None
